import fc from "fast-check";
import { expect, test } from "vitest";
import { DictionaryBuilder, dictionaryTexts } from "../../src/columns/index.ts";
import { compactDictionary, markUsedCodes } from "../../src/sinks/index.ts";

test("holds the used values, sorted by bytes, in buffers of exact length; codes keep their values", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ unit: "grapheme" }), { minLength: 1, maxLength: 30 }), fc.array(fc.integer({ min: -1, max: 29 })), (values, raw) => {
      const dictionary = DictionaryBuilder.from(values);
      const codes = Int32Array.from(raw, (code) => (code < values.length ? code : -1));
      const used = new Uint8Array(values.length);
      markUsedCodes(codes, codes.length, used);
      const { dictionary: compact, map } = compactDictionary(dictionary, used);
      const kept = dictionaryTexts(compact);
      const expected = [...new Set(Array.from(codes).filter((code) => code >= 0).map((code) => values[code]!))];
      expect(kept).toEqual(expected.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
      for (const code of codes) if (code >= 0) expect(kept[map[code]!]).toBe(values[code]);
      expect(compact.bytes.length).toBe(compact.offsets[compact.size]);
      expect(compact.offsets.length).toBe(compact.size + 1);
      expect(map.filter((code) => code >= 0).length).toBe(compact.size);
    }),
  );
});
