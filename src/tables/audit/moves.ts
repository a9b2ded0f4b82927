import type { Component } from "./component.ts";

/** Values of a step count that mean "as far as wanted". */
const FAR = 2 ** 40;
/** Rows longer than this are looked at in part. */
const LONG_ROW = 96;
const LARGEST_FACTOR = 3;
/** Unknowns in one move. */
const LONGEST_MOVE = 200;

/** What is proven of each unknown of a component, all of it by exact integer arithmetic. */
export interface Proofs {
  /** [size] every whole value from `from` to `to` is possible; for amounts every value between. */
  readonly from: Float64Array;
  readonly to: Float64Array;
  /** [size] most distinct values that one move proved in steps larger than 1. */
  readonly strided: Float64Array;
  /** Further whole values proven one by one. */
  readonly single: Map<number, Set<number>>;
}

export function noProofs(size: number): Proofs {
  return { from: new Float64Array(size).fill(Infinity), to: new Float64Array(size).fill(-Infinity), strided: new Float64Array(size), single: new Map() };
}

/** Distinct whole values proven possible. */
export function provenValues({ from, to, strided, single }: Proofs, u: number): number {
  const run = to[u]! >= from[u]! ? to[u]! - from[u]! + 1 : 0;
  let apart = 0;
  for (const value of single.get(u) ?? []) if (!(value >= from[u]! && value <= to[u]!)) apart++;
  return Math.max(run + apart, strided[u]!);
}

/**
 * Proves values possible by moves: whole numbers d with all additions of d zero. From a table that agrees, any number of
 * steps along d that keeps all bounds is another table that agrees. Each move is checked before it counts.
 */
export class Moves {
  readonly component: Component;
  readonly proofs: Proofs;
  /** A table that agrees; it wanders into the middle of what is possible. */
  readonly point: Float64Array;
  /** [size] 1 for unknowns that no move may change. */
  readonly #fixed: Uint8Array;
  readonly #wander: boolean;
  /** Steps to a bound beyond which more room is of no use. */
  readonly #room: number;
  /** [size] 1 where the component holds amounts only: then values between two points are possible too. */
  readonly #amounts: boolean;
  readonly #graph: boolean;
  readonly #isEquation: Uint8Array;
  readonly #factor: Float64Array;
  readonly #support: number[] = [];
  readonly #rest: Float64Array;
  readonly #broken: number[] = [];
  #budget = 0;
  #forward = 0;
  #backward = 0;
  /** Unknowns that each proof so far rests on, when asked to keep them. */
  readonly trace: Map<number, Set<number>> | undefined;

  constructor(component: Component, point: Float64Array, options: { readonly wander: boolean; readonly room: number; readonly fixed?: Uint8Array; readonly trace?: boolean }) {
    this.component = component;
    this.point = point.slice();
    this.proofs = noProofs(component.size);
    this.#fixed = options.fixed ?? new Uint8Array(component.size);
    this.#wander = options.wander;
    this.#room = options.room;
    this.trace = options.trace === true ? new Map() : undefined;
    this.#factor = new Float64Array(component.size);
    this.#rest = new Float64Array(component.rows.low.length);
    this.#isEquation = Uint8Array.from(component.rows.low, (low, r) => (low === component.rows.high[r] ? 1 : 0));
    this.#amounts = component.integer.every((one) => one === 0);
    this.#graph = this.#isGraph();
    this.meet(this.point);
  }

  /** Count a table that agrees. */
  meet(point: Float64Array): void {
    const { from, to } = this.proofs;
    for (let u = 0; u < this.component.size; u++) {
      const x = point[u]!;
      if (from[u]! > to[u]!) from[u] = to[u] = x;
      else if (x >= from[u]! - 1 && x <= to[u]! + 1) {
        if (x < from[u]!) from[u] = x;
        if (x > to[u]!) to[u] = x;
      } else if (this.#amounts) {
        from[u] = Math.min(from[u]!, x);
        to[u] = Math.max(to[u]!, x);
      } else this.#countOne(u, x);
    }
  }

  /** Count one value that stands apart. @returns whether it is new */
  #countOne(u: number, x: number): boolean {
    const { from, to, single } = this.proofs;
    if (x >= from[u]! && x <= to[u]!) return false;
    let seen = single.get(u);
    if (seen === undefined) single.set(u, (seen = new Set()));
    if (seen.has(x) || seen.size >= 64) return false;
    seen.add(x);
    return true;
  }

  /** Try to move an unknown by `forward` steps one way and `backward` the other. @returns whether a move was found */
  search(u: number, direction: 1 | -1, forward: number, backward: number, budget: number): boolean {
    if (this.#fixed[u] === 1 || !this.#fits(u, direction, forward, backward)) return false;
    this.#forward = forward;
    this.#backward = backward;
    this.#budget = budget;
    const found = this.#graph ? this.#searchPath(u, direction) : this.#searchTree(u, direction);
    const moved = found && this.#apply();
    this.#clear();
    return moved;
  }

  /** Try a given direction, such as the solver's, as a move. Sparse: unknowns and their steps. */
  tryMove(steps: Iterable<readonly [unknown: number, step: number]>): boolean {
    for (const [u, step] of steps) {
      if (step === 0) continue;
      this.#factor[u] = step;
      this.#support.push(u);
    }
    const moved = this.#apply();
    this.#clear();
    return moved;
  }

  /** Check the move at hand exactly and count what it proves. */
  #apply(): boolean {
    const { lower, upper, rows, columns } = this.component;
    const factor = this.#factor;
    let ahead = FAR;
    let back = FAR;
    const seenRows = new Set<number>();
    for (const u of this.#support) {
      const d = factor[u]!;
      if (d === 0) continue;
      if (this.#fixed[u] === 1) return false;
      const x = this.point[u]!;
      const size = Math.abs(d);
      const above = Math.min(FAR, Math.floor(Math.min(FAR, upper[u]! - x) / size));
      const below = Math.min(FAR, Math.floor(Math.min(FAR, x - lower[u]!) / size));
      ahead = Math.min(ahead, d > 0 ? above : below);
      back = Math.min(back, d > 0 ? below : above);
      for (let j = columns.starts[u]!; j < columns.starts[u + 1]!; j++) seenRows.add(columns.row[j]!);
    }
    if (ahead + back <= 0) return false;
    for (const r of seenRows) {
      let change = 0;
      let sum = 0;
      let size = 0;
      for (let k = rows.starts[r]!; k < rows.starts[r + 1]!; k++) {
        change += rows.times[k]! * factor[rows.unknown[k]!]!;
        sum += rows.times[k]! * this.point[rows.unknown[k]!]!;
        size += Math.abs(rows.times[k]!) * (Math.abs(factor[rows.unknown[k]!]!) + Math.abs(this.point[rows.unknown[k]!]!));
      }
      if (size > Number.MAX_SAFE_INTEGER) return false; // no longer exact
      if (change === 0) continue;
      if (this.#isEquation[r] === 1) return false;
      const toHigh = Math.floor((change > 0 ? rows.high[r]! - sum : sum - rows.low[r]!) / Math.abs(change));
      const toLow = Math.floor((change > 0 ? sum - rows.low[r]! : rows.high[r]! - sum) / Math.abs(change));
      ahead = Math.min(ahead, toHigh);
      back = Math.min(back, toLow);
    }
    if (ahead + back <= 0) return false;
    this.#count(ahead, back);
    return true;
  }

  #count(ahead: number, back: number): void {
    const { from, to, strided } = this.proofs;
    const { point, trace } = this;
    let support: number[] | undefined;
    for (const u of this.#support) {
      const d = this.#factor[u]!;
      if (d === 0) continue;
      const low = point[u]! - Math.abs(d) * (d > 0 ? back : ahead);
      const high = point[u]! + Math.abs(d) * (d > 0 ? ahead : back);
      let grew = false;
      if (Math.abs(d) === 1 || this.#amounts) {
        // The table at hand lies in [from, to], so the run stays without gaps.
        if (low < from[u]!) {
          from[u] = low;
          grew = true;
        }
        if (high > to[u]!) {
          to[u] = high;
          grew = true;
        }
      } else {
        if (ahead + back + 1 > strided[u]!) {
          strided[u] = ahead + back + 1;
          grew = true;
        }
        for (let t = -Math.min(back, 8); t <= Math.min(ahead, 8); t++) grew = this.#countOne(u, point[u]! + t * d) || grew;
      }
      if (grew && trace !== undefined) {
        support ??= this.#support.filter((v) => this.#factor[v] !== 0);
        let rests = trace.get(u);
        if (rests === undefined) trace.set(u, (rests = new Set()));
        for (const v of support) rests.add(v);
      }
    }
    if (!this.#wander) return;
    // Go to where most unknowns on the move have room; the table at hand stays within every run.
    let best = 0;
    let most = this.#roomAfter(0);
    for (const shift of [Math.trunc((ahead - back) / 2), Math.sign(ahead - back), Math.min(ahead, this.#room), -Math.min(back, this.#room)]) {
      if (shift === 0 || Math.abs(shift) > 1e6) continue;
      const room = this.#roomAfter(shift);
      if (room > most && this.#staysInRuns(shift)) {
        best = shift;
        most = room;
      }
    }
    if (best === 0) return;
    for (const u of this.#support) point[u]! += best * this.#factor[u]!;
  }

  /** Steps that the unknowns on the move would have to their bounds, as far as they matter. */
  #roomAfter(shift: number): number {
    const { lower, upper } = this.component;
    let room = 0;
    for (const u of this.#support) {
      const x = this.point[u]! + shift * this.#factor[u]!;
      room += Math.min(this.#room, x - lower[u]!) + Math.min(this.#room, upper[u]! - x);
    }
    return room;
  }

  #staysInRuns(shift: number): boolean {
    const { from, to } = this.proofs;
    return this.#support.every((u) => {
      const x = this.point[u]! + shift * this.#factor[u]!;
      return x >= from[u]! && x <= to[u]!;
    });
  }

  #clear(): void {
    for (const u of this.#support) this.#factor[u] = 0;
    this.#support.length = 0;
    for (const r of this.#broken) this.#rest[r] = 0;
    this.#broken.length = 0;
  }

  #fits(u: number, step: number, forward: number, backward: number): boolean {
    if (this.#fixed[u] === 1) return false;
    const x = this.point[u]!;
    const above = this.component.upper[u]! - x;
    const below = x - this.component.lower[u]!;
    return step > 0 ? above >= step * forward && below >= step * backward : below >= -step * forward && above >= -step * backward;
  }

  // Hypergraphs: repair broken additions one by one, the shortest first.

  #searchTree(u: number, direction: number): boolean {
    this.#put(u, direction);
    return this.#repair(0);
  }

  #put(u: number, step: number): void {
    const { rows, columns } = this.component;
    this.#factor[u] = step;
    this.#support.push(u);
    for (let j = columns.starts[u]!; j < columns.starts[u + 1]!; j++) {
      const r = columns.row[j]!;
      if (this.#isEquation[r] === 0) continue;
      const before = this.#rest[r]!;
      const after = before + rows.times[columns.entry[j]!]! * step;
      this.#rest[r] = after;
      if (before === 0 && after !== 0) this.#broken.push(r);
      else if (before !== 0 && after === 0) this.#broken.splice(this.#broken.indexOf(r), 1);
    }
  }

  #take(u: number): void {
    const step = this.#factor[u]!;
    const { rows, columns } = this.component;
    this.#factor[u] = 0;
    this.#support.pop();
    for (let j = columns.starts[u]!; j < columns.starts[u + 1]!; j++) {
      const r = columns.row[j]!;
      if (this.#isEquation[r] === 0) continue;
      const before = this.#rest[r]!;
      const after = before - rows.times[columns.entry[j]!]! * step;
      this.#rest[r] = after;
      if (before === 0 && after !== 0) this.#broken.push(r);
      else if (before !== 0 && after === 0) this.#broken.splice(this.#broken.indexOf(r), 1);
    }
  }

  #repair(depth: number): boolean {
    if (this.#broken.length === 0) return true;
    if (--this.#budget < 0 || this.#support.length >= LONGEST_MOVE) return false;
    const { starts } = this.component.rows;
    let row = -1;
    for (const r of this.#broken) {
      if (row < 0 || starts[r + 1]! - starts[r]! < starts[row + 1]! - starts[row]!) row = r;
    }
    const choices = this.#choices(row);
    const width = depth < 3 ? 4 : depth < 8 ? 2 : 1;
    for (let c = 0; c < choices.length && c < width; c++) {
      const [u, step] = choices[c]!;
      this.#put(u, step);
      if (this.#repair(depth + 1)) return true;
      this.#take(u);
      if (this.#budget < 0) return false;
    }
    return false;
  }

  /** Unknowns that mend a row, those first that mend most and break least besides. */
  #choices(row: number): (readonly [u: number, step: number, score: number])[] {
    const { rows, columns } = this.component;
    const rest = this.#rest[row]!;
    const choices: (readonly [number, number, number])[] = [];
    const consider = (k: number): void => {
      const u = rows.unknown[k]!;
      if (this.#factor[u] !== 0) return;
      const step = -rest / rows.times[k]!;
      if (!Number.isInteger(step) || Math.abs(step) > LARGEST_FACTOR || !this.#fits(u, step, this.#forward, this.#backward)) return;
      let score = 0;
      for (let j = columns.starts[u]!; j < columns.starts[u + 1]!; j++) {
        const r = columns.row[j]!;
        if (r === row || this.#isEquation[r] === 0) continue;
        const before = this.#rest[r]!;
        if (before === 0) score--;
        else if (before + rows.times[columns.entry[j]!]! * step === 0) score++;
        else score -= 0.5;
      }
      choices.push([u, step, score]);
    };
    const begin = rows.starts[row]!;
    const length = rows.starts[row + 1]! - begin;
    if (length <= LONG_ROW) for (let k = 0; k < length; k++) consider(begin + k);
    else {
      // Of a long row: what also mends another broken row, and a stretch that differs from step to step.
      for (const other of this.#broken) {
        if (other === row || rows.starts[other + 1]! - rows.starts[other]! > LONG_ROW) continue;
        for (let k = rows.starts[other]!; k < rows.starts[other + 1]!; k++) {
          const u = rows.unknown[k]!;
          for (let j = columns.starts[u]!; j < columns.starts[u + 1]!; j++) if (columns.row[j] === row) consider(columns.entry[j]!);
        }
      }
      const turn = (this.#support[0]! * 7919 + this.#support.length * 104729) % length;
      for (let k = 0; k < LONG_ROW / 2; k++) consider(begin + ((turn + k) % length));
    }
    return choices.sort((a, b) => b[2] - a[2] || a[0] - b[0]);
  }

  // Graphs: where each unknown is in at most two additions, a move is a closed walk; the shortest is found breadth first.

  #isGraph(): boolean {
    const { size, columns, rows } = this.component;
    for (let u = 0; u < size; u++) {
      let equations = 0;
      for (let j = columns.starts[u]!; j < columns.starts[u + 1]!; j++) {
        if (this.#isEquation[columns.row[j]!] === 0) continue;
        if (++equations > 2 || Math.abs(rows.times[columns.entry[j]!]!) !== 1) return false;
      }
    }
    return true;
  }

  #searchPath(u: number, direction: number): boolean {
    const ends: (readonly [row: number, rest: number])[] = [];
    this.#ends(u, direction, -1, ends);
    this.#add(u, direction);
    if (ends.length === 0) return true;
    const [first, second] = ends;
    const closed = this.#walk(u, first!, second === undefined ? undefined : ([second[0], -second[1]] as const));
    if (closed === "closed") return true;
    if (closed === "none") return false;
    return second === undefined || this.#walk(u, second, undefined) !== "none";
  }

  #add(u: number, step: number): void {
    if (this.#factor[u] === 0 && !this.#support.includes(u)) this.#support.push(u);
    this.#factor[u]! += step;
  }

  #ends(u: number, step: number, except: number, out: (readonly [number, number])[]): void {
    const { rows, columns } = this.component;
    for (let j = columns.starts[u]!; j < columns.starts[u + 1]!; j++) {
      const r = columns.row[j]!;
      if (r !== except && this.#isEquation[r] === 1) out.push([r, rows.times[columns.entry[j]!]! * step]);
    }
  }

  /** From a row with something left over, to a row where it cancels, or to an unknown in no other row. */
  #walk(u: number, start: readonly [number, number], goal: readonly [number, number] | undefined): "closed" | "sink" | "none" {
    const { rows } = this.component;
    const came = new Map<number, { readonly state: number; readonly unknown: number; readonly step: number }>();
    const stateOf = (row: number, rest: number) => 2 * row + (rest > 0 ? 1 : 0);
    const begin = stateOf(start[0], start[1]);
    const queue = [begin];
    came.set(begin, { state: -1, unknown: -1, step: 0 });
    let sink: { readonly state: number; readonly unknown: number; readonly step: number } | undefined;
    const ends: (readonly [number, number])[] = [];
    for (let at = 0; at < queue.length; at++) {
      const state = queue[at]!;
      const row = state >> 1;
      const rest = (state & 1) === 1 ? 1 : -1;
      for (let k = rows.starts[row]!; k < rows.starts[row + 1]!; k++) {
        const v = rows.unknown[k]!;
        const step = -rest / rows.times[k]!;
        if (v === u || !this.#fits(v, step, this.#forward, this.#backward)) continue;
        ends.length = 0;
        this.#ends(v, step, row, ends);
        const here = { state, unknown: v, step };
        if (ends.length === 0) {
          sink ??= here;
          if (goal === undefined) return this.#keep(here, came), "sink";
          continue;
        }
        const [next, left] = ends[0]!;
        if (goal !== undefined && next === goal[0] && left === goal[1]) return this.#keep(here, came), "closed";
        const to = stateOf(next, left);
        if (came.has(to)) continue;
        came.set(to, here);
        queue.push(to);
      }
    }
    if (sink === undefined) return "none";
    this.#keep(sink, came);
    return "sink";
  }

  #keep(last: { readonly state: number; readonly unknown: number; readonly step: number }, came: ReadonlyMap<number, { readonly state: number; readonly unknown: number; readonly step: number }>): void {
    for (let at = last; at.unknown >= 0; at = came.get(at.state)!) this.#add(at.unknown, at.step);
  }
}
