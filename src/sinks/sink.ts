import type { Batch } from "../columns/index.ts";

/** How a released column is typed in formats that have types. */
export type ReleasedType = "string" | "integer" | "number" | "boolean" | "date";

/** Formats a release can be written in. */
export type ReleaseFormat = "csv" | "arrow" | "parquet";

export interface ReleasedColumn {
  readonly name: string;
  readonly type: ReleasedType;
}

/** Bytes to a place that appears whole or not at all; `node/` implements it for files, tests in memory. */
export interface ByteSink {
  /** The caller may reuse `bytes` once the promise has settled. Calls do not overlap. */
  write(bytes: Uint8Array): Promise<void>;
  /** All bytes are handed over and can be read back. Whoever publishes them makes them durable first. */
  close(): Promise<void>;
  /** Remove every trace. */
  abort(): Promise<void>;
}

/**
 * Writes released batches in one format. All batches of one column share one dictionary, complete before the first batch.
 * Only the values of records that were written reach the bytes: no writer copies a dictionary, so an entry that no record
 * uses leaves no trace, and neither the cut into batches nor the order of codes shows.
 */
export interface TableWriter {
  /**
   * @throws InternalError `sinks/...` when a batch breaks the contract (code outside the dictionary, another dictionary).
   * @throws DataError when a value does not fit the column's released type.
   */
  write(batch: Batch): Promise<void>;
  /** Write what is buffered and the format's end. The sink is left open for its owner to close. */
  close(): Promise<void>;
}
