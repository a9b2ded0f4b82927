import { DataError, type ErrorDetail } from "../../errors/index.ts";

/** What can be wrong with a CSV file. */
export type CsvFault =
  | "ragged-row"
  | "blank-row"
  | "unterminated-quote"
  | "text-after-quote"
  | "lone-carriage-return"
  | "nul-byte"
  | "invalid-utf8"
  | "field-too-long"
  | "row-too-long"
  | "not-a-number"
  | "inexact-number"
  | "no-header"
  | "empty-column-name"
  | "duplicate-column"
  | "too-many-columns"
  | "changed-header";

/** Where the fault is. Rows count from 1, the header being row 1; offsets are bytes from the start of the file. */
export interface CsvPlace {
  readonly row?: number;
  readonly offset?: number;
  /** Name of a requested column. Faults of the header give positions instead: a file without a header has data there. */
  readonly column?: string;
  readonly expected?: number;
  readonly found?: number;
  /** Positions of columns, counted from 1. */
  readonly first?: number;
  readonly second?: number;
}

/** Most columns a file may have. */
export const MAX_COLUMNS = 100_000;
/** Longest value, in bytes. */
export const MAX_FIELD_BYTES = 16 * 1024 * 1024;
/** Longest row, in bytes. */
export const MAX_ROW_BYTES = 64 * 1024 * 1024;

/** The error for a fault at a place. Its message and detail hold no data. */
export function csvError(fault: CsvFault, place: CsvPlace): DataError {
  const detail: Record<string, string | number> = {};
  for (const [key, value] of Object.entries(place)) if (value !== undefined) detail[key] = value;
  return new DataError(`csv/${fault}`, sentence(fault, place), detail);
}

/**
 * An error of a coder that read a range of a file as if it came right after the header, with its row counted from the
 * start of the file. Errors without a row number are returned as they are.
 *
 * @param records records of the ranges before
 */
export function addRecordsBefore(error: DataError, records: number): DataError {
  const row = error.detail["row"];
  if (!error.code.startsWith("csv/") || typeof row !== "number") return error;
  return csvError(error.code.slice(4) as CsvFault, { ...(error.detail as ErrorDetail & CsvPlace), row: row + records });
}

function sentence(fault: CsvFault, { row, offset, column, expected, found, first, second }: CsvPlace): string {
  switch (fault) {
    case "ragged-row":
      return `Row ${row} has ${found} fields; the header has ${expected}. Check its delimiters and quotes.`;
    case "blank-row":
      return `Row ${row} is blank and rows follow it; expected ${expected} fields. Remove the blank line.`;
    case "unterminated-quote":
      return `A quoted field that opens in row ${row}, at byte ${offset}, is still open at the end of the file. Close its quote.`;
    case "text-after-quote":
      return `Row ${row} has text after a closing quote, at byte ${offset}. Double the quotes inside a quoted field.`;
    case "lone-carriage-return":
      return `Row ${row} has a carriage return that no line feed follows, at byte ${offset}. End rows with LF or CRLF, or quote the field.`;
    case "nul-byte":
      return `Row ${row} has a NUL byte, at byte ${offset}. The file is damaged, binary, or UTF-16; expected text in UTF-8.`;
    case "invalid-utf8":
      return `Byte ${offset}, in row ${row}, is not valid UTF-8. Convert the file to UTF-8 from the encoding it was written in.`;
    case "field-too-long":
      return `Row ${row} has a field of more than ${MAX_FIELD_BYTES} bytes, from byte ${offset}. Check for a quote that is not closed.`;
    case "row-too-long":
      return `Row ${row} has more than ${MAX_ROW_BYTES} bytes, from byte ${offset}. Check for a quote that is not closed.`;
    case "not-a-number":
      return `Row ${row} of column "${column}" is not a finite decimal number. Correct it, list its text under nulls, or declare the column as text.`;
    case "inexact-number":
      return `Row ${row} of column "${column}" has more digits than a number can hold exactly. Declare the column as text, or round it.`;
    case "no-header":
      return "The file is empty; expected a header row with the column names.";
    case "empty-column-name":
      return `Column ${first} has no name in the header. Name every column.`;
    case "duplicate-column":
      return `Columns ${first} and ${second} have the same name in the header. Rename one of them.`;
    case "too-many-columns":
      return `The header has more than ${MAX_COLUMNS} columns. Check the delimiter, or split the file.`;
    case "changed-header":
      return "The header is not the one read before. The file changed; start again.";
  }
}
