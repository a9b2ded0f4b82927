import type { TableSystem } from "../../src/tables/tabulate/index.ts";
import type { Example } from "./helpers.ts";

/** A fraction in lowest terms, denominator positive. */
interface Fraction {
  readonly n: bigint;
  readonly d: bigint;
}

function fraction(n: bigint, d: bigint): Fraction {
  let [a, b] = [n < 0n ? -n : n, d < 0n ? -d : d];
  while (b !== 0n) [a, b] = [b, a % b];
  const sign = d < 0n ? -1n : 1n;
  return a === 0n ? { n: 0n, d: 1n } : { n: (sign * n) / a, d: (sign * d) / a };
}

const minus = (x: Fraction, y: Fraction) => fraction(x.n * y.d - y.n * x.d, x.d * y.d);
const times = (x: Fraction, y: Fraction) => fraction(x.n * y.n, x.d * y.d);
const over = (x: Fraction, y: Fraction) => fraction(x.n * y.d, x.d * y.n);

/** Whether targets are rational combinations of known vectors; plain Gauss-Jordan elimination on dense fractions. */
export function derivable(known: readonly (readonly number[])[], targets: readonly (readonly number[])[]): boolean[] {
  const exact = (vector: readonly number[]) => vector.map((value) => fraction(BigInt(value), 1n));
  const basis: { pivot: number; vector: Fraction[] }[] = [];
  const reduce = (vector: Fraction[]) => {
    for (const { pivot, vector: own } of basis) {
      if (vector[pivot]!.n === 0n) continue;
      const factor = over(vector[pivot]!, own[pivot]!);
      vector.forEach((value, i) => (vector[i] = minus(value, times(factor, own[i]!))));
    }
    return vector;
  };
  for (const vector of known.map(exact)) {
    const rest = reduce(vector);
    const pivot = rest.findIndex(({ n }) => n !== 0n);
    if (pivot >= 0) basis.push({ pivot, vector: rest });
  }
  return targets.map((target) => reduce(exact(target)).every(({ n }) => n === 0n));
}

/** The cells' sums over inner cells, from places and not from the product's matrix. */
export function cellVectors(table: Example, system: TableSystem): number[][] {
  const { cells } = table;
  const inner = Array.from({ length: cells.size }, (_, i) => i).filter((i) => cells.records[i]! > 0 || system.zeros === "protect");
  return Array.from({ length: system.cells }, (_, c) =>
    inner.map((i) =>
      system.columns.every((column, k) => {
        const place = system.places[k]![c]!;
        if (place === 0) return true;
        const key = cells.keys.indexOf(column.column);
        return table.hierarchies.get(column.column)!.levels[column.level[place]!]!.map[cells.codes[key]![i]!] === column.code[place];
      })
        ? 1
        : 0,
    ),
  );
}

/** Hidden small cells that exact elimination computes back from shown cells. */
export function derivedBack(table: Example, tables: TableSystem, pattern: Uint8Array): number {
  const vectors = cellVectors(table, tables);
  const of = (wanted: (state: number) => boolean) => vectors.filter((_, c) => wanted(pattern[c]!));
  return derivable(of((state) => state === 0), of((state) => state === 1)).filter(Boolean).length;
}
