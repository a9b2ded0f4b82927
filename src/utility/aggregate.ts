import type { Aggregate } from "./metric.ts";

/** Joins one loss per key, each at least 0, into the components of a loss. */
export interface Aggregator {
  readonly components: number;
  /** `losses` [keys] is overwritten. Larger losses never give a smaller result, in any component. */
  join(losses: Float64Array, out: Float64Array): void;
  value(components: Float64Array): number;
}

/**
 * Weights are divided by the largest, so that equal weights leave every loss as it is; the geometric mean uses them as
 * exponents, product of (1 + loss) ^ (weight / sum of weights), minus 1 (the 1 keeps a key without loss from hiding the
 * others).
 */
export function createAggregator(aggregate: Aggregate, keys: number, weights?: readonly number[]): Aggregator {
  const heaviest = weights === undefined ? 1 : Math.max(...weights);
  const weight = Float64Array.from({ length: keys }, (_, key) => (weights === undefined ? 1 : weights[key]! / heaviest));
  const scalar = (join: (losses: Float64Array) => number): Aggregator => ({
    components: 1,
    join: (losses, out) => {
      out[0] = join(losses);
    },
    value: (components) => components[0]!,
  });

  if (aggregate === "geometric-mean") {
    const total = weight.reduce((sum, each) => sum + each, 0);
    if (weight.every((each) => each === 1)) {
      return scalar((losses) => {
        let product = 1;
        for (let key = 0; key < keys; key++) product *= 1 + losses[key]!;
        return Math.pow(product, 1 / keys) - 1;
      });
    }
    return scalar((losses) => {
      let product = 1;
      for (let key = 0; key < keys; key++) product *= Math.pow(1 + losses[key]!, weight[key]! / total);
      return product - 1;
    });
  }
  if (aggregate === "max") {
    return scalar((losses) => {
      let largest = 0;
      for (let key = 0; key < keys; key++) largest = Math.max(largest, losses[key]! * weight[key]!);
      return largest;
    });
  }
  if (aggregate === "rank") {
    return {
      components: keys,
      // Sorting keeps component-wise order: if a <= b in every key, then so does the i-th largest of a and of b.
      join: (losses, out) => {
        for (let key = 0; key < keys; key++) out[key] = -losses[key]! * weight[key]!;
        out.sort();
        for (let key = 0; key < keys; key++) out[key] = -out[key]!;
      },
      value: (components) => {
        let product = 1;
        for (let key = 0; key < keys; key++) product *= 1 + components[key]!;
        return Math.pow(product, 1 / keys) - 1;
      },
    };
  }
  const divisor = aggregate === "sum" ? 1 : keys;
  return scalar((losses) => {
    let sum = 0;
    for (let key = 0; key < keys; key++) sum += losses[key]! * weight[key]!;
    return sum / divisor;
  });
}
