/** Tuples of small integers brought together: equal tuples are neighbours in `order`. */
export interface TupleGroups {
  /** [tuples] indices in lexicographic order of their tuples, equal ones in ascending index order. */
  readonly order: Int32Array;
  /** [groups + 1] slice of `order` that each group takes. */
  readonly starts: Int32Array;
}

/**
 * Group tuples by sorting, one stable counting sort a column from the last to the first. The order of groups follows from
 * the codes alone, so it does not show in which order the tuples came.
 *
 * @param columns [columns][tuples] codes, 0 <= code < sizes[column]
 * @param sizes   [columns] number of codes
 * @param tuples  number of tuples
 *
 * Time O(columns x (tuples + codes)), memory O(tuples + codes).
 */
export function groupTuples(columns: readonly Int32Array[], sizes: readonly number[], tuples: number): TupleGroups {
  let order = new Int32Array(tuples);
  for (let i = 0; i < tuples; i++) order[i] = i;
  let sorted = new Int32Array(tuples);
  for (let k = columns.length - 1; k >= 0; k--) {
    const codes = columns[k]!;
    const place = new Int32Array(sizes[k]! + 1);
    for (let i = 0; i < tuples; i++) place[codes[i]! + 1]!++;
    for (let c = 0; c < sizes[k]!; c++) place[c + 1]! += place[c]!;
    for (let i = 0; i < tuples; i++) {
      const tuple = order[i]!;
      sorted[place[codes[tuple]!]!++] = tuple;
    }
    [order, sorted] = [sorted, order];
  }

  const starts = new Int32Array(tuples + 1);
  let groups = 0;
  for (let i = 0; i < tuples; i++) {
    let opens = i === 0;
    for (let k = 0; k < columns.length && !opens; k++) opens = columns[k]![order[i]!] !== columns[k]![order[i - 1]!];
    if (opens) starts[groups++] = i;
  }
  starts[groups] = tuples;
  return { order, starts: starts.slice(0, groups + 1) };
}
