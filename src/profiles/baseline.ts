import type { Profile, RequirementRule, Tier } from "./profile.ts";

const DDG = "CalHHS Data De-Identification Guidelines, Edition 2.0 (2025)";

/**
 * Rho of the discrete Gaussian from a published release and our own judgement. The epsilon of the same row is the pure budget
 * that implies this rho, by rho = epsilon^2 / 2 (Bun and Steinke 2016, Proposition 1.4), rounded down, so that Laplace noise
 * is never held to a weaker standard than Gaussian noise.
 */
const NOISE: readonly { readonly tier: Tier; readonly rho: number; readonly epsilon: number; readonly why: string }[] = [
  {
    tier: "low",
    rho: 2.63,
    epsilon: 2.29,
    why:
      "The budget of a national release of counts of people, 2.56 for persons and 0.07 for housing units. There one person's answers " +
      "change; here a contributor comes or goes, so the figures are comparable, not equal.",
  },
  { tier: "moderate", rho: 1, epsilon: 1.41, why: "Well below the published census budget, since the impact of a disclosure is greater." },
  {
    tier: "high",
    rho: 0.5,
    epsilon: 1,
    why: "A pure epsilon of 1 is a common reading of a strong budget: through one person no outcome becomes more than e = 2.72 times as likely.",
  },
];

/**
 * The rules of commensurate itself: what every release meets, whatever other profile is used. Values named in published
 * texts are marked with them; the others are proposals, with their reasoning. Every rule triggers towards more risk only,
 * and of several values the strongest counts, so more risk never gets less protection.
 */
export const baseline: Profile = {
  name: "commensurate/baseline",
  edition: "1",
  description: "Least protection of microdata, tables of counts and noisy counts in proportion to classification and measured risk.",

  unknownClassification: {
    id: "baseline/unknown-is-moderate",
    tier: "moderate",
    reasoning: "Where the classification is not known, information is protected as moderate.",
    authority: "State of California",
    source: "State Administrative Manual 5305.5 (rev. 6/2014), in the terms of FIPS 199",
    status: "verified",
  },

  tierRules: [
    {
      id: "baseline/many-uniques",
      when: [{ input: "shareOfUniques", bound: 0.2 }],
      raises: { steps: 1 },
      reasoning:
        "Classification states the impact of a disclosure, the data state how easily persons are told apart. Where a fifth of the " +
        "records or more are alone in their combination of key values, one step stronger protection answers for it.",
      authority: "commensurate",
      source: "Impact and identifiability as two factors: NIST SP 800-122; the bound of 0.2 is our own",
      status: "proposed",
    },
    {
      id: "baseline/sensitive-is-not-low",
      when: [{ input: "sensitiveColumns", bound: 1 }],
      raises: { atLeast: "moderate" },
      reasoning:
        "A column that the policy itself calls sensitive contradicts a low impact: what it says about a person must not be learnt.",
      authority: "commensurate",
      source: "Sensitivity of data fields as a factor of impact: NIST SP 800-122; the step is our own",
      status: "proposed",
    },
  ],

  requirementRules: [
    {
      id: "baseline/direct-identifiers",
      when: { tier: "low" },
      outputs: ["microdata", "suppressed-counts", "perturbed-counts", "gaussian-counts", "laplace-counts"],
      requires: { requirement: "direct-identifiers-removed", value: 1 },
      reasoning: "An open file has no safe people or settings around it, so nothing that names a person may be in it.",
      authority: "commensurate",
      source: "Common to all published rules, for example 45 CFR 164.514(b)(2)",
      status: "proposed",
    },
    {
      id: "baseline/class-size-low",
      when: { tier: "low" },
      outputs: ["microdata"],
      requires: { requirement: "minimum-class-size", value: 5 },
      reasoning: "At most a one in five chance to pick the right record in a class, where a disclosure does limited harm.",
      authority: "commensurate",
      source: "Our own judgement",
      status: "proposed",
    },
    {
      id: "baseline/class-size-moderate",
      when: { tier: "moderate" },
      outputs: ["microdata"],
      requires: { requirement: "minimum-class-size", value: 11 },
      reasoning: "The same number of persons below which a count is called small; at most a chance of 1 in 11, or 0.09.",
      authority: "commensurate",
      source: `Small-cell number of ${DDG}, section 4.2, and of the CMS cell-size policy, carried over to records`,
      status: "proposed",
    },
    {
      id: "baseline/class-size-high",
      when: { tier: "high" },
      outputs: ["microdata"],
      requires: { requirement: "minimum-class-size", value: 20 },
      reasoning: "At most a chance of 1 in 20, or 0.05, where a disclosure does severe harm.",
      authority: "commensurate",
      source: "Threshold for a high invasion of privacy: Ontario IPC, De-Identification Guidelines for Structured Data (2025)",
      status: "secondary",
    },
    {
      id: "baseline/frequency",
      when: { tier: "low" },
      outputs: ["suppressed-counts"],
      requires: { requirement: "minimum-frequency", value: 11 },
      reasoning:
        "Counts from 1 to 10 are not shown. Zero is, since what did not happen identifies nobody. The guideline lets counts below 11 " +
        "pass at a low score; without a score, as here, they are hidden whatever the classification.",
      authority: "California Health and Human Services Agency",
      source: `${DDG}, sections 4.2 and 4.4`,
      status: "verified",
    },
    {
      id: "baseline/complementary",
      when: { tier: "low" },
      outputs: ["suppressed-counts"],
      requires: { requirement: "complementary-suppression", value: 1 },
      reasoning: "A count that can be computed from its neighbours and their total is not hidden.",
      authority: "California Health and Human Services Agency",
      source: `${DDG}, section 4.4`,
      status: "verified",
    },
    interval("low", 2, "A hidden count that has only one possible value is not hidden."),
    interval("moderate", 3, "Two possible values leave an even guess; of three, none is likelier than not."),
    interval("high", 11, "As many values as there are from 0 to 10: the table tells no more than that the count is small."),
    ambiguity("low", 3, "Of three counts that may be behind a number, none is likelier than not; base 3 is the least that statistical offices round to."),
    ambiguity("moderate", 5, "As many as rounding to base 5 leaves, the usual base for counts of people."),
    ambiguity("high", 10, "As many as rounding to base 10 leaves."),
    ...NOISE.flatMap(({ tier, rho, epsilon, why }): RequirementRule[] => [
      {
        id: `baseline/rho-${tier}`,
        when: { tier },
        outputs: ["gaussian-counts"],
        requires: { requirement: "maximum-rho", value: rho },
        reasoning: why,
        authority: "commensurate",
        source:
          tier === "low"
            ? "US Census Bureau, 2020 Census redistricting data (P.L. 94-171), production settings: rho 2.56 and 0.07"
            : "Our own judgement",
        status: "proposed",
      },
      {
        id: `baseline/epsilon-${tier}`,
        when: { tier },
        outputs: ["laplace-counts"],
        requires: { requirement: "maximum-epsilon", value: epsilon },
        reasoning: `${why} Epsilon is the square root of twice rho = ${rho}, rounded down.`,
        authority: "commensurate",
        source: "Conversion: Bun and Steinke (2016), Proposition 1.4",
        status: "proposed",
      },
    ]),
  ],
};

function ambiguity(tier: Tier, value: number, reasoning: string): RequirementRule {
  return {
    id: `baseline/ambiguity-${tier}`,
    when: { tier },
    outputs: ["perturbed-counts"],
    requires: { requirement: "minimum-ambiguity", value },
    reasoning,
    authority: "commensurate",
    source: "Our own judgement",
    status: "proposed",
  };
}

function interval(tier: Tier, value: number, reasoning: string): RequirementRule {
  return {
    id: `baseline/interval-${tier}`,
    when: { tier },
    outputs: ["suppressed-counts"],
    requires: { requirement: "minimum-interval", value },
    reasoning,
    authority: "commensurate",
    source: "Our own judgement",
    status: "proposed",
  };
}
