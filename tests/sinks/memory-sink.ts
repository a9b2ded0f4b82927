import { Buffer } from "node:buffer";
import { DictionaryBuilder, type Batch, type Column, type Dictionary } from "../../src/columns/index.ts";
import { createTableWriter, type ByteSink, type ReleasedColumn, type ReleaseFormat, type TableWriterOptions } from "../../src/sinks/index.ts";

/** A sink in memory that copies what it is given, as the contract allows callers to reuse their buffers. */
export class MemorySink implements ByteSink {
  readonly #parts: Buffer[] = [];
  closed = false;

  async write(bytes: Uint8Array): Promise<void> {
    this.#parts.push(Buffer.from(bytes));
  }
  async close(): Promise<void> {
    this.closed = true;
  }
  async abort(): Promise<void> {
    this.#parts.length = 0;
  }
  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

export interface TestColumn extends ReleasedColumn {
  /** Text for codes, numbers for columns of numbers; null in both. */
  readonly values: readonly (string | number | null)[];
  readonly as?: "codes" | "numbers";
  /** Values put into the dictionary although no record has them. */
  readonly unused?: readonly string[];
}

export interface TestTable {
  readonly columns: readonly ReleasedColumn[];
  readonly dictionaries: readonly (Dictionary | undefined)[];
  readonly data: readonly Column[];
  readonly records: number;
}

export function tableOf(columns: readonly TestColumn[]): TestTable {
  const data = columns.map((column): Column => {
    if (column.as === "numbers") return { kind: "numbers", values: Float64Array.from(column.values, (v) => (v === null ? NaN : (v as number))) };
    const dictionary = DictionaryBuilder.from(column.unused ?? []);
    const codes = Int32Array.from(column.values, (v) => (v === null ? -1 : dictionary.addText(v as string)));
    return { kind: "codes", codes, dictionary: dictionary.freeze() };
  });
  return {
    columns: columns.map(({ name, type }) => ({ name, type })),
    dictionaries: data.map((column) => (column.kind === "codes" ? column.dictionary : undefined)),
    data,
    records: columns[0]?.values.length ?? 0,
  };
}

/** Cut a table into batches of the given sizes; the last size repeats. Slices are padded with rubbish behind their end. */
export function batchesOf(table: TestTable, sizes: readonly number[] = [table.records || 1]): Batch[] {
  const batches: Batch[] = [];
  for (let from = 0, b = 0; from < table.records; b++) {
    const records = Math.min(sizes[Math.min(b, sizes.length - 1)]!, table.records - from);
    const start = from;
    const columns = table.data.map((column): Column => {
      if (column.kind === "numbers") {
        const values = new Float64Array(records + 3).fill(424_242);
        values.set(column.values.subarray(start, start + records));
        return { kind: "numbers", values };
      }
      const codes = new Int32Array(records + 3).fill(7_777);
      codes.set(column.codes.subarray(start, start + records));
      return { kind: "codes", codes, dictionary: column.dictionary };
    });
    batches.push({ records, columns });
    from += records;
  }
  return batches;
}

/** Write a table and return the file's bytes. */
export async function written(
  format: ReleaseFormat,
  table: TestTable,
  sizes?: readonly number[],
  options?: TableWriterOptions,
): Promise<Buffer> {
  const sink = new MemorySink();
  const writer = await createTableWriter(format, sink, table.columns, table.dictionaries, options);
  for (const batch of batchesOf(table, sizes)) await writer.write(batch);
  await writer.close();
  return sink.bytes;
}
