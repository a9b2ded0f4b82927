import type { SparseColumns } from "../../kernels/sparse-elimination.ts";
import { cellsAbove, FIRST_GROUPING, placesName, TOTAL, type TableSystem } from "../tabulate/index.ts";

/**
 * Groups in which small counts would give each other away: the primary cells that make up, with published ones, one
 * parent along one dimension (a row or column of the table), when they are all at most 3 or add up to less than the
 * threshold. Each comes as a column: the sum of its primary cells, which must not be derivable.
 *
 * Source: CalHHS Data De-Identification Guidelines 2.0, section 4.4, the two conditions for one more complementary cell.
 * @param primary [cells] 1 for primary cells
 */
export function jointSums(system: TableSystem, primary: Uint8Array, threshold: number): number[][] {
  const { marginStarts, starts, rows, count } = system;
  const sums: number[][] = [];
  const add = (small: Set<number>): void => {
    if (small.size < 2) return;
    let sum = 0;
    let largest = 0;
    for (const child of small) {
      sum += count[child]!;
      largest = Math.max(largest, count[child]!);
    }
    if (sum > 0 && (sum < threshold || largest <= 3)) sums.push([...small].sort((a, b) => a - b));
  };
  const childOf = new Int32Array(system.inner);
  for (const [parentMargin, childMargin] of adjacentMargins(system)) {
    if (hasGroups(system, parentMargin) || hasGroups(system, childMargin)) {
      for (const [parent, parts] of groupedParts(system, parentMargin, childMargin)) {
        // Of a difference no group of people is known.
        if (primary[parent] === 1 || parts.some(([, sign]) => sign < 0)) continue;
        add(new Set(parts.flatMap(([child]) => (primary[child] === 1 && count[child]! >= 0 ? [child] : []))));
      }
      continue;
    }
    for (let c = marginStarts[childMargin]!; c < marginStarts[childMargin + 1]!; c++) {
      for (let at = starts[c]!; at < starts[c + 1]!; at++) childOf[rows[at]!] = c;
    }
    for (let parent = marginStarts[parentMargin]!; parent < marginStarts[parentMargin + 1]!; parent++) {
      if (primary[parent] === 1) continue;
      const small = new Set<number>();
      for (let at = starts[parent]!; at < starts[parent + 1]!; at++) {
        const child = childOf[rows[at]!]!;
        if (primary[child] === 1) small.add(child);
      }
      add(small);
    }
  }
  return sums;
}

/** Whether a margin has groups, which overlap and leave categories out, so that its cells do not divide the inner cells. */
export function hasGroups({ margins }: TableSystem, margin: number): boolean {
  return margins[margin]!.some((level) => level >= FIRST_GROUPING);
}

/** The cells of a margin with their parts in a finer margin, added or taken away, where one of the two has groups. */
export function groupedParts(system: TableSystem, parentMargin: number, childMargin: number): Map<number, (readonly [child: number, sign: number])[]> {
  const { margins, marginStarts, places } = system;
  const parents = new Map<string, number>();
  for (let c = marginStarts[parentMargin]!; c < marginStarts[parentMargin + 1]!; c++) parents.set(placesName(places, c), c);
  const parts = new Map<number, (readonly [number, number])[]>();
  for (const parent of parents.values()) parts.set(parent, []);
  for (let c = marginStarts[childMargin]!; c < marginStarts[childMargin + 1]!; c++) {
    for (const [name, sign] of cellsAbove(system, c, margins[parentMargin]!)) {
      const parent = parents.get(name);
      if (parent !== undefined) parts.get(parent)!.push([c, sign]);
    }
  }
  return parts;
}

/** Pairs of margins (coarse, fine) that differ in one column, with no published margin between the two. */
export function adjacentMargins({ margins, columns }: Pick<TableSystem, "margins" | "columns">): [number, number][] {
  const index = new Map(margins.map((margin, m) => [margin.join(), m]));
  const pairs: [number, number][] = [];
  const levels = [...new Set(margins.flat())].filter((level) => level >= 0).sort((a, b) => a - b);
  const nested = levels.filter((level) => level < FIRST_GROUPING);
  const groupings = levels.filter((level) => level >= FIRST_GROUPING);
  margins.forEach((fine, f) => {
    fine.forEach((level, k) => {
      if (level === TOTAL || level >= FIRST_GROUPING) return;
      // Groups are sums of the finest categories.
      for (const grouping of level === columns[k]!.levels[0] ? groupings : []) {
        const parent = index.get(fine.with(k, grouping).join());
        if (parent !== undefined) pairs.push([parent, f]);
      }
      for (const up of [...nested.filter((other) => other > level), TOTAL]) {
        const parent = index.get(fine.with(k, up).join());
        if (parent === undefined) continue;
        pairs.push([parent, f]);
        break;
      }
    });
  });
  return pairs;
}

/** Gather columns of the model matrix. */
export function gatherCells({ starts, rows, signs }: TableSystem, cells: Int32Array): SparseColumns {
  const own = new Int32Array(cells.length + 1);
  for (let k = 0; k < cells.length; k++) own[k + 1] = own[k]! + starts[cells[k]! + 1]! - starts[cells[k]!]!;
  const ownRows = new Int32Array(own[cells.length]!);
  for (let k = 0; k < cells.length; k++) ownRows.set(rows.subarray(starts[cells[k]!], starts[cells[k]! + 1]), own[k]);
  if (signs === undefined) return { starts: own, rows: ownRows };
  const values = new Int32Array(ownRows.length);
  for (let k = 0; k < cells.length; k++) values.set(signs.subarray(starts[cells[k]!], starts[cells[k]! + 1]), own[k]);
  return { starts: own, rows: ownRows, values };
}

/** Gather columns of the model matrix, or sums of cells with disjoint or overlapping inner cells, into one matrix. */
export function gatherColumns(system: TableSystem, sums: readonly (readonly (readonly [cell: number, times: number])[])[]): SparseColumns {
  const starts = new Int32Array(sums.length + 1);
  const rows: number[] = [];
  const values: number[] = [];
  sums.forEach((sum, s) => {
    const entry = new Map<number, number>();
    for (const [cell, times] of sum) {
      for (let at = system.starts[cell]!; at < system.starts[cell + 1]!; at++) {
        const row = system.rows[at]!;
        entry.set(row, (entry.get(row) ?? 0) + (system.signs === undefined ? times : system.signs[at]! * times));
      }
    }
    for (const [row, value] of entry) {
      if (value === 0) continue;
      rows.push(row);
      values.push(value);
    }
    starts[s + 1] = rows.length;
  });
  return { starts, rows: Int32Array.from(rows), values: Int32Array.from(values) };
}
