import type { Batch, CodeColumn, NumberColumn } from "../../columns/index.ts";
import { DictionaryBuilder, dictionaryText } from "../../columns/index.ts";
import { PolicyError } from "../../errors/index.ts";
import type { BoundHierarchy } from "../../hierarchies/hierarchy.ts";
import { TOTAL, type PublishedTable } from "../tabulate/index.ts";
import { COMPLEMENTARY, PUBLISHED } from "./suppress.ts";

/** Annotation values, after the CalHHS Open Data Portal: 0 none, 1 suppressed, 2 suppressed to protect another count. */
export const ANNOTATIONS = {
  merged: [
    { value: 0, meaning: "The count is shown." },
    { value: 1, meaning: "Suppressed: the count is small, or showing it would reveal a small count elsewhere in the table." },
  ],
  separate: [
    { value: 0, meaning: "The count is shown." },
    { value: 1, meaning: "Suppressed: the count is small." },
    { value: 2, meaning: "Suppressed: showing the count would reveal a small count elsewhere in the table." },
  ],
} as const;

export interface ReleasedTableOptions {
  readonly codes: "merged" | "separate";
  /** Category that stands for a total; default "Total". */
  readonly totalLabel?: string;
}

/** A released table as columns: dimensions (with a level column where several levels are published), count, annotation. */
export interface ReleasedTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: "string" | "integer" }[];
  readonly batch: Batch;
}

/** Value of a level column for totals; levels are written as their number in the hierarchy, 0 being the value itself. */
export const TOTAL_LEVEL = "total";

/**
 * Blank the hidden counts and annotate them. Dictionaries hold only categories that the table lists; a blank count is NaN
 * and carries nothing of the hidden one.
 *
 * @param pattern [system cells] as planned
 * @throws PolicyError `small-cells/total-label-taken` when a category is named like the total,
 *         `small-cells/column-name-taken` when a dimension is named like a column that is added
 */
export function releaseTable(
  table: PublishedTable,
  pattern: Uint8Array,
  hierarchies: ReadonlyMap<string, Pick<BoundHierarchy, "levels">>,
  options: ReleasedTableOptions,
): ReleasedTable {
  const totalLabel = options.totalLabel ?? "Total";
  const columns: { name: string; type: "string" | "integer" }[] = [];
  const data: (CodeColumn | NumberColumn)[] = [];
  table.dimensions.forEach((dimension, d) => {
    const { column } = dimension;
    const { levels } = hierarchies.get(column)!;
    const texts = new DictionaryBuilder();
    const codes = new Int32Array(table.rows);
    const codeOf = new Map<number, number>();
    const levelTexts = new DictionaryBuilder();
    const levelCodes = new Int32Array(table.rows);
    for (let row = 0; row < table.rows; row++) {
      const level = table.level[d]![row]!;
      const code = table.codes[d]![row]!;
      levelCodes[row] = levelTexts.addText(level === TOTAL ? TOTAL_LEVEL : String(level));
      if (level === TOTAL) codes[row] = texts.addText(totalLabel);
      else if (code < 0) codes[row] = -1;
      else {
        const key = level * 2 ** 32 + code;
        let released = codeOf.get(key);
        if (released === undefined) {
          const text = dictionaryText(levels[level]!.dictionary, code);
          if (text === totalLabel) throw labelTaken(table.name, column);
          codeOf.set(key, (released = texts.addText(text)));
        }
        codes[row] = released;
      }
    }
    columns.push({ name: column, type: "string" });
    data.push({ kind: "codes", codes, dictionary: texts.freeze() });
    if (new Set(dimension.levels ?? [0]).size > 1) {
      columns.push({ name: `${column}_level`, type: "string" });
      data.push({ kind: "codes", codes: levelCodes, dictionary: levelTexts.freeze() });
    }
  });

  const count = new Float64Array(table.rows);
  const annotation = new Float64Array(table.rows);
  for (let row = 0; row < table.rows; row++) {
    const cell = table.cell[row]!;
    const state = cell < 0 ? PUBLISHED : pattern[cell]!;
    count[row] = state === PUBLISHED ? table.count[row]! : NaN;
    annotation[row] = state === PUBLISHED ? 0 : options.codes === "separate" && state === COMPLEMENTARY ? 2 : 1;
  }
  columns.push({ name: "count", type: "integer" }, { name: "annotation", type: "integer" });
  data.push({ kind: "numbers", values: count }, { kind: "numbers", values: annotation });
  const names = columns.map((column) => column.name);
  const taken = names.find((name, k) => names.indexOf(name) !== k);
  if (taken !== undefined) {
    throw new PolicyError(
      "small-cells/column-name-taken",
      `Table ${table.name} would have two columns named ${taken}. Rename the dimension: count, annotation and NAME_level are added.`,
      { table: table.name, column: taken },
    );
  }
  return { name: table.name, columns, batch: { records: table.rows, columns: data } };
}

function labelTaken(table: string, column: string): PolicyError {
  return new PolicyError(
    "small-cells/total-label-taken",
    `A category of ${column} in table ${table} has the name that marks totals. Choose another total label or recode the category.`,
    { table, column },
  );
}
