import { TOTAL, type TableSystem } from "../tabulate/index.ts";

/** Cells that may be shown, in an order in which each has inner cells of its own. */
export interface ShownChain {
  /** [shown] cells, first chosen first. */
  readonly cells: Int32Array;
  /** [inner] rank in `cells` of the last chosen cell that holds the inner cell, -1 for none. */
  readonly last: Int32Array;
}

/** Room kept for moves by depth, as a multiple of the root of a cell's people: the more cells a move must pass, the more it meets in large ones. */
const ROOM_BY_ROOT = [0.05, 0.1, 0.25, 0.5];

/**
 * Choose cells to show so that each keeps inner cells that no later chosen cell holds, with people to spare. Whatever else
 * changes in the table, such a cell's sum can then be put right within it, and putting right one cell after the other, the
 * last chosen first, leaves no sum broken (see README.md).
 *
 * Coarse margins come first. In the coarsest two depths small cells come before large ones, which are left to follow from the
 * others; below, large before small, since there is not room for all.
 *
 * @param spare    [inner] people above the fewest a cell can hold
 * @param eligible [cells] 1 where the cell may be shown
 * @param least    fewest spare people that a shown cell keeps for itself
 * Time O(entries of eligible cells).
 */
export function chooseShown(system: TableSystem, spare: Float64Array, eligible: Uint8Array, least: number): ShownChain {
  const { starts, rows, count, cells, inner } = system;
  const depth = depthOfCells(system);
  const order = candidatesInOrder(eligible, depth, count);
  const last = new Int32Array(inner).fill(-1);
  const chosen: number[] = [];
  const room: number[] = [];
  const needed: number[] = [];
  const taken = new Float64Array(order.length);
  const touched = new Int32Array(cells < order.length ? cells : order.length);
  for (let at = 0; at < order.length; at++) {
    const cell = order[at]!;
    const need = Math.max(least, Math.floor(ROOM_BY_ROOT[Math.min(depth[cell]!, ROOM_BY_ROOT.length - 1)]! * Math.sqrt(count[cell]!)));
    let own = 0;
    let cells = 0;
    for (let k = starts[cell]!; k < starts[cell + 1]!; k++) {
      const i = rows[k]!;
      own += spare[i]!;
      const before = last[i]!;
      if (before < 0) continue;
      // One more than is taken, so that an entry of nothing counts as touched.
      if (taken[before] === 0) {
        touched[cells++] = before;
        taken[before] = 1;
      }
      taken[before]! += spare[i]!;
    }
    let fits = own >= need;
    for (let k = 0; k < cells && fits; k++) fits = room[touched[k]!]! - (taken[touched[k]!]! - 1) >= needed[touched[k]!]!;
    if (fits) {
      for (let k = 0; k < cells; k++) room[touched[k]!]! -= taken[touched[k]!]! - 1;
      const rank = chosen.push(cell) - 1;
      room.push(own);
      needed.push(need);
      for (let k = starts[cell]!; k < starts[cell + 1]!; k++) last[rows[k]!] = rank;
    }
    for (let k = 0; k < cells; k++) taken[touched[k]!] = 0;
  }
  return { cells: Int32Array.from(chosen), last };
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
