import fc from "fast-check";
import { expect, test } from "vitest";
import { groupCodes, groupScratch } from "../../src/kernels/group-codes.ts";
import { sortedOrder } from "../../src/kernels/sort-words.ts";

interface Rows {
  readonly cardinalities: readonly number[];
  readonly rows: readonly (readonly number[])[];
}

/** Ranges for a direct table, for one word, for two and for more. */
const someRows: fc.Arbitrary<Rows> = fc.array(fc.constantFrom(0, 1, 3, 300, 70_000, 2 ** 31 - 2), { maxLength: 5 })
  .chain((cardinalities) => fc.record({
    cardinalities: fc.constant(cardinalities),
    rows: fc.array(fc.tuple(...cardinalities.map((n) => (n === 0 ? fc.constant(-1) : fc.constantFrom(-1, 0, n >> 1, n - 1)))), { maxLength: 50 }),
  }));

function columnsOf({ cardinalities, rows }: Rows): Int32Array[] {
  return cardinalities.map((_, key) => Int32Array.from([...rows.map((row) => row[key]!), 77])); // one stale entry
}

function slowGroups(rows: readonly (readonly number[])[]): number[] {
  const groups = new Map<string, number>();
  return rows.map((row) => {
    const id = JSON.stringify(row);
    if (!groups.has(id)) groups.set(id, groups.size);
    return groups.get(id)!;
  });
}

test("groups agree with a Map, whatever the calls before have left in the scratch", () => {
  const scratch = groupScratch();
  fc.assert(fc.property(someRows, (table) => {
    const groups = groupCodes(columnsOf(table), table.cardinalities, table.rows.length, scratch);
    const expected = slowGroups(table.rows);
    expect([...scratch.groupOf.subarray(0, table.rows.length)]).toEqual(expected);
    expect(groups).toBe(new Set(expected).size);
    for (let g = 0; g < groups; g++) expect(scratch.representative[g]).toBe(expected.indexOf(g));
    expect(scratch.direct.every((entry) => entry === 0)).toBe(true);
  }), { numRuns: 500 });
});

test("recoding on the fly is recoding before", () => {
  const scratch = groupScratch();
  const table = fc.array(fc.tuple(fc.integer({ min: -1, max: 5 }), fc.integer({ min: -1, max: 5 })), { maxLength: 40 });
  const lookup = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 6, maxLength: 6 }).map((codes) => Int32Array.of(0, ...codes));
  fc.assert(fc.property(table, lookup, (rows, map) => {
    const groups = groupCodes(columnsOf({ cardinalities: [6, 6], rows }), [3, 6], rows.length, scratch, [map, null]);
    const expected = slowGroups(rows.map(([a, b]) => [map[a + 1]! - 1, b]));
    expect([...scratch.groupOf.subarray(0, rows.length)]).toEqual(expected);
    expect(groups).toBe(new Set(expected).size);
  }));
});

test("many rows over several blocks, with few groups and with as many as rows", () => {
  const scratch = groupScratch();
  const rows = 20_000;
  for (const size of [4, 500, 2 ** 31 - 2]) {
    const columns = [Int32Array.from({ length: rows }, (_, i) => i % Math.min(size, 5000)), Int32Array.from({ length: rows }, (_, i) => (i % 5) - 1)];
    const groups = groupCodes(columns, [size, size], rows, scratch);
    const expected = slowGroups(Array.from({ length: rows }, (_, i) => [columns[0]![i]!, columns[1]![i]!]));
    expect(groups).toBe(Math.max(...expected) + 1);
    expect(Buffer.compare(new Uint8Array(scratch.groupOf.buffer, 0, rows * 4), new Uint8Array(Int32Array.from(expected).buffer))).toBe(0);
  }
});

test("buffers that suffice are kept", () => {
  const scratch = groupScratch();
  const columns = [Int32Array.from({ length: 9000 }, (_, i) => i)];
  groupCodes(columns, [9000], 9000, scratch);
  const { groupOf, representative, direct } = scratch;
  groupCodes(columns, [9000], 9000, scratch);
  expect(scratch.groupOf).toBe(groupOf);
  expect(scratch.representative).toBe(representative);
  expect(scratch.direct).toBe(direct);
});

test("no rows; no keys", () => {
  expect(groupCodes([new Int32Array(0)], [4], 0, groupScratch())).toBe(0);
  expect(groupCodes([], [], 0, groupScratch())).toBe(0);
  expect(groupCodes([], [], 3, groupScratch())).toBe(1);
});

test("rows of words are sorted, and equal ones keep their order", () => {
  const word = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(2 ** 11 - 1, 2 ** 11, 2 ** 22, 2 ** 32 - 1));
  fc.assert(fc.property(fc.array(fc.tuple(word, word), { maxLength: 40 }), (rows) => {
    const words = [0, 1].map((w) => Uint32Array.from(rows, (row) => row[w]!));
    const order = sortedOrder(words, [2 ** 32, 2 ** 32], rows.length);
    const expected = rows.map((_, i) => i).sort((a, b) => rows[a]![0] - rows[b]![0] || rows[a]![1] - rows[b]![1] || a - b);
    expect([...order]).toEqual(expected);
  }));
});
