import type { Policy } from "../../policy/index.ts";
import type { DescribedStatistic, DescribedTable, DescribedTables } from "../../tables/published-files/index.ts";
import type { Statistic } from "../../tables/tabulate/schema.ts";
import { annotationColumn, hasLevelColumn, levelText, TOTAL, TOTAL_LABEL, type TableLayout } from "./table-layout.ts";
import { tablesOf, type DecidedDimension } from "./tabulated.ts";

/**
 * How tables add up, for the data package: which column is which statistic, how categories nest, and the rule that hid numbers. Nothing
 * but what the method texts, the rows and the policy's hierarchies of the categories in the rows tell.
 * @param layouts as the files have them
 */
export function describedTables(
  policy: Policy, layouts: readonly TableLayout[], dimensions: readonly DecidedDimension[], rule: NonNullable<DescribedTables["rule"]>,
): DescribedTables {
  const specs = tablesOf(policy);
  const nested = new Set(dimensions.filter(({ column }) => levelsShown(layouts, column).length > 1).map(({ column }) => column));
  return {
    format: "commensurate/tables@1",
    numbers: "exact",
    rule,
    // Tables that list all combinations miss none, so a row that is not there was taken away.
    missingRows: specs.every(({ emptyCells }) => emptyCells === "omit") ? "empty" : "unknown",
    dimensions: Object.fromEntries(dimensions.map((dimension) =>
      [dimension.column, { ...(hasTotals(layouts, dimension.column) ? { total: TOTAL_LABEL } : {}), ...(nested.has(dimension.column) ? { places: placesShown(layouts, dimension) } : {}) }])),
    tables: Object.fromEntries(layouts.map((layout, t) => [layout.name, describedTable(layout, specs[t]!, nested)])),
  };
}

function describedTable(layout: TableLayout, { statistics, sumRows }: ReturnType<typeof tablesOf>[number], nested: ReadonlySet<string>): DescribedTable {
  const alone = layout.dimensions.filter((dimension) => nested.has(dimension.column) && !hasLevelColumn(dimension));
  return {
    dimensions: layout.dimensions.map(({ column }) => column),
    ...(alone.length === 0 ? {} : { levels: Object.fromEntries(alone.map((dimension) => [dimension.column, levelText(dimension, levelsOf(dimension)[0]!)])) }),
    totals: sumRows ? "listed" : "left-out",
    ...(layout.annotated ? { annotation: annotationColumn(layout) } : {}),
    statistics: statistics.map(describedStatistic),
  };
}

function describedStatistic(statistic: Statistic): DescribedStatistic {
  const { name, ...rest } = statistic;
  return { column: name, ...rest } as DescribedStatistic;
}

function levelsOf({ levels, groupings = [] }: TableLayout["dimensions"][number]): number[] {
  return [...levels, ...groupings.map(({ level }) => level)];
}

function levelsShown(layouts: readonly TableLayout[], column: string): number[] {
  return [...new Set(layouts.flatMap(({ dimensions }) => dimensions.filter((own) => own.column === column).flatMap(levelsOf)))];
}

function hasTotals(layouts: readonly TableLayout[], column: string): boolean {
  return layouts.some(({ dimensions }) => dimensions.some((own) => own.column === column && own.totals !== false));
}

/** Places of the levels that some file shows, each with the next one shown that holds it. */
function placesShown(layouts: readonly TableLayout[], { column, places, groups = [] }: DecidedDimension): NonNullable<DescribedTables["dimensions"][string]["places"]> {
  const shown = new Set([TOTAL, ...levelsShown(layouts, column)]);
  const named = layouts.flatMap(({ dimensions }) => dimensions.filter((own) => own.column === column));
  const textOf = (level: number): string => {
    const own = named.find((dimension) => dimension.groupings?.some((grouping) => grouping.level === level)) ?? named[0]!;
    return levelText(own, level);
  };
  const index = new Map<number, number>();
  places.forEach(({ level }, place) => {
    if (shown.has(level)) index.set(place, index.size);
  });
  const holder = (place: number): number => {
    let { parent } = places[place]!;
    while (parent >= 0 && !index.has(parent)) parent = places[parent]!.parent;
    return parent < 0 ? parent : index.get(parent)!;
  };
  const partsOf = new Map(groups.map(({ place, parts, signs }) => [place, signs?.includes(-1) === true ? undefined : parts]));
  return [...index.keys()].map((place) => {
    const { level, label } = places[place]!;
    const parts = partsOf.get(place);
    const told = parts?.every((part) => index.has(part)) === true ? parts.map((part) => index.get(part)!) : undefined;
    return { level: textOf(level), label, parent: holder(place), ...(told === undefined ? {} : { parts: told }) };
  });
}
