import { transposed } from "../../kernels/transpose.ts";
import type { TableSystem } from "../tabulate/index.ts";

type System = Pick<TableSystem, "cells" | "inner" | "innerCount" | "starts" | "rows" | "signs">;

/** Candidates that are compared for one step; of larger cells as many are drawn. */
const CANDIDATES = 60;
/** Steps for each open inner cell before the search gives up. */
const STEPS_EACH = 100;
/** Rounds of improvement once all sums hold. */
const POLISH = 8;
/** Far above any sum of squares, so that no improvement puts a cell too far off; below 2^53 with many such cells. */
const TOO_FAR = 1e12;

/**
 * Multiples of the base for the inner cells so that every published cell, as their sum, lies within `most` of its count: a
 * search for tables that are too large for an integer program. Sums hold whatever it does, because only inner cells move.
 *
 * First each inner cell goes to the neighbour that leaves the published cells it enters nearest to their counts. Then, while
 * a published cell is too far off, one of its inner cells goes to its other neighbour: the one that leaves least, each cell
 * weighing more the longer it is off (breakout local search with a short memory of moves). Last, moves and exchanges
 * that bring cells nearer. Chance has a fixed beginning, so the same table gives the same numbers.
 *
 * Sources: Kelly, Golden and Assad (1993), "Large-scale controlled rounding using tabu search with strategic oscillation",
 * Annals of Operations Research 41, 69-84; Morris (1993), the breakout method.
 *
 * @param most largest distance of a published cell from its count; below base: zero-restricted
 * @returns [inner], or undefined when none was found within the limit of steps
 * Time O(steps x candidates x published cells of an inner cell).
 */
export function searchMultiples(system: System, base: number, most: number, signal?: AbortSignal | undefined): Float64Array | undefined {
  const { cells, inner, innerCount, starts, rows, signs } = system;
  const remainder = innerCount.map((count) => count - base * Math.floor(count / base));
  const { starts: first, row: cellOf, entry } = transposed(starts, rows, inner);
  const signOf = signs === undefined ? new Int8Array(entry.length).fill(1) : Int8Array.from(entry, (at) => signs[at]!);
  /** [cells] published less count. */
  const apart = new Float64Array(cells);
  const up = new Uint8Array(inner);
  const open: number[] = [];

  const random = fixedChance();
  for (let i = 0; i < inner; i++) if (remainder[i]! > 0) open.push(i);
  for (const i of open) {
    let slope = 0;
    for (let at = first[i]!; at < first[i + 1]!; at++) slope += signOf[at]! * apart[cellOf[at]!]!;
    const n = first[i + 1]! - first[i]!;
    const r = remainder[i]!;
    // The sum of (d + b - r)^2 against that of (d - r)^2 over its cells.
    up[i] = 2 * base * slope + n * (base * base - 2 * base * r) < 0 ? 1 : 0;
    const change = up[i] === 1 ? base - r : -r;
    for (let at = first[i]!; at < first[i + 1]!; at++) apart[cellOf[at]!]! += signOf[at]! * change;
  }

  const weight = new Float64Array(cells).fill(1);
  const excess = (distance: number): number => Math.max(0, Math.abs(distance) - most);
  const off: number[] = [];
  const placeOf = new Int32Array(cells).fill(-1);
  const note = (c: number): void => {
    const isOff = Math.abs(apart[c]!) > most;
    if (isOff && placeOf[c]! < 0) placeOf[c] = off.push(c) - 1;
    else if (!isOff && placeOf[c]! >= 0) {
      const last = off.pop()!;
      if (last !== c) {
        off[placeOf[c]!] = last;
        placeOf[last] = placeOf[c]!;
      }
      placeOf[c] = -1;
    }
  };
  for (let c = 0; c < cells; c++) note(c);
  const gainOf = (i: number): number => {
    const change = up[i] === 1 ? -base : base;
    let gain = 0;
    for (let at = first[i]!; at < first[i + 1]!; at++) {
      const c = cellOf[at]!;
      const now = apart[c]!;
      const then = now + signOf[at]! * change;
      gain += weight[c]! * (excess(then) - excess(now)) + 1e-3 * (Math.abs(then) - Math.abs(now));
    }
    return gain;
  };
  const move = (i: number): void => {
    const change = up[i] === 1 ? -base : base;
    up[i] = 1 - up[i]!;
    for (let at = first[i]!; at < first[i + 1]!; at++) {
      apart[cellOf[at]!]! += signOf[at]! * change;
      note(cellOf[at]!);
    }
  };

  const movedAt = new Float64Array(inner).fill(-Infinity);
  const steps = STEPS_EACH * open.length;
  for (let step = 0; off.length > 0; step++) {
    if (step >= steps) return undefined;
    if ((step & 4095) === 0) signal?.throwIfAborted();
    const c = off[random(off.length)]!;
    const from = starts[c]!;
    const n = starts[c + 1]! - from;
    const tries = Math.min(n, CANDIDATES);
    const begin = random(n);
    let best = -1;
    let least = Infinity;
    for (let k = 0; k < tries; k++) {
      const at = from + (n <= CANDIDATES ? (begin + k) % n : random(n));
      const i = rows[at]!;
      const sign = signs === undefined ? 1 : signs[at]!;
      if (remainder[i] === 0 || (apart[c]! > 0) !== (sign > 0 ? up[i] === 1 : up[i] === 0)) continue;
      const isRecent = step - movedAt[i]! < 10;
      const gain = gainOf(i) + (isRecent ? 1e6 : 0);
      if (gain < least) [least, best] = [gain, i];
    }
    // None of the drawn can help; a cell of which none at all can is beyond repair, and the limit ends that.
    if (best < 0) continue;
    if (least >= 0) for (const own of off) weight[own]! += 1;
    movedAt[best] = step;
    move(best);
  }

  // Single moves, then exchanges within a published cell of few parts: they leave its own sum as it is.
  const squaresGained = (i: number): number => {
    const change = up[i] === 1 ? -base : base;
    let gain = 0;
    for (let at = first[i]!; at < first[i + 1]!; at++) {
      const now = apart[cellOf[at]!]!;
      const then = now + signOf[at]! * change;
      gain += then * then - now * now;
      if (Math.abs(then) > most) gain += TOO_FAR;
      if (Math.abs(now) > most) gain -= TOO_FAR;
    }
    return gain;
  };
  for (let round = 0; round < POLISH; round++) {
    signal?.throwIfAborted();
    let moved = 0;
    for (const i of open) {
      if (squaresGained(i) >= 0) continue;
      move(i);
      moved++;
    }
    for (let c = 0; c < cells; c++) {
      const n = starts[c + 1]! - starts[c]!;
      if (n < 2 || n > CANDIDATES) continue;
      for (let at = starts[c]!; at < starts[c + 1]!; at++) {
        const i = rows[at]!;
        if (remainder[i] === 0) continue;
        const alone = squaresGained(i);
        const was = up[i]!;
        move(i);
        let best = -1;
        let least = Math.min(0, -alone);
        for (let other = starts[c]!; other < starts[c + 1]!; other++) {
          const j = rows[other]!;
          if (remainder[j] === 0 || j === i || up[j] === was) continue;
          const gain = squaresGained(j);
          if (gain < least) [least, best] = [gain, j];
        }
        if (best < 0) {
          if (alone >= 0) move(i);
          continue;
        }
        move(best);
        moved++;
      }
    }
    if (moved === 0) break;
  }
  return innerCount.map((count, i) => count - remainder[i]! + (up[i] === 1 ? base : 0));
}

/** Whole numbers below n, the same each time: nothing secret depends on them. Numerical Recipes' congruential generator. */
function fixedChance(): (n: number) => number {
  let state = 1;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}
