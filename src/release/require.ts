import { InternalError, PolicyError } from "../errors/index.ts";
import { isStronger, REQUIREMENTS, type Policy, type RequirementName, type TablesMethod } from "../policy/index.ts";
import { baseline, TIERS, type Output, type Profile, type RequirementRule } from "../profiles/index.ts";
import { conditionText, holds, type RiskAssessment } from "./classify.ts";

/** One thing that the release is held to, by plan, apply and verify alike. */
export interface Requirement {
  readonly requirement: RequirementName;
  /** What the release must meet: the rules' value, the policy's where it is stronger, or the override's. */
  readonly value: number;
  /** What the rules ask for. */
  readonly required: number;
  /** What the policy asks for, where it says so. */
  readonly demanded?: number | undefined;
  /** Rules that ask for `required`. */
  readonly rules: readonly string[];
  /** What triggered them: the tier with its reasons, measured numbers. */
  readonly inputs: readonly string[];
  readonly reasoning: string;
  readonly source: string;
  /** Set when the policy knowingly asks for less than the rules. */
  readonly overridden?: { readonly reason: string; readonly approvedBy: string; readonly wouldBe: number } | undefined;
}

/**
 * How much protection the risk demands: rule by rule, the strongest value of each requirement, joined with what the policy
 * itself asks for. A pure function of its arguments; more risk never gives a weaker requirement.
 *
 * @throws PolicyError policy/weaker-than-required when the policy asks for less and no override covers it;
 *         policy/override-without-effect when an override weakens nothing
 */
export function requirementsFor(assessment: RiskAssessment, policy: Policy, profile: Profile = baseline): Requirement[] {
  const required = strongest(assessment, outputOf(policy), profile);
  const demands = demandsOf(policy);
  refuseIdleOverrides(policy, required, demands);

  const overrides = new Map(policy.overrides.map((override) => [override.requirement as RequirementName, override]));
  const weaker: Weaker[] = [];
  const requirements = required.map(({ requirement, value, rules, inputs }): Requirement => {
    if (!demands.has(requirement)) {
      throw new InternalError("require/no-demand", "A rule asks for something that the method of the policy cannot state.", { requirement });
    }
    const demanded = demands.get(requirement);
    const override = overrides.get(requirement);
    const least = override?.value ?? value;
    if (demanded !== undefined && isStronger(requirement, least, demanded)) {
      weaker.push({ requirement, demanded, least, rules, inputs, overridden: override !== undefined });
    }
    return {
      requirement,
      value: demanded ?? Math.max(least, usualValue(requirement, policy, required, demands, overrides)),
      required: value,
      ...(demanded !== undefined && { demanded }),
      rules: rules.map(({ id }) => id),
      inputs,
      reasoning: rules.map(({ reasoning }) => reasoning).join(" "),
      source: [...new Set(rules.map(({ source }) => source))].join("; "),
      ...(override !== undefined && { overridden: { reason: override.reason, approvedBy: override.approvedBy, wouldBe: value } }),
    };
  });
  if (weaker.length > 0) throw weakerThanRequired(weaker);
  return requirements;
}

/** The value that a release is held to. @throws InternalError when the requirement does not apply to this release. */
export function effectiveValue(requirements: readonly Requirement[], name: RequirementName): number {
  const found = requirements.find(({ requirement }) => requirement === name);
  if (found === undefined) throw new InternalError("require/not-there", "A requirement was asked for that this release does not have.", { name });
  return found.value;
}

/**
 * What a policy that names no interval gets where that is more than required: half of the values that the frequency rule
 * hides, so that "1 to 10" stays at least five values wide. Less is to be chosen knowingly.
 */
function usualValue(
  requirement: RequirementName, _policy: Policy, required: readonly Strongest[], demands: ReadonlyMap<RequirementName, number | undefined>,
  overrides: ReadonlyMap<RequirementName, { readonly value: number }>,
): number {
  if (requirement !== "minimum-interval" || overrides.has("minimum-interval")) return 0;
  const frequency = "minimum-frequency";
  const threshold = demands.get(frequency) ?? overrides.get(frequency)?.value ?? required.find((own) => own.requirement === frequency)?.value ?? 0;
  return Math.floor((threshold - 1) / 2);
}

/** True counts that can be behind a published one, by the method's own bounds. */
function ambiguityOf(method: Extract<TablesMethod, { method: "rounding" | "cell-key" | "small-count-rounding" | "tabular-adjustment" }>): number | undefined {
  if (method.method === "cell-key") return "design" in method.table ? 2 * method.table.design.maxPerturbation + 1 : undefined;
  if (method.method === "small-count-rounding") return method.base;
  if (method.method === "tabular-adjustment") return method.threshold;
  switch (method.kind) {
    case "deterministic":
    case "midpoint":
      return method.base;
    case "random":
    case "controlled":
      return 2 * method.base - 1;
    case "drb":
      return 10;
  }
}

/** What the release gives away. */
export function outputOf({ release }: Policy): Output {
  if (release.kind === "microdata") return "microdata";
  const method = release.protect[0]!;
  switch (method.method) {
    case "small-cells":
    case "cell-suppression":
      return "suppressed-counts";
    case "noisy-counts":
      return method.mechanism === "discrete-gaussian" ? "gaussian-counts" : "laplace-counts";
    default:
      return "perturbed-counts";
  }
}

/**
 * What the policy's method provides for each requirement: a number, or undefined where it takes what is required.
 * A requirement that is not in the map cannot be met by the method.
 */
function demandsOf({ release }: Policy): ReadonlyMap<RequirementName, number | undefined> {
  const demands = new Map<RequirementName, number | undefined>([["direct-identifiers-removed", undefined]]);
  const method = release.protect[0]!;
  switch (method.method) {
    case "k-anonymity":
      return demands.set("minimum-class-size", method.k);
    case "small-cells":
      return demands
        .set("minimum-frequency", method.threshold)
        .set("complementary-suppression", undefined)
        .set("minimum-interval", method.interval);
    case "cell-suppression": {
      const frequency = method.rules.flatMap((rule) => (rule.rule === "frequency" && rule.of === undefined && rule.count === "records" ? [rule.minimum] : []));
      // Where no count is printed, a rule on different contributors says how many must be behind a number: each has a record.
      if (release.kind === "tables" && release.tables.every(showsNoCounts)) {
        frequency.push(...method.rules.flatMap((rule) => (rule.rule === "contributors" && rule.of === undefined ? [rule.minimum] : [])));
      }
      return demands
        .set("minimum-frequency", frequency.length === 0 ? undefined : Math.ceil(Math.max(...frequency)))
        .set("complementary-suppression", undefined)
        .set("minimum-interval", method.interval);
    }
    case "rounding":
    case "cell-key":
    case "small-count-rounding":
    case "tabular-adjustment":
      return demands.set("minimum-ambiguity", ambiguityOf(method));
    case "noisy-counts":
      return method.mechanism === "discrete-gaussian"
        ? demands.set("maximum-rho", method.rho)
        : demands.set("maximum-epsilon", method.epsilon);
  }
}

/** Whether nothing in a table is a count, or tells one: percentages and rates of counts do, and a sum beside its mean. */
function showsNoCounts({ statistics }: Extract<Policy["release"], { kind: "tables" }>["tables"][number]): boolean {
  const sums = new Set(statistics.flatMap((own) => (own.statistic === "sum" ? [own.of] : [])));
  return statistics.every((own) => {
    switch (own.statistic) {
      case "sum":
      case "median":
        return true;
      case "mean":
        return !sums.has(own.of);
      case "rate":
        return own.numerator !== "count" && own.denominator !== "count";
      default:
        return false;
    }
  });
}

interface Strongest {
  readonly requirement: RequirementName;
  readonly value: number;
  /** The triggered rules that ask for this value. */
  readonly rules: readonly RequirementRule[];
  readonly inputs: readonly string[];
}

/** Every requirement of the triggered rules at its strongest value, in the order of REQUIREMENTS. */
function strongest(assessment: RiskAssessment, output: Output, profile: Profile): Strongest[] {
  const rank = TIERS.indexOf(assessment.tier);
  const triggered = profile.requirementRules.filter(
    ({ when, outputs }) =>
      outputs.includes(output) &&
      TIERS.indexOf(when.tier) <= rank &&
      (when.measured ?? []).every((condition) => holds(condition, assessment.measured)),
  );
  return (Object.keys(REQUIREMENTS) as RequirementName[]).flatMap((requirement) => {
    const rules = triggered.filter(({ requires }) => requires.requirement === requirement);
    if (rules.length === 0) return [];
    const value = rules.map(({ requires }) => requires.value).reduce((a, b) => (isStronger(requirement, b, a) ? b : a));
    const deciding = rules.filter(({ requires }) => requires.value === value);
    const inputs = new Set([
      `tier ${assessment.tier} (declared ${assessment.declared})`,
      ...assessment.reasons.flatMap((reason) => reason.inputs),
      ...deciding.flatMap(({ when }) => (when.measured ?? []).map((condition) => conditionText(condition, assessment.measured))),
    ]);
    return [{ requirement, value, rules: deciding, inputs: [...inputs] }];
  });
}

/** An override that changes nothing is a mistake, or is meant for something else. */
function refuseIdleOverrides(
  policy: Policy,
  required: readonly Strongest[],
  demands: ReadonlyMap<RequirementName, number | undefined>,
): void {
  for (const [i, override] of policy.overrides.entries()) {
    const name: RequirementName = override.requirement;
    const rule = required.find(({ requirement }) => requirement === name);
    const demanded = demands.get(name);
    const why =
      rule === undefined
        ? `does not apply to this release, which is held to ${required.map(({ requirement }) => requirement).join(", ")}`
        : !isStronger(name, rule.value, override.value)
          ? `requires ${bound(name, rule.value)}, and ${override.value} is not weaker`
          : demanded !== undefined && !isStronger(name, rule.value, demanded)
            ? `requires ${bound(name, rule.value)}, and the policy's ${demanded} meets that`
            : undefined;
    if (why === undefined) continue;
    throw new PolicyError(
      "policy/override-without-effect",
      `overrides[${i}]: ${name} ${why}. An override that weakens nothing is refused; take it away.`,
      { override: i, requirement: name },
    );
  }
}

interface Weaker {
  readonly requirement: RequirementName;
  readonly demanded: number;
  readonly least: number;
  readonly rules: readonly RequirementRule[];
  readonly inputs: readonly string[];
  readonly overridden: boolean;
}

function weakerThanRequired(weaker: readonly Weaker[]): PolicyError {
  const sentences = weaker.map(({ requirement, demanded, least, rules, inputs, overridden }) => {
    if (overridden) {
      return `The policy asks for ${requirement} ${demanded}, but its own override allows ${bound(requirement, least)}. Make the two agree.`;
    }
    return (
      `The policy asks for ${requirement} ${demanded}; required is ${bound(requirement, least)} ` +
      `(${rules.map(({ id }) => id).join(", ")}; because of ${inputs.join(", ")}). Use ${least}, or weaken it knowingly: add to overrides ` +
      `{ requirement: ${requirement}, value: ${demanded}, reason: ..., approvedBy: ... }.`
    );
  });
  return new PolicyError("policy/weaker-than-required", sentences.join("\n"), {
    requirements: weaker.map(({ requirement }) => requirement),
    found: weaker.map(({ demanded }) => demanded),
    required: weaker.map(({ least }) => least),
    rules: weaker.flatMap(({ rules }) => rules.map(({ id }) => id)),
  });
}

function bound(requirement: RequirementName, value: number): string {
  return `at ${REQUIREMENTS[requirement].stronger === "smaller" ? "most" : "least"} ${value}`;
}
