/** Noisy counts by declared groups: differential privacy for adding or removing one contributor. See README.md. */
export { declareColumn, OTHER, type DeclaredColumn, type DeclaredLevel } from "./groups.ts";
export { accuracy, noiseFigures, type NoiseFigures } from "./noise-figures.ts";
export {
  planNoisyCounts,
  type NoisyBlockPlan, type NoisyCountsPlan, type NoisyCountsRequest, type NoisyTablePlan, type NoisyTableRequest,
} from "./plan.ts";
export {
  protectNoisyCounts, type BoundedCounts, type NoisyBlock, type NoisyTable, type ProtectedNoisyCounts,
} from "./protect.ts";
export {
  verifyNoisyCounts,
  type NoisyCountsFinding, type NoisyCountsVerdict, type ReadBackBlock, type ReadBackNoisyCounts,
} from "./verify.ts";
