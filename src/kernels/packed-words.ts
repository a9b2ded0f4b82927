/** Sorted lists of packed cells: one or two 32-bit words each, the first most significant (empty where one word suffices). */
export interface WordList {
  readonly size: number;
  /** [2][size] first words (or an empty array), last words; arrays may be longer. */
  readonly words: readonly Uint32Array[];
  /** [size] records of each; undefined for one record each. */
  readonly count: Float64Array | undefined;
}

const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const counts = new Uint32Array(DIGITS);

/**
 * Sort packed words in place, least significant digits first; counts, if given, move with them.
 * @param words   [2][size] as in WordList; in and out
 * @param scratch [2][size] of the same lengths
 * Time O(size x significant bits / 11), allocates nothing.
 */
export function sortWords(
  words: readonly Uint32Array[], scratch: readonly Uint32Array[], size: number, count?: Float64Array, countScratch?: Float64Array,
): void {
  let from = words;
  let to = scratch;
  let fromCount = count;
  let toCount = countScratch;
  for (let word = 1; word >= 0; word--) {
    if (words[word]!.length === 0) continue;
    let highest = 0;
    const own = from[word]!;
    for (let i = 0; i < size; i++) highest |= own[i]!;
    for (let shift = 0; shift < 32 && highest >>> shift !== 0; shift += DIGIT_BITS) {
      const keys = from[word]!;
      counts.fill(0);
      for (let i = 0; i < size; i++) {
        const digit = (keys[i]! >>> shift) & (DIGITS - 1);
        counts[digit] = counts[digit]! + 1;
      }
      let place = 0;
      for (let digit = 0; digit < DIGITS; digit++) {
        const held = counts[digit]!;
        counts[digit] = place;
        place += held;
      }
      if (words[0]!.length === 0) {
        if (fromCount === undefined) scatterOne(keys, shift, size, to[1]!);
        else scatterOneCounted(keys, shift, size, to[1]!, fromCount, toCount!);
      } else scatterTwo(keys, shift, size, from, to, fromCount, toCount);
      const swap = from;
      from = to;
      to = swap;
      const swapCount = fromCount;
      fromCount = toCount;
      toCount = swapCount;
    }
  }
  if (from === words) return;
  for (let word = 0; word < 2; word++) if (words[word]!.length > 0) words[word]!.set(from[word]!.subarray(0, size));
  if (count !== undefined) count.set(fromCount!.subarray(0, size));
}

function scatterOne(keys: Uint32Array, shift: number, size: number, to: Uint32Array): void {
  for (let i = 0; i < size; i++) {
    const key = keys[i]!;
    const digit = (key >>> shift) & (DIGITS - 1);
    const at = counts[digit]!;
    counts[digit] = at + 1;
    to[at] = key;
  }
}

function scatterOneCounted(
  keys: Uint32Array, shift: number, size: number, to: Uint32Array, fromCount: Float64Array, toCount: Float64Array,
): void {
  for (let i = 0; i < size; i++) {
    const key = keys[i]!;
    const digit = (key >>> shift) & (DIGITS - 1);
    const at = counts[digit]!;
    counts[digit] = at + 1;
    to[at] = key;
    toCount[at] = fromCount[i]!;
  }
}

function scatterTwo(
  keys: Uint32Array, shift: number, size: number, from: readonly Uint32Array[], to: readonly Uint32Array[],
  fromCount: Float64Array | undefined, toCount: Float64Array | undefined,
): void {
  const first = from[0]!;
  const last = from[1]!;
  const toFirst = to[0]!;
  const toLast = to[1]!;
  for (let i = 0; i < size; i++) {
    const digit = (keys[i]! >>> shift) & (DIGITS - 1);
    const at = counts[digit]!;
    counts[digit] = at + 1;
    toFirst[at] = first[i]!;
    toLast[at] = last[i]!;
    if (fromCount !== undefined) toCount![at] = fromCount[i]!;
  }
}

/**
 * One sorted list of distinct words from sorted lists, counts of equal words added up. Time O(total size x lists).
 */
export function mergeCounted(lists: readonly WordList[]): WordList {
  const some = lists.filter((list) => list.size > 0);
  if (some.length === 0) return { size: 0, words: lists[0]?.words ?? [new Uint32Array(0), new Uint32Array(0)], count: new Float64Array(0) };
  let merged = joinRuns(some[0]!);
  for (let i = 1; i < some.length; i++) merged = mergeTwo(merged, joinRuns(some[i]!));
  return merged;
}

/** Equal neighbours become one, in arrays of exact length. */
function joinRuns({ size, words, count }: WordList): WordList {
  const [first, last] = words as [Uint32Array, Uint32Array];
  const wide = first.length > 0;
  let distinct = 1;
  for (let i = 1; i < size; i++) if (last[i] !== last[i - 1] || (wide && first[i] !== first[i - 1])) distinct++;
  const outFirst = new Uint32Array(wide ? distinct : 0);
  const outLast = new Uint32Array(distinct);
  const outCount = new Float64Array(distinct);
  let at = -1;
  for (let i = 0; i < size; i++) {
    if (i === 0 || last[i] !== last[i - 1] || (wide && first[i] !== first[i - 1])) {
      at++;
      outLast[at] = last[i]!;
      if (wide) outFirst[at] = first[i]!;
    }
    outCount[at] = outCount[at]! + (count === undefined ? 1 : count[i]!);
  }
  return { size: distinct, words: [outFirst, outLast], count: outCount };
}

function mergeTwo(a: WordList, b: WordList): WordList {
  const [aFirst, aLast] = a.words as [Uint32Array, Uint32Array];
  const [bFirst, bLast] = b.words as [Uint32Array, Uint32Array];
  const wide = aFirst.length > 0 || bFirst.length > 0;
  const room = a.size + b.size;
  const outFirst = new Uint32Array(wide ? room : 0);
  const outLast = new Uint32Array(room);
  const outCount = new Float64Array(room);
  const aCount = a.count!;
  const bCount = b.count!;
  let i = 0;
  let j = 0;
  let at = 0;
  while (i < a.size || j < b.size) {
    let order: number;
    if (i === a.size) order = 1;
    else if (j === b.size) order = -1;
    else {
      order = wide ? (aFirst[i] ?? 0) - (bFirst[j] ?? 0) : 0;
      if (order === 0) order = aLast[i]! - bLast[j]!;
    }
    if (order <= 0) {
      if (wide) outFirst[at] = aFirst[i] ?? 0;
      outLast[at] = aLast[i]!;
      outCount[at] = aCount[i++]! + (order === 0 ? bCount[j++]! : 0);
    } else {
      if (wide) outFirst[at] = bFirst[j] ?? 0;
      outLast[at] = bLast[j]!;
      outCount[at] = bCount[j++]!;
    }
    at++;
  }
  return { size: at, words: [outFirst.slice(0, wide ? at : 0), outLast.slice(0, at)], count: outCount.slice(0, at) };
}

/** Place of the first entry that is not below the given words. Time O(log size). */
export function lowerBound(list: WordList, first: number, last: number): number {
  const wide = list.words[0]!.length > 0;
  let low = 0;
  let high = list.size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = (wide ? list.words[0]![middle]! - first : 0) || list.words[1]![middle]! - last;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Entries from .. to - 1 in arrays of their own. */
export function sliceOf(list: WordList, from: number, to: number): WordList {
  return {
    size: to - from,
    words: list.words.map((words) => (words.length === 0 ? words.slice(0, 0) : words.slice(from, to))),
    count: list.count!.slice(from, to),
  };
}
