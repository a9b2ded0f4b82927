/** Sums by cell key: the table by design, cells of several tables, contributors that give nothing, the p% rule. */
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PolicyError } from "../../../src/errors/index.ts";
import { keyedIntegers } from "../../../src/random/keyed-bits.ts";
import {
  cellKey, magnitudeNoise, magnitudeRule, magnitudeStatistics, perturbSums, readStepTable, stepRows, withMagnitudeTable, type SumsRule,
} from "../../../src/tables/cell-key/index.ts";
import { CellKey, type CellKeyInput } from "../../../src/tables/cell-key/schema.ts";
import type { AmountContributions } from "../../../src/tables/perturbation/index.ts";
import { rehearsalBits } from "../../../src/random/rehearsal-bits.ts";

const SAMPLE = readFileSync(new URL("../../fixtures/cell-key/ptab_savings_all.txt", import.meta.url), "utf8");
const design = { maxPerturbation: 5, variance: 3 };
const options = (magnitudes: Partial<NonNullable<CellKeyInput["magnitudes"]>> = {}, more: Partial<CellKeyInput> = {}): CellKey =>
  CellKey.parse({
    method: "cell-key", recordKeys: { from: "column" }, table: { design },
    magnitudes: { table: { design: { maxPerturbation: 5, variance: 1, monotone: true } }, noise: { share: 0.1 }, ...magnitudes }, ...more,
  });
const ruleOf = (own: CellKey): SumsRule => ({ rule: magnitudeRule(own), keys: 100_000_000, pPercent: own.magnitudes?.sensitive?.pPercent });

/** A system of one cell over given inner cells, in which each entry is one contributor with its key. */
function oneCell(entries: readonly (readonly [who: number, amount: number, key: number])[], signs?: readonly (1 | -1)[]) {
  const system = {
    cells: 1, inner: entries.length, starts: Int32Array.of(0, entries.length), rows: Int32Array.from(entries.keys()), ...(signs === undefined ? {} : { signs: Int8Array.from(signs) }),
  };
  const given: AmountContributions = {
    decimals: 2, inner: Int32Array.from(entries.keys()), amount: Float64Array.from(entries, ([, amount]) => amount), times: new Float64Array(entries.length).fill(1),
    contributor: Int32Array.from(entries, ([who]) => who), contributors: 1 + Math.max(0, ...entries.map(([who]) => who)), key: Float64Array.from(entries, ([, , key]) => key),
  };
  return { system, given };
}
const sumOf = (entries: Parameters<typeof oneCell>[0], rule: SumsRule, signs?: readonly (1 | -1)[]): number => {
  const { system, given } = oneCell(entries, signs);
  return perturbSums({ system }, given, rule)[0]!;
};

describe("the table by design", () => {
  /**
   * tau-Argus, `Magnitude/ptab_savings_all.txt`, printed with 8 digits: changes up to 5 in steps of a half, variance 1, monotone.
   * What is printed has a variance of 0.99999998, so its own shares are off by some 1e-8 each.
   */
  test("gives the sample table of tau-Argus", () => {
    const designed = stepRows(options().magnitudes!);
    const printed = readStepTable(SAMPLE);
    expect(designed.map(({ row }) => row.count)).toEqual(printed.map(({ row }) => row.count));
    designed.forEach(({ row }, k) => {
      expect(row.changes.map(({ noise }) => noise)).toEqual(printed[k]!.row.changes.map(({ noise }) => noise));
      for (const [e, { share }] of row.changes.entries()) expect(Math.abs(share - printed[k]!.row.changes[e]!.share)).toBeLessThan(5e-8);
    });
    // Without monotone it is another one.
    const free = stepRows(options({ table: { design: { maxPerturbation: 5, variance: 1 } } }).magnitudes!);
    expect(Math.abs(free[1]!.row.changes[0]!.share - printed[1]!.row.changes[0]!.share)).toBeGreaterThan(1e-3);
  });
  test("rows between the categories may be impossible; what is asked for is met by those that are used", () => {
    // Half a unit cannot be changed with variance 3, up to 5: at most 0.5 x 5.
    for (const { row } of stepRows(options({ table: { design: { maxPerturbation: 5, variance: 3 } } }).magnitudes!).slice(1)) {
      expect(row.changes.reduce((sum, { noise, share }) => sum + noise * share, 0)).toBeCloseTo(0, 9);
      expect(row.changes.reduce((sum, { noise, share }) => sum + noise * noise * share, 0)).toBeCloseTo(3, 7);
    }
  });
  test("a file in its place gives the same noise as its rows", () => {
    const loaded = withMagnitudeTable(options({ table: { file: "t.csv" } }), SAMPLE);
    expect(stepRows(loaded.magnitudes!)).toEqual(readStepTable(SAMPLE));
    expect(CellKey.safeParse(loaded).success).toBe(true);
    expect(() => stepRows(options({ table: { file: "t.csv" } }).magnitudes!)).toThrow(PolicyError);
  });
  test.each([
    { name: "more steps than can be solved", magnitudes: { table: { design: { maxPerturbation: 20, variance: 2, steps: 2 } } } },
    { name: "a variance that a category cannot have", magnitudes: { table: { design: { maxPerturbation: 5, variance: 6 } } } },
    { name: "a row that is wrong on average", magnitudes: { table: { bounds: [[0, 0, 1], [1, -1, 0.2], [1, 1, 1]] as [number, number, number][] } } },
    { name: "a row that ends before 1", magnitudes: { table: { bounds: [[0, 0, 1], [1, -1, 0.5], [1, 1, 0.9]] as [number, number, number][] } } },
    { name: "a row that goes below its category", magnitudes: { table: { bounds: [[0, 0, 1], [1, -2, 0.5], [1, 2, 1]] as [number, number, number][] } } },
  ])("$name is refused", ({ magnitudes }) => {
    expect(() => stepRows(options(magnitudes).magnitudes!)).toThrow(PolicyError);
  });
  test.each([
    { magnitudes: { weights: [1, 0.2, 0.3] } },
    { magnitudes: { weights: [0.5] } },
    { magnitudes: { noise: { small: 0.1, large: 0.2, from: 100 } } },
    { form: "abs" },
    { keys: 65_536 },
  ])("options that cannot be meant are refused: %o", ({ magnitudes = {}, ...more }) => {
    expect(() => options(magnitudes as object, more as object)).toThrow();
  });
});

describe("one cell", () => {
  const own = options();
  const rule = ruleOf(own);

  test("is the sum plus the noise of its largest contributor, rounded to units", () => {
    const noise = magnitudeNoise(magnitudeRule(own))({ value: 700, largest: [500], contributors: 2, key: 12_345_678 });
    expect(sumOf([[0, 50_000, 12_000_000], [1, 20_000, 345_678]], rule)).toBe(70_000 + Math.round(100 * noise));
  });
  test("amounts of one contributor in several inner cells are one amount", () => {
    const weights = ruleOf(options({ weights: [1, 0.5] }));
    const together = sumOf([[0, 50_000, 7], [1, 20_000, 5]], weights);
    expect(sumOf([[0, 30_000, 3], [1, 20_000, 5], [0, 20_000, 4]], weights)).toBe(together);
  });
  test("who gives nothing in all changes neither sum nor noise", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 1e6 }), fc.nat({ max: 99_999_999 })), { minLength: 1, maxLength: 5 }), fc.nat({ max: 99_999_999 }), (some, key) => {
        const entries = some.map(([amount, ownKey], who) => [who, amount, ownKey] as const);
        const without = sumOf(entries, rule);
        const nobody = some.length;
        expect(sumOf([...entries, [nobody, 0, key]], rule)).toBe(without);
        expect(sumOf([...entries, [nobody, 500, key], [nobody, -500, 17]], rule)).toBe(without);
        // A group that adds and takes away the same contributor has no more of it than one that never had it.
        expect(sumOf([...entries, [nobody, 500, key], [nobody, 500, key]], rule, [...entries.map(() => 1 as const), 1, -1])).toBe(without);
      }),
      { seed: 3 },
    );
  });
  test("the order of entries does not show", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: -1e5, max: 1e6 }), fc.nat({ max: 99_999_999 })), { minLength: 2, maxLength: 8 }), (some) => {
        const entries = some.map(([amount, key], who) => [who, amount, key] as const);
        const three = ruleOf(options({ weights: [1, 0.6, 0.3], noise: { small: 0.3, large: 0.03, from: 1000 } }));
        expect(sumOf([...entries].reverse(), three)).toBe(sumOf(entries, three));
      }),
      { seed: 4 },
    );
  });
  test("records that are contributors of their own: many of one amount in an entry, or one by one", () => {
    const three = ruleOf(options({ weights: [1, 0.6, 0.3] }));
    const system = { cells: 1, inner: 1, starts: Int32Array.of(0, 1), rows: Int32Array.of(0) };
    const given = (amounts: number[], times: number[], keys: number[]): AmountContributions => ({
      decimals: 0, inner: new Int32Array(amounts.length), amount: Float64Array.from(amounts), times: Float64Array.from(times), contributors: 0, key: Float64Array.from(keys),
    });
    const each = perturbSums({ system }, given([90, 90, 40, 40, 40], [1, 1, 1, 1, 1], [5_000_000, 1, 2, 3, 4]), three);
    expect(perturbSums({ system }, given([40, 90], [3, 2], [9, 5_000_001]), three)).toEqual(each);
  });
  test("with keys of contributors each enters once, however many records there are", () => {
    const { system, given } = oneCell([[0, 300, 0], [0, 200, 0], [1, 100, 0]]);
    const once = oneCell([[0, 500, 0], [1, 100, 0]]);
    const contributorKey = Float64Array.of(70_000_000, 1);
    expect(perturbSums({ system }, { ...given, contributorKey }, rule)).toEqual(perturbSums({ system: once.system }, { ...once.given, contributorKey }, rule));
  });
  test("an empty cell is 0", () => {
    expect(sumOf([], rule)).toBe(0);
    expect(sumOf([[0, 0, 5]], rule)).toBe(0);
  });
});

describe("sensitive cells", () => {
  const own = options({ sensitive: { pPercent: 10, extra: 2 }, noise: { share: 0.05 } });
  const rule = ruleOf(own);
  const plain = ruleOf(options({ noise: { share: 0.05 } }));

  test("the p% rule decides: what is left beside the two largest against a share of the largest", () => {
    // 1000.00, 500.00 and the rest: below 100.00 the second can tell the largest to within 10%.
    const at = (rest: number, keys: SumsRule) => sumOf([[0, 100_000, 20_000_000], [1, 50_000, 0], [2, rest, 0]], keys);
    expect(at(9_999, rule) - at(9_999, plain)).not.toBe(0);
    expect(at(10_000, rule)).toBe(at(10_000, plain));
  });
  test("no sensitive sum stays as it is, and on average the noise is 0", () => {
    const keys = keyedIntegers(new Uint8Array(32).fill(3), 100_000_000);
    const draws = 20_000;
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < draws; i++) {
      const noise = (sumOf([[0, 100_000, keys(`k${i}`)]], rule) - 100_000) / 100_000;
      // Two extra units of 5% at least.
      expect(Math.abs(noise)).toBeGreaterThanOrEqual(0.1 - 1e-9);
      sum += noise;
      squares += noise * noise;
    }
    // Within 5 standard errors: a false alarm once in 1.7 million seeds; the seed is fixed.
    expect(Math.abs(sum / draws)).toBeLessThan(5 * Math.sqrt(squares / draws / draws));
  });
});

describe("what is said in advance holds", () => {
  test.each([
    { noise: { share: 0.1 }, amount: 300, share: "deviationSmall", most: "largestChangeSmall" },
    { noise: { small: 0.04, large: 0.01, from: 1000, steepness: 3 }, amount: 900, share: "deviationSmall", most: "largestChangeSmall" },
    { noise: { small: 0.04, large: 0.01, from: 1000, steepness: 3 }, amount: 1e8, share: "deviationLarge", most: "largestChangeLarge" },
  ] as const)("bias, deviation and largest change for $amount with $noise", ({ noise, amount, share, most }) => {
    const rule = magnitudeRule(options({ noise }));
    const statistics = magnitudeStatistics(rule);
    const perturb = magnitudeNoise(rule);
    const keys = keyedIntegers(new Uint8Array(32).fill(5), 100_000_000);
    const draws = 40_000;
    let sum = 0;
    let squares = 0;
    let largest = 0;
    for (let i = 0; i < draws; i++) {
      // Beside much else, so that the sum never stops the noise.
      const own = perturb({ value: amount * 100, largest: [amount], contributors: 200, key: keys(`k${i}`) }) / amount;
      sum += own;
      squares += own * own;
      largest = Math.max(largest, Math.abs(own));
    }
    expect(statistics.bias).toBeLessThan(1e-7);
    expect(Math.abs(sum / draws)).toBeLessThan(5 * Math.sqrt(squares / draws / draws));
    expect(Math.sqrt(squares / draws) / statistics[share]).toBeCloseTo(1, 1);
    expect(largest).toBeLessThanOrEqual(statistics[most] * (1 + 1e-9));
  });
  test("the method states both, of counts and of sums", () => {
    expect(cellKey.statistics!(options())).toMatchObject({ counts: { largestChange: 5 }, sums: { deviationSmall: expect.closeTo(0.1, 4), largestChangeSmall: expect.closeTo(0.5, 9) } });
    expect(cellKey.statistics!(CellKey.parse({ method: "cell-key", recordKeys: { from: "column" }, table: { design } }))).not.toHaveProperty("sums");
  });
});

test("cells of several tables with the same contributors have the same sum: random systems, against one cell alone", () => {
  const rule = ruleOf(options({ weights: [1, 0.5], noise: { small: 0.3, large: 0.03, from: 50 } }));
  const words = new Uint32Array(4000);
  rehearsalBits(9).fill(words);
  let at = 0;
  const below = (n: number): number => words[at++ % words.length]! % n;
  for (let round = 0; round < 40; round++) {
    const inner = 1 + below(6);
    const entries = Array.from({ length: 1 + below(15) }, () => ({ inner: below(inner), who: below(6), amount: below(20_000), key: below(100_000_000) })).sort((a, b) => a.inner - b.inner);
    const cells = Array.from({ length: 8 }, () => Array.from({ length: inner }, (_, i) => i).filter(() => below(2) === 1));
    const rows = cells.flat();
    const starts = Int32Array.from([0, ...cells.map((own, c) => cells.slice(0, c).reduce((n, before) => n + before.length, 0) + own.length)]);
    const given: AmountContributions = {
      decimals: 2, inner: Int32Array.from(entries, (e) => e.inner), amount: Float64Array.from(entries, (e) => e.amount), times: new Float64Array(entries.length).fill(1),
      contributor: Int32Array.from(entries, (e) => e.who), contributors: 6, key: Float64Array.from(entries, (e) => e.key),
    };
    const sums = perturbSums({ system: { cells: 8, inner, starts, rows: Int32Array.from(rows) } }, given, rule);
    cells.forEach((own, c) => {
      const alone = entries.filter((e) => own.includes(e.inner)).map((e) => [e.who, e.amount, e.key] as const);
      expect(sums[c]).toBe(sumOf(alone, rule));
    });
  }
});
