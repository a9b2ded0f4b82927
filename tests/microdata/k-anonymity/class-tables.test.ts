import { describe, expect, test } from "vitest";
import { rollUp } from "../../../src/cells/index.ts";
import { ClassTables } from "../../../src/microdata/k-anonymity/class-tables.ts";
import { classRisk } from "../../../src/microdata/risk/index.ts";
import { boundTable } from "./small-tables.ts";

/** Numbers below 1 that repeat for the same seed; any will do. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

const lines = (values: number, ...widths: readonly number[]): string[][] =>
  Array.from({ length: values }, (_, i) => [`v${i}`, ...widths.map((width) => `${width}:${Math.floor(i / width)}`)]);

/** More classes than are merged in one table of slots, in one word and in several. */
describe.each([
  { name: "in one word", trees: [lines(100, 5, 20), lines(300, 30), lines(8, 8)] },
  { name: "in two words", trees: [lines(3000, 5, 100), lines(3000, 30), lines(3000, 3000)] },
])("40,000 records and more, $name", ({ trees }) => {
  const draw = numbers(3);
  const rows = Array.from({ length: 90_000 }, () =>
    trees.map((tree) => {
      const value = Math.floor((tree.length + 1) * draw.next().value ** 1.5);
      return value === tree.length ? null : `v${value}`;
    }));
  const { cells, hierarchies } = boundTable({ trees, rows });
  const tables = new ClassTables(cells, hierarchies);

  test("there are enough of them", () => {
    expect(cells.size).toBeGreaterThan(40_000);
  });

  test.each([[0, 0, 0], [1, 0, 0], [0, 1, 1], [2, 1, 0], [2, 1, 1]])("levels %i %i %i: the classes of a roll-up of cells", (...levels) => {
    const expected = rollUp(cells, levels.map((level, key) => {
      const { map, dictionary } = hierarchies[key]!.levels[level]!;
      return { map, size: dictionary.size };
    }));
    const found = tables.rollUp(tables.base, Uint8Array.from(levels), 3);
    expect(classRisk(found.records.subarray(0, found.size))).toEqual(classRisk(expected.records));
    expect(found).toMatchObject({
      kept: expected.records.filter((size) => size >= 3).length,
      suppressed: expected.records.reduce((sum, size) => sum + (size < 3 ? size : 0), 0),
    });
    for (let key = 0; key < levels.length; key++) {
      const suppressed = new Float64Array(expected.sizes[key]! + 1);
      expected.records.forEach((size, cell) => {
        const code = expected.codes[key]![cell]!;
        if (size < 3) suppressed[code < 0 ? suppressed.length - 1 : code]! += size;
      });
      expect(found.suppressedBy(key)).toEqual(suppressed);
    }
  });

  test("rolled up in steps as at once", () => {
    const half = tables.rollUp(tables.base, Uint8Array.of(1, 0, 0), 3).table();
    const stepped = tables.rollUp(half, Uint8Array.of(2, 1, 0), 3);
    const sizes = classRisk(stepped.records.subarray(0, stepped.size));
    const direct = tables.rollUp(tables.base, Uint8Array.of(2, 1, 0), 3);
    expect(sizes).toEqual(classRisk(direct.records.subarray(0, direct.size)));
  });
});
