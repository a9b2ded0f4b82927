import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { sortAndCount, type WordList } from "../../src/kernels/packed-words.ts";
import { sortKernel } from "../../src/kernels/sort-kernel.ts";

afterEach(() => vi.unstubAllGlobals());

/** Long enough for the kernel. */
const LONG = 1 << 14;

interface Shape {
  readonly size: number;
  /** Bits that occur in the first and the last word; 0 for the first means that there is none. */
  readonly firstBits: number;
  readonly lastBits: number;
  readonly counted: boolean;
  readonly seed: number;
}

/** Words that look random: the mixing function of MurmurHash3 over a counter. */
function wordsFrom(seed: number): () => number {
  let counter = seed | 0;
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    let word = Math.imul(counter ^ (counter >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    return (word ^ (word >>> 16)) >>> 0;
  };
}

function listOf({ size, firstBits, lastBits, counted, seed }: Shape): WordList {
  const next = wordsFrom(seed);
  const word = (bits: number): number => (bits === 0 ? 0 : next() >>> (32 - bits));
  return {
    size,
    words: [Uint32Array.from({ length: firstBits === 0 ? 0 : size }, () => word(firstBits)), Uint32Array.from({ length: size }, () => word(lastBits))],
    count: counted ? Float64Array.from({ length: size }, () => 1 + (next() % 1000)) : undefined,
  };
}

const bytesIn = ({ buffer, byteOffset, byteLength }: Uint32Array | Float64Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);
const copyOf = ({ size, words, count }: WordList): WordList => ({ size, words: words.map((own) => own.slice()), count: count?.slice() });

describe("sortAndCount", () => {
  test("gives the same with WebAssembly and without", () => {
    const shape = fc.record({
      size: fc.integer({ min: LONG, max: LONG + 3000 }),
      firstBits: fc.constantFrom(0, 0, 1, 7, 31, 32),
      lastBits: fc.constantFrom(0, 1, 11, 12, 22, 27, 31, 32),
      counted: fc.boolean(),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(shape, (own) => {
        const list = listOf(own);
        const found = sortAndCount(copyOf(list));
        vi.stubGlobal("WebAssembly", undefined);
        const plain = sortAndCount(copyOf(list));
        vi.unstubAllGlobals();
        expect(found.size).toBe(plain.size);
        found.words.forEach((own, word) => expect(Buffer.compare(bytesIn(own), bytesIn(plain.words[word]!))).toBe(0));
        expect(Buffer.compare(bytesIn(found.count!), bytesIn(plain.count!))).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  test.each([0, 1, 2, LONG - 1, LONG])("a list of %i agrees with a Map", (size) => {
    const list = listOf({ size, firstBits: 3, lastBits: 9, counted: true, seed: 5 });
    const sums = new Map<number, number>();
    for (let i = 0; i < size; i++) {
      const key = list.words[0]![i]! * 2 ** 32 + list.words[1]![i]!;
      sums.set(key, (sums.get(key) ?? 0) + list.count![i]!);
    }
    const sorted = [...sums].sort(([a], [b]) => a - b);
    const found = sortAndCount(list);
    expect(found.size).toBe(sorted.length);
    expect(Array.from({ length: found.size }, (_, i) => [found.words[0]![i]! * 2 ** 32 + found.words[1]![i]!, found.count![i]])).toEqual(sorted);
  });
});

test("the kernel sorts by the bits asked for and keeps the order of equal entries", () => {
  const kernel = sortKernel(4, "counted")!;
  kernel.entries.set([5, 0, 0, 0, 5, 1, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0]);
  for (let i = 0; i < 4; i++) kernel.doubles[i * 2 + 1] = i;
  const { entries, doubles } = kernel.sort(33);
  expect([0, 1, 2, 3].map((i) => [entries[i * 4], entries[i * 4 + 1], doubles[i * 2 + 1]])).toEqual([[2, 0, 2], [5, 0, 0], [5, 0, 3], [5, 1, 1]]);
});

test.each(["word", "pair"] as const)("runs of equal entries are joined (%s)", (kind) => {
  const kernel = sortKernel(5, kind)!;
  const stride = kind === "word" ? 1 : 2;
  [7, -1, 7, 3, -1].forEach((value, i) => (kernel.entries[i * stride] = value));
  const { distinct, entries, ends } = kernel.sort(32).joinRuns();
  expect(Array.from({ length: distinct }, (_, i) => [entries[i * stride]! >>> 0, ends[i]])).toEqual([[3, 1], [7, 3], [2 ** 32 - 1, 5]]);
});

test("no entries, and more than memory holds", () => {
  const sorted = sortKernel(0, "pair")!.sort(20);
  expect(sorted.entries).toHaveLength(0);
  expect(sorted.joinRuns().distinct).toBe(0);
  expect(sortKernel(2 ** 40, "word")).toBeUndefined();
});
