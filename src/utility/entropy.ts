import { weightFactors, type ClassesOfNode, type KeyProfile, type LossMetric, type MetricContext, type MetricOptions } from "./metric.ts";

/**
 * Non-uniform entropy (de Waal and Willenborg 1999; Gionis and Tassa 2009), in bits: a record pays in each key
 * log2(records with its generalized value / records with its original value), over the whole column.
 *
 * "entropy" ignores suppression and is monotone in the levels. In "entropy-non-monotone" the suppressed records together
 * also pay in each key the entropy of their generalized values among themselves, -log2(share of the value among the
 * suppressed records) per record.
 *
 * Terms are sorted before they are summed, so the result does not depend on coding.
 */
export function createEntropy(context: MetricContext, options: MetricOptions): LossMetric {
  const keys = context.keys.length;
  const countsSuppressed = options.metric === "entropy-non-monotone";
  const factors = weightFactors(options.generalizationWeight);
  const g = countsSuppressed ? factors.generalization : 1;
  const s = countsSuppressed ? factors.suppression : 0;
  const heaviest = context.weights === undefined ? 1 : Math.max(...context.weights);
  const weightOf = (key: number): number => (context.weights === undefined ? 1 : context.weights[key]! / heaviest);
  const columnLoss = context.keys.map((key, index) => generalizationEntropy(key).map((bits) => g * weightOf(index) * bits));

  const generalized = (levels: ArrayLike<number>): number => {
    let bits = 0;
    for (let key = 0; key < keys; key++) bits += columnLoss[key]![levels[key]!]!;
    return bits;
  };

  // A key whose records all have one value at a level tells nothing about the suppressed ones.
  const single = context.keys.map((key) =>
    key.levels.map((level) => level.records.reduce((values, records) => values + (records > 0 ? 1 : 0), 0) <= 1),
  );
  const widest = context.keys.reduce((most, key) => Math.max(most, ...key.levels.map((level) => level.records.length)), 0);
  const terms = new Float64Array(widest);

  /** Sorting makes the last bits independent of coding; bounds do without. */
  const suppressedEntropy = (node: ClassesOfNode, sorted: boolean): number => {
    if (!countsSuppressed || node.suppressed === 0) return 0;
    let bits = 0;
    for (let key = 0; key < keys; key++) {
      if (single[key]![node.levels[key]!]!) continue;
      const counts = node.suppressedBy(key);
      let present = 0;
      for (let code = 0; code < counts.length; code++) if (counts[code]! > 0) terms[present++] = counts[code]!;
      if (sorted) terms.subarray(0, present).sort();
      let keyBits = 0;
      for (let i = 0; i < present; i++) keyBits += terms[i]! * Math.log2(node.suppressed / terms[i]!);
      bits += weightOf(key) * s * keyBits;
    }
    return bits;
  };

  const metric: LossMetric = {
    name: options.metric,
    components: 1,
    integer: false,
    slack: countsSuppressed ? 4 * Number.EPSILON * (keys + widest) : 0,
    score(node, out) {
      out[0] = generalized(node.levels) + suppressedEntropy(node, true);
    },
    /*
     * The generalization part only grows with the levels. The suppressed part is, per key, S log2 S - sum of c log2 c over
     * the values' counts c, S their sum. Adding a record to a value of count c changes it by about log2 S - log2 c >= 0
     * (f(c + 1) - f(c) with f(t) = t log2 t grows in t, and S >= c), so it grows with the set; merging two values only
     * lowers it. The records suppressed in high are suppressed in x, and high merges at least what x merges: the cost at
     * high bounds the cost at x from below.
     */
    bound(levels, _low, high, out) {
      out[0] = generalized(levels) + high.suppressionCost;
    },
    value: (components) => components[0]!,
  };
  if (countsSuppressed) {
    const spreads = context.keys.map((key) => key.levels.map((level) => spreadOf(level.records)));
    metric.suppressionCost = (node) => suppressedEntropy(node, false);
    metric.leastSuppressionCost = ({ levels, suppressed }) => {
      let bits = 0;
      for (let key = 0; key < keys; key++) bits += weightOf(key) * s * leastEntropy(spreads[key]![levels[key]!]!, suppressed);
      return bits;
    };
  }
  return metric;
}

/** [levels] bits lost in one key by generalizing all its records to a level. */
function generalizationEntropy(key: KeyProfile): number[] {
  const leaves = key.levels[0]!.records;
  return key.levels.map((level) => {
    const terms = new Float64Array(leaves.length);
    for (let leaf = 0; leaf < leaves.length - 1; leaf++) {
      const records = leaves[leaf]!;
      // Null generalizes to itself and loses nothing.
      if (records > 0) terms[leaf] = records * Math.log2(level.records[level.map[leaf]!]! / records);
    }
    let bits = 0;
    for (const term of terms.sort()) bits += term;
    return bits;
  });
}

/** Values of one key at one level by the records they have, most first, as running sums. */
interface Spread {
  /** [values + 1] records with the i most frequent values. */
  readonly records: Float64Array;
  /** [values + 1] sum of c log2 c over the i most frequent values, c their records. */
  readonly bits: Float64Array;
}

function spreadOf(byCode: Float64Array): Spread {
  const counts = byCode.filter((count) => count > 0).sort().reverse();
  const records = new Float64Array(counts.length + 1);
  const bits = new Float64Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) {
    records[i + 1] = records[i]! + counts[i]!;
    bits[i + 1] = bits[i]! + counts[i]! * Math.log2(counts[i]!);
  }
  return { records, bits };
}

/**
 * Least entropy, in bits over all of them, of any so many records of a column. Entropy is least when the counts are as
 * unequal as they can be (it is Schur-concave), which is when the records take up the most frequent values one by one.
 */
function leastEntropy({ records, bits }: Spread, suppressed: number): number {
  if (suppressed === 0) return 0;
  let below = 0;
  let above = records.length - 1;
  while (below < above) {
    const middle = (below + above + 1) >> 1;
    if (records[middle]! <= suppressed) below = middle;
    else above = middle - 1;
  }
  const rest = suppressed - records[below]!;
  const all = suppressed * Math.log2(suppressed);
  // Large sums that nearly cancel: take off what rounding may have added, generously.
  return Math.max(0, all * (1 - 1e-11) - bits[below]! - (rest > 0 ? rest * Math.log2(rest) : 0));
}
