import { createHash } from "node:crypto";
import { RecordBatchStreamReader, tableFromIPC, Type, type Table } from "apache-arrow";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ARROW_BATCH_ROWS } from "../../src/sinks/arrow-writer.ts";
import { tableOf, written, type TestColumn } from "./memory-sink.ts";
import { expectedValues, typedColumns } from "./typed-table.ts";

function read(table: Table, c: number): unknown[] {
  const vector = table.getChildAt(c)!;
  if (vector.type.typeId === Type.Date) {
    // The library turns days into milliseconds; the buffer holds the days.
    return vector.data.flatMap((data) => Array.from({ length: data.length }, (_, i) => (data.getValid(i) ? (data.values as Int32Array)[i] : null)));
  }
  return Array.from(vector, (value: unknown) => value);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

describe("Arrow writer", () => {
  test.each([0, 1, 7, 8, 9, 1000])("%d rows of every type come back, from the file and from the stream inside it", async (rows) => {
    const columns = typedColumns(rows);
    const bytes = await written("arrow", tableOf(columns));
    // Behind the magic, the file holds a whole stream; readers that cannot seek use it.
    for (const table of [tableFromIPC(bytes), tableFromIPC(RecordBatchStreamReader.from(bytes.subarray(8)))]) {
      expect(table.numRows).toBe(rows);
      expect(table.schema.fields.map((field) => field.name)).toEqual(columns.map((column) => column.name));
      for (const [c, column] of columns.entries()) expect(read(table, c), column.name).toEqual(expectedValues(column));
    }
  });

  test("types are the declared ones, nullable, without metadata or dictionaries", async () => {
    const { schema } = tableFromIPC(await written("arrow", tableOf(typedColumns(3))));
    expect(schema.fields.map((field) => String(field.type))).toEqual(
      ["Utf8", "Utf8", "Int64", "Int64", "Float64", "Float64", "Bool", "Date32<DAY>", "Utf8", "Float64", "Utf8"],
    );
    expect(schema.metadata.size).toBe(0);
    expect(schema.dictionaries.size).toBe(0);
    for (const field of schema.fields) expect([field.nullable, field.metadata.size]).toEqual([true, 0]);
  });

  test("batches have a fixed size, and the same rows give the same bytes however they came", async () => {
    const table = tableOf(typedColumns(2 * ARROW_BATCH_ROWS + 5));
    const bytes = await written("arrow", table);
    expect(tableFromIPC(bytes).batches.map((batch) => batch.numRows)).toEqual([ARROW_BATCH_ROWS, ARROW_BATCH_ROWS, 5]);
    for (const sizes of [[1, 50_000], [ARROW_BATCH_ROWS], [70_001, 3, 60_000]]) {
      expect(sha256(await written("arrow", table, sizes))).toBe(sha256(bytes));
    }
  });

  test("neither unused values nor the order of the dictionary reach the bytes", async () => {
    const values = ["b", "a", null, "b"];
    const plain = await written("arrow", tableOf([{ name: "x", type: "string", values }]));
    const other = await written("arrow", tableOf([{ name: "x", type: "string", values, unused: ["CANARY-1", "a", "zz"] }]));
    expect(other.equals(plain)).toBe(true);
  });

  test("what is under a null does not reach the bytes", async () => {
    const columns: TestColumn[] = [
      { name: "t", type: "string", values: ["a", null, "b"] },
      { name: "n", type: "number", as: "numbers", values: [1, null, 2] },
    ];
    const table = tableOf(columns);
    const bytes = await written("arrow", table);
    // NaN payloads are a place to hide a value: this NaN carries one.
    const numbers = table.data[1] as { values: Float64Array };
    new BigUint64Array(numbers.values.buffer)[1] = 0x7ff8_cafe_babe_0001n;
    expect((await written("arrow", table)).equals(bytes)).toBe(true);
  });

  test("values out of range are refused", async () => {
    for (const value of ["9223372036854775808", "-9223372036854775809", "1.0", "", "+1", " 1", "0x1", "1".repeat(400)]) {
      const bad = written("arrow", tableOf([{ name: "n", type: "integer", values: [value] }]));
      await expect(bad).rejects.toMatchObject({ name: "DataError", code: "output/not-of-type" });
    }
    for (const value of ["2023-02-29", "2024-13-01", "2024-00-01", "2024-1-1", "2024-01-01T00:00", "24-01-01", ""]) {
      await expect(written("arrow", tableOf([{ name: "d", type: "date", values: [value] }]))).rejects.toMatchObject({ code: "output/not-of-type" });
    }
    for (const value of ["1e999", "NaN", "Infinity", "1,5", "."]) {
      await expect(written("arrow", tableOf([{ name: "x", type: "number", values: [value] }]))).rejects.toMatchObject({ code: "output/not-of-type" });
    }
    await expect(written("arrow", tableOf([{ name: "b", type: "boolean", values: ["TRUE"] }]))).rejects.toMatchObject({ code: "output/not-of-type" });
  });

  test("any small table comes back", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(fc.option(fc.string({ unit: "grapheme" }), { nil: null }), fc.option(fc.maxSafeInteger(), { nil: null }), fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: null })),
          { maxLength: 40 },
        ),
        async (rows) => {
          const columns: TestColumn[] = [
            { name: "s", type: "string", values: rows.map((row) => row[0]) },
            { name: "i", type: "integer", as: "numbers", values: rows.map((row) => row[1]) },
            { name: "f", type: "number", as: "numbers", values: rows.map((row) => row[2]) },
          ];
          const table = tableFromIPC(await written("arrow", tableOf(columns), [3]));
          for (const [c, column] of columns.entries()) expect(read(table, c)).toEqual(expectedValues(column));
        },
      ),
      { numRuns: 50 },
    );
  });
});
