/** Digits of 11 bits: three passes sort a 32-bit word, and the 2,048 counters stay in the first-level cache. */
const DIGIT = 11;
const DIGITS = 1 << DIGIT;

/**
 * Order in which rows of words ascend; rows that are equal keep their order.
 *
 * @param words  [words][rows] most significant word first
 * @param bounds [words] exclusive upper bound of each word, at most 2^32; passes over bits that are always zero are left out
 * @param rows   leading entries to sort
 * @returns [rows] row numbers in ascending order
 *
 * Radix sort, least significant digit first. Time O(words x rows), memory 8 bytes a row.
 */
export function sortedOrder(words: readonly Uint32Array[], bounds: readonly number[], rows: number): Int32Array {
  let order = new Int32Array(rows);
  for (let i = 0; i < rows; i++) order[i] = i;
  let next = new Int32Array(rows);
  const count = new Int32Array(DIGITS);

  for (let w = bounds.length - 1; w >= 0; w--) {
    const word = words[w]!;
    const largest = bounds[w]! - 1;
    for (let shift = 0; shift < 32 && largest >= 2 ** shift; shift += DIGIT) {
      count.fill(0);
      for (let i = 0; i < rows; i++) count[(word[i]! >>> shift) & (DIGITS - 1)]!++;
      let before = 0;
      for (let d = 0; d < DIGITS; d++) {
        const n = count[d]!;
        count[d] = before;
        before += n;
      }
      for (let i = 0; i < rows; i++) {
        const row = order[i]!;
        next[count[(word[row]! >>> shift) & (DIGITS - 1)]!++] = row;
      }
      const swap = order;
      order = next;
      next = swap;
    }
  }
  return order;
}
