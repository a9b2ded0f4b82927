import { DataError, InternalError } from "../errors/index.ts";
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

/** Rows hashed at a time, so that the scratch stays in the first-level cache. */
const BLOCK = 2048;

/**
 * Streaming fold: rows in, cells out, with no need to know in advance how many codes a key has. Rows that stand for several
 * records (frequency f) count as f equal records: f records, f x weight, f x value.
 *
 * Cells live in one open-addressing hash table over codes stored row by row. Memory: 4 bytes a key and 24 to 32 bytes,
 * 8 more for the weight and 32 more for each measure, a cell, up to twice that while growing.
 */
export class Folder {
  readonly #keys: readonly string[];
  readonly #measures: readonly string[];
  readonly #weighted: boolean;
  readonly #frequency: boolean;

  #size = 0;
  #capacity = 1024;
  #slots: Int32Array = new Int32Array(4096);
  /** [cells][keys] */
  #codes: Int32Array;
  #hashes: Int32Array;
  #records: Float64Array;
  #weight: Float64Array;
  /** [measures][sum, sumAbs, min, max][cells] */
  #aggregates: [Float64Array, Float64Array, Float64Array, Float64Array][];
  #total = 0;
  #rows = 0;

  readonly #blockCodes: Int32Array;
  readonly #blockHashes = new Int32Array(BLOCK);
  readonly #blockCells = new Int32Array(BLOCK);

  constructor(shape: FolderShape) {
    this.#keys = shape.keys;
    this.#measures = shape.measures ?? [];
    this.#weighted = shape.weight ?? false;
    this.#frequency = shape.frequency ?? false;
    this.#codes = new Int32Array(this.#capacity * shape.keys.length);
    this.#hashes = new Int32Array(this.#capacity);
    this.#records = new Float64Array(this.#capacity);
    this.#weight = new Float64Array(this.#weighted ? this.#capacity : 0);
    this.#aggregates = this.#measures.map(() => emptyAggregates(this.#capacity));
    this.#blockCodes = new Int32Array(BLOCK * shape.keys.length);
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
    const perCell = this.#keys.length * 4 + 12 + (this.#weighted ? 8 : 0) + this.#measures.length * 32;
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
      this.#hashBlock(codes, start, end);
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
    const keys = this.#keys.length;
    if (sizes.length !== keys) throw new InternalError("cells/fold-sizes", `Got ${sizes.length} sizes for ${keys} keys.`);
    const codes = this.#keys.map((name, key) => {
      const column = new Int32Array(size);
      let largest = -1;
      let smallest = -1;
      for (let cell = 0, at = key; cell < size; cell++, at += keys) {
        const code = this.#codes[at]!;
        column[cell] = code;
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
        const [sum, sumAbs, min, max] = this.#aggregates[m]!;
        return {
          name, sum: sum.slice(0, size), sumAbs: sumAbs.slice(0, size), min: min.slice(0, size), max: max.slice(0, size),
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
    for (const [sum, sumAbs, min, max] of this.#aggregates) {
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

  /** Copy the codes row by row and hash them, key by key, so that each loop reads one column. */
  #hashBlock(codes: readonly Int32Array[], start: number, end: number): void {
    const keys = this.#keys.length;
    const rowCodes = this.#blockCodes;
    const hashes = this.#blockHashes;
    hashes.fill(0, 0, end - start);
    for (let key = 0; key < keys; key++) {
      const column = codes[key]!;
      for (let i = start, j = 0, at = key; i < end; i++, j++, at += keys) {
        const code = column[i]!;
        rowCodes[at] = code;
        // One round of MurmurHash3 (Appleby, public domain), constants unchanged.
        const mixed = Math.imul(code, 0xcc9e2d51);
        const h = hashes[j]! ^ Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
        hashes[j] = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64;
      }
    }
    for (let j = 0; j < end - start; j++) {
      let h = hashes[j]!;
      h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
      h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
      hashes[j] = h ^ (h >>> 16);
    }
  }

  /** Find or add the cell of each row; -1 for rows that stand for no record. */
  #locateBlock(start: number, end: number, frequency: Float64Array | undefined): void {
    const rows = end - start;
    this.#reserve(this.#size + rows);
    const keys = this.#keys.length;
    const slots = this.#slots;
    const mask = slots.length - 1;
    const cellCodes = this.#codes;
    const cellHashes = this.#hashes;
    const rowCodes = this.#blockCodes;
    const rowHashes = this.#blockHashes;
    const cellOf = this.#blockCells;
    let size = this.#size;

    for (let j = 0; j < rows; j++) {
      if (frequency !== undefined && frequency[start + j] === 0) {
        cellOf[j] = -1;
        continue;
      }
      const hash = rowHashes[j]!;
      const row = j * keys;
      let slot = hash & mask;
      let cell = slots[slot]! - 1;
      while (cell >= 0) {
        if (cellHashes[cell] === hash) {
          let key = 0;
          const at = cell * keys;
          while (key < keys && cellCodes[at + key] === rowCodes[row + key]) key++;
          if (key === keys) break;
        }
        slot = (slot + 1) & mask;
        cell = slots[slot]! - 1;
      }
      if (cell < 0) {
        cell = size++;
        slots[slot] = size;
        cellHashes[cell] = hash;
        for (let key = 0, at = cell * keys; key < keys; key++) cellCodes[at + key] = rowCodes[row + key]!;
      }
      cellOf[j] = cell;
    }
    this.#size = size;
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
    const [sum, sumAbs, min, max] = this.#aggregates[measure]!;
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
      sum[cell]! += value * times;
      sumAbs[cell]! += Math.abs(value) * times;
      if (!(min[cell]! <= value)) min[cell] = value;
      if (!(max[cell]! >= value)) max[cell] = value;
    }
  }

  #reserve(cells: number): void {
    if (cells > this.#capacity) {
      const capacity = Math.max(cells, this.#capacity * 2);
      this.#codes = longerCodes(this.#codes, capacity * this.#keys.length);
      this.#hashes = longerCodes(this.#hashes, capacity);
      this.#records = longerNumbers(this.#records, capacity, 0);
      if (this.#weighted) this.#weight = longerNumbers(this.#weight, capacity, 0);
      for (const aggregate of this.#aggregates) {
        for (let a = 0; a < 4; a++) aggregate[a] = longerNumbers(aggregate[a]!, capacity, a < 2 ? 0 : NaN);
      }
      this.#capacity = capacity;
    }
    if (cells * 2 <= this.#slots.length) return;
    let length = this.#slots.length;
    while (cells * 2 > length) length *= 2;
    const slots = new Int32Array(length);
    for (let cell = 0; cell < this.#size; cell++) {
      let slot = this.#hashes[cell]! & (length - 1);
      while (slots[slot]! > 0) slot = (slot + 1) & (length - 1);
      slots[slot] = cell + 1;
    }
    this.#slots = slots;
  }
}

function emptyAggregates(capacity: number): [Float64Array, Float64Array, Float64Array, Float64Array] {
  return [
    new Float64Array(capacity), new Float64Array(capacity),
    new Float64Array(capacity).fill(NaN), new Float64Array(capacity).fill(NaN),
  ];
}

function longerCodes(codes: Int32Array, length: number): Int32Array {
  const longer = new Int32Array(length);
  longer.set(codes);
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
