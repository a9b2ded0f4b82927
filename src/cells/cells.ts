/**
 * The narrow waist: combinations of coded key values with their aggregates. An equivalence class of microdata and a cell of
 * a statistical table are the same object. Everything that decides works on Cells.
 */

/** Aggregates of one measure per cell; all of them merge. */
export interface MeasureCells {
  readonly name: string;
  /** [cells] records that have a value. */
  readonly values: Float64Array;
  /** [cells] sum of the values, nulls left out. */
  readonly sum: Float64Array;
  /** [cells] sum of absolute values. */
  readonly sumAbs: Float64Array;
  /** [cells] smallest and largest value; NaN where every value is null. */
  readonly min: Float64Array;
  readonly max: Float64Array;
}

export interface Cells {
  /** Name of each key, in order. */
  readonly keys: readonly string[];
  /** [keys] number of codes each key may take: every code is -1 (null) or in 0 .. sizes[key] - 1. */
  readonly sizes: readonly number[];
  /** Number of cells. */
  readonly size: number;
  /** [keys][cells] code of the key's value, -1 for null. No combination occurs twice. Arrays are exactly `size` long. */
  readonly codes: readonly Int32Array[];
  /** [cells] records in the cell, exact integers below 2^53. */
  readonly records: Float64Array;
  /** [cells] sum of sampling weights, when there is a weight. */
  readonly weight?: Float64Array;
  readonly measures: readonly MeasureCells[];
}

/** How one key is coarsened: new code of each old code, and how many new codes there are. Null stays null. */
export interface CodeMap {
  /** [old codes] new code, -1 for null. */
  readonly map: Int32Array;
  readonly size: number;
}
