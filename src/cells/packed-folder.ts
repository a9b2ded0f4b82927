import { DataError } from "../errors/index.ts";
import { mergeCounted, sortWords, type WordList } from "../kernels/packed-words.ts";
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

/** Records packed before they are sorted and joined with the cells so far. */
const BUFFER_RECORDS = 1 << 21;

/**
 * Fold of records without measures: every record is packed into one or two words, and cells are runs of equal words after a
 * radix sort. Several times as fast as a hash table where most cells are small.
 *
 * Memory: 8 to 16 bytes per buffered record (2M of them), 12 to 16 per cell, twice that while cells are joined.
 */
export class PackedFolder {
  readonly #keys: number;
  readonly #sizes: number[];
  #fields: PackedField[];
  /** [words][BUFFER_RECORDS] */
  #buffer: Uint32Array[];
  #scratch: Uint32Array[];
  #buffered = 0;
  #cells: WordList;

  constructor(keys: number) {
    this.#keys = keys;
    this.#sizes = Array.from({ length: keys }, () => 1);
    this.#fields = packedLayout(this.#sizes)!;
    this.#buffer = [new Uint32Array(0), new Uint32Array(BUFFER_RECORDS)];
    this.#scratch = [new Uint32Array(0), new Uint32Array(BUFFER_RECORDS)];
    this.#cells = { size: 0, words: [new Uint32Array(0), new Uint32Array(0)], count: new Float64Array(0) };
  }

  /** Bytes held at present. */
  get bytes(): number {
    const held = [...this.#buffer, ...this.#scratch, ...this.#cells.words].reduce((sum, words) => sum + words.byteLength, 0);
    return held + this.#cells.count!.byteLength;
  }

  /**
   * @param codes [keys][records] code of each record, -1 for null
   * @throws DataError `cells/not-packable` when the keys have too many values for two words
   */
  add(records: number, codes: readonly Int32Array[]): void {
    for (let start = 0; start < records; ) {
      if (this.#buffered === BUFFER_RECORDS) this.#compact();
      const end = Math.min(records, start + BUFFER_RECORDS - this.#buffered);
      this.#widen(codes, start, end);
      for (const words of this.#buffer) if (words.length > 0) words.fill(0, this.#buffered, this.#buffered + end - start);
      for (let key = 0; key < this.#keys; key++) {
        const { word, shift } = this.#fields[key]!;
        packColumn(codes[key]!, start, end, shift, this.#buffer[word]!, this.#buffered);
      }
      this.#buffered += end - start;
      start = end;
    }
  }

  /**
   * The cells, recoded and packed anew, sorted and joined.
   * @param maps  [keys][codes] final code, -1 for null
   * @param sizes [keys] number of final codes; packedLayout(sizes) must exist
   */
  finish(maps: readonly Int32Array[], sizes: readonly number[]): WordList {
    this.#compact();
    const { size, words, count } = this.#cells;
    const layout = packedLayout(sizes)!;
    const recoded = [new Uint32Array(layout.some(({ word }) => word === 0) ? size : 0), new Uint32Array(size)];
    for (let key = 0; key < this.#keys; key++) {
      const from = this.#fields[key]!;
      const to = layout[key]!;
      const source = words[from.word]!;
      const target = recoded[to.word]!;
      const mask = from.bits === 32 ? 0xffffffff : (1 << from.bits) - 1;
      const lookup = lookupOf(maps[key]!, mask);
      for (let cell = 0; cell < size; cell++) target[cell] = target[cell]! | (lookup[(source[cell]! >>> from.shift) & mask]! << to.shift);
    }
    this.#cells = { size: 0, words: [new Uint32Array(0), new Uint32Array(0)], count: new Float64Array(0) };
    return sortedAndJoined(recoded, count!, size);
  }

  /** Give every key room for the codes of these records. */
  #widen(codes: readonly Int32Array[], start: number, end: number): void {
    let fits = true;
    for (let key = 0; key < this.#keys; key++) {
      const most = highest(codes[key]!, start, end) + 1;
      if (most <= this.#sizes[key]!) continue;
      fits = false;
      while (this.#sizes[key]! < most) this.#sizes[key] = this.#sizes[key]! * 2 + 1;
    }
    if (fits) return;
    this.#compact();
    const layout = packedLayout(this.#sizes);
    if (layout === undefined) {
      throw new DataError("cells/not-packable", "The keys have too many values to be packed into two words.", { keys: this.#keys });
    }
    const { size, words, count } = this.#cells;
    const wide = layout.some(({ word }) => word === 0);
    const moved = [new Uint32Array(wide ? size : 0), new Uint32Array(size)];
    for (let key = 0; key < this.#keys; key++) {
      const from = this.#fields[key]!;
      const to = layout[key]!;
      const mask = from.bits === 32 ? 0xffffffff : (1 << from.bits) - 1;
      const source = words[from.word]!;
      const target = moved[to.word]!;
      for (let cell = 0; cell < size; cell++) target[cell] = target[cell]! | (((source[cell]! >>> from.shift) & mask) << to.shift);
    }
    this.#fields = layout;
    this.#cells = { size, words: moved, count };
    if (wide && this.#buffer[0]!.length === 0) {
      this.#buffer = [new Uint32Array(BUFFER_RECORDS), this.#buffer[1]!];
      this.#scratch = [new Uint32Array(BUFFER_RECORDS), this.#scratch[1]!];
    }
  }

  #compact(): void {
    if (this.#buffered === 0) return;
    sortWords(this.#buffer, this.#scratch, this.#buffered);
    this.#cells = mergeCounted([this.#cells, { size: this.#buffered, words: this.#buffer, count: undefined }]);
    this.#buffered = 0;
  }
}

function packColumn(codes: Int32Array, start: number, end: number, shift: number, out: Uint32Array, at: number): void {
  for (let i = start, to = at; i < end; i++, to++) out[to] = out[to]! | ((codes[i]! + 1) << shift);
}

function highest(codes: Int32Array, start: number, end: number): number {
  let most = -1;
  for (let i = start; i < end; i++) if (codes[i]! > most) most = codes[i]!;
  return most;
}

/** [packed codes] packed final code; the map may be shorter than the field. */
function lookupOf(map: Int32Array, mask: number): Int32Array {
  const lookup = new Int32Array(Math.min(mask >>> 0, map.length) + 1);
  for (let code = 0; code < map.length; code++) lookup[code + 1] = map[code]! + 1;
  return lookup;
}

function sortedAndJoined(words: readonly Uint32Array[], count: Float64Array, size: number): WordList {
  const scratch = words.map((own) => new Uint32Array(own.length));
  const counts = count.slice(0, size);
  sortWords(words, scratch, size, counts, new Float64Array(size));
  return mergeCounted([{ size, words, count: counts }]);
}

/** Cells from packed ones that are sorted and distinct. */
export function unpackCells(list: WordList, keys: readonly string[], sizes: readonly number[]): Cells {
  const layout = packedLayout(sizes)!;
  return {
    keys,
    sizes,
    size: list.size,
    codes: layout.map(({ word, shift, bits }) => {
      const words = list.words[word]!;
      const mask = bits === 32 ? 0xffffffff : (1 << bits) - 1;
      const codes = new Int32Array(list.size);
      for (let cell = 0; cell < list.size; cell++) codes[cell] = ((words[cell]! >>> shift) & mask) - 1;
      return codes;
    }),
    records: list.count!.slice(0, list.size),
    measures: [],
  };
}
