import { DataError } from "../../errors/index.ts";
import { dictionaryText } from "../../columns/index.ts";
import type { PhysicalType, Source } from "../../sources/source.ts";

export interface ReleasedRecordsCount {
  readonly header: readonly string[];
  /** [columns] as the file stores them. */
  readonly types: readonly PhysicalType[];
  readonly records: number;
  /** Records per class over the key columns. */
  readonly classSizes: Float64Array;
}

/**
 * Recount the classes of a released Arrow or Parquet file, by the texts of its values: nothing of the coding that made the
 * release is used. Time O(records x keys), memory O(classes).
 */
export async function countReleasedRecords(source: Source, keys: readonly string[]): Promise<ReleasedRecordsCount> {
  const columns = await source.columns();
  const header = columns.map(({ name }) => name);
  if (keys.some((key) => !header.includes(key))) {
    throw new DataError("verify/missing-key", "A released file lacks a key column that the plan names.", { columns: header.length });
  }
  const pass = await source.open({ columns: keys.map((name) => ({ name, as: "codes" })) });
  const classes = new Map<string, { records: number }>();
  let records = 0;
  for await (const batch of pass.batches) {
    const texts = batch.columns.map((column) => {
      if (column.kind !== "codes") throw new DataError("verify/key-type", "A released key column holds no comparable values.");
      const known: string[] = [];
      return (record: number): string => {
        const code = column.codes[record]!;
        return code < 0 ? "-" : (known[code] ??= lengthPrefixed(dictionaryText(column.dictionary, code)));
      };
    });
    for (let record = 0; record < batch.records; record++) {
      let key = "";
      for (const text of texts) key += text(record);
      const known = classes.get(key);
      if (known === undefined) classes.set(key, { records: 1 });
      else known.records++;
    }
    records += batch.records;
  }
  return { header, types: columns.map(({ type }) => type), records, classSizes: Float64Array.from(classes.values(), (known) => known.records) };
}

/** So that "a", "bc" and "ab", "c" stay two classes. */
function lengthPrefixed(text: string): string {
  return `${text.length}:${text}`;
}
