import { lowerBound, sliceOf, type WordList } from "../../kernels/packed-words.ts";

/**
 * How lanes join their cells without any one of them, or the coordinator, touching all: every lane cuts its sorted cells at
 * the same places, each range is merged by one lane, and the merged ranges follow one another in order.
 */

/** Looked at to find places to cut. */
const SAMPLES = 1024;

/** [samples] words of cells at even distances, first and last word of each. */
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

/** Places at which to cut so that the ranges hold about as many cells each. Rounding moves a cut, and nothing else. */
export function cutsFor(samples: readonly Float64Array[], ranges: number): { first: number; last: number }[] {
  const all = Float64Array.from(samples.flatMap((sample) => [...sample])).sort();
  return Array.from({ length: ranges - 1 }, (_, range) => {
    const cut = all[Math.floor(((range + 1) * all.length) / ranges)] ?? 0;
    return { first: Math.floor(cut / 0x100000000), last: cut % 0x100000000 };
  });
}

export function cutList(list: WordList, cuts: readonly { first: number; last: number }[]): WordList[] {
  const places = [0, ...cuts.map(({ first, last }) => lowerBound(list, first, last)), list.size];
  return cuts.concat({ first: 0, last: 0 }).map((_, range) => sliceOf(list, places[range]!, Math.max(places[range]!, places[range + 1]!)));
}

/** Merged ranges one after the other: sorted, since ranges ascend. */
export function joinRanges(ranges: readonly WordList[]): WordList {
  const size = ranges.reduce((sum, range) => sum + range.size, 0);
  const joined = {
    size,
    words: [new Uint32Array(ranges.some(({ words }) => words[0]!.length > 0) ? size : 0), new Uint32Array(size)],
    count: new Float64Array(size),
  };
  let at = 0;
  for (const range of ranges) {
    range.words.forEach((words, w) => {
      if (words.length > 0) joined.words[w]!.set(words, at);
    });
    joined.count.set(range.count!, at);
    at += range.size;
  }
  return joined;
}

/** Buffers of a list, to hand them to another thread without a copy. */
export function buffersOf(list: WordList): ArrayBuffer[] {
  return [...list.words, list.count!].map(({ buffer }) => buffer as ArrayBuffer);
}
