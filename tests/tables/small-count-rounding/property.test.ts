import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scatteredRanks, smallCountRounding } from "../../../src/tables/small-count-rounding/index.ts";
import { chooseRaised } from "../../../src/tables/small-count-rounding/choose-raised.ts";
import { roundInnerCounts } from "../../../src/tables/small-count-rounding/round-inner.ts";
import { SmallCountRounding } from "../../../src/tables/small-count-rounding/schema.ts";
import { addsUp, cubeOf, innerValues, input, publishedOf, smallTables } from "../rounding/helpers.ts";

const options = fc
  .record({ base: fc.integer({ min: 2, max: 8 }), more: fc.nat({ max: 3 }), zeroCandidates: fc.boolean(), allSmall: fc.boolean() })
  .map(({ base, more, ...rest }) => SmallCountRounding.parse({ method: "small-count-rounding", base, maxRound: base - 1 + more, ...rest }));

test("tables add up, show no small count, keep the grand total within half a base and each finest count within one base", async () => {
  await fc.assert(fc.asyncProperty(smallTables(15), options, async (system, how) => {
    const values = await smallCountRounding.perturb(input(system), how);
    expect(addsUp(system, values)).toBe(true);
    expect(smallCountRounding.check(publishedOf(system, values), how)).toEqual([]);
    expect(values.every((value) => value === 0 || value >= how.base)).toBe(true);
    const grand = system.places[0]!.findIndex((_, c) => system.places.every((places) => places[c] === 0));
    expect(2 * Math.abs(values[grand]! - system.count[grand]!)).toBeLessThanOrEqual(how.base);
    innerValues(system, values).forEach((value, i) => {
      const count = system.innerCount[i]!;
      expect(Math.abs(value - count)).toBeLessThanOrEqual(how.zeroCandidates ? how.base : how.base - 1);
      if (value !== count) expect(count).toBeLessThanOrEqual(how.maxRound!);
      if (count === 0 && !how.zeroCandidates) expect(value).toBe(0);
    });
  }), { numRuns: 120 });
});

test("without identifyNew only what touched a small published count changes", async () => {
  await fc.assert(fc.asyncProperty(smallTables(15), fc.integer({ min: 2, max: 8 }), async (system, base) => {
    const how = SmallCountRounding.parse({ method: "small-count-rounding", base, identifyNew: false, checkSums: false });
    const values = innerValues(system, await smallCountRounding.perturb(input(system), how));
    values.forEach((value, i) => {
      const count = system.innerCount[i]!;
      expect(value === count || (count > 0 && count < base)).toBe(true);
      expect(count > 0 && count < base ? value % base : 0).toBe(0); // here every finest count is published
    });
  }), { numRuns: 50 });
});

/** The selection as its definition says it, scanning all rows each time. */
function plainly(rows: number, columns: readonly (readonly number[])[], missing: number[], base: number, order: Int32Array, raise: number): number[] {
  const rank = [...order];
  const raised = new Set<number>();
  const score = (row: number) => columns.reduce((sum, column, j) => sum + (column.includes(row) ? missing[j]! : 0), 0);
  const shift = (row: number, by: number) => columns.forEach((column, j) => { if (column.includes(row)) missing[j]! += by; });
  let turn = 0;
  let latest = -1;
  const up = () => {
    const open = Array.from({ length: rows }, (_, row) => row).filter((row) => !raised.has(row));
    latest = open.sort((a, b) => score(b) - score(a) || rank[a]! - rank[b]!)[0]!;
    raised.add(latest);
    rank[latest] = -++turn;
    shift(latest, -base);
  };
  for (let n = 0; n < raise; n++) up();
  for (let n = 0; n < raise + 100; n++) {
    const worst = [...raised].sort((a, b) => score(a) - score(b) || rank[a]! - rank[b]!)[0]!;
    if (worst === latest) break;
    raised.delete(worst);
    rank[worst] = -++turn;
    shift(worst, base);
    up();
  }
  return Array.from({ length: rows }, (_, row) => (raised.has(row) ? 1 : 0));
}

describe("the choice of raised rows", () => {
  const instances = fc.integer({ min: 2, max: 90 }).chain((rows) =>
    fc.record({
      rows: fc.constant(rows),
      columns: fc.array(fc.uniqueArray(fc.nat({ max: rows - 1 }), { minLength: 1, maxLength: rows }).map((own) => own.sort((a, b) => a - b)), { minLength: 1, maxLength: 12 }),
      wanted: fc.array(fc.integer({ min: -10, max: 60 }), { minLength: 12, maxLength: 12 }),
      base: fc.integer({ min: 2, max: 9 }),
      raise: fc.integer({ min: 1, max: rows - 1 }),
    }),
  );

  test("is that of scanning all rows, with wide columns and narrow ones", () => {
    fc.assert(fc.property(instances, ({ rows, columns, wanted, base, raise }) => {
      const missing = columns.map((_, j) => wanted[j]!);
      const order = Int32Array.from({ length: rows }, (_, row) => (row * 37) % 101);
      const starts = [0];
      for (const column of columns) starts.push(starts.at(-1)! + column.length);
      const matrix = {
        rows,
        columns: columns.length,
        starts: Int32Array.from(starts),
        entries: Int32Array.from(columns.flat()),
      };
      const chosen = chooseRaised(matrix, Float64Array.from(missing), base, order, raise);
      expect([...chosen]).toEqual(plainly(rows, columns, [...missing], base, order, raise));
      expect(chosen.reduce((n, one) => n + one, 0)).toBe(raise);
    }), { numRuns: 80 });
  });
});

test("groups that overlap, and differences, follow from what is rounded", async () => {
  const groupings = [{ name: "g", groups: [{ label: "both", plus: ["0", "1"] }, { label: "apart", plus: ["1"], minus: ["2"] }] }];
  const system = cubeOf([3, 2], [1, 7, 3, 2, 8, 4], [{ name: "t", dimensions: [{ column: "a", groupings }, { column: "b" }], margins: "all" }]);
  const how = SmallCountRounding.parse({ method: "small-count-rounding", base: 5 });
  const values = await smallCountRounding.perturb(input(system), how);
  expect(smallCountRounding.check(publishedOf(system, values), how)).toEqual([]);
  expect(smallCountRounding.check(publishedOf(system, values.map((value, c) => (c === 4 ? value + 5 : value))), how)[0]).toMatch(/not the sum/);
});

test("the check sees small counts, fractions and negative numbers", () => {
  const system = cubeOf([2, 2], [0, 5, 5, 10]);
  const how = SmallCountRounding.parse({ method: "small-count-rounding", base: 5 });
  const at = (value: number) => smallCountRounding.check(publishedOf(system, system.count.map((own, c) => (c === system.cells - 1 ? value : own))), how)[0];
  expect(at(system.count[system.cells - 1]!)).toBeUndefined();
  expect(at(3)).toMatch(/1 published counts are from 1 to 4/);
  expect(at(7.5)).toMatch(/not whole/);
  expect(at(-5)).toMatch(/not whole/);
});

test("small counts that follow by subtraction are rounded too", () => {
  // Published: 23 in all, 20 of them in the first part. The 3 that are left are shown nowhere and known to everybody.
  const system = {
    cells: 2, count: Float64Array.of(23, 20), inner: 2, innerCount: Float64Array.of(20, 3), starts: Int32Array.of(0, 2, 3), rows: Int32Array.of(0, 1, 0),
  };
  const rounded = (checkSums: boolean) =>
    roundInnerCounts(system, SmallCountRounding.parse({ method: "small-count-rounding", base: 5, checkSums }), scatteredRanks);
  expect([...rounded(true)]).toEqual([20, 5]);
  expect([...rounded(false)]).toEqual([20, 3]);
});

test("maxRound below base - 1 needs identifyNew: false", () => {
  expect(SmallCountRounding.safeParse({ method: "small-count-rounding", base: 5, maxRound: 2 }).success).toBe(false);
  expect(SmallCountRounding.safeParse({ method: "small-count-rounding", base: 5, maxRound: 2, identifyNew: false }).success).toBe(true);
});
