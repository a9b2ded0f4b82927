/**
 * Greedy publication by exact elimination: which columns of an integer matrix may be made known, in a given order, so that
 * no protected column becomes a linear combination of known ones (over the rationals).
 *
 * Source: Langsrud (2024), "Secondary Cell Suppression by Gaussian Elimination" (PSD 2024).
 *
 * Arithmetic is exact: entries are integers below 2^26 in size, so products and differences of products stay below 2^53.
 * A step whose entries would grow beyond that is refused: the candidate stays unknown, which can only protect more.
 */

/** Columns of a sparse integer matrix. */
export interface SparseColumns {
  /** [columns + 1] */
  readonly starts: Int32Array;
  /** [entries] row of each entry; no row twice in a column. */
  readonly rows: Int32Array;
  /** [entries] nonzero value of each entry; every one is 1 when absent. */
  readonly values?: Int32Array;
}

/** What makes a combination of known columns tell more than its value. */
export interface Knowledge {
  /**
   * [protected] who knows the column's value (a singleton), a number above 0; 0 where nobody does: no protected column that is
   * not the same singleton's may become a multiple of it up to known ones.
   */
  readonly alone?: ArrayLike<number> | undefined;
  /**
   * [rows] how far the row's value lies above the lowest that it may have, at most `room`. A sum of rows that together lie less
   * than `room` above their lowest values bounds each of them to as little, so no combination of known columns may be one.
   */
  readonly slack?: Int32Array | undefined;
  /** Least room that a sum of rows must leave; at least 1. Needed with `slack`. */
  readonly room?: number;
}

/** Where the elimination stops. */
export interface EliminationLimits {
  /** Entries that may be computed. When they are used up, candidates not yet decided stay unknown, which protects more. */
  readonly entries?: number | undefined;
}

/** Entries must stay below this in size. */
const LARGEST = 2 ** 26;

const FREE = -1;
const KNOWN = -2;

const enum Outcome {
  Known,
  Free,
  Conflict,
}

/** A column as the elimination has rewritten it. Arrays are replaced, never changed, so a snapshot is a list of references. */
interface Reduced {
  readonly rows: Int32Array;
  readonly values: Float64Array;
}

/**
 * @param rowCount   rows of the matrix
 * @param candidates columns that may become known
 * @param order      indices of candidates, the one to publish first coming first
 * @param protect    columns that must not become a combination of known ones; none of them zero
 * @param knowledge  what is known besides; see Knowledge. Omit to leave it out of account.
 * @param limits     when to stop
 * @returns [candidates] 1 where the column may be known. A candidate that already follows from known ones is known.
 *
 * The result is that of deciding one candidate after the other in `order`; candidates are tried in blocks because a
 * block's sparsest columns can be eliminated first, and because a set that exposes nothing may be accepted whole.
 */
export function publishGreedily(
  rowCount: number,
  candidates: SparseColumns,
  order: Int32Array,
  protect: SparseColumns,
  knowledge: Knowledge = {},
  { entries = Infinity }: EliminationLimits = {},
): Uint8Array {
  const known = new Uint8Array(candidates.starts.length - 1);
  const elimination = new Elimination(rowCount, candidates, protect, knowledge);
  const lengthOf = (c: number) => candidates.starts[c + 1]! - candidates.starts[c]!;

  const tryBlock = (from: number, to: number): boolean => {
    const mark = elimination.mark();
    const block = order.slice(from, to).sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
    for (const candidate of block) {
      if (elimination.entries > entries || elimination.publish(candidate) === Outcome.Conflict) {
        elimination.restore(mark);
        return false;
      }
    }
    for (const candidate of block) known[candidate] = 1;
    return true;
  };

  let block = Math.max(1, order.length >> 1);
  let from = 0;
  while (from < order.length && elimination.entries <= entries) {
    const to = Math.min(order.length, from + block);
    if (tryBlock(from, to)) {
      from = to;
      block *= 2;
    } else if (to - from === 1) from = to;
    else block = (to - from) >> 1;
  }
  return known;
}

/** A column that follows from known ones together with columns that an insider knows: times * column = sum of by + known ones. */
export interface InsiderRelation {
  readonly insider: number;
  readonly column: number;
  /** Above 0. */
  readonly times: number;
  readonly by: readonly (readonly [column: number, times: number])[];
}

/**
 * Which of `columns` each insider can compute from known columns and the `columns` that it knows, and how. Exact; one relation
 * for each insider and column.
 *
 * @param known    columns that everybody knows
 * @param columns  columns that are not known to everybody; some may follow from known ones, and are then nobody's secret
 * @param insiders the columns that each one knows
 * @param asked    [columns] 1 where the column is to be kept from insiders
 * @returns undefined when numbers grow too large to tell
 * Time of eliminating `known`, then for each insider about (its columns)^2 x their entries.
 */
export function insiderRelations(
  rowCount: number, known: SparseColumns, columns: SparseColumns, insiders: readonly (readonly number[])[], asked: Uint8Array,
): InsiderRelation[] | undefined {
  const elimination = new Elimination(rowCount, known, columns, {}, true);
  const lengthOf = (c: number) => known.starts[c + 1]! - known.starts[c]!;
  const order = Int32Array.from({ length: known.starts.length - 1 }, (_, c) => c).sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
  for (const c of order) if (elimination.publish(c) === Outcome.Conflict) return undefined;
  const rest = elimination.rest;
  const meeting = new Map<number, number[]>();
  rest.forEach(({ rows }, c) => {
    if (asked[c] === 0) return;
    for (const row of rows) {
      const list = meeting.get(row);
      if (list === undefined) meeting.set(row, [c]);
      else list.push(c);
    }
  });
  const found: InsiderRelation[] = [];
  insiders.forEach((knows, insider) => {
    const basis = new InsiderBasis();
    for (const c of knows) basis.add(c, rest[c]!);
    const own = new Set(knows);
    const near = new Set<number>();
    for (const row of basis.rows) for (const c of meeting.get(row) ?? []) if (!own.has(c)) near.add(c);
    for (const column of [...near].sort((a, b) => a - b)) {
      const relation = basis.express(column, rest[column]!);
      if (relation !== undefined) found.push({ insider, column, ...relation });
    }
  });
  return found;
}

type Rest = Reduced & { readonly up: bigint; readonly down: bigint };

/** A few columns in echelon form, with how each was made. */
class InsiderBasis {
  readonly #vectors: { readonly pivot: number; readonly entries: Map<number, bigint>; readonly made: Map<number, bigint> }[] = [];

  get rows(): Set<number> {
    return new Set(this.#vectors.flatMap(({ entries }) => [...entries.keys()]));
  }

  add(column: number, reduced: Rest): void {
    const { entries, made } = this.#reduce(column, reduced);
    const pivot = entries.keys().next();
    if (pivot.done !== true) this.#vectors.push({ pivot: pivot.value, entries, made });
  }

  express(column: number, reduced: Rest): { times: number; by: (readonly [number, number])[] } | undefined {
    const { entries, made } = this.#reduce(column, reduced);
    if (entries.size > 0) return undefined;
    const common = [...made.values()].reduce((g, n) => greatest(g, n), 0n);
    const times = made.get(column)! / common;
    const sign = times < 0n ? -1n : 1n;
    const by = [...made].flatMap(([c, n]) => (c === column || n === 0n ? [] : [[c, Number((-sign * n) / common)] as const]));
    return { times: Number(sign * times), by: by.sort((a, b) => a[0] - b[0]) };
  }

  #reduce(column: number, { rows, values, up, down }: Rest) {
    const entries = new Map(Array.from(rows, (row, k) => [row, BigInt(values[k]!) * down] as const));
    const made = new Map([[column, up]]);
    for (const vector of this.#vectors) {
      const entry = entries.get(vector.pivot);
      if (entry === undefined) continue;
      const unit = vector.entries.get(vector.pivot)!;
      subtract(entries, unit, vector.entries, entry);
      subtract(made, unit, vector.made, entry);
    }
    return { entries, made };
  }
}

/** a = a * times - b * take, without zeros. */
function subtract(a: Map<number, bigint>, times: bigint, b: ReadonlyMap<number, bigint>, take: bigint): void {
  for (const [key, value] of a) a.set(key, value * times);
  for (const [key, value] of b) {
    const rest = (a.get(key) ?? 0n) - value * take;
    if (rest === 0n) a.delete(key);
    else a.set(key, rest);
  }
}

function greatest(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

interface Mark {
  readonly replaced: number;
  readonly known: number;
  readonly listed: number;
  readonly differing: number;
}

class Elimination {
  /** Entries computed so far: the work done, and more than the memory it took. */
  entries = 0;
  readonly #candidates: SparseColumns;
  /** [rows] index into #basis of the column that eliminates the row; FREE for none; KNOWN when that column is the row alone. */
  readonly #eliminatedBy: Int32Array;
  /** Known independent columns, each free of the pivots before it, and the row that each one eliminates. */
  readonly #basis: Reduced[] = [];
  readonly #pivots: number[] = [];
  readonly #pivotValues: number[] = [];
  readonly #protected: Reduced[];
  /** What protected columns were before each change, to take the changes back. */
  readonly #replaced: { readonly at: number; readonly before: Reduced }[] = [];
  /** [rows] protected columns that have or once had an entry in the row. */
  readonly #occurs: number[][];
  /** Rows in the order in which a protected column was added to their list, to take the additions back. */
  readonly #listed: number[] = [];
  readonly #alone: ArrayLike<number> | undefined;
  readonly #slack: Int32Array | undefined;
  readonly #room: number;
  /** [rows] 1 where a known difference of rows without slack meets the row. */
  readonly #differs: Uint8Array;
  readonly #differing: number[] = [];

  // One dense column to compute in: values, rows touched, and a heap of the pivots still to be eliminated.
  readonly #work: Float64Array;
  readonly #touched: Int32Array;
  #touchedCount = 0;
  readonly #stamp: Int32Array;
  #now = 0;
  readonly #heap: Int32Array;
  #heapSize = 0;

  /** Whether protected columns may follow from known ones. Then `rest` is kept with what each column was multiplied by. */
  readonly #mayFollow: boolean;
  readonly #times: (readonly [up: bigint, down: bigint])[] = [];
  /** What the last closed column was divided by. */
  #divided = 1;

  constructor(rowCount: number, candidates: SparseColumns, protect: SparseColumns, { alone, slack, room = 1 }: Knowledge, mayFollow = false) {
    this.#mayFollow = mayFollow;
    if (mayFollow) for (let p = 0; p < protect.starts.length - 1; p++) this.#times.push([1n, 1n]);
    this.#candidates = candidates;
    this.#alone = alone;
    this.#slack = slack;
    this.#room = room;
    this.#differs = new Uint8Array(rowCount);
    this.#eliminatedBy = new Int32Array(rowCount).fill(FREE);
    this.#occurs = Array.from({ length: rowCount }, () => []);
    this.#protected = Array.from({ length: protect.starts.length - 1 }, (_, p) => columnOf(protect, p));
    this.#protected.forEach((column, p) => column.rows.forEach((row) => this.#occurs[row]!.push(p)));
    this.#work = new Float64Array(rowCount);
    this.#touched = new Int32Array(rowCount);
    this.#stamp = new Int32Array(rowCount);
    this.#heap = new Int32Array(rowCount + 1);
  }

  /** [protected] what known columns leave of up/down times each; without taking anything back in between. */
  get rest(): readonly Rest[] {
    return this.#protected.map((reduced, p) => ({ ...reduced, up: this.#times[p]![0], down: this.#times[p]![1] }));
  }

  mark(): Mark {
    return { replaced: this.#replaced.length, known: this.#basis.length, listed: this.#listed.length, differing: this.#differing.length };
  }

  restore(mark: Mark): void {
    while (this.#replaced.length > mark.replaced) {
      const { at, before } = this.#replaced.pop()!;
      this.#protected[at] = before;
    }
    while (this.#listed.length > mark.listed) this.#occurs[this.#listed.pop()!]!.pop();
    while (this.#basis.length > mark.known) {
      this.#basis.pop();
      this.#pivotValues.pop();
      this.#eliminatedBy[this.#pivots.pop()!] = FREE;
    }
    while (this.#differing.length > mark.differing) this.#differs[this.#differing.pop()!] = 0;
  }

  /** Make a candidate known. After a conflict the state is undefined until restored. */
  publish(candidate: number): Outcome {
    const { starts, rows, values } = this.#candidates;
    this.entries += starts[candidate + 1]! - starts[candidate]!;
    this.#open();
    for (let at = starts[candidate]!; at < starts[candidate + 1]!; at++) this.#add(rows[at]!, values === undefined ? 1 : values[at]!);
    if (!this.#reduce()) return Outcome.Conflict;
    const column = this.#close();
    if (column === undefined) return Outcome.Conflict;
    if (column.rows.length === 0) return Outcome.Free;

    // Rows with little slack become pivots last, so that a sum of such rows alone is found as a column.
    const slack = this.#slack;
    let most = 0;
    if (slack !== undefined) {
      for (const row of column.rows) if (slack[row]! > most) most = slack[row]!;
      if (most < this.#room && !this.#leavesRoom(column, most)) return Outcome.Conflict;
    }

    // Pivot: a unit entry in the row that fewest protected columns meet, to keep them sparse; ties to the first.
    let pivot = -1;
    let value = 0;
    let meets = Infinity;
    for (let k = 0; k < column.rows.length; k++) {
      const row = column.rows[k]!;
      if (slack !== undefined && slack[row]! < most) continue;
      const size = Math.abs(column.values[k]!);
      const unitBefore = Math.abs(value) === 1;
      if (unitBefore && size !== 1) continue;
      const here = this.#occurs[row]!.length;
      if ((!unitBefore && size === 1) || here < meets || (here === meets && row < pivot)) {
        pivot = row;
        value = column.values[k]!;
        meets = here;
      }
    }

    const changed: number[] = [];
    for (const p of this.#occurs[pivot]!) {
      const before = this.#protected[p]!;
      const at = before.rows.indexOf(pivot);
      if (at < 0) continue; // an older entry
      const after = this.#combine(before, before.values[at]!, column, value, p);
      if (after === undefined || (after.rows.length === 0 && !this.#mayFollow)) return Outcome.Conflict;
      this.#replaced.push({ at: p, before });
      this.#protected[p] = after;
      changed.push(p);
    }
    this.#eliminatedBy[pivot] = column.rows.length === 1 ? KNOWN : this.#basis.length;
    this.#basis.push(column);
    this.#pivots.push(pivot);
    this.#pivotValues.push(value);
    if (this.#alone !== undefined && this.#exposedToSingleton(changed)) return Outcome.Conflict;
    return Outcome.Known;
  }

  /** before * (value / g) - column * (entry / g), which has no entry in the pivot row; undefined when entries grow too large. */
  #combine(before: Reduced, entry: number, column: Reduced, value: number, p: number): Reduced | undefined {
    const g = gcd(Math.abs(entry), Math.abs(value));
    const keep = value / g;
    const take = entry / g;
    const work = this.#work;
    this.entries += before.rows.length + column.rows.length;
    this.#open();
    for (let k = 0; k < before.rows.length; k++) {
      const row = before.rows[k]!;
      this.#touch(row);
      work[row] = before.values[k]! * keep;
    }
    for (let k = 0; k < column.rows.length; k++) {
      const row = column.rows[k]!;
      if (this.#stamp[row] !== this.#now) {
        this.#touch(row);
        this.#occurs[row]!.push(p);
        this.#listed.push(row);
      }
      work[row]! -= column.values[k]! * take;
    }
    const after = this.#close();
    if (this.#mayFollow) {
      const [up, down] = this.#times[p]!;
      const [n, d] = [up * BigInt(keep), down * BigInt(this.#divided)];
      const common = greatest(n, d);
      this.#times[p] = [n / common, d / common];
    }
    return after;
  }

  #open(): void {
    this.#now++;
    this.#touchedCount = 0;
    this.#heapSize = 0;
  }

  #touch(row: number): void {
    this.#stamp[row] = this.#now;
    this.#work[row] = 0;
    this.#touched[this.#touchedCount++] = row;
  }

  /** Add to an entry of the open column; a row that a known column eliminates is queued, the oldest column first. */
  #add(row: number, value: number): void {
    const by = this.#eliminatedBy[row]!;
    if (by === KNOWN) return; // the entry goes
    if (this.#stamp[row] !== this.#now) {
      this.#touch(row);
      if (by >= 0) this.#push(by);
    }
    this.#work[row]! += value;
  }

  /** Eliminate every known pivot from the open column. Each known column is free of earlier pivots, so oldest first is final. */
  #reduce(): boolean {
    const work = this.#work;
    const stamp = this.#stamp;
    const now = this.#now;
    const eliminatedBy = this.#eliminatedBy;
    while (this.#heapSize > 0) {
      const b = this.#pop();
      const entry = work[this.#pivots[b]!]!;
      if (entry === 0) continue;
      const { rows, values } = this.#basis[b]!;
      this.entries += rows.length;
      const value = this.#pivotValues[b]!;
      // The sign goes to `take`, so that a unit pivot of either sign never rescales the column.
      const g = value < 0 ? -gcd(Math.abs(entry), -value) : gcd(Math.abs(entry), value);
      const keep = value / g;
      const take = entry / g;
      if (Math.abs(take) >= LARGEST || keep >= LARGEST) return false;
      if (keep !== 1) {
        for (let k = 0; k < this.#touchedCount; k++) {
          const scaled = work[this.#touched[k]!]! * keep;
          if (Math.abs(scaled) >= LARGEST * LARGEST) return false;
          work[this.#touched[k]!] = scaled;
        }
      }
      for (let k = 0; k < rows.length; k++) {
        const row = rows[k]!;
        const by = eliminatedBy[row]!;
        if (by === KNOWN) continue;
        if (stamp[row] !== now) {
          this.#touch(row);
          if (by >= 0) this.#push(by);
        }
        const sum = work[row]! - values[k]! * take;
        if (sum >= LARGEST || sum <= -LARGEST) return false;
        work[row] = sum;
      }
    }
    return true;
  }

  /**
   * Whether a column of rows with little slack may be known. A sum may when it leaves room; a difference of rows tells nothing
   * about their level. Of rows without any slack, differences may be known that share no row: these cannot be combined to a
   * sum either. Others are refused rather than examined.
   */
  #leavesRoom({ rows, values }: Reduced, most: number): boolean {
    let together = 0;
    let largest = 0;
    let positive = 0;
    for (let k = 0; k < rows.length; k++) {
      const size = Math.abs(values[k]!);
      together += size * this.#slack![rows[k]!]!;
      if (size > largest) largest = size;
      if (values[k]! > 0) positive++;
    }
    if (positive === 0 || positive === rows.length) return together >= this.#room * largest;
    if (most > 0) return true;
    for (const row of rows) if (this.#differs[row] === 1) return false;
    for (const row of rows) {
      this.#differs[row] = 1;
      this.#differing.push(row);
    }
    return true;
  }

  /** The open column without zeros and common factors; undefined when an entry is too large. */
  #close(): Reduced | undefined {
    const work = this.#work;
    let entries = 0;
    let common = 0;
    for (let k = 0; k < this.#touchedCount; k++) {
      const value = work[this.#touched[k]!]!;
      if (value === 0) continue;
      entries++;
      if (common !== 1) common = gcd(Math.abs(value), common);
    }
    this.#divided = common === 0 ? 1 : common;
    const rows = new Int32Array(entries);
    const values = new Float64Array(entries);
    let at = 0;
    for (let k = 0; k < this.#touchedCount; k++) {
      const row = this.#touched[k]!;
      const value = work[row]!;
      if (value === 0) continue;
      rows[at] = row;
      values[at] = common === 1 ? value : value / common;
      if (Math.abs(values[at]!) >= LARGEST) return undefined;
      at++;
    }
    return { rows, values };
  }

  /** Whether a changed protected column is now a multiple of another one, where somebody knows one of the two. */
  #exposedToSingleton(changed: readonly number[]): boolean {
    const alone = this.#alone!;
    for (const p of changed) {
      const own = this.#protected[p]!;
      // A multiple has the same rows, so it is listed under the row that fewest columns share.
      let rarest = own.rows[0]!;
      for (const row of own.rows) if (this.#occurs[row]!.length < this.#occurs[rarest]!.length) rarest = row;
      for (const q of this.#occurs[rarest]!) {
        if (q === p || alone[p] === alone[q]) continue; // nobody's, or the same person's
        const other = this.#protected[q]!;
        if (other.rows.length === own.rows.length && this.#parallel(own, other)) return true;
      }
    }
    return false;
  }

  #parallel(a: Reduced, b: Reduced): boolean {
    this.#open();
    for (let k = 0; k < a.rows.length; k++) {
      this.#touch(a.rows[k]!);
      this.#work[a.rows[k]!] = a.values[k]!;
    }
    // Both are free of common factors, so multiples differ by their sign at most.
    let sign = 0;
    for (let k = 0; k < b.rows.length; k++) {
      const row = b.rows[k]!;
      if (this.#stamp[row] !== this.#now) return false;
      const value = this.#work[row]!;
      if (sign === 0) sign = value === b.values[k] ? 1 : -1;
      if (value !== sign * b.values[k]!) return false;
    }
    return true;
  }

  #push(b: number): void {
    const heap = this.#heap;
    let at = this.#heapSize++;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (heap[up]! <= b) break;
      heap[at] = heap[up]!;
      at = up;
    }
    heap[at] = b;
  }

  #pop(): number {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap[--this.#heapSize]!;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= this.#heapSize) break;
      if (down + 1 < this.#heapSize && heap[down + 1]! < heap[down]!) down++;
      if (heap[down]! >= last) break;
      heap[at] = heap[down]!;
      at = down;
    }
    heap[at] = last;
    return first;
  }
}

function columnOf(columns: SparseColumns, c: number): Reduced {
  const rows = columns.rows.slice(columns.starts[c], columns.starts[c + 1]);
  const values = new Float64Array(rows.length).fill(1);
  if (columns.values !== undefined) values.set(columns.values.subarray(columns.starts[c], columns.starts[c + 1]));
  return { rows, values };
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
