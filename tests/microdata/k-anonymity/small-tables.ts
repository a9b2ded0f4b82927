import fc from "fast-check";
import { DictionaryBuilder } from "../../../src/columns/index.ts";
import { treeHierarchy, type BoundHierarchy } from "../../../src/hierarchies/index.ts";
import { cellsOf, type Table } from "../adult.ts";

/** A random table, its hierarchies as plain trees: what the slow version works on. */
export interface SmallTable {
  /** [keys][lines] a leaf, then what it becomes at levels 1, 2, ... */
  readonly trees: readonly (readonly (readonly string[])[])[];
  /** [records][keys] text of the value, null for null. */
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Trees of up to 6 leaves and 3 levels above them; groups are drawn, so some levels merge nothing. */
const tree = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 3 }), fc.infiniteStream(fc.nat({ max: 5 })))
  .map(([leaves, height, draws]) => {
    const next = (): number => draws.next().value as number;
    let level = Array.from({ length: leaves }, (_, leaf) => leaf);
    const levels = [level.map((leaf) => `v${leaf}`)];
    for (let above = 1; above <= height; above++) {
      const groupOf = new Map<number, number>();
      level = level.map((group) => {
        if (!groupOf.has(group)) groupOf.set(group, above === height ? 0 : next());
        return groupOf.get(group)!;
      });
      levels.push(level.map((group) => `g${above}-${group}`));
    }
    return levels[0]!.map((_, leaf) => levels.map((texts) => texts[leaf]!));
  });

export const smallTables = (withNulls = true): fc.Arbitrary<SmallTable> =>
  fc.array(tree, { minLength: 1, maxLength: 4 }).chain((trees) =>
    fc.array(
      fc.tuple(...trees.map((lines) => {
        const value = fc.constantFrom(...lines.map((line) => line[0]!));
        return withNulls ? fc.option(value, { freq: 12 }) : value;
      })),
      { minLength: 0, maxLength: 40 },
    ).map((rows) => ({ trees, rows })));

/** The table as the search takes it. `suppressAll: false`: the trees are taken as they are. */
export function boundTable({ trees, rows }: SmallTable): Table {
  const builders = trees.map(() => new DictionaryBuilder());
  const codes = trees.map((_, key) => Int32Array.from(rows, (row) => (row[key] === null ? -1 : builders[key]!.addText(row[key]!))));
  const names = trees.map((_, key) => `key${key}`);
  const hierarchies: BoundHierarchy[] = trees.map((lines, key) =>
    treeHierarchy(lines, { suppressAll: false }).bind(builders[key]!.freeze(), names[key]!));
  return { cells: cellsOf(names, codes, builders.map(({ size }) => size)), hierarchies };
}
