import type { Cells } from "../../cells/index.ts";
import { sortAndCount, type WordList } from "../../kernels/packed-words.ts";

/**
 * How lanes join their records into cells without any one of them, or the coordinator, touching all: every lane cuts its
 * packed records at the same places, each range is sorted by one lane, and the sorted ranges follow one another in order.
 */

/** Looked at to find places to cut. */
const SAMPLES = 1024;

/** [samples] words of entries at even distances, first and last word of each. */
export function sampleOf(list: WordList): Float64Array {
  const wide = list.words[0]!.length > 0;
  const samples = Math.min(SAMPLES, list.size);
  const sample = new Float64Array(samples);
  for (let s = 0; s < samples; s++) {
    const at = Math.floor((s * list.size) / samples);
    sample[s] = (wide ? list.words[0]![at]! * 0x100000000 : 0) + list.words[1]![at]!;
  }
  return sample;
}

/** Places at which to cut so that the ranges hold about as many entries each. Rounding moves a cut, and nothing else. */
export function cutsFor(samples: readonly Float64Array[], ranges: number): { first: number; last: number }[] {
  const all = Float64Array.from(samples.flatMap((sample) => [...sample])).sort();
  return Array.from({ length: ranges - 1 }, (_, range) => {
    const cut = all[Math.floor(((range + 1) * all.length) / ranges)] ?? 0;
    return { first: Math.floor(cut / 0x100000000), last: cut % 0x100000000 };
  });
}

/** The entries below each cut and from it on, in the order of the list. Time O(size x cuts). */
export function cutList(list: WordList, cuts: readonly { first: number; last: number }[]): WordList[] {
  const rangeOf = new Uint8Array(list.size);
  for (const cut of cuts) addRanges(list, cut, rangeOf);
  const sizes = new Uint32Array(cuts.length + 1);
  for (let i = 0; i < list.size; i++) sizes[rangeOf[i]!] = sizes[rangeOf[i]!]! + 1;
  const ranges = Array.from(sizes, (size): WordList => ({
    size,
    words: list.words.map((words) => new Uint32Array(words.length === 0 ? 0 : size)),
    count: list.count && new Float64Array(size),
  }));
  list.words.forEach((words, w) => {
    if (words.length > 0) scatter(words, rangeOf, ranges.map((range) => range.words[w]!));
  });
  if (list.count !== undefined) scatter(list.count, rangeOf, ranges.map((range) => range.count!));
  return ranges;
}

/** One more for every entry that is not below the cut. */
function addRanges({ size, words }: WordList, cut: { first: number; last: number }, rangeOf: Uint8Array): void {
  const [first, last] = words as [Uint32Array, Uint32Array];
  if (first.length === 0) {
    for (let i = 0; i < size; i++) rangeOf[i] = rangeOf[i]! + (last[i]! >= cut.last ? 1 : 0);
  } else {
    for (let i = 0; i < size; i++) {
      const isAfter = first[i]! > cut.first || (first[i] === cut.first && last[i]! >= cut.last);
      rangeOf[i] = rangeOf[i]! + (isAfter ? 1 : 0);
    }
  }
}

function scatter(entries: Uint32Array | Float64Array, rangeOf: Uint8Array, to: readonly (Uint32Array | Float64Array)[]): void {
  const next = new Uint32Array(to.length);
  for (let i = 0; i < rangeOf.length; i++) {
    const range = rangeOf[i]!;
    const at = next[range]!;
    to[range]![at] = entries[i]!;
    next[range] = at + 1;
  }
}

/** Sorted and distinct entries of one range from what all lanes cut for it. */
export function joinParts(parts: readonly WordList[]): WordList {
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  const wide = parts.some(({ words }) => words[0]!.length > 0);
  const words = [new Uint32Array(wide ? size : 0), new Uint32Array(size)];
  const count = parts.some((part) => part.count !== undefined) ? new Float64Array(size).fill(1) : undefined;
  let at = 0;
  for (const part of parts) {
    part.words.forEach((own, w) => {
      if (own.length > 0) words[w]!.set(own, at);
    });
    if (part.count !== undefined) count!.set(part.count, at);
    at += part.size;
  }
  return sortAndCount({ size, words, count });
}

/** Cells of ranges one after the other: sorted, since ranges ascend. */
export function joinCells(ranges: readonly Cells[]): Cells {
  const size = ranges.reduce((sum, range) => sum + range.size, 0);
  const { keys, sizes } = ranges[0]!;
  const joined = { keys, sizes, size, codes: keys.map(() => new Int32Array(size)), records: new Float64Array(size), measures: [] };
  let at = 0;
  for (const range of ranges) {
    range.codes.forEach((codes, key) => joined.codes[key]!.set(codes, at));
    joined.records.set(range.records, at);
    at += range.size;
  }
  return joined;
}

/** Buffers of a list, to hand them to another thread without a copy. */
export function buffersOf(list: WordList): ArrayBuffer[] {
  return [...list.words, ...(list.count === undefined ? [] : [list.count])].map(({ buffer }) => buffer as ArrayBuffer);
}
