import type { Batch } from "../../columns/index.ts";
import { InternalError } from "../../errors/index.ts";
import { BATCH_RECORDS, columnReader, type Place } from "../arrow/column-reader.ts";
import { physicalType } from "../arrow/types.ts";
import { plainHasher, type Hasher, type NewHasher } from "../hasher.ts";
import { openInput, type ByteInput, type RandomAccess } from "../random-access.ts";
import { resolveColumns } from "../resolve-columns.ts";
import type { Pass, PassOptions, Source } from "../source.ts";
import { ChunkCursor } from "./chunk-cursor.ts";
import { pageDecompressor, type Decompress, type PlatformCodecs } from "./codecs.ts";
import { readParquetFooter, type ParquetFile } from "./metadata.ts";

export interface ParquetSourceOptions {
  /** For messages; never published. */
  readonly label?: string | undefined;
  /** SHA-256 for the fingerprint; a plain one when absent. */
  readonly newHasher?: NewHasher | undefined;
  /** Codecs of the platform, preferred to those of hyparquet-compressors. SNAPPY and LZ4_RAW need neither. */
  readonly codecs?: PlatformCodecs | undefined;
}

/** Bytes of columns nobody asked for are read and hashed in pieces of this size. */
const SWEEP_BYTES = 1 << 20;

/**
 * A Parquet file. Every offset, size and count is checked against the bytes present before it is used, pages against
 * their checksum where they have one; columns that are not requested are hashed, not decoded. Reads plain columns:
 * text, integers, booleans, floats, decimals, dates, timestamps; data pages of both versions; all encodings but the
 * bit-packed levels of 2013. Memory: the compressed chunks of the requested columns of one row group, and one page of
 * each.
 *
 * @throws DataError parquet/truncated, parquet/bad-metadata, parquet/encrypted, parquet/unsupported-compression,
 *   parquet/missing-package, parquet/external-file, parquet/unsupported-type and those of the column readers
 */
export function parquetSource(input: ByteInput, options: ParquetSourceOptions = {}): Source {
  return {
    label: options.label ?? "Parquet data",
    reopenable: true,
    ...(typeof input === "function" ? {} : { totalBytes: input instanceof Uint8Array ? input.length : input.size }),
    async columns() {
      const { access, close } = await openInput(input);
      try {
        const file = await readParquetFooter(access);
        resolveColumns(file.columns.map((column) => column.name), []);
        return file.columns.map(({ name, type }) => ({ name, type: physicalType(type) }));
      } finally {
        await close();
      }
    },
    open: async (pass) => new ParquetPass(input, pass, options),
  };
}

class ParquetPass implements Pass {
  readonly batches: AsyncIterable<Batch>;
  #fingerprint: string | undefined;

  constructor(input: ByteInput, pass: PassOptions, options: ParquetSourceOptions) {
    this.batches = { [Symbol.asyncIterator]: () => this.#read(input, pass, options) };
  }

  fingerprint(): string {
    if (this.#fingerprint === undefined) {
      throw new InternalError("source/unfinished-pass", "The fingerprint was asked for before the batches ended.");
    }
    return this.#fingerprint;
  }

  async *#read(input: ByteInput, pass: PassOptions, options: ParquetSourceOptions): AsyncGenerator<Batch> {
    const { access, close } = await openInput(input);
    try {
      const hasher = (options.newHasher ?? plainHasher)();
      const file = await readParquetFooter(access);
      hasher.update(file.footer);
      yield* readRowGroups(access, file, hasher, pass, options.codecs ?? {});
      await access.verifyUnchanged?.();
      this.#fingerprint = `sha256:${hasher.digest()}`;
    } finally {
      await close();
    }
  }
}

async function* readRowGroups(
  access: RandomAccess, file: ParquetFile, hasher: Hasher, pass: PassOptions, codecs: PlatformCodecs,
): AsyncGenerator<Batch> {
  const place: Place = { area: "parquet", recordsBefore: 0 };
  const names = file.columns.map((column) => column.name);
  const requested = resolveColumns(names, pass.columns).map(({ request, index }) => {
    const column = file.columns[index]!;
    return { column, reader: columnReader(column.name, column.type, request, place) };
  });
  const columnOfLeaf = new Map(requested.map(({ column }) => [column.leaf, column]));
  const decompressors = new Map<number, Decompress>();
  let bytesDone = 0;

  for (const group of file.rowGroups) {
    const cursors = new Map<number, ChunkCursor[]>();
    for (const [leaf, chunk] of group.chunks.entries()) {
      pass.signal?.throwIfAborted();
      const column = columnOfLeaf.get(leaf);
      if (column === undefined) {
        await sweep(access, hasher, chunk.offset, chunk.bytes);
      } else {
        const bytes = await access.read(chunk.offset, chunk.bytes);
        hasher.update(bytes);
        let decompress = decompressors.get(chunk.codec);
        if (decompress === undefined) {
          decompress = await pageDecompressor(chunk.codec, codecs);
          decompressors.set(chunk.codec, decompress);
        }
        // A column may be asked for twice, as codes and as numbers; each reads for itself.
        const uses = requested.filter((other) => other.column === column);
        cursors.set(leaf, uses.map(() => new ChunkCursor(column, bytes, group.records, decompress)));
      }
      bytesDone += chunk.bytes;
    }
    pass.onBytes?.(bytesDone);

    const active = requested.map(({ column, reader }) => ({ reader, cursor: cursors.get(column.leaf!)!.pop()! }));
    for (let done = 0; done < group.records; ) {
      pass.signal?.throwIfAborted();
      let records = Math.min(BATCH_RECORDS, group.records - done);
      for (const { cursor } of active) records = Math.min(records, cursor.available());
      for (const { cursor, reader } of active) reader.read(cursor.take(records), 0, records);
      yield { records, columns: active.map(({ reader }) => reader.column) };
      done += records;
      place.recordsBefore += records;
    }
  }
}

async function sweep(access: RandomAccess, hasher: Hasher, offset: number, length: number): Promise<void> {
  for (let done = 0; done < length; done += SWEEP_BYTES) {
    hasher.update(await access.read(offset + done, Math.min(SWEEP_BYTES, length - done)));
  }
}
