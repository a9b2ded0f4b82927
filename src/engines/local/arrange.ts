import type { Batch, Column, Dictionary } from "../../columns/index.ts";
import { orderByWord, radixScratch } from "../../kernels/radix-order.ts";

/** What is needed to turn kept records back into columns; plain data, so that it can be sent to a thread. */
export interface ArrangeSpec {
  /** Released columns in output order. Words of columns of codes and numbers follow the class in any order. */
  readonly columns: readonly ArrangeColumn[];
  /** Words per record: the class, then each other column's. */
  readonly words: number;
}

export type ArrangeColumn =
  /** A key: the class says its code. */
  | { readonly kind: "key"; readonly codeOfClass: Int32Array; readonly dictionary: Dictionary }
  | { readonly kind: "codes"; readonly word: number; readonly dictionary: Dictionary }
  | { readonly kind: "numbers"; readonly word: number };

/** Records of one partition from one lane, with that lane's codes. */
export interface LaneBlocks {
  readonly blocks: readonly Uint32Array[];
  /** [columns] lane code -> released code, for columns of kind "codes". */
  readonly toReleased: readonly (Int32Array | undefined)[];
}

/**
 * Put the records of one partition into released order: by class, then by the coded columns from left to right, each by the
 * rank of its value (null first), then by the columns of numbers. The order depends on released values alone, so input order
 * does not show.
 *
 * Time O(records x coded columns) and O(t log t) for each t records that differ in numbers only; memory
 * O(records x (words + columns)).
 */
export function arrangePartition(spec: ArrangeSpec, lanes: readonly LaneBlocks[]): Batch {
  const { words, columns } = spec;
  let records = 0;
  for (const lane of lanes) for (const block of lane.blocks) records += block.length / words;

  const classOf = new Uint32Array(records);
  const codes = columns.map((column) => new Uint32Array(column.kind === "codes" ? records : 0));
  const numbers = columns.map((column) => new Float64Array(column.kind === "numbers" ? records : 0));
  let at = 0;
  for (const lane of lanes) {
    for (const block of lane.blocks) {
      const count = block.length / words;
      for (let i = 0; i < count; i++) classOf[at + i] = block[i * words]!;
      for (let c = 0; c < columns.length; c++) {
        const column = columns[c]!;
        if (column.kind === "codes") gatherCodes(block, words, column.word, lane.toReleased[c]!, codes[c]!, at, count);
        else if (column.kind === "numbers") gatherNumbers(block, words, column.word, numbers[c]!, at, count);
      }
      at += count;
    }
  }

  const order = new Uint32Array(records);
  for (let i = 0; i < records; i++) order[i] = i;
  const scratch = radixScratch(records);
  const coded = columns.flatMap((column, c) => (column.kind === "codes" ? [c] : []));
  const numeric = columns.flatMap((column, c) => (column.kind === "numbers" ? [numbers[c]!] : []));
  for (const c of coded.toReversed()) orderByWord(codes[c]!, sizeOf(columns[c]!), records, order, scratch);
  // A partition holds a range of classes: counted from its first, one digit usually tells them apart.
  const { lowest, highest } = rangeOf(classOf);
  for (let i = 0; i < records; i++) classOf[i] = classOf[i]! - lowest;
  orderByWord(classOf, highest - lowest, records, order, scratch);
  const runs = numeric.length === 0 ? new Uint8Array(0) : runsOf([classOf, ...coded.map((c) => codes[c]!)], records, order);
  if (numeric.length > 1) orderTies(runs, numeric, records, order);

  return {
    records,
    columns: columns.map((column, c): Column => {
      if (column.kind === "numbers") {
        const values = orderedNumbers(numbers[c]!, order, records);
        // Records of a run differ in nothing but this number, so the numbers alone are put in order.
        if (numeric.length === 1) sortRuns(values, runs, records);
        return { kind: "numbers", values };
      }
      const own = column.kind === "key" ? orderedKeys(column.codeOfClass, classOf, lowest, order, records) : orderedCodes(codes[c]!, order, records);
      return { kind: "codes", codes: own, dictionary: column.dictionary };
    }),
  };
}

function sizeOf(column: ArrangeColumn): number {
  return column.kind === "numbers" ? 0 : column.dictionary.size;
}

/** [records + 1] 1 where a run of records that are alike in every coded word begins, and at the end. */
function runsOf(coded: readonly Uint32Array[], records: number, order: Uint32Array): Uint8Array {
  const begins = new Uint8Array(records + 1);
  begins[records] = 1;
  for (const words of coded) {
    let before = words[order[0]!]!;
    for (let i = 1; i < records; i++) {
      const word = words[order[i]!]!;
      if (word !== before) begins[i] = 1;
      before = word;
    }
  }
  return begins;
}

/** Order the records of each run by their numbers, one column after the other. */
function orderTies(runs: Uint8Array, numeric: readonly Float64Array[], records: number, order: Uint32Array): void {
  const compare = (a: number, b: number): number => {
    for (const values of numeric) {
      const difference = compareNumbers(values[a]!, values[b]!);
      if (difference !== 0) return difference;
    }
    return 0;
  };
  for (let start = 0; start < records; ) {
    let end = start + 1;
    while (runs[end] === 0) end++;
    if (end - start > 1) order.subarray(start, end).sort(compare);
    start = end;
  }
}

/** Sort the numbers of each run, null (NaN) first. */
function sortRuns(values: Float64Array, runs: Uint8Array, records: number): void {
  for (let start = 0; start < records; ) {
    let end = start + 1;
    while (runs[end] === 0) end++;
    let from = start;
    for (let i = start; i < end; i++) {
      if (values[i] === values[i]) continue;
      values[i] = values[from]!;
      values[from++] = NaN;
    }
    if (end - from > SHORT_RUN) values.subarray(from, end).sort();
    else {
      for (let i = from + 1; i < end; i++) {
        const value = values[i]!;
        let j = i;
        for (; j > from && values[j - 1]! > value; j--) values[j] = values[j - 1]!;
        values[j] = value;
      }
    }
    start = end;
  }
}

function compareNumbers(a: number, b: number): number {
  if (a === b) return 0;
  if (a !== a) return b !== b ? 0 : -1;
  if (b !== b) return 1;
  return a < b ? -1 : 1;
}

/** Longer runs are worth a sort that does not take quadratic time. */
const SHORT_RUN = 24;

function rangeOf(words: Uint32Array): { lowest: number; highest: number } {
  let lowest = words.length === 0 ? 0 : words[0]!;
  let highest = lowest;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word > highest) highest = word;
    else if (word < lowest) lowest = word;
  }
  return { lowest, highest };
}

/** Released code plus one, so that null (0) comes first. */
function gatherCodes(
  block: Uint32Array, words: number, word: number, toReleased: Int32Array, out: Uint32Array, at: number, count: number,
): void {
  for (let i = 0; i < count; i++) {
    const code = block[i * words + word]!;
    out[at + i] = code === 0xffffffff ? 0 : toReleased[code]! + 1;
  }
}

/** Numbers from their two words; every NaN becomes the one that stands for null, and -0 becomes 0. */
function gatherNumbers(block: Uint32Array, words: number, word: number, out: Float64Array, at: number, count: number): void {
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < count; i++) {
    bits[(at + i) * 2] = block[i * words + word]!;
    bits[(at + i) * 2 + 1] = block[i * words + word + 1]!;
  }
  for (let i = at; i < at + count; i++) {
    const value = out[i]!;
    out[i] = value === value ? value + 0 : NaN;
  }
}

function orderedNumbers(values: Float64Array, order: Uint32Array, records: number): Float64Array {
  const ordered = new Float64Array(records);
  for (let i = 0; i < records; i++) ordered[i] = values[order[i]!]!;
  return ordered;
}

function orderedCodes(codes: Uint32Array, order: Uint32Array, records: number): Int32Array {
  const ordered = new Int32Array(records);
  for (let i = 0; i < records; i++) ordered[i] = codes[order[i]!]! - 1;
  return ordered;
}

function orderedKeys(codeOfClass: Int32Array, classOf: Uint32Array, lowest: number, order: Uint32Array, records: number): Int32Array {
  const ordered = new Int32Array(records);
  for (let i = 0; i < records; i++) ordered[i] = codeOfClass[classOf[order[i]!]! + lowest]!;
  return ordered;
}
