/** Random tables and every form in which a release can be given them. All randomness is seeded. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import {
  Dictionary, Field, Float64, Int32, Int64, makeBuilder, makeData, RecordBatch, Schema, Struct, Table, tableToIPC, Utf8, vectorFromArray,
  type Data as ArrowData, type DataType,
} from "apache-arrow";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { SourceInput } from "../../src/index.ts";

/** Every value as the text a CSV file would have, null where missing. */
export interface Rows {
  readonly names: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 to below 1; mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  shuffled<Item>(items: readonly Item[]): Item[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j]!, out[i]!];
    }
    return out;
  }

  word(length = 8): string {
    return Array.from({ length }, () => "abcdefghijklmnopqrstuvwxyz"[this.below(26)]!).join("");
  }
}

/** RFC 4180 text; `quoteAll` and `crlf` are other spellings of the same content. */
export function csvText({ names, rows }: Rows, { quoteAll = false, crlf = false, bom = false } = {}): string {
  const field = (text: string | null): string => {
    if (text === null) return "";
    return quoteAll || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const end = crlf ? "\r\n" : "\n";
  return (bom ? "\uFEFF" : "") + [names, ...rows].map((row) => row.map(field).join(",") + end).join("");
}

export type Form = "csv" | "csv-spelt-otherwise" | "csv.gz" | "table" | "arrow-file" | "arrow-stream-file" | "parquet" | "records" | "columns" | "batches" | "stream";
export const FORMS: readonly Form[] = [
  "csv", "csv-spelt-otherwise", "csv.gz", "table", "arrow-file", "arrow-stream-file", "parquet", "records", "columns", "batches", "stream",
];

export interface FormOptions {
  /** Columns that have a number type in typed forms. */
  readonly integers?: readonly string[];
  readonly doubles?: readonly string[];
  /** Texts that no record has, put into dictionaries, metadata and null slots of Arrow forms, and into the file's name. */
  readonly hidden?: readonly string[];
  /** Changes everything about the form that means nothing: batch cuts, dictionary order, encodings. */
  readonly seed?: number;
  /** File name without ending. */
  readonly file?: string;
}

/** The rows in a form that `release` takes; files are written into the folder. */
export async function inForm(form: Form, data: Rows, folder: string, options: FormOptions = {}): Promise<SourceInput> {
  const random = new Random(options.seed ?? 1);
  const file = join(folder, options.file ?? `input-${form.replaceAll(".", "-")}`);
  switch (form) {
    case "csv":
      return written(`${file}.csv`, csvText(data));
    case "csv-spelt-otherwise":
      // An empty text cannot be told from null once quoted, so fields stay bare where something is missing.
      return written(`${file}-other.csv`, csvText(data, { crlf: true, bom: true, quoteAll: !data.rows.some((row) => row.includes(null)) }));
    case "csv.gz":
      return written(`${file}.csv.gz`, gzipSync(csvText(data)));
    case "table":
      return arrowTable(data, options, random) as never;
    case "arrow-file":
      return written(`${file}.arrow`, tableToIPC(arrowTable(data, { ...options, oneDictionary: true }, random), "file"));
    case "arrow-stream-file":
      return written(`${file}.arrows`, tableToIPC(arrowTable(data, options, random), "stream"));
    case "parquet":
      return written(`${file}.parquet`, parquetBytes(data, options, random));
    case "records":
      return data.rows.map((row) => Object.fromEntries(data.names.map((name, c) => [name, typed(row[c]!, name, options)] as const)));
    case "columns":
      return Object.fromEntries(data.names.map((name, c) => [name, data.rows.map((row) => typed(row[c]!, name, options))] as const));
    case "batches": {
      const { batches } = arrowTable(data, options, random);
      return (() => batches) as never;
    }
    case "stream": {
      const { batches } = arrowTable(data, options, random);
      return (async function* () {
        yield* batches;
      })() as never;
    }
  }
}

function written(path: string, content: string | Uint8Array): string {
  writeFileSync(path, content);
  return path;
}

function typed(text: string | null, name: string, { integers = [], doubles = [] }: FormOptions): string | number | null {
  return text !== null && (integers.includes(name) || doubles.includes(name)) ? Number(text) : text;
}

/** Cut anywhere, each batch with its own dictionaries of shuffled and unused values, null slots full of rubbish. */
function arrowTable({ names, rows }: Rows, options: FormOptions & { oneDictionary?: boolean }, random: Random): Table {
  const { integers = [], doubles = [], hidden = [] } = options;
  const metadata = (): Map<string, string> => new Map(hidden.map((text, i) => [`note ${i}`, text] as const));
  const coded = names.map((name) => !integers.includes(name) && !doubles.includes(name) && random.chance(0.6));
  const types = names.map((name, c): DataType => {
    if (integers.includes(name)) return random.chance(0.5) ? new Int32() : new Int64();
    if (doubles.includes(name)) return new Float64();
    return coded[c] ? new Dictionary(new Utf8(), new Int32(), c + 1) : new Utf8();
  });
  const schema = new Schema(names.map((name, c) => new Field(name, types[c]!, true, metadata())), metadata());
  // A file cannot replace a dictionary, so all its batches share one object.
  const shared = names.map((_, c) => (coded[c] && options.oneDictionary === true ? entriesOf(dictionaryOf(rows.map((row) => row[c]!), hidden, random)) : undefined));
  const batches: RecordBatch[] = [];
  for (let from = 0; from < rows.length || batches.length === 0; ) {
    const to = Math.min(rows.length, from + 1 + random.below(Math.max(1, rows.length)));
    const part = rows.slice(from, to);
    const children = names.map((_, c) => columnData(part.map((row) => row[c]!), types[c]!, shared[c], hidden, random));
    batches.push(new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: part.length, nullCount: 0, children }) as never));
    from = to;
    if (rows.length === 0) break;
  }
  return new Table(schema, batches);
}

function dictionaryOf(values: readonly (string | null)[], hidden: readonly string[], random: Random): string[] {
  return random.shuffled([...new Set([...values.filter((value) => value !== null), ...hidden])]);
}

interface Entries {
  readonly entries: readonly string[];
  readonly dictionary: unknown;
}

function entriesOf(entries: readonly string[]): Entries {
  return { entries, dictionary: vectorFromArray(entries.length > 0 ? entries : [""], new Utf8()) };
}

function columnData(
  values: readonly (string | null)[], type: DataType, shared: Entries | undefined, hidden: readonly string[], random: Random,
): ArrowData {
  const length = values.length;
  const nullBitmap = new Uint8Array(Math.ceil(length / 64) * 8);
  values.forEach((value, i) => {
    if (value !== null) nullBitmap[i >> 3]! |= 1 << (i & 7);
  });
  const nullCount = values.filter((value) => value === null).length;
  const rubbish = (): number => 1_000_000_007 + random.below(1000);
  if (type instanceof Dictionary) {
    const { entries, dictionary } = shared ?? entriesOf(dictionaryOf(values, hidden, random));
    const at = new Map(entries.map((entry, i) => [entry, i] as const));
    const codes = Int32Array.from(values, (value) => (value === null ? random.below(Math.max(1, entries.length)) : at.get(value)!));
    return makeData({ type, length, nullCount, nullBitmap, data: codes, dictionary } as never);
  }
  if (type instanceof Int32) return makeData({ type, length, nullCount, nullBitmap, data: Int32Array.from(values, (v) => (v === null ? rubbish() : Number(v))) });
  if (type instanceof Int64) return makeData({ type, length, nullCount, nullBitmap, data: BigInt64Array.from(values, (v) => (v === null ? BigInt(rubbish()) : BigInt(v))) });
  if (type instanceof Float64) return makeData({ type, length, nullCount, nullBitmap, data: Float64Array.from(values, (v) => (v === null ? rubbish() : Number(v))) });
  // Null slots of text may hold text too.
  const builder = makeBuilder({ type: new Utf8() });
  for (const value of values) builder.append(value ?? (hidden.length > 0 ? random.pick(hidden) : ""));
  const full = builder.finish().toVector().data[0];
  if (full === undefined) return makeData({ type: new Utf8(), length: 0, nullCount: 0, nullBitmap: null, valueOffsets: new Int32Array(1), data: new Uint8Array(0) } as never);
  return makeData({ type: new Utf8(), length, nullCount, nullBitmap, valueOffsets: full.valueOffsets, data: full.values } as never);
}

function parquetBytes({ names, rows }: Rows, { integers = [], doubles = [], hidden = [] }: FormOptions, random: Random): Uint8Array {
  const writer = new ByteWriter();
  const schema = [
    { name: "root", num_children: names.length },
    ...names.map((name) => ({
      name,
      repetition_type: "OPTIONAL" as const,
      ...(integers.includes(name)
        ? { type: "INT64" as const }
        : doubles.includes(name)
          ? { type: "DOUBLE" as const }
          : { type: "BYTE_ARRAY" as const, converted_type: "UTF8" as const }),
    })),
  ];
  const file = new ParquetWriter({
    writer, schema, statistics: true, codec: random.chance(0.5) ? "SNAPPY" : "UNCOMPRESSED",
    kvMetadata: hidden.map((value, i) => ({ key: `note ${i}`, value })),
  });
  const columnData = names.map((name, c) => ({
    name,
    data: rows.map((row) => {
      const text = row[c]!;
      if (text === null) return null;
      return integers.includes(name) ? BigInt(text) : doubles.includes(name) ? Number(text) : text;
    }),
  }));
  if (rows.length > 0) file.write({ columnData, rowGroupSize: Math.max(1, random.below(rows.length + 1)) });
  file.finish();
  return new Uint8Array(writer.getBytes());
}
