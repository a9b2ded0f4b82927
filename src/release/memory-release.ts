import { DataError, InternalError } from "../errors/index.ts";
import type { ByteSink } from "../sinks/sink.ts";
import { bytesFromArray, joinBytes } from "../sources/bytes.ts";
import { csvSource } from "../sources/csv/index.ts";
import type { NewHasher } from "../sources/hasher.ts";
import type { ReleaseReader, ReleaseTarget, Stage } from "./platform.ts";

/**
 * A release that appears in memory instead of a folder, for programs that send it on themselves. Like a folder it has all files of
 * a verified release, or those that were there before. Memory: the files, and while a release replaces another, both.
 *
 * @example
 * const out = new MemoryRelease();
 * await release(policy, { source: records, out });
 * await upload(out.files.get("public/visits.csv"));
 */
export class MemoryRelease implements ReleaseTarget {
  #files: ReadonlyMap<string, Uint8Array> = new Map();

  /** By path, such as "public/visits.csv" or "internal/evidence.json"; empty before a release was published. */
  get files(): ReadonlyMap<string, Uint8Array> {
    return this.#files;
  }

  async stage(newHasher: NewHasher): Promise<Stage> {
    const staged = new Map<string, Uint8Array>();
    return {
      reader: memoryReader(staged, newHasher),
      create: async (path) => sinkTo(staged, path),
      publish: async () => {
        this.#files = new Map([...staged].sort(([a], [b]) => (a < b ? -1 : 1)));
        return "memory";
      },
      abort: async () => staged.clear(),
    };
  }

  async open(newHasher: NewHasher): Promise<ReleaseReader> {
    return memoryReader(this.#files, newHasher);
  }
}

function sinkTo(files: Map<string, Uint8Array>, path: string): ByteSink {
  if (files.has(path)) throw new InternalError("staging/bad-name", "A file of the release is written twice.", { file: path });
  let chunks: Uint8Array[] = [];
  files.set(path, new Uint8Array(0));
  return {
    write: async (chunk) => {
      chunks.push(chunk.slice());
    },
    close: async () => {
      files.set(path, joinBytes(chunks));
      chunks = [];
    },
    abort: async () => {
      chunks = [];
      files.delete(path);
    },
  };
}

function memoryReader(files: ReadonlyMap<string, Uint8Array>, newHasher: NewHasher): ReleaseReader {
  const bytesOf = (path: string): Uint8Array => {
    const bytes = files.get(path);
    if (bytes === undefined) throw new DataError("source/not-found", "The release in memory lacks a file that it should have.", { file: path });
    return bytes;
  };
  return {
    list: async () => [...files.keys()].sort(),
    chunks: (path) => bytesFromArray(bytesOf(path), { hasher: newHasher }).open(),
    async source(path) {
      const bytes = bytesOf(path);
      if (path.endsWith(".csv")) return csvSource(bytesFromArray(bytes, { hasher: newHasher }));
      if (path.endsWith(".arrow")) return (await import("../sources/arrow/index.ts")).arrowSource(bytes, { newHasher });
      return (await import("../sources/parquet/index.ts")).parquetSource(bytes, { newHasher });
    },
  };
}
