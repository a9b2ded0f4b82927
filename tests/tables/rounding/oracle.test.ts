import { describe, expect, test } from "vitest";
import { rounding, roundingStatistics } from "../../../src/tables/rounding/index.ts";
import { drbRounded, midpoint, nearestMultiple } from "../../../src/tables/rounding/scalar.ts";
import { Rounding } from "../../../src/tables/rounding/schema.ts";
import { cubeOf, input, publishedOf } from "./helpers.ts";

const drb = Rounding.parse({ method: "rounding", kind: "drb" });

describe("the ladder of the US Census Bureau's disclosure review board (rules of September 2019, half-way to even)", () => {
  test.each([
    [0, "<15"], [14, "<15"], [15, "20"], [24, "20"], [25, "20"], [35, "40"], [94, "90"], [95, "100"], [99, "100"],
    [100, "100"], [124, "100"], [125, "100"], [126, "150"], [149, "150"], [175, "200"], [974, "950"], [975, "1000"],
    [1_234, "1200"], [1_250, "1200"], [1_350, "1400"], [9_949, "9900"], [9_950, "10000"], [12_345, "12500"],
    [10_250, "10000"], [99_750, "100000"], [123_456, "123000"], [999_500, "1000000"], [1_234_567, "1235000"],
    [1_234_500, "1234000"], [12_345_678, "12350000"], [123_450_000, "123400000"], [9_999_999, "10000000"],
  ])("%i is shown as %s", (count, shown) => {
    expect(rounding.format!(drbRounded(count), drb)).toBe(shown);
  });

  test("what is shown is rounded to itself, so a second rounding changes nothing", () => {
    const moved: number[] = [];
    for (let count = 0; count < 2_000_000; count += count < 20_000 ? 1 : 37) {
      const shown = drbRounded(count);
      if (drbRounded(shown) !== shown) moved.push(count);
    }
    expect(moved).toEqual([]);
  });

  test("from a million on there are four significant digits", () => {
    for (let count = 1_000_000; count < 2 ** 50; count = Math.floor(count * 1.37) + 11) {
      expect(String(drbRounded(count)).replace(/0+$/, "").length).toBeLessThanOrEqual(4);
      expect(Math.abs(drbRounded(count) / count - 1)).toBeLessThanOrEqual(5e-4);
    }
  });
});

describe("nearest multiples", () => {
  test.each([
    // Base 5, as the NHS, ONS and OpenSAFELY round what they do not hide.
    [11, 5, "up", 10], [12, 5, "up", 10], [13, 5, "up", 15], [0, 5, "up", 0], [2, 5, "up", 0], [3, 5, "up", 5],
    // Half-way cases.
    [5, 10, "up", 10], [5, 10, "even", 0], [15, 10, "up", 20], [15, 10, "even", 20], [25, 10, "up", 30], [25, 10, "even", 20],
    [1, 2, "up", 2], [1, 2, "even", 0], [3, 2, "even", 4],
  ] as const)("%i to base %i, half %s: %i", (count, base, half, rounded) => expect(nearestMultiple(count, base, half)).toBe(rounded));

  // OpenSAFELY documentation, "midpoint 6 rounding": 1 to 6 become 3, 7 to 12 become 9, 0 stays 0.
  test.each([[0, 0], [1, 3], [6, 3], [7, 9], [12, 9], [13, 15], [18, 15]])("midpoint 6 of %i is %i", (count, shown) => expect(midpoint(count, 6)).toBe(shown));
});

describe("bias and variance in closed form are those of enumeration", () => {
  test.each(
    [2, 3, 4, 5, 6, 10, 25].flatMap((base) => [
      { kind: "deterministic", base, half: "up" }, { kind: "deterministic", base, half: "even" }, { kind: "midpoint", base }, { kind: "random", base },
    ]),
  )("$kind, base $base, half $half", (written) => {
    const options = Rounding.parse({ method: "rounding", ...written });
    const found = roundingStatistics(options)!;
    const { base } = written;
    for (const { remainder, bias, variance } of found.byRemainder) {
      // Two steps far from 0, so that even and odd multiples take part; both ways of a random draw with their exact weights.
      const changes = [4 * base + remainder, 5 * base + remainder].flatMap((count) => {
        if (options.kind === "random") return [{ change: base - remainder, weight: remainder / base / 2 }, { change: -remainder, weight: (base - remainder) / base / 2 }];
        const shown = options.kind === "midpoint" ? midpoint(count, base) : options.kind === "deterministic" ? nearestMultiple(count, base, options.half) : NaN;
        return [{ change: shown - count, weight: 1 / 2 }];
      });
      const mean = changes.reduce((sum, { change, weight }) => sum + weight * change, 0);
      expect(bias).toBeCloseTo(mean, 12);
      expect(variance).toBeCloseTo(changes.reduce((sum, { change, weight }) => sum + weight * (change - mean) ** 2, 0), 10);
    }
    if (options.kind === "random") expect(found.meanSquare).toBeCloseTo((base ** 2 - 1) / 6, 10);
    if (options.kind === "deterministic") expect(found.meanSquare).toBeCloseTo((base ** 2 + (base % 2 === 1 ? -1 : 2)) / 12, 10);
  });

  test("controlled rounding and the ladder have none", () => {
    expect(roundingStatistics(drb)).toBeUndefined();
    expect(roundingStatistics(Rounding.parse({ method: "rounding", kind: "controlled", base: 3 }))).toBeUndefined();
  });
});

test("the ladder on a table, its texts, and its check", async () => {
  const system = cubeOf([2, 2], [0, 14, 15, 1_234]);
  const values = await rounding.perturb(input(system), drb);
  const shown = Array.from(values, (value) => rounding.format!(value, drb));
  expect(shown.filter((text) => text === "<15")).toHaveLength(3); // 0, 14 and their total
  expect(rounding.check(publishedOf(system, values), drb)).toEqual([]);
  expect(rounding.check(publishedOf(system, values.map((value) => value + 1)), drb)[0]).toMatch(/none that drb rounding gives/);
  expect(rounding.describe(drb).countType).toBe("string");
});

test("what a policy may say", () => {
  const fails = (written: object) => Rounding.safeParse({ method: "rounding", ...written }).success;
  expect(fails({ kind: "random", base: 1 })).toBe(false);
  expect(fails({ kind: "random" })).toBe(false);
  expect(fails({ kind: "randon", base: 3 })).toBe(false);
  expect(fails({ kind: "random", base: 3, bass: 3 })).toBe(false);
  expect(Rounding.parse({ method: "rounding", kind: "midpoint" })).toMatchObject({ base: 6, totals: "rounded" });
  expect(Rounding.parse({ method: "rounding", kind: "random", base: 3 })).toMatchObject({ repeat: "same" });
});
