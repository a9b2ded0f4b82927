import * as z from "zod";

const Preferred = z.record(z.string(), z.array(z.string().nullable()).min(1));

/** How complementary cells are chosen; the same for every method that leaves cells blank. */
export const complementaryOptions = {
  secondary: z
    .enum(["elimination", "hypercube", "optimal"])
    .default("elimination")
    .describe(
      "How complementary cells are found. elimination: exact, few cells, for tables of any shape. hypercube: for very large full " +
        "cubes, hides more. optimal: as few people as possible by integer programming, for small tables; elimination where it does not end.",
    ),
  singletons: z
    .enum(["protect", "ignore"])
    .default("protect")
    .describe("Whether the only person in a cell, who knows its count, is kept from computing others with it."),
  siblings: z
    .enum(["protect", "ignore"])
    .default("ignore")
    .describe(
      "With protect, one more cell is hidden where the small counts of a row or column are all at most 3, or add up to less than the " +
        "threshold (CalHHS guidelines, section 4.4). The interval answers for the same risk, by what can be worked out.",
    ),
  hideFirst: Preferred.default({}).describe("Categories that complementary cells should come from, by column, such as { reason: [Other, Unknown] }."),
  showFirst: Preferred.default({}).describe("Categories that should stay shown where that is possible, by column."),
};

export const SmallCells = z.strictObject({
  method: z
    .literal("small-cells")
    .describe("Counts below the threshold are left blank, and further cells with them, so that none can be computed back."),
  threshold: z
    .int()
    .min(2, {
      error: (issue) => `threshold is the smallest count that may be shown and must be at least 2; found ${Number(issue.input)}.`,
    })
    .describe("Smallest count that may be shown, in records. There is no default: the number is a decision of the agency."),
  zeros: z
    .enum(["publish", "protect"])
    .default("publish")
    .describe("Whether a count of zero is shown (nobody is in the cell) or treated as a small count."),
  interval: z
    .int()
    .min(2, {
      error: (issue) =>
        `interval is the number of values that must remain possible for a hidden count, at least 2; found ${Number(issue.input)}.`,
    })
    .optional()
    .describe(
      "How many values must remain possible for every hidden small count, seen by somebody who knows everything published " +
        "and the rule itself. When absent, half of the small counts, or what the classification requires if that is more.",
    ),
  codes: z
    .enum(["merged", "separate"])
    .default("merged")
    .describe(
      "Whether the annotation tells counts hidden for being small from counts hidden to protect others (separate) or not " +
        "(merged). Telling them apart helps a reader to infer hidden counts, so separate codes are written only where every " +
        "hidden small count keeps its interval all the same, else merged ones.",
    ),
  ...complementaryOptions,
  secondary: z
    .enum([...complementaryOptions.secondary.def.innerType.options, "moves"])
    .default("elimination")
    .describe(
      "How complementary cells are found. elimination: exact, few cells, for tables of any shape. hypercube: for very large full " +
        "cubes, hides more. optimal: as few people as possible by integer programming, for small tables; elimination where it does not end. " +
        "moves: for tables of millions of mostly empty cells, with emptyCells: omit and singletons: ignore.",
    ),
});
export type SmallCellsInput = z.input<typeof SmallCells>;
export type SmallCells = z.output<typeof SmallCells>;
