/** Known answers of other tools and of published guidelines, each with its place. */
import { describe, expect, test } from "vitest";
import { contributorStatistics } from "../../../src/tables/primary-rules/index.ts";
import type { PrimaryRulesInput } from "../../../src/tables/primary-rules/schema.ts";
import { cellOf, outcomeOf, primaryRows, rowsWhere, ruleExample, type Unit } from "./examples.ts";

/**
 * sdcTable, data/microdata1.rda and tests/testthat/test-primarySuppression.r: 100 records over region and gender. Counts, sums
 * and the two largest values of the cells that matter are those of the file (A female 2 records, 20 together; D male 11 records,
 * 366 together, largest 280, the largest two 0.7951 of them); the rest of each sum is spread evenly.
 */
describe("sdcTable, 100 records by region and gender", () => {
  const cells: readonly [string, string, number, number][] = [
    ["A", "female", 2, 20], ["A", "male", 18, 178], ["B", "female", 19, 204], ["B", "male", 14, 140],
    ["C", "female", 10, 106], ["C", "male", 12, 118], ["D", "female", 14, 152],
  ];
  const spread = (records: number, sum: number) =>
    Array.from({ length: records }, (_, i) => Math.floor(sum / records) + (i < sum % records ? 1 : 0));
  const units: Unit[] = [
    ...cells.flatMap(([region, gender, records, sum]) => spread(records, sum).map((value) => ({ at: [region, gender], value }))),
    ...[280, 11, ...spread(9, 75)].map((value) => ({ at: ["D", "male"], value })),
  ];
  const given = ruleExample(["region", "gender"], units);

  test("is the file's table", () => {
    const { value, records } = contributorStatistics(given.system, given.contributions, { top: 2 });
    const total = cellOf(given, "Total/Total");
    expect([records[total], value[total]]).toEqual([100, 1284]);
    expect([records[cellOf(given, "D/male")], value[cellOf(given, "D/male")]]).toEqual([11, 366]);
  });

  // Position 6 of 15 there is A female, position 14 is D male.
  test.each<[string, PrimaryRulesInput, string[]]>([
    ["frequency, at most 2", [{ rule: "frequency", minimum: 3 }], ["A/female"]],
    ["(2,75)", [{ rule: "dominance", n: 2, k: 75, of: "value" }], ["A/female", "D/male"]],
    ["p = 70", [{ rule: "p-percent", p: 70, of: "value" }], ["A/female", "D/male"]],
    ["p/q = 60/80", [{ rule: "prior-posterior", p: 60, q: 80, of: "value" }], ["A/female", "D/male"]],
  ])("%s", (_, rules, expected) => {
    expect(primaryRows(given, rules)).toEqual(expected);
  });

  test("shares of the largest two", () => {
    const { largest, total } = contributorStatistics(given.system, given.contributions, { top: 2 });
    const share = (name: string) => {
      const c = cellOf(given, name);
      return (largest[2 * c]! + largest[2 * c + 1]!) / total[c]!;
    };
    expect(share("A/female")).toBe(1);
    expect(share("D/male")).toBeCloseTo(0.7951, 4);
  });

  test("the rule holds at the boundary on the other side: (2,80) leaves D male", () => {
    expect(primaryRows(given, [{ rule: "dominance", n: 2, k: 80, of: "value" }])).toEqual(["A/female"]);
  });
});

/** SSBtools, SSBtoolsData("z1"): eight regions by four sources of income; GaussSuppression hides counts of at most 3. */
test("GaussSuppression z1: the primary cells at maxN = 3", () => {
  const counts: Readonly<Record<string, readonly number[]>> = {
    annet: [11, 7, 5, 13, 9, 12, 6, 9],
    arbeid: [11, 1, 8, 2, 14, 9, 4, 3],
    soshjelp: [55, 29, 35, 17, 63, 24, 22, 38],
    trygd: [36, 18, 25, 13, 52, 22, 8, 15],
  };
  const units = Object.entries(counts).flatMap(([income, own]) =>
    own.flatMap((count, region) => Array.from({ length: count }, (): Unit => ({ at: ["ABCDEFGH"[region]!, income] }))),
  );
  const given = ruleExample(["region", "income"], units);
  expect(primaryRows(given, [{ rule: "frequency", minimum: 4 }])).toEqual(["B/arbeid", "D/arbeid", "H/arbeid"]);
});

/** SSBtools, SSBtoolsData("magnitude1"), R/SSBtoolsData.R; primary cells as in GaussSuppression's vignette on magnitude tables. */
describe("GaussSuppression magnitude1", () => {
  const rows: readonly [string, string, string, number][] = [
    ["Industry", "Iceland", "B", 9.6], ["Entertainment", "Iceland", "B", 16.8], ["Industry", "Iceland", "C", 8.8],
    ["Industry", "Iceland", "D", 1.9], ["Agriculture", "Portugal", "A", 75.9], ["Agriculture", "Portugal", "B", 24.5],
    ["Entertainment", "Portugal", "B", 7.1], ["Entertainment", "Portugal", "D", 2.3], ["Governmental", "Portugal", "B", 21.6],
    ["Governmental", "Portugal", "D", 2], ["Industry", "Portugal", "B", 25.7], ["Industry", "Portugal", "D", 3.4],
    ["Agriculture", "Spain", "A", 96.6], ["Agriculture", "Spain", "B", 43.2], ["Entertainment", "Spain", "A", 77.4],
    ["Entertainment", "Spain", "B", 11.5], ["Entertainment", "Spain", "C", 16.4], ["Governmental", "Spain", "C", 6.5],
    ["Governmental", "Spain", "D", 2.7], ["Industry", "Spain", "C", 8.4],
  ];
  const byRow = ruleExample(["sector", "country"], rows.map(([sector, country, , value]) => ({ at: [sector, country], value })));
  const byCompany = ruleExample(["sector", "country"], rows.map(([sector, country, by, value]) => ({ at: [sector, country], by, value })));

  test("sums of decimals are exact", () => {
    const { value, grid } = contributorStatistics(byRow.system, byRow.contributions, { top: 1 });
    expect(grid).toBe(10);
    expect(value[cellOf(byRow, "Total/Total")]).toBe(462.3);
    expect(value[cellOf(byRow, "Agriculture/Total")]).toBe(240.2);
    expect(value[cellOf(byRow, "Governmental/Portugal")]).toBe(23.6);
  });

  test("each row a contributor, at least 2", () => {
    expect(primaryRows(byRow, [{ rule: "contributors", minimum: 2 }])).toEqual(["Entertainment/Iceland", "Industry/Spain"]);
  });

  test("(1,80)", () => {
    expect(primaryRows(byRow, [{ rule: "dominance", n: 1, k: 80, of: "value" }])).toEqual([
      "Entertainment/Iceland", "Governmental/Portugal", "Industry/Portugal", "Industry/Spain",
    ]);
  });

  test("by company, at least 3: the total of Agriculture joins", () => {
    const primary = primaryRows(byCompany, [{ rule: "contributors", minimum: 3 }]);
    expect(primary).toContain("Agriculture/Total");
    expect(primary.filter((name) => name.includes("Total"))).toEqual(["Agriculture/Total"]);
    expect(primary).toEqual([
      "Agriculture/Total", "Agriculture/Portugal", "Agriculture/Spain", "Entertainment/Iceland", "Entertainment/Portugal",
      "Governmental/Portugal", "Governmental/Spain", "Industry/Portugal", "Industry/Spain",
    ]);
  });

  test("by holding is the same as by contributor when rows are contributors and companies holdings", () => {
    const held = ruleExample(["sector", "country"], rows.map(([sector, country, holding, value]) => ({ at: [sector, country], holding, value })));
    expect(primaryRows(held, [{ rule: "contributors", minimum: 3, by: "holding" }])).toEqual(
      primaryRows(byCompany, [{ rule: "contributors", minimum: 3 }]),
    );
    expect(primaryRows(held, [{ rule: "dominance", n: 2, k: 85, of: "value", by: "holding" }])).toEqual(
      primaryRows(byCompany, [{ rule: "dominance", n: 2, k: 85, of: "value" }]),
    );
  });

  test("levels of the p rule are X times (s1 + s2 + p/100 s1 - 1), as in GaussSuppression", () => {
    const outcome = outcomeOf(byRow, [{ rule: "p-percent", p: 30, of: "value" }]);
    const statistics = contributorStatistics(byRow.system, byRow.contributions, { top: 2 });
    const levels = outcome.levels.get("value")!;
    for (let c = 0; c < outcome.cells; c++) {
      const total = statistics.total[c]!;
      const [s1, s2] = [statistics.largest[2 * c]! / total, statistics.largest[2 * c + 1]! / total];
      expect(levels.upper[c]).toBeCloseTo(total * Math.max(0, s1 + s2 + 0.3 * s1 - 1), 9);
      expect(levels.lower[c]).toBe(levels.upper[c]);
    }
  });
});

/** GaussSuppression, tests/testthat/test-DominanceRule.R: seven cells, the first contribution of most with weight 2. */
describe("GaussSuppression dominance with weights", () => {
  const contributions = [[100], [90, 10], [80, 20], [70, 30], [80, 10, 10], [70, 10, 10, 10], [60, 20, 10, 10]];
  const weights = [[1], [2, 1], [2, 1], [2, 1], [2, 1, 1], [2, 1, 1, 1], [2, 1, 1, 1]];
  const units = (weighted: boolean) =>
    contributions.flatMap((own, v) => own.map((value, i): Unit => ({ at: [`v${v + 1}`], value, ...(weighted ? { weight: weights[v]![i]! } : {}) })));
  const plain = ruleExample(["v"], units(false));
  const weighted = ruleExample(["v"], units(true));
  const inner = (names: readonly string[]) => names.filter((name) => name !== "Total");

  test("weighted totals", () => {
    const { value, weighted: sum } = contributorStatistics(weighted.system, weighted.contributions, { top: 2 });
    const of = (numbers: Float64Array) => [1, 2, 3, 4, 5, 6, 7].map((v) => numbers[cellOf(weighted, `v${v}`)]);
    expect(of(value)).toEqual([100, 190, 180, 170, 180, 170, 160]);
    expect(of(sum)).toEqual([1, 3, 3, 3, 4, 5, 5]);
  });

  test("(2,90) on contributions beside the weighted total", () => {
    expect(inner(primaryRows(weighted, [{ rule: "dominance", n: 2, k: 90, of: "value", weights: "contributions" }]))).toEqual(["v1"]);
  });

  test("(2,90) in units, as tau-argus counts", () => {
    expect(inner(primaryRows(weighted, [{ rule: "dominance", n: 2, k: 90, of: "value", weights: "units" }]))).toEqual(["v1", "v2"]);
  });

  test("ignoring weights is the unweighted rule; a share of exactly 90 percent is not above 90", () => {
    const expected = ["v1", "v2", "v3", "v4"];
    expect(inner(primaryRows(plain, [{ rule: "dominance", n: 2, k: 90, of: "value" }]))).toEqual(expected);
    expect(inner(primaryRows(weighted, [{ rule: "dominance", n: 2, k: 90, of: "value", weights: "ignore" }]))).toEqual(expected);
    // GaussSuppression hides v5 too, whose share is 90 percent: it compares with "at least".
    expect(inner(primaryRows(plain, [{ rule: "dominance", n: 2, k: 89.999999, of: "value" }]))).toEqual([...expected, "v5"]);
  });
});

/** rtauargus README: ACTIVITY by SIZE with 10, 5 | 2, 5 | 8, 6 contributors, largest 20, 15 | 20, 10 | 16, 38; FREQ(3,10) | NK(1,85). */
test("rtauargus README: status A for 02/tr1, B for 06/tr2, totals valid", () => {
  const cells: readonly [string, string, number, number, number][] = [
    ["01", "tr1", 100, 10, 20], ["01", "tr2", 50, 5, 15], ["02", "tr1", 30, 2, 20],
    ["02", "tr2", 20, 5, 10], ["06", "tr1", 60, 8, 16], ["06", "tr2", 40, 6, 38],
  ];
  const units = cells.flatMap(([activity, size, total, records, largest]) => [
    { at: [activity, size], value: largest },
    ...Array.from({ length: records - 1 }, () => ({ at: [activity, size], value: (total - largest) / (records - 1) })),
  ]);
  const given = ruleExample(["activity", "size"], units);
  const outcome = outcomeOf(given, [
    { rule: "frequency", minimum: 3, safetyRange: 10 },
    { rule: "dominance", n: 1, k: 85, of: "value" },
  ]);
  expect(rowsWhere(given, (c) => outcome.hits[c] === 1)).toEqual(["02/tr1"]);
  expect(rowsWhere(given, (c) => outcome.hits[c] === 2)).toEqual(["06/tr2"]);
  expect(rowsWhere(given, (c) => outcome.primary[c] === 1)).toEqual(["02/tr1", "06/tr2"]);
  const { upper, lower } = outcome.levels.get("value")!;
  expect(upper[cellOf(given, "02/tr1")]).toBeCloseTo(3, 12); // 10 percent of 30
  expect(lower[cellOf(given, "02/tr1")]).toBeCloseTo(3, 12);
  expect(upper[cellOf(given, "06/tr2")]).toBeCloseTo((100 / 85) * 38 - 40, 9);
});

/** CalHHS Data De-Identification Guidelines 2.0, section 4.4: examples of counts, threshold 11, true zeros shown. */
describe("counts of the guideline's examples", () => {
  test.each<[readonly number[], readonly number[]]>([
    [[10, 14, 10, 10, 0, 0, 0, 30], [0, 2, 3]],
    [[10, 14, 9, 17, 0, 0, 0, 30], [0, 2]],
    [[14, 14, 1, 11, 0, 0, 0, 30], [2]],
  ])("%j hides %j first", (counts, hidden) => {
    const given = ruleExample(["group"], counts.flatMap((count, g) => Array.from({ length: count }, (): Unit => ({ at: [`g${g}`] }))));
    expect(primaryRows(given, [{ rule: "frequency", minimum: 11 }])).toEqual(hidden.map((g) => `g${g}`));
  });
});
