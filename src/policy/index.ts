export { canonicalPolicy, policyHash } from "./canonical.ts";
export { applyPolicyToColumns, type ColumnUse, type ResolvedColumn, type ResolvedColumns } from "./columns.ts";
export { neededColumns, type NeededColumns } from "./needed-columns.ts";
export { declaresValues, lastLevel } from "./cross-check.ts";
export { policyJsonSchema } from "./json-schema.ts";
export type { MethodName, MicrodataMethod, TablesMethod } from "./methods.ts";
export { parsePolicy, type ParseOptions } from "./parse.ts";
export { definePolicy, hierarchyOf, isDropped, NEVER_RELEASED, type Policy } from "./policy.ts";
export {
  isStronger,
  REQUIREMENT_NAMES,
  REQUIREMENTS,
  type RequirementKind,
  type RequirementName,
  type ScaledRequirementName,
} from "./requirements.ts";
export type {
  Classification,
  ColumnPolicy,
  ColumnType,
  DatasetMetadata,
  Format,
  Override,
  PolicyInput,
  Role,
  SourceSettings,
} from "./schema.ts";
