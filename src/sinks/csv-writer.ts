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
import { dictionaryText, type Batch, type Column, type Dictionary } from "../columns/index.ts";
import { DataError } from "../errors/index.ts";
import { csvRowKernel, KERNEL_RECORDS, type CsvKernelColumn, type CsvRowKernel } from "./csv-row-kernel.ts";
import { BatchCheck, checkColumns, refuseCodesOutside, type ReleasedDictionaries } from "./released-batch.ts";
import { countMarked, misfitsOf, refuseMisfits, refuseUnwritableNumbers } from "./released-values.ts";
import { MAX_NUMBER_BYTES, NumberRenderer } from "./render-number.ts";
import type { ByteSink, ReleasedColumn, TableWriter } from "./sink.ts";

export interface CsvOptions {
  /** Default ",". */
  readonly delimiter?: "," | ";" | "\t" | "|";
  /** What to do with text that a spreadsheet would run; default "refuse". */
  readonly formulas?: "refuse" | "quote" | "keep";
  /** Records of a batch from which on WebAssembly is worth its start, Infinity for never; KERNEL_WORTH when absent. The bytes are the same. */
  readonly kernelRecords?: number | undefined;
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

/**
 * Records in runs: those of a run follow one another and share every code, so that they differ in numbers only. What takes one
 * step per run instead of one per record is much faster where runs are long.
 */
export interface RunBatch {
  readonly records: number;
  /** [runs + 1] first record of each run, none empty, then the number of records. */
  readonly starts: Uint32Array;
  /** [columns] codes [runs] or numbers [records]. */
  readonly columns: readonly Column[];
}

const BUFFER_BYTES = 1 << 20;
/** Smaller batches are rendered before WebAssembly has started. */
const KERNEL_WORTH = 1 << 12;
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
  readonly #kernelRecords: number;
  /** 0, 1, 2, .. for batches whose every record is a run. */
  #single = new Uint32Array(0);
  /** Null where there is none. */
  #kernel: CsvRowKernel | null | undefined;

  /** @throws DataError `csv/formula` when a column's name would run as a formula. */
  constructor(columns: readonly ReleasedColumn[], dictionaries: ReleasedDictionaries, options: CsvOptions = {}) {
    checkColumns(columns, dictionaries);
    const delimiter = options.delimiter ?? ",";
    const formulas = options.formulas ?? "refuse";
    this.#columns = columns;
    this.#delimiter = delimiter.charCodeAt(0);
    this.#kernelRecords = options.kernelRecords ?? KERNEL_WORTH;
    this.header = encoder.encode(headerLine(columns, delimiter, formulas));
    this.#pieces = columns.map((column, c) => {
      const end = c === columns.length - 1 ? LF : this.#delimiter;
      const dictionary = dictionaries[c];
      return dictionary && preparePieces(column, dictionary, end, this.#delimiter, formulas, columns.length === 1);
    });
    let longest = 8; // copies go by two words and may touch seven bytes beyond a row
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
    for (const c of this.#columns.keys()) this.#checkColumn(c, batch.columns[c]!, batch.records);
  }

  /** As `check`, for records in runs. Time O(runs x columns of codes + records x columns of numbers). */
  checkRuns(batch: RunBatch): void {
    for (const c of this.#columns.keys()) {
      const column = batch.columns[c]!;
      if (column.kind === "numbers") this.#checkColumn(c, column, batch.records);
      else {
        try {
          this.#checkColumn(c, column, batch.starts.length - 1);
        } catch {
          // A refusal tells how many records there are, so they are counted one by one.
          this.#checkColumn(c, { ...column, codes: codesOfRecords(column.codes, batch) }, batch.records);
        }
      }
    }
  }

  #checkColumn(c: number, data: Column, records: number): void {
    const column = this.#columns[c]!;
    const pieces = this.#pieces[c];
    if (data.kind === "numbers") {
      refuseUnwritableNumbers(column, data.values, records);
    } else if (pieces) {
      refuseCodesOutside(column, data.codes, records, pieces.lengths.length - 1);
      refuseMisfits(column, data.codes, records, pieces.misfits);
      if (pieces.formulas) {
        const marked = countMarked(data.codes, records, pieces.formulas);
        if (marked > 0) throw formulaError(column.name, marked);
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
    if (this.#single.length <= batch.records) this.#single = Uint32Array.from({ length: batch.records + 1 }, (_, i) => i);
    return this.renderRuns({ ...batch, starts: this.#single.subarray(0, batch.records + 1) }, out, at, from);
  }

  /** As `render`, for records in runs. */
  renderRuns(batch: RunBatch, out: Uint8Array, at: number, from = 0): number {
    const kernel = batch.records < this.#kernelRecords ? undefined : this.#startedKernel();
    if (kernel === undefined) return this.#renderPlainly(batch, out, at, from, batch.records);
    const limit = out.length - this.maxRowBytes;
    let row = from;
    while (row < batch.records && at <= limit) {
      const slice = loadSlice(kernel, batch, row);
      for (let done = 0, run = 0; done < slice && at <= limit; run = kernel.state[1]!) {
        const room = Math.min(out.length - at, kernel.out.length) - this.maxRowBytes;
        const bytes = kernel.render(done, slice, run, room);
        out.set(kernel.out.subarray(0, bytes), at);
        at += bytes;
        row += kernel.state[0]! - done;
        done = kernel.state[0]!;
        if (bytes > room || done === slice) continue;
        // A number that is out of the ordinary.
        at = this.#renderPlainly(batch, out, at, row, row + 1);
        row = this.next;
        if (++done === kernel.starts[kernel.state[1]! + 1]!) kernel.state[1]!++;
      }
    }
    this.next = row;
    return at;
  }

  #startedKernel(): CsvRowKernel | undefined {
    const last = this.#columns.length - 1;
    // In a column that stands alone null is no empty field.
    if (this.#kernel !== undefined || last === 0) return this.#kernel ?? undefined;
    const columns = this.#pieces.map((pieces, c): CsvKernelColumn =>
      pieces === undefined ? { kind: "numbers", end: c === last ? LF : this.#delimiter } : { kind: "codes", ...pieces });
    this.#kernel = csvRowKernel(columns, this.maxRowBytes) ?? null;
    return this.#kernel ?? undefined;
  }

  #renderPlainly(batch: RunBatch, out: Uint8Array, at: number, from: number, records: number): number {
    const { starts } = batch;
    const columns = batch.columns.length;
    const limit = out.length - this.maxRowBytes;
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    const codesOf: (Int32Array | undefined)[] = [];
    const numbersOf: (Float64Array | undefined)[] = [];
    for (const column of batch.columns) {
      codesOf.push(column.kind === "codes" ? column.codes : undefined);
      numbersOf.push(column.kind === "numbers" ? column.values : undefined);
    }

    // Leading fields that a row shares with the one before are copied from there at one go: all of them within a run, and
    // often most of them at its beginning, since records are sorted.
    let leading = 0;
    while (leading < columns && codesOf[leading] !== undefined) leading++;
    const ends = new Int32Array(columns + 1); // [fields] bytes of a row up to there
    let before = -1;
    let row = from;
    for (let run = runOf(starts, from); row < records && at <= limit; run++) {
      const end = Math.min(records, starts[run + 1]!);
      let same = 0;
      if (before >= 0) while (same < leading && codesOf[same]![run] === codesOf[same]![run - 1]) same++;
      for (; row < end && at <= limit; row++, same = leading) {
        const start = at;
        const bytes = ends[same]!;
        for (let i = 0; i < bytes; i += 8) {
          view.setInt32(at + i, view.getInt32(before + i, true), true);
          view.setInt32(at + i + 4, view.getInt32(before + i + 4, true), true);
        }
        at += bytes;
        before = start;
        for (let c = same; c < leading; c++) {
          at = this.#piece(c, codesOf[c]![run]!, view, at);
          ends[c + 1] = at - start;
        }
        for (let c = leading; c < columns; c++) {
          const codes = codesOf[c];
          at = codes === undefined ? this.#number(numbersOf[c]![row]!, c, out, at) : this.#piece(c, codes[run]!, view, at);
        }
      }
    }
    this.next = row;
    return at;
  }

  #piece(c: number, code: number, view: DataView, at: number): number {
    const { words, starts, lengths } = this.#pieces[c]!;
    const length = lengths[code + 1]!;
    let word = starts[code + 1]!;
    for (let i = 0; i < length; i += 4) view.setInt32(at + i, words[word++]!, true);
    return at + length;
  }

  #number(value: number, c: number, out: Uint8Array, start: number): number {
    const last = this.#columns.length - 1;
    let at = start;
    if (value === value) at = this.#numbers.render(value, out, at);
    else if (last === 0) {
      out[at++] = QUOTE;
      out[at++] = QUOTE;
    }
    out[at++] = c === last ? LF : this.#delimiter;
    return at;
  }
}

/** Give the kernel the records from `row` on, as many as it has room for. @returns how many */
function loadSlice(kernel: CsvRowKernel, { records, starts, columns }: RunBatch, row: number): number {
  const end = Math.min(records, row + KERNEL_RECORDS);
  const first = runOf(starts, row);
  let run = first;
  for (; starts[run]! < end; run++) kernel.starts[run - first] = Math.max(0, starts[run]! - row);
  kernel.starts[run - first] = end - row;
  columns.forEach((column, c) => {
    kernel.columns[c]!.set(column.kind === "codes" ? column.codes.subarray(first, run) : column.values.subarray(row, end));
  });
  return end - row;
}

/** Run that a record lies in. Time O(log runs). */
function runOf(starts: Uint32Array, record: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! <= record) low = middle;
    else high = middle;
  }
  return low;
}

/** [records] code of each record from those of its runs. */
export function codesOfRecords(codes: Int32Array, { records, starts }: RunBatch): Int32Array {
  const each = new Int32Array(records);
  for (let run = 0; run + 1 < starts.length; run++) each.fill(codes[run]!, starts[run], starts[run + 1]);
  return each;
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
