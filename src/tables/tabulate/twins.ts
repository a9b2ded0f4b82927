import type { TableSystem } from "./tabulate.ts";

/** Cells of the system that hold the same inner cells, hence the same people: they are published or hidden together. */
export interface Twins {
  /** [groups] first cell of each group. */
  readonly first: Int32Array;
  /** [cells] group of each cell. */
  readonly groupOf: Int32Array;
}

/** Group equal columns of the model matrix. Groups come in the order of their first cell. Time O(entries) on average. */
export function findTwins(system: TableSystem): Twins {
  const { cells, starts, rows, signs } = system;
  const first: number[] = [];
  const groupOf = new Int32Array(cells);
  const byHash = new Map<number, number[]>();
  for (let c = 0; c < cells; c++) {
    let hash = starts[c + 1]! - starts[c]!;
    for (let at = starts[c]!; at < starts[c + 1]!; at++) {
      const own = signs !== undefined && signs[at]! < 0 ? ~rows[at]! : rows[at]!;
      hash = (Math.imul(hash ^ own, 0x9e3779b1) ^ (hash >>> 15)) | 0;
    }
    const bucket = byHash.get(hash);
    let group = -1;
    if (bucket === undefined) byHash.set(hash, [first.length]);
    else {
      group = bucket.find((g) => sameColumn(system, first[g]!, c)) ?? -1;
      if (group < 0) bucket.push(first.length);
    }
    if (group < 0) group = first.push(c) - 1;
    groupOf[c] = group;
  }
  return { first: Int32Array.from(first), groupOf };
}

function sameColumn({ starts, rows, signs }: TableSystem, a: number, b: number): boolean {
  const length = starts[a + 1]! - starts[a]!;
  if (starts[b + 1]! - starts[b]! !== length) return false;
  for (let k = 0; k < length; k++) {
    if (rows[starts[a]! + k] !== rows[starts[b]! + k]) return false;
    if (signs !== undefined && signs[starts[a]! + k] !== signs[starts[b]! + k]) return false;
  }
  return true;
}
