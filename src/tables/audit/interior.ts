import { breathe } from "./breathe.ts";
import type { Component } from "./component.ts";
import { NormalEquations } from "./normal-equations.ts";
import type { Rows } from "./unknowns.ts";

/** Entries of the factors of the normal equations, up to which a middle is looked for. */
const MOST_ENTRIES = 4e6;
const NEWTON_STEPS = 60;
/** Newton steps after which unknowns that still have no room are held at their bound. */
const PATIENCE = 25;
const NO_ROOM = 1e-3;
/** Times that unknowns without room are held. */
const RESTARTS = 3;
/** Bounds that one walk may run along. */
const LONGEST_WALK = 60;
/** Numbers of columns that are kept at most, over all. */
const KEPT = 12e6;
/** How far a table's sums may be from what is published, relative to what they add up. */
export const SUM_TOLERANCE = 1e-9;
/** Below this, a direction does not move an unknown. */
const STILL = 1e-9;

/** Equations over unknowns and, for each row that is no equation, its sum as one more unknown. */
interface System {
  readonly size: number;
  readonly rows: Pick<Rows, "starts" | "unknown" | "times">;
  readonly right: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/**
 * The middle of all tables that agree, fractions allowed, and walks from it to where an unknown is small or large.
 *
 * The middle is the analytic centre, at the largest product of distances to all bounds, found by Newton's method from
 * anywhere within the bounds. From it, an unknown is moved along the direction that moves it most for its length, lengths
 * measured by the distances to the bounds; where a bound is met, what meets it stays there and the rest goes on. One
 * factorisation serves all unknowns, so a walk costs little more than a few solutions of triangular systems. A walk may end
 * before the last possible value: what it does not reach is not thereby impossible.
 *
 * All of it is floating point. Each table is checked against every bound, without tolerance, and every row, to `SUM_TOLERANCE`.
 *
 * Source: Boyd and Vandenberghe (2004), section 10.3, for the infeasible start, with the bounds' prices as variables of their
 * own (Wright 1997, Primal-Dual Interior-Point Methods); Dikin (1967) for the measure of length; Rosen (1960), gradient projection.
 */
export class Interior {
  readonly #system: System;
  readonly #normal: Frame;
  readonly #centre: Float64Array;
  /** [unknowns] square of the distance to the bounds at the centre; 0 for unknowns that are held. */
  readonly #spread: Float64Array;
  readonly #columns = new Map<number, Float64Array>();
  readonly #table: Float64Array;
  /** Numbers that were computed so far, to compare with a budget. */
  work: number;

  /**
   * @param point a table that agrees, if there is one
   * @param reach how far from it, or from the nearest bound, is far enough
   * @returns undefined when there is no middle, or finding it would take too much
   */
  static async find(component: Component, point: Float64Array | undefined, reach: number, signal?: AbortSignal): Promise<Interior | undefined> {
    let system = equationsOf(component);
    const frame = await Frame.of(system, signal);
    if (frame === undefined) return undefined;
    const held = new Float64Array(system.size).fill(NaN);
    // Where an unknown has no end, there is no middle: any table that agrees will do to draw bounds around.
    let start = point;
    let isBounded = point !== undefined || [...system.lower, ...system.upper].every((x) => Number.isFinite(x));
    if (point !== undefined) system = within(system, point, reach);
    for (let attempt = 0; attempt <= RESTARTS; ) {
      const found = await seek(system, frame, held, start, isBounded, signal);
      if (found === undefined) return undefined;
      if ("stuck" in found) {
        for (const [u, value] of found.stuck) held[u] = value;
        attempt++;
      } else if (isBounded) return new Interior(system, frame, found.centre, found.spread);
      else {
        start = found.centre;
        system = within(system, start, reach);
        isBounded = true;
      }
    }
    return undefined;
  }

  private constructor(system: System, frame: Frame, centre: Float64Array, spread: Float64Array) {
    this.#system = system;
    this.#normal = frame;
    this.#centre = centre;
    this.#spread = spread;
    this.#table = new Float64Array(system.size);
    this.work = 100 * frame.entries;
  }

  /** A table that agrees; undefined when rounding has spoilt it. The same array every time. */
  middle(): Float64Array | undefined {
    this.#table.set(this.#centre);
    return this.#checked();
  }

  /**
   * A table in which an unknown is as far up (side 1) or down (side -1) as the walk brings it, at most `until`; undefined when
   * rounding has spoilt it. The same array every time.
   */
  towards(u: number, side: 1 | -1, until: number): Float64Array | undefined {
    const { size, lower, upper } = this.#system;
    if (this.#spread[u] === 0) return undefined;
    const table = this.#table;
    table.set(this.#centre);
    const direction = this.#column(u).slice();
    if (side < 0) for (let v = 0; v < size; v++) direction[v] = -direction[v]!;
    const first = Math.abs(direction[u]!);
    const met: number[] = [];
    const turns: Float64Array[] = [];
    while (met.length < LONGEST_WALK) {
      let ahead = Infinity;
      let by = -1;
      for (let v = 0; v < size; v++) {
        const d = direction[v]!;
        if (d > STILL) {
          const room = upper[v]! - table[v]!;
          if (room >= ahead * d) continue;
          ahead = Math.max(0, room / d);
          by = v;
        } else if (d < -STILL) {
          const room = table[v]! - lower[v]!;
          if (room >= -ahead * d) continue;
          ahead = Math.max(0, -room / d);
          by = v;
        }
      }
      const wanted = (until - table[u]!) / direction[u]!;
      const steps = Math.min(ahead, wanted);
      if (!Number.isFinite(steps)) break;
      subtract(table, -steps, direction);
      this.work += (3 + met.length) * size;
      if (wanted <= ahead) {
        table[u] = until;
        break;
      }
      table[by] = direction[by]! > 0 ? upper[by]! : lower[by]!;
      if (by === u) break;
      // From here on, what has met its bound stays: take out of the direction what moves it.
      const turn = this.#column(by).slice();
      for (let i = 0; i < met.length; i++) {
        const own = turns[i]!;
        const times = turn[met[i]!]! / own[met[i]!]!;
        if (times !== 0) subtract(turn, times, own);
      }
      if (!(turn[by]! > STILL)) break;
      const times = direction[by]! / turn[by]!;
      subtract(direction, times, turn);
      met.push(by);
      turns.push(turn);
      for (const v of met) direction[v] = 0;
      if (direction[u]! * side < 1e-6 * first) break;
    }
    return this.#checked();
  }

  /** How all unknowns move when one is pushed. */
  #column(u: number): Float64Array {
    const kept = this.#columns.get(u);
    if (kept !== undefined) return kept;
    const column = new Float64Array(this.#system.size);
    column[u] = 1;
    this.#normal.project(this.#spread, column);
    this.work += 2 * this.#normal.entries;
    if ((this.#columns.size + 1) * column.length <= KEPT) this.#columns.set(u, column);
    return column;
  }

  #checked(): Float64Array | undefined {
    const { size, rows: { starts, unknown, times }, right, lower, upper } = this.#system;
    const table = this.#table;
    for (let v = 0; v < size; v++) {
      const x = table[v]!;
      if (x < lower[v]!) table[v] = lower[v]!;
      else if (x > upper[v]!) table[v] = upper[v]!;
      if (Math.abs(table[v]! - x) > SUM_TOLERANCE * (1 + Math.abs(x))) return undefined;
    }
    for (let r = 0; r + 1 < starts.length; r++) {
      let sum = -right[r]!;
      let most = Math.abs(sum) + 1;
      for (let k = starts[r]!; k < starts[r + 1]!; k++) {
        const term = times[k]! * table[unknown[k]!]!;
        sum += term;
        most = Math.max(most, Math.abs(term));
      }
      if (!(Math.abs(sum) <= SUM_TOLERANCE * most)) return undefined;
    }
    return table;
  }
}

function subtract(from: Float64Array, times: number, other: Float64Array): void {
  for (let v = 0; v < from.length; v++) from[v]! -= times * other[v]!;
}

/** Bounds that are further than the reach from a table are drawn in. */
function within(system: System, point: Float64Array, reach: number): System {
  const lower = system.lower.slice();
  const upper = system.upper.slice();
  for (let u = 0; u < point.length; u++) {
    lower[u] = Math.max(lower[u]!, point[u]! - reach);
    upper[u] = Math.min(upper[u]!, point[u]! + reach);
  }
  return { ...system, lower, upper };
}

function equationsOf({ size, rows, lower, upper }: Component): System {
  const count = rows.low.length;
  const open: number[] = [];
  for (let r = 0; r < count; r++) if (rows.low[r] !== rows.high[r]) open.push(r);
  const grow = (own: Float64Array, sides: Float64Array) => Float64Array.from([...own, ...open.map((r) => sides[r]!)]);
  const starts = new Int32Array(count + 1);
  const unknown = new Int32Array(rows.unknown.length + open.length);
  const times = new Float64Array(unknown.length);
  const least = grow(lower, rows.low);
  const most = grow(upper, rows.high);
  let at = 0;
  let extra = size;
  for (let r = 0; r < count; r++) {
    for (let k = rows.starts[r]!; k < rows.starts[r + 1]!; k++) {
      unknown[at] = rows.unknown[k]!;
      times[at++] = rows.times[k]!;
    }
    if (rows.low[r] !== rows.high[r]) {
      unknown[at] = extra++;
      times[at++] = -1;
    }
    starts[r + 1] = at;
  }
  return {
    size: size + open.length,
    rows: { starts, unknown, times },
    right: Float64Array.from(rows.low, (low, r) => (low === rows.high[r] ? low : 0)),
    lower: least,
    upper: most,
  };
}

/** The rows, with the means to correct what breaks them. */
class Frame {
  readonly #system: System;
  readonly normal: NormalEquations;
  readonly #right: Float64Array;

  /** Rows that follow from others, to rounding, are left out. */
  static async of(system: System, signal: AbortSignal | undefined): Promise<Frame | undefined> {
    const all = await NormalEquations.plan(system.rows, system.size, MOST_ENTRIES, signal);
    if (all === undefined || !all.factor(new Float64Array(system.size).fill(1))) return undefined;
    const { starts, unknown, times } = system.rows;
    const kept = all.independent();
    const own = { starts: new Int32Array(kept.length + 1), unknown: [] as number[], times: [] as number[] };
    kept.forEach((r, i) => {
      for (let k = starts[r]!; k < starts[r + 1]!; k++) {
        own.unknown.push(unknown[k]!);
        own.times.push(times[k]!);
      }
      own.starts[i + 1] = own.unknown.length;
    });
    const rows = { starts: own.starts, unknown: Int32Array.from(own.unknown), times: Float64Array.from(own.times) };
    const normal = await NormalEquations.plan(rows, system.size, MOST_ENTRIES, signal);
    return normal === undefined ? undefined : new Frame({ ...system, rows, right: Float64Array.from(kept, (r) => system.right[r]!) }, normal);
  }

  private constructor(system: System, normal: NormalEquations) {
    this.#system = system;
    this.normal = normal;
    this.#right = new Float64Array(system.right.length);
  }

  get entries(): number {
    return this.normal.entries + this.#system.rows.unknown.length;
  }

  /**
   * Of all directions that change no sum, or that lead from a place where sums do not hold to where they do, the one that
   * gains most for its length, each unknown measured by its spread. The factors must be those of the spread.
   *
   * @returns how far the sums are from holding
   */
  project(spread: Float64Array, gain: Float64Array, from?: Float64Array): number {
    const { rows: { starts, unknown, times }, right: sums } = this.#system;
    const right = this.#right;
    let missing = 0;
    for (let r = 0; r < right.length; r++) {
      let sum = 0;
      for (let k = starts[r]!; k < starts[r + 1]!; k++) sum += times[k]! * spread[unknown[k]!]! * gain[unknown[k]!]!;
      right[r] = sum;
      if (from === undefined) continue;
      let off = -sums[r]!;
      for (let k = starts[r]!; k < starts[r + 1]!; k++) off += times[k]! * from[unknown[k]!]!;
      right[r]! += off;
      missing = Math.max(missing, Math.abs(off) / (1 + Math.abs(sums[r]!)));
    }
    this.normal.solve(right);
    for (let r = 0; r < right.length; r++) {
      const y = right[r]!;
      if (y !== 0) for (let k = starts[r]!; k < starts[r + 1]!; k++) gain[unknown[k]!]! -= y * times[k]!;
    }
    for (let v = 0; v < gain.length; v++) gain[v]! *= spread[v]!;
    return missing;
  }
}

type Sought =
  | { readonly centre: Float64Array; readonly spread: Float64Array }
  | { readonly stuck: readonly (readonly [unknown: number, value: number])[] };

/** The middle, or anything within all bounds where that will do; or unknowns that have no room, with the bound at which they are; undefined when it cannot be found. */
async function seek(
  { size, lower, upper }: System, frame: Frame, held: Float64Array, start: Float64Array | undefined, toCentre: boolean, signal: AbortSignal | undefined,
): Promise<Sought | undefined> {
  const centre = new Float64Array(size);
  const spread = new Float64Array(size);
  const step = new Float64Array(size);
  // Prices of the bounds: at the centre, each is 1 over the distance to its bound.
  const below = new Float64Array(size);
  const above = new Float64Array(size);
  const isFree = Uint8Array.from(held, (value) => (Number.isNaN(value) ? 1 : 0));
  for (let v = 0; v < size; v++) {
    if (isFree[v] === 0) {
      centre[v] = held[v]!;
      continue;
    }
    const margin = Math.min(4, (upper[v]! - lower[v]!) / 2);
    const wish = start !== undefined && v < start.length ? start[v]! : Number.isFinite(lower[v]!) ? lower[v]! : Number.isFinite(upper[v]!) ? upper[v]! : 0;
    centre[v] = Math.max(lower[v]! + margin, Math.min(upper[v]! - margin, wish));
    below[v] = 1 / (centre[v]! - lower[v]!);
    above[v] = 1 / (upper[v]! - centre[v]!);
  }
  for (let round = 0; round < NEWTON_STEPS; round++) {
    await breathe(signal);
    let error = 0;
    for (let v = 0; v < size; v++) {
      if (isFree[v] === 0) continue;
      const toLow = centre[v]! - lower[v]!;
      const toHigh = upper[v]! - centre[v]!;
      const curve = (toLow < Infinity ? below[v]! / toLow : 0) + (toHigh < Infinity ? above[v]! / toHigh : 0);
      spread[v] = 1 / Math.max(curve, 1e-12);
      step[v] = 1 / toLow - 1 / toHigh;
      if (toLow < Infinity) error = Math.max(error, Math.abs(below[v]! * toLow - 1));
      if (toHigh < Infinity) error = Math.max(error, Math.abs(above[v]! * toHigh - 1));
    }
    if (!frame.normal.factor(spread)) return undefined;
    const missing = frame.project(spread, step, centre);
    if (missing < 1e-11 && (error < 0.1 || !toCentre)) return { centre, spread };
    if (round >= PATIENCE) {
      const stuck: [number, number][] = [];
      for (let v = 0; v < size; v++) {
        if (isFree[v] === 0) continue;
        if (centre[v]! - lower[v]! < NO_ROOM) stuck.push([v, lower[v]!]);
        else if (upper[v]! - centre[v]! < NO_ROOM) stuck.push([v, upper[v]!]);
      }
      if (stuck.length > 0) return { stuck };
    }
    let ahead = 1;
    let priceAhead = 1;
    for (let v = 0; v < size; v++) {
      if (isFree[v] === 0) continue;
      const d = step[v]!;
      const toLow = centre[v]! - lower[v]!;
      const toHigh = upper[v]! - centre[v]!;
      if (d < 0) ahead = Math.min(ahead, (-0.95 * toLow) / d);
      else if (d > 0) ahead = Math.min(ahead, (0.95 * toHigh) / d);
      const fall = toLow < Infinity ? (1 - below[v]! * d) / toLow - below[v]! : 0;
      const rise = toHigh < Infinity ? (1 + above[v]! * d) / toHigh - above[v]! : 0;
      if (fall < 0) priceAhead = Math.min(priceAhead, (-0.95 * below[v]!) / fall);
      if (rise < 0) priceAhead = Math.min(priceAhead, (-0.95 * above[v]!) / rise);
    }
    for (let v = 0; v < size; v++) {
      if (isFree[v] === 0) continue;
      const d = step[v]!;
      const toLow = centre[v]! - lower[v]!;
      const toHigh = upper[v]! - centre[v]!;
      if (toLow < Infinity) below[v]! += priceAhead * ((1 - below[v]! * d) / toLow - below[v]!);
      if (toHigh < Infinity) above[v]! += priceAhead * ((1 + above[v]! * d) / toHigh - above[v]!);
      centre[v]! += ahead * d;
    }
  }
  return undefined;
}
