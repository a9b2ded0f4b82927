import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rehearsalBits } from "../../../src/random/rehearsal-bits.ts";
import { rounding } from "../../../src/tables/rounding/index.ts";
import { Rounding } from "../../../src/tables/rounding/schema.ts";
import { addsUp, cubeOf, input, labelsOf, publishedOf, smallTables } from "./helpers.ts";

const options = fc.oneof(
  fc.record({ kind: fc.constant("deterministic"), base: fc.integer({ min: 2, max: 12 }), half: fc.constantFrom("up", "even"), totals: fc.constantFrom("rounded", "summed") }),
  fc.record({ kind: fc.constant("midpoint"), base: fc.integer({ min: 2, max: 12 }), totals: fc.constantFrom("rounded", "summed") }),
  fc.record({ kind: fc.constant("random"), base: fc.integer({ min: 2, max: 12 }), repeat: fc.constantFrom("same", "fresh") }),
  fc.constant({ kind: "drb" }),
).map((written) => Rounding.parse({ method: "rounding", ...written }));

const run = (system: ReturnType<typeof cubeOf>, how: Rounding) =>
  rounding.perturb({ ...input(system), keyed: (label) => rehearsalBits(label), labelOf: labelsOf(system) }, how);

describe("every kind, on every small table", () => {
  test("passes its own check, keeps zeros, stays within its reach, adds up where it says so", async () => {
    await fc.assert(fc.asyncProperty(smallTables(60), options, async (system, how) => {
      const values = await run(system, how);
      expect(rounding.check(publishedOf(system, values), how)).toEqual([]);
      const summed = "totals" in how && how.totals === "summed";
      if (summed) expect(addsUp(system, values)).toBe(true);
      for (let c = 0; c < system.cells; c++) {
        if (system.count[c] === 0) expect(values[c]).toBe(0);
        if (summed || how.kind === "drb") continue;
        const reach = how.kind === "random" ? how.base - 1 : how.kind === "controlled" ? NaN : Math.floor(how.base / 2);
        expect(Math.abs(values[c]! - system.count[c]!)).toBeLessThanOrEqual(reach);
      }
    }), { numRuns: 300 });
  });

  test("is the same again", async () => {
    await fc.assert(fc.asyncProperty(smallTables(60), options, async (system, how) => {
      expect(await run(system, how)).toEqual(await run(system, how));
    }), { numRuns: 50 });
  });
});

test("the check sees a number that is no multiple, a fraction, a negative one, and a total that does not fit", () => {
  const system = cubeOf([2, 3], [1, 7, 3, 12, 5, 9]);
  const how = Rounding.parse({ method: "rounding", kind: "deterministic", base: 5 });
  const rounded = system.count.map((count) => Math.round(count / 5) * 5);
  const changed = (c: number, value: number) => rounding.check(publishedOf(system, rounded.map((own, k) => (k === c ? value : own))), how);
  const total = system.places[0]!.findIndex((_, c) => system.places.every((places) => places[c] === 0));
  expect(rounding.check(publishedOf(system, rounded), how)).toEqual([]);
  expect(changed(1, 6)[0]).toMatch(/^1 published numbers are none/);
  expect(changed(1, 2.5)[0]).toMatch(/none that/);
  expect(changed(1, -5)[0]).toMatch(/none that/);
  expect(changed(1, NaN)[0]).toMatch(/none that/);
  expect(changed(total, rounded[total]! + 100)[0]).toMatch(/farther/);
});

test("no message or description holds a count", async () => {
  const canary = 987_654_321;
  const system = cubeOf([2, 2], [canary, 1, 2, 3]);
  const how = Rounding.parse({ method: "rounding", kind: "deterministic", base: 5 });
  const texts = [...rounding.check(publishedOf(system, system.count), how), ...rounding.describe(how).methods, rounding.describe(how).countMeaning];
  expect(texts.join(" ")).not.toContain(String(canary));
});
