import { readFileSync } from "node:fs";
import type { Cells } from "../../src/cells/cells.ts";
import { DictionaryBuilder, dictionaryTexts } from "../../src/columns/index.ts";
import type { BoundHierarchy, BoundLevel } from "../../src/hierarchies/hierarchy.ts";
import { auditTables } from "../../src/tables/audit/index.ts";
import { planSmallCells, type SmallCellsOptions, type SmallCellsPlan } from "../../src/tables/small-cells/index.ts";
import { tabulate, type TableSpec, type TableSystem } from "../../src/tables/tabulate/index.ts";

/** A row of a small example: the text of each key, and how many records have it. */
export type CountRow = readonly [...string[], number];

export interface Example {
  readonly cells: Cells;
  readonly hierarchies: Map<string, Pick<BoundHierarchy, "levels">>;
}

/** Cells from rows of texts and a count; `groups` gives columns a second level: the text of the group of each value. */
export function example(
  keys: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  groups: Readonly<Record<string, (value: string) => string>> = {},
): Example {
  const dictionaries = keys.map(() => new DictionaryBuilder());
  const codes = keys.map((): number[] => []);
  const records: number[] = [];
  const cellOf = new Map<string, number>();
  for (const row of rows) {
    const own = keys.map((_, k) => dictionaries[k]!.addText(String(row[k])));
    const name = own.join();
    let cell = cellOf.get(name);
    if (cell === undefined) {
      cell = records.push(0) - 1;
      cellOf.set(name, cell);
      own.forEach((code, k) => codes[k]!.push(code));
    }
    records[cell]! += Number(row[keys.length]);
  }
  const hierarchies = new Map(
    keys.map((key, k) => {
      const dictionary = dictionaries[k]!.freeze();
      const levels: BoundLevel[] = [
        { map: Int32Array.from({ length: dictionary.size }, (_, code) => code), dictionary, share: new Float64Array(dictionary.size) },
      ];
      const group = groups[key];
      if (group !== undefined) {
        const texts = dictionaryTexts(dictionary).map(group);
        const upper = DictionaryBuilder.from([...texts].sort());
        levels.push({
          map: Int32Array.from(texts, (text) => upper.findText(text)),
          dictionary: upper.freeze(),
          share: new Float64Array(upper.size),
        });
      }
      return [key, { levels }] as const;
    }),
  );
  return {
    cells: {
      keys,
      sizes: dictionaries.map((dictionary) => dictionary.size),
      size: records.length,
      codes: codes.map((column) => Int32Array.from(column)),
      records: Float64Array.from(records),
      measures: [],
    },
    hierarchies,
  };
}

/** Rows of a comma-separated file without quotes: the named columns as text, then the count. */
export function readCounts(path: string, keys: readonly string[], count: string): (string | number)[][] {
  const [header, ...lines] = readFileSync(path, "utf8").trimEnd().split(/\r?\n/);
  const names = header!.split(",");
  return lines.map((line) => {
    const fields = line.split(",");
    return [...keys.map((key) => fields[names.indexOf(key)]!), Number(fields[names.indexOf(count)])];
  });
}

export function cube(name: string, columns: readonly string[], levels: Readonly<Record<string, readonly number[]>> = {}): TableSpec {
  return {
    name,
    dimensions: columns.map((column) => ({ column, ...(levels[column] === undefined ? {} : { levels: levels[column] }) })),
    margins: "all",
  };
}

export async function planned(
  { cells, hierarchies }: Example,
  specs: readonly TableSpec[],
  options: SmallCellsOptions,
): Promise<{ system: TableSystem; plan: SmallCellsPlan }> {
  const system = tabulate(cells, hierarchies, specs, { zeros: options.zeros ?? "publish" });
  return { system, plan: await planSmallCells(system, options, auditTables) };
}

/** Text of a row's cell: its categories, "Total" where summed over. */
export function rowName(example: Example, system: TableSystem, table: number, row: number): string {
  const { dimensions, level, codes } = system.tables[table]!;
  return dimensions
    .map(({ column }, d) => {
      const own = level[d]![row]!;
      return own < 0 ? "Total" : dictionaryTexts(example.hierarchies.get(column)!.levels[own]!.dictionary)[codes[d]![row]!]!;
    })
    .join("/");
}

/** Names of the rows with the given states of the pattern, in table order. */
export function namesOf(example: Example, system: TableSystem, pattern: Uint8Array, table = 0, states = [1, 2]): string[] {
  const { rows, cell } = system.tables[table]!;
  return Array.from({ length: rows }, (_, row) => row)
    .filter((row) => cell[row]! >= 0 && states.includes(pattern[cell[row]!]!))
    .map((row) => rowName(example, system, table, row));
}

/** People in hidden cells, each cell of the system once. */
export function peopleHidden(system: TableSystem, pattern: Uint8Array): number {
  return pattern.reduce((people, state, c) => people + (state === 0 ? 0 : system.count[c]!), 0);
}
