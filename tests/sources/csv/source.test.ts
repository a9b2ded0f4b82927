import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DataError } from "../../../src/errors/index.ts";
import { type ByteSource, bytesFromArray, type Hasher } from "../../../src/sources/bytes.ts";
import { type CsvDelimiter, csvSource, MAX_COLUMNS } from "../../../src/sources/csv/index.ts";
import type { ColumnRequest } from "../../../src/sources/source.ts";
import { bytesOf, recordsOf } from "./decode.ts";

function sha256(): Hasher {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest("hex") };
}

const inMemory = (content: string | Uint8Array, pieceBytes = 1 << 20): ByteSource =>
  bytesFromArray(typeof content === "string" ? bytesOf(content) : content, { hasher: sha256, pieceBytes });

/** Names and records of a whole file, all columns as text unless said otherwise. */
async function readAll(bytes: ByteSource, columns?: readonly ColumnRequest[], delimiter?: CsvDelimiter) {
  const source = csvSource(bytes, { delimiter });
  const names = (await source.columns()).map(({ name }) => name);
  const pass = await source.open({ columns: columns ?? names.map((name) => ({ name, as: "codes" })) });
  const records: (string | number)[][] = [];
  for await (const batch of pass.batches) records.push(...recordsOf(batch));
  return { names, records, fingerprint: pass.fingerprint() };
}

async function refused(action: Promise<unknown>): Promise<DataError> {
  const error: unknown = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DataError);
  return error as DataError;
}

const CSV_VALID = new URL("../../fixtures/csv-valid/", import.meta.url);
const CSV_FUZZ = new URL("../../../../shared/corpora/csv-fuzz/", import.meta.url);

describe("csv-spectrum", () => {
  const files = readdirSync(CSV_VALID).filter((file) => file.endsWith(".csv"));

  test.each(files)("%s holds the records of its JSON", async (file) => {
    const content = readFileSync(new URL(file, CSV_VALID));
    const json: unknown = JSON.parse(readFileSync(new URL(file.replace(".csv", ".json"), CSV_VALID), "utf8"));
    const expected = ([] as Record<string, string>[]).concat(json as Record<string, string>);
    const { names, records } = await readAll(inMemory(content));
    expect(names).toEqual(Object.keys(expected[0]!));
    const isCompared = (name: string): boolean => name !== "Contact Phone Number"; // differs in the pair itself
    expect(records.map((record) => record.filter((_, i) => isCompared(names[i]!)))).toEqual(
      expected.map((record) => names.filter(isCompared).map((name) => record[name])),
    );
  });
});

describe.skipIf(!existsSync(CSV_FUZZ))("csv-fuzz", () => {
  const files = existsSync(CSV_FUZZ) ? readdirSync(CSV_FUZZ) : [];

  test.each(files)("%s ends in records or a DataError within five seconds", async (file) => {
    const content = readFileSync(new URL(file, CSV_FUZZ));
    for (const delimiter of [",", ";", "\t", "|"] as const) {
      const started = performance.now();
      try {
        await readAll(inMemory(content), undefined, delimiter);
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
      expect(performance.now() - started).toBeLessThan(5000);
    }
  });
});

describe("header", () => {
  test("a byte order mark is skipped, and only at the start", async () => {
    const { names, records } = await readAll(inMemory("\uFEFFid,name\n1,\uFEFFx\n"));
    expect(names).toEqual(["id", "name"]);
    expect(records).toEqual([["1", "\uFEFFx"]]);
  });

  test("quoted names, CRLF, any cut into pieces", async () => {
    const csv = '\uFEFF"a ""b""",é,"c\r\nd,"\r\n1,2,3\r\n4,"5\n",6';
    for (let piece = 1; piece < 40; piece++) {
      const { names, records } = await readAll(inMemory(csv, piece));
      expect(names).toEqual(['a "b"', "é", "c\r\nd,"]);
      expect(records).toEqual([["1", "2", "3"], ["4", "5\n", "6"]]);
    }
  });

  test("names that JavaScript objects have already", async () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "0", "length", "id "];
    const result = await readAll(inMemory(`${names.join(",")}\n1,2,3,4,5,6,7,8\n`));
    expect(result.names).toEqual(names);
    expect(result.records).toEqual([["1", "2", "3", "4", "5", "6", "7", "8"]]);
  });

  test("a header alone has no records", async () => {
    for (const csv of ["a,b", "a,b\n", "a,b\r\n\r\n"]) expect(await readAll(inMemory(csv))).toMatchObject({ names: ["a", "b"], records: [] });
  });

  test(`${MAX_COLUMNS} columns, and no more`, async () => {
    const wide = (n: number): string => Array.from({ length: n }, (_, i) => `c${i}`).join(",");
    const csv = `${wide(MAX_COLUMNS)}\n${",".repeat(MAX_COLUMNS - 1)}\n`;
    const source = csvSource(inMemory(csv, 65_536));
    expect(await source.columns()).toHaveLength(MAX_COLUMNS);
    const pass = await source.open({ columns: [{ name: "c99999", as: "codes" }] });
    for await (const batch of pass.batches) expect(recordsOf(batch)).toEqual([[""]]);
    expect(await refused(csvSource(inMemory(wide(MAX_COLUMNS + 1))).columns())).toMatchObject({ code: "csv/too-many-columns" });
  });

  test.each([
    { name: "empty file", csv: "", code: "no-header", detail: {} },
    { name: "byte order mark alone", csv: "\uFEFF", code: "no-header", detail: {} },
    { name: "blank first line", csv: "\na,b\n", code: "empty-column-name", detail: { first: 1 } },
    { name: "a column without a name", csv: "Canary7q,,c\n", code: "empty-column-name", detail: { first: 2 } },
    { name: "the same name twice", csv: 'b,Canary7q,c,"Canary7q"\n', code: "duplicate-column", detail: { first: 2, second: 4 } },
    { name: "quote never closed", csv: 'a,"Canary7q\n1,2\n', code: "unterminated-quote", detail: { row: 1, offset: 2 } },
    { name: "text after a quote", csv: '"Canary7q"b,c\n', code: "text-after-quote", detail: { row: 1, offset: 10 } },
    { name: "carriage return alone", csv: "a,Canary7q\r1,2\r", code: "lone-carriage-return", detail: { row: 1, offset: 10 } },
    { name: "carriage return at the end", csv: "a,Canary7q\r", code: "lone-carriage-return", detail: { row: 1, offset: 10 } },
    { name: "NUL", csv: "a,Canary7q\0\n", code: "nul-byte", detail: { row: 1, offset: 10 } },
    { name: "UTF-16", csv: new Uint8Array([0xff, 0xfe, 0x61, 0, 0x0a, 0]), code: "invalid-utf8", detail: { row: 1, offset: 0 } },
    { name: "Latin-1", csv: new Uint8Array([0x61, 0xe9, 0x2c, 0x0a]), code: "invalid-utf8", detail: { row: 1, offset: 1 } },
  ])("$name is refused", async ({ csv, code, detail }) => {
    const length = typeof csv === "string" ? bytesOf(csv).length : csv.length;
    for (let piece = 1; piece <= length + 1; piece++) {
      const error = await refused(csvSource(inMemory(csv, piece)).columns());
      expect(error.code).toBe(`csv/${code}`);
      expect(error.detail).toEqual(detail);
      expect(String(error) + JSON.stringify(error)).not.toContain("Canary7q");
    }
  });
});

describe("source", () => {
  const csv = "id,age,county\n1,30,Alpine\n2,,Inyo\n3,50,Alpine\n";

  test("columns in the order of the request, one column in two ways, nulls of numbers", async () => {
    const { records } = await readAll(inMemory(csv, 7), [
      { name: "county", as: "codes" },
      { name: "age", as: "numbers", nulls: [""] },
      { name: "age", as: "codes" },
      { name: "county", as: "codes" },
    ]);
    expect(records).toEqual([["Alpine", 30, "30", "Alpine"], ["Inyo", NaN, "", "Inyo"], ["Alpine", 50, "50", "Alpine"]]);
  });

  test("two passes agree, and the fingerprint is that of the bytes", async () => {
    const source = csvSource(inMemory(csv, 5));
    const expected = `sha256:${createHash("sha256").update(csv).digest("hex")}`;
    for (let pass = 0; pass < 2; pass++) {
      const bytes: number[] = [];
      const opened = await source.open({ columns: [], onBytes: (consumed) => bytes.push(consumed) });
      expect(() => opened.fingerprint()).toThrow(/before the last batch/);
      let records = 0;
      for await (const batch of opened.batches) records += batch.records;
      expect(records).toBe(3);
      expect(opened.fingerprint()).toBe(expected);
      expect(bytes.at(-1)).toBe(csv.length);
    }
  });

  test("positions in errors count from the start of the file, and columns go by name", async () => {
    const byteOrderMark = "\uFEFFid,age\n1,2\nx\n";
    expect(await refused(readAll(inMemory(byteOrderMark)))).toMatchObject({
      code: "csv/ragged-row",
      detail: { row: 3, offset: 14, expected: 2, found: 1 },
    });
    const notANumber = await refused(readAll(inMemory(csv), [{ name: "age", as: "numbers" }]));
    expect(notANumber).toMatchObject({ code: "csv/not-a-number", detail: { row: 3, column: "age" } });
  });

  test("a requested column that is not there", async () => {
    const error = await refused(csvSource(inMemory(csv)).open({ columns: [{ name: "contry", as: "codes" }] }));
    expect(error).toMatchObject({ code: "source/unknown-column", detail: { column: "contry" } });
    expect(error.message).toContain("county");
  });

  test("a header that changes between passes is refused", async () => {
    let content = csv;
    const changing: ByteSource = { ...inMemory(csv), open: (signal) => inMemory(content).open(signal) };
    const source = csvSource(changing);
    await source.columns();
    content = csv.replace("age", "zip");
    expect(await refused(source.open({ columns: [] }))).toMatchObject({ code: "csv/changed-header" });
  });

  test("a stream that can be read once gives its columns and then its records", async () => {
    let opened = 0;
    const once: ByteSource = {
      ...inMemory(csv, 4),
      reopenable: false,
      open: (signal) => {
        opened++;
        return inMemory(csv, 4).open(signal);
      },
    };
    const source = csvSource(once);
    expect(await source.columns()).toHaveLength(3);
    expect(await source.columns()).toHaveLength(3);
    const pass = await source.open({ columns: [{ name: "id", as: "codes" }] });
    const ids: unknown[] = [];
    for await (const batch of pass.batches) ids.push(...recordsOf(batch).flat());
    expect(ids).toEqual(["1", "2", "3"]);
    expect(opened).toBe(1);
    await expect(source.open({ columns: [] })).rejects.toThrow(/read once only/);
  });

  test("the bytes are closed when a pass is left early, fails or is aborted", async () => {
    let closed = 0;
    const watched = (content: string): ByteSource => ({
      ...inMemory(content),
      async *open() {
        try {
          for (const byte of bytesOf(content)) yield new Uint8Array([byte]);
        } finally {
          closed++;
        }
      },
    });
    await csvSource(watched(csv)).columns();
    expect(closed).toBe(1);
    await refused(readAll(watched("a,b\n1\n2,3\n")));
    expect(closed).toBe(3); // once for the columns, once for the pass
    await refused(csvSource(watched(csv)).open({ columns: [{ name: "zip", as: "codes" }] }));
    expect(closed).toBe(4);

    const controller = new AbortController();
    const pass = await csvSource(watched(csv)).open({ columns: [], signal: controller.signal });
    controller.abort();
    await expect(async () => {
      for await (const batch of pass.batches) void batch;
    }).rejects.toThrow(/abort/i);
    expect(closed).toBe(5);
  });
});
