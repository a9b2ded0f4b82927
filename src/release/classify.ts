import { InternalError } from "../errors/index.ts";
import type { Classification, Policy } from "../policy/index.ts";
import { baseline, RISKIER, TIERS, type Condition, type Measured, type MeasuredInput, type Profile, type Tier } from "../profiles/index.ts";

export type { Measured, Tier } from "../profiles/index.ts";

/** Something that made the tier what it is. */
export interface TierReason {
  readonly rule: string;
  /** What triggered the rule, such as "shareOfUniques 0.31 (0.2 or more)". */
  readonly inputs: readonly string[];
  /** The tier that this rule asks for. */
  readonly tier: Tier;
  readonly reasoning: string;
  readonly source: string;
}

/** How great the risk is: what was declared, what was measured, and the tier that follows. */
export interface RiskAssessment {
  readonly profile: string;
  readonly declared: Classification;
  /** Tier that decides how much protection is required. */
  readonly tier: Tier;
  /** Rules behind the tier; empty when the declared classification stands alone. */
  readonly reasons: readonly TierReason[];
  readonly measured: Measured;
}

/**
 * How great the risk is. The declared classification is the least tier; measured risk may raise it and never lowers it.
 * Raising any input (in its riskier direction) never lowers the tier.
 *
 * @param measured on the source, over the policy's key columns, before protection
 * @throws InternalError when a measured number is not possible; an unknown number must not pass as a small one
 */
export function classify(policy: Pick<Policy, "classification">, measured: Measured, profile: Profile = baseline): RiskAssessment {
  checkMeasured(measured);
  const declared = policy.classification;
  const reasons: TierReason[] = [];
  let start: Tier;
  if (declared === "unknown") {
    const { id, tier, reasoning, source } = profile.unknownClassification;
    start = tier;
    reasons.push({ rule: id, inputs: ["classification unknown"], tier, reasoning, source });
  } else start = declared;

  let rank = TIERS.indexOf(start);
  for (const rule of profile.tierRules) {
    if (!rule.when.every((condition) => holds(condition, measured))) continue;
    const raised =
      "steps" in rule.raises
        ? Math.min(TIERS.indexOf(start) + rule.raises.steps, TIERS.length - 1)
        : TIERS.indexOf(rule.raises.atLeast);
    if (raised <= TIERS.indexOf(start)) continue;
    rank = Math.max(rank, raised);
    const inputs = rule.when.map((condition) => conditionText(condition, measured));
    reasons.push({ rule: rule.id, inputs, tier: TIERS[raised]!, reasoning: rule.reasoning, source: rule.source });
  }
  const copy = Object.fromEntries(INPUTS.map((input) => [input, measured[input]])) as unknown as Measured;
  return { profile: `${profile.name}@${profile.edition}`, declared, tier: TIERS[rank]!, reasons, measured: copy };
}

/** Whether an input is at the bound or beyond it in its riskier direction. */
export function holds({ input, bound }: Condition, measured: Measured): boolean {
  return RISKIER[input] === "larger" ? measured[input] >= bound : measured[input] <= bound;
}

export function conditionText({ input, bound }: Condition, measured: Measured): string {
  return `${input} ${measured[input]} (${bound} or ${RISKIER[input] === "larger" ? "more" : "less"})`;
}

const INPUTS = Object.keys(RISKIER) as readonly MeasuredInput[];

function checkMeasured(measured: Measured): void {
  for (const input of INPUTS) {
    const value = measured[input];
    const possible = input === "shareOfUniques" ? value >= 0 && value <= 1 : Number.isSafeInteger(value) && value >= 0;
    if (possible) continue;
    throw new InternalError("classify/measured", `The measured ${input} is not a possible number, so the risk is not known.`, { input });
  }
}
