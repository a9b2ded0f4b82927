import { brokenAdditions, differenceCells, publishedAdditions } from "../perturbation/additions.ts";
import type { PerturbationMethod } from "../perturbation/method.ts";
import { sumOverInner, type TableSystem } from "../tabulate/index.ts";
import { roundInnerCounts, type RoundedSystem } from "./round-inner.ts";
import type { SmallCountRounding } from "./schema.ts";

/**
 * Rounds small counts of the finest breakdown; every table is the sum of what results, so all of them add up and agree.
 */
export const smallCountRounding: PerturbationMethod<SmallCountRounding> = {
  method: "small-count-rounding",
  needsRecordKeys: false,
  needsKey: () => false,
  async perturb({ system, signal }, options) {
    return sumOverInner(system, roundInnerCounts(withoutDifferences(system), options, scatteredRanks, signal));
  },
  statistics: smallCountRoundingStatistics,
  check(published, options) {
    const problems: string[] = [];
    let strange = 0;
    let small = 0;
    const isDifference = differenceCells(published);
    for (let c = 0; c < published.cells; c++) {
      const value = published.values[c]!;
      if (!Number.isSafeInteger(value) || (value < 0 && isDifference[c] === 0)) strange++;
      else if (isDifference[c] === 1) continue;
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

/** Differences of counts count nobody, so they neither ask for rounding nor steer it; they follow from the rest. */
function withoutDifferences(system: TableSystem): RoundedSystem {
  if (system.signs === undefined) return system;
  const isDifference = differenceCells(system);
  const count: number[] = [];
  const starts: number[] = [0];
  const rows: number[] = [];
  for (let c = 0; c < system.cells; c++) {
    if (isDifference[c] === 1) continue;
    for (let at = system.starts[c]!; at < system.starts[c + 1]!; at++) rows.push(system.rows[at]!);
    starts.push(rows.length);
    count.push(system.count[c]!);
  }
  const { inner, innerCount } = system;
  return {
    cells: count.length,
    count: Float64Array.from(count),
    inner,
    innerCount,
    starts: Int32Array.from(starts),
    rows: Int32Array.from(rows),
  };
}

/**
 * Ranks among equally good choices: an order that favours no category, and the same each time, so that there are no
 * different releases to average. Mixing by the finaliser of MurmurHash3 (A. Appleby, public domain), which maps 32 bits
 * one to one.
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

/**
 * What can be said of the changes in advance, in records. There is no law per count: which go up depends on the whole
 * table.
 */
export function smallCountRoundingStatistics(options: Pick<SmallCountRounding, "base" | "zeroCandidates">): {
  readonly largestInnerChange: number;
  readonly largestTotalChange: number;
} {
  return {
    largestInnerChange: options.zeroCandidates ? options.base : options.base - 1,
    largestTotalChange: options.base / 2,
  };
}
