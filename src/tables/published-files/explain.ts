import type { Equation } from "./equations.ts";

/** Bounds of blank cells by one sum after the other, with the step that gave each bound. */
export interface Propagation {
  /** [cells] */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly steps: readonly Step[];
  /** [cells] number of the step that gave the bound, -1 for what was known before. */
  readonly lowerBy: Int32Array;
  readonly upperBy: Int32Array;
}

/** One equation bounds one cell. */
export interface Step {
  readonly cell: number;
  readonly equation: number;
  readonly lower: number;
  readonly upper: number;
  /** Steps that gave the bounds used here. */
  readonly after: readonly number[];
}

/** Sums are gone through at most this often each; what is not settled by then takes several sums at once. */
const MOST_VISITS = 60;

/**
 * Narrow bounds with one equation at a time until nothing changes. What it finds an attacker finds with pencil and paper, so it
 * is what explanations are made of; it decides nothing.
 *
 * @param value [cells] NaN where blank @param whole [cells] 1 where only whole units are possible
 * Time O(entries x visits).
 */
export function propagate(
  equations: readonly Equation[], value: Float64Array, low: Float64Array, high: Float64Array, whole: Uint8Array,
): Propagation {
  const n = value.length;
  const lower = low.slice();
  const upper = high.slice();
  for (let c = 0; c < n; c++) {
    if (Number.isNaN(value[c]!)) continue;
    lower[c] = value[c]!;
    upper[c] = value[c]!;
  }
  const steps: Step[] = [];
  const lowerBy = new Int32Array(n).fill(-1);
  const upperBy = new Int32Array(n).fill(-1);
  const holding: number[][] = Array.from({ length: n }, () => []);
  equations.forEach(({ cells }, e) => cells.forEach((cell) => Number.isNaN(value[cell]!) && holding[cell]!.push(e)));
  const visits = new Uint8Array(equations.length);
  let queue = equations.map((_, e) => e).filter((e) => equations[e]!.cells.some((cell) => Number.isNaN(value[cell]!)));
  while (queue.length > 0) {
    const next = new Set<number>();
    for (const e of queue) {
      if (visits[e]! >= MOST_VISITS) continue;
      visits[e]!++;
      for (const cell of narrow(e)) for (const other of holding[cell]!) if (other !== e) next.add(other);
    }
    queue = [...next];
  }
  return { lower, upper, steps, lowerBy, upperBy };

  function narrow(e: number): number[] {
    const { cells, times, low: least, high: most } = equations[e]!;
    const changed: number[] = [];
    for (let k = 0; k < cells.length; k++) {
      const cell = cells[k]!;
      if (!Number.isNaN(value[cell]!) || lower[cell] === upper[cell]) continue;
      let othersLeast = 0;
      let othersMost = 0;
      for (let j = 0; j < cells.length; j++) {
        if (j === k) continue;
        const t = times[j]!;
        othersLeast += t > 0 ? t * lower[cells[j]!]! : t * upper[cells[j]!]!;
        othersMost += t > 0 ? t * upper[cells[j]!]! : t * lower[cells[j]!]!;
      }
      const from = least - othersMost;
      const to = most - othersLeast;
      const t = times[k]!;
      let newLower = t > 0 ? from / t : to / t;
      let newUpper = t > 0 ? to / t : from / t;
      if (whole[cell] === 1) {
        newLower = Math.ceil(newLower - 1e-9);
        newUpper = Math.floor(newUpper + 1e-9);
      }
      const raises = newLower > lower[cell]! + 1e-9;
      const cuts = newUpper < upper[cell]! - 1e-9;
      if (!raises && !cuts) continue;
      const after = new Set<number>();
      for (let j = 0; j < cells.length; j++) {
        if (j === k) continue;
        const up = times[j]! > 0 === t > 0;
        // A raised lower bound rests on the others' upper bounds where they have the same sign, and so on.
        if (raises) after.add(up ? upperBy[cells[j]!]! : lowerBy[cells[j]!]!);
        if (cuts) after.add(up ? lowerBy[cells[j]!]! : upperBy[cells[j]!]!);
      }
      after.delete(-1);
      if (raises) {
        lower[cell] = newLower;
        lowerBy[cell] = steps.length;
      }
      if (cuts) {
        upper[cell] = newUpper;
        upperBy[cell] = steps.length;
      }
      steps.push({ cell, equation: e, lower: lower[cell]!, upper: upper[cell]!, after: [...after] });
      changed.push(cell);
    }
    return changed;
  }
}

/** The steps that lead to a cell's bounds, in order. */
export function stepsTo(cell: number, { steps, lowerBy, upperBy }: Propagation): Step[] {
  const needed = new Set<number>();
  const open = [lowerBy[cell]!, upperBy[cell]!].filter((step) => step >= 0);
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    if (needed.has(step)) continue;
    needed.add(step);
    open.push(...steps[step]!.after);
  }
  return [...needed].sort((a, b) => a - b).map((step) => steps[step]!);
}

/** Elimination is tried for at most this many entries; beyond, the interval stands without its equations. */
const MOST_ENTRIES = 200_000;

/**
 * Equations and how often each is to be taken so that their blank cells add up to a wanted combination: how several sums
 * together give a cell away. Undefined when there is none, or it cannot be written with small whole numbers.
 *
 * Elimination in floating point, then checked in whole numbers, so that what is returned is right. Time O(rows^2 x blanks).
 */
export function combine(
  equations: readonly Equation[], value: Float64Array, wanted: ReadonlyMap<number, number>,
): { readonly by: number; readonly equations: readonly { readonly equation: number; readonly times: number }[] } | undefined {
  const related = relatedEquations(equations, value, wanted);
  if (related === undefined) return undefined;
  const column = new Map<number, number>();
  for (const e of related) for (const cell of equations[e]!.cells) if (Number.isNaN(value[cell]!) && !column.has(cell)) column.set(cell, column.size);
  for (const cell of wanted.keys()) if (!column.has(cell)) return undefined;
  const n = related.length;
  const m = column.size;
  if (n * (n + m) > MOST_ENTRIES || n === 0) return undefined;
  // Solve y A = w: columns are equations, rows are blank cells.
  const rows = Array.from({ length: m }, () => new Float64Array(n + 1));
  related.forEach((e, k) => {
    const { cells, times } = equations[e]!;
    cells.forEach((cell, j) => {
      const r = column.get(cell);
      if (r !== undefined) rows[r]![k]! += times[j]!;
    });
  });
  for (const [cell, times] of wanted) rows[column.get(cell)!]![n] = times;
  const pivotOf: number[] = [];
  let rank = 0;
  for (let k = 0; k < n && rank < m; k++) {
    let best = rank;
    for (let r = rank + 1; r < m; r++) if (Math.abs(rows[r]![k]!) > Math.abs(rows[best]![k]!)) best = r;
    if (Math.abs(rows[best]![k]!) < 1e-9) continue;
    [rows[rank], rows[best]] = [rows[best]!, rows[rank]!];
    const pivot = rows[rank]!;
    const p = pivot[k]!;
    for (let j = k; j <= n; j++) pivot[j]! /= p;
    for (let r = 0; r < m; r++) {
      const factor = rows[r]![k]!;
      if (r === rank || factor === 0) continue;
      for (let j = k; j <= n; j++) rows[r]![j]! -= factor * pivot[j]!;
    }
    pivotOf.push(k);
    rank++;
  }
  for (let r = rank; r < m; r++) if (Math.abs(rows[r]![n]!) > 1e-7) return undefined;
  const y = new Float64Array(n);
  pivotOf.forEach((k, r) => (y[k] = rows[r]![n]!));
  for (let by = 1; by <= 12; by++) {
    const whole = Array.from(y, (times) => Math.round(times * by));
    const sums = new Map<number, number>();
    whole.forEach((times, k) => {
      if (times === 0) return;
      const { cells, times: own } = equations[related[k]!]!;
      cells.forEach((cell, j) => Number.isNaN(value[cell]!) && sums.set(cell, (sums.get(cell) ?? 0) + times * own[j]!));
    });
    const agrees = [...sums].every(([cell, sum]) => sum === by * (wanted.get(cell) ?? 0)) &&
      [...wanted].every(([cell, times]) => (sums.get(cell) ?? 0) === by * times);
    if (agrees) return { by, equations: whole.map((times, k) => ({ equation: related[k]!, times })).filter(({ times }) => times !== 0) };
  }
  return undefined;
}

/** Additions that are linked to wanted cells by blank cells; undefined when they are too many to combine. */
function relatedEquations(equations: readonly Equation[], value: Float64Array, wanted: ReadonlyMap<number, number>): number[] | undefined {
  const holding = holdingOf(equations, value);
  const seen = new Set<number>();
  const cells = new Set(wanted.keys());
  for (const cell of cells) {
    for (const e of holding.get(cell) ?? []) {
      if (seen.has(e)) continue;
      seen.add(e);
      for (const other of equations[e]!.cells) if (Number.isNaN(value[other]!)) cells.add(other);
    }
    if (seen.size * (seen.size + cells.size) > MOST_ENTRIES) return undefined;
  }
  return [...seen].sort((a, b) => a - b);
}

/** Additions by the blank cells in them; made once for all explanations of an audit. */
function holdingOf(equations: readonly Equation[], value: Float64Array): ReadonlyMap<number, readonly number[]> {
  const known = indexes.get(equations);
  if (known !== undefined) return known;
  const holding = new Map<number, number[]>();
  equations.forEach(({ cells, low, high }, e) => {
    if (low !== high) return;
    for (const cell of cells) {
      if (!Number.isNaN(value[cell]!)) continue;
      const list = holding.get(cell);
      if (list === undefined) holding.set(cell, [e]);
      else list.push(e);
    }
  });
  indexes.set(equations, holding);
  return holding;
}

const indexes = new WeakMap<readonly Equation[], ReadonlyMap<number, readonly number[]>>();
