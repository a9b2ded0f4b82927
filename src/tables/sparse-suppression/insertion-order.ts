/** Numbers 0, 1, 2 ... in an order of their own: each is put at the end or before an earlier one. Insertion is O(1), but for places given out anew once in about 50 at worst. */
export class InsertionOrder {
  /** Increases along the order. */
  readonly #place: number[] = [];
  readonly #previous: number[] = [];
  #end = -1;

  isBefore(one: number, other: number): boolean {
    return this.#place[one]! < this.#place[other]!;
  }

  /** @param added the next number; @param behind the one to stand behind it, -1 to put it at the end */
  insert(added: number, behind: number): void {
    const previous = behind < 0 ? this.#end : this.#previous[behind]!;
    this.#previous.push(previous);
    if (behind < 0) {
      this.#place.push(previous < 0 ? 0 : this.#place[previous]! + 1);
      this.#end = added;
      return;
    }
    this.#previous[behind] = added;
    const from = previous < 0 ? this.#place[behind]! - 2 : this.#place[previous]!;
    const between = (from + this.#place[behind]!) / 2;
    this.#place.push(between);
    // No number is left between the two: places are given out anew.
    if (!(from < between && between < this.#place[behind]!)) this.all().forEach((own, at) => (this.#place[own] = at));
  }

  all(): Int32Array {
    const order = new Int32Array(this.#place.length);
    for (let own = this.#end, at = order.length - 1; at >= 0; own = this.#previous[own]!, at--) order[at] = own;
    return order;
  }
}
