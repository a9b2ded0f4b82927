import fc from "fast-check";
import { tabulate, type TableSpec, type TableSystem } from "../../src/tables/tabulate/index.ts";
import { cube, example, type Example } from "./helpers.ts";

export interface Case {
  readonly table: Example;
  readonly shuffled: Example;
  readonly specs: readonly TableSpec[];
  readonly zeros: "publish" | "protect";
}

const KEYS = ["a", "b", "c", "d"];

/** Tables of 2 to 4 dimensions, some with a second level, some linked pairs, with zeros and many ones. */
export const randomCase = fc
  .record({
    sizes: fc.array(fc.integer({ min: 2, max: 4 }), { minLength: 2, maxLength: 4 }),
    counts: fc.infiniteStream(fc.oneof(fc.constant(0), fc.constant(1), fc.integer({ min: 0, max: 6 }), fc.integer({ min: 5, max: 60 }))),
    nested: fc.boolean(),
    linked: fc.boolean(),
    zeros: fc.constantFrom("publish" as const, "publish" as const, "protect" as const),
    seed: fc.integer(),
  })
  .map(({ sizes, counts, nested, linked, zeros, seed }): Case => {
    const keys = KEYS.slice(0, sizes.length);
    const shape = sizes.map((size, k) => (k >= 2 ? 2 : size));
    const rows: (string | number)[][] = [];
    const stream = counts[Symbol.iterator]();
    const product = shape.reduce((all, n) => all * n, 1);
    for (let at = 0; at < product; at++) {
      let rest = at;
      const row = shape.map((n) => {
        const code = rest % n;
        rest = Math.floor(rest / n);
        return `v${code}`;
      });
      const count = stream.next().value!;
      if (count > 0 || zeros === "protect") rows.push([...row, count]);
    }
    if (rows.length === 0) rows.push([...shape.map(() => "v0"), 5]);
    const groups = nested ? { a: (value: string) => (value < "v2" ? "low" : "high") } : {};
    const levels = nested ? { a: [0, 1] } : {};
    const specs =
      linked && keys.length > 2
        ? [cube("left", keys.slice(0, -1), levels), cube("right", [keys[0]!, keys.at(-1)!], levels)]
        : [cube("all", keys, levels)];
    const order = rows.map((row, i) => [Math.imul(i + 1, seed | 1) >>> 0, row] as const).sort((x, y) => x[0] - y[0]);
    return { table: example(keys, rows, groups), shuffled: example(keys, order.map(([, row]) => row), groups), specs, zeros };
  });

export const systemOf = ({ cells, hierarchies }: Example, { specs, zeros }: Case): TableSystem => tabulate(cells, hierarchies, specs, { zeros });
