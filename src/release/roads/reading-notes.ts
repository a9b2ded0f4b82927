import type { Policy } from "../../policy/index.ts";
import type { DecidedDimension } from "./tabulated.ts";

/** What common programs take for a missing value when they read a CSV file, pandas among them, unless told otherwise. */
const READ_AS_MISSING = new Set([
  "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
]);

/** Two small numbers, which spreadsheets take for a month and a day, such as 5-9 or 10/12. */
const MONTH_AND_DAY = /^(?:[1-9]|0[1-9]|[12]\d|3[01])[-/](?:[1-9]|0[1-9]|[12]\d|3[01])$/;

/** What readers of CSV files have to know of the categories, since such files do not say what is text; nothing where nothing is special. */
export function readingNotes({ release }: Policy, dimensions: readonly Pick<DecidedDimension, "column" | "places">[]): string[] {
  if (!release.formats.includes("csv")) return [];
  const notes: string[] = [];
  const columnsWith = (is: (label: string) => boolean): string[] =>
    dimensions.filter(({ places }) => places.some(({ label }) => label !== null && is(label))).map(({ column }) => column);
  const missing = columnsWith((label) => READ_AS_MISSING.has(label));
  if (missing.length > 0) {
    notes.push(
      `In ${missing.join(", ")}, texts such as NA or None are categories, not missing values, which are blank. Programs that guess read them as missing: ` +
        'in Python, pandas.read_csv(path, keep_default_na=False, na_values=[""]).',
    );
  }
  const codes = columnsWith((label) => /^[+-]?0\d/.test(label) || /^[+-]?\d{16,}$/.test(label) || /^[+-]?\d+(\.\d+)?e[+-]?\d+$/i.test(label));
  if (codes.length > 0) {
    notes.push(
      `In ${codes.join(", ")}, codes are texts, leading zeros included. Programs that guess read them as numbers, and spreadsheets drop zeros: ` +
        "in Python, pandas.read_csv(path, dtype={...: str}); in a spreadsheet, import the column as text. The data dictionary has the types.",
    );
  }
  const dates = columnsWith((label) => MONTH_AND_DAY.test(label));
  if (dates.length > 0) {
    notes.push(
      `In ${dates.join(", ")}, categories such as 5-9 are ranges. Some spreadsheets show them as days of a year when they open the file: ` +
        "import the column as text instead.",
    );
  }
  return notes;
}
