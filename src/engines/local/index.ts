export { InlineLane, Arranger, type Arranged, type ArrangeJob, type LanePool } from "./lanes.ts";
export { RewriteLane, type LaneStorage, type PlacedRecords, type RewriteSpec, type RewriteSummary } from "./rewrite-lane.ts";
export { spoolSource } from "./spool.ts";
export { rewrite, type RewriteJob, type Rewritten } from "./rewrite.ts";
export {
  checkNulls, joinKeys, surveyColumns, surveyFold,
  type ReadOptions, type Survey, type SurveyedKey, type SurveyPart, type SurveySpec,
} from "./survey.ts";
export type { LaneBlocks } from "./arrange.ts";
export { countDigits, placeRange, rangesOf, sortRange, type DigitRange } from "./exchange.ts";
export { RowKeeper } from "./row-keeper.ts";
