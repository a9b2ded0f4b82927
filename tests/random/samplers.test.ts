import { describe, expect, test } from "vitest";
import { parseDecimal, parseRational, rational } from "../../src/kernels/rational.ts";
import {
  bernoulliExp, bernoulliExpBig, discreteGaussian, discreteLaplace, uniformInts, type RandomBits, type UniformInts,
} from "../../src/random/index.ts";
import { rehearsalBits } from "../../src/random/rehearsal-bits.ts";
import { gaussianPmf, laplacePmf, pValue, rejects, tally, upperGamma } from "./chi-square.ts";
import { explore } from "./decision-tree.ts";

const DRAWS = 200_000;
const seeded = (seed: number) => uniformInts(rehearsalBits(seed));

test("the yardstick: chi-square tail values of Abramowitz and Stegun (1964), Table 26.7", () => {
  // Q(chi-square | degrees of freedom), five decimals as printed
  expect(upperGamma(1 / 2, 1 / 2)).toBeCloseTo(0.31731, 5);
  expect(upperGamma(2 / 2, 4 / 2)).toBeCloseTo(0.13534, 5);
  expect(upperGamma(10 / 2, 10 / 2)).toBeCloseTo(0.44049, 5);
  expect(upperGamma(30 / 2, 60 / 2)).toBeCloseTo(0.00092, 5);
});

describe("uniform integers", () => {
  test.each([3, 7, 10, 256, 1000])("below(%i) gives each value for equally many leading bits", (n) => {
    const width = 32 - Math.clz32(n - 1);
    const counts = new Map<number, number>();
    for (let lead = 0; lead < 2 ** width; lead++) {
      // The word under test, then words that end in an accepted 0 if it was rejected: mark those by a second word read.
      let fills = 0;
      const bits: RandomBits = { secure: false, fill: (words) => { words[0] = fills++ === 0 ? lead * 2 ** (32 - width) : 0; } };
      const value = uniformInts(bits, 1).below(n);
      if (fills === 1) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    expect([...counts.entries()].sort((a, b) => a[0] - b[0])).toEqual(Array.from({ length: n }, (_, i) => [i, 1]));
  });

  test.each([2 ** 32, 2 ** 32 + 1, 3 * 2 ** 40, 2 ** 53])("below(%d) is uniform over sixteenths of the range", (n) => {
    const ints = seeded(21);
    const counts = tally(DRAWS, () => Math.floor(ints.below(n) / (n / 16)));
    expect(rejects(counts, () => 1 / 16, 0, 15)).toBe(false);
  });

  test("the test can tell the bias of a remainder", () => {
    // 3/4 of a power of two: values in the lower third come twice as often.
    const words = new Uint32Array(1);
    const bits = rehearsalBits(22);
    const biased = tally(DRAWS, () => (bits.fill(words), (words[0]! % (3 * 2 ** 30)) / (3 * 2 ** 26) | 0));
    expect(rejects(biased, () => 1 / 16, 0, 15)).toBe(true);
  });

  test("belowBig is uniform beyond 2^53, and its low digits too", () => {
    const n = 10n ** 30n;
    const ints = seeded(23);
    expect(rejects(tally(DRAWS, () => Number((ints.belowBig(n) * 16n) / n)), () => 1 / 16, 0, 15)).toBe(false);
    expect(rejects(tally(DRAWS, () => Number(ints.belowBig(n) % 10n)), () => 1 / 10, 0, 9)).toBe(false);
  });

  test("edges: below(1) costs nothing, below(2^32) takes a whole word", () => {
    const words = [0xffff_ffff];
    const ints = uniformInts({ secure: false, fill: (out) => { out[0] = words.pop()!; } }, 1);
    expect(ints.below(1)).toBe(0);
    expect(words).toHaveLength(1);
    expect(ints.below(2 ** 32)).toBe(0xffff_ffff);
    expect(ints.belowBig(1n)).toBe(0n);
  });
});

describe("by decision tree: the exact law, up to the share of paths left unexplored", () => {
  /** For every result: succeeded / (all + unexplored) <= pmf <= (succeeded + unexplored) / all. */
  function fits({ succeeded, unexplored }: ReturnType<typeof explore>, pmf: (x: number) => number): boolean {
    let all = 0;
    for (const mass of succeeded.values()) all += mass;
    const rounding = 1e-12;
    return [...succeeded].every(
      ([x, mass]) => mass / (all + unexplored) <= pmf(x) + rounding && (mass + unexplored) / all >= pmf(x) - rounding,
    );
  }

  test.each([[0, 1], [1, 1], [1, 2], [2, 3], [3, 2], [7, 3], [5, 1]])("Bernoulli(exp(-%i/%i))", (numerator, denominator) => {
    const law = (rate: number) => (x: number) => (x === 1 ? Math.exp(-rate) : 1 - Math.exp(-rate));
    for (const sample of [
      (ints: UniformInts) => Number(bernoulliExp(ints, numerator, denominator)),
      (ints: UniformInts) => Number(bernoulliExpBig(ints, BigInt(numerator), BigInt(denominator))),
    ]) {
      const explored = explore(sample, 1e-9, 100_000);
      expect(explored.unexplored).toBeLessThan(1e-8);
      expect(fits(explored, law(numerator / denominator))).toBe(true);
      expect(fits(explored, law(numerator / denominator + 1e-5))).toBe(false);
    }
  });

  test.each(["1", "2", "1/2", "3/2", "2/3", "5"])("discrete Laplace, scale %s", (text) => {
    const scale = parseRational(text);
    const b = Number(scale.numerator) / Number(scale.denominator);
    const explored = explore(discreteLaplace(scale), 1e-4, 100_000);
    expect(explored.unexplored).toBeLessThan(1e-3);
    expect(fits(explored, laplacePmf(b))).toBe(true);
    expect(fits(explored, laplacePmf(b * 1.02))).toBe(false);
  });

  test.each(["1/4", "1", "1/2", "9/4", "10/3"])("discrete Gaussian, sigma squared %s", (text) => {
    const sigmaSquared = parseRational(text);
    const s2 = Number(sigmaSquared.numerator) / Number(sigmaSquared.denominator);
    const explored = explore(discreteGaussian(sigmaSquared), 1e-3, 100_000);
    expect(explored.unexplored).toBeLessThan(1e-2);
    expect(fits(explored, gaussianPmf(s2))).toBe(true);
    expect(fits(explored, gaussianPmf(s2 * 1.2))).toBe(false);
  });

  test("zero counted twice is noticed", () => {
    const wrong = (ints: UniformInts) => {
      let v = ints.below(1);
      while (bernoulliExp(ints, 1, 1)) v++;
      return ints.chance(1, 2) ? 0 - v : v;
    };
    expect(fits(explore(wrong, 1e-4, 100_000), laplacePmf(1))).toBe(false);
  });
});

describe("chi-square against the exact law, one false alarm in a million seeds", () => {
  test.each([["1/3", 31], ["0.999", 32], ["0.0001", 33]])("Bernoulli(%s)", (text, seed) => {
    const { numerator, denominator } = parseRational(text);
    const p = Number(numerator) / Number(denominator);
    const law = (x: number) => (x === 1 ? p : 1 - p);
    const small = seeded(seed);
    const big = seeded(seed + 100);
    expect(rejects(tally(DRAWS, () => Number(small.chance(Number(numerator), Number(denominator)))), law, 0, 1)).toBe(false);
    expect(rejects(tally(DRAWS, () => Number(big.chanceBig(numerator * 10n ** 20n, denominator * 10n ** 20n))), law, 0, 1)).toBe(false);
  });

  test.each([[1, 3, 41], [5, 2, 42], [123_456_789, 987_654_321, 43]])("Bernoulli(exp(-%i/%i))", (numerator, denominator, seed) => {
    const p = Math.exp(-numerator / denominator);
    const law = (x: number) => (x === 1 ? p : 1 - p);
    const wrong = (x: number) => (x === 1 ? p * 1.03 : 1 - p * 1.03);
    const ints = seeded(seed);
    const counts = tally(4 * DRAWS, () => Number(bernoulliExp(ints, numerator, denominator)));
    expect(rejects(counts, law, 0, 1)).toBe(false);
    expect(rejects(counts, wrong, 0, 1)).toBe(true);
    const k = 10n ** 25n;
    const big = seeded(seed + 100);
    const bigCounts = tally(DRAWS, () => Number(bernoulliExpBig(big, BigInt(numerator) * k + 1n, BigInt(denominator) * k + 1n)));
    expect(rejects(bigCounts, law, 0, 1)).toBe(false);
  });

  test.each([
    ["1", 51], ["10", 52], ["1/7", 53], ["2.5", 54], ["100/3", 55],
    ["12345678901234567890123/1234567890123456789012", 56], // BigInt path
  ])("discrete Laplace, scale %s", (text, seed) => {
    const scale = parseRational(text);
    const b = Number(scale.numerator) / Number(scale.denominator);
    const sample = discreteLaplace(scale);
    const ints = seeded(seed);
    const counts = tally(DRAWS, () => sample(ints));
    const reach = Math.ceil(20 * b) + 3;
    expect(rejects(counts, laplacePmf(b), -reach, reach)).toBe(false);
    expect(rejects(counts, laplacePmf(b * 1.1), -reach, reach)).toBe(true);
  });

  test.each([
    ["1", 61], ["100", 62], ["1/9", 63], ["6.25", 64], ["0.3", 65], ["15625/3858", 66], ["1000000", 67],
    ["123456789012345678901234567890/1234567890123456789012345678", 68], // BigInt path, sigma 10
  ])("discrete Gaussian, sigma squared %s", (text, seed) => {
    const sigmaSquared = parseRational(text);
    const s2 = Number(sigmaSquared.numerator) / Number(sigmaSquared.denominator);
    const sample = discreteGaussian(sigmaSquared);
    const ints = seeded(seed);
    const counts = tally(DRAWS, () => sample(ints));
    const reach = Math.ceil(9 * Math.sqrt(s2)) + 3;
    expect(rejects(counts, gaussianPmf(s2), -reach, reach)).toBe(false);
    expect(rejects(counts, gaussianPmf(s2 * 1.06), -reach, reach)).toBe(true);
  });

  test("a rounded continuous Gaussian is told apart at small sigma", () => {
    const ints = seeded(71);
    const unit = () => (ints.below(2 ** 53) + 0.5) / 2 ** 53;
    const counts = tally(DRAWS, () => Math.round(0.5 * Math.sqrt(-2 * Math.log(unit())) * Math.cos(2 * Math.PI * unit())) + 0);
    expect(rejects(counts, gaussianPmf(0.25), -6, 6)).toBe(true);
  });

  test("p-values over 200 seeds are themselves spread evenly", () => {
    const sample = discreteGaussian(rational(4n));
    const tenths = tally(200, (() => {
      let seed = 1000;
      return () => {
        const ints = seeded(seed++);
        return Math.min(9, Math.floor(10 * pValue(tally(4000, () => sample(ints)), gaussianPmf(4), -20, 20)));
      };
    })());
    expect(rejects(tenths, () => 0.1, 0, 9)).toBe(false);
  });
});

test("numbers and BigInt follow the same path: equal coin tosses give equal draws", () => {
  const k = 10n ** 20n;
  /** Answers by the value of the fraction only, so that a common factor makes no difference. */
  const proportional = (seed: number): UniformInts => {
    const source = uniformInts(rehearsalBits(seed));
    const unit = () => source.below(2 ** 20);
    const ints: UniformInts = {
      below: (n) => Math.floor((unit() * n) / 2 ** 20),
      belowBig: (n) => (BigInt(unit()) * n) >> 20n,
      chance: (numerator, denominator) => unit() * denominator < numerator * 2 ** 20,
      chanceBig: (numerator, denominator) => BigInt(unit()) * denominator < numerator << 20n,
    };
    return ints;
  };
  const trace = (draw: (ints: UniformInts) => number | boolean) => {
    const ints = proportional(81);
    return Array.from({ length: 500 }, () => Number(draw(ints)));
  };
  expect(trace((ints) => bernoulliExpBig(ints, 22n * k, 7n * k))).toEqual(trace((ints) => bernoulliExp(ints, 22, 7)));
  const unreduced = { numerator: 17n * k, denominator: 2n * k };
  expect(trace(discreteGaussian(unreduced))).toEqual(trace(discreteGaussian(parseRational("17/2"))));
});

test("results are integers and never negative zero, whatever the scale", () => {
  for (const text of ["0.001", "0.5", "3", "123456.789"]) {
    const gaussian = discreteGaussian(parseDecimal(text));
    const laplace = discreteLaplace(parseDecimal(text));
    const ints = seeded(91);
    for (let i = 0; i < 2000; i++) {
      for (const x of [gaussian(ints), laplace(ints)]) {
        expect(Number.isSafeInteger(x) && !Object.is(x, -0)).toBe(true);
      }
    }
  }
});

test("a scale that is zero or negative is refused when the sampler is made", () => {
  expect(() => discreteLaplace(rational(0n))).toThrow(RangeError);
  expect(() => discreteGaussian(rational(-1n))).toThrow(RangeError);
});
