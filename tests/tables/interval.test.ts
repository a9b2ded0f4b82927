import fc from "fast-check";
import loadHighs, { type Highs } from "highs";
import { beforeAll, describe, expect, test } from "vitest";
import { auditTables } from "../../src/tables/audit/index.ts";
import { planSmallCells } from "../../src/tables/small-cells/index.ts";
import type { TableSystem } from "../../src/tables/tabulate/index.ts";
import { derivedBack } from "./exact-elimination.ts";
import type { Example } from "./helpers.ts";
import { randomCase, systemOf } from "./random-tables.ts";

/** FULL=1 tries 10,000 tables: the bar. Without it a sample, for the time it takes. */
const TABLES = process.env.FULL === "1" ? 10_000 : 250;
const THRESHOLD = 11;
const FAR = 500;

let highs: Highs;
beforeAll(async () => {
  highs = await (loadHighs as unknown as () => Promise<Highs>)();
});

/**
 * What a reader knows, written down from the published rows alone: a count for each combination of categories, all whole
 * and at least 0; every shown row is the sum of its combinations; a blank is at least 1 where zeros are shown.
 */
function readersProgram(table: Example, tables: TableSystem, pattern: Uint8Array) {
  const columns = tables.columns.map(({ column }) => column);
  const finest = tables.columns.map(({ column, levels }) => table.hierarchies.get(column)!.levels[levels[0]!]!.dictionary.size);
  const combinations = finest.reduce((all, n) => all * n, 1);
  const unknowns = Array.from({ length: combinations }, (_, at) => {
    let rest = at;
    return finest.map((n) => {
      const code = rest % n;
      rest = Math.floor(rest / n);
      return code;
    });
  });
  const rows: { readonly members: number[]; readonly count: number | undefined; readonly cell: number }[] = [];
  for (const published of tables.tables) {
    for (let row = 0; row < published.rows; row++) {
      const members = unknowns.flatMap((codes, u) => {
        const inside = published.columnOf.every((k, d) => {
          const level = published.level[d]![row]!;
          const own = codes[k]!; // level 0 in these tables is the value itself
          return level < 0 || table.hierarchies.get(columns[k]!)!.levels[level]!.map[own] === published.codes[d]![row];
        });
        return inside ? [u] : [];
      });
      const cell = published.cell[row]!;
      const shown = cell < 0 || pattern[cell] === 0;
      rows.push({ members, count: shown ? published.count[row]! : undefined, cell });
    }
  }
  return { combinations, rows };
}

/** Smallest and largest whole value of each primary cell, as far as it takes to see `interval` values. */
function widths(table: Example, tables: TableSystem, pattern: Uint8Array, interval: number): number[] {
  const { combinations, rows } = readersProgram(table, tables, pattern);
  const floor = tables.zeros === "publish" ? 1 : 0;
  const indices = rows.flatMap(({ members }) => members);
  const starts = [0];
  for (const { members } of rows) starts.push(starts.at(-1)! + members.length);
  const program = {
    numCols: combinations,
    numRows: rows.length,
    colCost: new Float64Array(combinations),
    colLower: new Float64Array(combinations),
    colUpper: new Float64Array(combinations).fill(FAR),
    rowLower: Float64Array.from(rows, ({ count }) => count ?? floor),
    rowUpper: Float64Array.from(rows, ({ count }) => count ?? 1e6),
    matrix: {
      format: "csr" as const,
      numRows: rows.length,
      numCols: combinations,
      starts: Int32Array.from(starts),
      indices: Int32Array.from(indices),
      values: new Float64Array(indices.length).fill(1),
    },
  };
  // Most corners of the linear program are whole; where one is not, the integer program is asked.
  const linear = highs.createModel(program);
  linear.options.set({ output_flag: false, presolve: "off" });
  let whole: ReturnType<Highs["createModel"]> | undefined;
  const secret = rows.filter(({ cell }) => cell >= 0 && pattern[cell] === 1);
  const met = secret.map(() => ({ min: Infinity, max: -Infinity }));
  const solve = (model: typeof linear, members: readonly number[], direction: number) => {
    for (const u of members) model.changeColCost(u, direction);
    model.run();
    expect(model.getModelStatus()).toBe(7); // optimal: the true table is one that agrees
    const value = model.getSolution().colValue;
    for (const u of members) model.changeColCost(u, 0);
    return value;
  };
  try {
    secret.forEach(({ members }, s) => {
      for (const direction of [1, -1]) {
        if (met[s]!.max - met[s]!.min + 1 >= interval) return;
        let value = solve(linear, members, direction);
        if (value.some((x) => Math.abs(x - Math.round(x)) > 1e-6)) {
          if (whole === undefined) {
            whole = highs.createModel({ ...program, integrality: new Int32Array(combinations).fill(1) });
            whole.options.set({ output_flag: false, mip_rel_gap: 0, mip_abs_gap: 0.5 });
          }
          value = solve(whole, members, direction);
        }
        // Each solution is a table that agrees, so it counts for all cells.
        secret.forEach((other, o) => {
          const sum = other.members.reduce((total, u) => total + Math.round(value[u]!), 0);
          met[o]!.min = Math.min(met[o]!.min, sum);
          met[o]!.max = Math.max(met[o]!.max, sum);
        });
      }
    });
  } finally {
    linear.dispose();
    whole?.dispose();
  }
  return met.map(({ min, max }) => max - min + 1);
}

describe(`${TABLES} random tables of 2 to 4 dimensions, nested and linked, with zeros and ones`, () => {
  test("every primary cell keeps its interval by a search of its own, and none is derivable", async () => {
    let primaries = 0;
    let narrowest = Infinity;
    await fc.assert(
      fc.asyncProperty(randomCase, fc.integer({ min: 2, max: 5 }), fc.boolean(), async (example, interval, rules) => {
        const tables = systemOf(example.table, example);
        const options = {
          threshold: THRESHOLD,
          zeros: example.zeros,
          interval,
          jointSums: rules ? ("protect" as const) : ("ignore" as const),
          singletons: rules ? ("protect" as const) : ("ignore" as const),
        };
        const { pattern } = await planSmallCells(tables, options, auditTables);
        expect(derivedBack(example.table, tables, pattern)).toBe(0);
        for (const width of widths(example.table, tables, pattern, interval)) {
          expect(width).toBeGreaterThanOrEqual(interval);
          primaries++;
          narrowest = Math.min(narrowest, width - interval);
        }
      }),
      { numRuns: TABLES, seed: 21 },
    );
    expect(primaries).toBeGreaterThan(5 * TABLES);
    expect(narrowest).toBe(0); // the tables are hard enough for the limit to be met
  }, 3_600_000);

  test("the same search finds cells of a table without complementary suppression too narrow", () => {
    let narrow = 0;
    fc.assert(
      fc.property(randomCase, (example) => {
        if (example.zeros === "protect") return;
        const tables = systemOf(example.table, example);
        const pattern = Uint8Array.from(tables.count, (count) => (count < THRESHOLD ? 1 : 0));
        narrow += widths(example.table, tables, pattern, 5).filter((width) => width < 5).length;
      }),
      { numRuns: 60, seed: 22 },
    );
    expect(narrow).toBeGreaterThan(30);
  }, 60_000);
});
