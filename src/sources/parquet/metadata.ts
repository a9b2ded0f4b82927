import { DataError } from "../../errors/index.ts";
import type { ArrowType } from "../arrow/types.ts";
import type { RandomAccess } from "../random-access.ts";
import { badParquet, BINARY, FALSE, LIST, STRUCT, ThriftReader, TRUE } from "./thrift.ts";

/** Physical types, by their number in parquet.thrift. */
export const Physical = {
  BOOLEAN: 0, INT32: 1, INT64: 2, INT96: 3, FLOAT: 4, DOUBLE: 5, BYTE_ARRAY: 6, FIXED_LEN_BYTE_ARRAY: 7,
} as const;

/** One top-level column. */
export interface ParquetColumn {
  readonly name: string;
  /** What its values are, in the terms of the columns room; unsupported when nested, binary and so on. */
  readonly type: ArrowType;
  readonly physical: number;
  /** Bytes of a FIXED_LEN_BYTE_ARRAY value. */
  readonly fixedLength: number;
  readonly optional: boolean;
  /** Its column chunk in each row group, where it has exactly one. */
  readonly leaf: number | undefined;
}

export interface ParquetChunk {
  readonly codec: number;
  readonly values: number;
  /** Place of the chunk in the file. */
  readonly offset: number;
  readonly bytes: number;
}

export interface ParquetRowGroup {
  readonly records: number;
  /** By leaf. */
  readonly chunks: readonly ParquetChunk[];
}

export interface ParquetFile {
  readonly footer: Uint8Array;
  readonly records: number;
  readonly columns: readonly ParquetColumn[];
  readonly rowGroups: readonly ParquetRowGroup[];
}

/** Run lengths can stand for any number of records; more than this per byte of the file is not believed. */
const RECORDS_PER_BYTE = 8192;
const RECORDS_ANYWAY = 1 << 20;

/**
 * Read and check the footer: every chunk inside the file, none over another, all counts in agreement.
 * @throws DataError parquet/truncated, parquet/encrypted, parquet/bad-metadata
 */
export async function readParquetFooter(access: RandomAccess): Promise<ParquetFile> {
  const { size } = access;
  if (size < 12) throw notParquet(size);
  const [head, tail] = [await access.read(0, 4), await access.read(size - 8, 8)];
  if (isMagic(head, 0, "PARE") || isMagic(tail, 4, "PARE")) throw encrypted();
  if (!isMagic(head, 0, "PAR1") || !isMagic(tail, 4, "PAR1")) throw notParquet(size);
  const length = (tail[0]! | (tail[1]! << 8) | (tail[2]! << 16) | (tail[3]! << 24)) >>> 0;
  if (length > size - 12) badParquet("a footer larger than the file");
  const end = size - 8 - length;
  const footer = await access.read(end, length);
  const file = parseFooter(footer);
  const records = requireAgreement(file, end, size);
  return { footer, records, columns: file.columns, rowGroups: file.rowGroups };
}

function isMagic(bytes: Uint8Array, at: number, magic: string): boolean {
  for (let i = 0; i < magic.length; i++) if (bytes[at + i] !== magic.charCodeAt(i)) return false;
  return true;
}

function notParquet(size: number): DataError {
  return new DataError("parquet/truncated", "The file does not begin and end as a Parquet file does. It is another " +
    "format, cut off or damaged; get a fresh copy.", { size });
}

function encrypted(): DataError {
  return new DataError("parquet/encrypted", "The Parquet file is encrypted, which is not supported. Decrypt it first.");
}

interface RawFooter {
  readonly records: number;
  readonly columns: readonly ParquetColumn[];
  readonly leaves: readonly Leaf[];
  readonly rowGroups: readonly (ParquetRowGroup & { readonly paths: readonly string[] })[];
}

function parseFooter(bytes: Uint8Array): RawFooter {
  const reader = new ThriftReader(bytes);
  const elements: SchemaElement[] = [];
  const rowGroups: (ParquetRowGroup & { paths: string[] })[] = [];
  let records = -1;
  reader.struct((id, type) => {
    if (id === 2 && type === LIST) reader.list(STRUCT, () => void elements.push(parseElement(reader)));
    else if (id === 3) records = reader.count();
    else if (id === 4 && type === LIST) reader.list(STRUCT, () => void rowGroups.push(parseRowGroup(reader)));
    else if (id === 8) throw encrypted();
    else return false;
    return true;
  });
  const { columns, leaves } = columnsOf(elements);
  return { records, columns, leaves, rowGroups };
}

function requireAgreement(file: RawFooter, end: number, size: number): number {
  let records = 0;
  const chunks: ParquetChunk[] = [];
  for (const group of file.rowGroups) {
    records += group.records;
    if (group.chunks.length !== file.leaves.length) {
      badParquet("a row group with another number of columns than the schema");
    }
    group.chunks.forEach((chunk, i) => {
      const leaf = file.leaves[i]!;
      if (group.paths[i] !== leaf.path) badParquet("a column chunk of another column than the schema says");
      if (leaf.flat && chunk.values !== group.records) {
        badParquet("a column with another number of values than its row group has records");
      }
      if (chunk.offset < 4 || chunk.offset + chunk.bytes > end) badParquet("a column chunk outside the file");
      chunks.push(chunk);
    });
  }
  if (records !== file.records) badParquet("row groups that do not add up to the file's number of records");
  if (records > RECORDS_ANYWAY + size * RECORDS_PER_BYTE) badParquet("more records than the bytes can hold");
  chunks.sort((a, b) => a.offset - b.offset);
  for (let i = 1; i < chunks.length; i++) {
    if (chunks[i]!.offset < chunks[i - 1]!.offset + chunks[i - 1]!.bytes) badParquet("column chunks that overlap");
  }
  return records;
}

function parseRowGroup(reader: ThriftReader): ParquetRowGroup & { paths: string[] } {
  const chunks: ParquetChunk[] = [];
  const paths: string[] = [];
  let records = -1;
  reader.struct((id, type) => {
    if (id === 1 && type === LIST) {
      reader.list(STRUCT, () => {
        const { chunk, path } = parseChunk(reader);
        chunks.push(chunk);
        paths.push(path);
      });
    } else if (id === 3) records = reader.count();
    else return false;
    return true;
  });
  if (records < 0) badParquet("a row group without its number of records");
  return { records, chunks, paths };
}

function parseChunk(reader: ThriftReader): { chunk: ParquetChunk; path: string } {
  let [codec, values, bytes, dataOffset, dictionaryOffset] = [-1, -1, -1, -1, 0];
  const path: string[] = [];
  reader.struct((id, type) => {
    if (id === 1) {
      throw new DataError("parquet/external-file", "The Parquet file refers to columns in other files, which is not " +
        "supported. Write one file.");
    }
    if (id === 8 || id === 9) throw encrypted();
    if (id !== 3 || type !== STRUCT) return false;
    reader.struct((field, fieldType) => {
      if (field === 3 && fieldType === LIST) reader.list(BINARY, () => void path.push(reader.text()));
      else if (field === 4) codec = reader.count();
      else if (field === 5) values = reader.count();
      else if (field === 7) bytes = reader.count();
      else if (field === 9) dataOffset = reader.count();
      else if (field === 11) dictionaryOffset = reader.count();
      else return false;
      return true;
    });
    return true;
  });
  if (codec < 0 || values < 0 || bytes < 0 || dataOffset < 0) badParquet("a column chunk without its place or size");
  const offset = dictionaryOffset > 0 ? Math.min(dictionaryOffset, dataOffset) : dataOffset;
  return { chunk: { codec, values, offset, bytes }, path: path.join("\0") };
}

interface SchemaElement {
  name: string;
  physical: number;
  fixedLength: number;
  repetition: number;
  children: number;
  converted: number;
  scale: number;
  precision: number;
  logical: LogicalType | undefined;
}

/** The annotations that change what a value is; `id` is the field of the union LogicalType. */
interface LogicalType {
  id: number;
  scale: number;
  precision: number;
  zoned: boolean;
  /** 1 milliseconds, 2 microseconds, 3 nanoseconds. */
  unit: number;
  bits: number;
  signed: boolean;
}

function parseElement(reader: ThriftReader): SchemaElement {
  const element: SchemaElement = {
    name: "", physical: -1, fixedLength: 0, repetition: 0, children: 0, converted: -1, scale: 0, precision: 0,
    logical: undefined,
  };
  reader.struct((id, type) => {
    switch (id) {
      case 1:
        element.physical = reader.count();
        return true;
      case 2:
        element.fixedLength = reader.count();
        return true;
      case 3:
        element.repetition = reader.count();
        return true;
      case 4:
        element.name = reader.text();
        return true;
      case 5:
        element.children = reader.count();
        return true;
      case 6:
        element.converted = reader.count();
        return true;
      case 7:
        element.scale = reader.integer();
        return true;
      case 8:
        element.precision = reader.integer();
        return true;
      case 10:
        if (type !== STRUCT) return false;
        element.logical = parseLogicalType(reader);
        return true;
      default:
        return false;
    }
  });
  return element;
}

function parseLogicalType(reader: ThriftReader): LogicalType {
  const logical: LogicalType = { id: 0, scale: 0, precision: 0, zoned: false, unit: 0, bits: 0, signed: false };
  reader.struct((id, type) => {
    logical.id = id;
    if (type !== STRUCT) return false;
    reader.struct((field, fieldType) => {
      if (id === 5 && field === 1) logical.scale = reader.integer();
      else if (id === 5 && field === 2) logical.precision = reader.integer();
      else if (id === 8 && field === 1) logical.zoned = truth(fieldType);
      else if (id === 8 && field === 2 && fieldType === STRUCT) {
        reader.struct((unit) => {
          logical.unit = unit;
          return false;
        });
        return true;
      } else if (id === 10 && field === 1) logical.bits = reader.byte();
      else if (id === 10 && field === 2) logical.signed = truth(fieldType);
      else return false;
      return true;
    });
    return true;
  });
  return logical;
}

/** Of a boolean field the type is the value. */
function truth(type: number): boolean {
  return type === TRUE || (type !== FALSE && badParquet("a metadata field of unknown type"));
}

interface Leaf {
  readonly path: string;
  /** Exactly one value a record: neither nested nor repeated. */
  readonly flat: boolean;
}

const REQUIRED = 0;
const OPTIONAL = 1;

function columnsOf(elements: readonly SchemaElement[]): { columns: ParquetColumn[]; leaves: Leaf[] } {
  const root = elements[0] ?? badParquet("no schema");
  const columns: ParquetColumn[] = [];
  const leaves: Leaf[] = [];
  let next = 1;
  const walk = (path: string, nested: boolean, depth: number): void => {
    if (depth > 32) badParquet("columns nested too deep");
    const element = elements[next++] ?? badParquet("a schema that ends too early");
    const here = depth === 0 ? element.name : `${path}\0${element.name}`;
    const single = element.repetition === REQUIRED || element.repetition === OPTIONAL;
    const flat = !nested && element.children === 0 && single;
    if (depth === 0) {
      columns.push({
        name: element.name,
        type: flat ? typeOf(element) : unsupported(element.children > 0 ? "nested" : "repeated"),
        physical: element.physical,
        fixedLength: element.fixedLength,
        optional: element.repetition === OPTIONAL,
        leaf: flat ? leaves.length : undefined,
      });
    }
    if (element.children === 0) {
      if (element.physical < 0) badParquet("a column without a type");
      leaves.push({ path: here, flat });
    }
    for (let i = 0; i < element.children; i++) walk(here, true, depth + 1);
  };
  for (let i = 0; i < root.children; i++) walk("", false, 0);
  if (next !== elements.length) badParquet("a schema with columns that belong nowhere");
  return { columns, leaves };
}

const unsupported = (name: string): ArrowType => ({ kind: "unsupported", name });

/** Names of annotations that are not read, by field of LogicalType and by ConvertedType. */
const LOGICAL_NAMES: Readonly<Record<number, string>> = {
  2: "MAP", 3: "LIST", 7: "TIME", 12: "JSON", 13: "BSON", 14: "UUID", 16: "VARIANT", 17: "GEOMETRY", 18: "GEOGRAPHY",
};
const CONVERTED_NAMES: Readonly<Record<number, string>> = {
  1: "MAP", 2: "MAP", 3: "LIST", 7: "TIME", 8: "TIME", 19: "JSON", 20: "BSON", 21: "INTERVAL",
};

/** The logical type where it is stated, else the older converted type, else the physical type. */
function typeOf(element: SchemaElement): ArrowType {
  const { physical, converted, logical } = element;
  const stored = (...allowed: number[]): void => {
    if (!allowed.includes(physical)) badParquet("a column whose annotation does not fit its type");
  };
  switch (logical?.id) {
    case 1:
    case 4:
      stored(Physical.BYTE_ARRAY);
      return { kind: "utf8", large: false };
    case 5:
      return decimal(element, logical.precision, logical.scale);
    case 6:
      stored(Physical.INT32);
      return { kind: "date", unit: "day" };
    case 8: {
      stored(Physical.INT64);
      const digits = ([undefined, 3, 6, 9] as const)[logical.unit] ?? badParquet("a timestamp of unknown unit");
      return { kind: "timestamp", digits, zoned: logical.zoned };
    }
    case 10:
      return integer(physical, logical.bits, logical.signed);
    case 15:
      stored(Physical.FIXED_LEN_BYTE_ARRAY);
      if (element.fixedLength !== 2) badParquet("a half float that is not two bytes");
      return { kind: "float", bits: 16 };
    case undefined:
    case 11: // nothing but nulls, whatever the physical type
      break;
    default:
      return unsupported(LOGICAL_NAMES[logical!.id] ?? `logical type number ${logical!.id}`);
  }
  switch (converted) {
    case -1:
      return plainType(physical);
    case 0:
    case 4:
      stored(Physical.BYTE_ARRAY);
      return { kind: "utf8", large: false };
    case 5:
      return decimal(element, element.precision, element.scale);
    case 6:
      stored(Physical.INT32);
      return { kind: "date", unit: "day" };
    case 9:
    case 10:
      stored(Physical.INT64);
      return { kind: "timestamp", digits: converted === 9 ? 3 : 6, zoned: true };
    default:
      if (converted >= 11 && converted <= 18) return integer(physical, 8 << ((converted - 11) % 4), converted >= 15);
      return unsupported(CONVERTED_NAMES[converted] ?? `converted type number ${converted}`);
  }
}

function integer(physical: number, bits: number, signed: boolean): ArrowType {
  if (bits !== 8 && bits !== 16 && bits !== 32 && bits !== 64) badParquet("an integer of unknown width");
  if (physical !== (bits === 64 ? Physical.INT64 : Physical.INT32)) {
    badParquet("a column whose annotation does not fit its type");
  }
  return { kind: "int", bits: bits === 64 ? 64 : 32, signed };
}

function decimal(element: SchemaElement, precision: number, scale: number): ArrowType {
  const { physical, fixedLength } = element;
  if (precision < 1 || precision > 76 || scale < 0 || scale > precision) {
    badParquet("a decimal of impossible precision or scale");
  }
  switch (physical) {
    case Physical.INT32:
      return { kind: "decimal", bits: 32, precision, scale };
    case Physical.INT64:
      return { kind: "decimal", bits: 64, precision, scale };
    case Physical.FIXED_LEN_BYTE_ARRAY:
      if (fixedLength < 1 || fixedLength > 32) return unsupported(`DECIMAL of ${fixedLength} bytes`);
      return { kind: "decimal", bits: fixedLength <= 16 ? 128 : 256, precision, scale };
    case Physical.BYTE_ARRAY:
      return { kind: "decimal", bits: 256, precision, scale };
    default:
      return badParquet("a column whose annotation does not fit its type");
  }
}

function plainType(physical: number): ArrowType {
  switch (physical) {
    case Physical.BOOLEAN:
      return { kind: "bool" };
    case Physical.INT32:
      return { kind: "int", bits: 32, signed: true };
    case Physical.INT64:
      return { kind: "int", bits: 64, signed: true };
    case Physical.INT96:
      return unsupported("INT96");
    case Physical.FLOAT:
      return { kind: "float", bits: 32 };
    case Physical.DOUBLE:
      return { kind: "float", bits: 64 };
    case Physical.BYTE_ARRAY:
      return unsupported("binary");
    case Physical.FIXED_LEN_BYTE_ARRAY:
      return unsupported("fixed-length binary");
    default:
      return badParquet("a column of unknown type");
  }
}
