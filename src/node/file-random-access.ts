import { basename } from "node:path";
import { DataError } from "../errors/index.ts";
import { requireRange, type RandomAccess } from "../sources/random-access.ts";
import { changed, inputError, openInput, refuseChanged } from "./input-file.ts";

/** An open file. A reader of ranges would not notice a change elsewhere, so `verifyUnchanged` belongs after the last read. */
export interface FileRandomAccess extends RandomAccess {
  /** @throws DataError `source/changed` when the path is no longer the file that was opened, or it was written to. */
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
      requireRange(offset, length, size);
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
