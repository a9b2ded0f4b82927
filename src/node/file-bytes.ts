import { createGunzip, type Gunzip } from "node:zlib";
import { basename } from "node:path";
import { DataError } from "../errors/index.ts";
import type { ByteSource } from "../sources/bytes.ts";
import { createHasher } from "./hash.ts";
import { changed, identify, inputError, openInput, refuseChanged, sameIdentity, type FileIdentity } from "./input-file.ts";

export interface FileBytesOptions {
  /** Unpack gzip while reading; default by the ending ".gz". */
  readonly gzip?: boolean;
  /** Most bytes that may come out of a gzip file; default without limit, since readers stream. */
  readonly maxUnpackedBytes?: number;
  /** Most bytes out per byte in, once 64 MB are out; default 250. Real tables stay below 100; a bomb reaches 1,032. */
  readonly maxRatio?: number;
}

const READ_BYTES = 1 << 20;
const RATIO_GRACE_BYTES = 64 * 2 ** 20;

/**
 * The bytes of a file. Regular files can be read again, and every reading checks before and after that the file is still the
 * one that was first seen (device, inode, size, modification time). Pipes and terminals can be read once.
 *
 * @throws DataError `source/not-found`, `source/is-a-directory`, `source/unreadable`
 */
export async function openFileBytes(path: string, options: FileBytesOptions = {}): Promise<ByteSource> {
  const { identity, kind } = await identify(path);
  const label = basename(path);
  const gzip = options.gzip ?? /\.gz$/i.test(path);
  const regular = kind === "regular";
  let opened = false;
  return {
    label,
    totalBytes: regular && !gzip ? Number(identity.size) : undefined,
    reopenable: regular,
    hasher: createHasher,
    open: (signal) => {
      if (!regular && opened) {
        throw new DataError("source/one-shot", `"${label}" is a stream and was already read; it cannot be read again. Save it to a file first.`, {
          file: label,
        });
      }
      opened = true;
      const raw = regular ? readRegular(path, identity, signal) : readStream(path, signal);
      return gzip ? gunzip(raw, label, options) : raw;
    },
  };
}

/** Chunks share one buffer of 1 MB. */
async function* readRegular(path: string, expected: FileIdentity, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  const { file, identity } = await openInput(path);
  try {
    if (!sameIdentity(identity, expected)) throw changed(path);
    const buffer = new Uint8Array(READ_BYTES);
    let position = 0;
    for (;;) {
      signal?.throwIfAborted();
      let bytesRead: number;
      try {
        ({ bytesRead } = await file.read(buffer, 0, READ_BYTES, position));
      } catch (error) {
        throw inputError(path, error);
      }
      if (bytesRead === 0) break;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    if (BigInt(position) !== expected.size) throw changed(path);
    await refuseChanged(path, expected, file);
  } finally {
    await file.close().catch(() => undefined);
  }
}

async function* readStream(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted();
  const { file } = await openInput(path);
  try {
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      signal?.throwIfAborted();
      let bytesRead: number;
      try {
        ({ bytesRead } = await file.read(buffer, 0, READ_BYTES, null));
      } catch (error) {
        throw inputError(path, error);
      }
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close().catch(() => undefined);
  }
}

/**
 * Unpack gzip, all members. Node's own stream stops without an error at a member whose first byte is zero, so the bytes it
 * consumed are counted: what is left over means that something was not read.
 *
 * @throws DataError `gzip/damaged` (header, checksum or data), `gzip/truncated`, `gzip/trailing-bytes`, `gzip/too-large`
 */
export async function* gunzip(
  packed: AsyncIterable<Uint8Array>,
  label: string,
  options: FileBytesOptions = {},
): AsyncGenerator<Uint8Array> {
  const maxBytes = options.maxUnpackedBytes ?? Number.POSITIVE_INFINITY;
  const maxRatio = options.maxRatio ?? 250;
  const engine = createGunzip({ chunkSize: 1 << 18 });
  let bytesIn = 0;
  let failure: unknown;

  const feeding = (async () => {
    try {
      for await (const chunk of packed) {
        bytesIn += chunk.length;
        await feed(engine, chunk);
        if (engine.destroyed) return;
      }
      engine.end();
    } catch (error) {
      failure = error;
      engine.destroy(error instanceof Error ? error : new Error("input failed"));
    }
  })();

  let bytesOut = 0;
  let consumed = 0;
  try {
    for await (const chunk of engine) {
      bytesOut += (chunk as Buffer).length;
      if (bytesOut > maxBytes || (bytesOut > RATIO_GRACE_BYTES && bytesOut > maxRatio * Math.max(bytesIn, 1))) {
        throw tooLarge(label, bytesOut);
      }
      yield chunk as Uint8Array;
    }
    await feeding;
    if (failure !== undefined) throw failure;
    consumed = engine.bytesWritten;
    if (bytesIn === 0) throw truncated(label);
    if (consumed !== bytesIn) throw trailing(label, consumed);
  } catch (error) {
    if (failure !== undefined) throw failure;
    throw gzipError(label, error);
  } finally {
    engine.destroy();
    await feeding;
  }
}

/** Resolves when the engine has taken the chunk and its buffer may be reused, or when it has ended early. */
function feed(engine: Gunzip, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (engine.destroyed) return resolve();
    engine.once("close", resolve);
    engine.write(chunk, () => {
      engine.off("close", resolve);
      resolve();
    });
  });
}

function gzipError(label: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === "Z_BUF_ERROR") return truncated(label);
  if (typeof code === "string" && code.startsWith("Z_")) {
    return new DataError("gzip/damaged", `The gzip file "${label}" is damaged: its header, data or checksum is wrong. Get it again, or unpack and check it.`, {
      file: label,
      zlib: code,
    });
  }
  return error;
}

function truncated(label: string): DataError {
  return new DataError("gzip/truncated", `The gzip file "${label}" ends too early. Get the whole file again.`, { file: label });
}

function trailing(label: string, offset: number): DataError {
  return new DataError(
    "gzip/trailing-bytes",
    `The gzip file "${label}" has bytes from offset ${offset} on that belong to no gzip member; data may be missing. Get it again, or unpack and check it.`,
    { file: label, offset },
  );
}

function tooLarge(label: string, bytes: number): DataError {
  return new DataError(
    "gzip/too-large",
    `The gzip file "${label}" unpacks to more than expected (stopped after ${bytes} bytes). If that is right, unpack it first or raise the limit.`,
    { file: label, bytes },
  );
}
