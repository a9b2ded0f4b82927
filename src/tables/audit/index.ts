export { Alternatives, type AlternativesInput, type Walks } from "./alternatives.ts";
export { auditTables, type AuditOptions, type AuditResult, type UnsafeCell } from "./audit.ts";
export { auditLinear } from "./linear-audit.ts";
export {
  ConstraintBuilder,
  NOT_ASKED,
  SAFE,
  UNPROVEN,
  UNSAFE,
  type FallenCell,
  type KnownAmount,
  type LinearAttack,
  type LinearAuditOptions,
  type LinearAuditResult,
  type LinearConstraints,
  type ProtectionLevels,
  type ProtectionNeed,
  type Verdict,
} from "./linear-attack.ts";
export {
  GROUPING_LEVEL,
  HIDDEN,
  HIDDEN_COMPLEMENTARY,
  SHOWN,
  type AuditColumn,
  type AuditGroup,
  type AuditInput,
  type AuditTable,
  type ToldByCodes,
} from "./published.ts";
export { tableAttack, type TableAttack } from "./table-attack.ts";
export { shareConstraint, type CellOrKnown } from "./derived.ts";
export { withValueCounts, type ValueCounts } from "./values.ts";
export { linkReleases, type ReleaseDifference } from "./releases.ts";
