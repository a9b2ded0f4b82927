/**
 * Loops of the lattice search. The codes of a class are packed into 32-bit words, a fixed bit field per key, so that
 * coarsening a key is one XOR with a looked-up word and classes compare as words.
 */

/** Multiplier of Fibonacci hashing, 2^32 / golden ratio, odd. */
export const GOLDEN = 0x9e3779b1 | 0;

/** How one key's code changes in a packed word. */
export interface CodeChange {
  readonly shift: number;
  readonly mask: number;
  /** [codes] old code XOR new code, already shifted to the key's place. */
  readonly change: Int32Array;
}

/** What becomes of every word. */
export interface Recoding {
  /** Bits to keep; the fields of keys that become one value everywhere are left out. */
  readonly keep: number;
  /** Bits of that value in their place. */
  readonly put: number;
  /** Changes of other keys; must lie within `keep`. */
  readonly changes: readonly CodeChange[];
}

export const AS_IT_IS: Recoding = { keep: -1, put: 0, changes: [] };

const NO_CHANGE: CodeChange = { shift: 0, mask: 0, change: new Int32Array(1) };

/**
 * Replace the codes of some keys in every packed word, four keys a pass.
 *
 * @param from    [classes] packed words
 * @param to      [classes] out; may be `from`
 * Time O(classes x keys), allocates nothing.
 */
export function recodeWords(from: Int32Array, to: Int32Array, classes: number, { keep, put, changes }: Recoding): void {
  let source = from;
  let bits = keep;
  let more = put;
  let done = 0;
  do {
    const left = changes.length - done;
    if (left <= 0) {
      for (let i = 0; i < classes; i++) to[i] = (source[i]! & bits) | more;
    } else if (left === 1) {
      const { shift, mask, change } = changes[done]!;
      for (let i = 0; i < classes; i++) {
        const word = source[i]!;
        to[i] = ((word & bits) | more) ^ change[(word >>> shift) & mask]!;
      }
    } else if (left === 2) {
      const { shift: shiftA, mask: maskA, change: changeA } = changes[done]!;
      const { shift: shiftB, mask: maskB, change: changeB } = changes[done + 1]!;
      for (let i = 0; i < classes; i++) {
        const word = source[i]!;
        to[i] = ((word & bits) | more) ^ changeA[(word >>> shiftA) & maskA]! ^ changeB[(word >>> shiftB) & maskB]!;
      }
    } else {
      const { shift: shiftA, mask: maskA, change: changeA } = changes[done]!;
      const { shift: shiftB, mask: maskB, change: changeB } = changes[done + 1]!;
      const { shift: shiftC, mask: maskC, change: changeC } = changes[done + 2]!;
      const { shift: shiftD, mask: maskD, change: changeD } = changes[done + 3] ?? NO_CHANGE;
      for (let i = 0; i < classes; i++) {
        const word = source[i]!;
        to[i] = ((word & bits) | more) ^ changeA[(word >>> shiftA) & maskA]! ^ changeB[(word >>> shiftB) & maskB]! ^
          changeC[(word >>> shiftC) & maskC]! ^ changeD[(word >>> shiftD) & maskD]!;
      }
    }
    source = to;
    bits = -1;
    more = 0;
    done += 4;
  } while (done < changes.length);
}

/**
 * Merge equal words and add up their records; groups are numbered in order of first sight, after those already there.
 *
 * @param words   [classes] packed words; entries from .. to - 1 are read
 * @param records [classes] records per class
 * @param slots   [at least 2^bits] scratch; cleared here
 * @param bits    log2 of the slots used; 2^bits must exceed the number of groups found
 * @param skip    leading bits of the hash not to use, because they are equal here
 * @param outWords, outRecords [groups] out; must not overlap the input
 * @param groups  groups already in `outWords`; they are left alone
 * @returns number of groups, those included. Time O(to - from + 2^bits) expected, allocates nothing.
 */
export function mergeWords(
  words: Int32Array, records: Float64Array, from: number, to: number, slots: Int32Array, bits: number, skip: number,
  outWords: Int32Array, outRecords: Float64Array, groups: number,
): number {
  const shift = 32 - bits;
  const mask = (1 << bits) - 1;
  slots.fill(0, 0, mask + 1);
  for (let i = from; i < to; i++) {
    const word = words[i]!;
    let slot = (Math.imul(word, GOLDEN) << skip) >>> shift;
    for (;;) {
      const group = slots[slot]! - 1;
      if (group < 0) {
        outWords[groups] = word;
        outRecords[groups] = records[i]!;
        slots[slot] = ++groups;
        break;
      }
      if (outWords[group] === word) {
        outRecords[group]! += records[i]!;
        break;
      }
      slot = (slot + 1) & mask;
    }
  }
  return groups;
}

/**
 * Bring classes whose hashes begin alike together, so that each part can be merged within the cache.
 *
 * @param partBits log2 of the number of parts
 * @param starts   [2^partBits + 1] out: first class of each part, and the end of the last
 * @param outWords, outRecords [classes] out; must not overlap the input
 * Time O(classes + parts), allocates nothing.
 */
export function partitionWords(
  words: Int32Array, records: Float64Array, classes: number, partBits: number, starts: Int32Array,
  outWords: Int32Array, outRecords: Float64Array,
): void {
  const shift = 32 - partBits;
  const parts = 1 << partBits;
  starts.fill(0, 0, parts + 1);
  for (let i = 0; i < classes; i++) starts[Math.imul(words[i]!, GOLDEN) >>> shift]!++;
  startsFromCounts(starts, parts);
  // Each start moves to the end of its part and is put back afterwards.
  for (let i = 0; i < classes; i++) {
    const word = words[i]!;
    const part = Math.imul(word, GOLDEN) >>> shift;
    const at = starts[part]!;
    starts[part] = at + 1;
    outWords[at] = word;
    outRecords[at] = records[i]!;
  }
  starts.copyWithin(1, 0, parts);
  starts[0] = 0;
}

/** Hashes of classes of two words or more, for {@link partitionWideWords} and {@link mergeWideWords}. */
export function hashWideWords(words: readonly Int32Array[], classes: number, hashes: Int32Array): void {
  hashes.fill(0, 0, classes);
  for (const word of words) {
    for (let i = 0; i < classes; i++) {
      const hash = Math.imul(hashes[i]! ^ word[i]!, GOLDEN);
      hashes[i] = hash ^ (hash >>> 15);
    }
  }
  for (let i = 0; i < classes; i++) hashes[i] = Math.imul(hashes[i]!, GOLDEN);
}

/** As {@link partitionWords} for classes of two words or more; `outHashes` [classes] goes along. */
export function partitionWideWords(
  words: readonly Int32Array[], records: Float64Array, hashes: Int32Array, classes: number, partBits: number, starts: Int32Array,
  outWords: readonly Int32Array[], outRecords: Float64Array, outHashes: Int32Array,
): void {
  const shift = 32 - partBits;
  const parts = 1 << partBits;
  starts.fill(0, 0, parts + 1);
  for (let i = 0; i < classes; i++) starts[hashes[i]! >>> shift]!++;
  startsFromCounts(starts, parts);
  for (let i = 0; i < classes; i++) {
    const part = hashes[i]! >>> shift;
    const at = starts[part]!;
    starts[part] = at + 1;
    outHashes[at] = hashes[i]!;
    outRecords[at] = records[i]!;
    for (let w = 0; w < words.length; w++) outWords[w]![at] = words[w]![i]!;
  }
  starts.copyWithin(1, 0, parts);
  starts[0] = 0;
}

function startsFromCounts(starts: Int32Array, parts: number): void {
  let start = 0;
  for (let part = 0; part <= parts; part++) {
    const count = starts[part]!;
    starts[part] = start;
    start += count;
  }
}

/** As {@link mergeWords} for classes of two words or more, hashed beforehand. */
export function mergeWideWords(
  words: readonly Int32Array[], records: Float64Array, hashes: Int32Array, from: number, to: number,
  slots: Int32Array, bits: number, skip: number, outWords: readonly Int32Array[], outRecords: Float64Array, groups: number,
): number {
  const shift = 32 - bits;
  const mask = (1 << bits) - 1;
  const width = words.length;
  slots.fill(0, 0, mask + 1);
  for (let i = from; i < to; i++) {
    let slot = (hashes[i]! << skip) >>> shift;
    for (;;) {
      const group = slots[slot]! - 1;
      if (group < 0) {
        for (let w = 0; w < width; w++) outWords[w]![groups] = words[w]![i]!;
        outRecords[groups] = records[i]!;
        slots[slot] = ++groups;
        break;
      }
      let w = 0;
      while (w < width && outWords[w]![group] === words[w]![i]) w++;
      if (w === width) {
        outRecords[group]! += records[i]!;
        break;
      }
      slot = (slot + 1) & mask;
    }
  }
  return groups;
}

/**
 * Sizes of classes.
 * @param out [7] suppressed records, kept classes, small classes, sum of squares of kept and of small classes, smallest
 *        kept class (0 when none), sum over kept classes of floor(size / k)
 */
export function summariseSizes(records: Float64Array, classes: number, k: number, out: Float64Array): void {
  let suppressed = 0;
  let small = 0;
  let keptSquares = 0;
  let smallSquares = 0;
  let smallest = Infinity;
  let multiples = 0;
  for (let i = 0; i < classes; i++) {
    const size = records[i]!;
    if (size < k) {
      suppressed += size;
      small++;
      smallSquares += size * size;
    } else {
      keptSquares += size * size;
      multiples += Math.floor(size / k);
      if (size < smallest) smallest = size;
    }
  }
  out[0] = suppressed;
  out[1] = classes - small;
  out[2] = small;
  out[3] = keptSquares;
  out[4] = smallSquares;
  out[5] = smallest === Infinity ? 0 : smallest;
  out[6] = multiples;
}

/** Numbers of the classes of least .. most records, in order. @returns how many. `out` has room for one more. */
export function listClasses(records: Float64Array, classes: number, least: number, most: number, out: Int32Array): number {
  let listed = 0;
  for (let i = 0; i < classes; i++) {
    const size = records[i]!;
    out[listed] = i;
    if (size >= least && size <= most) listed++;
  }
  return listed;
}

/** Add the records of listed classes to `out` [codes] by one key's code. */
export function sumByCode(
  words: Int32Array, records: Float64Array, list: Int32Array, listed: number, shift: number, mask: number, out: Float64Array,
): void {
  for (let i = 0; i < listed; i++) {
    const at = list[i]!;
    out[(words[at]! >>> shift) & mask]! += records[at]!;
  }
}
