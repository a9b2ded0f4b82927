import { publishGreedily } from "../../kernels/sparse-elimination.ts";
import type { TableSystem } from "../tabulate/index.ts";
import { findTwins, gatherColumns, jointSums } from "./unknowns.ts";

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
   * Values that must remain possible for a hidden small count: no combination of published cells may be a sum of inner cells
   * that lie, all together, less than interval - 1 above the fewest people they can hold (1; 0 where zeros are hidden).
   * Default: 1, no requirement. 2 keeps a sum of ones from giving each of them away. This looks at sums only: whether the
   * interval holds is for the audit to say.
   */
  readonly interval?: number;
  /** Further sums that must not be derivable. */
  readonly sums?: readonly ProtectedSum[];
  /** Cells that are to be hidden in any case, and not derivable either. Zeros that are published stay published. */
  readonly hidden?: ReadonlySet<number>;
}

/** [cells] 1 for cells that the frequency rule hides. */
export function primaryCells(system: TableSystem, threshold: number, zeros: "publish" | "protect"): Uint8Array {
  const primary = new Uint8Array(system.cells);
  for (let c = 0; c < system.cells; c++) {
    const count = system.count[c]!;
    if (count < threshold && (count > 0 || zeros === "protect")) primary[c] = 1;
  }
  return primary;
}

/**
 * Primary and complementary suppression over everything the system publishes.
 *
 * Cells with many people are published first; ties: the cell whose inner cells lie in larger published cells, then the
 * system's order of cells, which is by category. No primary cell, joint sum or further sum is a linear combination of
 * published cells afterwards, even for somebody who knows which inner cells are empty.
 *
 * @returns [cells] PUBLISHED, PRIMARY or COMPLEMENTARY
 */
export function suppress(system: TableSystem, options: SuppressOptions): Uint8Array {
  const { count, starts, rows, cells, inner } = system;
  const primary = primaryCells(system, options.threshold, options.zeros);
  const { first, groupOf } = findTwins(system);

  // How much is published about each inner cell, and from it the tie: both exact integers.
  const around = new Float64Array(inner);
  for (let c = 0; c < cells; c++) for (let at = starts[c]!; at < starts[c + 1]!; at++) around[rows[at]!]! += count[c]! + 1;
  const tie = new Float64Array(cells);
  for (let c = 0; c < cells; c++) for (let at = starts[c]!; at < starts[c + 1]!; at++) tie[c]! += around[rows[at]!]!;

  const forced = new Uint8Array(first.length);
  for (const c of options.hidden ?? []) if (primary[c] === 0) forced[groupOf[c]!] = 1;
  const candidates = first.filter((c) => primary[c] === 0 && forced[groupOf[c]!] === 0);
  const order = Int32Array.from(candidates.keys()).sort((x, y) => {
    const a = candidates[x]!;
    const b = candidates[y]!;
    return count[b]! - count[a]! || tie[b]! - tie[a]! || a - b;
  });

  const protectedCells = Array.from(first.filter((c) => primary[c] === 1 || forced[groupOf[c]!] === 1));
  const sums: ProtectedSum[] = protectedCells.map((c) => [[c, 1]]);
  if (options.jointSums === "protect") {
    for (const small of jointSums(system, primary, options.threshold)) sums.push(small.map((c) => [c, 1] as const));
  }
  if (options.sums !== undefined) sums.push(...options.sums);
  let alone: Uint8Array | undefined;
  if (options.singletons === "protect") {
    alone = new Uint8Array(sums.length);
    protectedCells.forEach((c, p) => (alone![p] = count[c] === 1 ? 1 : 0));
  }

  const room = (options.interval ?? 1) - 1;
  const known = publishGreedily(
    inner,
    gatherColumns(system, [...candidates].map((c) => [[c, 1]])),
    order,
    gatherColumns(system, sums),
    room < 1 ? { alone } : { alone, room, slack: slackOfRows(system, primary, room) },
  );
  const patternOfGroup = Uint8Array.from(first, (c) => (primary[c] === 1 ? PRIMARY : COMPLEMENTARY));
  candidates.forEach((c, k) => (patternOfGroup[groupOf[c]!] = known[k] === 1 ? PUBLISHED : COMPLEMENTARY));
  return Uint8Array.from(groupOf, (group) => patternOfGroup[group]!);
}

/** [inner] people above the fewest that a hidden inner cell can hold, at most `room`; `room` where its count needs no protection. */
function slackOfRows({ cells, starts, rows, inner, count, zeros }: TableSystem, primary: Uint8Array, room: number): Int32Array {
  const slack = new Int32Array(inner).fill(room);
  const fewest = zeros === "protect" ? 0 : 1;
  for (let c = 0; c < cells; c++) {
    if (primary[c] === 0 || starts[c + 1]! - starts[c]! !== 1) continue;
    slack[rows[starts[c]!]!] = Math.min(room, count[c]! - fewest);
  }
  return slack;
}
