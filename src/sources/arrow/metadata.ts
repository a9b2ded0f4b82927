import { DataError } from "../../errors/index.ts";
import type { SecondDigits } from "../canonical-text.ts";
import { badMetadata, countOf, FlatBuffer, type FlatTable } from "./flatbuffer.ts";
import { arrowTypeName, type ArrowType } from "./types.ts";

/**
 * The metadata of Arrow IPC, checked. Source: Arrow columnar format 1.5, Message.fbs, Schema.fbs, File.fbs; field
 * numbers below are their positions there.
 */

/** How many nodes and buffers a column takes up in a record batch; each field has one node, in depth-first order. */
export interface Layout {
  readonly buffers: number;
  /** Does the batch say how many more buffers follow? (view types) */
  readonly variadic: boolean;
  readonly children: readonly Layout[];
}

export interface IpcField {
  readonly name: string;
  readonly type: ArrowType;
  readonly layout: Layout;
  /** Of dictionary columns. */
  readonly dictionaryId: bigint | undefined;
}

/** What the values of one dictionary are. */
export interface IpcDictionary {
  readonly type: ArrowType;
  readonly layout: Layout;
}

export interface IpcSchema {
  readonly fields: readonly IpcField[];
  readonly dictionaries: ReadonlyMap<bigint, IpcDictionary>;
}

export interface IpcRecordBatch {
  readonly records: number;
  /** [nodes x 2] length and null count. */
  readonly nodes: Float64Array;
  /** [buffers x 2] offset in the body and length, in bytes. */
  readonly buffers: Float64Array;
  readonly variadic: readonly number[];
  /** How each buffer is compressed. */
  readonly codec: IpcCodec | undefined;
}

export type IpcCodec = "LZ4" | "ZSTD";

export type IpcMessage = { readonly bodyLength: number } & (
  | { readonly kind: "schema"; readonly schema: IpcSchema }
  | { readonly kind: "dictionary"; readonly id: bigint; readonly delta: boolean; readonly batch: IpcRecordBatch }
  | { readonly kind: "records"; readonly batch: IpcRecordBatch }
);

/** Place of a message in a file. */
export interface IpcBlock {
  readonly offset: number;
  readonly metadataLength: number;
  readonly bodyLength: number;
}

export interface IpcFooter {
  readonly schema: IpcSchema;
  readonly dictionaries: readonly IpcBlock[];
  readonly records: readonly IpcBlock[];
}

const MAX_DEPTH = 64;

export function parseMessage(bytes: Uint8Array): IpcMessage {
  const message = new FlatBuffer(bytes).root();
  const version = requireVersion(message.int16(0, 0));
  const bodyLength = message.count(3);
  const header = message.table(2) ?? badMetadata("a message without a header");
  switch (message.byte(1, 0)) {
    case 1:
      if (bodyLength > 0) badMetadata("a schema message with a body");
      return { kind: "schema", schema: parseSchema(header, version), bodyLength };
    case 2: {
      const batch = header.table(1) ?? badMetadata("a dictionary without values");
      return {
        kind: "dictionary", id: header.int64(0), delta: header.byte(2, 0) !== 0, batch: parseBatch(batch, bodyLength),
        bodyLength,
      };
    }
    case 3:
      return { kind: "records", batch: parseBatch(header, bodyLength), bodyLength };
    case 4:
    case 5:
      throw new DataError("arrow/unsupported-message", "The Arrow data hold a tensor, which is not a table. Write a " +
        "table.");
    default:
      return badMetadata("a message of unknown kind");
  }
}

export function parseFooter(bytes: Uint8Array): IpcFooter {
  const footer = new FlatBuffer(bytes).root();
  const version = requireVersion(footer.int16(0, 0));
  const schema = parseSchema(footer.table(1) ?? badMetadata("a footer without a schema"), version);
  return { schema, dictionaries: blocks(footer, 2), records: blocks(footer, 3) };
}

function blocks(footer: FlatTable, index: number): IpcBlock[] {
  const vector = footer.vector(index, 24);
  const { view } = footer.buffer;
  return Array.from({ length: vector?.length ?? 0 }, (_, i) => {
    const at = vector!.start + i * 24;
    const metadataLength = view.getInt32(at + 8, true);
    if (metadataLength < 0) badMetadata("a count is negative or absurd");
    return {
      offset: countOf(view.getBigInt64(at, true)), metadataLength,
      bodyLength: countOf(view.getBigInt64(at + 16, true)),
    };
  });
}

/** Versions V4 (3) and V5 (4); older ones laid data out differently. */
function requireVersion(version: number): number {
  if (version === 3 || version === 4) return version;
  if (version < 0 || version > 4) return badMetadata("an unknown metadata version");
  throw new DataError("arrow/unsupported-version", `The Arrow data have metadata version V${version + 1}; V4 and V5 ` +
    `are supported. Write the file again with Arrow 0.8 or later.`, { version: version + 1 });
}

function parseSchema(schema: FlatTable, version: number): IpcSchema {
  if (schema.int16(0, 0) !== 0) {
    throw new DataError("arrow/big-endian", "The Arrow data are big endian; only little endian is supported. Write " +
      "the file again on an ordinary machine.");
  }
  const dictionaries = new Map<bigint, IpcDictionary>();
  const fields = schema.tables(1).map((field) => parseField(field, version, dictionaries, 0));
  return { fields, dictionaries };
}

function parseField(
  field: FlatTable, version: number, dictionaries: Map<bigint, IpcDictionary>, depth: number,
): IpcField {
  if (depth > MAX_DEPTH) badMetadata("columns nested too deep");
  const name = field.string(0) ?? "";
  const children = field.tables(5).map((child) => parseField(child, version, dictionaries, depth + 1));
  const plain = parseType(field, version, children.map((child) => child.layout));
  const extension = field.tables(6).some((entry) => entry.string(0) === "ARROW:extension:name");
  const encoding = field.table(4);
  const seen = (type: ArrowType): ArrowType => (extension ? { kind: "unsupported", name: "an extension type" } : type);
  if (encoding === undefined) return { name, type: seen(plain.type), layout: plain.layout, dictionaryId: undefined };

  const id = encoding.int64(0);
  const known = dictionaries.get(id);
  const same = known === undefined ||
    (arrowTypeName(known.type) === arrowTypeName(plain.type) && sameLayout(known.layout, plain.layout));
  if (!same) {
    badMetadata("one dictionary with two types");
  }
  dictionaries.set(id, plain);
  const index = encoding.table(1);
  const indexType = index === undefined ? { kind: "int", bits: 32, signed: true } as const : integerType(index);
  const type: ArrowType = { kind: "dictionary", index: indexType, value: plain.type };
  return { name, type: seen(type), layout: { buffers: 2, variadic: false, children: [] }, dictionaryId: id };
}

function sameLayout(a: Layout, b: Layout): boolean {
  return a.buffers === b.buffers && a.variadic === b.variadic && a.children.length === b.children.length &&
    a.children.every((child, i) => sameLayout(child, b.children[i]!));
}

function integerType(type: FlatTable): ArrowType & { kind: "int" } {
  const bits = type.int32(0, 0);
  if (bits !== 8 && bits !== 16 && bits !== 32 && bits !== 64) return badMetadata("an integer of unknown width");
  return { kind: "int", bits, signed: type.byte(1, 0) !== 0 };
}

const DIGITS_OF_UNIT: readonly SecondDigits[] = [0, 3, 6, 9];

/** Names of the types that are not read, by their number in the union Type; [buffers, children, variadic]. */
type Unread = readonly [name: string, buffers: number, children: number | "any", variadic?: boolean];
const UNREAD: Readonly<Record<number, Unread>> = {
  4: ["binary", 3, 0],
  9: ["time", 2, 0],
  11: ["interval", 2, 0],
  12: ["list", 2, 1],
  13: ["struct", 1, "any"],
  15: ["fixed_size_binary", 2, 0],
  16: ["fixed_size_list", 1, 1],
  17: ["map", 2, 1],
  18: ["duration", 2, 0],
  19: ["large_binary", 3, 0],
  21: ["large_list", 2, 1],
  22: ["run_end_encoded", 0, 2],
  23: ["binary_view", 2, 0, true],
  24: ["utf8_view", 2, 0, true],
  25: ["list_view", 3, 1],
  26: ["large_list_view", 3, 1],
};

function parseType(
  field: FlatTable, version: number, children: readonly Layout[],
): { type: ArrowType; layout: Layout } {
  const kind = field.byte(2, 0);
  const details = field.table(3) ?? badMetadata("a column without a type");
  const leaf = (type: ArrowType, buffers = 2): { type: ArrowType; layout: Layout } => {
    if (children.length > 0) badMetadata("a plain column with children");
    return { type, layout: { buffers, variadic: false, children } };
  };
  switch (kind) {
    case 1:
      return leaf({ kind: "null" }, 0);
    case 2:
      return leaf(integerType(details));
    case 3: {
      const bits = ([16, 32, 64] as const)[details.int16(0, 0)] ?? badMetadata("a float of unknown width");
      return leaf({ kind: "float", bits });
    }
    case 5:
    case 20:
      return leaf({ kind: "utf8", large: kind === 20 }, 3);
    case 6:
      return leaf({ kind: "bool" });
    case 7: {
      const [precision, scale, bits] = [details.int32(0, 0), details.int32(1, 0), details.int32(2, 128)];
      const most = { 32: 9, 64: 18, 128: 38, 256: 76 }[bits];
      if (most === undefined || precision < 1 || precision > most || Math.abs(scale) > 1000) {
        badMetadata("a decimal of unknown width");
      }
      return leaf({ kind: "decimal", bits: bits as 32 | 64 | 128 | 256, precision, scale });
    }
    case 8: {
      const unit = details.int16(0, 1);
      if (unit !== 0 && unit !== 1) badMetadata("a date of unknown unit");
      return leaf({ kind: "date", unit: unit === 0 ? "day" : "millisecond" });
    }
    case 10: {
      const digits = DIGITS_OF_UNIT[details.int16(0, 0)] ?? badMetadata("a timestamp of unknown unit");
      return leaf({ kind: "timestamp", digits, zoned: (details.string(1) ?? "") !== "" });
    }
    case 14: {
      // Before V5 unions had a validity bitmap, which always comes first.
      const buffers = (details.int16(0, 0) === 0 ? 1 : 2) + (version === 3 ? 1 : 0);
      return { type: { kind: "unsupported", name: "union" }, layout: { buffers, variadic: false, children } };
    }
    default: {
      const unread = UNREAD[kind];
      if (unread === undefined) {
        throw new DataError("arrow/unsupported-type", `The Arrow schema has a column of type number ${kind}, which ` +
          `is not known, so the columns after it cannot be found. Write the file without it.`, { type: kind });
      }
      const [name, buffers, expected, variadic = false] = unread;
      if (expected !== "any" && children.length !== expected) badMetadata("a column with the wrong number of children");
      return { type: { kind: "unsupported", name }, layout: { buffers, variadic, children } };
    }
  }
}

const CODECS: Readonly<Record<number, IpcCodec>> = { 0: "LZ4", 1: "ZSTD" };

function parseBatch(batch: FlatTable, bodyLength: number): IpcRecordBatch {
  const compression = batch.table(3);
  const codec = compression === undefined ? undefined : CODECS[compression.byte(0, 0)];
  if (compression !== undefined && (codec === undefined || compression.byte(1, 0) !== 0)) {
    throw new DataError("arrow/unsupported-compression", "The Arrow data are compressed in a way that is not known. " +
      "Write the file again without compression, or with LZ4 or ZSTD.");
  }
  const { view } = batch.buffer;
  const pairs = (index: number): Float64Array => {
    const vector = batch.vector(index, 16);
    const values = new Float64Array((vector?.length ?? 0) * 2);
    for (let i = 0; i < values.length; i++) values[i] = countOf(view.getBigInt64(vector!.start + i * 8, true));
    return values;
  };
  const nodes = pairs(1);
  const buffers = pairs(2);
  for (let i = 0; i < nodes.length; i += 2) {
    if (nodes[i + 1]! > nodes[i]!) badMetadata("a column with more nulls than records");
  }
  let end = 0;
  for (let i = 0; i < buffers.length; i += 2) {
    if (buffers[i + 1] === 0) continue;
    if (buffers[i]! < end) badMetadata("buffers that overlap or are out of order");
    end = buffers[i]! + buffers[i + 1]!;
    if (end > bodyLength) badMetadata("a buffer outside its message");
  }
  const vector = batch.vector(4, 8);
  const variadic = Array.from({ length: vector?.length ?? 0 }, (_, i) =>
    countOf(view.getBigInt64(vector!.start + i * 8, true)));
  return { records: batch.count(0), nodes, buffers, variadic, codec };
}

/**
 * First node and first buffer of each top-level column. @throws DataError arrow/bad-metadata when the counts do not add
 * up
 */
export function placesOf(layouts: readonly Layout[], batch: IpcRecordBatch): { node: number; buffer: number }[] {
  let node = 0;
  let buffer = 0;
  let view = 0;
  const nodes = batch.nodes.length / 2;
  const skip = (layout: Layout): void => {
    if (++node > nodes) badMetadata("fewer nodes than columns");
    buffer += layout.buffers;
    if (layout.variadic) buffer += batch.variadic[view++] ?? badMetadata("a view column without its buffer count");
    layout.children.forEach(skip);
  };
  const places = layouts.map((layout) => {
    const place = { node, buffer };
    if (batch.nodes[node * 2] !== batch.records && node < nodes) {
      badMetadata("a column with another length than its record batch");
    }
    skip(layout);
    return place;
  });
  if (node !== nodes || buffer !== batch.buffers.length / 2 || view !== batch.variadic.length) {
    badMetadata("nodes or buffers that belong to no column");
  }
  return places;
}
