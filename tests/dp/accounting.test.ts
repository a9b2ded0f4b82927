import { describe, expect, test } from "vitest";
import { PolicyError } from "../../src/errors/index.ts";
import {
  deltaOfRho, epsilonAtOrder, epsilonOfRho, epsilonOfScale, exactBudget, rhoOfEpsilon, rhoOfSigmaSquared, scaleFor,
  sigmaSquaredFor, simpleEpsilonOfRho, splitBudget, sumOf, type Budget, type Mechanism,
} from "../../src/dp/accounting/index.ts";
import { compare, divide, exactly, formatRational, multiply, parseDecimal, rational, toNumberUp, type Rational } from "../../src/kernels/rational.ts";
import { uniformInts } from "../../src/random/index.ts";
import { rehearsalBits } from "../../src/random/rehearsal-bits.ts";
import { gaussianPmf } from "../random/chi-square.ts";

const decimal = parseDecimal;

describe("known answers", () => {
  /** The reference has about 20 digits, more than a double holds, so the comparison is made on exact fractions. */
  function expectJustAbove(found: number, reference: string): void {
    expect(compare(exactly(found), decimal(reference))).toBeGreaterThanOrEqual(0);
    expect(found / Number(reference)).toBeLessThanOrEqual(1 + 1e-9);
  }

  /**
   * The conversion of Canonne, Kamath, Steinke (2020), Proposition 7, in 50-digit arithmetic (mpmath), best order by
   * bisection of the derivative. Ours must lie at or above, within a billionth.
   */
  test.each([
    ["2.56", "1e-10", "17.15830871210474597"], ["0.07", "1e-10", "2.3872751767179739721"], ["2.63", "1e-10", "17.430584487345112315"],
    ["0.5", "1e-6", "5.2215344445301690442"], ["0.5", "1e-10", "6.8393294131208484963"], ["0.1", "1e-5", "1.9142388320035977985"],
    ["0.001", "1e-6", "0.18289537719007623123"], ["1e-6", "1e-9", "0.0068040608222062187148"], ["10", "1e-12", "42.179849794261014981"],
    ["100", "1e-6", "172.17755147589940832"], ["3", "0.01", "9.1623148587986677327"], ["1e4", "1e-10", "10955.644206146091508"],
    ["0.5", "1e-200", "30.702390379956007658"],
  ])("epsilon of rho = %s at delta = %s", (rho, delta, expected) => {
    const epsilon = epsilonOfRho(decimal(rho), decimal(delta));
    expectJustAbove(epsilon, expected);
  });

  test.each([
    ["0.5", 1, "0.24684633078294449"], ["0.5", 5, "2.896122809384795e-6"], ["4.5", 1, "0.97314637591932053"],
    ["0.01", 1, "1.6641139773879945e-13"], ["2.56", 17.14, "1.0546688274320751e-10"], ["0.1", 3, "1.7944352083338329e-11"],
    ["1", 0, "0.73038859685571212"],
  ])("delta of rho = %s at epsilon = %d", (rho, epsilon, expected) => {
    const delta = deltaOfRho(decimal(rho), epsilon);
    expectJustAbove(delta, expected);
  });

  test("2020 Census persons file: global scale 339/542 gives the published epsilon 17.14 at delta 1e-10", () => {
    // Production setting of the disclosure avoidance system; rho = (542/339)^2, published as 2.56.
    const rho = rational(542n * 542n, 339n * 339n);
    expect(epsilonOfRho(rho, decimal("1e-10")).toFixed(2)).toBe("17.14");
    expect(simpleEpsilonOfRho(rho, decimal("1e-10")).toFixed(2)).toBe("17.90"); // so the tight conversion was published
  });

  test("Google dp_accounting: sigma 4.530877117 is (1, 1e-6), sensitivity 1, by Renyi orders", () => {
    const rho = rhoOfSigmaSquared(multiply(decimal("4.530877117"), decimal("4.530877117")), 1);
    expect(epsilonOfRho(rho, decimal("1e-6"))).toBeCloseTo(1, 9);
  });

  test("Google dp_accounting: constant Renyi divergence 1.1, orders 2 to 32, delta 1e-5 gives 1.32783806176 at order 32", () => {
    const byOrder = Array.from({ length: 31 }, (_, i) => epsilonAtOrder(1.1, i + 2, 1e-5));
    expect(Math.min(...byOrder)).toBeCloseTo(1.32783806176, 10);
    expect(byOrder.indexOf(Math.min(...byOrder)) + 2).toBe(32);
  });

  test("Google dp_accounting: the continuous Gaussian with sigma 1/3 has delta 0.78760074 at epsilon 1; zCDP cannot claim less", () => {
    expect(deltaOfRho(rhoOfSigmaSquared(rational(1n, 9n), 1), 1)).toBeGreaterThanOrEqual(0.78760074);
  });

  test("Google dp_accounting: smallest Laplace parameters at delta 0", () => {
    const scaleOf = (epsilon: string, queries: number, sensitivity: number) =>
      formatRational(scaleFor(splitBudget(decimal(epsilon), Array.from({ length: queries }, () => undefined))[0]!, sensitivity));
    expect(scaleOf("3", 10, 21)).toBe("70");
    expect(scaleOf("3", 5, 2)).toBe("10/3"); // discrete Laplace, published as parameter 0.3 = 1/scale
  });
});

/** Random settings: rho over 14 orders of magnitude, delta over 30. */
function settings(count: number, seed: number): { rho: Rational; delta: Rational }[] {
  const ints = uniformInts(rehearsalBits(seed));
  return Array.from({ length: count }, () => ({
    rho: decimal(`${1 + ints.below(9999)}e${-12 + ints.below(14)}`),
    delta: decimal(`${1 + ints.below(98)}e${-32 + ints.below(31)}`),
  }));
}

describe("laws over 10,000 random settings", () => {
  test("never below the formula at any order of a grid minimum, never above the simple bound", () => {
    for (const { rho, delta } of settings(10_000, 101)) {
      const r = Number(rho.numerator) / Number(rho.denominator);
      const d = Number(delta.numerator) / Number(delta.denominator);
      const epsilon = epsilonOfRho(rho, delta);
      expect(epsilon).toBeLessThanOrEqual(simpleEpsilonOfRho(rho, delta));
      // Closed form, with the optimal order found in another way: fixed-point iteration on the stationarity condition.
      let x = Math.sqrt(-Math.log(d) / r);
      for (let i = 0; i < 60; i++) {
        const rest = -Math.log(d) - Math.log1p(x);
        x = (x + Math.sqrt(Math.max(rest, 1e-300) / r)) / 2;
      }
      const closed = r * (1 + x) - Math.log1p(1 / x) + (-Math.log1p(x) - Math.log(d)) / x;
      expect(epsilon).toBeGreaterThanOrEqual(closed - Math.abs(closed) * 1e-14 - 1e-14 * r * (1 + x));
      expect(epsilon).toBeLessThanOrEqual(Math.max(0, closed) * (1 + 1e-6) + 1e-6 * (1 + r * (1 + x)));
    }
  });

  test("epsilon and delta are each other's inverse from the safe side", () => {
    for (const { rho, delta } of settings(10_000, 102)) {
      const epsilon = epsilonOfRho(rho, delta);
      const back = deltaOfRho(rho, epsilon);
      const d = Number(delta.numerator) / Number(delta.denominator);
      if (epsilon > 0) expect(Math.abs(Math.log(back / d))).toBeLessThan(1e-6 * (1 + epsilon / Math.sqrt(toNumberUp(rho))));
    }
  });

  test("more rho or less delta never means less epsilon", () => {
    for (const { rho, delta } of settings(10_000, 103)) {
      const epsilon = epsilonOfRho(rho, delta);
      expect(epsilonOfRho(multiply(rho, rational(11n, 10n)), delta)).toBeGreaterThanOrEqual(epsilon);
      expect(epsilonOfRho(rho, divide(delta, rational(2n)))).toBeGreaterThanOrEqual(epsilon);
    }
  });

  test("a split budget adds up exactly, and its noise spends exactly that", () => {
    const ints = uniformInts(rehearsalBits(104));
    for (let i = 0; i < 10_000; i++) {
      const total = decimal(`${1 + ints.below(99_999)}e-${ints.below(8)}`);
      const shares = Array.from({ length: 1 + ints.below(6) }, () => `${1 + ints.below(1000)}e-2`);
      const m = 1 + ints.below(20);
      const parts = splitBudget(total, shares);
      expect(compare(sumOf(parts), total)).toBe(0);
      expect(compare(sumOf(parts.map((part) => rhoOfSigmaSquared(sigmaSquaredFor(part, m), m))), total)).toBe(0);
      expect(compare(sumOf(parts.map((part) => epsilonOfScale(scaleFor(part, m), m))), total)).toBe(0);
    }
  });
});

test("the rho for a given epsilon and delta meets them, and 0.2 % more would not", () => {
  for (const epsilon of ["0.01", "0.5", "1", "3", "10", "50"]) {
    for (const delta of ["1e-12", "1e-6", "0.01"]) {
      const rho = rhoOfEpsilon(decimal(epsilon), decimal(delta));
      expect(epsilonOfRho(rho, decimal(delta))).toBeLessThanOrEqual(Number(epsilon));
      expect(epsilonOfRho(multiply(rho, rational(1002n, 1000n)), decimal(delta))).toBeGreaterThan(Number(epsilon));
      expect(rho.denominator.toString().length).toBeLessThan(20); // stays a short fraction, so that sampling is fast
    }
  }
});

/**
 * The privacy of the discrete Gaussian itself, by summing its law: counts that differ by m have
 * delta(epsilon) = sum over x of max(0, P(x) - exp(epsilon) P(x - m)). The accountant may never promise less.
 */
test("the promise holds for the law of the noise itself, and a promise at a quarter of the rho would not", () => {
  for (const m of [1, 2, 5]) {
    for (const rho of ["0.01", "0.1", "0.5", "2", "8"]) {
      const sigmaSquared = sigmaSquaredFor(decimal(rho), m);
      const s2 = Number(sigmaSquared.numerator) / Number(sigmaSquared.denominator);
      const pmf = gaussianPmf(s2);
      const reach = Math.ceil(38 * Math.sqrt(s2)) + m;
      const delta = (epsilon: number) => {
        let sum = 0;
        for (let x = -reach; x <= reach; x++) sum += Math.max(0, pmf(x) - Math.exp(epsilon) * pmf(x - m));
        return sum;
      };
      for (const target of ["1e-9", "1e-6", "1e-3"]) {
        expect(delta(epsilonOfRho(decimal(rho), decimal(target)))).toBeLessThanOrEqual(Number(target));
        // Below sigma 1 the law is all steps, and much more private than its rho says.
        if (s2 >= 1) expect(delta(epsilonOfRho(divide(decimal(rho), rational(4n)), decimal(target)))).toBeGreaterThan(Number(target));
      }
    }
  }
});

test("discrete Laplace noise keeps the ratio of probabilities within exp(epsilon), and reaches it", () => {
  const m = 3;
  const scale = scaleFor(decimal("0.7"), m);
  const q = Math.exp(-Number(scale.denominator) / Number(scale.numerator));
  const ratios = Array.from({ length: 41 }, (_, i) => i - 20).map((x) => q ** Math.abs(x) / q ** Math.abs(x - m));
  expect(Math.max(...ratios)).toBeCloseTo(Math.exp(0.7), 12);
});

describe("budgets of a policy", () => {
  test("are read exactly", () => {
    expect(formatRational(exactBudget("discrete-gaussian", { rho: "0.1" }).total)).toBe("1/10");
    expect(formatRational(exactBudget("discrete-laplace", { epsilon: 0.3 }).total)).toBe("3/10");
    expect(exactBudget("discrete-gaussian", { epsilon: 1, delta: 1e-6 }).total).toEqual(rhoOfEpsilon(rational(1n), decimal("1e-6")));
  });

  test.each<[string, Mechanism, Budget]>([
    ["rho for Laplace", "discrete-laplace", { rho: 1 }],
    ["epsilon alone for Gaussian", "discrete-gaussian", { epsilon: 1 }],
    ["delta for Laplace", "discrete-laplace", { epsilon: 1, delta: 1e-6 }],
    ["both measures", "discrete-gaussian", { rho: 1, epsilon: 1 } as Budget],
    ["zero", "discrete-gaussian", { rho: 0 }],
    ["negative", "discrete-laplace", { epsilon: "-1" }],
    ["no number", "discrete-laplace", { epsilon: "one" }],
    ["infinite", "discrete-gaussian", { rho: Infinity }],
    ["delta of 1", "discrete-gaussian", { epsilon: 1, delta: 1 }],
    ["delta of 0", "discrete-gaussian", { epsilon: 1, delta: 0 }],
  ])("%s is refused", (_, mechanism, budget) => {
    expect(() => exactBudget(mechanism, budget)).toThrow(expect.objectContaining({ name: "PolicyError", code: "dp/budget" }));
  });

  test("shares are for all tables or for none", () => {
    expect(() => splitBudget(rational(1n), ["1", undefined])).toThrow(PolicyError);
    expect(splitBudget(rational(1n), ["1", "3"]).map(formatRational)).toEqual(["1/4", "3/4"]);
  });
});

test("edges: no loss, and arguments out of range", () => {
  expect(epsilonOfRho(rational(0n), decimal("1e-6"))).toBe(0);
  expect(deltaOfRho(rational(0n), 1)).toBe(0);
  expect(() => epsilonOfRho(rational(-1n), decimal("1e-6"))).toThrow(RangeError);
  expect(() => epsilonOfRho(rational(1n), rational(1n))).toThrow(RangeError);
  expect(epsilonOfRho(exactly(Number.MIN_VALUE), decimal("1e-6"))).toBeGreaterThanOrEqual(0);
});
