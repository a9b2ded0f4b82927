import fc from "fast-check";
import { expect, test } from "vitest";
import { isStronger, parsePolicy, REQUIREMENTS, type Classification, type Policy } from "../../src/policy/index.ts";
import { baseline, RISKIER, TIERS, type Measured, type Profile, type RequirementRule, type TierRule } from "../../src/profiles/index.ts";
import { classify } from "../../src/release/classify.ts";
import { requirementsFor } from "../../src/release/require.ts";
import { microdataPolicy, noisyPolicy, smallCellsPolicy } from "../policy/policies.ts";

/** So strict that they meet whatever is required. */
const STRICT: readonly Policy[] = [
  microdataPolicy({}, { k: 1e6 }),
  smallCellsPolicy({}, { threshold: 1e6, interval: 1e5 }),
  noisyPolicy({}, { rho: 1e-9 }),
  noisyPolicy({}, { mechanism: "discrete-laplace", rho: undefined, epsilon: 1e-9 }),
].map((input) => parsePolicy(input));

const CALM: Measured = { records: 1000, shareOfUniques: 0, smallestClass: 50, quasiIdentifiers: 2, sensitiveColumns: 0 };

/** Requirement -> value that the rules ask for. */
function required(policy: Policy, classification: Classification, measured: Measured, profile: Profile = baseline): Map<string, number> {
  const assessment = classify({ classification }, measured, profile);
  return new Map(requirementsFor(assessment, policy, profile).map((found) => [found.requirement, found.required]));
}

/** The table of the design, written out by hand. */
test.each([
  ["low", { "minimum-class-size": 5, "minimum-frequency": 11, "minimum-interval": 2, "maximum-rho": 2.63, "maximum-epsilon": 2.29 }],
  ["moderate", { "minimum-class-size": 11, "minimum-frequency": 11, "minimum-interval": 3, "maximum-rho": 1, "maximum-epsilon": 1.41 }],
  ["unknown", { "minimum-class-size": 11, "minimum-frequency": 11, "minimum-interval": 3, "maximum-rho": 1, "maximum-epsilon": 1.41 }],
  ["high", { "minimum-class-size": 20, "minimum-frequency": 11, "minimum-interval": 11, "maximum-rho": 0.5, "maximum-epsilon": 1 }],
] as const)("values at %s", (classification, values) => {
  const all = new Map(STRICT.flatMap((policy) => [...required(policy, classification, CALM)]));
  expect(Object.fromEntries(all)).toEqual({ "direct-identifiers-removed": 1, "complementary-suppression": 1, ...values });
});

test("each kind of release is held to its own requirements", () => {
  const names = STRICT.map((policy) => [...required(policy, "low", CALM).keys()]);
  expect(names).toEqual([
    ["direct-identifiers-removed", "minimum-class-size"],
    ["direct-identifiers-removed", "minimum-frequency", "complementary-suppression", "minimum-interval"],
    ["direct-identifiers-removed", "maximum-rho"],
    ["direct-identifiers-removed", "maximum-epsilon"],
  ]);
});

test("an epsilon is never worth more than the rho beside it", () => {
  for (const tier of TIERS) {
    const value = (name: string): number => Math.min(...STRICT.map((policy) => required(policy, tier, CALM).get(name) ?? Infinity));
    expect(value("maximum-epsilon") ** 2 / 2).toBeLessThanOrEqual(value("maximum-rho"));
  }
});

test.each([
  ["low", { shareOfUniques: 0.2 }, "moderate", ["baseline/many-uniques"]],
  ["low", { shareOfUniques: 0.1999 }, "low", []],
  ["low", { sensitiveColumns: 1 }, "moderate", ["baseline/sensitive-is-not-low"]],
  ["low", { sensitiveColumns: 3, shareOfUniques: 1 }, "moderate", ["baseline/many-uniques", "baseline/sensitive-is-not-low"]],
  ["moderate", { shareOfUniques: 0.5 }, "high", ["baseline/many-uniques"]],
  ["moderate", { sensitiveColumns: 1 }, "moderate", []],
  ["unknown", {}, "moderate", ["baseline/unknown-is-moderate"]],
  ["unknown", { shareOfUniques: 0.5 }, "high", ["baseline/unknown-is-moderate", "baseline/many-uniques"]],
  ["high", { shareOfUniques: 1, sensitiveColumns: 9 }, "high", []],
] as const)("declared %s with %o is %s", (classification, change, tier, rules) => {
  const assessment = classify({ classification }, { ...CALM, ...change });
  expect(assessment.tier).toBe(tier);
  expect(assessment.reasons.map(({ rule }) => rule)).toEqual(rules);
});

test("a reason tells the number that triggered it and the bound", () => {
  expect(classify({ classification: "low" }, { ...CALM, shareOfUniques: 0.31 }).reasons[0]!.inputs).toEqual(["shareOfUniques 0.31 (0.2 or more)"]);
});

test("a number that is not possible does not pass as a small one", () => {
  for (const change of [{ shareOfUniques: NaN }, { shareOfUniques: 1.1 }, { records: -1 }, { sensitiveColumns: undefined as never }, { smallestClass: 0.5 }]) {
    expect(() => classify({ classification: "low" }, { ...CALM, ...change })).toThrow(/so the risk is not known/);
  }
});

const measured: fc.Arbitrary<Measured> = fc.record({
  records: fc.nat(),
  shareOfUniques: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0.2, 0.1999)),
  smallestClass: fc.nat({ max: 30 }),
  quasiIdentifiers: fc.nat({ max: 30 }),
  sensitiveColumns: fc.nat({ max: 3 }),
});
const RANK: Record<Classification, number> = { low: 0, unknown: 1, moderate: 1, high: 2 };

/** The same or more risk in every input. */
function riskier(a: Measured, b: Measured): Measured {
  const pick = (input: keyof Measured): number => (RISKIER[input] === "larger" ? Math.max(a[input], b[input]) : Math.min(a[input], b[input]));
  return Object.fromEntries(Object.keys(RISKIER).map((input) => [input, pick(input as keyof Measured)])) as unknown as Measured;
}

function expectLaw(profile: Profile, a: Measured, b: Measured, x: Classification, y: Classification): void {
  const [weak, strong] = RANK[x] <= RANK[y] ? [x, y] : [y, x];
  for (const policy of STRICT) {
    const less = required(policy, weak, a, profile);
    const more = required(policy, strong, riskier(a, b), profile);
    for (const [name, value] of less) {
      expect(more.has(name)).toBe(true);
      expect(isStronger(name as keyof typeof REQUIREMENTS, value, more.get(name)!)).toBe(false);
    }
  }
}

const classifications = fc.constantFrom<Classification>("low", "moderate", "high", "unknown");

test("law: raising any input never weakens any requirement", () => {
  fc.assert(fc.property(measured, measured, classifications, classifications, (a, b, x, y) => expectLaw(baseline, a, b, x, y)), { numRuns: 400 });
});

test("law: it holds for any table of rules of this shape, not only for ours", () => {
  const condition = fc.record({ input: fc.constantFrom(...(Object.keys(RISKIER) as (keyof Measured)[])), bound: fc.oneof(fc.nat({ max: 30 }), fc.constant(0.2)) });
  const sourced = { id: fc.string(), reasoning: fc.constant(""), authority: fc.constant(""), source: fc.constant(""), status: fc.constant("proposed" as const) };
  const requirement = fc.constantFrom(
    ["microdata", "minimum-class-size"] as const,
    ["suppressed-counts", "minimum-interval"] as const,
    ["gaussian-counts", "maximum-rho"] as const,
  );
  const rule = fc
    .record({ ...sourced, tier: fc.constantFrom(...TIERS), conditions: fc.array(condition, { maxLength: 2 }), requirement, value: fc.integer({ min: 2, max: 50 }) })
    .map(({ tier, conditions, requirement: [output, name], value, ...rest }): RequirementRule => {
      return { ...rest, when: { tier, measured: conditions }, outputs: [output], requires: { requirement: name, value } };
    });
  const raises = fc.oneof(fc.record({ steps: fc.integer({ min: 1, max: 3 }) }), fc.record({ atLeast: fc.constantFrom(...TIERS) }));
  const tierRule: fc.Arbitrary<TierRule> = fc.record({ ...sourced, when: fc.array(condition, { minLength: 1, maxLength: 2 }), raises });
  const profiles = fc
    .record({ requirementRules: fc.array(rule, { maxLength: 12 }), tierRules: fc.array(tierRule, { maxLength: 4 }) })
    .map((rules): Profile => ({ ...baseline, ...rules }));
  fc.assert(fc.property(profiles, measured, measured, classifications, classifications, expectLaw), { numRuns: 400 });
});

test("every rule states its reasoning, source and status, and has its own name", () => {
  const rules = [baseline.unknownClassification, ...baseline.tierRules, ...baseline.requirementRules];
  for (const rule of rules) {
    expect(rule.id).toMatch(/^baseline\/[a-z-]+$/);
    expect([rule.reasoning, rule.authority, rule.source].every((text) => text.length > 10 || text === rule.authority)).toBe(true);
  }
  expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
});

test("every kind of release has a rule for each requirement at the lowest tier, so none is ever without", () => {
  const always = baseline.requirementRules.filter(({ when }) => when.tier === "low" && when.measured === undefined);
  const names = new Set(always.map(({ requires }) => requires.requirement));
  expect([...names].sort()).toEqual(Object.keys(REQUIREMENTS).sort());
});
