/** A list of 32-bit integers whose final length is not known beforehand. */
export class GrowingInts {
  length = 0;
  #values: Int32Array;

  constructor(capacity = 1024) {
    this.#values = new Int32Array(Math.max(1, capacity));
  }

  /** Room for `more` further integers, to be written to the array that comes back, from `length` on; the caller adds to `length`. */
  room(more: number): Int32Array {
    const needed = this.length + more;
    if (needed > this.#values.length) {
      const grown = new Int32Array(Math.max(needed, Math.ceil(this.#values.length * 1.5)));
      grown.set(this.#values.subarray(0, this.length));
      this.#values = grown;
    }
    return this.#values;
  }

  /** The list so far, in an array of its own length. */
  finish(): Int32Array {
    return this.length === this.#values.length ? this.#values : this.#values.slice(0, this.length);
  }
}
