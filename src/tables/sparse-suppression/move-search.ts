import type { Growing } from "../../kernels/growing.ts";
import type { ShownChain } from "./choose-shown.ts";

/** What a search for one walk came to. */
export interface FoundWalk {
  readonly found: boolean;
  /** Rank of the shown cell whose sum could not be put right; -1 when the search only took too long. */
  readonly stuckAt: number;
}

/** Inner cells that are looked at to put one sum right, and changes that one walk may take. */
const CHOICES = 32;
const CHANGES = 4000;

/**
 * Finds tables that agree with all shown cells and in which a given inner cell holds more people.
 *
 * One person more breaks the sums of the shown cells that hold the inner cell. They are put right one after the other, the
 * last chosen first, by one person more or less in an inner cell that no later chosen cell holds: that breaks sums of earlier
 * chosen cells only, so it ends at the first. Which inner cell: the one that breaks fewest sums and mends most.
 */
export class MoveSearch {
  /** [inner] 1 where some walk has moved the cell by the full distance: preferred less to be moved again. */
  readonly moved: Uint8Array;
  readonly #distance: number;
  readonly #spare: Int32Array;
  readonly #spareAtBase: Int32Array;
  /** [inner + 1] and [entries] ranks of the shown cells of each inner cell. */
  readonly #rankStarts: Int32Array;
  readonly #ranks: Int32Array;
  /** [shown] 1 where the cell is shown no longer. */
  readonly #dropped: Uint8Array;
  /** [shown] inner cells whose last shown cell it is: all, and those with people to spare, most first. */
  readonly #own: number[][];
  readonly #givers: number[][];
  readonly #last: Int32Array;
  /** [shown] how far the sum is from what is shown, while a walk is made. */
  readonly #off: Int32Array;
  readonly #heap: number[] = [];
  readonly #inHeap: Uint8Array;
  #changes: number[] = [];
  #draw = 12345;
  #avoid: Uint8Array;
  #avoided: number[] = [];

  /**
   * @param chain    shown cells, see chooseShown
   * @param starts   [cells + 1] with `rows`: inner cells of each cell
   * @param spare    [inner] people above the fewest the cell can hold
   * @param distance people more that a raised cell must be able to hold
   */
  constructor(chain: ShownChain, starts: Int32Array, rows: Int32Array, spare: Float64Array, distance: number) {
    const inner = spare.length;
    const shown = chain.cells.length;
    this.#distance = distance;
    this.#spare = Int32Array.from(spare, (own) => Math.min(own, 2 ** 30));
    this.#spareAtBase = this.#spare.slice();
    this.#last = chain.last.slice();
    this.moved = new Uint8Array(inner);
    this.#avoid = new Uint8Array(inner);
    this.#dropped = new Uint8Array(shown);
    this.#off = new Int32Array(shown);
    this.#inHeap = new Uint8Array(shown);
    const rankStarts = new Int32Array(inner + 1);
    for (let r = 0; r < shown; r++) for (let k = starts[chain.cells[r]!]!; k < starts[chain.cells[r]! + 1]!; k++) rankStarts[rows[k]! + 1]!++;
    for (let i = 0; i < inner; i++) rankStarts[i + 1]! += rankStarts[i]!;
    const ranks = new Int32Array(rankStarts[inner]!);
    const at = rankStarts.slice();
    for (let r = 0; r < shown; r++) for (let k = starts[chain.cells[r]!]!; k < starts[chain.cells[r]! + 1]!; k++) ranks[at[rows[k]!]!++] = r;
    this.#rankStarts = rankStarts;
    this.#ranks = ranks;
    this.#own = Array.from({ length: shown }, () => []);
    this.#givers = Array.from({ length: shown }, () => []);
    for (let i = 0; i < inner; i++) this.#list(i);
    for (const givers of this.#givers) givers.sort((a, b) => spare[b]! - spare[a]! || a - b);
  }

  #list(i: number): void {
    const rank = this.#last[i]!;
    if (rank < 0) return;
    this.#own[rank]!.push(i);
    if (this.#spare[i]! > 0) this.#givers[rank]!.push(i);
  }

  /** Whether the cell of this rank is still shown. */
  isShown(rank: number): boolean {
    return this.#dropped[rank] === 0;
  }

  /** Rank of the last chosen cell that is still shown and holds the inner cell, -1 for none. */
  lastShown(i: number): number {
    return this.#last[i]!;
  }

  /** Show a cell no longer: its inner cells serve the cell chosen before it that holds them. */
  drop(rank: number): void {
    if (this.#dropped[rank] === 1) return;
    this.#dropped[rank] = 1;
    const moved = new Set<number>();
    for (const i of this.#own[rank]!) {
      let before = -1;
      for (let k = this.#rankStarts[i]!; k < this.#rankStarts[i + 1]!; k++) if (this.#dropped[this.#ranks[k]!] === 0) before = Math.max(before, this.#ranks[k]!);
      this.#last[i] = before;
      this.#list(i);
      moved.add(before);
    }
    this.#own[rank] = [];
    this.#givers[rank] = [];
    for (const before of moved) if (before >= 0) this.#givers[before]!.sort((a, b) => this.#spare[b]! - this.#spare[a]! || a - b);
  }

  /** The cell to show no longer so that the sum of `rank` finds more room: the last chosen that took people to spare from it, else itself. */
  toDrop(rank: number, members: Int32Array): number {
    let latest = rank;
    for (let k = 0; k < members.length; k++) if (this.#spare[members[k]!]! > 0) latest = Math.max(latest, this.#last[members[k]!]!);
    return latest;
  }

  /**
   * Walk from the base table to one in which inner cell `goal` holds `distance` people more, or less where it has them to
   * spare, and append it to `walks`.
   * @param avoid inner cells that must stay as they are
   */
  move(goal: number, walks: Growing<Int32Array>, avoid?: Int32Array): FoundWalk {
    for (let k = 0; avoid !== undefined && k < avoid.length; k++) {
      this.#avoid[avoid[k]!] = 1;
      this.#avoided.push(avoid[k]!);
    }
    try {
      let once = this.#mend(goal, 1, this.#distance);
      if (!once.found && this.#spareAtBase[goal]! >= this.#distance) once = this.#mend(goal, -1, this.#distance);
      if (once.found) {
        append(walks, [1, this.#distance, this.#changes.length]);
        append(walks, this.#changes);
        for (const change of this.#changes) {
          const i = change >>> 1;
          if (Math.abs(this.#spare[i]! - this.#spareAtBase[i]!) >= this.#distance) this.moved[i] = 1;
        }
        this.#undo(this.#changes, this.#distance);
        return once;
      }
      // Not all at once: people to spare come from several cells, one after the other.
      const parts: number[][] = [];
      let stuck = once;
      while (parts.length < this.#distance) {
        stuck = this.#mend(goal, 1, 1);
        if (!stuck.found) break;
        parts.push(this.#changes);
      }
      if (stuck.found) {
        append(walks, [parts.length]);
        for (const part of parts) {
          append(walks, [1, part.length]);
          append(walks, part);
        }
      }
      for (const part of parts) this.#undo(part, 1);
      if (stuck.found) this.moved[goal] = 1;
      return stuck;
    } finally {
      for (const i of this.#avoided) this.#avoid[i] = 0;
      this.#avoided.length = 0;
    }
  }

  /** One step in which every sum comes out right; its changes are left in `#changes`, made in `#spare`. */
  #mend(goal: number, direction: 1 | -1, unit: number): FoundWalk {
    this.#changes = [];
    const off = this.#off;
    this.#change(goal, direction, unit);
    while (this.#heap.length > 0) {
      const rank = this.#pop();
      while (off[rank] !== 0) {
        const sign = off[rank]! > 0 ? -1 : 1;
        const choice = this.#changes.length < CHANGES ? this.#choose(rank, sign, goal, unit) : -1;
        if (choice < 0) {
          const stuckAt = this.#changes.length < CHANGES ? rank : -1;
          this.#undo(this.#changes, unit);
          off.fill(0);
          for (const other of this.#heap) this.#inHeap[other] = 0;
          this.#heap.length = 0;
          return { found: false, stuckAt };
        }
        this.#change(choice, sign, unit);
      }
    }
    return { found: true, stuckAt: -1 };
  }

  #change(i: number, sign: number, unit: number): void {
    this.#spare[i]! += sign * unit;
    this.#changes.push(sign > 0 ? 2 * i : 2 * i + 1);
    const ranks = this.#ranks;
    const off = this.#off;
    for (let k = this.#rankStarts[i]!; k < this.#rankStarts[i + 1]!; k++) {
      const rank = ranks[k]!;
      if (this.#dropped[rank] === 1) continue;
      off[rank]! += sign;
      if (off[rank] !== 0) this.#push(rank);
    }
  }

  #undo(changes: readonly number[], unit: number): void {
    for (const change of changes) this.#spare[change >>> 1]! -= (change & 1) === 0 ? unit : -unit;
  }

  /** The inner cell of its own by which a shown cell's sum is put right; -1 for none. */
  #choose(rank: number, sign: number, goal: number, unit: number): number {
    const list = sign < 0 ? this.#givers[rank]! : this.#own[rank]!;
    const size = list.length;
    // Givers stand in order of what they can spare; of those that are raised any will do.
    this.#draw = (Math.imul(this.#draw, 1664525) + 1013904223) | 0;
    const from = sign > 0 && size > CHOICES ? (this.#draw >>> 0) % size : 0;
    let best = -1;
    let bestScore = Infinity;
    let tried = 0;
    for (let k = 0; k < size && tried < CHOICES; k++) {
      const i = list[from + k < size ? from + k : from + k - size]!;
      if (sign < 0 && this.#spareAtBase[i]! < unit) break; // and so are those that follow
      if (i === goal || this.#avoid[i] === 1 || (sign < 0 && this.#spare[i]! < unit)) continue;
      tried++;
      let score = this.moved[i] === 0 ? -1 : 0;
      for (let e = this.#rankStarts[i]!; e < this.#rankStarts[i + 1]!; e++) {
        const other = this.#ranks[e]!;
        if (this.#dropped[other] === 0) score += this.#off[other]! * sign < 0 ? -1 : 1;
      }
      if (score < bestScore) {
        bestScore = score;
        best = i;
      }
    }
    return best;
  }

  #push(rank: number): void {
    if (this.#inHeap[rank] === 1) return;
    this.#inHeap[rank] = 1;
    const heap = this.#heap;
    let at = heap.length;
    heap.push(rank);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (heap[above]! >= rank) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = rank;
  }

  #pop(): number {
    const heap = this.#heap;
    const top = heap[0]!;
    const moved = heap.pop()!;
    const size = heap.length;
    if (size > 0) {
      let at = 0;
      for (;;) {
        let below = 2 * at + 1;
        if (below >= size) break;
        if (below + 1 < size && heap[below + 1]! > heap[below]!) below++;
        if (heap[below]! <= moved) break;
        heap[at] = heap[below]!;
        at = below;
      }
      heap[at] = moved;
    }
    this.#inHeap[top] = 0;
    return top;
  }
}

function append(list: Growing<Int32Array>, values: readonly number[]): void {
  const out = list.room(values.length);
  for (let k = 0; k < values.length; k++) out[list.length + k] = values[k]!;
  list.length += values.length;
}
