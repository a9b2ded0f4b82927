import { z } from "zod";

const Name = z.string().min(1).max(500);
const Names = z.array(Name).min(1).max(100_000);
const Groups = z.record(Name, Names);

const Ratio = z.strictObject({
  column: Name,
  numerator: Name,
  denominator: z.union([Name, z.strictObject({ over: Names })]),
  decimals: z.int().min(0).max(9),
  scale: z.int().min(1).max(1_000_000).optional(),
});

/** What a structure file may say; see `TableStructure`. */
export const StructureSchema = z.strictObject({
  dimensions: z.record(Name, z.strictObject({
    totals: Names.optional(), tree: Groups.optional(), groups: Groups.optional(), aliases: z.record(Name, Name).optional(),
    places: z.array(z.strictObject({ level: z.string(), label: z.string().nullable(), parent: z.int().min(-2) })).max(1_000_000).optional(),
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
    ratios: z.array(Ratio).optional(),
  })).optional(),
  measures: z.record(Name, z.strictObject({ kind: z.enum(["count", "amount"]).optional(), within: Name.optional() })).optional(),
  markers: z.strictObject({
    primary: z.array(z.string()).optional(), complementary: z.array(z.string()).optional(),
    hidden: z.array(z.string()).optional(), noData: z.array(z.string()).optional(),
  }).optional(),
});
