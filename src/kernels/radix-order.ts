const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;

/** Buffers for {@link orderByWord}, reused between calls. */
export interface RadixScratch {
  /** [records] */
  readonly order: Uint32Array;
  /** [2048] */
  readonly counts: Uint32Array;
}

export function radixScratch(records: number): RadixScratch {
  return { order: new Uint32Array(records), counts: new Uint32Array(DIGITS) };
}

/**
 * Stable order of records by one 32-bit word: call for the least significant word first, the most significant last.
 *
 * @param word    [records] unsigned words
 * @param highest largest value in `word`; digits above it are skipped
 * @param order   [records] in and out: record numbers in the order so far
 *
 * Time O(records x ceil(bits of highest / 11)), allocates nothing.
 */
export function orderByWord(
  word: Uint32Array, highest: number, records: number, order: Uint32Array, scratch: RadixScratch,
): void {
  const counts = scratch.counts;
  let from = order;
  let to = scratch.order;
  for (let shift = 0; shift < 32 && highest >>> shift !== 0; shift += DIGIT_BITS) {
    counts.fill(0);
    for (let i = 0; i < records; i++) {
      const digit = (word[i]! >>> shift) & (DIGITS - 1);
      counts[digit] = counts[digit]! + 1;
    }
    if (counts[(word[0]! >>> shift) & (DIGITS - 1)] === records) continue; // all alike in this digit
    let place = 0;
    for (let digit = 0; digit < DIGITS; digit++) {
      const count = counts[digit]!;
      counts[digit] = place;
      place += count;
    }
    for (let i = 0; i < records; i++) {
      const record = from[i]!;
      const digit = (word[record]! >>> shift) & (DIGITS - 1);
      const at = counts[digit]!;
      to[at] = record;
      counts[digit] = at + 1;
    }
    const swap = from;
    from = to;
    to = swap;
  }
  if (from !== order) order.set(from.subarray(0, records));
}
