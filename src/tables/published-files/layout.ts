import { closestName, DataError } from "../../errors/index.ts";
import { looksLikeTotal, readAnnotation, type CellText } from "./cell-text.ts";
import type { RawTable } from "./raw-table.ts";
import type { FileStructure } from "./structure.ts";

/** Which column of a file is what. Numbers are positions of columns. */
export interface Layout {
  readonly dimensions: readonly { readonly column: number; readonly name: string; readonly level: number | undefined }[];
  readonly values: readonly { readonly column: number; readonly measure: string; readonly annotation: number | undefined; readonly reason: number | undefined }[];
  /** In a crosstab each column of `values` is a category of this dimension, and all are one measure. */
  readonly across: string | undefined;
  /** Columns of numbers that are computed from others and were not explained. */
  readonly unexplained: readonly number[];
  readonly assumptions: readonly string[];
}

export interface LayoutOptions {
  readonly dimensions?: readonly string[] | undefined;
  readonly values?: readonly string[] | undefined;
  /** Name of the dimension across the columns of a crosstab. */
  readonly across?: string | undefined;
}

const COUNTED =
  /(?:^|_)(?:n|counts?|freq|frequency|cases?|deaths?|persons?|people|population|pop|number|num|obs|value|val|events?|patients?|students?|enrolled|enrollment|records?|members?|clients?|recipients?|total)(?:_|$)/i;
const COMPUTED =
  /percent|pct|%|(?:^|_)(?:rates?|ratio|means?|average|avg|median|share|proportion|prop|per_?\d+k?|rse|std|se|sd|cv|ci|lcl|ucl|lower|upper|moe)(?:_|$)/i;
const CATEGORY =
  /(?:^|_)(?:years?|months?|quarters?|weeks?|dates?|days?|ages?|fips|zip|geoid|codes?|ids?|levels?|periods?|decades?|grades?|tract|class)(?:_|$)/i;
const ANNOTATED = /annotation|flag|suppress|status|footnote|symbol|(?:^|_)(?:notes?|primary|secondary)(?:_|$)/i;

/**
 * Find out which columns hold categories and which numbers: as stated, else by their names and contents.
 * @throws DataError `audit/unknown-column`, `audit/no-values`, `audit/no-dimensions`, `audit/unreadable-cell`
 */
export function findLayout(
  table: RawTable, structure: FileStructure, options: LayoutOptions, read: (text: string | null) => CellText | undefined,
): Layout {
  const at = (name: string): number => {
    const column = table.columns.indexOf(name);
    if (column < 0) throw unknownColumn(table, name);
    return column;
  };
  const all = table.columns.map((_, column) => column);
  const named = (column: number): string => structure.rename?.[table.columns[column]!] ?? table.columns[column]!;
  const ratios = new Set((structure.ratios ?? []).map(({ column }) => at(column)));
  const notAttacked = (structure.notAttacked ?? []).map(at);
  // Options hold for several files, each of which may lack some of the columns.
  const stated = (names: readonly string[] | undefined): number[] | undefined => {
    const found = names?.map((name) => table.columns.indexOf(name)).filter((column) => column >= 0);
    return found === undefined || found.length === 0 ? undefined : found;
  };
  const statedValues = structure.values?.map(at) ?? stated(options.values);
  const statedDimensions = structure.dimensions?.map(at) ?? stated(options.dimensions);
  const assumptions: string[] = [];

  const annotations = structure.annotation === undefined
    ? all.filter((column) => isAnnotation(table, column) && !statedDimensions?.includes(column) && !statedValues?.includes(column))
    : [at(structure.annotation)];
  const levels = all.filter((column) => table.columns[column]!.endsWith("_level") && table.columns.includes(table.columns[column]!.slice(0, -6)));
  const free = all.filter((column) => !annotations.includes(column) && !levels.includes(column) && !ratios.has(column) && !notAttacked.includes(column));
  const numeric = free.filter((column) => holdsNumbers(table, column, read));
  const nameOf = (column: number): string => table.columns[column]!;

  let values = statedValues;
  const unexplained: number[] = [];
  if (values === undefined) {
    const candidates = numeric.filter((column) => statedDimensions?.includes(column) !== true);
    const plain = candidates.filter((column) => !CATEGORY.test(nameOf(column)) || statedDimensions !== undefined);
    values = plain.filter((column) => !COMPUTED.test(nameOf(column)));
    const counted = values.filter((column) => COUNTED.test(nameOf(column)));
    // A column whose every number is hidden shows by its name only.
    if (values.length === 0) values = free.filter((column) => COUNTED.test(nameOf(column)) && isBlank(table, column, read));
    const others = free.filter((column) => !numeric.includes(column) && !values!.includes(column));
    // A column across in which every number is hidden holds nothing but marks; a column of categories does not.
    const marks = others.filter((column) => isBlank(table, column, read));
    const texts = others.length > marks.length ? others.filter((column) => !marks.includes(column)) : others;
    if (isCrosstab(table, structure, options, values, counted, texts)) {
      const labels = texts.length > 0 ? texts : free.filter((c) => !values!.includes(c));
      const across = free.filter((column) => values!.includes(column) || (marks.includes(column) && !labels.includes(column)));
      if (statedDimensions === undefined) refuseMostlyNumbers(table, labels.slice(1), read);
      return crosstab(table, structure, options, labels, across, assumptions);
    }
    assumptions.push(
      `numbers are read from ${list(values.map(nameOf))}` +
        (statedDimensions === undefined ? `, categories from ${list(free.filter((c) => !values!.includes(c) && !isComputed(c)).map(nameOf))}` : ""),
    );
  } else if (structure.layout === "crosstab" || options.across !== undefined || structure.across !== undefined) {
    const others = statedDimensions ?? free.filter((column) => !values!.includes(column));
    return crosstab(table, structure, options, others, values, assumptions);
  }
  function isComputed(column: number): boolean {
    return numeric.includes(column) && COMPUTED.test(nameOf(column)) && !values!.includes(column);
  }
  unexplained.push(...notAttacked, ...all.filter(isComputed).filter((column) => statedDimensions?.includes(column) !== true && !ratios.has(column) && !notAttacked.includes(column)));
  if (values.length === 0 && structure.values === undefined) {
    throw new DataError(
      "audit/no-values",
      `Table ${table.name} has no column that can be told to hold its numbers. Name it with --count COLUMN; texts that stand for ` +
        "hidden numbers are stated with --hidden.",
      { table: table.name, columns: table.columns.length },
    );
  }
  const ratioColumns = new Set(structure.ratios?.flatMap(({ numerator, denominator }) => [numerator, ...(typeof denominator === "string" ? [denominator] : [])]).map(at));
  for (const column of ratioColumns) if (!values.includes(column)) values = [...values, column];
  const dimensions = statedDimensions ?? free.filter((column) => !values!.includes(column) && !isComputed(column));
  if (statedDimensions === undefined) refuseMostlyNumbers(table, dimensions.slice(1), read);
  if (dimensions.length === 0) {
    throw new DataError(
      "audit/no-dimensions",
      `Table ${table.name} has no column of categories. Name them with --dimensions a,b.`,
      { table: table.name, columns: table.columns.length },
    );
  }
  return {
    dimensions: dimensions.map((column) => ({
      column,
      name: named(column),
      level: levels.find((level) => nameOf(level) === `${nameOf(column)}_level`),
    })),
    values: values.map((column) => {
      const annotation = annotationOf(table, annotations, column, values!.length);
      // Some programs write "suppressed" and beside it whether the reason is a primary one.
      const reason = annotations.find((other) => other !== annotation && /primary/i.test(nameOf(other)));
      return { column, measure: named(column), annotation, reason };
    }),
    across: undefined,
    unexplained,
    assumptions,
  };
}

/** Its own annotation column by name, else the one that serves the whole row. */
function annotationOf(table: RawTable, annotations: readonly number[], value: number, values: number): number | undefined {
  const name = table.columns[value]!.toLowerCase();
  const own = annotations.find((column) => table.columns[column]!.toLowerCase().startsWith(`${name}_`));
  if (own !== undefined || annotations.length === 0) return own;
  const shared = annotations.filter((column) => !table.columns.some((other, c) => c !== value && !annotations.includes(c) && values > 1 &&
    table.columns[column]!.toLowerCase().startsWith(`${other.toLowerCase()}_`)));
  // GaussSuppression writes "primary" and "suppressed"; the latter says what is hidden.
  return shared.find((column) => /suppress/i.test(table.columns[column]!)) ?? shared[0];
}

function isAnnotation(table: RawTable, column: number): boolean {
  return ANNOTATED.test(table.columns[column]!) && table.texts[column]!.every((text) => readAnnotation(text) !== undefined);
}

function holdsNumbers(table: RawTable, column: number, read: (text: string | null) => CellText | undefined): boolean {
  const cells = table.texts[column]!.map(read);
  return cells.some((cell) => cell?.kind === "shown") && cells.every((cell) => cell !== undefined);
}

function isBlank(table: RawTable, column: number, read: (text: string | null) => CellText | undefined): boolean {
  return table.texts[column]!.every((text) => read(text)?.kind === "hidden");
}

/**
 * A column of numbers with one text among them that nobody knows would pass for categories, and nothing would add up.
 * @throws DataError `audit/unreadable-cell` for columns that hold numbers mostly
 */
function refuseMostlyNumbers(table: RawTable, columns: readonly number[], read: (text: string | null) => CellText | undefined): void {
  for (const column of columns) {
    const texts = table.texts[column]!;
    const shown = texts.filter((text) => read(text)?.kind === "shown").length;
    const row = texts.findIndex((text) => read(text) === undefined && !looksLikeTotal(text ?? ""));
    if (row < 0 || 2 * shown < texts.length || CATEGORY.test(table.columns[column]!)) continue;
    throw new DataError(
      "audit/unreadable-cell",
      `Column ${JSON.stringify(table.columns[column]!)} of table ${table.name} holds numbers mostly, and in row ${row + 1} neither a number nor a ` +
        "known mark of a hidden one. If it is such a mark, state it with --hidden; if the column holds categories, name all such columns with --dimensions.",
      { table: table.name, row: row + 1, column: table.columns[column]! },
    );
  }
}

function isCrosstab(
  table: RawTable, structure: FileStructure, options: LayoutOptions, values: readonly number[], counted: readonly number[], others: readonly number[],
): boolean {
  if (structure.layout !== undefined) return structure.layout === "crosstab";
  if (options.across !== undefined || structure.across !== undefined) return true;
  if (values.length < 2 || others.length !== 1 || others[0] !== 0) return false;
  const unnamed = values.filter((column) => !counted.includes(column) || looksLikeTotal(table.columns[column]!));
  return unnamed.length === values.length;
}

function crosstab(
  table: RawTable, structure: FileStructure, options: LayoutOptions, dimensions: readonly number[], values: readonly number[], assumptions: string[],
): Layout {
  const across = structure.across ?? options.across ?? "column";
  assumptions.push(`rows are categories of ${list(dimensions.map((column) => table.columns[column]!))}, columns are categories of ${across}`);
  return {
    dimensions: dimensions.map((column) => ({ column, name: structure.rename?.[table.columns[column]!] ?? table.columns[column]!, level: undefined })),
    values: values.map((column) => ({ column, measure: "count", annotation: undefined, reason: undefined })),
    across,
    unexplained: [],
    assumptions,
  };
}

function unknownColumn(table: RawTable, name: string): DataError {
  const close = closestName(name, table.columns);
  return new DataError(
    "audit/unknown-column",
    `Table ${table.name} has no column ${JSON.stringify(name)}.${close === undefined ? "" : ` Did you mean ${JSON.stringify(close)}?`}`,
    { table: table.name },
  );
}

function list(names: readonly string[]): string {
  return names.length === 0 ? "no column" : names.map((name) => JSON.stringify(name)).join(", ");
}
