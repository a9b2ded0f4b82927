import { describe, expect, test } from "vitest";
import { PolicyError } from "../../../src/errors/index.ts";
import {
  allowedSuppressions, leastSuppressed, searchKAnonymity, searchKAnonymityInSlices, type KAnonymitySearch,
} from "../../../src/microdata/k-anonymity/index.ts";
import { METRIC_NAMES } from "../../../src/utility/index.ts";
import { boundTable, type SmallTable } from "./small-tables.ts";

const COLOURS = [["red", "warm", "*"], ["orange", "warm", "*"], ["blue", "cold", "*"], ["green", "cold", "*"]];
const SIZES = [["s", "*"], ["m", "*"], ["l", "*"]];
const rows = (...texts: readonly string[]): (string | null)[][] =>
  texts.map((text) => text.split(" ").map((value) => (value === "-" ? null : value)));

function request(table: SmallTable, more: Partial<KAnonymitySearch> = {}): KAnonymitySearch {
  return { ...boundTable(table), k: 2, maxSuppressedShare: 0, metric: { metric: "loss" }, ...more };
}

/** The worked example of src/microdata/k-anonymity/README.md. */
describe("by hand", () => {
  const table: SmallTable = { trees: [COLOURS, SIZES], rows: rows("red s", "orange s", "red m", "orange m", "blue l", "blue l") };

  test("warm colours merge, sizes stay: loss 0.1547", () => {
    const plan = searchKAnonymity(request(table))!;
    expect(plan).toMatchObject({ levels: [1, 0], suppressed: 0, classes: 3, smallestClass: 2, nodes: 6 });
    // Colour: (6 x 2/4 - 6/4) / (6 - 6/4) = 1/3, size 0; square root of 4/3 x 1, minus 1.
    expect(plan.loss).toBeCloseTo(Math.sqrt(4 / 3) - 1, 12);
  });

  test("with two thirds suppressed nothing need be coarsened, but it costs more", () => {
    const plan = searchKAnonymity(request(table, { maxSuppressedShare: 0.67, alternatives: 10 }))!;
    expect(plan.levels).toEqual([1, 0]);
    const asIs = plan.alternatives.find(({ levels }) => levels.every((level) => level === 0))!;
    expect(asIs.suppressed).toBe(4);
    // Four records pay 1, two pay 1/4 (or 1/3): colour (4 + 2/4 - 6/4) / 4.5 = 2/3, size (4 + 2/3 - 2) / 4 = 2/3.
    expect(asIs.loss).toBeCloseTo(2 / 3, 12);
  });
});

describe("ties", () => {
  test("fewest suppressed first", () => {
    // Merging either key costs height 1. Merging the second, which comes first in the order of levels, suppresses (m, *).
    const table: SmallTable = { trees: [SIZES, SIZES], rows: rows("s s", "m s", "s m", "s m") };
    const plan = searchKAnonymity(request(table, { metric: { metric: "height" }, maxSuppressedShare: 0.25 }))!;
    expect(plan).toMatchObject({ levels: [1, 0], suppressed: 0 });
    expect(plan.alternatives[0]).toMatchObject({ levels: [0, 1], suppressed: 1 });
  });
  test("then lowest sum of levels, then lowest levels from the first key on", () => {
    const table: SmallTable = { trees: [SIZES, SIZES], rows: rows("s s", "m m", "l l", "s l") };
    const { levels, alternatives } = searchKAnonymity(request(table, { metric: { metric: "height" }, maxSuppressedShare: 0.5 }))!;
    expect([levels, ...alternatives.map((each) => each.levels)]).toEqual([[0, 1], [1, 0], [1, 1]]);
  });
});

describe("edges", () => {
  const none: SmallTable = { trees: [COLOURS, SIZES], rows: [] };

  test.each(METRIC_NAMES)("no records, %s: nothing to protect", (metric) => {
    expect(searchKAnonymity(request(none, { metric: { metric } }))).toMatchObject({ levels: [0, 0], suppressed: 0, classes: 0, smallestClass: 0 });
  });

  test.each(METRIC_NAMES)("one record, %s: no solution, unless it may be suppressed", (metric) => {
    const one: SmallTable = { trees: [COLOURS], rows: rows("red") };
    expect(searchKAnonymity(request(one, { metric: { metric } }))).toBeUndefined();
    expect(leastSuppressed(request(one))).toEqual({ suppressed: 1, records: 1 });
    expect(searchKAnonymity(request(one, { metric: { metric }, maxSuppressedShare: 1 }))).toMatchObject({ suppressed: 1, classes: 0, smallestClass: 0 });
  });

  test("all null is one class at every level", () => {
    const table: SmallTable = { trees: [COLOURS, SIZES], rows: rows("- -", "- -") };
    expect(searchKAnonymity(request(table))).toMatchObject({ levels: [0, 0], classes: 1, loss: 0 });
  });

  test("null stays apart, even from the top level: a lone null must be suppressed", () => {
    const table: SmallTable = { trees: [COLOURS], rows: rows("red", "red", "-") };
    expect(searchKAnonymity(request(table))).toBeUndefined();
    expect(searchKAnonymity(request(table, { maxSuppressedShare: 0.34 }))).toMatchObject({ levels: [0], suppressed: 1 });
  });

  test("k = 1 asks for nothing", () => {
    const table: SmallTable = { trees: [COLOURS, SIZES], rows: rows("red s", "blue m") };
    expect(searchKAnonymity(request(table, { k: 1 }))).toMatchObject({ levels: [0, 0], loss: 0, suppressed: 0 });
  });

  test("a key with one level only, and a leaf that no record has", () => {
    const table: SmallTable = { trees: [[["a"], ["b"]], COLOURS], rows: rows("a red", "a orange", "b blue", "b green") };
    expect(searchKAnonymity(request(table))).toMatchObject({ levels: [0, 1], classes: 2 });
  });
});

describe("the limit is exact", () => {
  test.each([
    { share: 0.29, records: 100, allowed: 29 }, // 0.29 * 100 is 28.999... in floating point
    { share: 0.04, records: 30_162, allowed: 1206 },
    { share: 0.07, records: 100, allowed: 7 },
    { share: 1e-7, records: 10_000_000, allowed: 1 },
    { share: 0, records: 5, allowed: 0 },
    { share: 1, records: 9_007_199_254_740_991, allowed: 9_007_199_254_740_991 },
  ])("$share of $records is $allowed", ({ share, records, allowed }) => {
    expect(allowedSuppressions(share, records)).toBe(allowed);
  });
});

describe("refusals", () => {
  const table: SmallTable = { trees: [COLOURS, SIZES], rows: rows("red s", "red s") };

  test.each([
    { name: "a level beyond the hierarchy", more: { limits: [{ max: 3 }] }, code: "k-anonymity/bad-levels" },
    { name: "limits the wrong way round", more: { limits: [{ min: 2, max: 1 }] }, code: "k-anonymity/bad-levels" },
    { name: "half a level", more: { limits: [undefined, { min: 0.5 }] }, code: "k-anonymity/bad-levels" },
    { name: "too few weights", more: { weights: [1] }, code: "k-anonymity/bad-weights" },
    { name: "weights of nothing", more: { weights: [0, 0] }, code: "k-anonymity/bad-weights" },
    { name: "a share above 1", more: { maxSuppressedShare: 4 }, code: "k-anonymity/bad-share" },
    { name: "a share that is no number", more: { maxSuppressedShare: NaN }, code: "k-anonymity/bad-share" },
    { name: "a search larger than allowed", more: { maxClassesVisited: 0 }, code: "k-anonymity/search-too-large" },
  ])("$name", ({ more, code }) => {
    expect(() => searchKAnonymity(request(table, more))).toThrow(PolicyError);
    expect(() => searchKAnonymity(request(table, more))).toThrow(expect.objectContaining({ code }));
  });

  test("a hierarchy with more levels than can be searched", () => {
    const tall: SmallTable = { trees: [[Array.from({ length: 257 }, (_, level) => `level${level}`)]], rows: rows("level0") };
    expect(() => searchKAnonymity(request(tall))).toThrow(expect.objectContaining({ code: "k-anonymity/too-many-levels" }));
  });

  test("an aborted signal ends the search", async () => {
    const many: SmallTable = { trees: [COLOURS, COLOURS, SIZES], rows: rows("red blue s", "green blue m", "orange red l", "blue green s") };
    const signal = AbortSignal.abort(new Error("stopped"));
    expect(() => searchKAnonymity(request(many, { signal, maxSuppressedShare: 0.5 }))).toThrow("stopped");
    await expect(searchKAnonymityInSlices(request(many, { signal, maxSuppressedShare: 0.5 }), 0)).rejects.toThrow("stopped");
  });
});

test("weights: a key that weighs nothing is coarsened first", () => {
  const table: SmallTable = { trees: [SIZES, SIZES], rows: rows("s m", "m m", "s l", "m l", "s s", "m s") };
  expect(searchKAnonymity(request(table, { weights: [1, 0] }))!.levels).toEqual([0, 1]);
  expect(searchKAnonymity(request(table, { weights: [0, 1] }))!.levels).toEqual([1, 0]);
});

test("progress only grows, and each generalization is looked at twice at most", () => {
  const table: SmallTable = { trees: [COLOURS, COLOURS, SIZES], rows: rows("red blue s", "green blue m", "orange red l", "blue green s") };
  let decided = 0;
  const plan = searchKAnonymity(request(table, {
    maxSuppressedShare: 1, k: 1,
    onProgress: (progress) => {
      expect(progress.decided).toBeGreaterThanOrEqual(decided);
      expect(progress.decided).toBeLessThanOrEqual(1);
      decided = progress.decided;
    },
  }))!;
  expect(plan.nodesChecked).toBeLessThan(2 * plan.nodes);
});

/**
 * Records that lose nothing in a key pay the same 1 / leaves as the least there is. Summed and subtracted, 3 x 1/5 - 3/5 left
 * 1e-16 behind, and two generalizations that tie by rank were ordered by it.
 */
test("no loss is exactly 0, so that ties are ties", () => {
  const five = ["v0", "v1", "v2", "v3", "v4"].map((value) => [value, "*"]);
  const table: SmallTable = { trees: [five, [["w0", "*"], ["w1", "*"]]], rows: rows("v0 w0", "v0 w0", "v0 w0") };
  const plan = searchKAnonymity(request(table, { k: 1, metric: { metric: "loss", aggregate: "rank" } }))!;
  expect(plan.loss).toBe(0);
  expect(plan.alternatives.map(({ levels }) => levels)).toEqual([[0, 1], [1, 0], [1, 1]]);
});
