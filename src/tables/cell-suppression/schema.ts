import * as z from "zod";
import { PrimaryRules } from "../primary-rules/schema.ts";
import { complementaryOptions } from "../small-cells/schema.ts";

export const CellSuppression = z.strictObject({
  method: z
    .literal("cell-suppression")
    .describe("Cells that any of the rules names are left blank, and further cells with them, so that none can be computed back."),
  rules: PrimaryRules,
  interval: z
    .int()
    .min(2, {
      error: (issue) =>
        `interval is the number of values that must remain possible for a hidden count, at least 2; found ${Number(issue.input)}.`,
    })
    .optional()
    .describe(
      "How many values must remain possible for every hidden count, seen by somebody who knows everything published and the rule. " +
        "When absent, half of the values that the frequency rule hides, or what the classification requires if that is more.",
    ),
  codes: z
    .enum(["merged", "separate"])
    .default("merged")
    .describe(
      "Whether the annotation tells cells hidden by a rule from cells hidden to protect others (separate) or not (merged). " +
        "Separate codes are written only where every hidden count keeps its interval all the same, else merged ones.",
    ),
  ...complementaryOptions,
});
export type CellSuppressionInput = z.input<typeof CellSuppression>;
export type CellSuppression = z.output<typeof CellSuppression>;
