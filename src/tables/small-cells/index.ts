export { attackersView } from "./attack.ts";
export {
  countPattern,
  grantedCodes,
  planSmallCells,
  type SmallCellsOptions,
  type SmallCellsPlan,
  type SmallCellsRule,
  type SuppressionMethod,
  type SuppressionRequest,
  type TableAudit,
} from "./plan.ts";
export { COMPLEMENTARY, PRIMARY, primaryCells, PUBLISHED, suppress, type SuppressOptions } from "./suppress.ts";
