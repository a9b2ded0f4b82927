import type { Hasher, NewHasher } from "./hasher.ts";

export type { Hasher } from "./hasher.ts";

/** A sequence of bytes, such as a file, that a source reads from start to end. */
export interface ByteSource {
  /** For messages; never published. */
  readonly label: string;
  /** Bytes that `open` will give, where known, for progress. */
  readonly totalBytes?: number | undefined;
  /** False for one-shot streams such as a pipe. */
  readonly reopenable: boolean;
  /**
   * Read from the start. A piece is valid until the next one is asked for.
   * @throws DataError when the bytes cannot be read whole, or changed since they were first read.
   */
  open(signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** A SHA-256 for the fingerprint of a pass. */
  hasher(): Hasher;
}

export interface BytesFromArrayOptions {
  readonly label?: string;
  readonly hasher: NewHasher;
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

/** Pieces as one array of their own. */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
