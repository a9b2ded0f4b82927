import { z } from "zod";

export const SmallCells = z.strictObject({
  method: z
    .literal("small-cells")
    .describe("Counts below the threshold are left blank, and further cells with them, so that none can be computed back."),
  threshold: z
    .int()
    .min(2, {
      error: (issue) => `threshold is the smallest count that may be shown and must be at least 2; found ${Number(issue.input)}.`,
    })
    .describe("Smallest count that may be shown, in records. There is no default: the number is a decision of the agency."),
  zeros: z
    .enum(["publish", "protect"])
    .default("publish")
    .describe("Whether a count of zero is shown (nobody is in the cell) or treated as a small count."),
  interval: z
    .int()
    .min(2, {
      error: (issue) =>
        `interval is the number of values that must remain possible for a hidden count, at least 2; found ${Number(issue.input)}.`,
    })
    .optional()
    .describe(
      "How many values must remain possible for every hidden small count, seen by somebody who knows everything published " +
        "and the rule itself. When absent, what the classification requires.",
    ),
  codes: z
    .enum(["merged", "separate"])
    .default("merged")
    .describe(
      "Whether the annotation tells counts hidden for being small from counts hidden to protect others (separate) or not " +
        "(merged). Telling them apart helps a reader to infer hidden counts, so separate codes are written only where every " +
        "hidden small count keeps its interval all the same, else merged ones.",
    ),
});
export type SmallCellsInput = z.input<typeof SmallCells>;
export type SmallCells = z.output<typeof SmallCells>;
