import type { Component } from "./component.ts";
import { rowsOfUnknowns, type Rows } from "./unknowns.ts";

/** A part of a component around one unknown. */
export interface Neighbourhood {
  readonly component: Component;
  /** [size] unknown of the whole component. */
  readonly members: Int32Array;
  /** [rows] row of the whole component. */
  readonly rows: Int32Array;
  /** The unknown it was made for. */
  readonly centre: number;
}

/** Unknowns nearest to one, breadth first over rows, at most `limit`; an unknown is as near as the rows to it are few. */
function nearest({ columns, rows, size }: Component, centre: number, limit: number): number[] {
  const seen = new Uint8Array(size);
  const seenRow = new Uint8Array(rows.low.length);
  const members = [centre];
  seen[centre] = 1;
  // Of a long row, as many as fit are taken, beginning at a place that depends on the unknown it was reached from.
  for (let at = 0; at < members.length && members.length < limit; at++) {
    const u = members[at]!;
    for (let j = columns.starts[u]!; j < columns.starts[u + 1]!; j++) {
      const r = columns.row[j]!;
      if (seenRow[r] === 1) continue;
      seenRow[r] = 1;
      const begin = rows.starts[r]!;
      const length = rows.starts[r + 1]! - begin;
      const most = Math.max(8, limit >> 2);
      for (let k = 0; k < Math.min(length, most) && members.length < limit; k++) {
        const v = rows.unknown[begin + ((columns.entry[j]! - begin + k) % length)]!;
        if (seen[v] === 1) continue;
        seen[v] = 1;
        members.push(v);
      }
    }
  }
  return members.sort((a, b) => a - b);
}

/**
 * The nearest unknowns with all others held where they are in a table that agrees: what is possible here is possible. Tables
 * of the part are tables of the whole.
 */
export function heldAround(whole: Component, point: Float64Array, centre: number, limit: number): Neighbourhood {
  const members = Int32Array.from(nearest(whole, centre, limit));
  const touched = new Set<number>();
  for (const u of members) for (let j = whole.columns.starts[u]!; j < whole.columns.starts[u + 1]!; j++) touched.add(whole.columns.row[j]!);
  return cut(whole, members, [...touched].sort((a, b) => a - b), centre, point);
}

/** The nearest unknowns under the rows that lie wholly among them, without all other rows: bounds here are bounds. */
export function relaxedAround(whole: Component, centre: number, limit: number): Neighbourhood {
  const members = Int32Array.from(nearest(whole, centre, limit));
  const isMember = new Uint8Array(whole.size);
  for (const u of members) isMember[u] = 1;
  const inside = new Set<number>();
  for (const u of members) {
    for (let j = whole.columns.starts[u]!; j < whole.columns.starts[u + 1]!; j++) {
      const r = whole.columns.row[j]!;
      let all = true;
      for (let k = whole.rows.starts[r]!; k < whole.rows.starts[r + 1]! && all; k++) all = isMember[whole.rows.unknown[k]!] === 1;
      if (all) inside.add(r);
    }
  }
  return cut(whole, members, [...inside].sort((a, b) => a - b), centre, undefined);
}

/** Members under the given rows; unknowns of those rows that are no members are held at the point. */
function cut(whole: Component, members: Int32Array, rowList: readonly number[], centre: number, point: Float64Array | undefined): Neighbourhood {
  const local = new Map<number, number>();
  members.forEach((u, k) => local.set(u, k));
  const { starts, unknown, times, low, high } = whole.rows;
  const out = { starts: [0], unknown: [] as number[], times: [] as number[], low: [] as number[], high: [] as number[] };
  for (const r of rowList) {
    let held = 0;
    for (let k = starts[r]!; k < starts[r + 1]!; k++) {
      const own = local.get(unknown[k]!);
      if (own === undefined) held += times[k]! * point![unknown[k]!]!;
      else {
        out.unknown.push(own);
        out.times.push(times[k]!);
      }
    }
    out.starts.push(out.unknown.length);
    out.low.push(low[r]! - held);
    out.high.push(high[r]! - held);
  }
  const rows: Rows = {
    starts: Int32Array.from(out.starts),
    unknown: Int32Array.from(out.unknown),
    times: Float64Array.from(out.times),
    low: Float64Array.from(out.low),
    high: Float64Array.from(out.high),
  };
  return {
    component: {
      size: members.length,
      unknown: Int32Array.from(members, (u) => whole.unknown[u]!),
      lower: Float64Array.from(members, (u) => whole.lower[u]!),
      upper: Float64Array.from(members, (u) => whole.upper[u]!),
      integer: Uint8Array.from(members, (u) => whole.integer[u]!),
      rows,
      origin: Int32Array.from(rowList, (r) => whole.origin[r]!),
      columns: rowsOfUnknowns(rows, members.length),
      tree: false,
    },
    members,
    rows: Int32Array.from(rowList),
    centre: local.get(centre)!,
  };
}
