/** Opening files for reading: what they are, whether they stay the same, and errors that say no more than their name. */
import type { BigIntStats } from "node:fs";
import { open, stat, type FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { DataError } from "../errors/index.ts";
import { systemCode } from "./file-system.ts";

/** What tells one content of a path from another without reading it. */
export interface FileIdentity {
  readonly device: bigint;
  readonly inode: bigint;
  readonly size: bigint;
  readonly modifiedNs: bigint;
}

export type FileKind = "regular" | "stream";

/**
 * @throws DataError `source/not-found`, `source/is-a-directory`, `source/unreadable`
 */
export async function identify(path: string): Promise<{ identity: FileIdentity; kind: FileKind }> {
  return identityOf(path, () => stat(path, { bigint: true }));
}

/** Open a file for reading. @throws DataError as `identify` does. */
export async function openInput(path: string): Promise<{ file: FileHandle; identity: FileIdentity; kind: FileKind }> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    throw inputError(path, error);
  }
  try {
    return { file, ...(await identityOf(path, () => file.stat({ bigint: true }))) };
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
}

async function identityOf(path: string, status: () => Promise<BigIntStats>) {
  try {
    const found = await status();
    if (found.isDirectory()) throw directory(path);
    if (found.isSocket() || found.isBlockDevice()) throw notAFile(path);
    const identity = { device: found.dev, inode: found.ino, size: found.size, modifiedNs: found.mtimeNs };
    return { identity, kind: (found.isFile() ? "regular" : "stream") as FileKind };
  } catch (error) {
    throw inputError(path, error);
  }
}

/** @throws DataError `source/changed` unless both the open file and the path still are what they were. */
export async function refuseChanged(path: string, before: FileIdentity, file?: FileHandle): Promise<void> {
  const now: FileIdentity[] = [(await identify(path)).identity];
  if (file) now.push((await identityOf(path, () => file.stat({ bigint: true }))).identity);
  if (!now.every((identity) => sameIdentity(identity, before))) throw changed(path);
}

export function sameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.device === b.device && a.inode === b.inode && a.size === b.size && a.modifiedNs === b.modifiedNs;
}

export function changed(path: string): DataError {
  const file = basename(path);
  return new DataError(
    "source/changed",
    `The file "${file}" was changed or replaced while it was being read. Make sure that nothing writes to it, and run again.`,
    { file },
  );
}

/** The DataError for a failure of the system. Errors that already are DataErrors stay. */
export function inputError(path: string, error: unknown): DataError {
  if (error instanceof DataError) return error;
  const file = basename(path);
  const errno = systemCode(error);
  if (errno === "ENOENT") return new DataError("source/not-found", `There is no file "${file}". Check the path in the policy or on the command line.`, { file, errno });
  if (errno === "EISDIR") return directory(path);
  return new DataError("source/unreadable", `The file "${file}" could not be read (${errno}). Check its permissions and the disk.`, { file, errno });
}

function directory(path: string): DataError {
  const file = basename(path);
  return new DataError("source/is-a-directory", `"${file}" is a folder; expected a data file. Name one file in it.`, { file });
}

function notAFile(path: string): DataError {
  const file = basename(path);
  return new DataError("source/unreadable", `"${file}" is a socket or a device; expected a file or a pipe.`, { file, errno: "none" });
}
