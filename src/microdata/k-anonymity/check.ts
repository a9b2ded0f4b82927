import type { MemoryTable } from "../../columns/memory-keys.ts";
import { PolicyError } from "../../errors/index.ts";
import { equivalenceClassSizes, type KeysOption } from "../risk/memory.ts";
import { measureClassSizes, type KAnonymityMeasure } from "./measure.ts";

export interface KAnonymityCheck extends KeysOption {
  /** Records in the smallest class allowed. */
  readonly k: number;
}

/**
 * Whether every record of data in memory shares its keys with at least k - 1 others, and how far they are from it.
 * @throws PolicyError `k-anonymity/bad-k`; DataError `memory/...` when the data or a key cannot be read
 */
export function checkKAnonymity(data: MemoryTable, check: KAnonymityCheck): KAnonymityMeasure {
  if (!Number.isSafeInteger(check.k) || check.k < 1) {
    throw new PolicyError("k-anonymity/bad-k", `k is records per equivalence class, a whole number of at least 1; found ${check.k}.`, { k: String(check.k) });
  }
  return measureClassSizes(equivalenceClassSizes(data, check), check.k);
}
