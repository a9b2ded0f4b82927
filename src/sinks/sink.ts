import type { Batch } from "../columns/index.ts";

/** How a released column is typed in formats that have types. */
export type ReleasedType = "string" | "integer" | "number" | "boolean" | "date";

export interface ReleasedColumn {
  readonly name: string;
  readonly type: ReleasedType;
}

/** Bytes to a place that appears whole or not at all; `node/` implements it for files, tests in memory. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
  /** Make the bytes durable. The caller publishes them. */
  close(): Promise<void>;
  /** Remove every trace. */
  abort(): Promise<void>;
}

/**
 * Writes released batches in one format. All batches of one column share one dictionary, which holds released values only
 * and is complete before the first batch; nothing else may reach the bytes.
 */
export interface TableWriter {
  write(batch: Batch): Promise<void>;
  close(): Promise<void>;
}
