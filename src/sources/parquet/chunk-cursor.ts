import type { Chunk, DictionaryValues } from "../arrow/chunk.ts";
import type { Decompress } from "./codecs.ts";
import { crc32 } from "./crc32.ts";
import type { ParquetColumn } from "./metadata.ts";
import { dictionaryChunk, isDictionaryEncoding, pageValues, spread, type PageValues } from "./page-values.ts";
import { HybridReader } from "./rle.ts";
import { badParquet, STRUCT, ThriftReader, TRUE } from "./thrift.ts";

const DATA_PAGE = 0;
const INDEX_PAGE = 1;
const DICTIONARY_PAGE = 2;
const DATA_PAGE_V2 = 3;
const RLE = 3;

interface PageHeader {
  readonly kind: number;
  readonly unpackedBytes: number;
  readonly packedBytes: number;
  readonly crc: number | undefined;
  readonly values: number;
  readonly nulls: number;
  readonly records: number;
  readonly encoding: number;
  readonly levelEncoding: number;
  readonly definitionBytes: number;
  readonly repetitionBytes: number;
  readonly isCompressed: boolean;
}

/** Reads the pages of one column chunk, in order, as chunks of as many records as asked for. */
export class ChunkCursor {
  readonly #column: ParquetColumn;
  readonly #bytes: Uint8Array;
  readonly #decompress: Decompress;
  #at = 0;
  #recordsLeft: number; // of the column chunk, in pages not yet opened
  #pageLeft = 0; // records of the open page not yet taken
  #levels: HybridReader | undefined;
  #values: PageValues | undefined;
  #valuesLeft = 0;
  #dictionary: DictionaryValues | undefined;

  /** @param bytes the whole column chunk */
  constructor(column: ParquetColumn, bytes: Uint8Array, records: number, decompress: Decompress) {
    this.#column = column;
    this.#bytes = bytes;
    this.#recordsLeft = records;
    this.#decompress = decompress;
  }

  /** Records that can be taken at once: those left in the open page, or in the next one. At least one. */
  available(): number {
    while (this.#pageLeft === 0) this.#openPage();
    return this.#pageLeft;
  }

  /** The next `count` records; no more than are available. */
  take(count: number): Chunk {
    let valid: Int32Array | undefined;
    let present = count;
    if (this.#levels !== undefined) {
      valid = new Int32Array(count);
      this.#levels.read(valid, count); // one bit wide: 0 or 1
      present = 0;
      for (let i = 0; i < count; i++) present += valid[i]!;
    }
    this.#pageLeft -= count;
    this.#valuesLeft -= present;
    if (this.#valuesLeft < 0 || (this.#pageLeft === 0 && this.#valuesLeft > 0)) {
      badParquet("a page with another number of nulls than its header says");
    }
    const packed = this.#values!.take(present);
    return spread(this.#column.type, packed, present === count ? undefined : valid, count);
  }

  #openPage(): void {
    const header = this.#header();
    if (header.packedBytes > this.#bytes.length - this.#at) badParquet("a page that lies outside its column chunk");
    const stored = this.#bytes.subarray(this.#at, this.#at + header.packedBytes);
    this.#at += header.packedBytes;
    if (header.crc !== undefined && crc32(stored) !== header.crc >>> 0) {
      badParquet("a page that does not match its checksum");
    }
    switch (header.kind) {
      case DICTIONARY_PAGE: {
        if (this.#dictionary !== undefined) badParquet("a second dictionary");
        if (header.encoding !== 0 && header.encoding !== 2) badParquet("a dictionary in an unknown encoding");
        const page = this.#decompress(stored, header.unpackedBytes);
        this.#dictionary = { parts: [dictionaryChunk(this.#column, page, header.values)] };
        return;
      }
      case DATA_PAGE:
        return this.#openDataPage(header, this.#decompress(stored, header.unpackedBytes));
      case DATA_PAGE_V2:
        return this.#openDataPageV2(header, stored);
      case INDEX_PAGE:
        return;
      default:
        badParquet("a page of unknown kind");
    }
  }

  #openDataPage(header: PageHeader, page: Uint8Array): void {
    this.#begin(header.values);
    let at = 0;
    this.#levels = undefined;
    let present = header.values;
    if (this.#column.optional) {
      if (header.levelEncoding !== RLE) badParquet("levels in an encoding that is not supported");
      if (page.length < 4) badParquet("levels or codes that end too early");
      const length = (page[0]! | (page[1]! << 8) | (page[2]! << 16) | (page[3]! << 24)) >>> 0;
      if (length > page.length - 4) badParquet("levels or codes outside their page");
      at = 4 + length;
      present = countOnes(new HybridReader(page, 4, at, 1), header.values);
      this.#levels = new HybridReader(page, 4, at, 1);
    }
    this.#setValues(header.encoding, page.subarray(at), present);
  }

  #openDataPageV2(header: PageHeader, stored: Uint8Array): void {
    const { definitionBytes, repetitionBytes } = header;
    if (header.records !== header.values) badParquet("a plain column with repeated values");
    if (repetitionBytes !== 0 || header.nulls > header.values) badParquet("a plain column with repeated values");
    if (definitionBytes > stored.length || definitionBytes > header.unpackedBytes) {
      badParquet("levels or codes outside their page");
    }
    this.#begin(header.values);
    const packed = stored.subarray(definitionBytes);
    const length = header.unpackedBytes - definitionBytes;
    const page = header.isCompressed ? this.#decompress(packed, length) : packed;
    if (page.length !== length) badParquet("a page of another size than its header says");
    this.#levels = undefined;
    let present = header.values;
    if (this.#column.optional) {
      present = countOnes(new HybridReader(stored, 0, definitionBytes, 1), header.values);
      this.#levels = new HybridReader(stored, 0, definitionBytes, 1);
    }
    if (present !== header.values - header.nulls) {
      badParquet("a page with another number of nulls than its header says");
    }
    this.#setValues(header.encoding, page, present);
  }

  #begin(records: number): void {
    if (records > this.#recordsLeft) badParquet("pages with more records than their row group");
    this.#recordsLeft -= records;
    this.#pageLeft = records;
  }

  #setValues(encoding: number, page: Uint8Array, present: number): void {
    this.#valuesLeft = present;
    const dictionary = isDictionaryEncoding(encoding) ? this.#dictionary : undefined;
    // A page of nulls alone may have nothing after its levels, whatever its encoding.
    if (present === 0) this.#values = { take: () => emptyValues(this.#column) };
    else this.#values = pageValues(this.#column, encoding, page, present, dictionary);
  }

  #header(): PageHeader {
    const reader = new ThriftReader(this.#bytes, this.#at);
    const header = {
      kind: -1, unpackedBytes: -1, packedBytes: -1, crc: undefined as number | undefined, values: -1, nulls: 0,
      records: -1, encoding: -1, levelEncoding: -1, definitionBytes: 0, repetitionBytes: 0, isCompressed: true,
    };
    reader.struct((id, type) => {
      if (id === 1) header.kind = reader.count();
      else if (id === 2) header.unpackedBytes = reader.count();
      else if (id === 3) header.packedBytes = reader.count();
      else if (id === 4) header.crc = reader.integer();
      else if (type !== STRUCT) return false;
      else if (id === 5 || id === 7) {
        reader.struct((field) => {
          if (field === 1) header.values = reader.count();
          else if (field === 2) header.encoding = reader.count();
          else if (field === 3 && id === 5) header.levelEncoding = reader.count();
          else return false;
          return true;
        });
      } else if (id === 8) {
        reader.struct((field, fieldType) => {
          if (field === 1) header.values = reader.count();
          else if (field === 2) header.nulls = reader.count();
          else if (field === 3) header.records = reader.count();
          else if (field === 4) header.encoding = reader.count();
          else if (field === 5) header.definitionBytes = reader.count();
          else if (field === 6) header.repetitionBytes = reader.count();
          else if (field === 7) header.isCompressed = fieldType === TRUE;
          else return false;
          return true;
        });
      } else return false;
      return true;
    });
    this.#at = reader.at;
    const needsValues = header.kind !== INDEX_PAGE;
    const required = [header.kind, header.unpackedBytes, header.packedBytes];
    if (needsValues) required.push(header.values, header.encoding);
    if (required.some((value) => value < 0)) badParquet("an incomplete page header");
    return header;
  }
}

const SLICE = 1 << 16;

/** Ones among the next `count` values of a reader of single bits. */
function countOnes(reader: HybridReader, count: number): number {
  const slice = new Int32Array(Math.min(count, SLICE));
  let ones = 0;
  for (let done = 0; done < count; done += SLICE) {
    const n = Math.min(SLICE, count - done);
    reader.read(slice, n);
    for (let i = 0; i < n; i++) ones += slice[i]!;
  }
  return ones;
}

function emptyValues(column: ParquetColumn): { data: Uint8Array; offsets?: Int32Array | undefined } {
  return { data: new Uint8Array(0), offsets: column.type.kind === "utf8" ? new Int32Array(1) : undefined };
}
