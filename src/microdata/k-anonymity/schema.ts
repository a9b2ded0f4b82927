import * as z from "zod";

/** How the loss of one generalization is measured; definitions in docs/methods. */
export const K_ANONYMITY_METRICS = [
  "loss",
  "entropy",
  "entropy-non-monotone",
  "discernibility",
  "average-class-size",
  "precision",
] as const;

/** How the loss metric joins the losses of the columns into one number. */
export const LOSS_AGGREGATES = ["geometric-mean", "arithmetic-mean", "sum", "max"] as const;

const LevelNumber = z.int().min(0, { error: "A level is a whole number, 0 for the value as it is in the data." });

/** Levels that the search may use for one column. */
export const LevelLimits = z.union(
  [
    LevelNumber.describe("The one level to use."),
    z.strictObject({
      min: LevelNumber.default(0).describe("Finest level allowed; 0 is the value as it is in the data."),
      max: LevelNumber.optional().describe("Coarsest level allowed; the hierarchy's last level when absent."),
    }),
  ],
  { error: "Write one level (a whole number), or the limits {min, max}." },
);

export const KAnonymity = z.strictObject({
  method: z.literal("k-anonymity").describe("Every released record shares its key values with at least k - 1 others."),
  k: z
    .int()
    .min(2, { error: (issue) => `k is records per equivalence class and must be at least 2; found ${Number(issue.input)}.` })
    .describe("Smallest equivalence class that may be released, in records."),
  keys: z
    .array(z.string())
    .default([])
    .describe(
      "Columns an intruder may already know. Must name every released quasi-identifier; when absent, that is what is used.",
    ),
  maxSuppressedShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.05)
    .describe("Largest share of records that may be withheld, from 0 to 1."),
  metric: z
    .enum(K_ANONYMITY_METRICS)
    .default("loss")
    .describe("Information loss that the search makes smallest among all generalizations that meet k."),
  aggregate: z
    .enum(LOSS_AGGREGATES)
    .default("geometric-mean")
    .describe("How the losses of the columns become one number; used by the loss metric only."),
  generalizationWeight: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe(
      "Which is worse, from 0 to 1: towards 0 suppressing records is the cheaper loss, towards 1 coarsening values is.",
    ),
  levels: z
    .record(z.string(), LevelLimits)
    .default({})
    .transform((levels) => {
      const limits = new Map<string, { readonly min: number; readonly max?: number | undefined }>();
      for (const column of Object.keys(levels).sort()) {
        const limit = levels[column]!;
        limits.set(column, typeof limit === "number" ? { min: limit, max: limit } : limit);
      }
      return limits as ReadonlyMap<string, { readonly min: number; readonly max?: number | undefined }>;
    })
    .describe("Limits on the levels the search may use, by column: one level, or {min, max}."),
});
/** What a user may write. */
export type KAnonymityInput = z.input<typeof KAnonymity>;
/** What the code receives, defaults filled in. */
export type KAnonymity = z.output<typeof KAnonymity>;
