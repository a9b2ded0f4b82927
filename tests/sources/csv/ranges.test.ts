import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError } from "../../../src/errors/index.ts";
import {
  addRecordsBefore,
  CsvCoder,
  firstRecordStart,
  quoteStateAfter,
  quoteTransitions,
  type QuoteState,
  RECORD_START,
} from "../../../src/sources/csv/index.ts";
import { allText, bytesOf, decode, drain, refusal } from "./decode.ts";

/** Read as several threads would: every range on its own, with the state in which it begins and the bytes after it. */
function decodeInRanges(bytes: Uint8Array, fieldCount: number, rangeBytes: number, coder = newCoder(fieldCount)) {
  const records: (string | number)[][] = [];
  let state: QuoteState = RECORD_START;
  for (let from = 0; from < bytes.length; from += rangeBytes) {
    const range = bytes.subarray(from, from + rangeBytes);
    const start = firstRecordStart(range, state);
    state = quoteTransitions(range)[state]!;
    if (start < 0) continue;
    coder.beginRange({ limit: range.length - start, baseOffset: from + start });
    let at = from + start;
    let end = from + range.length;
    const before = records.length;
    try {
      for (;;) {
        coder.push(bytes.subarray(at, end));
        records.push(...drain(coder));
        if (coder.done || end === bytes.length) break;
        at = end;
        end = Math.min(end + 5, bytes.length);
      }
      if (!coder.done) {
        coder.end();
        records.push(...drain(coder));
      }
    } catch (error) {
      if (error instanceof DataError) throw addRecordsBefore(error, before);
      throw error;
    }
    expect(coder.records).toBe(records.length - before);
  }
  return records;
}

const newCoder = (fieldCount: number) => new CsvCoder({ kernelBytes: 0, fieldCount, columns: allText(fieldCount), batchRecords: 3 });

const value = fc.oneof(
  fc.constantFrom("", '"', '""', "\n", "\n\n", ",", '",', '"\n', '\n"', "a", "\r\n", 'x"y'),
  fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", "é"), maxLength: 12 }),
);
const file = fc
  .tuple(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 12 }), fc.constantFrom("\n", "\r\n"), fc.boolean())
  .map(([rows, end, hasLastEnd]) => ({
    rows,
    csv: bytesOf(
      rows
        .map((row) => row.map((v) => (/^"|[,\r\n]/.test(v) ? `"${v.replaceAll('"', '""')}"` : v)).join(","))
        .join(end) + (hasLastEnd ? end : ""),
    ),
  }));

describe("ranges", () => {
  test("every size of range gives the records of the whole, quoted line breaks and doubled quotes on the cut included", () => {
    const csv = bytesOf('a,"b\n""c"",\n"\r\n"","d"""\r\n"\n\n",5\'11"\n"""""","\n"\nlast,one');
    const whole = decode(csv, { fieldCount: 2 });
    expect(whole).toEqual([["a", "b\n\"c\",\n"], ["", "d\""], ["\n\n", "5'11\""], ["\"\"", "\n"], ["last", "one"]]);
    for (let size = 1; size <= csv.length + 1; size++) expect(decodeInRanges(csv, 2, size)).toEqual(whole);
  });

  test("any file, any size of range", () => {
    fc.assert(
      fc.property(file, fc.integer({ min: 1, max: 40 }), ({ rows, csv }, size) => {
        // Rows that are blank as a whole are not written: two empty fields are a comma.
        expect(decodeInRanges(csv, 2, size)).toEqual(rows);
      }),
      { numRuns: 1000 },
    );
  });

  test("any bytes: refused in ranges when refused in order, and the earliest range's error is the same", () => {
    const byte = fc.constantFrom(0x61, 0x2c, 0x22, 0x0a, 0x0d, 0x22, 0x2c, 0x0a, 0x62);
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 50 }), fc.integer({ min: 1, max: 30 }), (content, size) => {
        const csv = new Uint8Array(content);
        let whole: unknown;
        let ranges: unknown;
        whole = refusal(() => (whole = decode(csv, { fieldCount: 2 }))) ?? whole;
        ranges = refusal(() => (ranges = decodeInRanges(csv, 2, size))) ?? ranges;
        expect(ranges).toEqual(whole);
      }),
      { numRuns: 1500 },
    );
  });

  test("summaries chain to the state that reading in order finds", () => {
    fc.assert(
      fc.property(file, fc.array(fc.nat({ max: 100 }), { maxLength: 6 }), ({ csv }, cuts) => {
        let state: QuoteState = RECORD_START;
        let from = 0;
        for (const end of [...cuts.map((cut) => Math.min(cut, csv.length)).sort((a, b) => a - b), csv.length]) {
          state = quoteTransitions(csv.subarray(from, end))[state]!;
          from = end;
          expect(state).toBe(quoteStateAfter(csv.subarray(0, end), RECORD_START));
        }
      }),
    );
  });

  test("ordinary quotes side by side, one before the words and one in them", () => {
    const csv = bytesOf('"\n",aéé""\n,aé\n,');
    for (let cut = 0; cut <= csv.length; cut++) {
      let state: QuoteState = quoteStateAfter(csv.subarray(0, cut), RECORD_START);
      const afterAll = quoteStateAfter(csv.subarray(cut), state);
      for (const byte of csv.subarray(cut)) state = quoteStateAfter(Uint8Array.of(byte), state);
      expect(afterAll, `cut at ${cut}`).toBe(state);
    }
  });

  test("the state is that of reading byte by byte, ordinary quotes and all", () => {
    const byte = fc.constantFrom(0x61, 0x2c, 0x22, 0x0a, 0x22, 0x22, 0xa2, 0xac, 0x8a);
    const states = [0, 1, 2, 3, 4] as const;
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 80 }), fc.constantFrom(...states), (content, start) => {
        const bytes = new Uint8Array(content);
        let state: QuoteState = start;
        for (let i = 0; i < bytes.length; i++) state = quoteStateAfter(bytes.subarray(i, i + 1), state);
        expect(quoteStateAfter(bytes, start)).toBe(state);
      }),
      { numRuns: 5000 },
    );
    // Quotes that open, close and double only, which the faster way is for.
    const field = fc.constantFrom('"a"', '""', '""""', '"a""b,\n"', "abc", "", '"\n"');
    fc.assert(
      fc.property(fc.array(fc.tuple(field, fc.constantFrom(",", "\n")), { maxLength: 60 }), fc.nat({ max: 300 }), (fields, cut) => {
        const bytes = bytesOf(fields.flat().join("")).subarray(0, cut);
        let state: QuoteState = RECORD_START;
        for (let i = 0; i < bytes.length; i++) state = quoteStateAfter(bytes.subarray(i, i + 1), state);
        expect(quoteStateAfter(bytes, RECORD_START)).toBe(state);
      }),
      { numRuns: 1000 },
    );
  });

  test("the row of an error is corrected by the records before the range, the header being row 1", () => {
    const csv = bytesOf('a,b\n"c\n",d\ne,f\ng\n');
    const found = refusal(() => decodeInRanges(csv, 2, 4));
    expect(found).toMatchObject({ code: "csv/ragged-row", detail: { row: 5, offset: 15, found: 1 } });
    expect(found!.message).toContain("Row 5 ");
  });
});
