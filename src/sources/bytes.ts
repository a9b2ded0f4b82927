/** SHA-256 of what was given to it. Passed in, since only Node has a synchronous one. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Lower-case hexadecimal; nothing may be added afterwards. */
  digest(): string;
}

/** Bytes to read records from: a file, a decompressed file, a stream, an array. */
export interface ByteSource {
  /** For messages; never published. */
  readonly label: string;
  /** Total bytes that `open` will give, where known. */
  readonly totalBytes?: number | undefined;
  /** False when `open` works once only. */
  readonly reopenable: boolean;
  /** The bytes from the start, in pieces that stay as they are until the next one is asked for. */
  open(signal?: AbortSignal): AsyncIterable<Uint8Array>;
  hasher(): Hasher;
}

export interface BytesFromArrayOptions {
  readonly label?: string;
  readonly hasher: () => Hasher;
  /** Bytes of each piece. */
  readonly pieceBytes?: number;
}

/** Bytes that are in memory already. */
export function bytesFromArray(bytes: Uint8Array, options: BytesFromArrayOptions): ByteSource {
  const pieceBytes = options.pieceBytes ?? 1024 * 1024;
  return {
    label: options.label ?? "bytes in memory",
    totalBytes: bytes.length,
    reopenable: true,
    hasher: options.hasher,
    async *open(signal) {
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        signal?.throwIfAborted();
        yield bytes.subarray(at, at + pieceBytes);
      }
    },
  };
}
