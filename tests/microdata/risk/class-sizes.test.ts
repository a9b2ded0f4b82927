import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { measureClassSizes } from "../../../src/microdata/k-anonymity/index.ts";
import { belowK, classRisk } from "../../../src/microdata/risk/index.ts";

const sizes = fc.array(fc.integer({ min: 0, max: 9 }));

describe("class risk", () => {
  test("by hand: classes of 1, 1, 2 and 4 records", () => {
    expect(classRisk([4, 1, 2, 1])).toEqual({
      records: 8, classes: 4, smallestClass: 1, largestClass: 4, uniques: 2, highestRisk: 1, averageRisk: 0.5,
      classSizes: [{ size: 1, classes: 2 }, { size: 2, classes: 1 }, { size: 4, classes: 1 }],
    });
  });

  test("no records", () => {
    expect(classRisk([])).toEqual({
      records: 0, classes: 0, smallestClass: 0, largestClass: 0, uniques: 0, highestRisk: 0, averageRisk: 0, classSizes: [],
    });
    expect(measureClassSizes([], 5)).toMatchObject({ pass: true, recordsAtRisk: 0 });
  });

  test("average risk is the mean over the records of 1 / class size", () => {
    fc.assert(fc.property(sizes, (each) => {
      const risks = each.flatMap((size) => Array.from({ length: size }, () => 1 / size));
      const mean = risks.length === 0 ? 0 : risks.reduce((a, b) => a + b, 0) / risks.length;
      expect(classRisk(each).averageRisk).toBeCloseTo(mean, 12);
      expect(classRisk(each).highestRisk).toBe(Math.max(0, ...risks));
    }));
  });

  test("records below k, on both sides of the boundary", () => {
    fc.assert(fc.property(sizes, fc.integer({ min: 1, max: 10 }), (each, k) => {
      const small = each.filter((size) => size > 0 && size < k);
      const records = small.reduce((a, b) => a + b, 0);
      expect(belowK(classRisk(each), k)).toEqual({ records, classes: small.length });
      expect(measureClassSizes(each, k)).toMatchObject({ pass: records === 0, recordsAtRisk: records, smallClasses: small.length });
    }));
  });
});
