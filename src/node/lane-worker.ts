/** One lane in a thread of its own: reads ranges of a CSV file, folds or rewrites them, arranges partitions. */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { PackedFolder, packedLayout } from "../cells/index.ts";
import type { Batch, Dictionary } from "../columns/index.ts";
import { readRanges, type CsvFileRanges } from "../engines/local/file-ranges.ts";
import {
  Arranger, countDigits, placeRange, RewriteLane, RowKeeper, sortRange, surveyColumns,
  type ArrangeJob, type DigitRange, type RewriteSpec, type SurveySpec,
} from "../engines/local/index.ts";
import { CommensurateError, DataError, InternalError } from "../errors/index.ts";
import type { WordList } from "../kernels/packed-words.ts";
import type { ColumnRequest } from "../sources/source.ts";
import { countReleasedCsvInThread } from "../release/verify/released-csv.ts";
import { createSpill } from "./spill-file.ts";

/** What a lane is asked to do. */
export type LaneTask =
  | ({ readonly task: "survey"; readonly spec: SurveySpec } & LaneReading)
  | { readonly task: "recode"; readonly maps: readonly Int32Array[]; readonly sizes: readonly number[] }
  | { readonly task: "sort"; readonly lists: readonly WordList[]; readonly range: DigitRange; readonly sizes: readonly number[] }
  /** The lane keeps what it sorted until then. */
  | { readonly task: "place"; readonly at: number; readonly all: WordList }
  /** As rewrite, from the records that the survey kept. */
  | { readonly task: "rewrite-kept"; readonly spec: RewriteSpec }
  | ({ readonly task: "rewrite"; readonly spec: RewriteSpec; readonly columns: readonly ColumnRequest[] } & LaneReading)
  | { readonly task: "take"; readonly partition: number }
  | { readonly task: "prepare"; readonly job: ArrangeJob }
  | { readonly task: "arrange"; readonly blocks: readonly (readonly Uint32Array[])[]; readonly spare: ArrayBuffer | undefined }
  /** By the verifier's own code, from a released file. */
  | { readonly task: "recount"; readonly path: string; readonly keys: readonly string[] };

export interface LaneReading {
  readonly file: CsvFileRanges;
  readonly rangeBytes: number;
  readonly control: SharedArrayBuffer;
  readonly digests: SharedArrayBuffer;
}

/** Records of a lane, packed with final codes, and how many of them have each leading digit. */
export interface RecodedLane {
  readonly list: WordList;
  /** [keys][codes + 1] as in PackedCells. */
  readonly margins: readonly Float64Array[];
  readonly digits: Uint32Array;
}

/** What a lane tells of its first reading; it keeps the records. */
export interface FoldedLane {
  /** [keys] */
  readonly dictionaries: readonly Dictionary[];
  readonly rows: number;
  /** Whether all records were kept for the second reading. */
  readonly kept: boolean;
}

export interface LaneReply {
  readonly id: number;
  readonly result?: unknown;
  /** Only errors of ours cross: their texts hold no data. */
  readonly error?: { readonly name: string; readonly code: string; readonly message: string; readonly detail: CommensurateError["detail"] };
}

/** Records that wait to be arranged, of one lane, in memory; the rest goes to its encrypted spill. */
const LANE_BUDGET_BYTES = 160 * 1024 * 1024;

/** Records of the first reading that a lane keeps for the second. */
const KEPT_BYTES = 128 * 1024 * 1024;

/** Cells of one lane; beyond it the file is read in order, by a fold that spills. */
const LANE_CELLS_BYTES = 384 * 1024 * 1024;

let folder: PackedFolder | undefined;
let sorted: WordList | undefined;
let kept: RowKeeper | undefined;
let rewriting: RewriteLane | undefined;
let arranger: Arranger | undefined;

async function perform(task: LaneTask): Promise<{ result: unknown; transfer: ArrayBuffer[] }> {
  switch (task.task) {
    case "survey":
      return { result: await survey(task.spec, task), transfer: [] };
    case "recode": {
      const layout = packedLayout(task.sizes);
      if (layout === undefined) throw new InternalError("lanes/not-packable", "Cells were asked for that cannot be packed.");
      const { list, margins } = folder!.recoded(task.maps, task.sizes);
      folder = undefined;
      if (kept !== undefined) kept.keys = list;
      return { result: { list, margins, digits: countDigits(list, layout) } satisfies RecodedLane, transfer: [] };
    }
    case "sort":
      sorted = sortRange(task.lists, packedLayout(task.sizes)!, task.range);
      return { result: sorted.size, transfer: [] };
    case "place":
      placeRange(sorted!, task.at, task.all);
      sorted = undefined;
      return { result: undefined, transfer: [] };
    case "rewrite": {
      const lane = await newRewriteLane(task.spec);
      await withFile(task, task.columns, (batch) => lane.add(batch), () => lane.settle());
      return { result: lane.finish(), transfer: [] };
    }
    case "rewrite-kept": {
      const lane = await newRewriteLane(task.spec);
      await lane.addKept(kept!);
      kept = undefined;
      return { result: lane.finish(), transfer: [] };
    }
    case "take": {
      const blocks = await rewriting!.take(task.partition);
      return { result: blocks, transfer: blocks.map(({ buffer }) => buffer as ArrayBuffer) };
    }
    case "prepare":
      arranger = new Arranger(task.job);
      return { result: undefined, transfer: [] };
    case "arrange": {
      const arranged = arranger!.arrange(task.blocks, task.spare);
      const transfer: ArrayBuffer[] = arranged.csv === undefined ? [] : [arranged.csv.buffer as ArrayBuffer];
      return { result: arranged, transfer };
    }
    case "recount":
      return recount(task.path, task.keys);
  }
}

function recount(path: string, keys: readonly string[]): { result: unknown; transfer: ArrayBuffer[] } {
  const fd = openSync(path, "r");
  try {
    const counted = countReleasedCsvInThread((into) => readSync(fd, into, 0, into.length, null), keys);
    return { result: counted, transfer: [counted.classSizes.buffer as ArrayBuffer] };
  } finally {
    closeSync(fd);
  }
}

async function survey(spec: SurveySpec, reading: LaneReading): Promise<FoldedLane> {
  const keys = spec.keys.length;
  const own = new PackedFolder(keys);
  const keeper = spec.secondReading === undefined ? undefined : new RowKeeper(KEPT_BYTES);
  let dictionaries: (Dictionary | undefined)[] = spec.keys.map(() => undefined);
  let rows = 0;
  const codesOf = (batch: Batch): Int32Array[] => batch.columns.slice(0, keys).map((column) => (column.kind === "codes" ? column.codes : new Int32Array(0)));
  await withFile(reading, [...surveyColumns(spec), ...(spec.secondReading ?? [])], (batch) => {
    own.add(batch.records, codesOf(batch));
    keeper?.add(batch.records, batch.columns.slice(keys));
    dictionaries = batch.columns.slice(0, keys).map((column) => (column.kind === "codes" ? column.dictionary : undefined));
    rows += batch.records;
    if (own.bytes > LANE_CELLS_BYTES) throw new DataError("cells/over-budget", "The cells of one lane outgrew its memory.");
  });
  folder = own;
  kept = keeper?.complete === true && own.inOrder ? keeper : undefined;
  return { dictionaries: dictionaries.map(exactCopy), rows, kept: kept !== undefined };
}

async function newRewriteLane(spec: RewriteSpec): Promise<RewriteLane> {
  await rewriting?.close();
  rewriting = new RewriteLane(spec, { budgetBytes: LANE_BUDGET_BYTES, openSpill: createSpill });
  return rewriting;
}

async function withFile(
  task: LaneReading, columns: readonly ColumnRequest[], onBatch: Parameters<typeof readRanges>[6], afterRange?: () => Promise<void>,
): Promise<void> {
  const fd = openSync(task.file.path, "r");
  try {
    await readRanges(
      task.file, { control: new Int32Array(task.control), digests: new Uint8Array(task.digests) }, task.rangeBytes, columns,
      (into, position) => readSync(fd, into, 0, into.length, position),
      (bytes) => createHash("sha256").update(bytes).digest(),
      onBatch,
      afterRange,
    );
  } finally {
    closeSync(fd);
  }
}

function exactCopy(dictionary: Dictionary | undefined): Dictionary {
  if (dictionary === undefined) return { size: 0, offsets: new Uint32Array(1), bytes: new Uint8Array(0) };
  const { size, offsets, bytes } = dictionary;
  return { size, offsets: offsets.slice(0, size + 1), bytes: bytes.slice(0, offsets[size]) };
}

parentPort!.on("message", async ({ id, task }: { id: number; task: LaneTask }) => {
  try {
    const { result, transfer } = await perform(task);
    parentPort!.postMessage({ id, result } satisfies LaneReply, transfer);
  } catch (thrown) {
    const error = thrown instanceof CommensurateError ? thrown : new InternalError("lanes/failed", "A reading thread failed unexpectedly.");
    const { name, code, message, detail } = error;
    parentPort!.postMessage({ id, error: { name, code, message, detail } } satisfies LaneReply);
  }
});
