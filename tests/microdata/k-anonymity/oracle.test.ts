import { describe, expect, test } from "vitest";
import { searchKAnonymity } from "../../../src/microdata/k-anonymity/index.ts";
import { ClassTables, type ClassTable } from "../../../src/microdata/k-anonymity/class-tables.ts";
import { rollUp } from "../../../src/cells/index.ts";
import { measureCells } from "../../../src/microdata/risk/index.ts";
import { createMetric, type MetricOptions } from "../../../src/utility/index.ts";
import { adultTable } from "../adult.ts";

const adult = adultTable();
const records = 30_162;

interface Known {
  readonly k: number;
  readonly share: number;
  readonly metric: MetricOptions;
  readonly loss: number;
  readonly levels: readonly number[];
  readonly suppressed?: number;
}

/**
 * Optima of the 12,960 generalizations of Adult, sex, age, race, marital-status, education, native-country, workclass,
 * occupation, salary-class in this order. "ARX": expected values in the tests of arx-deidentifier/arx
 * (TestAnonymizationKAnonymity, TestAnonymizationHeuristic). The others were found by an exhaustive script written from
 * the definitions. ARX rounds each column, so digits agree to about 1e-10.
 */
const KNOWN: readonly (Known & { readonly source: "ARX" | "exhaustive" })[] = [
  { source: "exhaustive", k: 2, share: 0, metric: { metric: "entropy" }, loss: 379417.346057, levels: [1, 1, 1, 1, 3, 2, 2, 1, 1], suppressed: 0 },
  { source: "ARX", k: 5, share: 0, metric: { metric: "entropy" }, loss: 407289.5388925293, levels: [1, 2, 1, 1, 3, 2, 2, 1, 1], suppressed: 0 },
  { source: "ARX", k: 5, share: 0.04, metric: { metric: "entropy" }, loss: 255559.85455731067, levels: [1, 0, 1, 1, 3, 2, 2, 0, 1], suppressed: 906 },
  { source: "exhaustive", k: 5, share: 1, metric: { metric: "entropy" }, loss: 0, levels: [0, 0, 0, 0, 0, 0, 0, 0, 0], suppressed: 23470 },
  { source: "ARX", k: 100, share: 0, metric: { metric: "entropy" }, loss: 453196.8932458743, levels: [0, 4, 1, 1, 3, 2, 2, 1, 1], suppressed: 0 },
  { source: "ARX", k: 100, share: 0.04, metric: { metric: "entropy" }, loss: 379417.3460570988, levels: [1, 1, 1, 1, 3, 2, 2, 1, 1] },
  { source: "exhaustive", k: 2, share: 0, metric: { metric: "loss" }, loss: 0.5296955144, levels: [0, 4, 1, 1, 3, 2, 0, 2, 0], suppressed: 0 },
  { source: "exhaustive", k: 5, share: 0, metric: { metric: "loss" }, loss: 0.5731509656, levels: [0, 4, 1, 1, 3, 2, 2, 1, 0], suppressed: 0 },
  { source: "ARX", k: 5, share: 0.04, metric: { metric: "loss" }, loss: 0.26611081915757495, levels: [0, 3, 0, 1, 1, 1, 1, 2, 0], suppressed: 1178 },
  { source: "ARX", k: 5, share: 1, metric: { metric: "loss" }, loss: 0.22041192847984292, levels: [0, 3, 0, 0, 2, 1, 1, 1, 0], suppressed: 2553 },
  { source: "ARX", k: 5, share: 1, metric: { metric: "loss", generalizationWeight: 0.1 }, loss: 0.09257312971977383, levels: [0, 3, 0, 0, 0, 0, 0, 0, 0] },
  { source: "exhaustive", k: 100, share: 0, metric: { metric: "loss" }, loss: 0.6324957968, levels: [0, 4, 1, 2, 3, 2, 2, 1, 0], suppressed: 0 },
  { source: "exhaustive", k: 100, share: 1, metric: { metric: "loss" }, loss: 0.395797433, levels: [0, 3, 0, 1, 3, 0, 1, 2, 0], suppressed: 4732 },
  { source: "exhaustive", k: 2, share: 0, metric: { metric: "discernibility" }, loss: 19399310, levels: [1, 1, 1, 1, 3, 2, 2, 1, 1], suppressed: 0 },
  { source: "exhaustive", k: 5, share: 0, metric: { metric: "discernibility" }, loss: 33627534, levels: [1, 1, 1, 2, 3, 2, 2, 1, 1], suppressed: 0 },
  { source: "exhaustive", k: 5, share: 0.04, metric: { metric: "discernibility" }, loss: 7220555, levels: [0, 0, 1, 2, 3, 2, 2, 1, 1], suppressed: 105 },
  { source: "exhaustive", k: 5, share: 1, metric: { metric: "discernibility" }, loss: 7220555, levels: [0, 0, 1, 2, 3, 2, 2, 1, 1], suppressed: 105 },
  { source: "exhaustive", k: 100, share: 0, metric: { metric: "discernibility" }, loss: 102352340, levels: [0, 4, 1, 1, 3, 2, 2, 1, 1], suppressed: 0 },
  { source: "ARX", k: 100, share: 0.04, metric: { metric: "entropy-non-monotone" }, loss: 383803.4034066361, levels: [1, 1, 1, 1, 3, 2, 2, 1, 1] },
  { source: "ARX", k: 100, share: 1, metric: { metric: "entropy-non-monotone" }, loss: 353204.98690739064, levels: [1, 0, 1, 2, 3, 2, 2, 1, 1] },
];

test("Adult has the cells that the known answers are about", () => {
  expect(adult.cells.records.reduce((sum, each) => sum + each, 0)).toBe(records);
  expect(adult.cells.keys).toEqual(
    ["sex", "age", "race", "marital-status", "education", "native-country", "workclass", "occupation", "salary-class"]);
});

describe("known optima of Adult", () => {
  test.each(KNOWN)("k = $k, share $share, $metric.metric ($source)", ({ k, share, metric, loss, levels, suppressed }) => {
    const plan = searchKAnonymity({ ...adult, k, maxSuppressedShare: share, metric })!;
    expect(plan.levels).toEqual(levels);
    expect(Math.abs(plan.loss - loss)).toBeLessThanOrEqual(1e-9 * Math.max(loss, 1e-3));
    if (suppressed !== undefined) expect(plan.suppressed).toBe(suppressed);
    expect(plan.nodes).toBe(12_960);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  /** ARX, TestAnonymizationCombinations: occupation is sensitive, so it is no key. Classes and records re-derived. */
  test.each([
    { share: 0, metric: "entropy", loss: 324620.5269918692, levels: [1, 1, 1, 1, 3, 2, 2, 1], all: 30, suppressed: 0 },
    { share: 0.05, metric: "entropy-non-monotone", loss: 180132.40848244698, levels: [0, 0, 1, 1, 2, 2, 2, 0], all: 1068, suppressed: 889 },
  ] as const)("without occupation, k = 5, share $share, $metric", ({ share, metric, loss, levels, all, suppressed }) => {
    const table = adultTable(["occupation"]);
    const plan = searchKAnonymity({ ...table, k: 5, maxSuppressedShare: share, metric: { metric } })!;
    expect(plan.levels).toEqual(levels);
    expect(Math.abs(plan.loss - loss)).toBeLessThanOrEqual(1e-9 * loss);
    expect(plan.suppressed).toBe(suppressed);
    const classes = rollUp(table.cells, plan.levels.map((level, key) => {
      const { map, dictionary } = table.hierarchies[key]!.levels[level]!;
      return { map, size: dictionary.size };
    }));
    expect(classes.size).toBe(all);
  });
});

describe("risk of Adult (ARX, TestRiskMetrics)", () => {
  test("before", () => {
    expect(measureCells(adult.cells)).toMatchObject({
      records, classes: 19_502, uniques: 15_512, smallestClass: 1, highestRisk: 1, averageRisk: 0.6465751607983555,
    });
    expect(15_512 / records).toBe(0.5142895033485844);
  });

  test("after 2-anonymity without suppression, least loss by rank", () => {
    const plan = searchKAnonymity({ ...adult, k: 2, maxSuppressedShare: 0, metric: { metric: "loss", aggregate: "rank" } })!;
    const classes = rollUp(adult.cells, plan.levels.map((level, key) => {
      const { map, dictionary } = adult.hierarchies[key]!.levels[level]!;
      return { map, size: dictionary.size };
    }));
    expect(measureCells(classes)).toMatchObject({ averageRisk: 0.001922949406538028, highestRisk: 0.5 });
  });
});

/** All 12,960 generalizations looked at one by one, against the search that prunes. */
describe("exhaustive", () => {
  const tables = new ClassTables(adult.cells, adult.hierarchies);

  function visitAll(visit: (table: ClassTable) => void): void {
    const walk = (table: ClassTable, key: number): void => {
      if (key === tables.keys) return visit(table);
      walk(table, key + 1);
      let finer = table;
      for (let level = 1; level <= tables.heights[key]!; level++) {
        const levels = finer.levels.slice();
        levels[key] = level;
        finer = tables.rollUp(finer, levels, 2).table();
        walk(finer, key + 1);
      }
    };
    walk(tables.base, 0);
  }

  test("as many generalizations meet k as known, and the best of all is found", () => {
    const known = [
      { k: 2, share: 0, satisfying: 136 },
      { k: 5, share: 0, satisfying: 87 },
      { k: 5, share: 0.04, satisfying: 4452 },
      { k: 100, share: 0, satisfying: 22 },
      { k: 5, share: 1, satisfying: 12_960 },
    ];
    const options: MetricOptions[] = [
      { metric: "loss" }, { metric: "entropy" }, { metric: "discernibility" }, { metric: "average-class-size" },
      { metric: "precision-non-monotone" },
    ];
    const count = known.map(() => 0);
    const least = known.map(() => options.map(() => Infinity));
    const metrics = known.map(({ k }) => options.map((each) => createMetric({ records, k, keys: tables.profiles }, each)));
    const loss = new Float64Array(1);
    visitAll((table) => {
      known.forEach(({ k, share }, i) => {
        const node = tables.view(table, k);
        if (node.suppressed > Math.floor(share * records)) return;
        count[i]!++;
        metrics[i]!.forEach((metric, m) => {
          metric.score(node, loss);
          least[i]![m] = Math.min(least[i]![m]!, loss[0]!);
        });
      });
    });
    expect(count).toEqual(known.map(({ satisfying }) => satisfying));
    known.forEach(({ k, share }, i) => options.forEach((metric, m) => {
      const plan = searchKAnonymity({ ...adult, k, maxSuppressedShare: share, metric })!;
      expect(plan.loss).toBeCloseTo(least[i]![m]!, 9);
    }));
  });
});
