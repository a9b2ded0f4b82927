export { batchesSource, tableSource, type BatchInput, type MemorySourceOptions } from "./arrow-batches.ts";
export {
  columnsSource, recordsSource, type ColumnValues, type NumericArray, type RecordsSourceOptions,
} from "./values.ts";
