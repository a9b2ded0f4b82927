import { DataError } from "../../errors/index.ts";

/** @throws DataError parquet/bad-metadata: always */
export function badParquet(what: string): never {
  throw new DataError("parquet/bad-metadata", `The Parquet file is damaged: ${what}. Get a fresh copy of the file or ` +
    `write it again.`, { what });
}

// Types of the Thrift compact protocol.
export const TRUE = 1;
export const FALSE = 2;
const BYTE = 3;
const I16 = 4;
const I32 = 5;
const I64 = 6;
const DOUBLE = 7;
export const BINARY = 8;
export const LIST = 9;
const SET = 10;
const MAP = 11;
export const STRUCT = 12;
const UUID = 13;

const MAX_DEPTH = 32;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads the Thrift compact protocol from bytes that are not trusted. Only fields that the caller asks for are kept; all
 * others are stepped over. Source: thrift-compact-protocol.md of Apache Thrift.
 */
export class ThriftReader {
  readonly bytes: Uint8Array;
  at: number;
  readonly #end: number;
  #depth = 0;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  /** Visit each field of a struct. The visitor reads the field and returns true, or returns false to step over it. */
  struct(visit: (id: number, type: number) => boolean): void {
    if (++this.#depth > MAX_DEPTH) badParquet("metadata nested too deep");
    let id = 0;
    for (;;) {
      const header = this.#byte();
      const type = header & 15;
      if (type === 0) break;
      const delta = header >> 4;
      id = delta === 0 ? this.integer() : id + delta;
      if (!visit(id, type)) this.passOver(type);
    }
    this.#depth--;
  }

  /** Visit each element of a list that must hold `expected` elements. */
  list(expected: number, visit: (index: number) => void): void {
    const header = this.#byte();
    const size = header >> 4 === 15 ? this.#varint() : header >> 4;
    if (size > this.#end - this.at) badParquet("a list longer than the metadata");
    if (size > 0 && (header & 15) !== expected) badParquet("a list of unexpected elements");
    for (let i = 0; i < size; i++) visit(i);
  }

  /** An integer of any width, which must be exact as a double. */
  integer(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** An integer that counts something. */
  count(): number {
    const value = this.integer();
    return value >= 0 ? value : badParquet("a negative count");
  }

  byte(): number {
    return (this.#byte() << 24) >> 24;
  }

  binary(): Uint8Array {
    const length = this.#varint();
    if (length > this.#end - this.at) badParquet("a text longer than the metadata");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text(): string {
    try {
      return decoder.decode(this.binary());
    } catch (error) {
      if (error instanceof DataError) throw error;
      return badParquet("a name is not well-formed UTF-8");
    }
  }

  passOver(type: number): void {
    switch (type) {
      case TRUE:
      case FALSE:
        return; // the type is the value
      case BYTE:
        return this.#advance(1);
      case I16:
      case I32:
      case I64:
        while (this.#byte() & 0x80);
        return;
      case DOUBLE:
        return this.#advance(8);
      case BINARY:
        return this.#advance(this.#varint());
      case LIST:
      case SET: {
        const header = this.#byte();
        this.#elements(header >> 4 === 15 ? this.#varint() : header >> 4, [header & 15]);
        return;
      }
      case MAP: {
        const size = this.#varint();
        if (size === 0) return;
        const types = this.#byte();
        this.#elements(size, [types >> 4, types & 15]);
        return;
      }
      case STRUCT:
        return this.struct(() => false);
      case UUID:
        return this.#advance(16);
      default:
        badParquet("a metadata field of unknown type");
    }
  }

  #elements(size: number, types: readonly number[]): void {
    if (size > this.#end - this.at) badParquet("a list longer than the metadata");
    if (++this.#depth > MAX_DEPTH) badParquet("metadata nested too deep");
    for (let i = 0; i < size; i++) {
      for (const type of types) {
        if (type === TRUE || type === FALSE) this.#advance(1); // in lists a boolean has a byte of its own
        else this.passOver(type);
      }
    }
    this.#depth--;
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) badParquet("a number out of range");
      if (byte < 0x80) return value;
      if (scale > 2 ** 56) badParquet("a number out of range");
    }
  }

  #byte(): number {
    if (this.at >= this.#end) badParquet("metadata that end too early");
    return this.bytes[this.at++]!;
  }

  #advance(bytes: number): void {
    if (bytes > this.#end - this.at) badParquet("metadata that end too early");
    this.at += bytes;
  }
}
