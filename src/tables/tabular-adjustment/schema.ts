import * as z from "zod";

export const TabularAdjustment = z.strictObject({
  method: z
    .literal("tabular-adjustment")
    .describe("Small counts become 0 or at least the threshold, and other counts move as little as possible so that all tables add up."),
  threshold: z
    .int()
    .min(2, {
      error: (issue) => `threshold is the smallest count above 0 that may be shown and must be at least 2; found ${Number(issue.input)}.`,
    })
    .describe("Smallest count above 0 that may be shown, in records. There is no default: the number is a decision of the agency."),
  zeros: z
    .enum(["stay", "move"])
    .default("stay")
    .describe("Whether a count of 0 stays 0, or may become the threshold like a small count. Zeros that everybody may know always stay."),
  distance: z
    .enum(["absolute", "relative"])
    .default("relative")
    .describe("What is kept small: the sum of changes in records, or of changes relative to the count. Relative is far faster as well: there are fewer ties."),
  maxChange: z
    .int()
    .min(1, { error: (issue) => `maxChange is a number of records and must be at least 1; found ${Number(issue.input)}.` })
    .optional()
    .describe("Most records by which a count that is not small may move. When absent, twice the threshold."),
  nodes: z
    .int()
    .min(1, { error: "nodes is a limit on the search and must be at least 1." })
    .default(1000)
    .describe("Steps that the search may take in each connected part of the tables. More steps may come nearer to the counts."),
});
export type TabularAdjustmentInput = z.input<typeof TabularAdjustment>;
export type TabularAdjustment = z.output<typeof TabularAdjustment>;
