/** What a person may say about published tables that the files themselves do not show. Everything may be left out. */
import type { Markers } from "./cell-text.ts";

export interface TableStructure {
  readonly dimensions?: Readonly<Record<string, DimensionStructure>> | undefined;
  /** By file name. */
  readonly tables?: Readonly<Record<string, FileStructure>> | undefined;
  /** By measure: the name of its column, or the name that a file gives it. */
  readonly measures?: Readonly<Record<string, MeasureStructure>> | undefined;
  readonly markers?: Markers | undefined;
}

export interface DimensionStructure {
  /** Labels that stand for the sum over the dimension. */
  readonly totals?: readonly string[] | undefined;
  /** Nested categories: each label that is a sum, with the labels that it is the sum of. */
  readonly tree?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Further ways to add up: a label may be in any number of groups, published or not. Places of one vintage in terms of another. */
  readonly groups?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Instead of a tree: every place with its level and the index of the place that holds it, as a plan lists them. */
  readonly places?: readonly {
    readonly level: string; readonly label: string | null; readonly parent: number;
    /** Of a group (parent -2): the places that it is the sum of. */
    readonly parts?: readonly number[] | undefined;
  }[] | undefined;
  /** Other spellings of a label. */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
}

export interface FileStructure {
  readonly layout?: "long" | "crosstab" | undefined;
  readonly dimensions?: readonly string[] | undefined;
  /** Columns of numbers. */
  readonly values?: readonly string[] | undefined;
  readonly annotation?: string | undefined;
  /** Column -> dimension or measure under another name, so that tables of several files fit together. */
  readonly rename?: Readonly<Record<string, string>> | undefined;
  /** Name of the dimension that a crosstab's columns are categories of. */
  readonly across?: string | undefined;
  /** Categories that hold for the whole file: dimension -> label. */
  readonly fixed?: Readonly<Record<string, string>> | undefined;
  /** What a combination of the file's categories is that has no row: "empty", or "unknown" where it may have been hidden. */
  readonly missingRows?: "empty" | "unknown" | undefined;
  /** Level of all categories of a dimension, as `places` name it, where no column says so. */
  readonly levels?: Readonly<Record<string, string>> | undefined;
  /** Columns of numbers that are not attacked, such as medians. */
  readonly notAttacked?: readonly string[] | undefined;
  /** Columns of percentages, rates and means. */
  readonly ratios?: readonly RatioStructure[] | undefined;
}

/** `column` = scale x numerator / denominator, rounded to so many decimals. */
export interface RatioStructure {
  readonly column: string;
  readonly numerator: string;
  /**
   * A column of the same row, the numerator's own total over some dimensions ("share of all sexes"), or a measure that no file shows.
   */
  readonly denominator: string | { readonly over: readonly string[] } | { readonly measure: string };
  readonly decimals: number;
  /** 100 for percentages (default), 1 for means and shares, 1000 or 100000 for rates. */
  readonly scale?: number | undefined;
}

export interface MeasureStructure {
  /** Counts are whole numbers of persons under the threshold rule; amounts are any numbers, and must not be computable. */
  readonly kind?: "count" | "amount" | undefined;
  /** A measure that is at least as large in every cell: the events within their population. */
  readonly within?: string | undefined;
  /** Whether hidden numbers of it must stay unknown. Default true. */
  readonly protect?: boolean | undefined;
}
