import fc from "fast-check";
import type { Batch, Dictionary } from "../../src/columns/index.ts";
import { Folder, type Cells, type CodeMap } from "../../src/cells/index.ts";

/** A small table of codes with one integer measure (null as NaN), an integer weight and a frequency per row. */
export interface Table {
  readonly sizes: readonly number[];
  /** [rows][keys] */
  readonly codes: readonly (readonly number[])[];
  readonly values: readonly number[];
  readonly weights: readonly number[];
  readonly frequencies: readonly number[];
}

/** Tables whose numbers are integers, so that sums are exact and do not depend on their order. */
export function tables(options: { minKeys?: number; maxKeys?: number; maxSize?: number; maxRows?: number } = {}): fc.Arbitrary<Table> {
  const { minKeys = 0, maxKeys = 4, maxSize = 4, maxRows = 40 } = options;
  return fc.array(fc.integer({ min: 0, max: maxSize }), { minLength: minKeys, maxLength: maxKeys }).chain((sizes) =>
    fc.array(
      fc.tuple(
        fc.tuple(...sizes.map((size) => fc.integer({ min: -1, max: size - 1 }))),
        fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constant(NaN)),
        fc.nat({ max: 5 }),
        fc.nat({ max: 3 }),
      ),
      { maxLength: maxRows },
    ).map((rows) => ({
      sizes,
      codes: rows.map((row) => row[0] as number[]),
      values: rows.map((row) => row[1]),
      weights: rows.map((row) => row[2]),
      frequencies: rows.map((row) => row[3]),
    })));
}

export interface FoldOptions {
  readonly frequency?: boolean;
  /** Rows per call of `add`; all at once when left out. */
  readonly cut?: number;
}

export function folderOf(table: Table, options: FoldOptions = {}): Folder {
  return new Folder({
    keys: table.sizes.map((_, key) => `key${key}`), measures: ["value"], weight: true, frequency: options.frequency ?? false,
  });
}

export function foldTable(table: Table, options: FoldOptions = {}): Cells {
  const folder = folderOf(table, options);
  addTable(folder, table, options);
  return folder.finish(table.sizes);
}

export function addTable(folder: Folder, table: Table, options: FoldOptions = {}): void {
  const rows = table.codes.length;
  const cut = options.cut ?? Math.max(rows, 1);
  for (let start = 0; start < rows; start += cut) {
    const part = <T>(column: readonly T[]): readonly T[] => column.slice(start, start + cut);
    const codes = part(table.codes);
    // One stale entry at the end: buffers may be longer than the batch.
    folder.add(codes.length, table.sizes.map((_, key) => Int32Array.from([...codes.map((row) => row[key]!), 99])), {
      measures: [Float64Array.from([...part(table.values), 99])],
      weight: Float64Array.from([...part(table.weights), 99]),
      ...(options.frequency === true ? { frequency: Float64Array.from([...part(table.frequencies), 99]) } : {}),
    });
  }
}

/** Each row as often as its frequency says. */
export function repeated(table: Table): Table {
  const rows = table.frequencies.flatMap((times, row) => Array.from({ length: times }, () => row));
  const pick = <T>(column: readonly T[]): T[] => rows.map((row) => column[row]!);
  return {
    sizes: table.sizes, codes: pick(table.codes), values: pick(table.values), weights: pick(table.weights),
    frequencies: rows.map(() => 1),
  };
}

/** One line per cell, [codes, records, weight, values, sum, sumAbs, min, max], sorted as cells are. The slow plain version. */
export function slowFold(table: Table): (number | string)[][] {
  const cells = new Map<string, { codes: readonly number[]; rows: number[] }>();
  table.codes.forEach((codes, row) => {
    const id = JSON.stringify(codes);
    if (!cells.has(id)) cells.set(id, { codes, rows: [] });
    cells.get(id)!.rows.push(row);
  });
  return [...cells.values()]
    .sort((a, b) => compareCodes(a.codes, b.codes))
    .map(({ codes, rows }) => {
      const values = rows.map((row) => table.values[row]!).filter((value) => !Number.isNaN(value));
      const total = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0);
      return [
        codes.join(","), rows.length, total(rows.map((row) => table.weights[row]!)), values.length, total(values),
        total(values.map(Math.abs)), values.length === 0 ? NaN : Math.min(...values), values.length === 0 ? NaN : Math.max(...values),
      ].map((n) => (n === 0 ? 0 : n));
    });
}

/** Cells in the form of `slowFold`. */
export function listed(cells: Cells): (number | string)[][] {
  const measure = cells.measures[0];
  return Array.from({ length: cells.size }, (_, c) => [
    cells.codes.map((codes) => codes[c]!).join(","), cells.records[c]!, cells.weight?.[c] ?? NaN,
    measure?.values[c] ?? NaN, measure?.sum[c] ?? NaN, measure?.sumAbs[c] ?? NaN, measure?.min[c] ?? NaN, measure?.max[c] ?? NaN,
  ].map((n) => (n === 0 ? 0 : n)));
}

function compareCodes(a: readonly number[], b: readonly number[]): number {
  for (let key = 0; key < a.length; key++) if (a[key] !== b[key]) return a[key]! - b[key]!;
  return 0;
}

/** A code map over `size` codes, some of which may become null. */
export function codeMaps(size: number): fc.Arbitrary<CodeMap> {
  return fc.integer({ min: 1, max: 4 }).chain((to) =>
    fc.array(fc.integer({ min: -1, max: to - 1 }), { minLength: size, maxLength: size })
      .map((map) => ({ map: Int32Array.from(map), size: to })));
}

/** The table with its codes recoded; dropped keys are gone. */
export function recoded(table: Table, maps: readonly (CodeMap | null | "drop")[]): Table {
  const kept = maps.flatMap((map, key) => (map === "drop" ? [] : [key]));
  const mapOf = (key: number): CodeMap | null => maps[key] as CodeMap | null;
  return {
    ...table,
    sizes: kept.map((key) => mapOf(key)?.size ?? table.sizes[key]!),
    codes: table.codes.map((row) => kept.map((key) => {
      const map = mapOf(key);
      return map === null || row[key]! < 0 ? row[key]! : map.map[row[key]!]!;
    })),
  };
}

/** The table as batches of `cut` rows with dictionaries of the texts "0", "1", ... */
export async function* batchesOf(table: Table, cut: number, dictionary: (size: number) => Dictionary): AsyncGenerator<Batch> {
  for (let start = 0; start < table.codes.length; start += cut) {
    const rows = table.codes.slice(start, start + cut);
    yield {
      records: rows.length,
      columns: [
        ...table.sizes.map((size, key) => ({
          kind: "codes" as const, codes: Int32Array.from(rows, (row) => row[key]!), dictionary: dictionary(size),
        })),
        { kind: "numbers" as const, values: Float64Array.from(table.values.slice(start, start + cut)) },
        { kind: "numbers" as const, values: Float64Array.from(table.weights.slice(start, start + cut)) },
      ],
    };
  }
}
