import { InternalError } from "../errors/index.ts";
import type { Cells, MeasureCells } from "./cells.ts";

/** "CEL1" in the byte order of this machine, so that bytes of another order are told apart. */
const MAGIC = 0x43454c31;

type Width = 1 | 2 | 4 | 8;

/** What precedes the columns, as JSON. */
interface Header {
  readonly keys: readonly string[];
  readonly sizes: readonly number[];
  readonly size: number;
  readonly weighted: boolean;
  readonly measures: readonly string[];
  /** [keys, then records] bytes of each entry. */
  readonly widths: readonly Width[];
}

/**
 * Cells as bytes, for spill files and threads of this machine; not a format to publish or to keep.
 * Layout: magic and header length (4 bytes each), header as JSON, then the columns one after the other, each beginning at a
 * multiple of 8: code + 1 of each key and the records in as few bytes as they need, weight and measures as float64.
 */
export function encodeCells(cells: Cells): Uint8Array {
  const widths = [...cells.codes.map(codeWidth), recordsWidth(cells.records)];
  const header: Header = {
    keys: cells.keys, sizes: cells.sizes, size: cells.size, weighted: cells.weight !== undefined,
    measures: cells.measures.map((measure) => measure.name), widths,
  };
  const headerBytes = new TextEncoder().encode(JSON.stringify(header));
  const floats = [
    ...(cells.weight === undefined ? [] : [cells.weight]),
    ...cells.measures.flatMap((measure) => [measure.values, measure.sum, measure.sumAbs, measure.min, measure.max]),
  ];
  let length = aligned(8 + headerBytes.length);
  for (const width of widths) length += aligned(cells.size * width);
  length += floats.length * cells.size * 8;

  const bytes = new Uint8Array(length);
  new Uint32Array(bytes.buffer, 0, 2).set([MAGIC, headerBytes.length]);
  bytes.set(headerBytes, 8);
  let at = aligned(8 + headerBytes.length);
  cells.codes.forEach((codes, key) => {
    const column = integerView(bytes.buffer, at, cells.size, widths[key]!);
    for (let cell = 0; cell < cells.size; cell++) column[cell] = codes[cell]! + 1;
    at += aligned(cells.size * widths[key]!);
  });
  integerView(bytes.buffer, at, cells.size, widths.at(-1)!).set(cells.records);
  at += aligned(cells.size * widths.at(-1)!);
  for (const column of floats) {
    new Float64Array(bytes.buffer, at, cells.size).set(column);
    at += cells.size * 8;
  }
  return bytes;
}

/**
 * Cells from the bytes of `encodeCells`.
 * @throws InternalError `cells/damaged` when the bytes are anything else.
 */
export function decodeCells(encoded: Uint8Array): Cells {
  const bytes = encoded.byteOffset % 8 === 0 ? encoded : encoded.slice();
  const { buffer, byteOffset } = bytes;
  const [magic, headerLength] = bytes.length < 8 ? [0, 0] : new Uint32Array(buffer, byteOffset, 2);
  if (magic !== MAGIC || 8 + headerLength! > bytes.length) throw damaged();
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength!))) as Header;
  const { size, widths } = header;
  let at = aligned(8 + headerLength!);
  const floats = (header.weighted ? 1 : 0) + header.measures.length * 5;
  const expected = at + widths.reduce((sum, width) => sum + aligned(size * width), 0) + floats * size * 8;
  if (expected !== bytes.length) throw damaged();

  const codes = header.keys.map((_, key) => {
    const column = integerView(buffer, byteOffset + at, size, widths[key]!);
    at += aligned(size * widths[key]!);
    const decoded = new Int32Array(size);
    for (let cell = 0; cell < size; cell++) decoded[cell] = column[cell]! - 1;
    return decoded;
  });
  const records = Float64Array.from(integerView(buffer, byteOffset + at, size, widths.at(-1)!));
  at += aligned(size * widths.at(-1)!);
  const nextFloats = (): Float64Array => {
    const column = new Float64Array(buffer, byteOffset + at, size).slice();
    at += size * 8;
    return column;
  };
  const weight = header.weighted ? { weight: nextFloats() } : {};
  const measures = header.measures.map((name): MeasureCells => ({
    name, values: nextFloats(), sum: nextFloats(), sumAbs: nextFloats(), min: nextFloats(), max: nextFloats(),
  }));
  return { keys: header.keys, sizes: header.sizes, size, codes, records, ...weight, measures };
}

function codeWidth(codes: Int32Array): Width {
  let largest = 0;
  for (let cell = 0; cell < codes.length; cell++) if (codes[cell]! >= largest) largest = codes[cell]! + 1;
  return largest < 2 ** 8 ? 1 : largest < 2 ** 16 ? 2 : 4;
}

function recordsWidth(records: Float64Array): Width {
  let largest = 0;
  for (let cell = 0; cell < records.length; cell++) if (records[cell]! > largest) largest = records[cell]!;
  return largest < 2 ** 8 ? 1 : largest < 2 ** 16 ? 2 : largest < 2 ** 32 ? 4 : 8;
}

function integerView(buffer: ArrayBufferLike, offset: number, length: number, width: Width): Uint8Array | Uint16Array | Uint32Array | Float64Array {
  switch (width) {
    case 1:
      return new Uint8Array(buffer, offset, length);
    case 2:
      return new Uint16Array(buffer, offset, length);
    case 4:
      return new Uint32Array(buffer, offset, length);
    case 8:
      return new Float64Array(buffer, offset, length);
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

function damaged(): InternalError {
  return new InternalError("cells/damaged", "Bytes that should hold cells do not.");
}
