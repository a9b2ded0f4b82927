import { randomBytes } from "node:crypto";
import { open, readFile, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DataError } from "../errors/index.ts";
import { systemCode } from "./file-system.ts";

/**
 * Write a text so that the file has it whole or is as it was.
 * @throws DataError `output/write-failed`
 */
export async function writeFileAtomically(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}`);
  try {
    const file = await open(temporary, "wx", 0o644);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw writeError(path, error);
  }
}

/**
 * Refuse to replace a file that is something else than what would be written.
 * @param isSame whether a text may be replaced
 * @throws DataError `output/exists`
 */
export async function refuseToReplace(path: string, what: string, isSame: (text: string) => boolean): Promise<void> {
  const there = await stat(path).then(
    (found) => (found.isFile() && found.size < 1 << 28 ? readFile(path, "utf8") : ""),
    (error: unknown) => (systemCode(error) === "ENOENT" ? undefined : ""),
  ).catch(() => "");
  if (there === undefined || isSame(there)) return;
  throw new DataError(
    "output/exists",
    `"${basename(path)}" is there already${what === "" ? "" : ` and is not ${what}`}. ` +
      "Choose another name, or replace it with --force.",
    { file: basename(path) },
  );
}

function writeError(path: string, error: unknown): DataError {
  const file = basename(path);
  const errno = systemCode(error);
  const why = errno === "ENOENT" ? "its folder does not exist" : errno;
  return new DataError(
    "output/write-failed",
    `"${file}" could not be written: ${why}. Check the folder, its permissions and the disk.`,
    { file, errno },
  );
}
