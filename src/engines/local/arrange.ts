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
  const values = columns.map((column) => {
    if (column.kind === "key") return undefined;
    return column.kind === "codes" ? new Uint32Array(records) : new Uint32Array(records * 2);
  });
  let at = 0;
  for (const lane of lanes) {
    for (const block of lane.blocks) {
      const count = block.length / words;
      for (let i = 0; i < count; i++) classOf[at + i] = block[i * words]!;
      for (let c = 0; c < columns.length; c++) {
        const column = columns[c]!;
        if (column.kind === "codes") gatherCodes(block, words, column.word, lane.toReleased[c]!, values[c]!, at, count);
        else if (column.kind === "numbers") gatherNumbers(block, words, column.word, values[c]!, at, count, records);
      }
      at += count;
    }
  }

  const order = new Uint32Array(records);
  for (let i = 0; i < records; i++) order[i] = i;
  const scratch = radixScratch(records);
  const coded = columns.flatMap((column, c) => (column.kind === "codes" ? [c] : []));
  const numeric = columns.flatMap((column, c) => (column.kind === "numbers" ? [values[c]!] : []));
  for (const c of coded.toReversed()) orderByWord(values[c]!, sizeOf(columns[c]!), records, order, scratch);
  orderByWord(classOf, highest(classOf), records, order, scratch);
  if (numeric.length > 0) orderTies([classOf, ...coded.map((c) => values[c]!)], numeric, records, order);

  return { records, columns: columns.map((column, c) => ordered(column, values[c], classOf, order, records)) };
}

function sizeOf(column: ArrangeColumn): number {
  return column.kind === "numbers" ? 0 : column.dictionary.size;
}

/** Records that are alike in every coded word stand together by now; order each such run by its numbers. */
function orderTies(coded: readonly Uint32Array[], numeric: readonly Uint32Array[], records: number, order: Uint32Array): void {
  const compare = (a: number, b: number): number => {
    for (const words of numeric) {
      const high = words[records + a]! - words[records + b]!;
      if (high !== 0) return high;
      const low = words[a]! - words[b]!;
      if (low !== 0) return low;
    }
    return 0;
  };
  const alike = (a: number, b: number): boolean => {
    for (const words of coded) if (words[a] !== words[b]) return false;
    return true;
  };
  for (let start = 0; start < records; ) {
    let end = start + 1;
    while (end < records && alike(order[start]!, order[end]!)) end++;
    if (end - start > SHORT_RUN) order.subarray(start, end).sort(compare);
    else {
      for (let i = start + 1; i < end; i++) {
        const record = order[i]!;
        let j = i;
        for (; j > start && compare(order[j - 1]!, record) > 0; j--) order[j] = order[j - 1]!;
        order[j] = record;
      }
    }
    start = end;
  }
}

/** Longer runs are worth a sort that does not take quadratic time. */
const SHORT_RUN = 24;

function highest(words: Uint32Array): number {
  let most = 0;
  for (let i = 0; i < words.length; i++) if (words[i]! > most) most = words[i]!;
  return most;
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

/**
 * Doubles as two words that order like the numbers: low words in the first half of `out`, high words in the second.
 * Every NaN becomes the one that stands for null and orders first; -0 becomes 0.
 */
function gatherNumbers(
  block: Uint32Array, words: number, word: number, out: Uint32Array, at: number, count: number, records: number,
): void {
  for (let i = 0; i < count; i++) {
    let low = block[i * words + word]!;
    let high = block[i * words + word + 1]!;
    const magnitude = high & 0x7fffffff;
    if (magnitude > 0x7ff00000 || (magnitude === 0x7ff00000 && low !== 0)) {
      low = 0;
      high = 0;
    } else if (magnitude === 0 && low === 0) {
      high = 0x80000000;
    } else if (high >>> 31 === 1) {
      low = ~low >>> 0;
      high = ~high >>> 0;
    } else {
      high = (high | 0x80000000) >>> 0;
    }
    out[at + i] = low;
    out[records + at + i] = high;
  }
}

function ordered(
  column: ArrangeColumn, values: Uint32Array | undefined, classOf: Uint32Array, order: Uint32Array, records: number,
): Column {
  if (column.kind === "numbers") {
    const numbers = new Float64Array(records);
    const bits = new Uint32Array(numbers.buffer);
    for (let i = 0; i < records; i++) {
      let low = values![order[i]!]!;
      let high = values![records + order[i]!]!;
      if (low === 0 && high === 0) high = 0x7ff80000;
      else if (high >>> 31 === 1) high = high & 0x7fffffff;
      else {
        low = ~low >>> 0;
        high = ~high >>> 0;
      }
      bits[i * 2] = low;
      bits[i * 2 + 1] = high;
    }
    return { kind: "numbers", values: numbers };
  }
  const codes = new Int32Array(records);
  if (column.kind === "key") {
    const codeOfClass = column.codeOfClass;
    for (let i = 0; i < records; i++) codes[i] = codeOfClass[classOf[order[i]!]!]!;
  } else {
    for (let i = 0; i < records; i++) codes[i] = values![order[i]!]! - 1;
  }
  return { kind: "codes", codes, dictionary: column.dictionary };
}
