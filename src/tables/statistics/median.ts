import type { TableSystem } from "../tabulate/index.ts";

/** Values of a measure in the inner cells; each stands for a number of records. */
export interface ValueEntries {
  /** [entries] */
  readonly inner: Int32Array;
  /** [entries] whole units. */
  readonly value: Float64Array;
  /** [entries] */
  readonly records: Float64Array;
}

/**
 * Twice the middle value of each cell: the value of the middle record twice, or the sum of the two middle ones. NaN where no
 * record has a value. Cells with negative parts have no middle and give NaN.
 *
 * Time O(sum over cells of their entries), after one sort of the entries by value.
 */
export function twiceMedians(system: TableSystem, entries: ValueEntries): Float64Array {
  const { cells, starts, rows, signs, inner } = system;
  const order = Int32Array.from(entries.value.keys()).sort((a, b) => entries.value[a]! - entries.value[b]! || a - b);
  // Entries of each inner cell, ascending by value.
  const first = new Int32Array(inner + 1);
  for (const i of entries.inner) first[i + 1]!++;
  for (let i = 0; i < inner; i++) first[i + 1]! += first[i]!;
  const next = first.slice();
  const sorted = new Int32Array(order.length);
  for (const entry of order) sorted[next[entries.inner[entry]!]!++] = entry;

  const medians = new Float64Array(cells).fill(NaN);
  const own: number[] = [];
  for (let c = 0; c < cells; c++) {
    own.length = 0;
    let records = 0;
    let negative = false;
    for (let at = starts[c]!; at < starts[c + 1]!; at++) {
      if (signs !== undefined && signs[at]! < 0) negative = true;
      for (let k = first[rows[at]!]!; k < first[rows[at]! + 1]!; k++) {
        own.push(sorted[k]!);
        records += entries.records[sorted[k]!]!;
      }
    }
    if (records === 0 || negative) continue;
    own.sort((a, b) => entries.value[a]! - entries.value[b]!);
    const lower = Math.floor((records - 1) / 2);
    const upper = Math.floor(records / 2);
    let seen = 0;
    let low = NaN;
    for (const entry of own) {
      seen += entries.records[entry]!;
      if (Number.isNaN(low) && seen > lower) low = entries.value[entry]!;
      if (seen > upper) {
        medians[c] = low + entries.value[entry]!;
        break;
      }
    }
  }
  return medians;
}
