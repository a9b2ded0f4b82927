import { publishGreedily, type SparseColumns } from "../../kernels/sparse-elimination.ts";
import { findTwins, type TableSystem } from "../tabulate/index.ts";
import { overClasses, rowClasses } from "./row-classes.ts";
import { gatherCells, gatherColumns, jointSums } from "./unknowns.ts";

/** Entries that the elimination computes at most, unless told otherwise. */
const WORK = 2e10;

export const PUBLISHED = 0;
export const PRIMARY = 1;
export const COMPLEMENTARY = 2;

/** A sum of cells that must not be derivable, each cell taken a whole number of times. */
export type ProtectedSum = readonly (readonly [cell: number, times: number])[];

export interface SuppressOptions {
  /** Counts of 1 to threshold - 1 are primary. */
  readonly threshold: number;
  /** Whether 0 is primary too. */
  readonly zeros: "publish" | "protect";
  /** Whether small cells that add up to a small count, or are all at most 3, need one more hidden cell beside them. */
  readonly jointSums: "protect" | "ignore";
  /** Whether the only person in a cell may be taken to know its count. */
  readonly singletons: "protect" | "ignore";
  /**
   * [cells] who is the only contributor of the cell, with all its records there: a number above 0, the same for all cells of
   * the same contributor (or holding); 0 where there are several or none. Default: everybody who is a count of 1, each another.
   */
  readonly alone?: Int32Array | undefined;
  /**
   * Values that must remain possible for a hidden small count: no combination of published cells may be a sum of inner cells
   * that lie, all together, less than interval - 1 above the fewest people they can hold (1; 0 where zeros are hidden).
   * Default: 1, no requirement. 2 keeps a sum of ones from giving each of them away. This looks at sums only: whether the
   * interval holds is for the audit to say.
   */
  readonly interval?: number;
  /** [cells] 1 for primary cells, where other rules hide some too; the same for all cells of the same people. */
  readonly primary?: Uint8Array | undefined;
  /** [cells] 1 for cells that must be shown; they are published first. */
  readonly shown?: Uint8Array | undefined;
  /** [cells] how much more than its people a cell is worth showing: above 1 to be shown rather than others. Default: 1 for each. */
  readonly weight?: Float64Array | undefined;
  /** [cells] cells with the same number above 0 are shown together or not at all. */
  readonly together?: Int32Array | undefined;
  /**
   * Entries that the elimination may compute; default 2e10, minutes. Beyond, cells that are not decided yet, those with the
   * fewest people, are hidden: a very large sparse cube comes to an end, at the price of its small margins.
   */
  readonly work?: number;
  /** Further sums that must not be derivable. */
  readonly sums?: readonly ProtectedSum[];
  /** Cells that are to be hidden in any case, and not derivable either. Zeros that are published stay published. */
  readonly hidden?: ReadonlySet<number>;
}

/** [cells] 1 for cells that the frequency rule hides, differences below zero by their size, and those of other rules that are given. */
export function primaryCells(system: TableSystem, threshold: number, zeros: "publish" | "protect", others?: Uint8Array): Uint8Array {
  const primary = new Uint8Array(system.cells);
  for (let c = 0; c < system.cells; c++) {
    const count = Math.abs(system.count[c]!);
    if ((count < threshold && (count > 0 || zeros === "protect")) || others?.[c] === 1) primary[c] = 1;
  }
  return primary;
}

/**
 * Primary and complementary suppression over everything the system publishes.
 *
 * Cells with many people (times their weight) are published first; ties: the cell whose inner cells lie in larger published cells, then the
 * system's order of cells, which is by category. No primary cell, joint sum or further sum is a linear combination of
 * published cells afterwards, even for somebody who knows which inner cells are empty.
 *
 * @returns [cells] PUBLISHED, PRIMARY or COMPLEMENTARY
 */
export function suppress(system: TableSystem, options: SuppressOptions): Uint8Array {
  const { together } = options;
  if (together === undefined) return suppressOnce(system, options);
  // A group with a hidden cell is hidden as a whole; what that costs or saves elsewhere is decided anew.
  const hidden = new Set(options.hidden);
  for (;;) {
    const pattern = suppressOnce(system, { ...options, hidden });
    const broken = new Set<number>();
    for (let c = 0; c < pattern.length; c++) if (pattern[c] !== PUBLISHED && together[c]! > 0) broken.add(together[c]!);
    let grown = false;
    for (let c = 0; c < pattern.length; c++) {
      if (pattern[c] !== PUBLISHED || !broken.has(together[c]!)) continue;
      hidden.add(c);
      grown = true;
    }
    if (!grown) return pattern;
  }
}

function suppressOnce(system: TableSystem, options: SuppressOptions): Uint8Array {
  const { count, starts, rows, cells, inner } = system;
  const { first, groupOf } = findTwins(system);
  const primary = options.primary ?? primaryCells(system, options.threshold, options.zeros);
  const room = (options.interval ?? 1) - 1;

  // How much is published about each inner cell, and from it the tie: both exact integers.
  const around = new Float64Array(inner);
  for (let c = 0; c < cells; c++) for (let at = starts[c]!; at < starts[c + 1]!; at++) around[rows[at]!]! += Math.abs(count[c]!) + 1;
  const tie = new Float64Array(cells);
  for (let c = 0; c < cells; c++) for (let at = starts[c]!; at < starts[c + 1]!; at++) tie[c]! += around[rows[at]!]!;

  const forced = new Uint8Array(first.length);
  for (const c of options.hidden ?? []) if (primary[c] === 0) forced[groupOf[c]!] = 1;
  const candidates = first.filter((c) => primary[c] === 0 && forced[groupOf[c]!] === 0);
  // What is asked for one cell holds for all cells of the same people.
  const worth = new Float64Array(first.length);
  const wanted = new Uint8Array(first.length);
  for (let c = 0; c < cells; c++) {
    worth[groupOf[c]!] = Math.max(worth[groupOf[c]!]!, (Math.abs(count[c]!) + 1) * (options.weight?.[c] ?? 1));
    if (options.shown?.[c] === 1) wanted[groupOf[c]!] = 1;
  }
  const order = Int32Array.from(candidates.keys()).sort((x, y) => {
    const a = candidates[x]!;
    const b = candidates[y]!;
    const [g, h] = [groupOf[a]!, groupOf[b]!];
    return wanted[h]! - wanted[g]! || worth[h]! - worth[g]! || tie[b]! - tie[a]! || a - b;
  });

  const protectedCells = Array.from(first.filter((c) => primary[c] === 1 || forced[groupOf[c]!] === 1));
  const sums: ProtectedSum[] = protectedCells.map((c) => [[c, 1]]);
  if (options.jointSums === "protect") {
    for (const small of jointSums(system, primary, options.threshold)) sums.push(small.map((c) => [c, 1] as const));
  }
  if (options.sums !== undefined) sums.push(...options.sums);
  let alone: Int32Array | undefined;
  if (options.singletons === "protect") {
    alone = new Int32Array(sums.length);
    protectedCells.forEach((c, p) => (alone![p] = options.alone === undefined ? (count[c] === 1 ? p + 1 : 0) : options.alone[c]!));
  }

  const known = publishOverClasses(
    inner,
    gatherCells(system, candidates),
    order,
    gatherColumns(system, sums),
    alone,
    room < 1 ? undefined : slackOfRows(system, primary, room),
    room,
    options.work ?? WORK,
  );
  const patternOfGroup = Uint8Array.from(first, (c) => (primary[c] === 1 ? PRIMARY : COMPLEMENTARY));
  candidates.forEach((c, k) => (patternOfGroup[groupOf[c]!] = known[k] === 1 ? PUBLISHED : COMPLEMENTARY));
  return Uint8Array.from(groupOf, (group) => patternOfGroup[group]!);
}

/**
 * `publishGreedily` over classes of inner cells that no candidate tells apart. A protected column that divides a class is no
 * combination of candidates, whichever are published, so it needs no watching. The same result at less cost.
 */
function publishOverClasses(
  inner: number,
  candidates: SparseColumns,
  order: Int32Array,
  sums: SparseColumns,
  alone: Int32Array | undefined,
  slack: Int32Array | undefined,
  room: number,
  work: number,
): Uint8Array {
  // What a singleton knows is as good as published to him, so his cells tell rows apart too.
  const lone = alone === undefined ? [] : [...alone.keys()].filter((p) => alone[p]! > 0);
  const found = rowClasses(inner, appended(candidates, sums, lone));
  const { kept, ...protect } = overClasses(sums, found);
  const watched = [...kept.keys()].filter((p) => kept[p] === 1);
  let slackOfClass: Int32Array | undefined;
  if (slack !== undefined) {
    slackOfClass = new Int32Array(found.classes);
    for (let row = 0; row < inner; row++) {
      slackOfClass[found.classOf[row]!] = Math.min(room, slackOfClass[found.classOf[row]!]! + slack[row]!);
    }
  }
  return publishGreedily(found.classes, overClasses(candidates, found), order, picked(protect, watched), {
    alone: alone === undefined ? undefined : Int32Array.from(watched, (p) => alone[p]!),
    ...(slackOfClass === undefined ? {} : { slack: slackOfClass, room }),
  }, { entries: work });
}

/** The columns of `a`, then some of `b`. */
function appended(a: SparseColumns, b: SparseColumns, some: readonly number[]): SparseColumns {
  if (some.length === 0) return a;
  const more = picked(b, some);
  const rows = new Int32Array(a.rows.length + more.rows.length);
  rows.set(a.rows);
  rows.set(more.rows, a.rows.length);
  const starts = new Int32Array(a.starts.length + some.length);
  starts.set(a.starts);
  for (let k = 1; k <= some.length; k++) starts[a.starts.length - 1 + k] = a.rows.length + more.starts[k]!;
  if (a.values === undefined) return { starts, rows };
  const values = new Int32Array(rows.length);
  values.set(a.values);
  values.set(more.values!, a.rows.length);
  return { starts, rows, values };
}

function picked({ starts, rows, values }: SparseColumns, some: readonly number[]): SparseColumns {
  const own = new Int32Array(some.length + 1);
  some.forEach((c, k) => (own[k + 1] = own[k]! + starts[c + 1]! - starts[c]!));
  const ownRows = new Int32Array(own[some.length]!);
  const ownValues = values === undefined ? undefined : new Int32Array(ownRows.length);
  some.forEach((c, k) => {
    ownRows.set(rows.subarray(starts[c], starts[c + 1]), own[k]!);
    ownValues?.set(values!.subarray(starts[c], starts[c + 1]), own[k]!);
  });
  return { starts: own, rows: ownRows, ...(ownValues === undefined ? {} : { values: ownValues }) };
}

/** [inner] people above the fewest that a hidden inner cell can hold, at most `room`; `room` where its count needs no protection. */
function slackOfRows({ cells, starts, rows, inner, innerCount, zeros }: TableSystem, primary: Uint8Array, room: number): Int32Array {
  const slack = new Int32Array(inner).fill(room);
  const fewest = zeros === "protect" ? 0 : 1;
  for (let c = 0; c < cells; c++) {
    if (primary[c] === 0 || starts[c + 1]! - starts[c]! !== 1) continue;
    slack[rows[starts[c]!]!] = Math.min(room, innerCount[rows[starts[c]!]!]! - fewest);
  }
  return slack;
}
