import fc from "fast-check";
import { expect, test } from "vitest";
import { packedLayout } from "../../src/cells/index.ts";
import { DictionaryBuilder, dictionaryText, type Batch, type Dictionary } from "../../src/columns/index.ts";
import { RowKeeper } from "../../src/engines/local/row-keeper.ts";
import { RewriteLane, type RewriteSpec } from "../../src/engines/local/rewrite-lane.ts";
import { buildClassStages } from "../../src/kernels/class-index.ts";
import type { WordList } from "../../src/kernels/packed-words.ts";
import { createSpill } from "../../src/node/spill-file.ts";

function dictionaryOf(size: number, name: string): Dictionary {
  const builder = new DictionaryBuilder();
  for (let code = 0; code < size; code++) {
    const bytes = new TextEncoder().encode(`${name}${code}`);
    builder.add(bytes, 0, bytes.length);
  }
  return builder.freeze();
}

/** Beyond 65,534 values codes are kept in 32 bits; with many levels the classes are found in blocks, by hash, or in stages. */
const DICTIONARIES = [3, 40, 70_000].map((size) => dictionaryOf(size, "v"));
const OTHERS = [5, 70_000].map((size) => dictionaryOf(size, "other "));

const scene = fc
  .record({
    keys: fc.array(fc.record({ dictionary: fc.constantFrom(...DICTIONARIES), levels: fc.constantFrom(2, 50, 3000, 100_000, 2 ** 30) }), { minLength: 1, maxLength: 3 })
      .filter((keys) => packedLayout(keys.map(({ dictionary }) => dictionary.size)) !== undefined),
    others: fc.array(fc.constantFrom<(Dictionary | "numbers")[]>("numbers", ...OTHERS), { maxLength: 3 }),
    partitions: fc.integer({ min: 1, max: 4 }),
    batches: fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 4 }),
    seed: fc.nat(),
  })
  .map(({ keys, others, partitions, batches, seed }) => {
    let state = seed;
    const draw = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const orNull = (below: number): number => (draw(6) === 0 ? -1 : draw(Math.min(4, below)));
    const classes = new Map(Array.from({ length: 12 }, () => keys.map(({ levels }) => orNull(levels))).map((codes) => [codes.join(), codes]));
    const codes = keys.map((_, key) => Int32Array.from(classes.values(), (own) => own[key]!));
    const spec: RewriteSpec = {
      keys: keys.map(({ dictionary, levels }, key) => {
        const toLevel = Int32Array.from({ length: dictionary.size }, (_, code) => (code % 5 === 4 ? -1 : code % Math.min(levels, 4)));
        return { name: `k${key}`, raw: dictionary, toLevel, cellToLevel: toLevel };
      }),
      others: others.map((other, o) => ({ name: `o${o}`, as: other === "numbers" ? "numbers" : "codes" })),
      stages: buildClassStages(codes, keys.map(({ levels }) => levels), classes.size),
      partitionOf: Uint32Array.from({ length: classes.size }, (_, cell) => Math.floor((cell * partitions) / classes.size)),
      partitions,
    };
    const read = batches.map((records): Batch => ({
      records,
      columns: [
        ...keys.map(({ dictionary }) => ({ kind: "codes" as const, codes: Int32Array.from({ length: records }, () => orNull(dictionary.size)), dictionary })),
        ...others.map((other) =>
          other === "numbers"
            ? { kind: "numbers" as const, values: Float64Array.from({ length: records }, () => (draw(5) === 0 ? NaN : draw(1000) / 8)) }
            : { kind: "codes" as const, codes: Int32Array.from({ length: records }, () => orNull(other.size)), dictionary: other }),
      ],
    }));
    return { spec, read };
  });

/** Keys of all records as a fold packs them. */
function packedKeys({ keys }: RewriteSpec, read: readonly Batch[]): WordList {
  const layout = packedLayout(keys.map(({ cellToLevel }) => cellToLevel.length))!;
  const size = read.reduce((sum, { records }) => sum + records, 0);
  const words = [new Uint32Array(size), new Uint32Array(size)];
  let at = 0;
  for (const { records, columns } of read) {
    layout.forEach(({ word, shift }, key) => {
      const { codes } = columns[key] as { codes: Int32Array };
      for (let i = 0; i < records; i++) words[word]![at + i]! |= (codes[i]! + 1) << shift;
    });
    at += records;
  }
  return { size, words, count: undefined };
}

/** [partitions] records in order, values as texts and numbers. */
async function recordsOf(lane: RewriteLane, spec: RewriteSpec): Promise<unknown> {
  const { placed, dictionaries, used, nulls, records } = lane.finish();
  const partitions: unknown[][] = [];
  for (let partition = 0; partition < spec.partitions; partition++) {
    const blocks = placed === undefined ? await lane.take(partition) : [placed.words.subarray(placed.starts[partition], placed.starts[partition + 1])];
    partitions.push(blocks.flatMap((block) =>
      Array.from({ length: block.length / lane.words }, (_, i) => {
        let at = i * lane.words;
        return [block[at++]!, ...spec.others.map(({ as }, o) => {
          if (as === "numbers") return new Float64Array(Uint32Array.of(block[at++]!, block[at++]!).buffer)[0];
          const code = block[at++]!;
          return code === 0xffffffff ? null : dictionaryText(dictionaries[o]!, code);
        })];
      })));
  }
  const seen = dictionaries.map((dictionary, o) =>
    dictionary && Array.from(used[o]!, (mark, code) => (mark === 1 ? [dictionaryText(dictionary, code)] : [])).flat().sort());
  return { partitions, seen, nulls, records };
}

test("records kept by the first reading are placed as records read again", { timeout: 30_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(scene, async ({ spec, read }) => {
      const [again, kept, tight] = [new RewriteLane(spec), new RewriteLane(spec), new RewriteLane(spec, { budgetBytes: 8, openSpill: createSpill })];
      const keeper = new RowKeeper(1 << 24);
      for (const batch of read) {
        again.add(batch);
        keeper.add(batch.records, batch.columns.slice(spec.keys.length));
      }
      keeper.keys = packedKeys(spec, read);
      await kept.addKept(keeper);
      const expected = await recordsOf(again, spec);
      expect(await recordsOf(kept, spec)).toEqual(expected);
      await tight.addKept(keeper);
      expect(await recordsOf(tight, spec)).toEqual(expected);
      await tight.close();
    }),
    { numRuns: 60 },
  );
});
