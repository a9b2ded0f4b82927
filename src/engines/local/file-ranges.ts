import type { Batch } from "../../columns/index.ts";
import { searchableBytes } from "../../kernels/byte-search.ts";
import { CsvCoder, firstRecordStart, QUOTE, quoteStateAfter, RECORD_START, type CsvDelimiter, type QuoteState } from "../../sources/csv/index.ts";
import type { ColumnRequest } from "../../sources/source.ts";

/** One uncompressed CSV file that several lanes read at once; plain data, so that it can be sent to a thread. */
export interface CsvFileRanges {
  readonly path: string;
  readonly bytes: number;
  /** Offset of the first record. */
  readonly dataStart: number;
  readonly delimiter: CsvDelimiter;
  readonly names: readonly string[];
}

/** Counters that the lanes of one reading share. */
export interface SharedReading {
  /** [0] next range to read, [1] set when a lane failed, then [ranges + 1] state in which each range begins plus one, 0 = not known yet. */
  readonly control: Int32Array;
  /** [ranges x 32] SHA-256 of each range. */
  readonly digests: Uint8Array;
}

const NEXT = 0;
const FAILED = 1;
const STATES = 2;
/** Room to finish the last record of a range. */
const TAIL_BYTES = 64 * 1024;

export function sharedReading(file: CsvFileRanges, rangeBytes: number): { control: SharedArrayBuffer; digests: SharedArrayBuffer } {
  const ranges = Math.ceil(file.bytes / rangeBytes);
  const control = new SharedArrayBuffer((STATES + ranges + 1) * 4);
  new Int32Array(control)[STATES] = RECORD_START + 1;
  return { control, digests: new SharedArrayBuffer(ranges * 32) };
}

/** Wake lanes that wait for a range another lane will never finish. */
export function abandonReading(control: Int32Array): void {
  Atomics.store(control, FAILED, 1);
  for (let i = STATES; i < control.length; i++) Atomics.notify(control, i);
}

/** Bytes read so far by all lanes, for progress. */
export function rangesStarted(control: Int32Array): number {
  return Atomics.load(control, NEXT);
}

/**
 * Read ranges until none is left, giving batches of whole records. Exact for quoted line breaks: ranges are passed in order
 * by a loop over quotes, which tells in which state of the grammar each range begins.
 *
 * @param read   fills the buffer from a position of the file and returns the number of bytes, as fs.readSync
 * @param digest SHA-256 of a range
 * @param afterRange waited for between ranges
 * @throws DataError for malformed content; its row number is relative to the range, so the caller reads again in order.
 */
export async function readRanges(
  file: CsvFileRanges, shared: SharedReading, rangeBytes: number, columns: readonly ColumnRequest[],
  read: (into: Uint8Array, position: number) => number, digest: (bytes: Uint8Array) => Uint8Array, onBatch: (batch: Batch) => void,
  afterRange?: () => Promise<void>,
): Promise<void> {
  const { control, digests } = shared;
  const ranges = Math.ceil(file.bytes / rangeBytes);
  const coder = new CsvCoder({
    fieldCount: file.names.length,
    delimiter: file.delimiter,
    columns: columns.map(({ name, as, nulls }) => ({ index: file.names.indexOf(name), name, as, nulls })),
  });
  const { bytes: buffer, has } = searchableBytes(rangeBytes);
  for (;;) {
    const range = Atomics.add(control, NEXT, 1);
    if (range >= ranges || Atomics.load(control, FAILED) === 1) return;
    const start = range * rangeBytes;
    const length = readFully(read, buffer, start, Math.min(rangeBytes, file.bytes - start));
    const bytes = buffer.subarray(0, length);
    digests.set(digest(bytes), range * 32);

    let state = Atomics.load(control, STATES + range);
    while (state === 0) {
      if (Atomics.load(control, FAILED) === 1) return;
      Atomics.wait(control, STATES + range, 0, 1000);
      state = Atomics.load(control, STATES + range);
    }
    const begins = (state - 1) as QuoteState;
    const bodyStart = range === 0 ? file.dataStart : 0;
    const body = bytes.subarray(bodyStart);
    const after = quoteStateAfter(body, begins, file.delimiter, has(QUOTE, bodyStart, length));
    Atomics.store(control, STATES + range + 1, after + 1);
    Atomics.notify(control, STATES + range + 1);

    const first = firstRecordStart(body, begins, file.delimiter);
    if (first < 0) continue;
    const offset = start + bodyStart + first;
    coder.beginRange({ limit: start + length - offset, baseOffset: offset });
    coder.push(body.subarray(first));
    drain(coder, onBatch);
    let position = start + length;
    const tail = new Uint8Array(coder.done ? 0 : TAIL_BYTES);
    while (!coder.done) {
      const more = readFully(read, tail, position, Math.min(TAIL_BYTES, file.bytes - position));
      if (more === 0) {
        coder.end();
        drain(coder, onBatch);
        break;
      }
      coder.push(tail.subarray(0, more));
      drain(coder, onBatch);
      position += more;
    }
    await afterRange?.();
  }
}

function drain(coder: CsvCoder, onBatch: (batch: Batch) => void): void {
  for (let batch = coder.read(); batch !== undefined; batch = coder.read()) onBatch(batch);
}

function readFully(read: (into: Uint8Array, position: number) => number, into: Uint8Array, position: number, length: number): number {
  let done = 0;
  while (done < length) {
    const more = read(into.subarray(done, length), position + done);
    if (more === 0) break;
    done += more;
  }
  return done;
}
