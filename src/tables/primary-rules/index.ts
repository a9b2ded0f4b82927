export type { Contributions } from "./contributions.ts";
export { countHits, describeRules, explainCell, type DescribeRulesOptions } from "./describe.ts";
export { evaluateRules, ruleNeeds } from "./evaluate.ts";
export type { PrimaryOutcome, ProtectionLevels, RuleInput, RuleNeeds } from "./outcome.ts";
export { onlyContributors } from "./singletons.ts";
export {
  contributorStatistics,
  type CellSums,
  type ContributionReading,
  type ContributorStatistics,
  type StatisticsOptions,
} from "./statistics.ts";
