import { dictionaryText } from "../../../src/columns/index.ts";
import type { Batch, Column } from "../../../src/columns/index.ts";
import { DataError } from "../../../src/errors/index.ts";
import { CsvCoder, type CsvCoderColumn, type CsvDelimiter } from "../../../src/sources/csv/index.ts";

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Values of one record: texts of codes, numbers as they are. */
export function recordOf(columns: readonly Column[], record: number): (string | number)[] {
  return columns.map((column) =>
    column.kind === "codes" ? dictionaryText(column.dictionary, column.codes[record]!) : column.values[record]!,
  );
}

export function recordsOf(batch: Batch): (string | number)[][] {
  return Array.from({ length: batch.records }, (_, record) => recordOf(batch.columns, record));
}

/** Every batch that is there. */
export function drain(coder: CsvCoder): (string | number)[][] {
  const records: (string | number)[][] = [];
  for (let batch = coder.read(); batch !== undefined; batch = coder.read()) records.push(...recordsOf(batch));
  return records;
}

export function allText(fieldCount: number): CsvCoderColumn[] {
  return Array.from({ length: fieldCount }, (_, index) => ({ index, name: `column ${index}`, as: "codes" }));
}

export interface DecodeOptions {
  readonly fieldCount: number;
  readonly columns?: readonly CsvCoderColumn[];
  readonly delimiter?: CsvDelimiter;
  /** Offsets at which the bytes are cut into pieces, in any order. */
  readonly cuts?: readonly number[];
  readonly batchRecords?: number;
  /** 0 when absent: with WebAssembly from the first byte on. */
  readonly kernelBytes?: number;
}

/** Records of a file without a header. */
export function decode(content: string | Uint8Array, options: DecodeOptions): (string | number)[][] {
  const bytes = typeof content === "string" ? bytesOf(content) : content;
  const coder = new CsvCoder({
    fieldCount: options.fieldCount,
    delimiter: options.delimiter,
    columns: options.columns ?? allText(options.fieldCount),
    batchRecords: options.batchRecords ?? 16,
    kernelBytes: options.kernelBytes ?? 0,
  });
  const records: (string | number)[][] = [];
  const ends = [...(options.cuts ?? []), bytes.length].map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    // A copy that is overwritten afterwards: the coder must not look at a piece again once it was read.
    const piece = bytes.slice(from, end);
    coder.push(piece);
    records.push(...drain(coder));
    piece.fill(0xff);
    from = end;
  }
  coder.end();
  records.push(...drain(coder));
  return records;
}

export interface Refusal {
  readonly code: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** The DataError that an action ends in; anything else it ends in is thrown on. */
export function refusal(action: () => unknown): Refusal | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof DataError) return { code: error.code, detail: error.detail, message: error.message };
    throw error;
  }
  return undefined;
}
