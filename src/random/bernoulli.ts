import type { UniformInts } from "./uniform-ints.ts";

/**
 * Exact coin tosses with probability exp(-x). All probabilities are ratios of integers and stay so: no floating-point
 * arithmetic takes part.
 *
 * Source: Canonne, Kamath, Steinke (2020), "The Discrete Gaussian for Differential Privacy", Algorithm 1. It draws
 * Bernoulli(x/k) for k = 1, 2, ...; here that is Bernoulli(1/k) and Bernoulli(x), both needed, which is the same event and
 * keeps every bound as small as the denominator of x.
 */

/** True with probability exp(-1). */
function bernoulliInverseE(ints: UniformInts): boolean {
  let k = 2; // Bernoulli(1/1) is always true
  while (ints.chance(1, k)) k++;
  return k % 2 === 1;
}

/** True with probability exp(-numerator / denominator); integers, numerator >= 0, 1 <= denominator, both <= 2^53. */
export function bernoulliExp(ints: UniformInts, numerator: number, denominator: number): boolean {
  const rest = numerator % denominator; // exact on integers, unlike the floor of a rounded quotient
  for (let whole = (numerator - rest) / denominator; whole > 0; whole--) {
    if (!bernoulliInverseE(ints)) return false;
  }
  let k = 1;
  while (ints.chance(1, k) && ints.chance(rest, denominator)) k++;
  return k % 2 === 1;
}

/** As `bernoulliExp`, without bound on the integers. */
export function bernoulliExpBig(ints: UniformInts, numerator: bigint, denominator: bigint): boolean {
  for (let whole = numerator / denominator; whole > 0n; whole--) {
    if (!bernoulliInverseE(ints)) return false;
  }
  const rest = numerator % denominator;
  let k = 1;
  while (ints.chance(1, k) && ints.chanceBig(rest, denominator)) k++;
  return k % 2 === 1;
}

/** Number of successes of Bernoulli(exp(-1)) before the first failure. */
export function geometricInverseE(ints: UniformInts): number {
  let successes = 0;
  while (bernoulliInverseE(ints)) successes++;
  return successes;
}
