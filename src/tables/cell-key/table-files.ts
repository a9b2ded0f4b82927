import { DataError } from "../../errors/index.ts";
import { makeKeyTable, ONS_CYCLE, ONS_ROWS, rowOf, type KeyTable } from "./key-table.ts";
import { plainDecimal } from "./plain-decimal.ts";
import { boundedRow, rowStatistics, type PTable, type PTableRow } from "./p-table.ts";

const DECIMAL = /^[+-]?(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:[eE][+-]?\d{1,3})?$/;
const MOST_LINES = 4_000_000;
/** Printed shares and bounds agree to within this: bounds have 8 digits or more, shares from spreadsheets at times 7 ("6.13E-05"). */
const PRINTED = 1e-7;
/** Mean of a row whose shares are printed with 8 digits. */
const PRINTED_MEAN = 1e-6;

export interface ReadPTableOptions {
  /** Whether rows may have a mean other than 0. Default refuse. */
  readonly biased?: "refuse" | "accept" | undefined;
}

/**
 * Read a perturbation table for counts as ptable, cellKey and tau-Argus write them: semicolon or comma, a header with i, j,
 * p (or p_ij), v (or diff) and the upper bound p_int_ub (or p_ij_ub, kum_p_o), perhaps p_int_lb and type. The bounds decide;
 * the printed shares must agree with them. A count of 0 without a row stays 0.
 *
 * @throws DataError `cell-key/bad-table-file` with the line, when the file is malformed or a row is no unbiased probability
 * table: counts from 0 without gaps, whole published counts from 0, v = j - i, bounds that rise to 1, mean 0 (within 1e-6,
 * what 8 printed digits allow), and 0 that stays 0
 */
export function readPTable(text: string, options: ReadPTableOptions = {}): PTable {
  const rows = readRows(text, "counts");
  rows.forEach((row, at) => {
    if (row.type !== "all") throw badFile(row.line, `type "all" for tables of counts`);
    if (row.count !== at) throw badFile(row.line, `counts i from 0 in ascending order without gaps`);
  });
  const table: PTable = { rows: rows.map(({ count, noises, uppers }) => boundedRow(count, noises, uppers)) };
  const problem = tableProblem(table, options.biased ?? "refuse");
  if (problem !== undefined) throw badFile(rows[problem.row]!.line, problem.expected);
  return table;
}

/** What is wrong with a table for counts, however it was given; undefined when nothing is. */
export function tableProblem(table: PTable, biased: "refuse" | "accept"): { row: number; expected: string } | undefined {
  for (const [row, { count, changes }] of table.rows.entries()) {
    let before = 0;
    for (const { noise, upper } of changes) {
      if (!Number.isInteger(noise) || count + noise < 0) return { row, expected: "whole published counts from 0" };
      if (!(upper >= before && upper <= 1)) return { row, expected: "bounds that rise from 0 to 1" };
      before = upper;
    }
    if (before !== 1) return { row, expected: "a last bound of exactly 1" };
    const shares = new Map<number, number>();
    for (const { noise, share } of changes) shares.set(noise, (shares.get(noise) ?? 0) + share);
    const { bias, largestChange } = rowStatistics(count, shares);
    if (count === 0 && largestChange > 0) return { row, expected: "a count of 0 that stays 0" };
    if (biased === "refuse" && Math.abs(bias) > PRINTED_MEAN) return { row, expected: "a mean change of 0 (or biased: accept)" };
  }
  return undefined;
}

/** A row of a table for amounts: categories of size with gaps between them, and noise in steps. */
export interface StepRow {
  readonly type: "all" | "even" | "odd" | "small_cells";
  readonly row: PTableRow;
}

/**
 * Read a perturbation table for magnitudes: as readPTable, but with fractions as noise, gaps between the categories i, and a
 * type "all", "even", "odd" or "small_cells".
 *
 * @throws DataError `cell-key/bad-table-file`
 */
export function readStepTable(text: string, options: ReadPTableOptions = {}): StepRow[] {
  const last = new Map<string, number>();
  return readRows(text, "amounts").map(({ count, noises, uppers, type, line }) => {
    if (type !== "all" && type !== "even" && type !== "odd" && type !== "small_cells") {
      throw badFile(line, `type "all", "even", "odd" or "small_cells"`);
    }
    if (count <= (last.get(type) ?? -1)) throw badFile(line, "categories i in ascending order, each once");
    last.set(type, count);
    const row = boundedRow(count, noises, uppers);
    const bias = row.changes.reduce((sum, { noise, share }) => sum + noise * share, 0);
    if (options.biased !== "accept" && Math.abs(bias) > PRINTED_MEAN) throw badFile(line, "a mean change of 0");
    if (row.changes.some(({ noise }) => count + noise < 0)) throw badFile(line, "no change below -i");
    return { type, row };
  });
}

interface ReadRow {
  readonly line: number;
  readonly count: number;
  readonly type: string;
  readonly noises: number[];
  readonly uppers: number[];
}

function readRows(text: string, kind: "counts" | "amounts"): ReadRow[] {
  const { names, lines, separator } = header(text);
  const column = (...known: string[]): number => known.reduce((found, name) => (found >= 0 ? found : names.indexOf(name)), -1);
  const [i, j, p, v] = [column("i"), column("j"), column("p", "p_ij"), column("v", "diff")];
  const [upper, lower, type] = [column("p_int_ub", "p_ij_ub", "kum_p_o"), column("p_int_lb"), column("type")];
  if (i < 0 || j < 0 || p < 0 || v < 0 || upper < 0) throw badFile(1, "columns i, j, p, v and p_int_ub");
  const rows: ReadRow[] = [];
  lines.forEach((content, at) => {
    const line = at + 2;
    const fields = content.split(separator);
    if (fields.length !== names.length) throw badFile(line, `${names.length} fields as in the header`);
    const number = (k: number): number => readNumber(fields[k]!, line);
    const count = number(i);
    const ownType = type < 0 ? "all" : unquoted(fields[type]!);
    const isWhole = kind === "amounts" || (Number.isInteger(number(j)) && Number.isInteger(number(v)));
    if (!Number.isInteger(count) || count < 0 || !isWhole) throw badFile(line, "whole numbers from 0 as counts");
    if (Math.abs(count + number(v) - number(j)) > 1e-9) throw badFile(line, "v to be j less i");
    let row = rows.at(-1);
    if (row === undefined || row.count !== count || row.type !== ownType) {
      rows.push((row = { line, count, type: ownType, noises: [], uppers: [] }));
    }
    const before = row.uppers.at(-1) ?? 0;
    const bound = number(upper);
    const share = number(p);
    if (!(share >= 0 && bound >= before && bound <= 1)) throw badFile(line, "probabilities, and bounds that rise to 1");
    if (Math.abs(bound - before - share) > PRINTED) throw badFile(line, "a bound that is the bound before plus the probability");
    if (lower >= 0 && Math.abs(number(lower) - before) > PRINTED) throw badFile(line, "a lower bound that is the bound before");
    row.noises.push(number(v));
    row.uppers.push(bound);
  });
  if (rows.length === 0) throw badFile(2, "at least one row");
  for (const row of rows) if (row.uppers.at(-1) !== 1) throw badFile(row.line, "a last bound of exactly 1 for each count");
  if (kind === "counts" && rows[0]!.count === 1) rows.unshift({ line: 2, count: 0, type: "all", noises: [0], uppers: [1] });
  return rows;
}

/**
 * Read a table by whole keys as the Office for National Statistics writes them: pcv, ckey, pvalue, one line for each count and
 * key. Every count from 1 on must list every key once. With 750 rows, larger counts use rows 501 to 750 in turn as their
 * program does; with another number the last row serves them, for a larger count without noise would be given away.
 *
 * @throws DataError `cell-key/bad-table-file`
 */
export function readOnsTable(text: string): KeyTable {
  const { names, lines, separator } = header(text);
  const [pcv, ckey, pvalue] = [names.indexOf("pcv"), names.indexOf("ckey"), names.indexOf("pvalue")];
  if (pcv < 0 || ckey < 0 || pvalue < 0) throw badFile(1, "columns pcv, ckey and pvalue");
  const rows: number[][] = [[]];
  lines.forEach((content, at) => {
    const line = at + 2;
    const fields = content.split(separator);
    if (fields.length !== names.length) throw badFile(line, `${names.length} fields as in the header`);
    const [count, key, noise] = [pcv, ckey, pvalue].map((k) => readNumber(fields[k]!, line)) as [number, number, number];
    if (!Number.isInteger(count) || count < 1 || count > 1e6) throw badFile(line, "a whole pcv from 1");
    if (!Number.isInteger(key) || key < 0 || key > 65_535) throw badFile(line, "a whole ckey from 0");
    if (!Number.isInteger(noise) || count + noise < 0) throw badFile(line, "a whole pvalue that leaves the count at 0 or more");
    const row = (rows[count] ??= []);
    if (row[key] !== undefined) throw badFile(line, "each pcv and ckey once");
    row[key] = noise;
  });
  const keys = rows[1]?.length ?? 0;
  if (keys < 2) throw badFile(2, "a row for pcv 1");
  const entries = Array.from(rows, (row, count) => {
    if (count === 0) return [{ noise: 0, bound: keys }];
    const runs: { noise: number; bound: number }[] = [];
    for (let key = 0; key < keys; key++) {
      const noise = row?.[key];
      if (noise === undefined || row!.length !== keys) throw badFile(1, `every pcv from 1 to ${rows.length - 1} with every ckey from 0 to ${keys - 1}`);
      if (runs.at(-1)?.noise === noise) runs.at(-1)!.bound = key + 1;
      else runs.push({ noise, bound: key + 1 });
    }
    return runs;
  });
  return makeKeyTable(keys, keys, rows.length === ONS_ROWS + 1 ? ONS_CYCLE : 1, entries);
}

function header(text: string): { names: string[]; lines: string[]; separator: string } {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  while (lines.length > 0 && lines.at(-1)!.trim() === "") lines.pop();
  if (lines.length > MOST_LINES) throw badFile(MOST_LINES, `at most ${MOST_LINES} lines`);
  const first = lines.shift() ?? "";
  const separator = first.includes(";") ? ";" : ",";
  const names = first.split(separator).map(unquoted);
  if (new Set(names).size < names.length) throw badFile(1, "column names that differ");
  return { names, lines, separator };
}

function unquoted(field: string): string {
  const text = field.trim();
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

function readNumber(field: string, line: number): number {
  const text = unquoted(field);
  if (!DECIMAL.test(text)) throw badFile(line, "plain decimal numbers");
  return Number(text);
}

function badFile(line: number, expected: string): DataError {
  return new DataError("cell-key/bad-table-file", `Line ${line} of the perturbation table is not as expected: ${expected}.`, { line });
}

/**
 * Write a table for counts: "cellKey" with commas, both bounds and the type, "tau-argus" with semicolons and the upper bound.
 * Probabilities are written as they are; round a designed table with roundPTable first. Ends with a line break.
 */
export function writePTable(table: PTable, format: "cellKey" | "tau-argus"): string {
  const lines = [format === "cellKey" ? "i,j,p,v,p_int_lb,p_int_ub,type" : "i;j;p;v;p_int_ub"];
  for (const { count, changes } of table.rows) {
    let before = 0;
    for (const { noise, share, upper } of changes) {
      const fields = [count, count + noise, share, noise, ...(format === "cellKey" ? [before, upper] : [upper])].map(plainDecimal);
      lines.push(format === "cellKey" ? `${fields.join(",")},all` : fields.join(";"));
      before = upper;
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Write a table by whole keys with a line for each count from 1 to `rows` and each key; larger counts than the table's as it says. */
export function writeOnsTable(table: KeyTable, rows = ONS_ROWS): string {
  if (table.slots !== table.keys) throw new RangeError("A table whose rows are found by part of the key cannot be written with all keys.");
  const lines = ["pcv,ckey,pvalue"];
  for (let count = 1; count <= rows; count++) {
    const row = rowOf(table, count);
    let key = 0;
    for (let e = table.starts[row]!; e < table.starts[row + 1]!; e++) {
      for (; key < table.bounds[e]!; key++) lines.push(`${count},${key},${table.noise[e]!}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
