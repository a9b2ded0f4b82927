import type { Highs } from "highs";
import { beforeAll, describe, expect, test } from "vitest";
import { dictionaryTexts } from "../../../src/columns/index.ts";
import { auditTables } from "../../../src/tables/audit/index.ts";
import { planCellSuppression } from "../../../src/tables/cell-suppression/index.ts";
import { PrimaryRules, type PrimaryRulesInput } from "../../../src/tables/primary-rules/schema.ts";
import type { Amount } from "../../../src/tables/statistics/index.ts";
import { sumOverInner, type TableSpec } from "../../../src/tables/tabulate/index.ts";
import { cube } from "../helpers.ts";
import { rowsWhere, ruleExample, type RuleExample, type Unit } from "../primary-rules/examples.ts";
import { Attacker, loadSolver, numbersFrom, readerOf, type Reader } from "./reader.ts";

/** FULL=1 tries ten times as many. */
const TABLES = process.env.FULL === "1" ? 2000 : 150;

let highs: Highs;
beforeAll(async () => {
  highs = await loadSolver();
});

function amountOf({ system, contributions }: RuleExample, decimals: number): Amount {
  const inner = new Float64Array(system.inner);
  for (let e = 0; e < contributions.entries; e++) inner[contributions.inner[e]!]! += Math.round(contributions.value![e]! * 10 ** decimals);
  return { name: "value", decimals, inner, cells: sumOverInner(system, inner) };
}

async function plannedFor(given: RuleExample, input: PrimaryRulesInput, threshold = 1, decimals = 0) {
  const amount = amountOf(given, decimals);
  const plan = await planCellSuppression(
    given.system, PrimaryRules.parse(input), { rules: given.input, amounts: new Map([["value", amount]]) }, { threshold, interval: 2 }, auditTables,
  );
  return { amount, plan };
}

/** One rule of the tests' own: how far above its total a cell must stay unknown, from contributions in descending order. */
type Rule = { readonly input: PrimaryRulesInput[number]; readonly excess: (x: readonly number[], total: number) => number; readonly by: "contributor" | "holding" };

function pPercent(p: number, coalition: number, by: "contributor" | "holding"): Rule {
  return {
    input: { rule: "p-percent", p, coalition, of: "value", by },
    excess: ([x1 = 0, ...rest], total) => (p / 100) * x1 - (total - x1 - rest.slice(0, coalition).reduce((sum, x) => sum + x, 0)),
    by,
  };
}

function dominance(n: number, k: number, by: "contributor" | "holding"): Rule {
  return {
    input: { rule: "dominance", n, k, of: "value", by },
    excess: (x, total) => (100 / k) * x.slice(0, n).reduce((sum, own) => sum + own, 0) - total,
    by,
  };
}

function priorPosterior(p: number, q: number): Rule {
  return {
    input: { rule: "prior-posterior", p, q, of: "value" },
    excess: ([x1 = 0, x2 = 0], total) => (p / q) * x1 - (total - x1 - x2),
    by: "contributor",
  };
}

const EPSILON = 1e-7;

interface Case {
  readonly units: readonly Unit[];
  readonly keys: readonly string[];
  readonly specs: readonly TableSpec[];
  readonly groups: Readonly<Record<string, (value: string) => string>>;
  readonly rules: readonly Rule[];
  readonly threshold: number;
  /** Whether some contributions lie below zero; shares are then taken of what contributors add up to in size. */
  readonly negative: boolean;
}

/** Tables of 2 or 3 dimensions, some nested, some linked; few contributors of very different size, who report in several cells. */
function randomCase(seed: number): Case {
  const random = numbersFrom(seed);
  const below = (n: number) => Math.floor(random() * n);
  const keys = ["a", "b", "c"].slice(0, 2 + below(2));
  const sizes = keys.map((_, k) => (k === 2 ? 2 : 2 + below(3)));
  const contributors = 3 + below(38);
  const holdings = Math.max(2, Math.ceil(contributors / (1 + below(3))));
  const negative = random() < 0.15;
  const units = Array.from({ length: contributors }, (_, who) =>
    Array.from({ length: 1 + below(3) }, (): Unit => ({
      at: sizes.map((size) => `v${below(size)}`),
      value: random() < 0.08 ? 0 : Math.floor(Math.exp(random() * 8)) * (negative && random() < 0.3 ? -1 : 1),
      by: `c${who}`,
      holding: `h${who % holdings}`,
    })),
  ).flat();
  const nested = random() < 0.5;
  const groups = nested ? { a: (value: string) => (value < "v2" ? "low" : "high") } : {};
  const levels: Readonly<Record<string, readonly number[]>> = nested ? { a: [0, 1] } : {};
  const linked = keys.length === 3 && random() < 0.3;
  const specs = linked ? [cube("left", keys.slice(0, -1), levels), cube("right", [keys[0]!, keys.at(-1)!], levels)] : [cube("all", keys, levels)];
  const by = random() < 0.3 ? "holding" : "contributor";
  const choices = [
    [pPercent([5, 10, 25, 60][below(4)]!, 1 + below(2), by)],
    [dominance(1, 60 + below(30), by)],
    [dominance(2, 85, by), pPercent(10, 1, "contributor")],
    [priorPosterior(10, 50)],
  ];
  return { units, keys, specs, groups, rules: choices[below(4)]!, threshold: random() < 0.3 ? 3 : 1, negative };
}

/** Sizes of contributions, by contributor or holding, largest first. */
function contributionsTo(units: readonly Unit[], by: "contributor" | "holding"): number[] {
  const sums = new Map<string, number>();
  for (const unit of units) {
    const who = by === "holding" ? unit.holding! : unit.by!;
    sums.set(who, (sums.get(who) ?? 0) + unit.value!);
  }
  return [...sums.values()].map(Math.abs).sort((x, y) => y - x);
}

function combinationOf(given: RuleExample, { at }: Unit): number {
  let [u, stride] = [0, 1];
  given.system.columns.forEach(({ column }) => {
    const { dictionary, map } = given.hierarchies.get(column)!.levels[0]!;
    const code = dictionaryIndex(dictionary, at[given.cells.keys.indexOf(column)]!);
    u += stride * code;
    stride *= map.length;
  });
  return u;
}

function dictionaryIndex(dictionary: Parameters<typeof dictionaryTexts>[0], text: string): number {
  return dictionaryTexts(dictionary).indexOf(text);
}

/** Rows of a finer margin within a shown row: [rows] with every column in or at the row's category, the margin's levels fixed. */
function partsWithin(reader: Reader, coarse: number): Map<string, number[]> {
  const { rows, at } = reader;
  const parts = new Map<string, number[]>();
  rows.forEach(({ terms, table }, fine) => {
    if (fine === coarse || table !== rows[coarse]!.table) return;
    if (![...terms.keys()].every((u) => rows[coarse]!.terms.has(u))) return;
    const margin = at[fine]!.map((place) => place.split(":")[0]).join();
    if (margin === at[coarse]!.map((place) => place.split(":")[0]).join()) return;
    parts.set(margin, [...(parts.get(margin) ?? []), fine]);
  });
  return parts;
}

describe(`${TABLES} random tables of sums, with few contributors`, () => {
  test("each hidden total keeps its protection levels, and no known sum of hidden totals fails the rules", async () => {
    let primaries = 0;
    let sums = 0;
    let refused = 0;
    const wrong: string[] = [];
    for (let seed = 1; seed <= TABLES; seed++) {
      const one = randomCase(seed);
      const given = ruleExample(one.keys, one.units, { specs: one.specs, groups: one.groups });
      let done: Awaited<ReturnType<typeof plannedFor>>;
      try {
        done = await plannedFor(given, one.rules.map(({ input }) => input), one.threshold);
      } catch (error) {
        if ((error as { code?: string }).code !== "cell-suppression/unprotectable") throw error;
        refused++;
        continue;
      }
      const { amount, plan } = done;
      const reader = readerOf(given, given.system, one.specs);
      const units = one.units.map((unit) => ({ unit, u: combinationOf(given, unit) }));
      const shown = (cell: number) => cell < 0 || plan.pattern[cell] === 0;
      const excess = (inside: (u: number) => boolean): number => {
        const own = units.filter(({ u }) => inside(u)).map(({ unit }) => unit);
        return Math.max(0, ...one.rules.map((rule) => {
          const sizes = contributionsTo(own, rule.by);
          return rule.excess(sizes, sizes.reduce((sum, size) => sum + size, 0));
        }));
      };
      const attacker = new Attacker(highs, reader.combinations, reader.rows.filter(({ cell }) => shown(cell)).map(({ cell, terms }) => {
        const value = cell < 0 ? 0 : amount.cells[cell]!;
        return { terms, low: value, high: value };
      }), { floor: one.negative ? -Infinity : 0 });
      try {
        for (const [i, { cell, terms }] of reader.rows.entries()) {
          const level = excess((u) => terms.has(u));
          if (shown(cell)) {
            if (level > EPSILON) wrong.push(`seed ${seed}: row ${i} is shown and needs ${level}`);
            for (const [margin, rows] of partsWithin(reader, i)) {
              const hidden = rows.filter((row) => !shown(reader.rows[row]!.cell));
              if (hidden.length === 0) continue;
              sums++;
              const members = new Set(hidden.flatMap((row) => [...reader.rows[row]!.terms.keys()]));
              if (excess((u) => members.has(u)) > EPSILON) wrong.push(`seed ${seed}: row ${i} gives away a sum over ${margin}`);
            }
          } else if (level > EPSILON) {
            primaries++;
            const total = amount.cells[cell]!;
            const [min, max] = attacker.bounds(terms);
            if (max < total + level - 1e-6 || min > (one.negative ? total - level : Math.max(0, total - level)) + 1e-6) wrong.push(`seed ${seed}: row ${i} is ${total}, within ${min} to ${max}, needs ${level}`);
          }
        }
      } finally {
        attacker.dispose();
      }
    }
    expect(wrong).toEqual([]);
    expect(refused).toBeLessThan(TABLES / 20);
    expect(primaries).toBeGreaterThan(2 * TABLES);
    expect(sums).toBeGreaterThan(5 * TABLES);
  }, 600_000);
});

describe("named cases", () => {
  const others = (cell: string, count: number, value: number): Unit[] => Array.from({ length: count }, (_, i) => ({ at: [cell], value, by: `${cell}${i}`, holding: `${cell}${i}` }));

  test("firms of one enterprise in several hidden cells hide nothing from each other (sdcTools/UserSupport issue 160)", async () => {
    const units: Unit[] = [
      { at: ["a"], value: 100, by: "a1", holding: "H" }, { at: ["b"], value: 90, by: "b1", holding: "H" },
      ...others("c", 6, 20), ...others("d", 9, 30),
    ];
    const given = ruleExample(["k"], units);
    const { plan } = await plannedFor(given, [{ rule: "p-percent", p: 10, of: "value", by: "holding" }]);
    expect(rowsWhere(given, (c) => plan.outcome.primary[c] === 1)).toEqual(["a", "b"]);
    expect(rowsWhere(given, (c) => plan.pattern[c] !== 0)).toEqual(["a", "b", "c"]);
  });

  test("firms alone in their cells could work out each other's from the total (issue 135): one more cell is hidden", async () => {
    const units: Unit[] = [
      { at: ["a"], value: 30, by: "a1" }, { at: ["b"], value: 20, by: "b1" }, { at: ["c"], value: 10, by: "c1" },
      ...others("d", 8, 5).map(({ at, value, by }) => ({ at, value: value!, by: by! })), ...others("e", 9, 30).map(({ at, value, by }) => ({ at, value: value!, by: by! })),
    ];
    const given = ruleExample(["k"], units);
    // Two who put their knowledge together.
    const { plan } = await plannedFor(given, [{ rule: "p-percent", p: 10, coalition: 2, of: "value" }]);
    expect(rowsWhere(given, (c) => plan.pattern[c] !== 0)).toEqual(["a", "b", "c", "d"]);
  });

  test("SSBtools magnitude1 under (1,80): primary cells of the vignette's table 3, and no interval too narrow", async () => {
    const rows: readonly [string, string, number][] = [
      ["Industry", "Iceland", 9.6], ["Entertainment", "Iceland", 16.8], ["Industry", "Iceland", 8.8], ["Industry", "Iceland", 1.9],
      ["Agriculture", "Portugal", 75.9], ["Agriculture", "Portugal", 24.5], ["Entertainment", "Portugal", 7.1], ["Entertainment", "Portugal", 2.3],
      ["Governmental", "Portugal", 21.6], ["Governmental", "Portugal", 2], ["Industry", "Portugal", 25.7], ["Industry", "Portugal", 3.4],
      ["Agriculture", "Spain", 96.6], ["Agriculture", "Spain", 43.2], ["Entertainment", "Spain", 77.4], ["Entertainment", "Spain", 11.5],
      ["Entertainment", "Spain", 16.4], ["Governmental", "Spain", 6.5], ["Governmental", "Spain", 2.7], ["Industry", "Spain", 8.4],
    ];
    const given = ruleExample(["sector", "country"], rows.map(([sector, country, value]) => ({ at: [sector, country], value })));
    const { plan, amount } = await plannedFor(given, [{ rule: "dominance", n: 1, k: 80, of: "value" }], 1, 1);
    expect(rowsWhere(given, (c) => plan.outcome.primary[c] === 1)).toEqual([
      "Entertainment/Iceland", "Governmental/Portugal", "Industry/Portugal", "Industry/Spain",
    ]);
    const reader = readerOf(given, given.system, [cube("whole", ["sector", "country"])]);
    const known = reader.rows.filter(({ cell }) => cell < 0 || plan.pattern[cell] === 0);
    const attacker = new Attacker(highs, reader.combinations, known.map(({ cell, terms }) => {
      const value = cell < 0 ? 0 : amount.cells[cell]!;
      return { terms, low: value, high: value };
    }));
    const { upper } = plan.outcome.levels.get("value")!;
    for (const { cell, terms } of reader.rows) {
      if (cell < 0 || upper[cell] === 0) continue;
      const [min, max] = attacker.bounds(terms);
      expect(max).toBeGreaterThanOrEqual(amount.cells[cell]! + 10 * upper[cell]! - 1e-6);
      expect(min).toBeLessThanOrEqual(Math.max(0, amount.cells[cell]! - 10 * upper[cell]!) + 1e-6);
    }
    attacker.dispose();
  });
});
