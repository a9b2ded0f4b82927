/** What a reader of published tables can work out, from their rows alone and by a solver of its own. */
import loadHighs, { type Highs } from "highs";
import { dictionaryText } from "../../../src/columns/index.ts";
import type { PublishedTable, TableSpec, TableSystem } from "../../../src/tables/tabulate/index.ts";
import type { Example } from "../helpers.ts";

export function loadSolver(): Promise<Highs> {
  return (loadHighs as unknown as () => Promise<Highs>)();
}

/** Numbers between 0 and 1 that repeat for a seed. Source: mulberry32, public domain. */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A published row as a signed sum of combinations of the finest categories. */
export interface ReaderRow {
  readonly table: number;
  readonly row: number;
  /** The system's cell, -1 for a zero that is published as known. */
  readonly cell: number;
  readonly terms: ReadonlyMap<number, number>;
}

export interface Reader {
  readonly combinations: number;
  readonly rows: readonly ReaderRow[];
  /** [rows][columns] the row's level and category in each column; the total where the table lacks the column. */
  readonly at: readonly (readonly string[])[];
}

/** Every published row written out over all combinations of the finest categories, from hierarchies and groups as specified. */
export function readerOf(example: Pick<Example, "hierarchies">, system: TableSystem, specs: readonly TableSpec[]): Reader {
  const columns = system.columns.map(({ column }) => column);
  const sizes = columns.map((column) => example.hierarchies.get(column)!.levels[0]!.dictionary.size);
  const combinations = sizes.reduce((all, n) => all * n, 1);
  const codes = Array.from({ length: combinations }, (_, at) => {
    let rest = at;
    return sizes.map((n) => {
      const code = rest % n;
      rest = Math.floor(rest / n);
      return code;
    });
  });
  const rows: ReaderRow[] = [];
  const at: string[][] = [];
  system.tables.forEach((published, table) => {
    for (let row = 0; row < published.rows; row++) {
      const times = columns.map((column, k) => timesOf(example, column, published, published.columnOf.indexOf(k), row, specs));
      const terms = new Map<number, number>();
      codes.forEach((own, u) => {
        const product = own.reduce((all, code, k) => all * times[k]!(code), 1);
        if (product !== 0) terms.set(u, product);
      });
      rows.push({ table, row, cell: published.cell[row]!, terms });
      at.push(columns.map((_, k) => {
        const d = published.columnOf.indexOf(k);
        return d < 0 || published.level[d]![row]! < 0 ? "total" : `${published.level[d]![row]}:${published.codes[d]![row]}`;
      }));
    }
  });
  return { combinations, rows, at };
}

/** How often a row counts a finest category of one column. */
function timesOf(example: Pick<Example, "hierarchies">, column: string, published: PublishedTable, d: number, row: number, specs: readonly TableSpec[]): (code: number) => number {
  if (d < 0) return () => 1;
  const level = published.level[d]![row]!;
  const category = published.codes[d]![row]!;
  if (level < 0) return () => 1;
  const { levels } = example.hierarchies.get(column)!;
  if (level < 1000) return (code) => (levels[level]!.map[code] === category ? 1 : 0);
  const groupings = new Map(specs.flatMap(({ dimensions }) => dimensions).filter((dimension) => dimension.column === column)
    .flatMap(({ groupings: own = [] }) => own).map((grouping) => [grouping.name, grouping]));
  const group = groupings.get([...groupings.keys()].sort()[level - 1000]!)!.groups[category]!;
  const finest = levels[Math.min(...(published.dimensions[d]!.levels ?? [0]))]!;
  return (code) => {
    const text = dictionaryText(finest.dictionary, finest.map[code]!);
    return group.plus.filter((part) => part === text).length - (group.minus ?? []).filter((part) => part === text).length;
  };
}

/** The smallest and largest value that sums of unknowns can take, over everything that agrees with what is known. */
export class Attacker {
  readonly #model: ReturnType<Highs["createModel"]>;

  /** @param known rows `low <= sum <= high` over unknowns that are at least 0 */
  constructor(highs: Highs, unknowns: number, known: readonly { readonly terms: ReadonlyMap<number, number>; readonly low: number; readonly high: number }[], options: { readonly whole?: boolean; readonly floor?: number; readonly ceiling?: number } = {}) {
    const starts = [0];
    const indices: number[] = [];
    const values: number[] = [];
    for (const { terms } of known) {
      for (const [u, times] of terms) {
        indices.push(u);
        values.push(times);
      }
      starts.push(indices.length);
    }
    this.#model = highs.createModel({
      numCols: unknowns,
      numRows: known.length,
      colCost: new Float64Array(unknowns),
      colLower: new Float64Array(unknowns).fill(options.floor ?? 0),
      colUpper: new Float64Array(unknowns).fill(options.ceiling ?? Infinity),
      rowLower: Float64Array.from(known, ({ low }) => low),
      rowUpper: Float64Array.from(known, ({ high }) => high),
      matrix: {
        format: "csr" as const, numRows: known.length, numCols: unknowns,
        starts: Int32Array.from(starts), indices: Int32Array.from(indices), values: Float64Array.from(values),
      },
      ...(options.whole === true ? { integrality: new Int32Array(unknowns).fill(1) } : {}),
    });
    this.#model.options.set({ output_flag: false, ...(options.whole === true ? { mip_rel_gap: 0, mip_abs_gap: 0.5 } : { presolve: "off" }) });
  }

  /** Infinite where nothing bounds the sum; throws when nothing agrees. */
  bounds(terms: ReadonlyMap<number, number>): readonly [min: number, max: number] {
    return [this.#extreme(terms, 1), -this.#extreme(terms, -1)];
  }

  #extreme(terms: ReadonlyMap<number, number>, direction: 1 | -1): number {
    for (const [u, times] of terms) this.#model.changeColCost(u, direction * times);
    this.#model.run();
    const status = this.#model.getModelStatus();
    let value = 0;
    if (status === 7) {
      const { colValue } = this.#model.getSolution();
      for (const [u, times] of terms) value += direction * times * colValue[u]!;
    } else if (status === 9 || status === 10) value = -Infinity; // 9: infeasible or unbounded, and the true table agrees
    else throw new Error(`The reader's program ended with status ${status}.`);
    for (const u of terms.keys()) this.#model.changeColCost(u, 0);
    return value;
  }

  dispose(): void {
    this.#model.dispose();
  }
}
