import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  add, compare, divide, exactly, formatRational, integerSquareRoot, multiply, parseDecimal, parseRational, rational,
  toDecimalUp, toNumberDown, toNumberUp,
} from "../../src/kernels/rational.ts";

test.each([
  ["0.1", "1/10"], ["-0.250", "-1/4"], ["1e-10", "1/10000000000"], ["2.5E3", "2500"], [".5", "1/2"], ["3.", "3"],
  ["+7", "7"], ["0", "0"], ["-0", "0"], ["0.30000000000000004", "7500000000000001/25000000000000000"],
])("parseDecimal(%s) is %s", (text, fraction) => {
  expect(formatRational(parseDecimal(text))).toBe(fraction);
});

test("a number is read as its shortest decimal text, so 0.1 is a tenth", () => {
  expect(formatRational(parseDecimal(0.1))).toBe("1/10");
  expect(formatRational(parseDecimal(1e-10))).toBe("1/10000000000");
  expect(formatRational(parseDecimal(1e21))).toBe("1000000000000000000000");
});

test.each(["", ".", "-", "1e", "1,5", "0x10", " 1", "1 ", "NaN", "Infinity", "1e999", "1e9999999", "9".repeat(61), "1_000", "١"])(
  "parseDecimal refuses %j",
  (text) => expect(() => parseDecimal(text)).toThrow(RangeError),
);

test.each([NaN, Infinity, -Infinity])("parseDecimal refuses the number %d", (value) => {
  expect(() => parseDecimal(value)).toThrow(RangeError);
});

describe("laws", () => {
  const big = fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n });
  const value = fc.tuple(big, big.filter((d) => d !== 0n)).map(([n, d]) => rational(n, d));

  test("formatRational and parseRational are inverse", () => {
    fc.assert(fc.property(value, (a) => {
      expect(parseRational(formatRational(a))).toEqual(a);
    }));
  });

  test("field laws, exactly", () => {
    fc.assert(fc.property(value, value, value, (a, b, c) => {
      expect(multiply(a, add(b, c))).toEqual(add(multiply(a, b), multiply(a, c)));
      if (b.numerator !== 0n) expect(multiply(divide(a, b), b)).toEqual(a);
    }));
  });

  test("toNumberUp is the smallest double at or above, toNumberDown the largest at or below", () => {
    const tiny = fc.tuple(value, fc.integer({ min: -60, max: 60 })).map(([a, e]) => multiply(a, e < 0 ? rational(1n, 2n ** BigInt(-e)) : rational(2n ** BigInt(e))));
    fc.assert(fc.property(tiny, (a) => {
      const up = toNumberUp(a);
      const down = toNumberDown(a);
      expect(compare(exactly(up), a)).toBeGreaterThanOrEqual(0);
      expect(compare(exactly(down), a)).toBeLessThanOrEqual(0);
      // one unit in the last place apart, or equal when the value is a double
      if (up === down) expect(compare(exactly(up), a)).toBe(0);
      else expect(up - down).toBeLessThanOrEqual(Math.abs(up) * 2 ** -52 + Number.MIN_VALUE);
    }), { numRuns: 1000 });
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
      expect(toNumberUp(exactly(x))).toBe(x + 0);
      expect(toNumberDown(exactly(x)) + 0).toBe(x + 0);
    }), { numRuns: 1000 });
  });

  test("the integer square root is the floor", () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 10n ** 60n }), (n) => {
      const root = integerSquareRoot(n);
      expect(root * root <= n && (root + 1n) * (root + 1n) > n).toBe(true);
    }), { numRuns: 1000 });
    expect(Array.from({ length: 200 }, (_, n) => integerSquareRoot(BigInt(n)))).toEqual(
      Array.from({ length: 200 }, (_, n) => BigInt(Math.floor(Math.sqrt(n)))),
    );
  });
});

test.each([["1/3", 4, "0.3334"], ["-1/3", 2, "-0.33"], ["2", 2, "2.00"], ["1/1000000", 2, "0.01"], ["-1/1000", 2, "0.00"], ["7/2", 0, "4"]])(
  "toDecimalUp(%s, %i) is %s",
  (fraction, decimals, text) => expect(toDecimalUp(parseRational(fraction), decimals)).toBe(text),
);
