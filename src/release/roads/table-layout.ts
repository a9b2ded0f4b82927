import { compactDictionary, createTableWriter, type ReleasedColumn, type ReleaseFormat } from "../../sinks/index.ts";
import type { FieldDescription, TableDescription } from "../../catalog/index.ts";
import { DictionaryBuilder, dictionaryText, type Column } from "../../columns/index.ts";
import { DataError, PolicyError } from "../../errors/index.ts";
import type { Policy } from "../../policy/index.ts";
import { columnPolicy, levelNames } from "../columns.ts";
import type { ReleaseReader } from "../platform.ts";
import type { ReleaseOutput } from "../road.ts";

/** Category of a row on one dimension: level TOTAL (-1) when summed over, label null for missing values. */
export interface Place {
  readonly level: number;
  readonly label: string | null;
}

export const TOTAL = -1;
/** Stands in the dimension's column of a row that sums over it. */
export const TOTAL_LABEL = "(total)";
export const COUNT = "count";
export const ANNOTATION = "count_annotation";

/** How one table is laid out in long form: one row a cell, a column per dimension, then the count. */
export interface TableLayout {
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly dimensions: readonly { readonly column: string; readonly levels: readonly number[] }[];
  /** Whether a column of annotations stands beside the count. */
  readonly annotated: boolean;
}

/** Several levels side by side need a column that says which; it depends on the policy only, never on the data. */
function hasLevelColumn(dimension: TableLayout["dimensions"][number]): boolean {
  return dimension.levels.length > 1;
}

export function layoutColumns(layout: TableLayout): ReleasedColumn[] {
  const columns: ReleasedColumn[] = [];
  for (const dimension of layout.dimensions) {
    columns.push({ name: dimension.column, type: "string" });
    if (hasLevelColumn(dimension)) columns.push({ name: `${dimension.column}_level`, type: "string" });
  }
  columns.push({ name: COUNT, type: "integer" });
  if (layout.annotated) columns.push({ name: ANNOTATION, type: "integer" });
  const names = new Set(columns.map(({ name }) => name));
  if (names.size < columns.length) {
    throw new PolicyError(
      "tables/column-name",
      `Table ${layout.name} would have two columns of one name; "${COUNT}", "${ANNOTATION}" and "<dimension>_level" are the table's own. Rename the data column.`,
      { table: layout.name },
    );
  }
  return columns;
}

export interface TableRows {
  readonly rows: number;
  place(row: number, dimension: number): Place;
  /** [rows] NaN where the cell is blank. */
  readonly count: Float64Array;
  /** [rows] for annotated tables. */
  readonly annotation?: Uint8Array | undefined;
}

/** Write one table in every format. @throws DataError `tables/total-label`, `tables/blank-label` for categories that read as something else. */
export async function writeTable(
  output: ReleaseOutput, formats: readonly ReleaseFormat[], layout: TableLayout, table: TableRows,
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
      levelCodes[row] = levels.addText(level === TOTAL ? "total" : String(level));
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
  columns.push({ kind: "numbers", values: table.count });
  if (layout.annotated) columns.push({ kind: "numbers", values: Float64Array.from(table.annotation!) });
  const dictionaries = columns.map((column) => (column.kind === "codes" ? column.dictionary : undefined));
  for (const format of formats) {
    const sink = await output.create(`${layout.name}.${format}`);
    const writer = await createTableWriter(format, sink, released, dictionaries);
    await writer.write({ records: table.rows, columns });
    await writer.close();
    await sink.close();
  }
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
  /** Text of the count, null where blank. */
  readonly count: string | null;
  readonly annotation: string | null;
}

/**
 * Read a released table back. @throws DataError `verify/table-columns` when its columns or their types are not those of the
 * layout, `verify/cut-line` when a CSV file does not end with its last line.
 * Empty texts are blanks: released dimension values are never empty, since CSV could not tell them from missing ones.
 */
export async function readTable(reader: ReleaseReader, layout: TableLayout, format: ReleaseFormat): Promise<ReadBackRow[]> {
  const path = `public/${layout.name}.${format}`;
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
        if (!hasLevelColumn(dimension)) return { level: isTotal ? TOTAL : dimension.levels[0]!, label: isTotal ? null : label };
        const level = texts[column++]!(row);
        return level === "total" ? { level: TOTAL, label: null } : { level: Number(level), label };
      });
      const count = texts[column++]!(row);
      rows.push({ places, count, annotation: layout.annotated ? texts[column]!(row) : null });
    }
  }
  return rows;
}

export type BlankMeaning =
  /** What a blank count means, and what the codes beside it mean. */
  | { readonly count: string; readonly annotations: FieldDescription["categories"] }
  /** Every cell is filled, missing values being counted in a category of their own. */
  | { readonly neverBlank: true };

/** Readers of CSV accept a last line without its end; writers of ours do not make one. */
async function requireLastLine(reader: ReleaseReader, path: string): Promise<void> {
  let last: number | undefined;
  for await (const chunk of reader.chunks(path)) last = chunk.at(-1) ?? last;
  if (last !== 0x0a) throw new DataError("verify/cut-line", "A released CSV file ends within a line. The file is not as it was released.");
}

/** The table for the data dictionary. */
export function describeTable(policy: Policy, layout: TableLayout, countMeaning: string, blanks: BlankMeaning): TableDescription {
  const fields: FieldDescription[] = [];
  for (const dimension of layout.dimensions) {
    const { label, description, nullMeaning } = columnPolicy(policy, dimension.column);
    const names = levelNames(policy, dimension.column);
    fields.push({
      name: dimension.column,
      type: "string",
      ...(label === undefined ? {} : { label }),
      description: `${description ?? "Category that the count is for."} Rows that sum over all categories say ${TOTAL_LABEL}.`,
      ...(nullMeaning === "refuse" || "neverBlank" in blanks ? {} : { missing: "missing in the original data" }),
    });
    if (hasLevelColumn(dimension)) {
      fields.push({
        name: `${dimension.column}_level`,
        type: "string",
        description: `How coarse the category in ${dimension.column} is.`,
        categories: [
          ...dimension.levels.map((level) => ({ value: String(level), label: names[level] ?? `level ${level}` })),
          { value: "total", label: "all categories together" },
        ],
      });
    }
  }
  fields.push({ name: COUNT, type: "integer", description: countMeaning, ...("count" in blanks ? { missing: blanks.count } : {}) });
  if ("count" in blanks) fields.push({ name: ANNOTATION, type: "integer", description: "Whether the count is shown, and why not.", categories: blanks.annotations });
  return {
    name: layout.name,
    title: layout.title,
    description: layout.description,
    files: policy.release.formats.map((format) => ({ path: `${layout.name}.${format}`, format })),
    fields,
  };
}

function blankLabel(column: string): DataError {
  return new DataError(
    "tables/blank-label",
    `A category of ${JSON.stringify(column)} is the empty text, which a table cannot tell from a missing value. List "" under nulls, or recode it.`,
    { column },
  );
}

function totalLabel(column: string): DataError {
  return new DataError(
    "tables/total-label",
    `A category of ${JSON.stringify(column)} is called like the marker for totals, ${TOTAL_LABEL}. Recode the category.`,
    { column },
  );
}
