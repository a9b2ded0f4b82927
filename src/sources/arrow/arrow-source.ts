import type { Batch } from "../../columns/index.ts";
import { DataError, InternalError } from "../../errors/index.ts";
import { plainHasher, type Hasher, type NewHasher } from "../hasher.ts";
import { openInput, type ByteInput, type RandomAccess } from "../random-access.ts";
import { resolveColumns } from "../resolve-columns.ts";
import type { Pass, PassOptions, Source } from "../source.ts";
import { bufferDecompressor } from "./body-codecs.ts";
import { countBits, nullChunk, offsets32, offsets64, type Chunk, type DictionaryValues } from "./chunk.ts";
import { BATCH_RECORDS, columnReader, type ColumnReader, type Place } from "./column-reader.ts";
import { badMetadata } from "./flatbuffer.ts";
import {
  isArrowFile, readBlock, readFooter, readStream, readStreamSchema, requireSchema, type PlacedMessage,
} from "./ipc-reader.ts";
import {
  placesOf, type IpcCodec, type IpcDictionary, type IpcField, type IpcRecordBatch, type IpcSchema,
} from "./metadata.ts";
import { physicalType, type ArrowType } from "./types.ts";

export interface ArrowSourceOptions {
  /** For messages; never published. */
  readonly label?: string | undefined;
  /** SHA-256 for the fingerprint; a plain one when absent. */
  readonly newHasher?: NewHasher | undefined;
}

/** Bytes of columns nobody asked for are read and hashed in pieces of this size. */
const SWEEP_BYTES = 1 << 20;

/**
 * An Arrow IPC file or stream, told apart by how it begins. Every length, offset, count and code is checked against the
 * bytes present before it is used; buffers of columns that are not requested are hashed, not decoded.
 * Memory: the requested columns of one record batch, and the dictionaries.
 *
 * @throws DataError arrow/truncated, arrow/bad-metadata, arrow/big-endian, arrow/unsupported-compression,
 *   arrow/missing-package, arrow/unsupported-type, arrow/unsupported-version, arrow/trailing-bytes
 *   and those of the column readers
 */
export function arrowSource(input: ByteInput, options: ArrowSourceOptions = {}): Source {
  return {
    label: options.label ?? "Arrow data",
    reopenable: true,
    ...(typeof input === "function" ? {} : { totalBytes: input instanceof Uint8Array ? input.length : input.size }),
    async columns() {
      const { access, close } = await openInput(input);
      try {
        const isFile = await isArrowFile(access);
        const schema = isFile ? (await readFooter(access)).footer.schema : await readStreamSchema(access);
        const columns = schema.fields.map(({ name, type }) => ({ name, type: physicalType(type) }));
        resolveColumns(columns.map((column) => column.name), []);
        return columns;
      } finally {
        await close();
      }
    },
    open: async (pass) => new ArrowPass(input, pass, options.newHasher ?? plainHasher),
  };
}

class ArrowPass implements Pass {
  readonly batches: AsyncIterable<Batch>;
  #fingerprint: string | undefined;

  constructor(input: ByteInput, options: PassOptions, newHasher: NewHasher) {
    this.batches = { [Symbol.asyncIterator]: () => this.#read(input, options, newHasher) };
  }

  fingerprint(): string {
    if (this.#fingerprint === undefined) {
      throw new InternalError("source/unfinished-pass", "The fingerprint was asked for before the batches ended.");
    }
    return this.#fingerprint;
  }

  async *#read(input: ByteInput, options: PassOptions, newHasher: NewHasher): AsyncGenerator<Batch> {
    const { access, close } = await openInput(input);
    try {
      const hasher = newHasher();
      yield* (await isArrowFile(access)) ? readFile(access, hasher, options) : readMessages(access, hasher, options);
      await access.verifyUnchanged?.();
      this.#fingerprint = `sha256:${hasher.digest()}`;
    } finally {
      await close();
    }
  }
}

async function* readFile(access: RandomAccess, hasher: Hasher, options: PassOptions): AsyncGenerator<Batch> {
  const { footer, bytes } = await readFooter(access);
  hasher.update(bytes);
  const decoder = new BatchDecoder(access, hasher, footer.schema, options);
  const defined = new Set<bigint>();
  for (const block of footer.dictionaries) {
    options.signal?.throwIfAborted();
    const placed = await readBlock(access, block);
    if (placed.message.kind !== "dictionary") badMetadata("a dictionary block that holds something else");
    const { id, delta } = placed.message;
    if (!delta && defined.has(id)) badMetadata("a file that defines a dictionary twice");
    defined.add(id);
    await decoder.dictionary(placed);
  }
  for (const block of footer.records) {
    const placed = await readBlock(access, block);
    if (placed.message.kind !== "records") badMetadata("a record block that holds something else");
    yield* decoder.records(placed);
  }
}

async function* readMessages(access: RandomAccess, hasher: Hasher, options: PassOptions): AsyncGenerator<Batch> {
  let decoder: BatchDecoder | undefined;
  for await (const placed of readStream(access)) {
    options.signal?.throwIfAborted();
    if (decoder === undefined) {
      decoder = new BatchDecoder(access, hasher, requireSchema(placed.message), options);
      hasher.update(placed.metadata);
    } else if (placed.message.kind === "dictionary") {
      await decoder.dictionary(placed);
    } else if (placed.message.kind === "records") {
      yield* decoder.records(placed);
    } else {
      badMetadata("a second schema");
    }
  }
  if (decoder === undefined) await readStreamSchema(access); // throws: there is none
}

/** Holds what a pass carries from message to message. */
class BatchDecoder {
  readonly #access: RandomAccess;
  readonly #hasher: Hasher;
  readonly #schema: IpcSchema;
  readonly #options: PassOptions;
  readonly #place: Place = { area: "arrow", recordsBefore: 0 };
  readonly #requested: { readonly field: IpcField; readonly index: number; readonly reader: ColumnReader }[];
  readonly #wanted: ReadonlySet<bigint>;
  readonly #dictionaries = new Map<bigint, DictionaryValues>();
  readonly #decompressors = new Map<IpcCodec, (bytes: Uint8Array) => Uint8Array>();
  #bytes = 0;

  constructor(access: RandomAccess, hasher: Hasher, schema: IpcSchema, options: PassOptions) {
    this.#access = access;
    this.#hasher = hasher;
    this.#schema = schema;
    this.#options = options;
    const names = schema.fields.map((field) => field.name);
    this.#requested = resolveColumns(names, options.columns).map(({ request, index }) => {
      const field = schema.fields[index]!;
      return { field, index, reader: columnReader(field.name, field.type, request, this.#place) };
    });
    this.#wanted = new Set(this.#requested.map(({ field }) => field.dictionaryId).filter((id) => id !== undefined));
  }

  async dictionary(placed: PlacedMessage): Promise<void> {
    const { message } = placed;
    if (message.kind !== "dictionary") return;
    const known: IpcDictionary = this.#schema.dictionaries.get(message.id) ?? badMetadata("a dictionary that no " +
      "column uses");
    const before = this.#dictionaries.get(message.id);
    if (message.delta && before === undefined && this.#wanted.has(message.id)) {
      badMetadata("more of a dictionary that was never begun");
    }
    const [place] = placesOf([known.layout], message.batch);
    const wanted = this.#wanted.has(message.id) ? [{ type: known.type, ...place! }] : [];
    const [chunk] = await this.#body(placed, message.batch, wanted);
    if (chunk === undefined) return;
    this.#dictionaries.set(message.id, { parts: message.delta ? [...before!.parts, chunk] : [chunk] });
  }

  async *records(placed: PlacedMessage): AsyncGenerator<Batch> {
    const { message } = placed;
    if (message.kind !== "records") return;
    const { signal } = this.#options;
    signal?.throwIfAborted();
    const { records } = message.batch;
    const places = placesOf(this.#schema.fields.map((field) => field.layout), message.batch);
    this.#requireBacking(records, message.bodyLength);
    const chunks = await this.#body(placed, message.batch, this.#requested.map(({ field, index }) =>
      ({ type: field.type, ...places[index]!, dictionary: field.dictionaryId })));

    for (let from = 0; from < records; from += BATCH_RECORDS) {
      signal?.throwIfAborted();
      const to = Math.min(records, from + BATCH_RECORDS);
      this.#requested.forEach(({ reader }, i) => reader.read(chunks[i]!, from, to));
      yield { records: to - from, columns: this.#requested.map(({ reader }) => reader.column) };
    }
    this.#place.recordsBefore += records;
  }

  /**
   * Records that no requested column has bytes for could be any number; a bit each in the body is the least that is
   * believed.
   */
  #requireBacking(records: number, bodyLength: number): void {
    const backed = this.#requested.some(({ field }) => field.type.kind !== "null");
    if (!backed && records > BATCH_RECORDS + bodyLength * 8) badMetadata("more records than the bytes can hold");
  }

  /** Hash the message and read the buffers of the wanted columns, in one sweep over the body. */
  async #body(
    placed: PlacedMessage, batch: IpcRecordBatch,
    wanted: readonly { type: ArrowType; node: number; buffer: number; dictionary?: bigint | undefined }[],
  ): Promise<Chunk[]> {
    this.#hasher.update(placed.metadata);
    const decompress = await this.#decompressor(batch.codec);
    const buffers = batch.buffers;
    const loaded = new Map<number, Uint8Array>();
    const order = new Set<number>();
    for (const { type, buffer } of wanted) for (let b = 0; b < bufferCount(type); b++) order.add(buffer + b);

    let at = 0;
    for (const b of [...order].sort((x, y) => x - y)) {
      const length = buffers[b * 2 + 1]!;
      if (length === 0) continue; // its offset means nothing
      await this.#sweep(placed.bodyOffset + at, buffers[b * 2]! - at);
      const bytes = await this.#access.read(placed.bodyOffset + buffers[b * 2]!, length);
      this.#hasher.update(bytes);
      loaded.set(b, decompress(bytes));
      at = buffers[b * 2]! + length;
    }
    await this.#sweep(placed.bodyOffset + at, placed.message.bodyLength - at);
    this.#bytes += placed.metadata.length + placed.message.bodyLength;
    this.#options.onBytes?.(this.#bytes);

    return wanted.map(({ type, node, buffer, dictionary }) => {
      const length = batch.nodes[node * 2]!;
      if (type.kind === "null") return nullChunk(length);
      const bytes = (b: number): Uint8Array => loaded.get(buffer + b) ?? EMPTY;
      const offsets = type.kind === "utf8" ? (type.large ? offsets64(bytes(1)) : offsets32(bytes(1))) : undefined;
      return {
        length, bitOffset: 0, offsets, data: bytes(type.kind === "utf8" ? 2 : 1),
        validity: validityOf(bytes(0), length, batch.nodes[node * 2 + 1]!),
        dictionary: dictionary === undefined ? undefined : this.#dictionaries.get(dictionary) ?? NO_VALUES,
      };
    });
  }

  async #decompressor(codec: IpcCodec | undefined): Promise<(bytes: Uint8Array) => Uint8Array> {
    if (codec === undefined) return (bytes) => bytes;
    let decompress = this.#decompressors.get(codec);
    if (decompress === undefined) this.#decompressors.set(codec, (decompress = await bufferDecompressor(codec)));
    return decompress;
  }

  async #sweep(offset: number, length: number): Promise<void> {
    for (let done = 0; done < length; done += SWEEP_BYTES) {
      this.#hasher.update(await this.#access.read(offset + done, Math.min(SWEEP_BYTES, length - done)));
    }
  }
}

const EMPTY = new Uint8Array(0);
/** A dictionary that was never sent: fine as long as every record is null. */
const NO_VALUES: DictionaryValues = { parts: [] };

function bufferCount(type: ArrowType): number {
  return type.kind === "null" ? 0 : type.kind === "utf8" ? 3 : 2;
}

/** The validity bitmap, checked against the null count that the metadata state. */
function validityOf(bitmap: Uint8Array, length: number, nulls: number): Uint8Array | undefined {
  if (bitmap.length === 0) return nulls === 0 ? undefined : badMetadata("nulls without a validity bitmap");
  if (bitmap.length * 8 < length) badMetadata("a validity bitmap too short for its records");
  if (length - countBits(bitmap, 0, length) !== nulls) {
    throw new DataError("arrow/null-count", "A column has another number of nulls than its metadata state. The file " +
      "is damaged; get a fresh copy or write it again.", { stated: nulls });
  }
  return nulls === 0 ? undefined : bitmap;
}
