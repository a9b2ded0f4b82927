import { DataError } from "../../errors/index.ts";
import { runKernel, type RunKernel } from "./run-kernel.ts";

/**
 * Re-reads a released CSV file and recounts its classes. Shares no code with the reader of sources, the folder of cells or
 * the writer, so that a defect there cannot hide itself here.
 */
export interface ReleasedCsvCount {
  readonly header: readonly string[];
  readonly records: number;
  /** Records per class over the key fields, in order of first sight. */
  readonly classSizes: Float64Array;
}

const LF = 0x0a;
const COMMA = 0x2c;
const QUOTE = 0x22;

/**
 * @param chunks  bytes of the file
 * @param keys    names of the key fields
 * @param kernelBytes bytes after which WebAssembly is worth its start, Infinity for never; the result is the same
 * Fields are compared as written, quotes included: the writer has one way to write a value. Records of one class usually
 * stand together, so a record is first compared with the one before; only changes of class touch the table of classes.
 * Time O(bytes), memory O(classes).
 * @throws DataError `verify/...` with the line number when the file is not the CSV that a release writes.
 */
export async function countReleasedCsv(
  chunks: AsyncIterable<Uint8Array>, keys: readonly string[], kernelBytes?: number,
): Promise<ReleasedCsvCount> {
  const counter = new ReleasedCsvCounter(keys, kernelBytes);
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const room = counter.room();
      const part = chunk.subarray(at, at + room.length);
      room.set(part);
      counter.took(part.length);
      at += part.length;
    }
  }
  return counter.end();
}

/**
 * The same, for a thread of its own.
 * @param read fills the buffer from where the last call ended and returns the number of bytes, 0 at the end; as fs.readSync
 */
export function countReleasedCsvInThread(
  read: (into: Uint8Array) => number, keys: readonly string[], kernelBytes?: number,
): ReleasedCsvCount {
  const counter = new ReleasedCsvCounter(keys, kernelBytes);
  for (let bytes = read(counter.room()); bytes > 0; bytes = read(counter.room())) counter.took(bytes);
  return counter.end();
}

const BUFFER_BYTES = 1 << 18;
/** Smaller files are counted before WebAssembly has started. */
const KERNEL_BYTES = 1 << 20;

class ReleasedCsvCounter {
  readonly #keys: readonly string[];
  #header: string[] | undefined;
  #isKey = new Uint8Array(0);
  /** Bytes not yet counted, from the start, and room for more. */
  #buffer = new Uint8Array(BUFFER_BYTES);
  #held = 0;
  #line = 0;
  #records = 0;
  // Key fields of the current run, one after the other, each ended by a line feed, which no unquoted field holds.
  #run = new Uint8Array(1024);
  #runLength = -1;
  #runRecords = 0;
  #next = new Uint8Array(1024);
  #runBytes = new Uint8Array(1024);
  #runView = new DataView(this.#runBytes.buffer);
  readonly #counted = new Int32Array(1);
  /** Bytes to count until the kernel is started; then Infinity. */
  #kernelAfter: number;
  #kernel: RunKernel | undefined;
  #runBytesLength = 0;
  /** Number of keys when they are exactly the leading columns, else 0. */
  #leadingKeys = 0;
  readonly #classes = new Map<string, number>();
  readonly #latin1 = new TextDecoder("latin1");

  constructor(keys: readonly string[], kernelBytes = KERNEL_BYTES) {
    this.#keys = keys;
    this.#kernelAfter = kernelBytes;
  }

  /** Where the next bytes of the file are to be put. Never empty. */
  room(): Uint8Array {
    if (this.#held === this.#buffer.length) {
      const grown = new Uint8Array(this.#buffer.length * 2);
      grown.set(this.#buffer);
      this.#buffer = grown;
    }
    return this.#buffer.subarray(this.#held);
  }

  /** So many bytes were put there. */
  took(added: number): void {
    const length = this.#held + added;
    this.#kernelAfter -= added;
    if (this.#kernelAfter <= 0) this.#startKernel(length);
    const bytes = this.#buffer.subarray(0, length);
    let at = 0;
    if (this.#header === undefined) {
      const end = lineEnd(bytes, 0);
      this.#held = length;
      if (end < 0) return;
      this.#readHeader(bytes.subarray(0, end));
      at = end + 1;
    }
    at = this.#rows(bytes, at);
    this.#buffer.copyWithin(0, at, length);
    this.#held = length - at;
  }

  /** Move what is held into the memory of a kernel, if there can be one and no row was too long for it. */
  #startKernel(length: number): void {
    this.#kernelAfter = Infinity;
    if (this.#buffer.length > BUFFER_BYTES) return;
    const kernel = runKernel(BUFFER_BYTES);
    if (kernel === undefined) return;
    kernel.bytes.set(this.#buffer.subarray(0, length));
    if (this.#runBytesLength <= kernel.run.length) kernel.run.set(this.#runBytes.subarray(0, this.#runBytesLength));
    this.#buffer = kernel.bytes;
    this.#kernel = kernel;
  }

  end(): ReleasedCsvCount {
    if (this.#header === undefined) throw bad("verify/no-header", "The released CSV file has no header line.", 1);
    if (this.#held > 0) throw bad("verify/cut-line", "The released CSV file ends within a line.", this.#line + 2);
    this.#closeRun();
    return { header: this.#header, records: this.#records, classSizes: Float64Array.from(this.#classes.values()) };
  }

  #readHeader(line: Uint8Array): void {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(line);
    const fields = [...text.matchAll(/(?:^|,)("(?:[^"]|"")*"|[^",]*)/g)].map(([, field]) =>
      field!.startsWith('"') ? field!.slice(1, -1).replaceAll('""', '"') : field!,
    );
    this.#header = fields;
    this.#isKey = Uint8Array.from(fields, (name) => (this.#keys.includes(name) ? 1 : 0));
    const keys = this.#isKey.reduce((sum, is) => sum + is, 0);
    this.#leadingKeys = this.#isKey.subarray(0, keys).every((is) => is === 1) ? keys : 0;
    if (this.#keys.some((key) => !fields.includes(key))) {
      throw bad("verify/missing-key", "The released CSV file lacks a key column that the plan names.", 1);
    }
  }

  /**
   * Count whole rows; returns where the first unfinished one begins. Where the keys are the leading columns, rows that begin
   * with the bytes of the run before them belong to that run, and only their other fields are looked at.
   */
  #rows(bytes: Uint8Array, start: number): number {
    const fields = this.#isKey.length;
    const leading = this.#leadingKeys;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = start;
    while (at < bytes.length) {
      if (leading > 0 && leading < fields && this.#runLength >= 0) {
        const before = at;
        const run = this.#runBytesLength;
        const kernel = this.#kernel?.bytes === this.#buffer && run <= this.#kernel.run.length ? this.#kernel : undefined;
        if (kernel === undefined) at = sameRunRows(bytes, view, at, this.#runBytes, this.#runView, run, fields - leading, this.#counted);
        else {
          at = kernel.sameRunRows(at, bytes.length, run, fields - leading);
          this.#counted[0] = kernel.state[0]!;
        }
        if (at > before) {
          this.#records += this.#counted[0]!;
          this.#line += this.#counted[0]!;
          this.#runRecords += this.#counted[0]!;
          continue;
        }
      }
      const next = this.#row(bytes, at);
      if (next < 0) return at;
      at = next;
    }
    return at;
  }

  /** One row, whatever it looks like; -1 when it goes on beyond the bytes. */
  #row(bytes: Uint8Array, rowStart: number): number {
    const isKey = this.#isKey;
    const fields = isKey.length;
    const length = bytes.length;
    let at = rowStart;
    let next = this.#next;
    let held = 0;
    for (let field = 0; field < fields; field++) {
      const from = at;
      const end = field === fields - 1 ? LF : COMMA;
      if (bytes[at] === QUOTE) {
        at++;
        for (;;) {
          while (at < length && bytes[at] !== QUOTE) at++;
          if (at + 1 >= length) return -1;
          if (bytes[at + 1] !== QUOTE) break;
          at += 2;
        }
        at++;
      } else {
        let byte = 0;
        while (at < length && (byte = bytes[at]!) !== COMMA && byte !== LF) {
          if (byte === QUOTE) throw bad("verify/stray-quote", "A quote stands inside a bare field.", this.#line + 2);
          at++;
        }
      }
      if (at >= length) return -1;
      if (bytes[at] !== end) throw bad("verify/ragged", `A line has not the ${fields} fields of the header.`, this.#line + 2);
      if (isKey[field] === 1) {
        const size = at - from;
        if (held + size + 1 > next.length) {
          const grown = new Uint8Array((held + size + 1) * 2);
          grown.set(next);
          this.#next = next = grown;
        }
        for (let i = from; i < at; i++) next[held++] = bytes[i]!;
        next[held++] = LF;
      }
      at++;
    }
    this.#records++;
    this.#line++;
    if (held === this.#runLength && this.#sameRun(next, held)) this.#runRecords++;
    else {
      this.#closeRun();
      if (this.#leadingKeys > 0) this.#rememberRun(bytes, rowStart, this.#leadingKeys);
      this.#next = this.#run;
      this.#run = next;
      this.#runLength = held;
      this.#runRecords = 1;
    }
    return at;
  }

  /** Bytes of the leading key fields with their commas, as the row has them. */
  #rememberRun(bytes: Uint8Array, rowStart: number, leading: number): void {
    let at = rowStart;
    for (let field = 0; field < leading; field++) {
      let quoted = false;
      while (quoted || (bytes[at] !== COMMA && bytes[at] !== LF)) if (bytes[at++] === QUOTE) quoted = !quoted;
      at++;
    }
    if (at - rowStart > this.#runBytes.length) {
      this.#runBytes = new Uint8Array((at - rowStart) * 2);
      this.#runView = new DataView(this.#runBytes.buffer);
    }
    this.#runBytes.set(bytes.subarray(rowStart, at));
    this.#runBytesLength = at - rowStart;
    if (this.#kernel !== undefined && this.#runBytesLength <= this.#kernel.run.length) this.#kernel.run.set(bytes.subarray(rowStart, at));
  }

  #sameRun(next: Uint8Array, length: number): boolean {
    const run = this.#run;
    for (let i = 0; i < length; i++) if (run[i] !== next[i]) return false;
    return true;
  }

  #closeRun(): void {
    if (this.#runLength < 0) return;
    const key = this.#latin1.decode(this.#run.subarray(0, this.#runLength));
    this.#classes.set(key, (this.#classes.get(key) ?? 0) + this.#runRecords);
    this.#runLength = -1;
    this.#runRecords = 0;
  }
}

/**
 * Rows from `at` that begin with the bytes of the run and whose other fields are bare, as many as follow one another.
 * @param others  fields after the keys
 * @param counted [1] out: how many rows
 * @returns where the first other row begins
 */
function sameRunRows(
  bytes: Uint8Array, view: DataView, start: number, run: Uint8Array, runView: DataView, runLength: number, others: number,
  counted: Int32Array,
): number {
  const length = bytes.length;
  const words = runLength & ~3;
  let at = start;
  let rows = 0;
  row: while (at + runLength < length) {
    let i = 0;
    while (i < words && view.getInt32(at + i, true) === runView.getInt32(i, true)) i += 4;
    if (i < words) break;
    while (i < runLength && bytes[at + i] === run[i]) i++;
    if (i < runLength) break;
    let end = at + runLength;
    let field = 1;
    for (;;) {
      // Comma, quote and line feed are less than SPECIALS, letters and digits are not. The top bit of the lowest such byte is
      // exact; higher ones may be wrong and are looked at again. Rows close to the end of the bytes are left to the plain loop.
      if (end + 4 > length) break row;
      const word = view.getInt32(end, true);
      const special = (word - SPECIALS) & ~word & HIGHS;
      if (special === 0) {
        end += 4;
        continue;
      }
      end += (31 - Math.clz32(special & -special)) >> 3;
      const byte = bytes[end]!;
      if (byte === LF) break;
      if (byte === COMMA) field++;
      else if (byte === QUOTE) break row;
      end++;
    }
    if (field !== others) break;
    rows++;
    at = end + 1;
  }
  counted[0] = rows;
  return at;
}

const SPECIALS = 0x2d2d2d2d;
const HIGHS = 0x80808080 | 0;

function lineEnd(bytes: Uint8Array, from: number): number {
  let inQuotes = false;
  for (let i = from; i < bytes.length; i++) {
    if (bytes[i] === QUOTE) inQuotes = !inQuotes;
    else if (bytes[i] === LF && !inQuotes) return i;
  }
  return -1;
}

function bad(code: string, message: string, line: number): DataError {
  return new DataError(code, `${message} Line ${line}. The file is not as it was released.`, { line });
}
