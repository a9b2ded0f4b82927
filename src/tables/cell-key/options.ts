import { PolicyError } from "../../errors/index.ts";
import { designPTable } from "./design.ts";
import { keyTable, makeKeyTable, ONS_CYCLE, ONS_KEYS, ONS_ROWS, tenFiveRule, type KeyTable } from "./key-table.ts";
import { boundedRow, boundsByRow, type PTable, type PTableRow } from "./p-table.ts";
import type { CellKey } from "./schema.ts";
import { readOnsTable, readPTable, readStepTable, tableProblem } from "./table-files.ts";

const DEFAULT_KEYS = { intervals: 100_000_000, ons: ONS_KEYS, abs: 2 ** 32 } as const;
/** Rows by the leading part of a large key, as in the tables of the Australian Bureau of Statistics. */
const ABS_SLOTS = 256;

/** Number of different record keys and cell keys. */
export function numberOfKeys(options: Pick<CellKey, "form" | "keys">): number {
  return options.keys ?? DEFAULT_KEYS[options.form];
}

/**
 * The table that the options describe, ready for keys.
 *
 * @throws PolicyError `cell-key/table-not-loaded` for a file that was not read yet (withTable does that), `cell-key/bad-table`
 * for rows that are no table, `cell-key/biased-table`, and those of designPTable
 */
export function compileTable(options: CellKey): KeyTable {
  const keys = numberOfKeys(options);
  const slots = options.form === "abs" ? ABS_SLOTS : keys;
  const { table } = options;
  if ("design" in table) return keyTable(designPTable(table.design).table, keys, "unbiased", slots);
  if ("rule" in table) return tenFiveRule();
  if ("bounds" in table) return keyTable(listedTable(table.bounds, options.biased), keys, "bounds", slots);
  if ("runs" in table) return listedRuns(table.runs, keys, slots, options);
  throw new PolicyError(
    "cell-key/table-not-loaded",
    "The perturbation table stands in a file that was not read. Read it and put its rows into the options (withTable).",
  );
}

/**
 * Options with the rows of a table file in place of its name, so that a plan stands on its own.
 *
 * @param text the file's text: pcv, ckey, pvalue for the forms ons and abs, otherwise as ptable and tau-Argus write
 * @throws DataError `cell-key/bad-table-file`, PolicyError `cell-key/bad-table` when the file has other keys than the form
 */
export function withTable(options: CellKey, text: string): CellKey {
  const isByKey = /^\W*pcv\b/.test(text);
  if (!isByKey) {
    const rows = readPTable(text, { biased: options.biased }).rows;
    return { ...options, table: { bounds: rows.flatMap(({ count, changes }) => changes.map(({ noise, upper }): [number, number, number] => [count, count + noise, upper])) } };
  }
  const read = readOnsTable(text);
  const slots = options.form === "abs" ? ABS_SLOTS : numberOfKeys(options);
  if (options.form === "intervals" || read.keys !== slots) {
    throw badTable(`it lists ${read.keys} keys; the form ${options.form} needs ${options.form === "intervals" ? "cumulative bounds" : `${slots} keys`}`);
  }
  const runs: [number, number, number][] = [];
  for (let count = 1; count < read.rows; count++) {
    let from = 0;
    for (let e = read.starts[count]!; e < read.starts[count + 1]!; e++) {
      runs.push([count, from, read.noise[e]!]);
      from = read.bounds[e]!;
    }
  }
  const loaded: CellKey = { ...options, table: { runs } };
  compileTable(loaded);
  return loaded;
}

/**
 * Options with the rows of a file in place of the name of a table for amounts.
 *
 * @throws DataError `cell-key/bad-table-file`, PolicyError `cell-key/bad-table` for tables of other types than all
 */
export function withMagnitudeTable(options: CellKey, text: string): CellKey {
  const rows = readStepTable(text);
  if (rows.some(({ type }) => type !== "all")) throw badTable("for amounts it may have rows of type all only");
  const bounds = rows.flatMap(({ row: { count, changes } }) => changes.map(({ noise, upper }): [number, number, number] => [count, noise, upper]));
  return { ...options, magnitudes: { ...options.magnitudes!, table: { bounds } } };
}

function listedTable(entries: readonly (readonly [number, number, number])[], biased: "refuse" | "accept"): PTable {
  const lists = boundsByRow(entries);
  if (lists === undefined) throw badTable("its rows are not in ascending order of counts");
  if (!lists.has(0)) lists.set(0, { numbers: [0], uppers: [1] });
  const rows: PTableRow[] = [];
  for (let count = 0; count < lists.size; count++) {
    const list = lists.get(count);
    if (list === undefined) throw badTable(`it has no row for a count of ${count}`);
    rows.push(boundedRow(count, list.numbers.map((published) => published - count), list.uppers));
  }
  const table = { rows };
  if (rows.length < 2) throw badTable("it has no row for a count of 1");
  const problem = tableProblem(table, biased);
  if (problem !== undefined) throw badTable(`its row for a count of ${problem.row} needs ${problem.expected}`);
  return table;
}

function listedRuns(runs: readonly (readonly [number, number, number])[], keys: number, slots: number, options: CellKey): KeyTable {
  const rows: { noise: number; bound: number }[][] = [[{ noise: 0, bound: slots }]];
  for (const [count, from, noise] of runs) {
    const isNew = count === rows.length;
    if (isNew) rows.push([]);
    const row = rows[count];
    if (row === undefined || count !== rows.length - 1) throw badTable("its runs are not in ascending order of counts without gaps");
    const last = row.at(-1);
    if (from >= slots || (last === undefined ? from !== 0 : from <= last.bound)) {
      throw badTable(`the runs for a count of ${count} do not start at key 0 and ascend below ${slots}`);
    }
    if (count + noise < 0) throw badTable(`it makes a count of ${count} negative`);
    // `bound` holds the first key of the run until the next run or the end of the row closes it.
    if (last !== undefined) last.bound = from;
    row.push({ noise, bound: from });
  }
  rows.forEach((row) => (row.at(-1)!.bound = slots));
  if (options.biased === "refuse") {
    rows.forEach((row, count) => {
      let before = 0;
      const sum = row.reduce((all, { noise, bound }) => {
        const width = bound - before;
        before = bound;
        return all + noise * width;
      }, 0);
      if (sum !== 0) {
        throw new PolicyError(
          "cell-key/biased-table",
          `The perturbation table is wrong on average for a count of ${count}. Mend the table, or set biased: accept knowingly.`,
          { count },
        );
      }
    });
  }
  return makeKeyTable(keys, slots, rows.length === ONS_ROWS + 1 ? ONS_CYCLE : 1, rows);
}

function badTable(why: string): PolicyError {
  return new PolicyError("cell-key/bad-table", `The perturbation table cannot be used: ${why}.`);
}
