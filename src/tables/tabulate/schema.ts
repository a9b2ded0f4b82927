import * as z from "zod";

/** Names that become file names: lower case, and none of the names that Windows keeps for devices. */
export const SLUG = /^(?!(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$)[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$/;

const LevelNumber = z.int().min(0, { error: "A level is a whole number, 0 for the value as it is in the data." });

const GroupLabel = z.string().trim().min(1, { error: "A group needs a label." });
const Categories = z.array(z.string().nullable());

const Grouping = z
  .record(
    GroupLabel,
    z.union([Categories.min(1), z.strictObject({
      plus: Categories.min(1).describe("Categories that are added."),
      minus: Categories.default([]).describe("Categories that are taken away."),
    })], {
      error: "Write a list of categories, or {plus: [...], minus: [...]}.",
    }),
  )
  .transform((groups): Readonly<Record<string, GroupParts>> =>
    inNameOrder(groups, (parts) => (Array.isArray(parts) ? { plus: parts, minus: [] } : parts)),
  );

export const Dimension = z
  .union(
    [
      z.string().describe("Column, shown at level 0: the values as they are in the data."),
      z.strictObject({
        column: z.string().describe("Column that makes the dimension."),
        levels: z
          .union([z.literal("all"), z.array(LevelNumber).min(1)], {
            error: 'Write "all", or a list of level numbers such as [0, 1].',
          })
          .default([0])
          .describe('Hierarchy levels to show side by side: a list of level numbers, or "all".'),
        groupings: z
          .record(z.string().regex(SLUG, { error: "A grouping's name is 1 to 64 of a-z, 0-9, - and _." }), Grouping)
          .default({})
          .describe(
            "Further sums of the finest categories shown, by name: each grouping lists its groups, each group its categories or " +
              "{plus, minus}. Groups may overlap, leave categories out and need not nest; null stands for missing values.",
          ),
      }),
    ],
    { error: "Write a column name, or {column, levels}." },
  )
  .transform((dimension): Dimension => {
    if (typeof dimension === "string") return { column: dimension, levels: [0] };
    const { column, levels } = dimension;
    const groupings = inNameOrder(dimension.groupings, (groups) => groups);
    return {
      column,
      levels: levels === "all" ? "all" : [...new Set(levels)].sort((a, b) => a - b),
      ...(Object.keys(groupings).length > 0 ? { groupings } : {}),
    };
  });
export interface Dimension {
  readonly column: string;
  readonly levels: readonly number[] | "all";
  /** Groups by label, by the name of the grouping; both in the order of their names. */
  readonly groupings?: Readonly<Record<string, Readonly<Record<string, GroupParts>>>>;
}

export interface GroupParts {
  readonly plus: readonly (string | null)[];
  readonly minus: readonly (string | null)[];
}

/** The order in which names were written does not show, so that all notations of a policy are the same. */
function inNameOrder<From, To>(record: Readonly<Record<string, From>>, change: (value: From) => To): Readonly<Record<string, To>> {
  return Object.fromEntries(
    Object.keys(record)
      .sort()
      .map((name) => [name, change(record[name]!)]),
  );
}

const Decimals = z.int().min(0).max(9, { error: "decimals is 0 to 9." });
const StatisticName = z
  .string()
  .regex(SLUG, { error: "A statistic's name becomes a column: 1 to 64 of a-z, 0-9, - and _." })
  .optional()
  .describe("Name of the column; made from the statistic when absent.");
const Amount = z.string().describe('"count" for the number of records, or a column with the role measure.');

/** One column of numbers. */
export const Statistic = z
  .union(
    [
      z.literal("count").describe("Number of records."),
      z.discriminatedUnion("statistic", [
        z.strictObject({ statistic: z.literal("count").describe("Number of records."), name: StatisticName }),
        z.strictObject({
          statistic: z.literal("weighted-count").describe("Sum of the sampling weights."),
          decimals: Decimals.default(0).describe("Decimals shown."),
          name: StatisticName,
        }),
        z.strictObject({ statistic: z.literal("sum").describe("Sum of a measure."), of: z.string().describe("The measure."), name: StatisticName }),
        z.strictObject({
          statistic: z.literal("mean").describe("Sum of a measure by the number of records that have a value of it."),
          of: z.string().describe("The measure."),
          decimals: Decimals.default(1).describe("Decimals shown."),
          name: StatisticName,
        }),
        z.strictObject({
          statistic: z.literal("median").describe("Middle value of a measure; of an even number of records, half way between the two middle ones."),
          of: z.string().describe("The measure."),
          decimals: Decimals.default(1).describe("Decimals shown."),
          name: StatisticName,
        }),
        z.strictObject({
          statistic: z.literal("percent").describe("The count in percent of the count over the dimensions that `of` names."),
          of: z
            .array(z.string())
            .default([])
            .describe("Dimensions that the base keeps: [] is the grand total, [county] the county's total. That total must be among the margins."),
          decimals: Decimals.default(1).describe("Decimals shown."),
          name: StatisticName,
        }),
        z.strictObject({
          statistic: z.literal("rate").describe("One amount per so many of another."),
          numerator: Amount.default("count"),
          denominator: Amount,
          per: z.int().min(1).default(1).describe("1 for a ratio, 100 for percent, 100000 for a rate per 100,000."),
          decimals: Decimals.default(1).describe("Decimals shown."),
          name: StatisticName,
        }),
      ]),
    ],
    { error: 'Write "count", or a statistic such as { statistic: sum, of: amount }.' },
  )
  .transform((statistic) => (statistic === "count" ? { statistic: "count" as const, name: "count" } : { ...statistic, name: statistic.name ?? defaultName(statistic) }));
export type Statistic = z.output<typeof Statistic>;

function defaultName(statistic: { readonly statistic: string; readonly of?: string | readonly string[]; readonly numerator?: string; readonly denominator?: string }): string {
  switch (statistic.statistic) {
    case "sum":
    case "mean":
    case "median":
      return `${statistic.statistic}_${String(statistic.of)}`;
    case "rate":
      return `${statistic.numerator}_per_${statistic.denominator}`;
    case "weighted-count":
      return "weighted_count";
    default:
      return statistic.statistic;
  }
}

/** One table. */
export const TableSpecification = z.strictObject({
  name: z
    .string()
    .regex(SLUG, {
      error: "A table name becomes a file name: 1 to 64 of a-z, 0-9, - and _, beginning and ending with a letter or digit.",
    })
    .describe("Name of the table and of its file."),
  title: z.string().optional().describe("Title for people."),
  description: z.string().optional().describe("What the table shows, for the data dictionary."),
  dimensions: z
    .array(Dimension)
    .min(1, { error: "Name at least one dimension." })
    .describe("Columns that span the table, each a column name or {column, levels}."),
  margins: z
    .union([z.enum(["all", "none"]), z.array(z.array(z.string()))], {
      error: 'Write "all", "none", or a list of lists of columns such as [[county], []].',
    })
    .default("all")
    .describe(
      "Totals beside the table itself: all, none, or a list in which each entry names the columns that are kept and [] is the grand total.",
    ),
  statistics: z
    .array(Statistic)
    .min(1, { error: "Name at least one statistic." })
    .default([{ statistic: "count", name: "count" }])
    .describe("Columns of numbers. What a hidden cell is made of is hidden in all of them."),
  sumRows: z
    .boolean()
    .default(true)
    .describe(
      "Whether the file lists the totals. With false it has the finest categories only, as portals that forbid sum rows ask; the " +
        "totals named by margins are then taken as published elsewhere, and protected all the same.",
    ),
  emptyCells: z
    .enum(["list", "omit"])
    .optional()
    .describe(
      "Whether combinations without records are rows with a count of zero (list, when absent) or are left out (omit), for tables of " +
        "more than a million rows. Left out, they are still known to be zero. omit needs secondary: moves.",
    ),
});
export type TableSpecificationInput = z.input<typeof TableSpecification>;
export type TableSpecification = z.output<typeof TableSpecification>;
