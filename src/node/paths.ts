import { basename, isAbsolute, join, relative, resolve, sep } from "node:path";

export function absolute(folder: string): string {
  return resolve(folder);
}

/** A path of a policy, from the policy's folder. */
export function resolveFrom(folder: string | undefined, path: string): string {
  return isAbsolute(path) ? path : join(folder ?? ".", path);
}

/** Name of a file or folder, also of "." and "..". */
export function lastPart(path: string): string {
  return basename(resolve(path));
}

/** Whether a path lies in a folder, or is it. */
export function isWithin(folder: string, path: string): boolean {
  const from = relative(resolve(folder), resolve(path));
  return from !== ".." && !from.startsWith(`..${sep}`) && !isAbsolute(from);
}
