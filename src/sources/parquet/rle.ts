import { badParquet } from "./thrift.ts";

/**
 * Values in the hybrid of run-length encoding and bit packing, a few at a time, so that a run of any length needs no
 * memory. Source: Parquet format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
 */
export class HybridReader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;
  readonly #width: number;
  #run = 0; // values left in a run of equal values
  #value = 0;
  #packed = 0; // values left in a packed run
  #bit = 0; // position of the next packed value, in bits from #at

  /** @param width bits of a value, 0 to 32 */
  constructor(bytes: Uint8Array, start: number, end: number, width: number) {
    if (width > 32 || start > end || end > bytes.length) badParquet("levels or codes outside their page");
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#width = width;
  }

  /** Write the next `count` values to the leading entries of `out`. */
  read(out: Int32Array, count: number): void {
    if (this.#width === 0) {
      out.fill(0, 0, count); // some writers leave out the runs, which could not say anything else
      return;
    }
    let done = 0;
    while (done < count) {
      if (this.#run > 0) {
        const n = Math.min(this.#run, count - done);
        out.fill(this.#value, done, done + n);
        this.#run -= n;
        done += n;
      } else if (this.#packed > 0) {
        const n = Math.min(this.#packed, count - done);
        this.#unpack(out, done, n);
        this.#packed -= n;
        done += n;
        if (this.#packed === 0) this.#at = Math.min(this.#end, this.#at + (this.#bit >> 3));
      } else {
        this.#header();
      }
    }
  }

  #header(): void {
    const header = this.#varint();
    const width = this.#width;
    if (header % 2 === 1) {
      this.#packed = ((header - 1) / 2) * 8;
      this.#bit = 0;
      return;
    }
    this.#run = header / 2;
    let value = 0;
    for (let shift = 0; shift < width; shift += 8) value |= this.#byte() << shift;
    if (width < 32 && value >>> width !== 0) badParquet("a code wider than its page says");
    this.#value = value;
  }

  #unpack(out: Int32Array, from: number, count: number): void {
    const bytes = this.#bytes;
    const width = this.#width;
    const base = this.#at;
    let bit = this.#bit;
    // The last group may be cut short; what is asked for must be there.
    if (base * 8 + bit + count * width > this.#end * 8) badParquet("levels or codes that end too early");
    const mask = width === 32 ? -1 : (1 << width) - 1;
    for (let i = from; i < from + count; i++, bit += width) {
      const at = base + (bit >> 3);
      const shift = bit & 7;
      let value = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> shift;
      if (shift + width > 32) value |= bytes[at + 4]! << (32 - shift);
      out[i] = value & mask;
    }
    this.#bit = bit;
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      if (scale > 2 ** 28) badParquet("a run of absurd length");
    }
    if (value > 0xffff_ffff) badParquet("a run of absurd length");
    return value;
  }

  #byte(): number {
    if (this.#at >= this.#end) badParquet("levels or codes that end too early");
    return this.#bytes[this.#at++]!;
  }
}
