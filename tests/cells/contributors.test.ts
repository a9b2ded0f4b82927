import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boundContributions, countContributors, Folder, rollUp, type Cells } from "../../src/cells/index.ts";
import { DataError, PolicyError } from "../../src/errors/index.ts";
import type { RandomBits } from "../../src/random/random-bits.ts";
import { rehearsalBits } from "../../src/random/rehearsal-bits.ts";

/** Cells over (contributor, place) from rows of pairs. */
function cellsOf(rows: readonly (readonly [contributor: number, place: number])[], contributors = 10, places = 10): Cells {
  const folder = new Folder({ keys: ["contributor", "place"] });
  folder.add(rows.length, [Int32Array.from(rows, (row) => row[0]), Int32Array.from(rows, (row) => row[1])]);
  return folder.finish([contributors, places]);
}

const someRows = fc.array(fc.tuple(fc.nat({ max: 9 }), fc.integer({ min: -1, max: 9 })), { maxLength: 60 });

/** No random bit may be asked for. */
const noBits: RandomBits = { secure: false, fill: () => expect.unreachable("a draw was made") };

describe("counting contributors", () => {
  test("agrees with sets of contributors, in the order of the roll-up", () => {
    fc.assert(fc.property(someRows, (rows) => {
      const cells = cellsOf(rows);
      const counted = countContributors(cells, 0);
      expect(counted.codes).toEqual(rollUp(cells, ["drop", null]).codes);
      expect(counted.keys).toEqual(["place"]);
      for (let c = 0; c < counted.size; c++) {
        const place = counted.codes[0]![c]!;
        expect(counted.records[c]).toBe(new Set(rows.filter((row) => row[1] === place).map((row) => row[0])).size);
      }
    }));
  });

  test("records without a contributor are refused by number", () => {
    const cells = cellsOf([[1, 1], [-1, 1], [-1, 2], [-1, 2]]);
    expect(() => countContributors(cells, 0)).toThrow(DataError);
    expect(() => countContributors(cells, 0))
      .toThrow(expect.objectContaining({ code: "cells/null-contributor", detail: { column: "contributor", records: 3 } }));
    expect(() => boundContributions(cells, 0, 1, noBits)).toThrow(expect.objectContaining({ code: "cells/null-contributor" }));
  });
});

describe("bounding contributions", () => {
  test("nobody keeps more than the bound, and whoever has less keeps all", () => {
    fc.assert(fc.property(someRows, fc.integer({ min: 1, max: 8 }), fc.nat(), (rows, bound, seed) => {
      const cells = cellsOf(rows);
      const bounded = boundContributions(cells, 0, bound, rehearsalBits(seed));
      const perContributor = new Map<number, number>();
      for (const [contributor] of rows) perContributor.set(contributor, (perContributor.get(contributor) ?? 0) + 1);
      const expected = [...perContributor.values()].reduce((sum, n) => sum + Math.min(n, bound), 0);
      expect(bounded.records.reduce((sum, n) => sum + n, 0)).toBe(expected);
      expect(bounded.keys).toEqual(["place"]);
      expect(bounded.records.every((n) => n > 0)).toBe(true);

      const before = rollUp(cells, ["drop", null]);
      for (let c = 0; c < bounded.size; c++) {
        const at = before.codes[0]!.indexOf(bounded.codes[0]![c]!);
        expect(bounded.records[c]).toBeLessThanOrEqual(before.records[at]!);
      }
    }));
  });

  test("one contributor at a time: no cell keeps more than it had, and the bound is met exactly", () => {
    fc.assert(fc.property(fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 50 }), fc.nat(), (places, bound, seed) => {
      const bounded = boundContributions(cellsOf(places.map((place) => [3, place])), 0, bound, rehearsalBits(seed));
      expect(bounded.records.reduce((sum, n) => sum + n, 0)).toBe(Math.min(places.length, bound));
      for (let c = 0; c < bounded.size; c++) {
        expect(bounded.records[c]).toBeLessThanOrEqual(places.filter((place) => place === bounded.codes[0]![c]).length);
      }
    }));
  });

  test("within the bound no random bits are spent and nothing changes", () => {
    const rows = [[0, 1], [0, 2], [1, 1], [2, -1]] as const;
    const cells = cellsOf(rows);
    expect(boundContributions(cells, 0, 2, noBits)).toEqual(rollUp(cells, ["drop", null]));
  });

  test("the contributor may be any key", () => {
    const cells = cellsOf([[1, 5], [2, 5], [3, 5]]);
    const bounded = boundContributions(cells, 1, 2, rehearsalBits(1));
    expect(bounded.keys).toEqual(["contributor"]);
    expect(bounded.size).toBe(2);
  });

  test("no records", () => {
    expect(boundContributions(cellsOf([]), 0, 1, noBits).size).toBe(0);
  });

  /**
   * A contributor with 2, 1 and 3 records in three cells keeps m of 6. By the multivariate hypergeometric law
   * P(k1, k2, k3) = C(2,k1) C(1,k2) C(3,k3) / C(6,m). Pearson's chi-squared over the possible outcomes; a correct sampler
   * exceeds 60 with at most 9 degrees of freedom about once in 1e9 seeds. Choosing a cell first, whatever its records,
   * is the negative control.
   */
  test.each([{ keep: 2, draws: "those that stay" }, { keep: 4, draws: "those that go" }])(
    "keeping $keep of 6, drawing $draws, follows the hypergeometric law, and the test can tell a wrong law apart", ({ keep }) => {
      const counts = [2, 1, 3];
      const cells = cellsOf(counts.flatMap((n, place) => Array.from({ length: n }, () => [0, place] as const)));
      const bits = rehearsalBits("contributions");
      const samples = 20_000;
      const seen = new Map<string, number>();
      for (let i = 0; i < samples; i++) {
        const bounded = boundContributions(cells, 0, keep, bits);
        const kept = counts.map((_, place) => bounded.records[bounded.codes[0]!.indexOf(place)] ?? 0);
        seen.set(kept.join(), (seen.get(kept.join()) ?? 0) + 1);
      }
      const exact = law(counts, keep);
      expect(chiSquared(seen, exact, samples)).toBeLessThan(60);
      expect(chiSquared(seen, cellFirstLaw(counts, keep), samples)).toBeGreaterThan(60);
    });

  test.each([0, -1, 1.5, NaN])("a bound of %s records is refused", (bound) => {
    expect(() => boundContributions(cellsOf([[0, 0]]), 0, bound, noBits)).toThrow(PolicyError);
  });

  test("weights and measures cannot be bounded", () => {
    const folder = new Folder({ keys: ["contributor"], measures: ["income"] });
    folder.add(1, [Int32Array.of(0)], { measures: [Float64Array.of(1)] });
    expect(() => boundContributions(folder.finish([1]), 0, 1, noBits)).toThrow(expect.objectContaining({ code: "cells/bound-counts-only" }));
  });
});

function choose(n: number, k: number): number {
  let result = 1;
  for (let i = 0; i < k; i++) result = (result * (n - i)) / (i + 1);
  return result;
}

function outcomes(counts: readonly number[], keep: number): number[][] {
  if (counts.length === 0) return keep === 0 ? [[]] : [];
  return Array.from({ length: Math.min(counts[0]!, keep) + 1 }, (_, k) => k)
    .flatMap((k) => outcomes(counts.slice(1), keep - k).map((rest) => [k, ...rest]));
}

function law(counts: readonly number[], keep: number): Map<string, number> {
  const all = choose(counts.reduce((sum, n) => sum + n, 0), keep);
  return new Map(outcomes(counts, keep).map((kept) => [kept.join(), kept.reduce((p, k, i) => p * choose(counts[i]!, k), 1) / all]));
}

/** Law of a sampler that takes a nonempty cell at random, then a record of it. */
function cellFirstLaw(counts: readonly number[], keep: number): Map<string, number> {
  let laws = new Map([[counts.map(() => 0).join(), 1]]);
  for (let i = 0; i < keep; i++) {
    const next = new Map<string, number>();
    for (const [kept, p] of laws) {
      const taken = kept.split(",").map(Number);
      const open = counts.flatMap((n, cell) => (taken[cell]! < n ? [cell] : []));
      for (const cell of open) {
        const after = taken.with(cell, taken[cell]! + 1).join();
        next.set(after, (next.get(after) ?? 0) + p / open.length);
      }
    }
    laws = next;
  }
  return laws;
}

function chiSquared(seen: ReadonlyMap<string, number>, expected: ReadonlyMap<string, number>, samples: number): number {
  for (const outcome of seen.keys()) if (!expected.has(outcome)) return Infinity;
  let sum = 0;
  for (const [outcome, p] of expected) sum += ((seen.get(outcome) ?? 0) - p * samples) ** 2 / (p * samples);
  return sum;
}
