import * as z from "zod";

/** Hits are kept as bits of one word per cell. */
export const RULES_LIMIT = 32;

const between = (what: string, least: number, most: number) =>
  z
    .number()
    .min(least, { error: (issue) => `${what}, at least ${least}; found ${Number(issue.input)}.` })
    .max(most, { error: (issue) => `${what}, at most ${most}; found ${Number(issue.input)}.` });

const share = (what: string) => between(`${what} is a percentage`, 0.000001, 100);

const threshold = (what: string) => between(what, 0.000001, Number.MAX_SAFE_INTEGER);

const atLeast = (least: number, what: string) =>
  z.int().min(least, { error: (issue) => `${what} is a whole number of at least ${least}; found ${Number(issue.input)}.` });

const by = z
  .enum(["contributor", "holding"])
  .default("contributor")
  .describe("Whose contributions count as one: those of a contributor, or those of all contributors of a holding (enterprise group).");

const zeros = z
  .enum(["publish", "protect"])
  .default("publish")
  .describe("Whether a cell without records is shown (nobody is in it) or held against this rule like any other.");

const of = z.string().min(1).describe("Column of the measure that is summed in the cells.");

const weights = z
  .enum(["units", "contributions", "ignore"])
  .default("units")
  .describe(
    "What a sampling weight does, where the data have one. units: a value v of weight w stands for w contributors of v each. " +
      "contributions: each contribution as it was reported is held against the weighted total. ignore: the sample alone counts.",
  );

const negatives = z
  .enum(["sums", "values", "refuse"])
  .default("sums")
  .describe(
    "How contributions below zero count. sums: the absolute value of each contributor's sum, and cells are totals of these. " +
      "values: absolute values are taken first, record by record. refuse: data with one are an error.",
  );

const width = z
  .strictObject({
    percent: z.number().min(0).default(0).describe("Least width as a percentage of the cell's total."),
    minimum: z.number().min(0).default(0).describe("Least width in units of the measure."),
  })
  .default({ percent: 0, minimum: 0 })
  .describe("Least width of the range that a reader can work out for a hidden cell (sliding protection), beside the rule's own bounds.");

const safetyRange = z
  .number()
  .min(0)
  .default(0)
  .describe("For tables of a measure: how far, in percent of the cell's total, a reader must stay off on either side.");

export const FrequencyRule = z.strictObject({
  rule: z.literal("frequency").describe("Counts above zero and below the minimum are hidden."),
  minimum: threshold("minimum is the smallest count that may be shown").describe(
    "Smallest count that may be shown. There is no default: the number is a decision of the agency.",
  ),
  zeros,
  count: z
    .enum(["records", "weighted"])
    .default("records")
    .describe("Whether records are counted, or the sum of their sampling weights."),
  of: z.string().min(1).optional().describe("Column of another count to hold against the minimum, for example the numerator of a rate."),
  safetyRange,
});
export type FrequencyRule = z.output<typeof FrequencyRule>;

export const ContributorsRule = z.strictObject({
  rule: z.literal("contributors").describe("Cells with fewer than so many different contributors are hidden."),
  minimum: atLeast(2, "minimum").describe("Smallest number of different contributors of a cell that may be shown."),
  by,
  of: z.string().min(1).optional().describe("Count only those whose contribution to this measure is not zero."),
  safetyRange,
});
export type ContributorsRule = z.output<typeof ContributorsRule>;

export const DominanceRule = z.strictObject({
  rule: z
    .literal("dominance")
    .describe("Cells of which the n largest contributors make up more than k percent are hidden: the (n,k) rule."),
  n: atLeast(1, "n").describe("How many of the largest contributors are taken together."),
  k: share("k").describe("Percentage of the cell's total that they may make up, at most."),
  of,
  by,
  weights,
  negatives,
  width,
});
export type DominanceRule = z.output<typeof DominanceRule>;

export const PPercentRule = z.strictObject({
  rule: z
    .literal("p-percent")
    .describe("Cells are hidden in which the next largest contributors could estimate the largest to within p percent."),
  p: between("p is a percentage", 0.000001, 10_000).describe(
    "How close an estimate of the largest contribution may not come, in percent of it.",
  ),
  coalition: atLeast(1, "coalition").default(1).describe("How many of the next largest contributors may put their knowledge together."),
  of,
  by,
  weights,
  negatives,
  width,
});
export type PPercentRule = z.output<typeof PPercentRule>;

export const PriorPosteriorRule = z
  .strictObject({
    rule: z
      .literal("prior-posterior")
      .describe("Like p-percent, for readers who knew every contribution to within q percent beforehand: the p/q rule."),
    p: share("p").describe("How close an estimate of the largest contribution may not come, in percent of it."),
    q: share("q").describe("How close everybody is taken to know every contribution beforehand, in percent of it; more than p."),
    coalition: atLeast(1, "coalition").default(1).describe("How many of the next largest contributors may put their knowledge together."),
    of,
    by,
    weights,
    negatives,
    width,
  })
  .refine(({ p, q }) => p < q, {
    error: "p must be below q: whoever knows a contribution to within q percent beforehand may not come to within p percent.",
    path: ["p"],
  });
export type PriorPosteriorRule = z.output<typeof PriorPosteriorRule>;

export const RequestRule = z.strictObject({
  rule: z
    .literal("request")
    .describe("Cells are hidden in which a contributor that asked for confidentiality makes up more than so many percent."),
  share: share("share").describe("Percentage of the cell's total above which the request is granted."),
  of,
  by,
  weights,
  negatives,
  width,
});
export type RequestRule = z.output<typeof RequestRule>;

export const DenominatorRule = z.strictObject({
  rule: z.literal("denominator").describe("Cells about groups that are too small are hidden, whatever the count in the cell."),
  minimum: threshold("minimum is the smallest denominator that may be used").describe(
    "Smallest denominator, for example 20000 people living in the area.",
  ),
  denominator: z.string().min(1).describe("Column of the denominator, for example the population."),
  zeros,
});
export type DenominatorRule = z.output<typeof DenominatorRule>;

export const RemainderRule = z.strictObject({
  rule: z
    .literal("remainder")
    .describe("Cells are hidden in which too few of the group do not have the attribute: the denominator less the numerator is small."),
  minimum: threshold("minimum is the smallest remainder that may be shown").describe(
    "Smallest difference between denominator and numerator. A difference of 0 (everybody has the attribute) is hidden too.",
  ),
  of: z.string().min(1).describe("Column of the numerator."),
  denominator: z.string().min(1).optional().describe("Column of the denominator. When absent, the records of the cell."),
});
export type RemainderRule = z.output<typeof RemainderRule>;

export const GroupDisclosureRule = z.strictObject({
  rule: z
    .literal("group-disclosure")
    .describe("Cells are hidden that hold everybody of their group, so that membership of the group gives the category away."),
  columns: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("Columns whose category must not be learnt from membership of a group. When absent, every dimension."),
});
export type GroupDisclosureRule = z.output<typeof GroupDisclosureRule>;

export const SurveyCasesRule = z.strictObject({
  rule: z.literal("survey-cases").describe("Estimates from too few survey cases are hidden because they are not reliable."),
  minimum: atLeast(2, "minimum").describe("Smallest number of sample cases, not weighted, for example 30."),
  of: z
    .string()
    .min(1)
    .optional()
    .describe("Column with the number of sample cases in the denominator. When absent, the records of the cell."),
  zeros,
});
export type SurveyCasesRule = z.output<typeof SurveyCasesRule>;

export const PopulationsRule = z
  .strictObject({
    rule: z
      .literal("populations")
      .describe("Small counts of people in need of special protection are hidden, whatever other rules or scores would allow."),
    column: z.string().min(1).optional().describe("Column that tells who they are."),
    categories: z
      .array(z.string())
      .min(1)
      .optional()
      .describe("Categories of that column, at any level of its hierarchy."),
    tables: z.array(z.string()).min(1).optional().describe("Tables that are about such people as a whole."),
    minimum: atLeast(2, "minimum").describe("Smallest count of such people that may be shown, for example 11."),
    zeros,
  })
  .refine((rule) => (rule.column === undefined) === (rule.categories === undefined), {
    error: "column and categories go together: the column, and those of its categories that need protection.",
    path: ["categories"],
  })
  .refine((rule) => rule.column !== undefined || rule.tables !== undefined, {
    error: "Say who needs protection: column and categories, or the tables that are about them.",
    path: ["column"],
  });
export type PopulationsRule = z.output<typeof PopulationsRule>;

export const RULE_NAMES = [
  "frequency", "contributors", "dominance", "p-percent", "prior-posterior", "request", "denominator", "remainder",
  "group-disclosure", "survey-cases", "populations", "cells",
] as const;
export type RuleName = (typeof RULE_NAMES)[number];

const address = {
  table: z.string().min(1).describe("Name of the table."),
  category: z
    .record(
      z.string(),
      z.union([z.string(), z.null(), z.strictObject({
      level: z.int().min(0).describe("Level of the hierarchy."),
      value: z.union([z.string(), z.null()]).describe("Text of the category there; null for missing values."),
    })], {
        error: "Write the category's text, null for a missing value, or {level, value}.",
      }),
    )
    .describe("Category of each column; columns that are not named are summed over. {level, value} where a text stands at several levels."),
  reason: z.string().min(1, { error: "Give a reason; it is kept with the internal evidence." }).describe("Why; for the internal evidence."),
};

export const CellsRule = z
  .strictObject({
    rule: z.literal("cells").describe("Cells that are hidden or shown by decision, one by one."),
    suppress: z.array(z.strictObject(address)).default([]).describe("Cells to hide."),
    publish: z
      .array(
        z
          .strictObject({
            ...address,
            overrides: z
              .array(z.enum(RULE_NAMES).exclude(["cells", "populations"]))
              .default([])
              .describe("Rules that would hide the cell and are set aside for it. Others still count; populations can not be set aside, nor can the minimum for a number of records, which holds for the release as a whole."),
            approvedBy: z.string().min(1).optional().describe("Who answers for setting the rules aside; a name or an office."),
          })
          .refine((cell) => cell.overrides.length === 0 || cell.approvedBy !== undefined, {
            error: "Setting a rule aside needs approvedBy: who answers for it.",
            path: ["approvedBy"],
          }),
      )
      .default([])
      .describe("Cells that must be shown; others are hidden in their place."),
  })
  .refine((rule) => rule.suppress.length + rule.publish.length > 0, { error: "List at least one cell under suppress or publish." });
export type CellsRule = z.output<typeof CellsRule>;

export const PrimaryRule = z.discriminatedUnion("rule", [
  FrequencyRule, ContributorsRule, DominanceRule, PPercentRule, PriorPosteriorRule, RequestRule, DenominatorRule, RemainderRule,
  GroupDisclosureRule, SurveyCasesRule, PopulationsRule, CellsRule,
]);
export type PrimaryRuleInput = z.input<typeof PrimaryRule>;
export type PrimaryRule = z.output<typeof PrimaryRule>;

export const PrimaryRules = z
  .array(PrimaryRule)
  .min(1, { error: "Name at least one rule." })
  .max(RULES_LIMIT, { error: `At most ${RULES_LIMIT} rules can be combined.` })
  .describe("Rules that say which cells may not be shown. A cell is hidden when any of them says so.");
export type PrimaryRulesInput = z.input<typeof PrimaryRules>;
export type PrimaryRules = z.output<typeof PrimaryRules>;
