import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cellsOfPacked, Folder, hasNulls, marginsOf, packedForm, packedLayout, PackedFolder, rollUp, sharedList, type Cells,
} from "../../src/cells/index.ts";
import { countDigits, placeRange, rangesOf, sortRange } from "../../src/engines/local/exchange.ts";
import type { WordList } from "../../src/kernels/packed-words.ts";

/** Records over up to four keys with up to `most` codes each, null among them. */
const records = (most: number) =>
  fc.integer({ min: 1, max: 4 }).chain((keys) =>
    fc.record({
      keys: fc.constant(keys),
      rows: fc.array(fc.array(fc.integer({ min: -1, max: most - 1 }), { minLength: keys, maxLength: keys }), { maxLength: 60 }),
      cuts: fc.array(fc.nat({ max: 60 }), { maxLength: 3 }),
      merged: fc.array(fc.integer({ min: -1, max: 5 }), { minLength: 7, maxLength: 7 }),
    }),
  );

function columns(rows: readonly (readonly number[])[], keys: number): Int32Array[] {
  return Array.from({ length: keys }, (_, key) => Int32Array.from(rows, (row) => row[key]!));
}

function names(keys: number): string[] {
  return Array.from({ length: keys }, (_, key) => `k${key}`);
}

function cellsOf(list: WordList, keys: readonly string[], sizes: readonly number[]): Cells {
  return cellsOfPacked(list, marginsOf(list, packedLayout(sizes)!, sizes), keys, sizes);
}

describe("PackedFolder", () => {
  test.each([
    { most: 5, what: "one word" },
    { most: 10_000, what: "two words" },
  ])("gives the cells of the hash fold, recoded ($what)", ({ most }) => {
    fc.assert(
      fc.property(records(most), ({ keys, rows, cuts, merged }) => {
        const packed = new PackedFolder(keys);
        const hashed = new Folder({ keys: names(keys) });
        const places = [0, ...cuts.map((cut) => Math.min(cut, rows.length)).sort((a, b) => a - b), rows.length];
        for (let part = 1; part < places.length; part++) {
          const own = rows.slice(places[part - 1], places[part]);
          packed.add(own.length, columns(own, keys));
          hashed.add(own.length, columns(own, keys));
        }
        const map = Int32Array.from({ length: most }, (_, code) => merged[code % merged.length]!);
        const sizes = names(keys).map(() => 6);
        const expected = rollUp(hashed.finish(names(keys).map(() => most)), names(keys).map(() => ({ map, size: 6 })));
        const found = cellsOf(packed.finish(names(keys).map(() => map), sizes), names(keys), sizes);
        expect(found.size).toBe(expected.size);
        expect(found.codes.map((codes) => [...codes])).toEqual(expected.codes.map((codes) => [...codes]));
        expect([...found.records]).toEqual([...expected.records]);
      }),
      { numRuns: most > 1000 ? 30 : 200 },
    );
  });

  test("lanes that cut, sort and join give what one lane gives", () => {
    fc.assert(
      fc.property(records(300), fc.integer({ min: 1, max: 4 }), fc.boolean(), ({ keys, rows }, lanes, firstHasCells) => {
        const sizes = names(keys).map(() => 300);
        const identity = Int32Array.from({ length: 300 }, (_, code) => code);
        const maps = names(keys).map(() => identity);
        const folded = (own: readonly (readonly number[])[]) => {
          const folder = new PackedFolder(keys);
          folder.add(own.length, columns(own, keys));
          return folder;
        };
        const parts = Array.from({ length: lanes }, (_, lane) => {
          const folder = folded(rows.filter((_row, r) => r % lanes === lane));
          const counted = (list: WordList) => ({ list, margins: marginsOf(list, packedLayout(sizes)!, sizes) });
          return lane === 0 && firstHasCells ? counted(folder.finish(maps, sizes)) : folder.recoded(maps, sizes);
        });
        const layout = packedLayout(sizes)!;
        const lists = parts.map(({ list }) => list);
        const ranges = rangesOf(lists.map((list) => countDigits(list, layout)), lanes);
        expect(ranges.reduce((sum, { size }) => sum + size, 0)).toBe(lists.reduce((sum, { size }) => sum + size, 0));
        const sorted = ranges.map((range) => sortRange(lists, layout, range));
        const all = sharedList(sorted.reduce((sum, { size }) => sum + size, 0), layout, true);
        let at = 0;
        for (const range of sorted) {
          placeRange(range, at, all);
          at += range.size;
        }
        const joined = cellsOf(all, names(keys), sizes);
        names(keys).forEach((_, key) => {
          const margin = new Float64Array(301);
          for (const { margins } of parts) margins[key]!.forEach((of, code) => (margin[code] = margin[code]! + of));
          expect(margin).toEqual(packedForm(joined)!.margins[key]);
        });
        expect(joined).toEqual(cellsOf(folded(rows).finish(maps, sizes), names(keys), sizes));
      }),
    );
  });

  test("the packed form of cells says what the cells say, and a changed copy has none", () => {
    const sizes = [3, 70_000, 2];
    const folder = new PackedFolder(3);
    folder.add(4, [Int32Array.of(2, -1, 2, 0), Int32Array.of(69_999, 5, 69_999, 0), Int32Array.of(1, 0, 1, 0)]);
    const cells = cellsOf(folder.finish(sizes.map((size) => Int32Array.from({ length: size }, (_, code) => code)), sizes), names(3), sizes);
    expect(cells.codes).toEqual([Int32Array.of(-1, 0, 2), Int32Array.of(5, 0, 69_999), Int32Array.of(0, 0, 1)]);
    expect(cells.records).toEqual(Float64Array.of(1, 1, 2));
    expect(packedForm(cells)!.margins[0]).toEqual(Float64Array.of(1, 1, 0, 2));
    expect([0, 1, 2].map((key) => hasNulls(cells, key))).toEqual([true, false, false]);
    const changed = { ...cells, codes: [cells.codes[0]!, cells.codes[1]!, Int32Array.of(-1, 0, 1)] };
    expect(packedForm(changed)).toBeUndefined();
    expect([0, 1, 2].map((key) => hasNulls(changed, key))).toEqual([true, false, true]);
  });

  test("more records than the buffer holds, with keys that widen on the way", () => {
    const folder = new PackedFolder(2);
    const batch = 1 << 20;
    const expected = new Map<number, number>();
    for (let part = 0; part < 6; part++) {
      const first = Int32Array.from({ length: batch }, (_, i) => (i % 3) - 1 + part * 400);
      const second = Int32Array.from({ length: batch }, (_, i) => (i & 7) * (part + 1));
      folder.add(batch, [first, second]);
      for (let i = 0; i < batch; i++) {
        const cell = first[i]! * 64 + second[i]!;
        expected.set(cell, (expected.get(cell) ?? 0) + 1);
      }
    }
    const identity = Int32Array.from({ length: 3000 }, (_, code) => code);
    const { size, codes, records } = cellsOf(folder.finish([identity, identity], [3000, 3000]), names(2), [3000, 3000]);
    const found = new Map(Array.from({ length: size }, (_, cell) => [codes[0]![cell]! * 64 + codes[1]![cell]!, records[cell]!]));
    expect(size).toBe(found.size);
    expect([...found].sort(([a], [b]) => a - b)).toEqual([...expected].sort(([a], [b]) => a - b));
  });

  test("refuses keys that two words cannot hold, instead of mixing them up", () => {
    const folder = new PackedFolder(4);
    const wide = Int32Array.of(2 ** 20);
    expect(() => folder.add(1, [wide, wide, wide, wide])).toThrowError(expect.objectContaining({ code: "cells/not-packable" }));
    expect(packedLayout([2 ** 20, 2 ** 20, 2 ** 20, 2 ** 20])).toBeUndefined();
    expect(packedLayout([58, 7, 2, 100, 1700, 7])).toHaveLength(6);
  });
});
