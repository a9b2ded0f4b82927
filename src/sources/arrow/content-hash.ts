import type { Hasher, NewHasher } from "../hasher.ts";
import type { ColumnReader } from "./column-reader.ts";
import type { Chunk } from "./chunk.ts";
import { arrowTypeName, isSupported, type ArrowType } from "./types.ts";
import { valueBytes } from "./value-text.ts";

const encoder = new TextEncoder();

/**
 * Hash of one Arrow column's content: name, type, and the values in order. How records are cut into batches, what lies
 * in null slots, and unused dictionary values do not matter. Columns of unsupported types count by name, type and
 * length only.
 */
export class ColumnHash {
  readonly #name: string;
  readonly #type: ArrowType;
  readonly #values: Hasher;
  readonly #shape: Hasher; // lengths of texts, or codes
  readonly #nulls: Hasher; // positions of nulls
  readonly #codes: ColumnReader | undefined;
  readonly #newHasher: NewHasher;
  #records = 0;

  /** @param codes reader of the column's codes; needed for dictionary columns */
  constructor(name: string, type: ArrowType, codes: ColumnReader | undefined, newHasher: NewHasher) {
    this.#name = name;
    this.#type = type;
    this.#codes = codes;
    this.#newHasher = newHasher;
    this.#values = newHasher();
    this.#shape = newHasher();
    this.#nulls = newHasher();
  }

  /** Take records from..to of a chunk. For a dictionary column its reader must just have read the same records. */
  update(chunk: Chunk, from: number, to: number): void {
    const type = this.#type;
    const count = to - from;
    this.#records += count;
    if (!isSupported(type) || type.kind === "null") return;
    if (type.kind === "dictionary") {
      const column = this.#codes!.column;
      if (column.kind === "codes") this.#shape.update(bytesOf(column.codes.subarray(0, count)));
      return;
    }

    const nulls = this.#nullPositions(chunk, from, to);
    const before = this.#records - count - from;
    if (nulls.length > 0) this.#nulls.update(bytesOf(Float64Array.from(nulls, (i) => before + i)));
    if (type.kind === "utf8") {
      const offsets = chunk.offsets!;
      const lengths = new Uint32Array(count);
      for (let i = 0; i < count; i++) lengths[i] = offsets[from + i + 1]! - offsets[from + i]!;
      for (const i of nulls) lengths[i - from] = 0;
      this.#shape.update(bytesOf(lengths));
      this.#spans(nulls, from, to, (start, end) => chunk.data.subarray(offsets[start], offsets[end]));
    } else if (type.kind === "bool") {
      const bits = new Uint8Array(count);
      for (let i = 0; i < count; i++) {
        const bit = chunk.bitOffset + from + i;
        bits[i] = (chunk.data[bit >> 3]! >> (bit & 7)) & 1;
      }
      for (const i of nulls) bits[i - from] = 0;
      this.#values.update(bits);
    } else {
      const width = valueBytes(type);
      this.#spans(nulls, from, to, (start, end) => chunk.data.subarray(start * width, end * width));
    }
  }

  digest(): string {
    const all = this.#newHasher();
    const column = this.#codes?.column;
    if (this.#type.kind === "dictionary" && column?.kind === "codes") {
      const { size, offsets, bytes } = column.dictionary;
      this.#values.update(bytesOf(offsets.subarray(0, size + 1)));
      this.#values.update(bytes.subarray(0, offsets[size]));
    }
    const digests = [this.#values.digest(), this.#shape.digest(), this.#nulls.digest()];
    const parts = [this.#name, arrowTypeName(this.#type), this.#records, ...digests];
    all.update(encoder.encode(JSON.stringify(parts)));
    return all.digest();
  }

  #nullPositions(chunk: Chunk, from: number, to: number): number[] {
    const { validity, bitOffset } = chunk;
    const nulls: number[] = [];
    if (validity === undefined) return nulls;
    for (let i = from; i < to; i++) {
      const bit = bitOffset + i;
      if (((validity[bit >> 3]! >> (bit & 7)) & 1) === 0) nulls.push(i);
    }
    return nulls;
  }

  /** Hash the bytes of each run of records between nulls. */
  #spans(nulls: readonly number[], from: number, to: number, bytes: (start: number, end: number) => Uint8Array): void {
    let start = from;
    for (const hole of nulls) {
      if (hole > start) this.#values.update(bytes(start, hole));
      start = hole + 1;
    }
    if (to > start) this.#values.update(bytes(start, to));
  }
}

/** The memory behind a typed array. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Join the hashes of all columns to the fingerprint of a pass. */
export function joinedFingerprint(digests: readonly string[], newHasher: NewHasher): string {
  const all = newHasher();
  all.update(encoder.encode(JSON.stringify(digests)));
  return `sha256:${all.digest()}`;
}
