import { TOTAL, type TableSystem } from "../tabulate/index.ts";
import { InsertionOrder } from "./insertion-order.ts";

/** Cells that may be shown, in an order in which each has inner cells of its own. */
export interface ShownChain {
  /** [shown] cells in order. */
  readonly cells: Int32Array;
  /** [inner] rank in `cells` of the last one that holds the inner cell, -1 for none. */
  readonly last: Int32Array;
}

/** Room kept for moves by depth, as a multiple of the root of a cell's people: the more cells a move must pass, the more it meets in large ones. */
const ROOM_BY_ROOT = [0.05, 0.1, 0.25, 0.5];

/**
 * Choose cells to show, and an order, so that each keeps inner cells that no later one holds, with people to spare. Whatever else
 * changes in the table, such a cell's sum can then be put right within it, and putting right one cell after the other, the last
 * first, leaves no sum broken (see README.md).
 *
 * Coarse margins are tried first. In the coarsest two depths small cells come before large ones, which are left to follow from
 * the others; below, large before small, since there is not room for all. A cell goes to the end of the order, or where a chosen
 * one could not spare what the two share, before that one.
 *
 * @param spare    [inner] people above the fewest a cell can hold
 * @param eligible [cells] 1 where the cell may be shown
 * @param least    fewest spare people that a shown cell keeps for itself
 * Time O(entries of eligible cells).
 */
export function chooseShown(system: TableSystem, spare: Float64Array, eligible: Uint8Array, least: number): ShownChain {
  const { starts, rows, count, cells, inner } = system;
  const depth = depthOfCells(system);
  const candidates = candidatesInOrder(eligible, depth, count);
  const order = new InsertionOrder();
  const chosen: number[] = [];
  const room: number[] = [];
  const needed: number[] = [];
  /** [inner] which of `chosen` is the last in order that holds the inner cell. */
  const last = new Int32Array(inner).fill(-1);
  const shared = new Float64Array(candidates.length);
  const met = new Int32Array(Math.min(cells, candidates.length));
  for (let at = 0; at < candidates.length; at++) {
    const cell = candidates[at]!;
    const need = Math.max(least, Math.floor(ROOM_BY_ROOT[Math.min(depth[cell]!, ROOM_BY_ROOT.length - 1)]! * Math.sqrt(count[cell]!)));
    let own = 0;
    let size = 0;
    for (let k = starts[cell]!; k < starts[cell + 1]!; k++) {
      const i = rows[k]!;
      own += spare[i]!;
      const other = last[i]!;
      if (other < 0) continue;
      // One more than is shared, so that an entry of nothing counts as met.
      if (shared[other] === 0) {
        met[size++] = other;
        shared[other] = 1;
      }
      shared[other]! += spare[i]!;
    }
    let behind = -1;
    for (let k = 0; k < size; k++) {
      const other = met[k]!;
      if (room[other]! - (shared[other]! - 1) < needed[other]! && (behind < 0 || order.isBefore(other, behind))) behind = other;
    }
    for (let k = 0; k < size && behind >= 0; k++) if (!order.isBefore(met[k]!, behind)) own -= shared[met[k]!]! - 1;
    if (own >= need) {
      const added = chosen.push(cell) - 1;
      room.push(own);
      needed.push(need);
      order.insert(added, behind);
      for (let k = 0; k < size; k++) if (order.isBefore(met[k]!, added)) room[met[k]!]! -= shared[met[k]!]! - 1;
      for (let k = starts[cell]!; k < starts[cell + 1]!; k++) {
        const i = rows[k]!;
        if (last[i]! < 0 || order.isBefore(last[i]!, added)) last[i] = added;
      }
    }
    for (let k = 0; k < size; k++) shared[met[k]!] = 0;
  }
  const inOrder = order.all();
  const rank = new Int32Array(chosen.length);
  for (let r = 0; r < rank.length; r++) rank[inOrder[r]!] = r;
  for (let i = 0; i < inner; i++) if (last[i]! >= 0) last[i] = rank[last[i]!]!;
  return { cells: inOrder.map((own) => chosen[own]!), last };
}

/** [cells] how far down its margin is: a level counts 1 in the coarsest published one, 2 in the next. */
function depthOfCells({ columns, margins, marginStarts, cells }: TableSystem): Uint8Array {
  const depth = new Uint8Array(cells);
  margins.forEach((margin, m) => {
    let sum = 0;
    margin.forEach((level, k) => (sum += level === TOTAL ? 0 : columns[k]!.levels.length - columns[k]!.levels.indexOf(level)));
    depth.fill(sum, marginStarts[m]!, marginStarts[m + 1]!);
  });
  return depth;
}

function candidatesInOrder(eligible: Uint8Array, depth: Uint8Array, count: Float64Array): Int32Array {
  let size = 0;
  for (let c = 0; c < eligible.length; c++) size += eligible[c]!;
  const order = new Int32Array(size);
  let at = 0;
  for (let c = 0; c < eligible.length; c++) if (eligible[c] === 1) order[at++] = c;
  return order.sort((a, b) => depth[a]! - depth[b]! || (depth[a]! <= 2 ? count[a]! - count[b]! : count[b]! - count[a]!) || a - b);
}
