import * as z from "zod";

const method = z.literal("rounding").describe("Every count is shown as a rounded number.");

const base = z
  .int()
  .min(2, { error: (issue) => `base is the number whose multiples are published and must be at least 2; found ${Number(issue.input)}.` })
  .max(1_000_000, { error: "base must be at most 1,000,000." })
  .describe("Counts become multiples of this number. There is no default: the number is a decision of the agency.");

const totals = z
  .enum(["rounded", "summed"])
  .default("rounded")
  .describe(
    "Whether totals are added up first and then rounded (rounded: each number is as near as can be, but rows do not add up, " +
      "which can give single counts away) or are sums of the rounded finest counts (summed: rows add up, totals drift).",
  );

export const DeterministicRounding = z.strictObject({
  method,
  kind: z.literal("deterministic").describe("Each count goes to the nearest multiple of the base."),
  base,
  half: z
    .enum(["up", "even"])
    .default("up")
    .describe("Where an even base leaves a count half-way: up, or to the multiple whose number is even (both are common)."),
  totals,
});

export const MidpointRounding = z.strictObject({
  method,
  kind: z
    .literal("midpoint")
    .describe("Counts are grouped in steps of the base, such as 1 to 6 and 7 to 12, and shown as the middle of the step; 0 stays 0."),
  base: base.default(6).describe("Width of a step; 6 shows 3, 9, 15 and so on, so nobody can tell 1 from 6."),
  totals,
});

export const RandomRounding = z.strictObject({
  method,
  kind: z
    .literal("random")
    .describe("Each count goes up or down to a multiple of the base by chance, so that on average it is right."),
  base,
  repeat: z
    .enum(["same", "fresh"])
    .default("same")
    .describe(
      "same: a cell with the same categories and count is rounded the same way in every release, which takes the agency's " +
        "secret key. fresh: each release draws again, and whoever averages several releases finds the count.",
    ),
});

export const ControlledRounding = z.strictObject({
  method,
  kind: z
    .literal("controlled")
    .describe("Multiples of the base that add up in every row and column, each less than one base away from its count."),
  base,
  fallback: z
    .enum(["fail", "relax"])
    .default("fail")
    .describe(
      "What happens where no such numbers exist or none are found within the limits: nothing is published (fail), or some " +
        "numbers may be up to one base further away (relax).",
    ),
  nodes: z
    .int()
    .min(1, { error: "nodes is a limit on the search and must be at least 1." })
    .default(1000)
    .describe("Steps that the search may take in each connected part of the tables. More steps may come nearer to the counts."),
});

export const DrbRounding = z.strictObject({
  method,
  kind: z
    .literal("drb")
    .describe(
      'Rounding rules of the disclosure review board of the US Census Bureau: "<15", then multiples of 10, 50, 100, 500 and ' +
        "1,000 as counts grow, and four significant digits from a million on.",
    ),
});

export const Rounding = z.discriminatedUnion(
  "kind",
  [DeterministicRounding, MidpointRounding, RandomRounding, ControlledRounding, DrbRounding],
  { error: "kind is one of deterministic, midpoint, random, controlled, drb." },
);
export type RoundingInput = z.input<typeof Rounding>;
export type Rounding = z.output<typeof Rounding>;
