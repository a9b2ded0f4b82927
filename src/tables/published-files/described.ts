/** What a data package of ours says about its tables, so that whoever has only the public files can add them up. */
import { DataError } from "../../errors/index.ts";
import type { RawTable } from "./raw-table.ts";
import { DescribedTablesSchema, type DescribedTables } from "./schema.ts";
import type { DimensionStructure, FileStructure, MeasureStructure, RatioStructure, TableStructure } from "./structure.ts";

export type { DescribedTables };
export type DescribedTable = DescribedTables["tables"][string];
export type DescribedStatistic = DescribedTable["statistics"][number];

/**
 * Read the property `commensurate` of a data package. Nothing, and what another format says, is undefined.
 * @throws DataError `audit/unreadable-package`
 */
export function parseDescribed(value: unknown): DescribedTables | undefined {
  if (typeof value !== "object" || value === null || (value as { format?: unknown }).format !== "commensurate/tables@1") return undefined;
  const result = DescribedTablesSchema.safeParse(value);
  if (result.success) return result.data;
  throw new DataError(
    "audit/unreadable-package",
    `datapackage.json describes its tables (commensurate) in a way that cannot be read: ${result.error.issues[0]!.path.join(".")}. Restore the file, or name the tables themselves.`,
  );
}

/** Categories that a description may have beside those in the rows: of a hierarchy in which nobody is. More is a mistake, or meant to keep an audit busy. */
const MOST_UNLISTED = 20_000;

/**
 * What a description says, in terms of a structure file. Percentages, rates and means are attacked where the columns stand beside them that
 * they are computed from; else they are named as not attacked.
 * @param tables each raw table with the name that the description has for it; some have more columns than were published
 * @throws DataError `audit/unreadable-package` where it has far more categories than the files
 */
export function structureOfDescribed(described: DescribedTables, tables: readonly { readonly table: RawTable; readonly as: string }[]): TableStructure {
  const rows = tables.reduce((sum, { table }) => sum + table.rows, 0);
  for (const { places = [] } of Object.values(described.dimensions)) {
    if (places.length <= rows + MOST_UNLISTED) continue;
    throw new DataError(
      "audit/unreadable-package",
      "datapackage.json describes far more categories (commensurate, dimensions) than the tables list. Restore the file, or name the tables themselves.",
      { places: places.length, rows },
    );
  }
  const measures: Record<string, MeasureStructure> = {};
  const files: Record<string, FileStructure> = {};
  // The same statistic is one measure over all tables, under the first name that it has.
  const nameOf = new Map<string, string>();
  const named = (what: string, column: string): string => {
    if (!nameOf.has(what)) nameOf.set(what, column);
    return nameOf.get(what)!;
  };
  for (const { table, as } of tables) {
    if (!Object.hasOwn(described.tables, as)) continue;
    const own = described.tables[as]!;
    files[table.name] = fileStructure(own, table.columns, described.missingRows, measures, named);
  }
  return { dimensions: describedDimensions(described), tables: files, measures };
}

function fileStructure(
  { dimensions, levels, annotation, statistics }: DescribedTable, columns: readonly string[], missingRows: DescribedTables["missingRows"],
  measures: Record<string, MeasureStructure>, named: (what: string, column: string) => string,
): FileStructure {
  const rename: Record<string, string> = {};
  const values: string[] = [];
  const addUp = (what: string, column: string, measure: MeasureStructure): void => {
    const name = named(what, column);
    if (name !== column) rename[column] = name;
    if (!Object.hasOwn(measures, name)) measures[name] = measure;
    values.push(column);
  };
  const columnOf = (amount: string): string | undefined =>
    statistics.find((own) => (amount === "count" ? own.statistic === "count" : own.statistic === "sum" && own.of === amount))?.column ??
      (amount === "count" && columns.includes(COUNT_KEPT) ? COUNT_KEPT : undefined);
  const count = columnOf("count");
  if (count !== undefined) addUp("count", count, { kind: "count" });
  const countName = count === undefined ? undefined : named("count", count);
  // Where an agency keeps them, columns say how many records have a value.
  const valuesOf = (measure: string): RatioStructure["denominator"] | undefined => {
    const kept = `values_of_${measure}`;
    if (columns.includes(kept)) {
      if (!values.includes(kept)) addUp(`values of ${measure}`, kept, { kind: "count", protect: false, ...(countName === undefined ? {} : { within: countName }) });
      return kept;
    }
    if (countName === undefined) return undefined;
    const name = named(`values of ${measure}`, `values of ${measure}`);
    measures[name] ??= { kind: "count", protect: false, within: countName };
    return { measure: name };
  };
  const ratios: RatioStructure[] = [];
  const notAttacked: string[] = [];
  for (const own of statistics) {
    const { column } = own;
    if (!columns.includes(column)) continue;
    let ratio: Omit<RatioStructure, "column"> | undefined;
    switch (own.statistic) {
      case "count":
        continue;
      case "sum":
        addUp(`sum of ${own.of}`, column, { kind: "amount" });
        continue;
      case "mean": {
        const [numerator, denominator] = [columnOf(own.of), valuesOf(own.of)];
        if (numerator !== undefined && denominator !== undefined) ratio = { numerator, denominator, decimals: own.decimals, scale: 1 };
        break;
      }
      case "percent": {
        const over = dimensions.filter((dimension) => !own.of.includes(dimension));
        if (count !== undefined && over.length > 0) ratio = { numerator: count, denominator: { over }, decimals: own.decimals, scale: 100 };
        break;
      }
      case "rate": {
        const [numerator, denominator] = [columnOf(own.numerator), columnOf(own.denominator)];
        if (numerator !== undefined && denominator !== undefined) ratio = { numerator, denominator, decimals: own.decimals, scale: own.per };
        break;
      }
      case "median":
      case "weighted-count":
    }
    if (ratio === undefined) notAttacked.push(column);
    else ratios.push({ column, ...ratio });
  }
  return {
    layout: "long",
    dimensions,
    values,
    ...(missingRows === undefined ? {} : { missingRows }),
    ...(levels === undefined ? {} : { levels }),
    ...(annotation === undefined ? {} : { annotation }),
    ...(Object.keys(rename).length === 0 ? {} : { rename }),
    ...(ratios.length === 0 ? {} : { ratios }),
    ...(notAttacked.length === 0 ? {} : { notAttacked }),
  };
}

/** Name of the column of counts that an agency keeps beside tables that show none. */
const COUNT_KEPT = "count";

function describedDimensions({ dimensions }: DescribedTables): Record<string, DimensionStructure> {
  return Object.fromEntries(Object.entries(dimensions).map(([name, { total, places }]): [string, DimensionStructure] =>
    [name, { ...(total === undefined ? {} : { totals: [total] }), ...(places === undefined ? {} : { places }) }]));
}
