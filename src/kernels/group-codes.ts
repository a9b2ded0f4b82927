/**
 * Group rows by their combination of codes. Codes are packed into as few 32-bit words as their ranges allow (mixed radix,
 * null as 0), so that rows compare as one or two integers. The words of a group order groups as their codes do: key by
 * key, null first.
 */

/** Buffers that successive calls share; they only grow. Create one per thread of work, never share it between two. */
export interface GroupScratch {
  /** [rows] out: group of each row, numbered in order of first sight. Entries beyond `rows` are stale. */
  groupOf: Int32Array;
  /** [groups] out: first row of each group. Entries beyond the number of groups are stale. */
  representative: Int32Array;
  /** [words][groups] out: packed codes of each group, most significant word first. */
  groupWords: Uint32Array[];
  /** [words] out: exclusive upper bound of each word's values, at most 2^32; its length is the number of words. */
  bounds: number[];
  /** Group + 1 by packed code, for small ranges; all zero between calls. */
  direct: Int32Array;
  /** Group + 1 by hash, for all others. */
  slots: Int32Array;
  /** [words][BLOCK] packed codes of the rows in hand. */
  blockWords: Uint32Array[];
}

export function groupScratch(): GroupScratch {
  return {
    groupOf: new Int32Array(0),
    representative: new Int32Array(256),
    groupWords: [],
    bounds: [],
    direct: new Int32Array(0),
    slots: new Int32Array(0),
    blockWords: [],
  };
}

/** Rows packed at a time, so that the packed words stay in the first-level cache. */
const BLOCK = 4096;
/** Largest range of packed codes that gets a table with one entry per combination (16 MB). */
const MOST_DIRECT = 1 << 22;

/**
 * Give every row the number of its combination of codes.
 *
 * @param columns       [keys][rows] code of each row, -1 for null; arrays may be longer than `rows`
 * @param cardinalities [keys] number of codes after the lookup: codes are -1 .. cardinality - 1; at most 2^31 - 1
 * @param rows          leading entries of the columns to read
 * @param scratch       out: `groupOf`, `representative`, `groupWords`, `bounds`; grown when too small
 * @param lookups       [keys] recoding on the fly: `lookup[code + 1]` is the new code + 1; null or absent leaves the codes
 * @returns number of groups; 0 without rows, 1 without keys
 *
 * Time O(keys x rows) expected; allocates nothing of the size of the rows once the scratch has grown.
 * Input is trusted: a code outside its range gives wrong groups.
 */
export function groupCodes(
  columns: readonly Int32Array[],
  cardinalities: readonly number[],
  rows: number,
  scratch: GroupScratch,
  lookups?: readonly (Int32Array | null)[],
): number {
  if (scratch.groupOf.length < rows) scratch.groupOf = new Int32Array(grown(scratch.groupOf.length, rows));

  const wordOf = planWords(cardinalities, scratch.bounds);
  const words = scratch.bounds.length;
  while (scratch.blockWords.length < words) scratch.blockWords.push(new Uint32Array(BLOCK));
  while (scratch.groupWords.length < words) scratch.groupWords.push(new Uint32Array(scratch.representative.length));

  const range = words === 1 ? scratch.bounds[0]! : Infinity;
  const direct = range <= MOST_DIRECT && range <= Math.max(1 << 16, rows * 16);
  if (direct && scratch.direct.length < range) scratch.direct = new Int32Array(grown(scratch.direct.length, range));

  let groups = 0;
  let slots = 0;
  for (let start = 0; start < rows; start += BLOCK) {
    const end = Math.min(rows, start + BLOCK);
    for (let w = 0; w < words; w++) scratch.blockWords[w]!.fill(0, 0, end - start);
    for (let key = 0; key < columns.length; key++) {
      pack(columns[key]!, lookups?.[key] ?? null, start, end, cardinalities[key]! + 1, scratch.blockWords[wordOf[key]!]!);
    }
    growGroups(scratch, groups + end - start);
    if (direct) {
      groups = lookUpDirect(scratch, start, end, groups);
    } else {
      // At most half full after this block, whatever it holds.
      let wanted = Math.max(slots, 1024);
      while ((groups + end - start) * 2 > wanted) wanted *= 2;
      if (wanted !== slots) growSlots(scratch, wanted, groups);
      slots = wanted;
      groups = words === 1
        ? probeOne(scratch, slots, start, end, groups)
        : words === 2
          ? probeTwo(scratch, slots, start, end, groups)
          : probeMany(scratch, slots, start, end, groups, words);
    }
  }

  if (direct) {
    const table = scratch.direct;
    const groupWord = scratch.groupWords[0]!;
    for (let g = 0; g < groups; g++) table[groupWord[g]!] = 0;
  }
  return groups;
}

/** Assign consecutive keys to words while the product of their ranges fits 2^32; fills `bounds`. At least one word. */
function planWords(cardinalities: readonly number[], bounds: number[]): number[] {
  const wordOf: number[] = [];
  bounds.length = 0;
  let bound = 1;
  for (const cardinality of cardinalities) {
    const range = cardinality + 1;
    if (bound * range > 2 ** 32) {
      bounds.push(bound);
      bound = range;
    } else {
      bound *= range;
    }
    wordOf.push(bounds.length);
  }
  bounds.push(bound);
  return wordOf;
}

/** word = word * radix + (code + 1) for rows start .. end. Wraps at 2^32, which the plan of the words rules out. */
function pack(codes: Int32Array, lookup: Int32Array | null, start: number, end: number, radix: number, words: Uint32Array): void {
  if (lookup === null) {
    for (let i = start, j = 0; i < end; i++, j++) words[j] = Math.imul(words[j]!, radix) + codes[i]! + 1;
  } else {
    for (let i = start, j = 0; i < end; i++, j++) words[j] = Math.imul(words[j]!, radix) + lookup[codes[i]! + 1]!;
  }
}

function lookUpDirect(scratch: GroupScratch, start: number, end: number, groups: number): number {
  const { groupOf, representative, direct } = scratch;
  const words = scratch.blockWords[0]!;
  const groupWord = scratch.groupWords[0]!;
  for (let i = start, j = 0; i < end; i++, j++) {
    const word = words[j]!;
    let group = direct[word]! - 1;
    if (group < 0) {
      group = groups++;
      direct[word] = groups;
      groupWord[group] = word;
      representative[group] = i;
    }
    groupOf[i] = group;
  }
  return groups;
}

function probeOne(scratch: GroupScratch, slotCount: number, start: number, end: number, groups: number): number {
  const { groupOf, representative, slots } = scratch;
  const words = scratch.blockWords[0]!;
  const groupWord = scratch.groupWords[0]!;
  const mask = slotCount - 1;
  for (let i = start, j = 0; i < end; i++, j++) {
    const word = words[j]!;
    let slot = scrambled(word) & mask;
    let group = slots[slot]! - 1;
    while (group >= 0 && groupWord[group] !== word) {
      slot = (slot + 1) & mask;
      group = slots[slot]! - 1;
    }
    if (group < 0) {
      group = groups++;
      slots[slot] = groups;
      groupWord[group] = word;
      representative[group] = i;
    }
    groupOf[i] = group;
  }
  return groups;
}

function probeTwo(scratch: GroupScratch, slotCount: number, start: number, end: number, groups: number): number {
  const { groupOf, representative, slots } = scratch;
  const highs = scratch.blockWords[0]!;
  const lows = scratch.blockWords[1]!;
  const groupHigh = scratch.groupWords[0]!;
  const groupLow = scratch.groupWords[1]!;
  const mask = slotCount - 1;
  for (let i = start, j = 0; i < end; i++, j++) {
    const high = highs[j]!;
    const low = lows[j]!;
    let slot = scrambled(scrambled(high) ^ low) & mask;
    let group = slots[slot]! - 1;
    while (group >= 0 && (groupLow[group] !== low || groupHigh[group] !== high)) {
      slot = (slot + 1) & mask;
      group = slots[slot]! - 1;
    }
    if (group < 0) {
      group = groups++;
      slots[slot] = groups;
      groupHigh[group] = high;
      groupLow[group] = low;
      representative[group] = i;
    }
    groupOf[i] = group;
  }
  return groups;
}

function probeMany(
  scratch: GroupScratch, slotCount: number, start: number, end: number, groups: number, words: number,
): number {
  const { groupOf, representative, slots, blockWords, groupWords } = scratch;
  const mask = slotCount - 1;
  for (let i = start, j = 0; i < end; i++, j++) {
    let hash = 0;
    for (let w = 0; w < words; w++) hash = scrambled(hash ^ blockWords[w]![j]!);
    let slot = hash & mask;
    let group = slots[slot]! - 1;
    while (group >= 0 && !sameWords(groupWords, group, blockWords, j, words)) {
      slot = (slot + 1) & mask;
      group = slots[slot]! - 1;
    }
    if (group < 0) {
      group = groups++;
      slots[slot] = groups;
      for (let w = 0; w < words; w++) groupWords[w]![group] = blockWords[w]![j]!;
      representative[group] = i;
    }
    groupOf[i] = group;
  }
  return groups;
}

function sameWords(a: readonly Uint32Array[], i: number, b: readonly Uint32Array[], j: number, words: number): boolean {
  for (let w = 0; w < words; w++) if (a[w]![i] !== b[w]![j]) return false;
  return true;
}

/** Spread neighbouring integers over all bits (a bijection, so equal results mean equal words). */
export function scrambled(word: number): number {
  let x = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

/** Make the hash table `wanted` slots large (a power of two) and enter the groups found so far again. */
function growSlots(scratch: GroupScratch, wanted: number, groups: number): void {
  if (scratch.slots.length < wanted) scratch.slots = new Int32Array(wanted);
  else scratch.slots.fill(0, 0, wanted);
  const { slots, groupWords } = scratch;
  const mask = wanted - 1;
  const words = scratch.bounds.length;
  for (let g = 0; g < groups; g++) {
    let hash = 0;
    for (let w = 0; w < words; w++) hash = scrambled(hash ^ groupWords[w]![g]!);
    let slot = hash & mask;
    while (slots[slot]! > 0) slot = (slot + 1) & mask;
    slots[slot] = g + 1;
  }
}

/** Room for the representatives and words of `needed` groups. */
function growGroups(scratch: GroupScratch, needed: number): void {
  if (scratch.representative.length < needed) {
    const representative = new Int32Array(grown(scratch.representative.length, needed));
    representative.set(scratch.representative);
    scratch.representative = representative;
  }
  for (let w = 0; w < scratch.bounds.length; w++) {
    const words = scratch.groupWords[w]!;
    if (words.length >= needed) continue;
    scratch.groupWords[w] = new Uint32Array(scratch.representative.length);
    scratch.groupWords[w]!.set(words);
  }
}

function grown(length: number, needed: number): number {
  return Math.max(needed, Math.ceil(length * 1.5), 256);
}
