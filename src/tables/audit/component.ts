import { transposed, type Transposed } from "../../kernels/transpose.ts";
import type { Rows, Unknowns } from "./unknowns.ts";

/** Linearly connected unknowns and the rows among them, numbered from 0. */
export interface Component {
  readonly size: number;
  /** [size] number among all unknowns. */
  readonly unknown: Int32Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly integer: Uint8Array;
  /** Rows over 0 .. size - 1, and which of all rows each came from. */
  readonly rows: Rows;
  readonly origin: Int32Array;
  /** Rows of each unknown, with its entry in the row. */
  readonly columns: Transposed;
  /** No unknown can be reached by two ways and all factors are 1 or -1: propagated bounds are exact, every whole value between is met. */
  readonly tree: boolean;
}

/** Cut what is left into connected groups, in the order of their first unknown. Unknowns in no row stand alone. */
export function connectedComponents(unknowns: Unknowns): Component[] {
  const { size, left, origin } = unknowns;
  const leader = Int32Array.from({ length: size }, (_, u) => u);
  const find = (u: number): number => {
    let at = u;
    while (leader[at] !== at) at = leader[at] = leader[leader[at]!]!;
    return at;
  };
  const { starts, unknown, times, low, high } = left;
  for (let r = 0; r + 1 < starts.length; r++) {
    const a = find(unknown[starts[r]!]!);
    let root = a;
    for (let k = starts[r]! + 1; k < starts[r + 1]!; k++) {
      const b = find(unknown[k]!);
      if (b === root) continue;
      const [kept, moved] = b < root ? [b, root] : [root, b];
      leader[moved] = kept;
      root = kept;
    }
  }
  const numberOf = new Int32Array(size).fill(-1);
  const members: number[][] = [];
  const local = new Int32Array(size);
  for (let u = 0; u < size; u++) {
    if (unknowns.lower[u] === unknowns.upper[u]) continue;
    const root = find(u);
    if (numberOf[root]! < 0) numberOf[root] = members.push([]) - 1;
    const group = members[numberOf[root]!]!;
    local[u] = group.push(u) - 1;
  }
  const rowsOf: number[][] = members.map(() => []);
  for (let r = 0; r + 1 < starts.length; r++) rowsOf[numberOf[find(unknown[starts[r]!]!)]!]!.push(r);
  return members.map((group, g): Component => {
    const own = rowsOf[g]!;
    const entries = own.reduce((sum, r) => sum + starts[r + 1]! - starts[r]!, 0);
    const rows = {
      starts: new Int32Array(own.length + 1),
      unknown: new Int32Array(entries),
      times: new Float64Array(entries),
      low: Float64Array.from(own, (r) => low[r]!),
      high: Float64Array.from(own, (r) => high[r]!),
    };
    let at = 0;
    let plain = true;
    own.forEach((r, k) => {
      for (let j = starts[r]!; j < starts[r + 1]!; j++) {
        rows.unknown[at] = local[unknown[j]!]!;
        rows.times[at++] = times[j]!;
        if (Math.abs(times[j]!) !== 1) plain = false;
      }
      rows.starts[k + 1] = at;
    });
    return {
      size: group.length,
      unknown: Int32Array.from(group),
      lower: Float64Array.from(group, (u) => unknowns.lower[u]!),
      upper: Float64Array.from(group, (u) => unknowns.upper[u]!),
      integer: Uint8Array.from(group, (u) => unknowns.integer[u]!),
      rows,
      origin: Int32Array.from(own, (r) => origin[r]!),
      columns: transposed(rows.starts, rows.unknown, group.length),
      tree: plain && unknowns.settled && entries === group.length + own.length - 1 && sameKind(group, unknowns.integer),
    };
  });
}

function sameKind(group: readonly number[], integer: Uint8Array): boolean {
  return group.every((u) => integer[u] === integer[group[0]!]);
}

/** Whether whole numbers for all unknowns keep every bound and row. Exact. */
export function agrees({ size, lower, upper, rows }: Component, point: Float64Array): boolean {
  for (let u = 0; u < size; u++) {
    if (!Number.isSafeInteger(point[u]!) || point[u]! < lower[u]! || point[u]! > upper[u]!) return false;
  }
  for (let r = 0; r < rows.low.length; r++) {
    let sum = 0;
    for (let k = rows.starts[r]!; k < rows.starts[r + 1]!; k++) {
      sum += rows.times[k]! * point[rows.unknown[k]!]!;
      if (!Number.isSafeInteger(sum)) return false;
    }
    if (sum < rows.low[r]! || sum > rows.high[r]!) return false;
  }
  return true;
}
