import type { Cells } from "../../cells/cells.ts";
import { InternalError, PolicyError } from "../../errors/index.ts";
import type { BoundHierarchy } from "../../hierarchies/hierarchy.ts";
import type { ClassesOfNode, KeyProfile } from "../../utility/index.ts";
import { classMerger, type ClassMerger } from "./class-merger.ts";
import {
  AS_IT_IS, hashWideWords, listClasses, mergeWideWords, partitionWideWords, partitionWords, recodeWords, sumByCode, summariseSizes,
  type CodeChange, type Recoding,
} from "./kernel.ts";
import { packClasses, type Field } from "./packed-classes.ts";

/** The classes of one generalization, kept to roll coarser ones up from. */
export interface ClassTable {
  /** [keys] level of each key. */
  readonly levels: Uint8Array;
  readonly size: number;
  /** [words][size] packed codes. */
  readonly words: readonly Int32Array[];
  /** [size] */
  readonly records: Float64Array;
  /**
   * Leading keys by which the classes stand together: those that agree in the first one, two, .. up to this many keys follow one
   * another. Coarsening later keys merges nothing across such runs, so that large tables can be merged run by run.
   */
  readonly grouped: number;
  /** What was found when its classes were last looked at. */
  summary?: { readonly k: number; readonly sizes: Float64Array } | undefined;
}

/** Classes of one generalization that may be kept. */
export interface KeptClasses {
  readonly size: number;
  /** [keys][classes] code of the generalized value, -1 for null. */
  readonly codes: readonly Int32Array[];
  /** [classes] */
  readonly records: Float64Array;
}

/**
 * Class tables of the generalizations of one set of cells. Holds the cells packed, scratch for one generalization at a
 * time, and looked-up recodings between levels.
 *
 * Memory: per cell 8 bytes for records and 4 per word, twice (table, merged), and once more each for scratch of several words and
 * for classes that are brought together by hash. The slots of hash tables stay small, because many classes are merged part by part.
 */
export class ClassTables {
  readonly records: number;
  readonly keys: number;
  /** [keys] highest level of each key. */
  readonly heights: Uint8Array;
  readonly profiles: readonly KeyProfile[];
  /** The cells themselves, level 0 in every key. */
  readonly base: ClassTable;

  readonly #fields: readonly Field[];
  /** [keys][levels] codes in use at a level, null among them: bounds the number of classes. */
  readonly #codesAt: number[][] = [];
  readonly #hierarchies: readonly BoundHierarchy[];
  /** [keys][levels] whether every record has code 0 there, null not among them. */
  readonly #collapses: boolean[][] = [];
  readonly #changes = new Map<number, CodeChange>();
  readonly #recoded: Int32Array[] = [];
  /** Where one word suffices. */
  readonly #merger: ClassMerger | undefined;
  readonly #mergedWords: Int32Array[];
  readonly #mergedRecords: Float64Array;
  #slots = new Int32Array(1 << 10);
  readonly #scratch: SuppressedScratch;
  #hashes: Int32Array | undefined;
  #partitioned: PartScratch | undefined;

  constructor(cells: Cells, hierarchies: readonly BoundHierarchy[]) {
    this.#hierarchies = hierarchies;
    this.keys = cells.keys.length;
    if (hierarchies.length !== this.keys) {
      throw new InternalError("k-anonymity/hierarchies", `Found ${hierarchies.length} hierarchies for ${this.keys} keys.`);
    }
    hierarchies.forEach(refuseManyLevels);
    this.heights = Uint8Array.from(hierarchies, (hierarchy) => hierarchy.levels.length - 1);
    const { fields, words, leaves, sorted } = packClasses(cells, hierarchies);
    this.#fields = fields;
    this.base = { levels: new Uint8Array(this.keys), size: cells.size, words, records: cells.records, grouped: sorted ? this.keys : 0 };
    this.records = sumOf(leaves[0] ?? cells.records);
    this.profiles = hierarchies.map((hierarchy, key) => profileOf(leaves[key]!, hierarchy));
    this.#codesAt = this.profiles.map((profile) => profile.levels.map((level) => level.records.reduce((n, r) => n + (r > 0 ? 1 : 0), 0)));

    this.#collapses = this.profiles.map((profile) =>
      profile.levels.map((level) => level.records.length === 2 && level.records[1] === 0),
    );
    const size = this.base.size;
    this.#merger = words.length > 1 ? undefined : classMerger(size, fields.reduce((sum, { mask }) => sum + mask + 1, 0));
    this.#mergedWords = this.#merger === undefined ? words.map(() => new Int32Array(size)) : [this.#merger.words];
    this.#mergedRecords = this.#merger?.records ?? new Float64Array(size);
    this.#scratch = {
      list: new Int32Array(size + 1),
      byCode: new Float64Array(Math.max(2, ...this.#fields.map((field) => field.mask + 2))),
    };
  }

  /**
   * Roll a finer table up to `levels` and look at its classes. The result is valid until the next call.
   * Time O(size of the finer table x keys that change).
   */
  rollUp(from: ClassTable, levels: Uint8Array, k: number): RolledUp {
    let unchanged = 0;
    while (unchanged < this.keys && levels[unchanged] === from.levels[unchanged]) unchanged++;
    if (unchanged === this.keys) return this.view(from, k);
    const grouped = Math.min(unchanged, from.grouped);
    // Groups that are few find room in the cache at once; others run by run, if runs are short, or part by part.
    const groups = Math.min(from.size, this.#possible(levels));
    const atOnce = Int32Array.of(0, from.size);
    const ranges = groups <= CACHED
      ? atOnce
      : this.#shortRuns(from.words, from.size, grouped) ?? (from.size <= LONGEST_RANGE ? atOnce : undefined);
    const merge = from.words.length === 1 ? this.#mergeNarrow : this.#mergeWide;
    const classes = merge.call(this, from, levels, ranges, groups);
    return this.#look(Uint8Array.from(levels), this.#mergedWords, this.#mergedRecords, classes, k, ranges === undefined ? 0 : grouped);
  }

  /** A rough measure of how much smaller tables become when one key is raised by a level: codes before over codes after. */
  shrinkage(key: number, level: number): number {
    return this.#codesAt[key]![level]! / Math.max(1, this.#codesAt[key]![level + 1]!);
  }

  /** Most classes that there can be. */
  #possible(levels: Uint8Array): number {
    let possible = 1;
    for (let key = 0; key < this.keys; key++) possible *= this.#codesAt[key]![levels[key]!]!;
    return possible;
  }

  /**
   * Cuts between classes that differ in their leading keys, so that nothing is merged across them.
   * @returns [ranges + 1] first class of each range, and the end; undefined when there are none that make all ranges short
   */
  #shortRuns(words: readonly Int32Array[], size: number, grouped: number): Int32Array | undefined {
    if (grouped === 0) return undefined;
    const masks = new Int32Array(words.length);
    for (let key = 0; key < grouped; key++) {
      const { word, shift, mask } = this.#fields[key]!;
      masks[word] = masks[word]! | (mask << shift);
    }
    const cuts = [0];
    for (let from = 0; from < size; ) {
      const to = endOfRun(words, masks, Math.min(size, from + RUN) - 1, size);
      if (to - from > LONGEST_RANGE) return undefined;
      cuts.push(to);
      from = to;
    }
    return Int32Array.from(cuts);
  }

  #mergeNarrow(from: ClassTable, levels: Uint8Array, ranges: Int32Array | undefined, groups: number): number {
    const { size, records } = from;
    const recoding = this.#recoding(0, from, levels);
    const merger = this.#merger!;
    let found = 0;
    if (ranges !== undefined) {
      merger.begin(recoding);
      for (let range = 0; range + 1 < ranges.length; range++) {
        const [start, end] = [ranges[range]!, ranges[range + 1]!];
        found = merger.merge(from.words[0]!, records, start, end, slotBits(Math.min(groups, end - start)), 0, found);
      }
      return found;
    }
    const { parts, starts } = this.#partScratch();
    const partBits = partitionBits(size);
    partitionWords(this.#recode(0, from, recoding), records, size, partBits, starts, parts.words[0]!, parts.records);
    merger.begin(AS_IT_IS);
    for (let part = 0; part < 1 << partBits; part++) {
      const [start, end] = [starts[part]!, starts[part + 1]!];
      const bits = Math.min(32 - partBits, slotBits(end - start));
      found = merger.merge(parts.words[0]!, parts.records, start, end, bits, partBits, found);
    }
    return found;
  }

  #mergeWide(table: ClassTable, levels: Uint8Array, ranges: Int32Array | undefined, groups: number): number {
    const { size, records } = table;
    const words = table.words.map((_, word) => this.#recode(word, table, this.#recoding(word, table, levels)));
    const [outWords, outRecords] = [this.#mergedWords, this.#mergedRecords];
    const hashes = (this.#hashes ??= new Int32Array(this.base.size));
    hashWideWords(words, size, hashes);
    let found = 0;
    if (ranges !== undefined) {
      for (let range = 0; range + 1 < ranges.length; range++) {
        const [from, to] = [ranges[range]!, ranges[range + 1]!];
        const bits = slotBits(Math.min(groups, to - from));
        found = mergeWideWords(words, records, hashes, from, to, this.#slotsFor(bits), bits, 0, outWords, outRecords, found);
      }
      return found;
    }
    const { parts, starts } = this.#partScratch();
    const partBits = partitionBits(size);
    partitionWideWords(words, records, hashes, size, partBits, starts, parts.words, parts.records, parts.hashes);
    for (let part = 0; part < 1 << partBits; part++) {
      const [from, to] = [starts[part]!, starts[part + 1]!];
      const bits = Math.min(32 - partBits, slotBits(to - from));
      found = mergeWideWords(
        parts.words, parts.records, parts.hashes, from, to, this.#slotsFor(bits), bits, partBits, outWords, outRecords, found,
      );
    }
    return found;
  }

  #slotsFor(bits: number): Int32Array {
    if (this.#slots.length < 1 << bits) this.#slots = new Int32Array(1 << bits);
    return this.#slots;
  }

  #partScratch(): PartScratch {
    this.#partitioned ??= {
      parts: {
        words: this.base.words.map(() => new Int32Array(this.base.size)),
        records: new Float64Array(this.base.size),
        hashes: new Int32Array(this.base.words.length > 1 ? this.base.size : 0),
      },
      starts: new Int32Array((1 << MOST_PART_BITS) + 1),
    };
    return this.#partitioned;
  }

  /** What becomes of one word of the classes of `from` at `levels`. */
  #recoding(word: number, from: ClassTable, levels: Uint8Array): Recoding {
    const changes: CodeChange[] = [];
    let keep = -1;
    let put = 0;
    for (let key = 0; key < this.keys; key++) {
      const field = this.#fields[key]!;
      const level = levels[key]!;
      if (field.word !== word || level === from.levels[key]) continue;
      if (this.#collapses[key]![level]!) {
        keep &= ~(field.mask << field.shift);
        put |= field.first << field.shift;
      } else changes.push(this.#change(key, from.levels[key]!, level));
    }
    return { keep, put, changes };
  }

  /** One word of every class of `from`, recoded: the array itself when nothing changes in it, else scratch. */
  #recode(word: number, from: ClassTable, recoding: Recoding): Int32Array {
    if (recoding.keep === -1 && recoding.changes.length === 0) return from.words[word]!;
    const recoded = (this.#recoded[word] ??= new Int32Array(this.base.size));
    recodeWords(from.words[word]!, recoded, from.size, recoding);
    return recoded;
  }

  /** Look at the classes of a table as it is. */
  view(table: ClassTable, k: number): RolledUp {
    if (table.summary?.k !== k) {
      table.summary = { k, sizes: new Float64Array(7) };
      summariseSizes(table.records, table.size, k, table.summary.sizes);
    }
    return this.#rolledUp(table.levels, table.words, table.records, table.size, k, table.grouped, table.summary.sizes);
  }

  /** The classes of at least k records, in arrays of their own, in no particular order. */
  keptClasses({ words, records, size, kept }: RolledUp, k: number): KeptClasses {
    const list = new Int32Array(kept + 1);
    listClasses(records, size, k, Infinity, list);
    const own = new Float64Array(kept);
    for (let i = 0; i < kept; i++) own[i] = records[list[i]!]!;
    const codes = this.#fields.map(({ word, shift, mask, first }) => {
      const packed = words[word]!;
      const unpacked = new Int32Array(kept);
      for (let i = 0; i < kept; i++) unpacked[i] = ((packed[list[i]!]! >>> shift) & mask) - first;
      return unpacked;
    });
    return { size: kept, codes, records: own };
  }

  #look(levels: Uint8Array, words: readonly Int32Array[], records: Float64Array, size: number, k: number, grouped: number): RolledUp {
    const sizes = new Float64Array(7);
    summariseSizes(records, size, k, sizes);
    return this.#rolledUp(levels, words, records, size, k, grouped, sizes);
  }

  #rolledUp(
    levels: Uint8Array, words: readonly Int32Array[], records: Float64Array, size: number, k: number, grouped: number, sizes: Float64Array,
  ): RolledUp {
    return new RolledUp(levels, sizes, size, words, records, grouped, k, this.#fields, this.profiles, this.#scratch);
  }

  #change(key: number, from: number, to: number): CodeChange {
    const id = (key * 256 + from) * 256 + to;
    const known = this.#changes.get(id);
    if (known !== undefined) return known;
    const { shift, mask, first } = this.#fields[key]!;
    const change = new Int32Array(mask + 1);
    const fine = this.#hierarchies[key]!.levels[from]!.map;
    const coarse = this.#hierarchies[key]!.levels[to]!.map;
    for (let leaf = 0; leaf < fine.length; leaf++) {
      change[fine[leaf]! + first] = ((fine[leaf]! + first) ^ (coarse[leaf]! + first)) << shift;
    }
    const found = { shift, mask, change };
    this.#changes.set(id, found);
    return found;
  }
}

function sameMasked(words: readonly Int32Array[], masks: Int32Array, a: number, b: number): boolean {
  for (let word = 0; word < words.length; word++) if (((words[word]![a]! ^ words[word]![b]!) & masks[word]!) !== 0) return false;
  return true;
}

/** One past the last class that agrees with a class; those that agree stand together. Time O(log of how many). */
function endOfRun(words: readonly Int32Array[], masks: Int32Array, at: number, size: number): number {
  let same = at;
  let step = 1;
  while (same + step < size && sameMasked(words, masks, at, same + step)) {
    same += step;
    step *= 2;
  }
  let other = Math.min(size, same + step);
  while (other - same > 1) {
    const middle = (same + other) >>> 1;
    if (sameMasked(words, masks, at, middle)) same = middle;
    else other = middle;
  }
  return other;
}

/** Classes brought together by hash. */
interface PartScratch {
  readonly parts: { readonly words: readonly Int32Array[]; readonly records: Float64Array; readonly hashes: Int32Array };
  readonly starts: Int32Array;
}

/** Groups whose table of slots, words and records stays in the second-level cache. */
const CACHED = 1 << 15;
/** Classes of a range that is merged at once, and a few more up to where a run ends: slots of so many stay in the cache. */
const RUN = 1 << 12;
/** Slots of a few longer ranges cost less than to bring all classes together by hash. */
const LONGEST_RANGE = 1 << 19;
const MOST_PART_BITS = 12;

/** What {@link RolledUp.suppressedBy} works in. */
interface SuppressedScratch {
  /** [cells + 1] numbers of classes. */
  readonly list: Int32Array;
  /** [codes of the widest key + 1] */
  readonly byCode: Float64Array;
}

/** A look at the classes of one generalization, in scratch that the next roll-up overwrites. */
export class RolledUp implements ClassesOfNode {
  readonly suppressed: number;
  readonly kept: number;
  readonly small: number;
  readonly keptSquares: number;
  readonly smallSquares: number;
  /** Records in the smallest kept class; 0 when none is kept. */
  readonly smallestClass: number;
  readonly multiples: number;
  suppressionCost = 0;
  /** Classes listed in scratch; -1 before. */
  private listed = -1;

  constructor(
    readonly levels: Uint8Array,
    private readonly sizes: Float64Array,
    readonly size: number,
    readonly words: readonly Int32Array[],
    readonly records: Float64Array,
    readonly grouped: number,
    private readonly k: number,
    private readonly fields: readonly Field[],
    private readonly profiles: readonly KeyProfile[],
    private readonly scratch: SuppressedScratch,
  ) {
    this.suppressed = sizes[0]!;
    this.kept = sizes[1]!;
    this.small = sizes[2]!;
    this.keptSquares = sizes[3]!;
    this.smallSquares = sizes[4]!;
    this.smallestClass = sizes[5]!;
    this.multiples = sizes[6]!;
  }

  suppressedBy(key: number): Float64Array {
    const { word, shift, mask, first } = this.fields[key]!;
    const { list, byCode } = this.scratch;
    const all = this.profiles[key]!.levels[this.levels[key]!]!.records;
    // Sum over the small classes, or over the others when they are fewer, which leaves the small ones of all.
    const others = this.kept < this.small;
    if (this.listed < 0) {
      this.listed = others
        ? listClasses(this.records, this.size, this.k, Infinity, list)
        : listClasses(this.records, this.size, 0, this.k - 1, list);
    }
    const codes = all.length - 1;
    byCode.fill(0, 0, mask + 1);
    sumByCode(this.words[word]!, this.records, list, this.listed, shift, mask, byCode);
    const nulls = first === 1 ? byCode[0]! : 0;
    byCode.copyWithin(0, first, codes + first);
    byCode[codes] = nulls;
    if (others) for (let code = 0; code <= codes; code++) byCode[code] = all[code]! - byCode[code]!;
    return byCode.subarray(0, codes + 1);
  }

  /** A copy that outlives the scratch. */
  table(): ClassTable {
    return {
      levels: this.levels,
      size: this.size,
      words: this.words.map((word) => word.slice(0, this.size)),
      records: this.records.slice(0, this.size),
      grouped: this.grouped,
      summary: { k: this.k, sizes: this.sizes },
    };
  }
}

function sumOf(records: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < records.length; i++) sum += records[i]!;
  return sum;
}

/** @param byLeaf [leaves + 1] records by code, null last */
function profileOf(byLeaf: Float64Array, hierarchy: BoundHierarchy): KeyProfile {
  const leaves = byLeaf.length - 1;
  return {
    leaves: hierarchy.leaves,
    levels: hierarchy.levels.map((level) => {
      const records = new Float64Array(level.dictionary.size + 1);
      for (let leaf = 0; leaf < leaves; leaf++) records[level.map[leaf]!]! += byLeaf[leaf]!;
      records[level.dictionary.size]! = byLeaf[leaves]!;
      return { records, share: level.share, map: level.map };
    }),
  };
}

/** Levels are kept as bytes. */
function refuseManyLevels({ column, levels }: BoundHierarchy): void {
  if (levels.length <= 256) return;
  throw new PolicyError(
    "k-anonymity/too-many-levels",
    `The hierarchy of column ${JSON.stringify(column)} has ${levels.length} levels; at most 256 can be searched. Leave some out.`,
    { column, levels: levels.length },
  );
}

/** Bits that hold 0 .. largest. */
function bitsFor(largest: number): number {
  return largest === 0 ? 0 : 32 - Math.clz32(largest);
}

/** log2 of the parts that make each small enough for the cache. */
function partitionBits(classes: number): number {
  return Math.min(MOST_PART_BITS, Math.max(1, bitsFor(Math.ceil(classes / (CACHED / 2)))));
}

/** log2 of slots for so many groups, at most half full. */
function slotBits(groups: number): number {
  return Math.min(30, Math.max(4, bitsFor(Math.max(1, groups)) + 1));
}

/** Memory of one table. */
export function tableBytes(classes: number, words: number): number {
  return classes * (8 + 4 * words);
}
