/** A sequence of bytes, such as a file, that a source reads from start to end. */
export interface ByteSource {
  /** For messages; never published. */
  readonly label: string;
  /** Bytes to be read where known, before decompression, for progress. */
  readonly totalBytes?: number | undefined;
  /** False for one-shot streams such as a pipe. */
  readonly reopenable: boolean;
  /**
   * Read from the start. A chunk is valid until the next one is asked for.
   * @throws DataError when the bytes cannot be read whole, or changed since they were first read.
   */
  open(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}
