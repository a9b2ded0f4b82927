/** What all roads to statistical tables share: the reading, the system of cells, the amounts, and what a plan says of categories. */
import { dictionaryText } from "../../columns/index.ts";
import { rollUp, type Cells } from "../../cells/index.ts";
import type { Survey, SurveySpec } from "../../engines/local/index.ts";
import { DataError, DisclosureError, InternalError, PolicyError } from "../../errors/index.ts";
import type { BoundHierarchy } from "../../hierarchies/index.ts";
import { neededColumns, type Policy, type ResolvedColumns } from "../../policy/index.ts";
import type { AuditColumn } from "../../tables/audit/index.ts";
import {
  countAmount, measureAmount, twiceMedians, valuesAmount, weightAmount, type Amount, type StatisticInputs,
} from "../../tables/statistics/index.ts";
import { expandMargins, groupingLevels, placeLabel, tabulate, type PublishedTable, type TableSpec, type TableSystem } from "../../tables/tabulate/index.ts";
import type { Statistic, TableSpecification } from "../../tables/tabulate/schema.ts";
import type { Contributions } from "../../tables/primary-rules/index.ts";
import { bindHierarchies, columnPolicy, hierarchyFor, recodingOf } from "../columns.ts";
import { withoutStatedTotals } from "./stated-totals.ts";
import { TOTAL, type Place, type ReadBackRow, type TableLayout, type ValueColumn } from "./table-layout.ts";

export interface Tabulated {
  readonly system: TableSystem;
  readonly bound: ReadonlyMap<string, BoundHierarchy>;
  readonly survey: Survey;
  readonly inputs: StatisticInputs;
}

export function tablesOf({ release }: Policy): readonly TableSpecification[] {
  if (release.kind !== "tables") throw new DisclosureError("release/kind", "This release has no tables.");
  return release.tables;
}

export function dimensionColumns(policy: Policy): string[] {
  return [...new Set(tablesOf(policy).flatMap((table) => table.dimensions.map(({ column }) => column)))].sort();
}

/** What the first reading folds: dimensions, and with them whose contributions must be told apart. */
export function tablesSurvey(policy: Policy, columns: ResolvedColumns): SurveySpec {
  const needed = neededColumns(policy);
  const keyUses = ["dimension", "contributor", "holding", "request"];
  const asKeys = [
    ...columns.read.filter(({ use }) => keyUses.includes(use)).map(({ name }) => name),
    ...columns.read.filter(({ name }) => needed.values.has(name)).map(({ name }) => name),
  ];
  const nameOf = (use: string): string | undefined => columns.read.find((column) => column.use === use)?.name;
  const frequency = nameOf("frequency");
  const weight = needed.weight ? nameOf("weight") : undefined;
  return {
    keys: asKeys.map((name) => ({ name, recoding: recodingOf(policy, name) })),
    measures: columns.read
      .filter(({ use }) => use === "measure" || use === "record-key")
      .map(({ name }) => ({ name, nulls: columnPolicy(policy, name).nulls })),
    ...(weight === undefined ? {} : { weight }),
    ...(frequency === undefined ? {} : { frequency }),
  };
}

export function decimalsOf(policy: Policy, measure: string): number {
  const { decimals, type } = columnPolicy(policy, measure);
  return decimals ?? (type === "integer" ? 0 : 2);
}

/** What planning tabulated, for the apply that follows in the same run. */
const lastTabulated = new WeakMap<Survey, { readonly policy: Policy; readonly zeros: "publish" | "protect"; readonly done: Tabulated }>();

/** Cells of all tables, and everything that adds up in them; of one survey they are tabulated once. */
export function tabulateSurvey(policy: Policy, surveyed: Survey, zeros: "publish" | "protect"): Tabulated {
  const last = lastTabulated.get(surveyed);
  if (last !== undefined && last.policy === policy && last.zeros === zeros) return last.done;
  const done = tabulateAnew(policy, surveyed, zeros);
  lastTabulated.set(surveyed, { policy, zeros, done });
  return done;
}

function tabulateAnew(policy: Policy, surveyed: Survey, zeros: "publish" | "protect"): Tabulated {
  const survey = withoutStatedTotals(policy, surveyed);
  const names = dimensionColumns(policy);
  const bound = new Map(bindHierarchies(policy, survey, names).map((hierarchy, i) => [names[i]!, hierarchy]));
  const { cells } = survey;
  // Where a policy leaves rows out in one table it does so in all; see the road for sparse tables.
  const omits = tablesOf(policy).every(({ emptyCells }) => emptyCells === "omit");
  const method = policy.release.protect[0]!;
  if (tablesOf(policy).some(({ emptyCells }) => emptyCells === "omit") && !(method.method === "small-cells" && method.secondary === "moves")) {
    throw new PolicyError("tables/rows-left-out", "emptyCells: omit is offered with small-cells and secondary: moves. Choose that, or list all rows.");
  }
  const system = tabulate(cells, bound, specsOf(policy), { zeros, ...(omits ? { emptyCells: "omit" } : {}) });
  const amounts = new Map<string, Amount>([["count", countAmount(system)]]);
  const values = new Map<string, Amount>();
  for (const { name } of cells.measures) {
    amounts.set(name, measureAmount(system, cells, name, decimalsOf(policy, name)));
    values.set(name, valuesAmount(system, cells, name));
  }
  if (cells.weight !== undefined) amounts.set("weight", weightAmount(system, cells));
  const medians = new Map<string, { decimals: number; twice: Float64Array }>();
  for (const statistic of tablesOf(policy).flatMap((table) => table.statistics)) {
    if (statistic.statistic !== "median" || medians.has(statistic.of)) continue;
    const decimals = decimalsOf(policy, statistic.of);
    medians.set(statistic.of, { decimals, twice: twiceMedians(system, valueEntries(survey, system, statistic.of, decimals)) });
  }
  return { system, bound, survey, inputs: { amounts, values, medians } };
}

/** [codes + 1] value of each code of a measure that was read as a key, the first entry for null. */
function valuesOfCodes(survey: Survey, name: string): Float64Array {
  const key = survey.keys.find((candidate) => candidate.name === name);
  if (key === undefined) throw new InternalError("release/values-not-surveyed", "The values of a measure were not part of the first reading.");
  const values = new Float64Array(key.dictionary.size + 1).fill(NaN);
  for (let code = 0; code < key.dictionary.size; code++) values[code + 1] = Number(dictionaryText(key.dictionary, code));
  return values;
}

function valueEntries(survey: Survey, system: TableSystem, name: string, decimals: number): Parameters<typeof twiceMedians>[1] {
  const { cells } = survey;
  const codes = cells.codes[cells.keys.indexOf(name)]!;
  const values = valuesOfCodes(survey, name);
  const kept: number[] = [];
  for (let c = 0; c < cells.size; c++) if (codes[c]! >= 0 && system.innerOf[c]! >= 0) kept.push(c);
  return {
    inner: Int32Array.from(kept, (c) => system.innerOf[c]!),
    value: Float64Array.from(kept, (c) => Math.round(values[codes[c]! + 1]! * 10 ** decimals)),
    records: Float64Array.from(kept, (c) => cells.records[c]!),
  };
}

/** Expanding records that stand for themselves is refused beyond this. */
const MOST_ENTRIES = 50_000_000;

/**
 * Who contributes what: to a measure, or the records alone. With a contributor column, its values; else every record is a
 * contributor of its own.
 * @throws DataError `tables/no-contributor`, `tables/too-many-contributions`
 */
export function contributionsTo(policy: Policy, { survey, system }: Tabulated, measure: string | undefined): Contributions {
  const { cells } = survey;
  const keyOf = (role: string): number => cells.keys.findIndex((name) => columnPolicy(policy, name).role === role);
  const contributorKey = keyOf("contributor");
  const sums = measure === undefined ? undefined : cells.measures.find(({ name }) => name === measure)!;
  if (contributorKey < 0) return recordsAsContributors(survey, system, measure);

  const contributor = cells.codes[contributorKey]!;
  const kept: number[] = [];
  for (let c = 0; c < cells.size; c++) {
    if (system.innerOf[c]! < 0) continue;
    if (contributor[c]! < 0) throw noContributor(cells.keys[contributorKey]!);
    kept.push(c);
  }
  const contributors = cells.sizes[contributorKey]!;
  const holdingKey = keyOf("holding");
  const requestKey = keyOf("request");
  const pick = (from: Float64Array): Float64Array => Float64Array.from(kept, (c) => from[c]!);
  return {
    entries: kept.length,
    inner: Int32Array.from(kept, (c) => system.innerOf[c]!),
    contributor: Int32Array.from(kept, (c) => contributor[c]!),
    contributors,
    records: pick(cells.records),
    ...(cells.weight === undefined ? {} : { weight: pick(cells.weight) }),
    ...(sums === undefined ? {} : { value: pick(sums.sum), absolute: pick(sums.sumAbs) }),
    ...(holdingKey < 0 ? {} : { holding: holdings(cells, contributor, cells.codes[holdingKey]!, contributors, cells.keys[holdingKey]!) }),
    ...(requestKey < 0 ? {} : { requested: requests(survey, contributor, requestKey, contributors) }),
  };
}

function recordsAsContributors(survey: Survey, system: TableSystem, measure: string | undefined): Contributions {
  const { cells } = survey;
  const codes = measure === undefined ? undefined : cells.codes[cells.keys.indexOf(measure)]!;
  const values = measure === undefined ? undefined : valuesOfCodes(survey, measure);
  let entries = 0;
  for (let c = 0; c < cells.size; c++) if (system.innerOf[c]! >= 0) entries += cells.records[c]!;
  if (entries > MOST_ENTRIES) {
    throw new DataError(
      "tables/too-many-contributions",
      `Every record counts as a contributor, and ${entries} of them are more than ${MOST_ENTRIES}. Name a contributor column.`,
      { records: entries, limit: MOST_ENTRIES },
    );
  }
  const inner = new Int32Array(entries);
  const value = values === undefined ? undefined : new Float64Array(entries);
  const weight = cells.weight === undefined ? undefined : new Float64Array(entries);
  let at = 0;
  for (let c = 0; c < cells.size; c++) {
    if (system.innerOf[c]! < 0) continue;
    const own = values === undefined ? 0 : values[codes![c]! + 1]!;
    for (let record = 0; record < cells.records[c]!; record++) {
      inner[at] = system.innerOf[c]!;
      if (value !== undefined) value[at] = Number.isNaN(own) ? 0 : own;
      if (weight !== undefined) weight[at] = cells.weight![c]! / cells.records[c]!;
      at++;
    }
  }
  return {
    entries, inner,
    contributor: Int32Array.from({ length: entries }, (_, entry) => entry),
    contributors: entries,
    records: new Float64Array(entries).fill(1),
    ...(weight === undefined ? {} : { weight }),
    ...(value === undefined ? {} : { value }),
  };
}

function noContributor(column: string): DataError {
  return new DataError(
    "tables/no-contributor",
    `Some records have no value in ${JSON.stringify(column)}, so nobody can tell whose they are. Fill the column in, or leave those records out.`,
    { column },
  );
}

/** [contributors] holding of each. @throws DataError `tables/two-holdings` when a contributor is in two. */
function holdings(cells: Cells, contributor: Int32Array, holding: Int32Array, contributors: number, column: string): Int32Array {
  const of = new Int32Array(contributors).fill(-1);
  for (let c = 0; c < cells.size; c++) {
    const own = of[contributor[c]!]!;
    if (holding[c]! < 0) throw noContributor(column);
    if (own >= 0 && own !== holding[c]) {
      throw new DataError(
        "tables/two-holdings",
        `A contributor has records with different values of ${JSON.stringify(column)}; it can belong to one holding only. Correct the data.`,
        { column },
      );
    }
    of[contributor[c]!] = holding[c]!;
  }
  return of;
}

function requests(survey: Survey, contributor: Int32Array, key: number, contributors: number): Uint8Array {
  const { cells } = survey;
  const { dictionary, name } = survey.keys.find((candidate) => candidate.name === cells.keys[key])!;
  const asked = new Uint8Array(dictionary.size + 1);
  for (let code = 0; code < dictionary.size; code++) {
    const text = dictionaryText(dictionary, code).toLowerCase();
    if (text === "1" || text === "true") asked[code + 1] = 1;
    else if (text !== "0" && text !== "false") {
      throw new DataError("tables/request", `Column ${JSON.stringify(name)} has values other than 1, true, 0 and false.`, { column: name });
    }
  }
  const of = new Uint8Array(contributors);
  for (let c = 0; c < cells.size; c++) if (asked[cells.codes[key]![c]! + 1] === 1) of[contributor[c]!] = 1;
  return of;
}

/** The surveyed cells over the dimensions alone. */
export function dimensionsAlone(surveyed: Survey, policy: Policy): Survey["cells"] {
  const survey = withoutStatedTotals(policy, surveyed);
  const names = new Set(dimensionColumns(policy));
  if (survey.cells.keys.every((name) => names.has(name))) return survey.cells;
  return rollUp(survey.cells, survey.cells.keys.map((name) => (names.has(name) ? null : "drop")));
}

export function sensitiveOf(policy: Policy, survey: Survey): number {
  return survey.keys.filter(({ name }) => policy.columns.get(name)?.role === "sensitive").length;
}

export function specsOf(policy: Policy): TableSpec[] {
  return tablesOf(policy).map(({ name, dimensions, margins }) => ({
    name,
    dimensions: dimensions.map(({ column, levels, groupings = {} }) => ({
      column,
      levels: levelsOf(policy, column, levels),
      groupings: Object.entries(groupings).map(([grouping, groups]) => ({
        name: grouping,
        groups: Object.entries(groups).map(([label, parts]) => ({ label, ...parts })),
      })),
    })),
    // The table itself is always there; a policy lists what it wants beside it.
    margins: margins === "all" ? "all" : [dimensions.map(({ column }) => column), ...(margins === "none" ? [] : margins)],
  }));
}

function levelsOf(policy: Policy, column: string, levels: readonly number[] | "all"): readonly number[] {
  if (levels !== "all") return levels;
  const hierarchy = hierarchyFor(policy, column);
  return Array.from({ length: hierarchy?.levels ?? 1 }, (_, level) => level);
}

/** Layout of every table; with sum rows whether or not the file lists them, which `shownLayout` takes away. */
export function tableLayouts(policy: Policy, annotated: boolean, valuesOf: (table: TableSpecification) => readonly ValueColumn[]): TableLayout[] {
  const specs = specsOf(policy);
  return tablesOf(policy).map((table, t) => ({
    name: table.name,
    title: table.title,
    description: table.description,
    dimensions: specs[t]!.dimensions.map(({ column, levels, groupings = [] }) => ({
      column,
      levels: levels!,
      groupings: groupings.map(({ name }) => ({ level: groupingLevels(column, specs).get(name)!, name })),
      totals: table.margins === "all" || (table.margins !== "none" && table.margins.some((kept) => !kept.includes(column))),
    })),
    values: valuesOf(table),
    annotated,
  }));
}

/** Without sum rows a file has the finest categories alone. */
export function shownLayout(layout: TableLayout, sumRows: boolean): TableLayout {
  if (sumRows) return layout;
  return { ...layout, dimensions: layout.dimensions.map(({ column, levels }) => ({ column, levels: [Math.min(...levels)], totals: false })) };
}

/** Rows of a table that its file shows: all, or those of the finest categories in every dimension. */
export function shownRows(table: PublishedTable, sumRows: boolean): Int32Array {
  const rows: number[] = [];
  const finest = table.dimensions.map(({ levels }) => Math.min(...(levels ?? [0])));
  for (let row = 0; row < table.rows; row++) {
    if (sumRows || finest.every((level, d) => table.level[d]![row] === level)) rows.push(row);
  }
  return Int32Array.from(rows);
}

export function placeOfRow({ system, bound }: Tabulated, table: PublishedTable, row: number, d: number): Place {
  const level = table.level[d]![row]!;
  const column = system.columns[table.columnOf[d]!]!;
  return { level, label: placeLabel(column, bound.get(column.column)!, level, table.codes[d]![row]!) };
}

export function statisticValueColumn(policy: Policy, statistic: Statistic): ValueColumn {
  const { name } = statistic;
  const label = (column: string): string => columnPolicy(policy, column).label ?? column;
  const amount = (of: string): string => (of === "count" ? "the number of records" : label(of));
  switch (statistic.statistic) {
    case "count":
      return { name, type: "integer", description: "Number of people or records in the category." };
    case "weighted-count":
      return { name, type: statistic.decimals === 0 ? "integer" : "number", description: "Estimated number in the population: the sum of the sampling weights." };
    case "sum":
      return { name, type: decimalsOf(policy, statistic.of) === 0 ? "integer" : "number", description: `Sum of ${label(statistic.of)}.` };
    case "mean":
      return { name, type: "number", description: `Mean of ${label(statistic.of)} over the records that have a value.`, missing: "no record has a value" };
    case "median":
      return { name, type: "number", description: `Median of ${label(statistic.of)} over the records that have a value.`, missing: "no record has a value" };
    case "percent":
      return {
        name, type: "number", missing: "the total is 0",
        description: `Count in percent of the ${statistic.of.length === 0 ? "grand total" : `total by ${statistic.of.join(", ")}`}.`,
      };
    case "rate":
      return {
        name, type: "number", missing: `${amount(statistic.denominator)} is 0`,
        description: `${amount(statistic.numerator)} per ${statistic.per === 1 ? "unit" : statistic.per} of ${amount(statistic.denominator)}.`,
      };
  }
}

export interface DecidedDimension {
  readonly column: string;
  /** Places of the dimension, the total first; `parent` is the index of the place that holds it, -1 at the total, -2 at groups. */
  readonly places: readonly { readonly level: number; readonly label: string | null; readonly parent: number }[];
  readonly groups?: AuditColumn["groups"] | undefined;
}

/** The categories that the tables show, as a plan lists them. */
export function decidedDimensions({ system, bound }: Tabulated): DecidedDimension[] {
  return system.columns.map((dimension) => ({
    column: dimension.column,
    places: Array.from({ length: dimension.size }, (_, place) => ({
      level: dimension.level[place]!,
      label: placeLabel(dimension, bound.get(dimension.column)!, dimension.level[place]!, dimension.code[place]!),
      parent: dimension.parent[place]!,
    })),
    ...(dimension.groups.length === 0 ? {} : { groups: dimension.groups }),
  }));
}

/** The total first; every other place lies in the total or in a place of a coarser level; groups are made of finest places. */
export function isSoundDimension(dimension: unknown, column: string): boolean {
  const { column: named, places, groups = [] } = (dimension ?? {}) as Partial<DecidedDimension>;
  if (named !== column || !Array.isArray(places) || !Array.isArray(groups)) return false;
  const all = places as readonly Partial<DecidedDimension["places"][number]>[];
  const isPlace = (place: unknown): place is number => Number.isSafeInteger(place) && (place as number) > 0 && (place as number) < all.length;
  const grouped = new Set(groups.map(({ place }) => place));
  if (!groups.every(({ place, parts, signs }) => isPlace(place) && Array.isArray(parts) && parts.every(isPlace) && (signs === undefined || signs.length === parts.length))) return false;
  return all.every((place, i) => {
    const { level, label, parent } = place ?? {};
    if (i === 0) return level === TOTAL && label === null && parent === -1;
    if (!Number.isSafeInteger(level) || level! < 0 || !(label === null || typeof label === "string")) return false;
    if (parent === -2) return grouped.has(i);
    const above = Number.isSafeInteger(parent) && parent! >= 0 ? all[parent!] : undefined;
    return above !== undefined && (parent === 0 || above.level! > level!);
  });
}

export function auditColumns(dimensions: readonly DecidedDimension[]): AuditColumn[] {
  return dimensions.map(({ column, places, groups }): AuditColumn => ({
    column,
    size: places.length,
    level: Int32Array.from(places, ({ level }) => level),
    parent: Int32Array.from(places, ({ parent }) => parent),
    ...(groups === undefined ? {} : { groups }),
  }));
}

export function placeKey(level: number, label: string | null): string {
  return `${level}:${label === null ? "" : `=${label}`}`;
}

/** Rows of a file in the form of `expectedRows`. */
export function listedRows(rows: readonly ReadBackRow[]): string {
  return rows.map(({ places }) => places.map(({ level, label }) => placeKey(level, label)).join("\n")).join("\n\n");
}

/** [dimensions] place of each category, by `placeKey`. */
export function placesByKey(dimensions: readonly DecidedDimension[]): ReadonlyMap<string, number>[] {
  return dimensions.map(({ places }) => new Map(places.map(({ level, label }, place) => [placeKey(level, label), place])));
}

/** [tables] the rows that each file must list, as `placeKey`s: every combination of the categories of each margin. */
export function expectedRows(policy: Policy, dimensions: readonly DecidedDimension[]): string[] {
  const specs = specsOf(policy);
  return specs.map((spec, t) => {
    const { sumRows } = tablesOf(policy)[t]!;
    const finest = spec.dimensions.map(({ levels }) => Math.min(...levels!));
    const rows: string[] = [];
    for (const margin of expandMargins(spec, specs)) {
      if (!sumRows && margin.some((level, d) => level !== finest[d])) continue;
      const choices = spec.dimensions.map(({ column }, d) => {
        const { places } = dimensions.find((dimension) => dimension.column === column)!;
        return places.filter(({ level }) => level === margin[d]).map(({ level, label }) => placeKey(level, label));
      });
      let partial = [""];
      choices.forEach((own, d) => (partial = partial.flatMap((head) => own.map((key) => (d === 0 ? key : `${head}\n${key}`)))));
      rows.push(...partial);
    }
    return rows.join("\n\n");
  });
}
