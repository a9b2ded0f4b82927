import { DictionaryBuilder, type Batch, type Dictionary } from "../../columns/index.ts";
import type { OpenSpill, Spill, SpillHandle } from "../../columns/spill.ts";
import { DataError } from "../../errors/index.ts";
import { classOf, type ClassStage } from "../../kernels/class-index.ts";

/** What a lane must know to rewrite records; plain data, so that it can be sent to a thread. */
export interface RewriteSpec {
  /** Keys in the order of the class codes; the pass gives them first. */
  readonly keys: readonly RewriteKey[];
  /** The other released columns, which the pass gives after the keys. */
  readonly others: readonly { readonly name: string; readonly as: "codes" | "numbers" }[];
  /** Finds the class of a record from its generalized codes; withheld classes are not in it. */
  readonly stages: readonly ClassStage[];
  /** [classes] partition that each class belongs to. */
  readonly partitionOf: Uint32Array;
  readonly partitions: number;
}

export interface RewriteKey {
  readonly name: string;
  /** Raw values as the first pass saw them. */
  readonly raw: Dictionary;
  /** [raw codes] code at the planned level, -1 for null. */
  readonly toLevel: Int32Array;
}

/** What a lane found out, besides the records that it keeps. */
export interface RewriteSummary {
  /** Records read, withheld ones included. */
  readonly records: number;
  /** [others] the lane's own dictionary of a "codes" column. */
  readonly dictionaries: readonly (Dictionary | undefined)[];
  /** [others][codes] 1 where a released record has the value. */
  readonly used: readonly (Uint8Array | undefined)[];
  /** [others] whether a released record has a null. */
  readonly nulls: readonly boolean[];
}

const BLOCK_WORDS = 8192;

/** Where kept records go when they outgrow memory. */
export interface LaneStorage {
  readonly budgetBytes: number;
  readonly openSpill: OpenSpill;
}

/**
 * Second reading of the records: finds each record's class and keeps the record, if its class is released, as fixed-width
 * words in the partition of its class: class, then one word per code column and two per number column.
 * Memory: 4 bytes per word of each released record, up to the budget; beyond it full blocks move to the spill, and one
 * block per partition stays.
 */
export class RewriteLane {
  readonly words: number;
  readonly #spec: RewriteSpec;
  readonly #dictionaries: (DictionaryBuilder | undefined)[];
  readonly #used: (Uint8Array | undefined)[];
  readonly #nulls: boolean[];
  readonly #blocks: Uint32Array[][];
  readonly #filled: Uint32Array;
  /** [keys] values of the first reading, to find their codes again. */
  readonly #rawKeys: DictionaryBuilder[];
  /** [keys] code in the pass's dictionary -> code at the planned level. */
  readonly #keyMaps: { dictionary: Dictionary | undefined; map: Int32Array }[];
  /** [others] code in the pass's dictionary -> code in the lane's. */
  readonly #otherMaps: { dictionary: Dictionary | undefined; map: Int32Array }[];
  #classes = new Int32Array(0);
  #packed = new Float64Array(0);
  #places = new Int32Array(0);
  #placeBlock = new Int32Array(0);
  #records = 0;
  readonly #storage: LaneStorage | undefined;
  #spill: Spill | undefined;
  /** [partitions] blocks in the spill, in words. */
  readonly #spilled: SpillHandle[][];
  #fullBlocks = 0;

  constructor(spec: RewriteSpec, storage?: LaneStorage) {
    this.#spec = spec;
    this.#storage = storage;
    this.#spilled = Array.from({ length: spec.partitions }, () => []);
    this.words = 1 + spec.others.reduce((sum, other) => sum + (other.as === "codes" ? 1 : 2), 0);
    this.#dictionaries = spec.others.map((other) => (other.as === "codes" ? new DictionaryBuilder() : undefined));
    this.#used = spec.others.map((other) => (other.as === "codes" ? new Uint8Array(256) : undefined));
    this.#nulls = spec.others.map(() => false);
    this.#blocks = Array.from({ length: spec.partitions }, () => []);
    this.#filled = new Uint32Array(spec.partitions);
    this.#rawKeys = spec.keys.map(({ raw }) => {
      const builder = new DictionaryBuilder();
      for (let code = 0; code < raw.size; code++) builder.add(raw.bytes, raw.offsets[code]!, raw.offsets[code + 1]!);
      return builder;
    });
    this.#keyMaps = spec.keys.map(() => ({ dictionary: undefined, map: new Int32Array(0) }));
    this.#otherMaps = spec.others.map(() => ({ dictionary: undefined, map: new Int32Array(0) }));
  }

  /** @throws DataError `source/changed` when a key has a value that the first reading did not see. */
  add(batch: Batch): void {
    const { records } = batch;
    if (this.#classes.length < records) {
      this.#classes = new Int32Array(records);
      this.#packed = new Float64Array(records);
      this.#places = new Int32Array(records);
      this.#placeBlock = new Int32Array(records);
    }
    const classes = this.#classes;
    this.#findClasses(batch, classes);
    this.#keep(batch, classes);
    this.#records += records;
  }

  finish(): RewriteSummary {
    return {
      records: this.#records,
      dictionaries: this.#dictionaries.map((dictionary) => dictionary?.freeze()),
      used: this.#used.map((used, other) => used?.slice(0, this.#dictionaries[other]!.size)),
      nulls: this.#nulls,
    };
  }

  /** Move full blocks to the spill once they outgrow the budget. To be called between batches. */
  async settle(): Promise<void> {
    if (this.#storage === undefined || this.#fullBlocks * BLOCK_WORDS * 4 <= this.#storage.budgetBytes) return;
    this.#spill ??= await this.#storage.openSpill();
    for (const [partition, blocks] of this.#blocks.entries()) {
      for (const block of blocks.splice(0, Math.max(0, blocks.length - 1))) {
        this.#spilled[partition]!.push(await this.#spill.append(new Uint8Array(block.buffer)));
      }
    }
    this.#fullBlocks = 0;
  }

  /** Hand over one partition's records; the lane forgets them. */
  async take(partition: number): Promise<Uint32Array[]> {
    const blocks: Uint32Array[] = [];
    for (const handle of this.#spilled[partition]!) {
      const bytes = await this.#spill!.read(handle);
      // A copy of its own, so that it can be handed to another thread.
      blocks.push(new Uint32Array(bytes.slice().buffer));
    }
    this.#spilled[partition] = [];
    blocks.push(...this.#blocks[partition]!);
    const last = blocks.length - 1;
    if (this.#blocks[partition]!.length > 0) blocks[last] = blocks[last]!.slice(0, this.#filled[partition]!);
    this.#blocks[partition] = [];
    this.#filled[partition] = 0;
    return blocks;
  }

  /** Give temporary storage back. */
  async close(): Promise<void> {
    await this.#spill?.close();
    this.#spill = undefined;
  }

  #findClasses(batch: Batch, classes: Int32Array): void {
    const { records } = batch;
    const spec = this.#spec;
    const packed = this.#packed;
    let first = true;
    for (const stage of spec.stages) {
      if (first) packed.fill(0, 0, records);
      else for (let i = 0; i < records; i++) packed[i] = (classes[i]! + 1) * stage.previousStride;
      for (let key = stage.from; key < stage.to; key++) {
        const column = batch.columns[key]!;
        if (column.kind !== "codes") throw changed(spec.keys[key]!.name);
        addStrided(column.codes, this.#keyMap(key, column.dictionary), stage.index.strides[key - stage.from]!, records, packed);
      }
      const { direct } = stage.index;
      if (first && direct !== undefined) for (let i = 0; i < records; i++) classes[i] = direct[packed[i]!]!;
      else for (let i = 0; i < records; i++) classes[i] = !first && classes[i]! < 0 ? -1 : classOf(stage.index, packed[i]!);
      first = false;
    }
  }

  #keep(batch: Batch, classes: Int32Array): void {
    const { others, keys, partitionOf } = this.#spec;
    const records = batch.records;
    const words = this.words;
    const blockWords = Math.max(1, Math.floor(BLOCK_WORDS / words)) * words;
    const places = this.#places;
    const placeBlock = this.#placeBlock;
    const filled = this.#filled;
    const blocks = this.#blocks;

    // First the class words, which also reserve the places; then one column at a time, so that each loop sees one type.
    const flat: Uint32Array[] = [];
    const blockId = new Int32Array(this.#spec.partitions).fill(-1);
    for (let i = 0; i < records; i++) {
      const cell = classes[i]!;
      if (cell < 0) continue;
      const partition = partitionOf[cell]!;
      const own = blocks[partition]!;
      let id = blockId[partition]!;
      if (own.length === 0 || filled[partition]! === blockWords) {
        if (own.length > 0) this.#fullBlocks++;
        own.push(new Uint32Array(blockWords));
        filled[partition] = 0;
        id = -1;
      }
      if (id < 0) {
        id = flat.length;
        blockId[partition] = id;
        flat.push(own[own.length - 1]!);
      }
      const at = filled[partition]!;
      flat[id]![at] = cell;
      places[i] = at;
      placeBlock[i] = id;
      filled[partition] = at + words;
    }

    let word = 1;
    for (let other = 0; other < others.length; other++) {
      const column = batch.columns[keys.length + other]!;
      if (others[other]!.as === "codes") {
        if (column.kind !== "codes") throw changed(others[other]!.name);
        this.#keepCodes(other, column.codes, column.dictionary, classes, records, flat, word);
        word += 1;
      } else {
        if (column.kind !== "numbers") throw changed(others[other]!.name);
        this.#keepNumbers(other, column.values, classes, records, flat, word);
        word += 2;
      }
    }
  }

  #keepCodes(
    other: number, codes: Int32Array, dictionary: Dictionary, classes: Int32Array, records: number,
    flat: readonly Uint32Array[], word: number,
  ): void {
    const map = this.#otherMap(other, dictionary);
    let used = this.#used[other]!;
    const own = this.#dictionaries[other]!;
    if (used.length < own.size) {
      const grown = new Uint8Array(own.size * 2);
      grown.set(used);
      this.#used[other] = used = grown;
    }
    const places = this.#places;
    const placeBlock = this.#placeBlock;
    let sawNull = false;
    for (let i = 0; i < records; i++) {
      if (classes[i]! < 0) continue;
      const raw = codes[i]!;
      if (raw < 0) {
        sawNull = true;
        flat[placeBlock[i]!]![places[i]! + word] = 0xffffffff;
      } else {
        const code = map[raw]!;
        used[code] = 1;
        flat[placeBlock[i]!]![places[i]! + word] = code;
      }
    }
    if (sawNull) this.#nulls[other] = true;
  }

  #keepNumbers(
    other: number, values: Float64Array, classes: Int32Array, records: number, flat: readonly Uint32Array[], word: number,
  ): void {
    const bits = new Uint32Array(values.buffer, values.byteOffset, records * 2);
    const places = this.#places;
    const placeBlock = this.#placeBlock;
    let sawNull = false;
    for (let i = 0; i < records; i++) {
      if (classes[i]! < 0) continue;
      if (values[i]! !== values[i]!) sawNull = true;
      const block = flat[placeBlock[i]!]!;
      const at = places[i]! + word;
      block[at] = bits[i * 2]!;
      block[at + 1] = bits[i * 2 + 1]!;
    }
    if (sawNull) this.#nulls[other] = true;
  }

  // The pass's dictionaries may grow between batches; only their new values are looked up.
  #keyMap(key: number, dictionary: Dictionary): Int32Array {
    const { name, toLevel } = this.#spec.keys[key]!;
    const raw = this.#rawKeys[key]!;
    return extendedMap(this.#keyMaps[key]!, dictionary, (start, end) => {
      const code = raw.find(dictionary.bytes, start, end);
      if (code < 0) throw changed(name);
      return toLevel[code]!;
    });
  }

  #otherMap(other: number, dictionary: Dictionary): Int32Array {
    const own = this.#dictionaries[other]!;
    return extendedMap(this.#otherMaps[other]!, dictionary, (start, end) => own.add(dictionary.bytes, start, end));
  }
}

function extendedMap(
  known: { dictionary: Dictionary | undefined; map: Int32Array }, dictionary: Dictionary,
  codeOf: (start: number, end: number) => number,
): Int32Array {
  let done = known.dictionary === dictionary ? known.map.length : 0;
  if (done < dictionary.size || known.dictionary !== dictionary) {
    const map = new Int32Array(dictionary.size);
    map.set(known.map.subarray(0, done));
    for (; done < dictionary.size; done++) map[done] = codeOf(dictionary.offsets[done]!, dictionary.offsets[done + 1]!);
    known.map = map;
    known.dictionary = dictionary;
  }
  return known.map;
}

function addStrided(codes: Int32Array, toLevel: Int32Array, stride: number, records: number, packed: Float64Array): void {
  for (let i = 0; i < records; i++) {
    const code = codes[i]!;
    if (code >= 0) packed[i]! += (toLevel[code]! + 1) * stride;
  }
}

export function changed(column: string): DataError {
  return new DataError(
    "source/changed",
    `The input changed between its two readings: column ${JSON.stringify(column)} has values in the second that it did not have ` +
      "in the first. Nothing was published. Run again when the file no longer changes.",
    { column },
  );
}
