import { DataError, InternalError } from "../../errors/index.ts";
import type { TableSystem } from "../tabulate/index.ts";

/**
 * Keys of cells: the sum of the keys of a cell's records modulo `keys`, exactly. The same records give the same key in every
 * table, whatever else is published and in whatever order the records came; keys of cells without common records add up.
 *
 * @param recordKeys [inner] sum of the record keys of each inner cell, whole and below 2^53; may be reduced modulo `keys`
 * @returns [cells] 0 .. keys - 1
 * @throws DataError `cell-key/record-key-sum` when a sum is no whole number from 0 to 2^53 - 1
 * Time O(entries of the system).
 */
export function cellKeys(
  system: Pick<TableSystem, "cells" | "inner" | "starts" | "rows" | "signs">,
  recordKeys: Float64Array,
  keys: number,
): Float64Array {
  if (recordKeys.length !== system.inner) {
    throw new InternalError("cell-key/record-key-sums", "Record keys were summed for other inner cells than those of the tables.");
  }
  const inner = new Float64Array(system.inner);
  for (let i = 0; i < inner.length; i++) {
    const sum = recordKeys[i]!;
    if (!Number.isSafeInteger(sum) || sum < 0) {
      throw new DataError(
        "cell-key/record-key-sum",
        "The record keys of a cell do not add up to a whole number from 0 to 2^53 - 1. " +
          "Record keys are whole numbers from 0; check the column of record keys for fractions, negative numbers and gaps.",
      );
    }
    inner[i] = sum % keys;
  }
  const { starts, rows, signs } = system;
  const result = new Float64Array(system.cells);
  for (let c = 0; c < system.cells; c++) {
    let key = 0;
    for (let at = starts[c]!; at < starts[c + 1]!; at++) {
      const own = inner[rows[at]!]!;
      key += signs !== undefined && signs[at]! < 0 ? keys - own : own;
      if (key >= keys) key -= keys;
    }
    result[c] = key;
  }
  return result;
}
