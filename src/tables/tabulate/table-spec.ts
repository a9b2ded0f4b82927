import { closestName, PolicyError } from "../../errors/index.ts";

/** A group of categories of a dimension's finest published level: their sum, less those under `minus`. null is the missing value. */
export interface GroupSpec {
  readonly label: string;
  readonly plus: readonly (string | null)[];
  readonly minus?: readonly (string | null)[] | undefined;
}

/** Groups published beside the hierarchy's levels; groups may overlap, leave categories out, and need not nest. */
export interface GroupingSpec {
  readonly name: string;
  readonly groups: readonly GroupSpec[];
}

/** One dimension of a table: a key column and the levels of its hierarchy that are published, level 0 being the value itself. */
export interface DimensionSpec {
  readonly column: string;
  /** Default: [0]. The total over the dimension is a matter of the margins, not of the levels. */
  readonly levels?: readonly number[];
  readonly groupings?: readonly GroupingSpec[] | undefined;
}

/** The dimensions that one set of published cells is broken down by. A bare name means each published level of it. */
export type MarginSpec = readonly (string | { readonly column: string; readonly level: number })[];

export interface TableSpec {
  readonly name: string;
  readonly dimensions: readonly DimensionSpec[];
  /** "all": each dimension at each published level or in total. Otherwise exactly the sets listed; [] is the grand total. */
  readonly margins: "all" | readonly MarginSpec[];
}

/** Marks a dimension that a margin sums over. */
export const TOTAL = -1;

/** Groupings come as levels from here on, numbered by the order of their names over all tables. */
export const FIRST_GROUPING = 1000;

/** Published levels of a dimension, finest first. */
export function publishedLevels(dimension: DimensionSpec): number[] {
  return [...new Set(dimension.levels ?? [0])].sort((a, b) => a - b);
}

/** Level number of each grouping of a column over all tables. Groupings of one name must be the same. */
export function groupingLevels(column: string, specs: readonly TableSpec[]): ReadonlyMap<string, number> {
  const names = new Map<string, string>();
  for (const spec of specs) {
    for (const dimension of spec.dimensions) {
      if (dimension.column !== column) continue;
      for (const grouping of dimension.groupings ?? []) {
        const content = JSON.stringify(grouping.groups);
        if ((names.get(grouping.name) ?? content) !== content) {
          throw new PolicyError(
            "tabulate/two-groupings",
            `Column ${column} has two different groupings named ${grouping.name}. Give them different names, or make them the same.`,
            { table: spec.name, column, grouping: grouping.name },
          );
        }
        names.set(grouping.name, content);
      }
    }
  }
  return new Map([...names.keys()].sort().map((name, i) => [name, FIRST_GROUPING + i]));
}

/**
 * The margins of a table: [margins][dimensions] level, or TOTAL. No margin occurs twice; the order is by level, totals first,
 * the first dimension slowest, so that it does not depend on how the policy lists them.
 * @param among all tables of the release, which number the groupings
 *
 * @throws PolicyError `tabulate/unknown-dimension`, `tabulate/unknown-level`, `tabulate/repeated-dimension`, `tabulate/no-margins`
 */
export function expandMargins(spec: TableSpec, among: readonly TableSpec[] = [spec]): number[][] {
  const { dimensions } = spec;
  const columns = dimensions.map((dimension) => dimension.column);
  if (new Set(columns).size < columns.length) {
    throw new PolicyError(
      "tabulate/repeated-dimension",
      `Table ${spec.name} names a column twice among its dimensions. List each column once, with all its published levels.`,
      { table: spec.name },
    );
  }
  const levels = dimensions.map((dimension) => [
    ...publishedLevels(dimension),
    ...(dimension.groupings ?? []).map(({ name }) => groupingLevels(dimension.column, among).get(name)!).sort((a, b) => a - b),
  ]);
  const margins = new Map<string, number[]>();
  const addProduct = (choices: readonly (readonly number[])[]) => {
    const margin: number[] = [];
    const descend = (d: number) => {
      if (d === choices.length) {
        margins.set(margin.join(), [...margin]);
        return;
      }
      for (const level of choices[d]!) {
        margin[d] = level;
        descend(d + 1);
      }
    };
    descend(0);
  };

  if (spec.margins === "all") addProduct(levels.map((own) => [TOTAL, ...own]));
  else {
    for (const sets of spec.margins) {
      const choices: (readonly number[])[] = dimensions.map(() => [TOTAL]);
      const seen = new Set<string>();
      for (const entry of sets) {
        const column = typeof entry === "string" ? entry : entry.column;
        const d = columns.indexOf(column);
        if (d < 0) {
          const close = closestName(column, columns);
          throw new PolicyError(
            "tabulate/unknown-dimension",
            `A margin of table ${spec.name} names ${column}, which is not among its dimensions` +
              `${close ? `; did you mean ${close}?` : "."} Add it to the dimensions or remove it from the margin.`,
            { table: spec.name, column },
          );
        }
        if (seen.has(column)) {
          throw new PolicyError(
            "tabulate/repeated-dimension",
            `A margin of table ${spec.name} names ${column} twice. List one margin for each level instead.`,
            { table: spec.name, column },
          );
        }
        seen.add(column);
        if (typeof entry === "string") choices[d] = levels[d]!;
        else if (levels[d]!.includes(entry.level)) choices[d] = [entry.level];
        else {
          throw new PolicyError(
            "tabulate/unknown-level",
            `A margin of table ${spec.name} asks for level ${entry.level} of ${column}, whose published levels are ` +
              `${levels[d]!.join(", ")}. Add the level to the dimension or change the margin.`,
            { table: spec.name, column, level: entry.level },
          );
        }
      }
      addProduct(choices);
    }
  }
  if (margins.size === 0) {
    throw new PolicyError(
      "tabulate/no-margins",
      `Table ${spec.name} publishes no margin. Write margins: all, or list at least one set of dimensions ([] is the total).`,
      { table: spec.name },
    );
  }
  // Totals first, then coarse before fine: TOTAL stands above every level.
  const rank = (level: number) => (level === TOTAL ? -1e9 : -level);
  return [...margins.values()].sort((a, b) => {
    for (let d = 0; d < a.length; d++) if (a[d] !== b[d]) return rank(a[d]!) - rank(b[d]!);
    return 0;
  });
}
