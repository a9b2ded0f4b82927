import type { LossMetric, MetricContext } from "./metric.ts";

/**
 * Discernibility DM (Bayardo and Agrawal 2005): a record pays the size of its class, a suppressed record the size of the
 * table. Integers, exact below 2^53.
 */
export function createDiscernibility({ records: n, k }: MetricContext): LossMetric {
  return {
    name: "discernibility",
    components: 1,
    integer: true,
    slack: 0,
    score(node, out) {
      out[0] = node.keptSquares + n * node.suppressed;
    },
    /*
     * Records suppressed in high pay n in x. They were in small classes of low, since those are no larger. Any other
     * record of a small class pays at least k in x (its class is kept, or it pays n >= k, or, when n < k, all records are
     * suppressed), one of a large class at least the size of that class.
     */
    bound(_levels, low, high, out) {
      out[0] = low.keptSquares + (low.suppressed - high.suppressed) * Math.min(k, n) + n * high.suppressed;
    },
    value: (components) => components[0]!,
  };
}

/** DM*: the sum of squared class sizes, suppression ignored. Merging classes only makes it larger. */
export function createDiscernibilityStar(): LossMetric {
  return {
    name: "discernibility-star",
    components: 1,
    integer: true,
    slack: 0,
    score(node, out) {
      out[0] = node.keptSquares + node.smallSquares;
    },
    bound(_levels, low, _high, out) {
      out[0] = low.keptSquares + low.smallSquares;
    },
    value: (components) => components[0]!,
  };
}

/** Average class size: records over classes, where all suppressed records together are one more class (as in ARX). */
export function createAverageClassSize({ records: n, k }: MetricContext): LossMetric {
  return {
    name: "average-class-size",
    components: 1,
    integer: false,
    slack: 0,
    score(node, out) {
      const classes = node.kept + (node.suppressed > 0 ? 1 : 0);
      out[0] = classes === 0 ? 0 : n / classes;
    },
    /*
     * A kept class of x is a union of classes of low. It holds a class of low that has at least k records, or at least k
     * records from small ones, and records suppressed in high are not among them. It also lies within one kept class of
     * high, which has room for floor(size / k) of its kind. Both limit how many there are. One more class is that of the
     * suppressed records, when low suppresses any at all.
     */
    bound(_levels, low, high, out) {
      const fromBelow = low.kept + Math.floor((low.suppressed - high.suppressed) / k);
      const most = Math.min(fromBelow, high.multiples) + (low.suppressed > 0 ? 1 : 0);
      out[0] = most === 0 ? 0 : n / most;
    },
    value: (components) => components[0]!,
  };
}
