import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { PolicyError } from "../errors/index.ts";
import { parsePolicy, type Policy } from "../policy/index.ts";
import { inputError } from "./input-file.ts";

/**
 * Read a policy file (YAML, or JSON by its ending). Paths inside are relative to `folder`.
 * @throws PolicyError with line and column; DataError when the file cannot be read
 */
export async function loadPolicy(path: string): Promise<{ readonly policy: Policy; readonly folder: string }> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw inputError(path, error);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new PolicyError("policy/not-utf8", `${basename(path)} is not UTF-8 text. Save it as UTF-8.`);
  }
  return { policy: parsePolicy(text, { fileName: basename(path) }), folder: dirname(resolve(path)) };
}
