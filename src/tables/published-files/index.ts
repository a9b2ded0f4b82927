export {
  auditRawTables, describeRawTables, type AuditedCell, type AuditedTable, type AuditFinding, type AuditTablesOptions, type FindingKind,
  type PublishedAudit, type TableDescription,
} from "./audit-tables.ts";
export type { Markers } from "./cell-text.ts";
export type { CellAddress } from "./published-cells.ts";
export { parseDescribed, structureOfDescribed, type DescribedStatistic, type DescribedTable, type DescribedTables } from "./described.ts";
export { readRawTable, type RawTable } from "./raw-table.ts";
export type { DimensionStructure, FileStructure, MeasureStructure, RatioStructure, TableStructure } from "./structure.ts";
