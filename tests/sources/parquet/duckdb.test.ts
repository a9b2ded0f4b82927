import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openParquetFile } from "../../../src/node/parquet-file.ts";
import { readSource, refusal } from "../read-source.ts";

/** Files written by DuckDB, an implementation that shares nothing with ours; the expected texts are DuckDB's own casts. */
const RECORDS = 5_000;
const COLUMNS: Readonly<Record<string, string>> = {
  low: `'county ' || (i % 58)`,
  high: `'person ' || hash(i) || repeat('ü', (i % 5)::INT)`,
  empty: `CASE WHEN i % 3 = 0 THEN '' ELSE 'x' END`,
  sorted: `'prefix/' || lpad(i::VARCHAR, 9, '0')`,
  enumerated: `(['red', 'green', 'blue'])[(i % 3 + 1)::INT]::ENUM('red', 'green', 'blue', 'never')`,
  flag: `i % 7 < 3`,
  tiny: `(i % 256 - 128)::TINYINT`,
  small: `(i * 3 - 30000)::SMALLINT`,
  whole: `(i * 104729 - 1000000000)::INTEGER`,
  long: `(i * 461168601842738 - 4611686018427387904)::BIGINT`,
  utiny: `(i % 256)::UTINYINT`,
  uwhole: `(i * 200000 % 4294967296)::UINTEGER`,
  ulong: `(18446744073709551615 - i::UBIGINT)::UBIGINT`,
  narrow_decimal: `((i % 9999)::DECIMAL(10,0) / 100)::DECIMAL(4, 2) - 50`,
  decimal: `(i::DECIMAL(18,3) * 1234567.891)::DECIMAL(18, 3)`,
  wide_decimal: `(i::DECIMAL(38,5) * -12345678901234567890.12345::DECIMAL(38,5))::DECIMAL(38, 5)`,
  day: `DATE '1850-01-01' + (i * 5)::INT`,
  seconds: `make_timestamp(i * 12345678901)::TIMESTAMP_S`,
  milliseconds: `make_timestamp(i * 1234567000 - 5000000000000)::TIMESTAMP_MS`,
  microseconds: `make_timestamp(i * 1234567891 - 5000000000000000)`,
  instants: `make_timestamp(i * 1234567891)::TIMESTAMPTZ`,
  nanoseconds: `make_timestamp_ns(i * 1234567891011)`,
  constant: `'same'`,
  missing: `NULL::VARCHAR`,
};
const REALS: Readonly<Record<string, string>> = { real: `(i / 7.0)::FLOAT`, double: `i / 7.0::DOUBLE - 1e6` };

let connection: DuckDBConnection;
const directory = mkdtempSync(join(tmpdir(), "parquet-"));

beforeAll(async () => {
  connection = await (await DuckDBInstance.create(":memory:")).connect();
  await connection.run("SET TimeZone = 'UTC'");
  const select = Object.entries({ ...COLUMNS, ...REALS }).map(([name, sql]) => `CASE WHEN hash(i, '${name}') % 10 = 0 THEN NULL ELSE ${sql} END AS ${name}`);
  await connection.run(`CREATE TABLE t AS SELECT ${select.join(", ")}, i AS required FROM range(${RECORDS}) r(i)`);
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true }));

/** ISO 8601 of DuckDB's "2001-02-03 04:05:06.7+00"; dates pass. */
function isoText(text: string): string {
  const match = /^(-?\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(\+00)?$/.exec(text);
  if (match === null) return text;
  const [, day, time, digits = "", zone] = match;
  const fraction = digits.padEnd(Math.ceil(digits.length / 3) * 3, "0");
  return `${day}T${time}${fraction && `.${fraction}`}${zone === undefined ? "" : "Z"}`;
}

const OPTIONS = [
  "CODEC UNCOMPRESSED", "CODEC SNAPPY, ROW_GROUP_SIZE 3000", "CODEC GZIP", "CODEC ZSTD", "CODEC LZ4_RAW",
  "CODEC SNAPPY, PARQUET_VERSION V2", "CODEC ZSTD, PARQUET_VERSION V2, ROW_GROUP_SIZE 5000", "CODEC SNAPPY, DICTIONARY_SIZE_LIMIT 1",
  "CODEC ZSTD, PARQUET_VERSION V2, DICTIONARY_SIZE_LIMIT 1",
];

describe("what DuckDB writes is read as DuckDB reads it", () => {
  let expected: Record<string, (string | null)[]>;
  beforeAll(async () => {
    const names = Object.keys(COLUMNS);
    const result = await connection.runAndReadAll(`SELECT ${names.map((name) => `${name}::VARCHAR`).join(", ")} FROM t`);
    expected = Object.fromEntries(result.getColumns().map((values, j) => [names[j]!, values.map((value) => (value === null ? null : isoText(value as string)))]));
  });

  test.each(OPTIONS)("%s", async (options) => {
    const path = join(directory, "t.parquet");
    await connection.run(`COPY t TO '${path}' (FORMAT parquet, ${options})`);
    const read = await readSource(openParquetFile(path), Object.keys(COLUMNS));
    expect(read.records).toBe(RECORDS);
    for (const [name, texts] of Object.entries(expected)) {
      const wrong = texts.findIndex((text, i) => text !== read.columns[name]![i]);
      expect({ name, wrong, found: read.columns[name]![wrong], text: texts[wrong] }).toEqual({ name, wrong: -1 });
    }

    const numbers = await readSource(openParquetFile(path), ["double", "real", "whole", "uwhole", "decimal", "narrow_decimal", "tiny"].map((name) => ({ name, as: "numbers" as const })));
    const doubles = await connection.runAndReadAll(`SELECT "double", "real"::DOUBLE, whole::DOUBLE, uwhole::DOUBLE, decimal::DOUBLE, narrow_decimal::DOUBLE, tiny::DOUBLE FROM t`);
    expect(Object.values(numbers.columns)).toEqual(doubles.getColumns());
    expect(numbers.fingerprint).toBe(read.fingerprint);

    const keys = await readSource(openParquetFile(path), ["real", "double"]);
    expect(keys.columns.real!.map((text) => (text === null ? null : Math.fround(Number(text))))).toEqual(doubles.getColumns()[1]);
    expect(keys.columns.double!.map((text) => (text === null ? null : Number(text)))).toEqual(doubles.getColumns()[0]);
  });

  test("CODEC BROTLI", async () => {
    const path = join(directory, "brotli.parquet"); // little, since DuckDB packs it slowly
    await connection.run(`COPY (SELECT high, long FROM t LIMIT 1000) TO '${path}' (FORMAT parquet, CODEC BROTLI)`);
    const { columns } = await readSource(openParquetFile(path));
    expect(columns).toEqual({ high: expected.high!.slice(0, 1000), long: expected.long!.slice(0, 1000) });
  });

  test("nested columns are refused by name; plain ones beside them are read", async () => {
    const path = join(directory, "nested.parquet");
    await connection.run(`COPY (SELECT [i, i + 1] AS list, {a: i, b: [i]} AS struct, MAP {'k': i} AS map, i::VARCHAR AS k FROM range(5) r(i)) TO '${path}' (FORMAT parquet)`);
    const source = openParquetFile(path);
    expect(await source.columns()).toEqual([{ name: "list", type: "other" }, { name: "struct", type: "other" }, { name: "map", type: "other" }, { name: "k", type: "text" }]);
    for (const name of ["list", "struct", "map"]) expect((await refusal(() => readSource(source, [name]))).detail).toEqual({ column: name, type: "nested" });
    expect((await readSource(source, ["k"])).columns.k).toEqual(["0", "1", "2", "3", "4"]);
  });

  test("the types of the columns", async () => {
    const path = join(directory, "types.parquet");
    await connection.run(`COPY t TO '${path}' (FORMAT parquet)`);
    const types = Object.fromEntries((await openParquetFile(path).columns()).map(({ name, type }) => [name, type]));
    expect(types).toMatchObject({ low: "text", enumerated: "text", flag: "boolean", tiny: "integer", ulong: "integer", decimal: "number", double: "number", day: "date", instants: "timestamp" });
  });
});
