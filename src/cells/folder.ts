import { DataError, InternalError } from "../errors/index.ts";
import { scrambled } from "../kernels/group-codes.ts";
import type { Cells, MeasureCells } from "./cells.ts";
import { merge } from "./roll-up.ts";

export interface FolderShape {
  /** Names of the keys, in order; none gives one grand total. */
  readonly keys: readonly string[];
  readonly measures?: readonly string[];
  /** Every record brings a sampling weight. */
  readonly weight?: boolean;
  /** Every row brings the number of records it stands for. */
  readonly frequency?: boolean;
}

/** Aggregated columns of the rows to add; those that the shape names must be there. */
export interface FoldedNumbers {
  /** [measures][rows] value of the measure, NaN for null. */
  readonly measures?: readonly Float64Array[];
  /** [rows] sampling weight of each record; finite and not negative. */
  readonly weight?: Float64Array;
  /** [rows] number of records that the row stands for; a whole number, 0 leaves the row out. */
  readonly frequency?: Float64Array;
}

/** Rows packed at a time, so that the scratch stays in the first-level cache. */
const BLOCK = 2048;

type Aggregates = [values: Float64Array, sum: Float64Array, sumAbs: Float64Array, min: Float64Array, max: Float64Array];

/** Where the codes of each key lie in the packed words of a row. */
interface Layout {
  readonly words: number;
  /** [keys] */
  readonly wordOf: readonly number[];
  readonly shiftOf: readonly number[];
  readonly bitsOf: readonly number[];
}

/**
 * Streaming fold: rows in, cells out, with no need to know in advance how many codes a key has. Rows that stand for several
 * records (frequency f) count as f equal records: f records, f x weight, f x value.
 *
 * Codes + 1 are packed into 32-bit words with as many bits a key as its codes have needed so far; a code that needs more
 * has all cells packed anew, at most 32 times a key. Cells are found by open addressing, comparing words.
 * Memory a cell: 4 bytes a word, 24 to 40 bytes, 8 more for the weight and 40 more for each measure; up to twice that while
 * growing.
 */
export class Folder {
  readonly #keys: readonly string[];
  readonly #measures: readonly string[];
  readonly #weighted: boolean;
  readonly #frequency: boolean;

  #size = 0;
  #capacity = 1024;
  /** [slots][tag, cell + 1]; a tag is the word of a cell with one word, or a hash of its words. */
  #slots: Int32Array = new Int32Array(4096);
  #layout: Layout;
  /** [cells][words] */
  #words: Int32Array;
  #records: Float64Array;
  #weight: Float64Array;
  /** [measures][values, sum, sumAbs, min, max][cells] */
  #aggregates: Aggregates[];
  #total = 0;
  #rows = 0;

  /** [words][BLOCK] */
  readonly #blockWords: Int32Array[] = [];
  readonly #blockTags = new Int32Array(BLOCK);
  readonly #blockCells = new Int32Array(BLOCK);

  constructor(shape: FolderShape) {
    this.#keys = shape.keys;
    this.#measures = shape.measures ?? [];
    this.#weighted = shape.weight ?? false;
    this.#frequency = shape.frequency ?? false;
    this.#layout = layoutOf(shape.keys.map(() => 1));
    this.#words = new Int32Array(this.#capacity * this.#layout.words);
    this.#records = new Float64Array(this.#capacity);
    this.#weight = new Float64Array(this.#weighted ? this.#capacity : 0);
    this.#aggregates = this.#measures.map(() => emptyAggregates(this.#capacity));
  }

  get keys(): readonly string[] {
    return this.#keys;
  }

  /** Cells held at present. */
  get size(): number {
    return this.#size;
  }

  /** Records added so far, counting frequencies; what was taken included. */
  get records(): number {
    return this.#total;
  }

  /** Bytes held at present. */
  get bytes(): number {
    const perCell = this.#layout.words * 4 + 8 + (this.#weighted ? 8 : 0) + this.#measures.length * 40;
    return this.#capacity * perCell + this.#slots.length * 4;
  }

  /**
   * Add rows.
   * @param rows  leading entries of the columns to read
   * @param codes [keys][rows] code of each row, -1 for null
   * @throws DataError `cells/bad-frequency`, `cells/bad-weight`, `cells/infinite-measure` with the row counted from 1 over
   *         all rows added; `cells/too-many-records` beyond 2^53 - 1. The folder is of no further use then.
   */
  add(rows: number, codes: readonly Int32Array[], numbers: FoldedNumbers = {}): void {
    const { measures = [], weight, frequency } = numbers;
    if (codes.length !== this.#keys.length || measures.length !== this.#measures.length
      || (weight !== undefined) !== this.#weighted || (frequency !== undefined) !== this.#frequency) {
      throw new InternalError("cells/fold-columns", "The columns to fold differ from the shape of the folder.");
    }
    for (let start = 0; start < rows; start += BLOCK) {
      const end = Math.min(rows, start + BLOCK);
      if (frequency !== undefined) this.#checkFrequency(frequency, start, end);
      else this.#total += end - start;
      this.#packBlock(codes, start, end);
      this.#reserve(this.#size + end - start);
      this.#locateBlock(start, end, frequency);
      this.#countBlock(start, end, frequency);
      if (weight !== undefined) this.#weighBlock(weight, start, end, frequency);
      for (let m = 0; m < measures.length; m++) this.#measureBlock(m, measures[m]!, start, end, frequency);
      this.#rows += end - start;
    }
    if (this.#total > Number.MAX_SAFE_INTEGER) throw tooManyRecords();
  }

  /**
   * The cells, in ascending order of their codes, key by key, null first. The folder is empty afterwards.
   * @param sizes [keys] number of codes each key may take, known now that all dictionaries are complete
   */
  finish(sizes: readonly number[]): Cells {
    const cells = this.take(sizes);
    return merge([cells]);
  }

  /** The cells in order of first sight, leaving the folder empty and its buffers free for more. */
  take(sizes: readonly number[]): Cells {
    const size = this.#size;
    if (sizes.length !== this.#keys.length) {
      throw new InternalError("cells/fold-sizes", `Got ${sizes.length} sizes for ${this.#keys.length} keys.`);
    }
    const codes = this.#keys.map((name, key) => {
      const column = new Int32Array(size);
      unpackKey(this.#words, this.#layout, key, column);
      let largest = -1;
      let smallest = -1;
      for (let cell = 0; cell < size; cell++) {
        const code = column[cell]!;
        if (code > largest) largest = code;
        if (code < smallest) smallest = code;
      }
      if (largest >= sizes[key]! || smallest < -1) {
        throw new InternalError("cells/code-range", `Key "${name}" has codes outside its range of ${sizes[key]!}.`);
      }
      return column;
    });
    const cells: Cells = {
      keys: this.#keys,
      sizes: [...sizes],
      size,
      codes,
      records: this.#records.slice(0, size),
      ...(this.#weighted ? { weight: this.#weight.slice(0, size) } : {}),
      measures: this.#measures.map((name, m): MeasureCells => {
        const [values, sum, sumAbs, min, max] = this.#aggregates[m]!;
        return {
          name, values: values.slice(0, size), sum: sum.slice(0, size), sumAbs: sumAbs.slice(0, size), min: min.slice(0, size), max: max.slice(0, size),
        };
      }),
    };
    this.#clear();
    return cells;
  }

  #clear(): void {
    this.#slots.fill(0);
    this.#records.fill(0, 0, this.#size);
    this.#weight.fill(0);
    for (const [values, sum, sumAbs, min, max] of this.#aggregates) {
      values.fill(0, 0, this.#size);
      sum.fill(0, 0, this.#size);
      sumAbs.fill(0, 0, this.#size);
      min.fill(NaN, 0, this.#size);
      max.fill(NaN, 0, this.#size);
    }
    this.#size = 0;
  }

  #checkFrequency(frequency: Float64Array, start: number, end: number): void {
    for (let i = start; i < end; i++) {
      const f = frequency[i]!;
      if (!(f >= 0 && Number.isSafeInteger(f))) {
        throw new DataError(
          "cells/bad-frequency",
          `Row ${this.#rows + i - start + 1} has a frequency that is not a whole number of records from 0 to 2^53 - 1. `
            + "Correct the frequency column or drop its role.",
          { row: this.#rows + i - start + 1 },
        );
      }
      this.#total += f;
      if (this.#total > Number.MAX_SAFE_INTEGER) throw tooManyRecords();
    }
  }

  /** Pack the codes of a block, with more bits for a key where they are needed. */
  #packBlock(codes: readonly Int32Array[], start: number, end: number): void {
    for (;;) {
      const layout = this.#layout;
      while (this.#blockWords.length < layout.words) this.#blockWords.push(new Int32Array(BLOCK));
      for (let w = 0; w < layout.words; w++) this.#blockWords[w]!.fill(0, 0, end - start);
      let needed: number[] | undefined;
      for (let key = 0; key < codes.length; key++) {
        const occurring = packKey(codes[key]!, start, end, layout.shiftOf[key]!, this.#blockWords[layout.wordOf[key]!]!);
        const bits = 32 - Math.clz32(occurring);
        if (bits > layout.bitsOf[key]!) (needed ??= [...layout.bitsOf])[key] = bits;
      }
      if (needed === undefined) return;
      this.#widen(layoutOf(needed));
    }
  }

  /** Pack all cells anew. */
  #widen(layout: Layout): void {
    const before = this.#layout;
    const words = new Int32Array(this.#capacity * layout.words);
    const column = new Int32Array(this.#size);
    for (let key = 0; key < this.#keys.length; key++) {
      unpackKey(this.#words, before, key, column);
      const shift = layout.shiftOf[key]!;
      for (let cell = 0, at = layout.wordOf[key]!; cell < this.#size; cell++, at += layout.words) {
        words[at] = words[at]! | ((column[cell]! + 1) << shift);
      }
    }
    this.#layout = layout;
    this.#words = words;
    this.#enterCells();
  }

  /** Fill the hash table from the cells. */
  #enterCells(): void {
    const slots = this.#slots;
    const words = this.#words;
    const count = this.#layout.words;
    const mask = slots.length / 2 - 1;
    slots.fill(0);
    for (let cell = 0; cell < this.#size; cell++) {
      let tag = words[cell * count]!;
      for (let w = 1; w < count; w++) tag = scrambled(tag) ^ words[cell * count + w]!;
      let slot = scrambled(tag) & mask;
      while (slots[slot * 2 + 1]! > 0) slot = (slot + 1) & mask;
      slots[slot * 2] = tag;
      slots[slot * 2 + 1] = cell + 1;
    }
  }

  /** Find or add the cell of each row; -1 for rows that stand for no record. */
  #locateBlock(start: number, end: number, frequency: Float64Array | undefined): void {
    const rows = end - start;
    const cellOf = this.#blockCells;
    const count = this.#layout.words;
    if (frequency === undefined) cellOf.fill(0, 0, rows);
    else for (let i = start, j = 0; i < end; i++, j++) cellOf[j] = frequency[i] === 0 ? -1 : 0;
    let tags = this.#blockWords[0]!;
    if (count > 1) {
      tags = this.#blockTags;
      tags.set(this.#blockWords[0]!);
      for (let w = 1; w < count; w++) {
        const word = this.#blockWords[w]!;
        for (let j = 0; j < rows; j++) tags[j] = scrambled(tags[j]!) ^ word[j]!;
      }
    }
    this.#size = count === 1
      ? locateByWord(tags, rows, this.#slots, this.#words, this.#size, cellOf)
      : locateByWords(tags, this.#blockWords, rows, this.#slots, this.#words, count, this.#size, cellOf);
  }

  #countBlock(start: number, end: number, frequency: Float64Array | undefined): void {
    const cellOf = this.#blockCells;
    const records = this.#records;
    if (frequency === undefined) {
      for (let j = 0; j < end - start; j++) records[cellOf[j]!]!++;
    } else {
      for (let i = start, j = 0; i < end; i++, j++) if (cellOf[j]! >= 0) records[cellOf[j]!]! += frequency[i]!;
    }
  }

  #weighBlock(weight: Float64Array, start: number, end: number, frequency: Float64Array | undefined): void {
    const cellOf = this.#blockCells;
    const total = this.#weight;
    for (let i = start, j = 0; i < end; i++, j++) {
      const w = weight[i]!;
      if (!(w >= 0 && w < Infinity)) {
        throw new DataError(
          "cells/bad-weight",
          `Row ${this.#rows + j + 1} has a sampling weight that is null, negative or infinite. `
            + "Every record needs a weight of 0 or more; correct the column or drop its role.",
          { row: this.#rows + j + 1 },
        );
      }
      const cell = cellOf[j]!;
      if (cell >= 0) total[cell]! += frequency === undefined ? w : w * frequency[i]!;
    }
  }

  #measureBlock(measure: number, values: Float64Array, start: number, end: number, frequency: Float64Array | undefined): void {
    const cellOf = this.#blockCells;
    const [known, sum, sumAbs, min, max] = this.#aggregates[measure]!;
    for (let i = start, j = 0; i < end; i++, j++) {
      const value = values[i]! + 0; // -0 becomes 0
      const cell = cellOf[j]!;
      if (value !== value || cell < 0) continue;
      if (value === Infinity || value === -Infinity) {
        throw new DataError(
          "cells/infinite-measure",
          `Row ${this.#rows + j + 1} has an infinite value of measure "${this.#measures[measure]!}". `
            + "Correct it, or declare its text as null.",
          { row: this.#rows + j + 1, measure: this.#measures[measure]! },
        );
      }
      const times = frequency === undefined ? 1 : frequency[i]!;
      known[cell]! += times;
      sum[cell]! += value * times;
      sumAbs[cell]! += Math.abs(value) * times;
      if (!(min[cell]! <= value)) min[cell] = value;
      if (!(max[cell]! >= value)) max[cell] = value;
    }
  }

  #reserve(cells: number): void {
    if (cells > this.#capacity) {
      const capacity = Math.max(cells, this.#capacity * 2);
      this.#words = longerWords(this.#words, capacity * this.#layout.words);
      this.#records = longerNumbers(this.#records, capacity, 0);
      if (this.#weighted) this.#weight = longerNumbers(this.#weight, capacity, 0);
      for (const aggregate of this.#aggregates) {
        for (let a = 0; a < 5; a++) aggregate[a] = longerNumbers(aggregate[a]!, capacity, a < 3 ? 0 : NaN);
      }
      this.#capacity = capacity;
    }
    // At most half of the slots are taken; each has two entries.
    if (cells * 4 <= this.#slots.length) return;
    let length = this.#slots.length;
    while (cells * 4 > length) length *= 2;
    this.#slots = new Int32Array(length);
    this.#enterCells();
  }
}

/** Bits of each key into words, in order; a key never lies across two words. At least one word. */
function layoutOf(bitsOf: readonly number[]): Layout {
  const wordOf: number[] = [];
  const shiftOf: number[] = [];
  let word = 0;
  let used = 0;
  for (const bits of bitsOf) {
    if (used + bits > 32) {
      word++;
      used = 0;
    }
    wordOf.push(word);
    shiftOf.push(used);
    used += bits;
  }
  return { words: word + 1, wordOf, shiftOf, bitsOf };
}

/** Or code + 1 into the words of rows start .. end. @returns all bits that occurred in code + 1 */
function packKey(codes: Int32Array, start: number, end: number, shift: number, words: Int32Array): number {
  let occurring = 0;
  for (let i = start, j = 0; i < end; i++, j++) {
    const entry = codes[i]! + 1;
    occurring |= entry;
    words[j] = words[j]! | (entry << shift);
  }
  return occurring;
}

/** Codes of one key of the cells; as many as `column` is long. */
function unpackKey(words: Int32Array, layout: Layout, key: number, column: Int32Array): void {
  const shift = layout.shiftOf[key]!;
  const mask = layout.bitsOf[key]! === 32 ? -1 : (1 << layout.bitsOf[key]!) - 1;
  for (let cell = 0, at = layout.wordOf[key]!; cell < column.length; cell++, at += layout.words) {
    column[cell] = ((words[at]! >>> shift) & mask) - 1;
  }
}

/**
 * Find or add cells of one word.
 * @param cellOf [rows] in: negative to leave a row out; out: its cell
 * @returns number of cells
 */
function locateByWord(
  tags: Int32Array, rows: number, slots: Int32Array, cellWords: Int32Array, cells: number, cellOf: Int32Array,
): number {
  const mask = slots.length / 2 - 1;
  for (let j = 0; j < rows; j++) {
    if (cellOf[j]! < 0) continue;
    const tag = tags[j]!;
    let slot = scrambled(tag) & mask;
    let cell = slots[slot * 2 + 1]!;
    while (cell > 0 && slots[slot * 2] !== tag) {
      slot = (slot + 1) & mask;
      cell = slots[slot * 2 + 1]!;
    }
    if (cell === 0) {
      cellWords[cells] = tag;
      cell = ++cells;
      slots[slot * 2] = tag;
      slots[slot * 2 + 1] = cell;
    }
    cellOf[j] = cell - 1;
  }
  return cells;
}

/** As `locateByWord`, for cells of several words, whose tags may collide. */
function locateByWords(
  tags: Int32Array, words: readonly Int32Array[], rows: number, slots: Int32Array, cellWords: Int32Array, count: number,
  cells: number, cellOf: Int32Array,
): number {
  const mask = slots.length / 2 - 1;
  for (let j = 0; j < rows; j++) {
    if (cellOf[j]! < 0) continue;
    const tag = tags[j]!;
    let slot = scrambled(tag) & mask;
    let cell = slots[slot * 2 + 1]!;
    while (cell > 0) {
      if (slots[slot * 2] === tag) {
        let w = 0;
        while (w < count && cellWords[(cell - 1) * count + w] === words[w]![j]) w++;
        if (w === count) break;
      }
      slot = (slot + 1) & mask;
      cell = slots[slot * 2 + 1]!;
    }
    if (cell === 0) {
      for (let w = 0; w < count; w++) cellWords[cells * count + w] = words[w]![j]!;
      cell = ++cells;
      slots[slot * 2] = tag;
      slots[slot * 2 + 1] = cell;
    }
    cellOf[j] = cell - 1;
  }
  return cells;
}

function emptyAggregates(capacity: number): Aggregates {
  return [
    new Float64Array(capacity), new Float64Array(capacity), new Float64Array(capacity),
    new Float64Array(capacity).fill(NaN), new Float64Array(capacity).fill(NaN),
  ];
}

function longerWords(words: Int32Array, length: number): Int32Array {
  const longer = new Int32Array(length);
  longer.set(words);
  return longer;
}

function longerNumbers(numbers: Float64Array, length: number, fill: number): Float64Array {
  const longer = new Float64Array(length);
  longer.set(numbers);
  if (fill !== 0) longer.fill(fill, numbers.length);
  return longer;
}

function tooManyRecords(): DataError {
  return new DataError(
    "cells/too-many-records",
    "The records add up to more than 2^53 - 1, beyond which counts are no longer exact. Check the frequency column.",
  );
}
