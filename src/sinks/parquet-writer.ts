/**
 * Parquet files with Snappy, whose pure JavaScript implementation gives the same bytes everywhere. Types: string BYTE_ARRAY
 * UTF8, integer INT64, number DOUBLE, boolean BOOLEAN, date INT32 DATE; every column optional. Row groups have 131,072 rows.
 * No statistics, indexes, Bloom filters or key-value metadata; dictionaries are built from the rows of a row group only.
 */
import type { SchemaElement } from "hyparquet";
import type * as Writer from "hyparquet-writer";
import { dictionaryText, type Batch, type Dictionary } from "../columns/index.ts";
import { InternalError, PolicyError } from "../errors/index.ts";
import { BatchCheck, type ReleasedDictionaries } from "./released-batch.ts";
import { booleansOf, epochDaysOf, integersOf, numbersOf, refuseMisfits, refuseUnwritableNumbers } from "./released-values.ts";
import { RowChunks, type RowChunk } from "./row-chunks.ts";
import type { ByteSink, ReleasedColumn, TableWriter } from "./sink.ts";

export const PARQUET_ROW_GROUP_ROWS = 131_072;

type Value = string | bigint | number | boolean | null;

interface ParquetColumn {
  readonly misfits: Uint8Array | undefined;
  encode(values: Int32Array | Float64Array, rows: number): Value[];
}

/**
 * @throws PolicyError `parquet/not-installed` when the optional package is missing; from `write` and `close` see TableWriter.
 * Memory: the rows of one row group, once as codes and once as JavaScript values, and the compressed row group.
 */
export async function createParquetWriter(
  sink: ByteSink,
  columns: readonly ReleasedColumn[],
  dictionaries: ReleasedDictionaries,
): Promise<TableWriter> {
  const check = new BatchCheck(columns, dictionaries);
  const { ByteWriter, ParquetWriter } = await load();
  const encoders = columns.map((column, c) => columnEncoder(column, dictionaries[c]));
  const chunks = new RowChunks(PARQUET_ROW_GROUP_ROWS, dictionaries.map((dictionary) => dictionary !== undefined));
  const bytes = new ByteWriter(1 << 20);
  const schema = schemaOf(columns);
  const writer = new ParquetWriter({ writer: bytes, schema, codec: "SNAPPY", statistics: false, createdBy: "commensurate" });

  async function drain(): Promise<void> {
    const written = bytes.getBytes();
    bytes.index = 0;
    if (written.length > 0) await sink.write(written);
  }

  async function encode(chunk: RowChunk): Promise<void> {
    const columnData = columns.map(({ name }, c) => ({
      name,
      data: encoders[c]!.encode(chunk.columns[c]!, chunk.rows),
      columnIndex: false,
      offsetIndex: false,
      statistics: false,
    }));
    await guarded(() => writer.write({ columnData, rowGroupSize: chunk.rows }));
    await drain();
  }

  return {
    async write(batch: Batch) {
      check.check(batch);
      for (const [c, column] of columns.entries()) {
        const data = batch.columns[c]!;
        if (data.kind === "codes") refuseMisfits(column, data.codes, batch.records, encoders[c]!.misfits);
        else refuseUnwritableNumbers(column, data.values, batch.records);
      }
      await chunks.add(batch, encode);
    },
    async close() {
      await chunks.end(encode);
      await guarded(() => writer.finish());
      await drain();
    },
  };
}

const PHYSICAL: Record<ReleasedColumn["type"], Pick<SchemaElement, "type" | "converted_type" | "logical_type">> = {
  string: { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } },
  integer: { type: "INT64" },
  number: { type: "DOUBLE" },
  boolean: { type: "BOOLEAN" },
  date: { type: "INT32", converted_type: "DATE", logical_type: { type: "DATE" } },
};

function schemaOf(columns: readonly ReleasedColumn[]): SchemaElement[] {
  const fields = columns.map(({ name, type }): SchemaElement => ({ name, repetition_type: "OPTIONAL", ...PHYSICAL[type] }));
  return [{ name: "root", num_children: columns.length }, ...fields];
}

function columnEncoder(column: ReleasedColumn, dictionary: Dictionary | undefined): ParquetColumn {
  if (!dictionary) {
    const one = column.type === "integer" ? (value: number) => BigInt(value) : (value: number) => value + 0; // -0 + 0 is 0
    return { misfits: undefined, encode: (values, rows) => numbers(values as Float64Array, rows, one) };
  }
  switch (column.type) {
    case "string": {
      // One JavaScript string per value in use, made when first met.
      const texts: (string | undefined)[] = Array.from({ length: dictionary.size });
      return {
        misfits: undefined,
        encode(codes, rows) {
          const out: Value[] = [];
          for (let i = 0; i < rows; i++) {
            const code = codes[i]!;
            out.push(code < 0 ? null : (texts[code] ??= dictionaryText(dictionary, code)));
          }
          return out;
        },
      };
    }
    case "integer":
      return lookedUp(integersOf(dictionary));
    case "number":
      return lookedUp(numbersOf(dictionary));
    case "date":
      return lookedUp(epochDaysOf(dictionary));
    case "boolean": {
      const { values, misfits } = booleansOf(dictionary);
      return { misfits, encode: (codes, rows) => lookUp(Array.from(values, (value) => value === 1), codes as Int32Array, rows) };
    }
  }
}

function lookedUp({ values, misfits }: { values: ArrayLike<Value>; misfits: Uint8Array | undefined }): ParquetColumn {
  return { misfits, encode: (codes, rows) => lookUp(values, codes as Int32Array, rows) };
}

function lookUp(values: ArrayLike<Value>, codes: Int32Array, rows: number): Value[] {
  const out: Value[] = [];
  for (let i = 0; i < rows; i++) {
    const code = codes[i]!;
    out.push(code < 0 ? null : values[code]!);
  }
  return out;
}

function numbers(values: Float64Array, rows: number, one: (value: number) => Value): Value[] {
  const out: Value[] = [];
  for (let i = 0; i < rows; i++) {
    const value = values[i]!;
    out.push(value !== value ? null : one(value));
  }
  return out;
}

async function load(): Promise<typeof Writer> {
  try {
    return await import("hyparquet-writer");
  } catch {
    throw new PolicyError(
      "parquet/not-installed",
      'Writing Parquet needs the optional packages "hyparquet" and "hyparquet-writer". Install them, or leave parquet out of release.formats.',
    );
  }
}

/** The library quotes values in its messages, so none of them may get out. */
async function guarded(work: () => void | Promise<void>): Promise<void> {
  try {
    await work();
  } catch {
    throw new InternalError("sinks/parquet", "The Parquet writer refused released values. This is a defect in commensurate; please report it.");
  }
}
