import { brokenAdditions, differenceCells, publishedAdditions } from "../perturbation/additions.ts";
import type { PerturbationMethod } from "../perturbation/method.ts";
import { adjustCounts } from "./adjust.ts";
import type { TabularAdjustment } from "./schema.ts";

/** Controlled tabular adjustment of counts: the nearest tables that add up and show no small count. */
export const tabularAdjustment: PerturbationMethod<TabularAdjustment> = {
  method: "tabular-adjustment",
  needsRecordKeys: false,
  needsKey: () => false,
  perturb: adjustCounts,
  statistics: tabularAdjustmentStatistics,
  check(published, { threshold }) {
    const problems: string[] = [];
    let strange = 0;
    let small = 0;
    const isDifference = differenceCells(published);
    for (let c = 0; c < published.cells; c++) {
      const value = published.values[c]!;
      if (!Number.isSafeInteger(value) || (value < 0 && isDifference[c] === 0)) strange++;
      else if (isDifference[c] === 1) continue;
      else if (value > 0 && value < threshold) small++;
    }
    if (strange > 0) problems.push(`${strange} published numbers are not whole numbers from 0.`);
    if (small > 0) problems.push(`${small} published counts are from 1 to ${threshold - 1}.`);
    const broken = brokenAdditions(publishedAdditions(published), published.values);
    if (broken > 0) problems.push(`${broken} published totals are not the sum of their parts.`);
    return problems;
  },
  describe(options) {
    const { threshold } = options;
    const reach = options.maxChange ?? 2 * threshold;
    return {
      methods: [
        `Counts from 1 to ${threshold - 1} were changed to 0 or to at least ${threshold}. Other counts were changed by as little as ` +
          `possible, and by at most ${reach}, so that all rows and columns add up. ` +
          (options.zeros === "stay"
            ? `A 0 may stand for up to ${threshold - 1} records, but true zeros are shown as 0.`
            : `A 0 may stand for up to ${threshold - 1} records, and a number of at least ${threshold} for none.`),
      ],
      countMeaning: `Number of records after adjustment; none is from 1 to ${threshold - 1}.`,
      countType: "integer",
    };
  },
};

/** Both ways out for a small count, in records. */
export interface SmallCountMoves {
  readonly count: number;
  readonly down: number;
  readonly up: number;
  /** Share of such counts that would have to go up for the change to be 0 on average. */
  readonly unbiasedShareUp: number;
}

/**
 * What a small count can become, count 1 to threshold - 1. Which way each goes follows from the whole table, so there
 * is no law per count; the search prefers the nearer side, which makes counts below half the threshold too small on
 * average.
 */
export function tabularAdjustmentStatistics({ threshold }: Pick<TabularAdjustment, "threshold">): SmallCountMoves[] {
  return Array.from({ length: threshold - 1 }, (_, k) => ({
    count: k + 1,
    down: -(k + 1),
    up: threshold - (k + 1),
    unbiasedShareUp: (k + 1) / threshold,
  }));
}
