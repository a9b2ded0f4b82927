import type { Hasher, NewHasher } from "../hasher.ts";

const NULL = 0;
const TEXT = 1;
const NUMBER = 2;
const BIGINT = 3;
const TRUE = 4;
const FALSE = 5;
const DATE = 6;
const OTHER = 7;

/** Longest text that is encoded straight into the buffer, in UTF-16 units; three bytes each at most. */
const SHORT = 4096;

/**
 * Hash of a column of JavaScript values: a tag and the value's bytes, one after the other. Values of other kinds
 * (objects, functions) count as present only. Lone surrogates hash as U+FFFD, which only matters in columns nobody
 * reads.
 */
export class ValueHash {
  readonly #hasher: Hasher;
  readonly #buffer = new Uint8Array(64 * 1024);
  readonly #view = new DataView(this.#buffer.buffer);
  readonly #encoder = new TextEncoder();
  #used = 0;

  constructor(newHasher: NewHasher) {
    this.#hasher = newHasher();
  }

  add(value: unknown): void {
    if (this.#used > this.#buffer.length - 3 * SHORT - 16) this.#flush();
    switch (typeof value) {
      case "string":
        return this.#text(TEXT, value);
      case "number":
        return this.#number(NUMBER, value);
      case "bigint":
        return this.#text(BIGINT, value.toString());
      case "boolean":
        this.#buffer[this.#used++] = value ? TRUE : FALSE;
        return;
      default:
        if (value === null || value === undefined) this.#buffer[this.#used++] = NULL;
        else if (value instanceof Date) this.#number(DATE, value.getTime());
        else this.#buffer[this.#used++] = OTHER;
    }
  }

  digest(): string {
    this.#flush();
    return this.#hasher.digest();
  }

  #number(tag: number, value: number): void {
    this.#buffer[this.#used] = tag;
    this.#view.setFloat64(this.#used + 1, value, true);
    this.#used += 9;
  }

  #text(tag: number, text: string): void {
    const at = this.#used;
    this.#buffer[at] = tag;
    if (text.length <= SHORT) {
      const { written } = this.#encoder.encodeInto(text, this.#buffer.subarray(at + 5));
      this.#view.setUint32(at + 1, written, true);
      this.#used = at + 5 + written;
      return;
    }
    const bytes = this.#encoder.encode(text);
    this.#view.setUint32(at + 1, bytes.length, true);
    this.#used = at + 5;
    this.#flush();
    this.#hasher.update(bytes);
  }

  #flush(): void {
    this.#hasher.update(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }
}
