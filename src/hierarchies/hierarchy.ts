import type { Dictionary } from "../columns/index.ts";

/**
 * A value generalization hierarchy: level 0 is the value itself, each higher level is coarser, levels nest.
 * A hierarchy is a rule; bound to the dictionary of a column it is a table of code maps.
 */
export interface Hierarchy {
  /** Levels including level 0. */
  readonly levels: number;
  /** What each level is, for people: "5-year intervals". */
  readonly levelNames: readonly string[];
  /**
   * Map every value of the dictionary at every level.
   * @throws DataError `hierarchy/unmapped` with the number of values (not the values) that the hierarchy does not know,
   *         `hierarchy/not-nested` when two values together at one level part at a higher one.
   * Time O(values x levels).
   */
  bind(dictionary: Dictionary, column: string): BoundHierarchy;
}

export interface BoundLevel {
  /** [leaf codes] code at this level; level 0 is the identity. */
  readonly map: Int32Array;
  /** Values at this level; sorted by bytes above level 0, so that codes do not show input order. */
  readonly dictionary: Dictionary;
  /**
   * [level codes] share of the hierarchy's domain that the value covers, 0 < share <= 1: leaves under it over all leaves
   * of the hierarchy, or width over width for intervals. Level 0 has 1 / leaves. Source: Iyengar (2002), loss metric.
   */
  readonly share: Float64Array;
}

export interface BoundHierarchy {
  readonly column: string;
  readonly levels: readonly BoundLevel[];
  /** Number of leaves of the whole domain, whether or not the data hold them. */
  readonly leaves: number;
}
