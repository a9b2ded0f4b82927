import type { Batch, Column } from "../../columns/index.ts";
import { InternalError } from "../../errors/index.ts";
import type { ByteSource, Hasher } from "../bytes.ts";
import { resolveColumns } from "../resolve-columns.ts";
import type { Pass, PassOptions, Source, SourceColumn } from "../source.ts";
import { CsvCoder, type CsvCoderColumn, type CsvDelimiter } from "./coder.ts";
import { csvError } from "./errors.ts";
import { type CsvHeader, readCsvHeader } from "./header.ts";

export {
  BATCH_RECORDS,
  CsvCoder,
  type CsvCoderColumn,
  type CsvCoderOptions,
  type CsvDelimiter,
  type CsvRange,
} from "./coder.ts";
export {
  addRecordsBefore,
  csvError,
  type CsvFault,
  type CsvPlace,
  MAX_COLUMNS,
  MAX_FIELD_BYTES,
  MAX_ROW_BYTES,
} from "./errors.ts";
export { type CsvHeader, readCsvHeader } from "./header.ts";
export {
  AFTER_QUOTE,
  FIELD_START,
  firstRecordStart,
  QUOTE,
  QUOTED,
  quoteStateAfter,
  quoteTransitions,
  type QuoteState,
  RECORD_START,
  UNQUOTED,
} from "./ranges.ts";

export interface CsvSourceOptions {
  /** Comma when absent. */
  readonly delimiter?: CsvDelimiter | undefined;
}

/** A reading that has got as far as the header. */
interface OpenFile {
  readonly header: CsvHeader;
  /** Read already: the header and what came with it. */
  readonly bytes: Uint8Array;
  readonly rest: AsyncIterator<Uint8Array>;
}

/** A CSV file with a header row as a source of records; see CsvCoder for its grammar. All columns are text. */
export function csvSource(bytes: ByteSource, options: CsvSourceOptions = {}): Source {
  const delimiter = options.delimiter ?? ",";
  let names: readonly string[] | undefined;
  let waiting: OpenFile | undefined; // a one-shot stream of which only the header was read
  let isUsed = false;

  async function openFile(signal: AbortSignal | undefined): Promise<OpenFile> {
    if (isUsed && !bytes.reopenable) {
      throw new InternalError("csv/read-twice", "A stream that can be read once only was opened again. Spool it first.");
    }
    isUsed = true;
    const rest = bytes.open(signal)[Symbol.asyncIterator]();
    try {
      const file = await readUpToHeader(rest, delimiter);
      if (names === undefined) names = file.header.names;
      else if (names.length !== file.header.names.length || names.some((name, i) => name !== file.header.names[i])) {
        throw csvError("changed-header", {});
      }
      return file;
    } catch (error) {
      await rest.return?.();
      throw error;
    }
  }

  return {
    label: bytes.label,
    totalBytes: bytes.totalBytes,
    reopenable: bytes.reopenable,

    async columns(): Promise<readonly SourceColumn[]> {
      if (names === undefined) {
        const file = await openFile(undefined);
        if (bytes.reopenable) await file.rest.return?.();
        else waiting = file;
      }
      return names!.map((name) => ({ name, type: "text" }));
    },

    async open(request: PassOptions): Promise<Pass> {
      const file = waiting ?? (await openFile(request.signal));
      waiting = undefined;
      try {
        return startPass(file, bytes.hasher(), delimiter, request);
      } catch (error) {
        await file.rest.return?.();
        throw error;
      }
    },
  };
}

async function readUpToHeader(rest: AsyncIterator<Uint8Array>, delimiter: CsvDelimiter): Promise<OpenFile> {
  let bytes = new Uint8Array(0);
  let triedBytes = 0;
  for (;;) {
    const next = await rest.next();
    const isWhole = next.done === true;
    if (!isWhole) {
      const joined = new Uint8Array(bytes.length + next.value.length);
      joined.set(bytes);
      joined.set(next.value, bytes.length);
      bytes = joined;
      // Long headers are tried again at twice the length only.
      if (bytes.length < triedBytes * 2) continue;
      triedBytes = bytes.length;
    }
    const header = readCsvHeader(bytes, delimiter, isWhole);
    if (header !== undefined) return { header, bytes, rest };
  }
}

function startPass(file: OpenFile, hasher: Hasher, delimiter: CsvDelimiter, request: PassOptions): Pass {
  const { header } = file;

  // Each field once as codes and once as numbers at most, however often it is asked for.
  const columns: CsvCoderColumn[] = [];
  const columnOf = resolveColumns(header.names, request.columns).map(({ index, request: { name, as, nulls } }) => {
    const same = columns.findIndex((column) => column.index === index && column.as === as);
    if (same < 0) return columns.push({ index, name, as, nulls }) - 1;
    if (as === "numbers" && columns[same]!.nulls?.join("\0") !== nulls?.join("\0")) {
      throw new InternalError("csv/column-request", `Column "${name}" is wanted as numbers twice, with other nulls.`);
    }
    return same;
  });
  const coder = new CsvCoder({ fieldCount: header.names.length, delimiter, columns, baseOffset: header.end });
  let fingerprint: string | undefined;

  async function* batches(): AsyncGenerator<Batch> {
    let consumed = 0;
    let piece = file.bytes;
    let body = piece.subarray(header.end);
    let isDone = false;
    try {
      for (;;) {
        request.signal?.throwIfAborted();
        hasher.update(piece);
        consumed += piece.length;
        coder.push(body);
        for (let batch = coder.read(); batch !== undefined; batch = coder.read()) yield inRequestOrder(batch, columnOf);
        request.onBytes?.(consumed);
        const next = await file.rest.next();
        if (next.done === true) break;
        piece = body = next.value;
      }
      isDone = true;
      coder.end();
      for (let batch = coder.read(); batch !== undefined; batch = coder.read()) yield inRequestOrder(batch, columnOf);
      fingerprint = `sha256:${hasher.digest()}`;
    } finally {
      if (!isDone) await file.rest.return?.();
    }
  }

  return {
    batches: batches(),
    fingerprint(): string {
      if (fingerprint === undefined) {
        throw new InternalError("csv/fingerprint-too-early", "Asked for the fingerprint before the last batch was read.");
      }
      return fingerprint;
    },
  };
}

function inRequestOrder(batch: Batch, columnOf: readonly number[]): Batch {
  return { records: batch.records, columns: columnOf.map((c): Column => batch.columns[c]!) };
}
