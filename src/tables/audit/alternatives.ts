/**
 * A proof that hidden counts stay unknown, by other tables that agree with everything shown. Whoever proposes the tables, each
 * is checked here in whole numbers against every published cell. Nothing is searched, so this scales to any size.
 */

/** Tables of counts and what is published of them. */
export interface AlternativesInput {
  readonly cells: number;
  /** [cells] published count, NaN where the cell is blank. A blank cell is known to hold somebody, a cell that is absent nobody. */
  readonly value: Float64Array;
  readonly inner: number;
  /** [inner x memberships] published cells that each inner cell adds to. */
  readonly cellsOf: Int32Array;
  readonly memberships: number;
  /** [inner] a table of counts from 1, from which walks set out. */
  readonly base: Float64Array;
  /** Different counts that must be shown possible for each blank cell. */
  readonly interval: number;
  /**
   * Where everybody knows which inner cells there are: a blank cell of at least so many of them is certain to hold as many people,
   * so that there is no small count to protect. Infinity where the inner cells are not published.
   */
  readonly harmlessFrom: number;
}

/**
 * Walks from the base table to others, one after the other: [steps, then for each step: times, entries, entries x change].
 * A change is 2 * inner for one person more, 2 * inner + 1 for one less. A step is taken `times` times.
 */
export type Walks = Int32Array;

/** How far from the base a sum may be met, on either side, to be counted. */
export const FARTHEST = 15;
const AT_BASE = 1 << FARTHEST;

/**
 * Checks walks and keeps what they prove: a blank cell is safe once one walk has met it with `interval` different counts, every
 * table on the way being one that agrees.
 */
export class Alternatives {
  /** [cells] 1 where the blank cell is proven to leave enough counts, or to hold no small one. */
  readonly safe: Uint8Array;
  readonly #input: AlternativesInput;
  /** [inner + 1] and [entries]: the shown cells of each inner cell. */
  readonly #shownStarts: Int32Array;
  readonly #shown: Int32Array;
  /** [cells] how far a shown sum is off within a step. */
  readonly #off: Int32Array;
  /** [inner] people more than in the base table, and sums met. */
  readonly #moved: Int32Array;
  readonly #met: Int32Array;
  /** [inner] 1 where the cells of the inner cell have been looked at, on a walk that met it with enough counts. */
  readonly #looked: Uint8Array;
  /** [memberships] sum and sums met of the cells of one inner cell. */
  readonly #sum: Int32Array;
  readonly #sumsMet: Int32Array;

  constructor(input: AlternativesInput) {
    const { cells, value, inner, cellsOf, memberships } = input;
    this.#input = input;
    this.safe = new Uint8Array(cells);
    this.#off = new Int32Array(cells);
    this.#moved = new Int32Array(inner);
    this.#met = new Int32Array(inner);
    this.#looked = new Uint8Array(inner);
    this.#sum = new Int32Array(memberships);
    this.#sumsMet = new Int32Array(memberships);
    const isShown = new Uint8Array(cells);
    for (let c = 0; c < cells; c++) isShown[c] = Number.isNaN(value[c]!) ? 0 : 1;
    const starts = new Int32Array(inner + 1);
    for (let i = 0, at = 0; i < inner; i++) {
      let own = starts[i]!;
      for (const end = at + memberships; at < end; at++) own += isShown[cellsOf[at]!]!;
      starts[i + 1] = own;
    }
    const shown = new Int32Array(starts[inner]!);
    for (let at = 0, to = 0; at < inner * memberships; at++) if (isShown[cellsOf[at]!] === 1) shown[to++] = cellsOf[at]!;
    this.#shownStarts = starts;
    this.#shown = shown;
  }

  /** Whether the base table holds somebody in every inner cell and adds up to every count that is shown. Time O(inner x memberships). */
  baseAgrees(): boolean {
    const { cells, value, inner, cellsOf, memberships, base, harmlessFrom } = this.#input;
    const sum = new Float64Array(cells);
    const parts = new Int32Array(cells);
    for (let i = 0; i < inner; i++) {
      const own = base[i]!;
      if (!(Number.isSafeInteger(own) && own >= 1)) return false;
      for (let at = i * memberships; at < (i + 1) * memberships; at++) {
        sum[cellsOf[at]!]! += own;
        parts[cellsOf[at]!]!++;
      }
    }
    for (let c = 0; c < cells; c++) {
      if (sum[c] === 0 || (!Number.isNaN(value[c]!) && sum[c] !== value[c])) return false;
      if (Number.isNaN(value[c]!) && parts[c]! >= harmlessFrom) this.safe[c] = 1;
    }
    return true;
  }

  /**
   * Take walks, each from the base table.
   * @returns false at the first walk with a table that does not agree with what is shown; what was proven before stands
   * Time O(changes x memberships).
   */
  take(walks: Walks): boolean {
    for (let at = 0; at < walks.length; ) {
      const end = this.#endOf(walks, at);
      if (end < 0) return false;
      const goes = this.#walk(walks, at);
      if (goes) this.#look(walks, at);
      this.#clear(walks, at);
      if (!goes) return false;
      at = end;
    }
    return true;
  }

  /** Where the walk that begins at `from` ends; -1 when it is no walk. */
  #endOf(walks: Walks, from: number): number {
    const { inner } = this.#input;
    const steps = walks[from]!;
    if (!(steps > 0)) return -1;
    let at = from + 1;
    for (let s = 0; s < steps; s++) {
      const times = walks[at]!;
      const entries = walks[at + 1]!;
      // A step is taken several times only where it is the walk's only one.
      if (!(times > 0 && times <= (steps === 1 ? FARTHEST : 1) && entries > 0 && at + 2 + entries <= walks.length)) return -1;
      for (let k = at + 2; k < at + 2 + entries; k++) if (!(walks[k]! >= 0 && walks[k]! >>> 1 < inner)) return -1;
      at += 2 + entries;
    }
    return at;
  }

  /** Whether every table on the way agrees. Leaves the sums that inner cells are met with. */
  #walk(walks: Walks, from: number): boolean {
    const { value, base } = this.#input;
    const [off, moved, met, shown, shownStarts] = [this.#off, this.#moved, this.#met, this.#shown, this.#shownStarts];
    const steps = walks[from]!;
    let sound = true;
    for (let s = 0, at = from + 1; s < steps; s++) {
      const times = walks[at]!;
      const to = at + 2 + walks[at + 1]!;
      for (let k = at + 2; k < to; k++) {
        const i = walks[k]! >>> 1;
        const change = (walks[k]! & 1) === 0 ? 1 : -1;
        for (let e = shownStarts[i]!; e < shownStarts[i + 1]!; e++) off[shown[e]!]! += change;
      }
      // What is shown keeps its sum in each step.
      for (let k = at + 2; k < to; k++) {
        const i = walks[k]! >>> 1;
        for (let e = shownStarts[i]!; e < shownStarts[i + 1]!; e++) {
          const cell = shown[e]!;
          if (off[cell] === 0) continue;
          if (!Number.isNaN(value[cell]!)) sound = false;
          off[cell] = 0;
        }
      }
      for (let t = 0; t < times; t++) {
        for (let k = at + 2; k < to; k++) moved[walks[k]! >>> 1]! += (walks[k]! & 1) === 0 ? 1 : -1;
        for (let k = at + 2; k < to; k++) {
          const i = walks[k]! >>> 1;
          const far = moved[i]!;
          if (base[i]! + far < 1) sound = false;
          if (far >= -FARTHEST && far <= FARTHEST) met[i]! |= AT_BASE | (1 << (far + FARTHEST));
        }
      }
      at = to;
    }
    return sound;
  }

  /** Look at the cells of the walk's first inner cell, and of those that are met with enough counts for the first time. */
  #look(walks: Walks, from: number): void {
    const { interval } = this.#input;
    const first = walks[from + 3]! >>> 1;
    this.#lookFrom(walks, from, first);
    this.#looked[first] = 1;
    const steps = walks[from]!;
    for (let s = 0, at = from + 1; s < steps; s++) {
      const to = at + 2 + walks[at + 1]!;
      for (let k = at + 2; k < to; k++) {
        const i = walks[k]! >>> 1;
        if (this.#looked[i] === 1 || countBits(this.#met[i]!) < interval) continue;
        this.#lookFrom(walks, from, i);
        this.#looked[i] = 1;
      }
      at = to;
    }
  }

  #lookFrom(walks: Walks, from: number, goal: number): void {
    const { cellsOf, memberships, interval } = this.#input;
    const sum = this.#sum.fill(0);
    const met = this.#sumsMet.fill(AT_BASE);
    const own = goal * memberships;
    const steps = walks[from]!;
    for (let s = 0, at = from + 1; s < steps; s++) {
      const times = walks[at]!;
      const to = at + 2 + walks[at + 1]!;
      for (let k = at + 2; k < to; k++) {
        const other = (walks[k]! >>> 1) * memberships;
        const change = (walks[k]! & 1) === 0 ? 1 : -1;
        for (let m = 0; m < memberships; m++) sum[m]! += cellsOf[other + m] === cellsOf[own + m] ? change : 0;
      }
      for (let m = 0; m < memberships; m++) {
        for (let t = 1; t <= times; t++) {
          const far = t * sum[m]!;
          if (far >= -FARTHEST && far <= FARTHEST) met[m]! |= 1 << (far + FARTHEST);
        }
      }
      at = to;
    }
    for (let m = 0; m < memberships; m++) if (countBits(met[m]!) >= interval) this.safe[cellsOf[own + m]!] = 1;
  }

  #clear(walks: Walks, from: number): void {
    const steps = walks[from]!;
    for (let s = 0, at = from + 1; s < steps; s++) {
      const to = at + 2 + walks[at + 1]!;
      for (let k = at + 2; k < to; k++) this.#moved[walks[k]! >>> 1] = this.#met[walks[k]! >>> 1] = 0;
      at = to;
    }
  }
}

function countBits(word: number): number {
  let left = word - ((word >>> 1) & 0x55555555);
  left = (left & 0x33333333) + ((left >>> 2) & 0x33333333);
  return (((left + (left >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
