import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  designPTable, keyTable, keyTableStatistics, lookUp, perturbWeighted, pTableStatistics, readPTable, tenFiveRule, writeOnsTable,
  type KeyTable, type PTableDesign,
} from "../../../src/tables/cell-key/index.ts";

const fixture = (name: string) => readFileSync(new URL(`../../fixtures/cell-key/${name}`, import.meta.url), "utf8");

function noiseOf(table: KeyTable, count: number, key: number): number {
  const out = new Int32Array(1);
  lookUp(table, Float64Array.of(count), Float64Array.of(key), out);
  return out[0]!;
}

const sharesOf = (design: PTableDesign, count: number) => designPTable(design).table.rows[count]!.changes.map(({ share }) => share);

/**
 * Perturbation tables that come with tau-Argus; see the README of the fixtures. `digits` is what the shares agree to: the
 * first has 8 printed digits and is itself uneven by 2e-8 in its symmetric row, the third mixes 7, 8 and 9 digits.
 */
describe.each([
  { file: "ptab_freq.txt", entries: 66, within: 2e-8, design: { maxPerturbation: 5, variance: 3, smallestShown: 3, monotone: true, stay: 0.5 } },
  { file: "tau_testW_ptable.txt", entries: 113, within: 2e-9, design: { maxPerturbation: 7, variance: 4, smallestShown: 3, monotone: true } },
  {
    file: "20160511_szenario_5a.txt", entries: 66, within: 5e-8,
    design: { maxPerturbation: 5, variance: 2.001, smallestShown: 3, monotone: true, smallestShare: 1e-7 },
  },
])("tau-Argus sample table $file", ({ file, entries, within, design }) => {
  const printed = fixture(file).trim().split("\n").slice(1).map((line) => line.split(";").map(Number));

  test(`has ${entries} entries, and every share is what the design gives, to ${within}`, () => {
    const { rows } = designPTable(design).table;
    const own = rows.flatMap(({ count, changes }) => changes.map(({ noise, share }) => [count, count + noise, share, noise] as const));
    expect(own).toHaveLength(entries);
    expect(own.map(([i, j, , v]) => [i, j, v])).toEqual(printed.map(([i, j, , v]) => [i, j, v]));
    expect(Math.max(...own.map(([, , share], k) => Math.abs(share - printed[k]![2]!)))).toBeLessThan(within);
  });

  test("is read, has mean 0 and one variance, and decides by its own bounds", () => {
    const table = readPTable(fixture(file));
    for (const { count, bias, variance } of pTableStatistics(table).slice(1)) {
      expect([count, Math.abs(bias) < 2e-8, Math.abs(variance - design.variance) < 2e-7]).toEqual([count, true, true]);
    }
    // Keys of 10 decimals would not fit; 8 decimals are what the tool uses. Key k / 10^8 takes the first bound above it.
    const whole = keyTable(table, 100_000_000, "bounds");
    for (const [i, , , v, bound] of printed) {
      const below = Math.ceil(Number((bound! * 1e8).toPrecision(12))) - 1;
      expect([i, below, noiseOf(whole, i!, below)]).toEqual([i, below, v]);
    }
    expect(noiseOf(whole, 1_000_000, 99_999_999)).toBe(design.maxPerturbation);
  });
});

describe("rows with known shares", () => {
  // Three outcomes and three equations: p(-1) + p(1) + p(2) = 1, mean 0, variance V; solved by hand.
  test("D = 2, 1 never shown, V = 1.08 (ptable vignette: 0.5133, 0.46, 0.0267)", () => {
    const row = designPTable({ maxPerturbation: 2, variance: 1.08, smallestShown: 2 }).table.rows[1]!;
    expect(row.changes.map(({ noise }) => noise)).toEqual([-1, 1, 2]);
    [0.5133333333, 0.46, 0.0266666667].forEach((share, k) => expect(row.changes[k]!.share).toBeCloseTo(share, 9));
  });
  test("D = 2, 1 never shown, V = 1.05", () => {
    const row = sharesOf({ maxPerturbation: 2, variance: 1.05, smallestShown: 2 }, 1);
    [0.5083333333, 0.475, 0.0166666667].forEach((share, k) => expect(row[k]).toBeCloseTo(share, 9));
  });
  // Maximum entropy on the symmetric support, worked out anew with two unknowns and printed with 6 digits.
  test.each([
    { D: 2, V: 1, half: [0.063827, 0.244691, 0.382963] },
    { D: 2, V: 0.9, half: [0.051546, 0.243816, 0.409277] },
    { D: 5, V: 3, half: [0.003792, 0.016591, 0.052293, 0.11873, 0.194193, 0.228801] },
  ])("the symmetric row for D = $D, V = $V", ({ D, V, half }) => {
    const row = sharesOf({ maxPerturbation: D, variance: V }, D);
    expect(row.map((share) => Number(share.toFixed(6)))).toEqual([...half, ...half.slice(0, -1).reverse()]);
  });
  // ptable's documentation: D = 5, V = 3, js = 2 has 66 rows and 8 as largest count; D = 4 without hidden numbers has 4 rows.
  test.each([
    { D: 5, V: 3, shown: 3, last: 8, entries: 66 },
    { D: 4, V: 1, shown: 1, last: 4, entries: 1 + 6 + 7 + 8 + 9 },
  ])("D = $D, smallest shown $shown ends at count $last", ({ D, V, shown, last, entries }) => {
    const { rows } = designPTable({ maxPerturbation: D, variance: V, smallestShown: shown }).table;
    expect(rows.at(-1)!.count).toBe(last);
    expect(rows.flatMap(({ changes }) => changes)).toHaveLength(entries);
  });
});

/**
 * The vignette of ptable: with D = 2 and V = 1 the variance of count 1 comes out below 1, with V = 0.9 all rows hold. That is
 * its rule (variance at most V, monotone); with the variance asked for exactly, V = 1 can be had.
 */
describe("the violation of variance that ptable documents", () => {
  const ptable = { maxPerturbation: 2, monotone: true, varianceRule: "atMost" } as const;
  test("D = 2, V = 1: count 1 falls short, count 2 holds", () => {
    const { rows } = designPTable({ ...ptable, variance: 1 });
    expect(rows.map(({ asAsked }) => asAsked)).toEqual([true, false, true]);
    expect(rows[1]!.variance).toBeLessThan(0.94);
    expect(Math.abs(rows[1]!.bias)).toBeLessThan(1e-12);
  });
  test("D = 2, V = 0.9: every row holds", () => {
    expect(designPTable({ ...ptable, variance: 0.9 }).rows.every(({ asAsked }) => asAsked)).toBe(true);
  });
  test("asked for exactly, V = 1 holds: 3/8, 3/8, 1/8, 1/8 when monotone", () => {
    const row = sharesOf({ maxPerturbation: 2, variance: 1, monotone: true }, 1);
    [0.375, 0.375, 0.125, 0.125].forEach((share, k) => expect(row[k]).toBeCloseTo(share, 10));
  });
});

/** Office for National Statistics, cell-key-perturbation: technical specification (pcv) and `generate_ptable_10_5_rule`. */
describe("10-5 rule of the Office for National Statistics", () => {
  const table = tenFiveRule();

  test.each([
    [0, 0], [1, 0], [9, 0], [10, 10], [11, 10], [12, 10], [13, 15], [14, 15], [15, 15], [17, 15], [18, 20], [749, 750], [750, 750],
    // Above 750 the row is (count - 1) mod 250 + 501: 751 uses 501, 1000 uses 750, 1001 uses 501 again.
    [751, 750], [752, 750], [753, 755], [1000, 1000], [1001, 1000], [1003, 1005], [123_458, 123_460],
  ])("%i is shown as %i whatever the key", (count, shown) => {
    for (const key of [0, 1, 127, 128, 255]) expect(count + noiseOf(table, count, key)).toBe(shown);
  });

  test("is a file of 192,000 lines after the header, the first as published", () => {
    const lines = writeOnsTable(table).trimEnd().split("\n");
    expect(lines).toHaveLength(192_001);
    expect(lines.slice(0, 3)).toEqual(["pcv,ckey,pvalue", "1,0,-1", "1,1,-1"]);
    expect([lines[256], lines[257], lines[192_000]]).toEqual(["1,255,-1", "2,0,-2", "750,255,0"]);
  });

  test("is biased, and says so", () => {
    const statistics = keyTableStatistics(table);
    expect([1, 9, 10, 13].map((count) => statistics[count]!.bias)).toEqual([-1, -9, 0, 2]);
  });
});

test("weighted total of the cellKey vignette: 4,580 records, weight 275,982, noise -2", () => {
  const weighted = perturbWeighted(Float64Array.of(4580, 0), Float64Array.of(275_982, 0), Int32Array.of(-2, 0));
  expect(weighted[0]).toBeCloseTo(275_861.4838, 4);
  expect(weighted[1]).toBe(0);
});
