import { memoryColumns, type MemoryTable } from "../../columns/memory-keys.ts";
import { groupCodes, groupScratch } from "../../kernels/group-codes.ts";
import { classRisk, type ClassRisk } from "./class-sizes.ts";

export interface KeysOption {
  /** Columns an intruder may know. Every column when absent. */
  readonly keys?: readonly string[];
}

/**
 * [classes] records in each equivalence class, in order of first sight. Null is a value of its own.
 * @throws DataError `memory/...` when the data or a key cannot be read
 * Time O(records x keys).
 */
export function equivalenceClassSizes(data: MemoryTable, options: KeysOption = {}): Uint32Array {
  const columns = memoryColumns(data);
  const keys = [...new Set(options.keys ?? columns.names)].map((name) => columns.key(name));
  const scratch = groupScratch();
  const classes = groupCodes(keys.map(({ codes }) => codes), keys.map(({ size }) => size), columns.records, scratch);
  const sizes = new Uint32Array(classes);
  const classOf = scratch.groupOf;
  for (let i = 0; i < columns.records; i++) sizes[classOf[i]!]!++;
  return sizes;
}

/** Risk of being singled out by the keys, for data in memory. @throws as `equivalenceClassSizes` */
export function riskMeasures(data: MemoryTable, options: KeysOption = {}): ClassRisk {
  return classRisk(equivalenceClassSizes(data, options));
}
