import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { DictionaryBuilder } from "../../src/columns/index.ts";
import type { Cells } from "../../src/cells/index.ts";
import { parseHierarchyCsv, treeHierarchy, type BoundHierarchy } from "../../src/hierarchies/index.ts";

const FOLDER = new URL("../../examples/data/adult/", import.meta.url);

/** The Adult extract of the anonymization literature (see examples/data/README.md), column by column. */
export function adultColumns(): Map<string, string[]> {
  const text = gunzipSync(readFileSync(new URL("adult.csv.gz", FOLDER))).toString("utf8");
  const [header, ...lines] = text.trimEnd().split(/\r?\n/).map((line) => line.split(";"));
  return new Map(header!.map((name, column) => [name, lines.map((line) => line[column]!)]));
}

export interface Table {
  readonly cells: Cells;
  readonly hierarchies: readonly BoundHierarchy[];
}

/** Adult as cells over its columns, some left out, with its hierarchies. Grouped here, not by the library. */
export function adultTable(leftOut: readonly string[] = []): Table {
  const columns = [...adultColumns()].filter(([name]) => !leftOut.includes(name));
  const builders = columns.map(() => new DictionaryBuilder());
  const codes = columns.map(([, values], key) => Int32Array.from(values, (value) => builders[key]!.addText(value)));
  const hierarchies = columns.map(([name], key) => {
    const lines = parseHierarchyCsv(readFileSync(new URL(`hierarchy-${name}.csv`, FOLDER), "utf8"), ";");
    return treeHierarchy(lines).bind(builders[key]!.freeze(), name);
  });
  return { cells: cellsOf(columns.map(([name]) => name), codes, builders.map(({ size }) => size)), hierarchies };
}

/** Group records with a Map of joined codes. @param codes [keys][records] */
export function cellsOf(keys: readonly string[], codes: readonly Int32Array[], sizes: readonly number[]): Cells {
  const first = new Map<string, number>();
  const records: number[] = [];
  const representative: number[] = [];
  const n = codes[0]?.length ?? 0;
  for (let i = 0; i < n; i++) {
    const name = codes.map((column) => column[i]).join();
    const cell = first.get(name);
    if (cell !== undefined) {
      records[cell]!++;
      continue;
    }
    first.set(name, records.length);
    records.push(1);
    representative.push(i);
  }
  return {
    keys, sizes, size: records.length,
    codes: codes.map((column) => Int32Array.from(representative, (i) => column[i]!)),
    records: Float64Array.from(records), measures: [],
  };
}
