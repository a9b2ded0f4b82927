import { z } from "zod";

/** Names that become file names: lower case, and none of the names that Windows keeps for devices. */
export const SLUG = /^(?!(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$)[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$/;

const LevelNumber = z.int().min(0, { error: "A level is a whole number, 0 for the value as it is in the data." });

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
      }),
    ],
    { error: "Write a column name, or {column, levels}." },
  )
  .transform((dimension): { readonly column: string; readonly levels: readonly number[] | "all" } => {
    if (typeof dimension === "string") return { column: dimension, levels: [0] };
    if (dimension.levels === "all") return { column: dimension.column, levels: "all" };
    return { column: dimension.column, levels: [...new Set(dimension.levels)].sort((a, b) => a - b) };
  });
export type Dimension = z.output<typeof Dimension>;

/** One table of counts. */
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
      "Totals to publish: all, none, or a list in which each entry names the columns that are kept and [] is the grand total.",
    ),
});
export type TableSpecificationInput = z.input<typeof TableSpecification>;
export type TableSpecification = z.output<typeof TableSpecification>;
