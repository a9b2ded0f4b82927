import * as z from "zod";
import { Delimiter, HierarchyDefinition, PathInside } from "../hierarchies/schema.ts";
import { SLUG, TableSpecification } from "../tables/tabulate/schema.ts";
import { MicrodataMethod, TablesMethod } from "./methods.ts";
import { SCALED_REQUIREMENT_NAMES, type ScaledRequirementName } from "./requirements.ts";

export const CLASSIFICATIONS = ["low", "moderate", "high", "unknown"] as const;
export const ROLES = [
  "direct-identifier",
  "quasi-identifier",
  "sensitive",
  "measure",
  "weight",
  "frequency",
  "contributor",
  "holding",
  "request",
  "record-key",
  "other",
] as const;
export const COLUMN_TYPES = ["string", "integer", "number", "date", "boolean"] as const;
export const FORMATS = ["csv", "arrow", "parquet"] as const;
/** Forms of tables for people, made from the rows of the data files. */
export const READABLE_FORMATS = ["crosstab", "html"] as const;
export const NORMALISATIONS = ["trim", "nfc", "lower"] as const;

const slug = (what: string) =>
  z.string().regex(SLUG, {
    error: `${what} becomes a file name: 1 to 64 of a-z, 0-9, - and _, beginning and ending with a letter or digit.`,
  });

export const DatasetMetadata = z.strictObject({
  name: slug("A dataset name").describe("Short name of the dataset, used in file names and identifiers."),
  title: z.string().min(1).optional().describe("Title for people."),
  description: z.string().optional().describe("What the data are about, for people who have never seen them."),
  publisher: z.string().optional().describe("The organisation that publishes."),
  contact: z
    .strictObject({
      name: z.string().describe("Person or office that answers questions."),
      email: z.email({ error: "email must be an e-mail address." }).optional().describe("Its e-mail address."),
    })
    .optional()
    .describe("Whom to ask about the data."),
  license: z
    .string()
    .optional()
    .describe("Licence id of the portal or of SPDX, such as other-pd, CC0-1.0 or CC-BY-4.0."),
  released: z.iso
    .date({ error: 'released must be a date YYYY-MM-DD, in quotes: "2026-01-31".' })
    .optional()
    .describe("Release date that the metadata state. No clock is read, so the same policy gives the same files."),
  version: z.string().optional().describe("Version of the dataset, as you count them."),
  keywords: z.array(z.string()).default([]).describe("Words under which the data should be found."),
});

export const SourceSettings = z.strictObject({
  path: PathInside.describe("The data file, relative to the policy and in its folder or below."),
  format: z.enum(FORMATS).optional().describe("Format of the file; from its ending when absent."),
  delimiter: Delimiter.optional().describe("CSV only: the character between fields; a comma when absent."),
  across: z
    .strictObject({
      name: z.string().min(1).describe("Column that the headings become, such as race."),
      value: z.string().min(1).describe("Column that the numbers under them become, such as people."),
      keep: z.array(z.string()).min(1, { error: "Name the columns that are no headings." }).describe("Columns that stay; every other column is a heading."),
    })
    .optional()
    .describe("The source is a crosstab: each column but the kept ones is a category, with numbers under it."),
});

export const ColumnPolicy = z.strictObject({
  role: z
    .enum(ROLES)
    .describe(
      "direct-identifier: names a person, never released. quasi-identifier: an intruder may know it. sensitive: must not be " +
        "learnt about a person. measure: a number to add up. weight: sampling weight. frequency: each record stands for this " +
        "many people. contributor: id of the person whose record it is, never released. holding: id of the group that contributors " +
        "belong to, never released. request: 1 or true where the contributor asked for confidentiality, never released. record-key: a random whole number of each record for the cell-key method, never released. " +
        "other: none of these.",
    ),
  type: z.enum(COLUMN_TYPES).default("string").describe("Type of the released column in formats that have types."),
  hierarchy: z
    .union([z.string(), HierarchyDefinition], { error: "Write the name of a hierarchy, or a definition with a kind." })
    .optional()
    .describe("How values may be coarsened: a name under hierarchies, or a definition."),
  nulls: z.array(z.string()).default([""]).describe("Texts in the data that mean the value is missing."),
  nullMeaning: z
    .enum(["category", "refuse"])
    .default("category")
    .describe("A missing value is a category of its own, or makes the release fail."),
  normalise: z
    .array(z.enum(NORMALISATIONS))
    .default([])
    .describe("Applied to every value before it is compared, in this order: trim spaces, Unicode NFC, lower case."),
  totals: z
    .array(z.string())
    .optional()
    .describe("Tables as input: texts that mark rows which sum over this column. They are held against the sums and left out."),
  decimals: z
    .int()
    .min(0)
    .max(9)
    .optional()
    .describe("Measures: digits after the point that sums keep; 0 for integers, 2 for numbers when absent."),
  drop: z.boolean().optional().describe("Leave the column out of the release."),
  label: z.string().optional().describe("Name for people, for the data dictionary."),
  description: z.string().optional().describe("What the column means, for the data dictionary."),
});

const formats = z
  .array(z.enum(FORMATS))
  .min(1, { error: "Name at least one format." })
  .default(["csv"])
  .describe("File formats to write.");

const releaseName = slug("A release name").optional().describe("Name of the release; the dataset's name when absent.");

export const MicrodataRelease = z.strictObject({
  kind: z.literal("microdata").describe("Release records."),
  name: releaseName,
  formats,
  order: z
    .literal("sorted", { error: 'order can only be "sorted": any other order could show the order of the input.' })
    .default("sorted")
    .describe("Order of the released records: sorted by their released values, so that the order of the input does not show."),
  protect: z
    .array(MicrodataMethod)
    .length(1, { error: "Name exactly one protection method." })
    .describe("How the records are protected."),
});

export const TablesRelease = z.strictObject({
  kind: z.literal("tables").describe("Release statistical tables."),
  name: releaseName,
  formats: z
    .array(z.enum([...FORMATS, ...READABLE_FORMATS]))
    .refine((names) => names.some((name) => (FORMATS as readonly string[]).includes(name)), { error: "Name at least one of csv, arrow and parquet." })
    .default(["csv"])
    .describe("File formats to write: csv, arrow, parquet for data; crosstab (a CSV file with the last dimension across) and html for people."),
  tables: z
    .array(TableSpecification)
    .min(1, { error: "Specify at least one table." })
    .describe("The tables; all of them are protected together."),
  protect: z
    .array(TablesMethod)
    .length(1, { error: "Name exactly one protection method." })
    .describe("How the tables are protected."),
});

export const Override = z.strictObject({
  requirement: z
    .enum(SCALED_REQUIREMENT_NAMES as [ScaledRequirementName, ...ScaledRequirementName[]])
    .describe("The requirement to weaken."),
  value: z.number().gt(0).describe("The value to use instead of the required one."),
  reason: z.string().trim().min(10, { error: "Give the reason in a sentence." }).describe("Why; goes into the evidence."),
  approvedBy: z.string().trim().min(1, { error: "Name who approved it." }).describe("Who decided; goes into the evidence."),
});

/** Name-keyed parts become maps in name order: any text may name a column, and all notations give the same policy. */
function byName<Value>(record: Record<string, Value>): ReadonlyMap<string, Value> {
  return new Map(
    Object.keys(record)
      .sort()
      .map((name) => [name, record[name]!]),
  );
}

export const PolicySchema = z
  .strictObject({
    $schema: z.string().optional().describe("Where editors find the JSON Schema; has no effect on the release."),
    commensurate: z
      .literal(1, { error: "commensurate states the format version and must be 1." })
      .describe("Version of the policy format."),
    dataset: DatasetMetadata.describe("What is published; goes into the metadata."),
    classification: z
      .enum(CLASSIFICATIONS)
      .default("unknown")
      .describe("Impact of a disclosure in the terms of FIPS 199; unknown counts as moderate (California SAM 5305.5)."),
    source: SourceSettings.optional().describe("Where the data are; may be given by the caller instead."),
    columns: z
      .record(z.string(), ColumnPolicy)
      .transform(byName)
      .describe("The columns of the data, by name. Other columns are treated as otherColumns says."),
    otherColumns: z
      .enum(["error", "drop", "keep"])
      .default("error")
      .describe("Columns of the data that columns does not mention: refuse the data, leave them out, or release them as they are."),
    hierarchies: z
      .record(z.string(), HierarchyDefinition)
      .default({})
      .transform(byName)
      .describe("Hierarchies by name, for columns to refer to."),
    release: z
      .discriminatedUnion("kind", [MicrodataRelease, TablesRelease])
      .describe("What to release and how it is protected."),
    overrides: z
      .array(Override)
      .default([])
      .describe("Requirements that are knowingly weakened, each with its reason and who approved it."),
  })
  .describe("A release policy: what is published, from which data, and how it is protected.");

/** What a user may write. */
export type PolicyInput = z.input<typeof PolicySchema>;
export type Classification = (typeof CLASSIFICATIONS)[number];
export type Role = (typeof ROLES)[number];
export type ColumnType = (typeof COLUMN_TYPES)[number];
export type Format = (typeof FORMATS)[number];
export type DatasetMetadata = z.output<typeof DatasetMetadata>;
export type SourceSettings = z.output<typeof SourceSettings>;
export type ColumnPolicy = z.output<typeof ColumnPolicy>;
export type Override = z.output<typeof Override>;
export type ParsedPolicy = z.output<typeof PolicySchema>;
