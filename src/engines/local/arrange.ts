import type { Batch, Column, Dictionary } from "../../columns/index.ts";
import { orderByWord, radixScratch } from "../../kernels/radix-order.ts";
import { codesOfRecords, type RunBatch } from "../../sinks/index.ts";

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
 * does not show. Records that differ in numbers only come as runs.
 *
 * Where classes and codes have few combinations, records are counted by combination and put in place at once; otherwise they
 * are sorted column by column. Time O(records x coded columns) and O(t log t) for each t records that differ in numbers only;
 * memory O(records x (words + columns)).
 */
export function arrangePartition(spec: ArrangeSpec, lanes: readonly LaneBlocks[]): RunBatch {
  const { words, columns } = spec;
  let records = 0;
  for (const lane of lanes) for (const block of lane.blocks) records += block.length / words;
  const { lowest, highest } = classRange(lanes, words);
  const coded = columns.flatMap((column, c) => (column.kind === "codes" ? [c] : []));
  const numeric = columns.flatMap((column, c) => (column.kind === "numbers" ? [c] : []));
  let combinations = highest - lowest + 1;
  for (const c of coded) combinations *= sizeOf(columns[c]!) + 1;
  return combinations <= Math.max(SOME_COMBINATIONS, records) && numeric.length <= 1
    ? countedRuns(spec, lanes, records, lowest, combinations, coded, numeric[0])
    : sortedRuns(spec, lanes, records, lowest, highest, coded, numeric);
}

/** The same records one by one. */
export function batchOfRuns(runs: RunBatch): Batch {
  return {
    records: runs.records,
    columns: runs.columns.map((column) => (column.kind === "numbers" ? column : { ...column, codes: codesOfRecords(column.codes, runs) })),
  };
}

/** Counters that stay in the second-level cache. */
const SOME_COMBINATIONS = 1 << 16;

/** Count records by combination of class and codes, whose number tells their order, and put numbers where they belong. */
function countedRuns(
  { words, columns }: ArrangeSpec, lanes: readonly LaneBlocks[], records: number, lowest: number, combinations: number,
  coded: readonly number[], numeric: number | undefined,
): RunBatch {
  const combinationOf = new Uint32Array(records);
  let at = 0;
  for (const { blocks, toReleased } of lanes) {
    for (const block of blocks) {
      const count = block.length / words;
      gatherClasses(block, words, lowest, combinationOf, at, count);
      for (const c of coded) {
        const column = columns[c]! as ArrangeColumn & { kind: "codes" };
        appendCodes(block, words, column.word, toReleased[c]!, column.dictionary.size + 1, combinationOf, at, count);
      }
      at += count;
    }
  }

  const place = new Uint32Array(combinations);
  const starts = new Uint32Array(countEach(combinationOf, place) + 1);
  const combinationOfRun = new Uint32Array(starts.length - 1);
  startRuns(place, starts, combinationOfRun);

  const values = new Float64Array(numeric === undefined ? 0 : records);
  if (numeric !== undefined) {
    const { word } = columns[numeric]! as ArrangeColumn & { kind: "numbers" };
    at = 0;
    for (const { blocks } of lanes) {
      for (const block of blocks) {
        placeNumbers(block, words, word, combinationOf, at, place, values);
        at += block.length / words;
      }
    }
    sortRuns(values, starts);
  }

  // From the last coded column to the class, as digits of the combination.
  const codesOf: Int32Array[] = [];
  for (const c of coded.toReversed()) codesOf[c] = lastDigits(combinationOfRun, sizeOf(columns[c]!) + 1);
  return {
    records,
    starts,
    columns: columns.map((column, c): Column => {
      if (column.kind === "numbers") return { kind: "numbers", values };
      const codes = column.kind === "key" ? codesOfClasses(column.codeOfClass, combinationOfRun, lowest) : codesOf[c]!;
      return { kind: "codes", codes, dictionary: column.dictionary };
    }),
  };
}

/** Classes of the records of a block, counted from the lowest. */
function gatherClasses(block: Uint32Array, words: number, lowest: number, classes: Uint32Array, at: number, count: number): void {
  for (let i = 0; i < count; i++) classes[at + i] = block[i * words]! - lowest;
}

/** @param counts [combinations] in: zeros; out: records of each. @returns combinations that occur */
function countEach(combinationOf: Uint32Array, counts: Uint32Array): number {
  let occurring = 0;
  for (let i = 0; i < combinationOf.length; i++) {
    const combination = combinationOf[i]!;
    const count = counts[combination]!;
    if (count === 0) occurring++;
    counts[combination] = count + 1;
  }
  return occurring;
}

/** @param place [combinations] in: records of each; out: first place of each that occurs */
function startRuns(place: Uint32Array, starts: Uint32Array, combinationOfRun: Uint32Array): void {
  let run = 0;
  let start = 0;
  for (let combination = 0; combination < place.length; combination++) {
    const count = place[combination]!;
    if (count === 0) continue;
    place[combination] = start;
    starts[run] = start;
    combinationOfRun[run++] = combination;
    start += count;
  }
  starts[run] = start;
}

/** Append one column's digit to the combinations: released code plus one, so that null (0) comes first. */
function appendCodes(
  block: Uint32Array, words: number, word: number, toReleased: Int32Array, base: number, combinationOf: Uint32Array, at: number, count: number,
): void {
  for (let i = 0; i < count; i++) {
    const code = block[i * words + word]!;
    combinationOf[at + i] = combinationOf[at + i]! * base + (code === 0xffffffff ? 0 : toReleased[code]! + 1);
  }
}

/** Numbers from their two words, each to the next place of its combination. */
function placeNumbers(
  block: Uint32Array, words: number, word: number, combinationOf: Uint32Array, at: number, place: Uint32Array, values: Float64Array,
): void {
  const bits = new Uint32Array(values.buffer);
  const count = block.length / words;
  for (let i = 0; i < count; i++) {
    const combination = combinationOf[at + i]!;
    const to = place[combination]!;
    place[combination] = to + 1;
    bits[to * 2] = block[i * words + word]!;
    bits[to * 2 + 1] = block[i * words + word + 1]!;
  }
  // In `sortRuns` every NaN becomes the one that stands for null, and -0 becomes 0.
}

/** Take the last digit off every combination. @returns [runs] the digits less one: codes, -1 for null */
function lastDigits(combinations: Uint32Array, base: number): Int32Array {
  const digits = new Int32Array(combinations.length);
  for (let run = 0; run < combinations.length; run++) {
    const combination = combinations[run]!;
    const rest = Math.floor(combination / base);
    digits[run] = combination - rest * base - 1;
    combinations[run] = rest;
  }
  return digits;
}

function codesOfClasses(codeOfClass: Int32Array, classes: Uint32Array, lowest: number): Int32Array {
  const codes = new Int32Array(classes.length);
  for (let run = 0; run < codes.length; run++) codes[run] = codeOfClass[classes[run]! + lowest]!;
  return codes;
}

/** Sort record numbers, least significant column first. */
function sortedRuns(
  { words, columns }: ArrangeSpec, lanes: readonly LaneBlocks[], records: number, lowest: number, highest: number,
  coded: readonly number[], numeric: readonly number[],
): RunBatch {
  const classOf = new Uint32Array(records);
  const codes = columns.map((column) => new Uint32Array(column.kind === "codes" ? records : 0));
  const numbers = columns.map((column) => new Float64Array(column.kind === "numbers" ? records : 0));
  let at = 0;
  for (const lane of lanes) {
    for (const block of lane.blocks) {
      const count = block.length / words;
      // A partition holds a range of classes: counted from its first, one digit usually tells them apart.
      gatherClasses(block, words, lowest, classOf, at, count);
      for (let c = 0; c < columns.length; c++) {
        const column = columns[c]!;
        if (column.kind === "codes") appendCodes(block, words, column.word, lane.toReleased[c]!, 0, codes[c]!, at, count);
        else if (column.kind === "numbers") gatherNumbers(block, words, column.word, numbers[c]!, at, count);
      }
      at += count;
    }
  }

  const order = new Uint32Array(records);
  for (let i = 0; i < records; i++) order[i] = i;
  const scratch = radixScratch(records);
  for (const c of coded.toReversed()) orderByWord(codes[c]!, sizeOf(columns[c]!), records, order, scratch);
  orderByWord(classOf, highest - lowest, records, order, scratch);
  const starts = startsOf([classOf, ...coded.map((c) => codes[c]!)], records, order);
  if (numeric.length > 1) orderTies(starts, numeric.map((c) => numbers[c]!), order);

  const firstOf = new Uint32Array(starts.length - 1);
  for (let run = 0; run < firstOf.length; run++) firstOf[run] = order[starts[run]!]!;
  return {
    records,
    starts,
    columns: columns.map((column, c): Column => {
      if (column.kind === "numbers") {
        const values = orderedNumbers(numbers[c]!, order, records);
        // Records of a run differ in nothing but this number, so the numbers alone are put in order.
        if (numeric.length === 1) sortRuns(values, starts);
        return { kind: "numbers", values };
      }
      const own = new Int32Array(firstOf.length);
      if (column.kind === "key") for (let run = 0; run < own.length; run++) own[run] = column.codeOfClass[classOf[firstOf[run]!]! + lowest]!;
      else for (let run = 0; run < own.length; run++) own[run] = codes[c]![firstOf[run]!]! - 1;
      return { kind: "codes", codes: own, dictionary: column.dictionary };
    }),
  };
}

function sizeOf(column: ArrangeColumn): number {
  return column.kind === "numbers" ? 0 : column.dictionary.size;
}

/** [runs + 1] where runs of records that are alike in every coded word begin, and the number of records. */
function startsOf(coded: readonly Uint32Array[], records: number, order: Uint32Array): Uint32Array {
  const begins = new Uint8Array(records);
  for (const words of coded) {
    let before = words[order[0]!]!;
    for (let i = 1; i < records; i++) {
      const word = words[order[i]!]!;
      if (word !== before) begins[i] = 1;
      before = word;
    }
  }
  let runs = records > 0 ? 1 : 0;
  for (let i = 1; i < records; i++) runs += begins[i]!;
  const starts = new Uint32Array(runs + 1);
  let run = 1;
  for (let i = 1; i < records; i++) if (begins[i] === 1) starts[run++] = i;
  starts[runs] = records;
  return starts;
}

/** Order the records of each run by their numbers, one column after the other. */
function orderTies(starts: Uint32Array, numeric: readonly Float64Array[], order: Uint32Array): void {
  const compare = (a: number, b: number): number => {
    for (const values of numeric) {
      const difference = compareNumbers(values[a]!, values[b]!);
      if (difference !== 0) return difference;
    }
    return 0;
  };
  for (let run = 0; run + 1 < starts.length; run++) {
    if (starts[run + 1]! - starts[run]! > 1) order.subarray(starts[run], starts[run + 1]).sort(compare);
  }
}

/** Sort the numbers of each run, null (NaN) first. Every NaN becomes the one that stands for null, and -0 becomes 0. */
function sortRuns(values: Float64Array, starts: Uint32Array): void {
  for (let run = 0; run + 1 < starts.length; run++) {
    const start = starts[run]!;
    const end = starts[run + 1]!;
    let from = start;
    for (let i = start; i < end; i++) {
      const value = values[i]!;
      if (value === value) values[i] = value + 0;
      else {
        values[i] = values[from]!;
        values[from++] = NaN;
      }
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

function classRange(lanes: readonly LaneBlocks[], words: number): { lowest: number; highest: number } {
  let lowest = 0xffffffff;
  let highest = 0;
  for (const { blocks } of lanes) {
    for (const block of blocks) {
      for (let i = 0; i < block.length; i += words) {
        const word = block[i]!;
        if (word > highest) highest = word;
        if (word < lowest) lowest = word;
      }
    }
  }
  return { lowest: Math.min(lowest, highest), highest };
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
