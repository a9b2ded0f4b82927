import { toNumberUp, type Rational } from "../../kernels/rational.ts";
import type { Mechanism } from "../accounting/index.ts";

/** How large the noise on one count is. Figures for people; no decision rests on them. */
export interface NoiseFigures {
  readonly standardDeviation: number;
  /** Mean of the absolute noise. */
  readonly meanAbsoluteError: number;
  /** Smallest e such that the noise lies within -e .. e with probability at least 0.95. */
  readonly within95: number;
}

/** Sums over the law are taken term by term up to this standard deviation, and scaled beyond it. */
const SUMMED = 10_000;

/**
 * Figures of the noise, from its exact law.
 * @param parameter sigmaSquared of discrete Gaussian noise, scale of discrete Laplace noise
 */
export function noiseFigures(mechanism: Mechanism, parameter: Rational): NoiseFigures {
  if (mechanism === "discrete-laplace") {
    const scale = toNumberUp(parameter);
    const q = Math.exp(-1 / scale);
    const p = -Math.expm1(-1 / scale);
    return {
      standardDeviation: rounded(Math.sqrt(2 * q) / p),
      meanAbsoluteError: rounded((2 * q) / (p * (1 + q))),
      within95: accuracy(mechanism, parameter, 0.05) - 1,
    };
  }
  const sigmaSquared = toNumberUp(parameter);
  const sigma = Math.sqrt(sigmaSquared);
  if (sigma > SUMMED) {
    // At this size the law is normal to far more digits than are shown.
    return {
      standardDeviation: rounded(sigma),
      meanAbsoluteError: rounded(sigma * Math.sqrt(2 / Math.PI)),
      within95: accuracy(mechanism, parameter, 0.05) - 1,
    };
  }
  let total = 1;
  let first = 0;
  let second = 0;
  for (let x = 1; x <= reach(sigma); x++) {
    const weight = 2 * Math.exp((-x * x) / (2 * sigmaSquared));
    total += weight;
    first += x * weight;
    second += x * x * weight;
  }
  return {
    standardDeviation: rounded(Math.sqrt(second / total)),
    meanAbsoluteError: rounded(first / total),
    within95: accuracy(mechanism, parameter, 0.05) - 1,
  };
}

/**
 * Smallest integer a, at least 1, such that the noise is a or more in size with probability at most alpha: with probability
 * 1 - alpha or more a count is less than a from the truth.
 */
export function accuracy(mechanism: Mechanism, parameter: Rational, alpha: number): number {
  if (mechanism === "discrete-laplace") {
    // P(|x| >= a) = 2 q^a / (1 + q) for a >= 1, with q = exp(-1 / scale)
    const scale = toNumberUp(parameter);
    const q = Math.exp(-1 / scale);
    return Math.max(1, Math.ceil(scale * Math.log(2 / ((1 + q) * alpha))));
  }
  const exact = Math.sqrt(toNumberUp(parameter));
  const stretch = Math.max(1, exact / SUMMED);
  const sigma = exact / stretch;
  const last = reach(sigma);
  let total = 1;
  for (let x = 1; x <= last; x++) total += 2 * Math.exp((-x * x) / (2 * sigma * sigma));
  let tail = 0;
  let a = last + 1;
  while (a > 1) {
    const more = tail + 2 * Math.exp((-(a - 1) * (a - 1)) / (2 * sigma * sigma));
    if (more > alpha * total) break;
    tail = more;
    a--;
  }
  return stretch === 1 ? a : Math.ceil(a * stretch);
}

/** Beyond 39 standard deviations the weights vanish in doubles. */
function reach(sigma: number): number {
  return Math.ceil(39 * sigma) + 1;
}

/** Six digits, so that the figure is the same whatever the platform's exp. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
