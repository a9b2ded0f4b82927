type Numbers = Int32Array | Float64Array | Uint8Array;

/** A list of numbers whose final length is not known beforehand. */
export class Growing<T extends Numbers> {
  length = 0;
  readonly #make: new (length: number) => T;
  #values: T;

  constructor(make: new (length: number) => T, capacity = 1024) {
    this.#make = make;
    this.#values = new make(Math.max(1, capacity));
  }

  /** Room for `more` further numbers, to be written to the array that comes back, from `length` on; the caller adds to `length`. */
  room(more: number): T {
    const needed = this.length + more;
    if (needed > this.#values.length) {
      const grown = new this.#make(Math.max(needed, Math.ceil(this.#values.length * 1.5)));
      grown.set(this.#values.subarray(0, this.length));
      this.#values = grown;
    }
    return this.#values;
  }

  /** The list so far, in an array of its own length. */
  finish(): T {
    return this.length === this.#values.length ? this.#values : (this.#values.slice(0, this.length) as T);
  }
}
