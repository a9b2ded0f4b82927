import type { Batch } from "../../columns/index.ts";
import { CsvRenderer, type CsvOptions, type ReleasedColumn, type RunBatch } from "../../sinks/index.ts";
import type { ColumnRequest, Source } from "../../sources/source.ts";
import { arrangePartition, batchOfRuns, type ArrangeSpec, type LaneBlocks } from "./arrange.ts";
import { RewriteLane, type LaneStorage, type RewriteSpec, type RewriteSummary } from "./rewrite-lane.ts";
import { surveyInThisThread, type ReadOptions, type Survey, type SurveySpec } from "./survey.ts";

/** What every lane needs before it arranges partitions. */
export interface ArrangeJob {
  readonly spec: ArrangeSpec;
  /** [lanes][columns] lane code -> released code, for columns of kind "codes". */
  readonly toReleased: readonly LaneBlocks["toReleased"][];
  /** Render CSV as well as, or instead of, giving columns back. */
  readonly csv?: { readonly columns: readonly ReleasedColumn[]; readonly options: CsvOptions } | undefined;
  readonly wantBatch: boolean;
}

export interface Arranged {
  readonly records: number;
  readonly batch?: Batch | undefined;
  /** Rendered rows, without the header. Valid until the next partition is asked for. */
  readonly csv?: Uint8Array | undefined;
}

/**
 * Where records are read and rewritten: one lane per thread, or the one lane of this thread. A lane keeps what it read in
 * the second reading until it is taken from it, partition by partition.
 */
export interface LanePool {
  readonly lanes: number;
  survey(source: Source, spec: SurveySpec, options: ReadOptions): Promise<Survey>;
  rewrite(
    source: Source, spec: RewriteSpec, columns: readonly ColumnRequest[], options: ReadOptions,
  ): Promise<{ summaries: readonly RewriteSummary[]; fingerprint: string }>;
  take(lane: number, partition: number): Promise<readonly Uint32Array[]>;
  prepareArrange(job: ArrangeJob): Promise<void>;
  /**
   * Each lane arranges one partition at a time.
   * @param blocks [lanes] what was taken from each
   * @param spare  memory of CSV rows that are no longer needed, to write the next ones to
   */
  arrange(lane: number, blocks: readonly (readonly Uint32Array[])[], spare?: ArrayBuffer): Promise<Arranged>;
  /**
   * Let an idle lane recount a released file by the verifier's own code; undefined when there is none.
   * @param path of a file on this machine
   */
  recountCsv?(path: string, keys: readonly string[]): Promise<Recounted> | undefined;
  close(): Promise<void>;
}

/** What a lane found in a released file. */
export interface Recounted {
  readonly header: readonly string[];
  readonly records: number;
  /** Records per class over the keys. */
  readonly classSizes: Float64Array;
}

/** One partition arranged and rendered as the job says; shared by all kinds of lanes. */
export class Arranger {
  readonly #job: ArrangeJob;
  readonly #renderer: CsvRenderer | undefined;

  constructor(job: ArrangeJob) {
    this.#job = job;
    if (job.csv !== undefined) {
      const dictionaries = job.spec.columns.map((column) => (column.kind === "numbers" ? undefined : column.dictionary));
      this.#renderer = new CsvRenderer(job.csv.columns, dictionaries, job.csv.options);
    }
  }

  arrange(blocks: readonly (readonly Uint32Array[])[], spare?: ArrayBuffer): Arranged {
    const runs = arrangePartition(this.#job.spec, blocks.map((own, lane) => ({ blocks: own, toReleased: this.#job.toReleased[lane]! })));
    return {
      records: runs.records,
      batch: this.#job.wantBatch ? batchOfRuns(runs) : undefined,
      csv: this.#renderer === undefined ? undefined : rendered(this.#renderer, runs, spare),
    };
  }
}

/** Rows are given whole multiples of this, so that the memory of one partition's will do for another's. */
const SPARE_BYTES = 1 << 19;

function rendered(renderer: CsvRenderer, batch: RunBatch, spare: ArrayBuffer | undefined): Uint8Array {
  renderer.checkRuns(batch);
  const likely = renderer.maxRowBytes + Math.min(batch.records * renderer.maxRowBytes, 64 * Math.max(1, batch.records));
  const room = Math.ceil(likely / SPARE_BYTES) * SPARE_BYTES;
  let out = spare !== undefined && spare.byteLength >= likely ? new Uint8Array(spare) : new Uint8Array(room);
  let at = 0;
  for (let from = 0; from < batch.records; from = renderer.next) {
    at = renderer.renderRuns(batch, out, at, from);
    if (renderer.next < batch.records) {
      const grown = new Uint8Array(out.length * 2 + renderer.maxRowBytes);
      grown.set(out.subarray(0, at));
      out = grown;
    }
  }
  return out.subarray(0, at);
}

/** The lane of this thread, for sources that can only be read in order. */
export class InlineLane implements LanePool {
  readonly lanes = 1;
  readonly #storage: LaneStorage | undefined;
  #lane: RewriteLane | undefined;
  #arranger: Arranger | undefined;

  /** @param storage for what outgrows memory; without it everything is kept in memory */
  constructor(storage?: LaneStorage) {
    this.#storage = storage;
  }

  survey(source: Source, spec: SurveySpec, options: ReadOptions): Promise<Survey> {
    return surveyInThisThread(source, spec, options, this.#storage);
  }

  async rewrite(
    source: Source, spec: RewriteSpec, columns: readonly ColumnRequest[], options: ReadOptions,
  ): Promise<{ summaries: RewriteSummary[]; fingerprint: string }> {
    const lane = new RewriteLane(spec, this.#storage);
    this.#lane = lane;
    const pass = await source.open({ columns, ...options });
    for await (const batch of pass.batches) {
      lane.add(batch);
      await lane.settle();
    }
    return { summaries: [lane.finish()], fingerprint: pass.fingerprint() };
  }

  take(_lane: number, partition: number): Promise<Uint32Array[]> {
    return this.#lane!.take(partition);
  }

  async prepareArrange(job: ArrangeJob): Promise<void> {
    this.#arranger = new Arranger(job);
  }

  async arrange(_lane: number, blocks: readonly (readonly Uint32Array[])[], spare?: ArrayBuffer): Promise<Arranged> {
    return this.#arranger!.arrange(blocks, spare);
  }

  async close(): Promise<void> {
    await this.#lane?.close();
    this.#lane = undefined;
  }
}
