export type { Generalization } from "./best-list.ts";
export type { KeptClasses } from "./class-tables.ts";
export { measureClassSizes, measureKAnonymity, type KAnonymityMeasure } from "./measure.ts";
export {
  allowedSuppressions,
  leastSuppressed,
  searchKAnonymity,
  searchKAnonymityInSlices,
  type KAnonymityPlan,
  type KAnonymitySearch,
  type LevelLimits,
  type SearchProgress,
} from "./plan.ts";
