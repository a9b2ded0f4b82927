import { brokenAdditions, publishedAdditions } from "../perturbation/additions.ts";
import type { PerturbationMethod } from "../perturbation/method.ts";
import { roundInnerCounts } from "./round-inner.ts";
import type { SmallCountRounding } from "./schema.ts";

/** Golden ratio of 2^32: multiples of it, cut to 32 bits, scatter neighbours and never meet. */
const SCATTER = 0x9e3779b1;

/** Rounds small counts of the finest breakdown; every table is the sum of what results, so all of them add up and agree. */
export const smallCountRounding: PerturbationMethod<SmallCountRounding> = {
  method: "small-count-rounding",
  needsRecordKeys: false,
  needsKey: () => false,
  async perturb({ system, signal }, options) {
    // Equally good choices are made in an order that favours no category, the same each time, so that there is no average to take.
    const order = new Int32Array(system.inner);
    for (let i = 0; i < system.inner; i++) order[i] = Math.imul(i, SCATTER);
    const inner = roundInnerCounts(system, options, order, signal);
    const { cells, starts, rows } = system;
    const values = new Float64Array(cells);
    for (let c = 0; c < cells; c++) {
      let sum = 0;
      for (let at = starts[c]!; at < starts[c + 1]!; at++) sum += inner[rows[at]!]!;
      values[c] = sum;
    }
    return values;
  },
  check(published, options) {
    const problems: string[] = [];
    let strange = 0;
    let small = 0;
    for (const value of published.values) {
      if (!Number.isSafeInteger(value) || value < 0) strange++;
      else if (options.identifyNew && value > 0 && value < options.base) small++;
    }
    if (strange > 0) problems.push(`${strange} published numbers are not whole numbers from 0.`);
    if (small > 0) problems.push(`${small} published counts are from 1 to ${options.base - 1}.`);
    const broken = brokenAdditions(publishedAdditions(published), published.values);
    if (broken > 0) problems.push(`${broken} published totals are not the sum of their parts.`);
    return problems;
  },
  describe(options) {
    const { base } = options;
    return {
      methods: [
        `Small counts were changed to 0 or ${base}, or to another multiple of ${base}, so that ` +
          (options.identifyNew ? `no count from 1 to ${base - 1} is shown. ` : `small counts are not shown as they are. `) +
          "The changes were chosen so that larger counts hardly differ from the true ones. All tables come from the same changed " +
          "counts, so rows and columns add up and tables agree with each other.",
        options.zeroCandidates
          ? `A count of 0 may stand for people, and a count of ${base} may stand for nobody.`
          : `A count of 0 may stand for up to ${Math.max(options.maxRound ?? 0, base - 1)} people in one cell of the finest breakdown.`,
      ],
      countMeaning: `Number of records after rounding of small counts to base ${base}.`,
      countType: "integer",
    };
  },
};

/** What can be said of the changes in advance, in records. There is no law per count: which go up depends on the whole table. */
export function smallCountRoundingStatistics(options: Pick<SmallCountRounding, "base" | "zeroCandidates">): {
  readonly largestInnerChange: number;
  readonly largestTotalChange: number;
} {
  return {
    largestInnerChange: options.zeroCandidates ? options.base : options.base - 1,
    largestTotalChange: options.base / 2,
  };
}
