import { addMargin, hasNulls, isWide, maskOf, packedForm, type Cells } from "../../cells/index.ts";
import { InternalError } from "../../errors/index.ts";
import type { BoundHierarchy } from "../../hierarchies/hierarchy.ts";

/** Where a key's code lies in the packed words. */
export interface Field {
  readonly word: number;
  readonly shift: number;
  readonly mask: number;
  /** Packed form of code 0: 1 where null may occur, which is packed as 0, else 0. The same at every level. */
  readonly first: 0 | 1;
}

/** Cells as the search works on them. */
export interface PackedClasses {
  /** [keys] */
  readonly fields: readonly Field[];
  /** [words][cells] */
  readonly words: readonly Int32Array[];
  /** [keys][leaves + 1] records by code, null last. */
  readonly leaves: readonly Float64Array[];
  /** Whether cells ascend by their codes, key by key; those of a roll-up do. */
  readonly sorted: boolean;
}

/** The words that the cells were folded to, if they have room for every level and no more words than need be; else new ones. */
export function packClasses(cells: Cells, hierarchies: readonly BoundHierarchy[]): PackedClasses {
  const fields = layOut(cells, hierarchies);
  return packedAlready(cells, hierarchies, wordsOf(fields)) ?? packAnew(cells, hierarchies, fields);
}

function packedAlready(cells: Cells, hierarchies: readonly BoundHierarchy[], words: number): PackedClasses | undefined {
  const form = packedForm(cells);
  if (form === undefined) return undefined;
  // Not by length: without any cell all words are empty.
  const skipped = isWide(form.layout) ? 0 : 1;
  const own = form.list.words.slice(skipped);
  if (own.length > words) return undefined;
  if (form.layout.some(({ bits }, key) => largestCode(hierarchies[key]!) >= maskOf(bits))) return undefined;
  return {
    fields: form.layout.map(({ word, shift, bits }): Field => ({ word: word - skipped, shift, mask: maskOf(bits), first: 1 })),
    words: own.map(({ buffer, byteOffset }) => new Int32Array(buffer, byteOffset, cells.size)),
    leaves: form.margins.map((margin, key) => leavesOf(margin, 1, key, hierarchies[key]!)),
    sorted: true,
  };
}

function packAnew(cells: Cells, hierarchies: readonly BoundHierarchy[], fields: readonly Field[]): PackedClasses {
  const words = Array.from({ length: wordsOf(fields) }, () => new Int32Array(cells.size));
  const leaves = fields.map(({ word, shift, mask, first }, key) => {
    const codes = cells.codes[key]!;
    const largest = largestOf(codes);
    if (largest >= leafCount(hierarchies[key]!)) throw unbound(key);
    packCodes(codes, cells.size, first, shift, words[word]!);
    const margin = new Float64Array(largest + first + 1);
    addMargin(words[word]!, cells.records, cells.size, shift, mask, margin);
    return leavesOf(margin, first, key, hierarchies[key]!);
  });
  return { fields, words, leaves, sorted: isAscending(words, cells.size) };
}

/**
 * Give every key a bit field wide enough for its codes at all levels, and for null where it occurs. Within a word the first key is
 * most significant, so that packed cells order like their codes.
 */
function layOut(cells: Cells, hierarchies: readonly BoundHierarchy[]): Field[] {
  let word = 0;
  let left = 32;
  return hierarchies.map((hierarchy, key): Field => {
    const first = hasNulls(cells, key) ? 1 : 0;
    const bits = Math.max(1, 32 - Math.clz32(largestCode(hierarchy) + first));
    if (bits > left) {
      word++;
      left = 32;
    }
    left -= bits;
    return { word, shift: left, mask: maskOf(bits), first };
  });
}

function wordsOf(fields: readonly Field[]): number {
  return 1 + Math.max(0, ...fields.map(({ word }) => word));
}

/** At any level. */
function largestCode({ levels }: BoundHierarchy): number {
  return Math.max(0, ...levels.map(({ map }) => largestOf(map)));
}

function largestOf(codes: Int32Array): number {
  let largest = -1;
  for (let i = 0; i < codes.length; i++) if (codes[i]! > largest) largest = codes[i]!;
  return largest;
}

function leafCount({ levels }: BoundHierarchy): number {
  return levels[0]!.map.length;
}

/** @param margin records by packed code */
function leavesOf(margin: Float64Array, first: 0 | 1, key: number, hierarchy: BoundHierarchy): Float64Array {
  const leaves = leafCount(hierarchy);
  if (margin.findLastIndex((records) => records > 0) >= leaves + first) throw unbound(key);
  const byLeaf = new Float64Array(leaves + 1);
  byLeaf.set(margin.subarray(first, leaves + first));
  if (first === 1) byLeaf[leaves] = margin[0]!;
  return byLeaf;
}

function unbound(key: number): InternalError {
  return new InternalError("k-anonymity/unbound-code", `Key ${key} has codes that its hierarchy was not bound to.`);
}

function packCodes(codes: Int32Array, size: number, first: number, shift: number, into: Int32Array): void {
  for (let i = 0; i < size; i++) into[i] = into[i]! | ((codes[i]! + first) << shift);
}

/** As unsigned words, the first most significant. */
function isAscending(words: readonly Int32Array[], size: number): boolean {
  for (let i = 1; i < size; i++) {
    let word = 0;
    while (word < words.length && words[word]![i] === words[word]![i - 1]) word++;
    if (word === words.length || words[word]![i]! >>> 0 < words[word]![i - 1]! >>> 0) return false;
  }
  return true;
}
