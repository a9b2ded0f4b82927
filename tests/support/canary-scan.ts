/**
 * Looks for planted values in what was written: in the bytes as they are, and in what a reader of the format could decode
 * from them. A form that cannot be decoded here (compressed Arrow, Bloom filters, unknown codecs) throws: not searched is not
 * clean. The tests of this file plant every canary in unprotected files and demand that all are found.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join, relative } from "node:path";
import { gunzipSync } from "node:zlib";
import { Message, MessageHeader } from "apache-arrow";
import { parse as parseCsv } from "csv-parse/sync";
import { parquetMetadata, parquetRead, type ColumnMetaData, type FileMetaData, type SchemaElement } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { decompressPage } from "hyparquet/src/datapage.js";
import { compressors } from "hyparquet-compressors";

/** A value that must not be found. Its name is what findings report. */
export type Canary =
  | { readonly name: string; readonly text: string }
  | { readonly name: string; readonly integer: bigint }
  | { readonly name: string; readonly number: number }
  | { readonly name: string; /** YYYY-MM-DD */ readonly date: string };

export interface Finding {
  readonly file: string;
  readonly canary: string;
  /** How the value was written, such as "utf-16le" or "float64". */
  readonly form: string;
  /** Where in the file, such as "raw" or "people.parquet: text: page 1". */
  readonly view: string;
}

interface Pattern {
  readonly canary: string;
  readonly form: string;
  readonly bytes: Buffer;
}

interface View {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Search all files below a folder, their names and the targets of links. */
export async function scanFolder(folder: string, canaries: readonly Canary[]): Promise<Finding[]> {
  const patterns = patternsOf(canaries);
  const findings: Finding[] = [];
  for (const entry of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    const path = join(folder, entry);
    const file = relative(folder, path);
    const status = lstatSync(path);
    findings.push(...search(file, [{ name: "file name", bytes: Buffer.from(file) }], patterns));
    if (status.isSymbolicLink()) findings.push(...search(file, [{ name: "link", bytes: Buffer.from(readlinkSync(path)) }], patterns));
    else if (status.isFile()) findings.push(...(await scanWith(file, readFileSync(path), patterns)));
  }
  return findings;
}

/** Search one file's bytes; the name's ending does not matter. */
export async function scanBytes(file: string, bytes: Uint8Array, canaries: readonly Canary[]): Promise<Finding[]> {
  return scanWith(file, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), patternsOf(canaries));
}

/** Search a message, a log or the output of a program. */
export async function scanText(name: string, text: string, canaries: readonly Canary[]): Promise<Finding[]> {
  return scanBytes(name, Buffer.from(text), canaries);
}

async function scanWith(file: string, bytes: Buffer, patterns: readonly Pattern[]): Promise<Finding[]> {
  return search(file, await viewsOf("raw", bytes, 0), patterns);
}

function search(file: string, views: readonly View[], patterns: readonly Pattern[]): Finding[] {
  const findings: Finding[] = [];
  for (const { name, bytes } of views) {
    for (const { canary, form, bytes: wanted } of patterns) {
      if (bytes.includes(wanted)) findings.push({ file, canary, form, view: name });
    }
  }
  return findings;
}

// ---- The ways a value can be written ----

function patternsOf(canaries: readonly Canary[]): Pattern[] {
  return canaries.flatMap((canary) => {
    const forms = "text" in canary ? textForms(canary.text) : "integer" in canary ? integerForms(canary.integer) : "number" in canary ? numberForms(canary.number) : dateForms(canary.date);
    return forms.map(([form, bytes]) => {
      // Three bytes are found anywhere by chance.
      if (bytes.length < 4) throw new Error(`Canary ${canary.name} is too short as ${form}.`);
      return { canary: canary.name, form, bytes };
    });
  });
}

type Form = [string, Buffer];

function textForms(text: string): Form[] {
  const utf8 = Buffer.from(text);
  const utf16 = Buffer.from(text, "utf16le");
  const forms: Form[] = [
    ["utf-8", utf8],
    ["utf-16le", utf16],
    ["utf-16be", Buffer.from(utf16).swap16()],
    ["hex", Buffer.from(utf8.toString("hex"))],
    ["hex", Buffer.from(utf8.toString("hex").toUpperCase())],
    ["json", Buffer.from(JSON.stringify(text).slice(1, -1))],
    ["percent", Buffer.from(encodeURIComponent(text))],
    ["reversed", Buffer.from([...text].reverse().join(""))],
  ];
  // A long text may have been cut, as Parquet statistics are.
  if (text.length > 16) forms.push(["utf-8, cut", Buffer.from(text.slice(0, 12))]);
  if (text.toUpperCase() !== text) forms.push(["upper case", Buffer.from(text.toUpperCase())]);
  if (text.toLowerCase() !== text) forms.push(["lower case", Buffer.from(text.toLowerCase())]);
  // Base64 has three alignments; the characters at both ends mix with the neighbours and are left off.
  for (let before = 0; before < 3; before++) {
    const encoded = Buffer.concat([Buffer.alloc(before), utf8]).toString("base64").replace(/=+$/, "");
    const core = encoded.slice(before === 0 ? 0 : before + 1, (before + utf8.length) % 3 === 0 ? encoded.length : -1);
    if (core.length < 8) continue;
    forms.push(["base64", Buffer.from(core)], ["base64url", Buffer.from(core.replaceAll("+", "-").replaceAll("/", "_"))]);
  }
  return forms;
}

function integerForms(value: bigint): Form[] {
  if (value < 2n ** 24n && value > -(2n ** 24n)) throw new Error("An integer canary needs at least 25 bits.");
  const forms: Form[] = textForms(String(value)).map(([form, bytes]) => [`decimal, ${form}`, bytes]);
  const eight = Buffer.alloc(8);
  eight.writeBigInt64LE(value);
  forms.push(["int64", Buffer.from(eight)], ["int64 big-endian", Buffer.from(eight).reverse()]);
  if (value >= -(2n ** 31n) && value < 2n ** 31n) {
    forms.push(["int32", Buffer.from(eight.subarray(0, 4))], ["int32 big-endian", Buffer.from(eight.subarray(0, 4)).reverse()]);
  }
  forms.push(["hex digits", Buffer.from(value.toString(16))]);
  forms.push(["float64", float64(Number(value))]);
  const zigzag = value >= 0n ? value * 2n : -value * 2n - 1n;
  for (const varint of [leb128(zigzag), value >= 0n ? leb128(value) : Buffer.alloc(0)]) if (varint.length >= 4) forms.push(["varint", varint]);
  return forms;
}

function numberForms(value: number): Form[] {
  const forms: Form[] = textForms(String(value)).map(([form, bytes]) => [`decimal, ${form}`, bytes]);
  const four = Buffer.alloc(4);
  four.writeFloatLE(value);
  forms.push(["float64", float64(value)], ["float64 big-endian", float64(value).reverse()], ["float32", four]);
  return forms;
}

function dateForms(date: string): Form[] {
  const ms = Date.parse(`${date}T00:00:00Z`);
  const forms: Form[] = [date, date.replaceAll("-", ""), date.replaceAll("-", "/"), date.split("-").reverse().join(".")].flatMap((text) =>
    textForms(text).map(([form, bytes]): Form => [`date, ${form}`, bytes]),
  );
  const days = Buffer.alloc(4);
  days.writeInt32LE(ms / 86_400_000);
  forms.push(["days", days]);
  forms.push(["days, decimal", Buffer.from(String(ms / 86_400_000))], ["milliseconds, decimal", Buffer.from(String(ms))]);
  for (const [form, units] of [["milliseconds", 1n], ["microseconds", 1000n], ["nanoseconds", 1_000_000n]] as const) {
    const eight = Buffer.alloc(8);
    const value = BigInt(ms) * units;
    if (value > 2n ** 63n - 1n || value < -(2n ** 63n)) continue;
    eight.writeBigInt64LE(value);
    forms.push([form, eight]);
  }
  return forms;
}

function float64(value: number): Buffer {
  const eight = Buffer.alloc(8);
  eight.writeDoubleLE(value);
  return eight;
}

function leb128(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = value; rest > 0n || bytes.length === 0; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
  return Buffer.from(bytes);
}

// ---- What can be decoded from bytes ----

const MAX_DEPTH = 4;

/** The bytes themselves and everything that is inside them, as far as formats nest. */
async function viewsOf(name: string, bytes: Buffer, depth: number): Promise<View[]> {
  const views: View[] = [{ name, bytes }];
  if (depth > MAX_DEPTH || bytes.length === 0) return views;
  const inside = async (what: string, inner: Buffer): Promise<void> => void views.push(...(await viewsOf(`${name}: ${what}`, inner, depth + 1)));

  if (bytes[0] === 0x1f && bytes[1] === 0x8b) await inside("gzip", gunzipSync(bytes));
  else if (bytes.subarray(0, 4).equals(Buffer.from("PAR1")) && bytes.subarray(-4).equals(Buffer.from("PAR1"))) {
    for (const view of await parquetViews(bytes)) await inside(view.name, view.bytes);
  } else if (bytes.subarray(0, 6).equals(Buffer.from("ARROW1"))) refuseCompressedArrow(bytes, 8);
  else if (bytes.length > 8 && bytes.readUInt32LE(0) === 0xffff_ffff) refuseCompressedArrow(bytes, 0);
  else if (isText(bytes)) for (const view of textViews(bytes)) views.push({ name: `${name}: ${view.name}`, bytes: view.bytes });

  for (const [i, run] of base64Runs(bytes).entries()) await inside(`base64 ${i}`, run);
  return views;
}

function isText(bytes: Buffer): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Quoted CSV fields and escaped JSON strings and numbers, as their readers see them; character references of markup. */
function textViews(bytes: Buffer): View[] {
  const text = bytes.toString("utf8");
  const views: View[] = [];
  for (const delimiter of [",", ";", "\t"]) {
    try {
      const rows = parseCsv(text, { delimiter, relax_column_count: true, skip_empty_lines: true }) as string[][];
      views.push({ name: "csv", bytes: Buffer.from(rows.flat().join("\n")) });
    } catch {
      continue; // not CSV: its quotes do not match
    }
  }
  try {
    const strings: string[] = [];
    JSON.parse(text, (key: string, value: unknown) => {
      strings.push(key);
      if (typeof value === "string" || typeof value === "number") strings.push(String(value));
      return value;
    });
    views.push({ name: "json", bytes: Buffer.from(strings.join("\n")) });
  } catch {
    // not JSON
  }
  if (/&(#|amp|lt|gt|quot)/.test(text)) {
    const named: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"' };
    const decoded = text
      .replace(/&#x([0-9a-f]{1,6});/gi, (_, hex: string) => String.fromCodePoint(Math.min(Number.parseInt(hex, 16), 0x10ffff)))
      .replace(/&#([0-9]{1,7});/g, (_, digits: string) => String.fromCodePoint(Math.min(Number(digits), 0x10ffff)))
      .replace(/&(amp|lt|gt|quot);/g, (_, which: string) => named[which]!);
    views.push({ name: "markup", bytes: Buffer.from(decoded) });
  }
  return views;
}

/** Long runs of base64 characters, decoded from each of the four places a group may start at. */
function base64Runs(bytes: Buffer): Buffer[] {
  const runs: Buffer[] = [];
  for (const [run] of bytes.toString("latin1").matchAll(/[A-Za-z0-9+/_-]{32,}/g)) {
    for (let start = 0; start < 4; start++) runs.push(Buffer.from(run.slice(start), "base64"));
  }
  return runs;
}

/** Uncompressed Arrow holds every buffer as it is, so the bytes were searched; compressed ones would hide from that. */
function refuseCompressedArrow(bytes: Buffer, from: number): void {
  for (let at = from; at + 8 <= bytes.length && bytes.readUInt32LE(at) === 0xffff_ffff; ) {
    const length = bytes.readInt32LE(at + 4);
    if (length === 0) return;
    const message = Message.decode(bytes.subarray(at + 8, at + 8 + length));
    const header = message.header() as { compression?: unknown; data?: { compression?: unknown } } | null;
    const compressed = message.headerType === MessageHeader.DictionaryBatch ? header?.data?.compression : header?.compression;
    if (compressed) throw new Error("Cannot search a compressed Arrow file.");
    at += 8 + length + message.bodyLength;
  }
}

/** Every page decompressed, dictionaries included, and every value decoded, so that no encoding hides one. */
async function parquetViews(bytes: Buffer): Promise<View[]> {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  const metadata = parquetMetadata(file);
  const views: View[] = [{ name: "footer", bytes: Buffer.from(JSON.stringify(metadata, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value))) }];
  for (const { key, value } of metadata.key_value_metadata ?? []) views.push({ name: "key-value metadata", bytes: Buffer.from(`${key}\n${value ?? ""}`) });
  for (const group of metadata.row_groups) {
    for (const { meta_data: chunk } of group.columns) {
      if (!chunk) throw new Error("Cannot search a Parquet file whose columns are elsewhere.");
      if (chunk.bloom_filter_offset !== undefined) throw new Error("Cannot search a Bloom filter.");
      views.push(...pagesOf(file, chunk));
    }
  }
  views.push({ name: "values", bytes: Buffer.from(await allValues(file, metadata)) });
  return views;
}

function pagesOf(file: ArrayBuffer, chunk: ColumnMetaData): View[] {
  const views: View[] = [];
  const start = Number(chunk.dictionary_page_offset ?? chunk.data_page_offset);
  const reader = { view: new DataView(file, start, Number(chunk.total_compressed_size)), offset: 0 };
  for (let page = 0; reader.offset < reader.view.byteLength; page++) {
    const header = parquetHeader(reader);
    const packed = new Uint8Array(file, start + reader.offset, header.compressed_page_size);
    reader.offset += header.compressed_page_size;
    const v2 = header.data_page_header_v2;
    const levels = v2 ? v2.repetition_levels_byte_length + v2.definition_levels_byte_length : 0;
    const plain =
      v2?.is_compressed === false
        ? packed
        : decompressPage(packed.subarray(levels), header.uncompressed_page_size - levels, chunk.codec, compressors);
    views.push({ name: `${chunk.path_in_schema.join(".")}: page ${page}`, bytes: Buffer.from(plain) });
    for (const [key, value] of Object.entries({ ...header.data_page_header?.statistics, ...v2?.statistics })) {
      if (value instanceof Uint8Array) views.push({ name: `page statistics ${key}`, bytes: Buffer.from(value) });
    }
  }
  return views;
}

/** All values as text, one a line, in their physical types: a conversion could lose digits. */
async function allValues(file: ArrayBuffer, metadata: FileMetaData): Promise<string> {
  const schema = metadata.schema.map((element): SchemaElement => {
    const { converted_type, logical_type, ...physical } = element;
    return converted_type === "UTF8" || (element.num_children ?? 0) > 0 ? { ...physical, ...(converted_type && { converted_type }), ...(logical_type && { logical_type }) } : physical;
  });
  const lines: string[] = [];
  const line = (value: unknown): string => (value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : Array.isArray(value) ? value.map(line).join("\n") : String(value));
  await parquetRead({
    file,
    metadata: { ...metadata, schema },
    compressors,
    utf8: false,
    onChunk: ({ columnData }) => {
      for (const value of columnData) if (value !== null && value !== undefined) lines.push(line(value));
    },
  });
  return lines.join("\n");
}
