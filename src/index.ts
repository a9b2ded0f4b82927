/** Door ".": from a policy and data about people to a verified open release. */
export { apply, assess, explain, plan, release, verify, type ApplyOptions, type AssessOptions, type Assessment, type ExplainOptions, type PlanOptions, type ReleaseOptions, type SourceInput, type VerifyOptions } from "./verbs.ts";
export {
  auditPublished, type AuditedCell, type AuditFinding, type AuditPublishedOptions, type PublishedAudit, type PublishedInput, type TableStructure,
} from "./audit.ts";
export { addToLedger, type LedgerAddOptions, type LedgerEntry, type LedgerTable } from "./ledger.ts";
export { MemoryRelease, type ReleaseReader, type ReleaseTarget, type Stage } from "./release/index.ts";
export { definePolicy, parsePolicy, policyJsonSchema, type ParseOptions, type Policy, type PolicyInput } from "./policy/index.ts";
export { proposePolicy, type ProposeOptions } from "./policy/propose/index.ts";
export { CommensurateError, DataError, DisclosureError, InternalError, PolicyError, type ErrorDetail } from "./errors/index.ts";
export type { CellAddress, Check, Decision, Evidence, HiddenCell, Plan, Progress, Released, Requirement, RiskAssessment } from "./release/index.ts";
export { searchKAnonymity as findGeneralization, type KAnonymityPlan, type KAnonymitySearch } from "./microdata/k-anonymity/index.ts";
export { createHierarchy, parseHierarchyCsv, type BoundHierarchy, type Hierarchy, type HierarchyRule } from "./hierarchies/index.ts";
export { fold, merge, rollUp, type Cells, type CodeMap } from "./cells/index.ts";
export type { Batch, Dictionary } from "./columns/index.ts";
export type { Source } from "./sources/source.ts";
