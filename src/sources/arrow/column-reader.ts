import { DictionaryBuilder, type Column } from "../../columns/index.ts";
import { DataError } from "../../errors/index.ts";
import { halfValue } from "../canonical-text.ts";
import { exactDecimal, INEXACT, NOT_A_NUMBER } from "../csv/numbers.ts";
import type { ColumnRequest } from "../source.ts";
import { illFormedUtf8 } from "../utf8.ts";
import { words, type Chunk, type DictionaryValues } from "./chunk.ts";
import { arrowTypeName, isSupported, type ArrowType, type IndexType } from "./types.ts";
import { refusalOf, textOfBits, textOfDecimal, valueBytes, wideInteger } from "./value-text.ts";

/** Records of the largest batch that a binary or in-memory source gives. */
export const BATCH_RECORDS = 65_536;

const UNSEEN = -2;
const CACHE_BITS = 13;

/** Where a pass is, for messages. */
export interface Place {
  /** First part of error codes. */
  readonly area: "arrow" | "parquet";
  /** Records of the pass before the chunk being read. */
  recordsBefore: number;
}

/** Decodes one requested column, chunk by chunk, into one reused column of at most BATCH_RECORDS records. */
export interface ColumnReader {
  readonly column: Column;
  /** Decode records from..to of the chunk into the leading entries of the column. */
  read(chunk: Chunk, from: number, to: number): void;
}

/**
 * A reader takes chunks of plain values and chunks with a dictionary alike: Parquet has both in one column.
 *
 * @throws DataError <area>/unsupported-type, source/not-a-number. The reader itself throws DataError for buffers that
 *   are too short, text that is not UTF-8, codes outside their dictionary and values without a canonical form.
 */
export function columnReader(name: string, type: ArrowType, request: ColumnRequest, place: Place): ColumnReader {
  if (!isSupported(type)) throw unsupportedType(name, type, place.area);
  const Reader = request.as === "codes" ? CodeReader : NumberReader;
  return new Reader(name, type, request, place);
}

function unsupportedType(name: string, type: ArrowType, area: string): DataError {
  return new DataError(`${area}/unsupported-type`, `Column ${JSON.stringify(name)} has the type ` +
    `${arrowTypeName(type)}, which is not supported. Drop the column, or write it as text, a number, a date or a ` +
    `timestamp.`, { column: name, type: arrowTypeName(type) });
}

/** Is there a value at this bit? */
function isSet(bitmap: Uint8Array, bit: number): boolean {
  return ((bitmap[bit >> 3]! >> (bit & 7)) & 1) === 1;
}

class CodeReader implements ColumnReader {
  readonly column: { readonly kind: "codes"; readonly codes: Int32Array; readonly dictionary: DictionaryBuilder };
  readonly #name: string;
  readonly #place: Place;
  readonly #decode: Decode;

  constructor(name: string, type: ArrowType, request: ColumnRequest, place: Place) {
    this.#name = name;
    this.#place = place;
    this.column = { kind: "codes", codes: new Int32Array(BATCH_RECORDS), dictionary: new DictionaryBuilder() };
    const fail: Fail = (index, code, found, advice) => failure(this.#name, this.#place, index, code, found, advice);
    this.#decode = codeDecoder(type, this.column.dictionary, this.column.codes, allowedTexts(request), fail);
  }

  read(chunk: Chunk, from: number, to: number): void {
    this.#decode(chunk, from, to);
  }
}

type Fail = (index: number, code: string, found: string, advice: string) => DataError;

function failure(name: string, place: Place, index: number, code: string, found: string, advice: string): DataError {
  const where = `Column ${JSON.stringify(name)}`;
  if (index < 0) {
    return new DataError(`${place.area}/${code}`, `${where}: found ${found}. ${advice}.`, { column: name });
  }
  const record = place.recordsBefore + index + 1;
  const sentence = `${where}, record ${record}: found ${found}. ${advice}.`;
  return new DataError(`${place.area}/${code}`, sentence, { column: name, record });
}

const allowedTexts = (request: ColumnRequest): ReadonlySet<string> => new Set(request.nulls ?? []);

type Decode = (chunk: Chunk, from: number, to: number) => void;

/** A loop that writes the codes of records from..to to the leading entries of `out`. */
function codeDecoder(
  type: ArrowType, builder: DictionaryBuilder, out: Int32Array, allowed: ReadonlySet<string>, fail: Fail,
): Decode {
  if (type.kind === "dictionary") return dictionaryDecoder(type.value, type.index, builder, out, allowed, fail);
  if (type.kind === "null") return (_chunk, from, to) => void out.fill(-1, 0, to - from);
  const plain: Decode = type.kind === "utf8"
    ? (chunk, from, to) => decodeText(chunk, from, to, builder, out, fail)
    : fixedWidthDecoder(type, builder, out, allowed, fail);
  let coded: Decode | undefined;
  return (chunk, from, to) => {
    if (chunk.dictionary === undefined) return plain(chunk, from, to);
    coded ??= dictionaryDecoder(type, INT32, builder, out, allowed, fail);
    coded(chunk, from, to);
  };
}

/** Codes of dictionaries outside Arrow. */
const INT32: IndexType = { bits: 32, signed: true };

function decodeText(
  chunk: Chunk, from: number, to: number, builder: DictionaryBuilder, out: Int32Array, fail: Fail,
): void {
  const { validity, bitOffset, data } = chunk;
  const offsets = chunk.offsets!;
  requireBuffers(chunk, chunk.length + 1, offsets.length, fail);
  let size = builder.size;
  for (let i = from; i < to; i++) {
    const start = offsets[i]!;
    const end = offsets[i + 1]!;
    if (start < 0 || end < start || end > data.length) {
      throw fail(i, "bad-offsets", "text that lies outside its buffer", DAMAGED);
    }
    if (validity !== undefined && !isSet(validity, bitOffset + i)) {
      out[i - from] = -1;
      continue;
    }
    out[i - from] = builder.add(data, start, end);
    if (builder.size > size) {
      size = builder.size;
      if (illFormedUtf8(data, start, end) >= 0) {
        throw fail(i, "ill-formed-utf8", "text that is not well-formed UTF-8", "Write the column as UTF-8");
      }
    }
  }
}

const DAMAGED = "The file is damaged; get a fresh copy or write it again";

/** @throws DataError arrow/short-buffer when a buffer cannot hold the chunk's records. */
function requireBuffers(chunk: Chunk, needed: number, present: number, fail: Fail): void {
  if (present < needed) throw fail(0, "short-buffer", "a buffer too short for its records", DAMAGED);
  if (chunk.validity !== undefined && chunk.validity.length * 8 < chunk.bitOffset + chunk.length) {
    throw fail(0, "short-buffer", "a validity bitmap too short for its records", DAMAGED);
  }
}

/** Booleans, integers, floats, dates, timestamps, decimals: text is made once a distinct value, or nearly so. */
function fixedWidthDecoder(
  type: ArrowType, builder: DictionaryBuilder, out: Int32Array, allowed: ReadonlySet<string>, fail: Fail,
): Decode {
  const textOf = textOfBits(type, allowed);
  const width = valueBytes(type);
  const refuse = (index: number): DataError => {
    const { code, found, advice } = refusalOf(type);
    return fail(index, code, found, advice);
  };
  const coded = (text: string, index: number): number => {
    if (text === "") throw refuse(index);
    return builder.addText(text);
  };

  if (width <= 2) {
    // One entry for each bit pattern.
    const table = new Int32Array(width === 2 ? 65_536 : width === 1 ? 256 : 2).fill(UNSEEN);
    const signed = type.kind === "int" && type.signed;
    const extend = 32 - width * 8;
    return (chunk, from, to) => {
      const { validity, bitOffset, data } = chunk;
      const values = width === 2 ? new DataView(data.buffer, data.byteOffset, data.byteLength) : undefined;
      if (width === 0) requireBuffers(chunk, bitOffset + chunk.length, data.length * 8, fail);
      else requireBuffers(chunk, chunk.length * width, data.length, fail);
      for (let i = from; i < to; i++) {
        if (validity !== undefined && !isSet(validity, bitOffset + i)) {
          out[i - from] = -1;
          continue;
        }
        let bits: number;
        if (values !== undefined) bits = values.getUint16(i * 2, true);
        else bits = width === 1 ? data[i]! : Number(isSet(data, bitOffset + i));
        let code = table[bits]!;
        if (code === UNSEEN) {
          code = coded(textOf(signed ? (bits << extend) >> extend : bits, 0), i);
          table[bits] = code;
        }
        out[i - from] = code;
      }
    };
  }

  // Direct-mapped cache of recent values; a miss makes the text and asks the dictionary.
  const lows = new Int32Array(1 << CACHE_BITS);
  const highs = new Int32Array(1 << CACHE_BITS);
  const codes = new Int32Array(1 << CACHE_BITS).fill(UNSEEN);
  const shift = 32 - CACHE_BITS;
  if (width === 4) {
    return (chunk, from, to) => {
      const { validity, bitOffset } = chunk;
      const values = words(chunk.data);
      requireBuffers(chunk, chunk.length, values.length, fail);
      for (let i = from; i < to; i++) {
        if (validity !== undefined && !isSet(validity, bitOffset + i)) {
          out[i - from] = -1;
          continue;
        }
        const low = values[i]!;
        const slot = Math.imul(low, 0x9e3779b1) >>> shift;
        let code = codes[slot]!;
        if (lows[slot] !== low || code === UNSEEN) {
          code = coded(textOf(low, 0), i);
          lows[slot] = low;
          codes[slot] = code;
        }
        out[i - from] = code;
      }
    };
  }
  const step = width >> 2;
  return (chunk, from, to) => {
    const { validity, bitOffset } = chunk;
    const values = words(chunk.data);
    requireBuffers(chunk, chunk.length * step, values.length, fail);
    for (let i = from; i < to; i++) {
      if (validity !== undefined && !isSet(validity, bitOffset + i)) {
        out[i - from] = -1;
        continue;
      }
      const at = i * step;
      const low = values[at]!;
      const high = values[at + 1]!;
      let narrow = true; // do the words above only repeat the sign?
      for (let word = 2; word < step; word++) if (values[at + word] !== high >> 31) narrow = false;
      if (!narrow) {
        out[i - from] = coded(textOfDecimal(wideInteger(values, at, step), type as ArrowType & { kind: "decimal" }), i);
        continue;
      }
      const slot = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> shift;
      let code = codes[slot]!;
      if (lows[slot] !== low || highs[slot] !== high || code === UNSEEN) {
        code = coded(textOf(low, high), i);
        lows[slot] = low;
        highs[slot] = high;
        codes[slot] = code;
      }
      out[i - from] = code;
    }
  };
}

/**
 * The distinct values of an Arrow dictionary and the code of each entry in them. Decodes every entry, used or not, so
 * that a damaged dictionary is refused whatever the codes are. A delta costs its own entries only.
 */
class LocalDictionary {
  distinct = new DictionaryBuilder();
  /** [entries, or more] code in `distinct`; -1 for a null entry. */
  codes = new Int32Array(0);
  entries = 0;
  #values: DictionaryValues | undefined;
  readonly #buffer = new Int32Array(BATCH_RECORDS);
  readonly #type: ArrowType;
  readonly #allowed: ReadonlySet<string>;
  readonly #fail: Fail;
  #decode!: Decode;

  constructor(type: ArrowType, allowed: ReadonlySet<string>, fail: Fail) {
    this.#type = type;
    this.#allowed = allowed;
    this.#fail = (_index, code, found, advice) => fail(-1, code, `${found}, in its dictionary`, advice);
  }

  /** Take up these values. Returns false when they replace the former ones instead of adding to them. */
  update(values: DictionaryValues): boolean {
    if (values === this.#values) return true;
    const known = this.#values?.parts ?? [];
    const grown = this.#values !== undefined && known.every((part, i) => part === values.parts[i]);
    if (!grown) {
      this.distinct = new DictionaryBuilder();
      this.entries = 0;
      this.#decode = codeDecoder(this.#type, this.distinct, this.#buffer, this.#allowed, this.#fail);
    }
    for (const part of values.parts.slice(grown ? known.length : 0)) this.#append(part);
    this.#values = values;
    return grown;
  }

  #append(part: Chunk): void {
    const needed = this.entries + part.length;
    for (let from = 0; from < part.length; from += BATCH_RECORDS) {
      const to = Math.min(part.length, from + BATCH_RECORDS);
      this.#decode(part, from, to); // the first call finds out whether the entries are there at all
      if (needed > this.codes.length) this.codes = grownCodes(this.codes, Math.max(needed, this.codes.length * 2), -1);
      this.codes.set(this.#buffer.subarray(0, to - from), this.entries + from);
    }
    this.entries = needed;
  }
}

function grownCodes(codes: Int32Array, length: number, filler: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(length).fill(filler);
  grown.set(codes);
  return grown;
}

/** Write the entry that each record points at, checked against the number of entries; -1 for null. */
function readEntries(
  chunk: Chunk, from: number, to: number, index: IndexType, entries: number, fail: Fail, out: Int32Array,
): void {
  const { validity, bitOffset, data } = chunk;
  const width = index.bits >> 3;
  requireBuffers(chunk, chunk.length * width, data.length, fail);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  for (let i = from; i < to; i++) {
    if (validity !== undefined && !isSet(validity, bitOffset + i)) {
      out[i - from] = -1;
      continue;
    }
    let entry: number;
    if (width === 1) entry = index.signed ? view.getInt8(i) : data[i]!;
    else if (width === 2) entry = index.signed ? view.getInt16(i * 2, true) : view.getUint16(i * 2, true);
    else if (width === 4) entry = index.signed ? view.getInt32(i * 4, true) : view.getUint32(i * 4, true);
    else entry = view.getInt32(i * 8 + 4, true) === 0 ? view.getUint32(i * 8, true) : -1;
    if (entry < 0 || entry >= entries) {
      throw fail(i, "code-outside-dictionary", "a dictionary code for which there is no value", DAMAGED);
    }
    out[i - from] = entry;
  }
}

function dictionaryDecoder(
  value: ArrowType, index: IndexType, builder: DictionaryBuilder, out: Int32Array, allowed: ReadonlySet<string>,
  fail: Fail,
): Decode {
  const local = new LocalDictionary(value, allowed, fail);
  let remap = new Int32Array(0); // entry -> code in `builder`; filled on first use, so that unused values never enter
  return (chunk, from, to) => {
    if (!local.update(chunk.dictionary!)) remap.fill(UNSEEN);
    const { distinct, codes, entries } = local;
    if (entries > remap.length) remap = grownCodes(remap, Math.max(entries, remap.length * 2), UNSEEN);
    readEntries(chunk, from, to, index, entries, fail, out);
    for (let i = 0; i < to - from; i++) {
      const entry = out[i]!;
      if (entry < 0) continue;
      let code = remap[entry]!;
      if (code === UNSEEN) {
        const own = codes[entry]!;
        code = own < 0 ? -1 : builder.add(distinct.bytes, distinct.offsets[own]!, distinct.offsets[own + 1]!);
        remap[entry] = code;
      }
      out[i] = code;
    }
  };
}

class NumberReader implements ColumnReader {
  readonly column = { kind: "numbers", values: new Float64Array(BATCH_RECORDS) } as const;
  readonly #decode: Decode;
  readonly #nullNumbers: readonly number[];

  constructor(name: string, type: ArrowType, request: ColumnRequest, place: Place) {
    const fail: Fail = (index, code, found, advice) => failure(name, place, index, code, found, advice);
    this.#decode = numberDecoder(name, type, request, this.column.values, fail);
    this.#nullNumbers = (request.nulls ?? []).map(exactDecimal).filter((value) => typeof value === "number");
  }

  read(chunk: Chunk, from: number, to: number): void {
    this.#decode(chunk, from, to);
    const values = this.column.values;
    for (const declared of this.#nullNumbers) {
      for (let i = 0; i < to - from; i++) if (values[i] === declared) values[i] = NaN;
    }
  }
}

/** A loop that writes the numbers of records from..to to the leading entries of `out`, NaN for null. */
function numberDecoder(name: string, type: ArrowType, request: ColumnRequest, out: Float64Array, fail: Fail): Decode {
  const allowed = allowedTexts(request);
  switch (type.kind) {
    case "null":
      return (_chunk, from, to) => void out.fill(NaN, 0, to - from);
    case "int":
    case "float":
    case "decimal":
    case "utf8": {
      const plain = type.kind === "utf8" ? textDecoder(allowed, out, fail) : valueDecoder(type, allowed, out, fail);
      let coded: Decode | undefined;
      return (chunk, from, to) => {
        if (chunk.dictionary === undefined) return plain(chunk, from, to);
        coded ??= entryDecoder(type, INT32, allowed, out, fail);
        coded(chunk, from, to);
      };
    }
    case "dictionary":
      if (["int", "float", "decimal", "utf8"].includes(type.value.kind)) {
        return entryDecoder(type.value, type.index, allowed, out, fail);
      }
      throw notNumbers(name, type);
    default:
      throw notNumbers(name, type);
  }
}

function textDecoder(allowed: ReadonlySet<string>, out: Float64Array, fail: Fail): Decode {
  const texts = new DictionaryBuilder();
  const codes = new Int32Array(BATCH_RECORDS);
  const numberOf = parsedTexts(texts, allowed, fail);
  return (chunk, from, to) => {
    decodeText(chunk, from, to, texts, codes, fail);
    for (let i = 0; i < to - from; i++) out[i] = numberOf(codes[i]!, from + i);
  };
}

/** Numbers of dictionary entries, by their texts; singles and halves back from their shortest text, which is exact. */
function entryDecoder(
  value: ArrowType, index: IndexType, allowed: ReadonlySet<string>, out: Float64Array, fail: Fail,
): Decode {
  // Entries may be anything as long as nothing uses them, so what is not finite is let through here and caught by the
  // texts.
  const local = new LocalDictionary(value, new Set([...allowed, ...NOT_FINITE]), fail);
  const isNarrow = value.kind === "float" && value.bits < 64;
  const rounded = !isNarrow ? undefined : value.bits === 32 ? Math.fround : nearestHalf;
  const entries = new Int32Array(BATCH_RECORDS);
  let numberOf: (code: number, index: number) => number;
  return (chunk, from, to) => {
    if (!local.update(chunk.dictionary!)) numberOf = parsedTexts(local.distinct, allowed, fail);
    const { codes } = local;
    readEntries(chunk, from, to, index, local.entries, fail, entries);
    for (let i = 0; i < to - from; i++) {
      const entry = entries[i]!;
      const number = entry < 0 ? NaN : numberOf(codes[entry]!, from + i);
      out[i] = rounded === undefined ? number : rounded(number);
    }
  };
}

const NOT_FINITE = ["NaN", "Infinity", "-Infinity"];

/** The half-precision number nearest to a text that was made from one: eleven binary digits, or the subnormal step. */
function nearestHalf(value: number): number {
  if (value === 0 || Number.isNaN(value)) return value;
  const step = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -14) - 10);
  return Math.round(value / step) * step;
}

function notNumbers(name: string, type: ArrowType): DataError {
  return new DataError("source/not-a-number", `Column ${JSON.stringify(name)} has the type ${arrowTypeName(type)}, ` +
    `and is used as a measure or weight. Use a column of numbers.`, { column: name, type: arrowTypeName(type) });
}

function inexact(fail: Fail, index: number): DataError {
  const found = "a number with more digits than a measure can hold exactly";
  return fail(index, "inexact-number", found, "Round the column or use it as a key");
}

/** Number of each text, parsed once; NaN for null and for texts declared null. */
function parsedTexts(
  texts: DictionaryBuilder, allowed: ReadonlySet<string>, fail: Fail,
): (code: number, index: number) => number {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let numbers = new Float64Array(256);
  const known: boolean[] = [];
  return (code, index) => {
    if (code < 0) return NaN;
    if (known[code]) return numbers[code]!;
    const text = decoder.decode(texts.bytes.subarray(texts.offsets[code]!, texts.offsets[code + 1]!));
    const value = allowed.has(text) ? NaN : exactDecimal(text);
    if (value === NOT_A_NUMBER) {
      throw fail(index, "not-a-number", "text that is not a decimal number", "Declare it under nulls or clean the " +
        "data");
    }
    if (value === INEXACT) throw inexact(fail, index);
    while (code >= numbers.length) {
      const larger = new Float64Array(numbers.length * 2);
      larger.set(numbers);
      numbers = larger;
    }
    known[code] = true;
    numbers[code] = value;
    return value;
  };
}

function valueDecoder(
  type: ArrowType & { kind: "int" | "float" | "decimal" }, allowed: ReadonlySet<string>, out: Float64Array, fail: Fail,
): Decode {
  const width = valueBytes(type);
  const numberAt = numberReader(type);
  const mayBeNaN = allowed.has("NaN");
  const mayBePlus = allowed.has("Infinity");
  const mayBeMinus = allowed.has("-Infinity");
  return (chunk, from, to) => {
    const { validity, bitOffset, data } = chunk;
    requireBuffers(chunk, chunk.length * width, data.length, fail);
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    for (let i = from; i < to; i++) {
      if (validity !== undefined && !isSet(validity, bitOffset + i)) {
        out[i - from] = NaN;
        continue;
      }
      const value = numberAt(view, i * width);
      if (value === undefined) {
        throw inexact(fail, i);
      }
      if (!Number.isFinite(value)) {
        if (!(Number.isNaN(value) ? mayBeNaN : value > 0 ? mayBePlus : mayBeMinus)) {
          const { code, found, advice } = refusalOf(type);
          throw fail(i, code, found, advice);
        }
        out[i - from] = NaN;
        continue;
      }
      out[i - from] = value + 0; // -0 + 0 is 0
    }
  };
}

/** Reads one number at a byte offset; undefined when no double stands for it. */
function numberReader(
  type: ArrowType & { kind: "int" | "float" | "decimal" },
): (view: DataView, at: number) => number | undefined {
  if (type.kind === "float") {
    if (type.bits === 64) return (view, at) => view.getFloat64(at, true);
    if (type.bits === 32) return (view, at) => view.getFloat32(at, true);
    return (view, at) => halfValue(view.getUint16(at, true));
  }
  if (type.kind === "decimal") {
    const count = type.bits >> 5;
    const words32 = new Int32Array(count);
    return (view, at) => {
      for (let word = 0; word < count; word++) words32[word] = view.getInt32(at + word * 4, true);
      // More digits than declared: NaN, which is refused.
      const text = textOfDecimal(wideInteger(words32, 0, count), type);
      if (text === "") return NaN;
      const value = exactDecimal(text);
      return typeof value === "number" ? value : undefined;
    };
  }
  switch (type.bits) {
    case 8:
      return type.signed ? (view, at) => view.getInt8(at) : (view, at) => view.getUint8(at);
    case 16:
      return type.signed ? (view, at) => view.getInt16(at, true) : (view, at) => view.getUint16(at, true);
    case 32:
      return type.signed ? (view, at) => view.getInt32(at, true) : (view, at) => view.getUint32(at, true);
    case 64:
      return (view, at) => {
        const high = type.signed ? view.getInt32(at + 4, true) : view.getUint32(at + 4, true);
        const value = high * 0x1_0000_0000 + view.getUint32(at, true);
        return Number.isSafeInteger(value) ? value : undefined;
      };
  }
}
