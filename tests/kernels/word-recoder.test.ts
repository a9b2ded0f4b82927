import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { PACK_BLOCK } from "../../src/kernels/block-packer.ts";
import { wordRecoder, type FieldMove } from "../../src/kernels/word-recoder.ts";

afterEach(() => vi.unstubAllGlobals());

const SIZE = 2 * PACK_BLOCK + 77;
const first = Uint32Array.from({ length: SIZE }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 0);
const last = Uint32Array.from({ length: SIZE }, (_, i) => Math.imul(i + 7, 0x85ebca6b) >>> 0);

const moves = fc.array(
  fc.record({ word: fc.constantFrom(0 as const, 1 as const), shift: fc.nat({ max: 28 }), toWord: fc.constantFrom(0 as const, 1 as const), seed: fc.nat({ max: 99 }) }),
  { minLength: 1, maxLength: 8 },
).map((fields) => fields.map(({ seed, ...field }, m): FieldMove => {
  return { ...field, mask: 15, toShift: m * 4, lookup: Int32Array.from({ length: 16 }, (_, code) => (code * 7 + seed) % 16) };
}));

test.each(["with WebAssembly", "without"])("moves and counts every code, from where it begins, %s", (how) => {
  if (how === "without") vi.stubGlobal("WebAssembly", undefined);
  fc.assert(
    fc.property(moves, fc.nat({ max: SIZE }), fc.nat({ max: 50 }), (fields, size, at) => {
      const target = [new Uint32Array(size + at).fill(5, 0, at), new Uint32Array(size + at).fill(6, 0, at)];
      const recoder = wordRecoder(fields);
      recoder.recode([first, last], size, target, at);
      const expected = [new Uint32Array(size + at).fill(5, 0, at), new Uint32Array(size + at).fill(6, 0, at)];
      const counts = fields.map(() => new Uint32Array(16));
      fields.forEach(({ word, shift, mask, toWord, toShift, lookup }, m) => {
        for (let i = 0; i < size; i++) {
          const code = ([first, last][word]![i]! >>> shift) & mask;
          expected[toWord]![at + i]! |= lookup[code]! << toShift;
          counts[m]![code]!++;
        }
      });
      expect(target.map((own) => Buffer.from(own.buffer).toString("base64"))).toEqual(expected.map((own) => Buffer.from(own.buffer).toString("base64")));
      expect(recoder.counts()).toEqual(counts);
    }),
    { numRuns: 30 },
  );
});
