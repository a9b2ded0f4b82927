import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { cellsOfPacked, packedLayout, sharedList } from "../cells/index.ts";
import { abandonReading, rangesStarted, sharedReading, type CsvFileRanges } from "../engines/local/file-ranges.ts";
import {
  checkNulls, InlineLane, joinKeys, rangesOf, surveyColumns,
  type Arranged, type ArrangeJob, type LanePool, type PlacedRecords, type ReadOptions, type RewriteSpec, type RewriteSummary,
  type Survey, type SurveySpec,
} from "../engines/local/index.ts";
import { DataError, DisclosureError, InternalError, PolicyError } from "../errors/index.ts";
import type { ColumnRequest, Source } from "../sources/source.ts";
import type { FoldedLane, LaneReading, LaneReply, LaneTask, RecodedLane } from "./lane-worker.ts";
import { createSpill } from "./spill-file.ts";
import { LEAF_BYTES, treeDigest } from "./tree-hash.ts";

/** A source that lanes can read in ranges says so with this. */
export interface RangedSource extends Source {
  /** Undefined when the file is better read in order. @throws DataError when the file has changed. */
  ranges(): Promise<CsvFileRanges | undefined>;
  /** @throws DataError when the file is no longer the one that was opened. */
  refuseChanged(): Promise<void>;
}

function isRanged(source: Source): source is RangedSource {
  return "ranges" in source;
}

const INLINE_BUDGET_BYTES = 320 * 1024 * 1024;

/** Smaller files are read before a thread has started. */
const WORTH_THREADS_BYTES = 24 * 1024 * 1024;

/** Beside the built code; running from sources there is no such file, and one lane in this thread serves. */
const WORKER = new URL("./lane-worker.js", import.meta.url);

/** Lanes in threads for large CSV files; everything else is read by one lane in this thread. */
export function startLanes(lanes: number = Math.min(4, availableParallelism())): LanePool {
  return new ThreadLanes(lanes);
}

class ThreadLanes implements LanePool {
  lanes = 1;
  readonly #wanted: number;
  readonly #inline = new InlineLane({ budgetBytes: INLINE_BUDGET_BYTES, openSpill: () => createSpill() });
  #threads: LaneThread[] = [];
  /** The reading whose records the threads still hold. */
  #kept: { readonly source: Source; readonly columns: string; readonly fingerprint: string } | undefined;

  /** [lanes] records of the second reading, where they lie in shared memory. */
  #placed: (PlacedRecords | undefined)[] = [];

  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  async survey(source: Source, spec: SurveySpec, options: ReadOptions): Promise<Survey> {
    this.#kept = undefined;
    // Lanes fold records by sorting packed codes, which carries no measures.
    const countsOnly = spec.measures.length === 0 && spec.weight === undefined && spec.frequency === undefined;
    const read = countsOnly
      ? await this.#inRanges<FoldedLane>(source, options, (reading) => ({ task: "survey", spec, ...reading }))
      : undefined;
    if (read === undefined) return this.#inline.survey(source, spec, options);
    const { keys, maps } = joinKeys(spec, read.results.map(({ dictionaries }) => dictionaries));
    const sizes = keys.map(({ dictionary }) => dictionary.size);
    const layout = packedLayout(sizes);
    if (layout === undefined) return this.#inline.survey(source, spec, options);

    const threads = this.#threads;
    const recoded = await Promise.all(threads.map((thread, t) => thread.call<RecodedLane>({ task: "recode", maps: maps[t]!, sizes })));
    const lists = recoded.map(({ list }) => list);
    const ranges = rangesOf(recoded.map(({ digits }) => digits), threads.length);
    const cellsOf = await Promise.all(threads.map((thread, t) => thread.call<number>({ task: "sort", lists, range: ranges[t]!, sizes })));
    const all = sharedList(cellsOf.reduce((sum, of) => sum + of, 0), layout, true);
    let at = 0;
    await Promise.all(
      threads.map((thread, t) => {
        const placed = thread.call({ task: "place", at, all });
        at += cellsOf[t]!;
        return placed;
      }),
    );
    const margins = keys.map((_, key) => sumOf(recoded.map((lane) => lane.margins[key]!)));
    const cells = cellsOfPacked(all, margins, keys.map(({ name }) => name), sizes);
    checkNulls(spec, cells);
    const { fingerprint } = read;
    if (spec.secondReading !== undefined && read.results.every(({ kept }) => kept)) {
      this.#kept = { source, columns: JSON.stringify([...surveyColumns(spec), ...spec.secondReading]), fingerprint };
    }
    return { cells, keys, rows: read.results.reduce((sum, { rows }) => sum + rows, 0), fingerprint };
  }

  async rewrite(
    source: Source, spec: RewriteSpec, columns: readonly ColumnRequest[], options: ReadOptions,
  ): Promise<{ summaries: readonly RewriteSummary[]; fingerprint: string }> {
    const kept = this.#kept;
    this.#kept = undefined;
    this.#placed = [];
    if (kept?.source === source && isRanged(source) && kept.columns === JSON.stringify(columns)) {
      await source.refuseChanged();
      this.lanes = this.#threads.length;
      const summaries = await Promise.all(this.#threads.map((thread) => thread.call<RewriteSummary>({ task: "rewrite-kept", spec })));
      this.#placed = summaries.map(({ placed }) => placed);
      options.signal?.throwIfAborted();
      await source.refuseChanged();
      return { summaries, fingerprint: kept.fingerprint };
    }
    const read = await this.#inRanges<RewriteSummary>(source, options, (reading) => ({ task: "rewrite", spec, columns, ...reading }));
    if (read === undefined) {
      this.lanes = 1;
      return this.#inline.rewrite(source, spec, columns, options);
    }
    this.lanes = this.#threads.length;
    return { summaries: read.results, fingerprint: read.fingerprint };
  }

  async take(lane: number, partition: number): Promise<readonly Uint32Array[]> {
    const placed = this.#placed[lane];
    if (placed !== undefined) return [placed.words.subarray(placed.starts[partition], placed.starts[partition + 1])];
    return this.lanes === 1 ? this.#inline.take(lane, partition) : this.#threads[lane]!.call({ task: "take", partition });
  }

  async prepareArrange(job: ArrangeJob): Promise<void> {
    if (this.lanes === 1) return this.#inline.prepareArrange(job);
    await Promise.all(this.#threads.map((thread) => thread.call({ task: "prepare", job })));
  }

  async arrange(lane: number, blocks: readonly (readonly Uint32Array[])[], spare?: ArrayBuffer): Promise<Arranged> {
    if (this.lanes === 1) return this.#inline.arrange(lane, blocks, spare);
    const transfer = blocks.flatMap((own) => own.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : [])));
    if (spare !== undefined) transfer.push(spare);
    return this.#threads[lane]!.call({ task: "arrange", blocks, spare }, transfer);
  }

  recountCsv(path: string, keys: readonly string[]): ReturnType<NonNullable<LanePool["recountCsv"]>> {
    return this.#threads[0]?.call({ task: "recount", path, keys });
  }

  async close(): Promise<void> {
    await this.#inline.close();
    await Promise.all(this.#threads.map((thread) => thread.close()));
    this.#threads = [];
  }

  /**
   * Let every lane read ranges of the file; undefined when the source must be read in order. When a lane fails, the file is
   * read in order instead, since only that gives the row of the first fault.
   */
  async #inRanges<Result>(
    source: Source, options: ReadOptions, task: (reading: LaneReading) => LaneTask,
  ): Promise<{ results: Result[]; fingerprint: string } | undefined> {
    if (this.#wanted < 2 || !isRanged(source) || (source.totalBytes ?? 0) < WORTH_THREADS_BYTES || !existsSync(fileURLToPath(WORKER))) return undefined;
    const file = await source.ranges();
    if (file === undefined || file.dataStart >= LEAF_BYTES) return undefined;
    options.signal?.throwIfAborted();
    while (this.#threads.length < this.#wanted) this.#threads.push(new LaneThread());
    const shared = sharedReading(file, LEAF_BYTES);
    const control = new Int32Array(shared.control);
    const abandon = (): void => abandonReading(control);
    // Thrown out of a timer, what the caller's callback throws would end the process and leave the staged files.
    let thrown: { readonly error: unknown } | undefined;
    const progress = setInterval(() => {
      try {
        options.onBytes?.(Math.min(file.bytes, rangesStarted(control) * LEAF_BYTES));
      } catch (error) {
        thrown ??= { error };
        abandon();
      }
    }, 200);
    options.signal?.addEventListener("abort", abandon);
    try {
      const results = await Promise.all(
        this.#threads.map(async (thread) => {
          try {
            return await thread.call<Result>(task({ file, rangeBytes: LEAF_BYTES, ...shared }));
          } catch (error) {
            abandon();
            return error instanceof InternalError ? Promise.reject(error) : undefined;
          }
        }),
      );
      if (thrown !== undefined) throw thrown.error;
      options.signal?.throwIfAborted();
      if (results.includes(undefined)) return undefined;
      await source.refuseChanged();
      const digests = new Uint8Array(shared.digests);
      const leaves = Array.from({ length: digests.length / 32 }, (_, leaf) => digests.subarray(leaf * 32, leaf * 32 + 32));
      return { results: results as Result[], fingerprint: `sha256:${treeDigest(leaves)}` };
    } finally {
      clearInterval(progress);
      options.signal?.removeEventListener("abort", abandon);
    }
  }
}

function sumOf(margins: readonly Float64Array[]): Float64Array {
  return margins[0]!.map((_, code) => margins.reduce((sum, margin) => sum + margin[code]!, 0));
}

const ERRORS = { PolicyError, DataError, DisclosureError, InternalError };

class LaneThread {
  readonly #worker = new Worker(WORKER);
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #next = 0;
  #died = false;

  constructor() {
    this.#worker.unref();
    this.#worker.on("message", (reply: LaneReply) => {
      const waiting = this.#waiting.get(reply.id)!;
      this.#waiting.delete(reply.id);
      this.#keepAlive();
      if (reply.error === undefined) waiting.resolve(reply.result as never);
      else {
        const { name, code, message, detail } = reply.error;
        const Class = ERRORS[name as keyof typeof ERRORS] ?? InternalError;
        waiting.reject(new Class(code, message, detail));
      }
    });
    const fail = (): void => {
      this.#died = true;
      for (const { reject } of this.#waiting.values()) reject(threadDied());
      this.#waiting.clear();
    };
    this.#worker.on("error", fail);
    this.#worker.on("exit", fail);
  }

  call<Result>(task: LaneTask, transfer: ArrayBuffer[] = []): Promise<Result> {
    if (this.#died) return Promise.reject(threadDied());
    const id = this.#next++;
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#keepAlive();
      this.#worker.postMessage({ id, task }, transfer);
    });
  }

  async close(): Promise<void> {
    this.#waiting.clear();
    await this.#worker.terminate();
  }

  /** An idle lane does not keep the process alive; a busy one does. */
  #keepAlive(): void {
    if (this.#waiting.size > 0) this.#worker.ref();
    else this.#worker.unref();
  }
}

function threadDied(): InternalError {
  return new InternalError("lanes/died", "A reading thread ended unexpectedly, perhaps for lack of memory. Nothing was published.");
}
