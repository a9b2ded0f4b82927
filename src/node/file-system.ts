/**
 * The file system calls that publishing needs, so that tests can make any one of them fail. Failures become DataErrors that
 * name the operation, the file's own name and the system's error code, and no other part of a path.
 */
import * as promises from "node:fs/promises";
import { basename } from "node:path";
import { DataError } from "../errors/index.ts";

export interface OpenFile {
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ bytesWritten: number }>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileStatus {
  readonly mode: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

export interface FileSystem {
  open(path: string, flags: string, mode?: number): Promise<OpenFile>;
  mkdir(path: string, mode: number): Promise<void>;
  makeParents(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  link(existing: string, path: string): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  readlink(path: string): Promise<string>;
  unlink(path: string): Promise<void>;
  /** Remove a file or directory with all it holds; symbolic links are removed, never followed. */
  removeTree(path: string): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  lstat(path: string): Promise<FileStatus>;
  list(path: string): Promise<string[]>;
  readText(path: string): Promise<string>;
  realpath(path: string): Promise<string>;
}

export const nodeFileSystem: FileSystem = {
  open: (path, flags, mode) => promises.open(path, flags, mode),
  mkdir: async (path, mode) => void (await promises.mkdir(path, { mode })),
  makeParents: async (path) => void (await promises.mkdir(path, { recursive: true })),
  rename: promises.rename,
  link: promises.link,
  symlink: (target, path) => promises.symlink(target, path, "dir"),
  readlink: (path) => promises.readlink(path),
  unlink: promises.unlink,
  removeTree: (path) => promises.rm(path, { recursive: true, force: true }),
  chmod: promises.chmod,
  lstat: (path) => promises.lstat(path),
  list: (path) => promises.readdir(path),
  readText: (path) => promises.readFile(path, "utf8"),
  realpath: (path) => promises.realpath(path),
};

/** The system's error code such as "ENOSPC", or "unknown". */
export function systemCode(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === "string" && /^[A-Z][A-Z0-9_]*$/.test(code) ? code : "unknown";
}

export function isMissing(error: unknown): boolean {
  return systemCode(error) === "ENOENT";
}

const ADVICE: Record<string, string> = {
  ENOSPC: "The disk is full: free space or choose another folder.",
  EDQUOT: "The disk quota is used up: free space or choose another folder.",
  EIO: "The storage reported an error: check the disk.",
  EMFILE: "Too many files are open: raise the limit (ulimit -n).",
  ENFILE: "Too many files are open on this system.",
  EACCES: "Permission was denied: check the folder's owner and mode.",
  EPERM: "Permission was denied: check the folder's owner and mode.",
  EROFS: "The file system is read-only: choose another folder.",
  EXDEV: "The folder spans two file systems; releases are published by renaming, so keep it on one.",
  ELOOP: "A symbolic link stands where a file was expected.",
};

/**
 * @param what what was being done, such as "write" or "publish"
 * @param path only its last part is named
 */
export function outputError(what: string, path: string, error: unknown): DataError {
  if (error instanceof DataError) return error;
  const errno = systemCode(error);
  const file = basename(path);
  const advice = ADVICE[errno] ?? "Check the output folder.";
  return new DataError("output/write-failed", `Could not ${what} "${file}" (${errno}). ${advice}`, { file, errno, operation: what });
}
