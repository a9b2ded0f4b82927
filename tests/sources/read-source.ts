import { dictionaryText } from "../../src/columns/index.ts";
import { DataError } from "../../src/errors/index.ts";
import type { ColumnRequest, Source } from "../../src/sources/source.ts";

/** Everything a pass gives: a text, a number or null for each record of each column, and the fingerprint. */
export interface Reading {
  readonly records: number;
  readonly columns: Record<string, (string | number | null)[]>;
  readonly dictionarySizes: Record<string, number>;
  readonly batches: number[];
  readonly fingerprint: string;
}

/** Read the named columns (all when absent) as codes, or as asked for. */
export async function readSource(source: Source, requests?: readonly (string | ColumnRequest)[]): Promise<Reading> {
  const names = requests ?? (await source.columns()).map((column) => column.name);
  const columns = names.map((name): ColumnRequest => (typeof name === "string" ? { name, as: "codes" } : name));
  const pass = await source.open({ columns });
  const read = new Map<string, (string | number | null)[]>(columns.map((column) => [column.name, []]));
  const sizes = new Map<string, number>();
  const batches: number[] = [];
  let records = 0;
  for await (const batch of pass.batches) {
    records += batch.records;
    batches.push(batch.records);
    batch.columns.forEach((column, j) => {
      const { name } = columns[j]!;
      const out = read.get(name)!;
      for (let i = 0; i < batch.records; i++) {
        if (column.kind === "numbers") out.push(Number.isNaN(column.values[i]!) ? null : column.values[i]!);
        else out.push(column.codes[i]! < 0 ? null : dictionaryText(column.dictionary, column.codes[i]!));
      }
      if (column.kind === "codes") sizes.set(name, column.dictionary.size);
    });
  }
  return { records, batches, columns: Object.fromEntries(read), dictionarySizes: Object.fromEntries(sizes), fingerprint: pass.fingerprint() };
}

/** The DataError that reading ends in; anything else fails the test. */
export async function refusal(read: () => Promise<unknown>): Promise<DataError> {
  try {
    await read();
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  throw new Error("expected a DataError, but the source was read");
}
