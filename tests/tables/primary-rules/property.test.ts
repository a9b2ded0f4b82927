/** Against plain versions in whole numbers, and laws. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { add, compare, exactly, multiply, parseDecimal, rational, ZERO } from "../../../src/kernels/rational.ts";
import { contributorStatistics, evaluateRules, type Contributions } from "../../../src/tables/primary-rules/index.ts";
import { PrimaryRules, type PrimaryRulesInput } from "../../../src/tables/primary-rules/schema.ts";
import { rowName } from "../helpers.ts";
import { outcomeOf, ruleExample, type RuleExample, type Unit } from "./examples.ts";

const KEYS = ["area", "kind"];
const region = (area: string) => (area < "a2" ? "west" : "east");

interface Entry {
  readonly area: number;
  readonly kind: number;
  /** Tenths of the measure. */
  readonly tenths: number;
  readonly by: number;
  readonly weight: number;
  readonly asked: boolean;
}

const entry = (weight: fc.Arbitrary<number>, least = -60): fc.Arbitrary<Entry> =>
  fc.record({
    area: fc.nat({ max: 3 }), kind: fc.nat({ max: 1 }), tenths: fc.integer({ min: least, max: 120 }), by: fc.nat({ max: 5 }), weight,
    asked: fc.boolean(),
  });

const holdingOf = (by: number) => by % 2;

function made(entries: readonly Entry[], own: boolean, zeros: "publish" | "protect" = "publish"): RuleExample {
  const asked = new Set(entries.filter((e) => e.asked).map((e) => e.by));
  return ruleExample(
    KEYS,
    entries.map((e): Unit => ({
      at: [`a${e.area}`, `k${e.kind}`], value: e.tenths / 10, weight: e.weight,
      ...(own ? { asked: e.asked } : { by: `${e.by}`, holding: `${holdingOf(e.by)}`, asked: asked.has(e.by) }),
    })),
    { groups: { area: region }, specs: [{ name: "t", dimensions: [{ column: "area", levels: [0, 1] }, { column: "kind" }], margins: "all" }], zeros },
  );
}

/** Rows of the table with the entries they hold, found by their names. */
function members(given: RuleExample, entries: readonly Entry[]): Map<number, Entry[]> {
  const cells = new Map<number, Entry[]>();
  const table = given.system.tables[0]!;
  for (let row = 0; row < table.rows; row++) {
    const cell = table.cell[row]!;
    if (cell < 0) continue;
    const [area, kind] = rowName(given, given.system, 0, row).split("/");
    cells.set(cell, entries.filter((e) => ["Total", `a${e.area}`, region(`a${e.area}`)].includes(area!) && ["Total", `k${e.kind}`].includes(kind!)));
  }
  return cells;
}

function sumsBy(entries: readonly Entry[], unit: (e: Entry) => number, amount: (e: Entry) => number): Map<number, number> {
  const sums = new Map<number, number>();
  for (const e of entries) sums.set(unit(e), (sums.get(unit(e)) ?? 0) + amount(e));
  return sums;
}

const sum = (numbers: Iterable<number>) => [...numbers].reduce((all, x) => all + x, 0);
const descending = (numbers: Iterable<number>) => [...numbers].sort((a, b) => b - a);

describe("statistics are those of a plain count", () => {
  test.each(["contributor", "holding"] as const)("by %s, contributions as reported", (by) => {
    fc.assert(
      fc.property(fc.array(entry(fc.nat({ max: 4 })), { minLength: 1, maxLength: 25 }), fc.constantFrom("sums" as const, "values" as const), (entries, negatives) => {
        const given = made(entries, false);
        const got = contributorStatistics(given.system, given.contributions, { top: 3, by, weights: "contributions", negatives });
        const unit = (e: Entry) => (by === "holding" ? holdingOf(e.by) : e.by);
        const size = (tenths: number) => (negatives === "values" ? Math.abs(tenths) : tenths);
        for (const [c, own] of members(given, entries)) {
          const sizes = descending([...sumsBy(own, unit, (e) => size(e.tenths)).values()].map(Math.abs));
          expect(Array.from(got.largest.slice(3 * c, 3 * c + 3))).toEqual([0, 1, 2].map((i) => (sizes[i] ?? 0) / 10));
          expect(got.total[c]).toBe(sum([...sumsBy(own, unit, (e) => size(e.tenths) * e.weight).values()].map(Math.abs)) / 10);
          expect(got.value[c]).toBe((sum(own.map((e) => e.tenths * e.weight)) + 0) / 10 + 0);
          expect(got.contributors[c]).toBe(new Set(own.map((e) => e.by)).size);
          expect(got.holdings[c]).toBe(new Set(own.map((e) => holdingOf(e.by))).size);
          expect(got.contributing[c]).toBe([...sumsBy(own, (e) => e.by, (e) => size(e.tenths)).values()].filter((x) => x !== 0).length);
          expect(got.records[c]).toBe(own.length);
          expect(got.weighted[c]).toBe(sum(own.map((e) => e.weight)));
        }
      }),
      { numRuns: 100 },
    );
  });

  test("whole weights count units", () => {
    fc.assert(
      fc.property(fc.array(entry(fc.integer({ min: 1, max: 4 }), 0), { minLength: 1, maxLength: 20 }), (entries) => {
        const given = made(entries, true);
        const got = contributorStatistics(given.system, given.contributions, { top: 4, weights: "units" });
        expect(got.grid).toBeGreaterThan(0);
        for (const [c, own] of members(given, entries)) {
          const copies = descending(own.flatMap((e) => Array.from({ length: e.weight }, () => e.tenths)));
          expect(Array.from(got.largest.slice(4 * c, 4 * c + 4))).toEqual([0, 1, 2, 3].map((i) => (copies[i] ?? 0) / 10));
          expect(got.total[c]).toBe(sum(copies) / 10);
        }
      }),
      { numRuns: 100 },
    );
  });
});

/** A rule with the test of its definition: contributions descending in tenths, their total, the largest of those who asked. */
interface Case {
  readonly rules: PrimaryRulesInput;
  /** The upper protection level in tenths as a fraction; sensitive when above 0. */
  readonly excess: (x: readonly number[], total: number, asked: number) => readonly [number, number];
}

const at = (x: readonly number[], i: number) => x[i] ?? 0;
/** Tenths of a percentage; round ones often, since shares of few equal contributions are round. */
const percent = (most: number) => fc.oneof(fc.constantFrom(250, 333, 500, 666, 750, 800).filter((x) => x <= most), fc.integer({ min: 1, max: most }));
const rule: fc.Arbitrary<Case> = fc.oneof(
  fc.record({ n: fc.integer({ min: 1, max: 3 }), k10: percent(1000) }).map(({ n, k10 }): Case => ({
    rules: [{ rule: "dominance", n, k: k10 / 10, of: "value", weights: "ignore" }],
    excess: (x, total) => [1000 * sum(x.slice(0, n)) - k10 * total, k10],
  })),
  fc.record({ p10: percent(1500), coalition: fc.integer({ min: 1, max: 3 }) }).map(({ p10, coalition }): Case => ({
    rules: [{ rule: "p-percent", p: p10 / 10, coalition, of: "value", weights: "ignore" }],
    excess: (x, total) => [p10 * at(x, 0) - 1000 * (total - sum(x.slice(0, coalition + 1))), 1000],
  })),
  fc.record({ p10: percent(999), more: fc.integer({ min: 1, max: 1000 }) }).map(({ p10, more }): Case => {
    const q10 = Math.min(1000, p10 + more);
    return {
      rules: [{ rule: "prior-posterior", p: p10 / 10, q: q10 / 10, of: "value", weights: "ignore" }],
      excess: (x, total) => [p10 * at(x, 0) - q10 * (total - at(x, 0) - at(x, 1)), q10],
    };
  }),
  percent(1000).map((share10): Case => ({
    rules: [{ rule: "request", share: share10 / 10, of: "value", weights: "ignore" }],
    excess: (_, total, asked) => [1000 * asked - share10 * total, share10],
  })),
);

describe("rules on contributions are those of their definitions in whole numbers", () => {
  test("p, q, k and shares with decimals, values in tenths, boundaries included", () => {
    // Few distinct values, so that many cells lie on the boundary.
    const few = entry(fc.constant(1), 0).map((e) => ({ ...e, tenths: 7 * (e.tenths % 4) }));
    fc.assert(
      fc.property(fc.array(fc.oneof(few, entry(fc.constant(1))), { minLength: 1, maxLength: 20 }), rule, (entries, { rules, excess }) => {
        const given = made(entries, false);
        const outcome = outcomeOf(given, rules);
        const levels = outcome.levels.get("value")!;
        const asked = new Set(entries.filter((e) => e.asked).map((e) => e.by));
        for (const [c, own] of members(given, entries)) {
          const byUnit = sumsBy(own, (e) => e.by, (e) => e.tenths);
          const x = descending([...byUnit.values()].map(Math.abs));
          const most = Math.max(0, ...[...byUnit].filter(([by]) => asked.has(by)).map(([, tenths]) => Math.abs(tenths)));
          const [above, per] = excess(x, sum(x), most);
          expect(outcome.primary[c]).toBe(above > 0 ? 1 : 0);
          if (above > 0) expect(levels.upper[c]! / (above / per / 10)).toBeCloseTo(1, 9);
          else expect(levels.upper[c]).toBe(0);
        }
      }),
      { numRuns: 350 },
    );
  });

  test("values that fit no decimal grid are decided in rational numbers", () => {
    const value = fc.oneof(fc.integer({ min: 1, max: 9 }).map((n) => n / 3), fc.double({ min: 1e-6, max: 1e12, noNaN: true }));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 3 }), fc.constantFrom(25, 33.3, 50, 62.5, 75), (values, n, k) => {
        const given = ruleExample(["all"], [...values, Math.PI].map((own) => ({ at: ["x"], value: own })));
        const { primary } = outcomeOf(given, [{ rule: "dominance", n, k, of: "value" }]);
        const x = [...values, Math.PI].map(exactly).sort((a, b) => compare(b, a));
        const total = x.reduce(add, ZERO);
        const top = x.slice(0, n).reduce(add, ZERO);
        expect(primary[0]).toBe(compare(multiply(top, rational(100n)), multiply(parseDecimal(k), total)) > 0 ? 1 : 0);
      }),
      { numRuns: 300 },
    );
  });

  test("weights that are not whole fill places in proportion", () => {
    const unit = fc.record({ value: fc.integer({ min: 1, max: 8 }), quarters: fc.integer({ min: 4, max: 12 }) });
    fc.assert(
      fc.property(fc.array(unit, { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 3 }), fc.constantFrom(25, 40, 50, 60, 75, 80), (units, n, k) => {
        const given = ruleExample(["all"], units.map(({ value, quarters }) => ({ at: ["x"], value, weight: quarters / 4 })));
        const { primary } = outcomeOf(given, [{ rule: "dominance", n, k, of: "value", weights: "units" }]);
        // A quarter of a unit is a piece: the n largest units are the 4n largest pieces.
        const pieces = descending(units.flatMap(({ value, quarters }) => Array.from({ length: quarters }, () => value)));
        expect(primary[0]).toBe(100 * sum(pieces.slice(0, 4 * n)) > k * sum(pieces) ? 1 : 0);
      }),
      { numRuns: 300 },
    );
  });
});

describe("other rules", () => {
  test("frequency by weight, contributors, remainder, denominator and survey cases", () => {
    fc.assert(
      fc.property(
        fc.array(entry(fc.integer({ min: 0, max: 9 }).map((n) => n / 10)), { minLength: 1, maxLength: 25 }),
        fc.integer({ min: 1, max: 40 }), fc.integer({ min: 2, max: 5 }), fc.infiniteStream(fc.nat({ max: 9 })),
        (entries, tenths, minimum, stream) => {
          const given = made(entries, false);
          const group = Array.from({ length: given.system.cells }, () => stream.next().value);
          const outcome = outcomeOf(
            given,
            [
              { rule: "frequency", minimum: tenths / 10, count: "weighted" }, { rule: "contributors", minimum },
              { rule: "contributors", minimum, by: "holding" }, { rule: "contributors", minimum, of: "value" },
              { rule: "remainder", minimum, of: "group", denominator: "twice" }, { rule: "denominator", minimum, denominator: "group" },
              { rule: "survey-cases", minimum },
            ],
            { group, twice: group.map((n) => 2 * n) },
          );
          for (const [c, own] of members(given, entries)) {
            const weighted = sum(own.map((e) => Math.round(e.weight * 10)));
            const people = new Set(own.map((e) => e.by)).size;
            const contributing = [...sumsBy(own, (e) => e.by, (e) => e.tenths).values()].filter((x) => x !== 0).length;
            const expected = [
              weighted < tenths, people < minimum, new Set(own.map((e) => holdingOf(e.by))).size < minimum,
              contributing > 0 && contributing < minimum, group[c]! > 0 && group[c]! < minimum, group[c]! < minimum, own.length < minimum,
            ];
            expect(expected.map((_, r) => (outcome.hits[c]! >> r) & 1)).toEqual(expected.map(Number));
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test("group disclosure marks a full cell and the empty ones beside it, and no other", () => {
    fc.assert(
      fc.property(fc.array(entry(fc.constant(1)), { minLength: 1, maxLength: 8 }), (entries) => {
        const given = made(entries, false, "protect");
        const { primary } = outcomeOf(given, [{ rule: "group-disclosure" }]);
        const table = given.system.tables[0]!;
        const names = Array.from({ length: table.rows }, (_, row) => rowName(given, given.system, 0, row).split("/") as [string, string]);
        const counts = names.map((_, row) => table.count[row]!);
        const isRegion = (area: string) => area === "west" || area === "east";
        const level = (area: string) => (area === "Total" ? 2 : isRegion(area) ? 1 : 0);
        const above = (area: string) => (isRegion(area) ? "Total" : region(area));
        const expected = names.map(([area, kind]) => {
          const beside = [
            kind === "Total" ? [] : names.flatMap(([a, k], row) => (a === area && k !== "Total" ? [row] : [])),
            area === "Total" ? [] : names.flatMap(([a, k], row) => (k === kind && level(a) === level(area) && a !== "Total" && above(a) === above(area) ? [row] : [])),
          ];
          return beside.some((rows) => rows.length > 1 && rows.filter((row) => counts[row]! > 0).length === 1) ? 1 : 0;
        });
        expect(names.map((_, row) => primary[table.cell[row]!])).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });
});

describe("laws", () => {
  const rules = PrimaryRules.parse([
    { rule: "dominance", n: 2, k: 85, of: "value" }, { rule: "p-percent", p: 12.5, of: "value", by: "holding" }, { rule: "contributors", minimum: 3 },
  ]);

  test("the order of entries does not matter, nor do names of contributors", () => {
    fc.assert(
      fc.property(
        fc.array(entry(fc.double({ min: 0, max: 5, noNaN: true })), { minLength: 1, maxLength: 20 }).chain((entries) =>
          fc.tuple(fc.constant(entries), fc.shuffledSubarray([...entries.keys()], { minLength: entries.length })),
        ),
        ([entries, order]) => {
          const given = made(entries, false);
          const shuffled = (own: Float64Array) => Float64Array.from(order, (e) => own[e]!);
          const { contributions: own } = given;
          const last = own.contributors - 1;
          const renamed: Contributions = {
            ...own,
            inner: Int32Array.from(order, (e) => own.inner[e]!),
            contributor: Int32Array.from(order, (e) => last - own.contributor[e]!),
            holding: own.holding!.slice().reverse(),
            requested: own.requested!.slice().reverse(),
            records: shuffled(own.records), weight: shuffled(own.weight!), value: shuffled(own.value!),
          };
          const before = evaluateRules(given.input, rules);
          const after = evaluateRules({ ...given.input, contributors: renamed, measures: new Map([["value", renamed]]) }, rules);
          expect(after.hits).toEqual(before.hits);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("a stricter rule hides what a milder one hides, and protects it at least as far", () => {
    fc.assert(
      fc.property(fc.array(entry(fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 9 }), (entries, p, more) => {
        const given = made(entries, false);
        for (const [mild, strict] of [
          [{ rule: "p-percent", p, of: "value" }, { rule: "p-percent", p: p + more, of: "value" }],
          [{ rule: "dominance", n: 1, k: p + more, of: "value" }, { rule: "dominance", n: 1, k: p, of: "value" }],
          [{ rule: "p-percent", p, of: "value" }, { rule: "p-percent", p, of: "value", coalition: 2 }],
          [{ rule: "p-percent", p, of: "value" }, { rule: "prior-posterior", p, q: 95, of: "value" }],
        ] as PrimaryRulesInput[]) {
          const [less, most] = [outcomeOf(given, [mild!]), outcomeOf(given, [strict!])];
          for (let c = 0; c < less.cells; c++) {
            if (p >= 95) continue;
            expect(most.primary[c]!).toBeGreaterThanOrEqual(less.primary[c]!);
            expect(most.levels.get("value")!.upper[c]! * (1 + 1e-12)).toBeGreaterThanOrEqual(less.levels.get("value")!.upper[c]!);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  test("rules together hide what each hides alone, with the larger levels", () => {
    fc.assert(
      fc.property(fc.array(entry(fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 20 }), rule, rule, (entries, { rules: [a] }, { rules: [b] }) => {
        const given = made(entries, false);
        const [one, other, both] = [outcomeOf(given, [a!]), outcomeOf(given, [b!]), outcomeOf(given, [a!, b!])];
        for (let c = 0; c < both.cells; c++) {
          expect(both.hits[c]).toBe(one.primary[c]! | (other.primary[c]! << 1));
          for (const side of ["upper", "lower", "sliding"] as const) {
            expect(both.levels.get("value")![side][c]).toBe(Math.max(one.levels.get("value")![side][c]!, other.levels.get("value")![side][c]!));
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});
