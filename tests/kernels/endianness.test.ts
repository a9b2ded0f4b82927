import { afterEach, expect, test, vi } from "vitest";
import { blockPacker, PACK_BLOCK } from "../../src/kernels/block-packer.ts";
import { sortKernel } from "../../src/kernels/sort-kernel.ts";
import { wordRecoder } from "../../src/kernels/word-recoder.ts";
import { classMerger } from "../../src/microdata/k-anonymity/class-merger.ts";

vi.mock("../../src/kernels/wasm-module.ts", async (original) => ({ ...(await original<object>()), isLittleEndian: () => false }));
afterEach(() => vi.restoreAllMocks());

// Numbers written by typed arrays would be read with their bytes reversed, and counted wrongly without a word.
test.each([
  ["packing", () => blockPacker().words[0]!.length, PACK_BLOCK],
  ["sorting", () => sortKernel(100, "pair"), undefined],
  ["recoding", () => wordRecoder([{ word: 1, shift: 0, mask: 3, toWord: 1, toShift: 0, lookup: new Int32Array(4) }]).counts(), [new Uint32Array(4)]],
  ["merging", () => classMerger(10, 16).words.length, 10],
])("where words are big-endian, %s does without WebAssembly", (_, start, expected) => {
  const memory = vi.spyOn(WebAssembly, "Memory");
  expect(start()).toEqual(expected);
  expect(memory).not.toHaveBeenCalled();
});
