import fc from "fast-check";
import { rehearsalBits } from "../../../src/random/rehearsal-bits.ts";
import type { PublishedCounts } from "../../../src/tables/perturbation/method.ts";
import { tabulate, type TableSpec, type TableSystem } from "../../../src/tables/tabulate/index.ts";
import { cube, example } from "../helpers.ts";

/** A cube of counts with all margins, or with the margins given; counts in row-major order, zeros listed as unknowns. */
export function cubeOf(sizes: readonly number[], counts: readonly number[], specs?: readonly TableSpec[]): TableSystem {
  const names = ["a", "b", "c", "d"].slice(0, sizes.length);
  const rows = counts.map((count, i) => {
    const places: number[] = [];
    let rest = i;
    for (const size of [...sizes].reverse()) {
      places.unshift(rest % size);
      rest = Math.floor(rest / size);
    }
    return [...places, count];
  });
  const { cells, hierarchies } = example(names, rows);
  return tabulate(cells, hierarchies, specs ?? [cube("t", names)], { zeros: "protect" });
}

export const input = (system: TableSystem, seed: number | string = 1) => ({ system, random: rehearsalBits(seed) });

export function publishedOf(system: TableSystem, values: Float64Array): PublishedCounts {
  return { columns: system.columns, cells: system.cells, places: system.places, values };
}

export const labelsOf = (system: TableSystem) => (column: number, place: number) => `${system.columns[column]!.column}${system.columns[column]!.code[place]}`;

/** Small tables of two or three dimensions. */
export function smallTables(most = 12): fc.Arbitrary<TableSystem> {
  return fc
    .array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 3 })
    .chain((sizes) => {
      const n = sizes.reduce((product, size) => product * size, 1);
      return fc.tuple(fc.constant(sizes), fc.array(fc.nat({ max: most }), { minLength: n, maxLength: n }));
    })
    .filter(([, counts]) => counts.some((count) => count > 0))
    .map(([sizes, counts]) => cubeOf(sizes, counts));
}

/** Whether every published total is the sum of its inner cells, which must all be published. */
export function addsUp(system: TableSystem, values: Float64Array): boolean {
  const inner = innerValues(system, values);
  return values.every((value, c) => {
    let sum = 0;
    for (let at = system.starts[c]!; at < system.starts[c + 1]!; at++) sum += inner[system.rows[at]!]!;
    return sum === value;
  });
}

/** [inner] values of the cells that consist of one inner cell. */
export function innerValues(system: TableSystem, values: Float64Array): Float64Array {
  const inner = new Float64Array(system.inner).fill(NaN);
  for (let c = 0; c < system.cells; c++) if (system.starts[c + 1]! - system.starts[c]! === 1) inner[system.rows[system.starts[c]!]!] = values[c]!;
  return inner;
}

/** All sums of inner cells, as the published cells. */
export function sumsOf(system: TableSystem, inner: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: system.cells }, (_, c) => {
    let sum = 0;
    for (let at = system.starts[c]!; at < system.starts[c + 1]!; at++) sum += inner[system.rows[at]!]!;
    return sum;
  });
}
