import { csvError, MAX_COLUMNS, MAX_FIELD_BYTES, MAX_ROW_BYTES } from "./errors.ts";
import { isUtf8Prefix, validUtf8End } from "../../kernels/utf8.ts";
import type { CsvDelimiter } from "./coder.ts";

export interface CsvHeader {
  readonly names: readonly string[];
  /** Offset of the first byte after the header row, where records begin. */
  readonly end: number;
}

const LF = 10;
const CR = 13;
const QUOTE = 34;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Read the header row at the start of a file; a byte order mark before it is skipped.
 *
 * @param bytes the file from its first byte on, as far as it has been read
 * @param isWhole whether that is the whole file
 * @returns undefined when the header goes on beyond `bytes`
 * @throws DataError csv/no-header, empty-column-name, duplicate-column, too-many-columns, and the faults of any row
 */
export function readCsvHeader(bytes: Uint8Array, delimiter: CsvDelimiter, isWhole: boolean): CsvHeader | undefined {
  if (bytes.length < 3 && !isWhole) return undefined;
  const from = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  if (from === bytes.length) {
    if (isWhole) throw csvError("no-header", {});
    return undefined;
  }

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const valid = validUtf8End(bytes, view, from, bytes.length);
  const isCut = valid < bytes.length && !isWhole && isUtf8Prefix(bytes, valid, bytes.length);
  const header = scanHeader(bytes.subarray(0, valid), from, delimiter.charCodeAt(0), isWhole && valid === bytes.length);
  if (header === undefined) {
    if (valid < bytes.length && !isCut) throw csvError("invalid-utf8", { row: 1, offset: valid });
    if (bytes.length > MAX_ROW_BYTES) throw csvError("row-too-long", { row: 1, offset: from });
    return undefined;
  }

  const seen = new Map<string, number>();
  header.names.forEach((name, index) => {
    if (name === "") throw csvError("empty-column-name", { first: index + 1 });
    const first = seen.get(name);
    if (first !== undefined) throw csvError("duplicate-column", { first: first + 1, second: index + 1 });
    seen.set(name, index);
  });
  return header;
}

function scanHeader(bytes: Uint8Array, from: number, delimiter: number, isWhole: boolean): CsvHeader | undefined {
  const names: string[] = [];
  let p = from;
  for (;;) {
    const start = p;
    let name: string;
    if (bytes[p] === QUOTE) {
      p++;
      for (;;) {
        p = bytes.indexOf(QUOTE, p);
        if (p < 0) {
          if (isWhole) throw csvError("unterminated-quote", { row: 1, offset: start });
          return undefined;
        }
        if (bytes[p + 1] !== QUOTE) break;
        p += 2;
      }
      const nul = bytes.subarray(start, p).indexOf(0);
      if (nul >= 0) throw csvError("nul-byte", { row: 1, offset: start + nul });
      if (p - start - 1 > MAX_FIELD_BYTES) throw csvError("field-too-long", { row: 1, offset: start });
      name = decoder.decode(bytes.subarray(start + 1, p)).replaceAll('""', '"');
      p++;
    } else {
      while (p < bytes.length && bytes[p] !== delimiter && bytes[p] !== LF && bytes[p] !== CR) {
        if (bytes[p] === 0) throw csvError("nul-byte", { row: 1, offset: p });
        p++;
      }
      if (p - start > MAX_FIELD_BYTES) throw csvError("field-too-long", { row: 1, offset: start });
      name = decoder.decode(bytes.subarray(start, p));
    }

    if (p === bytes.length && !isWhole) return undefined;
    names.push(name);
    if (names.length > MAX_COLUMNS) throw csvError("too-many-columns", {});
    if (p === bytes.length) return { names, end: p };
    if (bytes[p] === LF) return { names, end: p + 1 };
    if (bytes[p] === CR) {
      if (bytes[p + 1] === LF) return { names, end: p + 2 };
      if (p + 1 === bytes.length && !isWhole) return undefined;
      throw csvError("lone-carriage-return", { row: 1, offset: p });
    }
    if (bytes[p] !== delimiter) throw csvError("text-after-quote", { row: 1, offset: p });
    p++;
  }
}
