/**
 * CSV as of RFC 4180, with choices where the RFC leaves room: UTF-8 without byte order mark; lines end in LF, which every
 * reader accepts and which public portals use; a header; quotes only where needed; null is an empty field and the empty
 * text is `""`, so that the two can be told apart. In a table of one column null is `""` too, because a blank line would be
 * skipped by most readers.
 *
 * Text that a spreadsheet would run as a formula (starting with = + - @, tab, a line break, or their full-width forms, also
 * after spaces) is refused unless the publisher decides: "quote" puts an apostrophe before it, which spreadsheets hide but
 * other readers see as part of the value; "keep" writes it as it is. Refusing is the default because the first silently
 * changes data and the second silently passes an attack on to readers. Plain numbers such as -5, and lone dashes that stand
 * for "none", are no formulas.
 */
import { dictionaryText, type Batch, type Dictionary } from "../columns/index.ts";
import { DataError } from "../errors/index.ts";
import { BatchCheck, checkColumns, refuseCodesOutside, type ReleasedDictionaries } from "./released-batch.ts";
import { countMarked, misfitsOf, refuseMisfits, refuseUnwritableNumbers } from "./released-values.ts";
import { MAX_NUMBER_BYTES, NumberRenderer } from "./render-number.ts";
import type { ByteSink, ReleasedColumn, TableWriter } from "./sink.ts";

export interface CsvOptions {
  /** Default ",". */
  readonly delimiter?: "," | ";" | "\t" | "|";
  /** What to do with text that a spreadsheet would run; default "refuse". */
  readonly formulas?: "refuse" | "quote" | "keep";
}

/** Every value of a column as it is written, delimiter or line end included, ready to be copied. */
interface Pieces {
  /** Bytes of all pieces, each starting on a word; index 0 is null, index code + 1 the value. */
  readonly words: Int32Array;
  /** [values + 1] first word of each piece. */
  readonly starts: Int32Array;
  /** [values + 1] length of each piece, in bytes. */
  readonly lengths: Int32Array;
  readonly longest: number;
  /** [codes] 1 where the value is a formula that is refused. */
  readonly formulas: Uint8Array | undefined;
  readonly misfits: Uint8Array | undefined;
}

const BUFFER_BYTES = 1 << 20;
const QUOTE = 0x22;
const LF = 0x0a;
const encoder = new TextEncoder();

/**
 * Renders batches to CSV bytes. Holds no state between calls, so that several threads may each render their share; give
 * every thread its own renderer. Build cost O(dictionary bytes), then rows are copies of prepared bytes.
 */
export class CsvRenderer {
  /** The first line. */
  readonly header: Uint8Array;
  /** Room that one more row may need, in bytes; `render` stops when less is left. */
  readonly maxRowBytes: number;
  /** After `render`: index of the first record that did not fit, equal to the batch's records when all did. */
  next = 0;

  readonly #columns: readonly ReleasedColumn[];
  readonly #pieces: readonly (Pieces | undefined)[];
  readonly #numbers = new NumberRenderer();
  readonly #delimiter: number;

  /** @throws DataError `csv/formula` when a column's name would run as a formula. */
  constructor(columns: readonly ReleasedColumn[], dictionaries: ReleasedDictionaries, options: CsvOptions = {}) {
    checkColumns(columns, dictionaries);
    const delimiter = options.delimiter ?? ",";
    const formulas = options.formulas ?? "refuse";
    this.#columns = columns;
    this.#delimiter = delimiter.charCodeAt(0);
    this.header = encoder.encode(headerLine(columns, delimiter, formulas));
    this.#pieces = columns.map((column, c) => {
      const end = c === columns.length - 1 ? LF : this.#delimiter;
      const dictionary = dictionaries[c];
      return dictionary && preparePieces(column, dictionary, end, this.#delimiter, formulas, columns.length === 1);
    });
    let longest = 4; // copies go by words and may touch three bytes beyond a row
    for (const pieces of this.#pieces) longest += pieces ? pieces.longest : MAX_NUMBER_BYTES + 1;
    this.maxRowBytes = longest;
  }

  /**
   * Check a batch before its rows are rendered; `render` trusts it.
   *
   * @throws DataError `csv/formula` or `output/not-of-type`, with the column and number of records; InternalError
   *   `sinks/batch` for a code outside the dictionary.
   */
  check(batch: Batch): void {
    for (const [c, column] of this.#columns.entries()) {
      const data = batch.columns[c]!;
      const pieces = this.#pieces[c];
      if (data.kind === "numbers") {
        refuseUnwritableNumbers(column, data.values, batch.records);
      } else if (pieces) {
        refuseCodesOutside(column, data.codes, batch.records, pieces.lengths.length - 1);
        refuseMisfits(column, data.codes, batch.records, pieces.misfits);
        if (pieces.formulas) {
          const records = countMarked(data.codes, batch.records, pieces.formulas);
          if (records > 0) throw formulaError(column.name, records);
        }
      }
    }
  }

  /**
   * Render rows `from`, `from` + 1, ... of a checked batch into `out` at `at`, as many as fit. Bytes of `out` beyond the
   * returned position may be overwritten. Sets `next`.
   *
   * @returns position after the last row
   */
  render(batch: Batch, out: Uint8Array, at: number, from = 0): number {
    const records = batch.records;
    const columns = batch.columns.length;
    const last = columns - 1;
    const limit = out.length - this.maxRowBytes;
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    const codesOf: (Int32Array | undefined)[] = [];
    const numbersOf: (Float64Array | undefined)[] = [];
    const wordsOf: Int32Array[] = [];
    const startsOf: Int32Array[] = [];
    const lengthsOf: Int32Array[] = [];
    const none = new Int32Array(0);
    for (let c = 0; c < columns; c++) {
      const column = batch.columns[c]!;
      const pieces = this.#pieces[c];
      codesOf.push(column.kind === "codes" ? column.codes : undefined);
      numbersOf.push(column.kind === "numbers" ? column.values : undefined);
      wordsOf.push(pieces?.words ?? none);
      startsOf.push(pieces?.starts ?? none);
      lengthsOf.push(pieces?.lengths ?? none);
    }

    // Records are sorted, so leading fields are often those of the row before: they are copied from there at one go.
    let leading = 0;
    while (leading < columns && codesOf[leading] !== undefined) leading++;
    const ends = new Int32Array(columns); // of the fields, from the start of their row
    let before = -1;
    let row = from;
    for (; row < records && at <= limit; row++) {
      const start = at;
      let c = 0;
      if (before >= 0) {
        while (c < leading && codesOf[c]![row] === codesOf[c]![row - 1]) c++;
        if (c > 0) {
          const bytes = ends[c - 1]!;
          for (let i = 0; i < bytes; i += 4) view.setInt32(at + i, view.getInt32(before + i, true), true);
          at += bytes;
        }
      }
      before = start;
      for (; c < columns; c++) {
        const codes = codesOf[c];
        if (codes !== undefined) {
          const piece = codes[row]! + 1;
          const length = lengthsOf[c]![piece]!;
          const words = wordsOf[c]!;
          let word = startsOf[c]![piece]!;
          for (let i = 0; i < length; i += 4) view.setInt32(at + i, words[word++]!, true);
          at += length;
          ends[c] = at - start;
        } else {
          const value = numbersOf[c]![row]!;
          if (value === value) at = this.#numbers.render(value, out, at);
          else if (last === 0) {
            out[at++] = QUOTE;
            out[at++] = QUOTE;
          }
          out[at++] = c === last ? LF : this.#delimiter;
        }
      }
    }
    this.next = row;
    return at;
  }
}

/** Write batches as CSV. Memory: the prepared pieces and one buffer of 1 MB, or of two rows where those are longer. */
export class CsvWriter implements TableWriter {
  readonly #sink: ByteSink;
  readonly #renderer: CsvRenderer;
  readonly #check: BatchCheck;
  readonly #buffer: Uint8Array;
  #at = 0;

  constructor(sink: ByteSink, columns: readonly ReleasedColumn[], dictionaries: ReleasedDictionaries, options: CsvOptions = {}) {
    this.#sink = sink;
    this.#check = new BatchCheck(columns, dictionaries);
    this.#renderer = new CsvRenderer(columns, dictionaries, options);
    const { header, maxRowBytes } = this.#renderer;
    this.#buffer = new Uint8Array(Math.max(BUFFER_BYTES, header.length, 2 * maxRowBytes));
    this.#buffer.set(header);
    this.#at = header.length;
  }

  async write(batch: Batch): Promise<void> {
    this.#check.check(batch);
    this.#renderer.check(batch);
    for (let from = 0; from < batch.records; from = this.#renderer.next) {
      this.#at = this.#renderer.render(batch, this.#buffer, this.#at, from);
      if (this.#renderer.next < batch.records) await this.#flush();
    }
  }

  async close(): Promise<void> {
    await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#at > 0) await this.#sink.write(this.#buffer.subarray(0, this.#at));
    this.#at = 0;
  }
}

function headerLine(columns: readonly ReleasedColumn[], delimiter: string, formulas: string): string {
  const fields = columns.map(({ name }) => {
    const text = isFormula(name) && formulas !== "keep" ? (formulas === "quote" ? `'${name}` : undefined) : name;
    if (text === undefined) throw formulaError(name, 0);
    return text === "" || needsQuotes(text, delimiter) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${fields.join(delimiter)}\n`;
}

/** U+FEFF at the start of a file is read as a byte order mark and lost, unless it stands inside quotes. */
function needsQuotes(text: string, delimiter: string): boolean {
  return text.includes(delimiter) || /["\r\n]|^\uFEFF/.test(text);
}

const FORMULA = /^ *[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;
/** Plain numbers, lone dashes, and intervals such as "-10 to -6", which hierarchies write. */
const HARMLESS = /^ *([+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]+)?%?|[+-]|-+|-?[0-9]+(\.[0-9]+)? to -?[0-9]+(\.[0-9]+)?) *$/;

/** Whether a spreadsheet may run the text when it opens the file. */
export function isFormula(text: string): boolean {
  return FORMULA.test(text) && !HARMLESS.test(text);
}

function preparePieces(
  column: ReleasedColumn,
  dictionary: Dictionary,
  end: number,
  delimiter: number,
  onFormula: "refuse" | "quote" | "keep",
  alone: boolean,
): Pieces {
  const { size, offsets, bytes } = dictionary;
  const starts = new Int32Array(size + 1);
  const lengths = new Int32Array(size + 1);
  let formulas: Uint8Array | undefined;
  const apostrophe = new Uint8Array(size);
  const misfits = misfitsOf(dictionary, column.type);
  if (column.type === "string" && onFormula !== "keep") {
    for (let code = 0; code < size; code++) {
      if (!mayBeFormula(bytes[offsets[code]!]!) || offsets[code] === offsets[code + 1]) continue;
      if (!isFormula(dictionaryText(dictionary, code))) continue;
      if (onFormula === "quote") apostrophe[code] = 1;
      else (formulas ??= new Uint8Array(size))[code] = 1;
    }
  }

  // First the lengths, then the bytes, so that nothing is held twice.
  lengths[0] = alone ? 3 : 1;
  let words = 1;
  let longest = lengths[0];
  for (let code = 0; code < size; code++) {
    const length = offsets[code + 1]! - offsets[code]! + apostrophe[code]! + extraForQuotes(dictionary, code, delimiter) + 1;
    starts[code + 1] = words;
    lengths[code + 1] = length;
    words += (length + 3) >> 2;
    if (length > longest) longest = length;
  }

  const text = new Uint8Array(words * 4);
  let at = 0;
  if (alone) {
    text[at++] = QUOTE;
    text[at++] = QUOTE;
  }
  text[at] = end;
  for (let code = 0; code < size; code++) {
    const quoted = extraForQuotes(dictionary, code, delimiter) > 0;
    at = starts[code + 1]! * 4;
    if (quoted) text[at++] = QUOTE;
    if (apostrophe[code]) text[at++] = 0x27;
    for (let i = offsets[code]!; i < offsets[code + 1]!; i++) {
      const byte = bytes[i]!;
      if (byte === QUOTE) text[at++] = QUOTE;
      text[at++] = byte;
    }
    if (quoted) text[at++] = QUOTE;
    text[at] = end;
  }
  return { words: wordsOfBytes(text), starts, lengths, longest, formulas, misfits };
}

/** First bytes of a formula: = + - @, tab, line breaks, a space before them, or the lead byte of full-width forms. */
function mayBeFormula(byte: number): boolean {
  return byte === 0x3d || byte === 0x2b || byte === 0x2d || byte === 0x40 || byte === 0xef || byte <= 0x20;
}

/** Bytes that quoting adds to a value: 0 when it needs none, else 2 and one for each quote inside. */
function extraForQuotes(dictionary: Dictionary, code: number, delimiter: number): number {
  const { bytes, offsets } = dictionary;
  const start = offsets[code]!;
  const end = offsets[code + 1]!;
  if (start === end) return 2; // the empty text
  let quotes = 0;
  let needed = bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE) quotes++;
    else if (byte === delimiter || byte === LF || byte === 0x0d) needed = true;
  }
  return needed || quotes > 0 ? 2 + quotes : 0;
}

/** Little-endian words, whatever the machine. */
function wordsOfBytes(bytes: Uint8Array): Int32Array {
  const words = new Int32Array(bytes.length / 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < words.length; i++) words[i] = view.getInt32(i * 4, true);
  return words;
}

function formulaError(column: string, records: number): DataError {
  const found =
    records === 0
      ? "A column's name would be run as a formula when the CSV file is opened in a spreadsheet."
      : `Column "${column}" has text in ${records} records of one batch that a spreadsheet would run as a formula.`;
  return new DataError(
    "csv/formula",
    `${found} Decide with the CSV option formulas: "quote" puts an apostrophe before it, "keep" writes it unchanged; or recode the values.`,
    { column, records },
  );
}
