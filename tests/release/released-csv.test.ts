import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countReleasedCsv, countReleasedCsvInThread, type ReleasedCsvCount } from "../../src/release/verify/released-csv.ts";

const encoder = new TextEncoder();

/** Reads as a file would give its bytes: at most `most` at a time. */
function inThread(bytes: Uint8Array, keys: readonly string[], most: number, kernelBytes?: number): ReleasedCsvCount {
  let at = 0;
  return countReleasedCsvInThread((into) => {
    const part = bytes.subarray(at, at + Math.min(most, into.length));
    into.set(part);
    at += part.length;
    return part.length;
  }, keys, kernelBytes);
}

async function inChunks(bytes: Uint8Array, keys: readonly string[], most: number): Promise<ReleasedCsvCount> {
  return countReleasedCsv(
    (async function* () {
      for (let at = 0; at < bytes.length; at += most) yield bytes.subarray(at, at + most);
    })(),
    keys,
  );
}

/** One way to write each value, as the writer has: null is nothing, quotes only where needed. */
function written(value: string | null): string {
  if (value === null) return "";
  return value === "" || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

const value = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("a", "Los Angeles", "0-4", "é", "naïve – 名", "x".repeat(40), "12.5", " ", "!", "#&'()*+") },
  { weight: 2, arbitrary: fc.constantFrom(null, "", 'quo"te', "comma,", "line\nfeed", '"', "\r") },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 12 }) },
);

describe("a released CSV file is recounted", () => {
  test("as a map of its values counts, in any order of rows and columns, read in pieces of any size", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }).chain((columns) =>
          fc.record({
            columns: fc.constant(columns),
            keys: fc.uniqueArray(fc.nat({ max: columns - 1 }), { minLength: 1 }),
            rows: fc.array(fc.tuple(fc.array(value, { minLength: columns, maxLength: columns }), fc.integer({ min: 1, max: 5 })), { maxLength: 12 }),
            most: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(1 << 20)),
          })),
        async ({ columns, keys, rows, most }) => {
          // A row of one null column would be a blank line; the writer has "" for it.
          const all = rows.flatMap(([row, times]) => Array.from({ length: times }, () => (columns === 1 && row[0] === null ? [""] : row)));
          const header = Array.from({ length: columns }, (_, c) => `c${c}`);
          const bytes = encoder.encode([header, ...all.map((row) => row.map(written))].map((row) => `${row.join(",")}\n`).join(""));
          const names = keys.map((key) => `c${key}`);
          const classes = new Map<string, number>();
          for (const row of all) {
            const name = JSON.stringify(keys.toSorted((a, b) => a - b).map((key) => row[key]));
            classes.set(name, (classes.get(name) ?? 0) + 1);
          }
          const expected = { header, records: all.length, classSizes: Float64Array.from(classes.values()) };
          expect(inThread(bytes, names, most)).toEqual(expected);
          for (const kernelBytes of [0, 20, 60]) expect(inThread(bytes, names, most, kernelBytes)).toEqual(expected);
          expect(await inChunks(bytes, names, most)).toEqual(expected);
        },
      ),
      { numRuns: 400 },
    );
  });

  test("beyond the buffer: long runs, rows longer than it, and classes met again", () => {
    const long = "y".repeat(300_000);
    const rows = [...Array.from({ length: 40_000 }, (_, i) => `Alameda,Female,${i % 7},${i}.5`), `Butte,"${long}",1,2`, "Alameda,Female,1,"];
    const bytes = encoder.encode(`county,sex,d,cost\n${rows.join("\n")}\n`);
    for (const most of [1000, 65_537, 1 << 20]) {
      for (const kernelBytes of [0, 1000, Infinity]) {
        expect(inThread(bytes, ["county", "sex"], most, kernelBytes)).toEqual({
          header: ["county", "sex", "d", "cost"],
          records: 40_002,
          classSizes: Float64Array.of(40_001, 1),
        });
      }
    }
  });

  test.each([["long keys", "k".repeat(50)], ["keys of sixteen bytes", "k".repeat(15)], ["short keys", "k"]])(
    "%s: WebAssembly counts long runs of rows of all lengths as plain loops do",
    (_, key) => {
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat({ max: 2 }), value, value), { minLength: 20, maxLength: 200 }), fc.integer({ min: 50, max: 3000 }), (rows, most) => {
          const bytes = encoder.encode(["k,a,b", ...rows.toSorted((a, b) => a[0] - b[0]).map(([k, a, b]) => `${key}${k},${written(a)},${written(b)}`)].map((row) => `${row}\n`).join(""));
          const counted = inThread(bytes, ["k"], most, 0);
          expect(counted).toEqual(inThread(bytes, ["k"], most, Infinity));
          expect(counted.records).toBe(rows.length);
        }),
        { numRuns: 150 },
      );
    },
  );

  test.each([
    ["no header", "", "verify/no-header"],
    ["a key is missing", "a,b\n1,2\n", "verify/missing-key"],
    ["a field too many in a run", "k,a,b\n1,2,3\n1,2,3\n1,2,3,4\n", "verify/ragged"],
    ["a field too few in a run", "k,a,b\n1,2,3\n1,2,3\n1,2\n", "verify/ragged"],
    ["a quote inside a bare field of a run", 'k,a,b\n1,2,3\n1,2,3\n1,2,3"\n', "verify/stray-quote"],
    ["cut within a line", "k,a,b\n1,2,3\n1,2,3\n1,2", "verify/cut-line"],
    ["cut within quotes", 'k,a,b\n1,2,3\n1,2,"3\n', "verify/cut-line"],
  ])("%s: refused, whatever the pieces", (_, text, code) => {
    for (const most of [1, 5, 1000]) {
      for (const kernelBytes of [0, Infinity]) {
        expect(() => inThread(encoder.encode(text), ["k"], most, kernelBytes)).toThrow(expect.objectContaining({ code }));
      }
    }
  });
});
