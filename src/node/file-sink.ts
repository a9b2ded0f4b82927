import type { ByteSink } from "../sinks/sink.ts";
import { nodeFileSystem, outputError, type FileSystem, type OpenFile } from "./file-system.ts";

const BUFFER_BYTES = 1 << 18;

/**
 * A new file of mode 0600. An existing file or symbolic link at the path is refused. Small writes are gathered into
 * 256 KB; `close` makes the bytes durable (fsync); `abort`, or any failure, leaves the file to be removed by `abort`.
 *
 * @throws DataError `output/write-failed` from every call when the system refuses, with its error code.
 */
export async function createFileSink(path: string, fs: FileSystem = nodeFileSystem): Promise<ByteSink> {
  let file: OpenFile | undefined;
  try {
    file = await fs.open(path, "wx", 0o600);
  } catch (error) {
    throw outputError("create", path, error);
  }
  const buffer = new Uint8Array(BUFFER_BYTES);
  let held = 0;

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

  async function guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      if (!file) throw Object.assign(new Error(), { code: "EBADF" });
      await work();
    } catch (error) {
      throw outputError(what, path, error);
    }
  }

  return {
    write: (bytes) =>
      guarded("write", async () => {
        if (held + bytes.length > BUFFER_BYTES) await flush();
        if (bytes.length >= BUFFER_BYTES) await writeAll(bytes, bytes.length);
        else {
          buffer.set(bytes, held);
          held += bytes.length;
        }
      }),
    close: () =>
      guarded("write", async () => {
        await flush();
        await file!.sync();
        const closing = file!;
        file = undefined;
        await closing.close();
      }),
    abort: async () => {
      held = 0;
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
