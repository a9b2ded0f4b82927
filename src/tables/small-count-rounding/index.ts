import { brokenAdditions, publishedAdditions } from "../perturbation/additions.ts";
import type { PerturbationMethod } from "../perturbation/method.ts";
import { roundInnerCounts } from "./round-inner.ts";
import type { SmallCountRounding } from "./schema.ts";

/** Rounds small counts of the finest breakdown; every table is the sum of what results, so all of them add up and agree. */
export const smallCountRounding: PerturbationMethod<SmallCountRounding> = {
  method: "small-count-rounding",
  needsRecordKeys: false,
  needsKey: () => false,
  async perturb({ system, signal }, options) {
    const inner = roundInnerCounts(system, options, scatteredRanks, signal);
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

/**
 * Ranks among equally good choices: an order that favours no category, and the same each time, so that there are no different
 * releases to average. Mixing by the finaliser of MurmurHash3 (A. Appleby, public domain), which maps 32 bits one to one.
 */
export function scatteredRanks(rows: number): Int32Array {
  const ranks = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    let x = row;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    ranks[row] = x ^ (x >>> 16);
  }
  return ranks;
}

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
