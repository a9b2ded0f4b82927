import { badParquet } from "./thrift.ts";

const MAX_BLOCK = 1 << 20;

/**
 * Integers in DELTA_BINARY_PACKED, a few at a time. 64-bit sums wrap around, as the format says.
 * Source: Parquet format, Encodings.md, "Delta Encoding".
 */
export class DeltaReader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;
  readonly #wide: boolean;
  readonly #perMiniblock: number;
  readonly #widths: Uint8Array;
  #left: number; // values not yet read
  #first = true;
  #value = 0n;
  #minDelta = 0n;
  #miniblock: number;
  #inMiniblock = 0; // values left in the current miniblock
  #bit = 0;

  /** @param values number of values that the page needs; the header must offer as many */
  constructor(bytes: Uint8Array, start: number, end: number, wide: boolean, values: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#wide = wide;
    const block = Number(this.#varint());
    const miniblocks = Number(this.#varint());
    const total = Number(this.#varint());
    const soundBlock = block > 0 && block <= MAX_BLOCK && block % 128 === 0;
    if (!soundBlock || miniblocks === 0 || block % miniblocks !== 0 || (block / miniblocks) % 8 !== 0) {
      badParquet("delta blocks of impossible size");
    }
    if (total !== values) badParquet("a page with another number of values than its header says");
    this.#perMiniblock = block / miniblocks;
    this.#widths = new Uint8Array(miniblocks);
    this.#miniblock = miniblocks;
    this.#left = values;
    this.#value = this.#wrapped(this.#zigzag());
  }

  /** Write the next `count` values as 64-bit integers. */
  read64(out: BigInt64Array, count: number): void {
    for (let i = 0; i < count; i++) out[i] = this.#next();
  }

  /** Write the next `count` values as 32-bit integers. */
  read32(out: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) out[i] = Number(this.#next());
  }

  /** Step over all values and return where the bytes after them begin. Takes a reader of its own. */
  end(): number {
    while (this.#left > 0) this.#next();
    // The current miniblock is stored whole; later ones of its block have no bytes.
    if (this.#inMiniblock > 0) this.#bit += this.#inMiniblock * this.#widths[this.#miniblock - 1]!;
    const end = this.#at + Math.ceil(this.#bit / 8);
    if (end > this.#end) badParquet("delta values that end too early");
    return end;
  }

  #next(): bigint {
    if (this.#left-- <= 0) badParquet("fewer values than its page says");
    if (this.#first) {
      this.#first = false;
      return this.#value;
    }
    if (this.#inMiniblock === 0) this.#startMiniblock();
    const width = this.#widths[this.#miniblock - 1]!;
    const delta = this.#packed(width);
    this.#inMiniblock--;
    return (this.#value = this.#wrapped(this.#value + this.#minDelta + delta));
  }

  #startMiniblock(): void {
    this.#at += this.#bit >> 3; // miniblocks are whole bytes
    this.#bit = 0;
    if (this.#miniblock === this.#widths.length) {
      this.#minDelta = this.#zigzag();
      for (let i = 0; i < this.#widths.length; i++) this.#widths[i] = this.#byte();
      this.#miniblock = 0;
    }
    if (this.#widths[this.#miniblock]! > (this.#wide ? 64 : 32)) badParquet("a delta of impossible width");
    this.#miniblock++;
    this.#inMiniblock = this.#perMiniblock;
  }

  #packed(width: number): bigint {
    if (width === 0) return 0n;
    const bytes = this.#bytes;
    const bit = this.#bit;
    if (this.#at * 8 + bit + width > this.#end * 8) badParquet("delta values that end too early");
    this.#bit += width;
    if (width <= 24) {
      const at = this.#at + (bit >> 3);
      const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      return BigInt((word >>> (bit & 7)) & ((1 << width) - 1));
    }
    let value = 0n;
    const last = bit + width - 1;
    for (let byte = last >> 3; byte >= bit >> 3; byte--) value = (value << 8n) | BigInt(bytes[this.#at + byte]!);
    return (value >> BigInt(bit & 7)) & ((1n << BigInt(width)) - 1n);
  }

  #wrapped(value: bigint): bigint {
    return BigInt.asIntN(this.#wide ? 64 : 32, value);
  }

  #zigzag(): bigint {
    const value = this.#varint();
    return (value >> 1n) ^ -(value & 1n);
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
      if (shift > 56n) badParquet("a number out of range");
    }
  }

  #byte(): number {
    if (this.#at >= this.#end) badParquet("delta values that end too early");
    return this.#bytes[this.#at++]!;
  }
}
