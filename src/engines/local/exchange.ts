import type { PackedField } from "../../cells/index.ts";
import { sortAndCount, type WordList } from "../../kernels/packed-words.ts";

/**
 * How lanes join their records into cells without any one of them, or the coordinator, touching all: packed records lie in memory
 * that all lanes share. Their leading bits are cut into ranges; each lane takes the records of one range, whosever they are, and
 * sorts them. The sorted ranges follow one another in order.
 */

/** Leading bits by which ranges are cut: enough that ranges are about even, few enough that counters stay in the first-level cache. */
const DIGIT_BITS = 13;

/** [2^13] entries by leading digit. Time O(size). */
export function countDigits({ size, words }: WordList, layout: readonly PackedField[]): Uint32Array {
  const [first, last] = words as [Uint32Array, Uint32Array];
  const counts = new Uint32Array(1 << DIGIT_BITS);
  const { down, up, lastDown, lastMask } = digitPlace(layout);
  if (first.length === 0) for (let i = 0; i < size; i++) counts[last[i]! >>> lastDown]!++;
  else for (let i = 0; i < size; i++) counts[((first[i]! >>> down) << up) | ((last[i]! >>> lastDown) & lastMask)]!++;
  return counts;
}

/** One range of leading digits. */
export interface DigitRange {
  /** [2^13] 1 for digits of the range. */
  readonly isOwn: Uint8Array;
  /** Entries of the range in all lists. */
  readonly size: number;
}

/** Ascending ranges that hold about as many entries each. @param counts [lists] digits of each */
export function rangesOf(counts: readonly Uint32Array[], ranges: number): DigitRange[] {
  const all = new Float64Array(1 << DIGIT_BITS);
  let total = 0;
  for (const own of counts) {
    for (let digit = 0; digit < all.length; digit++) {
      all[digit] = all[digit]! + own[digit]!;
      total += own[digit]!;
    }
  }
  let digit = 0;
  let before = 0;
  return Array.from({ length: ranges }, (_, range) => {
    const isOwn = new Uint8Array(all.length);
    const start = before;
    const end = range + 1 === ranges ? Infinity : (total * (range + 1)) / ranges;
    for (; digit < all.length && before < end; digit++) {
      isOwn[digit] = 1;
      before += all[digit]!;
    }
    return { isOwn, size: before - start };
  });
}

/** Sorted and distinct entries of one range of all lists. */
export function sortRange(lists: readonly WordList[], layout: readonly PackedField[], { isOwn, size }: DigitRange): WordList {
  const wide = lists.some(({ words }) => words[0]!.length > 0);
  const counted = lists.some(({ count }) => count !== undefined);
  // One more than there are: what is not of the range is written as well, and overwritten.
  const words = [new Uint32Array(wide ? size + 1 : 0), new Uint32Array(size + 1)];
  const count = counted ? new Float64Array(size + 1) : undefined;
  const place = digitPlace(layout);
  let at = 0;
  for (const list of lists) at = wide ? gatherWide(list, place, isOwn, words, count, at) : gatherNarrow(list, place, isOwn, words[1]!, count, at);
  return sortAndCount({ size, words: [words[0]!.subarray(0, size), words[1]!.subarray(0, size)], count: count?.subarray(0, size) }, usedBits(layout));
}

/** Leading bits of an entry: those of the first word moved down and up, and some of the last. */
interface DigitPlace {
  readonly down: number;
  readonly up: number;
  readonly lastDown: number;
  readonly lastMask: number;
}

/** Bits of first and last words that a layout uses. */
function usedBits(layout: readonly PackedField[]): [number, number] {
  const used: [number, number] = [0, 0];
  for (const { word, shift, bits } of layout) used[word] = Math.max(used[word], shift + bits);
  return used;
}

function digitPlace(layout: readonly PackedField[]): DigitPlace {
  const [first, last] = usedBits(layout);
  const fromLast = Math.max(0, DIGIT_BITS - first);
  return { down: Math.max(0, first - DIGIT_BITS), up: fromLast, lastDown: Math.max(0, last - fromLast) & 31, lastMask: (1 << fromLast) - 1 };
}

function gatherNarrow(
  { size, words, count }: WordList, { lastDown }: DigitPlace, isOwn: Uint8Array, out: Uint32Array, outCount: Float64Array | undefined, from: number,
): number {
  const own = words[1]!;
  let at = from;
  if (outCount === undefined) {
    for (let i = 0; i < size; i++) {
      const word = own[i]!;
      out[at] = word;
      at += isOwn[word >>> lastDown]!;
    }
    return at;
  }
  for (let i = 0; i < size; i++) {
    const word = own[i]!;
    out[at] = word;
    outCount[at] = count === undefined ? 1 : count[i]!;
    at += isOwn[word >>> lastDown]!;
  }
  return at;
}

function gatherWide(
  { size, words, count }: WordList, { down, up, lastDown, lastMask }: DigitPlace, isOwn: Uint8Array, out: readonly Uint32Array[],
  outCount: Float64Array | undefined, from: number,
): number {
  const [first, last] = words as [Uint32Array, Uint32Array];
  const [outFirst, outLast] = out as [Uint32Array, Uint32Array];
  let at = from;
  for (let i = 0; i < size; i++) {
    outFirst[at] = first[i]!;
    outLast[at] = last[i]!;
    if (outCount !== undefined) outCount[at] = count === undefined ? 1 : count[i]!;
    at += isOwn[((first[i]! >>> down) << up) | ((last[i]! >>> lastDown) & lastMask)]!;
  }
  return at;
}

/** Write the entries of one range, which follow those of the ranges before, to where they belong in the list of all. */
export function placeRange({ words, count }: WordList, at: number, all: WordList): void {
  words.forEach((own, w) => {
    if (own.length > 0) all.words[w]!.set(own, at);
  });
  all.count!.set(count!, at);
}
