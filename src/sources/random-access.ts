import { DataError } from "../errors/index.ts";

/** Bytes that can be read at any place, such as a file. `node/` implements it for files. */
export interface RandomAccess {
  /** Bytes in all, as of opening. */
  readonly size: number;
  /**
   * Exactly bytes offset .. offset + length. The result may be a view on shared memory: do not write to it.
   * @throws DataError when the range is not there, also because the file shrank since opening.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Called after the last read of a pass. @throws DataError when the bytes changed since opening. */
  verifyUnchanged?(): Promise<void>;
  close?(): Promise<void>;
}

/** Opens the same bytes anew for each pass. */
export type OpenRandomAccess = () => Promise<RandomAccess>;

/** What a source of bytes may be given as. Something open already is not closed; what a function opens, is. */
export type ByteInput = Uint8Array | RandomAccess | OpenRandomAccess;

export function bytesAccess(bytes: Uint8Array): RandomAccess {
  return {
    size: bytes.length,
    async read(offset, length) {
      requireRange(offset, length, bytes.length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** @throws DataError source/truncated when the range is not inside `size` bytes. */
export function requireRange(offset: number, length: number, size: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
    throw new DataError("source/truncated", `The file ends at byte ${size}, but ${length} bytes are expected at byte ` +
      `${offset}. The file is cut off or damaged; get a fresh copy.`, { size, offset, length });
  }
}

/** Open for one use. Call `close` afterwards. */
export async function openInput(input: ByteInput): Promise<{ readonly access: RandomAccess; close(): Promise<void> }> {
  if (input instanceof Uint8Array) return { access: bytesAccess(input), close: async () => {} };
  if (typeof input !== "function") return { access: input, close: async () => {} };
  const access = await input();
  return { access, close: async () => access.close?.() };
}
