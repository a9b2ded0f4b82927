export { auditTables, type AuditOptions, type AuditResult, type UnsafeCell } from "./audit.ts";
export { HIDDEN, HIDDEN_COMPLEMENTARY, SHOWN, type AuditColumn, type AuditInput, type AuditTable } from "./published.ts";
export { readTables, type PublishedFile, type ReadOptions } from "./read-tables.ts";
