import * as fc from "fast-check";
import type { Highs } from "highs";
import { describe, expect, test } from "vitest";
import { PolicyError } from "../../../src/errors/index.ts";
import { designPTable, keyTable, keyTableStatistics, pTableStatistics, roundPTable, type PTableDesign } from "../../../src/tables/cell-key/index.ts";

const designs = fc
  .record({
    maxPerturbation: fc.integer({ min: 1, max: 7 }),
    share: fc.double({ min: 0.02, max: 0.9, noNaN: true }),
    smallestShown: fc.integer({ min: 1, max: 4 }),
    stay: fc.constantFrom(0, 0, 0.3, 0.5),
    monotone: fc.boolean(),
    smallestShare: fc.constantFrom(0, 0, 1e-6),
  })
  .map(({ share, ...rest }): PTableDesign & { variance: number; smallestShown: number; stay: number; monotone: boolean; smallestShare: number } => ({
    ...rest,
    smallestShown: Math.min(rest.smallestShown, rest.maxPerturbation),
    variance: Number((share * rest.maxPerturbation ** 2).toPrecision(4)),
  }));

/** Outputs that a row may have, by the definition. */
function support(count: number, D: number, smallestShown: number): number[] {
  const noises: number[] = [];
  for (let v = -D; v <= D; v++) if (count + v === 0 || count + v >= smallestShown) noises.push(v);
  return noises;
}

const entropy = (shares: readonly number[]) => shares.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);

describe("designed tables", () => {
  test("meet every condition, or the design is refused", () => {
    let made = 0;
    fc.assert(
      fc.property(designs, (design) => {
        let result;
        try {
          result = designPTable(design);
        } catch (error) {
          expect(error).toBeInstanceOf(PolicyError);
          expect((error as PolicyError).code).toBe("cell-key/impossible-row");
          return;
        }
        made++;
        const { maxPerturbation: D, variance, smallestShown, stay, monotone, smallestShare } = design;
        for (const { count, changes } of result.table.rows.slice(1)) {
          const shares = changes.map(({ share }) => share);
          const noises = changes.map(({ noise }) => noise);
          expect(noises).toEqual(support(count, D, smallestShown));
          expect(Math.abs(shares.reduce((a, b) => a + b) - 1)).toBeLessThan(1e-12);
          expect(Math.abs(shares.reduce((sum, p, k) => sum + p * noises[k]!, 0))).toBeLessThan(1e-11);
          expect(Math.abs(shares.reduce((sum, p, k) => sum + p * noises[k]! ** 2, 0) - variance)).toBeLessThan(2e-9);
          for (const p of shares) expect(p).toBeGreaterThanOrEqual(smallestShare - 1e-10);
          const none = noises.indexOf(0);
          if (none >= 0) expect(shares[none]).toBeGreaterThanOrEqual(stay - 1e-10);
          for (let k = 0; monotone && k < none; k++) expect(shares[k + 1]! - shares[k]!).toBeGreaterThan(-1e-10);
        }
        expect(pTableStatistics(result.table).slice(1).every(({ largestChange }) => largestChange <= D)).toBe(true);
      }),
      { seed: 3, numRuns: 250 },
    );
    expect(made).toBeGreaterThan(60);
  });

  test("no small move within the conditions has larger entropy", () => {
    const moves = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 15, maxLength: 15 });
    fc.assert(
      fc.property(designs, moves, (design, random) => {
        let table;
        try {
          ({ table } = designPTable(design));
        } catch {
          return;
        }
        for (const { changes } of table.rows.slice(1)) {
          const shares = changes.map(({ share }) => share);
          const noises = changes.map(({ noise }) => noise);
          const none = noises.indexOf(0);
          // Take mean, variance and sum out of a random direction (Gram-Schmidt), then step as far as the bounds allow.
          const basis: number[][] = [];
          for (const power of [0, 1, 2]) {
            let own = noises.map((v) => v ** power);
            for (const b of basis) {
              const along = own.reduce((sum, x, k) => sum + x * b[k]!, 0);
              own = own.map((x, k) => x - along * b[k]!);
            }
            const length = Math.hypot(...own);
            if (length > 1e-9) basis.push(own.map((x) => x / length));
          }
          let direction = noises.map((_, k) => random[k % random.length]! * shares[k]!);
          for (const b of basis) {
            const along = direction.reduce((sum, x, k) => sum + x * b[k]!, 0);
            direction = direction.map((x, k) => x - along * b[k]!);
          }
          for (const size of [0.3, 1e-2, 1e-3]) {
            const moved = shares.map((p, k) => p + size * direction[k]!);
            const isAllowed = moved.every((p, k) => p >= design.smallestShare && (k !== none || p >= design.stay)) &&
              (!design.monotone || none < 0 || moved.every((p, k) => k >= none || p <= moved[k + 1]!));
            if (isAllowed) expect(entropy(moved)).toBeLessThanOrEqual(entropy(shares) + 1e-12);
          }
        }
      }),
      { seed: 4, numRuns: 250 },
    );
  });

  test("the range of variances that a row reports is that of a linear program", async () => {
    const highs = await ((await import("highs")) as unknown as { readonly default: () => Promise<Highs> }).default();
    for (const design of fc.sample(designs, { seed: 5, numRuns: 12 })) {
      const { maxPerturbation: D, smallestShown, stay, monotone, smallestShare } = design;
      const { rows } = reportsOf(design);
      for (const report of rows) {
        const noises = support(report.count, D, smallestShown);
        const none = noises.indexOf(0);
        const sum = (weights: readonly number[]) => weights.map((w, k) => `${w < 0 ? "-" : "+"} ${Math.abs(w)} p${k}`).join(" ");
        const rules = [`one: ${sum(noises.map(() => 1))} = 1`, `mean: ${sum(noises)} = 0`];
        for (let k = 0; monotone && k < none; k++) rules.push(`m${k}: p${k + 1} - p${k} >= 0`);
        const bounds = noises.map((_, k) => `p${k} >= ${k === none ? Math.max(stay, smallestShare) : smallestShare}`);
        const extremes = (["Minimize", "Maximize"] as const).map((sense) => {
          const solved = highs.solve(`${sense}\nobj: ${sum(noises.map((v) => v * v))}\nSubject To\n${rules.join("\n")}\nBounds\n${bounds.join("\n")}\nEnd`);
          return solved.Status === "Optimal" ? solved.ObjectiveValue : Number.NaN;
        });
        expect(report.variances[0]).toBeCloseTo(extremes[0]!, 6);
        expect(report.variances[1]).toBeCloseTo(extremes[1]!, 6);
      }
    }
  });

  test("without other conditions the range is from the neighbours of 0 to the ends", () => {
    const { rows } = designPTable({ maxPerturbation: 5, variance: 3, smallestShown: 3 });
    expect(rows[1]!.variances.map((v) => Number(v.toFixed(9)))).toEqual([2, 5]); // -1 and 2; -1 and 5
    expect(rows[2]!.variances.map((v) => Number(v.toFixed(9)))).toEqual([2, 10]);
    expect(rows[3]!.variances.map((v) => Number(v.toFixed(9)))).toEqual([0, 15]);
  });
});

/** Rows of a design that is possible: the nearest variance stands in where the one asked for is not to be had. */
function reportsOf(design: PTableDesign) {
  try {
    const { rows } = designPTable({ ...design, impossibleRows: "nearest" });
    return { rows: rows.slice(1) };
  } catch {
    return { rows: [] };
  }
}

describe("rows that cannot be", () => {
  test("are refused by count, with what to do", () => {
    // Counts 1 and 2 must pass over 1 and 2: their variance is at least 1 x 2.
    const design = { maxPerturbation: 5, variance: 1.9, smallestShown: 3 };
    expect(() => designPTable(design)).toThrow(/counts of 1, 2:.*variance 1\.9.*impossibleRows: nearest/);
    const { rows } = designPTable({ ...design, impossibleRows: "nearest" });
    expect(rows.map(({ asAsked }) => asAsked)).toEqual([true, false, false, true, true, true, true, true, true]);
    expect([rows[1]!.variance, rows[2]!.variance]).toEqual([2, 2]);
  });
  test("a variance on the very edge is taken, with the two changes that are left", () => {
    const { table } = designPTable({ maxPerturbation: 2, variance: 1, smallestShown: 2 });
    expect(table.rows[1]!.changes.map(({ share }) => share)).toEqual([0.5, 0.5, 0]);
  });
  test("D = 1 without hidden numbers: -1, 0, 1 for every count", () => {
    const { table } = designPTable({ maxPerturbation: 1, variance: 0.5 });
    expect(table.rows).toHaveLength(2);
    expect(table.rows[1]!.changes.map(({ share }) => Number(share.toFixed(12)))).toEqual([0.25, 0.5, 0.25]);
  });
  test.each([
    { maxPerturbation: 0, variance: 1 },
    { maxPerturbation: 2.5, variance: 1 },
    { maxPerturbation: 31, variance: 1 },
    { maxPerturbation: 5, variance: 0 },
    { maxPerturbation: 5, variance: -1 },
    { maxPerturbation: 5, variance: Number.NaN },
    { maxPerturbation: 5, variance: 26 },
    { maxPerturbation: 5, variance: 3, smallestShown: 0 },
    { maxPerturbation: 5, variance: 3, smallestShown: 6 },
    { maxPerturbation: 5, variance: 3, stay: 1 },
    { maxPerturbation: 5, variance: 3, stay: -0.1 },
    { maxPerturbation: 5, variance: 3, stay: [0.5] },
    { maxPerturbation: 5, variance: 3, smallestShare: 0.5 },
  ])("options out of range are refused: %j", (design) => {
    expect(() => designPTable(design)).toThrow(expect.objectContaining({ code: "cell-key/bad-design" }));
  });
  test("stay and monotone may differ by row, as ptable's D = 2, js = 1 example does", () => {
    const { rows } = designPTable({ maxPerturbation: 2, variance: 1.08, smallestShown: 2, monotone: [true, true, false, true] });
    expect(rows).toHaveLength(5);
    const { rows: stays } = designPTable({ maxPerturbation: 4, variance: 1, stay: [0.5, 0.5, 0.7, 0.8] });
    expect(stays.slice(1).map(({ stays: share }) => Number(share.toFixed(9)))).toEqual([0.5, 0.5, 0.7, 0.8]);
  });
  test("wide designs are made in reasonable time", () => {
    const { rows } = designPTable({ maxPerturbation: 30, variance: 20, smallestShown: 5, monotone: true });
    expect(rows.every(({ asAsked }) => asAsked)).toBe(true);
  });
});

describe("whole keys", () => {
  test.each([256, 1000, 65_536, 1 << 20, 100_000_000])("with %i keys the mean is exactly 0 and the variance near", (keys) => {
    for (const design of [{ maxPerturbation: 5, variance: 3, smallestShown: 3 }, { maxPerturbation: 2, variance: 1.05, smallestShown: 2 }]) {
      const statistics = keyTableStatistics(keyTable(designPTable(design).table, keys, "unbiased"));
      for (const { count, bias, variance } of statistics.slice(1)) {
        expect([count, bias]).toEqual([count, 0]);
        expect(Math.abs(variance - design.variance)).toBeLessThan(60 / keys);
      }
    }
  });
  test("where no whole numbers have mean 0, the nearest are taken and the bias is reported", () => {
    // -1 and 2 only: 256 keys cannot be split 2 to 1
    const changes = [{ noise: -1, share: 2 / 3, upper: 2 / 3 }, { noise: 2, share: 1 / 3, upper: 1 }];
    const table = { rows: [{ count: 0, changes: [{ noise: 0, share: 1, upper: 1 }] }, { count: 1, changes }] };
    const { bias } = keyTableStatistics(keyTable(table, 256, "unbiased"))[1]!;
    expect(Math.abs(bias)).toBeCloseTo(1 / 256, 12);
  });
  test("a table rounded to 8 decimals gives the same whole keys by its bounds as the designed one gives by its shares", () => {
    const { table } = designPTable({ maxPerturbation: 7, variance: 4, smallestShown: 3, monotone: true });
    expect(keyTable(roundPTable(table), 100_000_000, "bounds")).toEqual(keyTable(table, 100_000_000, "unbiased"));
  });
});
