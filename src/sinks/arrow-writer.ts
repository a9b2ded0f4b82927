/**
 * Arrow IPC files (Feather version 2, uncompressed). Text is plain Utf8 rather than dictionary-encoded: every reader gives
 * it back as text, and a file without dictionaries cannot hold an unused value. Types: string Utf8, integer Int64, number
 * Float64, boolean Bool, date Date32; every column nullable, no metadata. Record batches have 65,536 rows.
 *
 * All buffers are new, zero-filled and exactly as long as needed: null slots hold zero, and padding is zero.
 */
import type * as Arrow from "apache-arrow";
import type { Batch, Dictionary } from "../columns/index.ts";
import { DataError, InternalError } from "../errors/index.ts";
import { BatchCheck, type ReleasedDictionaries } from "./released-batch.ts";
import { booleansOf, epochDaysOf, integersOf, numbersOf, refuseMisfits, refuseUnwritableNumbers } from "./released-values.ts";
import { RowChunks, type RowChunk } from "./row-chunks.ts";
import type { ByteSink, ReleasedColumn, TableWriter } from "./sink.ts";

export const ARROW_BATCH_ROWS = 65_536;

/** One column of a chunk in Arrow's layout. */
interface Buffers {
  readonly nullCount: number;
  /** [ceil(rows / 8)] one bit per row, 1 where there is a value. */
  readonly validity: Uint8Array;
  readonly data: Uint8Array | Int32Array | BigInt64Array | Float64Array;
  readonly offsets?: Int32Array;
}

interface ArrowColumn {
  readonly type: Arrow.DataType;
  readonly misfits: Uint8Array | undefined;
  encode(values: Int32Array | Float64Array, rows: number): Buffers;
}

/** @throws InternalError `sinks/columns`; from `write` and `close` see TableWriter. Memory: one record batch twice. */
export async function createArrowWriter(
  sink: ByteSink,
  columns: readonly ReleasedColumn[],
  dictionaries: ReleasedDictionaries,
): Promise<TableWriter> {
  const check = new BatchCheck(columns, dictionaries);
  const arrow = await import("apache-arrow");
  const encoders = columns.map((column, c) => columnEncoder(arrow, column, dictionaries[c]));
  const schema = new arrow.Schema(columns.map((column, c) => new arrow.Field(column.name, encoders[c]!.type, true)));
  const chunks = new RowChunks(ARROW_BATCH_ROWS, dictionaries.map((dictionary) => dictionary !== undefined));
  const queue = new (collectingQueue(arrow))();
  const writer = new (fileWriter(arrow))().reset(queue, schema);

  async function drain(): Promise<void> {
    for (const bytes of queue.take()) await sink.write(bytes);
  }

  async function encode(chunk: RowChunk): Promise<void> {
    const children = encoders.map((encoder, c) => {
      const { nullCount, validity, data, offsets } = encoder.encode(chunk.columns[c]!, chunk.rows);
      const parts = { type: encoder.type, length: chunk.rows, nullCount, nullBitmap: validity, data };
      return arrow.makeData((offsets ? { ...parts, valueOffsets: offsets } : parts) as Parameters<typeof arrow.makeData>[0]);
    });
    const rows = arrow.makeData({ type: new arrow.Struct(schema.fields), length: chunk.rows, nullCount: 0, children });
    writer.write(new arrow.RecordBatch(schema, rows as Arrow.Data<Arrow.Struct>));
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
      writer.finish();
      await drain();
    },
  };
}

function columnEncoder(arrow: typeof Arrow, column: ReleasedColumn, dictionary: Dictionary | undefined): ArrowColumn {
  if (!dictionary) {
    return column.type === "integer"
      ? { type: new arrow.Int64(), misfits: undefined, encode: (values, rows) => wholeNumbers(values as Float64Array, rows) }
      : { type: new arrow.Float64(), misfits: undefined, encode: (values, rows) => numbers(values as Float64Array, rows) };
  }
  switch (column.type) {
    case "string":
      return { type: new arrow.Utf8(), misfits: undefined, encode: (codes, rows) => texts(column.name, dictionary, codes as Int32Array, rows) };
    case "integer":
      return lookedUp(new arrow.Int64(), integersOf(dictionary), (rows) => new BigInt64Array(rows));
    case "number":
      return lookedUp(new arrow.Float64(), numbersOf(dictionary), (rows) => new Float64Array(rows));
    case "date":
      return lookedUp(new arrow.DateDay(), epochDaysOf(dictionary), (rows) => new Int32Array(rows));
    case "boolean": {
      const { values, misfits } = booleansOf(dictionary);
      return { type: new arrow.Bool(), misfits, encode: (codes, rows) => bits(values, codes as Int32Array, rows) };
    }
  }
}

function lookedUp<T extends Int32Array | BigInt64Array | Float64Array>(
  type: Arrow.DataType,
  { values, misfits }: { values: T; misfits: Uint8Array | undefined },
  make: (rows: number) => T,
): ArrowColumn {
  return {
    type,
    misfits,
    encode(codes, rows) {
      const data = make(rows);
      const validity = new Uint8Array((rows + 7) >> 3);
      let nullCount = 0;
      for (let i = 0; i < rows; i++) {
        const code = codes[i]!;
        if (code < 0) nullCount++;
        else {
          data[i] = values[code]!;
          validity[i >> 3]! |= 1 << (i & 7);
        }
      }
      return { nullCount, validity, data };
    },
  };
}

function texts(column: string, dictionary: Dictionary, codes: Int32Array, rows: number): Buffers {
  const { offsets: from, bytes } = dictionary;
  const offsets = new Int32Array(rows + 1);
  const validity = new Uint8Array((rows + 7) >> 3);
  let nullCount = 0;
  let length = 0;
  for (let i = 0; i < rows; i++) {
    const code = codes[i]!;
    if (code < 0) nullCount++;
    else {
      validity[i >> 3]! |= 1 << (i & 7);
      length += from[code + 1]! - from[code]!;
    }
    offsets[i + 1] = length; // beyond 2^31 - 1 it wraps, and `length` below tells
  }
  if (length > 0x7fffffff) {
    throw new DataError(
      "arrow/column-too-large",
      `Column "${column}" has ${length} bytes of text in ${rows} rows; an Arrow record batch holds at most 2147483647. ` +
        `Shorten the texts, or release as CSV or Parquet.`,
      { column, bytes: length, rows },
    );
  }
  const data = new Uint8Array(length);
  let at = 0;
  for (let i = 0; i < rows; i++) {
    const code = codes[i]!;
    if (code < 0) continue;
    for (let j = from[code]!, end = from[code + 1]!; j < end; j++) data[at++] = bytes[j]!;
  }
  return { nullCount, validity, data, offsets };
}

function bits(values: Uint8Array, codes: Int32Array, rows: number): Buffers {
  const data = new Uint8Array((rows + 7) >> 3);
  const validity = new Uint8Array((rows + 7) >> 3);
  let nullCount = 0;
  for (let i = 0; i < rows; i++) {
    const code = codes[i]!;
    if (code < 0) nullCount++;
    else {
      data[i >> 3]! |= values[code]! << (i & 7);
      validity[i >> 3]! |= 1 << (i & 7);
    }
  }
  return { nullCount, validity, data };
}

function numbers(values: Float64Array, rows: number): Buffers {
  const data = new Float64Array(rows);
  const validity = new Uint8Array((rows + 7) >> 3);
  let nullCount = 0;
  for (let i = 0; i < rows; i++) {
    const value = values[i]!;
    if (value !== value) nullCount++;
    else {
      data[i] = value + 0; // -0 + 0 is 0
      validity[i >> 3]! |= 1 << (i & 7);
    }
  }
  return { nullCount, validity, data };
}

function wholeNumbers(values: Float64Array, rows: number): Buffers {
  const data = new BigInt64Array(rows);
  const halves = new Int32Array(data.buffer); // low word first on every machine that Node runs on
  const validity = new Uint8Array((rows + 7) >> 3);
  let nullCount = 0;
  for (let i = 0; i < rows; i++) {
    const value = values[i]!;
    if (value !== value) nullCount++;
    else {
      const high = Math.floor(value / 0x1_0000_0000);
      halves[2 * i] = value - high * 0x1_0000_0000;
      halves[2 * i + 1] = high;
      validity[i >> 3]! |= 1 << (i & 7);
    }
  }
  return { nullCount, validity, data };
}

/** A queue that hands over what the writer produced, so that only one batch is held. */
function collectingQueue(arrow: typeof Arrow) {
  return class CollectingQueue extends arrow.AsyncByteQueue {
    #chunks: Uint8Array[] = [];

    override write(value: Parameters<Arrow.AsyncByteQueue["write"]>[0]): void {
      if (!(value instanceof Uint8Array)) throw new InternalError("sinks/arrow", "The Arrow writer produced something else than bytes.");
      this.#chunks.push(value);
    }

    take(): Uint8Array[] {
      const chunks = this.#chunks;
      this.#chunks = [];
      return chunks;
    }
  };
}

/** The library leaves out the schema message that the file format has before the first batch; some readers need it. */
function fileWriter(arrow: typeof Arrow) {
  return class FileWriter extends arrow.RecordBatchFileWriter {
    protected override _writeSchema(schema: Arrow.Schema): this {
      super._writeSchema(schema as never);
      return this._writeMessage(arrow.Message.from(schema as never));
    }
  };
}
