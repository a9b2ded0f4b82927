export { baseline } from "./baseline.ts";
export {
  RISKIER,
  TIERS,
  type Condition,
  type Measured,
  type MeasuredInput,
  type Output,
  type Profile,
  type RequirementRule,
  type Tier,
  type TierRule,
} from "./profile.ts";
