/** Amounts of cells that are hidden for small counts: what a reader of counts and sums can work out, by programs and elimination of the test's own. */
import type { Highs } from "highs";
import { beforeAll, describe, expect, test } from "vitest";
import { auditTables } from "../../../src/tables/audit/index.ts";
import { planCellSuppression } from "../../../src/tables/cell-suppression/index.ts";
import { PrimaryRules, type PrimaryRulesInput } from "../../../src/tables/primary-rules/schema.ts";
import { sumOverInner, type TableSpec } from "../../../src/tables/tabulate/index.ts";
import { cellVectors, derivable } from "../exact-elimination.ts";
import { cube } from "../helpers.ts";
import { rowsWhere, ruleExample, type RuleExample, type Unit } from "../primary-rules/examples.ts";
import { firms, inCell, policy, refused, released } from "./firms.ts";
import { Attacker, loadSolver, numbersFrom, readerOf } from "./reader.ts";

let highs: Highs;
beforeAll(async () => {
  highs = await loadSolver();
});

function planFor(given: RuleExample, input: PrimaryRulesInput, threshold: number) {
  const inner = new Float64Array(given.system.inner);
  given.contributions.inner.forEach((own, e) => (inner[own]! += given.contributions.value![e]!));
  const cells = sumOverInner(given.system, inner);
  const amounts = new Map([["value", { name: "value", decimals: 0, inner, cells }]]);
  return planCellSuppression(given.system, PrimaryRules.parse(input), { rules: given.input, amounts }, { threshold, interval: 2 }, auditTables)
    .then((plan) => ({ plan, amount: cells }));
}

/** The range of every hidden row's amount for a reader of the sums, who knows which cells are empty and that nothing is below zero. */
function ranges(given: RuleExample, specs: readonly TableSpec[], pattern: Uint8Array, amount: Float64Array): { cell: number; min: number; max: number }[] {
  const reader = readerOf(given, given.system, specs);
  const attacker = new Attacker(highs, reader.combinations, reader.rows.flatMap(({ cell, terms }) => {
    const value = cell < 0 ? 0 : amount[cell]!;
    return cell < 0 || pattern[cell] === 0 ? [{ terms, low: value, high: value }] : [];
  }));
  try {
    return reader.rows.flatMap(({ cell, terms }) => {
      if (cell < 0 || pattern[cell] === 0) return [];
      const [min, max] = attacker.bounds(terms);
      return [{ cell, min, max }];
    });
  } finally {
    attacker.dispose();
  }
}

describe("random tables of counts and amounts, many of them zero", () => {
  test("120 tables: no small cell's amount is derivable or known to within a tenth of it", async () => {
    let [asked, wrong, tables, zeros] = [0, 0, 0, 0];
    for (let seed = 1; seed <= 120; seed++) {
      const random = numbersFrom(seed);
      const below = (n: number): number => Math.floor(random() * n);
      const keys = ["a", "b", "c"].slice(0, 2 + (seed % 2));
      const sizes = keys.map((_, k) => (k === 2 ? 2 : 3 + below(2)));
      const empty = 0.3 + 0.6 * random();
      // Amounts that are zero throughout some categories, so that sums give away more than counts.
      const units: Unit[] = Array.from({ length: 30 + below(60) }, () => {
        const at = sizes.map((size) => `v${below(size)}`);
        return { at, value: random() < empty || at[0] === "v1" ? 0 : 1 + Math.floor(Math.exp(random() * 7)) };
      });
      const nested = seed % 3 === 0;
      const specs = [cube("all", keys, nested ? { a: [0, 1] } : {})];
      const given = ruleExample(keys, units, { specs, groups: nested ? { a: (value) => (value < "v2" ? "low" : "high") } : {} });
      const threshold = 3 + (seed % 3);
      const done = await planFor(given, [{ rule: "frequency", minimum: threshold }], threshold).catch((error: { code?: string }) => error);
      if (!("plan" in done)) {
        expect(done.code).toMatch(/unprotectable/);
        continue;
      }
      tables++;
      const { plan: { pattern }, amount } = done;
      const small = (cell: number) => pattern[cell] !== 0 && given.system.count[cell]! < threshold;
      for (const { cell, min, max } of ranges(given, specs, pattern, amount)) {
        if (!small(cell)) continue;
        if (amount[cell] === 0) {
          zeros++;
          continue;
        }
        asked++;
        if (!(max - min >= Math.max(1, amount[cell]! / 10) - 1e-6)) wrong++;
      }
      const vectors = cellVectors(given, given.system);
      const targets = vectors.filter((_, c) => small(c));
      wrong += derivable(vectors.filter((_, c) => pattern[c] === 0), targets).filter(Boolean).length;
    }
    expect(wrong).toBe(0);
    expect(tables).toBeGreaterThan(110);
    expect(asked).toBeGreaterThan(300);
    expect(zeros).toBeGreaterThan(100);
  }, 120_000);
});

describe("named cases", () => {
  const of = (at: string[], count: number, value: number): Unit[] => Array.from({ length: count }, () => ({ at, value }));

  test("one person's amount beside nothing but zeros: totals that give it away are hidden", async () => {
    // Counts leave 1 of r/x anything from 1 to 4; the amounts of the other three are zero, so their totals name it.
    const units = [...of(["r", "x"], 1, 500), ...of(["r", "y"], 12, 0), ...of(["s", "x"], 12, 0), ...of(["s", "y"], 12, 0)];
    const given = ruleExample(["a", "b"], units);
    const { plan, amount } = await planFor(given, [{ rule: "frequency", minimum: 5 }], 5);
    const own = ranges(given, [cube("whole", ["a", "b"])], plan.pattern, amount).find(({ cell }) => given.system.count[cell] === 1);
    expect(own!.max - own!.min).toBeGreaterThanOrEqual(50);
    expect(rowsWhere(given, (c) => plan.pattern[c] === 0).length).toBeLessThan(9 - 4);
  });

  test("a safety range is kept on both sides", async () => {
    const units = [
      ...of(["r", "x"], 2, 100), ...of(["r", "y"], 12, 1), ...of(["s", "x"], 12, 1), ...of(["s", "y"], 12, 40), ...of(["t", "x"], 12, 30), ...of(["t", "y"], 12, 30),
    ];
    const given = ruleExample(["a", "b"], units);
    const range = async (input: PrimaryRulesInput) => {
      const { plan, amount } = await planFor(given, input, 5);
      return ranges(given, [cube("whole", ["a", "b"])], plan.pattern, amount).find(({ cell }) => given.system.count[cell] === 2)!;
    };
    const plain = await range([{ rule: "frequency", minimum: 5 }]);
    expect(plain.max - plain.min).toBeGreaterThanOrEqual(20);
    const wide = await range([{ rule: "frequency", minimum: 5, safetyRange: 50 }]);
    expect(wide.max).toBeGreaterThanOrEqual(300);
    expect(wide.min).toBeLessThanOrEqual(100);
  });

  test("sums of hidden cells that two contributors make up are held to the rule on contributors", async () => {
    const by = (cell: string, who: string, count: number, value: number): Unit[] => Array.from({ length: count }, () => ({ at: [cell], by: who, value }));
    const crowd = (cell: string, count: number, value: number): Unit[] => Array.from({ length: count }, (_, i) => ({ at: [cell], by: `${cell}${i}`, value }));
    // In a are x and y, in b y alone: y, who knows b, would subtract its own and know x.
    const units = [...by("a", "x", 6, 10), ...by("a", "y", 6, 20), ...by("b", "y", 12, 5), ...crowd("c", 12, 3), ...crowd("d", 20, 30)];
    const given = ruleExample(["k"], units);
    const { plan } = await planFor(given, [{ rule: "contributors", minimum: 3, by: "contributor" }], 1);
    expect(rowsWhere(given, (c) => plan.pattern[c] !== 0)).toEqual(["a", "b", "c"]);
  });
});

test("small cells with sums beside the counts protect the sums too", async () => {
  const data = firms(41, 260);
  data.rows.forEach((row) => {
    if (row[2] !== "r0" || row[3] !== "k0") (row as string[])[4] = "0.00";
  });
  // Nine records of r0/k0 stay, with the only revenues that are not zero.
  let kept = 0;
  data.rows.forEach((row) => {
    if (row[2] === "r0" && row[3] === "k0" && ++kept > 9) Object.assign(row, { 3: "k1", 4: "0.00" });
  });
  const input = policy([{ rule: "frequency", minimum: 11 }], { statistics: ["count", { statistic: "sum", of: "revenue" }] });
  input.release.protect[0] = { method: "small-cells", threshold: 11 };
  const { rows } = await released(input, data);
  const own = rows.find((row) => row["region"] === "r0" && row["kind"] === "k0")!;
  expect(own["sum_revenue"]).toBe("");
  // All revenue is in one cell: wherever a total of it is shown, the reader has it.
  const revenue = data.rows.reduce((sum, row) => sum + Number(row[4]), 0).toFixed(2);
  const containing = rows.filter((row) => ["r0", "(total)"].includes(row["region"]!) && ["k0", "(total)"].includes(row["kind"]!));
  const known = containing.filter((row) => row["sum_revenue"] !== "").map((row) => Number(row["sum_revenue"]).toFixed(2));
  const others = rows.filter((row) => row["sum_revenue"] === "" && !containing.includes(row));
  expect(known.every((sum) => sum === revenue)).toBe(true);
  expect(others.length).toBeGreaterThan(0);
});

describe("tables of sums alone", () => {
  const statistics = [{ statistic: "sum", of: "revenue" } as const];
  const contributors = (minimum: number) => [{ rule: "contributors", minimum } as const, { rule: "p-percent", p: 10, of: "revenue" } as const];

  test("a rule on contributors states the minimum: 11 meets it, 3 needs an override, and its message says how", async () => {
    const { evidence, rows } = await released(policy(contributors(11), { statistics }), firms(81, 260));
    expect(evidence.verdict).toBe("pass");
    for (const row of rows) if (row["sum_revenue"] !== "") expect(new Set(inCell(firms(81, 260), row).map(([owner]) => owner)).size).toBeGreaterThanOrEqual(11);
    await refused(policy(contributors(3), { statistics }), firms(81, 260), "policy/weaker-than-required", []);
    const few = policy(contributors(3), { statistics });
    few.overrides = [{ requirement: "minimum-frequency", value: 3, reason: "establishments", approvedBy: "office" }];
    const shown = (await released(few, firms(81, 120))).rows.filter((row) => row["sum_revenue"] !== "");
    const owners = shown.map((row) => new Set(inCell(firms(81, 120), row).map(([owner]) => owner)).size);
    expect(Math.min(...owners)).toBeGreaterThanOrEqual(3);
    expect(Math.min(...owners)).toBeLessThan(11);
  });

  test("a count, or what tells one, takes the rule on records", async () => {
    for (const more of [{ statistic: "count" as const }, { statistic: "mean" as const, of: "revenue" }, { statistic: "percent" as const }]) {
      const { rows } = await released(policy(contributors(3), { statistics: [...statistics, more] }), firms(82, 200));
      for (const row of rows) if (row["sum_revenue"] !== "") expect(inCell(firms(82, 200), row).length).toBeGreaterThanOrEqual(11);
    }
  });
});
