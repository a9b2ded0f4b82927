import { parseDecimal } from "../../kernels/rational.ts";
import { rowStatistics, type PTable, type RowStatistics } from "./p-table.ts";
import { wholeShares } from "./whole-shares.ts";

/** The form in which noise is looked up: whole keys against whole bounds, no fraction anywhere. */
export interface KeyTable {
  /** Keys are 0 .. keys - 1; a cell's key is the sum of its records' keys modulo this. */
  readonly keys: number;
  /** The table tells 0 .. slots - 1 apart: `keys` themselves, or, where there are fewer slots, the leading part of the key. */
  readonly slots: number;
  /** Row i is for a count of i; row 0 has no noise. */
  readonly rows: number;
  /** Larger counts than the last row: that many last rows are used in turn. 1 uses the last row for all. */
  readonly cycle: number;
  /** [rows + 1] entries of each row. */
  readonly starts: Int32Array;
  /** [entries] slot at which the next entry begins; the last of a row is `slots`. */
  readonly bounds: Float64Array;
  /** [entries] added to the count. */
  readonly noise: Int32Array;
}

/** Counts above the 750 rows of the tables of the Office for National Statistics use the rows 501 to 750 in turn. */
export const ONS_ROWS = 750;
export const ONS_CYCLE = 250;
export const ONS_KEYS = 256;
/** Largest number of slots that is kept apart: keys with up to 9 decimals, or of 32 bits. */
export const LARGEST_KEYS = 2 ** 32;

/** @param rows for each count from 0 the noises and the slot at which each ends */
export function makeKeyTable(
  keys: number,
  slots: number,
  cycle: number,
  rows: readonly (readonly { readonly noise: number; readonly bound: number }[])[],
): KeyTable {
  const starts = new Int32Array(rows.length + 1);
  const entries: { noise: number; bound: number }[] = [];
  rows.forEach((row, i) => {
    let before = 0;
    for (const { noise, bound } of row) {
      if (bound === before) continue; // no key leads here
      entries.push({ noise, bound });
      before = bound;
    }
    starts[i + 1] = entries.length;
  });
  return {
    keys,
    slots,
    rows: rows.length,
    cycle,
    starts,
    bounds: Float64Array.from(entries, ({ bound }) => bound),
    noise: Int32Array.from(entries, ({ noise }) => noise),
  };
}

/**
 * A table of shares for whole keys.
 *
 * "bounds" keeps the table's own bounds: key k takes the first change whose bound is above k / slots, as the bound is written
 * in decimal. So a table from a file gives what other tools give. "unbiased" gives each change a whole number of slots, as near
 * to its share as can be while the mean is exactly 0; where no such numbers exist, the nearest ones.
 *
 * @param slots default `keys`
 * Time O(entries).
 */
export function keyTable(table: PTable, keys: number, rule: "bounds" | "unbiased", slots = keys): KeyTable {
  const rows = table.rows.map(({ changes }) => {
    if (rule === "bounds") return changes.map(({ noise, upper }) => ({ noise, bound: slotsBelow(upper, slots) }));
    const widths = wholeShares(changes.map(({ noise }) => noise), changes.map(({ share }) => share), slots);
    let bound = 0;
    return changes.map(({ noise }, k) => ({ noise, bound: (bound += widths[k]!) }));
  });
  return makeKeyTable(keys, slots, 1, rows);
}

/** Slots k with k / slots below the bound, the bound taken as the decimal that it is written as. */
function slotsBelow(bound: number, slots: number): number {
  const { numerator, denominator } = parseDecimal(bound);
  const product = numerator * BigInt(slots);
  return Number((product + denominator - 1n) / denominator);
}

/**
 * The 10-5 rule as a table of 750 rows and 256 keys: counts below 10 become 0, others the nearest multiple of 5, whatever the
 * key. Source: Office for National Statistics, cell-key-perturbation, `ptable_10_5_rule.csv`.
 */
export function tenFiveRule(): KeyTable {
  const rows = Array.from({ length: ONS_ROWS + 1 }, (_, count) => {
    const noise = count < 10 ? -count : 5 * Math.round(count / 5) - count;
    return [{ noise, bound: ONS_KEYS }];
  });
  return makeKeyTable(ONS_KEYS, ONS_KEYS, ONS_CYCLE, rows);
}

/** Row of the table for a count. */
export function rowOf(table: KeyTable, count: number): number {
  const { rows, cycle } = table;
  return count < rows ? count : rows - cycle + ((count - rows) % cycle);
}

/**
 * Noise of cells.
 *
 * @param counts   [cells] whole numbers, at least 0
 * @param cellKeys [cells] 0 .. keys - 1
 * @param noise    [cells] out
 * Time O(cells x log entries of a row), allocates nothing.
 */
export function lookUp(table: KeyTable, counts: Float64Array, cellKeys: Float64Array, noise: Int32Array): void {
  const { keys, slots, rows, cycle, starts, bounds } = table;
  const values = table.noise;
  for (let c = 0; c < counts.length; c++) {
    const count = counts[c]!;
    const row = count < rows ? count : rows - cycle + ((count - rows) % cycle);
    const key = cellKeys[c]!;
    // keys and slots are below 2^33 and at most 2^20 when they differ, so the product is exact
    const slot = slots === keys ? key : Math.floor((key * slots) / keys);
    let low = starts[row]!;
    let high = starts[row + 1]! - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (slot < bounds[middle]!) high = middle;
      else low = middle + 1;
    }
    noise[c] = values[low]!;
  }
}

/** Exact mean, variance and the like of every row for keys that are equally likely. */
export function keyTableStatistics(table: KeyTable): RowStatistics[] {
  return Array.from({ length: table.rows }, (_, count) => {
    const widths = new Map<number, number>();
    let before = 0;
    for (let e = table.starts[count]!; e < table.starts[count + 1]!; e++) {
      widths.set(table.noise[e]!, (widths.get(table.noise[e]!) ?? 0) + table.bounds[e]! - before);
      before = table.bounds[e]!;
    }
    // Whole numbers are summed before the division, so that a mean of 0 comes out as 0.
    let weight = 0;
    for (const [noise, width] of widths) weight += noise * width;
    const shares = new Map([...widths].map(([noise, width]) => [noise, width / table.slots]));
    return { ...rowStatistics(count, shares), bias: weight / table.slots };
  });
}

/** Largest change of any row. */
export function largestChange(table: KeyTable): number {
  return table.noise.reduce((most, noise) => Math.max(most, Math.abs(noise)), 0);
}
