import { compactDictionary, createTableWriter, type ByteSink, type ReleasedColumn, type ReleasedType, type ReleaseFormat } from "../../sinks/index.ts";
import type { FieldDescription, TableDescription } from "../../catalog/index.ts";
import { DictionaryBuilder, dictionaryText, type Column } from "../../columns/index.ts";
import { DataError, PolicyError } from "../../errors/index.ts";
import { NEVER_RELEASED, type Policy } from "../../policy/index.ts";
import { joinBytes } from "../../sources/bytes.ts";
import { columnPolicy, levelNames } from "../columns.ts";
import type { ReleaseReader } from "../platform.ts";
import { check, type Check } from "../evidence.ts";
import type { ReleaseOutput } from "../road.ts";
import { readablePath, readableTable } from "./readable-tables.ts";

/** Category of a row on one dimension: level TOTAL (-1) when summed over, label null for missing values. */
export interface Place {
  readonly level: number;
  readonly label: string | null;
}

export const TOTAL = -1;
/** Stands in the dimension's column of a row that sums over it. */
export const TOTAL_LABEL = "(total)";
export const COUNT = "count";

/** A column of published numbers. */
export interface ValueColumn {
  readonly name: string;
  readonly type: Extract<ReleasedType, "integer" | "number" | "string">;
  /** What the number is, one sentence. */
  readonly description: string;
  /** What a blank means apart from a hidden cell, such as a mean over nobody. */
  readonly missing?: string | undefined;
}

/** How one table is laid out in long form: one row a cell, a column per dimension, then the numbers. */
export interface TableLayout {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly dimensions: readonly DimensionLayout[];
  readonly values: readonly ValueColumn[];
  /** Whether a column of annotations stands beside the numbers. */
  readonly annotated: boolean;
}

export interface DimensionLayout {
  readonly column: string;
  readonly levels: readonly number[];
  /** Groupings that are shown, by the number that stands for their level. */
  readonly groupings?: readonly { readonly level: number; readonly name: string }[] | undefined;
  /** Whether some row sums over the dimension; true when absent. */
  readonly totals?: boolean | undefined;
}

/** Several levels side by side need a column that says which; it depends on the policy only, never on the data. */
export function hasLevelColumn(dimension: DimensionLayout): boolean {
  return dimension.levels.length + (dimension.groupings?.length ?? 0) > 1;
}

/** The annotation is for all numbers of the row. */
export function annotationColumn({ values }: Pick<TableLayout, "values">): string {
  return values.length === 1 ? `${values[0]!.name}_annotation` : "annotation";
}

export function levelText(dimension: DimensionLayout, level: number): string {
  if (level === TOTAL) return "total";
  return dimension.groupings?.find((grouping) => grouping.level === level)?.name ?? String(level);
}

export function levelOfText(dimension: DimensionLayout, text: string | null): number {
  return dimension.groupings?.find(({ name }) => name === text)?.level ?? Number(text);
}

export function layoutColumns(layout: TableLayout): ReleasedColumn[] {
  const columns: ReleasedColumn[] = [];
  for (const dimension of layout.dimensions) {
    columns.push({ name: dimension.column, type: "string" });
    if (hasLevelColumn(dimension)) columns.push({ name: `${dimension.column}_level`, type: "string" });
  }
  columns.push(...layout.values.map(({ name, type }) => ({ name, type })));
  if (layout.annotated) columns.push({ name: annotationColumn(layout), type: "integer" });
  const names = new Set(columns.map(({ name }) => name));
  if (names.size < columns.length) {
    throw new PolicyError(
      "tables/column-name",
      `Table ${layout.name} would have two columns of one name; ${layout.values.map(({ name }) => `"${name}"`).join(", ")}, ` +
        `"${annotationColumn(layout)}" and "<dimension>_level" are the table's own. Rename the data column or the statistic.`,
      { table: layout.name },
    );
  }
  return columns;
}

export interface TableRows {
  readonly rows: number;
  place(row: number, dimension: number): Place;
  /** [values][rows] NaN, or null for texts, where the cell is blank. */
  readonly values: readonly (Float64Array | readonly (string | null)[])[];
  /** [rows] for annotated tables. */
  readonly annotation?: Uint8Array | undefined;
}

/** Write one table in every format of data, and the forms for people from the same rows. @throws DataError `tables/total-label`, `tables/blank-label` for categories that read as something else. */
export async function writeTable(
  output: Pick<ReleaseOutput, "create">, formats: Policy["release"]["formats"], layout: TableLayout, table: TableRows,
): Promise<void> {
  const released = layoutColumns(layout);
  const columns: Column[] = [];
  layout.dimensions.forEach((dimension, d) => {
    const labels = new DictionaryBuilder();
    const total = labels.addText(TOTAL_LABEL);
    const levels = new DictionaryBuilder();
    const labelCodes = new Int32Array(table.rows);
    const levelCodes = new Int32Array(table.rows);
    for (let row = 0; row < table.rows; row++) {
      const { level, label } = table.place(row, d);
      levelCodes[row] = levels.addText(levelText(dimension, level));
      if (level === TOTAL) labelCodes[row] = total;
      else {
        if (label === TOTAL_LABEL) throw totalLabel(dimension.column);
        if (label === "") throw blankLabel(dimension.column);
        labelCodes[row] = label === null ? -1 : labels.addText(label);
      }
    }
    columns.push(codeColumn(labelCodes, labels));
    if (hasLevelColumn(dimension)) columns.push(codeColumn(levelCodes, levels));
  });
  for (const values of table.values) {
    if (values instanceof Float64Array) columns.push({ kind: "numbers", values });
    else {
      const texts = new DictionaryBuilder();
      columns.push(codeColumn(Int32Array.from(values, (text) => (text === null ? -1 : texts.addText(text))), texts));
    }
  }
  if (layout.annotated) columns.push({ kind: "numbers", values: Float64Array.from(table.annotation!) });
  const dictionaries = columns.map((column) => (column.kind === "codes" ? column.dictionary : undefined));
  for (const format of formats) {
    if (format === "crosstab" || format === "html") {
      const sink = await output.create(readablePath(layout.name, format));
      await sink.write(new TextEncoder().encode(readableTable(layout, rowsAsReadBack(layout, table), format)));
      await sink.close();
      continue;
    }
    const sink: ByteSink = await output.create(`${layout.name}.${format}`);
    const writer = await createTableWriter(format, sink, released, dictionaries);
    await writer.write({ records: table.rows, columns });
    await writer.close();
    await sink.close();
  }
}

/** Rows as a reader of the files will have them. */
function rowsAsReadBack(layout: TableLayout, table: TableRows): ReadBackRow[] {
  return Array.from({ length: table.rows }, (_, row): ReadBackRow => ({
    places: layout.dimensions.map((_dimension, d) => table.place(row, d)),
    values: table.values.map((values) => {
      if (!(values instanceof Float64Array)) return values[row]!;
      return Number.isNaN(values[row]!) ? null : String(values[row]! + 0);
    }),
    annotation: table.annotation === undefined ? null : String(table.annotation[row]!),
  }));
}

/** No dimension may be a column that names a person or is a secret of the agency. */
export function identifiersCheck(policy: Policy, layouts: readonly TableLayout[]): Check {
  const found = layouts.flatMap((layout) => layout.dimensions).filter(({ column }) => NEVER_RELEASED.has(columnPolicy(policy, column).role)).length;
  return check("identifiers", "no direct identifier", found === 0 ? "none" : found, found === 0, "direct-identifiers-removed");
}

/** Whether the forms for people say what the rows of the data files say. */
export async function checkReadable(reader: ReleaseReader, policy: Policy, layout: TableLayout, rows: readonly ReadBackRow[]): Promise<Check[]> {
  const checks: Check[] = [];
  for (const format of policy.release.formats) {
    if (format !== "crosstab" && format !== "html") continue;
    const path = readablePath(layout.name, format);
    const parts: Uint8Array[] = [];
    for await (const chunk of reader.chunks(`public/${path}`)) parts.push(chunk.slice());
    const bytes = joinBytes(parts);
    const expected = new TextEncoder().encode(readableTable(layout, rows, format));
    const same = bytes.length === expected.length && bytes.every((byte, i) => byte === expected[i]);
    checks.push(check(`${format}/${layout.name}`, "what the data files say", same ? "the same" : "different", same));
  }
  return checks;
}

/** Only the categories that some row shows reach the dictionary. */
function codeColumn(codes: Int32Array, labels: DictionaryBuilder): Column {
  const used = new Uint8Array(labels.size);
  for (const code of codes) if (code >= 0) used[code] = 1;
  const { dictionary, map } = compactDictionary(labels, used);
  return { kind: "codes", codes: codes.map((code) => (code < 0 ? -1 : map[code]!)), dictionary };
}

/** A released table as its file has it; every row as texts. */
export interface ReadBackRow {
  readonly places: readonly Place[];
  /** [values] text of the number, null where blank. */
  readonly values: readonly (string | null)[];
  readonly annotation: string | null;
}

/**
 * Read a released table back. @throws DataError `verify/table-columns` when its columns or their types are not those of the
 * layout, `verify/cut-line` when a CSV file does not end with its last line.
 * Empty texts are blanks: released dimension values are never empty, since CSV could not tell them from missing ones.
 */
export async function readTable(
  reader: ReleaseReader, layout: TableLayout, format: ReleaseFormat, folder = "public",
): Promise<ReadBackRow[]> {
  const path = `${folder}/${layout.name}.${format}`;
  if (format === "csv") await requireLastLine(reader, path);
  const source = await reader.source(path);
  const columns = layoutColumns(layout);
  const expected = columns.map(({ name }) => name);
  const found = await source.columns();
  const typeOf = ({ type }: ReleasedColumn): string => (format === "csv" || type === "string" ? "text" : type);
  if (found.length !== columns.length || found.some(({ name, type }, i) => name !== columns[i]!.name || type !== typeOf(columns[i]!))) {
    throw new DataError("verify/table-columns", `Table ${layout.name} has not the columns that were planned.`, { table: layout.name });
  }
  const pass = await source.open({ columns: expected.map((name) => ({ name, as: "codes" })) });
  const rows: ReadBackRow[] = [];
  for await (const batch of pass.batches) {
    const texts = batch.columns.map((column) => (row: number): string | null => {
      if (column.kind !== "codes" || column.codes[row]! < 0) return null;
      const text = dictionaryText(column.dictionary, column.codes[row]!);
      return text === "" ? null : text;
    });
    for (let row = 0; row < batch.records; row++) {
      let column = 0;
      const places = layout.dimensions.map((dimension): Place => {
        const label = texts[column++]!(row);
        const isTotal = label === TOTAL_LABEL;
        if (!hasLevelColumn(dimension)) return { level: isTotal ? TOTAL : (dimension.levels[0] ?? dimension.groupings![0]!.level), label: isTotal ? null : label };
        const level = texts[column++]!(row);
        return level === "total" ? { level: TOTAL, label: null } : { level: levelOfText(dimension, level), label };
      });
      const values = layout.values.map(() => texts[column++]!(row));
      rows.push({ places, values, annotation: layout.annotated ? texts[column]!(row) : null });
    }
  }
  return rows;
}

export type BlankMeaning =
  /** What a blank number means, and what the codes beside it mean. */
  | { readonly hidden: string; readonly annotations: FieldDescription["categories"] }
  /** Every cell is filled, missing values being counted in a category of their own. */
  | { readonly neverBlank: true };

/** Readers of CSV accept a last line without its end; writers of ours do not make one. */
export async function requireLastLine(reader: ReleaseReader, path: string): Promise<void> {
  let last: number | undefined;
  for await (const chunk of reader.chunks(path)) last = chunk.at(-1) ?? last;
  if (last !== 0x0a) throw new DataError("verify/cut-line", "A released CSV file ends within a line. The file is not as it was released.");
}

/** The table for the data dictionary. */
export function describeTable(policy: Policy, layout: TableLayout, blanks: BlankMeaning): TableDescription {
  const fields: FieldDescription[] = [];
  for (const dimension of layout.dimensions) {
    const { label, description, nullMeaning } = columnPolicy(policy, dimension.column);
    const names = levelNames(policy, dimension.column);
    fields.push({
      name: dimension.column,
      type: "string",
      ...(label === undefined ? {} : { label }),
      description: `${description ?? "Category that the count is for."}${dimension.totals === false ? "" : ` Rows that sum over all categories say ${TOTAL_LABEL}.`}`,
      ...(nullMeaning === "refuse" || "neverBlank" in blanks ? {} : { missing: "missing in the original data" }),
    });
    if (hasLevelColumn(dimension)) {
      fields.push({
        name: `${dimension.column}_level`,
        type: "string",
        description: `How coarse the category in ${dimension.column} is.`,
        categories: [
          ...dimension.levels.map((level) => ({ value: String(level), label: names[level] ?? `level ${level}` })),
          ...(dimension.groupings ?? []).map(({ name }) => ({ value: name, label: `group of the grouping ${name}` })),
          ...(dimension.totals === false ? [] : [{ value: "total", label: "all categories together" }]),
        ],
      });
    }
  }
  for (const { name, type, description, missing } of layout.values) {
    const meanings = [...("hidden" in blanks ? [blanks.hidden] : []), ...(missing === undefined ? [] : [missing])];
    fields.push({ name, type, description, ...(meanings.length > 0 ? { missing: meanings.join("; or ") } : {}) });
  }
  if ("hidden" in blanks) {
    const what = layout.values.length === 1 && layout.values[0]!.name === COUNT ? "the count is" : "the numbers of the row are";
    fields.push({
      name: annotationColumn(layout), type: "integer", description: `Whether ${what} shown, and why not.`, categories: blanks.annotations,
    });
  }
  return {
    name: layout.name,
    title: layout.title,
    description: layout.description,
    files: policy.release.formats.map((format) => ({
      path: format === "crosstab" || format === "html" ? readablePath(layout.name, format) : `${layout.name}.${format}`,
      format,
    })),
    fields,
  };
}

export function blankLabel(column: string): DataError {
  return new DataError(
    "tables/blank-label",
    `A category of ${JSON.stringify(column)} is the empty text, which a table cannot tell from a missing value. List "" under nulls, or recode it.`,
    { column },
  );
}

export function totalLabel(column: string): DataError {
  return new DataError(
    "tables/total-label",
    `A category of ${JSON.stringify(column)} is called like the marker for totals, ${TOTAL_LABEL}. Recode the category.`,
    { column },
  );
}
