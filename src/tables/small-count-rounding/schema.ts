import * as z from "zod";

export const SmallCountRounding = z
  .strictObject({
    method: z
      .literal("small-count-rounding")
      .describe("Small counts become 0 or the base, chosen so that larger published counts hardly change; all tables add up."),
    base: z
      .int()
      .min(2, { error: (issue) => `base is the smallest count above 0 that is shown and must be at least 2; found ${Number(issue.input)}.` })
      .describe("Smallest count above 0 that may be shown. There is no default: the number is a decision of the agency."),
    maxRound: z
      .int()
      .min(1, { error: (issue) => `maxRound is a number of records and must be at least 1; found ${Number(issue.input)}.` })
      .optional()
      .describe("Published counts from 1 to this number are rounded. When absent, base - 1."),
    identifyNew: z
      .boolean()
      .default(true)
      .describe(
        "Whether counts that become small by the rounding of others are rounded too, until none from 1 to base - 1 is left. " +
          "Without it such counts may be shown.",
      ),
    zeroCandidates: z
      .boolean()
      .default(false)
      .describe(
        "Whether zeros (and multiples of the base up to maxRound) beside small counts may be raised too, so that a base shown may " +
          "stand for nobody. Zeros that everybody may know are never raised.",
      ),
    allSmall: z
      .boolean()
      .default(false)
      .describe("Whether every small count of the finest breakdown is rounded, also where no small count is published."),
    checkSums: z
      .boolean()
      .default(true)
      .describe("Whether small counts of the finest breakdown that follow from published ones by subtraction are rounded too."),
  })
  .refine(({ identifyNew, maxRound, base }) => !identifyNew || maxRound === undefined || maxRound >= base - 1, {
    path: ["maxRound"],
    error: "maxRound must be at least base - 1 unless identifyNew is false.",
  });
export type SmallCountRoundingInput = z.input<typeof SmallCountRounding>;
export type SmallCountRounding = z.output<typeof SmallCountRounding>;
