import type { ArrowType } from "../arrow/types.ts";
import { valueBytes } from "../arrow/value-text.ts";
import type { Chunk, DictionaryValues } from "../arrow/chunk.ts";
import { DeltaReader } from "./delta.ts";
import { Physical, type ParquetColumn } from "./metadata.ts";
import { HybridReader } from "./rle.ts";
import { badParquet } from "./thrift.ts";

/** Values of one page that are not null, packed, a few at a time. */
export interface PageValues {
  take(count: number): PackedValues;
}

/** Like a chunk without nulls: `data` alone for fixed widths (booleans: a byte each), with `offsets` for texts. */
export interface PackedValues {
  readonly data: Uint8Array;
  readonly offsets?: Int32Array | undefined;
  /** The data are codes of this dictionary. */
  readonly dictionary?: DictionaryValues | undefined;
}

// Encodings, by their number in parquet.thrift.
const PLAIN = 0;
const PLAIN_DICTIONARY = 2;
const RLE = 3;
const DELTA_BINARY_PACKED = 5;
const DELTA_LENGTH_BYTE_ARRAY = 6;
const DELTA_BYTE_ARRAY = 7;
const RLE_DICTIONARY = 8;
const BYTE_STREAM_SPLIT = 9;

export const isDictionaryEncoding = (encoding: number): boolean =>
  encoding === PLAIN_DICTIONARY || encoding === RLE_DICTIONARY;

/** Texts of one take must fit; prefixes could otherwise make much of little. */
const MAX_TAKE_BYTES = 1 << 28;

/** @param count values in the page that are not null */
export function pageValues(
  column: ParquetColumn, encoding: number, page: Uint8Array, count: number, dictionary: DictionaryValues | undefined,
): PageValues {
  const { physical } = column;
  if (isDictionaryEncoding(encoding)) {
    if (dictionary === undefined) return badParquet("codes without a dictionary");
    if (count === 0) return NOTHING;
    if (page.length === 0) badParquet("levels or codes that end too early");
    const reader = new HybridReader(page, 1, page.length, page[0]!);
    return {
      take(n) {
        const codes = new Int32Array(n);
        reader.read(codes, n);
        return { data: new Uint8Array(codes.buffer), dictionary };
      },
    };
  }
  if (encoding === RLE && physical === Physical.BOOLEAN) return booleanRuns(page);
  switch (encoding) {
    case PLAIN:
      if (physical === Physical.BOOLEAN) return plainBooleans(page, count);
      if (physical === Physical.BYTE_ARRAY) return convertedTexts(column, plainTexts(page));
      return convertedFixed(column, plainFixed(page, storedBytes(column), count));
    case BYTE_STREAM_SPLIT:
      if (physical === Physical.BYTE_ARRAY || physical === Physical.BOOLEAN) break;
      return convertedFixed(column, splitStreams(page, storedBytes(column), count));
    case DELTA_BINARY_PACKED:
      if (physical === Physical.INT32 || physical === Physical.INT64) {
        return deltaIntegers(page, physical === Physical.INT64, count);
      }
      break;
    case DELTA_LENGTH_BYTE_ARRAY:
      if (physical === Physical.BYTE_ARRAY) return convertedTexts(column, deltaLengthTexts(page, count));
      break;
    case DELTA_BYTE_ARRAY:
      if (physical === Physical.BYTE_ARRAY) return convertedTexts(column, deltaTexts(page, count));
      if (physical === Physical.FIXED_LEN_BYTE_ARRAY) {
        return convertedFixed(column, fixedOfTexts(deltaTexts(page, count), column.fixedLength));
      }
      break;
  }
  return badParquet(`a page in encoding number ${encoding}, which does not fit its column`);
}

const NOTHING: PageValues = { take: (n) => (n === 0 ? { data: new Uint8Array(0) } : badParquet("fewer values than " +
  "its page says")) };

/** Bytes of one stored value of fixed width. */
function storedBytes({ physical, fixedLength }: ParquetColumn): number {
  switch (physical) {
    case Physical.INT32:
    case Physical.FLOAT:
      return 4;
    case Physical.INT64:
    case Physical.DOUBLE:
      return 8;
    default:
      return fixedLength > 0 ? fixedLength : badParquet("values of no length");
  }
}

function plainFixed(page: Uint8Array, width: number, count: number): PageValues {
  if (count * width > page.length) badParquet("fewer values than its page says");
  let at = 0;
  return {
    take(n) {
      at += n * width;
      return { data: page.subarray(at - n * width, at) };
    },
  };
}

function splitStreams(page: Uint8Array, width: number, count: number): PageValues {
  if (count * width !== page.length) badParquet("a page with another number of values than its header says");
  let first = 0;
  return {
    take(n) {
      const data = new Uint8Array(n * width);
      for (let byte = 0; byte < width; byte++) {
        const from = byte * count + first;
        for (let i = 0; i < n; i++) data[i * width + byte] = page[from + i]!;
      }
      first += n;
      return { data };
    },
  };
}

function deltaIntegers(page: Uint8Array, wide: boolean, count: number): PageValues {
  const reader = new DeltaReader(page, 0, page.length, wide, count);
  return {
    take(n) {
      if (wide) {
        const values = new BigInt64Array(n);
        reader.read64(values, n);
        return { data: new Uint8Array(values.buffer) };
      }
      const values = new Int32Array(n);
      reader.read32(values, n);
      return { data: new Uint8Array(values.buffer) };
    },
  };
}

function plainBooleans(page: Uint8Array, count: number): PageValues {
  if (count > page.length * 8) badParquet("fewer values than its page says");
  let bit = 0;
  return {
    take(n) {
      const data = new Uint8Array(n);
      for (let i = 0; i < n; i++, bit++) data[i] = (page[bit >> 3]! >> (bit & 7)) & 1;
      return { data };
    },
  };
}

function booleanRuns(page: Uint8Array): PageValues {
  if (page.length < 4) badParquet("levels or codes that end too early");
  const length = uint32(page, 0);
  if (length > page.length - 4) badParquet("levels or codes outside their page");
  const reader = new HybridReader(page, 4, 4 + length, 1);
  return {
    take(n) {
      const values = new Int32Array(n);
      reader.read(values, n);
      return { data: Uint8Array.from(values) };
    },
  };
}

/** Each text after its length in four bytes. */
export function plainTexts(page: Uint8Array): PageValues {
  let at = 0;
  return {
    take(n) {
      const offsets = new Int32Array(n + 1);
      const start = at;
      for (let i = 0; i < n; i++) {
        if (at + 4 > page.length) badParquet("fewer values than its page says");
        const length = uint32(page, at);
        if (length > page.length - at - 4) badParquet("text that lies outside its page");
        at += 4 + length;
        offsets[i + 1] = offsets[i]! + length;
      }
      const data = new Uint8Array(offsets[n]!);
      for (let i = 0, from = start; i < n; i++) {
        const to = offsets[i]!;
        const length = offsets[i + 1]! - to;
        from += 4;
        if (length < 24) for (let j = 0; j < length; j++) data[to + j] = page[from + j]!;
        else data.set(page.subarray(from, from + length), to);
        from += length;
      }
      return { data, offsets };
    },
  };
}

function deltaLengthTexts(page: Uint8Array, count: number): PageValues {
  const lengths = new DeltaReader(page, 0, page.length, false, count);
  let at = new DeltaReader(page, 0, page.length, false, count).end();
  return {
    take(n) {
      const offsets = new Int32Array(n + 1);
      lengths.read32(offsets, n);
      const start = at;
      at += sumLengths(offsets, n);
      if (at > page.length) badParquet("text that lies outside its page");
      return { data: page.subarray(start, at), offsets };
    },
  };
}

/** Texts as a prefix of the one before and a suffix. */
function deltaTexts(page: Uint8Array, count: number): PageValues {
  const prefixes = new DeltaReader(page, 0, page.length, false, count);
  const suffixAt = new DeltaReader(page, 0, page.length, false, count).end();
  const suffixes = new DeltaReader(page, suffixAt, page.length, false, count);
  let at = new DeltaReader(page, suffixAt, page.length, false, count).end();
  let last = new Uint8Array(0);
  return {
    take(n) {
      const shared = new Int32Array(n);
      prefixes.read32(shared, n);
      const own = new Int32Array(n + 1);
      suffixes.read32(own, n);
      const offsets = new Int32Array(n + 1);
      for (let i = 0; i < n; i++) {
        const before = i === 0 ? last.length : offsets[i]! - offsets[i - 1]!;
        if (shared[i]! < 0 || shared[i]! > before || own[i]! < 0) badParquet("text that lies outside its page");
        const end = offsets[i]! + shared[i]! + own[i]!;
        if (end > MAX_TAKE_BYTES) badParquet("texts of absurd size");
        offsets[i + 1] = end;
      }
      const data = new Uint8Array(offsets[n]!);
      for (let i = 0; i < n; i++) {
        const to = offsets[i]!;
        if (i === 0) data.set(last.subarray(0, shared[0]), 0);
        else data.copyWithin(to, offsets[i - 1]!, offsets[i - 1]! + shared[i]!);
        if (own[i]! > page.length - at) badParquet("text that lies outside its page");
        data.set(page.subarray(at, at + own[i]!), to + shared[i]!);
        at += own[i]!;
      }
      if (n > 0) last = data.slice(offsets[n - 1], offsets[n]);
      return { data, offsets };
    },
  };
}

/** Turn the n lengths at the front of `offsets` into n + 1 offsets; returns their sum. */
function sumLengths(offsets: Int32Array, n: number): number {
  let sum = 0;
  for (let i = 0; i <= n; i++) {
    const length = i < n ? offsets[i]! : 0;
    if (length < 0 || sum + length > MAX_TAKE_BYTES) badParquet("text that lies outside its page");
    offsets[i] = sum;
    sum += length;
  }
  return sum;
}

function fixedOfTexts(texts: PageValues, length: number): PageValues {
  return {
    take(n) {
      const { data, offsets } = texts.take(n);
      for (let i = 0; i < n; i++) if (offsets![i + 1]! - offsets![i]! !== length) badParquet("values of another " +
        "length than their type");
      return { data };
    },
  };
}

/** Decimals are stored with the highest byte first; everything else as it is. */
function convertedFixed(column: ParquetColumn, values: PageValues): PageValues {
  if (column.type.kind !== "decimal" || column.physical !== Physical.FIXED_LEN_BYTE_ARRAY) return values;
  const width = valueBytes(column.type);
  const length = column.fixedLength;
  return {
    take(n) {
      const { data } = values.take(n);
      const words = new Uint8Array(n * width);
      for (let i = 0; i < n; i++) reverseInto(words, i * width, width, data, i * length, length);
      return { data: words };
    },
  };
}

function convertedTexts(column: ParquetColumn, values: PageValues): PageValues {
  if (column.type.kind !== "decimal") return values;
  const width = valueBytes(column.type);
  return {
    take(n) {
      const { data, offsets } = values.take(n);
      const words = new Uint8Array(n * width);
      for (let i = 0; i < n; i++) {
        const length = offsets![i + 1]! - offsets![i]!;
        if (length > width) badParquet("a decimal of more bytes than its type can need");
        reverseInto(words, i * width, width, data, offsets![i]!, length);
      }
      return { data: words };
    },
  };
}

/** Write a big-endian two's complement number as little-endian of `width` bytes. */
function reverseInto(out: Uint8Array, to: number, width: number, data: Uint8Array, from: number, length: number): void {
  const sign = length > 0 && data[from]! & 0x80 ? 0xff : 0;
  for (let byte = 0; byte < width; byte++) out[to + byte] = byte < length ? data[from + length - 1 - byte]! : sign;
}

/** All values of a dictionary page. The page bounds their number. */
export function dictionaryChunk(column: ParquetColumn, page: Uint8Array, count: number): Chunk {
  if (column.physical === Physical.BOOLEAN) badParquet("a dictionary of booleans");
  if (count > page.length / (column.physical === Physical.BYTE_ARRAY ? 4 : storedBytes(column))) {
    badParquet("fewer values than its page says");
  }
  const { data, offsets } = pageValues(column, PLAIN, page, count, undefined).take(count);
  return { length: count, validity: undefined, bitOffset: 0, offsets, data, dictionary: undefined };
}

/**
 * A chunk of `count` records from the values of those that are not null.
 * @param valid [count] 1 where there is a value, or undefined when all have one
 */
export function spread(type: ArrowType, packed: PackedValues, valid: Int32Array | undefined, count: number): Chunk {
  const { data, offsets, dictionary } = packed;
  const isText = offsets !== undefined;
  const isBits = type.kind === "bool" && dictionary === undefined;
  let validity: Uint8Array | undefined;
  if (valid !== undefined) {
    validity = new Uint8Array((count + 7) >> 3);
    for (let i = 0; i < count; i++) validity[i >> 3]! |= valid[i]! << (i & 7);
  }
  if (isText) {
    const places = valid === undefined ? offsets : new Int32Array(count + 1);
    if (valid !== undefined) for (let i = 0, from = 0; i < count; i++) places[i + 1] = offsets[(from += valid[i]!)]!;
    return { length: count, validity, bitOffset: 0, offsets: places, data, dictionary };
  }
  if (isBits) {
    const bits = new Uint8Array((count + 7) >> 3);
    for (let i = 0, from = 0; i < count; i++) {
      if (valid === undefined || valid[i] === 1) bits[i >> 3]! |= data[from++]! << (i & 7);
    }
    return { length: count, validity, bitOffset: 0, offsets: undefined, data: bits, dictionary };
  }
  if (valid === undefined) return { length: count, validity, bitOffset: 0, offsets: undefined, data, dictionary };
  const width = dictionary === undefined ? valueBytes(type) : 4;
  const slots = new Uint8Array(count * width);
  for (let i = 0, from = 0; i < count; i++) {
    if (valid[i] === 0) continue;
    for (let byte = 0; byte < width; byte++) slots[i * width + byte] = data[from + byte]!;
    from += width;
  }
  return { length: count, validity, bitOffset: 0, offsets: undefined, data: slots, dictionary };
}

function uint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
