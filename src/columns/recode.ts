import { DataError } from "../errors/index.ts";
import { DictionaryBuilder, dictionaryText, type Dictionary } from "./dictionary.ts";

export type Normalisation = "trim" | "nfc" | "lower";

/** What a text of a column means: which texts are null, how variants are made one, and what shape the rest must have. */
export interface Recoding {
  readonly nulls: readonly string[];
  readonly normalise: readonly Normalisation[];
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  /** "refuse" makes any null an error; "category" keeps null as a category of its own. */
  readonly nullMeaning: "category" | "refuse";
}

export interface RecodedDictionary {
  readonly dictionary: Dictionary;
  /** [raw codes] code in `dictionary`, -1 for null. */
  readonly map: Int32Array;
  /** Raw values that normalisation merged into another one: variants that would have split a class. */
  readonly mergedVariants: number;
}

const SHAPES = {
  string: undefined,
  integer: /^-?(0|[1-9]\d*)$/,
  number: /^-?(0|[1-9]\d*)(\.\d+)?$/,
  boolean: /^(true|false)$/,
  date: /^-?\d{4,6}-\d{2}-\d{2}$/,
} as const;

/**
 * Apply a recoding to the values of a dictionary; cost O(values), never O(records).
 * @throws DataError `column/not-of-type`, `column/null-refused` with counts, never values.
 */
export function recodeDictionary(raw: Dictionary, recoding: Recoding, column: string): RecodedDictionary {
  const nulls = new Set(recoding.nulls);
  const shape = SHAPES[recoding.type];
  const builder = new DictionaryBuilder();
  const map = new Int32Array(raw.size);
  let misshapen = 0;
  let nullValues = 0;
  let mergedVariants = 0;
  for (let code = 0; code < raw.size; code++) {
    const original = dictionaryText(raw, code);
    const text = normalised(original, recoding.normalise);
    if (nulls.has(original) || nulls.has(text)) {
      map[code] = -1;
      nullValues++;
      continue;
    }
    if (shape !== undefined && !shape.test(text)) misshapen++;
    const before = builder.size;
    map[code] = builder.addText(text);
    if (builder.size === before) mergedVariants++;
  }
  if (misshapen > 0) {
    throw new DataError(
      "column/not-of-type",
      `Column ${JSON.stringify(column)} is declared ${recoding.type}, but ${misshapen} of its ${raw.size} distinct values ` +
        `are not. Expected ${EXPECTED[recoding.type]}. Declare it as string, or list the texts that mean null under nulls.`,
      { column, type: recoding.type, misshapen, distinct: raw.size },
    );
  }
  if (nullValues > 0 && recoding.nullMeaning === "refuse") throw nullRefused(column);
  return { dictionary: builder.freeze(), map, mergedVariants };
}

export function nullRefused(column: string): DataError {
  return new DataError(
    "column/null-refused",
    `Column ${JSON.stringify(column)} has missing values, and the policy says nullMeaning: refuse. ` +
      "Fill them in at the source, or say nullMeaning: category to treat missing as a category of its own.",
    { column },
  );
}

const EXPECTED = {
  string: "any text",
  integer: "whole numbers without leading zeros, such as 42",
  number: "decimal numbers such as 12.5",
  boolean: "true or false",
  date: "dates as YYYY-MM-DD",
} as const;

function normalised(text: string, steps: readonly Normalisation[]): string {
  let result = text;
  for (const step of steps) {
    if (step === "trim") result = result.trim();
    else if (step === "nfc") result = result.normalize("NFC");
    else result = result.toLowerCase();
  }
  return result;
}
