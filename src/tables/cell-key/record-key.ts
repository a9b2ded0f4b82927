import { DataError, PolicyError } from "../../errors/index.ts";
import { keyedIntegers } from "../../random/index.ts";
import { plainDecimal } from "./plain-decimal.ts";

/**
 * Record keys from record identifiers: the same identifier gives the same key in every release, and without the agency's
 * secret nobody can tell which. Make the function once and use it for all records; see keyedIntegers.
 *
 * @param secret at least 16 bytes
 * @param keys   record keys are 0 .. keys - 1, uniform
 * @throws PolicyError `random/weak-key`
 */
export function recordKeys(secret: Uint8Array, keys: number): (identifier: string) => number {
  return keyedIntegers(secret, keys);
}

/** One record key; for many records, make the function with `recordKeys` once. */
export function recordKey(secret: Uint8Array, identifier: string, keys: number): number {
  return recordKeys(secret, keys)(identifier);
}

const PLAIN = /^(\d{1,16})(?:\.(\d{1,16}))?$/;

/**
 * A record key as it stands in a column, as a whole number. Keys are either whole, 0 .. keys - 1, or decimals from 0 to below
 * 1 with no more digits than `keys` has zeros: with 10^8 keys, "0.12345678" is 12345678. Read digit by digit, so that no
 * binary fraction comes in between (tau-Argus summed doubles, and rounding moved cells to other rows until it was repaired).
 *
 * @param text  digits with an optional point; a number is read through its shortest text
 * @param scale "whole", or "decimal" when `keys` is a power of ten
 * @returns the key, or -1 when the text is none, which the caller reports with its place and without its value
 * @throws PolicyError `cell-key/no-decimal-keys` for decimals when `keys` is no power of ten
 */
export function parseRecordKey(text: string | number, keys: number, scale: "whole" | "decimal"): number {
  const match = PLAIN.exec(typeof text === "number" ? plainDecimal(text) : text.trim());
  if (scale === "whole") {
    if (match === null || /[1-9]/.test(match[2] ?? "")) return -1;
    const key = Number(match[1]);
    return key < keys ? key : -1;
  }
  const digits = Math.round(Math.log10(keys));
  if (10 ** digits !== keys) {
    throw new PolicyError("cell-key/no-decimal-keys", `Record keys with decimals need a power of ten as the number of keys; found ${keys}.`, { keys });
  }
  if (match === null || Number(match[1]) !== 0) return -1;
  const fraction = (match[2] ?? "").replace(/0+$/, "");
  return fraction.length > digits ? -1 : Number(fraction.padEnd(digits, "0"));
}

/** What is wrong with a column of record keys, for the caller that found it. */
export function badRecordKey(column: string, record: number, keys: number): DataError {
  return new DataError(
    "cell-key/bad-record-key",
    `Record ${record} has no usable record key in column ${column}; expected a number of the range that ${keys} keys span. ` +
      "Every record needs its key: complete the column, or derive keys from a record identifier.",
    { column, record, keys },
  );
}
