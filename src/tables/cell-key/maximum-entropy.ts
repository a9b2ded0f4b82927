import { InternalError } from "../../errors/index.ts";

/** A condition on probabilities: the mean of a feature. */
export interface MeanCondition {
  /** [outcomes] */
  readonly feature: Float64Array;
  readonly mean: number;
  /** "equal": the mean is as given; "atLeast": it may be larger. */
  readonly holds: "equal" | "atLeast";
}

const ROUNDS = 500;
const LEAST_RIDGE = 1e-15;
/** Largest deviation of a mean from its condition, in units of features scaled to at most 1. */
const TOLERANCE = 1e-13;
const LAST_RESORT = 1e-11;
/** What an inequality that was not needed may be short of. */
const SLACK = 1e-13;

/**
 * The probabilities of largest entropy under conditions on means; unique when they can be met with every probability above 0.
 *
 * They have the form p = exp(sum of multiplier x feature) / Z, with multipliers of inequalities at least 0. The multipliers
 * minimise the convex log Z - sum of multiplier x mean; found by Newton steps projected on those bounds (Bertsekas 1982), with
 * halving of steps and a ridge. For a mean and a variance alone that is exp(a v + b v^2) with two unknowns. Inequalities join
 * when they are violated; those that never are have multiplier 0, so the result is optimal for all.
 *
 * @param outcomes number of outcomes
 * @returns [outcomes] probabilities
 * @throws InternalError `cell-key/no-optimum` when the conditions cannot be met strictly inside; the caller rules that out first
 */
export function maximumEntropy(outcomes: number, conditions: readonly MeanCondition[]): Float64Array {
  const joined = conditions.filter(({ holds }) => holds === "equal");
  for (;;) {
    const p = solve(outcomes, joined);
    const violated = conditions.filter((condition) => {
      const { feature, mean, holds } = condition;
      return holds === "atLeast" && !joined.includes(condition) && feature.reduce((sum, x, j) => sum + x * p[j]!, 0) < mean - SLACK;
    });
    if (violated.length === 0) return p;
    joined.push(...violated);
  }
}

function solve(outcomes: number, conditions: readonly MeanCondition[]): Float64Array {
  const n = conditions.length;
  const scales = conditions.map(({ feature }) => feature.reduce((most, x) => Math.max(most, Math.abs(x)), 0) || 1);
  const features = conditions.map(({ feature }, k) => feature.map((x) => x / scales[k]!));
  const means = conditions.map(({ mean }, k) => mean / scales[k]!);

  const log = new Float64Array(outcomes);
  const gradientAt = (x: readonly number[], p: Float64Array): { value: number; gradient: number[] } => {
    let top = -Infinity;
    for (let j = 0; j < outcomes; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += x[k]! * features[k]![j]!;
      log[j] = sum;
      if (sum > top) top = sum;
    }
    let z = 0;
    for (let j = 0; j < outcomes; j++) z += p[j] = Math.exp(log[j]! - top);
    for (let j = 0; j < outcomes; j++) p[j]! /= z;
    let value = top + Math.log(z);
    const gradient = features.map((feature, k) => {
      value -= x[k]! * means[k]!;
      let mean = 0;
      for (let j = 0; j < outcomes; j++) mean += p[j]! * feature[j]!;
      return mean - means[k]!;
    });
    return { value, gradient };
  };
  /** How far from optimal: a multiplier at its bound may have a gradient above 0. */
  const distance = (x: readonly number[], gradient: readonly number[]): number =>
    gradient.reduce((most, g, k) => {
      const own = conditions[k]!.holds === "equal" ? Math.abs(g) : Math.abs(Math.min(x[k]!, g));
      return Math.max(most, own);
    }, 0);

  let x = conditions.map(() => 0);
  let p = new Float64Array(outcomes);
  let at = gradientAt(x, p);
  let off = distance(x, at.gradient);
  let ridge = LEAST_RIDGE;
  for (let round = 0; round < ROUNDS && off > TOLERANCE && ridge < 1e6; round++) {
    // Multipliers at or near their bound that are pushed onto it go there; the others take the Newton step.
    const near = Math.min(1e-3, off);
    const free: number[] = [];
    const step = x.map((own) => -own);
    for (let k = 0; k < n; k++) if (conditions[k]!.holds === "equal" || x[k]! > near || at.gradient[k]! < 0) free.push(k);
    const newton = newtonStep(free, features, p, at.gradient, ridge);
    free.forEach((k, i) => (step[k] = newton[i]!));
    let isBetter = false;
    for (let size = 1; size > 1e-4; size /= 2) {
      const next = x.map((own, k) => {
        const moved = own + size * step[k]!;
        return conditions[k]!.holds === "equal" ? moved : Math.max(0, moved);
      });
      const q = new Float64Array(outcomes);
      const there = gradientAt(next, q);
      const offThere = distance(next, there.gradient);
      // Near the end the value no longer tells two points apart; the distance still does.
      const noise = 1e-13 * Math.max(1, Math.abs(at.value));
      if (there.value < at.value - noise || (there.value < at.value + noise && offThere < off * (1 - 1e-4 * size))) {
        [x, p, at, off] = [next, q, there, offThere];
        isBetter = true;
        break;
      }
    }
    // Features that depend on one another leave a direction open, along which a step without ridge goes anywhere.
    ridge = isBetter ? Math.max(LEAST_RIDGE, ridge / 100) : ridge * 100;
  }
  if (off > LAST_RESORT) {
    throw new InternalError("cell-key/no-optimum", "The probabilities of largest entropy were not found. Nothing was made of them.");
  }
  return p;
}

/** Solution of (covariance of the free features + ridge) step = -gradient, by Cholesky; with more ridge where that fails. */
function newtonStep(
  free: readonly number[],
  features: readonly Float64Array[],
  p: Float64Array,
  gradient: readonly number[],
  leastRidge: number,
): number[] {
  const n = free.length;
  const means = free.map((k) => features[k]!.reduce((sum, x, j) => sum + p[j]! * x, 0));
  const matrix = free.map((k, r) =>
    free.map((l, c) => {
      let sum = 0;
      for (let j = 0; j < p.length; j++) sum += p[j]! * (features[k]![j]! - means[r]!) * (features[l]![j]! - means[c]!);
      return sum;
    }),
  );
  for (let ridge = leastRidge; ; ridge *= 100) {
    const factor = cholesky(matrix, ridge);
    if (factor === undefined) continue;
    const y: number[] = [];
    for (let r = 0; r < n; r++) {
      let sum = -gradient[free[r]!]!;
      for (let c = 0; c < r; c++) sum -= factor[r]![c]! * y[c]!;
      y.push(sum / factor[r]![r]!);
    }
    for (let r = n - 1; r >= 0; r--) {
      let sum = y[r]!;
      for (let c = r + 1; c < n; c++) sum -= factor[c]![r]! * y[c]!;
      y[r] = sum / factor[r]![r]!;
    }
    return y;
  }
}

function cholesky(matrix: readonly (readonly number[])[], ridge: number): number[][] | undefined {
  const factor: number[][] = [];
  for (let r = 0; r < matrix.length; r++) {
    const row: number[] = [];
    for (let c = 0; c <= r; c++) {
      let sum = matrix[r]![c]! + (r === c ? ridge : 0);
      const above = c === r ? row : factor[c]!;
      for (let k = 0; k < c; k++) sum -= row[k]! * above[k]!;
      if (c < r) row.push(sum / factor[c]![c]!);
      else if (sum > 1e-18) row.push(Math.sqrt(sum));
      else return undefined;
    }
    factor.push(row);
  }
  return factor;
}
