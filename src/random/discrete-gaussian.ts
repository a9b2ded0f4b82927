import { integerSquareRoot, type Rational } from "../kernels/rational.ts";
import { bernoulliExp, bernoulliExpBig } from "./bernoulli.ts";
import { discreteLaplace, type IntegerSampler } from "./discrete-laplace.ts";

const LARGEST = Number.MAX_SAFE_INTEGER;
/** Largest integer whose square is at most 2^53. */
const LARGEST_ROOT = 94_906_265;

/**
 * Sampler of the discrete Gaussian distribution: P(x) proportional to exp(-x^2 / (2 sigmaSquared)), x integer, mean 0.
 * Its variance is at most sigmaSquared.
 *
 * Exact for every rational sigmaSquared = p / q: with t = floor(sigma) + 1, draw y from the discrete Laplace of scale t and
 * keep it with probability exp(-(|y| - p/(q t))^2 q / (2 p)), which is exp(-(|y| q t - p)^2 / (2 p q t^2)). The exponent
 * is a ratio of integers, held in doubles while both stay below 2^53 and in BigInt otherwise; same law, same bits used.
 * Source: Canonne, Kamath, Steinke (2020), "The Discrete Gaussian for Differential Privacy", Algorithm 3.
 *
 * @throws RangeError when sigmaSquared is not positive
 */
export function discreteGaussian(sigmaSquared: Rational): IntegerSampler {
  const { numerator: p, denominator: q } = sigmaSquared;
  if (p <= 0n || q <= 0n) {
    throw new RangeError("The variance parameter of a discrete Gaussian distribution must be positive.");
  }
  const t = integerSquareRoot(p / q) + 1n;
  const laplace = discreteLaplace({ numerator: t, denominator: 1n });
  const slope = q * t;
  const denominator = 2n * p * q * t * t;

  const small = denominator <= BigInt(LARGEST) && slope <= BigInt(LARGEST) && p <= BigInt(LARGEST_ROOT);
  const smallSlope = Number(slope);
  const smallP = Number(p);
  const smallDenominator = Number(denominator);
  /** Beyond this |y| the square leaves 2^53. */
  const smallReach = small ? Math.floor(LARGEST_ROOT / smallSlope) : -1;

  return (ints) => {
    for (;;) {
      const y = laplace(ints);
      const size = y < 0 ? -y : y;
      if (size <= smallReach) {
        const distance = size * smallSlope - smallP;
        if (bernoulliExp(ints, distance * distance, smallDenominator)) return y;
      } else {
        const distance = BigInt(size) * slope - p;
        if (bernoulliExpBig(ints, distance * distance, denominator)) return y;
      }
    }
  };
}
