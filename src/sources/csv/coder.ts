import { type Batch, type Column, DictionaryBuilder } from "../../columns/index.ts";
import { InternalError } from "../../errors/index.ts";
import { isUtf8Prefix, validUtf8End } from "../../kernels/utf8.ts";
import { csvError, type CsvFault, MAX_FIELD_BYTES, MAX_ROW_BYTES } from "./errors.ts";
import { exactDecimal } from "./numbers.ts";
import { DEFERRED_FIELDS, RECORDS, rowKernel, type RowKernel, type RowKernelField } from "./row-kernel.ts";

/** Records of a full batch, but for very wide requests: a batch has at most 2^23 values. */
export const BATCH_RECORDS = 65_536;

export type CsvDelimiter = "," | ";" | "\t" | "|";

export interface CsvCoderColumn {
  /** Position in the row, from 0. */
  readonly index: number;
  /** For messages. */
  readonly name: string;
  readonly as: "codes" | "numbers";
  /** Texts that mean null in a column of numbers. */
  readonly nulls?: readonly string[] | undefined;
}

export interface CsvCoderOptions {
  readonly fieldCount: number;
  readonly delimiter?: CsvDelimiter | undefined;
  /** At most one of each kind per position. */
  readonly columns: readonly CsvCoderColumn[];
  /** One per column of codes, in the order of `columns`; made when absent. They may hold values already. */
  readonly dictionaries?: readonly DictionaryBuilder[] | undefined;
  /** Number of the first row, for messages; 2 when absent, since the header is row 1. */
  readonly firstRow?: number | undefined;
  /** Offset in the file of the first byte pushed, for messages. */
  readonly baseOffset?: number | undefined;
  /** Records of a full batch, at most BATCH_RECORDS, which it is when absent. */
  readonly batchRecords?: number | undefined;
  /** Bytes after which WebAssembly is worth its start, Infinity for never; KERNEL_BYTES when absent. Results are the same. */
  readonly kernelBytes?: number | undefined;
}

export interface CsvRange {
  /** Only records whose first byte lies before this many bytes from the first one pushed are read. */
  readonly limit: number;
  readonly baseOffset: number;
  /** 2 when absent; `addRecordsBefore` corrects the errors once the records before the range have been counted. */
  readonly firstRow?: number | undefined;
}

const LF = 10;
const CR = 13;
const QUOTE = 34;

// Four bytes at a time: (w - k * ONES) & ~w & HIGHS has the top bit of the lowest byte that is less than k (k <= 128).
const ONES = 0x01010101;
/** One above carriage return: every byte that could end an unquoted field, but the delimiter, is less. */
const CONTROLS = 0x0e0e0e0e;
const QUOTES = 0x22222222;
const HIGHS = 0x80808080 | 0;

const SKIP = -1;
/** Anything rarer than one column of codes or one of numbers with texts as nulls. */
const GENERAL = -2;
/** Column j of numbers is NUMBERS - j. */
const NUMBERS = -3;

const MAX_BATCH_VALUES = 2 ** 23;

// A cache of values up to eight bytes for each column of codes: slots of [first word, second word, code, unused]. Slots
// go in pairs: a value may be in either.
const SLOT_BITS = 12;
/** Columns of codes with caches of full size; beyond, each doubling halves them. */
const WELL_CACHED_COLUMNS = 64;
/** Second word of an empty slot: none has a first word of 0 and this one, as values hold no NUL. */
const EMPTY = 1;
// A cache of longer values, up to LONG_WORDS words: slots of [length, code, words], the last word padded with zeros.
const LONG_BITS = 8;
const LONG_WORDS = 14;
const LONG_STRIDE = 16;

/** Bytes taken from the input at once: small enough for a core's own cache. */
const SLICE_BYTES = 128 * 1024;
/** Bytes after the tail that a word may reach into. */
const PADDING = 32;
const BYTE_ROOM = SLICE_BYTES * 2 + PADDING;
/** Smaller pieces of a file are read before WebAssembly has started. */
const KERNEL_BYTES = 1 << 20;
/** Most rows that the plain loop codes before the kernel is tried again. */
const MOST_PLAIN_ROWS = 256;

const POWERS_OF_TEN = Float64Array.from({ length: 16 }, (_, k) => Number(`1e${k}`));
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * Records of a CSV file, after its header, to batches of dictionary codes and numbers. No string is made per value.
 *
 *     coder.push(bytes);  while ((batch = coder.read())) use(batch);  // ... again for each piece of the file
 *     coder.end();        while ((batch = coder.read())) use(batch);
 *
 * Batches have `batchRecords` records but for the last; their buffers are valid until the next `read`. However the file is
 * cut into pieces, batches, codes and errors are the same.
 *
 * Grammar: RFC 4180. Rows end in LF or CRLF; the last may end with the file. A field that begins with a quote ends with
 * the quote that is not doubled, and must end there. Elsewhere a quote is an ordinary character, as in 5'11". Blank
 * lines at the end of the file are ignored and elsewhere refused; where there is one column, each is an empty value.
 * Bytes must be UTF-8 without NUL. Fields that no column asks for are checked all the same.
 *
 * Time O(bytes), a few cycles a byte. Memory: 0.3 MB, 0.4 MB a column of codes, 0.5 MB a column of numbers (128 columns
 * at most; then no more in all), the dictionaries, and twice the longest row.
 */
export class CsvCoder {
  /** One per column of codes, in the order of the columns. */
  readonly dictionaries: readonly DictionaryBuilder[];
  readonly #fieldCount: number;
  readonly #delimiter: number;
  readonly #names: string[] = [];
  /** [fieldCount + 1] what to do with the field; one entry more for the fields beyond, which are only checked. */
  readonly #actions: Int32Array;
  /** [fieldCount + 1] column of codes and column of numbers that want the field, or -1. */
  readonly #codeColumn: Int32Array;
  readonly #numberColumn: Int32Array;
  readonly #nulls: Uint8Array[][] = [];
  /** [columns of codes x batchRecords] and [columns of numbers x batchRecords] the batch being filled. */
  #codes: Int32Array;
  #numbers: Float64Array;
  #columns: Column[] = [];
  readonly #requests: readonly CsvCoderColumn[];
  readonly #batchRecords: number;
  /** Base-2 logarithm of the slots of a column. */
  readonly #slotBits: number;
  readonly #longBits: number;
  #cache: Int32Array;
  #longCache: Int32Array;
  /** Bytes to push until the kernel is started; then Infinity. */
  #kernelAfter: number;
  #kernel: RowKernel | undefined;
  /** Rows that the plain loop codes when the kernel stops: more each time, while rows are out of the ordinary. */
  #plainRows = 1;

  /** Pushed and not yet taken. */
  #input: Uint8Array = new Uint8Array(0);
  #inputAt = 0;
  #ended = false;
  #failed = false;

  /** bytes[at..tail) are taken and not yet coded; [at..region) ends with a line feed, where the last row may end. */
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(BYTE_ROOM);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #region = 0;
  #tail = 0;
  /** bytes[..checked) are valid UTF-8. */
  #checked = 0;
  /** Position of bytes that are not UTF-8, reported once the rows before have been read; -1 for none. */
  #invalid = -1;
  /** The end of the file is at the tail; a line feed may have been added there, at this position. */
  #final = false;
  #addedLineFeed = -1;
  /** A row that did not end is tried again once this many bytes are there: the cost of long rows stays linear. */
  #retryBytes = 0;

  #records = 0;
  #recordsBefore = 0;
  #firstRow: number;
  /** Offset in the file of bytes[0]. */
  #offset: number;
  /** Position from which no record may begin. */
  #limit = Number.MAX_SAFE_INTEGER;
  #scratch = new Uint8Array(256);

  constructor(options: CsvCoderOptions) {
    const { fieldCount, columns } = options;
    this.#fieldCount = fieldCount;
    this.#delimiter = (options.delimiter ?? ",").charCodeAt(0);
    this.#firstRow = options.firstRow ?? 2;
    this.#offset = options.baseOffset ?? 0;
    this.#requests = columns;
    this.#kernelAfter = options.kernelBytes ?? KERNEL_BYTES;
    this.#actions = new Int32Array(fieldCount + 1).fill(SKIP);
    this.#codeColumn = new Int32Array(fieldCount + 1).fill(-1);
    this.#numberColumn = new Int32Array(fieldCount + 1).fill(-1);

    let codeColumns = 0;
    let numberColumns = 0;
    for (const column of columns) {
      const taken = column.as === "codes" ? this.#codeColumn : this.#numberColumn;
      if (!(column.index >= 0 && column.index < fieldCount) || taken[column.index] !== -1) {
        throw new InternalError("csv/column-request", `Field ${column.index} of ${fieldCount} is absent or asked for twice.`);
      }
      if (column.as === "codes") {
        taken[column.index] = codeColumns++;
      } else {
        taken[column.index] = numberColumns++;
        this.#names.push(column.name);
        this.#nulls.push((column.nulls ?? []).map((text) => encoder.encode(text)));
      }
    }
    for (let field = 0; field < fieldCount; field++) {
      const code = this.#codeColumn[field]!;
      const number = this.#numberColumn[field]!;
      if (code >= 0) this.#actions[field] = number >= 0 ? GENERAL : code;
      // A null text such as -9 must be looked for before a number is read.
      else if (number >= 0) this.#actions[field] = this.#nulls[number]!.some(hasDigit) ? GENERAL : NUMBERS - number;
    }

    this.dictionaries = options.dictionaries ?? Array.from({ length: codeColumns }, () => new DictionaryBuilder());
    if (this.dictionaries.length !== codeColumns) {
      const found = this.dictionaries.length;
      throw new InternalError("csv/column-request", `Got ${found} dictionaries for ${codeColumns} columns of codes.`);
    }
    const affordable = Math.floor(MAX_BATCH_VALUES / Math.max(1, columns.length));
    this.#batchRecords = Math.min(options.batchRecords ?? BATCH_RECORDS, BATCH_RECORDS, affordable);
    this.#codes = new Int32Array(codeColumns * this.#batchRecords);
    this.#numbers = new Float64Array(numberColumns * this.#batchRecords);
    const halvings = Math.ceil(Math.log2(Math.max(1, codeColumns / WELL_CACHED_COLUMNS)));
    this.#slotBits = Math.max(2, SLOT_BITS - halvings);
    this.#longBits = Math.max(1, LONG_BITS - halvings);
    this.#cache = new Int32Array(codeColumns << (this.#slotBits + 2));
    for (let slot = 0; slot < this.#cache.length; slot += 4) this.#cache[slot + 1] = EMPTY;
    this.#longCache = new Int32Array((codeColumns << this.#longBits) * LONG_STRIDE);
    this.#columns = this.#batchColumns();
  }

  /** Columns of a batch over the buffers at present. */
  #batchColumns(): Column[] {
    return this.#requests.map(({ as, index }): Column => {
      const isCode = as === "codes";
      const j = (isCode ? this.#codeColumn : this.#numberColumn)[index]!;
      const from = j * this.#batchRecords;
      const to = from + this.#batchRecords;
      return isCode
        ? { kind: "codes", codes: this.#codes.subarray(from, to), dictionary: this.dictionaries[j]! }
        : { kind: "numbers", values: this.#numbers.subarray(from, to) };
    });
  }

  /** Records read so far, of this range if one was begun. */
  get records(): number {
    return this.#recordsBefore + this.#records;
  }

  /** True when the range has been read whole: its last batch may still have to be fetched, but no more bytes are needed. */
  get done(): boolean {
    return this.#at >= this.#limit || (this.#final && this.#at === this.#tail);
  }

  /**
   * Begin anew somewhere else in the file (or another file of the same columns), keeping dictionaries and caches. The
   * first byte pushed then must begin a record; push on until `done`, past the limit if need be, or to the end of the
   * file and `end()`.
   */
  beginRange(range: CsvRange): void {
    this.#input = new Uint8Array(0);
    this.#inputAt = 0;
    this.#ended = false;
    this.#failed = false;
    this.#at = 0;
    this.#region = 0;
    this.#tail = 0;
    this.#checked = 0;
    this.#invalid = -1;
    this.#final = false;
    this.#addedLineFeed = -1;
    this.#retryBytes = 0;
    this.#records = 0;
    this.#recordsBefore = 0;
    this.#firstRow = range.firstRow ?? 2;
    this.#offset = range.baseOffset;
    this.#limit = range.limit;
  }

  /** The next piece of the file. It must stay as it is until `read` has given undefined. */
  push(bytes: Uint8Array): void {
    if (this.#inputAt < this.#input.length || this.#ended) {
      throw new InternalError("csv/push-too-early", "A piece was pushed before the last one was read, or after the end.");
    }
    this.#input = bytes;
    this.#inputAt = 0;
    this.#kernelAfter -= bytes.length;
    if (this.#kernelAfter <= 0) this.#startKernel();
  }

  /** Move bytes, caches and the batch into the memory of a kernel, if there can be one. */
  #startKernel(): void {
    this.#kernelAfter = Infinity;
    const kernel = rowKernel({
      fields: Array.from(this.#actions.subarray(0, this.#fieldCount), (action): RowKernelField => {
        if (action === SKIP) return { use: "skip" };
        if (action === GENERAL) return { use: "deferred" };
        return action >= 0 ? { use: "codes", column: action } : { use: "numbers", column: NUMBERS - action };
      }),
      delimiter: this.#delimiter,
      batchRecords: this.#batchRecords,
      codeColumns: this.dictionaries.length,
      numberColumns: this.#names.length,
      slotBits: this.#slotBits,
      longBits: this.#longBits,
      byteRoom: BYTE_ROOM,
    });
    if (kernel === undefined) return;
    this.#kernel = kernel;
    kernel.codes.set(this.#codes);
    kernel.numbers.set(this.#numbers);
    kernel.cache.set(this.#cache);
    kernel.longCache.set(this.#longCache);
    this.#codes = kernel.codes;
    this.#numbers = kernel.numbers;
    this.#cache = kernel.cache;
    this.#longCache = kernel.longCache;
    this.#columns = this.#batchColumns();
    if (this.#bytes.length === kernel.bytes.length) {
      kernel.bytes.set(this.#bytes);
      this.#useBytes(kernel.bytes);
    }
  }

  #useBytes(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** There are no more pieces. */
  end(): void {
    this.#ended = true;
  }

  /**
   * The next batch; undefined when more bytes are needed or, after `end`, when there is none.
   *
   * @throws DataError csv/ragged-row, blank-row, unterminated-quote, text-after-quote, lone-carriage-return, nul-byte,
   * invalid-utf8, field-too-long, row-too-long, not-a-number, inexact-number; see errors.ts. The coder is spent then.
   */
  read(): Batch | undefined {
    if (this.#failed) throw new InternalError("csv/read-after-error", "The coder was read again after an error.");
    // Taken back below: an exception of any kind leaves it set.
    this.#failed = true;
    const batch = this.#read();
    this.#failed = false;
    return batch;
  }

  #read(): Batch | undefined {
    if (this.#records === this.#batchRecords) {
      this.#recordsBefore += this.#batchRecords;
      this.#records = 0;
    }
    for (;;) {
      const waiting = this.#tail - this.#at;
      const isTimely = waiting >= this.#retryBytes || waiting > MAX_ROW_BYTES || this.#final || this.#invalid >= 0;
      if (this.#at < this.#region && isTimely) {
        this.#retryBytes = 0;
        this.#code();
        if (this.#records === this.#batchRecords) return { records: this.#batchRecords, columns: this.#columns };
      }
      if (this.done) break;
      if (this.#invalid >= 0) this.#fail("invalid-utf8", this.#invalid);
      if (this.#tail - this.#at > MAX_ROW_BYTES) this.#fail("row-too-long", this.#at);
      if (!this.#take()) break;
    }
    if (this.#records === 0 || !(this.done || this.#final)) return undefined;
    const records = this.#records;
    this.#recordsBefore += records;
    this.#records = 0;
    return { records, columns: this.#columns };
  }

  /** Take the next slice of the input, or the end of the file; false when there is nothing to take. */
  #take(): boolean {
    const available = this.#input.length - this.#inputAt;
    if (available === 0 && (!this.#ended || this.#final)) return false;

    // Keep what is not coded yet, and make room for as much again: rows longer than a slice stay linear.
    const kept = this.#tail - this.#at;
    const taken = Math.min(available, Math.max(SLICE_BYTES, kept));
    const from = this.#at;
    const needed = kept + taken + 1 + PADDING;
    const home = this.#kernel?.bytes;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, Math.ceil(this.#bytes.length * 1.5) + PADDING));
      grown.set(this.#bytes.subarray(from, this.#tail));
      this.#useBytes(grown);
    } else if (home !== undefined && this.#bytes !== home && needed <= home.length) {
      home.set(this.#bytes.subarray(from, this.#tail));
      this.#useBytes(home); // back from a row that was longer
    } else if (from > 0) {
      this.#bytes.copyWithin(0, from, this.#tail);
    }
    this.#offset += from;
    this.#limit -= from;
    this.#checked -= from;
    this.#region -= from;
    this.#at = 0;
    this.#tail = kept + taken;
    this.#bytes.set(this.#input.subarray(this.#inputAt, this.#inputAt + taken), kept);
    this.#inputAt += taken;

    if (home !== undefined && this.#bytes === home) this.#checked = this.#kernel!.asciiEnd(this.#checked, this.#tail);
    this.#checked = validUtf8End(this.#bytes, this.#view, this.#checked, this.#tail);
    const isLast = this.#ended && this.#inputAt === this.#input.length;
    if (this.#checked < this.#tail && (isLast || !isUtf8Prefix(this.#bytes, this.#checked, this.#tail))) {
      this.#invalid = this.#checked;
      this.#tail = this.#checked;
    } else if (isLast) {
      this.#final = true;
      if (this.#tail > 0 && this.#bytes[this.#tail - 1] !== LF) {
        this.#addedLineFeed = this.#tail;
        this.#bytes[this.#tail++] = LF;
        this.#checked = this.#tail;
      }
    }
    for (let i = this.#tail; i > kept || this.#final; i--) {
      if (i <= this.#region) break;
      if (this.#bytes[i - 1] === LF) {
        this.#region = i;
        break;
      }
    }
    this.#bytes[this.#tail] = QUOTE; // ends every search for a closing quote
    return true;
  }

  /** Code rows from `at` until the batch is full, the limit or the region is reached, or a row goes on past the region. */
  #code(): void {
    const kernel = this.#kernel;
    if (kernel === undefined || this.#bytes !== kernel.bytes) return this.#codePlainly(this.#batchRecords);
    const stopAt = Math.min(this.#region, this.#limit);
    for (;;) {
      const before = this.#records;
      const at = kernel.code(this.#at, before, stopAt, this.#addedLineFeed);
      const records = kernel.state[RECORDS]!;
      const deferred = kernel.state[DEFERRED_FIELDS]!;
      if (deferred > 0) this.#storeDeferred(kernel.deferred, deferred);
      this.#records = records;
      this.#at = at;
      if (at >= stopAt || records === this.#batchRecords) return;
      if (deferred > 0 && records > before) continue;

      // A row out of the ordinary: it and, where there are many, its successors are for the plain loop.
      this.#plainRows = records - before < this.#plainRows ? Math.min(this.#plainRows * 2, MOST_PLAIN_ROWS) : 1;
      const wanted = Math.min(records + this.#plainRows, this.#batchRecords);
      this.#codePlainly(wanted);
      if (this.#records < wanted || wanted === this.#batchRecords || this.#at >= stopAt) return;
    }
  }

  /** Look up what the kernel did not find in a cache, in the order of the rows. */
  #storeDeferred(list: Int32Array, fields: number): void {
    for (let i = 0, entry = 0; i < fields; i++, entry += 5) {
      this.#records = list[entry]!;
      this.#at = list[entry + 4]!; // errors tell the place
      this.#store(list[entry + 1]!, this.#bytes, list[entry + 2]!, list[entry + 3]!);
    }
  }

  /** As `#code`, until the batch has so many records. */
  #codePlainly(wantedRecords: number): void {
    const bytes = this.#bytes;
    const view = this.#view;
    const actions = this.#actions;
    const cache = this.#cache;
    const codes = this.#codes;
    const numbers = this.#numbers;
    const batchRecords = this.#batchRecords | 0;
    const wanted = wantedRecords | 0;
    const slotBits = this.#slotBits | 0;
    const delimiter = this.#delimiter | 0;
    const delimiters = Math.imul(delimiter, ONES);
    const lastField = (this.#fieldCount - 1) | 0;
    const addedLineFeed = this.#addedLineFeed | 0;
    /** A quote from here on cannot close a field of a row that ends in the region. */
    const lastQuote = (this.#region - 1) | 0;
    const stopAt = Math.min(this.#region, this.#limit) | 0;
    let p = this.#at | 0;
    let record = this.#records | 0;

    while (p < stopAt && record < wanted) {
      let field = 0;
      for (;;) {
        const action = actions[field]!;
        const start = p;
        let word = view.getInt32(p, true);
        // A value in quotes ends at the next quote, another one at a delimiter or a control character. Whether it does so
        // indeed is asked below, once for all; what is out of the ordinary goes to the slower methods.
        const isQuoted = (word & 0xff) === QUOTE;
        let ends = delimiters;
        let controls = CONTROLS;
        if (isQuoted) {
          p++;
          word = view.getInt32(p, true);
          ends = QUOTES;
          controls = ONES;
        }
        const from = p;
        let isPlain = true;
        let low = word;
        let high = 0;
        let value = 0;

        if (action >= SKIP) {
          let other = word ^ ends;
          let hits = (((other - ONES) & ~other) | ((word - controls) & ~word)) & HIGHS;
          if (hits !== 0) {
            const bit = hits & -hits;
            low = word & ((bit >>> 7) - 1);
            p += (31 - Math.clz32(bit)) >> 3;
          } else {
            word = view.getInt32(p + 4, true);
            other = word ^ ends;
            hits = (((other - ONES) & ~other) | ((word - controls) & ~word)) & HIGHS;
            if (hits !== 0) {
              const bit = hits & -hits;
              high = word & ((bit >>> 7) - 1);
              p += 4 + ((31 - Math.clz32(bit)) >> 3);
            } else {
              high = word;
              p += 4;
              do {
                p += 4;
                word = view.getInt32(p, true);
                other = word ^ ends;
                hits = (((other - ONES) & ~other) | ((word - controls) & ~word)) & HIGHS;
              } while (hits === 0);
              p += (31 - Math.clz32(hits & -hits)) >> 3;
            }
          }
        } else if (action <= NUMBERS) {
          const isNegative = bytes[p] === 0x2d;
          if (isNegative) p++;
          const digitsFrom = p;
          let whole = 0;
          let digit = bytes[p]! - 48;
          while (digit >= 0 && digit <= 9) {
            whole = (Math.imul(whole, 10) + digit) | 0;
            digit = bytes[++p]! - 48;
          }
          let decimals = 0;
          let digits = p - digitsFrom;
          if (digit === 46 - 48) {
            const point = p;
            digit = bytes[++p]! - 48;
            while (digit >= 0 && digit <= 9) {
              whole = (Math.imul(whole, 10) + digit) | 0;
              digit = bytes[++p]! - 48;
            }
            decimals = p - point - 1;
            digits += decimals;
          }
          // Nine digits fit the 32-bit sum; an integer and a power of ten that are exact divide to the nearest double.
          isPlain = digits > 0 && digits <= 9;
          if (isPlain) {
            value = decimals === 0 ? whole : whole / POWERS_OF_TEN[decimals]!;
            if (isNegative) value = 0 - value;
          }
        } else {
          isPlain = false;
        }

        let after = p;
        let stop = bytes[p]!;
        if (isQuoted) {
          if (stop !== QUOTE || p >= lastQuote) isPlain = false;
          after = p + 1;
          stop = bytes[after]!;
        }
        const isEnd =
          stop === delimiter || stop === LF || (stop === CR && bytes[after + 1] === LF && after + 1 !== addedLineFeed);
        if (!isPlain || !isEnd) {
          this.#records = record;
          p = (isQuoted ? this.#quoted(field, start) : this.#unquoted(field, start)) | 0;
          if (p < 0) return; // `at` is still the row's start
          stop = bytes[p]!;
        } else {
          if (p - from > MAX_FIELD_BYTES) {
            this.#records = record;
            this.#fail("field-too-long", start);
          }
          if (action >= 0) {
            if (p - from > 8) {
              codes[Math.imul(action, batchRecords) + record] = this.#longCode(action, from, p);
            } else {
              const hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
              const slot = ((action << slotBits) + (hash >>> (32 - slotBits))) << 2;
              const neighbour = slot ^ 4;
              codes[Math.imul(action, batchRecords) + record] =
                cache[slot] === low && cache[slot + 1] === high
                  ? cache[slot + 2]!
                  : cache[neighbour] === low && cache[neighbour + 1] === high
                    ? cache[neighbour + 2]!
                    : this.#newCode(action, from, p, slot, low, high);
            }
          } else if (action <= NUMBERS) {
            numbers[Math.imul(NUMBERS - action, batchRecords) + record] = value;
          }
          p = after;
        }

        // The field is coded and `stop` at p ends it: a delimiter, LF or CRLF.
        if (stop === delimiter) {
          p++;
          if (field === lastField) {
            this.#records = record;
            this.#refuseLongRow(p);
            return;
          }
          field++;
        } else {
          p += stop === CR ? 2 : 1;
          break;
        }
      }

      if (field !== lastField) {
        this.#records = record;
        p = this.#shortRow(field + 1, p) | 0;
        if (p < 0) return;
        this.#at = p;
        continue; // blank lines to the end of the file
      }
      if (p - this.#at > MAX_ROW_BYTES) {
        this.#records = record;
        this.#fail("row-too-long", this.#at);
      }
      this.#at = p;
      record++;
    }
    this.#records = record;
  }

  /**
   * Code an unquoted field byte by byte.
   * @returns position of the delimiter, LF or CRLF that ends it
   */
  #unquoted(field: number, start: number): number {
    const bytes = this.#bytes;
    const delimiter = this.#delimiter | 0;
    let p = start;
    for (; ; p++) {
      const byte = bytes[p]!;
      if (byte === delimiter || byte === LF) break;
      if (byte > CR) continue;
      if (byte === CR) {
        if (bytes[p + 1] === LF && p + 1 !== this.#addedLineFeed) break;
        this.#fail("lone-carriage-return", p);
      }
      if (byte === 0) this.#fail("nul-byte", p);
    }
    if (p - start > MAX_FIELD_BYTES) this.#fail("field-too-long", start);
    this.#store(field, bytes, start, p);
    return p;
  }

  /**
   * Code a field that begins with a quote.
   * @returns position of the delimiter, LF or CRLF that ends it; -1 when that is not in the region yet
   */
  #quoted(field: number, start: number): number {
    const bytes = this.#bytes;
    const view = this.#view;
    let doubled = 0;
    let p = start + 1;
    for (;;) {
      const word = view.getInt32(p, true);
      const quote = word ^ QUOTES;
      const hits = (((quote - ONES) & ~quote) | ((word - ONES) & ~word)) & HIGHS;
      if (hits === 0) {
        p += 4;
        continue;
      }
      p += (31 - Math.clz32(hits & -hits)) >> 3;
      if (p < this.#region - 1) {
        if (bytes[p] === 0) this.#fail("nul-byte", p);
        if (bytes[p + 1] !== QUOTE) break;
        doubled++;
        p += 2;
      } else {
        if (p - start - 1 - doubled > MAX_FIELD_BYTES) this.#fail("field-too-long", start);
        if (this.#final) this.#fail("unterminated-quote", start);
        this.#retryBytes = (this.#tail - this.#at) * 2;
        return -1;
      }
    }
    if (p - start - 1 - doubled > MAX_FIELD_BYTES) this.#fail("field-too-long", start);
    const after = bytes[p + 1]!;
    if (after !== this.#delimiter && after !== LF) {
      if (after !== CR) this.#fail("text-after-quote", p + 1);
      if (bytes[p + 2] !== LF || p + 2 === this.#addedLineFeed) this.#fail("lone-carriage-return", p + 1);
    }
    if (doubled === 0) this.#store(field, bytes, start + 1, p);
    else if (this.#actions[field] !== SKIP) {
      const length = this.#withoutDoubling(start + 1, p); // may put a larger scratch buffer in place
      this.#store(field, this.#scratch, 0, length);
    }
    return p + 1;
  }

  /** Copy bytes[start..end) to the scratch buffer with each doubled quote once; returns the length. */
  #withoutDoubling(start: number, end: number): number {
    const bytes = this.#bytes;
    if (this.#scratch.length < end - start) this.#scratch = new Uint8Array((end - start) * 2);
    const scratch = this.#scratch;
    let length = 0;
    for (let p = start; p < end; p++) {
      scratch[length++] = bytes[p]!;
      if (bytes[p] === QUOTE) p++;
    }
    return length;
  }

  /** Code the value source[start..end) of a field, as every column that wants it. */
  #store(field: number, source: Uint8Array, start: number, end: number): void {
    const codeColumn = this.#codeColumn[field]!;
    if (codeColumn >= 0) {
      this.#codes[codeColumn * this.#batchRecords + this.#records] = this.#generalCode(codeColumn, source, start, end);
    }
    const numberColumn = this.#numberColumn[field]!;
    if (numberColumn >= 0) {
      this.#numbers[numberColumn * this.#batchRecords + this.#records] = this.#number(numberColumn, source, start, end);
    }
  }

  #generalCode(column: number, source: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (source !== this.#bytes) return this.dictionaries[column]!.add(source, start, end);
    if (length > 8) return this.#longCode(column, start, end);
    const first = this.#view.getInt32(start, true);
    const second = this.#view.getInt32(start + 4, true);
    const low = length < 4 ? first & ((1 << (length << 3)) - 1) : first;
    const high = length <= 4 ? 0 : length === 8 ? second : second & ((1 << ((length - 4) << 3)) - 1);
    const hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
    const slot = ((column << this.#slotBits) + (hash >>> (32 - this.#slotBits))) << 2;
    if (this.#cache[slot] === low && this.#cache[slot + 1] === high) return this.#cache[slot + 2]!;
    return this.#newCode(column, start, end, slot, low, high);
  }

  /** Code of a value of up to eight bytes that is not in the cache; now it is. */
  #newCode(column: number, start: number, end: number, slot: number, low: number, high: number): number {
    const cache = this.#cache;
    const neighbour = slot ^ 4;
    cache[neighbour] = cache[slot]!;
    cache[neighbour + 1] = cache[slot + 1]!;
    cache[neighbour + 2] = cache[slot + 2]!;
    const code = this.dictionaries[column]!.add(this.#bytes, start, end);
    cache[slot] = low;
    cache[slot + 1] = high;
    cache[slot + 2] = code;
    return code;
  }

  /** Code of a value of more than eight bytes. */
  #longCode(column: number, start: number, end: number): number {
    const length = end - start;
    if (length > LONG_WORDS * 4) return this.dictionaries[column]!.add(this.#bytes, start, end);
    const cache = this.#longCache;
    const view = this.#view;
    const lastWord = end - 4;
    const ends = Math.imul(view.getInt32(start, true), 0x9e3779b1) ^ view.getInt32(lastWord, true) ^ length;
    const middle = Math.imul(view.getInt32(start + 4, true), 0x85ebca6b) ^ view.getInt32(start + (length >> 1), true);
    const hash = Math.imul(ends ^ (ends >>> 15) ^ Math.imul(middle, 0x2c1b3c6d), 0x297a2d39);
    const slot = ((column << this.#longBits) + (hash >>> (32 - this.#longBits))) * LONG_STRIDE;
    const last = end - (length & 3);
    const rest = (length & 3) === 0 ? 0 : view.getInt32(last, true) & ((1 << ((length & 3) << 3)) - 1);
    if (cache[slot] === length) {
      let q = slot + 2;
      let p = start;
      while (p < last && view.getInt32(p, true) === cache[q]) {
        p += 4;
        q++;
      }
      if (p === last && ((length & 3) === 0 || cache[q] === rest)) return cache[slot + 1]!;
    }
    const code = this.dictionaries[column]!.add(this.#bytes, start, end);
    let q = slot + 2;
    for (let p = start; p < last; p += 4) cache[q++] = view.getInt32(p, true);
    if ((length & 3) !== 0) cache[q] = rest;
    cache[slot] = length;
    cache[slot + 1] = code;
    return code;
  }

  /** Any number: null texts first, then a decimal. */
  #number(column: number, source: Uint8Array, start: number, end: number): number {
    for (const text of this.#nulls[column]!) if (equals(text, source, start, end)) return Number.NaN;

    // Up to fifteen digits with at most fifteen decimals: both are exact, so the quotient is the nearest double.
    const digitsFrom = source[start] === 0x2d ? start + 1 : start;
    let whole = 0;
    let digits = 0;
    let pointAt = -1;
    let p = digitsFrom;
    for (; p < end; p++) {
      const digit = source[p]! - 48;
      if (digit >= 0 && digit <= 9) {
        whole = whole * 10 + digit;
        digits++;
      } else if (digit === 46 - 48 && pointAt < 0) {
        pointAt = p;
      } else {
        break;
      }
    }
    if (p === end && digits > 0 && digits <= 15) {
      const value = pointAt < 0 ? whole : whole / POWERS_OF_TEN[end - pointAt - 1]!;
      return digitsFrom === start ? value : 0 - value;
    }

    const name = this.#names[column]!;
    const place = { row: this.#row, column: name, offset: this.#offset + this.#at };
    if (end - start > 4096) throw csvError("not-a-number", place);
    const value = exactDecimal(decoder.decode(source.subarray(start, end)));
    if (typeof value === "string") throw csvError(value, place);
    return value;
  }

  /** Refuse a row with more fields, from `from` on, than the header; returns when its end is not in the region yet. */
  #refuseLongRow(from: number): void {
    const bytes = this.#bytes;
    let found = this.#fieldCount;
    let p = from;
    for (;;) {
      found++;
      p = bytes[p] === QUOTE ? this.#quoted(this.#fieldCount, p) : this.#unquoted(this.#fieldCount, p);
      if (p < 0) return;
      if (bytes[p] !== this.#delimiter) break;
      p++;
    }
    throw csvError("ragged-row", { row: this.#row, expected: this.#fieldCount, found, offset: this.#offset + this.#at });
  }

  /**
   * A row with too few fields, which ended before `next`. Only blank lines up to the end of the file are let pass.
   * @returns the position after them; -1 when the end of the file is not in sight yet
   */
  #shortRow(found: number, next: number): number {
    const bytes = this.#bytes;
    const place = { row: this.#row, expected: this.#fieldCount, found, offset: this.#offset + this.#at };
    if (bytes[this.#at] !== LF && bytes[this.#at] !== CR) throw csvError("ragged-row", place);
    // No further than the bytes known to be UTF-8: what comes after may yet turn out to be another fault.
    const end = this.#checked;
    let p = next;
    while (p < end && (bytes[p] === LF || (bytes[p] === CR && p + 1 < end && bytes[p + 1] === LF))) {
      if (bytes[p] === CR && p + 1 === this.#addedLineFeed) this.#fail("lone-carriage-return", p);
      p += bytes[p] === CR ? 2 : 1;
    }
    if (this.#final && p === end) return p;
    if (p === end || (bytes[p] === CR && p + 1 === end)) {
      this.#retryBytes = (this.#tail - this.#at) * 2;
      return -1;
    }
    throw csvError("blank-row", place);
  }

  /** Number of the row that begins at `at`. */
  get #row(): number {
    return this.#firstRow + this.#recordsBefore + this.#records;
  }

  #fail(fault: CsvFault, position: number): never {
    throw csvError(fault, { row: this.#row, offset: this.#offset + position });
  }
}

function hasDigit(text: Uint8Array): boolean {
  return text.some((byte) => byte >= 48 && byte <= 57);
}

function equals(text: Uint8Array, source: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) if (text[i] !== source[start + i]) return false;
  return true;
}
