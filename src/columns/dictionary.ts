import { DataError } from "../errors/index.ts";
import { hashBytes } from "../kernels/hash-bytes.ts";

/** Distinct values of one column as UTF-8 bytes, in code order. Values are compared as bytes, never as text or numbers. */
export interface Dictionary {
  readonly size: number;
  /** [size + 1] offsets into `bytes`; value `code` is bytes[offsets[code] .. offsets[code + 1]). */
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
}

/** Text of distinct values that one column may hold. More is free text or an identifier, which no release needs. */
const MAX_DICTIONARY_BYTES = 2 ** 29;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Text of one value. */
export function dictionaryText(dictionary: Dictionary, code: number): string {
  return decoder.decode(dictionary.bytes.subarray(dictionary.offsets[code]!, dictionary.offsets[code + 1]!));
}

/** Text of every value, in code order. */
export function dictionaryTexts(dictionary: Dictionary): string[] {
  return Array.from({ length: dictionary.size }, (_, code) => dictionaryText(dictionary, code));
}

/**
 * A dictionary that grows. Open addressing on the value bytes; codes are given in order of first sight and never change.
 * Memory: the value bytes, doubled at most, and 12 to 20 bytes a value; small at first, since a file may have many columns.
 */
export class DictionaryBuilder implements Dictionary {
  size = 0;
  offsets: Uint32Array = new Uint32Array(17);
  bytes: Uint8Array = new Uint8Array(256);
  #slots: Int32Array = new Int32Array(32).fill(-1);
  #hashes: Uint32Array = new Uint32Array(16);

  static from(values: Iterable<string>): DictionaryBuilder {
    const builder = new DictionaryBuilder();
    for (const value of values) builder.addText(value);
    return builder;
  }

  /** Code of bytes[start..end), adding it when new. The bytes are copied and must be valid UTF-8. */
  add(source: Uint8Array, start: number, end: number): number {
    const hash = hashBytes(source, start, end);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const code = this.#slots[slot]!;
      if (code < 0) break;
      if (this.#hashes[code] === hash && this.#equals(code, source, start, end)) return code;
      slot = (slot + 1) & mask;
    }
    return this.#insert(slot, hash, source, start, end);
  }

  addText(text: string): number {
    const bytes = encoder.encode(text);
    return this.add(bytes, 0, bytes.length);
  }

  /** Code of a value, or -1 when it is not there. */
  find(source: Uint8Array, start: number, end: number): number {
    const hash = hashBytes(source, start, end);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const code = this.#slots[slot]!;
      if (code < 0) return -1;
      if (this.#hashes[code] === hash && this.#equals(code, source, start, end)) return code;
    }
  }

  findText(text: string): number {
    const bytes = encoder.encode(text);
    return this.find(bytes, 0, bytes.length);
  }

  /** An exact-size copy that no longer grows. */
  freeze(): Dictionary {
    const end = this.offsets[this.size]!;
    return { size: this.size, offsets: this.offsets.slice(0, this.size + 1), bytes: this.bytes.slice(0, end) };
  }

  #equals(code: number, source: Uint8Array, start: number, end: number): boolean {
    const bytes = this.bytes;
    const from = this.offsets[code]!;
    const length = end - start;
    if (this.offsets[code + 1]! - from !== length) return false;
    for (let i = 0; i < length; i++) if (bytes[from + i] !== source[start + i]) return false;
    return true;
  }

  #insert(slot: number, hash: number, source: Uint8Array, start: number, end: number): number {
    const code = this.size;
    const from = this.offsets[code]!;
    const length = end - start;
    if (from + length > MAX_DICTIONARY_BYTES) throw tooManyValues(this.size);
    if (from + length > this.bytes.length) this.bytes = grownBytes(this.bytes, from + length);
    // Most values are short: a loop costs less than a view of the source.
    const bytes = this.bytes;
    if (length > 64) bytes.set(source.subarray(start, end), from);
    else for (let i = 0; i < length; i++) bytes[from + i] = source[start + i]!;
    if (code + 2 > this.offsets.length) {
      const offsets = new Uint32Array((this.offsets.length - 1) * 2 + 1);
      offsets.set(this.offsets);
      this.offsets = offsets;
    }
    if (code + 1 > this.#hashes.length) {
      const hashes = new Uint32Array(this.#hashes.length * 2);
      hashes.set(this.#hashes);
      this.#hashes = hashes;
    }
    this.offsets[code + 1] = from + length;
    this.#hashes[code] = hash;
    this.#slots[slot] = code;
    this.size = code + 1;
    if (this.size * 2 > this.#slots.length) this.#rehash();
    return code;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    for (let code = 0; code < this.size; code++) {
      let slot = this.#hashes[code]! & mask;
      while (slots[slot]! >= 0) slot = (slot + 1) & mask;
      slots[slot] = code;
    }
    this.#slots = slots;
  }
}

function tooManyValues(distinct: number): DataError {
  return new DataError(
    "column/too-many-values",
    `A column has more than ${distinct} distinct values, beyond ${MAX_DICTIONARY_BYTES} bytes of text. Columns with a new value in ` +
      "nearly every record, such as free text and ids, cannot be released: drop it.",
    { distinct, limitBytes: MAX_DICTIONARY_BYTES },
  );
}

function grownBytes(bytes: Uint8Array, needed: number): Uint8Array {
  const grown = new Uint8Array(Math.max(needed, bytes.length * 2));
  grown.set(bytes);
  return grown;
}

/** Compare two values of a dictionary by their bytes (code point order of the text). */
export function compareValues(dictionary: Dictionary, a: number, b: number): number {
  const { bytes, offsets } = dictionary;
  const aEnd = offsets[a + 1]!;
  const bEnd = offsets[b + 1]!;
  let i = offsets[a]!;
  let j = offsets[b]!;
  while (i < aEnd && j < bEnd) {
    const difference = bytes[i++]! - bytes[j++]!;
    if (difference !== 0) return difference;
  }
  return aEnd - i - (bEnd - j);
}

/** [size] rank of each code in byte order; the order of every released list, so that input order does not show. */
export function byteOrderRanks(dictionary: Dictionary): Int32Array {
  const order = Int32Array.from({ length: dictionary.size }, (_, code) => code).sort((a, b) => compareValues(dictionary, a, b));
  const ranks = new Int32Array(dictionary.size);
  for (let rank = 0; rank < order.length; rank++) ranks[order[rank]!] = rank;
  return ranks;
}

/** One dictionary for several, and how each one's codes translate; undefined for the first, whose codes stay as they are. */
export function joinDictionaries(
  dictionaries: readonly Dictionary[],
): { readonly joined: Dictionary; readonly maps: readonly (Int32Array | undefined)[] } {
  if (dictionaries.length === 1) return { joined: dictionaries[0]!, maps: [undefined] };
  const builder = new DictionaryBuilder();
  const maps = dictionaries.map((dictionary, d) => {
    const map = new Int32Array(dictionary.size);
    for (let code = 0; code < dictionary.size; code++) {
      map[code] = builder.add(dictionary.bytes, dictionary.offsets[code]!, dictionary.offsets[code + 1]!);
    }
    return d === 0 ? undefined : map;
  });
  return { joined: builder.freeze(), maps };
}
