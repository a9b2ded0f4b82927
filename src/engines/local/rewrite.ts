import { joinDictionaries, nullRefused, recodeDictionary, type Dictionary, type Recoding } from "../../columns/index.ts";
import { buildClassStages } from "../../kernels/class-index.ts";
import { sortedOrder } from "../../kernels/sort-words.ts";
import { compactDictionary, CsvRenderer, markUsedCodes, type CsvOptions, type ReleasedColumn } from "../../sinks/index.ts";
import type { ColumnRequest, Source } from "../../sources/source.ts";
import type { ArrangeColumn } from "./arrange.ts";
import type { Arranged, LanePool } from "./lanes.ts";
import { changed, type RewriteSpec, type RewriteSummary } from "./rewrite-lane.ts";
import type { ReadOptions } from "./survey.ts";

/** The second reading: which records are released, and as what. */
export interface RewriteJob {
  readonly keys: readonly {
    readonly name: string;
    /** Values as the first reading saw them. */
    readonly raw: Dictionary;
    /** [raw codes] code in `labels`, -1 for null. */
    readonly toLevel: Int32Array;
    /** [codes of the cells] code in `labels`, -1 for null. */
    readonly cellToLevel: Int32Array;
    /** Values at the planned level. */
    readonly labels: Dictionary;
  }[];
  /** Released classes; records of other classes are withheld. */
  readonly classes: {
    readonly size: number;
    /** [keys][classes] code in the key's `labels`, -1 for null. */
    readonly codes: readonly Int32Array[];
    /** [classes] records that the first reading counted. */
    readonly records: Float64Array;
  };
  /** Released columns that are not keys. */
  readonly others: readonly (
    | { readonly name: string; readonly as: "codes"; readonly recoding: Recoding }
    | { readonly name: string; readonly as: "numbers"; readonly nulls: readonly string[]; readonly nullMeaning: "category" | "refuse" }
  )[];
  /** Released columns in output order: their name and type, and which key or other they come from. */
  readonly columns: readonly { readonly released: ReleasedColumn; readonly key?: number; readonly other?: number }[];
  readonly csv?: CsvOptions | undefined;
  readonly wantBatch: boolean;
}

export interface Rewritten {
  /** Records read in the second reading, withheld ones included. */
  readonly recordsRead: number;
  /** Records released. */
  readonly records: number;
  readonly fingerprint: string;
  /** [columns] exactly the values that are released, in byte order; undefined for columns of numbers. */
  readonly dictionaries: readonly (Dictionary | undefined)[];
  /** First line of the CSV, when CSV was asked for. */
  readonly csvHeader: Uint8Array | undefined;
  /** Released records in released order. */
  partitions(): AsyncIterable<Arranged>;
}

/** Records of a partition are arranged within the cache; many partitions would each hold a block of every lane. */
const LEAST_PARTITION_RECORDS = 1 << 15;
const MOST_PARTITION_RECORDS = 1 << 17;
const PARTITIONS = 256;

/**
 * Read the records again and rewrite them. Generalizing is a lookup per distinct value; a record is released when its class is.
 * Memory: 4 to 8 bytes per released record and column that is not a key, beside the lanes' blocks.
 * @throws DataError `source/changed` when the second reading differs from the first.
 */
export async function rewrite(lanes: LanePool, source: Source, job: RewriteJob, options: ReadOptions = {}): Promise<Rewritten> {
  const keyLabels = job.keys.map((key, k) => {
    const used = new Uint8Array(key.labels.size);
    markUsedCodes(job.classes.codes[k]!, job.classes.size, used);
    return compactDictionary(key.labels, used);
  });
  const sorted = sortClasses(job, keyLabels.map(({ dictionary }) => dictionary), keyLabels.map((compact, k) => remapped(job.classes.codes[k]!, compact.map)));
  const { partitionOf, partitions } = cutPartitions(sorted.records);
  const spec: RewriteSpec = {
    keys: job.keys.map(({ name, raw, toLevel, cellToLevel }) => ({ name, raw, toLevel, cellToLevel })),
    others: job.others.map(({ name, as }) => ({ name, as })),
    stages: buildClassStages(sorted.levelCodes, job.keys.map((key) => key.labels.size), job.classes.size),
    partitionOf,
    partitions,
  };
  const requests: ColumnRequest[] = [
    ...job.keys.map(({ name }): ColumnRequest => ({ name, as: "codes" })),
    ...job.others.map((other): ColumnRequest => (other.as === "codes" ? { name: other.name, as: "codes" } : { name: other.name, as: "numbers", nulls: other.nulls })),
  ];
  const { summaries, fingerprint } = await lanes.rewrite(source, spec, requests, options);
  const others = job.others.map((other, o) => releasedValues(other, o, summaries));

  let word = 1;
  const words = job.others.map((other) => {
    const at = word;
    word += other.as === "codes" ? 1 : 2;
    return at;
  });
  const arrangeColumns = job.columns.map(({ key, other }): ArrangeColumn => {
    if (key !== undefined) return { kind: "key", codeOfClass: sorted.releasedCodes[key]!, dictionary: keyLabels[key]!.dictionary };
    const values = others[other!];
    return values === undefined
      ? { kind: "numbers", word: words[other!]! }
      : { kind: "codes", word: words[other!]!, dictionary: values.dictionary };
  });
  await lanes.prepareArrange({
    spec: { columns: arrangeColumns, words: word },
    toReleased: summaries.map((_, lane) => job.columns.map(({ other }) => (other === undefined ? undefined : others[other]?.toReleased[lane]))),
    csv: job.csv === undefined ? undefined : { columns: job.columns.map(({ released }) => released), options: job.csv },
    wantBatch: job.wantBatch,
  });

  const dictionaries = arrangeColumns.map((column) => (column.kind === "numbers" ? undefined : column.dictionary));
  const csvHeader = job.csv && new CsvRenderer(job.columns.map(({ released }) => released), dictionaries, job.csv).header;
  let expected = 0;
  for (let c = 0; c < sorted.records.length; c++) expected += sorted.records[c]!;
  return {
    recordsRead: summaries.reduce((sum, summary) => sum + summary.records, 0),
    records: expected,
    fingerprint,
    dictionaries,
    csvHeader,
    partitions: () => arrangedInOrder(lanes, partitions, expected),
  };
}

async function* arrangedInOrder(lanes: LanePool, partitions: number, expected: number): AsyncIterable<Arranged> {
  const spare: ArrayBuffer[] = [];
  const start = async (partition: number): Promise<Arranged> => {
    const blocks: (readonly Uint32Array[])[] = [];
    for (let lane = 0; lane < lanes.lanes; lane++) blocks.push(await lanes.take(lane, partition));
    return lanes.arrange(partition % lanes.lanes, blocks, spare.pop());
  };
  // One partition ahead for every lane, so that none waits for the writer.
  const ahead: Promise<Arranged>[] = [];
  let next = 0;
  let records = 0;
  const fill = (): void => {
    while (next < partitions && ahead.length < 2 * lanes.lanes) {
      const arranged = start(next++);
      arranged.catch(() => {}); // reported when its turn comes
      ahead.push(arranged);
    }
  };
  for (fill(); ahead.length > 0; fill()) {
    const arranged = await ahead.shift()!;
    records += arranged.records;
    yield arranged;
    if (arranged.csv !== undefined) spare.push(arranged.csv.buffer as ArrayBuffer);
  }
  if (records !== expected) throw changed("(the number of records of its classes)");
}

function sortClasses(
  job: RewriteJob, labels: readonly Dictionary[], released: readonly Int32Array[],
): { records: Float64Array; levelCodes: Int32Array[]; releasedCodes: Int32Array[] } {
  // Output columns from left to right decide the order, so that the file reads as sorted.
  const byColumn = job.columns.flatMap(({ key }) => (key === undefined ? [] : [{ codes: released[key]!, size: labels[key]!.size }]));
  const { words, bounds } = joinedWords(byColumn, job.classes.size);
  const order = sortedOrder(words, bounds, job.classes.size);
  const inOrder = <Values extends Int32Array | Float64Array>(values: Values, ordered: Values): Values => {
    for (let c = 0; c < order.length; c++) ordered[c] = values[order[c]!]!;
    return ordered;
  };
  return {
    records: inOrder(job.classes.records, new Float64Array(order.length)),
    levelCodes: job.classes.codes.map((codes) => inOrder(codes, new Int32Array(order.length))),
    releasedCodes: released.map((codes) => inOrder(codes, new Int32Array(order.length))),
  };
}

/** Columns of codes, null first, in as few words as hold them: the first most significant. */
function joinedWords(
  columns: readonly { readonly codes: Int32Array; readonly size: number }[], classes: number,
): { words: Uint32Array[]; bounds: number[] } {
  const words: Uint32Array[] = [];
  const bounds: number[] = [];
  for (const { codes, size } of columns) {
    const range = 2 ** (32 - Math.clz32(size));
    if (words.length === 0 || bounds.at(-1)! * range > 2 ** 32) {
      words.push(new Uint32Array(classes));
      bounds.push(1);
    }
    bounds.push(bounds.pop()! * range);
    appendCodes(codes, 32 - Math.clz32(size), words.at(-1)!);
  }
  return { words, bounds };
}

function appendCodes(codes: Int32Array, bits: number, word: Uint32Array): void {
  for (let c = 0; c < word.length; c++) word[c] = (word[c]! << bits) | (codes[c]! + 1);
}

function cutPartitions(records: Float64Array): { partitionOf: Uint32Array; partitions: number } {
  const partitionOf = new Uint32Array(records.length);
  let all = 0;
  for (let c = 0; c < records.length; c++) all += records[c]!;
  const most = Math.min(MOST_PARTITION_RECORDS, Math.max(LEAST_PARTITION_RECORDS, all / PARTITIONS));
  let partition = 0;
  let held = 0;
  for (let c = 0; c < records.length; c++) {
    if (held > 0 && held + records[c]! > most) {
      partition++;
      held = 0;
    }
    partitionOf[c] = partition;
    held += records[c]!;
  }
  return { partitionOf, partitions: records.length === 0 ? 0 : partition + 1 };
}

function remapped(codes: Int32Array, map: Int32Array): Int32Array {
  const mapped = new Int32Array(codes.length);
  for (let c = 0; c < codes.length; c++) mapped[c] = codes[c]! < 0 ? -1 : map[codes[c]!]!;
  return mapped;
}

/** Values of one column that occur in released records, in byte order, and how each lane's codes translate. */
function releasedValues(
  other: RewriteJob["others"][number], o: number, summaries: readonly RewriteSummary[],
): { dictionary: Dictionary; toReleased: readonly Int32Array[] } | undefined {
  const nulls = summaries.some((summary) => summary.nulls[o]!);
  if (other.as === "numbers") {
    if (nulls && other.nullMeaning === "refuse") throw nullRefused(other.name);
    return undefined;
  }
  if (nulls && other.recoding.nullMeaning === "refuse") throw nullRefused(other.name);
  const compacts = summaries.map((summary) => compactDictionary(summary.dictionaries[o]!, summary.used[o]!));
  const { joined, maps } = joinDictionaries(compacts.map((compact) => compact.dictionary));
  const recoded = recodeDictionary(joined, other.recoding, other.name);
  const sorted = compactDictionary(recoded.dictionary, new Uint8Array(recoded.dictionary.size).fill(1));
  const toReleased = compacts.map((compact, lane) =>
    compact.map.map((code) => {
      if (code < 0) return -1;
      const value = recoded.map[maps[lane]?.[code] ?? code]!;
      return value < 0 ? -1 : sorted.map[value]!;
    }),
  );
  return { dictionary: sorted.dictionary, toReleased };
}
