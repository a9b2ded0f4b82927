import * as z from "zod";

const shared = {
  method: z.literal("noisy-counts").describe("Every count gets noise, so that one person's presence hardly shows."),
  privacyUnit: z
    .enum(["contributor", "record"])
    .default("contributor")
    .describe(
      "Whose presence is hidden: a person with all their records (contributor, needs a column with that role) or one record.",
    ),
  maxRecordsPerContributor: z
    .int()
    .min(1, { error: "maxRecordsPerContributor is a number of records and must be at least 1." })
    .default(1)
    .describe("Records of one contributor that are counted; further ones are left out. More records need more noise."),
  groups: z
    .record(z.string(), z.array(z.string()).min(1, { error: "Declare at least one group." }))
    .default({})
    .transform((groups) => {
      const declared = new Map<string, readonly string[]>();
      for (const column of Object.keys(groups).sort()) declared.set(column, groups[column]!);
      return declared as ReadonlyMap<string, readonly string[]>;
    })
    .describe(
      "Groups to publish, by dimension. They are declared here, never read from the data: that a group occurs would itself " +
        "tell something. Not needed where the column's hierarchy declares its values.",
    ),
  otherwise: z
    .enum(["other", "drop"])
    .default("other")
    .describe("Records in no declared group: counted in one more group called other, or left out."),
  nonNegative: z
    .boolean()
    .default(false)
    .describe("Raise negative noisy counts to 0. Easier to read, but sums of such counts come out too large."),
};

const budget = (name: string) => ({ error: `${name} is a privacy budget and must be greater than 0.` });

export const NoisyCountsGaussian = z.strictObject({
  ...shared,
  mechanism: z.literal("discrete-gaussian").describe("Discrete Gaussian noise; its budget is rho (zCDP)."),
  rho: z
    .number()
    .gt(0, budget("rho"))
    .describe("Privacy budget of the whole release in zero-concentrated differential privacy; smaller protects more."),
  delta: z
    .number()
    .gt(0)
    .lt(1)
    .default(1e-10)
    .describe("The delta for which the equivalent epsilon is reported. It changes no noise."),
});

export const NoisyCountsLaplace = z.strictObject({
  ...shared,
  mechanism: z.literal("discrete-laplace").describe("Discrete Laplace (two-sided geometric) noise; its budget is epsilon."),
  epsilon: z
    .number()
    .gt(0, budget("epsilon"))
    .describe("Privacy budget of the whole release in pure differential privacy; smaller protects more."),
});

export const NoisyCounts = z.discriminatedUnion("mechanism", [NoisyCountsGaussian, NoisyCountsLaplace]);
export type NoisyCountsInput = z.input<typeof NoisyCounts>;
export type NoisyCounts = z.output<typeof NoisyCounts>;
