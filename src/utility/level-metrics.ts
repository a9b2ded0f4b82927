import { createAggregator } from "./aggregate.ts";
import { weightFactors, type LossMetric, type MetricContext, type MetricOptions } from "./metric.ts";

/**
 * Precision (Sweeney 2002), as a loss: the mean over the keys of level / height, so
 * that Sweeney's Prec is 1 minus this. "precision" looks at the levels alone; in "precision-non-monotone" a suppressed
 * record pays 1 in every key, as in Sweeney's count of cells.
 */
export function createPrecision(context: MetricContext, options: MetricOptions): LossMetric {
  const keys = context.keys.length;
  const n = context.records;
  const countsSuppressed = options.metric === "precision-non-monotone";
  const { generalization: g, suppression: s } = weightFactors(options.generalizationWeight);
  const aggregator = createAggregator("arithmetic-mean", keys, context.weights);
  const height = context.keys.map((key) => Math.max(1, key.levels.length - 1));
  const losses = new Float64Array(keys);

  const join = (levels: ArrayLike<number>, suppressed: number, out: Float64Array): void => {
    for (let key = 0; key < keys; key++) {
      const generalized = levels[key]! / height[key]!;
      losses[key] = countsSuppressed && n > 0 ? ((n - suppressed) * generalized * g + suppressed * s) / n : generalized;
    }
    aggregator.join(losses, out);
  };

  return {
    name: options.metric,
    components: aggregator.components,
    integer: false,
    slack: 0,
    score: (node, out) => join(node.levels, node.suppressed, out),
    /*
     * Levels alone only grow. With suppression, a key's loss is a mean of g x level / height and s over the records.
     * If g x level / height <= s everywhere (always so unless s < 1), fewer suppressed records would lower it, so the
     * count at high bounds from below; otherwise the smaller of the two does.
     */
    bound(levels, low, high, out) {
      if (!countsSuppressed || n === 0) return join(levels, 0, out);
      for (let key = 0; key < keys; key++) {
        const generalized = (levels[key]! / height[key]!) * g;
        const suppressed = generalized <= s ? high.suppressed : low.suppressed;
        losses[key] = ((n - suppressed) * generalized + suppressed * s) / n;
      }
      aggregator.join(losses, out);
    },
    value: (components) => aggregator.value(components),
  };
}

/** Height (Samarati 2001): the sum of the levels. */
export function createHeight(): LossMetric {
  const sum = (levels: ArrayLike<number>): number => {
    let height = 0;
    for (let key = 0; key < levels.length; key++) height += levels[key]!;
    return height;
  };
  return {
    name: "height",
    components: 1,
    integer: true,
    slack: 0,
    score(node, out) {
      out[0] = sum(node.levels);
    },
    bound(levels, _low, _high, out) {
      out[0] = sum(levels);
    },
    value: (components) => components[0]!,
  };
}
