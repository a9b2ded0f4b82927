import { readFile } from "node:fs/promises";
import { PolicyError } from "../errors/index.ts";
import { inputError } from "./input-file.ts";

const LEAST_BYTES = 16;

/**
 * The agency's secret key from a file: raw bytes, or 32 and more hexadecimal digits on one line.
 * @throws PolicyError `key/too-short`; DataError when the file cannot be read
 */
export async function readKeyFile(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw inputError(path, error);
  });
  const text = bytes.toString("latin1").trim();
  const key = /^(?:[0-9a-f]{2}){16,}$/i.test(text) ? Uint8Array.from(Buffer.from(text, "hex")) : new Uint8Array(bytes);
  if (key.length >= LEAST_BYTES) return key;
  throw new PolicyError(
    "key/too-short",
    `The key file holds ${key.length} bytes; a key has at least ${LEAST_BYTES} random ones. Make one with: openssl rand -hex 32`,
    { bytes: key.length },
  );
}
