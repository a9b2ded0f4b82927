import { InternalError } from "../errors/index.ts";
import type { Rational } from "../kernels/rational.ts";
import { bernoulliExp, bernoulliExpBig, geometricInverseE } from "./bernoulli.ts";
import type { UniformInts } from "./uniform-ints.ts";

/** Draws one integer; exact, a safe integer. */
export type IntegerSampler = (ints: UniformInts) => number;

const LARGEST = Number.MAX_SAFE_INTEGER;

/**
 * Sampler of the discrete Laplace distribution (two-sided geometric): P(x) proportional to exp(-|x| / scale), x integer.
 *
 * Exact for every rational scale. Where the integers fit doubles the same algorithm runs on those, otherwise on BigInt;
 * both give the same law, and the same value from the same bits.
 * Source: Canonne, Kamath, Steinke (2020), Algorithm 2, with t / s the scale.
 *
 * @throws RangeError when the scale is not positive
 */
export function discreteLaplace(scale: Rational): IntegerSampler {
  const { numerator, denominator } = scale;
  if (numerator <= 0n || denominator <= 0n) {
    throw new RangeError("The scale of a discrete Laplace distribution must be positive.");
  }
  if (numerator <= BigInt(LARGEST) && denominator <= BigInt(LARGEST)) {
    const t = Number(numerator);
    const s = Number(denominator);
    return (ints) => laplaceOnNumbers(ints, t, s);
  }
  return (ints) => laplaceOnBigInts(ints, numerator, denominator);
}

function laplaceOnNumbers(ints: UniformInts, t: number, s: number): number {
  for (;;) {
    const u = ints.below(t);
    if (!bernoulliExp(ints, u, t)) continue;
    const v = geometricInverseE(ints);
    const x = u + t * v;
    let y: number;
    if (x <= LARGEST) y = (x - (x % s)) / s;
    else y = safeInteger((BigInt(u) + BigInt(t) * BigInt(v)) / BigInt(s));
    const negative = ints.chance(1, 2);
    if (negative && y === 0) continue; // zero must not be counted twice
    return negative ? -y : y;
  }
}

function laplaceOnBigInts(ints: UniformInts, t: bigint, s: bigint): number {
  for (;;) {
    const u = ints.belowBig(t);
    if (!bernoulliExpBig(ints, u, t)) continue;
    const y = safeInteger((u + t * BigInt(geometricInverseE(ints))) / s);
    const negative = ints.chance(1, 2);
    if (negative && y === 0) continue;
    return negative ? -y : y;
  }
}

/** Planners keep the scale below 2^32, where a draw beyond 2^53 has probability below exp(-2,000,000). */
function safeInteger(value: bigint): number {
  if (value > BigInt(LARGEST)) {
    throw new InternalError(
      "random/out-of-range",
      "A noise value has more than 53 bits; the noise scale is too large to be of use.",
    );
  }
  return Number(value);
}
