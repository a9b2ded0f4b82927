/** A sparse matrix by columns: for each its rows, and which entry of the matrix by rows that is. */
export interface Transposed {
  /** [columns + 1] */
  readonly starts: Int32Array;
  /** [entries] ascending within a column. */
  readonly row: Int32Array;
  /** [entries] */
  readonly entry: Int32Array;
}

/**
 * @param starts  [rows + 1] first entry of each row
 * @param column  [entries, or more, which are passed over]
 * Time and memory O(entries + columns).
 */
export function transposed(starts: Int32Array, column: Int32Array, columns: number): Transposed {
  const rows = starts.length - 1;
  const entries = starts[rows]!;
  const begin = new Int32Array(columns + 1);
  for (let k = 0; k < entries; k++) begin[column[k]! + 1]!++;
  for (let c = 0; c < columns; c++) begin[c + 1]! += begin[c]!;
  const next = begin.slice();
  const row = new Int32Array(entries);
  const entry = new Int32Array(entries);
  for (let r = 0; r < rows; r++) {
    for (let k = starts[r]!; k < starts[r + 1]!; k++) {
      const at = next[column[k]!]!++;
      row[at] = r;
      entry[at] = k;
    }
  }
  return { starts: begin, row, entry };
}
