import { CsvWriter, type CsvOptions } from "./csv-writer.ts";
import type { ReleasedDictionaries } from "./released-batch.ts";
import type { ByteSink, ReleasedColumn, ReleaseFormat, TableWriter } from "./sink.ts";

export interface TableWriterOptions {
  readonly csv?: CsvOptions;
}

/**
 * A writer of one format. Arrow and Parquet libraries are loaded when first asked for.
 *
 * @param dictionaries [columns] complete dictionary of each column that comes as codes, undefined for numbers
 */
export async function createTableWriter(
  format: ReleaseFormat,
  sink: ByteSink,
  columns: readonly ReleasedColumn[],
  dictionaries: ReleasedDictionaries,
  options: TableWriterOptions = {},
): Promise<TableWriter> {
  switch (format) {
    case "csv":
      return new CsvWriter(sink, columns, dictionaries, options.csv);
    case "arrow":
      return (await import("./arrow-writer.ts")).createArrowWriter(sink, columns, dictionaries);
    case "parquet":
      return (await import("./parquet-writer.ts")).createParquetWriter(sink, columns, dictionaries);
  }
}
