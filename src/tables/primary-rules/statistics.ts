import { DataError, InternalError, PolicyError } from "../../errors/index.ts";
import type { TableSystem } from "../tabulate/index.ts";
import type { Contributions } from "./contributions.ts";
import { decimalGrid, onGrid } from "./decimal-grid.ts";

export interface ContributionReading {
  /** Whose contributions count as one. Default "contributor". Without holdings a contributor is its own holding. */
  readonly by?: "contributor" | "holding";
  /**
   * What weights do. "units" (default): a value v of weight w stands for w contributors of v each; "contributions": the
   * contributions as reported beside the weighted total; "ignore": no weights.
   */
  readonly weights?: "units" | "contributions" | "ignore";
  /** "sums" (default): |sum of each contributor|; "values": absolute values record by record; "refuse": a DataError. */
  readonly negatives?: "sums" | "values" | "refuse";
}

export interface StatisticsOptions extends ContributionReading {
  /** How many of the largest contributions to keep for each cell, 0 or more. */
  readonly top: number;
}

/** What the rules need to know of each published cell. Nothing in it may be published. */
export interface ContributorStatistics {
  readonly cells: number;
  readonly top: number;
  /** [cells] different contributors. */
  readonly contributors: Int32Array;
  /** [cells] different holdings; the contributors again where there are no holdings. */
  readonly holdings: Int32Array;
  /** [cells] contributors, and holdings, whose contribution to the measure is not zero; 0 for counts. */
  readonly contributing: Int32Array;
  readonly contributingHoldings: Int32Array;
  /** [cells] records. */
  readonly records: Float64Array;
  /** [cells] sum of sampling weights; the records again where there are no weights. */
  readonly weighted: Float64Array;
  /** [cells] total of the measure, weighted unless weights are ignored: what a table would print. */
  readonly value: Float64Array;
  /** [cells] what shares are taken of: the same with absolute values as `negatives` says; `value` where none is negative. */
  readonly total: Float64Array;
  /** [cells * top] largest contributions, descending, 0 where there are fewer. Those of cell c begin at c * top. */
  readonly largest: Float64Array;
  /** [cells * top] whose they are (contributor or holding), -1 where there are fewer; of equal ones the lower number first. */
  readonly largestOf: Int32Array;
  /** [cells] largest contribution of one that asked for confidentiality; 0 when none did. */
  readonly requested: Float64Array;
  /**
   * [cells] amounts that cancel out within contributors, own and in totals together: sums of them are rounded in proportion to these,
   * however little is left. 0 where no contribution is negative.
   */
  readonly cancelled: Float64Array;
  /** Power of ten on whose grid `value`, `total`, `largest` and `requested` are exact; 0 when they are rounded doubles. */
  readonly grid: number;
  /** The same for `weighted`. */
  readonly weightGrid: number;
}

export type CellSums = Pick<TableSystem, "cells" | "starts" | "rows" | "inner">;

/**
 * Statistics of contributors for every published cell. Contributions of one contributor (or holding) to several inner cells of
 * a published cell are added before they are compared.
 *
 * The largest contributions under `weights: "units"`: a contributor with value v and weight w fills w places with v each; its
 * weight is its mean over records, at least 1. Where a weight is not whole, a place is shared in proportion.
 *
 * Time O(pairs of published cell and contribution), that is margins x entries, plus O(top) for each pair that enters the
 * list; memory O(entries + contributors + cells x top), nothing is allocated for a cell.
 *
 * @throws DataError `primary-rules/not-a-number`, `primary-rules/negative-value` (with `negatives: "refuse"`),
 *         `primary-rules/negative-weight`; PolicyError `primary-rules/bad-top`; InternalError `primary-rules/number-out-of-range`
 */
export function contributorStatistics(
  system: CellSums,
  contributions: Contributions,
  options: StatisticsOptions,
): ContributorStatistics {
  const { cells, starts, rows } = system;
  const { top, by = "contributor", weights = "units", negatives = "sums" } = options;
  if (!Number.isSafeInteger(top) || top < 0) {
    throw new PolicyError("primary-rules/bad-top", `top is a whole number of at least 0; found ${top}.`, { top: String(top) });
  }
  checkNumbers(system.inner, contributions);
  checkContributions(contributions, negatives);
  const weighs = weights !== "ignore" && contributions.weight !== undefined;
  const measured = contributions.value !== undefined;
  const source = readingsOf(contributions, weighs, negatives);
  const grid = decimalGrid(source.signed === undefined ? [source.own, source.weighted] : [source.own, source.weighted, source.signed]);
  // Contributions alone are often decimals where their weights are not: what cancels out is then exactly nothing.
  const ownGrid = grid || decimalGrid([source.own]);
  const weightGrid = contributions.weight === undefined ? 1 : decimalGrid([contributions.weight]);

  // Entries of an inner cell side by side.
  const entryStarts = new Int32Array(system.inner + 1);
  for (let e = 0; e < contributions.entries; e++) entryStarts[contributions.inner[e]! + 1]!++;
  for (let i = 0; i < system.inner; i++) entryStarts[i + 1]! += entryStarts[i]!;
  const order = new Int32Array(contributions.entries);
  const next = entryStarts.slice(0, system.inner);
  for (let e = 0; e < contributions.entries; e++) order[next[contributions.inner[e]!]!++] = e;
  const arranged = (values: Float64Array) => {
    const out = new Float64Array(order.length);
    for (let at = 0; at < order.length; at++) out[at] = values[order[at]!]!;
    return out;
  };
  const contributorAt = new Int32Array(order.length);
  for (let at = 0; at < order.length; at++) contributorAt[at] = contributions.contributor[order[at]!]!;
  const holdingOf = contributions.holding ?? Int32Array.from({ length: contributions.contributors }, (_, k) => k);
  let holdings = 0;
  for (let k = 0; k < contributions.contributors; k++) if (holdingOf[k]! >= holdings) holdings = holdingOf[k]! + 1;
  const records = arranged(contributions.records);
  const weight = contributions.weight === undefined ? undefined : arranged(onGrid(contributions.weight, weightGrid));
  const own = arranged(onGrid(source.own, ownGrid));
  const weighted = arranged(onGrid(source.weighted, grid));
  const signed = source.signed === undefined ? undefined : arranged(onGrid(source.signed, grid));

  // Sums by contributor and by holding within one cell; a sum is of this cell when its stamp is.
  const byHolding = by === "holding";
  const units = byHolding ? holdings : contributions.contributors;
  const asked = new Uint8Array(units);
  if (contributions.requested !== undefined) {
    for (let k = 0; k < contributions.contributors; k++) {
      if (contributions.requested[k] === 1) asked[byHolding ? holdingOf[k]! : k] = 1;
    }
  }
  const contributorSums = stampedSums(contributions.contributors);
  const holdingSums = contributions.holding === undefined ? undefined : stampedSums(holdings);
  const unitSums = byHolding ? (holdingSums ?? contributorSums) : contributorSums;
  const unitWeighted = new Float64Array(units);
  const unitWeight = new Float64Array(units);
  const unitRecords = new Float64Array(units);

  const result = emptyStatistics(cells, top);
  const topValue = new Float64Array(top);
  const topTimes = new Float64Array(top);
  const topUnit = new Int32Array(top);
  const divisor = grid || 1;
  const ownDivisor = ownGrid || 1;
  const weightDivisor = weightGrid || 1;
  const inUnits = weights === "units" && weight !== undefined;
  let whole = true;

  for (let c = 0; c < cells; c++) {
    let cellRecords = 0;
    let cellWeight = 0;
    let cellValue = 0;
    let cancelled = 0;
    contributorSums.found = 0;
    if (holdingSums !== undefined) holdingSums.found = 0;
    for (let at = starts[c]!; at < starts[c + 1]!; at++) {
      const inner = rows[at]!;
      for (let e = entryStarts[inner]!; e < entryStarts[inner + 1]!; e++) {
        const contributor = contributorAt[e]!;
        const value = own[e]!;
        addTo(contributorSums, contributor, value, c);
        let fresh = contributorSums.isNew;
        if (holdingSums !== undefined) {
          addTo(holdingSums, holdingOf[contributor]!, value, c);
          if (byHolding) fresh = holdingSums.isNew;
        }
        const unit = byHolding ? holdingOf[contributor]! : contributor;
        if (fresh) unitWeighted[unit] = unitWeight[unit] = unitRecords[unit] = 0;
        unitWeighted[unit]! += weighted[e]!;
        cancelled += Math.abs(value) / ownDivisor + Math.abs(weighted[e]!) / divisor;
        unitRecords[unit]! += records[e]!;
        cellRecords += records[e]!;
        cellValue += signed === undefined ? weighted[e]! : signed[e]!;
        if (weight !== undefined) {
          unitWeight[unit]! += weight[e]!;
          cellWeight += weight[e]!;
        }
      }
    }
    result.contributors[c] = contributorSums.found;
    result.holdings[c] = holdingSums?.found ?? contributorSums.found;
    if (measured) {
      result.contributing[c] = nonzero(contributorSums);
      result.contributingHoldings[c] = holdingSums === undefined ? result.contributing[c]! : nonzero(holdingSums);
    }
    result.records[c] = cellRecords;
    result.weighted[c] = weight === undefined ? cellRecords : cellWeight / weightDivisor;
    result.value[c] = cellValue / divisor;

    let total = 0;
    let requested = 0;
    let kept = 0;
    for (let f = 0; f < unitSums.found; f++) {
      const unit = unitSums.touched[f]!;
      const size = Math.abs(unitSums.sum[unit]!);
      total += Math.abs(unitWeighted[unit]!);
      cancelled -= size / ownDivisor + Math.abs(unitWeighted[unit]!) / divisor;
      if (asked[unit] === 1 && size > requested) requested = size;
      if (top === 0 || size === 0) continue;
      if (kept === top && !(size > topValue[top - 1]! || (size === topValue[top - 1]! && unit < topUnit[top - 1]!))) continue;
      let slot = kept < top ? kept++ : top - 1;
      while (slot > 0 && (size > topValue[slot - 1]! || (size === topValue[slot - 1]! && unit < topUnit[slot - 1]!))) {
        topValue[slot] = topValue[slot - 1]!;
        topTimes[slot] = topTimes[slot - 1]!;
        topUnit[slot] = topUnit[slot - 1]!;
        slot--;
      }
      topValue[slot] = size;
      topTimes[slot] = inUnits && unitRecords[unit]! > 0 ? Math.max(1, unitWeight[unit]! / weightDivisor / unitRecords[unit]!) : 1;
      topUnit[slot] = unit;
    }
    result.total[c] = total / divisor;
    result.cancelled[c] = Math.max(0, cancelled);
    result.requested[c] = requested / ownDivisor;

    // Fill places with units; a unit of weight 2.5 fills two places and half of a third.
    let from = 0;
    let left = kept > 0 ? topTimes[0]! : 0;
    for (let place = 0; place < top; place++) {
      let room = 1;
      let sum = 0;
      let whose = -1;
      while (room > 0 && from < kept) {
        const taken = Math.min(room, left);
        if (taken > 0 && whose < 0) whose = topUnit[from]!;
        sum += taken * topValue[from]!;
        if (taken !== 1) whole = false;
        room -= taken;
        left -= taken;
        if (left <= 0 && ++from < kept) left = topTimes[from]!;
      }
      result.largest[c * top + place] = sum / ownDivisor;
      result.largestOf[c * top + place] = whose;
    }
  }
  return { ...result, grid: whole ? grid : 0, weightGrid };
}

/** The entries' values as a reading of the contributions takes them. */
export interface EntryReadings {
  /** [entries] what counts as the entry's contribution. */
  readonly own: Float64Array;
  /** [entries] what it adds to the total that shares are taken of. */
  readonly weighted: Float64Array;
  /** [entries] what it adds to the published total, where that is not `weighted`. */
  readonly signed: Float64Array | undefined;
}

/** Read contributions: which of their numbers are compared, and which make the total. */
export function readingsOf(
  { entries, records, weight, value, weightedValue, absolute }: Contributions,
  weighs: boolean,
  negatives: "sums" | "values" | "refuse",
): EntryReadings {
  const plain = value ?? new Float64Array(entries);
  const times = (values: Float64Array): Float64Array => {
    if (!weighs || weight === undefined) return values;
    const out = new Float64Array(entries);
    // The product first: it is exact for whole weights and values, and one record makes the division exact too.
    for (let e = 0; e < entries; e++) out[e] = records[e] === 0 ? 0 : (values[e]! * weight[e]!) / records[e]!;
    return out;
  };
  const weighted = weighs && weightedValue !== undefined ? weightedValue : times(plain);
  if (negatives !== "values") return { own: plain, weighted, signed: undefined };
  const sizes = absolute ?? plain.map(Math.abs);
  return { own: sizes, weighted: times(sizes), signed: weighted };
}

/** A number out of range would drop a contribution without a trace, so it is looked for. */
function checkNumbers(inner: number, { entries, inner: innerOf, contributor, contributors, holding }: Contributions): void {
  let wrong = 0;
  for (let e = 0; e < entries; e++) {
    if (!(innerOf[e]! >= 0 && innerOf[e]! < inner && contributor[e]! >= 0 && contributor[e]! < contributors)) wrong++;
  }
  for (let k = 0; holding !== undefined && k < contributors; k++) if (!(holding[k]! >= 0)) wrong++;
  if (wrong > 0) {
    throw new InternalError(
      "primary-rules/number-out-of-range", "Contributions name an inner cell, contributor or holding that does not exist.", { wrong },
    );
  }
}

function checkContributions(contributions: Contributions, negatives: "sums" | "values" | "refuse"): void {
  const { value, weight, weightedValue, absolute, records } = contributions;
  const arrays = [value, weight, weightedValue, absolute, records];
  const unreadable = arrays.some((values) => values?.some((v) => !Number.isFinite(v)) ?? false);
  if (unreadable) {
    throw new DataError(
      "primary-rules/not-a-number",
      "A contribution, weight or number of records is not a finite number. Give records without a value to the measure no entry.",
    );
  }
  const belowZero = weight?.reduce((count, w) => count + (w < 0 ? 1 : 0), 0) ?? 0;
  if (belowZero > 0) {
    throw new DataError(
      "primary-rules/negative-weight", "Sampling weights must not be below zero. Correct the weight column.", { entries: belowZero },
    );
  }
  if (negatives !== "refuse") return;
  const negative = value?.reduce((count, v) => count + (v < 0 ? 1 : 0), 0) ?? 0;
  const hidden = absolute?.reduce((count, a, e) => count + (a > Math.abs(value?.[e] ?? 0) ? 1 : 0), 0) ?? 0;
  if (negative + hidden > 0) {
    throw new DataError(
      "primary-rules/negative-value",
      "Contributions below zero, which the rule refuses. Write negatives: sums or negatives: values to compare absolute values.",
      { entries: negative + hidden },
    );
  }
}

/** Sums by number that are cleared by moving on to another stamp. */
interface StampedSums {
  readonly stamp: Int32Array;
  readonly sum: Float64Array;
  readonly touched: Int32Array;
  found: number;
  isNew: boolean;
}

function stampedSums(size: number): StampedSums {
  return { stamp: new Int32Array(size).fill(-1), sum: new Float64Array(size), touched: new Int32Array(size), found: 0, isNew: false };
}

function addTo(sums: StampedSums, unit: number, value: number, stamp: number): void {
  sums.isNew = sums.stamp[unit] !== stamp;
  if (sums.isNew) {
    sums.stamp[unit] = stamp;
    sums.sum[unit] = 0;
    sums.touched[sums.found++] = unit;
  }
  sums.sum[unit]! += value;
}

function nonzero({ sum, touched, found }: StampedSums): number {
  let count = 0;
  for (let f = 0; f < found; f++) if (sum[touched[f]!] !== 0) count++;
  return count;
}

function emptyStatistics(cells: number, top: number): Omit<ContributorStatistics, "grid" | "weightGrid"> {
  return {
    cells,
    top,
    contributors: new Int32Array(cells),
    holdings: new Int32Array(cells),
    contributing: new Int32Array(cells),
    contributingHoldings: new Int32Array(cells),
    records: new Float64Array(cells),
    weighted: new Float64Array(cells),
    value: new Float64Array(cells),
    total: new Float64Array(cells),
    cancelled: new Float64Array(cells),
    largest: new Float64Array(cells * top),
    largestOf: new Int32Array(cells * top),
    requested: new Float64Array(cells),
  };
}
