import { afterAll, bench, describe } from "vitest";
import type { Cells } from "../src/cells/cells.ts";
import { DictionaryBuilder } from "../src/columns/index.ts";
import { treeHierarchy } from "../src/hierarchies/index.ts";
import { ClassTables, type ClassTable } from "../src/microdata/k-anonymity/class-tables.ts";
import { searchKAnonymity } from "../src/microdata/k-anonymity/index.ts";
import { createMetric } from "../src/utility/index.ts";
import { adultTable, type Table } from "../tests/microdata/adult.ts";

/** Search time for the metrics and limits of the known answers, beside looking at every generalization. BENCH_FULL=1 adds a million cells. */
const full = process.env.BENCH_FULL === "1";
const once = { iterations: full ? 10 : 3, warmupIterations: 1, time: 0, warmupTime: 0 };
let sink = 0; // printed below, so no engine may drop the work

const adult = adultTable();

const CASES = [
  { k: 5, share: 0.04, metric: "loss", loss: 0.2661108 },
  { k: 5, share: 1, metric: "loss", loss: 0.2204119 },
  { k: 5, share: 0, metric: "entropy", loss: 407289.5389 },
  { k: 5, share: 0.04, metric: "entropy-non-monotone", loss: 264971.5826 },
  { k: 5, share: 0.04, metric: "discernibility", loss: 7220555 },
  { k: 5, share: 1, metric: "average-class-size", loss: 16.3214286 },
] as const;

describe.each(CASES)("Adult, 12,960 generalizations: k = $k, share $share, $metric", ({ k, share, metric, loss }) => {
  const search = () => searchKAnonymity({ ...adult, k, maxSuppressedShare: share, metric: { metric } })!;
  const found = search();
  if (Math.abs(found.loss / loss - 1) > 1e-6) throw new Error(`found ${found.loss}, expected ${loss}`);

  bench(`search, ${found.nodesChecked} of them looked at`, () => {
    sink += search().suppressed;
  }, once);

  bench("baseline: every generalization, each from a finer one", () => {
    sink += exhaustive(adult, k, Math.floor(share * 30_162), metric);
  }, { ...once, iterations: 1, warmupIterations: 0 });
});

function exhaustive({ cells, hierarchies }: Table, k: number, allowed: number, name: (typeof CASES)[number]["metric"]): number {
  const tables = new ClassTables(cells, hierarchies);
  const metric = createMetric({ records: tables.records, k, keys: tables.profiles }, { metric: name });
  const loss = new Float64Array(1);
  let least = Infinity;
  const walk = (table: ClassTable, key: number): void => {
    if (key === tables.keys) {
      const node = tables.view(table, k);
      if (node.suppressed > allowed) return;
      metric.score(node, loss);
      least = Math.min(least, loss[0]!);
      return;
    }
    walk(table, key + 1);
    let finer = table;
    for (let level = 1; level <= tables.heights[key]!; level++) {
      const levels = finer.levels.slice();
      levels[key] = level;
      finer = tables.rollUp(finer, levels, k).table();
      walk(finer, key + 1);
    }
  };
  walk(tables.base, 0);
  return least;
}

/** Nearly unique combinations of six keys, the worst case: little merges before keys are coarse. Seeded. */
function synthetic(records: number): Table {
  let state = 12345;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const trees = [[95, 5, 10, 20], [58, 6, 18], [8], [2], [16, 4], [600, 10, 100]];
  const skews = [1.2, 3, 2, 1, 1.5, 2];
  const sizes = trees.map(([values]) => values!);
  const codes = sizes.map(() => new Int32Array(records));
  const cellOf = new Map<number, number>();
  const counts: number[] = [];
  for (let i = 0; i < records; i++) {
    const value = sizes.map((size, key) => Math.floor(size * random() ** skews[key]!));
    const combination = value.reduce((number, code, key) => number * sizes[key]! + code, 0);
    const cell = cellOf.get(combination);
    if (cell !== undefined) {
      counts[cell]!++;
      continue;
    }
    cellOf.set(combination, counts.length);
    value.forEach((code, key) => (codes[key]![counts.length] = code));
    counts.push(1);
  }
  const keys = sizes.map((_, key) => `key${key}`);
  const hierarchies = trees.map(([values, ...widths], key) => {
    const lines = Array.from({ length: values! }, (_, i) => [`v${i}`, ...widths.map((width) => `${width}:${Math.floor(i / width)}`), "*"]);
    return treeHierarchy(lines).bind(DictionaryBuilder.from(lines.map(([value]) => value!)).freeze(), keys[key]!);
  });
  const cells: Cells = {
    keys, sizes, size: counts.length, codes: codes.map((column) => column.slice(0, counts.length)),
    records: Float64Array.from(counts), measures: [],
  };
  return { cells, hierarchies };
}

for (const records of full ? [100_000, 1_000_000] : [100_000]) {
  const table = synthetic(records);
  describe(`${table.cells.size} cells, 6 keys, 960 generalizations, loss, share 0.05`, () => {
    bench("search", () => {
      sink += searchKAnonymity({ ...table, k: 5, maxSuppressedShare: 0.05, metric: { metric: "loss" } })!.suppressed;
    }, { ...once, iterations: 2, warmupIterations: 0 });
  });
}

afterAll(() => console.log("sink", sink));
