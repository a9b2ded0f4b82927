/**
 * Information loss of a full-domain generalization with record suppression: what the lattice search makes smallest and the
 * report states. A metric sees a generalization only through the sizes of its classes and, per key, how many suppressed
 * records carry each generalized value; never through rows.
 */

export const METRIC_NAMES = [
  "loss",
  "entropy",
  "entropy-non-monotone",
  "discernibility",
  "discernibility-star",
  "average-class-size",
  "precision",
  "precision-non-monotone",
  "height",
] as const;
export type MetricName = (typeof METRIC_NAMES)[number];

/** How the losses of the keys become one number. "rank" compares the sorted losses, largest first. */
export const AGGREGATES = ["geometric-mean", "arithmetic-mean", "sum", "max", "rank"] as const;
export type Aggregate = (typeof AGGREGATES)[number];

export interface MetricOptions {
  readonly metric: MetricName;
  /** Used by loss only; geometric-mean when absent. */
  readonly aggregate?: Aggregate;
  /**
   * 0 to 1, default 0.5: below, suppression counts 2 x this and generalization in full; above, generalization counts
   * 2 - 2 x this and suppression in full. Used by loss, entropy-non-monotone and precision-non-monotone.
   */
  readonly generalizationWeight?: number;
}

/** Sizes of the classes of one generalization. Records are exact integers below 2^53. */
export interface ClassSummary {
  /** [keys] level of each key. */
  readonly levels: ArrayLike<number>;
  /** Records in classes smaller than k, which are suppressed. */
  readonly suppressed: number;
  /** Classes of at least k records, and smaller ones. */
  readonly kept: number;
  readonly small: number;
  /** Sum of squared sizes, of the kept classes and of the small ones. */
  readonly keptSquares: number;
  readonly smallSquares: number;
  /** Sum over the kept classes of floor(size / k). */
  readonly multiples: number;
  /** What {@link LossMetric.suppressionCost} or {@link LossMetric.leastSuppressionCost} gave for it; 0 otherwise. */
  readonly suppressionCost: number;
}

/** A generalization whose suppressed records can be looked at key by key. */
export interface ClassesOfNode extends ClassSummary {
  /**
   * Suppressed records by generalized value of one key: [codes of the level + 1], null last.
   * The array is reused by the next call.
   */
  suppressedBy(key: number): Float64Array;
}

/** What a metric needs to know about the data beforehand. */
export interface MetricContext {
  /** Records in all, suppressed or not. */
  readonly records: number;
  readonly k: number;
  readonly keys: readonly KeyProfile[];
  /** [keys] weights of the keys, not all zero; 1 each when absent. */
  readonly weights?: readonly number[];
}

/** One key's whole column. */
export interface KeyProfile {
  /** Leaves of the whole domain. */
  readonly leaves: number;
  readonly levels: readonly LevelProfile[];
}

export interface LevelProfile {
  /** [codes + 1] records by generalized value, null last. */
  readonly records: Float64Array;
  /** [codes] share of the domain that each value covers. */
  readonly share: Float64Array;
  /** [leaves seen] code at this level of each leaf code. */
  readonly map: Int32Array;
}

/**
 * A metric bound to one table. Loss is a tuple compared component by component, one component for all aggregates but
 * rank; smaller is better. Everything is summed in an order that does not depend on how values are coded, so the loss of
 * a generalization is the same, bit for bit, for every order of the records.
 */
export interface LossMetric {
  readonly name: MetricName;
  readonly components: number;
  /** Losses are integers and compared exactly; otherwise they are equal when their first 12 significant digits are. */
  readonly integer: boolean;
  /**
   * How far a bound may lie above what it bounds through rounding alone, relative to 1 + its size: they add up the same
   * numbers in different orders. Four units of rounding for every term.
   */
  readonly slack: number;
  /** Loss of one generalization. */
  score(node: ClassesOfNode, out: Float64Array): void;
  /**
   * A lower bound, component by component, of the loss of every generalization x with low <= x <= high in every key.
   * `levels` stands in for the levels of low and may be higher than the levels whose classes `low` describes; the
   * classes of x are unions of those of `low`, and the records suppressed in `high` are suppressed in x
   * (coarser classes are larger, so only fewer records can be in small ones).
   */
  bound(levels: ArrayLike<number>, low: ClassSummary, high: ClassSummary, out: Float64Array): void;
  /** The one number that stands for the components. */
  value(components: Float64Array): number;
  /** A part of the loss that depends on the suppressed records alone and grows with their set; only where bounds use it. */
  suppressionCost?(node: ClassesOfNode): number;
  /** A lower bound of that part from the number of suppressed records alone. */
  leastSuppressionCost?(node: ClassSummary): number;
}

/** The factors that a generalization weight stands for. */
export function weightFactors(generalizationWeight = 0.5): { generalization: number; suppression: number } {
  return {
    generalization: generalizationWeight <= 0.5 ? 1 : 2 - 2 * generalizationWeight,
    suppression: generalizationWeight < 0.5 ? 2 * generalizationWeight : 1,
  };
}
