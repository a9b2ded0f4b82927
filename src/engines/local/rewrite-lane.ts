import { maskOf, packedLayout, unpackKey, type PackedField } from "../../cells/index.ts";
import { DictionaryBuilder, type Batch, type Column, type Dictionary } from "../../columns/index.ts";
import type { OpenSpill, Spill, SpillHandle } from "../../columns/spill.ts";
import { DataError } from "../../errors/index.ts";
import { classOf, lookUpClasses, type ClassStage } from "../../kernels/class-index.ts";
import type { WordList } from "../../kernels/packed-words.ts";
import type { RowKeeper } from "./row-keeper.ts";

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
  /** [codes of the cells] code at the planned level, -1 for null. */
  readonly cellToLevel: Int32Array;
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
  /** Where the records are, when they lie in memory that all threads share; then nothing is to be taken. */
  readonly placed?: PlacedRecords | undefined;
}

/** Kept records of one lane, partition after partition. */
export interface PlacedRecords {
  /** [words of all records] in shared memory */
  readonly words: Uint32Array;
  /** [partitions + 1] first word of each partition, and the end. */
  readonly starts: Uint32Array;
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
  #placed: PlacedRecords | undefined;

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
    const keys = this.#spec.keys.map(({ name }, key): KeyCodes => {
      const column = batch.columns[key]!;
      if (column.kind !== "codes") throw changed(name);
      return { codes: column.codes, toLevel: this.#keyMap(key, column.dictionary) };
    });
    this.#add(batch.records, keys, batch.columns.slice(keys.length));
  }

  #add(records: number, keys: readonly KeyCodes[], others: readonly Column[]): void {
    this.#makeRoom(records);
    const classes = this.#classes;
    this.#findClasses(records, keys, classes);
    this.#keep(records, others, classes);
    this.#records += records;
  }

  finish(): RewriteSummary {
    return {
      records: this.#records,
      dictionaries: this.#dictionaries.map((dictionary) => dictionary?.freeze()),
      used: this.#used.map((used, other) => used?.slice(0, this.#dictionaries[other]!.size)),
      nulls: this.#nulls,
      placed: this.#placed,
    };
  }

  /**
   * All records of the first reading, instead of batch by batch. Classes come first, so that every record has its exact place
   * in one piece of memory that the threads share, and no lane need be asked for it. What exceeds the budget goes the usual way.
   * Memory: 4 bytes per record, and 4 per word of each released record.
   */
  async addKept(keeper: RowKeeper): Promise<void> {
    const { keys, others, partitionOf, partitions } = this.#spec;
    const packed = keeper.keys!;
    const layout = packedLayout(keys.map(({ cellToLevel }) => cellToLevel.length))!;
    if (packed.size * (this.words + 1) * 4 > (this.#storage?.budgetBytes ?? Infinity)) {
      let from = 0;
      for (const batch of keeper.batches()) {
        this.#add(batch.records, this.#unpacked(packed, layout, from, batch.records), batch.columns);
        from += batch.records;
        await this.settle();
      }
      return;
    }
    const classes = new Int32Array(packed.size);
    this.#findKeptClasses(packed, layout, classes);

    const starts = new Uint32Array(partitions + 1);
    countPlaces(classes, partitionOf, this.words, starts);
    const words = new Uint32Array(new SharedArrayBuffer(starts[partitions]! * 4));
    const next = starts.slice();
    let at = 0;
    this.#makeRoom(CLASS_BLOCK);
    const places = this.#places;
    for (const batch of keeper.kept) {
      for (let from = 0; from < batch.records; from += CLASS_BLOCK) {
        const records = Math.min(CLASS_BLOCK, batch.records - from);
        placeClasses(classes, at, records, partitionOf, next, this.words, words, places);
        let word = 1;
        for (let other = 0; other < others.length; other++) {
          const column = batch.columns[other]!;
          if (column.kind === "codes") {
            const map = this.#otherMap(other, keeper.dictionaries[other]!);
            if (placeCodes(column.codes, from, places, records, map, this.#usedOf(other), words, word)) this.#nulls[other] = true;
            word += 1;
          } else {
            if (placeNumbers(column.values, from, places, records, words, word)) this.#nulls[other] = true;
            word += 2;
          }
        }
        at += records;
      }
    }
    this.#placed = { words, starts };
    this.#records += packed.size;
  }

  /** Sums of a few looked-up numbers find the class, where they stay below 2^31. */
  #findKeptClasses(packed: WordList, layout: readonly PackedField[], classes: Int32Array): void {
    const { stages, keys } = this.#spec;
    const [{ index }] = stages as [ClassStage];
    const highest = keys.reduce((sum, { cellToLevel }, key) => sum + (cellToLevel.reduce((most, code) => Math.max(most, code), -1) + 1) * index.strides[key]!, 0);
    const tables = stages.length === 1 && highest < 2 ** 31 ? joinedFields(layout, keys, index.strides) : undefined;
    for (let from = 0; from < packed.size; from += CLASS_BLOCK) {
      const block = classes.subarray(from, from + CLASS_BLOCK);
      if (tables === undefined) {
        this.#makeRoom(block.length);
        this.#findClasses(block.length, this.#unpacked(packed, layout, from, block.length), block);
        continue;
      }
      for (const { word, shift, mask, addends } of tables) addLookedUp(packed.words[word]!, from, shift, mask, addends, block);
      lookUpClasses(index, block);
    }
  }

  /** Codes of the cells from packed records. */
  #unpacked(packed: WordList, layout: readonly PackedField[], from: number, records: number): KeyCodes[] {
    return this.#spec.keys.map(({ cellToLevel }, key) => {
      const codes = new Int32Array(records);
      unpackKey(packed, layout[key]!, from, codes);
      return { codes, toLevel: cellToLevel };
    });
  }

  #makeRoom(records: number): void {
    if (this.#classes.length >= records) return;
    this.#classes = new Int32Array(records);
    this.#packed = new Float64Array(records);
    this.#places = new Int32Array(records);
    this.#placeBlock = new Int32Array(records);
  }

  /** [codes] marks of the values of one column that are released, with room for all of them. */
  #usedOf(other: number): Uint8Array {
    const used = this.#used[other]!;
    const { size } = this.#dictionaries[other]!;
    if (used.length >= size) return used;
    const grown = new Uint8Array(size * 2);
    grown.set(used);
    this.#used[other] = grown;
    return grown;
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

  #findClasses(records: number, keys: readonly KeyCodes[], classes: Int32Array): void {
    const packed = this.#packed;
    let first = true;
    for (const stage of this.#spec.stages) {
      if (first) packed.fill(0, 0, records);
      else for (let i = 0; i < records; i++) packed[i] = (classes[i]! + 1) * stage.previousStride;
      for (let key = stage.from; key < stage.to; key++) {
        addStrided(keys[key]!.codes, keys[key]!.toLevel, stage.index.strides[key - stage.from]!, records, packed);
      }
      for (let i = 0; i < records; i++) classes[i] = !first && classes[i]! < 0 ? -1 : classOf(stage.index, packed[i]!);
      first = false;
    }
  }

  #keep(records: number, columns: readonly Column[], classes: Int32Array): void {
    const { others, partitionOf } = this.#spec;
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
      const column = columns[other]!;
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
    const used = this.#usedOf(other);
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

/** One key of some records. */
interface KeyCodes {
  /** -1 for null */
  readonly codes: Int32Array;
  /** [codes] code at the planned level, -1 for null. */
  readonly toLevel: Int32Array;
}

/** Records whose classes are found, and which are put in place, at once: everything about them stays in the cache. */
const CLASS_BLOCK = 4096;
/** Bits of fields that are looked up together: such a table stays in the second-level cache. */
const JOINED_BITS = 13;

/** Neighbouring fields of packed records, and what their codes together add to the number of a class. */
interface JoinedFields {
  readonly word: 0 | 1;
  readonly shift: number;
  readonly mask: number;
  readonly addends: Int32Array;
}

function joinedFields(layout: readonly PackedField[], keys: readonly RewriteKey[], strides: Float64Array): JoinedFields[] {
  const joined: JoinedFields[] = [];
  let bits = 0;
  // From the last key on, fields of a word lie one above the other.
  for (let key = keys.length - 1; key >= 0; key--) {
    const field = layout[key]!;
    const addends = addendsOf(keys[key]!.cellToLevel, strides[key]!, field.bits);
    const below = joined.at(-1);
    if (below !== undefined && below.word === field.word && bits + field.bits <= JOINED_BITS) {
      const both = new Int32Array(addends.length << bits);
      for (let i = 0; i < both.length; i++) both[i] = addends[i >>> bits]! + below.addends[i & below.mask]!;
      bits += field.bits;
      joined[joined.length - 1] = { ...below, mask: maskOf(bits), addends: both };
    } else {
      bits = field.bits;
      joined.push({ word: field.word, shift: field.shift, mask: maskOf(bits), addends });
    }
  }
  return joined;
}

/** [packed codes] what one key adds to the packed number of a class, by code plus one; null adds nothing. */
function addendsOf(toLevel: Int32Array, stride: number, bits: number): Int32Array {
  const addends = new Int32Array(bits <= JOINED_BITS ? 1 << bits : toLevel.length + 1);
  for (let code = 0; code < toLevel.length; code++) addends[code + 1] = (toLevel[code]! + 1) * stride;
  return addends;
}

function addLookedUp(words: Uint32Array, from: number, shift: number, mask: number, addends: Int32Array, packed: Int32Array): void {
  for (let i = 0; i < packed.length; i++) packed[i] = packed[i]! + addends[(words[from + i]! >>> shift) & mask]!;
}

/** @param starts [partitions + 1] out: first word of each partition, and the end */
function countPlaces(classes: Int32Array, partitionOf: Uint32Array, words: number, starts: Uint32Array): void {
  for (let i = 0; i < classes.length; i++) {
    const cell = classes[i]!;
    if (cell < 0) continue;
    const after = partitionOf[cell]! + 1;
    starts[after] = starts[after]! + words;
  }
  for (let partition = 1; partition < starts.length; partition++) starts[partition] = starts[partition]! + starts[partition - 1]!;
}

/**
 * Give every record its place in its partition, -1 when it is withheld, and write its class there.
 * @param next [partitions] in and out: first free word of each
 */
function placeClasses(
  classes: Int32Array, at: number, records: number, partitionOf: Uint32Array, next: Uint32Array, words: number,
  out: Uint32Array, places: Int32Array,
): void {
  for (let i = 0; i < records; i++) {
    const cell = classes[at + i]!;
    if (cell < 0) {
      places[i] = -1;
      continue;
    }
    const partition = partitionOf[cell]!;
    const place = next[partition]!;
    next[partition] = place + words;
    out[place] = cell;
    places[i] = place;
  }
}

/** @returns whether a released record has a null */
function placeCodes(
  codes: Uint16Array | Int32Array, from: number, places: Int32Array, records: number, map: Int32Array, used: Uint8Array, out: Uint32Array, word: number,
): boolean {
  const less = codes instanceof Uint16Array ? 1 : 0;
  let sawNull = false;
  for (let i = 0; i < records; i++) {
    const place = places[i]!;
    if (place < 0) continue;
    const raw = codes[from + i]! - less;
    if (raw < 0) {
      sawNull = true;
      out[place + word] = 0xffffffff;
    } else {
      const code = map[raw]!;
      used[code] = 1;
      out[place + word] = code;
    }
  }
  return sawNull;
}

/** @returns whether a released record has a null */
function placeNumbers(values: Float64Array, from: number, places: Int32Array, records: number, out: Uint32Array, word: number): boolean {
  const bits = new Uint32Array(values.buffer, values.byteOffset + from * 8, records * 2);
  let sawNull = false;
  for (let i = 0; i < records; i++) {
    const place = places[i]!;
    if (place < 0) continue;
    const value = values[from + i]!;
    if (value !== value) sawNull = true;
    out[place + word] = bits[i * 2]!;
    out[place + word + 1] = bits[i * 2 + 1]!;
  }
  return sawNull;
}

export function changed(column: string): DataError {
  return new DataError(
    "source/changed",
    `The input changed between its two readings: column ${JSON.stringify(column)} has values in the second that it did not have ` +
      "in the first. Nothing was published. Run again when the file no longer changes.",
    { column },
  );
}
