import { readKeyFile } from "../node/key-file.ts";

/** The key of `--key-file`, when it is given. */
export async function keyOf(path: string | undefined): Promise<Uint8Array | undefined> {
  return path === undefined ? undefined : readKeyFile(path);
}
