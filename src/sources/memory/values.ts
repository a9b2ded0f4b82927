import type { Batch, Column } from "../../columns/index.ts";
import { CommensurateError, DataError, InternalError } from "../../errors/index.ts";
import { BATCH_RECORDS } from "../arrow/column-reader.ts";
import { joinedFingerprint } from "../arrow/content-hash.ts";
import { plainHasher } from "../hasher.ts";
import { resolveColumns } from "../resolve-columns.ts";
import type { Pass, PassOptions, PhysicalType, Source, SourceColumn } from "../source.ts";
import type { MemorySourceOptions } from "./arrow-batches.ts";
import { valueNumber, ValueCoder, Where, widenedType } from "./value-encoder.ts";
import { ValueHash } from "./value-hash.ts";

export interface RecordsSourceOptions extends MemorySourceOptions {
  /** Names of the columns, in order. All own properties of all records, in order of first sight, when absent. */
  readonly columns?: readonly string[] | undefined;
}

/**
 * An array of records. Only own properties are read, so names such as "__proto__" and "constructor" are columns like
 * any other; a property that is missing, undefined or null is null.
 */
export function recordsSource(records: readonly object[], options: RecordsSourceOptions = {}): Source {
  const read = (name: string, i: number): unknown => {
    const record = records[i];
    if (typeof record !== "object" || record === null) throw notRecord(i);
    return Object.hasOwn(record, name) ? (record as Record<string, unknown>)[name] : undefined;
  };
  const names = (): readonly string[] => options.columns ?? ownNames(records);
  return valuesSource("records in memory", () => records.length, names, read, options);
}

/** Values of one column: an array of text, numbers, bigints, booleans, Dates and nulls, or any numeric typed array. */
export type ColumnValues = readonly unknown[] | NumericArray;

export type NumericArray =
  | Int8Array | Uint8Array | Uint8ClampedArray | Int16Array | Uint16Array | Int32Array | Uint32Array
  | Float32Array | Float64Array | BigInt64Array | BigUint64Array;

/**
 * Columns by name, all equally long: an object (own properties) or a Map.
 * @throws DataError memory/unequal-columns
 */
export function columnsSource(
  columns: Readonly<Record<string, ColumnValues>> | ReadonlyMap<string, ColumnValues>, options: MemorySourceOptions = {},
): Source {
  const byName: ReadonlyMap<string, ColumnValues> = columns instanceof Map ? columns : new Map(Object.entries(columns));
  const names = [...byName.keys()];
  const length = (): number => {
    const lengths = names.map((name) => byName.get(name)!.length);
    const odd = lengths.findIndex((each) => each !== lengths[0]);
    if (odd >= 0) {
      throw new DataError("memory/unequal-columns", `Column ${JSON.stringify(names[odd]!)} has ${lengths[odd]!} ` +
        `values, but ${JSON.stringify(names[0]!)} has ${lengths[0]!}. Give all columns the same number of values.`, { column: names[odd]! });
    }
    return lengths[0] ?? 0;
  };
  return valuesSource("columns in memory", length, () => names, (name, i) => byName.get(name)![i], options);
}

/** Value of a column, by its name, in record i. */
type ReadValue = (name: string, i: number) => unknown;

function valuesSource(
  what: string, count: () => number, names: () => readonly string[], read: ReadValue, options: MemorySourceOptions,
): Source {
  let known: readonly SourceColumn[] | undefined;
  const columns = (): readonly SourceColumn[] => {
    if (known === undefined) {
      const records = count();
      known = guarded(() => names().map((name) => ({ name, type: typeOfColumn(name, records, read) })));
    }
    return known;
  };
  return {
    label: options.label ?? what,
    reopenable: true,
    columns: async () => columns(),
    open: async (pass) => valuesPass(columns(), count(), read, pass, options),
  };
}

function typeOfColumn(name: string, records: number, read: ReadValue): PhysicalType {
  let type: PhysicalType = "other";
  for (let i = 0; i < records && type !== "text"; i++) type = widenedType(type, read(name, i));
  return type;
}

function valuesPass(
  columns: readonly SourceColumn[], records: number, read: ReadValue, options: PassOptions, memory: MemorySourceOptions,
): Pass {
  const newHasher = memory.newHasher ?? plainHasher;
  const names = columns.map((column) => column.name);
  const fills = resolveColumns(names, options.columns).map(({ request }) => {
    const where = new Where();
    where.column = request.name;
    if (request.as === "codes") {
      const coder = new ValueCoder(request);
      const codes = new Int32Array(Math.min(records, BATCH_RECORDS));
      const column: Column = { kind: "codes", codes, dictionary: coder.dictionary };
      return { column, fill: (from: number, to: number) => {
        for (let i = from; i < to; i++) {
          where.record = i + 1;
          codes[i - from] = coder.code(read(request.name, i), where);
        }
      } };
    }
    const allowed = new Set(request.nulls ?? []);
    const values = new Float64Array(Math.min(records, BATCH_RECORDS));
    const column: Column = { kind: "numbers", values };
    return { column, fill: (from: number, to: number) => {
      for (let i = from; i < to; i++) {
        where.record = i + 1;
        values[i - from] = valueNumber(read(request.name, i), allowed, where);
      }
    } };
  });
  const hashes = names.map((name) => ({ name, hash: new ValueHash(newHasher) }));
  let fingerprint: string | undefined;

  async function* batches(): AsyncGenerator<Batch> {
    for (let from = 0; from < records; from += BATCH_RECORDS) {
      options.signal?.throwIfAborted();
      const to = Math.min(records, from + BATCH_RECORDS);
      guarded(() => {
        for (const { fill } of fills) fill(from, to);
        for (const { name, hash } of hashes) for (let i = from; i < to; i++) hash.add(read(name, i));
      });
      yield { records: to - from, columns: fills.map(({ column }) => column) };
    }
    const digests = hashes.flatMap(({ name, hash }) => [name, hash.digest()]);
    fingerprint = joinedFingerprint([String(records), ...digests], newHasher);
  }

  return {
    batches: { [Symbol.asyncIterator]: batches },
    fingerprint() {
      if (fingerprint === undefined) {
        throw new InternalError("source/unfinished-pass", "The fingerprint was asked for before the batches ended.");
      }
      return fingerprint;
    },
  };
}

function ownNames(records: readonly object[]): string[] {
  const names = new Set<string>();
  for (let i = 0; i < records.length; i++) {
    const record = records[i];
    if (typeof record !== "object" || record === null) throw notRecord(i);
    for (const name of Object.keys(record)) names.add(name);
  }
  return [...names];
}

function notRecord(i: number): DataError {
  return new DataError("memory/not-a-record", `Record ${i + 1} is not an object. Give an array of objects, one for ` +
    `each record.`, { record: i + 1 });
}

/** Getters and proxies are the caller's code; what they throw may quote values, so it goes no further. */
function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CommensurateError) throw error;
    throw new DataError("memory/unreadable-record", "Reading a property of a record failed. Use plain objects and " +
      "arrays.");
  }
}
