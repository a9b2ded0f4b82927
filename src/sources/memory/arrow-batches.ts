import type { Batch } from "../../columns/index.ts";
import { DataError, InternalError } from "../../errors/index.ts";
import { BATCH_RECORDS, columnReader, type ColumnReader, type Place } from "../arrow/column-reader.ts";
import { ColumnHash, joinedFingerprint } from "../arrow/content-hash.ts";
import {
  ArrowJsChunks, typeOfField, type ArrowBatchLike, type ArrowSchemaLike, type ArrowTableLike,
} from "../arrow/from-arrow-js.ts";
import { arrowTypeName, isSupported, physicalType, type ArrowType } from "../arrow/types.ts";
import { plainHasher, type NewHasher } from "../hasher.ts";
import { resolveColumns } from "../resolve-columns.ts";
import type { Pass, PassOptions, Source, SourceColumn } from "../source.ts";

export interface MemorySourceOptions {
  /** For messages; never published. */
  readonly label?: string | undefined;
  /** SHA-256 for the fingerprint; a plain one when absent. */
  readonly newHasher?: NewHasher | undefined;
}

/** An apache-arrow Table. Reads its buffers in place. */
export function tableSource(table: ArrowTableLike, options: MemorySourceOptions = {}): Source {
  const schema = fieldsOf(table.schema);
  return {
    label: options.label ?? "Arrow table",
    reopenable: true,
    columns: async () => columnsOf(schema),
    open: async (pass) => arrowPass(schema, () => asIterable(table.batches), pass, options.newHasher ?? plainHasher),
  };
}

/** Record batches as they come, or a function that starts them anew for each pass. */
export type BatchInput = BatchIterable | (() => BatchIterable);
type BatchIterable = AsyncIterable<ArrowBatchLike> | Iterable<ArrowBatchLike>;

/**
 * A stream of apache-arrow RecordBatches; all must have the schema of the first. One-shot unless given as a function.
 * `schema` is needed only for streams that may have no batch at all.
 */
export function batchesSource(
  input: BatchInput, options: MemorySourceOptions & { readonly schema?: ArrowSchemaLike | undefined } = {},
): Source {
  const reopenable = typeof input === "function";
  let schema: Promise<readonly Field[]> | undefined;
  let peeked: AsyncIterable<ArrowBatchLike> | undefined;
  let taken = false;
  const begin = (): AsyncIterable<ArrowBatchLike> => asIterable(typeof input === "function" ? input() : input);

  const readSchema = async (): Promise<readonly Field[]> => {
    if (options.schema !== undefined) return fieldsOf(options.schema);
    // A function is asked for its first batch and closed; a stream keeps the batch for the pass.
    const iterator = begin()[Symbol.asyncIterator]();
    const first = await iterator.next();
    if (first.done === true) {
      throw new DataError("source/no-batches", "The stream ended before its first record batch, so its columns are " +
        "not known. Send at least one batch, or give its schema.");
    }
    if (reopenable) await iterator.return?.();
    else peeked = resumed(first.value, iterator);
    return fieldsOf(first.value.schema);
  };

  return {
    label: options.label ?? "Arrow record batches",
    reopenable,
    columns: async () => columnsOf(await (schema ??= readSchema())),
    open: async (pass) => {
      const fields = await (schema ??= readSchema());
      if (!reopenable && taken) {
        throw new InternalError("source/one-shot", "A one-shot stream was opened twice. Spool it first.");
      }
      taken = true;
      const batches = peeked ?? begin();
      peeked = undefined;
      return arrowPass(fields, () => batches, pass, options.newHasher ?? plainHasher);
    },
  };
}

interface Field {
  readonly name: string;
  readonly type: ArrowType;
}

function fieldsOf(schema: ArrowSchemaLike): readonly Field[] {
  return schema.fields.map((field) => ({ name: field.name, type: typeOfField(field) }));
}

function columnsOf(fields: readonly Field[]): readonly SourceColumn[] {
  return fields.map(({ name, type }) => ({ name, type: physicalType(type) }));
}

function arrowPass(
  fields: readonly Field[], open: () => AsyncIterable<ArrowBatchLike>, options: PassOptions, newHasher: NewHasher,
): Pass {
  const place: Place = { area: "arrow", recordsBefore: 0 };
  const resolved = resolveColumns(fields.map((field) => field.name), options.columns);
  const readers = resolved.map(({ request, index }) =>
    ({ index, reader: columnReader(request.name, fields[index]!.type, request, place) }));
  const hashes = fields.map((field, index) => {
    const codes = field.type.kind === "dictionary" && isSupported(field.type) ? codesOf(field, index) : undefined;
    return { codes, hash: new ColumnHash(field.name, field.type, codes?.reader, newHasher) };
  });
  let fingerprint: string | undefined;

  /** The reader of a dictionary column's codes for its hash: the requested one, or one more. */
  function codesOf(field: Field, index: number): { reader: ColumnReader; own: boolean } {
    const requested = readers.find((other) => other.index === index && other.reader.column.kind === "codes");
    if (requested !== undefined) return { reader: requested.reader, own: false };
    return {
      reader: columnReader(field.name, field.type, { name: field.name, as: "codes", nulls: NOT_FINITE }, place),
      own: true,
    };
  }

  async function* batches(): AsyncGenerator<Batch> {
    const chunks = new ArrowJsChunks();
    for await (const batch of open()) {
      options.signal?.throwIfAborted();
      requireSameFields(fields, batch.schema);
      const { length, children } = batch.data;
      const parts = fields.map((field, index) => {
        const child = children[index];
        if (child === undefined || child.length !== length) {
          throw new DataError("arrow/bad-batch", `Column ${JSON.stringify(field.name)} has another number of records ` +
            `than its record batch. Make batches whose columns are equally long.`, { column: field.name });
        }
        return isSupported(field.type) ? chunks.chunk(child, field.type, field.name) : undefined;
      });
      for (let from = 0; from < length; from += BATCH_RECORDS) {
        options.signal?.throwIfAborted();
        const to = Math.min(length, from + BATCH_RECORDS);
        for (const { index, reader } of readers) reader.read(parts[index]!, from, to);
        for (let index = 0; index < hashes.length; index++) {
          const { codes, hash } = hashes[index]!;
          const part = parts[index];
          if (part === undefined) continue;
          if (codes?.own) codes.reader.read(part, from, to);
          hash.update(part, from, to);
        }
        yield { records: to - from, columns: readers.map(({ reader }) => reader.column) };
      }
      place.recordsBefore += length;
    }
    const digests = hashes.map(({ hash }) => hash.digest());
    fingerprint = joinedFingerprint([String(place.recordsBefore), ...digests], newHasher);
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

/** A dictionary that is only hashed may hold anything. */
const NOT_FINITE = ["NaN", "Infinity", "-Infinity"];

function requireSameFields(fields: readonly Field[], schema: ArrowSchemaLike): void {
  const same = schema.fields.length === fields.length && fieldsOf(schema).every((field, index) =>
    field.name === fields[index]!.name && arrowTypeName(field.type) === arrowTypeName(fields[index]!.type));
  if (!same) {
    throw new DataError("arrow/schema-changed", "A record batch has other columns or types than the first one. Send " +
      "batches of one schema.");
  }
}

async function* asIterable<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

async function* resumed<T>(first: T, rest: AsyncIterator<T>): AsyncGenerator<T> {
  try {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
