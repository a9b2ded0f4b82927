import { DataError } from "../../errors/index.ts";
import { transposed } from "../../kernels/transpose.ts";
import type { KnownAmount, LinearAttack } from "./linear-attack.ts";

/** Beyond this, numbers are treated as unbounded: sums of a few of them stay exact in a double. */
const FAR = 2 ** 48;
/** Visits of rows per row before propagation stops; what it has found by then holds. */
const VISITS = 40;

/** Rows over unknowns, equal ones once. */
export interface Rows {
  readonly starts: Int32Array;
  readonly unknown: Int32Array;
  readonly times: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** One tightening of a bound: which row did it, and the tightening of the same bound before it. */
interface Trail {
  readonly row: number[];
  readonly before: number[];
}

/** What is unknown after everything that follows at once has been worked out. */
export interface Unknowns {
  readonly size: number;
  /** [cells] unknown of a blank cell, -1 where the value is printed. cell = sign * unknown + offset. */
  readonly of: Int32Array;
  readonly sign: Int8Array;
  readonly offset: Float64Array;
  /** [unknowns] bounds after propagation; equal where only one value is possible. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly integer: Uint8Array;
  /** All rows, and those that are left among unknowns with more than one value, each with its origin among all rows. */
  readonly rows: Rows;
  readonly left: Rows;
  readonly origin: Int32Array;
  /** Whether propagation came to its end. */
  readonly settled: boolean;
  /** The combination of unknowns that bounds one from above or below; undefined when it is too long to tell. */
  explain(start: ReadonlyMap<number, number>, target: number): Map<number, number> | undefined;
  explainBound(unknown: number, above: boolean): Map<number, number> | undefined;
}

/**
 * From cells to unknowns: printed values go to the right side, cells that differ by a known number become one (also with
 * opposite sign), repeated rows go, and bounds are propagated through rows until nothing changes.
 *
 * @throws DataError `audit/inconsistent` when nothing agrees with what is published
 */
export function findUnknowns(attack: LinearAttack, known: readonly KnownAmount[] = []): Unknowns {
  checkNumbers(attack);
  const { cells, value } = attack;
  const of = new Int32Array(cells).fill(-1);
  let blanks = 0;
  for (let c = 0; c < cells; c++) if (Number.isNaN(value[c]!)) of[c] = blanks++;

  const classes = new Classes(blanks);
  const terms = new TermList(blanks);
  const { starts, cell, times, low, high } = attack.constraints;
  const rows = low.length;
    const integerOf = new Uint8Array(blanks);
  for (let c = 0; c < cells; c++) if (of[c]! >= 0 && (attack.integer === undefined || attack.integer[c] === 1)) integerOf[of[c]!] = 1;

  // Unify by rows of two unknowns, until no row joins any more: a joined pair can make another row one of two.
  const open = new Uint8Array(rows).fill(1);
  for (let changed = true; changed; ) {
    changed = false;
    for (let r = 0; r < rows; r++) {
      if (open[r] === 0 || low[r] !== high[r]) continue;
      let shown = 0;
      terms.clear();
      for (let k = starts[r]!; k < starts[r + 1]!; k++) {
        const c = cell[k]!;
        if (of[c]! < 0) shown += value[c]! * times[k]!;
        else {
          const [root, sign, offset] = classes.find(of[c]!);
          shown += offset * times[k]!;
          terms.add(root, sign * times[k]!);
        }
        if (terms.count > 2) break;
      }
      if (terms.count > 2) continue;
      const [a, b] = terms.pair();
      if (a === undefined || b === undefined) continue; // left to propagation, which also finds contradictions
      if (Math.abs(a[1]) !== Math.abs(b[1]) || integerOf[a[0]] !== integerOf[b[0]]) continue;
      const apart = (low[r]! - shown) / a[1];
      if (!Number.isInteger(apart)) continue;
      // a + (b's sign) b = apart
      classes.join(a[0], b[0], b[1] / a[1] > 0 ? -1 : 1, apart);
      open[r] = 0;
      changed = true;
    }
  }

  // Bounds of a class are those of all its cells.
  const unknownOf = new Int32Array(blanks).fill(-1);
  let size = 0;
  const sign = new Int8Array(cells);
  const offset = new Float64Array(cells);
  const lower: number[] = [];
  const upper: number[] = [];
  const integer: number[] = [];
  const narrow = (c: number, from: number, to: number) => {
    const u = of[c]!;
    const [least, most] = sign[c]! > 0 ? [from - offset[c]!, to - offset[c]!] : [offset[c]! - to, offset[c]! - from];
    lower[u] = Math.max(lower[u]!, integer[u] === 1 ? Math.ceil(least) : least);
    upper[u] = Math.min(upper[u]!, integer[u] === 1 ? Math.floor(most) : most);
  };
  for (let c = 0; c < cells; c++) {
    if (of[c]! < 0) continue;
    const [root, s, o] = classes.find(of[c]!);
    if (unknownOf[root]! < 0) {
      unknownOf[root] = size++;
      lower.push(-Infinity);
      upper.push(Infinity);
      integer.push(integerOf[root]!);
    }
    of[c] = unknownOf[root]!;
    sign[c] = s;
    offset[c] = o;
    narrow(c, attack.lower[c]!, attack.upper[c]!);
  }
  for (const { cell: c, atLeast, atMost } of known) {
    if (of[c]! >= 0) narrow(c, atLeast, atMost ?? Infinity);
    else if (value[c]! < atLeast || value[c]! > (atMost ?? Infinity)) throw contradiction();
  }
  const whole = Uint8Array.from(integer);
  const all = gatherRows(attack, of, sign, offset, whole);
  const trail: Trail = { row: [], before: [] };
  const last = new Int32Array(2 * size).fill(-1);
  const bounds = { lower: Float64Array.from(lower), upper: Float64Array.from(upper) };
  for (let u = 0; u < size; u++) if (bounds.lower[u]! > bounds.upper[u]!) throw contradiction();
  const settled = propagate(all, bounds.lower, bounds.upper, whole, trail, last);
  const { left, origin } = rowsLeft(all, bounds.lower, bounds.upper);
  const explainer = new Explainer(all, trail, last);
  return {
    size, of, sign, offset, ...bounds, integer: whole, rows: all, left, origin, settled,
    explain: (start, target) => explainer.explain(start, target, Infinity),
    explainBound: (unknown, above) => explainer.explainBound(unknown, above),
  };
}

function checkNumbers(attack: LinearAttack): void {
  const sound = (x: number) => Number.isSafeInteger(x) || x === Infinity || x === -Infinity;
  const { value, lower, upper, cells, constraints } = attack;
  for (let c = 0; c < cells; c++) {
    const fine = Number.isNaN(value[c]!) ? sound(lower[c]!) && sound(upper[c]!) : Number.isSafeInteger(value[c]!);
    if (!fine) throw unfit(c);
  }
  for (let k = 0; k < constraints.times.length; k++) if (!Number.isSafeInteger(constraints.times[k]!)) throw unfit(constraints.cell[k]!);
  for (let r = 0; r < constraints.low.length; r++) if (!sound(constraints.low[r]!) || !sound(constraints.high[r]!)) throw unfit(r);
}

function unfit(position: number): DataError {
  return new DataError(
    "audit/not-whole",
    "An audit works on whole numbers within 2^53: give amounts in the unit of their last printed digit.",
    { position },
  );
}

export function contradiction(): DataError {
  return new DataError(
    "audit/inconsistent",
    "No table agrees with what is published: shown numbers contradict each other or the rule that hides cells. " +
      "They were changed or do not describe the same records, or the threshold, zero policy or codes are not the ones they " +
      "were made with. Check that all tables come from one release and that the table specification is theirs.",
  );
}

/** Disjoint classes of unknowns: member = sign * root + offset. The smallest member is the root. */
class Classes {
  readonly #parent: Int32Array;
  readonly #sign: Int8Array;
  readonly #offset: Float64Array;

  constructor(size: number) {
    this.#parent = Int32Array.from({ length: size }, (_, u) => u);
    this.#sign = new Int8Array(size).fill(1);
    this.#offset = new Float64Array(size);
  }

  find(u: number): [root: number, sign: number, offset: number] {
    let at = u;
    let sign = 1;
    let offset = 0;
    while (this.#parent[at] !== at) {
      offset += sign * this.#offset[at]!;
      sign *= this.#sign[at]!;
      at = this.#parent[at]!;
    }
    if (at !== u) {
      this.#parent[u] = at;
      this.#sign[u] = sign;
      this.#offset[u] = offset;
    }
    return [at, sign, offset];
  }

  /** a = sign * b + offset, both roots. */
  join(a: number, b: number, sign: number, offset: number): void {
    const [moved, kept] = a > b ? [a, b] : [b, a];
    this.#parent[moved] = kept;
    this.#sign[moved] = sign;
    this.#offset[moved] = moved === a ? offset : -sign * offset;
  }
}

/** Terms of one row, equal unknowns added up. */
class TermList {
  readonly #times: Float64Array;
  readonly #listed: Uint8Array;
  readonly list: number[] = [];

  constructor(size: number) {
    this.#times = new Float64Array(size);
    this.#listed = new Uint8Array(size);
  }

  get count(): number {
    return this.list.length;
  }

  clear(): void {
    for (const u of this.list) {
      this.#times[u] = 0;
      this.#listed[u] = 0;
    }
    this.list.length = 0;
  }

  add(u: number, times: number): void {
    if (this.#listed[u] === 0) {
      this.#listed[u] = 1;
      this.list.push(u);
    }
    this.#times[u]! += times;
  }

  timesOf(u: number): number {
    return this.#times[u]!;
  }

  pair(): [[number, number]?, [number, number]?] {
    return this.list.filter((u) => this.#times[u] !== 0).map((u): [number, number] => [u, this.#times[u]!]) as [[number, number]?, [number, number]?];
  }
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** a / b rounded down, exact for whole numbers. */
export function floorDivide(a: number, b: number): number {
  if (!Number.isFinite(a)) return b > 0 ? a : -a;
  const rest = a % b;
  const quotient = (a - rest) / b;
  return rest !== 0 && rest < 0 !== b < 0 ? quotient - 1 : quotient;
}

export function ceilDivide(a: number, b: number): number {
  return -floorDivide(-a, b);
}

/** Rows over classes, in lowest terms and each once, low and high of repeated ones intersected. */
function gatherRows(attack: LinearAttack, of: Int32Array, sign: Int8Array, offset: Float64Array, integer: Uint8Array): Rows {
  const size = integer.length;
  const { starts, cell, times, low, high } = attack.constraints;
  const out = { starts: [0], unknown: [] as number[], times: [] as number[], low: [] as number[], high: [] as number[] };
  const terms = new TermList(size);
  const seen = new Map<string, number>();
  for (let r = 0; r < low.length; r++) {
    let shown = 0;
    terms.clear();
    for (let k = starts[r]!; k < starts[r + 1]!; k++) {
      const c = cell[k]!;
      if (of[c]! < 0) shown += attack.value[c]! * times[k]!;
      else {
        shown += offset[c]! * times[k]!;
        terms.add(of[c]!, sign[c]! * times[k]!);
      }
    }
    if (!Number.isSafeInteger(shown)) throw unfit(r);
    let from = low[r]! - shown;
    let to = high[r]! - shown;
    const present = terms.list.filter((u) => terms.timesOf(u) !== 0).sort((a, b) => a - b);
    if (present.length === 0) {
      if (from > 0 || to < 0) throw contradiction();
      continue;
    }
    let common = 0;
    for (const u of present) common = gcd(Math.abs(terms.timesOf(u)), common);
    // Sums of counts are whole. A row of amounts stays as it is where its bounds cannot be divided.
    if (present.every((u) => integer[u] === 1)) {
      from = ceilDivide(from, common);
      to = floorDivide(to, common);
      if (from > to) throw contradiction();
    } else if ((Number.isFinite(from) && from % common !== 0) || (Number.isFinite(to) && to % common !== 0)) common = 1;
    else {
      from /= common;
      to /= common;
    }
    // The first unknown gets a positive factor, so that a row and its opposite are one.
    if (terms.timesOf(present[0]!) < 0) {
      common = -common;
      [from, to] = [-to, -from];
    }
    let name = "";
    for (const u of present) name += `${u}*${terms.timesOf(u) / common},`;
    const twin = seen.get(name);
    if (twin !== undefined) {
      out.low[twin] = Math.max(out.low[twin]!, from);
      out.high[twin] = Math.min(out.high[twin]!, to);
      if (out.low[twin]! > out.high[twin]!) throw contradiction();
      continue;
    }
    seen.set(name, out.low.length);
    for (const u of present) {
      out.unknown.push(u);
      out.times.push(terms.timesOf(u) / common);
    }
    out.starts.push(out.unknown.length);
    out.low.push(from);
    out.high.push(to);
  }
  return {
    starts: Int32Array.from(out.starts),
    unknown: Int32Array.from(out.unknown),
    times: Float64Array.from(out.times),
    low: Float64Array.from(out.low),
    high: Float64Array.from(out.high),
  };
}

/**
 * Tighten bounds: in each row, an unknown is bounded by what the others' bounds leave. Bounds stay whole numbers; for amounts
 * they are rounded outwards.
 *
 * @returns whether it came to its end
 */
export function propagate(
  rows: Rows,
  lower: Float64Array,
  upper: Float64Array,
  integer: Uint8Array,
  trail?: Trail,
  last?: Int32Array,
): boolean {
  const { starts, unknown, times, low, high } = rows;
  const count = low.length;
  const columns = transposed(starts, unknown, lower.length);
  const queued = new Uint8Array(count).fill(1);
  const queue = Array.from({ length: count }, (_, r) => r);
  let budget = VISITS * count + 1000;
  let exact = true;
  for (let at = 0; at < queue.length; at++) {
    if (budget-- <= 0) return false;
    const r = queue[at]!;
    queued[r] = 0;
    let least = 0;
    let most = 0;
    let openBelow = 0;
    let openAbove = 0;
    for (let k = starts[r]!; k < starts[r + 1]!; k++) {
      const u = unknown[k]!;
      const t = times[k]!;
      const from = t > 0 ? t * lower[u]! : t * upper[u]!;
      const to = t > 0 ? t * upper[u]! : t * lower[u]!;
      if (from < -FAR) openBelow++;
      else least += from;
      if (to > FAR) openAbove++;
      else most += to;
    }
    if (!Number.isSafeInteger(least) || !Number.isSafeInteger(most)) {
      exact = false; // too large to add up; the row tells nothing here
      continue;
    }
    if ((openBelow === 0 && least > high[r]!) || (openAbove === 0 && most < low[r]!)) throw contradiction();
    if ((openBelow > 1 || high[r] === Infinity) && (openAbove > 1 || low[r] === -Infinity)) continue;
    for (let k = starts[r]!; k < starts[r + 1]!; k++) {
      const u = unknown[k]!;
      const t = times[k]!;
      const from = t > 0 ? t * lower[u]! : t * upper[u]!;
      const to = t > 0 ? t * upper[u]! : t * lower[u]!;
      const othersLeast = openBelow - (from < -FAR ? 1 : 0) > 0 ? -Infinity : from < -FAR ? least : least - from;
      const othersMost = openAbove - (to > FAR ? 1 : 0) > 0 ? Infinity : to > FAR ? most : most - to;
      // t * u lies in [low - othersMost, high - othersLeast].
      const ownLow = low[r]! - othersMost;
      const ownHigh = high[r]! - othersLeast;
      const whole = integer[u] === 1;
      const divideDown = whole ? ceilDivide : floorDivide;
      const divideUp = whole ? floorDivide : ceilDivide;
      const newLower = t === 1 ? ownLow : t > 0 ? divideDown(ownLow, t) : divideDown(ownHigh, t);
      const newUpper = t === 1 ? ownHigh : t > 0 ? divideUp(ownHigh, t) : divideUp(ownLow, t);
      let changed = false;
      if (newLower > lower[u]! && newLower < FAR) {
        lower[u] = newLower;
        note(2 * u, r);
        changed = true;
      }
      if (newUpper < upper[u]! && newUpper > -FAR) {
        upper[u] = newUpper;
        note(2 * u + 1, r);
        changed = true;
      }
      if (!changed) continue;
      if (lower[u]! > upper[u]!) throw contradiction();
      // The sums over this row are kept in step.
      const fromNow = t > 0 ? t * lower[u]! : t * upper[u]!;
      const toNow = t > 0 ? t * upper[u]! : t * lower[u]!;
      if (fromNow >= -FAR) {
        if (from < -FAR) openBelow--;
        least += fromNow - (from < -FAR ? 0 : from);
      }
      if (toNow <= FAR) {
        if (to > FAR) openAbove--;
        most += toNow - (to > FAR ? 0 : to);
      }
      for (let j = columns.starts[u]!; j < columns.starts[u + 1]!; j++) {
        const other = columns.row[j]!;
        // Rounding in a row of larger factors tells the row something new.
        if ((other === r && Math.abs(t) === 1) || queued[other] === 1) continue;
        queued[other] = 1;
        queue.push(other);
      }
    }
  }
  return exact;

  function note(bound: number, r: number): void {
    if (trail === undefined || last === undefined) return;
    trail.before.push(last[bound]!);
    last[bound] = trail.row.push(r) - 1;
  }
}

/** Rows among unknowns that still have more than one value, without those that cannot bind. */
function rowsLeft(rows: Rows, lower: Float64Array, upper: Float64Array): { left: Rows; origin: Int32Array } {
  const out = { starts: [0], unknown: [] as number[], times: [] as number[], low: [] as number[], high: [] as number[] };
  const origin: number[] = [];
  for (let r = 0; r < rows.low.length; r++) {
    let fixed = 0;
    let least = 0;
    let most = 0;
    const begin = out.unknown.length;
    for (let k = rows.starts[r]!; k < rows.starts[r + 1]!; k++) {
      const u = rows.unknown[k]!;
      const t = rows.times[k]!;
      if (lower[u] === upper[u]) {
        fixed += t * lower[u]!;
        continue;
      }
      out.unknown.push(u);
      out.times.push(t);
      least += t > 0 ? t * lower[u]! : t * upper[u]!;
      most += t > 0 ? t * upper[u]! : t * lower[u]!;
    }
    const low = rows.low[r]! - fixed;
    const high = rows.high[r]! - fixed;
    if (out.unknown.length === begin) {
      if (low > 0 || high < 0) throw contradiction();
      continue;
    }
    const neverBelow = low === -Infinity || (Number.isSafeInteger(least) && least >= low);
    const neverAbove = high === Infinity || (Number.isSafeInteger(most) && most <= high);
    if (neverBelow && neverAbove) {
      out.unknown.length = begin;
      out.times.length = begin;
      continue;
    }
    out.starts.push(out.unknown.length);
    out.low.push(low);
    out.high.push(high);
    origin.push(r);
  }
  return {
    left: {
      starts: Int32Array.from(out.starts),
      unknown: Int32Array.from(out.unknown),
      times: Float64Array.from(out.times),
      low: Float64Array.from(out.low),
      high: Float64Array.from(out.high),
    },
    origin: Int32Array.from(origin),
  };
}

/** Steps that an explanation may have. */
const LONGEST_EXPLANATION = 400;

/** Traces bounds back to the rows they came from. */
class Explainer {
  readonly #rows: Rows;
  readonly #trail: Trail;
  readonly #last: Int32Array;

  constructor(rows: Rows, trail: Trail, last: Int32Array) {
    this.#rows = rows;
    this.#trail = trail;
    this.#last = last;
  }

  explainBound(unknown: number, above: boolean): Map<number, number> | undefined {
    const at = this.#last[2 * unknown + (above ? 1 : 0)]!;
    if (at < 0) return undefined;
    return this.explain(this.#rowOver(this.#trail.row[at]!, unknown), unknown, at, above);
  }

  /** Replace, in a combination that bounds the target, every other unknown whose bound came from a row by that row. */
  explain(start: ReadonlyMap<number, number>, target: number, time: number, above = true): Map<number, number> | undefined {
    const combination = new Map(start);
    // A bound is used with the direction in which it helps: target = combination - rest.
    const open: { unknown: number; above: boolean; time: number; times: number }[] = [];
    const push = (from: ReadonlyMap<number, number>, skip: number, factor: number, up: boolean, before: number) => {
      for (const [u, t] of from) {
        if (u === skip || t === 0) continue;
        // Above a target, a rest with a positive factor counts by its lower bound.
        open.push({ unknown: u, above: t > 0 ? !up : up, time: before, times: t * factor });
      }
    };
    push(start, target, 1, above, time);
    let steps = 0;
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      let at = this.#last[2 * next.unknown + (next.above ? 1 : 0)]!;
      while (at >= next.time) at = this.#trail.before[at]!;
      if (at < 0) continue; // known from the start
      if (++steps > LONGEST_EXPLANATION) return undefined;
      const row = this.#rowOver(this.#trail.row[at]!, next.unknown);
      for (const [u, t] of row) {
        const now = (combination.get(u) ?? 0) - next.times * t;
        if (Math.abs(now) < 1e-9) combination.delete(u);
        else combination.set(u, now);
      }
      push(row, next.unknown, -next.times, next.above, at);
    }
    return combination;
  }

  /** A row, scaled so that the unknown has factor 1. */
  #rowOver(r: number, unknown: number): Map<number, number> {
    const { starts, unknown: of, times } = this.#rows;
    let own = 1;
    for (let k = starts[r]!; k < starts[r + 1]!; k++) if (of[k] === unknown) own = times[k]!;
    const row = new Map<number, number>();
    for (let k = starts[r]!; k < starts[r + 1]!; k++) row.set(of[k]!, times[k]! / own);
    return row;
  }
}
