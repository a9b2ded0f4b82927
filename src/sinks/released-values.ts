import { dictionaryText, type Dictionary } from "../columns/index.ts";
import { DataError, InternalError } from "../errors/index.ts";
import type { ReleasedColumn } from "./sink.ts";

const INTEGER = /^-?[0-9]+$/;
const NUMBER = /^-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$/;
const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Days since 1970-01-01 of a date written YYYY-MM-DD (proleptic Gregorian), or undefined when it is no date. */
export function epochDayOf(text: string): number | undefined {
  const parts = DATE.exec(text);
  if (!parts) return undefined;
  const ms = Date.UTC(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]));
  // Date.UTC reads years 0 to 99 as 1900 to 1999 and rolls day 31 of short months over: both fail the round trip.
  const exact = new Date(ms);
  if (parts[1]! < "0100") exact.setUTCFullYear(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]));
  return exact.toISOString().slice(0, 10) === text ? exact.getTime() / 86_400_000 : undefined;
}

/** Whether a text is a value of the type, in the one spelling that sources and recodings give. */
export function isOfType(text: string, type: ReleasedColumn["type"]): boolean {
  switch (type) {
    case "string":
      return true;
    case "integer":
      return INTEGER.test(text);
    case "number":
      return NUMBER.test(text) && Number.isFinite(Number(text));
    case "boolean":
      return text === "true" || text === "false";
    case "date":
      return epochDayOf(text) !== undefined;
  }
}

/** The values of one dictionary in a column's type, and which of them do not fit it. */
export interface TypedDictionary<T> {
  /** [codes] value, 0 where it does not fit. */
  readonly values: T;
  /** [codes] 1 where the text is no value of the type; undefined when all fit. Only an error once a record uses it. */
  readonly misfits: Uint8Array | undefined;
}

export function integersOf(dictionary: Dictionary): TypedDictionary<BigInt64Array> {
  const values = new BigInt64Array(dictionary.size);
  const misfits = eachText(dictionary, (text, code) => {
    if (!INTEGER.test(text) || text.length > 40) return false;
    const value = BigInt(text);
    if (value < INT64_MIN || value > INT64_MAX) return false;
    values[code] = value;
    return true;
  });
  return { values, misfits };
}

export function numbersOf(dictionary: Dictionary): TypedDictionary<Float64Array> {
  const values = new Float64Array(dictionary.size);
  const misfits = eachText(dictionary, (text, code) => {
    if (!isOfType(text, "number")) return false;
    values[code] = Number(text) + 0; // -0 + 0 is 0
    return true;
  });
  return { values, misfits };
}

export function booleansOf(dictionary: Dictionary): TypedDictionary<Uint8Array> {
  const values = new Uint8Array(dictionary.size);
  const misfits = eachText(dictionary, (text, code) => {
    values[code] = text === "true" ? 1 : 0;
    return text === "true" || text === "false";
  });
  return { values, misfits };
}

/** Dates as days since 1970-01-01. */
export function epochDaysOf(dictionary: Dictionary): TypedDictionary<Int32Array> {
  const values = new Int32Array(dictionary.size);
  const misfits = eachText(dictionary, (text, code) => {
    const day = epochDayOf(text);
    values[code] = day ?? 0;
    return day !== undefined;
  });
  return { values, misfits };
}

/** [codes] 1 where the text is no value of the column's type; undefined when all fit. */
export function misfitsOf(dictionary: Dictionary, type: ReleasedColumn["type"]): Uint8Array | undefined {
  return type === "string" ? undefined : eachText(dictionary, (text) => isOfType(text, type));
}

function eachText(dictionary: Dictionary, fits: (text: string, code: number) => boolean): Uint8Array | undefined {
  let misfits: Uint8Array | undefined;
  for (let code = 0; code < dictionary.size; code++) {
    if (!fits(dictionaryText(dictionary, code), code)) (misfits ??= new Uint8Array(dictionary.size))[code] = 1;
  }
  return misfits;
}

/** Number of records whose code is marked. */
export function countMarked(codes: Int32Array, records: number, marks: Uint8Array): number {
  let marked = 0;
  for (let i = 0; i < records; i++) {
    const code = codes[i]!;
    if (code >= 0) marked += marks[code]!;
  }
  return marked;
}

/** @throws DataError `output/not-of-type` when records use values that are not of the column's type. */
export function refuseMisfits(column: ReleasedColumn, codes: Int32Array, records: number, misfits: Uint8Array | undefined): void {
  if (!misfits) return;
  const count = countMarked(codes, records, misfits);
  if (count === 0) return;
  throw new DataError(
    "output/not-of-type",
    `Column "${column.name}" is released as ${column.type}, but ${count} of its values in one batch are not of that type or ` +
      `out of its range. Release it as string, or make the recoding give ${EXPECTED[column.type]}.`,
    { column: column.name, type: column.type, records: count },
  );
}

const EXPECTED: Record<ReleasedColumn["type"], string> = {
  string: "text",
  integer: "whole numbers of 64 bits without a plus sign",
  number: "finite decimal numbers",
  boolean: "true or false",
  date: "dates as YYYY-MM-DD",
};

/**
 * @param values [records] numbers, NaN for null
 * @throws DataError `output/not-of-type` when a value is infinite, or when an integer column holds a fraction or a number
 *   beyond 2^53, where neighbours cannot be told apart.
 */
export function refuseUnwritableNumbers(column: ReleasedColumn, values: Float64Array, records: number): void {
  if (column.type !== "integer" && column.type !== "number") {
    throw new InternalError("sinks/columns", `Column "${column.name}" of type ${column.type} came as numbers.`, { column: column.name });
  }
  let refused = 0;
  if (column.type === "integer") {
    for (let i = 0; i < records; i++) {
      const value = values[i]!;
      if (value === value && !Number.isSafeInteger(value)) refused++;
    }
  } else {
    for (let i = 0; i < records; i++) {
      const value = values[i]!;
      if (value === Infinity || value === -Infinity) refused++;
    }
  }
  if (refused === 0) return;
  throw new DataError(
    "output/not-of-type",
    `Column "${column.name}" is released as ${column.type}, but ${refused} of its values in one batch are ` +
      (column.type === "integer" ? "not whole numbers below 2^53. Release it as number." : "not finite. Check the measure for overflow."),
    { column: column.name, type: column.type, records: refused },
  );
}
