import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DictionaryBuilder } from "../../src/columns/index.ts";
import { DataError, InternalError } from "../../src/errors/index.ts";
import { fold, Folder, merge, rollUp, type Cells, type KeyChange } from "../../src/cells/index.ts";
import { addTable, batchesOf, codeMaps, folderOf, foldTable, listed, recoded, repeated, slowFold, tables, type Table } from "./tables.ts";

function keyChanges(table: Table): fc.Arbitrary<KeyChange[]> {
  return fc.tuple(...table.sizes.map((size): fc.Arbitrary<KeyChange> =>
    fc.oneof(fc.constant(null), fc.constant("drop" as const), codeMaps(size))));
}

const withChanges = tables().chain((table) => keyChanges(table).map((maps) => ({ table, maps })));

describe("fold", () => {
  test("agrees with a Map of rows", () => {
    fc.assert(fc.property(tables(), (table) => {
      expect(listed(foldTable(table))).toEqual(slowFold(table));
    }));
  });

  test("any cut into batches gives the same cells", () => {
    fc.assert(fc.property(tables(), fc.integer({ min: 1, max: 10 }), (table, cut) => {
      expect(foldTable(table, { cut })).toEqual(foldTable(table));
    }));
  });

  test("batches of a source fold as their rows do", async () => {
    const dictionary = (size: number) => DictionaryBuilder.from(Array.from({ length: size }, (_, code) => String(code)));
    await fc.assert(fc.asyncProperty(tables(), fc.integer({ min: 1, max: 10 }), async (table, cut) => {
      const keys = table.sizes.map((_, column) => ({ name: `key${column}`, column }));
      const cells = await fold(batchesOf(table, cut, dictionary), {
        keys, measures: [{ name: "value", column: keys.length }], weight: keys.length + 1,
      });
      expect(listed(cells)).toEqual(slowFold(table));
    }), { numRuns: 50 });
  });

  test("the order of the records does not matter", () => {
    fc.assert(fc.property(tables(), (table) => {
      const reversed: Table = {
        ...table, codes: table.codes.toReversed(), values: table.values.toReversed(), weights: table.weights.toReversed(),
      };
      expect(foldTable(reversed)).toEqual(foldTable(table));
    }));
  });

  test("a row with frequency f counts as f equal records", () => {
    fc.assert(fc.property(tables(), (table) => {
      expect(foldTable(table, { frequency: true })).toEqual(foldTable(repeated(table)));
    }));
  });

  test("many cells, so that every table grows several times", () => {
    const rows = 50_000;
    const table: Table = {
      sizes: [100, 1000, 7],
      codes: Array.from({ length: rows }, (_, i) => [i % 100, Math.floor(i / 3) % 1000, (i % 8) - 1]),
      values: Array.from({ length: rows }, (_, i) => i % 13), weights: Array.from({ length: rows }, () => 1), frequencies: [],
    };
    expect(listed(foldTable(table, { cut: 777 }))).toEqual(slowFold(table));
  });

  /** Every code needs more bits than the ones before it, so that the cells are packed anew over and over. */
  test("codes that grow while folding keep the cells they have", () => {
    const codes = Array.from({ length: 31 * 3 }, (_, i) => [2 ** (i % 31) - 1, 2 ** ((i * 7) % 31) - 1, 2 ** (30 - (i % 31)) - 2]);
    const table: Table = {
      sizes: [2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1], codes, values: codes.map((_, i) => i), weights: codes.map(() => 1), frequencies: [],
    };
    for (const cut of [1, 2, 50]) expect(listed(foldTable(table, { cut }))).toEqual(slowFold(table));
  });

  test("a folder that was emptied begins anew", () => {
    fc.assert(fc.property(tables({ minKeys: 2, maxKeys: 2 }), (table) => {
      const folder = folderOf(table);
      addTable(folder, table);
      const first = merge([folder.take(table.sizes)]);
      expect(folder.size).toBe(0);
      addTable(folder, table);
      expect(folder.finish(table.sizes)).toEqual(first);
      expect(folder.records).toBe(2 * table.codes.length);
    }));
  });

  test.each([
    { name: "negative", value: -1 }, { name: "fractional", value: 1.5 }, { name: "null", value: NaN },
    { name: "infinite", value: Infinity }, { name: "beyond 2^53", value: 2 ** 53 },
  ])("a $name frequency is refused with its row, not its value", ({ value }) => {
    const folder = new Folder({ keys: [], frequency: true });
    folder.add(2, [], { frequency: Float64Array.of(1, 2) });
    const add = (): void => folder.add(2, [], { frequency: Float64Array.of(3, value) });
    expect(add).toThrow(DataError);
    expect(add).toThrow(expect.objectContaining({ code: "cells/bad-frequency", detail: { row: 4 } }));
  });

  test("more records than can be counted exactly are refused", () => {
    const folder = new Folder({ keys: [], frequency: true });
    expect(() => folder.add(2, [], { frequency: Float64Array.of(2 ** 53 - 1, 1) }))
      .toThrow(expect.objectContaining({ code: "cells/too-many-records" }));
    const half = (): Cells => {
      const one = new Folder({ keys: [], frequency: true });
      one.add(1, [], { frequency: Float64Array.of(2 ** 52) });
      return one.finish([]);
    };
    expect(() => merge([half(), half()])).toThrow(expect.objectContaining({ code: "cells/too-many-records" }));
  });

  test.each([NaN, -1, Infinity])("weight %s is refused", (weight) => {
    const folder = new Folder({ keys: [], weight: true });
    expect(() => folder.add(1, [], { weight: Float64Array.of(weight) }))
      .toThrow(expect.objectContaining({ code: "cells/bad-weight", detail: { row: 1 } }));
  });

  test("an infinite measure is refused", () => {
    const folder = new Folder({ keys: [], measures: ["income"] });
    expect(() => folder.add(1, [], { measures: [Float64Array.of(-Infinity)] }))
      .toThrow(expect.objectContaining({ code: "cells/infinite-measure", detail: { row: 1, measure: "income" } }));
  });

  test("columns that differ from the shape, or sizes that the codes exceed, are our defect", () => {
    const folder = new Folder({ keys: ["a"] });
    expect(() => folder.add(1, [])).toThrow(InternalError);
    folder.add(1, [Int32Array.of(5)]);
    expect(() => folder.finish([5])).toThrow(expect.objectContaining({ code: "cells/code-range" }));
    const negative = new Folder({ keys: ["a", "b"] });
    negative.add(1, [Int32Array.of(-2), Int32Array.of(0)]);
    expect(() => negative.finish([5, 5])).toThrow(expect.objectContaining({ code: "cells/code-range" }));
  });
});

describe("edges of fold", () => {
  const table = (sizes: number[], codes: number[][]): Table => ({
    sizes, codes, values: codes.map(() => NaN), weights: codes.map(() => 1), frequencies: [],
  });

  test("no records give no cells, with or without keys", () => {
    expect(foldTable(table([3], [])).size).toBe(0);
    expect(foldTable(table([], [])).size).toBe(0);
  });

  test("one record", () => {
    expect(listed(foldTable(table([3, 2], [[2, 0]])))).toEqual([["2,0", 1, 1, 0, 0, 0, NaN, NaN]]);
  });

  test("no keys: one grand total", () => {
    expect(listed(foldTable(table([], [[], [], []])))).toEqual([["", 3, 3, 0, 0, 0, NaN, NaN]]);
  });

  test("all null, over dictionaries without values", () => {
    expect(listed(foldTable(table([0, 0], [[-1, -1], [-1, -1]])))).toEqual([["-1,-1", 2, 2, 0, 0, 0, NaN, NaN]]);
  });

  test("all unique", () => {
    const cells = foldTable(table([5000], Array.from({ length: 5000 }, (_, i) => [4999 - i])));
    expect(cells.size).toBe(5000);
    expect(cells.codes[0]).toEqual(Int32Array.from({ length: 5000 }, (_, i) => i));
    expect(cells.records.every((n) => n === 1)).toBe(true);
  });
});

describe("roll-up", () => {
  test("of a fold equals the fold of the recoded rows", () => {
    fc.assert(fc.property(withChanges, ({ table, maps }) => {
      expect(listed(rollUp(foldTable(table), maps))).toEqual(slowFold(recoded(table, maps)));
    }), { numRuns: 500 });
  });

  test("by a and then by b equals roll-up by both at once", () => {
    const twice = tables().chain((table) => keyChanges(table).chain((first) => {
      const middle = recoded(table, first);
      return keyChanges(middle).map((second) => ({ table, first, second, middle }));
    }));
    fc.assert(fc.property(twice, ({ table, first, second, middle }) => {
      const cells = foldTable(table);
      let next = 0;
      const both = first.map((map, key): KeyChange => {
        if (map === "drop") return "drop";
        const then = second[next]!;
        const size = middle.sizes[next++]!;
        if (then === "drop") return "drop";
        if (then === null) return map;
        const from = map?.map ?? Int32Array.from({ length: table.sizes[key]! }, (_, code) => code);
        expect(size).toBe(map?.size ?? table.sizes[key]!);
        return { map: from.map((code) => (code < 0 ? -1 : then.map[code]!)), size: then.size };
      });
      expect(rollUp(rollUp(cells, first), second)).toEqual(rollUp(cells, both));
    }));
  });

  test("keeps the total of records and leaves its input alone", () => {
    fc.assert(fc.property(withChanges, ({ table, maps }) => {
      const cells = foldTable(table);
      const before = structuredClone(cells);
      const total = rollUp(cells, maps).records.reduce((sum, n) => sum + n, 0);
      expect(total).toBe(table.codes.length);
      expect(cells).toEqual(before);
    }));
  });

  /**
   * Ranges on both sides of the limits of the packing: one table entry per combination, one 32-bit word, two, and more.
   * The last three products are 2^32, just above it, and beyond 2^64.
   */
  test.each([
    { sizes: [2047, 2047] }, { sizes: [2047, 2048] }, { sizes: [32766, 65535] }, { sizes: [65535, 65535] },
    { sizes: [65536, 65535] }, { sizes: [2147483646, 2147483646] }, { sizes: [2147483646, 2147483646, 2147483646] },
    { sizes: [2147483646, 3, 2147483646, 70000, 70000, 5] },
  ])("orders and separates cells over ranges $sizes", ({ sizes }) => {
    const row = fc.tuple(...sizes.map((size) => fc.constantFrom(-1, 0, 1, size - 2, size - 1, size >> 1)));
    fc.assert(fc.property(fc.array(row, { maxLength: 60 }), (codes) => {
      const table: Table = {
        sizes, codes, values: codes.map((_, i) => i), weights: codes.map(() => 1), frequencies: [],
      };
      expect(listed(foldTable(table))).toEqual(slowFold(table));
    }), { numRuns: 50 });
  });

  test("a map that is too short, or leaves its range, is our defect", () => {
    const cells = foldTable({ sizes: [2], codes: [[0], [1]], values: [0, 0], weights: [1, 1], frequencies: [] });
    for (const map of [Int32Array.of(0), Int32Array.of(0, 1), Int32Array.of(0, -2)]) {
      expect(() => rollUp(cells, [{ map, size: 1 }])).toThrow(expect.objectContaining({ code: "cells/code-map" }));
    }
    expect(() => rollUp(cells, [])).toThrow(expect.objectContaining({ code: "cells/roll-up-maps" }));
  });
});

describe("merge", () => {
  test("of the parts equals the fold of the whole, in any order and any nesting", () => {
    fc.assert(fc.property(tables(), fc.nat({ max: 40 }), fc.nat({ max: 40 }), (table, a, b) => {
      const part = (from: number, to: number): Cells => foldTable({
        ...table, codes: table.codes.slice(from, to), values: table.values.slice(from, to), weights: table.weights.slice(from, to),
      });
      const [first, second] = [Math.min(a, b), Math.max(a, b)];
      const [x, y, z] = [part(0, first), part(first, second), part(second, 40)];
      const whole = foldTable(table);
      expect(merge([x, y, z])).toEqual(whole);
      expect(merge([z, x, y])).toEqual(whole);
      expect(merge([x, merge([y, z])])).toEqual(whole);
      expect(merge([merge([x, y]), z])).toEqual(whole);
    }));
  });

  test("refuses cells over other keys, and no cells at all", () => {
    const cells = (key: string): Cells => new Folder({ keys: [key] }).finish([1]);
    expect(() => merge([cells("a"), cells("b")])).toThrow(expect.objectContaining({ code: "cells/merge-mismatch" }));
    expect(() => merge([])).toThrow(InternalError);
  });
});
