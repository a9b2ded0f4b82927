import type { CodeColumn } from "../../columns/index.ts";
import { DataError } from "../../errors/index.ts";
import type { Source, SourceColumn } from "../../sources/source.ts";
import { columnFacts, type ColumnFacts } from "./column-facts.ts";

/** Records read at first, of every column. */
export const SAMPLE_RECORDS = 100_000;
/** Codes kept of the sample, over all columns, to compare columns with each other. */
const SAMPLE_CODES = 16_000_000;
/** Files beyond this size are judged by their first records only. */
const WHOLE_FILE_BYTES = 2e9;
/** Distinct values of all columns together that a reading of the whole file may hold. */
const WHOLE_FILE_DICTIONARY_BYTES = 2 ** 28;

/** What was found out about the data. */
export interface DataFacts {
  /** Records that were read of every column. */
  readonly sampled: number;
  /** Whether these are all records. */
  readonly isWhole: boolean;
  /** Records of the whole file, where it was read to its end. */
  readonly records: number | undefined;
  readonly columns: readonly ColumnFacts[];
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((bytes: number) => void) | undefined;
  readonly sampleRecords?: number | undefined;
}

/**
 * Look at the first records of every column, then, where that is cheap, at the whole file for columns whose values
 * repeat, since a category or a missing value that occurs late decides as well.
 */
export async function readFacts(source: Source, options: ReadOptions): Promise<DataFacts> {
  const columns = await source.columns();
  refuseHeaderOfValues(columns);
  const limit = Math.max(
    1000, Math.min(options.sampleRecords ?? SAMPLE_RECORDS, Math.floor(SAMPLE_CODES / columns.length)),
  );
  const first = await readSample(source, columns, limit, options);
  const facts = columns.map(
    (column): ColumnFacts => first.facts.get(column.name) ?? columnFacts(column, undefined, false)
  );
  const bytes = source.totalBytes;
  if (first.isWhole || !source.reopenable || bytes === undefined || bytes > WHOLE_FILE_BYTES) {
    return {
      sampled: first.records,
      isWhole: first.isWhole,
      records: first.isWhole ? first.records : undefined,
      columns: facts,
    };
  }
  const repeating = columns.filter((_, c) => facts[c]!.distinct > 0 && facts[c]!.distinct <= facts[c]!.present / 2);
  const whole = repeating.length === 0 ? undefined : await readWhole(source, repeating, options);
  return {
    sampled: first.records,
    isWhole: false,
    records: whole?.records,
    columns: facts.map((sampled) => {
      const found = whole?.facts.get(sampled.name);
      return found === undefined ? sampled : { ...found, sampleCodes: sampled.sampleCodes };
    }),
  };
}

interface Reading {
  readonly records: number;
  readonly isWhole: boolean;
  readonly facts: ReadonlyMap<string, ColumnFacts>;
}

async function readSample(
  source: Source, columns: readonly SourceColumn[], limit: number, options: ReadOptions,
): Promise<Reading> {
  const readable = columns.filter(({ type }) => type !== "other");
  const codes = readable.map(() => new Int32Array(limit));
  let last: CodeColumn[] = [];
  let records = 0;
  let isWhole = true;
  const pass = await source.open(
    { columns: readable.map(({ name }) => ({ name, as: "codes" })), signal: options.signal, onBytes: options.onBytes }
  );
  for await (const batch of pass.batches) {
    last = batch.columns as CodeColumn[];
    const taken = Math.min(batch.records, limit - records);
    last.forEach((column, c) => codes[c]!.set(column.codes.subarray(0, taken), records));
    records += taken;
    if (taken < batch.records) {
      isWhole = false;
      break;
    }
  }
  const facts = new Map<string, ColumnFacts>();
  readable.forEach((column, c) => {
    const own = codes[c]!.subarray(0, records);
    const dictionary = last[c]?.dictionary;
    const counts = countsOf(own, dictionary?.size ?? 0);
    facts.set(
      column.name,
      {
        ...columnFacts(column, dictionary === undefined ? undefined : { dictionary, ...counts }, isWhole),
        sampleCodes: own,
      },
    );
  });
  return { records, isWhole, facts };
}

/** Undefined when the columns have too many values to be held. */
async function readWhole(
  source: Source, columns: readonly SourceColumn[], options: ReadOptions,
): Promise<Reading | undefined> {
  const counts = columns.map(() => ({ nulls: 0, counts: new Float64Array(256) }));
  let last: CodeColumn[] = [];
  let records = 0;
  const pass = await source.open(
    { columns: columns.map(({ name }) => ({ name, as: "codes" })), signal: options.signal, onBytes: options.onBytes }
  );
  for await (const batch of pass.batches) {
    last = batch.columns as CodeColumn[];
    let held = 0;
    last.forEach(({ codes, dictionary }, c) => {
      const own = counts[c]!;
      if (dictionary.size > own.counts.length) {
        const grown = new Float64Array(Math.max(dictionary.size, own.counts.length * 2));
        grown.set(own.counts);
        own.counts = grown;
      }
      own.nulls += addCounts(codes, batch.records, own.counts);
      held += dictionary.offsets[dictionary.size]! + 16 * dictionary.size;
    });
    records += batch.records;
    if (held > WHOLE_FILE_DICTIONARY_BYTES) return undefined;
  }
  const facts = new Map<string, ColumnFacts>();
  columns.forEach((column, c) => {
    const dictionary = last[c]?.dictionary;
    if (dictionary !== undefined) facts.set(column.name, columnFacts(column, { dictionary, ...counts[c]! }, true));
  });
  return { records, isWhole: true, facts };
}

function countsOf(codes: Int32Array, size: number): { counts: Float64Array; nulls: number } {
  const counts = new Float64Array(size);
  return { counts, nulls: addCounts(codes, codes.length, counts) };
}

/** Adds to [codes] `counts`; returns the nulls. */
function addCounts(codes: Int32Array, records: number, counts: Float64Array): number {
  let nulls = 0;
  for (let i = 0; i < records; i++) {
    const code = codes[i]!;
    if (code < 0) nulls++;
    else counts[code]!++;
  }
  return nulls;
}

/** Names that hardly anybody gives to a column, and that would be a person's. */
const PERSONAL = /^(?:\d{3}-\d{2}-\d{4}|[^@\s]+@[^@\s]+\.[a-z]+)$/i;
/** Numbers and dates; years are common as names. */
const VALUE = /^(?!(?:19|20)\d\d$)(?:-?\d+(?:[.,]\d+)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})$/;

/** A file without a header would have the values of its first record written into the policy, as names. */
function refuseHeaderOfValues(columns: readonly SourceColumn[]): void {
  const personal = columns.filter(({ name }) => PERSONAL.test(name.trim())).length;
  const values = personal + columns.filter(({ name }) => VALUE.test(name.trim())).length;
  if (personal === 0 && values * 4 < columns.length) return;
  if (values === 0) return;
  throw new DataError(
    "propose/no-header",
    `${values} of the ${columns.length} names in the first line look like values, not like names of columns. ` +
      "Put a line of column names at the beginning of the file.",
    { columns: columns.length, likeValues: values },
  );
}
