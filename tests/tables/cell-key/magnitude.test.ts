import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PolicyError } from "../../../src/errors/index.ts";
import { keyedIntegers } from "../../../src/random/keyed-bits.ts";
import {
  magnitudeNoise, multiplierAt, readStepTable, separationPoint, turnedKey, type MagnitudeRule, type StepRow,
} from "../../../src/tables/cell-key/index.ts";

/** Sample table of tau-Argus for amounts: steps of 0.5, categories 0, 1 and 5; see the README of the fixtures. */
const rows = readStepTable(readFileSync(new URL("../../fixtures/cell-key/ptab_savings_all.txt", import.meta.url), "utf8"));
/** F(0.03, 0.30, 1000, 3, 0.5, 0.2): the parameters that tau-Argus documents for its sample. */
const flex = { kind: "flex", small: 0.3, large: 0.03, flexPoint: 1000, q: 3 } as const;
const rule: MagnitudeRule = { rows, multiplier: flex, epsilon: [1, 0.5, 0.2], digits: 8 };

const SMALL: StepRow[] = [0, 1, 8].map((count) => ({
  type: "small_cells",
  row: {
    count,
    changes: count === 0 ? [{ noise: 0, share: 1, upper: 1 }] : [{ noise: -1, share: 0.5, upper: 0.5 }, { noise: 1, share: 0.5, upper: 1 }],
  },
}));

describe("the sample table", () => {
  test("is read: three categories, unbiased, in steps of a half", () => {
    expect(rows.map(({ type, row }) => [type, row.count, row.changes.length])).toEqual([["all", 0, 1], ["all", 1, 13], ["all", 5, 21]]);
    for (const { row } of rows) {
      expect(Math.abs(row.changes.reduce((sum, { noise, share }) => sum + noise * share, 0))).toBeLessThan(1e-6);
    }
  });
});

describe("flex function", () => {
  test("is the small share up to the flex point, and falls to the large one from there", () => {
    expect(multiplierAt(flex, 1)).toBe(0.3);
    expect(multiplierAt(flex, 1000)).toBe(0.3);
    expect(multiplierAt(flex, 1000.000001)).toBeCloseTo(0.3, 8);
    // 0.03 (1 + (0.3 x 3000 - 30) / 30 x (2000 / 4000)^3) = 0.03 (1 + 29 / 8), by hand
    expect(multiplierAt(flex, 3000)).toBeCloseTo(0.13875, 12);
    expect(multiplierAt(flex, 1e12)).toBeCloseTo(0.03, 6);
    let last = 0.3;
    for (let size = 1001; size < 1e6; size *= 1.1) {
      expect(multiplierAt(flex, size)).toBeLessThan(last);
      last = multiplierAt(flex, size);
    }
  });
});

test("digits of a key are turned, and come round", () => {
  expect(turnedKey(12_345_678, 8)).toBe(23_456_781);
  expect(turnedKey(5, 8)).toBe(50);
  expect(turnedKey(90_000_000, 8)).toBe(9);
  fc.assert(
    fc.property(fc.nat({ max: 99_999_999 }), (key) => {
      let turned = key;
      for (let i = 0; i < 8; i++) turned = turnedKey(turned, 8);
      expect(turned).toBe(key);
    }),
  );
});

describe("one cell, by hand", () => {
  test("the largest contributor: unit 0.3 x 400, category 1 / 0.3 between 1 and 5", () => {
    const one = magnitudeNoise({ ...rule, epsilon: [1] });
    // Key 0.80000000: category 1 gives 0.5 (bounds 0.72 to 0.82), category 5 gives 1 (0.7758 to 0.8968).
    const weight = (1 / 0.3 - 1) / 4;
    const expected = 120 * ((1 - weight) * 0.5 + weight * 1);
    expect(one({ value: 1000, largest: [400], contributors: 7, key: 80_000_000 })).toBeCloseTo(expected, 9);
    expect(one({ value: -1000, largest: [-400], contributors: 7, key: 80_000_000 })).toBeCloseTo(-expected, 9);
  });
  test("above the flex point the category passes the table's last, which then serves", () => {
    const one = magnitudeNoise({ ...rule, epsilon: [1] });
    expect(one({ value: 1e9, largest: [1e8], contributors: 9, key: 80_000_000 })).toBeCloseTo(1e8 * multiplierAt(flex, 1e8), 4);
  });
  test("extra goes to the size of the largest contributor's noise, in sensitive cells only", () => {
    const more = magnitudeNoise({ ...rule, epsilon: [1], extra: 2 });
    const cell = { value: 1000, largest: [400], contributors: 7, key: 80_000_000 };
    expect(more({ ...cell, sensitive: true }) - more(cell)).toBeCloseTo(240, 9);
    const down = { ...cell, key: 20_000_000 };
    expect(more({ ...down, sensitive: true }) - more(down)).toBeCloseTo(-240, 9);
  });
  test("the second contributor uses the turned key and half a unit", () => {
    const two = magnitudeNoise({ ...rule, epsilon: [1, 0.5] });
    const first = magnitudeNoise({ ...rule, epsilon: [1] });
    const cell = { value: 5000, largest: [400, 200], contributors: 7, key: 80_000_008 };
    // The turned key is 00000088: category 1 gives -1, category 5 (bounds 74 and 874) gives -4.5.
    const weight = Math.min(1, (1 / 0.15 - 1) / 4);
    expect(two(cell) - first(cell)).toBeCloseTo(30 * -((1 - weight) * 1 + weight * 4.5), 9);
  });
  test("with sameKey false the largest contributor already uses the turned key", () => {
    const turned = magnitudeNoise({ ...rule, epsilon: [1], sameKey: false });
    const straight = magnitudeNoise({ ...rule, epsilon: [1] });
    const cell = { value: 1000, largest: [400], contributors: 7, key: 18_000_000 };
    expect(turned(cell)).toBe(straight({ ...cell, key: 80_000_001 }));
  });
  test("even and odd numbers of contributors have their tables", () => {
    const shift = (type: "even" | "odd", noise: number): StepRow[] => [0, 1].map((count) => ({
      type,
      row: { count, changes: count === 0 ? [{ noise: 0, share: 1, upper: 1 }] : [{ noise: -noise, share: 0.5, upper: 0.5 }, { noise, share: 0.5, upper: 1 }] },
    }));
    const parity = magnitudeNoise({ rows: [...shift("even", 0.5), ...shift("odd", 1)], multiplier: { kind: "simple", share: 0.1 }, epsilon: [1], digits: 8 });
    expect(parity({ value: 1000, largest: [100], contributors: 8, key: 60_000_000 })).toBeCloseTo(5, 12);
    expect(parity({ value: 1000, largest: [100], contributors: 7, key: 60_000_000 })).toBeCloseTo(10, 12);
  });
  test("below the separation point noise is that of the small table in units of 1, once", () => {
    const separated: MagnitudeRule = { ...rule, rows: [...rows, ...SMALL] };
    // sqrt(1 / (1 + 0.25 + 0.04)) / 0.3
    expect(separationPoint(separated)).toBeCloseTo(Math.sqrt(1 / 1.29) / 0.3, 12);
    expect(separationPoint(rule)).toBe(0);
    expect(magnitudeNoise(separated)({ value: 5, largest: [2, 2, 1], contributors: 3, key: 60_000_000 })).toBe(1);
    expect(magnitudeNoise(separated)({ value: 5, largest: [2, 2, 1], contributors: 3, key: 40_000_000 })).toBe(-1);
  });
  test("cells without an amount stay as they are", () => {
    expect(magnitudeNoise(rule)({ value: 0, largest: [0, 0], contributors: 2, key: 1 })).toBe(0);
    expect(magnitudeNoise(rule)({ value: 0, largest: [], contributors: 0, key: 1 })).toBe(0);
  });
});

describe("laws", () => {
  const cells = fc
    .array(fc.double({ min: 0.01, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 6 })
    .map((amounts) => [...amounts].sort((a, b) => b - a));

  const perturb = magnitudeNoise(rule);

  test("a cell of positive amounts never turns negative, and the noise stays within what the units allow", () => {
    fc.assert(
      fc.property(cells, fc.nat({ max: 99_999_999 }), (amounts, key) => {
        const value = amounts.reduce((a, b) => a + b);
        const noise = perturb({ value, largest: amounts.slice(0, 3), contributors: amounts.length, key });
        expect(value + noise).toBeGreaterThanOrEqual(-1e-9 * value);
        // At most 5 units each, of 0.3, 0.15 and 0.06 of the contributor's amount, or of what the cell has left.
        expect(Math.abs(noise)).toBeLessThanOrEqual(5 * 0.51 * amounts[0]! * 1.000001);
      }),
      { seed: 8, numRuns: 2000 },
    );
  });

  test("on average the noise is 0 where no floor is met", () => {
    const keys = keyedIntegers(new Uint8Array(32).fill(3), 100_000_000);
    const noise = magnitudeNoise(rule);
    const draws = 40_000;
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < draws; i++) {
      const own = noise({ value: 50_000, largest: [900, 800, 700], contributors: 80, key: keys(`k${i}`) });
      sum += own;
      squares += own * own;
    }
    // Within 5 standard errors: a false alarm once in 1.7 million seeds; the seed is fixed.
    expect(Math.abs(sum / draws)).toBeLessThan(5 * Math.sqrt(squares / draws / draws));
  });
});

test.each([
  { epsilon: [0.5] },
  { epsilon: [1, 0.5, 0.6] },
  { epsilon: [] },
  { epsilon: [1, 1, 1, 1, 1, 1, 1] },
  { extra: -1 },
  { digits: 1 },
  { digits: 16 },
  { multiplier: { ...flex, q: 1 } },
  { multiplier: { ...flex, large: 0.4 } },
  { multiplier: { kind: "simple", share: 0 } },
  { rows: [] },
  { rows: rows.slice(1) },
  { rows: [...rows, ...rows.map(({ row }): StepRow => ({ type: "even", row }))] },
  { rows: rows.flatMap(({ row }): StepRow[] => [{ type: "even", row }, { type: "odd", row }]) },
] as Partial<MagnitudeRule>[])("a rule out of range is refused: %#", (change) => {
  expect(() => magnitudeNoise({ ...rule, ...change })).toThrow(PolicyError);
});
