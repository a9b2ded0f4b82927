import { transposed } from "../../kernels/transpose.ts";
import { breathe } from "./breathe.ts";
import type { Rows } from "./unknowns.ts";

/** What is left of a row's diagonal, relative to what it was, when the row follows from others. */
const FOLLOWS = 1e-11;

/**
 * Solves (A D A') y = r for one matrix A and many diagonals D, by sparse Cholesky factors; rows of A may follow from
 * others, as long as they do not contradict them. The order of elimination, by fewest neighbours, and the places of all entries are worked out once.
 *
 * Source: George and Liu (1981), "Computer Solution of Large Sparse Positive Definite Systems".
 */
export class NormalEquations {
  readonly #size: number;
  /** [rows] row of A at each step of the elimination. */
  readonly #order: Int32Array;
  /** Entries of the factor below its diagonal, by column, as steps in ascending order. */
  readonly #starts: Int32Array;
  readonly #below: Int32Array;
  readonly #value: Float64Array;
  readonly #diagonal: Float64Array;
  /** What each pair of entries of a column of A adds to: place in `value`, or -1 - step for the diagonal. */
  readonly #pairStarts: Int32Array;
  readonly #pairPlace: Int32Array;
  readonly #pairTimes: Float64Array;
  readonly #work: Float64Array;

  /** @returns undefined when the factor would have more than `limit` entries or take more than 100 times as many steps */
  static async plan(
    rows: Pick<Rows, "starts" | "unknown" | "times">, size: number, limit: number, signal?: AbortSignal,
  ): Promise<NormalEquations | undefined> {
    const found = await eliminationOrder(rows, size, limit, signal);
    return found === undefined ? undefined : new NormalEquations(rows, size, found);
  }

  private constructor(rows: Pick<Rows, "starts" | "unknown" | "times">, size: number, { order, below }: Elimination) {
    const count = order.length;
    this.#size = count;
    this.#order = order;
    const step = new Int32Array(count);
    order.forEach((r, k) => (step[r] = k));
    const starts = new Int32Array(count + 1);
    below.forEach((list, k) => (starts[k + 1] = starts[k]! + list.length));
    this.#starts = starts;
    this.#below = new Int32Array(starts[count]!);
    below.forEach((list, k) => {
      for (let i = 0; i < list.length; i++) this.#below[starts[k]! + i] = step[list[i]!]!;
      this.#below.subarray(starts[k], starts[k + 1]).sort();
    });
    this.#value = new Float64Array(starts[count]!);
    this.#diagonal = new Float64Array(count);
    this.#work = new Float64Array(count);

    const columns = transposed(rows.starts, rows.unknown, size);
    const pairStarts = new Int32Array(size + 1);
    for (let u = 0; u < size; u++) {
      const own = columns.starts[u + 1]! - columns.starts[u]!;
      pairStarts[u + 1] = pairStarts[u]! + (own * (own + 1)) / 2;
    }
    this.#pairStarts = pairStarts;
    this.#pairPlace = new Int32Array(pairStarts[size]!);
    this.#pairTimes = new Float64Array(pairStarts[size]!);
    let at = 0;
    for (let u = 0; u < size; u++) {
      for (let i = columns.starts[u]!; i < columns.starts[u + 1]!; i++) {
        for (let j = columns.starts[u]!; j <= i; j++) {
          const a = step[columns.row[i]!]!;
          const b = step[columns.row[j]!]!;
          this.#pairPlace[at] = a === b ? -1 - a : this.#placeOf(Math.min(a, b), Math.max(a, b));
          this.#pairTimes[at++] = rows.times[columns.entry[i]!]! * rows.times[columns.entry[j]!]!;
        }
      }
    }
  }

  #placeOf(column: number, row: number): number {
    let from = this.#starts[column]!;
    let to = this.#starts[column + 1]! - 1;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#below[middle]! < row) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Entries of the factor. */
  get entries(): number {
    return this.#value.length;
  }

  /** @param diagonal [columns of A] D, above 0. @returns whether the factor could be computed */
  factor(diagonal: Float64Array): boolean {
    const value = this.#value.fill(0);
    const own = this.#diagonal.fill(0);
    const starts = this.#starts;
    const below = this.#below;
    for (let u = 0; u < diagonal.length; u++) {
      const d = diagonal[u]!;
      for (let k = this.#pairStarts[u]!; k < this.#pairStarts[u + 1]!; k++) {
        const place = this.#pairPlace[k]!;
        if (place < 0) own[-1 - place]! += d * this.#pairTimes[k]!;
        else value[place]! += d * this.#pairTimes[k]!;
      }
    }
    // Column by column, each less what the columns before it add; those that reach a column next are linked in a list.
    const next = new Int32Array(this.#size).fill(-1);
    const first = new Int32Array(this.#size).fill(-1);
    const at = new Int32Array(this.#size);
    const work = this.#work;
    for (let c = 0; c < this.#size; c++) {
      const begin = starts[c]!;
      const end = starts[c + 1]!;
      for (let k = begin; k < end; k++) work[below[k]!] = value[k]!;
      const given = own[c]!;
      let left = given;
      for (let before = first[c]!; before >= 0; ) {
        const following = next[before]!;
        const place = at[before]!;
        const times = value[place]!;
        left -= times * times;
        const last = starts[before + 1]!;
        for (let k = place + 1; k < last; k++) work[below[k]!]! -= times * value[k]!;
        at[before] = place + 1;
        if (place + 1 < last) {
          const goal = below[place + 1]!;
          next[before] = first[goal]!;
          first[goal] = before;
        }
        before = following;
      }
      // A row that follows from those before it leaves nothing but rounding: it is left out, as if its diagonal were endless.
      const follows = !(left > FOLLOWS * given);
      if (!Number.isFinite(left)) return false;
      const root = follows ? Infinity : Math.sqrt(left);
      own[c] = root;
      for (let k = begin; k < end; k++) {
        value[k] = work[below[k]!]! / root;
        work[below[k]!] = 0;
      }
      if (follows || begin === end) continue;
      at[c] = begin;
      const goal = below[begin]!;
      next[c] = first[goal]!;
      first[goal] = c;
    }
    return true;
  }

  /** Rows of A that did not follow from others when the factor was last computed, in ascending order. */
  independent(): Int32Array {
    return this.#order.filter((_, k) => this.#diagonal[k] !== Infinity).sort();
  }

  /** Solve in place. @param right [rows of A] */
  solve(right: Float64Array): void {
    const x = this.#work;
    const value = this.#value;
    const own = this.#diagonal;
    const starts = this.#starts;
    const below = this.#below;
    const count = this.#size;
    for (let k = 0; k < count; k++) x[k] = right[this.#order[k]!]!;
    for (let c = 0; c < count; c++) {
      if (x[c] === 0) continue;
      const y = (x[c]! /= own[c]!);
      for (let k = starts[c]!; k < starts[c + 1]!; k++) x[below[k]!]! -= y * value[k]!;
    }
    for (let c = count - 1; c >= 0; c--) {
      let y = x[c]!;
      for (let k = starts[c]!; k < starts[c + 1]!; k++) y -= value[k]! * x[below[k]!]!;
      x[c] = y / own[c]!;
    }
    for (let k = 0; k < count; k++) {
      right[this.#order[k]!] = x[k]!;
      x[k] = 0;
    }
  }
}

interface Elimination {
  readonly order: Int32Array;
  /** By step: rows that come later and share an entry of the factor. */
  readonly below: readonly Int32Array[];
}

/** Rows with the fewest neighbours first, the smaller number among equals. */
async function eliminationOrder(
  rows: Pick<Rows, "starts" | "unknown">, size: number, limit: number, signal: AbortSignal | undefined,
): Promise<Elimination | undefined> {
  const count = rows.starts.length - 1;
  const columns = transposed(rows.starts, rows.unknown, size);
  const near = Array.from({ length: count }, () => new Set<number>());
  let pairs = 0;
  for (let u = 0; u < size; u++) {
    for (let i = columns.starts[u]!; i < columns.starts[u + 1]!; i++) {
      for (let j = columns.starts[u]!; j < i; j++) {
        near[columns.row[i]!]!.add(columns.row[j]!);
        near[columns.row[j]!]!.add(columns.row[i]!);
        if (++pairs > limit) return undefined;
      }
    }
  }
  // Buckets by number of neighbours; entries that are out of date are passed over.
  const buckets: number[][] = [];
  const enter = (r: number) => (buckets[near[r]!.size] ??= []).push(r);
  for (let r = count - 1; r >= 0; r--) enter(r);
  const order = new Int32Array(count);
  const below: Int32Array[] = [];
  const done = new Uint8Array(count);
  let entries = 0;
  let work = 0;
  for (let k = 0, degree = 0; k < count; ) {
    const bucket = buckets[degree];
    if (bucket === undefined || bucket.length === 0) {
      degree++;
      continue;
    }
    const r = bucket.pop()!;
    const own = near[r]!;
    if (done[r] === 1 || own.size !== degree) continue;
    if (degree > 50) await breathe(signal);
    done[r] = 1;
    order[k++] = r;
    entries += own.size;
    work += own.size * own.size;
    if (entries > limit || work > 100 * limit) return undefined;
    const list = Int32Array.from(own);
    below.push(list);
    for (const a of list) {
      const other = near[a]!;
      other.delete(r);
      for (const b of list) if (b !== a) other.add(b);
    }
    for (const a of list) {
      enter(a);
      if (near[a]!.size < degree) degree = near[a]!.size;
    }
    own.clear();
  }
  return { order, below };
}
