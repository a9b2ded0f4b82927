import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InternalError } from "../../../src/errors/index.ts";
import { rehearsalBits } from "../../../src/random/rehearsal-bits.ts";
import { uniformInts, type UniformInts } from "../../../src/random/index.ts";
import { rounding } from "../../../src/tables/rounding/index.ts";
import { randomMultiple } from "../../../src/tables/rounding/random.ts";
import { Rounding } from "../../../src/tables/rounding/schema.ts";
import { rejects, tally } from "../../random/chi-square.ts";
import { explore } from "../../random/decision-tree.ts";
import { cubeOf, input, labelsOf, publishedOf } from "./helpers.ts";

const SAMPLES = 20_000;
const same = Rounding.parse({ method: "rounding", kind: "random", base: 5 });
const fresh = Rounding.parse({ method: "rounding", kind: "random", base: 3, repeat: "fresh" });
const keyed = (key: string) => (label: string) => rehearsalBits(`${key}/${label}`);

test("the expected value is the count, by the exact probabilities of every draw", () => {
  fc.assert(fc.property(fc.nat({ max: 1_000_000 }), fc.integer({ min: 2, max: 1000 }), (count, base) => {
    const { succeeded } = explore((ints) => randomMultiple(count, base, ints), 0, 10);
    // Probabilities are remainders over the base; in these units all of it is whole.
    let weights = 0;
    let mean = 0;
    for (const [value, probability] of succeeded) {
      expect(value % base).toBe(0);
      expect(Math.abs(value - count)).toBeLessThan(base);
      const weight = Math.round(probability * base);
      expect(weight / base).toBeCloseTo(probability, 12);
      weights += weight;
      mean += weight * value;
    }
    expect(weights).toBe(base);
    expect(mean).toBe(count * base);
  }));
});

test("multiples of the base, zero among them, take no draw", () => {
  const none = { chance: () => { throw new Error("drawn"); } } as unknown as UniformInts;
  for (const count of [0, 3, 6, 999]) expect(randomMultiple(count, 3, none)).toBe(count);
});

test("draws fit the law, and the test can tell a wrong law apart", () => {
  const ints = uniformInts(rehearsalBits(5));
  const drawn = tally(SAMPLES, () => randomMultiple(17, 5, ints)); // a correct sampler fails about once in 1e6 seeds
  const law = (up: number) => (x: number) => (x === 20 ? up : x === 15 ? 1 - up : 0);
  expect(rejects(drawn, law(2 / 5), 15, 20)).toBe(false);
  expect(rejects(drawn, law(0.46), 15, 20)).toBe(true);
});

describe("rounding that repeats", () => {
  const system = cubeOf([3, 4], [1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14]);
  const run = (key: string, seed: number, of = system) => rounding.perturb({ ...input(of, seed), keyed: keyed(key), labelOf: labelsOf(of) }, same);

  test("depends on the key, not on the run", async () => {
    expect(await run("agency", 1)).toEqual(await run("agency", 2));
    expect(await run("agency", 1)).not.toEqual(await run("other", 1));
    expect(rounding.needsKey(same)).toBe(true);
    expect(rounding.needsKey(fresh)).toBe(false);
  });

  test("a cell with the same categories and count gets the same number in another table", async () => {
    // Both totals over b, and the grand total, are in the table of one dimension as well.
    const names = [{ name: "small", dimensions: [{ column: "a" }], margins: "all" as const }];
    const smaller = cubeOf([3, 4], [1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14], names);
    const wide = await run("agency", 1);
    const narrow = await run("agency", 1, smaller);
    const shown = (of: typeof system, values: Float64Array, a: number) => {
      const k = of.columns.findIndex(({ column }) => column === "a");
      for (let c = 0; c < of.cells; c++) if (of.places.every((places, column) => places[c] === (column === k ? a : 0))) return values[c];
      return undefined;
    };
    for (const a of [0, 1, 2, 3]) expect(shown(smaller, narrow, a)).toBe(shown(system, wide, a));
  });

  test("cells of the same people are drawn once", async () => {
    // Column b has one category: each total over b is the cell itself.
    const narrow = cubeOf([40, 1], Array.from({ length: 40 }, (_, i) => 11 + i));
    for (const options of [same, fresh]) {
      const values = await rounding.perturb({ ...input(narrow, 3), keyed: keyed("agency"), labelOf: labelsOf(narrow) }, options);
      const byPeople = new Map<string, number>();
      for (let c = 0; c < narrow.cells; c++) {
        const people = narrow.rows.subarray(narrow.starts[c], narrow.starts[c + 1]).join();
        expect(byPeople.get(people) ?? values[c]).toBe(values[c]);
        byPeople.set(people, values[c]!);
      }
      expect(byPeople.size).toBe(41);
    }
  });

  test("names of cells cannot run into each other, and hold the count", async () => {
    const labels: string[] = [];
    await rounding.perturb({ ...input(system), labelOf: labelsOf(system), keyed: (label) => { labels.push(label); return rehearsalBits(label); } }, same);
    expect(new Set(labels).size).toBe(labels.length);
    expect(labels.length).toBe(system.count.filter((count) => count % 5 > 0).length);
  });

  test("without key or texts it stops", async () => {
    await expect(rounding.perturb(input(system), same)).rejects.toThrow(InternalError);
    await expect(rounding.perturb({ ...input(system), keyed: keyed("k") }, same)).rejects.toMatchObject({ code: "rounding/no-key" });
  });
});

test("fresh draws differ from run to run and pass their check", async () => {
  const system = cubeOf([4, 5], Array.from({ length: 20 }, (_, i) => 3 * i + 1 + (i % 2)));
  const one = await rounding.perturb(input(system, 1), fresh);
  expect(one).not.toEqual(await rounding.perturb(input(system, 2), fresh));
  expect(rounding.check(publishedOf(system, one), fresh)).toEqual([]);
  expect(one.every((value, c) => value % 3 === 0 && Math.abs(value - system.count[c]!) < 3)).toBe(true);
});
