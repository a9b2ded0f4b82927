import type { Batch } from "../columns/index.ts";

/** Rows of all columns, at most `capacity`; the arrays are as long as the capacity and are used again for the next chunk. */
export interface RowChunk {
  readonly rows: number;
  /** [columns] codes, or numbers where the column has no dictionary. */
  readonly columns: readonly (Int32Array | Float64Array)[];
}

/**
 * Cuts rows anew into chunks of a fixed size, so that how the input was cut into batches does not show in the output.
 */
export class RowChunks {
  readonly #capacity: number;
  readonly #columns: readonly (Int32Array | Float64Array)[];
  #rows = 0;

  /** @param asCodes [columns] true for columns of codes */
  constructor(capacity: number, asCodes: readonly boolean[]) {
    this.#capacity = capacity;
    this.#columns = asCodes.map((codes) => (codes ? new Int32Array(capacity) : new Float64Array(capacity)));
  }

  /** Take in a batch; calls `full` for every chunk that it fills. */
  async add(batch: Batch, full: (chunk: RowChunk) => Promise<void>): Promise<void> {
    for (let from = 0; from < batch.records; ) {
      const taken = Math.min(batch.records - from, this.#capacity - this.#rows);
      for (const [c, column] of batch.columns.entries()) {
        const values = column.kind === "codes" ? column.codes : column.values;
        this.#columns[c]!.set(values.subarray(from, from + taken), this.#rows);
      }
      from += taken;
      this.#rows += taken;
      if (this.#rows === this.#capacity) await this.end(full);
    }
  }

  /** Give out what is left, if anything. */
  async end(last: (chunk: RowChunk) => Promise<void>): Promise<void> {
    if (this.#rows === 0) return;
    const chunk = { rows: this.#rows, columns: this.#columns };
    this.#rows = 0;
    await last(chunk);
  }
}
