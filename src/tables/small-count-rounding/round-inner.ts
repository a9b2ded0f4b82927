import { DisclosureError } from "../../errors/index.ts";
import { transposed } from "../../kernels/transpose.ts";
import type { TableSystem } from "../tabulate/index.ts";
import { chooseRaised, type RoundingMatrix } from "./choose-raised.ts";
import type { SmallCountRounding } from "./schema.ts";

/** [rows] ranks, all different, for a number of rows. */
export type Ranks = (rows: number) => Int32Array;
export type RoundedSystem = Pick<TableSystem, "cells" | "count" | "inner" | "innerCount" | "starts" | "rows">;

/**
 * [inner] counts of the finest breakdown after rounding: small ones that reach a small published count become multiples
 * of the base next to them, as many up as their total asks for; the others stay. Published counts are the sums of what
 * results.
 *
 * Rounding can make further published counts small, and zeros can give single counts away by subtraction; then those
 * are rounded too, with everything that was rounded before in view, until nothing is left.
 *
 * @param ranks given a number of rows, the rank of each among equally good choices, all different; asked once a round
 * @throws DisclosureError `small-count-rounding/unfinished` when small counts remain, which would be a defect
 *
 * Source: Langsrud and Heldal (2018), "An Algorithm for Small Count Rounding of Tabular Data", PSD 2018.
 */
export function roundInnerCounts(system: RoundedSystem, options: SmallCountRounding, ranks: Ranks, signal?: AbortSignal): Float64Array {
  const { cells, inner: size, innerCount, starts, rows } = system;
  const { base, identifyNew, zeroCandidates, checkSums } = options;
  const largest = options.maxRound ?? base - 1;
  const inner = innerCount.slice();
  const published = system.count.slice();
  const total = sumOf(innerCount);

  // The first round: what touches a small published count.
  const isCandidate = (count: number) => count <= largest && (count % base > 0 || (zeroCandidates && count % base === 0));
  let chosen = new Uint8Array(size);
  for (let c = 0; c < cells; c++) {
    if (published[c] === 0 || published[c]! > largest) continue;
    for (let at = starts[c]!; at < starts[c + 1]!; at++) if (isCandidate(inner[rows[at]!]!)) chosen[rows[at]!] = 1;
  }
  if (options.allSmall) for (let i = 0; i < size; i++) if (isCandidate(inner[i]!)) chosen[i] = 1;

  for (;;) {
    signal?.throwIfAborted();
    const rounded = roundChosen(system, chosen, base, ranks, inner, published, total);
    chosen = new Uint8Array(size);
    let remains = 0;
    if (identifyNew) {
      for (let c = 0; c < cells; c++) {
        if (published[c] === 0 || published[c]! >= base) continue;
        remains++;
        for (let at = starts[c]!; at < starts[c + 1]!; at++) {
          const i = rows[at]!;
          if (inner[i]! > 0 && inner[i]! < base) chosen[i] = 1;
        }
      }
    }
    if (remains === 0 && checkSums) {
      for (const i of derivable(system, published)) {
        if (inner[i]! > largest || inner[i]! % base === 0) continue;
        chosen[i] = 1;
        remains++;
      }
    }
    if (remains === 0) return inner;
    if (rounded === 0 && !chosen.includes(1)) {
      throw new DisclosureError(
        "small-count-rounding/unfinished",
        "Small counts remain that no rounding of the finest counts removes. Nothing was published. Please report this.",
      );
    }
  }
}

/** Round the chosen inner counts, in place; `published` follows. @returns how many were chosen */
function roundChosen(
  system: RoundedSystem, chosen: Uint8Array, base: number, ranks: Ranks, inner: Float64Array, published: Float64Array, total: number,
): number {
  const { cells, count, starts, rows } = system;
  const list: number[] = [];
  const rowOf = new Int32Array(chosen.length).fill(-1);
  for (let i = 0; i < chosen.length; i++) {
    if (chosen[i] === 0) continue;
    rowOf[i] = list.length;
    list.push(i);
  }
  if (list.length === 0) return 0;

  const remainder = Float64Array.from(list, (i) => inner[i]! % base);
  // As many go up as bring the grand total back to where it was, ties to even.
  const wanted = roundHalfEven(sumOf(remainder) + total - sumOf(inner), base);
  const raise = Math.min(Math.max(wanted, 0), list.length);

  // Columns that tell the chosen rows apart, each with what its raised rows should add up to.
  const columnStarts: number[] = [0];
  const entries: number[] = [];
  const missing: number[] = [];
  for (let c = 0; c < cells; c++) {
    const from = entries.length;
    let sum = 0;
    for (let at = starts[c]!; at < starts[c + 1]!; at++) {
      const row = rowOf[rows[at]!]!;
      if (row < 0) continue;
      entries.push(row);
      sum += remainder[row]!;
    }
    if (entries.length === from || entries.length - from === list.length) {
      entries.length = from;
      continue;
    }
    columnStarts.push(entries.length);
    missing.push(sum + count[c]! - published[c]!);
  }

  let raised: Uint8Array;
  if (raise === 0 || raise === list.length) raised = new Uint8Array(list.length).fill(raise === 0 ? 0 : 1);
  else {
    const rank = ranks(list.length);
    const matrix: RoundingMatrix = {
      rows: list.length,
      columns: missing.length,
      starts: Int32Array.from(columnStarts),
      entries: Int32Array.from(entries),
    };
    if (matrix.columns > 0) raised = chooseRaised(matrix, Float64Array.from(missing), base, rank, raise);
    else {
      // Nothing published tells them apart: the larger remainders go up.
      raised = new Uint8Array(list.length);
      const best = Array.from(list.keys()).sort((a, b) => remainder[b]! - remainder[a]! || rank[a]! - rank[b]!);
      for (const row of best.slice(0, raise)) raised[row] = 1;
    }
  }
  list.forEach((i, row) => (inner[i] = inner[i]! - remainder[row]! + (raised[row] === 1 ? base : 0)));
  for (let c = 0; c < cells; c++) {
    let sum = 0;
    for (let at = starts[c]!; at < starts[c + 1]!; at++) sum += inner[rows[at]!]!;
    published[c] = sum;
  }
  return list.length;
}

/** Whole number nearest to amount / base, half-way cases to even; amount may be negative. */
function roundHalfEven(amount: number, base: number): number {
  const down = Math.floor(amount / base);
  const rest = 2 * (amount - down * base);
  return rest > base || (rest === base && down % 2 !== 0) ? down + 1 : down;
}

function sumOf(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/**
 * Inner cells whose count follows from published ones by subtraction alone: parts of a published zero, and the only
 * part of a published count that is not known already. Time O(entries).
 */
function derivable(system: RoundedSystem, published: Float64Array): number[] {
  const { cells, inner, starts, rows } = system;
  const { starts: cellStarts, row: cellsOf } = transposed(starts, rows, inner);
  const unknown = new Int32Array(cells);
  for (let c = 0; c < cells; c++) unknown[c] = starts[c + 1]! - starts[c]!;
  const known = new Uint8Array(inner);
  const found: number[] = [];
  const open: number[] = [];
  for (let c = 0; c < cells; c++) if (published[c] === 0 || unknown[c] === 1) open.push(c);
  for (let c = open.pop(); c !== undefined; c = open.pop()) {
    for (let at = starts[c]!; at < starts[c + 1]!; at++) {
      const i = rows[at]!;
      if (known[i] === 1) continue;
      known[i] = 1;
      found.push(i);
      for (let k = cellStarts[i]!; k < cellStarts[i + 1]!; k++) if (--unknown[cellsOf[k]!]! === 1) open.push(cellsOf[k]!);
    }
  }
  return found;
}
