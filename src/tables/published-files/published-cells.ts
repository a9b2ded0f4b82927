import { DataError } from "../../errors/index.ts";
import { BLANK, Categories, TOTAL } from "./categories.ts";
import { cellReader, readAnnotation, type Annotation, type Reason } from "./cell-text.ts";
import { findLayout, type Layout, type LayoutOptions } from "./layout.ts";
import { textAt, type RawTable } from "./raw-table.ts";
import type { MeasureStructure, RatioStructure, TableStructure } from "./structure.ts";

/** Where a number stands: row 1 is the first after the header. */
export interface CellAddress {
  readonly table: string;
  readonly row: number;
  readonly column: string;
}

/** One number of the tables; equal cells of several files are one. */
export interface PublishedCell {
  readonly measure: number;
  /** [dimensions] place; the total for dimensions that the file lacks. */
  readonly places: readonly number[];
  /** In units of the measure; NaN where every file is blank. */
  value: number;
  /** What blanks say of it, in units. */
  lower: number;
  upper: number;
  reason: Reason;
  /** Where it stands, first file first; empty for cells that are never published. */
  readonly at: CellAddress[];
  /** Where it is shown first, and everywhere it is blank. */
  shownAt: CellAddress | undefined;
  readonly blankAt: CellAddress[];
}

export interface Measure {
  readonly name: string;
  readonly kind: "count" | "amount";
  /** Whether hidden numbers of it must stay unknown. */
  readonly protect: boolean;
  /** Digits after the point; a unit is 10 to the minus this. */
  readonly decimals: number;
}

/** A printed percentage, rate or mean with the cells that it is computed from. */
export interface PublishedRatio {
  readonly at: CellAddress;
  readonly numerator: number;
  readonly denominator: number;
  /** As printed, times 10 to the decimals: a whole number. */
  readonly printed: number;
  readonly decimals: number;
  readonly scale: number;
  readonly column: string;
}

export type ReadingFinding =
  | { readonly kind: "contradiction"; readonly cell: number; readonly at: CellAddress; readonly first: CellAddress }
  | { readonly kind: "marked-but-shown"; readonly cell: number; readonly at: CellAddress }
  | { readonly kind: "computed-beside-blank"; readonly cell: number; readonly at: CellAddress };

export interface PublishedCells {
  readonly dimensions: readonly Categories[];
  readonly measures: readonly Measure[];
  readonly cells: PublishedCell[];
  readonly find: (measure: number, places: readonly number[]) => number | undefined;
  readonly ratios: readonly PublishedRatio[];
  readonly findings: readonly ReadingFinding[];
  readonly assumptions: readonly string[];
  /** [dimensions][files] places in the order of the file; only files that have the dimension. */
  readonly shown: readonly (readonly (readonly number[])[])[];
  /** Each file's dimensions. */
  readonly files: readonly { readonly name: string; readonly dimensions: readonly number[]; readonly missingRows?: "empty" | "unknown" | undefined }[];
  /** Whether the files tell small counts from those hidden to protect them. */
  readonly separate: boolean;
}

export interface ReadCellsOptions extends LayoutOptions {
  readonly totals?: readonly string[] | undefined;
  /** A printed number whose annotation says that it is suppressed counts as hidden, as in a program's working file. */
  readonly hideMarked?: boolean | undefined;
}

const AMOUNT = /amount|dollar|usd|eur|cost|revenue|sales|turnover|income|expend|charge|paid|payment|wage|value_added|spend/i;

/**
 * Bring files together into cells.
 *
 * @throws DataError `audit/unreadable-cell`, `audit/repeated-cell`, `audit/unreadable-ratio` with file, row and column;
 *   whatever `findLayout` throws
 * Time O(rows x columns); memory some 300 bytes a cell.
 */
export function readPublishedCells(
  tables: readonly RawTable[], structure: TableStructure, options: ReadCellsOptions,
): PublishedCells {
  return new CellCollector(tables, structure, options).collect();
}

class CellCollector {
  readonly #tables: readonly RawTable[];
  readonly #structure: TableStructure;
  readonly #options: ReadCellsOptions;
  readonly #read: ReturnType<typeof cellReader>;
  readonly #dimensions: Categories[] = [];
  readonly #measureNames: string[] = [];
  readonly #cells: PublishedCell[] = [];
  readonly #index = new Map<string, number>();
  readonly #shown: number[][][] = [];
  readonly #assumptions = new Set<string>();
  readonly #findings: ReadingFinding[] = [];
  readonly #files: { name: string; dimensions: number[]; missingRows?: "empty" | "unknown" | undefined }[] = [];
  readonly #decimals: number[] = [];
  readonly #fractions: boolean[] = [];
  #codes: { primary: boolean; complementary: boolean } = { primary: false, complementary: false };

  constructor(tables: readonly RawTable[], structure: TableStructure, options: ReadCellsOptions) {
    this.#tables = tables;
    this.#structure = structure;
    this.#options = options;
    this.#read = cellReader(structure.markers);
  }

  collect(): PublishedCells {
    const layouts = this.#tables.map((table) => findLayout(table, this.#structure.tables?.[table.name] ?? {}, this.#options, this.#read));
    if (layouts.every(({ values }) => values.length === 0)) {
      throw new DataError("audit/no-values", "No table has a column of numbers that can be attacked: counts, or sums. Audit the release folder itself, which keeps them.");
    }
    // Files of one unnamed measure each are about the same numbers, whatever the column is called.
    const alone = layouts.length > 1 && layouts.every(({ values }) => new Set(values.map(({ measure }) => measure)).size === 1) &&
      new Set(layouts.flatMap(({ values }) => values.map(({ measure }) => measure))).size > 1 &&
      this.#tables.every(({ name }) => this.#structure.tables?.[name]?.rename === undefined);
    if (alone) this.#assumptions.add("the numbers of all files are the same measure, since each file has one");
    layouts.forEach((layout, t) => {
      for (const assumption of layout.assumptions) this.#assumptions.add(`${this.#tables[t]!.name}: ${assumption}`);
      for (const column of layout.unexplained) {
        this.#assumptions.add(`${this.#tables[t]!.name}: column ${JSON.stringify(this.#tables[t]!.columns[column])} is not attacked${this.#structure.tables?.[this.#tables[t]!.name]?.notAttacked === undefined ? "; say how it is computed with ratios in a structure file" : ""}`);
      }
      for (const { name } of layout.dimensions) this.#dimension(name);
      if (layout.across !== undefined) this.#dimension(layout.across);
      for (const name of Object.keys(this.#structure.tables?.[this.#tables[t]!.name]?.fixed ?? {})) this.#dimension(name);
      for (const { measure } of layout.values) this.#measure(alone ? layouts[0]!.values[0]!.measure : measure);
    });
    const ratios: PublishedRatio[] = [];
    layouts.forEach((layout, t) => {
      const effective = alone ? { ...layout, values: layout.values.map((value) => ({ ...value, measure: layouts[0]!.values[0]!.measure })) } : layout;
      this.#addTable(this.#tables[t]!, effective, ratios);
    });
    const measures = this.#measureNames.map((name, m): Measure => {
      const stated: MeasureStructure = this.#structure.measures?.[name] ?? {};
      const kind = stated.kind ?? (this.#fractions[m] === true || AMOUNT.test(name) ? "amount" : "count");
      if (stated.kind === undefined) this.#assumptions.add(`${JSON.stringify(name)} is ${kind === "count" ? "a count" : "an amount"}`);
      return { name, kind, protect: stated.protect ?? true, decimals: this.#decimals[m]! };
    });
    this.#toUnits(measures);
    return {
      dimensions: this.#dimensions,
      measures,
      cells: this.#cells,
      find: (measure, places) => this.#index.get(keyOf(measure, places)),
      ratios,
      findings: this.#findings,
      assumptions: [...this.#assumptions],
      shown: this.#shown,
      files: this.#files,
      separate: this.#codes.primary && this.#codes.complementary,
    };
  }

  #dimension(name: string): number {
    const known = this.#dimensions.findIndex((dimension) => dimension.name === name);
    if (known >= 0) return known;
    this.#dimensions.push(new Categories(name, this.#structure.dimensions?.[name] ?? {}, this.#options.totals ?? []));
    this.#shown.push([]);
    return this.#dimensions.length - 1;
  }

  #measure(name: string): number {
    const known = this.#measureNames.indexOf(name);
    if (known >= 0) return known;
    this.#decimals.push(0);
    this.#fractions.push(false);
    return this.#measureNames.push(name) - 1;
  }

  #addTable(table: RawTable, layout: Layout, ratios: PublishedRatio[]): void {
    const file = this.#structure.tables?.[table.name] ?? {};
    const dimensions = layout.dimensions.map(({ name }) => this.#dimension(name));
    const across = layout.across === undefined ? -1 : this.#dimension(layout.across);
    this.#files.push({ name: table.name, dimensions: across < 0 ? dimensions : [...dimensions, across], missingRows: file.missingRows });
    const orders = new Map<number, { places: number[]; seen: Set<number> }>();
    const note = (dimension: number, place: number): void => {
      let order = orders.get(dimension);
      if (order === undefined) orders.set(dimension, (order = { places: [], seen: new Set() }));
      if (order.seen.has(place)) return;
      order.seen.add(place);
      order.places.push(place);
    };
    const blankIsTotal = layout.dimensions.map(({ column }, d) => {
      const texts = table.texts[column]!;
      const categories = this.#dimensions[dimensions[d]!]!;
      const hasBlank = texts.includes("") || table.codes[column]!.includes(-1);
      if (!hasBlank || categories.hasMissing || texts.some((text) => text !== "" && categories.isTotal(text))) return false;
      this.#assumptions.add(`${table.name}: a blank ${JSON.stringify(categories.name)} stands for all its categories together`);
      return true;
    });
    const fixed = Object.entries(file.fixed ?? {}).map(([name, label]) => {
      const dimension = this.#dimension(name);
      return { dimension, place: this.#dimensions[dimension]!.place(label) };
    });
    const own = new Set<number>();
    for (let row = 0; row < table.rows; row++) {
      const places = this.#dimensions.map(() => TOTAL);
      for (const { dimension, place } of fixed) places[dimension] = place;
      for (const { dimension, place } of fixed) note(dimension, place);
      layout.dimensions.forEach(({ column, level }, d) => {
        const text = textAt(table, column, row) ?? "";
        const categories = this.#dimensions[dimensions[d]!]!;
        const stated = file.levels?.[categories.name];
        const of = level !== undefined ? (textAt(table, level, row) ?? undefined) : stated === undefined || categories.isTotal(text) ? undefined : stated;
        const place = text === "" && blankIsTotal[d] === true ? TOTAL : categories.place(text === "" ? BLANK : text, of);
        places[dimensions[d]!] = place;
        note(dimensions[d]!, place);
      });
      for (const value of layout.values) {
        const at = { table: table.name, row: row + 1, column: table.columns[value.column]! };
        const cellPlaces = across < 0 ? places : places.slice();
        if (across >= 0) {
          cellPlaces[across] = this.#dimensions[across]!.place(at.column);
          note(across, cellPlaces[across]!);
        }
        let annotation = readAnnotation(value.annotation === undefined ? null : textAt(table, value.annotation, row));
        if (annotation === "marked" && value.reason !== undefined) {
          annotation = readAnnotation(textAt(table, value.reason, row)) === "marked" ? "primary" : "complementary";
        }
        const id = this.#addCell(this.#measure(value.measure), cellPlaces, textAt(table, value.column, row), annotation, at);
        if (own.has(id)) {
          throw new DataError(
            "audit/repeated-cell",
            `Row ${row + 1} of table ${table.name} repeats an earlier combination of categories. List each cell once; if a column of ` +
              "categories was not recognised, name all of them with --dimensions.",
            { table: table.name, row: row + 1 },
          );
        }
        own.add(id);
      }
      for (const ratio of file.ratios ?? []) this.#addRatio(table, ratio, row, layout, places, ratios);
      for (const column of layout.unexplained) {
        if (this.#read(textAt(table, column, row))?.kind !== "shown") continue;
        const blank = layout.values.map(({ measure }) => this.#index.get(keyOf(this.#measure(measure), places)))
          .find((id) => id !== undefined && this.#cells[id]!.blankAt.some((blank) => blank.table === table.name) && this.#cells[id]!.reason !== "no-data");
        if (blank !== undefined) this.#findings.push({ kind: "computed-beside-blank", cell: blank, at: { table: table.name, row: row + 1, column: table.columns[column]! } });
      }
    }
    for (const [dimension, { places }] of orders) this.#shown[dimension]!.push(places);
  }

  #addCell(measure: number, places: readonly number[], text: string | null, annotation: Annotation | undefined, at: CellAddress): number {
    const found = this.#read(text);
    if (found === undefined) {
      throw new DataError(
        "audit/unreadable-cell",
        `Row ${at.row} of table ${at.table}: column ${JSON.stringify(at.column)} holds neither a number nor a known mark of a hidden ` +
          "one. If it is such a mark, state it with --hidden, --primary or --complementary.",
        { table: at.table, row: at.row, column: at.column },
      );
    }
    const key = keyOf(measure, places);
    let id = this.#index.get(key);
    if (id === undefined) {
      id = this.#cells.push({
        measure, places, value: NaN, lower: -Infinity, upper: Infinity, reason: "unknown", at: [], shownAt: undefined, blankAt: [],
      }) - 1;
      this.#index.set(key, id);
    }
    const cell = this.#cells[id]!;
    cell.at.push(at);
    const marked = annotation === "primary" || annotation === "complementary" || annotation === "marked" || annotation === "unstable";
    if (found.kind === "shown" && !(marked && this.#options.hideMarked === true)) {
      if (marked) this.#findings.push({ kind: "marked-but-shown", cell: id, at });
      if (cell.shownAt === undefined) {
        cell.value = found.value;
        cell.shownAt = at;
        this.#decimals[measure] = Math.max(this.#decimals[measure]!, decimalsOf(found.value));
        if (!Number.isInteger(found.value) || found.value < 0) this.#fractions[measure] = true;
      } else if (cell.value !== found.value) this.#findings.push({ kind: "contradiction", cell: id, at, first: cell.shownAt });
      return id;
    }
    const blank = found.kind === "hidden" ? found : { reason: "unknown" as const, lower: 0, upper: Infinity };
    cell.blankAt.push(at);
    cell.lower = Math.max(cell.lower, blank.lower);
    cell.upper = Math.min(cell.upper, blank.upper);
    const told = reasonOf(annotation) ?? blank.reason;
    if (told === "primary" || told === "complementary") {
      this.#codes[told] = true;
      cell.reason = told;
    } else if (told === "no-data" && cell.reason === "unknown") cell.reason = told;
    return id;
  }

  #addRatio(table: RawTable, ratio: RatioStructure, row: number, layout: Layout, places: readonly number[], ratios: PublishedRatio[]): void {
    const column = table.columns.indexOf(ratio.column);
    const text = textAt(table, column, row);
    const found = this.#read(text);
    const at = { table: table.name, row: row + 1, column: ratio.column };
    if (found === undefined) {
      throw new DataError("audit/unreadable-ratio", `Row ${row + 1} of table ${table.name}: column ${JSON.stringify(ratio.column)} holds neither a number nor a known mark of a hidden one.`, { table: table.name, row: row + 1, column: ratio.column });
    }
    if (found.kind === "hidden") return;
    const printed = found.value * 10 ** ratio.decimals;
    if (Math.abs(printed - Math.round(printed)) > 1e-6 * Math.max(1, Math.abs(printed)) || !Number.isSafeInteger(Math.round(printed))) {
      throw new DataError(
        "audit/unreadable-ratio",
        `Row ${row + 1} of table ${table.name}: column ${JSON.stringify(ratio.column)} has more decimals than the ${ratio.decimals} that the structure states.`,
        { table: table.name, row: row + 1, column: ratio.column },
      );
    }
    const cellOf = (name: string, at: readonly number[]): number => {
      const value = layout.values.find((candidate) => table.columns[candidate.column] === name)!;
      return this.#latent(this.#measure(value.measure), at);
    };
    const numerator = cellOf(ratio.numerator, places);
    let denominator: number;
    if (typeof ratio.denominator === "object" && "measure" in ratio.denominator) denominator = this.#latent(this.#measure(ratio.denominator.measure), places);
    else if (typeof ratio.denominator === "string") denominator = cellOf(ratio.denominator, places);
    else {
      const over = places.slice();
      for (const name of ratio.denominator.over) over[this.#dimension(name)] = TOTAL;
      denominator = cellOf(ratio.numerator, over);
    }
    ratios.push({ at, numerator, denominator, printed: Math.round(printed), decimals: ratio.decimals, scale: ratio.scale ?? 100, column: ratio.column });
  }

  /** A cell by its place, made as a never published one when no file has it. */
  #latent(measure: number, places: readonly number[]): number {
    const key = keyOf(measure, places);
    let id = this.#index.get(key);
    if (id === undefined) {
      id = this.#cells.push({ measure, places, value: NaN, lower: 0, upper: Infinity, reason: "unknown", at: [], shownAt: undefined, blankAt: [] }) - 1;
      this.#index.set(key, id);
    }
    return id;
  }

  #toUnits(measures: readonly Measure[]): void {
    for (const cell of this.#cells) {
      const unit = 10 ** measures[cell.measure]!.decimals;
      if (unit !== 1) {
        cell.value = Math.round(cell.value * unit);
        cell.lower *= unit;
        cell.upper *= unit;
      }
      if (!Number.isNaN(cell.value) && !Number.isSafeInteger(cell.value)) {
        const { table, row, column } = cell.shownAt!;
        throw new DataError("audit/too-large-number", `Row ${row} of table ${table}: the number in ${JSON.stringify(column)} has more digits than can be computed with exactly.`, { table, row, column });
      }
    }
  }
}

export function keyOf(measure: number, places: readonly number[]): string {
  return `${measure}:${places.join()}`;
}

function reasonOf(annotation: Annotation | undefined): Reason | undefined {
  switch (annotation) {
    case "primary":
    case "complementary":
    case "no-data":
      return annotation;
    default:
      return undefined;
  }
}

/** Digits after the point of a number as it is usually printed. */
function decimalsOf(value: number): number {
  if (Number.isInteger(value)) return 0;
  const [digits, exponent] = String(Math.abs(value)).split("e");
  const after = (digits!.split(".")[1] ?? "").length;
  return Math.min(12, Math.max(0, after - Number(exponent ?? 0)));
}

