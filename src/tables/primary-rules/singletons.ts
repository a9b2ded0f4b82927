import type { Contributions } from "./contributions.ts";
import type { CellSums } from "./statistics.ts";

const NOBODY = 0;
const SEVERAL = -1;

/**
 * [cells] number of the contributor that all records of a cell are from, counted from 1; its holding's where there are holdings.
 * 0 where several contributed, or nobody. Signs of differences do not matter: whoever is in a part is taken to be in the cell.
 * Time O(entries + entries of the matrix).
 */
export function onlyContributors({ cells, starts, rows, inner }: CellSums, { entries, inner: innerOf, contributor, holding }: Contributions): Int32Array {
  const ofInner = new Int32Array(inner);
  const joined = (a: number, b: number): number => (a === NOBODY || a === b ? b : b === NOBODY ? a : SEVERAL);
  for (let e = 0; e < entries; e++) {
    const who = 1 + (holding === undefined ? contributor[e]! : holding[contributor[e]!]!);
    ofInner[innerOf[e]!] = joined(ofInner[innerOf[e]!]!, who);
  }
  const of = new Int32Array(cells);
  for (let c = 0; c < cells; c++) {
    let own = NOBODY;
    for (let at = starts[c]!; at < starts[c + 1]! && own !== SEVERAL; at++) own = joined(own, ofInner[rows[at]!]!);
    of[c] = Math.max(own, 0);
  }
  return of;
}
