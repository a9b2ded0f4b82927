/** Annotations that tell cells of a rule from cells hidden to protect others, under rules that hide large cells too. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Highs } from "highs";
import { beforeAll, describe, expect, test } from "vitest";
import { auditPublished } from "../../../src/index.ts";
import { auditTables } from "../../../src/tables/audit/index.ts";
import { planCellSuppression, toldByCodes } from "../../../src/tables/cell-suppression/index.ts";
import { PrimaryRules, type PrimaryRulesInput } from "../../../src/tables/primary-rules/schema.ts";
import { sumOverInner } from "../../../src/tables/tabulate/index.ts";
import { cube } from "../helpers.ts";
import { ruleExample, type RuleExample, type Unit } from "../primary-rules/examples.ts";
import { firms, policy, released } from "./firms.ts";
import { Attacker, loadSolver, numbersFrom, readerOf } from "./reader.ts";

let highs: Highs;
beforeAll(async () => {
  highs = await loadSolver();
});

describe("what the codes tell of counts", () => {
  test.each<readonly [string, PrimaryRulesInput, number, number]>([
    ["one frequency rule: 1 is small, 2 is not", [{ rule: "frequency", minimum: 5 }], 4, 5],
    ["a rule on contributions: 1 can be anything", [{ rule: "frequency", minimum: 5 }, { rule: "p-percent", p: 10, of: "value" }], Infinity, 5],
    ["survey cases: 1 is below the larger minimum, 2 is not", [{ rule: "frequency", minimum: 5 }, { rule: "survey-cases", minimum: 30 }], 29, 30],
    ["survey cases of another column say nothing of records", [{ rule: "survey-cases", minimum: 30, of: "value" }], Infinity, 5],
    ["different contributors: 2 has a record of each at least", [{ rule: "contributors", minimum: 8 }], Infinity, 8],
    ["a protected population: 1 may reach its minimum, 2 says nothing of it", [{ rule: "populations", tables: ["all"], minimum: 11 }], 10, 5],
    ["decisions to hide: 1 can be anything", [{ rule: "cells", suppress: [{ table: "all", category: {}, reason: "asked" }] }], Infinity, 5],
    ["decisions to show change nothing", [{ rule: "cells", publish: [{ table: "all", category: {}, reason: "asked" }] }], 4, 5],
  ])("%s", (_, rules, hiddenMost, complementaryLeast) => {
    expect(toldByCodes(PrimaryRules.parse(rules), 5)).toEqual({ hiddenMost, complementaryLeast });
  });
});

async function plannedFor(given: RuleExample, rules: PrimaryRules, threshold: number, interval: number) {
  const inner = new Float64Array(given.system.inner);
  given.contributions.inner.forEach((own, e) => (inner[own]! += given.contributions.value![e]!));
  const amounts = new Map([["value", { name: "value", decimals: 0, inner, cells: sumOverInner(given.system, inner) }]]);
  return planCellSuppression(given.system, rules, { rules: given.input, amounts }, { threshold, interval, codes: "separate" }, auditTables);
}

test("30 random tables: what the codes say leaves every small count its values, by integer programs over the files", async () => {
  let [separate, merged, checked, large] = [0, 0, 0, 0];
  for (let seed = 1; seed <= 30; seed++) {
    const random = numbersFrom(seed);
    const below = (n: number): number => Math.floor(random() * n);
    const units: Unit[] = Array.from({ length: 60 + below(60) }, () => ({
      at: [`a${below(4)}`, `b${below(4)}`], value: random() < 0.08 ? 2000 + below(2000) : 1 + below(50),
    }));
    const given = ruleExample(["a", "b"], units);
    const [threshold, interval] = [5, 2 + below(2)];
    const rules = PrimaryRules.parse([{ rule: "frequency", minimum: threshold }, { rule: "dominance", n: 1, k: 70, of: "value" }]);
    const plan = await plannedFor(given, rules, threshold, interval);
    if (plan.rule.codes === "merged") {
      expect(plan.mergedBecause).toMatch(/told apart/i);
      merged++;
      continue;
    }
    separate++;
    const reader = readerOf(given, given.system, [cube("whole", ["a", "b"])]);
    const attacker = new Attacker(highs, reader.combinations, reader.rows.map(({ cell, terms }) => {
      const state = cell < 0 ? 0 : plan.pattern[cell]!;
      const count = cell < 0 ? 0 : given.system.count[cell]!;
      if (state === 0) return { terms, low: count, high: count };
      // 1: some rule names the cell, of which one hides cells of any size. 2: no rule does, so it is not small.
      return state === 1 ? { terms, low: 1, high: Infinity } : { terms, low: threshold, high: Infinity };
    }), { whole: true });
    for (const { cell, terms } of reader.rows) {
      if (cell < 0 || plan.pattern[cell] !== 1) continue;
      if (given.system.count[cell]! >= threshold) {
        large++;
        continue;
      }
      checked++;
      const [min, max] = attacker.bounds(terms);
      expect(max - min + 1).toBeGreaterThanOrEqual(interval);
    }
    attacker.dispose();
  }
  expect(separate).toBeGreaterThan(5);
  expect(merged).toBeGreaterThan(0);
  expect(checked).toBeGreaterThan(10);
  expect(large).toBeGreaterThan(5);
}, 60_000);

test("a release with dominated cells of many firms is planned, verified and audited with separate codes", async () => {
  const input = policy(
    [{ rule: "frequency", minimum: 3 }, { rule: "dominance", n: 1, k: 60, of: "revenue" }], { statistics: ["count", { statistic: "sum", of: "revenue" }] },
  );
  Object.assign(input.release.protect[0]!, { codes: "separate", interval: 2 });
  input.overrides = [
    { requirement: "minimum-frequency", value: 3, reason: "establishments", approvedBy: "office" },
  ];
  const data = firms(21, 400);
  (data.rows.find((own) => own[2] === "r1" && own[3] === "k1")! as string[])[4] = "25000.00";
  const { directory, evidence, rows } = await released(input, data);
  expect(evidence.verdict).toBe("pass");
  const codes = new Set(rows.map((row) => row["annotation"]));
  expect(codes).toEqual(new Set(["0", "1", "2"]));
  const dictionary = readFileSync(join(directory, "public/data-dictionary.csv"), "utf8");
  expect(dictionary).toContain("hidden by a rule, such as the one on small numbers");
  const found = await auditPublished([join(directory, "public")], { threshold: 3, interval: 2 });
  expect(found.findings.filter(({ kind }) => kind === "contradiction")).toEqual([]);
});
