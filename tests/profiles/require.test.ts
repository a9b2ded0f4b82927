import { describe, expect, test } from "vitest";
import { PolicyError } from "../../src/errors/index.ts";
import { parsePolicy, type PolicyInput } from "../../src/policy/index.ts";
import type { Measured } from "../../src/profiles/index.ts";
import { classify } from "../../src/release/classify.ts";
import { effectiveValue, requirementsFor, type Requirement } from "../../src/release/require.ts";
import { microdataPolicy, noisyPolicy, smallCellsPolicy } from "../policy/policies.ts";

const CALM: Measured = { records: 1000, shareOfUniques: 0, smallestClass: 50, quasiIdentifiers: 2, sensitiveColumns: 0 };
const WHY = { reason: "The data protection officer accepted it.", approvedBy: "A. Officer" };

function requirements(input: PolicyInput, change: Partial<Measured> = {}): Requirement[] {
  const policy = parsePolicy(input);
  return requirementsFor(classify(policy, { ...CALM, ...change }), policy);
}

function refusal(input: PolicyInput, change: Partial<Measured> = {}): PolicyError {
  try {
    requirements(input, change);
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
  throw new Error("The policy was accepted.");
}

test("a requirement names its rule, what triggered it, its reasoning and its source", () => {
  const found = requirements(microdataPolicy({ classification: "low" }), { shareOfUniques: 0.5 });
  expect(found.map(({ requirement }) => requirement)).toEqual(["direct-identifiers-removed", "minimum-class-size"]);
  expect(found[1]).toMatchObject({
    value: 11,
    required: 11,
    demanded: 11,
    rules: ["baseline/class-size-moderate"],
    inputs: ["tier moderate (declared low)", "shareOfUniques 0.5 (0.2 or more)"],
  });
  expect(found[1]!.reasoning).toContain("1 in 11");
  expect(found[1]!.source).toContain("section 4.2");
  expect(JSON.parse(JSON.stringify(found))).toEqual(found);
});

describe("what the policy asks for", () => {
  test("more than required stands", () => {
    const found = requirements(microdataPolicy({ classification: "low" }, { k: 50 }));
    expect(effectiveValue(found, "minimum-class-size")).toBe(50);
    expect(effectiveValue(requirements(noisyPolicy({ classification: "low" }, { rho: 0.1 })), "maximum-rho")).toBe(0.1);
  });

  test("what it leaves open is what is required, and of intervals at least half of what the frequency rule hides", () => {
    expect(effectiveValue(requirements(smallCellsPolicy({ classification: "high" })), "minimum-interval")).toBe(11);
    expect(effectiveValue(requirements(smallCellsPolicy()), "minimum-interval")).toBe(5);
    expect(effectiveValue(requirements(smallCellsPolicy({}, { interval: 5 })), "minimum-interval")).toBe(5);
  });

  test("exactly what is required is enough", () => {
    expect(effectiveValue(requirements(noisyPolicy({ classification: "low" }, { rho: 2.63 })), "maximum-rho")).toBe(2.63);
  });

  test.each<[string, PolicyInput, string, number, number, string]>([
    ["a k", microdataPolicy({}, { k: 5 }), "minimum-class-size", 5, 11, "baseline/class-size-moderate"],
    ["a threshold", smallCellsPolicy({ classification: "low" }, { threshold: 10 }), "minimum-frequency", 10, 11, "baseline/frequency"],
    ["an interval", smallCellsPolicy({}, { interval: 2 }), "minimum-interval", 2, 3, "baseline/interval-moderate"],
    ["a rho", noisyPolicy({}, { rho: 1.01 }), "maximum-rho", 1.01, 1, "baseline/rho-moderate"],
    ["an epsilon", noisyPolicy({}, { mechanism: "discrete-laplace", rho: undefined, epsilon: 2 }), "maximum-epsilon", 2, 1.41, "baseline/epsilon-moderate"],
  ])("less is refused: %s", (_, input, requirement, found, required, rule) => {
    const error = refusal(input);
    expect(error.code).toBe("policy/weaker-than-required");
    expect(error.detail).toEqual({ requirements: [requirement], found: [found], required: [required], rules: [rule] });
    expect(error.message).toContain(`The policy asks for ${requirement} ${found}; required is at `);
    expect(error.message).toContain(`${required} (${rule}; because of tier `);
    expect(error.message).toContain(`{ requirement: ${requirement}, value: ${found}, reason: ..., approvedBy: ... }`);
  });

  test("measured risk counts: what is enough for a calm table is not for one full of uniques", () => {
    const input = microdataPolicy({ classification: "low" }, { k: 5 });
    expect(effectiveValue(requirements(input), "minimum-class-size")).toBe(5);
    expect(refusal(input, { shareOfUniques: 0.2 }).detail["required"]).toEqual([11]);
  });

  test("everything weaker is told at once", () => {
    expect(refusal(smallCellsPolicy({}, { threshold: 5, interval: 2 })).detail["requirements"]).toEqual(["minimum-frequency", "minimum-interval"]);
  });
});

describe("overrides", () => {
  const override = (value: number, requirement = "minimum-class-size"): { overrides: PolicyInput["overrides"] } => ({
    overrides: [{ requirement, value, ...WHY }] as PolicyInput["overrides"],
  });

  test("weaken one requirement knowingly, and stay on record", () => {
    const found = requirements(microdataPolicy(override(5), { k: 5 }));
    expect(found.find(({ requirement }) => requirement === "minimum-class-size")).toMatchObject({
      value: 5,
      required: 11,
      demanded: 5,
      overridden: { ...WHY, wouldBe: 11 },
    });
    expect(found.filter(({ overridden }) => overridden !== undefined)).toHaveLength(1);
  });

  test("hold where the policy leaves the value open", () => {
    const found = requirements(smallCellsPolicy(override(2, "minimum-interval")));
    expect(found.at(-1)).toMatchObject({ requirement: "minimum-interval", value: 2, overridden: { wouldBe: 3 } });
  });

  test("do not cover less than they say", () => {
    const error = refusal(microdataPolicy(override(5), { k: 4 }));
    expect(error.code).toBe("policy/weaker-than-required");
    expect(error.message).toContain("its own override allows at least 5");
  });

  test("do not cover other requirements", () => {
    expect(refusal(smallCellsPolicy(override(2, "minimum-interval"), { threshold: 5 })).detail["requirements"]).toEqual(["minimum-frequency"]);
  });

  test("also weaken upper limits", () => {
    expect(effectiveValue(requirements(noisyPolicy(override(8, "maximum-rho"), { rho: 7 })), "maximum-rho")).toBe(7);
    expect(refusal(noisyPolicy(override(8, "maximum-rho"), { rho: 9 })).code).toBe("policy/weaker-than-required");
  });

  test.each<[string, PolicyInput, RegExp]>([
    ["of a requirement that the policy meets", microdataPolicy(override(5), { k: 11 }), /the policy's 11 meets that/],
    ["that is not weaker", microdataPolicy(override(11), { k: 11 }), /11 is not weaker/],
    ["that is stronger", microdataPolicy(override(12), { k: 12 }), /12 is not weaker/],
    ["of another kind of release", microdataPolicy(override(9, "maximum-rho")), /does not apply to this release/],
    ["of the other mechanism", noisyPolicy(override(9, "maximum-epsilon")), /does not apply to this release/],
  ])("are refused when they have no effect: %s", (_, input, why) => {
    const error = refusal(input);
    expect(error.code).toBe("policy/override-without-effect");
    expect(error.message).toMatch(why);
  });
});
