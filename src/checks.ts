/**
 * Embeddable checks on data in memory: synchronous, and safe to run in a browser. They measure; they change nothing, and
 * what they return names columns, counts and record numbers, never values.
 */
export type {
  ArrowLikeChunk, ArrowLikeTable, ArrowLikeVector, ColumnsByName, MemoryColumn, MemoryTable,
} from "./columns/memory-keys.ts";
export { CommensurateError, DataError, PolicyError, type ErrorDetail } from "./errors/index.ts";
export { checkKAnonymity, type KAnonymityCheck } from "./microdata/k-anonymity/check.ts";
export type { KAnonymityMeasure } from "./microdata/k-anonymity/measure.ts";
export type { ClassRisk, ClassSizeCount } from "./microdata/risk/class-sizes.ts";
export { equivalenceClassSizes, riskMeasures, type KeysOption } from "./microdata/risk/memory.ts";
export { checkSmallCells, type SmallCell, type SmallCellsCheck, type SmallCellsReport } from "./tables/small-cells/check.ts";
