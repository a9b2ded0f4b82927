import type { Batch } from "../columns/index.ts";

/** How the source itself stores a column; CSV knows text only. */
export type PhysicalType = "text" | "integer" | "number" | "boolean" | "date" | "timestamp" | "other";

export interface SourceColumn {
  readonly name: string;
  readonly type: PhysicalType;
}

/** One column that a pass must decode, and as what. */
export interface ColumnRequest {
  readonly name: string;
  /** "codes" for everything that is compared (keys, released text); "numbers" for measures and weights. */
  readonly as: "codes" | "numbers";
  /**
   * Texts that mean null. Applied by the source to "numbers" (anything else that is not a number is an error);
   * "codes" columns give such texts as ordinary values and the policy's recoding turns them into null.
   */
  readonly nulls?: readonly string[];
}

export interface PassOptions {
  readonly columns: readonly ColumnRequest[];
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with input bytes consumed so far (0 when the source has no notion of bytes). */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** One reading of the source from start to end. */
export interface Pass {
  /** Batches in input order. Buffers may be reused after the next batch is asked for. */
  readonly batches: AsyncIterable<Batch>;
  /**
   * Hash of everything the pass read ("sha256:<hex>"), once the batches have ended; two passes over the same content agree.
   * @throws InternalError when asked before the end.
   */
  fingerprint(): string;
}

/**
 * Where records come from. Only requested columns are decoded.
 * Values reach the dictionary as canonical UTF-8 text: integers in decimal, booleans "true"/"false", dates "YYYY-MM-DD",
 * timestamps ISO 8601 in UTC, numbers in shortest round-trip form.
 */
export interface Source {
  /** For messages; never published. */
  readonly label: string;
  /** Total input bytes where known, for progress. */
  readonly totalBytes?: number | undefined;
  /** False for one-shot streams, which the release must spool before it can read them twice. */
  readonly reopenable: boolean;
  /** @throws DataError when the header or schema cannot be read. */
  columns(): Promise<readonly SourceColumn[]>;
  /** @throws DataError with row number or byte offset, and never a value, when the content is malformed. */
  open(options: PassOptions): Promise<Pass>;
}
