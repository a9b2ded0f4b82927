import * as z from "zod";

const Design = z
  .strictObject({
    maxPerturbation: z
      .int()
      .min(1, { error: "maxPerturbation is the largest change of a count and must be at least 1." })
      .max(30, { error: "maxPerturbation must be at most 30." })
      .describe("D: the largest change of a count, up or down, in records."),
    variance: z.number().gt(0, { error: "variance must be above 0." }).describe("V: variance of the change of every count above 0."),
    smallestShown: z
      .int()
      .min(1, { error: "smallestShown is the smallest count above 0 that may be published and must be at least 1." })
      .default(1)
      .describe("Smallest count above 0 that may be published. With 3, nobody ever sees a 1 or a 2; true counts of 1 or 2 become 0 or at least 3."),
    stay: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe("Least probability that a count stays as it is, where it may be shown at all. 0 leaves it to the largest entropy."),
    monotone: z
      .boolean()
      .default(false)
      .describe("Whether changes downward must get less likely the larger they are. Small counts then need not become 0 more often than stay."),
    impossibleRows: z
      .enum(["refuse", "nearest"])
      .default("refuse")
      .describe("Counts for which no unbiased noise has this variance: refuse the design, or use the nearest variance there."),
  })
  .describe("Noise of largest entropy with mean 0 and the given variance for every count.");

const Share = z.number().min(0).max(1);

const Categories = z
  .array(z.int().min(1))
  .min(1)
  .max(20)
  .optional()
  .describe("Sizes, in units of noise, that have a row of their own; sizes between are interpolated. maxPerturbation is always one. Default 1.");

const AmountDesign = z
  .strictObject({
    maxPerturbation: z
      .int()
      .min(1, { error: "maxPerturbation is the largest change in units of noise and must be at least 1." })
      .max(30, { error: "maxPerturbation must be at most 30." })
      .describe("D: the largest change, up or down, in units of noise."),
    variance: z.number().gt(0, { error: "variance must be above 0." }).describe("V: variance of the change, in squared units of noise."),
    steps: z.int().min(1).max(30).default(2).describe("Steps in a unit: with 2, changes are multiples of half a unit. maxPerturbation times steps is at most 30."),
    categories: Categories,
    monotone: z.boolean().default(false).describe("Whether changes downward must get less likely the larger they are."),
    impossibleRows: z.enum(["refuse", "nearest"]).default("refuse").describe("Sizes for which no unbiased noise has this variance: refuse the design, or use the nearest variance there."),
  })
  .describe("Noise of largest entropy with mean 0 and the given variance.");

const Unit = z
  .union(
    [
      z.strictObject({ share: z.number().gt(0).max(1).describe("Share of each amount that one unit of noise is.") }).describe("The same share for all amounts."),
      z
        .strictObject({
          small: z.number().gt(0).max(1).describe("Share of an amount that one unit of noise is, for amounts up to `from`."),
          large: z.number().gt(0).max(1).describe("Share that very large amounts tend to, at most `small`."),
          from: z.number().gt(0).describe("Amount from which the share falls, in units of the measure."),
          steepness: z.number().gt(1).default(3).describe("How fast it falls."),
        })
        .refine(({ small, large }) => large <= small, { path: ["large"], error: "large must be at most small." })
        .describe("A share that falls as amounts grow (flex function)."),
    ],
    { error: "Write { share }, or { small, large, from, steepness }." },
  )
  .describe("How large a unit of noise is, as a share of a contributor's amount. There is no default: it is the agency's decision.");

const Magnitudes = z
  .strictObject({
    table: z
      .union([
        z.strictObject({ design: AmountDesign }),
        z.strictObject({
          bounds: z
            .array(z.tuple([z.int().min(0), z.number(), Share]))
            .min(1)
            .describe("Rows of a perturbation table: size in units, noise in units, and the probability of this or an earlier noise; by size from 0, in the order of the keys."),
        }),
        z.strictObject({ file: z.string().describe("Perturbation table for amounts as a CSV file of ptable or tau-Argus, of type all.") }),
      ])
      .describe("The noise in units: designed here, listed here, or from a file. There is no default."),
    noise: Unit,
    weights: z
      .array(z.number().min(0).max(1))
      .min(1)
      .max(6)
      .default([1])
      .refine((weights) => weights[0] === 1 && weights.every((own, j) => own <= (weights[j - 1] ?? 1)), { error: "weights begin with 1 and do not rise." })
      .describe("Weight of the noise of the largest contributor, the second largest and so on; as many contributors enter as are listed."),
    sensitive: z
      .strictObject({
        pPercent: z.number().gt(0).max(1000).describe("A cell is sensitive where all but its two largest contributors give less than this percentage of the largest amount."),
        extra: z.number().gt(0).max(100).describe("Added to the size of the largest contributor's noise there, in units, so that no such sum stays as it is."),
      })
      .optional()
      .describe("More noise for sums that a large contributor could use to learn about another (p% rule)."),
  })
  .describe("How sums are changed: noise by the largest contributors of each cell. Needed where a table has a sum.");

export const CellKey = z
  .strictObject({
    method: z
      .literal("cell-key")
      .describe("Every count gets small noise that depends on who is counted: the same records give the same noise in every table."),
    form: z
      .enum(["intervals", "ons", "abs"])
      .default("intervals")
      .describe(
        "How keys lead to noise. intervals: uniform keys against cumulative bounds (Destatis, Eurostat, tau-Argus, cellKey). " +
          "ons: whole keys 0 to 255, rows 501 to 750 used in turn for larger counts. abs: large keys, 256 rows by their leading part.",
      ),
    keys: z
      .int()
      .min(256, { error: "keys is the number of different keys and must be at least 256, else few keys give everything away." })
      .max(4_294_967_296, { error: "keys must be at most 4294967296." })
      .optional()
      .describe("Number of different keys: record keys are 0 to one less. Default 100000000 (8 decimals), 256 for ons, 4294967296 for abs."),
    recordKeys: z
      .discriminatedUnion("from", [
        z.strictObject({
          from: z.literal("column").describe("The data have a column with the role record-key, drawn once for all releases."),
          scale: z
            .enum(["whole", "decimal"])
            .default("whole")
            .describe("Whether keys are whole numbers, or decimals from 0 to below 1 (keys is then a power of ten)."),
        }),
        z.strictObject({
          from: z
            .literal("contributor")
            .describe("Keys are derived from the column with the role contributor, with the agency's secret key."),
        }),
      ])
      .describe("Where each record's key comes from. A record must keep its key, else repeated releases average the noise away."),
    table: z
      .union([
        z.strictObject({ design: Design }),
        z.strictObject({
          bounds: z
            .array(z.tuple([z.int().min(0), z.int().min(0), Share]))
            .min(1)
            .describe(
              "Rows of a perturbation table: count, published count, and the probability of this or an earlier one of the count " +
                "(p_int_ub in files); by count, in the order of the keys.",
            ),
        }),
        z.strictObject({
          runs: z
            .array(z.tuple([z.int().min(1), z.int().min(0), z.int()]))
            .min(1)
            .describe("Rows of a table by whole keys: count, first key, noise from that key on; by count, then key."),
        }),
        z.strictObject({
          rule: z.literal("10-5").describe("The 10-5 rule: counts below 10 become 0, others a multiple of 5. Needs the form ons."),
        }),
        z.strictObject({
          file: z.string().describe("Perturbation table as a CSV file of ptable, tau-Argus or the Office for National Statistics."),
        }),
      ])
      .describe("The noise: designed here, listed here, or from a file. There is no default: how much noise is the agency's decision."),
    magnitudes: Magnitudes.optional(),
    biased: z
      .enum(["refuse", "accept"])
      .default("refuse")
      .describe("Whether a listed table may be wrong on average for some counts. The 10-5 rule is, as its definition says."),
  })
  .superRefine((options, context) => {
    if ("rule" in options.table && options.form !== "ons") {
      context.addIssue({ code: "custom", path: ["form"], message: "The 10-5 rule is a table with 256 keys; set form: ons." });
    }
    if ("runs" in options.table && options.form === "intervals") {
      context.addIssue({ code: "custom", path: ["form"], message: "A table by whole keys (runs) needs form: ons or form: abs." });
    }
    if (options.form === "ons" && options.keys !== undefined && options.keys !== 256) {
      context.addIssue({ code: "custom", path: ["keys"], message: "The form ons has 256 keys; leave keys out or choose another form." });
    }
    const isDecimal = /^10+$/.test(String(options.keys ?? 100_000_000));
    if (options.magnitudes !== undefined && (options.form !== "intervals" || !isDecimal)) {
      const at = options.form === "intervals" ? "keys" : "form";
      context.addIssue({ code: "custom", path: [at], message: "Noise on amounts turns the decimal digits of keys: it needs form: intervals and a power of ten as the number of keys." });
    }
    if (options.recordKeys.from === "column" && options.recordKeys.scale === "decimal" && !/^10+$/.test(String(options.keys ?? (options.form === "intervals" ? 100_000_000 : 0)))) {
      context.addIssue({ code: "custom", path: ["keys"], message: "Record keys with decimals need a power of ten as the number of keys." });
    }
  });
export type CellKeyInput = z.input<typeof CellKey>;
export type CellKey = z.output<typeof CellKey>;
