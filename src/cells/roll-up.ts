import { DataError, InternalError } from "../errors/index.ts";
import { groupCodes, groupScratch } from "../kernels/group-codes.ts";
import { sortedOrder } from "../kernels/sort-words.ts";
import type { Cells, CodeMap, MeasureCells } from "./cells.ts";

/** What becomes of a key: recoded, kept as it is, or removed so that the cells are summed over it. */
export type KeyChange = CodeMap | null | "drop";

/**
 * Coarser cells from finer ones.
 *
 * @param maps [keys] a code map recodes the key, null keeps it, "drop" removes it (a margin)
 * @returns cells in ascending order of their codes, key by key, null first, whatever the order of the input
 *
 * Records add up exactly. Weights and measures add up as floats in the order of the input: exact for integers below 2^53,
 * otherwise their last bits depend on that order. With every key dropped there is one cell, or none when there are none.
 * Time O(keys x cells), no strings, memory some 12 bytes a cell beside the result.
 */
export function rollUp(cells: Cells, maps: readonly KeyChange[]): Cells {
  if (maps.length !== cells.keys.length) {
    throw new InternalError("cells/roll-up-maps", `Roll-up got ${maps.length} code maps for ${cells.keys.length} keys.`);
  }
  const keys: string[] = [];
  const sizes: number[] = [];
  const codes: Int32Array[] = [];
  const lookups: (Int32Array | null)[] = [];
  maps.forEach((map, key) => {
    if (map === "drop") return;
    keys.push(cells.keys[key]!);
    sizes.push(map === null ? cells.sizes[key]! : map.size);
    codes.push(cells.codes[key]!);
    lookups.push(map === null ? null : codeLookup(map, cells.sizes[key]!, cells.keys[key]!));
  });
  return aggregate({ ...cells, keys, sizes, codes }, lookups);
}

/**
 * One set of cells from parts over the same keys and the same code space, such as the folds of several workers once their
 * codes have been mapped to common ones by `rollUp`. Sizes may differ where a dictionary was still growing.
 * @throws InternalError `cells/merge-mismatch` when there are no parts, or keys, weights or measures differ;
 *         DataError `cells/too-many-records` when the records add up beyond 2^53 - 1.
 */
export function merge(parts: readonly Cells[]): Cells {
  return aggregate(concatenate(parts), []);
}

/** `lookup[code + 1]` = new code + 1, with null in place 0. Checks the map: a wrong one would merge cells silently. */
export function codeLookup(map: CodeMap, size: number, key: string): Int32Array {
  if (map.map.length < size) {
    throw new InternalError("cells/code-map", `The code map of key "${key}" covers ${map.map.length} of ${size} codes.`);
  }
  const lookup = new Int32Array(size + 1);
  let largest = -1;
  let smallest = -1;
  for (let code = 0; code < size; code++) {
    const to = map.map[code]!;
    lookup[code + 1] = to + 1;
    if (to > largest) largest = to;
    if (to < smallest) smallest = to;
  }
  if (largest >= map.size || smallest < -1) {
    throw new InternalError("cells/code-map", `The code map of key "${key}" leaves its range of ${map.size} codes.`);
  }
  return lookup;
}

/** Parts one after the other; combinations may occur twice, so the result is raw material and not yet cells. */
function concatenate(parts: readonly Cells[]): Cells {
  const first = parts[0];
  if (first === undefined) throw new InternalError("cells/merge-mismatch", "There are no cells to merge.");
  if (parts.length === 1) return first;
  let size = 0;
  for (const part of parts) {
    const same = sameNames(part.keys, first.keys)
      && sameNames(part.measures.map((m) => m.name), first.measures.map((m) => m.name))
      && (part.weight === undefined) === (first.weight === undefined);
    if (!same) throw new InternalError("cells/merge-mismatch", "Cells to merge differ in keys, measures or weight.");
    size += part.size;
  }

  const joined = (column: (part: Cells) => Float64Array): Float64Array => {
    const all = new Float64Array(size);
    let at = 0;
    for (const part of parts) {
      all.set(column(part), at);
      at += part.size;
    }
    return all;
  };
  return {
    keys: first.keys,
    sizes: first.sizes.map((_, key) => parts.reduce((most, part) => Math.max(most, part.sizes[key]!), 0)),
    size,
    codes: first.keys.map((_, key) => {
      const all = new Int32Array(size);
      let at = 0;
      for (const part of parts) {
        all.set(part.codes[key]!, at);
        at += part.size;
      }
      return all;
    }),
    records: joined((part) => part.records),
    ...(first.weight === undefined ? {} : { weight: joined((part) => part.weight!) }),
    measures: first.measures.map((measure, m) => ({
      name: measure.name,
      values: joined((part) => part.measures[m]!.values),
      sum: joined((part) => part.measures[m]!.sum),
      sumAbs: joined((part) => part.measures[m]!.sumAbs),
      min: joined((part) => part.measures[m]!.min),
      max: joined((part) => part.measures[m]!.max),
    })),
  };
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}

/** Group rows of cells by their (recoded) codes, merge their aggregates and sort the result by its codes. */
function aggregate(rows: Cells, lookups: readonly (Int32Array | null)[]): Cells {
  const scratch = groupScratch();
  const size = groupCodes(rows.codes, rows.sizes, rows.size, scratch, lookups);
  const order = sortedOrder(scratch.groupWords, scratch.bounds, size);
  const rank = new Int32Array(size);
  for (let place = 0; place < size; place++) rank[order[place]!] = place;
  const cellOf = scratch.groupOf;
  for (let i = 0; i < rows.size; i++) cellOf[i] = rank[cellOf[i]!]!;

  const codes = rows.codes.map((old, key) => {
    const lookup = lookups[key] ?? null;
    const fresh = new Int32Array(size);
    for (let place = 0; place < size; place++) {
      const code = old[scratch.representative[order[place]!]!]!;
      fresh[place] = lookup === null ? code : lookup[code + 1]! - 1;
    }
    return fresh;
  });

  const records = summed(rows.records, cellOf, rows.size, size);
  let total = 0;
  for (let i = 0; i < size; i++) total += records[i]!;
  if (total > Number.MAX_SAFE_INTEGER) {
    throw new DataError(
      "cells/too-many-records",
      "The records add up to more than 2^53 - 1, beyond which counts are no longer exact. Check the frequency column.",
    );
  }
  return {
    keys: rows.keys,
    sizes: rows.sizes,
    size,
    codes,
    records,
    ...(rows.weight === undefined ? {} : { weight: summed(rows.weight, cellOf, rows.size, size) }),
    measures: rows.measures.map((measure): MeasureCells => ({
      name: measure.name,
      values: summed(measure.values, cellOf, rows.size, size),
      sum: summed(measure.sum, cellOf, rows.size, size),
      sumAbs: summed(measure.sumAbs, cellOf, rows.size, size),
      min: smallest(measure.min, cellOf, rows.size, size),
      max: largest(measure.max, cellOf, rows.size, size),
    })),
  };
}

function summed(values: Float64Array, cellOf: Int32Array, rows: number, size: number): Float64Array {
  const sum = new Float64Array(size);
  for (let i = 0; i < rows; i++) sum[cellOf[i]!]! += values[i]!;
  return sum;
}

// Comparisons with NaN are false, so a cell keeps NaN until its first value, and a value is never replaced by NaN.
function smallest(values: Float64Array, cellOf: Int32Array, rows: number, size: number): Float64Array {
  const least = new Float64Array(size).fill(NaN);
  for (let i = 0; i < rows; i++) {
    const value = values[i]!;
    const cell = cellOf[i]!;
    if (value === value && !(least[cell]! <= value)) least[cell] = value;
  }
  return least;
}

function largest(values: Float64Array, cellOf: Int32Array, rows: number, size: number): Float64Array {
  const most = new Float64Array(size).fill(NaN);
  for (let i = 0; i < rows; i++) {
    const value = values[i]!;
    const cell = cellOf[i]!;
    if (value === value && !(most[cell]! >= value)) most[cell] = value;
  }
  return most;
}
