import * as z from "zod";

const Name = z.string().min(1).max(500);
const Names = z.array(Name).min(1).max(100_000);
const Groups = z.record(Name, Names);

const Place = { level: z.string(), label: z.string().nullable(), parent: z.int().min(-2), parts: z.array(z.int().min(0)).optional() };
const placesOf = <Of extends z.ZodType>(place: Of) => z.array(place).max(1_000_000);

const Ratio = z.strictObject({
  column: Name,
  numerator: Name,
  denominator: z.union([Name, z.strictObject({ over: Names }), z.strictObject({ measure: Name })]),
  decimals: z.int().min(0).max(9),
  scale: z.int().min(1).max(1_000_000).optional(),
});

/** What a structure file may say; see `TableStructure`. */
export const StructureSchema = z.strictObject({
  dimensions: z.record(Name, z.strictObject({
    totals: Names.optional(), tree: Groups.optional(), groups: Groups.optional(), aliases: z.record(Name, Name).optional(),
    places: placesOf(z.strictObject(Place)).optional(),
  })).optional(),
  tables: z.record(Name, z.strictObject({
    layout: z.enum(["long", "crosstab"]).optional(),
    dimensions: Names.optional(),
    values: Names.optional(),
    annotation: Name.optional(),
    rename: z.record(Name, Name).optional(),
    across: Name.optional(),
    fixed: z.record(Name, Name).optional(),
    missingRows: z.enum(["empty", "unknown"]).optional(),
    levels: z.record(Name, z.string()).optional(),
    notAttacked: Names.optional(),
    ratios: z.array(Ratio).optional(),
  })).optional(),
  measures: z.record(Name, z.strictObject({ kind: z.enum(["count", "amount"]).optional(), within: Name.optional(), protect: z.boolean().optional() })).optional(),
  markers: z.strictObject({
    primary: z.array(z.string()).optional(), complementary: z.array(z.string()).optional(),
    hidden: z.array(z.string()).optional(), noData: z.array(z.string()).optional(),
  }).optional(),
});

const Statistic = z.discriminatedUnion("statistic", [
  z.object({ column: Name, statistic: z.literal("count") }),
  z.object({ column: Name, statistic: z.literal("weighted-count") }),
  z.object({ column: Name, statistic: z.literal("sum"), of: Name }),
  z.object({ column: Name, statistic: z.literal("mean"), of: Name, decimals: z.int().min(0).max(9) }),
  z.object({ column: Name, statistic: z.literal("median"), of: Name, decimals: z.int().min(0).max(9) }),
  z.object({ column: Name, statistic: z.literal("percent"), of: z.array(Name), decimals: z.int().min(0).max(9) }),
  z.object({ column: Name, statistic: z.literal("rate"), numerator: Name, denominator: Name, per: z.int().min(1), decimals: z.int().min(0).max(9) }),
]);

/** The property `commensurate` of our data packages; see docs/audit.md. It repeats what method texts and files tell. Further properties may come and are passed over. */
export const DescribedTablesSchema = z.object({
  format: z.literal("commensurate/tables@1"),
  numbers: z.enum(["exact", "changed"]),
  rule: z.object({
    threshold: z.int().min(2),
    interval: z.int().min(2),
    zeros: z.enum(["publish", "protect"]),
    codes: z.enum(["merged", "separate"]),
    primaryMost: z.int().min(1).nullable(),
    complementaryLeast: z.int().min(0),
    large: z.enum(["protected", "may-be-computed"]),
  }).optional(),
  missingRows: z.enum(["empty", "unknown"]).optional(),
  dimensions: z.record(Name, z.object({
    total: Name.optional(),
    places: placesOf(z.object(Place)).optional(),
  })),
  tables: z.record(Name, z.object({
    dimensions: z.array(Name).min(1),
    levels: z.record(Name, z.string()).optional(),
    totals: z.enum(["listed", "left-out"]),
    annotation: Name.optional(),
    statistics: z.array(Statistic),
  })),
});
export type DescribedTables = z.output<typeof DescribedTablesSchema>;
