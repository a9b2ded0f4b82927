import { InternalError } from "../errors/index.ts";
import { createAverageClassSize, createDiscernibility, createDiscernibilityStar } from "./class-metrics.ts";
import { createDomainLoss } from "./domain-loss.ts";
import { createEntropy } from "./entropy.ts";
import { createHeight, createPrecision } from "./level-metrics.ts";
import type { LossMetric, MetricContext, MetricOptions } from "./metric.ts";

/** Bind a metric to one table. */
export function createMetric(context: MetricContext, options: MetricOptions): LossMetric {
  switch (options.metric) {
    case "loss":
      return createDomainLoss(context, options);
    case "entropy":
    case "entropy-non-monotone":
      return createEntropy(context, options);
    case "discernibility":
      return createDiscernibility(context);
    case "discernibility-star":
      return createDiscernibilityStar();
    case "average-class-size":
      return createAverageClassSize(context);
    case "precision":
    case "precision-non-monotone":
      return createPrecision(context, options);
    case "height":
      return createHeight();
    default:
      throw new InternalError("utility/unknown-metric", `Metric ${JSON.stringify(options.metric)} is not known.`, {
        metric: String(options.metric),
      });
  }
}

export { AGGREGATES, METRIC_NAMES } from "./metric.ts";
export type {
  Aggregate,
  ClassesOfNode,
  ClassSummary,
  KeyProfile,
  LevelProfile,
  LossMetric,
  MetricContext,
  MetricName,
  MetricOptions,
} from "./metric.ts";
