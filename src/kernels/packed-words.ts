import { sortKernel } from "./sort-kernel.ts";

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

/** Shorter lists are sorted before WebAssembly has started. */
const WORTH_KERNEL = 1 << 14;

/**
 * Sorted list of the distinct words in a list that is neither, counts of equal words added up. The list given may be sorted in
 * place. Time O(size x significant bits / 11), memory 16 bytes an entry, 32 with counts.
 * @param used [2] bits of each word that may be set, where that is known
 */
export function sortAndCount(list: WordList, used?: readonly number[]): WordList {
  const { size, words, count } = list;
  if (size === 0) return mergeCounted([list]);
  const [first, last] = words as [Uint32Array, Uint32Array];
  const wide = first.length > 0;
  const kind = count !== undefined ? "counted" : wide ? "pair" : "word";
  const kernel = size < WORTH_KERNEL ? undefined : sortKernel(size, kind);
  if (kernel === undefined) {
    const scratch = words.map((own) => new Uint32Array(own.length === 0 ? 0 : size));
    sortWords(words, scratch, size, count, count && new Float64Array(size));
    return mergeCounted([list]);
  }
  // The first word moves down to where the last one ends, which saves a pass more often than not.
  const low = Math.max(1, used?.[1] ?? bitsIn(last, size));
  const bits = low + (wide ? (used?.[0] ?? bitsIn(first, size)) : 0);
  if (kind === "word") kernel.entries.set(last.subarray(0, size));
  else fillEntries(list, low, kernel.entries, kernel.doubles);
  const sorted = kernel.sort(bits);
  if (count !== undefined) return joinCounted(sorted.entries, sorted.doubles, size, low, wide);
  const { distinct, entries, ends } = sorted.joinRuns();
  const counts = new Float64Array(distinct);
  for (let i = 0, before = 0; i < distinct; i++) {
    const end = ends[i]!;
    counts[i] = end - before;
    before = end;
  }
  if (!wide) return { size: distinct, words: [new Uint32Array(0), new Uint32Array(entries.subarray(0, distinct))], count: counts };
  return { size: distinct, words: splitEntries(entries, distinct, low), count: counts };
}

function bitsIn(words: Uint32Array, size: number): number {
  let occurring = 0;
  for (let i = 0; i < size; i++) occurring |= words[i]!;
  return 32 - Math.clz32(occurring);
}

/** Entries [low, high] of (first << low) | last, each with its count if there are counts. */
function fillEntries({ size, words, count }: WordList, low: number, entries: Int32Array, doubles: Float64Array): void {
  const [first, last] = words as [Uint32Array, Uint32Array];
  const stride = count === undefined ? 2 : 4;
  const wide = first.length > 0;
  for (let i = 0, at = 0; i < size; i++, at += stride) {
    const high = wide ? first[i]! : 0;
    entries[at] = low === 32 ? last[i]! : last[i]! | (high << low);
    entries[at + 1] = low === 32 ? high : high >>> (32 - low);
  }
  if (count !== undefined) for (let i = 0; i < size; i++) doubles[i * 2 + 1] = count[i]!;
}

/** First and last words of entries [low, high]. */
function splitEntries(entries: Int32Array, size: number, low: number): Uint32Array[] {
  const first = new Uint32Array(size);
  const last = new Uint32Array(size);
  const lowMask = low === 32 ? -1 : (1 << low) - 1;
  for (let i = 0; i < size; i++) {
    const lowWord = entries[i * 2]!;
    const highWord = entries[i * 2 + 1]!;
    last[i] = lowWord & lowMask;
    first[i] = low === 32 ? highWord : (lowWord >>> low) | (highWord << (32 - low));
  }
  return [first, last];
}

/** Runs of equal entries [low, high, count] as a list. */
function joinCounted(entries: Int32Array, doubles: Float64Array, size: number, low: number, wide: boolean): WordList {
  const keys = new Int32Array(size * 2);
  const count = new Float64Array(size);
  let distinct = 0;
  for (let i = 0; i < size; i++) {
    const lowWord = entries[i * 4]!;
    const highWord = entries[i * 4 + 1]!;
    const at = distinct * 2;
    if (distinct === 0 || keys[at - 2] !== lowWord || keys[at - 1] !== highWord) {
      keys[at] = lowWord;
      keys[at + 1] = highWord;
      distinct++;
    }
    count[distinct - 1] = count[distinct - 1]! + doubles[i * 2 + 1]!;
  }
  const [first, last] = splitEntries(keys, distinct, low) as [Uint32Array, Uint32Array];
  return { size: distinct, words: [wide ? first : first.slice(0, 0), last], count: count.slice(0, distinct) };
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
  if (distinct === size && count?.length === size && last.length === size) return { size, words, count };
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
