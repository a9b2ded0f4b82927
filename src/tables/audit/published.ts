/** What an attacker holds: published tables, the structure of their dimensions, and the public rule. */

/** A dimension as the specification describes it. Place 0 is the total; every other place is a category of one level. */
export interface AuditColumn {
  readonly column: string;
  readonly size: number;
  /** [places] level of the hierarchy, -1 at the total; a smaller number is finer. */
  readonly level: Int32Array;
  /** [places] place that holds this one at the next published level up, 0 for the total, -1 at the total itself. */
  readonly parent: Int32Array;
  /**
   * Groupings that are not nested, and further hierarchies over the same column: each such place is a signed sum of places of
   * the column's finest level. Its level is at least GROUPING_LEVEL, one number for each set of groupings, its parent -2.
   */
  readonly groups?: readonly AuditGroup[] | undefined;
}

/** A grouping place as the sum of places of the column's finest level; a sign of -1 takes the part away. */
export interface AuditGroup {
  readonly place: number;
  readonly parts: readonly number[];
  /** [parts] default 1. */
  readonly signs?: readonly (1 | -1)[] | undefined;
}

export const GROUPING_LEVEL = 1000;

/** Marks of a row; `HIDDEN` is a blank whose reason is not told. */
export const SHOWN = 0;
export const HIDDEN = 1;
export const HIDDEN_COMPLEMENTARY = 2;

export interface AuditTable {
  readonly name: string;
  /** [dimensions] index among the columns. */
  readonly columnOf: readonly number[];
  readonly rows: number;
  /** [dimensions][rows] place of the row. */
  readonly places: readonly Int32Array[];
  /** [rows] published count; NaN where the cell is blank. */
  readonly count: Float64Array;
  /** [rows] SHOWN, HIDDEN, or HIDDEN_COMPLEMENTARY where codes are separate. */
  readonly mark: Uint8Array;
}

export interface AuditInput {
  readonly columns: readonly AuditColumn[];
  /** Everything published about the same records. A combination that a published margin does not list has no records. */
  readonly tables: readonly AuditTable[];
  /** Counts below it are hidden for being small. */
  readonly threshold: number;
  /** With "publish" a hidden cell is known not to be empty. */
  readonly zeros: "publish" | "protect";
  /** Whether a category that nobody is in is known to be no row, so that a listed one holds somebody, also where zeros are hidden. */
  readonly listedOccur?: boolean | undefined;
  /** Smallest count behind a blank, where that is not what `zeros` says. */
  readonly floor?: number | undefined;
  /** With "separate" HIDDEN means a small count and HIDDEN_COMPLEMENTARY a count of at least the threshold, unless `told` says else. */
  readonly codes: "merged" | "separate";
  /** What separate codes tell where other rules than the threshold hide cells too. */
  readonly told?: ToldByCodes | undefined;
}

/** Counts that a reader who knows the rules can conclude from separate codes. */
export interface ToldByCodes {
  /** Largest count behind HIDDEN; Infinity where some rule hides cells of any size. */
  readonly hiddenMost: number;
  /** Smallest count behind HIDDEN_COMPLEMENTARY: no rule on counts would have hidden it. */
  readonly complementaryLeast: number;
}
