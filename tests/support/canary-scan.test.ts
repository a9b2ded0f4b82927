import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import {
  type Data,
  Dictionary as ArrowDictionary,
  Field,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  Utf8,
  Utf8View,
  vectorFromArray,
} from "apache-arrow";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ReleaseFormat } from "../../src/sinks/index.ts";
import { batchesOf, MemorySink, tableOf, written } from "../sinks/memory-sink.ts";
import { createTableWriter } from "../../src/sinks/index.ts";
import { scanBytes, scanFolder, scanText, type Canary } from "./canary-scan.ts";

const folder = mkdtempSync(join(tmpdir(), "canaries-"));
let duckdb: DuckDBConnection;
beforeAll(async () => {
  duckdb = await (await DuckDBInstance.create()).connect();
});
afterAll(() => {
  duckdb.closeSync();
  rmSync(folder, { recursive: true, force: true });
});

const TEXT = "Zeisig-77";
const LONG = "Goldammer Singdrossel 4711";
const INTEGER = 1_234_500_777n;
const LARGE = 987_654_321_987_654n;
const NUMBER = 31_415.926_535;
const DATE = "2871-08-23";
const DAYS = 329_318; // select date '2871-08-23' - date '1970-01-01', in DuckDB

const CANARIES: readonly Canary[] = [
  { name: "text", text: TEXT },
  { name: "long", text: LONG },
  { name: "integer", integer: INTEGER },
  { name: "large", integer: LARGE },
  { name: "number", number: NUMBER },
  { name: "date", date: DATE },
];
const ALL = CANARIES.map(({ name }) => name).sort();

async function found(bytes: Uint8Array | string): Promise<string[]> {
  const findings = typeof bytes === "string" ? await scanText("x", bytes, CANARIES) : await scanBytes("x", bytes, CANARIES);
  return [...new Set(findings.map(({ canary }) => canary))].sort();
}

/** All canaries as text, in sentences. */
const SENTENCE = `a ${TEXT} b ${LONG} c ${INTEGER} d ${LARGE} e ${NUMBER} f ${DATE} g`;

describe("positive controls: every canary in unprotected bytes is found", () => {
  const encodings: Record<string, Uint8Array> = {
    "utf-8": Buffer.from(SENTENCE),
    "utf-16le": Buffer.from(SENTENCE, "utf16le"),
    "utf-16be": Buffer.from(SENTENCE, "utf16le").swap16(),
    hex: Buffer.from(Buffer.from(SENTENCE).toString("hex")),
    "hex, upper case": Buffer.from(Buffer.from(SENTENCE).toString("hex").toUpperCase()),
    "base64 at offset 0": Buffer.from(Buffer.from(SENTENCE).toString("base64")),
    "base64 at offset 1": Buffer.from(Buffer.from(` ${SENTENCE}`).toString("base64")),
    "base64 at offset 2": Buffer.from(Buffer.from(`  ${SENTENCE}`).toString("base64")),
    base64url: Buffer.from(Buffer.from(`ÿ${SENTENCE}`).toString("base64url")),
    "base64 in base64": Buffer.from(Buffer.from(Buffer.from(SENTENCE).toString("base64")).toString("base64")),
    percent: Buffer.from(encodeURIComponent(SENTENCE)),
    "json with escapes": Buffer.from(JSON.stringify({ [TEXT]: [LONG, Number(INTEGER), Number(LARGE), NUMBER, DATE] }).replaceAll("e", "\\u0065")),
    "csv with quotes": Buffer.from(`"x","${SENTENCE}"\n"a ""quoted"" one",2\n`),
    markup: Buffer.from([...SENTENCE].map((letter) => `&#${letter.codePointAt(0)};`).join("")),
    gzip: gzipSync(SENTENCE),
    "gzip in gzip": gzipSync(gzipSync(SENTENCE)),
    "two gzip members": Buffer.concat([gzipSync("nothing"), gzipSync(SENTENCE)]),
    "gzip in base64": Buffer.from(gzipSync(SENTENCE).toString("base64")),
  };
  test.each(Object.keys(encodings))("%s", async (encoding) => {
    expect(await found(encodings[encoding]!)).toEqual(ALL);
  });

  test("text split by CSV quoting or JSON escapes", async () => {
    const canaries = [{ name: "q", text: 'Ring"taube"-99' }];
    expect(await scanText("x", '"a","Ring""taube""-99"\n', canaries)).not.toEqual([]);
    expect(await scanText("x", '{"a":"Ring\\u0022taube\\u0022-99"}', canaries)).not.toEqual([]);
    expect(await scanText("x", "<td>Ring&quot;taube&quot;-99</td>", canaries)).not.toEqual([]);
  });

  const binary: Record<string, [string, (view: DataView) => void]> = {
    int32: ["integer", (view) => view.setInt32(1, Number(INTEGER), true)],
    "int32 big-endian": ["integer", (view) => view.setInt32(1, Number(INTEGER))],
    int64: ["large", (view) => view.setBigInt64(1, LARGE, true)],
    "int64 big-endian": ["large", (view) => view.setBigInt64(1, LARGE)],
    "integer as float64": ["integer", (view) => view.setFloat64(1, Number(INTEGER), true)],
    float64: ["number", (view) => view.setFloat64(1, NUMBER, true)],
    float32: ["number", (view) => view.setFloat32(1, NUMBER, true)],
    days: ["date", (view) => view.setInt32(1, DAYS, true)],
    milliseconds: ["date", (view) => view.setBigInt64(1, BigInt(DAYS) * 86_400_000n, true)],
    microseconds: ["date", (view) => view.setBigInt64(1, BigInt(DAYS) * 86_400_000_000n, true)],
  };
  test.each(Object.keys(binary))("%s, unaligned", async (form) => {
    const bytes = new Uint8Array(20);
    const [canary, write] = binary[form]!;
    write(new DataView(bytes.buffer));
    expect(await found(bytes)).toContain(canary);
  });

  test("file names, folder names and links", async () => {
    const place = join(folder, "names");
    mkdirSync(join(place, LONG), { recursive: true });
    writeFileSync(join(place, `${TEXT}.csv`), String(INTEGER));
    writeFileSync(join(place, LONG, "x.bin"), `${LARGE} ${NUMBER}`);
    symlinkSync(DATE, join(place, "link"));
    expect([...new Set((await scanFolder(place, CANARIES)).map(({ canary }) => canary))].sort()).toEqual(ALL);
  });
});

describe("positive controls: Parquet", () => {
  const codecs = ["uncompressed", "snappy", "gzip", "zstd", "brotli", "lz4_raw"];
  // The first two rows hold the extremes, so that no canary is found by way of the statistics alone.
  const pick = (first: string, second: string, seventh: string, other: string): string =>
    `case i when 0 then ${first} when 1 then ${second} when 7 then ${seventh} else ${other} end`;
  const table = `select ${pick("'AAA'", "'zzz'", `'${TEXT}'`, "'common text ' || (i % 5)")} as a,
    ${pick("'AAA'", "'zzz'", `'${LONG}'`, "'id ' || i")} as b,
    ${pick("-2000000000", "2000000000", `${INTEGER}`, "i")}::int as c,
    ${pick("-9000000000000000", "9000000000000000", `${LARGE}`, "i * 3")}::bigint as d,
    ${pick("-1e9", "1e9", `${NUMBER}`, "i / 7.0")}::double as e,
    ${pick("date '1800-01-01'", "date '2999-01-01'", `date '${DATE}'`, "date '2020-01-01' + i::int")} as f
    from range(2000) t(i)`;
  const variants = codecs.flatMap((codec) => ["V1", "V2"].flatMap((version) => [0, 1_000_000].map((dictionary) => ({ codec, version, dictionary }))));

  test.each(variants)("DuckDB, $codec, version $version, dictionary limit $dictionary", async ({ codec, version, dictionary }) => {
    const path = join(folder, `d-${codec}-${version}-${dictionary}.parquet`);
    await duckdb.run(`copy (${table}) to '${path}' (format parquet, codec '${codec}', parquet_version ${version}, dictionary_size_limit ${dictionary}, write_bloom_filter false)`);
    expect(await found(readFileSync(path))).toEqual(ALL);
  });

  test("DuckDB, a removed member of an ENUM stays in the file, and its statistics; key-value metadata", async () => {
    const path = join(folder, "enum.parquet");
    await duckdb.run(`create type bird as enum ('a', '${TEXT}', 'b')`);
    await duckdb.run(`copy (select case when i % 2 = 0 then 'a' else 'b' end::bird as x from range(1000) t(i)) to '${path}' (format parquet, codec 'zstd', kv_metadata {note: '${LONG}'}, write_bloom_filter false)`);
    expect(await found(readFileSync(path))).toEqual(["long", "text"]);
  });

  test("a Bloom filter, which cannot be searched, is refused", async () => {
    const path = join(folder, "bloom.parquet");
    await duckdb.run(`copy (select 'v' || (i % 10) as x from range(100000) t(i)) to '${path}' (format parquet, parquet_version V2, write_bloom_filter true)`);
    await expect(found(readFileSync(path))).rejects.toThrow(/Bloom/);
  });

  test.each([
    { encoding: "DELTA_BYTE_ARRAY", type: "BYTE_ARRAY", values: [LONG, `${LONG}s`, TEXT], expected: ["long", "text"] },
    { encoding: "DELTA_LENGTH_BYTE_ARRAY", type: "BYTE_ARRAY", values: ["a", TEXT, LONG], expected: ["long", "text"] },
    { encoding: "DELTA_BINARY_PACKED", type: "INT64", values: [1n, INTEGER, LARGE, 5n], expected: ["integer", "large"] },
    { encoding: "DELTA_BINARY_PACKED", type: "INT32", values: [1, Number(INTEGER), 5], expected: ["integer"] },
    { encoding: "BYTE_STREAM_SPLIT", type: "DOUBLE", values: [1, NUMBER, 5], expected: ["number"] },
    { encoding: "RLE_DICTIONARY", type: "BYTE_ARRAY", values: [TEXT, LONG, TEXT], expected: ["long", "text"] },
  ] as const)("hyparquet-writer, $encoding of $type", async ({ encoding, type, values, expected }) => {
    const writer = new ByteWriter();
    const schema = [{ name: "root", num_children: 1 }, { name: "x", type, repetition_type: "OPTIONAL" as const, ...(type === "BYTE_ARRAY" && { converted_type: "UTF8" as const }) }];
    const parquet = new ParquetWriter({ writer, schema, statistics: false });
    await parquet.write({ columnData: [{ name: "x", data: [...values], encoding }] });
    await parquet.finish();
    expect(await found(writer.getBytes())).toEqual(expected);
  });

  test("statistics cut to 16 bytes, column names, and an Arrow schema in base64", async () => {
    const arrowSchema = Buffer.from(tableToIPC(new Table(new Schema([new Field("x", new Utf8(), true, new Map([["note", TEXT]]))]), []), "stream")).toString("base64");
    const writer = new ByteWriter();
    const schema = [{ name: "root", num_children: 1 }, { name: `c ${INTEGER}`, type: "BYTE_ARRAY" as const, converted_type: "UTF8" as const, repetition_type: "REQUIRED" as const }];
    const parquet = new ParquetWriter({ writer, schema, statistics: true, kvMetadata: [{ key: "ARROW:schema", value: arrowSchema }] });
    await parquet.write({ columnData: [{ name: `c ${INTEGER}`, data: [LONG, "a"] }] });
    await parquet.finish();
    expect(await found(writer.getBytes())).toEqual(["integer", "long", "text"]);
    expect((await scanBytes("x", writer.getBytes(), CANARIES)).some(({ form }) => form === "utf-8, cut")).toBe(true);
  });
});

describe("positive controls: what Arrow files keep without being asked", () => {
  const birds = new ArrowDictionary(new Utf8(), new Int32());

  test.each(["file", "stream"] as const)("%s: dictionaries of slices, values under nulls, metadata, view buffers", async (format) => {
    const dictionary = vectorFromArray([TEXT, LONG, "a", "b"], new Utf8());
    const coded = makeData({ type: birds, length: 4, nullCount: 0, data: Int32Array.of(2, 3, 2, 3), dictionary });
    const under = <T>(values: T): T => values;
    const nothing = Uint8Array.of(0b1110);
    const fields = [
      new Field("d", birds, true, new Map([["date", DATE]])),
      new Field("i", new Int32(), true),
      new Field("l", new Int64(), true),
      new Field("n", new Float64(), true),
    ];
    const children = [
      coded,
      makeData({ type: new Int32(), length: 4, nullCount: 1, nullBitmap: nothing, data: under(Int32Array.of(Number(INTEGER), 1, 2, 3)) }),
      makeData({ type: new Int64(), length: 4, nullCount: 1, nullBitmap: nothing, data: under(BigInt64Array.of(LARGE, 1n, 2n, 3n)) }),
      makeData({ type: new Float64(), length: 4, nullCount: 1, nullBitmap: nothing, data: under(Float64Array.of(NUMBER, 1, 2, 3)) }),
    ] as Data[];
    const schema = new Schema(fields);
    const batch = new RecordBatch(schema, makeData({ type: new Struct(fields), length: 4, nullCount: 0, children }));
    expect(await found(tableToIPC(new Table(schema, [batch]).slice(0, 1), format))).toEqual(ALL);

    const view = new Table({ v: vectorFromArray([`${LONG} and more`, "b"], new Utf8View()) }).slice(1);
    expect(await found(tableToIPC(view, format))).toEqual(["long"]);
    const noted = new Schema([new Field("x", new Utf8(), true)], new Map([["note", LONG]]));
    expect(await found(tableToIPC(new Table(noted, []), format))).toEqual(["long"]);
  });
});

describe("our writers keep nothing", () => {
  const hidden = [TEXT, LONG, String(INTEGER), String(LARGE), String(NUMBER), DATE];
  const columns = [
    { name: "s", type: "string", values: ["x", null, "y", "released-text-1"], unused: hidden },
    { name: "i", type: "integer", values: ["1", null, "3", "1122334455"], unused: hidden },
    { name: "n", type: "number", values: ["1.5", null, "3", "4"], unused: hidden },
    { name: "d", type: "date", values: ["2020-01-01", null, "2020-01-03", "2020-01-04"], unused: hidden },
    { name: "b", type: "boolean", values: ["true", null, "false", "true"], unused: hidden },
    { name: "m", type: "number", as: "numbers", values: [1, null, 3, 2.25] },
    { name: "k", type: "integer", as: "numbers", values: [1, null, 3, 4] },
  ] as const;

  test.each(["csv", "arrow", "parquet"] as const)("%s: unused values, what lies behind a batch, and what NaN may carry", async (format: ReleaseFormat) => {
    const table = tableOf(columns);
    const sink = new MemorySink();
    const writer = await createTableWriter(format, sink, table.columns, table.dictionaries);
    for (const batch of batchesOf(table, [3, 1])) {
      for (const column of batch.columns) {
        if (column.kind === "numbers") column.values.fill(NUMBER, batch.records);
        else column.codes.fill(0, batch.records); // code 0 is hidden text
      }
      const carried = batch.columns[5] as { values: Float64Array };
      if (batch.records === 3) new BigUint64Array(carried.values.buffer)[1] = 0x7ff8_0000_0000_0000n | LARGE;
      await writer.write(batch);
    }
    await writer.close();
    expect(await found(sink.bytes)).toEqual([]);
    // The other side: what was released is found by the same scan.
    const released: Canary[] = [{ name: "s", text: "released-text-1" }, { name: "i", integer: 1_122_334_455n }];
    expect(new Set((await scanBytes("x", sink.bytes, released)).map(({ canary }) => canary))).toEqual(new Set(["s", "i"]));
  });

  /** Memory that was used before is where uninitialised buffers would show (CVE-2019-12408). */
  test.each(["csv", "arrow", "parquet"] as const)("%s: dirty memory does not show", async (format) => {
    for (let i = 0; i < 200; i++) Buffer.allocUnsafe(1000 + i * 37).fill(SENTENCE);
    expect(await found(await written(format, tableOf(columns)))).toEqual([]);
  });
});

test("clean files are clean, and small values are no canaries", async () => {
  expect(await found("nothing here, 12345 67.5 2020-01-01")).toEqual([]);
  await expect(scanText("x", "", [{ name: "small", integer: 77n }])).rejects.toThrow(/25 bits/);
});
