/** Files of tables of many million rows: written and read by columns, with nothing made for each row. */
import { DictionaryBuilder, dictionaryText, type Column, type Dictionary } from "../../columns/index.ts";
import { DataError, DisclosureError } from "../../errors/index.ts";
import { Growing } from "../../kernels/growing.ts";
import { compactDictionary, createTableWriter, type ReleaseFormat } from "../../sinks/index.ts";
import type { ReleaseOutput } from "../road.ts";
import type { ReleaseReader } from "../platform.ts";
import {
  blankLabel, hasLevelColumn, layoutColumns, levelText, requireLastLine, TOTAL, TOTAL_LABEL, totalLabel, type Place, type TableLayout,
} from "./table-layout.ts";

/** A long table of counts: what its rows stand for is said by places of its dimensions. */
export interface LongTable {
  readonly rows: number;
  /** [dimensions][rows] */
  readonly places: readonly ArrayLike<number>[];
  /** [dimensions][places] */
  readonly meaning: readonly (readonly Place[])[];
  /** [rows] NaN where blank. */
  readonly count: Float64Array;
  /** [rows] */
  readonly annotation: Uint8Array;
}

/** Rows that are rendered at a time. */
const CHUNK = 1 << 16;

/** Write one table in one format. @throws DataError `tables/total-label`, `tables/blank-label` as writeTable does. */
export async function writeLongTable(
  output: Pick<ReleaseOutput, "create">, format: ReleaseFormat, layout: TableLayout, table: LongTable,
): Promise<void> {
  const coded: { dictionary: Dictionary; codeOf: Int32Array; of: ArrayLike<number> }[] = [];
  layout.dimensions.forEach((dimension, d) => {
    const own = table.places[d]!;
    const used = new Uint8Array(table.meaning[d]!.length);
    for (let row = 0; row < table.rows; row++) used[own[row]!] = 1;
    const labels = table.meaning[d]!.map(({ level, label }, place) => {
      if (used[place] === 0 || label === null) return level === TOTAL ? TOTAL_LABEL : null;
      if (label === TOTAL_LABEL) throw totalLabel(dimension.column);
      if (label === "") throw blankLabel(dimension.column);
      return label;
    });
    coded.push({ ...dictionaryOf(labels, used), of: own });
    if (hasLevelColumn(dimension)) coded.push({ ...dictionaryOf(table.meaning[d]!.map(({ level }) => levelText(dimension, level)), used), of: own });
  });
  const sink = await output.create(`${layout.name}.${format}`);
  const writer = await createTableWriter(format, sink, layoutColumns(layout), [...coded.map(({ dictionary }) => dictionary), undefined, undefined]);
  for (let from = 0; from < table.rows || from === 0; from += CHUNK) {
    const records = Math.min(CHUNK, table.rows - from);
    const columns: Column[] = coded.map(({ dictionary, codeOf, of }) => {
      const codes = new Int32Array(records);
      for (let row = 0; row < records; row++) codes[row] = codeOf[of[from + row]!]!;
      return { kind: "codes", codes, dictionary };
    });
    columns.push({ kind: "numbers", values: table.count.subarray(from, from + records) });
    columns.push({ kind: "numbers", values: Float64Array.from(table.annotation.subarray(from, from + records)) });
    await writer.write({ records, columns });
  }
  await writer.close();
  await sink.close();
}

/** The texts of used places in byte order, and each place's code, -1 for null. */
function dictionaryOf(texts: readonly (string | null)[], used: Uint8Array): { dictionary: Dictionary; codeOf: Int32Array } {
  const all = new DictionaryBuilder();
  const codes = texts.map((text, place) => (used[place] === 0 || text === null ? -1 : all.addText(text)));
  const { dictionary, map } = compactDictionary(all, new Uint8Array(all.size).fill(1));
  return { dictionary, codeOf: Int32Array.from(codes, (code) => (code < 0 ? -1 : map[code]!)) };
}

/** A long table as its file has it. */
export interface ReadLongTable {
  readonly rows: number;
  /** [dimensions][rows] place by `placeOf`. */
  readonly places: readonly Int32Array[];
  readonly count: Float64Array;
  readonly annotation: Uint8Array;
  /** Rows with anything but a whole count from 0 and annotation 0, or a blank and annotation 1. */
  readonly misfits: number;
}

const NO_ANNOTATION = 255;

/**
 * Read a long table back.
 * @param placeOf [dimensions] place of a category by level and label
 * @throws DataError `verify/table-columns`, `verify/cut-line` as readTable does; DisclosureError `verify/unknown-category`
 */
export async function readLongTable(
  reader: ReleaseReader, layout: TableLayout, format: ReleaseFormat, placeOf: readonly ((level: number, label: string | null) => number | undefined)[],
): Promise<ReadLongTable> {
  const path = `public/${layout.name}.${format}`;
  if (format === "csv") await requireLastLine(reader, path);
  const source = await reader.source(path);
  const columns = layoutColumns(layout);
  const found = await source.columns();
  if (found.length !== columns.length || found.some(({ name, type }, i) => name !== columns[i]!.name || type !== (format === "csv" || columns[i]!.type === "string" ? "text" : columns[i]!.type))) {
    throw new DataError("verify/table-columns", `Table ${layout.name} has not the columns that were planned.`, { table: layout.name });
  }
  const places = layout.dimensions.map(() => new Growing(Int32Array));
  const counts = new Growing(Float64Array);
  const annotations = new Growing(Uint8Array);
  const meaningsOfLabels = layout.dimensions.map(() => new Map<number, Map<number, number>>());
  const countOf: number[] = [];
  const noteOf: number[] = [];
  const countTexts = new TextsOnce();
  const noteTexts = new TextsOnce();
  let misfits = 0;
  const pass = await source.open({ columns: columns.map(({ name }) => ({ name, as: "codes" as const })) });
  for await (const { records, columns: batch } of pass.batches) {
    const coded = batch.map((column) => {
      if (column.kind !== "codes") throw new DataError("verify/table-columns", `Table ${layout.name} could not be read as text.`, { table: layout.name });
      return column;
    });
    let at = 0;
    layout.dimensions.forEach((dimension, d) => {
      const label = coded[at++]!;
      const level = hasLevelColumn(dimension) ? coded[at++]! : undefined;
      const list = places[d]!;
      const out = list.room(records);
      const byLevel = meaningsOfLabels[d]!;
      for (let row = 0; row < records; row++) {
        const levelCode = level === undefined ? -1 : level.codes[row]!;
        let byLabel = byLevel.get(levelCode);
        if (byLabel === undefined) byLevel.set(levelCode, (byLabel = new Map()));
        let place = byLabel.get(label.codes[row]!);
        if (place === undefined) {
          const text = label.codes[row]! < 0 ? null : dictionaryText(label.dictionary, label.codes[row]!) || null;
          const named = level === undefined ? (text === TOTAL_LABEL ? "total" : String(dimension.levels[0])) : levelCode < 0 ? "" : dictionaryText(level.dictionary, levelCode);
          const isTotal = named === "total";
          place = isTotal !== (text === TOTAL_LABEL) ? undefined : placeOf[d]!(isTotal ? TOTAL : Number(named), isTotal ? null : text);
          if (place === undefined) throw new DisclosureError("verify/unknown-category", `Table ${layout.name} has a category that was not planned.`);
          byLabel.set(label.codes[row]!, place);
        }
        out[list.length + row] = place;
      }
      list.length += records;
    });
    const count = coded[at]!;
    const note = coded[at + 1]!;
    countTexts.more(count.dictionary, (text) => countOf.push(text === "" ? NaN : /^(0|[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : -1));
    noteTexts.more(note.dictionary, (text) => noteOf.push(text === "0" ? 0 : text === "1" ? 1 : NO_ANNOTATION));
    const outCount = counts.room(records);
    const outNote = annotations.room(records);
    for (let row = 0; row < records; row++) {
      const people = count.codes[row]! < 0 ? NaN : countOf[count.codes[row]!]!;
      const marked = note.codes[row]! < 0 ? NO_ANNOTATION : noteOf[note.codes[row]!]!;
      if (marked === 0 ? !(people >= 0) : marked !== 1 || !Number.isNaN(people)) misfits++;
      outCount[counts.length + row] = people;
      outNote[annotations.length + row] = marked;
    }
    counts.length += records;
    annotations.length += records;
  }
  return { rows: counts.length, places: places.map((list) => list.finish()), count: counts.finish(), annotation: annotations.finish(), misfits };
}

/** Sees each text of a dictionary that grows once. */
class TextsOnce {
  #seen = 0;

  more(dictionary: Dictionary, each: (text: string) => void): void {
    for (; this.#seen < dictionary.size; this.#seen++) each(dictionaryText(dictionary, this.#seen));
  }
}
