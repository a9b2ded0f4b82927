import type { Dictionary } from "./dictionary.ts";

/** A column of dictionary codes. The dictionary may grow between batches of one pass; codes given earlier keep their meaning. */
export interface CodeColumn {
  readonly kind: "codes";
  /** [records] code of each record's value, -1 for null. */
  readonly codes: Int32Array;
  readonly dictionary: Dictionary;
}

/** A column of numbers, for measures and weights only; keys are never numbers. */
export interface NumberColumn {
  readonly kind: "numbers";
  /** [records] value of each record, NaN for null. */
  readonly values: Float64Array;
}

export type Column = CodeColumn | NumberColumn;

/** Consecutive records of a source. Arrays may be longer than `records`; only the leading entries count. */
export interface Batch {
  readonly records: number;
  /** In the order of the request. */
  readonly columns: readonly Column[];
}
