import { describe, expect, test } from "vitest";
import { cellsOfPacked, marginsOf, packedLayout, rollUp } from "../../../src/cells/index.ts";
import { ClassTables, type KeptClasses } from "../../../src/microdata/k-anonymity/class-tables.ts";
import { classRisk } from "../../../src/microdata/risk/index.ts";
import type { Cells } from "../../../src/cells/cells.ts";
import { searchKAnonymity } from "../../../src/microdata/k-anonymity/plan.ts";
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

/** The same cells as they come from lanes: in packed form. */
function asPacked(cells: Cells): Cells {
  const layout = packedLayout(cells.sizes)!;
  const words = [new Uint32Array(cells.size), new Uint32Array(cells.size)];
  cells.codes.forEach((codes, key) => {
    const { word, shift } = layout[key]!;
    codes.forEach((code, c) => (words[word]![c]! |= (code + 1) << shift));
  });
  const wide = layout.some(({ word }) => word === 0);
  const list = { size: cells.size, words: [wide ? words[0]! : new Uint32Array(0), words[1]!], count: cells.records };
  return cellsOfPacked(list, marginsOf(list, layout, cells.sizes), cells.keys, cells.sizes);
}

/** More classes than are merged in one table of slots, in one word and in several. */
describe.each([
  { name: "in one word", trees: [lines(100, 5, 20), lines(300, 30), lines(8, 8)], form: (cells: Cells) => cells },
  { name: "in two words", trees: [lines(3000, 5, 100), lines(3000, 30), lines(3000, 3000)], form: (cells: Cells) => cells },
  { name: "packed in one word", trees: [lines(100, 5, 20), lines(300, 30), lines(8, 8)], form: asPacked },
  { name: "packed in two words", trees: [lines(3000, 5, 100), lines(3000, 30), lines(3000, 3000)], form: asPacked },
])("40,000 records and more, $name", ({ trees, form }) => {
  const draw = numbers(3);
  const rows = Array.from({ length: 90_000 }, () =>
    trees.map((tree) => {
      const value = Math.floor((tree.length + 1) * draw.next().value ** 1.5);
      return value === tree.length ? null : `v${value}`;
    }));
  const { cells: folded, hierarchies } = boundTable({ trees, rows });
  const cells = form(rollUp(folded, [null, null, null]));
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
    const named = (codes: readonly Int32Array[], records: Float64Array): string[] =>
      Array.from(records, (size, c) => `${codes.map((own) => own[c]!).join()}:${size}`);
    const kept = tables.keptClasses(found, 3);
    expect(kept.size).toBe(found.kept);
    expect(named(kept.codes, kept.records).sort()).toEqual(named(expected.codes, expected.records).filter((_, c) => expected.records[c]! >= 3).sort());
  });

  test("rolled up in steps as at once", () => {
    const half = tables.rollUp(tables.base, Uint8Array.of(1, 0, 0), 3).table();
    const stepped = tables.rollUp(half, Uint8Array.of(2, 1, 0), 3);
    const sizes = classRisk(stepped.records.subarray(0, stepped.size));
    const direct = tables.rollUp(tables.base, Uint8Array.of(2, 1, 0), 3);
    expect(sizes).toEqual(classRisk(direct.records.subarray(0, direct.size)));
  });
});

/** The same cells in another order. */
function shuffled(cells: Cells, seed: number): Cells {
  const draw = numbers(seed);
  const order = Array.from({ length: cells.size }, (_, cell) => cell);
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(draw.next().value * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return {
    ...cells,
    codes: cells.codes.map((codes) => Int32Array.from(order, (cell) => codes[cell]!)),
    records: Float64Array.from(order, (cell) => cells.records[cell]!),
  };
}

/** Classes as texts, whatever their order. */
function listed(tables: ClassTables, levels: readonly number[], from = tables.base): string[] {
  const rolled = tables.rollUp(from, Uint8Array.from(levels), 2);
  return Array.from({ length: rolled.size }, (_, i) => `${rolled.words.map((words) => words[i]!).join()}:${rolled.records[i]!}`).sort();
}

describe.each([
  { name: "in one word", trees: [lines(4, 4), lines(200, 20), lines(200, 200)] },
  { name: "in two words", trees: [lines(30, 30), lines(4000, 400), lines(4000, 50, 4000)] },
  { name: "one run holds almost all", trees: [lines(1, 1), lines(300, 20), lines(300, 300)] },
])("cells that stand together by their keys are merged run by run, $name", ({ trees }) => {
  const draw = numbers(9);
  const rows = Array.from({ length: 70_000 }, () =>
    trees.map((tree) => {
      const value = Math.floor((tree.length + 1) * draw.next().value);
      return value === tree.length ? null : `v${value}`;
    }));
  const { cells: folded, hierarchies } = boundTable({ trees, rows });
  const cells = rollUp(folded, [null, null, null]);
  const [sorted, mixed] = [new ClassTables(cells, hierarchies), new ClassTables(shuffled(cells, 5), hierarchies)];

  test("a roll-up gives sorted cells, another order is noticed", () => {
    expect([sorted.base.grouped, mixed.base.grouped]).toEqual([3, 0]);
  });

  test.each([[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 1, 1], [1, 1, 1]])("levels %i %i %i: the same classes", (...levels) => {
    expect(listed(sorted, levels)).toEqual(listed(mixed, levels));
  });

  test("and what was merged still stands together", () => {
    const half = sorted.rollUp(sorted.base, Uint8Array.of(0, 0, 1), 2).table();
    expect(half.grouped).toBe(2);
    expect(listed(sorted, [0, 1, 1], half)).toEqual(listed(mixed, [0, 1, 1]));
    expect(listed(sorted, [1, 1, 1], half)).toEqual(listed(mixed, [1, 1, 1]));
    expect(sorted.rollUp(sorted.base, Uint8Array.of(1, 0, 0), 2).grouped).toBe(0);
  });
});

test("large tables are rolled up by way of others: the plan is the same as without", { timeout: 60_000 }, () => {
  const trees = [lines(12, 12), lines(60, 5, 20), lines(600, 100)];
  const draw = numbers(11);
  const rows = Array.from({ length: 260_000 }, () => trees.map((tree) => `v${Math.floor(tree.length * draw.next().value)}`));
  const { cells: folded, hierarchies } = boundTable({ trees, rows });
  const cells = rollUp(folded, [null, null, null]);
  expect(cells.size).toBeGreaterThan(1 << 17);
  const request = { cells, hierarchies, k: 5, maxSuppressedShare: 0.05, metric: { metric: "loss" } } as const;
  const plan = searchKAnonymity(request);
  expect(plan).toBeDefined();
  expect(plan).toEqual(searchKAnonymity({ ...request, memoryBudget: 0 }));
  let classes: KeptClasses | undefined;
  searchKAnonymity({ ...request, onClasses: (kept) => (classes = kept) });
  expect(classes).toMatchObject({ size: plan!.classes });
  expect(classes!.records.reduce((sum, records) => sum + records, 0)).toBe(260_000 - plan!.suppressed);
  expect(plan).toEqual(searchKAnonymity({ ...request, cells: shuffled(cells, 2) }));
});

describe.each([
  { name: "in one word", width: 10 },
  { name: "in two words", width: 3000 },
])("so many cells in no order that they are brought together part by part, $name", ({ width }) => {
  const size = 600_000;
  const trees = [lines(1000, 5), lines(600, 600), lines(width, width)];
  const rows = Array.from({ length: Math.max(1000, width) }, (_, i) => trees.map((tree) => `v${i % tree.length}`));
  const { cells: few, hierarchies } = boundTable({ trees, rows });
  const place = Int32Array.from({ length: size }, (_, i) => (i * 7_919) % size); // each once
  const codes = [place.map((at) => at % 1000), place.map((at) => Math.floor(at / 1000)), place.map((at) => at % width)];
  const cells: Cells = { ...few, size, codes, records: Float64Array.from(place, (at) => 1 + (at % 3)) };
  const tables = new ClassTables(cells, hierarchies);

  test.each([[1, 0, 0], [0, 0, 1], [1, 0, 1]])("levels %i %i %i: the classes of a roll-up of cells", (...levels) => {
    const expected = rollUp(cells, levels.map((level, key) => {
      const { map, dictionary } = hierarchies[key]!.levels[level]!;
      return { map, size: dictionary.size };
    }));
    const found = tables.rollUp(tables.base, Uint8Array.from(levels), 9);
    expect(classRisk(found.records.subarray(0, found.size))).toEqual(classRisk(expected.records));
    for (let key = 0; key < levels.length; key++) {
      const suppressed = new Float64Array(expected.sizes[key]! + 1);
      expected.records.forEach((of, cell) => {
        if (of < 9) suppressed[expected.codes[key]![cell]!]! += of;
      });
      expect(found.suppressedBy(key)).toEqual(suppressed);
    }
  });
});

test("without any cell, packed keys lie in the words that they would lie in", () => {
  const trees = [lines(3000, 3000), lines(3000, 3000), lines(3000, 3000)];
  const { cells, hierarchies } = boundTable({ trees, rows: trees[0]!.map((_, i) => trees.map(() => `v${i}`)) });
  const none = asPacked({ ...cells, size: 0, codes: cells.codes.map(() => new Int32Array(0)), records: new Float64Array(0) });
  const tables = new ClassTables(none, hierarchies);
  expect(tables.base.words).toEqual([new Int32Array(0), new Int32Array(0)]);
  expect(tables.rollUp(tables.base, Uint8Array.of(1, 0, 1), 2)).toMatchObject({ size: 0, kept: 0, suppressed: 0 });
});
