import { createAggregator } from "./aggregate.ts";
import { weightFactors, type LevelProfile, type LossMetric, type MetricContext, type MetricOptions } from "./metric.ts";

/** Records of one key at one level, by the distinct shares of the domain that their values cover, ascending. */
interface ShareGroups {
  readonly shares: Float64Array;
  readonly records: Float64Array;
  /** [codes + 1] group of each generalized value, null last. */
  readonly groupOf: Int32Array;
  /** Sum of records x (share - 1 / leaves). */
  readonly excess: number;
}

/**
 * Loss (Iyengar 2002): every value pays the share of its key's domain that it may stand for, a suppressed record pays 1
 * in every key. Per key the sum is scaled from [records / leaves, records] to [0, 1], then the keys are joined. Null is a
 * value like a leaf: it pays 1 / leaves at every level.
 *
 * Shares are summed by distinct share, ascending, with exact integer counts, so the result does not depend on coding.
 */
export function createDomainLoss(context: MetricContext, options: MetricOptions): LossMetric {
  const keys = context.keys.length;
  const n = context.records;
  const { generalization: g, suppression: s } = weightFactors(options.generalizationWeight);
  const aggregator = createAggregator(options.aggregate ?? "geometric-mean", keys, context.weights);
  const groups = context.keys.map((key) => key.levels.map((level) => groupShares(level, key.leaves)));
  const leafShare = Float64Array.from(context.keys, (key) => 1 / key.leaves);
  const losses = new Float64Array(keys);
  const suppressedIn = new Float64Array(groups.reduce((most, key) => Math.max(most, ...key.map((l) => l.shares.length)), 1));

  // What is paid beyond g / leaves, over the most there can be. Taken off term by term, so that no loss is exactly 0.
  const scaled = (key: number, excess: number): number => {
    const most = n * (1 - g * leafShare[key]!);
    return most > 0 ? Math.max(0, excess / most) : 0;
  };

  return {
    name: "loss",
    components: aggregator.components,
    integer: false,
    slack: 4 * Number.EPSILON * (keys + suppressedIn.length),
    score(node, out) {
      for (let key = 0; key < keys; key++) {
        const { shares, records, groupOf } = groups[key]![node.levels[key]!]!;
        if (shares.length === 1) {
          suppressedIn[0] = node.suppressed;
        } else {
          suppressedIn.fill(0, 0, shares.length);
          const suppressed = node.suppressedBy(key);
          for (let code = 0; code < groupOf.length; code++) suppressedIn[groupOf[code]!]! += suppressed[code]!;
        }
        const leaf = leafShare[key]!;
        let excess = 0;
        for (let i = 0; i < shares.length; i++) {
          const gone = suppressedIn[i]!;
          // A suppressed record pays s + (1 - s) x share, as in ARX: exactly 1 unless the weight favours suppression.
          excess += (records[i]! - gone) * g * (shares[i]! - leaf) + gone * (shares[i]! * (1 - s) + s - g * leaf);
        }
        losses[key] = scaled(key, excess);
      }
      aggregator.join(losses, out);
    },
    /*
     * Let S be the records suppressed in high, m their number. For x between low and high, S is suppressed in x. In any
     * key, share(x) >= share(low) record by record because levels nest, and being suppressed never pays less than being
     * kept: s + (1 - s) share >= g share, since one of g, s is 1 and share <= 1. So the sum over records at x is at least
     * sum of g share(low) over the records outside S, plus s + (1 - s) share(low) over S
     *   = sum of g share(low) over all + sum over S of (s - (s + g - 1) share(low)),
     * and with s + g - 1 >= 0 that is smallest when S takes the m records with the largest shares. Scaling and joining
     * keep the order.
     */
    bound(levels, _low, high, out) {
      for (let key = 0; key < keys; key++) {
        const { shares, records, excess } = groups[key]![levels[key]!]!;
        let sum = g * excess;
        let left = high.suppressed;
        for (let i = shares.length - 1; i >= 0 && left > 0; i--) {
          const gone = Math.min(left, records[i]!);
          sum += gone * (s - (s + g - 1) * shares[i]!);
          left -= gone;
        }
        losses[key] = scaled(key, sum);
      }
      aggregator.join(losses, out);
    },
    value: (components) => aggregator.value(components),
  };
}

function groupShares(level: LevelProfile, leaves: number): ShareGroups {
  const nullCode = level.records.length - 1;
  const shareOf = (code: number): number => (code === nullCode ? 1 / leaves : level.share[code]!);
  const distinct = new Set<number>();
  for (let code = 0; code <= nullCode; code++) if (level.records[code]! > 0) distinct.add(shareOf(code));
  const shares = Float64Array.from(distinct).sort();
  const indexOf = new Map(Array.from(shares, (share, i) => [share, i]));
  const records = new Float64Array(shares.length);
  const groupOf = new Int32Array(nullCode + 1);
  for (let code = 0; code <= nullCode; code++) {
    groupOf[code] = indexOf.get(shareOf(code)) ?? 0; // values that no record has may go anywhere
    records[groupOf[code]!]! += level.records[code]!;
  }
  let excess = 0;
  for (let i = 0; i < shares.length; i++) excess += records[i]! * (shares[i]! - 1 / leaves);
  return { shares, records, groupOf, excess };
}
