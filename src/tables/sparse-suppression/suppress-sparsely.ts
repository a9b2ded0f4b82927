import { DisclosureError, InternalError, PolicyError } from "../../errors/index.ts";
import type { Alternatives, AlternativesInput } from "../audit/index.ts";
import { Growing } from "../../kernels/growing.ts";
import { FIRST_GROUPING, type TableSystem } from "../tabulate/index.ts";
import { chooseShown, type ShownChain } from "./choose-shown.ts";
import { MoveSearch } from "./move-search.ts";

export interface SparseOptions {
  /** Smallest count that may be shown. */
  readonly threshold: number;
  /** Values that must remain possible for each hidden cell; 2 to 16. */
  readonly interval: number;
  readonly signal?: AbortSignal | undefined;
}

export interface SparseSuppression {
  /** [cells] 1 where the cell is shown. */
  readonly shown: Uint8Array;
  /** Tables that prove the hidden cells safe, as the audit takes them. */
  readonly walks: Int32Array;
  /** What the audit's proof was made from. */
  readonly proof: AlternativesInput;
  /** Searches over all cells that it took. */
  readonly rounds: number;
}

/** The audit's check of proposed tables, handed in so that planning and verifying stay separate code. */
export type NewProof = (input: AlternativesInput) => Alternatives;

const ROUNDS = 2000;
/** Rounds that drop what crowds a shown cell; later ones drop the cell itself, so that the search ends. */
const GENTLE_ROUNDS = 1000;
/** Of the cells in the way, one in so many is dealt with in a round. */
const AT_A_TIME = 5;
/** People to spare that a shown cell keeps for itself, by those that one move takes: with fewer, moves crowd each other out. */
const ROOM_FOR_MOVES = 2.5;
/** Tables of at most so many inner cells times margins are decided with less room as well, and what shows most is taken. */
const SMALL_TABLE = 1 << 17;
const ROOMS_OF_SMALL = [ROOM_FOR_MOVES, 2, 1.75, 1.5, 1.25, 1];
/** Inner cells of a hidden cell that are tried as the one to be raised. */
const GOALS = 4;

/**
 * Decide what to show of a table in which most cells are small or empty, and prove the rest hidden by tables that agree with
 * all that is shown. Cells that no such table changes, and that are not small, are shown as well.
 *
 * Deterministic, and the same for every order of records.
 * @throws PolicyError `sparse/groupings`, `sparse/zeros`, `sparse/interval`
 * @throws DisclosureError `sparse/unprotectable` when a cell stays unproven with nothing left to hide
 * Time about proportional to inner cells x margins, memory 8 bytes an entry of the system; see README.md.
 */
export function suppressSparsely(system: TableSystem, options: SparseOptions, newProof: NewProof): SparseSuppression {
  requireSuitable(system, options);
  const cellsOf = membershipsOf(system);
  const rooms = cellsOf.length <= SMALL_TABLE ? ROOMS_OF_SMALL : [ROOM_FOR_MOVES];
  let best: SparseSuppression | undefined;
  let most = -1;
  for (const room of rooms) {
    const found = decide(system, options, newProof, cellsOf, room);
    const cells = found === undefined ? -1 : found.shown.reduce((sum, own) => sum + own, 0);
    if (cells > most) [best, most] = [found, cells];
  }
  if (best === undefined) throw unprotectable();
  return best;
}

/** @returns undefined when a cell stays unproven with nothing left to hide */
function decide(
  system: TableSystem, { threshold, interval, signal }: SparseOptions, newProof: NewProof, cellsOf: Int32Array, room: number,
): SparseSuppression | undefined {
  const { cells, count, starts, rows, inner, innerCount } = system;
  const spare = innerCount.map((people) => people - 1);
  const eligible = new Uint8Array(cells);
  for (let c = 0; c < cells; c++) if (count[c]! >= threshold && count[c]! - (starts[c + 1]! - starts[c]!) >= interval - 1) eligible[c] = 1;
  const chain = chooseShown(system, spare, eligible, Math.ceil(room * (interval - 1)));
  const value = new Float64Array(cells).fill(NaN);
  for (const cell of chain.cells) value[cell] = count[cell]!;
  const input: AlternativesInput = {
    cells, value, inner, base: innerCount, interval, cellsOf, memberships: system.margins.length,
    harmlessFrom: publishesInner(system) ? threshold : Infinity,
  };
  const proof = newProof(input);
  if (!proof.baseAgrees()) throw new InternalError("sparse/base", "The table itself does not agree with what is shown of it.");
  const walks = new Growing(Int32Array, Math.min(1 << 20, 16 + 4 * cellsOf.length));
  const run = new Run(chain, new MoveSearch(chain, starts, rows, spare, interval - 1), system, value, proof, walks, signal);
  let rounds = run.moveAll(innerGoals(system, chain));
  if (rounds < 0) return undefined;
  const settled = run.settleCells(threshold);
  if (settled < 0) return undefined;
  rounds += settled;
  const shown = new Uint8Array(cells);
  const touched = touchedCells(system, walks.finish());
  for (let c = 0; c < cells; c++) {
    // What no table changes can be shown: all proofs hold as they are.
    if (count[c]! >= threshold && touched[c] === 0) value[c] = count[c]!;
    if (Number.isNaN(value[c]!)) {
      if (proof.safe[c] === 0) return undefined;
    } else shown[c] = 1;
  }
  return { shown, walks: walks.finish(), proof: input, rounds };
}

function requireSuitable({ margins, zeros, signs }: TableSystem, { interval }: SparseOptions): void {
  if (signs !== undefined || margins.some((margin) => margin.some((level) => level >= FIRST_GROUPING))) {
    throw new PolicyError("sparse/groupings", "Tables with groupings cannot be protected by moves. Take the groupings out, or use secondary: elimination.");
  }
  if (zeros !== "publish") throw new PolicyError("sparse/zeros", "Moves protect tables whose zeros are published. Use zeros: publish, or secondary: elimination.");
  if (!(interval >= 2 && interval <= 16)) {
    throw new PolicyError("sparse/interval", `Moves prove intervals of 2 to 16 values; the requirement is ${interval}. Use secondary: elimination.`, { interval });
  }
}

function unprotectable(): DisclosureError {
  return new DisclosureError(
    "sparse/unprotectable",
    "Some hidden cells could not be proven to leave enough values, whatever else is hidden. Nothing was published. Publish fewer margins or coarser levels.",
  );
}

/** [inner x margins] the cell of each margin that an inner cell adds to. */
function membershipsOf({ inner, margins, marginStarts, starts, rows }: TableSystem): Int32Array {
  const width = margins.length;
  const cellsOf = new Int32Array(inner * width);
  for (let m = 0; m < width; m++) {
    for (let c = marginStarts[m]!; c < marginStarts[m + 1]!; c++) {
      for (let k = starts[c]!; k < starts[c + 1]!; k++) cellsOf[rows[k]! * width + m] = c;
    }
  }
  return cellsOf;
}

/** Whether some margin lists every inner cell by itself, so that everybody knows which there are. */
function publishesInner({ margins, marginStarts, inner }: TableSystem): boolean {
  return margins.some((_, m) => marginStarts[m + 1]! - marginStarts[m]! === inner);
}

/** Inner cells that are not shown by themselves, in an order that jumps about. */
function innerGoals({ inner, innerCount, starts }: TableSystem, { cells, last }: ShownChain): Int32Array {
  const goals: number[] = [];
  const later: number[] = [];
  const stride = strideFor(inner);
  for (let k = 0, i = 0; k < inner; k++, i = (i + stride) % inner) {
    const cell = last[i]! < 0 ? -1 : cells[last[i]!]!;
    // Those with people to spare give them to others, and are moved by that.
    if (cell < 0 || starts[cell + 1]! - starts[cell]! > 1) (innerCount[i] === 1 ? goals : later).push(i);
  }
  return Int32Array.from([...goals, ...later]);
}

/** A step that meets every number below `size` once. */
function strideFor(size: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  let stride = Math.max(1, Math.floor(size * 0.381966));
  while (divisor(stride, size) !== 1) stride++;
  return stride;
}

/** Weights that make two sums of changes differ by chance; both must come to nothing for a cell to count as untouched. */
const WEIGHTS = 2 ** 20;

/**
 * [cells] 1 where some walk changes the cell's sum. A cell is taken as untouched when two sums of its changes, each step of each
 * walk weighted at random, are zero: wrong once in 10^12 cells, and then the proof over what is shown fails.
 */
function touchedCells({ cells, starts, rows, inner }: TableSystem, walks: Int32Array): Uint8Array {
  const first = new Float64Array(inner);
  const second = new Float64Array(inner);
  let state = 1;
  const draw = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 12) % WEIGHTS;
  };
  for (let at = 0; at < walks.length; ) {
    const steps = walks[at++]!;
    for (let s = 0; s < steps; s++) {
      const to = at + 2 + walks[at + 1]!;
      const [a, b] = [1 + draw(), 1 + draw()];
      for (let k = at + 2; k < to; k++) {
        const i = walks[k]! >>> 1;
        const sign = (walks[k]! & 1) === 0 ? 1 : -1;
        first[i]! += sign * a;
        second[i]! += sign * b;
      }
      at = to;
    }
  }
  const touched = new Uint8Array(cells);
  for (let c = 0; c < cells; c++) {
    let a = 0;
    let b = 0;
    for (let k = starts[c]!; k < starts[c + 1]!; k++) {
      a += first[rows[k]!]!;
      b += second[rows[k]!]!;
    }
    if (a !== 0 || b !== 0) touched[c] = 1;
  }
  return touched;
}

/** By rank of the shown cell whose sum could not be mended: how often, and for which goal at last. */
type Blamed = Map<number, { readonly times: number; readonly goal: number }>;

class Run {
  readonly #chain: ShownChain;
  readonly #search: MoveSearch;
  readonly #system: TableSystem;
  readonly #value: Float64Array;
  readonly #proof: Alternatives;
  readonly #walks: Growing<Int32Array>;
  readonly #signal: AbortSignal | undefined;

  constructor(
    chain: ShownChain, search: MoveSearch, system: TableSystem, value: Float64Array, proof: Alternatives, walks: Growing<Int32Array>,
    signal: AbortSignal | undefined,
  ) {
    this.#chain = chain;
    this.#search = search;
    this.#system = system;
    this.#value = value;
    this.#proof = proof;
    this.#walks = walks;
    this.#signal = signal;
  }

  /** Walks that move every goal. Where none is found, cells that stand in the way are shown no longer. Returns rounds, -1 for too many. */
  moveAll(goals: Int32Array): number {
    const taken = this.#walks.length;
    let open = goals;
    let round = 0;
    for (; open.length > 0; round++) {
      if (round === ROUNDS) return -1;
      const failed: number[] = [];
      const blamed: Blamed = new Map();
      for (let k = 0; k < open.length; k++) {
        if ((k & 1023) === 0) this.#signal?.throwIfAborted();
        const goal = open[k]!;
        if (this.#search.moved[goal] === 1) continue;
        const { found, stuckAt } = this.#search.move(goal, this.#walks);
        if (found) continue;
        failed.push(goal);
        this.#blame(blamed, stuckAt, goal);
      }
      this.#makeRoom(blamed, round);
      open = Int32Array.from(failed);
    }
    if (!this.#proof.take(this.#walks.finish().subarray(taken))) throw unsound();
    return round;
  }

  /** Walks for hidden cells whose sum those of the inner cells leave as it is. Returns rounds, -1 for too many. */
  settleCells(threshold: number): number {
    const { cells, count, starts, rows } = this.#system;
    const { safe } = this.#proof;
    const unsettled = (): number[] => {
      const touched = touchedCells(this.#system, this.#walks.finish());
      const found: number[] = [];
      for (let c = 0; c < cells; c++) {
        if (safe[c] === 0 && Number.isNaN(this.#value[c]!) && (count[c]! < threshold || touched[c] === 1)) found.push(c);
      }
      return found;
    };
    let open = unsettled();
    let round = 0;
    for (; open.length > 0; round++) {
      if (round === ROUNDS) return -1;
      this.#signal?.throwIfAborted();
      const failed: number[] = [];
      const blamed: Blamed = new Map();
      for (const cell of open) {
        if (safe[cell] === 1) continue;
        const members = rows.subarray(starts[cell]!, starts[cell + 1]!);
        let stuckAt = -1;
        for (let k = 0; k < members.length && k < GOALS && safe[cell] === 0; k++) {
          const from = this.#walks.length;
          const tried = this.#search.move(members[k]!, this.#walks, members);
          if (!tried.found) stuckAt = Math.max(stuckAt, tried.stuckAt);
          else if (!this.#proof.take(this.#walks.room(0).subarray(from, this.#walks.length))) throw unsound();
        }
        if (safe[cell] === 1) continue;
        failed.push(cell);
        this.#blame(blamed, stuckAt, members[0]!);
      }
      this.#makeRoom(blamed, round);
      open = failed;
      // Walks made on the way may have changed large cells that had stayed as they were.
      if (open.length === 0) open = unsettled();
    }
    return round;
  }

  #blame(blamed: Blamed, stuckAt: number, goal: number): void {
    const rank = stuckAt >= 0 ? stuckAt : this.#search.lastShown(goal);
    if (rank >= 0) blamed.set(rank, { times: (blamed.get(rank)?.times ?? 0) + 1, goal });
  }

  #makeRoom(blamed: Blamed, round: number): void {
    const { starts, rows } = this.#system;
    // The worst first, and few at a time: much of what fails with them does not without.
    const worst = [...blamed].sort(([a, one], [b, other]) => other.times - one.times || b - a).slice(0, Math.ceil(blamed.size / AT_A_TIME));
    for (const [rank, { goal }] of worst) {
      if (!this.#search.isShown(rank)) continue;
      const cell = this.#chain.cells[rank]!;
      let dropped = rank;
      if (round < GENTLE_ROUNDS) dropped = this.#search.toDrop(rank, rows.subarray(starts[cell]!, starts[cell + 1]!));
      // Nothing crowds it: what asks too much of it is the finest of what is shown of the goal.
      if (dropped === rank && round < GENTLE_ROUNDS) dropped = Math.max(rank, this.#search.lastShown(goal));
      this.#search.drop(dropped);
      this.#value[this.#chain.cells[dropped]!] = NaN;
    }
  }
}

function unsound(): InternalError {
  return new InternalError("sparse/unsound", "A table that was proposed as a proof does not agree with what is shown. Nothing was published.");
}
