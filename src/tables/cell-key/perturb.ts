import { DataError, InternalError } from "../../errors/index.ts";
import type { PerturbationInput } from "../perturbation/method.ts";
import { cellKeys } from "./cell-keys.ts";
import { lookUp, type KeyTable } from "./key-table.ts";

/**
 * Published counts: each cell's count plus the noise that the table has for its count and its key.
 *
 * @returns [cells]; the same records give the same number in every table
 * @throws DataError `cell-key/negative-count` when a group with negative parts gives less than 0 records, and those of cellKeys
 * Time O(entries of the system + cells x log entries of a row).
 */
export function perturbCounts({ system, recordKeys }: PerturbationInput, table: KeyTable): Float64Array {
  if (recordKeys === undefined) {
    throw new InternalError("cell-key/no-record-keys", "The cell-key method was called without sums of record keys.");
  }
  const noise = new Int32Array(system.cells);
  for (let c = 0; c < system.cells; c++) {
    if (!Number.isSafeInteger(system.count[c]!) || system.count[c]! < 0) {
      throw new DataError(
        "cell-key/negative-count",
        "A published group takes more records away than it has. The cell-key method changes counts of records that can be named; " +
          "define the group so that what is taken away lies within it.",
      );
    }
  }
  lookUp(table, system.count, cellKeys(system, recordKeys, table.keys), noise);
  return system.count.map((count, c) => count + noise[c]!);
}

/**
 * Weighted counts: the noise of the unweighted count times the mean weight of the cell's records.
 *
 * @param counts   [cells] records
 * @param weighted [cells] sums of weights
 * @param noise    [cells] as lookUp gave it for the counts
 * @returns [cells] weighted + noise x weighted / count; as it was where there are no records
 * Source: cellKey package, sdcTools; its vignette's total of 4,580 records and weight 275,982 with noise -2 is 275,861.4838.
 */
export function perturbWeighted(counts: Float64Array, weighted: Float64Array, noise: Int32Array): Float64Array {
  return weighted.map((sum, c) => (counts[c]! > 0 ? sum + noise[c]! * (sum / counts[c]!) : sum));
}
