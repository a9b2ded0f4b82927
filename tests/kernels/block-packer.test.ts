import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { blockPacker, PACK_BLOCK } from "../../src/kernels/block-packer.ts";

afterEach(() => vi.unstubAllGlobals());

const block = fc.record({
  codes: fc.array(fc.integer({ min: -1, max: 1023 }), { minLength: 1, maxLength: 50 }),
  start: fc.nat({ max: 10 }),
  shift: fc.integer({ min: 0, max: 22 }),
  word: fc.constantFrom<0 | 1>(0, 1),
});

test.each([["WebAssembly", WebAssembly], ["no WebAssembly", undefined]])("fields lie side by side, and what lay there before is gone (%s)", (_, host) => {
  vi.stubGlobal("WebAssembly", host);
  const packer = blockPacker();
  fc.assert(
    fc.property(block, ({ codes, start, shift, word }) => {
      const column = Int32Array.from([...Array.from({ length: start }, () => 5000), ...codes, 5000, 5000, 5000]);
      packer.begin(codes.length);
      expect(packer.add(column, start, word, shift)).toBe(Math.max(...codes) + 1);
      expect(packer.add(column.map((code) => (code === 5000 ? 5000 : code % 2)), start, word === 0 ? 1 : 0, 3)).toBe(Math.max(...codes.map((code) => code % 2)) + 1);
      expect([...packer.words[word]!.subarray(0, codes.length)]).toEqual(codes.map((code) => ((code + 1) << shift) >>> 0));
      const other = packer.words[word === 0 ? 1 : 0]!;
      expect([...other.subarray(0, codes.length)]).toEqual(codes.map((code) => ((code % 2) + 1) << 3));
    }),
    { numRuns: 300 },
  );
});

test.each([["WebAssembly", WebAssembly], ["no WebAssembly", undefined]])("a whole block, two columns in one word, and none (%s)", (_, host) => {
  vi.stubGlobal("WebAssembly", host);
  const packer = blockPacker();
  const codes = Int32Array.from({ length: PACK_BLOCK }, (_value, i) => i - 1);
  packer.begin(PACK_BLOCK);
  expect(packer.add(codes, 0, 1, 0)).toBe(PACK_BLOCK - 1);
  expect(packer.add(codes, 0, 1, 12)).toBe(PACK_BLOCK - 1);
  expect(packer.words[1]!.every((word, i) => word === (i | (i << 12)))).toBe(true);
  packer.begin(0);
  expect(packer.add(codes, 0, 0, 0)).toBe(0);
});
