import { DataError } from "../errors/index.ts";
import type { RandomAccess } from "../sources/random-access.ts";
import { basename } from "node:path";
import { changed, inputError, openInput, refuseChanged } from "./input-file.ts";

/** An open file. `verifyUnchanged` belongs after the last read: a reader of ranges would not notice a change elsewhere. */
export interface FileRandomAccess extends RandomAccess {
  /** @throws DataError `source/changed` when the file is not the one that was opened, or was written to. */
  verifyUnchanged(): Promise<void>;
  close(): Promise<void>;
}

/** @throws DataError `source/not-found`, `source/is-a-directory`, `source/one-shot` for pipes, `source/unreadable` */
export async function openFileRandomAccess(path: string): Promise<FileRandomAccess> {
  const { file, identity, kind } = await openInput(path);
  const name = basename(path);
  if (kind !== "regular") {
    await file.close().catch(() => undefined);
    throw new DataError("source/one-shot", `"${name}" is a stream; this format is read at many places. Save it to a file first.`, { file: name });
  }
  const size = Number(identity.size);
  return {
    size,
    async read(offset, length) {
      if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0 || offset + length > size) {
        throw new DataError(
          "source/out-of-range",
          `The file "${name}" refers to bytes outside itself (offset ${offset}, length ${length}, size ${size}). It is damaged or cut short.`,
          { file: name, offset, length, size },
        );
      }
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        let bytesRead: number;
        try {
          ({ bytesRead } = await file.read(bytes, done, length - done, offset + done));
        } catch (error) {
          throw inputError(path, error);
        }
        if (bytesRead === 0) throw changed(path); // shorter than when it was opened
        done += bytesRead;
      }
      return bytes;
    },
    verifyUnchanged: () => refuseChanged(path, identity, file),
    close: () => file.close(),
  };
}
