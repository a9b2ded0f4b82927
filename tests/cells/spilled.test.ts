import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DictionaryBuilder } from "../../src/columns/index.ts";
import type { Spill, SpillHandle } from "../../src/columns/spill.ts";
import {
  decodeCells, encodeCells, foldToStore, memoryStore, merge, rollUp, SpillingFolder, type Cells, type CellStore, type KeyChange,
} from "../../src/cells/index.ts";
import { DataError, InternalError } from "../../src/errors/index.ts";
import { batchesOf, codeMaps, foldTable, tables, type Table } from "./tables.ts";

class MemorySpill implements Spill {
  readonly blocks = new Map<number, Uint8Array>();
  size = 0;
  closed = 0;

  append(bytes: Uint8Array): Promise<SpillHandle> {
    const handle = { offset: this.size, length: bytes.length };
    this.blocks.set(this.size, bytes.slice());
    this.size += bytes.length;
    return Promise.resolve(handle);
  }

  read(handle: SpillHandle): Promise<Uint8Array> {
    return Promise.resolve(this.blocks.get(handle.offset)!.slice());
  }

  close(): Promise<void> {
    this.closed++;
    this.blocks.clear();
    return Promise.resolve();
  }
}

async function partsOf(store: CellStore): Promise<Cells[]> {
  const parts: Cells[] = [];
  for await (const part of store.partitions()) parts.push(part);
  return parts;
}

/** Equal to the last bit; entry by entry, the comparison of large arrays takes seconds. */
function same(a: Cells, b: Cells): boolean {
  return Buffer.compare(encodeCells(a), encodeCells(b)) === 0;
}

/** Rows over about 40,000 cells, each of which comes back several times. */
function bigTable(rows: number): Table {
  let state = 12345;
  const next = (n: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  return {
    sizes: [300, 150],
    codes: Array.from({ length: rows }, () => [next(300), next(151) - 1]),
    values: Array.from({ length: rows }, () => (next(10) === 0 ? NaN : next(1000) - 500)),
    weights: Array.from({ length: rows }, () => next(5)),
    frequencies: [],
  };
}

async function spillTable(table: Table, budgetBytes: number, cut: number): Promise<{ store: CellStore; spill: MemorySpill }> {
  const spill = new MemorySpill();
  const folder = new SpillingFolder(
    { keys: table.sizes.map((_, key) => `key${key}`), measures: ["value"], weight: true },
    { budgetBytes, openSpill: () => Promise.resolve(spill) },
  );
  for (let start = 0; start < table.codes.length; start += cut) {
    const codes = table.codes.slice(start, start + cut);
    await folder.add(codes.length, table.sizes.map((_, key) => Int32Array.from(codes, (row) => row[key]!)), {
      measures: [Float64Array.from(table.values.slice(start, start + cut))],
      weight: Float64Array.from(table.weights.slice(start, start + cut)),
    });
  }
  return { store: await folder.finish(table.sizes), spill };
}

describe("spilled cells", () => {
  const table = bigTable(120_000);
  const inMemory = foldTable(table);

  test.each([{ cut: 1000 }, { cut: 50_000 }, { cut: 120_000 }])("are the cells that memory would hold, cut at $cut", async ({ cut }) => {
    const { store, spill } = await spillTable(table, 2_800_000, cut);
    expect(spill.size).toBeGreaterThan(0);
    expect(store.size).toBeUndefined();
    const parts = await partsOf(store);
    expect(parts.length).toBe(64);
    expect(parts.reduce((sum, part) => sum + part.size, 0)).toBe(inMemory.size); // no cell in two parts
    expect(same(merge(parts), inMemory)).toBe(true);
    expect(Math.max(...parts.map((part) => part.size))).toBeLessThan((inMemory.size / 64) * 1.5);

    const maps: KeyChange[] = [{ map: Int32Array.from({ length: 300 }, (_, code) => code % 7), size: 7 }, null];
    expect(same(await store.rollUp(maps), rollUp(inMemory, maps))).toBe(true);
    expect(same(await store.rollUp([null, "drop"]), rollUp(inMemory, [null, "drop"]))).toBe(true);
    expect(same(await store.rollUp(["drop", "drop"]), rollUp(inMemory, ["drop", "drop"]))).toBe(true);
    expect(same(await store.rollUp([null, null]), inMemory)).toBe(true);
    await store.close();
    expect(spill.blocks.size).toBe(0);
  });

  test("stay in memory within the budget", async () => {
    const { store, spill } = await spillTable(table, 2 ** 30, 10_000);
    expect(spill.size).toBe(0);
    expect(store.size).toBe(inMemory.size);
    const parts = await partsOf(store);
    expect(parts.length).toBe(1);
    expect(same(parts[0]!, inMemory)).toBe(true);
  });

  test("that do not fit when asked for at once are refused, parts are not", async () => {
    const { store } = await spillTable(table, 1_000_000, 10_000);
    expect((await partsOf(store)).length).toBe(64);
    await expect(store.rollUp([null, null])).rejects.toThrow(DataError);
    await expect(store.rollUp([null, null])).rejects.toMatchObject({ code: "cells/over-budget" });
    expect(same(await store.rollUp([null, "drop"]), rollUp(inMemory, [null, "drop"]))).toBe(true);
  });

  test("fold of batches within a budget; a failing pass leaves no spill", async () => {
    const dictionary = (size: number) => DictionaryBuilder.from(Array.from({ length: size }, (_, code) => String(code)));
    const small = bigTable(30_000);
    const spec = {
      keys: [{ name: "key0", column: 0 }, { name: "key1", column: 1 }], measures: [{ name: "value", column: 2 }], weight: 3,
    };
    const spill = new MemorySpill();
    const options = { budgetBytes: 0, openSpill: () => Promise.resolve(spill) };
    const { store, rows } = await foldToStore(batchesOf(small, 9_999, dictionary), spec, options);
    expect(rows).toBe(30_000);
    expect(spill.size).toBeGreaterThan(0);
    expect(store.sizes).toEqual([300, 150]);
    expect(store.size).toBeUndefined();
    await store.close();
    expect(spill.closed).toBe(1);

    const failing = new MemorySpill();
    const weights = small.weights.with(29_999, -1);
    const run = foldToStore(
      batchesOf({ ...small, weights }, 9_999, dictionary), spec, { budgetBytes: 0, openSpill: () => Promise.resolve(failing) },
    );
    await expect(run).rejects.toMatchObject({ code: "cells/bad-weight", detail: { row: 30_000 } });
    expect(failing.size).toBeGreaterThan(0);
    expect(failing.closed).toBe(1);
  });

  test("without records", async () => {
    const { store } = await spillTable({ sizes: [3], codes: [], values: [], weights: [], frequencies: [] }, 0, 1);
    expect(await partsOf(store)).toEqual([]);
    expect((await store.rollUp(["drop"])).size).toBe(0);
    await store.close();
    await store.close();
  });

  test("the memory store rolls up as cells do", async () => {
    const changes = tables({ minKeys: 1, maxKeys: 1 }).chain((t) => codeMaps(t.sizes[0]!).map((map) => ({ t, map })));
    await fc.assert(fc.asyncProperty(changes, async ({ t, map }) => {
      const cells = foldTable(t);
      expect(await memoryStore(cells).rollUp([map])).toEqual(rollUp(cells, [map]));
    }), { numRuns: 30 });
  });
});

describe("cells as bytes", () => {
  test("come back as they were, from any offset", () => {
    fc.assert(fc.property(tables(), fc.nat({ max: 9 }), (table, offset) => {
      const cells = foldTable(table);
      const bytes = encodeCells(cells);
      const moved = new Uint8Array(bytes.length + offset);
      moved.set(bytes, offset);
      expect(decodeCells(moved.subarray(offset))).toEqual(cells);
    }));
  });

  test.each([0, 1, 254, 255, 256, 65_534, 65_535, 65_536, 2 ** 31 - 2])("codes up to %i", (code) => {
    const cells: Cells = {
      keys: ["a"], sizes: [2 ** 31 - 1], size: 2, codes: [Int32Array.of(-1, code)], records: Float64Array.of(1, code + 1), measures: [],
    };
    expect(decodeCells(encodeCells(cells))).toEqual(cells);
  });

  test("records up to 2^53 - 1", () => {
    const cells: Cells = { keys: [], sizes: [], size: 1, codes: [], records: Float64Array.of(2 ** 53 - 1), measures: [] };
    expect(decodeCells(encodeCells(cells))).toEqual(cells);
  });

  test("small codes take one byte each", () => {
    const cells = foldTable({
      sizes: [200, 200], codes: Array.from({ length: 10_000 }, (_, i) => [i % 200, Math.floor(i / 200)]),
      values: [], weights: Array.from({ length: 10_000 }, () => 0), frequencies: [],
    });
    const { weight: _, ...unweighted } = cells;
    expect(encodeCells({ ...unweighted, measures: [] }).length).toBeLessThan(10_000 * 3 + 300);
  });

  test("anything else is refused", () => {
    const bytes = encodeCells(foldTable({ sizes: [2], codes: [[1]], values: [1], weights: [1], frequencies: [] }));
    for (const wrong of [new Uint8Array(0), bytes.subarray(0, 16), bytes.subarray(0, bytes.length - 8), bytes.map((b, i) => (i === 0 ? b ^ 1 : b))]) {
      expect(() => decodeCells(wrong)).toThrow(InternalError);
    }
  });
});
