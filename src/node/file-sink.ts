import type { ByteSink } from "../sinks/sink.ts";
import { nodeFileSystem, outputError, type FileSystem, type OpenFile } from "./file-system.ts";

const BUFFER_BYTES = 1 << 18;

/** `close` hands the bytes to the system and starts making them durable, so that they can be read back meanwhile. */
export interface FileSink extends ByteSink {
  /** Settles when the closed file is durable (fsync). */
  durable(): Promise<void>;
}

/**
 * A new file of mode 0600. An existing file or symbolic link at the path is refused. Small writes are gathered into
 * 256 KB; `abort`, or any failure, leaves the file to be removed by `abort`.
 *
 * @throws DataError `output/write-failed` from every call when the system refuses, with its error code.
 */
export async function createFileSink(path: string, fs: FileSystem = nodeFileSystem): Promise<FileSink> {
  let file: OpenFile | undefined;
  try {
    file = await fs.open(path, "wx", 0o600);
  } catch (error) {
    throw outputError("create", path, error);
  }
  let buffer = new Uint8Array(BUFFER_BYTES);
  let held = 0;
  let synced: Promise<void> | undefined;

  async function writeAll(bytes: Uint8Array, length: number): Promise<void> {
    let done = 0;
    while (done < length) {
      const { bytesWritten } = await file!.write(bytes, done, length - done);
      // A system that writes nothing and reports no error would make this loop endless.
      if (bytesWritten <= 0) throw Object.assign(new Error(), { code: "EIO" });
      done += bytesWritten;
    }
  }

  async function flush(): Promise<void> {
    const length = held;
    held = 0;
    if (length > 0) await writeAll(buffer, length);
  }

  async function guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw outputError("write", path, error);
    }
  }

  function refuseClosed(): void {
    if (!file) throw Object.assign(new Error(), { code: "EBADF" });
  }

  return {
    write: (bytes) =>
      guarded(async () => {
        refuseClosed();
        if (held + bytes.length > BUFFER_BYTES) await flush();
        if (bytes.length >= BUFFER_BYTES) await writeAll(bytes, bytes.length);
        else {
          buffer.set(bytes, held);
          held += bytes.length;
        }
      }),
    close: () =>
      guarded(async () => {
        refuseClosed();
        await flush();
        buffer = new Uint8Array(0); // a closed sink is kept until it is durable
        const closing = file!;
        file = undefined;
        synced = closing.sync().finally(() => closing.close());
        synced.catch(() => undefined); // told by `durable`
      }),
    durable: () =>
      guarded(async () => {
        if (!synced) throw Object.assign(new Error(), { code: "EBADF" });
        await synced;
      }),
    abort: async () => {
      held = 0;
      await synced?.catch(() => undefined);
      const closing = file;
      file = undefined;
      // Both are tried; the first failure is reported, since bytes may be left.
      const failures: unknown[] = [];
      if (closing) await closing.close().catch((error: unknown) => failures.push(error));
      await fs.removeTree(path).catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw outputError("remove", path, failures[0]);
    },
  };
}
