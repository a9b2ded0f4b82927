import { orderByWord, radixScratch } from "../../kernels/radix-order.ts";

/** Tuples of small integers brought together: equal tuples are neighbours in `order`. */
export interface TupleGroups {
  /** [tuples] indices in lexicographic order of their tuples, equal ones in ascending index order. */
  readonly order: Uint32Array;
  /** [groups + 1] slice of `order` that each group takes. */
  readonly starts: Uint32Array;
}

/** Codes below this are packed together into one word. */
const WORD = 2 ** 32;

/**
 * Group tuples by sorting: as many columns as fit are packed into one 32-bit word, and the words are sorted by radix, the last
 * first. The order of groups follows from the codes alone, so it does not show in which order the tuples came.
 *
 * @param columns [columns][tuples] codes, 0 <= code < sizes[column]
 * @param sizes   [columns] number of codes
 * @param tuples  number of tuples
 *
 * Time O(tuples x (columns + significant bits / 11)), memory O(tuples x words).
 */
export function groupTuples(columns: readonly ArrayLike<number>[], sizes: readonly number[], tuples: number): TupleGroups {
  const order = new Uint32Array(tuples);
  for (let i = 0; i < tuples; i++) order[i] = i;
  const words: Uint32Array[] = [];
  const scratch = radixScratch(tuples);
  for (let to = columns.length; to > 0; ) {
    let from = to - 1;
    let product = sizes[from]!;
    while (from > 0 && product * sizes[from - 1]! <= WORD) product *= sizes[--from]!;
    const word = new Uint32Array(tuples);
    for (let k = from; k < to; k++) {
      const codes = columns[k]!;
      const size = sizes[k]!;
      for (let i = 0; i < tuples; i++) word[i] = word[i]! * size + codes[i]!;
    }
    if (tuples > 0) orderByWord(word, product - 1, tuples, order, scratch);
    words.push(word);
    to = from;
  }

  const starts = new Uint32Array(tuples + 1);
  let groups = 0;
  for (let i = 0; i < tuples; i++) {
    let opens = i === 0;
    for (let w = 0; w < words.length && !opens; w++) opens = words[w]![order[i]!] !== words[w]![order[i - 1]!];
    if (opens) starts[groups++] = i;
  }
  starts[groups] = tuples;
  return { order, starts: starts.slice(0, groups + 1) };
}
