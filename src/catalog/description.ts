import type { ReleasedType } from "../sinks/sink.ts";

/** What the public may know about a release; everything in `public/` besides the data is made from this alone. */
export interface ReleaseDescription {
  readonly name: string;
  readonly title: string;
  readonly description?: string | undefined;
  readonly publisher?: string | undefined;
  readonly contact?: { readonly name?: string | undefined; readonly email?: string | undefined } | undefined;
  /** SPDX or CKAN licence id. */
  readonly license: string;
  /** Release date, YYYY-MM-DD, from the policy; the clock is never read. */
  readonly released?: string | undefined;
  readonly version?: string | undefined;
  readonly keywords: readonly string[];
  readonly tables: readonly TableDescription[];
  /** What was done to protect people, and how to read the result; Markdown paragraphs. */
  readonly methods: readonly string[];
  /** For programs that add tables up: the property `commensurate` of the data package. */
  readonly described?: object | undefined;
}

export interface TableDescription {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly files: readonly TableFile[];
  readonly fields: readonly FieldDescription[];
}

export interface TableFile {
  /** Relative to `public/`. */
  readonly path: string;
  /** crosstab and html are for people and follow no schema. */
  readonly format: "csv" | "arrow" | "parquet" | "crosstab" | "html";
}

export interface FieldDescription {
  readonly name: string;
  readonly type: ReleasedType;
  readonly label?: string | undefined;
  readonly description: string;
  /** What an empty cell means, where the field may be empty. */
  readonly missing?: string | undefined;
  /** Closed list of values with their meaning, for annotation columns. */
  readonly categories?: readonly { readonly value: string; readonly label: string }[] | undefined;
}

export const MEDIA_TYPES = {
  csv: "text/csv",
  arrow: "application/vnd.apache.arrow.file",
  parquet: "application/vnd.apache.parquet",
} as const;
