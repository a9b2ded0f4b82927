import { dictionaryText, type Dictionary } from "../../columns/index.ts";
import { DataError } from "../../errors/index.ts";
import type { Source } from "../../sources/source.ts";

/** A file as texts. */
export interface RawTable {
  /** For messages and results: the file's name, or the one given. */
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: number;
  /** [columns] distinct texts. */
  readonly texts: readonly (readonly string[])[];
  /** [columns][rows] index among the column's texts, -1 for null. */
  readonly codes: readonly Int32Array[];
}

/** A finished table has few rows; a file with more is data about persons, or needs splitting. */
export const MOST_ROWS = 5_000_000;

export function textAt(table: RawTable, column: number, row: number): string | null {
  const code = table.codes[column]![row]!;
  return code < 0 ? null : table.texts[column]![code]!;
}

/** Read every column of a source. @throws DataError `audit/too-many-rows`, `audit/empty-table`, and what the source throws */
export async function readRawTable(source: Source, name: string, signal?: AbortSignal): Promise<RawTable> {
  const columns = (await source.columns()).map((column) => column.name);
  const pass = await source.open({ columns: columns.map((column) => ({ name: column, as: "codes" })), signal });
  const parts: Int32Array[][] = columns.map(() => []);
  const dictionaries: (Dictionary | undefined)[] = columns.map(() => undefined);
  let rows = 0;
  for await (const batch of pass.batches) {
    batch.columns.forEach((column, c) => {
      if (column.kind !== "codes") return;
      parts[c]!.push(column.codes.slice(0, batch.records));
      dictionaries[c] = column.dictionary;
    });
    rows += batch.records;
    if (rows > MOST_ROWS) {
      throw new DataError(
        "audit/too-many-rows",
        `Table ${name} has more than ${MOST_ROWS} rows. An audit takes finished tables; divide this one.`,
        { table: name, limit: MOST_ROWS },
      );
    }
  }
  if (rows === 0 || columns.length < 2) {
    throw new DataError(
      "audit/empty-table",
      `Table ${name} has ${rows} rows and ${columns.length} columns. Expected at least one row, a column of categories and one of numbers.`,
      { table: name, rows, columns: columns.length },
    );
  }
  return {
    name,
    columns,
    rows,
    texts: dictionaries.map((dictionary) =>
      dictionary === undefined ? [] : Array.from({ length: dictionary.size }, (_, code) => dictionaryText(dictionary, code))),
    codes: parts.map((list) => {
      const all = new Int32Array(rows);
      let at = 0;
      for (const part of list) {
        all.set(part, at);
        at += part.length;
      }
      return all;
    }),
  };
}
