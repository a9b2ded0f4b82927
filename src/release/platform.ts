import type { Spill } from "../columns/spill.ts";
import type { RandomBits } from "../random/random-bits.ts";
import type { ByteSink } from "../sinks/sink.ts";
import type { NewHasher } from "../sources/hasher.ts";
import type { Source } from "../sources/source.ts";
import type { LanePool } from "../engines/local/lanes.ts";
import type { ReleasedCsvCount } from "./verify/released-csv.ts";

/** What the corridor needs from the machine it runs on. `node/` has one for Node; tests make their own. */
export interface Platform {
  readonly newHasher: NewHasher;
  readonly randomBits: () => RandomBits;
  /** Open a data file. @throws DataError when it cannot be read or its format is not known. */
  openFile(path: string, settings: FileSettings): Promise<Source>;
  /** Text of a small file beside the policy, such as a hierarchy. */
  readText(path: string): Promise<string>;
  /** Encrypted temporary storage that leaves nothing behind. */
  newSpill(): Promise<Spill>;
  /** Threads for sources that can be read in ranges; undefined where there are none. */
  startLanes(): Promise<LanePool | undefined>;
  /** A place in which a release is put together, unseen until published. */
  stage(target: string): Promise<Stage>;
  /** A release on disk, published or staged. */
  openRelease(directory: string): Promise<ReleaseReader>;
}

export interface FileSettings {
  readonly format?: "csv" | "arrow" | "parquet" | undefined;
  readonly delimiter?: string | undefined;
}

/** A place of the caller's for releases. Everything staged there appears at once, in `publish`, or not at all. */
export interface ReleaseTarget {
  stage(newHasher: NewHasher): Promise<Stage>;
  /** What was published last. */
  open(newHasher: NewHasher): Promise<ReleaseReader>;
}

export interface Stage {
  readonly reader: ReleaseReader;
  /** A new file, by its path in the release such as "public/people.csv". */
  create(path: string): Promise<ByteSink>;
  /** Make the staged files appear at the target: all of them, or none. Returns where they are. */
  publish(): Promise<string>;
  /** Remove every trace. */
  abort(): Promise<void>;
}

export interface ReleaseReader {
  /** Every file, as sorted paths with "/" between folders. @throws DataError for anything that is no plain file or folder. */
  list(): Promise<readonly string[]>;
  chunks(path: string): AsyncIterable<Uint8Array>;
  /** Where the file lies, for a thread that reads it on its own; absent when there is no such place. */
  location?(path: string): string;
  /** Recount a released CSV elsewhere, while this thread does something else; absent when nobody is idle. */
  countCsv?(path: string, keys: readonly string[]): Promise<ReleasedCsvCount>;
  /** The file as a source, read by code that shares nothing with the writers. */
  source(path: string): Promise<Source>;
}
