import fc from "fast-check";
import { parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DataError } from "../../../src/errors/index.ts";
import { unpackLz4Block } from "../../../src/sources/lz4.ts";
import { unpackSnappy } from "../../../src/sources/parquet/codecs.ts";
import { crc32 } from "../../../src/sources/parquet/crc32.ts";
import { DeltaReader } from "../../../src/sources/parquet/delta.ts";
import { parquetSource } from "../../../src/sources/parquet/index.ts";
import { HybridReader } from "../../../src/sources/parquet/rle.ts";
import { bytesAccess } from "../../../src/sources/random-access.ts";
import { readSource, refusal } from "../read-source.ts";

type Options = Parameters<typeof parquetWriteBuffer>[0];
const write = (columnData: Options["columnData"], options: Partial<Options> = {}): Uint8Array => new Uint8Array(parquetWriteBuffer({ columnData, ...options } as Options));

describe("pages of version 2, as hyparquet-writer writes them", () => {
  const texts = Array.from({ length: 500 }, (_, i) => (i % 11 === 0 ? null : `shared prefix ${Math.floor(i / 3)} é`));
  const wholes = Array.from({ length: 500 }, (_, i) => (i % 13 === 0 ? null : i * 1_000_003 - 250_000_000));
  const longs = wholes.map((value) => (value === null ? null : BigInt(value) ** 2n * (value < 0 ? -1n : 1n)));
  const reals = wholes.map((value) => (value === null ? null : value / 7));
  const flags = wholes.map((value) => (value === null ? null : value > 0));

  test.each([
    ["STRING", "PLAIN", texts], ["STRING", "RLE_DICTIONARY", texts], ["STRING", "DELTA_LENGTH_BYTE_ARRAY", texts], ["STRING", "DELTA_BYTE_ARRAY", texts],
    ["INT32", "PLAIN", wholes], ["INT32", "DELTA_BINARY_PACKED", wholes], ["INT32", "BYTE_STREAM_SPLIT", wholes], ["INT32", "RLE_DICTIONARY", wholes],
    ["INT64", "PLAIN", longs], ["INT64", "DELTA_BINARY_PACKED", longs], ["INT64", "BYTE_STREAM_SPLIT", longs], ["INT64", "RLE_DICTIONARY", longs],
    ["DOUBLE", "PLAIN", reals], ["DOUBLE", "BYTE_STREAM_SPLIT", reals], ["DOUBLE", "RLE_DICTIONARY", reals], ["BOOLEAN", "PLAIN", flags], ["BOOLEAN", "RLE", flags],
  ] as const)("%s in %s", async (type, encoding, values) => {
    const present = values.filter((value) => value !== null);
    const columns = [{ name: "v", data: [...values], type, encoding, nullable: true }, { name: "w", data: present.slice(0, 400), type, encoding, nullable: false }];
    for (const [column, expected] of [[columns[0]!, values], [columns[1]!, present.slice(0, 400)]] as const) {
      const bytes = write([column] as never, { pageSize: 700, rowGroupSize: 150 });
      expect((await readSource(parquetSource(bytes))).columns[column.name]).toEqual(expected.map((value) => (value === null ? null : String(value))));
    }
  });

  test("one value throughout, whose codes need no bits", async () => {
    const bytes = write([{ name: "v", data: Array.from({ length: 300 }, () => "same"), type: "STRING", encoding: "RLE_DICTIONARY" }]);
    expect((await readSource(parquetSource(bytes))).dictionarySizes).toEqual({ v: 1 });
  });

  test("law: any texts and integers come back, in any cut into pages and row groups", async () => {
    await fc.assert(fc.asyncProperty(
      fc.array(fc.tuple(fc.option(fc.string({ unit: "grapheme", maxLength: 12 })), fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))), { minLength: 1, maxLength: 80 }),
      fc.constantFrom("PLAIN", "RLE_DICTIONARY", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"), fc.constantFrom("PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"),
      fc.integer({ min: 1, max: 90 }), fc.integer({ min: 10, max: 500 }),
      async (rows, textEncoding, wholeEncoding, rowGroupSize, pageSize) => {
        const bytes = write([
          { name: "t", data: rows.map(([t]) => t), type: "STRING", encoding: textEncoding, nullable: true },
          { name: "n", data: rows.map(([, n]) => n), type: "INT64", encoding: wholeEncoding, nullable: true },
        ] as never, { rowGroupSize, pageSize });
        const { columns } = await readSource(parquetSource(bytes));
        expect(columns).toEqual({ t: rows.map(([t]) => t), n: rows.map(([, n]) => (n === null ? null : String(n))) });
      }), { numRuns: 150 });
  });
});

describe("columns", () => {
  const bytes = write([
    { name: "k", data: ["a", "b"] }, { name: "id", data: [new Uint8Array([1]), new Uint8Array([2])], type: "BYTE_ARRAY" },
    { name: "time", data: [new Date(1), new Date(2)] }, { name: "json", data: [{ a: 1 }, { b: 2 }], type: "JSON" }, { name: "half", data: [0.1, -2], type: "FLOAT16" },
    { name: "bad", data: [NaN, 1], type: "DOUBLE" },
  ] as never);

  test("what is not supported is refused by its name, unless the column is dropped", async () => {
    const source = parquetSource(bytes);
    for (const [name, type] of [["id", "binary"], ["json", "JSON"]] as const) {
      const error = await refusal(() => readSource(source, [name]));
      expect([error.code, error.detail]).toEqual(["parquet/unsupported-type", { column: name, type }]);
    }
    expect((await readSource(source, ["k", "time", "half"])).columns).toEqual({ k: ["a", "b"], time: ["1970-01-01T00:00:00.001Z", "1970-01-01T00:00:00.002Z"], half: ["0.1", "-2"] });
    expect((await readSource(source, [{ name: "half", as: "numbers" }])).columns.half).toEqual([0.0999755859375, -2]);
  });

  test("NaN is refused with its place, unless declared", async () => {
    expect((await refusal(() => readSource(parquetSource(bytes), ["bad"]))).code).toBe("parquet/not-finite");
    expect((await readSource(parquetSource(bytes), [{ name: "bad", as: "numbers", nulls: ["NaN"] }])).columns.bad).toEqual([null, 1]);
  });

  test("the same fingerprint whatever is read, another one after any change", async () => {
    const { fingerprint } = await readSource(parquetSource(bytes), ["k"]);
    expect((await readSource(parquetSource(async () => bytesAccess(bytes)), ["half", "time"])).fingerprint).toBe(fingerprint);
    const changed = bytes.slice();
    changed[40]! ^= 1; // in the pages of the first column
    expect((await readSource(parquetSource(changed), [])).fingerprint).not.toBe(fingerprint);
  });

  test("a column asked for twice, as codes and as numbers", async () => {
    const source = parquetSource(write([{ name: "n", data: [1, 2, 2], type: "INT32" }]));
    const pass = await source.open({ columns: [{ name: "n", as: "numbers" }, { name: "n", as: "codes" }] });
    for await (const { columns } of pass.batches) {
      expect(columns.map((column) => [...(column.kind === "codes" ? column.codes : column.values).subarray(0, 3)])).toEqual([[1, 2, 2], [0, 1, 1]]);
    }
  });
});

describe("damage", () => {
  const clean = write([
    { name: "t", data: Array.from({ length: 300 }, (_, i) => (i % 9 ? `canary ${i % 20}` : null)), type: "STRING", nullable: true },
    { name: "u", data: Array.from({ length: 300 }, (_, i) => `canary ${i}`), type: "STRING", encoding: "DELTA_BYTE_ARRAY" },
    { name: "n", data: Array.from({ length: 300 }, (_, i) => i * i), type: "INT32", encoding: "DELTA_BINARY_PACKED" },
    { name: "f", data: Array.from({ length: 300 }, (_, i) => i / 3), type: "DOUBLE" },
  ] as never, { rowGroupSize: 100 });

  test.each(["SNAPPY", "UNCOMPRESSED"])("law: random flips end in data or a DataError, without a value in the message (%s)", async (codec) => {
    const whole = codec === "SNAPPY" ? clean : write([{ name: "t", data: Array.from({ length: 300 }, (_, i) => `canary ${i % 20}`), type: "STRING" }], { codec: "UNCOMPRESSED" });
    let refused = 0;
    await fc.assert(fc.asyncProperty(
      fc.array(fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 }),
      async (flips) => {
        const bytes = whole.slice();
        for (const [at, value] of flips) bytes[at] = value;
        const source = parquetSource(bytes);
        try {
          const columns = await source.columns();
          await readSource(source, columns.map(({ name, type }) => ({ name, as: type === "integer" ? "numbers" as const : "codes" as const })));
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
          expect((error as DataError).message).not.toContain("canary");
          refused++;
        }
      }), { numRuns: 600 });
    expect(refused).toBeGreaterThan(100);
  });

  test("cut anywhere, it is refused", async () => {
    for (let length = 0; length < clean.length; length += 7) await refusal(() => readSource(parquetSource(clean.subarray(0, length)), []));
  });

  test("encrypted files are refused by name", async () => {
    const bytes = clean.slice();
    bytes.set(new TextEncoder().encode("PARE"), bytes.length - 4);
    expect((await refusal(() => parquetSource(bytes).columns())).code).toBe("parquet/encrypted");
  });
});

describe("parts", () => {
  test("snappy: known stream, overlap, and every cut refused", () => {
    // Hand-made: length 12, literal "abc", copy of 9 from 3 back (two-byte form).
    const packed = new Uint8Array([12, (3 - 1) << 2, 97, 98, 99, ((9 - 1) << 2) | 2, 3, 0]);
    expect(new TextDecoder().decode(unpackSnappy(packed, 12))).toBe("abcabcabcabc");
    for (let cut = 0; cut < packed.length; cut++) expect(() => unpackSnappy(packed.subarray(0, cut), 12)).toThrow(DataError);
    expect(() => unpackSnappy(new Uint8Array([4, 0, 97, (3 << 2) | 2, 9, 0]), 4)).toThrow(DataError); // from before the start
  });

  test("LZ4 block: known stream, overlap, and cuts refused", () => {
    // Token 3 literals, match of 4 + 5 from 3 back, then a last sequence of one literal.
    const packed = new Uint8Array([0x35, 97, 98, 99, 3, 0, 0x10, 33]);
    expect(new TextDecoder().decode(unpackLz4Block(packed, 13)!)).toBe("abcabcabcabc!");
    for (let cut = 0; cut < packed.length; cut++) expect(unpackLz4Block(packed.subarray(0, cut), 13)).toBe(undefined);
  });

  test("CRC-32: the check value of its catalogue entry", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  });

  test("runs: the example of the format description, a packed group of 3-bit values, in any slices", () => {
    // Encodings.md: 0 to 7 in three bits each are the bytes 88 C6 FA; before them a run of five 4s.
    const bytes = new Uint8Array([5 << 1, 4, (1 << 1) | 1, 0x88, 0xc6, 0xfa]);
    for (const step of [1, 2, 13]) {
      const reader = new HybridReader(bytes, 0, bytes.length, 3);
      const read: number[] = [];
      while (read.length < 13) {
        const slice = new Int32Array(step);
        reader.read(slice, Math.min(step, 13 - read.length));
        read.push(...slice.subarray(0, Math.min(step, 13 - read.length)));
      }
      expect(read).toEqual([4, 4, 4, 4, 4, 0, 1, 2, 3, 4, 5, 6, 7]);
    }
    expect(() => new HybridReader(bytes, 0, bytes.length, 3).read(new Int32Array(14), 14)).toThrow(DataError);
  });

  test("deltas: the second example of the format description", () => {
    // Encodings.md: 7, 5, 3, 1, 2, 3, 4, 5 is first value 7, minimum delta -2, deltas 0 0 0 3 3 3 3 in two bits.
    const bytes = new Uint8Array([128, 1, 4, 8, 14, 3, 2, 0, 0, 0, 0b11000000, 0b00111111, 0, 0, 0, 0, 0, 0]);
    const values = new Int32Array(8);
    new DeltaReader(bytes, 0, bytes.length, false, 8).read32(values, 8);
    expect([...values]).toEqual([7, 5, 3, 1, 2, 3, 4, 5]);
    expect(new DeltaReader(bytes, 0, bytes.length, false, 8).end()).toBe(bytes.length);
    expect(() => new DeltaReader(bytes, 0, bytes.length, false, 9)).toThrow(DataError);
  });
});

const FIXTURES = new URL("../../fixtures/parquet/fuzz/", import.meta.url).pathname;
const CORPORA = new URL("../../../../shared/corpora/", import.meta.url).pathname;
const corpus = ["parquet-fuzz", "parquet-bad"].flatMap((folder) => (existsSync(CORPORA + folder) ? readdirSync(CORPORA + folder).map((name) => `${CORPORA}${folder}/${name}`) : []));

test.each([...readdirSync(FIXTURES).map((name) => FIXTURES + name), ...corpus].map((path) => [path.split("/").slice(-2).join("/"), path]))("%s ends in data or a refusal, soon", async (_name, path) => {
  const source = parquetSource(new Uint8Array(readFileSync(path)));
  const started = performance.now();
  try {
    for (const { name } of await source.columns()) {
      for (const as of ["codes", "numbers"] as const) await readSource(source, [{ name, as }]).catch((error: unknown) => expect(error).toBeInstanceOf(DataError));
    }
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
  }
  expect(performance.now() - started).toBeLessThan(5000);
});

test("the one fuzz file that is whole reads as another reader reads it", async () => {
  const bytes = new Uint8Array(readFileSync(`${FIXTURES}clusterfuzz-testcase-minimized-parquet-arrow-fuzz-5382863341289472`));
  const rows = await parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) });
  const { columns } = await readSource(parquetSource(bytes));
  expect(Object.keys(columns)).toEqual(Object.keys(rows[0]!));
  for (const [name, texts] of Object.entries(columns)) expect(texts).toEqual(rows.map((row) => (row[name] === null || row[name] === undefined ? null : String(row[name]))));
});
