/**
 * Temporary bytes on disk, readable by this process only and by nobody once it has ended: the file is unlinked as soon as it
 * is open, and every block is sealed with AES-256-GCM under a random key that never leaves memory. The nonce of a block is
 * its offset in the file, which is unique because the file only grows.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { open, unlink, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Spill, SpillHandle } from "../columns/spill.ts";
import { DataError, InternalError } from "../errors/index.ts";
import { systemCode } from "./file-system.ts";

const TAG_BYTES = 16;
/** Node's ciphers take at most 2^31 - 1 bytes a call. */
const MAX_BLOCK_BYTES = 2 ** 30;

/**
 * @param directory where the file is made; default the system's folder for temporary files
 * @throws DataError `spill/unavailable` when the file cannot be made
 */
export async function createSpill(directory: string = tmpdir()): Promise<Spill> {
  const path = join(directory, `.commensurate-${randomBytes(16).toString("hex")}`);
  let file: FileHandle;
  try {
    file = await open(path, "wx+", 0o600);
  } catch (error) {
    throw spillError("spill/unavailable", "make a temporary file", error);
  }
  // Systems that cannot unlink an open file (Windows) keep it until close.
  const unlinked = await unlink(path).then(
    () => true,
    () => false,
  );
  return new SpillFile(file, unlinked ? undefined : path);
}

class SpillFile implements Spill {
  readonly #file: FileHandle;
  readonly #leftover: string | undefined;
  readonly #key = randomBytes(32);
  #end = 0;
  #size = 0;
  #closed = false;

  constructor(file: FileHandle, leftover: string | undefined) {
    this.#file = file;
    this.#leftover = leftover;
  }

  get size(): number {
    return this.#size;
  }

  async append(bytes: Uint8Array): Promise<SpillHandle> {
    this.#refuseClosed();
    if (bytes.length > MAX_BLOCK_BYTES) {
      throw new InternalError("spill/block-too-large", `A block of ${bytes.length} bytes exceeds ${MAX_BLOCK_BYTES}.`, { bytes: bytes.length });
    }
    // Reserve the place before the first await, so that overlapping calls never share an offset, hence a nonce.
    const offset = this.#end;
    this.#end += bytes.length + TAG_BYTES;
    this.#size += bytes.length;
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonceOf(offset));
    const body = cipher.update(bytes);
    cipher.final();
    await this.#write(body, offset);
    await this.#write(cipher.getAuthTag(), offset + body.length);
    return { offset, length: bytes.length };
  }

  async read(handle: SpillHandle): Promise<Uint8Array> {
    this.#refuseClosed();
    const sealed = new Uint8Array(handle.length + TAG_BYTES);
    let done = 0;
    while (done < sealed.length) {
      let bytesRead: number;
      try {
        ({ bytesRead } = await this.#file.read(sealed, done, sealed.length - done, handle.offset + done));
      } catch (error) {
        throw spillError("spill/read-failed", "read the temporary file", error);
      }
      if (bytesRead === 0) throw damaged();
      done += bytesRead;
    }
    const decipher = createDecipheriv("aes-256-gcm", this.#key, nonceOf(handle.offset));
    decipher.setAuthTag(sealed.subarray(handle.length));
    const plain = decipher.update(sealed.subarray(0, handle.length));
    try {
      decipher.final();
    } catch {
      plain.fill(0);
      throw damaged();
    }
    // Callers view the bytes as wider typed arrays, which needs an aligned start.
    return plain.byteOffset % 8 === 0 ? new Uint8Array(plain.buffer, plain.byteOffset, plain.length) : new Uint8Array(plain);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#key.fill(0);
    await this.#file.close().catch(() => undefined); // the file has no name any more; the system frees it with the handle
    if (this.#leftover !== undefined) {
      await unlink(this.#leftover).catch((error: unknown) => {
        if (systemCode(error) !== "ENOENT") throw spillError("spill/not-removed", "remove the temporary file", error);
      });
    }
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    let done = 0;
    try {
      while (done < bytes.length) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, position + done);
        if (bytesWritten <= 0) throw Object.assign(new Error(), { code: "EIO" });
        done += bytesWritten;
      }
    } catch (error) {
      throw spillError("spill/write-failed", "write the temporary file", error);
    }
  }

  #refuseClosed(): void {
    if (this.#closed) throw new InternalError("spill/closed", "The temporary file was used after it was closed.");
  }
}

function nonceOf(offset: number): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, BigInt(offset));
  return nonce;
}

function damaged(): DataError {
  return new DataError("spill/damaged", "The temporary file does not hold what was written to it. Check the disk and run again.");
}

function spillError(code: string, what: string, error: unknown): DataError {
  const errno = systemCode(error);
  return new DataError(code, `Could not ${what} (${errno}). Check that the temporary folder is writable and has space.`, { errno });
}
