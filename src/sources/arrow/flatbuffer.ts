import { DataError } from "../../errors/index.ts";

/** @throws DataError arrow/bad-metadata: always */
export function badMetadata(what: string): never {
  throw new DataError("arrow/bad-metadata", `The Arrow metadata is damaged: ${what}. Get a fresh copy of the file or ` +
    `write it again.`, { what });
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A FlatBuffers buffer from a source that is not trusted: every offset is checked against the bytes present, and no
 * more tables are followed than the bytes have room for, so that tables which are shared cannot blow up. Source:
 * FlatBuffers internals, https://flatbuffers.dev/internals.
 */
export class FlatBuffer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  #tablesLeft: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#tablesLeft = bytes.length >> 2;
  }

  root(): FlatTable {
    return this.table(this.offset(0));
  }

  /** Follow the unsigned offset stored at `at`. */
  offset(at: number): number {
    this.require(at, 4);
    return at + this.view.getUint32(at, true);
  }

  table(at: number): FlatTable {
    if (--this.#tablesLeft < 0) badMetadata("too many tables");
    this.require(at, 4);
    const vtable = at - this.view.getInt32(at, true);
    this.require(vtable, 4);
    const vtableBytes = this.view.getUint16(vtable, true);
    const tableBytes = this.view.getUint16(vtable + 2, true);
    if (vtableBytes < 4 || tableBytes < 4) badMetadata("a table without room for its own header");
    this.require(vtable, vtableBytes);
    this.require(at, tableBytes);
    return new FlatTable(this, at, tableBytes, vtable, vtableBytes);
  }

  require(at: number, bytes: number): void {
    if (at < 0 || bytes < 0 || at + bytes > this.bytes.length) badMetadata("an offset leads outside");
  }
}

/** Elements of a vector: the first one's place, and how many. */
export interface FlatVector {
  readonly start: number;
  readonly length: number;
}

export class FlatTable {
  readonly buffer: FlatBuffer;
  readonly #at: number;
  readonly #bytes: number;
  readonly #vtable: number;
  readonly #vtableBytes: number;

  constructor(buffer: FlatBuffer, at: number, bytes: number, vtable: number, vtableBytes: number) {
    this.buffer = buffer;
    this.#at = at;
    this.#bytes = bytes;
    this.#vtable = vtable;
    this.#vtableBytes = vtableBytes;
  }

  /** Place of a field's value, or -1 when the field has its default. */
  #field(index: number, bytes: number): number {
    const slot = 4 + 2 * index;
    if (slot + 2 > this.#vtableBytes) return -1;
    const offset = this.buffer.view.getUint16(this.#vtable + slot, true);
    if (offset === 0) return -1;
    if (offset < 4 || offset + bytes > this.#bytes) badMetadata("a field lies outside its table");
    return this.#at + offset;
  }

  byte(index: number, otherwise: number): number {
    const at = this.#field(index, 1);
    return at < 0 ? otherwise : this.buffer.view.getUint8(at);
  }

  int16(index: number, otherwise: number): number {
    const at = this.#field(index, 2);
    return at < 0 ? otherwise : this.buffer.view.getInt16(at, true);
  }

  int32(index: number, otherwise: number): number {
    const at = this.#field(index, 4);
    return at < 0 ? otherwise : this.buffer.view.getInt32(at, true);
  }

  int64(index: number): bigint {
    const at = this.#field(index, 8);
    return at < 0 ? 0n : this.buffer.view.getBigInt64(at, true);
  }

  /** A 64-bit count or length: not negative, below 2^53. */
  count(index: number): number {
    return countOf(this.int64(index));
  }

  table(index: number): FlatTable | undefined {
    const at = this.#field(index, 4);
    return at < 0 ? undefined : this.buffer.table(this.buffer.offset(at));
  }

  string(index: number): string | undefined {
    const vector = this.vector(index, 1);
    if (vector === undefined) return undefined;
    try {
      return decoder.decode(this.buffer.bytes.subarray(vector.start, vector.start + vector.length));
    } catch {
      return badMetadata("a name is not well-formed UTF-8");
    }
  }

  vector(index: number, elementBytes: number): FlatVector | undefined {
    const at = this.#field(index, 4);
    if (at < 0) return undefined;
    const place = this.buffer.offset(at);
    this.buffer.require(place, 4);
    const length = this.buffer.view.getUint32(place, true);
    this.buffer.require(place + 4, length * elementBytes);
    return { start: place + 4, length };
  }

  tables(index: number): FlatTable[] {
    const vector = this.vector(index, 4);
    const tables: FlatTable[] = [];
    for (let i = 0; i < (vector?.length ?? 0); i++) {
      tables.push(this.buffer.table(this.buffer.offset(vector!.start + i * 4)));
    }
    return tables;
  }
}

/** A 64-bit integer as a count: not negative, below 2^53. */
export function countOf(value: bigint): number {
  if (value < 0n || value > 9_007_199_254_740_991n) badMetadata("a count is negative or absurd");
  return Number(value);
}
