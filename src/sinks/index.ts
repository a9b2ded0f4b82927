export { compactDictionary, markUsedCodes, type CompactDictionary } from "./compact-dictionary.ts";
export { codesOfRecords, CsvRenderer, CsvWriter, isFormula, type CsvOptions, type RunBatch } from "./csv-writer.ts";
export { BatchCheck, type ReleasedDictionaries } from "./released-batch.ts";
export type { ByteSink, ReleasedColumn, ReleasedType, ReleaseFormat, TableWriter } from "./sink.ts";
export { createTableWriter, type TableWriterOptions } from "./table-writer.ts";
