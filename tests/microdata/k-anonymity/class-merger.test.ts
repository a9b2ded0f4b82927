import { afterEach, expect, test, vi } from "vitest";
import { classMerger } from "../../../src/microdata/k-anonymity/class-merger.ts";
import { AS_IT_IS, type Recoding } from "../../../src/microdata/k-anonymity/kernel.ts";

afterEach(() => vi.unstubAllGlobals());

const SIZE = 20_000;
const words = Int32Array.from({ length: SIZE }, (_, i) => Math.imul(i, 0x9e3779b1) & 0xffff07ff);
const records = Float64Array.from({ length: SIZE }, (_, i) => 1 + (i % 5));

/** Field of 16 bits at 16: halved; field of 11 bits at 0: one value, put as 1. */
const change = Int32Array.from({ length: 1 << 16 }, (_, code) => (code ^ (code >>> 8)) << 16);
const recodings: readonly (readonly [string, Recoding])[] = [
  ["as it is", AS_IT_IS],
  ["one key recoded", { keep: -1, put: 0, changes: [{ shift: 16, mask: 0xffff, change }] }],
  ["one key put, another recoded", { keep: ~0x7ff, put: 1, changes: [{ shift: 16, mask: 0xffff, change }] }],
];

const cases = ["with WebAssembly", "without"].flatMap((how) => recodings.map(([what, recoding]) => ({ how, what, recoding })));

test.each(cases)("words are recoded and merged, after groups already there: $what, $how", ({ how, recoding }) => {
  if (how === "without") vi.stubGlobal("WebAssembly", undefined);
  const merger = classMerger(SIZE, (1 << 16) + (1 << 11));
  // Twice, so that what is kept between roll-ups is used again.
  for (const from of [0, 3]) {
    merger.begin(recoding);
    const expected = [new Map<number, number>(), new Map<number, number>()];
    words.forEach((word, i) => {
      if (i < from) return;
      let recoded = (word & recoding.keep) | recoding.put;
      for (const { shift, mask } of recoding.changes) recoded ^= change[(word >>> shift) & mask]!;
      const part = expected[i < 9_000 ? 0 : 1]!;
      part.set(recoded, (part.get(recoded) ?? 0) + records[i]!);
    });
    const first = merger.merge(words, records, from, 9_000, 15, 0, 0);
    const both = merger.merge(words, records, 9_000, SIZE, 16, 0, first);
    const found = Array.from({ length: both }, (_, group) => [merger.words[group]!, merger.records[group]!]);
    expect(found).toEqual([...expected[0]!, ...expected[1]!]);
  }
});
