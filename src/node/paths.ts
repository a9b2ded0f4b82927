import { isAbsolute, join, resolve } from "node:path";

export function absolute(folder: string): string {
  return resolve(folder);
}

/** A path of a policy, from the policy's folder. */
export function resolveFrom(folder: string | undefined, path: string): string {
  return isAbsolute(path) ? path : join(folder ?? ".", path);
}
