import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DisclosureError } from "../../../src/errors/index.ts";
import { tabularAdjustment, tabularAdjustmentStatistics } from "../../../src/tables/tabular-adjustment/index.ts";
import { TabularAdjustment } from "../../../src/tables/tabular-adjustment/schema.ts";
import type { TableSystem } from "../../../src/tables/tabulate/index.ts";
import { addsUp, cubeOf, input, publishedOf, sumsOf } from "../rounding/helpers.ts";

const options = (threshold: number, more: object = {}) => TabularAdjustment.parse({ method: "tabular-adjustment", threshold, ...more });

/** Least sum of absolute changes over all whole tables that keep the rules, by trying every value of every inner cell. */
function bestByEnumeration(system: TableSystem, { threshold, zeros, maxChange }: TabularAdjustment): number | undefined {
  const { count, innerCount } = system;
  const reach = maxChange ?? 2 * threshold;
  const allowed = (value: number, x: number): boolean => {
    if (x >= threshold) return value >= threshold && Math.abs(value - x) <= reach;
    if (x === 0 && zeros === "stay") return value === 0;
    return value === 0 || (value >= threshold && value <= threshold + reach);
  };
  const choices = Array.from(innerCount, (x) => Array.from({ length: x + threshold + reach + 1 }, (_, value) => value).filter((value) => allowed(value, x)));
  let best: number | undefined;
  const inner: number[] = [];
  const descend = (i: number): void => {
    if (i === choices.length) {
      const values = sumsOf(system, inner);
      if (!values.every((value, c) => allowed(value, count[c]!))) return;
      const cost = values.reduce((sum, value, c) => sum + Math.abs(value - count[c]!), 0);
      if (best === undefined || cost < best) best = cost;
      return;
    }
    for (const value of choices[i]!) {
      inner[i] = value;
      descend(i + 1);
    }
  };
  descend(0);
  return best;
}

describe("against all tables that keep the rules", () => {
  test("two by two, absolute distance: the optimum, or none", async () => {
    const tables = fc.array(fc.nat({ max: 9 }), { minLength: 4, maxLength: 4 }).filter((counts) => counts.some((count) => count > 0));
    await fc.assert(fc.asyncProperty(tables, fc.integer({ min: 2, max: 4 }), fc.constantFrom("stay", "move"), fc.integer({ min: 1, max: 3 }), async (counts, threshold, zeros, maxChange) => {
      const system = cubeOf([2, 2], counts);
      const how = options(threshold, { zeros, maxChange, distance: "absolute" });
      let found: number | undefined;
      try {
        const values = await tabularAdjustment.perturb(input(system), how);
        expect(tabularAdjustment.check(publishedOf(system, values), how)).toEqual([]);
        expect(addsUp(system, values)).toBe(true);
        found = values.reduce((sum, value, c) => sum + Math.abs(value - system.count[c]!), 0);
      } catch (error) {
        expect(error).toBeInstanceOf(DisclosureError);
      }
      expect(found).toBe(bestByEnumeration(system, how));
    }), { numRuns: 15 });
  });
});

describe.each(["absolute", "relative"])("laws, %s distance", (distance) => {
  test("no small count, sums hold, zeros stay, nothing moves further than allowed", async () => {
    const tables = fc.array(fc.nat({ max: 60 }), { minLength: 12, maxLength: 12 }).filter((counts) => counts.some((count) => count > 0));
    await fc.assert(fc.asyncProperty(tables, async (counts) => {
      const system = cubeOf([3, 4], counts);
      const how = options(11, { distance, maxChange: 40 });
      const values = await tabularAdjustment.perturb(input(system), how);
      expect(addsUp(system, values)).toBe(true);
      values.forEach((value, c) => {
        const count = system.count[c]!;
        expect(value === 0 || value >= 11).toBe(true);
        if (count === 0) expect(value).toBe(0);
        if (count >= 11) expect(Math.abs(value - count)).toBeLessThanOrEqual(40);
      });
    }), { numRuns: 10 });
  });
});

test("a table without small counts stays as it is", async () => {
  const system = cubeOf([2, 3], [0, 11, 40, 12, 99, 0]);
  expect(await tabularAdjustment.perturb(input(system), options(11))).toEqual(system.count);
});

test("the same table gives the same numbers, and its check sees what does not belong", async () => {
  const system = cubeOf([3, 3], [4, 20, 31, 15, 12, 40, 50, 60, 70]);
  const values = await tabularAdjustment.perturb(input(system, 1), options(11));
  expect(await tabularAdjustment.perturb(input(system, 2), options(11))).toEqual(values);
  const changed = (value: number) => tabularAdjustment.check(publishedOf(system, values.map((own, c) => (c === 5 ? value : own))), options(11)).join(" ");
  expect(changed(4)).toMatch(/1 published counts are from 1 to 10.*not the sum/);
  expect(changed(1.5)).toMatch(/not whole/);
});

test("without a solution it is refused, with what to do and no count", async () => {
  // 40 and 47 cannot move by more than 1, but the 7 must become 0 or at least 11.
  const failed = tabularAdjustment.perturb(input(cubeOf([2], [40, 7])), options(11, { maxChange: 1 }));
  await expect(failed).rejects.toMatchObject({ code: "tabular-adjustment/no-solution", detail: { threshold: 11, maxChange: 1 } });
  await expect(failed).rejects.not.toThrow(/\b(?:40|47|7)\b/);
});

test("groups that overlap, and differences, move with their parts", async () => {
  const groupings = [{ name: "g", groups: [{ label: "both", plus: ["0", "1"] }, { label: "apart", plus: ["1"], minus: ["2"] }] }];
  const system = cubeOf([3, 2], [13, 27, 3, 22, 18, 34], [{ name: "t", dimensions: [{ column: "a", groupings }, { column: "b" }], margins: "all" }]);
  const values = await tabularAdjustment.perturb(input(system), options(11));
  expect(values).not.toEqual(system.count);
  expect(tabularAdjustment.check(publishedOf(system, values), options(11))).toEqual([]);
});

test("both ways out of a small count", () => {
  for (const { count, down, up, unbiasedShareUp } of tabularAdjustmentStatistics({ threshold: 11 })) {
    expect([count + down, count + up]).toEqual([0, 11]);
    expect(unbiasedShareUp * up + (1 - unbiasedShareUp) * down).toBeCloseTo(0, 12);
  }
});
