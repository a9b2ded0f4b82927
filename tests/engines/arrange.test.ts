import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Dictionary } from "../../src/columns/index.ts";
import { arrangePartition, batchOfRuns, type ArrangeColumn, type LaneBlocks } from "../../src/engines/local/arrange.ts";

/** Arranging looks at sizes of dictionaries only. */
const dictionaryOf = (size: number): Dictionary => ({ size, offsets: new Uint32Array(0), bytes: new Uint8Array(0) });

type Row = readonly (number | null)[];

/** Class first, then codes (null is -1) and numbers (null is NaN) in the order of the columns; keys have no part of their own. */
function inOrder(kinds: readonly ArrangeColumn["kind"][], rows: readonly Row[]): Row[] {
  const rank = (value: number | null): number => value ?? -Infinity;
  const by = [0, ...kinds.flatMap((kind, c) => (kind === "codes" ? [c + 1] : [])), ...kinds.flatMap((kind, c) => (kind === "numbers" ? [c + 1] : []))];
  return rows.toSorted((a, b) => {
    for (const part of by) {
      const [left, right] = [rank(a[part]!), rank(b[part]!)];
      if (left !== right) return left < right ? -1 : 1;
    }
    return 0;
  });
}

/** Kept records as lanes hold them: lane `l` has its codes turned round. */
function blocksOf(kinds: readonly ArrangeColumn["kind"][], sizes: readonly number[], rows: readonly Row[], lanes: number, perBlock: number): { words: number; wordOf: number[]; blocks: LaneBlocks[] } {
  let words = 1;
  const wordOf = kinds.map((kind) => {
    const word = words;
    words += kind === "key" ? 0 : kind === "codes" ? 1 : 2;
    return word;
  });
  const blocks = Array.from({ length: lanes }, (_, lane): LaneBlocks => {
    const own = rows.filter((_row, i) => i % lanes === lane);
    const turned = (code: number, c: number): number => (lane % 2 === 0 ? code : sizes[c]! - 1 - code);
    const toReleased = kinds.map((kind, c) => (kind === "codes" ? Int32Array.from({ length: sizes[c]! }, (_c, code) => turned(code, c)) : undefined));
    const packed: Uint32Array[] = [];
    for (let from = 0; from < own.length; from += perBlock) {
      const part = own.slice(from, from + perBlock);
      const block = new Uint32Array(part.length * words);
      part.forEach((row, i) => {
        block[i * words] = row[0]!;
        kinds.forEach((kind, c) => {
          const value = row[c + 1]!;
          const at = i * words + wordOf[c]!;
          if (kind === "codes") block[at] = value === null ? 0xffffffff : turned(value, c);
          if (kind === "numbers") block.set(new Uint32Array(Float64Array.of(value ?? NaN).buffer), at);
        });
      });
      packed.push(block);
    }
    return { blocks: packed, toReleased };
  });
  return { words, wordOf, blocks };
}

const scene = fc
  .record({
    kinds: fc.array(fc.constantFrom<ArrangeColumn["kind"]>("key", "codes", "numbers"), { maxLength: 5 }),
    // Larger dictionaries have too many combinations to count by.
    size: fc.constantFrom(1, 3, 40, 70_000),
    firstClass: fc.constantFrom(0, 1, 500),
    lanes: fc.integer({ min: 1, max: 3 }),
    perBlock: fc.integer({ min: 1, max: 7 }),
  })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      rows: fc.array(
        fc.tuple(
          fc.integer({ min: shape.firstClass, max: shape.firstClass + 4 }),
          ...shape.kinds.map((kind) =>
            kind === "codes"
              ? fc.option(fc.nat({ max: Math.min(2, shape.size - 1) }))
              : kind === "numbers"
                ? fc.oneof(fc.constantFrom<number | null>(null, 0, -0, 1.5, -1.5, Infinity), fc.double({ noNaN: true }))
                : fc.constant(0)),
        ),
        { maxLength: 60 },
      ),
    }));

describe("records of a partition are put in order", () => {
  test("by class, codes and numbers, like a sort of rows, whatever lanes and blocks they come from", () => {
    fc.assert(
      fc.property(scene, ({ shape: { kinds, size, lanes, perBlock }, rows }) => {
        const sizes = kinds.map(() => size);
        const { words, wordOf, blocks } = blocksOf(kinds, sizes, rows, lanes, perBlock);
        const codeOfClass = Int32Array.from({ length: 600 }, (_, cell) => (cell * 7) % 11 - 1);
        const columns = kinds.map((kind, c): ArrangeColumn =>
          kind === "key"
            ? { kind, codeOfClass, dictionary: dictionaryOf(11) }
            : kind === "codes"
              ? { kind, word: wordOf[c]!, dictionary: dictionaryOf(size) }
              : { kind, word: wordOf[c]! });
        const runs = arrangePartition({ columns, words }, blocks);
        const batch = batchOfRuns(runs);
        const expected = inOrder(kinds, rows);

        expect(batch.records).toBe(rows.length);
        batch.columns.forEach((column, c) => {
          if (column.kind === "numbers") expect(column.values).toEqual(Float64Array.from(expected, (row) => (row[c + 1] ?? NaN) + 0));
          else {
            const code = (row: Row): number => (kinds[c] === "key" ? codeOfClass[row[0]!]! : (row[c + 1] ?? -1));
            expect(column.codes).toEqual(Int32Array.from(expected, code));
          }
        });
        // Runs are as long as they can be, and none is empty.
        const alike = (a: Row, b: Row): boolean => a[0] === b[0] && kinds.every((kind, c) => kind !== "codes" || a[c + 1] === b[c + 1]);
        const starts = expected.flatMap((row, i) => (i > 0 && alike(row, expected[i - 1]!) ? [] : [i]));
        expect(runs.starts).toEqual(Uint32Array.of(...starts, rows.length));
      }),
      { numRuns: 250 },
    );
  });

  test("long runs of numbers, and every kind of NaN is null", () => {
    const rows = Array.from({ length: 500 }, (_, i): Row => [3, i % 5 === 0 ? null : ((i * 7919) % 500) - 250]);
    const { words, wordOf, blocks } = blocksOf(["numbers"], [0], rows, 1, 64);
    blocks[0]!.blocks[0]![2] = 0xfff80001; // high word of another NaN
    const { columns } = arrangePartition({ columns: [{ kind: "numbers", word: wordOf[0]! }], words }, blocks);
    const { values } = columns[0] as { values: Float64Array };
    const numbers = rows.map((row) => row[1]!).filter((value) => value !== null);
    expect(values.subarray(100)).toEqual(Float64Array.from(numbers).sort());
    const bits = new BigUint64Array(values.buffer, 0, 100);
    expect([...new Set(bits)]).toEqual([new BigUint64Array(Float64Array.of(NaN).buffer)[0]]);
  });
});
