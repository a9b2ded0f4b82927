import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { parquetMetadata, parquetReadObjects, type FileMetaData } from "hyparquet";
import { afterAll, describe, expect, test } from "vitest";
import { PARQUET_ROW_GROUP_ROWS } from "../../src/sinks/parquet-writer.ts";
import { tableOf, written } from "./memory-sink.ts";
import { expectedValues, typedColumns } from "./typed-table.ts";

const folder = mkdtempSync(join(tmpdir(), "parquet-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function arrayBuffer(bytes: Buffer): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("Parquet writer", () => {
  test.each([0, 1, 9, 1000])("%d rows of every type come back by hyparquet", async (rows) => {
    const columns = typedColumns(rows);
    const file = arrayBuffer(await written("parquet", tableOf(columns)));
    const metadata = parquetMetadata(file);
    for (const element of metadata.schema) {
      if (element.converted_type === "DATE") {
        delete element.converted_type; // days as they are stored
        delete element.logical_type;
      }
    }
    const names = columns.map(({ name }) => name).filter((name) => name !== "__proto__");
    const read = rows === 0 ? [] : await parquetReadObjects({ file, metadata, columns: names });
    expect(Number(metadata.num_rows)).toBe(rows);
    for (const column of columns) {
      if (column.name === "__proto__") continue; // this reader makes objects; DuckDB below reads the column
      expect(read.map((row) => row[column.name] ?? null), column.name).toEqual(expectedValues(column));
    }
  });

  test("DuckDB reads every type and value", async () => {
    const columns = typedColumns(1000);
    const path = join(folder, "typed.parquet");
    writeFileSync(path, await written("parquet", tableOf(columns)));
    const connection = await (await DuckDBInstance.create()).connect();
    const described = await (await connection.runAndReadAll(`describe select * from '${path}'`)).getRowObjects();
    expect(described.map((row) => [row["column_name"], row["column_type"]])).toEqual([
      ["text", "VARCHAR"], ["unique text", "VARCHAR"], ["integer codes", "BIGINT"], ["integers", "BIGINT"], ["number codes", "DOUBLE"],
      ["numbers", "DOUBLE"], ["flags", "BOOLEAN"], ["dates", "DATE"], ["__proto__", "VARCHAR"], ["all null", "DOUBLE"], ["dotted.name", "VARCHAR"],
    ]); // prettier-ignore
    const result = await connection.runAndReadAll(`select * replace ((dates - date '1970-01-01')::bigint as dates) from '${path}'`);
    const read = result.getColumns();
    for (const [c, column] of columns.entries()) {
      const values = column.type === "date" ? expectedValues(column).map((day) => (day === null ? null : BigInt(day))) : expectedValues(column);
      expect(read[c], column.name).toEqual(values);
    }
    connection.closeSync();
  });

  test("row groups have a fixed size, and the same rows give the same bytes however they came", async () => {
    const table = tableOf(typedColumns(PARQUET_ROW_GROUP_ROWS + 5));
    const bytes = await written("parquet", table);
    expect(parquetMetadata(arrayBuffer(bytes)).row_groups.map((group) => Number(group.num_rows))).toEqual([PARQUET_ROW_GROUP_ROWS, 5]);
    expect(sha256(await written("parquet", table, [1, 50_000]))).toBe(sha256(bytes));
  });

  test("no statistics, no indexes, no metadata but the writer's name", async () => {
    const metadata: FileMetaData = parquetMetadata(arrayBuffer(await written("parquet", tableOf(typedColumns(1000)))));
    expect(metadata.created_by).toBe("commensurate");
    expect(metadata.key_value_metadata).toBeUndefined();
    for (const { columns } of metadata.row_groups) {
      for (const chunk of columns) {
        expect(chunk.meta_data?.statistics).toBeUndefined();
        expect(chunk.meta_data?.bloom_filter_offset).toBeUndefined();
        expect(chunk.offset_index_offset).toBeUndefined();
        expect(chunk.column_index_offset).toBeUndefined();
      }
    }
  });

  test("neither unused values nor the order of the dictionary reach the bytes", async () => {
    const values = Array.from({ length: 500 }, (_, i) => (i % 9 === 0 ? null : `value ${i % 4}`));
    const plain = await written("parquet", tableOf([{ name: "x", type: "string", values }]));
    const unused = Array.from({ length: 3000 }, (_, i) => `CANARY-${i}`);
    expect((await written("parquet", tableOf([{ name: "x", type: "string", values, unused: [...unused, "value 3"] }]))).equals(plain)).toBe(true);
  });

  test("values that do not fit are refused before the library sees them", async () => {
    const bad = written("parquet", tableOf([{ name: "n", type: "integer", values: ["9223372036854775808"] }]));
    await expect(bad).rejects.toMatchObject({ name: "DataError", code: "output/not-of-type" });
    await expect(bad).rejects.not.toThrow(/9223/);
  });
});
