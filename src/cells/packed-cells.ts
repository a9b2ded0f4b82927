import type { WordList } from "../kernels/packed-words.ts";
import type { Cells } from "./cells.ts";

/** Where a key's code lies in a packed cell: code plus one, so that null is 0 and comes first. */
export interface PackedField {
  readonly word: 0 | 1;
  readonly shift: number;
  readonly bits: number;
}

/**
 * Bit fields for keys with these many codes, the first key most significant, so that packed cells order like their codes.
 * Undefined when they do not fit into two 32-bit words.
 */
export function packedLayout(sizes: readonly number[]): PackedField[] | undefined {
  const widths = sizes.map((size) => Math.max(1, 32 - Math.clz32(size)));
  const fields: PackedField[] = [];
  let word: 0 | 1 = 1;
  let used = 0;
  for (let key = sizes.length - 1; key >= 0; key--) {
    const bits = widths[key]!;
    if (used + bits > 32) {
      if (word === 0) return undefined;
      word = 0;
      used = 0;
    }
    fields[key] = { word, shift: used, bits };
    used += bits;
  }
  return fields;
}

/** Whether there are keys in the first word. */
export function isWide(layout: readonly PackedField[]): boolean {
  return layout.some(({ word }) => word === 0);
}

/** As many low bits as a field has. */
export function maskOf(bits: number): number {
  return bits === 32 ? 0xffffffff : (1 << bits) - 1;
}

/** A list to be filled in, in memory that threads share. */
export function sharedList(size: number, layout: readonly PackedField[], counted: boolean): WordList {
  const words = (entries: number): Uint32Array => new Uint32Array(new SharedArrayBuffer(entries * 4));
  return {
    size,
    words: [words(isWide(layout) ? size : 0), words(size)],
    count: counted ? new Float64Array(new SharedArrayBuffer(size * 8)) : undefined,
  };
}

/** The packed form of cells: sorted and distinct words, and how many records have each code of each key. */
export interface PackedCells {
  readonly layout: readonly PackedField[];
  readonly list: WordList;
  /** [keys][codes + 1] records by packed code, null first. */
  readonly margins: readonly Float64Array[];
}

const packedForms = new WeakMap<Cells, PackedCells>();

/**
 * Cells from their packed form, which stays at hand: see {@link packedForm}. Codes are unpacked when they are first asked for.
 * @param list sorted and distinct, by `packedLayout(sizes)`, in arrays of exact length
 */
export function cellsOfPacked(list: WordList, margins: readonly Float64Array[], keys: readonly string[], sizes: readonly number[]): Cells {
  const layout = packedLayout(sizes)!;
  let unpacked: readonly Int32Array[] | undefined;
  const cells: Cells = {
    keys,
    sizes,
    size: list.size,
    get codes() {
      return (unpacked ??= layout.map((field) => {
        const codes = new Int32Array(list.size);
        unpackKey(list, field, 0, codes);
        return codes;
      }));
    },
    records: list.count!,
    measures: [],
  };
  packedForms.set(cells, { layout, list, margins });
  return cells;
}

/** The packed form that cells were made from, if they were. A copy of cells with something changed has none. */
export function packedForm(cells: Cells): PackedCells | undefined {
  return packedForms.get(cells);
}

/** Whether a key is null in any cell. */
export function hasNulls(cells: Cells, key: number): boolean {
  const packed = packedForm(cells);
  return packed === undefined ? cells.codes[key]!.includes(-1) : packed.margins[key]![0]! > 0;
}

/**
 * Records by packed code of one key.
 * @param margin [codes + 1] zero; out
 */
export function addMargin(words: Uint32Array | Int32Array, records: Float64Array, size: number, shift: number, mask: number, margin: Float64Array): void {
  for (let i = 0; i < size; i++) {
    const code = (words[i]! >>> shift) & mask;
    margin[code] = margin[code]! + records[i]!;
  }
}

/** [keys][codes + 1] records by packed code of each key. Time O(keys x cells). */
export function marginsOf({ size, words, count }: WordList, layout: readonly PackedField[], sizes: readonly number[]): Float64Array[] {
  return layout.map(({ word, shift, bits }, key) => {
    const margin = new Float64Array(sizes[key]! + 1);
    addMargin(words[word]!, count!, size, shift, maskOf(bits), margin);
    return margin;
  });
}

/** Codes of one key, -1 for null, of as many packed records from `from` on as `codes` has room for. */
export function unpackKey({ words }: Pick<WordList, "words">, { word, shift, bits }: PackedField, from: number, codes: Int32Array): void {
  const own = words[word]!;
  const mask = maskOf(bits);
  for (let i = 0; i < codes.length; i++) codes[i] = ((own[from + i]! >>> shift) & mask) - 1;
}
