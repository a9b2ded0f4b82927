import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { DataError } from "../errors/index.ts";
import { inputError } from "../node/input-file.ts";

/** Text of a file named on the command line. @throws DataError */
export async function readText(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw inputError(path, error);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new DataError(
      "source/not-utf8", `"${basename(path)}" is not UTF-8 text. Name a file that commensurate wrote.`,
    );
  }
}
