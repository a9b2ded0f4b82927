/** Boundaries, options and refusals, by name. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { contributorStatistics, countHits, describeRules, evaluateRules, explainCell, ruleNeeds } from "../../../src/tables/primary-rules/index.ts";
import { PrimaryRule, PrimaryRules, RULE_NAMES, RULES_LIMIT, type PrimaryRulesInput } from "../../../src/tables/primary-rules/schema.ts";
import { tabulate } from "../../../src/tables/tabulate/index.ts";
import { cellOf, outcomeOf, primaryRows, rowsWhere, ruleExample, type RuleExample, type RuleExampleOptions, type Unit } from "./examples.ts";

/** One cell, one record per number. */
const values = (...numbers: number[]) => ruleExample(["all"], numbers.map((value): Unit => ({ at: ["x"], value })));
const hidden = (given: RuleExample, ...rules: PrimaryRulesInput) => outcomeOf(given, rules).primary[cellOf(given, "x")] === 1;
const counts = (by: Readonly<Record<string, number>>, options: RuleExampleOptions = {}) =>
  ruleExample(
    ["area", "kind"],
    Object.entries(by).flatMap(([name, count]) => Array.from({ length: count }, (): Unit => ({ at: name.split("/") }))),
    options,
  );
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return "nothing thrown";
};

describe("boundaries of rules on contributions are strict", () => {
  test("a share of exactly k percent may be shown", () => {
    expect(hidden(values(75, 25), { rule: "dominance", n: 1, k: 75, of: "value" })).toBe(false);
    expect(hidden(values(75.000001, 25), { rule: "dominance", n: 1, k: 75, of: "value" })).toBe(true);
    expect(hidden(values(0.3, 0.1), { rule: "dominance", n: 1, k: 75, of: "value" })).toBe(false);
    expect(hidden(values(33.3, 66.7), { rule: "dominance", n: 1, k: 66.7, of: "value" })).toBe(false);
    expect(hidden(values(1.1, 0.9), { rule: "dominance", n: 1, k: 55, of: "value" })).toBe(false); // above in doubles
    expect(hidden(values(33.3, 66.7), { rule: "dominance", n: 1, k: 66.69, of: "value" })).toBe(true);
  });

  test("with k = 100 nothing is hidden, with n beyond the contributors everything below it", () => {
    expect(hidden(values(5), { rule: "dominance", n: 1, k: 100, of: "value" })).toBe(false);
    expect(hidden(values(5, 4, 3), { rule: "dominance", n: 9, k: 99.9, of: "value" })).toBe(true);
  });

  test("a remainder of exactly p percent of the largest may be shown", () => {
    expect(hidden(values(100, 50, 10), { rule: "p-percent", p: 10, of: "value" })).toBe(false);
    expect(hidden(values(100, 50, 9), { rule: "p-percent", p: 10, of: "value" })).toBe(true);
    // 0.1 + 0.2 is 0.3 although the doubles' sum is not.
    expect(hidden(values(3, 5 / 2, 0.1, 0.2), { rule: "p-percent", p: 10, of: "value" })).toBe(false);
    expect(hidden(values(3, 5 / 2, 0.1, 0.2), { rule: "p-percent", p: 10.000001, of: "value" })).toBe(true);
  });

  test("a coalition adds the next largest", () => {
    expect(hidden(values(100, 50, 20, 9), { rule: "p-percent", p: 10, of: "value" })).toBe(false);
    expect(hidden(values(100, 50, 20, 9), { rule: "p-percent", p: 10, coalition: 2, of: "value" })).toBe(true);
    expect(hidden(values(100, 50, 20, 10), { rule: "p-percent", p: 10, coalition: 2, of: "value" })).toBe(false);
  });

  test("p/q with q = 100 is p percent; a remainder of exactly p/q of the largest may be shown", () => {
    expect(hidden(values(100, 50, 10), { rule: "prior-posterior", p: 10, q: 100, of: "value" })).toBe(false);
    expect(hidden(values(100, 50, 10), { rule: "prior-posterior", p: 10, q: 99, of: "value" })).toBe(true);
    expect(hidden(values(100, 50, 20), { rule: "prior-posterior", p: 10, q: 50, of: "value" })).toBe(false);
    expect(hidden(values(100, 50, 19), { rule: "prior-posterior", p: 10, q: 50, of: "value" })).toBe(true);
  });

  test("a single contributor and a pair are always estimated closely; a total of zero never", () => {
    expect(hidden(values(7), { rule: "p-percent", p: 0.000001, of: "value" })).toBe(true);
    expect(hidden(values(7, 3), { rule: "p-percent", p: 0.000001, of: "value" })).toBe(true);
    expect(hidden(values(0, 0), { rule: "p-percent", p: 10, of: "value" })).toBe(false);
  });

  test("sums of 10^15 with cents, beyond the grid, are decided exactly", () => {
    const large = values(750_000_000_000_000.25, 250_000_000_000_000, 0.1);
    expect(contributorStatistics(large.system, large.contributions, { top: 1 }).grid).toBe(0);
    // 75 percent of the total is larger than the largest by less than a double can tell at that size ...
    expect(hidden(large, { rule: "dominance", n: 1, k: 75, of: "value" })).toBe(false);
    // ... and smaller where a quarter more is in the largest.
    expect(hidden(values(750_000_000_000_000.5, 250_000_000_000_000, 0.1), { rule: "dominance", n: 1, k: 75, of: "value" })).toBe(true);
  });

  test("a request counts only above the share, and only of those who asked", () => {
    const asked = (large: boolean) =>
      ruleExample(["all"], [{ at: ["x"], value: 70, asked: large }, { at: ["x"], value: 20, asked: !large }, { at: ["x"], value: 10 }]);
    expect(hidden(asked(true), { rule: "request", share: 70, of: "value" })).toBe(false);
    expect(hidden(asked(true), { rule: "request", share: 69.9, of: "value" })).toBe(true);
    expect(hidden(asked(false), { rule: "request", share: 69.9, of: "value" })).toBe(false);
    expect(hidden(asked(false), { rule: "request", share: 19, of: "value" })).toBe(true);
  });
});

describe("upper protection levels are the handbook's", () => {
  const given = values(90, 6, 3, 1);
  const level = (...rules: PrimaryRulesInput) => outcomeOf(given, rules).levels.get("value")!.upper[cellOf(given, "x")]!;

  test.each<[string, PrimaryRulesInput, number]>([
    ["(1,80): 100/80 * 90 - 100", [{ rule: "dominance", n: 1, k: 80, of: "value" }], 12.5],
    ["(2,75): 100/75 * 96 - 100", [{ rule: "dominance", n: 2, k: 75, of: "value" }], 28],
    ["p 20: 18 - 4", [{ rule: "p-percent", p: 20, of: "value" }], 14],
    ["p 20, coalition of 2: 18 - 1", [{ rule: "p-percent", p: 20, coalition: 2, of: "value" }], 17],
    ["p/q 20/50: 36 - 4", [{ rule: "prior-posterior", p: 20, q: 50, of: "value" }], 32],
    ["the largest of several", [{ rule: "p-percent", p: 20, of: "value" }, { rule: "dominance", n: 2, k: 75, of: "value" }], 28],
  ])("%s", (_, rules, expected) => {
    expect(level(...rules)).toBeCloseTo(expected, 12);
  });

  test("a total moved up by the level is not sensitive any more, by any less it is", () => {
    // The level is what the others must be thought to have more.
    expect(hidden(values(90, 6, 3, 1, 12.5), { rule: "dominance", n: 1, k: 80, of: "value" })).toBe(false);
    expect(hidden(values(90, 6, 3, 1, 12.499), { rule: "dominance", n: 1, k: 80, of: "value" })).toBe(true);
  });

  test("sliding width: percent of the total or the minimum, the larger", () => {
    const sliding = (percent: number, minimum: number) =>
      outcomeOf(given, [{ rule: "p-percent", p: 30, of: "value", width: { percent, minimum } }]).levels.get("value")!.sliding[cellOf(given, "x")];
    expect(sliding(70, 80)).toBe(80);
    expect(sliding(90, 80)).toBe(90);
  });

  test("cells that may be shown have no levels", () => {
    const { levels } = outcomeOf(values(1, 1, 1, 1, 1, 1), [{ rule: "p-percent", p: 10, of: "value", width: { percent: 50 } }]);
    expect([...levels.get("value")!.upper, ...levels.get("value")!.sliding].every((x) => x === 0)).toBe(true);
  });
});

describe("one contributor in several inner cells", () => {
  const given = ruleExample(["area", "kind"], [
    { at: ["a", "k"], value: 40, by: "one" }, { at: ["a", "l"], value: 35, by: "one" },
    { at: ["a", "k"], value: 45, by: "two" }, { at: ["a", "l"], value: 30, by: "three" }, { at: ["b", "k"], value: 45, by: "four" }, { at: ["b", "l"], value: 40, by: "five" },
  ]);
  test("is added up before it is compared", () => {
    const { largest, largestOf, contributors } = contributorStatistics(given.system, given.contributions, { top: 2 });
    const c = cellOf(given, "a/Total");
    expect(Array.from(largest.slice(2 * c, 2 * c + 2))).toEqual([75, 45]);
    expect(Array.from(largestOf.slice(2 * c, 2 * c + 2))).toEqual([0, 1]);
    expect(contributors[c]).toBe(3);
    expect(contributors[cellOf(given, "Total/Total")]).toBe(5);
  });
});

describe("weights in units", () => {
  const largest = (given: RuleExample, name: string, top: number) => {
    const statistics = contributorStatistics(given.system, given.contributions, { top, weights: "units" });
    const c = cellOf(given, name);
    return [Array.from(statistics.largest.slice(top * c, top * c + top)), statistics.total[c]];
  };

  test("a weight below 1 still stands for the one that reported", () => {
    const given = ruleExample(["all"], [{ at: ["x"], value: 10, weight: 0.5 }, { at: ["x"], value: 4, weight: 3 }]);
    expect(largest(given, "x", 3)).toEqual([[10, 4, 4], 17]);
  });

  test("a contributor's weight is its mean over its records in the cell at hand", () => {
    const given = ruleExample(["all"], [
      { at: ["x"], value: 6, weight: 3, by: "one" }, { at: ["y"], value: 8, weight: 1, by: "one" }, { at: ["x"], value: 5, by: "two" }, { at: ["y"], value: 5, by: "three" },
    ]);
    expect(largest(given, "x", 4)).toEqual([[6, 6, 6, 5], 23]);
    expect(largest(given, "y", 3)).toEqual([[8, 5, 0], 13]);
    expect(largest(given, "Total", 4)).toEqual([[14, 14, 5, 5], 36]);
  });

  test("places that are shared in proportion are decided exactly too", () => {
    // Two places hold 1 and 0.25 * 1 + 0.75 * 0.01 of a total of 1.26: 99.801587301587... percent.
    const given = ruleExample(["all"], [{ at: ["x"], value: 1, weight: 1.25 }, { at: ["x"], value: 0.01, weight: 1 }]);
    expect(hidden(given, { rule: "dominance", n: 2, k: 99.8015873016, of: "value" })).toBe(false);
    expect(hidden(given, { rule: "dominance", n: 2, k: 99.8015873015, of: "value" })).toBe(true);
    // A weight below 1 fills a whole place there as well: 2 + 1 + 1 of a total of 8.
    const small = ruleExample(["all"], [{ at: ["x"], value: 2, weight: 0.5 }, { at: ["x"], value: 1, weight: 1.5 }, { at: ["x"], value: 1, weight: 5.5 }]);
    expect(hidden(small, { rule: "dominance", n: 3, k: 50, of: "value" })).toBe(false);
    expect(hidden(small, { rule: "dominance", n: 3, k: 49.9999999999, of: "value" })).toBe(true);
    const thirds = ruleExample(["all"], [{ at: ["x"], value: 1, weight: 1 / 3 }, { at: ["x"], value: 1, weight: 1 / 3 }, { at: ["x"], value: 1, weight: 4 / 3 }]);
    expect(hidden(thirds, { rule: "dominance", n: 1, k: 50, of: "value" })).toBe(true); // the doubles' total is below 2
    expect(hidden(thirds, { rule: "dominance", n: 1, k: 50.000001, of: "value" })).toBe(false);
  });
});

describe("values below zero", () => {
  const given = ruleExample(["all"], [{ at: ["x"], value: 50, by: "a" }, { at: ["x"], value: -45, by: "a" }, { at: ["x"], value: -20, by: "b" }, { at: ["x"], value: 15, by: "c" }]);
  const total = (negatives: "sums" | "values") => contributorStatistics(given.system, given.contributions, { top: 1, negatives });
  const c = cellOf(given, "x");

  test("sums: absolute value of each contributor's sum; the printed total keeps its sign", () => {
    expect([total("sums").total[c], total("sums").largest[c], total("sums").value[c]]).toEqual([40, 20, 0]);
  });
  test("values: absolute values record by record", () => {
    expect([total("values").total[c], total("values").largest[c], total("values").value[c]]).toEqual([130, 95, 0]);
  });
  test("contributions that cancel out are nothing, whatever the order and the weights", () => {
    // Sums of doubles leave 5.6e-17 of 0.1 + 0.2 - 0.3, and 1/3 is no decimal.
    for (const order of [[0.1, 0.2, -0.3], [0.2, -0.3, 0.1], [-0.3, 0.1, 0.2]]) {
      const nothing = ruleExample(["all"], order.map((value): Unit => ({ at: ["x"], value, by: "a", weight: 1 / 3 })));
      expect(contributorStatistics(nothing.system, nothing.contributions, { top: 1 })).toMatchObject({ grid: 0, contributing: expect.objectContaining({ [c]: 0 }) });
      expect(hidden(nothing, { rule: "dominance", n: 1, k: 75, of: "value" })).toBe(false);
      expect(hidden(nothing, { rule: "p-percent", p: 10, of: "value" })).toBe(false);
    }
  });
  test("what is left of numbers that nearly cancel out is decided exactly", () => {
    // b gives a sixth of what is left of a, which doubles round to nothing or to twice as much, by their order.
    const large = 2 ** 60 / 3;
    for (const order of [[large, 6, -large], [large, -large, 6], [6, large, -large]]) {
      const near = ruleExample(["all"], [...order.map((value): Unit => ({ at: ["x"], value, by: "a" })), { at: ["x"], value: 1, by: "b" }]);
      expect(hidden(near, { rule: "dominance", n: 1, k: 85, of: "value" })).toBe(true);
      expect(hidden(near, { rule: "dominance", n: 1, k: 86, of: "value" })).toBe(false);
    }
  });
  test("refuse is an error that shows no value", () => {
    expect(codeOf(() => outcomeOf(given, [{ rule: "p-percent", p: 10, of: "value", negatives: "refuse" }]))).toBe("primary-rules/negative-value");
  });
});

describe("frequency", () => {
  const given = counts({ "a/k": 11, "a/l": 10, "b/k": 1, "b/l": 12 });
  test("the minimum itself may be shown", () => {
    expect(primaryRows(given, [{ rule: "frequency", minimum: 11 }])).toEqual(["a/l", "b/k"]);
    expect(primaryRows(given, [{ rule: "frequency", minimum: 10.5 }])).toEqual(["a/l", "b/k"]);
    expect(primaryRows(given, [{ rule: "frequency", minimum: 10 }])).toEqual(["b/k"]);
  });

  test("zeros are hidden only when asked, and only in tables that do not publish them", () => {
    const sparse = { "a/k": 20, "b/l": 20 };
    const secret = counts(sparse, { zeros: "protect" });
    expect(primaryRows(secret, [{ rule: "frequency", minimum: 11 }])).toEqual([]);
    expect(primaryRows(secret, [{ rule: "frequency", minimum: 11, zeros: "protect" }])).toEqual(["a/l", "b/k"]);
    expect(codeOf(() => primaryRows(counts(sparse), [{ rule: "frequency", minimum: 11, zeros: "protect" }]))).toBe("primary-rules/zeros-are-public");
  });

  test("by weight the sum of weights counts, exactly: ten times 0.1 is 1", () => {
    const weighted = ruleExample(["all"], Array.from({ length: 10 }, () => ({ at: ["x"], weight: 0.1 })));
    expect(hidden(weighted, { rule: "frequency", minimum: 1, count: "weighted" })).toBe(false);
    expect(hidden(weighted, { rule: "frequency", minimum: 1.000001, count: "weighted" })).toBe(true);
  });

  test("weights of no grid: three thirds are less than one", () => {
    const thirds = ruleExample(["all"], [1 / 3, 1 / 3, 1 / 3].map((weight) => ({ at: ["x"], weight })));
    expect(contributorStatistics(thirds.system, thirds.contributions, { top: 0 }).weightGrid).toBe(0);
    expect(hidden(thirds, { rule: "frequency", minimum: 1, count: "weighted" })).toBe(true); // the double 1/3 is below a third
  });

  test("of another column: a zero of it is shown, an unknown is not", () => {
    const [a, b] = [cellOf(given, "a/k"), cellOf(given, "b/l")];
    const cases = Array.from({ length: given.system.cells }, (_, c) => (c === a ? 0 : c === b ? Number.NaN : 20));
    expect(primaryRows(given, [{ rule: "frequency", minimum: 11, of: "cases" }], { cases })).toEqual(["b/l"]);
  });
});

describe("denominators and remainders", () => {
  const given = counts({ "a/k": 50, "b/k": 50, "c/k": 50 });
  const column = (a: number, b: number, c: number, elsewhere = 1e6) => {
    const numbers = Array.from({ length: given.system.cells }, () => elsewhere);
    for (const [name, value] of [["a/k", a], ["b/k", b], ["c/k", c]] as const) numbers[cellOf(given, name)] = value;
    return numbers;
  };

  test("20,000 people may be shown, 19,999 not, nor an unknown number", () => {
    expect(primaryRows(given, [{ rule: "denominator", minimum: 20_000, denominator: "population" }], { population: column(20_000, 19_999, Number.NaN) })).toEqual(["b/k", "c/k"]);
  });

  test("a remainder of 10 may be shown, of 9 and of 0 not, nor more cases than people", () => {
    const people = column(100, 100, 100);
    const rules: PrimaryRulesInput = [{ rule: "remainder", minimum: 10, of: "cases", denominator: "people" }];
    expect(primaryRows(given, rules, { people, cases: column(90, 91, 100, 0) })).toEqual(["b/k", "c/k"]);
    expect(primaryRows(given, rules, { people, cases: column(90, 101, Number.NaN, 0) })).toEqual(["b/k", "c/k"]);
    expect(primaryRows(given, rules, { people: column(100, 0, 100), cases: column(0, 0, 0, 0) })).toEqual([]);
  });

  test("without a denominator column the records of the cell are the denominator", () => {
    const cases = Array.from(given.system.count, (count) => count - 10);
    cases[cellOf(given, "b/k")]! += 1;
    expect(primaryRows(given, [{ rule: "remainder", minimum: 10, of: "cases" }], { cases })).toEqual(["b/k"]);
  });

  test("30 survey cases are reliable, 29 are not", () => {
    const survey = counts({ "a/k": 30, "a/l": 29, "b/k": 31, "b/l": 30 });
    expect(primaryRows(survey, [{ rule: "survey-cases", minimum: 30 }])).toEqual(["a/l"]);
  });
});

describe("group disclosure", () => {
  const given = counts({ "a/ill": 6, "b/ill": 3, "b/well": 4, "c/well": 9 }, { zeros: "protect" });

  test("everybody of a is ill: that cell and its empty neighbour are hidden; columns that may be learnt are not looked at", () => {
    expect(primaryRows(given, [{ rule: "group-disclosure", columns: ["kind"] }])).toEqual(["a/ill", "a/well", "c/ill", "c/well"]);
    expect(primaryRows(given, [{ rule: "group-disclosure", columns: ["area"] }])).toEqual([]);
  });

  test("tables that publish zeros cannot hide it and are refused", () => {
    expect(codeOf(() => primaryRows(counts({ "a/ill": 6, "b/well": 4 }), [{ rule: "group-disclosure" }]))).toBe("primary-rules/zeros-are-public");
    expect(ruleNeeds(PrimaryRules.parse([{ rule: "group-disclosure" }])).zeros).toBe("protect");
  });

  test("a column with a single category tells nothing", () => {
    expect(primaryRows(counts({ "a/ill": 6, "b/ill": 4 }, { zeros: "protect" }), [{ rule: "group-disclosure" }])).toEqual([]);
  });
});

describe("populations", () => {
  const units = { "a/opioid": 4, "a/alcohol": 20, "a/asthma": 5, "b/opioid": 11, "b/asthma": 3, "c/opioid": 2 };
  const kind = (value: string) => (value === "asthma" ? "other" : "substance use");
  const given = counts(units);

  test("small counts of the listed categories are hidden, at the minimum they are shown, others are left alone", () => {
    expect(primaryRows(given, [{ rule: "populations", column: "kind", categories: ["opioid", "alcohol"], minimum: 11 }])).toEqual(["c/Total", "a/opioid", "c/opioid"]);
  });

  test("a category of a coarser level stands for its values", () => {
    const nested = counts(units, {
      groups: { kind }, specs: [{ name: "t", dimensions: [{ column: "area" }, { column: "kind", levels: [0, 1] }], margins: "all" }],
    });
    expect(primaryRows(nested, [{ rule: "populations", column: "kind", categories: ["substance use"], minimum: 11 }])).toEqual([
      "c/Total", "c/substance use", "a/opioid", "c/opioid",
    ]);
  });

  test("where zeros are unknown, combinations without records do not hide that all in a cell are of the population", () => {
    const secret = counts(units, { zeros: "protect" });
    const rules: PrimaryRulesInput = [{ rule: "populations", column: "kind", categories: ["opioid"], minimum: 11 }];
    expect(primaryRows(secret, rules)).toEqual(["c/Total", "a/opioid", "c/opioid"]);
    expect(primaryRows(secret, [{ ...rules[0]!, zeros: "protect", categories: ["alcohol"] } as PrimaryRulesInput[number]])).toEqual(["b/alcohol", "c/alcohol"]);
  });

  test("a published category that mixes them with others is left alone, and said so", () => {
    const fine = counts(units, { groups: { kind } });
    const system = tabulate(fine.cells, fine.hierarchies, [{ name: "t", dimensions: [{ column: "area" }, { column: "kind", levels: [1] }], margins: "all" }], { zeros: "publish" });
    const outcome = evaluateRules(
      { system, hierarchies: fine.hierarchies }, PrimaryRules.parse([{ rule: "populations", column: "kind", categories: ["opioid"], minimum: 11 }]),
    );
    expect(outcome.primary.every((hit) => hit === 0)).toBe(true);
    expect(outcome.unmatched).toEqual(["Rule populations lists values of column kind that the tables publish only together with others."]);
  });

  test("categories that the column does not have are reported, not passed over", () => {
    const { unmatched } = outcomeOf(given, [{ rule: "populations", column: "kind", categories: ["opioid", "opiods"], minimum: 11 }]);
    expect(unmatched).toEqual(["Rule populations lists 1 of 2 categories that column kind does not have."]);
  });

  test("a whole table can be about them", () => {
    expect(primaryRows(given, [{ rule: "populations", tables: ["whole"], minimum: 4 }])).toEqual(["c/Total", "b/asthma", "c/opioid"]);
    expect(codeOf(() => primaryRows(given, [{ rule: "populations", tables: ["hole"], minimum: 4 }]))).toBe("primary-rules/unknown-table");
    expect(codeOf(() => primaryRows(given, [{ rule: "populations", column: "diagnosis", categories: ["x"], minimum: 4 }]))).toBe("primary-rules/unknown-column");
  });
});

describe("decisions on single cells", () => {
  const given = counts({ "a/k": 20, "a/l": 3, "b/k": 30, "b/l": 25 });
  const frequency = { rule: "frequency", minimum: 11 } as const;
  const publish = (extra: object = {}) => ({ table: "whole", category: { area: "a", kind: "l" }, reason: "Published since 1990.", ...extra });

  test("a cell is hidden by its address; columns left out are summed over", () => {
    const rules: PrimaryRulesInput = [{ rule: "cells", suppress: [{ table: "whole", category: { area: "b" }, reason: "Court order." }] }];
    expect(primaryRows(given, rules)).toEqual(["b/Total"]);
    expect(explainCell(PrimaryRules.parse(rules), outcomeOf(given, rules), cellOf(given, "b/Total"))).toEqual(["cells: hidden by decision"]);
  });

  test("a cell that no rule hides is marked as one to show", () => {
    const outcome = outcomeOf(given, [frequency, { rule: "cells", publish: [{ table: "whole", category: {}, reason: "The total is law." }] }]);
    expect(rowsWhere(given, (c) => outcome.safe[c] === 1)).toEqual(["Total/Total"]);
  });

  test("a rule is set aside only by its name, with who answers for it", () => {
    expect(codeOf(() => outcomeOf(given, [frequency, { rule: "cells", publish: [publish()] }]))).toBe("primary-rules/unjustified-override");
    expect(PrimaryRules.safeParse([frequency, { rule: "cells", publish: [publish({ overrides: ["frequency"] })] }]).success).toBe(false);
    const rules: PrimaryRulesInput = [frequency, { rule: "cells", publish: [publish({ overrides: ["frequency"], approvedBy: "Disclosure board" })] }];
    const outcome = outcomeOf(given, rules);
    expect(rowsWhere(given, (c) => outcome.primary[c] === 1)).toEqual([]);
    const cell = cellOf(given, "a/l");
    expect([outcome.safe[cell], outcome.hits[cell], outcome.setAside[cell]]).toEqual([1, 0, 1]);
    expect(explainCell(PrimaryRules.parse(rules), outcome, cell)).toEqual([
      "frequency: set aside by decision, although among the counts above zero and below 11", "cells: shown by decision",
    ]);
  });

  test("setting one rule aside leaves the others", () => {
    const rules: PrimaryRulesInput = [
      frequency, { rule: "survey-cases", minimum: 5 }, { rule: "cells", publish: [publish({ overrides: ["frequency"], approvedBy: "Board" })] },
    ];
    expect(codeOf(() => outcomeOf(given, rules))).toBe("primary-rules/unjustified-override");
  });

  test("always-protected populations cannot be set aside at all", () => {
    expect(PrimaryRules.safeParse([{ rule: "cells", publish: [publish({ overrides: ["populations"], approvedBy: "Board" })] }]).success).toBe(false);
  });

  test("levels of a cell to show are gone", () => {
    const magnitude = values(90, 5, 5);
    const outcome = outcomeOf(magnitude, [
      { rule: "p-percent", p: 50, of: "value" },
      { rule: "cells", publish: [{ table: "whole", category: { all: "x" }, reason: "Consent.", overrides: ["p-percent"], approvedBy: "Board" }] },
    ]);
    expect(outcome.levels.get("value")!.upper[cellOf(magnitude, "x")]).toBe(0);
  });

  test("contradictions, unknown names and public zeros are refused; absent categories are reported", () => {
    const one = (category: Record<string, string>, table = "whole") => ({ table, category, reason: "r" });
    const run = (suppress: object[], shown: object[] = []) => outcomeOf(given, PrimaryRules.parse([{ rule: "cells", suppress, publish: shown }]));
    expect(codeOf(() => run([one({ area: "a" })], [one({ area: "a" })]))).toBe("primary-rules/conflicting-decision");
    expect(codeOf(() => run([one({ area: "a" }, "other")]))).toBe("primary-rules/unknown-table");
    expect(codeOf(() => run([one({ place: "a" })]))).toBe("primary-rules/unknown-column");
    expect(run([one({ area: "z" })]).unmatched).toEqual(["rules[0].suppress[0] names a cell that table whole does not have."]);
    const sparse = counts({ "a/k": 5, "b/l": 5 });
    expect(codeOf(() => outcomeOf(sparse, [{ rule: "cells", suppress: [one({ area: "a", kind: "l" })] }]))).toBe("primary-rules/zero-cell");
  });

  test("a text at two levels needs its level", () => {
    const nested = counts({ "a/k": 5, "b/l": 5 }, {
      groups: { area: (value) => (value === "a" ? "a" : "rest") },
      specs: [{ name: "t", dimensions: [{ column: "area", levels: [0, 1] }, { column: "kind" }], margins: "all" }],
    });
    const run = (area: string | { level: number; value: string }) => outcomeOf(nested, [{ rule: "cells", suppress: [{ table: "t", category: { area, kind: "k" }, reason: "r" }] }]);
    expect(codeOf(() => run("a"))).toBe("primary-rules/ambiguous-category");
    expect(rowsWhere(nested, (c) => run({ level: 1, value: "a" }).primary[c] === 1)).toHaveLength(1);
  });
});

describe("schema", () => {
  test("every rule has a name in the list, and every object is strict", () => {
    const names = PrimaryRule.options.map((option) => option.def.shape.rule.def.values[0]);
    expect(names).toEqual([...RULE_NAMES]);
    expect(PrimaryRule.safeParse({ rule: "frequency", minimum: 11, zero: "protect" }).success).toBe(false);
    expect(PrimaryRule.safeParse({ rule: "p-percent", p: 10, of: "value", width: { percents: 10 } }).success).toBe(false);
  });

  test("nothing is defaulted that is a decision of the agency", () => {
    for (const rule of [{ rule: "frequency" }, { rule: "dominance", of: "v" }, { rule: "p-percent", of: "v" }, { rule: "denominator", denominator: "d" }]) {
      expect(PrimaryRule.safeParse(rule).success).toBe(false);
    }
  });

  test.each([
    [{ rule: "prior-posterior", p: 60, q: 60, of: "v" }, "p must be below q"],
    [{ rule: "prior-posterior", p: 60, q: 101, of: "v" }, "at most 100"],
    [{ rule: "dominance", n: 0, k: 80, of: "v" }, "at least 1"],
    [{ rule: "dominance", n: 1, k: 0, of: "v" }, "at least"],
    [{ rule: "populations", column: "kind", minimum: 11 }, "go together"],
    [{ rule: "populations", minimum: 11 }, "who needs protection"],
    [{ rule: "cells" }, "at least one cell"],
  ])("%j is refused with words", (rule, words) => {
    expect(JSON.stringify(PrimaryRule.safeParse(rule).error?.issues.map(({ message }) => message))).toContain(words);
  });

  test("it can be written as JSON Schema", () => {
    expect(() => z.toJSONSchema(PrimaryRules, { io: "input" })).not.toThrow();
  });

  test("the 32nd rule has a bit of its own", () => {
    const given = counts({ "a/k": 5, "b/l": 40 });
    const rules: PrimaryRulesInput = [
      ...Array.from({ length: RULES_LIMIT - 1 }, () => ({ rule: "frequency" as const, minimum: 2 })), { rule: "frequency", minimum: 11 },
    ];
    const outcome = outcomeOf(given, rules);
    expect(rowsWhere(given, (c) => outcome.primary[c] === 1)).toEqual(["Total/k", "a/Total", "a/k"]);
    expect(countHits(outcome)[31]).toBe(3);
    expect(explainCell(PrimaryRules.parse(rules), outcome, cellOf(given, "a/k"))).toHaveLength(1);
    expect(PrimaryRules.safeParse([...rules, { rule: "frequency", minimum: 2 }]).success).toBe(false);
    expect(codeOf(() => evaluateRules(given.input, PrimaryRules.parse(rules).concat(PrimaryRules.parse(rules))))).toBe("primary-rules/too-many-rules");
  });
});

describe("words", () => {
  const rules = PrimaryRules.parse([
    { rule: "frequency", minimum: 11 }, { rule: "dominance", n: 2, k: 87, of: "revenue", by: "holding" }, { rule: "p-percent", p: 13, coalition: 3, of: "revenue" },
    { rule: "prior-posterior", p: 17, q: 71, of: "revenue" }, { rule: "request", share: 63, of: "revenue" },
    { rule: "cells", suppress: [{ table: "secret-table", category: { area: "somewhere" }, reason: "because" }] },
  ]);
  test("parameters of rules on contributions stay confidential unless published knowingly", () => {
    const silent = describeRules(rules).join(" ");
    expect(silent).toContain("above zero and below 11");
    expect(silent).not.toMatch(/87|13|17|71|63|\b[23] largest|secret-table|somewhere|because/);
    const open = describeRules(rules, { publishParameters: true }).join(" ");
    for (const parameter of ["87", "13", "17", "71", "63"]) expect(open).toContain(parameter);
    expect(open).not.toMatch(/secret-table|somewhere|because/);
  });

  test("every rule has its sentence, and reasons name the rule", () => {
    const all = PrimaryRules.parse([
      { rule: "contributors", minimum: 3 }, { rule: "denominator", minimum: 20_000, denominator: "population" }, { rule: "remainder", minimum: 10, of: "cases" },
      { rule: "group-disclosure" }, { rule: "survey-cases", minimum: 30 }, { rule: "populations", tables: ["t"], minimum: 11 },
    ]);
    const texts = describeRules(all);
    expect(texts).toHaveLength(all.length);
    for (const text of texts) expect(text).toMatch(/^Not shown: .+\.$/);
    const given = counts({ "a/k": 2 });
    const few: PrimaryRulesInput = [{ rule: "contributors", minimum: 3 }];
    expect(explainCell(PrimaryRules.parse(few), outcomeOf(given, few), cellOf(given, "a/k"))).toEqual([
      "contributors: among the cells with fewer than 3 different contributors",
    ]);
  });
});

describe("refusals", () => {
  const given = values(1, 2);
  test("a measure or column that was not given", () => {
    expect(codeOf(() => outcomeOf(given, [{ rule: "p-percent", p: 10, of: "revenue" }]))).toBe("primary-rules/unknown-column");
    expect(codeOf(() => outcomeOf(given, [{ rule: "denominator", minimum: 10, denominator: "people" }]))).toBe("primary-rules/unknown-column");
    expect(codeOf(() => outcomeOf(counts({ "a/ill": 6, "b/ill": 4 }, { zeros: "protect" }), [{ rule: "group-disclosure", columns: ["colour"] }]))).toBe("primary-rules/unknown-column");
  });

  test("weights, holdings and requests that a rule counts on", () => {
    const { requested: _, ...silent } = given.contributions;
    const run = (...rules: PrimaryRulesInput) =>
      codeOf(() => evaluateRules({ ...given.input, contributors: silent, measures: new Map([["value", silent]]) }, PrimaryRules.parse(rules)));
    expect(run({ rule: "frequency", minimum: 2, count: "weighted" })).toBe("primary-rules/no-weights");
    expect(run({ rule: "contributors", minimum: 2, by: "holding" })).toBe("primary-rules/no-holdings");
    expect(run({ rule: "dominance", n: 1, k: 80, of: "value", by: "holding" })).toBe("primary-rules/no-holdings");
    expect(run({ rule: "request", share: 70, of: "value" })).toBe("primary-rules/no-requests");
    expect(run({ rule: "dominance", n: 1, k: 80, of: "value" })).toBe("nothing thrown");
  });

  test("numbers that are none, weights below zero, and numbers out of range", () => {
    const run = (changed: object) => codeOf(() => contributorStatistics(given.system, { ...given.contributions, ...changed }, { top: 1 }));
    expect(run({ value: Float64Array.of(1, Number.NaN) })).toBe("primary-rules/not-a-number");
    expect(run({ value: Float64Array.of(1, Infinity) })).toBe("primary-rules/not-a-number");
    expect(run({ weight: Float64Array.of(1, -1) })).toBe("primary-rules/negative-weight");
    expect(run({ contributor: Int32Array.of(0, 2) })).toBe("primary-rules/number-out-of-range");
    expect(run({ inner: Int32Array.of(0, -1) })).toBe("primary-rules/number-out-of-range");
    expect(run({ holding: Int32Array.of(0, -1) })).toBe("primary-rules/number-out-of-range");
    expect(codeOf(() => contributorStatistics(given.system, given.contributions, { top: 1.5 }))).toBe("primary-rules/bad-top");
  });

  test("what a list of rules needs", () => {
    expect(ruleNeeds(PrimaryRules.parse([
      { rule: "dominance", n: 1, k: 80, of: "revenue", by: "holding" }, { rule: "request", share: 70, of: "jobs", weights: "ignore" },
      { rule: "remainder", minimum: 10, of: "cases", denominator: "people" }, { rule: "populations", tables: ["t"], minimum: 11 },
    ]))).toEqual({
      measures: ["revenue", "jobs"], numbers: ["cases", "people"], contributors: false, holdings: true, weights: true, requested: true,
      hierarchies: true, zeros: "publish",
    });
  });
});
