import { loadSolver } from "../solver/index.ts";
import { breathe } from "./breathe.ts";
import type { Component } from "./component.ts";
import { Interior } from "./interior.ts";
import { Moves, noProofs, provenValues, type Proofs } from "./moves.ts";
import { MARGIN, Programs, type Extreme } from "./programs.ts";
import { contradiction } from "./unknowns.ts";

/** Components of at most this many unknowns are decided completely, by whole-number programs if need be. */
const COMPLETE_LIMIT = 80;
/** Up to this many, whole-number programs are tried for cells that nothing else settles. */
const WHOLE_LIMIT = 400;
/** Choices that a search for a move may make, first for all cells, then for what is left. */
const BUDGETS = [30, 300, 300];
/** In components above this many unknowns, tables with fractions count. */
const LARGE = 500;
/** Numbers that walks from the middle of a large component may compute: a minute or two. */
const LARGE_WORK = 1e10;
/** How far from a table, or from a bound, walks and programs over a large component look, in steps that are asked for. */
const REACH = 16;
/** Cells of a large component that two programs each are spent on, when walks leave them open. */
const LARGE_ALONE = 400;
/** Programs that push all open cells at once before each is looked at alone. */
const SWEEPS = 8;

/** What must be shown of each unknown of a component. */
export interface Wanted {
  /** [size] whole values, 0 where none are asked for. */
  readonly values: Float64Array;
  /** [size] values that must be possible; Infinity and -Infinity where nothing is asked. */
  readonly least: Float64Array;
  readonly most: Float64Array;
  /** [size] */
  readonly width: Float64Array;
  /** [size] unknowns of which exact bounds are asked. */
  readonly bounds: Uint8Array;
  /** [size] needs nothing once certain to be at least (sign 1) or at most (sign -1) this; NaN where there is no such number. */
  readonly harmless: Float64Array;
  readonly harmlessSign: Int8Array;
}

export interface Settled {
  readonly proofs: Proofs;
  /** [size] bounds that hold for certain. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** [size] ends that a whole-number program found; NaN where none ran. Nothing is called safe by them. */
  readonly wholeLow: Float64Array;
  readonly wholeHigh: Float64Array;
  /** [size] combination of rows that bounds the unknown from above or below, where a program found it. */
  readonly multipliers: Map<number, Float64Array>;
  /** [size] 1 settled by propagation, 2 by moves, 3 by programs, 0 not settled. */
  readonly by: Uint8Array;
  /** A table that agrees, if one was found. */
  readonly point: Float64Array | undefined;
  readonly trace: ReadonlyMap<number, ReadonlySet<number>> | undefined;
}

/** What is known of how far each unknown can go. */
type Ends = Pick<Settled, "low" | "high" | "wholeLow" | "wholeHigh" | "multipliers">;

export interface SettleOptions {
  readonly point?: Float64Array | undefined;
  /** Keep to the given table and note what each proof rests on. */
  readonly stay?: boolean;
  /** Leave cells open that moves alone do not settle. */
  readonly movesOnly?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Whether a cell has all that is wanted of it. */
export function isSettled(wanted: Wanted, proofs: Proofs, low: Float64Array, high: Float64Array, u: number): boolean {
  const h = wanted.harmless[u]!;
  if (!Number.isNaN(h) && (wanted.harmlessSign[u]! > 0 ? low[u]! >= h : high[u]! <= h)) return true;
  if (wanted.values[u]! > 0 && provenValues(proofs, u) < wanted.values[u]!) return false;
  return proofs.from[u]! <= wanted.least[u]! && proofs.to[u]! >= wanted.most[u]! && (wanted.width[u]! <= 0 || proofs.to[u]! - proofs.from[u]! >= wanted.width[u]!);
}

/** Whether anything at all is wanted of an unknown. */
function isWanted({ values, least, most, width }: Wanted, u: number): boolean {
  return values[u]! > 0 || least[u]! < Infinity || most[u]! > -Infinity || width[u]! > 0;
}

/**
 * Settle one component. What counts as proven is exact: closed form in components without cycles, else tables of whole
 * numbers that were checked against every row.
 *
 * @throws DataError `audit/inconsistent` when no table agrees
 */
export async function settle(component: Component, wanted: Wanted, options: SettleOptions): Promise<Settled> {
  const { size, lower, upper } = component;
  const by = new Uint8Array(size);
  const low = lower.slice();
  const high = upper.slice();
  const multipliers = new Map<number, Float64Array>();
  const ends = { low, high, wholeLow: new Float64Array(size).fill(NaN), wholeHigh: new Float64Array(size).fill(NaN), multipliers };
  if (component.tree) {
    const proofs = { ...noProofs(size), from: lower.slice(), to: upper.slice() };
    by.fill(1);
    return { proofs, ...ends, by, point: options.point, trace: undefined };
  }
  const list = Array.from({ length: size }, (_, u) => u).filter((u) => isWanted(wanted, u));
  const room = Math.min(64, Math.max(4, ...list.map((u) => wanted.values[u]! - 1)));
  let programs: Programs | undefined;
  try {
    let { point } = options;
    const large = size > LARGE && options.movesOnly !== true;
    const reach = REACH * Math.max(4, ...list.map((u) => stepsAsked(wanted, u)));
    if (point === undefined && large) {
      // A middle is found without a table of whole numbers, which is hard to find, and mostly settles everything.
      const inside = await Interior.find(component, undefined, reach, options.signal);
      if (inside !== undefined) {
        const proofs = noProofs(size);
        await settleLarge(component, inside, proofs, wanted, list, ends, options.signal);
        for (const u of list) if (isSettled(wanted, proofs, low, high, u)) by[u] = 3;
        return { proofs, ...ends, by, point, trace: undefined };
      }
    }
    if (point === undefined) {
      programs = new Programs(await loadSolver(), component, options.signal);
      const found = await programs.findTable(room);
      if (found === "none") throw contradiction();
      point = found;
    }
    if (point === undefined) return { proofs: noProofs(size), ...ends, by, point, trace: undefined };
    const moves = new Moves(component, point, { wander: options.stay !== true, room, trace: options.stay === true });
    const { proofs } = moves;
    const open = (u: number) => !isSettled(wanted, proofs, low, high, u);
    for (const u of list) if (!open(u)) by[u] = 2;

    // A table found by a program has many unknowns at their bounds; short moves give them room.
    if (options.point === undefined && size > LARGE) {
      for (let u = 0; u < size; u++) {
        const below = moves.point[u]! - lower[u]!;
        const above = upper[u]! - moves.point[u]!;
        if (Math.min(below, above) < room) moves.search(u, below < above ? 1 : -1, 1, 0, BUDGETS[0]!);
      }
    }
    let left = list.filter(open);
    for (const budget of BUDGETS) {
      const before = left.length;
      for (const u of left) {
        await breathe(options.signal);
        searchMoves(moves, wanted, u, budget, open);
        if (!open(u)) by[u] = 2;
      }
      left = left.filter(open);
      // Where moves find little, walks find it sooner.
      if (large && left.length > before / 2) break;
    }
    for (const u of list) if (by[u] === 0 && !open(u)) by[u] = 2;

    if (large) {
      if (left.length > 0 || wanted.bounds.includes(1)) {
        await settleLarge(component, await Interior.find(component, moves.point, reach, options.signal), proofs, wanted, left, ends, options.signal);
      }
    } else if (options.movesOnly !== true && (left.length > 0 || wanted.bounds.includes(1))) {
      programs ??= new Programs(await loadSolver(), component, options.signal);
      left = sweep(programs, moves, wanted, left, open);
      for (let u = 0; u < size; u++) {
        if (wanted.bounds[u] === 0 && !open(u)) continue;
        await breathe(options.signal);
        await settleAlone(programs, moves, wanted, u, open, ends);
      }
    }
    for (const u of list) if (by[u] === 0 && !open(u)) by[u] = 3;
    return { proofs, ...ends, by, point: moves.point.slice(), trace: moves.trace };
  } finally {
    programs?.dispose();
  }
}

/** Bounds that hold for certain leave too little. */
function cannotBeEnough(wanted: Wanted, low: Float64Array, high: Float64Array, u: number): boolean {
  return (
    (wanted.values[u]! > 0 && high[u]! - low[u]! + 1 < wanted.values[u]!) ||
    low[u]! > wanted.least[u]! || high[u]! < wanted.most[u]! || high[u]! - low[u]! < wanted.width[u]!
  );
}

/** Values of an unknown in steps of one, or units of an amount, that must be possible besides its own. */
function stepsAsked({ values, least, most, width }: Wanted, u: number): number {
  return Math.max(values[u]! - 1, width[u]!, most[u]! > -Infinity && least[u]! < Infinity ? most[u]! - least[u]! : 0);
}

/**
 * Tables of a large component with fractions allowed, as a reader with a solver would find them: between two of them every
 * mixture agrees, so a cell that is 3 in one and 9 in another can be anything between. Whole tables are not asked for here;
 * the moves before did, and what they left open is judged by this interval. First walks from the middle, then, for what they
 * do not reach, two programs a cell, which also bound it and tell what binds it.
 */
async function settleLarge(
  component: Component, inside: Interior | undefined, proofs: Proofs, wanted: Wanted, open: readonly number[], ends: Ends, signal: AbortSignal | undefined,
): Promise<void> {
  const { size } = component;
  const { low, high } = ends;
  const least = new Float64Array(size).fill(Infinity);
  const most = new Float64Array(size).fill(-Infinity);
  const meet = (table: ArrayLike<number> | undefined): void => {
    for (let u = 0; table !== undefined && u < size; u++) {
      if (table[u]! < least[u]!) least[u] = table[u]!;
      if (table[u]! > most[u]!) most[u] = table[u]!;
    }
  };
  const isOpen = (u: number): boolean => {
    const from = Math.ceil(least[u]! - MARGIN);
    const to = Math.floor(most[u]! + MARGIN);
    if (from <= to) {
      proofs.from[u] = Math.min(proofs.from[u]!, from);
      proofs.to[u] = Math.max(proofs.to[u]!, to);
    }
    return !isSettled(wanted, proofs, low, high, u);
  };
  meet(inside?.middle());
  let left: number[] = [];
  for (const u of open) {
    if (!isOpen(u)) continue;
    for (const side of [1, -1] as const) {
      if (inside === undefined || inside.work > LARGE_WORK) break;
      await breathe(signal);
      const steps = Math.max(wanted.values[u]! - 1, wanted.width[u]!);
      const until = side > 0
        ? Math.max(Math.min(proofs.from[u]!, Math.ceil(least[u]! - MARGIN)) + steps, wanted.most[u]!)
        : Math.min(Math.max(proofs.to[u]!, Math.floor(most[u]! + MARGIN)) - steps, wanted.least[u]!);
      if (Number.isFinite(until)) meet(inside.towards(u, side, until));
      if (!isOpen(u)) break;
    }
    if (isOpen(u)) left.push(u);
  }
  const alone = new Set([...wanted.bounds.keys()].filter((u) => wanted.bounds[u] === 1));
  left = left.filter(isOpen);
  if (left.length === 0 && alone.size === 0) return;
  for (const u of left.slice(0, LARGE_ALONE)) alone.add(u);
  const programs = new Programs(await loadSolver(), component, signal);
  try {
    for (const u of alone) {
      for (const above of [true, false]) {
        if (wanted.bounds[u] === 0 && (!isOpen(u) || cannotBeEnough(wanted, low, high, u))) break;
        await breathe(signal);
        const end = await programs.extreme(u, above);
        meet(end.table);
        takeEnd(ends, u, above, end);
      }
      isOpen(u);
    }
    for (const u of left) isOpen(u);
  } finally {
    programs.dispose();
  }
}

/** What a program found of one unknown: a closer bound, and what binds it. */
function takeEnd({ low, high, multipliers }: Ends, u: number, above: boolean, end: Extreme): void {
  if (above && end.certain < high[u]!) high[u] = end.certain;
  if (!above && end.certain > low[u]!) low[u] = end.certain;
  if (end.multipliers !== undefined && (above || !multipliers.has(u)) && end.multipliers.some((y) => Math.abs(y) > MARGIN)) {
    multipliers.set(u, end.multipliers);
  }
}

/** A question that asks nothing of any unknown, to be filled in. */
export function nothingWanted(size: number): Wanted {
  return {
    values: new Float64Array(size),
    least: new Float64Array(size).fill(Infinity),
    most: new Float64Array(size).fill(-Infinity),
    width: new Float64Array(size),
    bounds: new Uint8Array(size),
    harmless: new Float64Array(size).fill(NaN),
    harmlessSign: new Int8Array(size).fill(1),
  };
}

/** Ways to split the steps that are still wanted into up and down. */
function searchMoves(moves: Moves, wanted: Wanted, u: number, budget: number, open: (u: number) => boolean): void {
  const { proofs, point } = moves;
  const x = point[u]!;
  const asked = wanted.values[u]!;
  if (asked > 0) {
    const steps = asked - 1;
    const half = steps >> 1;
    const tries: [1 | -1, number, number][] = [[1, steps, 0], [-1, steps, 0], [1, steps - half, half], [-1, steps - half, half], [1, 1, 0], [-1, 1, 0]];
    for (const [direction, forward, backward] of tries) {
      if (forward + backward === 0) continue;
      moves.search(u, direction, forward, backward, budget);
      if (!open(u)) return;
    }
  }
  const up = Math.max(wanted.most[u]! - x, 0);
  const down = Math.max(x - wanted.least[u]!, 0);
  for (let round = 0; round < 8 && open(u); round++) {
    let moved = false;
    if (proofs.to[u]! < wanted.most[u]! || wanted.width[u]! > 0) moved = moves.search(u, 1, Math.max(1, Math.ceil(up / 2 ** round)), 0, budget) || moved;
    if (proofs.from[u]! > wanted.least[u]! || wanted.width[u]! > 0) moved = moves.search(u, -1, Math.max(1, Math.ceil(down / 2 ** round)), 0, budget) || moved;
    if (!moved && up / 2 ** round < 1 && down / 2 ** round < 1) return;
  }
}

/** Programs for directions that move as many open cells as possible, by as many steps as most of them want. */
function sweep(programs: Programs, moves: Moves, wanted: Wanted, open: number[], isOpen: (u: number) => boolean): number[] {
  const cost = new Float64Array(moves.component.size);
  let left = open;
  for (let round = 0; round < SWEEPS && left.length > 2; round++) {
    const steps = Math.max(1, ...left.map((u) => Math.min(64, wanted.values[u]! - 1)));
    const half = round % 4 >= 2 ? steps >> 1 : 0;
    cost.fill(0);
    for (const u of left) cost[u] = coin(u, round >> 1) === (round & 1) ? 1 : -1;
    const found = programs.direction(moves.point, steps - half, half, cost);
    if (found !== undefined) tryDirection(moves, found);
    const now = left.filter(isOpen);
    if (now.length > 0.9 * left.length && round % 4 === 3) return now;
    left = now;
  }
  return left;
}

/** The solver's direction as a move of whole steps. */
function tryDirection(moves: Moves, direction: Float64Array): boolean {
  for (const scale of [1, 2, 3, 4, 6]) {
    const steps: (readonly [number, number])[] = [];
    let whole = true;
    for (let u = 0; u < direction.length && whole; u++) {
      const step = Math.round(direction[u]! * scale);
      if (Math.abs(direction[u]! * scale - step) > MARGIN) whole = false;
      else if (step !== 0) steps.push([u, step]);
    }
    if (whole) return steps.length > 0 && moves.tryMove(steps);
  }
  return false;
}

/** One cell: its bounds by two programs; what whole tables do not reach yet, by whole-number programs where they are cheap. */
async function settleAlone(
  programs: Programs,
  moves: Moves,
  wanted: Wanted,
  u: number,
  open: (u: number) => boolean,
  ends: Ends,
): Promise<void> {
  const { low, high, wholeLow, wholeHigh } = ends;
  const { proofs, component } = moves;
  const exact = wanted.bounds[u] === 1;
  const asked = wanted.values[u]!;
  if (!exact && asked > 0) {
    // A move of the open cell alone, before its bounds.
    const cost = new Float64Array(component.size);
    for (const [forward, backward] of [[asked - 1, 0], [asked - 1 - ((asked - 1) >> 1), (asked - 1) >> 1]] as const) {
      for (const side of [1, -1]) {
        cost[u] = side;
        const found = programs.direction(moves.point, forward, backward, cost);
        if (found !== undefined && Math.abs(found[u]!) > MARGIN) tryDirection(moves, found);
        if (!open(u)) return;
      }
    }
  }
  for (const above of [true, false]) {
    const end = await programs.extreme(u, above);
    takeEnd(ends, u, above, end);
    if (end.point !== undefined) {
      moves.meet(end.point);
      const steps: (readonly [number, number])[] = [];
      let common = 0;
      for (let v = 0; v < component.size; v++) common = gcd(Math.abs(end.point[v]! - moves.point[v]!), common);
      for (let v = 0; common > 0 && v < component.size; v++) {
        const step = (end.point[v]! - moves.point[v]!) / common;
        if (step !== 0) steps.push([v, step]);
      }
      if (common > 0) moves.tryMove(steps);
    }
    if (!exact && !open(u)) return;
  }
  for (let value = low[u]!; value <= high[u]! && value < low[u]! + 4 * asked && open(u) && high[u]! - low[u]! + 1 >= asked; value++) {
    if ((value >= proofs.from[u]! && value <= proofs.to[u]!) || proofs.single.get(u)?.has(value) === true) continue;
    const point = programs.tableNear(u, value);
    if (point !== undefined) moves.meet(point);
  }
  if (!open(u) && !exact) return;
  const decided = !(high[u]! - low[u]! + 1 >= asked);
  const small = component.size <= COMPLETE_LIMIT;
  if (component.integer[u] === 0 || (decided && !exact && !small) || component.size > (exact ? COMPLETE_LIMIT : WHOLE_LIMIT)) return;

  // Ends in whole numbers, then the values between one by one.
  for (const above of [true, false]) {
    const reached = above ? largestMet(proofs, u) : smallestMet(proofs, u);
    if (reached === (above ? high[u] : low[u]) || (above ? high[u] === Infinity : low[u] === -Infinity)) continue;
    const end = programs.wholeExtreme(u, above);
    if (end.point === undefined) continue;
    moves.meet(end.point);
    (above ? wholeHigh : wholeLow)[u] = end.value;
  }
  if (!open(u)) return;
  const from = Number.isNaN(wholeLow[u]!) ? low[u]! : wholeLow[u]!;
  const to = Number.isNaN(wholeHigh[u]!) ? high[u]! : wholeHigh[u]!;
  for (let value = from; value <= to && value < from + 4 * asked && open(u); value++) {
    if ((value >= proofs.from[u]! && value <= proofs.to[u]!) || proofs.single.get(u)?.has(value) === true) continue;
    const point = programs.tableWith(u, value);
    if (point !== undefined) moves.meet(point);
  }
}

export function smallestMet(proofs: Proofs, u: number): number {
  return Math.min(proofs.from[u]!, ...(proofs.single.get(u) ?? []));
}

export function largestMet(proofs: Proofs, u: number): number {
  return Math.max(proofs.to[u]!, ...(proofs.single.get(u) ?? []));
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** A fixed coin for each unknown and sweep, so that an audit is the same every time. */
function coin(u: number, sweep: number): number {
  let h = Math.imul(u + 1, 0x9e3779b1) ^ Math.imul(sweep + 1, 0x85ebca6b);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return (h >>> 13) & 1;
}
