import * as z from "zod";

/** Between the fields of a CSV file. */
export const Delimiter = z.string().regex(/^[^"\r\n]$/u, { error: "delimiter is a single character, such as \",\" or \";\"." });

/** A file beside the policy or below it. */
export const PathInside = z.string().superRefine((path, context) => {
  const problem =
    path === ""
      ? "A path must not be empty."
      : /^(?:[/\\~]|[A-Za-z]:)/.test(path)
        ? "Write the path relative to the policy file; absolute paths are refused."
        : path.split(/[/\\]/).includes("..")
          ? 'The path must stay in the policy\'s folder: ".." is refused.'
          : path.includes("\0")
            ? "A path holds no NUL character."
            : undefined;
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

const suppressAll = (byDefault: boolean) =>
  z
    .boolean()
    .default(byDefault)
    .describe("Whether a last level follows in which every value has become *.");

/** Each entry must be greater than the one before; reported at the entry that is not. */
function increasing(values: readonly number[], context: z.RefinementCtx, what: string): void {
  for (let i = 1; i < values.length; i++) {
    if (values[i]! > values[i - 1]!) continue;
    context.addIssue({ code: "custom", path: [i], message: `${what} must become larger from level to level.` });
  }
}

export const IntervalHierarchy = z
  .strictObject({
    kind: z.literal("interval").describe("Numbers become intervals of growing width."),
    widths: z
      .array(z.number().gt(0, { error: "An interval width must be greater than 0." }))
      .min(1, { error: "Give at least one interval width." })
      .superRefine((widths, context) => {
        increasing(widths, context, "Interval widths");
        for (let i = 1; i < widths.length; i++) {
          const ratio = widths[i]! / widths[i - 1]!;
          if (Math.abs(ratio - Math.round(ratio)) < 1e-9) continue;
          context.addIssue({
            code: "custom",
            path: [i],
            message: "Intervals must nest: each width must be a whole multiple of the one before.",
          });
        }
      })
      .describe("Width of the intervals at level 1, 2, ...; each a whole multiple of the one before."),
    origin: z.number().default(0).describe("A number at which an interval of every level begins."),
    from: z
      .number()
      .optional()
      .describe("Smaller values become one open interval at every level above 0 (bottom coding), such as <18."),
    to: z
      .number()
      .optional()
      .describe("Values at or above it become one open interval at every level above 0 (top coding), such as 90+."),
    bottom: z.string().min(1).optional().describe("Text of the open interval below from."),
    top: z.string().min(1).optional().describe("Text of the open interval at or above to."),
    min: z.number().optional().describe("Smallest value of the domain, for measuring information loss."),
    max: z.number().optional().describe("Largest value of the domain, for measuring information loss."),
    suppressAll: suppressAll(true),
  })
  .superRefine((hierarchy, context) => {
    const ends = [["from", "to"], ["min", "max"]] as const;
    for (const [low, high] of ends) {
      const [a, b] = [hierarchy[low], hierarchy[high]];
      if (a === undefined || b === undefined || b > a) continue;
      context.addIssue({ code: "custom", path: [high], message: `${high} must be greater than ${low}.` });
    }
    for (const [label, limit] of [["bottom", "from"], ["top", "to"]] as const) {
      if (hierarchy[label] === undefined || hierarchy[limit] !== undefined) continue;
      context.addIssue({ code: "custom", path: [label], message: `names an interval that is not there: give ${limit} too.` });
    }
  });

export const OrderHierarchy = z
  .strictObject({
    kind: z.literal("order").describe("Values in a stated order; neighbours are grouped."),
    values: z
      .array(z.string())
      .min(1, { error: "List the values in their order." })
      .superRefine((values, context) => {
        const seen = new Set<string>();
        for (const [i, value] of values.entries()) {
          if (seen.has(value)) context.addIssue({ code: "custom", path: [i], message: "This value is listed already." });
          seen.add(value);
        }
      })
      .describe("Every value that occurs, in order."),
    groupSizes: z
      .array(z.int().min(2, { error: "A group holds at least 2 values." }))
      .min(1, { error: "Give the group size of at least one level." })
      .superRefine((sizes, context) => {
        increasing(sizes, context, "Group sizes");
        for (let i = 1; i < sizes.length; i++) {
          if (sizes[i]! % sizes[i - 1]! === 0) continue;
          context.addIssue({
            code: "custom",
            path: [i],
            message: "Groups must nest: each size must be a whole multiple of the one before.",
          });
        }
      })
      .optional()
      .describe("How many neighbouring values make a group at level 1, 2, ...; each a whole multiple of the one before."),
    groups: z
      .array(
        z.array(
          z.strictObject({
            size: z.int().min(1).describe("Number of neighbouring values in the group."),
            label: z.string().min(1).optional().describe("Text of the group; its first and last value when absent."),
          }),
        ),
      )
      .min(1, { error: "Give the groups of at least one level." })
      .optional()
      .describe("Instead of groupSizes: the groups of level 1, 2, ... in order, which together cover all values."),
    suppressAll: suppressAll(true),
  })
  .refine((order) => (order.groupSizes === undefined) !== (order.groups === undefined), {
    error: "An order hierarchy states groupSizes or groups: one of the two.",
  })
  .superRefine((order, context) => {
    for (const [level, groups] of (order.groups ?? []).entries()) {
      const covered = groups.reduce((sum, group) => sum + group.size, 0);
      if (covered === order.values.length) continue;
      const message = `The groups of a level must cover all ${order.values.length} values; these cover ${covered}.`;
      context.addIssue({ code: "custom", path: ["groups", level], message });
    }
  });

/** From fine to coarse. Weeks nest in nothing coarser, so they cannot be combined with months or years. */
export const DATE_UNITS = ["day", "week", "month", "quarter", "half-year", "year"] as const;

const Day = z.iso.date({ error: "Write the date as YYYY-MM-DD, in quotes." });

export const DateHierarchy = z.strictObject({
  kind: z.literal("date").describe("Dates (YYYY-MM-DD, or timestamps that begin so) become periods."),
  levels: z
    .array(
      z.union(
        [
          z.enum(DATE_UNITS),
          z.strictObject({
            years: z.int().min(2).describe("Length of the period in years; periods begin at multiples of it, counted from year 0."),
          }),
        ],
        { error: `Write one of ${DATE_UNITS.join(", ")}, or {years: n} for periods of several years.` },
      ),
    )
    .min(1, { error: "Give at least one level." })
    .superRefine((levels, context) => {
      const rank = (level: (typeof levels)[number]) =>
        typeof level === "string" ? DATE_UNITS.indexOf(level) : DATE_UNITS.length + level.years;
      for (let i = 1; i < levels.length; i++) {
        const [finer, coarser] = [levels[i - 1]!, levels[i]!];
        const message =
          rank(coarser) <= rank(finer)
            ? "Levels must go from finer to coarser."
            : finer === "week"
              ? "Weeks cross the borders of months and years, so no coarser period can follow them."
              : typeof finer !== "string" && typeof coarser !== "string" && coarser.years % finer.years !== 0
                ? "Periods must nest: the years of each level must be a multiple of the level before."
                : undefined;
        if (message !== undefined) context.addIssue({ code: "custom", path: [i], message });
      }
    })
    .describe("What the value becomes at level 1, 2, ...: day, week, month, quarter, half-year, year or {years: n}."),
  from: Day.optional().describe("First day of the domain, for measuring information loss."),
  to: Day.optional().describe("Last day of the domain, for measuring information loss."),
  suppressAll: suppressAll(true),
});

export const PrefixHierarchy = z.strictObject({
  kind: z.literal("prefix").describe("Codes such as ZIP codes lose characters from their end."),
  keep: z
    .array(z.int().min(0, { error: "A number of characters cannot be negative." }))
    .min(1, { error: "Give at least one level." })
    .superRefine((keep, context) => {
      for (let i = 1; i < keep.length; i++) {
        if (keep[i]! < keep[i - 1]!) continue;
        context.addIssue({ code: "custom", path: [i], message: "Each level must keep fewer characters than the one before." });
      }
    })
    .describe("How many leading characters are kept at level 1, 2, ...: [4, 3] makes 9021* and 902**."),
  mask: z
    .string()
    .regex(/^.?$/u, { error: "mask is a single character, or empty." })
    .default("*")
    .describe("Character that stands for each one taken away; empty to cut the value off instead."),
  suppressAll: suppressAll(true),
});

const TreeLines = z
  .array(z.array(z.string()).min(1, { error: "A line names a value, then what it becomes at each level." }))
  .min(1, { error: "A tree needs at least one line." })
  .superRefine((lines, context) => {
    const seen = new Set<string>();
    for (const [i, line] of lines.entries()) {
      if (line.length !== lines[0]!.length) {
        context.addIssue({
          code: "custom",
          path: [i],
          message: `Every line must have as many entries as the first (${lines[0]!.length}); found ${line.length}.`,
        });
      }
      if (seen.has(line[0]!)) {
        context.addIssue({ code: "custom", path: [i, 0], message: "This value has a line already; each value has one." });
      }
      seen.add(line[0]!);
    }
  });

export const TreeHierarchy = z
  .strictObject({
    kind: z.literal("tree").describe("Values are grouped by an explicit list, in a file (path) or here (inline)."),
    path: PathInside.optional().describe(
      "CSV file without header: one value per line, then what it becomes at level 1, 2, ... Relative to the policy.",
    ),
    delimiter: Delimiter.optional().describe("The character between the entries of a line of the file; a comma when absent."),
    inline: TreeLines.optional().describe("One list per value: the value, then what it becomes at level 1, 2, ..."),
    suppressAll: z
      .boolean()
      .optional()
      .describe("Whether a last level follows in which every value has become *. When absent: if the lines do not end in one value."),
  })
  .refine((tree) => (tree.path === undefined) !== (tree.inline === undefined), {
    error: "A tree names its file (path) or lists its lines (inline): one of the two.",
  })
  .refine((tree) => tree.inline === undefined || tree.delimiter === undefined, {
    path: ["delimiter"],
    error: "delimiter belongs to a file (path); inline lines have none.",
  });

export const SuppressHierarchy = z.strictObject({
  kind: z.literal("suppress").describe("One level only: every value becomes *."),
});

/** A value generalization hierarchy as a policy states it. */
export const HierarchyDefinition = z.discriminatedUnion("kind", [
  IntervalHierarchy,
  OrderHierarchy,
  DateHierarchy,
  PrefixHierarchy,
  TreeHierarchy,
  SuppressHierarchy,
]);
export type HierarchyDefinitionInput = z.input<typeof HierarchyDefinition>;
export type HierarchyDefinition = z.output<typeof HierarchyDefinition>;
export type IntervalHierarchy = z.output<typeof IntervalHierarchy>;
export type OrderHierarchy = z.output<typeof OrderHierarchy>;
export type DateHierarchy = z.output<typeof DateHierarchy>;
export type PrefixHierarchy = z.output<typeof PrefixHierarchy>;
export type TreeHierarchy = z.output<typeof TreeHierarchy>;
