import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { searchableBytes } from "../../src/kernels/byte-search.ts";

afterEach(() => vi.unstubAllGlobals());

const searched = fc.record({
  content: fc.array(fc.constantFrom(0, 34, 128, 255), { maxLength: 3 }),
  place: fc.nat({ max: 200 }),
  from: fc.nat({ max: 200 }),
  length: fc.nat({ max: 200 }),
  byte: fc.constantFrom(0, 34, 128, 255),
});

test.each([["WebAssembly", WebAssembly], ["no WebAssembly", undefined]])("bytes are found where they are and not beyond the ends (%s)", (_, host) => {
  vi.stubGlobal("WebAssembly", host);
  const own = searchableBytes(500);
  expect(own.bytes).toHaveLength(500);
  fc.assert(
    fc.property(searched, ({ content, place, from, length, byte }) => {
      own.bytes.fill(7);
      own.bytes.set(content, place);
      expect(own.has(byte, from, from + length)).toBe(own.bytes.slice(from, from + length).includes(byte));
    }),
    { numRuns: 1000 },
  );
});
