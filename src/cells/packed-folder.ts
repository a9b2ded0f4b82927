import { DataError } from "../errors/index.ts";
import { blockPacker, PACK_BLOCK } from "../kernels/block-packer.ts";
import { mergeCounted, sortAndCount, type WordList } from "../kernels/packed-words.ts";
import { wordRecoder } from "../kernels/word-recoder.ts";
import { isWide, marginsOf, maskOf, packedLayout, sharedList, type PackedField } from "./packed-cells.ts";

/** Records packed before they are sorted and joined with the cells so far. */
const BUFFER_RECORDS = 1 << 22;
const CHUNK_RECORDS = 1 << 18;

/** Packed words, sorted or not. */
interface Chunk {
  size: number;
  /** [2][CHUNK_RECORDS], the first empty while one word suffices. */
  words: readonly Uint32Array[];
}

/**
 * Fold of records without measures: every record is packed into one or two words, and cells are runs of equal words after a
 * radix sort. Several times as fast as a hash table where most cells are small. Records that fit the buffer are sorted once,
 * in the end, when their final codes are known.
 *
 * Memory: 4 to 8 bytes per buffered record (4M of them), 12 to 16 per cell; 16 per record more while they are sorted, 32 per
 * cell while cells are joined.
 */
export class PackedFolder {
  readonly #keys: number;
  readonly #sizes: number[];
  #fields: PackedField[];
  readonly #packer = blockPacker();
  #chunks: Chunk[] = [];
  #buffered = 0;
  #cells: WordList = NO_CELLS;

  constructor(keys: number) {
    this.#keys = keys;
    this.#sizes = Array.from({ length: keys }, () => 1);
    this.#fields = packedLayout(this.#sizes)!;
  }

  /** Whether `recoded` will give every record, in the order in which they came. */
  get inOrder(): boolean {
    return this.#cells.size === 0;
  }

  /** Bytes held at present. */
  get bytes(): number {
    const held = [...this.#chunks.flatMap(({ words }) => words), ...this.#cells.words].reduce((sum, words) => sum + words.byteLength, 0);
    return held + this.#cells.count!.byteLength;
  }

  /**
   * @param codes [keys][records] code of each record, -1 for null
   * @throws DataError `cells/not-packable` when the keys have too many values for two words
   */
  add(records: number, codes: readonly Int32Array[]): void {
    for (let start = 0; start < records; ) {
      if (this.#buffered === BUFFER_RECORDS) this.#compact();
      const size = Math.min(records - start, PACK_BLOCK, CHUNK_RECORDS - this.#openChunk().size);
      while (!this.#packBlock(codes, start, size)) this.#widen();
      const chunk = this.#openChunk();
      chunk.words.forEach((words, word) => {
        if (words.length > 0) words.set(this.#packer.words[word]!.subarray(0, size), chunk.size);
      });
      chunk.size += size;
      this.#buffered += size;
      start += size;
    }
  }

  /** @returns false when a key has codes that it has no room for; now it has asked for it */
  #packBlock(codes: readonly Int32Array[], start: number, size: number): boolean {
    this.#packer.begin(size);
    let fits = true;
    for (let key = 0; key < this.#keys; key++) {
      const { word, shift } = this.#fields[key]!;
      const most = this.#packer.add(codes[key]!, start, word, shift);
      if (most <= this.#sizes[key]!) continue;
      fits = false;
      while (this.#sizes[key]! < most) this.#sizes[key] = this.#sizes[key]! * 2 + 1;
    }
    return fits;
  }

  /** The cells of what `recoded` gives. */
  finish(maps: readonly Int32Array[], sizes: readonly number[]): WordList {
    return sortAndCount(this.recoded(maps, sizes).list);
  }

  /**
   * The records, or the cells of a part of them each, recoded and packed anew, neither sorted nor joined, in memory that threads
   * share. The folder is empty afterwards.
   * @param maps  [keys][codes] final code, -1 for null
   * @param sizes [keys] number of final codes; packedLayout(sizes) must exist
   * @returns with the margins of its cells, as in PackedCells
   */
  recoded(maps: readonly Int32Array[], sizes: readonly number[]): { readonly list: WordList; readonly margins: readonly Float64Array[] } {
    if (this.#cells.size > 0) this.#compact();
    const cells = this.#cells;
    const parts: readonly Chunk[] = cells.size > 0 ? [cells] : this.#chunks;
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    const layout = packedLayout(sizes)!;
    const lookups = this.#fields.map(({ bits }, key) => lookupOf(maps[key]!, maskOf(bits)));
    const recoder = wordRecoder(this.#fields.map(({ word, shift, bits }, key) => {
      return { word, shift, mask: maskOf(bits), toWord: layout[key]!.word, toShift: layout[key]!.shift, lookup: lookups[key]! };
    }));
    const list = sharedList(size, layout, cells.size > 0);
    let at = 0;
    for (const part of parts) {
      recoder.recode(part.words, part.size, list.words, at);
      at += part.size;
    }
    list.count?.set(cells.count!.subarray(0, size));
    this.#chunks = [];
    this.#buffered = 0;
    this.#cells = NO_CELLS;
    const margins = list.count === undefined
      ? recoder.counts().map((counts, key) => countsBy(lookups[key]!, counts, sizes[key]!))
      : marginsOf(list, layout, sizes);
    return { list, margins };
  }

  #openChunk(): Chunk {
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.size < CHUNK_RECORDS) return last;
    const chunk = { size: 0, words: newWords(this.#fields, CHUNK_RECORDS) };
    this.#chunks.push(chunk);
    return chunk;
  }

  /** Pack everything anew, with room for the sizes of the keys as they are now. */
  #widen(): void {
    const layout = packedLayout(this.#sizes);
    if (layout === undefined) {
      throw new DataError("cells/not-packable", "The keys have too many values to be packed into two words.", { keys: this.#keys });
    }
    for (const chunk of this.#chunks) {
      const words = newWords(layout, CHUNK_RECORDS);
      repack(chunk, this.#fields, layout, words);
      chunk.words = words;
    }
    const words = newWords(layout, this.#cells.size);
    repack(this.#cells, this.#fields, layout, words);
    this.#cells = { ...this.#cells, words };
    this.#fields = layout;
  }

  #compact(): void {
    if (this.#buffered === 0) return;
    const words = newWords(this.#fields, this.#buffered);
    let at = 0;
    for (const chunk of this.#chunks) {
      words.forEach((own, word) => {
        if (own.length > 0) own.set(chunk.words[word]!.subarray(0, chunk.size), at);
      });
      at += chunk.size;
    }
    this.#chunks = [];
    const sorted = sortAndCount({ size: this.#buffered, words, count: undefined });
    this.#cells = this.#cells.size === 0 ? sorted : mergeCounted([this.#cells, sorted]);
    this.#buffered = 0;
  }
}

const NO_CELLS: WordList = { size: 0, words: [new Uint32Array(0), new Uint32Array(0)], count: new Float64Array(0) };

function newWords(layout: readonly PackedField[], size: number): Uint32Array[] {
  return [new Uint32Array(isWide(layout) ? size : 0), new Uint32Array(size)];
}

/** [packed codes] packed final code; the map may be shorter than the field. */
function lookupOf(map: Int32Array, mask: number): Int32Array {
  const lookup = new Int32Array(Math.min(mask >>> 0, map.length) + 1);
  for (let code = 0; code < map.length; code++) lookup[code + 1] = map[code]! + 1;
  return lookup;
}

/** Counts by new code. @param counts [old packed codes] */
function countsBy(lookup: Int32Array, counts: Uint32Array, codes: number): Float64Array {
  const by = new Float64Array(codes + 1);
  for (let code = 0; code < counts.length; code++) by[lookup[code]!] = by[lookup[code]!]! + counts[code]!;
  return by;
}

/** Write packed words in another layout; the target must be zero. */
function repack(source: Chunk, from: readonly PackedField[], to: readonly PackedField[], target: readonly Uint32Array[]): void {
  for (let start = 0; start < source.size; start += PACK_BLOCK) {
    const end = Math.min(source.size, start + PACK_BLOCK);
    for (let key = 0; key < from.length; key++) {
      const { word, shift, bits } = from[key]!;
      const { word: toWord, shift: toShift } = to[key]!;
      moveKey(source.words[word]!, start, end, shift, maskOf(bits), target[toWord]!, toShift);
    }
  }
}

function moveKey(source: Uint32Array, start: number, end: number, shift: number, mask: number, target: Uint32Array, toShift: number): void {
  for (let i = start; i < end; i++) target[i] = target[i]! | (((source[i]! >>> shift) & mask) << toShift);
}
