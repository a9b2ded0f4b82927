import { DictionaryBuilder } from "../../columns/index.ts";
import { DataError } from "../../errors/index.ts";
import { doubleText, timestampText } from "../canonical-text.ts";
import { exactDecimal, INEXACT, NOT_A_NUMBER } from "../csv/numbers.ts";
import type { ColumnRequest, PhysicalType } from "../source.ts";

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Distinct values remembered by identity before the memory starts afresh; the dictionary itself forgets nothing. */
const REMEMBERED = 1 << 17;

/**
 * Canonical text of one value, or undefined for null. @param where names column and record when something must be
 * refused
 */
export function valueText(value: unknown, allowed: ReadonlySet<string>, where: Where): string | undefined {
  switch (typeof value) {
    case "string":
      if (LONE_SURROGATE.test(value)) {
        throw where.refuse("ill-formed-text", "text with half a surrogate pair", "Clean the text; it has no UTF-8 " +
          "form");
      }
      return value;
    case "number": {
      const text = doubleText(value);
      if (!Number.isFinite(value) && !allowed.has(text)) {
        throw where.refuse("not-finite", "a number that is not finite (NaN or infinite)",
          'Declare it under nulls (such as "NaN") or clean the data');
      }
      return text;
    }
    case "bigint":
      return value.toString();
    case "boolean":
      return value ? "true" : "false";
    case "undefined":
      return undefined;
    case "object":
      if (value === null) return undefined;
      if (value instanceof Date) {
        const time = value.getTime();
        if (Number.isNaN(time)) {
          throw where.refuse("invalid-date", "an invalid Date", "Use null for dates that are not known");
        }
        return timestampText(BigInt(time), 3, true);
      }
  }
  throw where.refuse("unsupported-value", `a value of JavaScript type ${typeof value}`, "Use text, numbers, bigints, " +
    "booleans, Dates and null");
}

/** Number of one value, NaN for null. Bigints and texts must be decimals that a double stands for. */
export function valueNumber(value: unknown, allowed: ReadonlySet<string>, where: Where): number {
  if (typeof value === "number" && Number.isFinite(value)) {
    return allowed.size > 0 && allowed.has(doubleText(value)) ? NaN : value + 0;
  }
  if (typeof value === "boolean" || value instanceof Date) {
    throw notNumber(where, `a value of type ${typeof value === "boolean" ? "boolean" : "Date"}`);
  }
  const text = valueText(value, allowed, where);
  if (text === undefined || allowed.has(text)) return NaN;
  const number = exactDecimal(text);
  if (number === NOT_A_NUMBER) throw notNumber(where, "text that is not a decimal number");
  if (number === INEXACT) {
    throw where.refuse("inexact-number", "a number with more digits than a measure can hold exactly",
      "Round the column or use it as a key");
  }
  return number;
}

function notNumber(where: Where, found: string): DataError {
  return where.refuse("not-a-number", found, "Measures and weights are numbers; declare the text under nulls or " +
    "clean the data");
}

/** Names the value being read, should it have to be refused. */
export class Where {
  column = "";
  record = 0; // 1-based

  refuse(code: string, found: string, advice: string): DataError {
    return new DataError(`memory/${code}`, `Column ${JSON.stringify(this.column)}, record ${this.record}: found ` +
      `${found}. ${advice}.`,
      { column: this.column, record: this.record });
  }
}

/** Dictionary codes of JavaScript values. */
export class ValueCoder {
  readonly dictionary = new DictionaryBuilder();
  readonly #allowed: ReadonlySet<string>;
  readonly #codes = new Map<unknown, number>();

  constructor(request: ColumnRequest) {
    this.#allowed = new Set(request.nulls ?? []);
  }

  /** Code of a value, -1 for null. */
  code(value: unknown, where: Where): number {
    const known = this.#codes.get(value);
    if (known !== undefined) return known;
    const text = valueText(value, this.#allowed, where);
    const code = text === undefined ? -1 : this.dictionary.addText(text);
    if (typeof value === "object" && value !== null) return code; // a Date may change; remember texts and numbers only
    if (this.#codes.size >= REMEMBERED) this.#codes.clear();
    this.#codes.set(value, code);
    return code;
  }
}

/** Widens the type of a column by one more value. "other" means nothing but nulls so far. */
export function widenedType(type: PhysicalType, value: unknown): PhysicalType {
  let own: PhysicalType;
  switch (typeof value) {
    case "string":
      own = "text";
      break;
    case "number":
      own = Number.isInteger(value) ? "integer" : "number";
      break;
    case "bigint":
      own = "integer";
      break;
    case "boolean":
      own = "boolean";
      break;
    default:
      if (value === null || value === undefined) return type;
      own = value instanceof Date ? "timestamp" : "text";
  }
  if (type === own || type === "other") return own;
  const numeric = (type === "integer" || type === "number") && (own === "integer" || own === "number");
  return numeric ? "number" : "text";
}
