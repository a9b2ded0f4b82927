import type { SparseColumns } from "../../kernels/sparse-elimination.ts";

/** Inner cells that no column tells apart, taken together. */
export interface RowClasses {
  readonly classes: number;
  /** [rows] */
  readonly classOf: Int32Array;
  /** [classes] rows in each. */
  readonly size: Int32Array;
}

/**
 * Classes of rows that lie in the same columns with the same values. A combination of these columns has one value throughout a class, so a class is
 * as good as a row, and whatever divides a class is no combination of them.
 *
 * Rows are brought together by a hash of the columns they lie in; that no column divides a class is then counted, and if one
 * did, each row would be a class of its own. Time O(entries), memory O(rows).
 */
export function rowClasses(rowCount: number, { starts, rows, values }: SparseColumns): RowClasses {
  const high = new Int32Array(rowCount);
  const low = new Int32Array(rowCount);
  const columns = starts.length - 1;
  for (let c = 0; c < columns; c++) {
    let a = Math.imul(c + 1, 0x9e3779b1);
    a = Math.imul(a ^ (a >>> 15), 0x85ebca6b);
    let b = Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
    b ^= b >>> 16;
    for (let at = starts[c]!; at < starts[c + 1]!; at++) {
      const times = values === undefined ? 1 : values[at]!;
      high[rows[at]!] = (high[rows[at]!]! + Math.imul(times, a)) | 0;
      low[rows[at]!] = (low[rows[at]!]! + Math.imul(times, b)) | 0;
    }
  }
  // Sums of hashes do not depend on the columns' order; classes are numbered by their first row.
  const classOf = new Int32Array(rowCount);
  const numberOf = new Map<number, number>();
  for (let row = 0; row < rowCount; row++) {
    const key = (high[row]! >>> 0) * 2 ** 21 + (low[row]! & 0x1fffff);
    let own = numberOf.get(key);
    if (own === undefined) numberOf.set(key, (own = numberOf.size));
    classOf[row] = own;
  }
  const size = new Int32Array(numberOf.size);
  for (let row = 0; row < rowCount; row++) size[classOf[row]!]!++;
  const found = { classes: numberOf.size, classOf, size };
  const alone = (): RowClasses => ({ classes: rowCount, classOf: Int32Array.from(classOf.keys()), size: new Int32Array(rowCount).fill(1) });
  if (values !== undefined) return overClasses({ starts, rows, values }, found).kept.includes(0) ? alone() : found;
  const whole = wholeClasses(found);
  for (let c = 0; c < columns; c++) if (whole(rows.subarray(starts[c], starts[c + 1])) === undefined) return alone();
  return found;
}

/** A test of row lists: the classes that a list consists of, in order of their first row in it; undefined when it divides one. */
export function wholeClasses({ classes, classOf, size }: RowClasses): (rows: Int32Array) => Int32Array | undefined {
  const met = new Int32Array(classes);
  const list = new Int32Array(classes);
  return (rows) => {
    let listed = 0;
    for (let k = 0; k < rows.length; k++) {
      const own = classOf[rows[k]!]!;
      if (met[own]!++ === 0) list[listed++] = own;
    }
    let entire = true;
    for (let k = 0; k < listed; k++) {
      if (met[list[k]!] !== size[list[k]!]) entire = false;
      met[list[k]!] = 0;
    }
    return entire ? list.slice(0, listed) : undefined;
  };
}

/** Columns over classes instead of rows. Columns that divide a class come out empty: `kept` says which did not. */
export function overClasses(columns: SparseColumns, found: RowClasses): SparseColumns & { readonly kept: Uint8Array } {
  const count = columns.starts.length - 1;
  const whole = wholeClasses(found);
  const kept = new Uint8Array(count);
  const starts = new Int32Array(count + 1);
  const rows: number[] = [];
  const values: number[] = [];
  const value = new Float64Array(found.classes);
  for (let c = 0; c < count; c++) {
    const from = columns.starts[c]!;
    const to = columns.starts[c + 1]!;
    const own = whole(columns.rows.subarray(from, to));
    let even = own !== undefined;
    if (own !== undefined && columns.values !== undefined) {
      for (let at = from; at < to; at++) value[found.classOf[columns.rows[at]!]!] = columns.values[at]!;
      for (let at = from; at < to && even; at++) even = value[found.classOf[columns.rows[at]!]!] === columns.values[at];
    }
    if (own !== undefined && even) {
      kept[c] = 1;
      for (const one of own) {
        rows.push(one);
        if (columns.values !== undefined) values.push(value[one]!);
      }
    }
    starts[c + 1] = rows.length;
  }
  return {
    starts,
    rows: Int32Array.from(rows),
    ...(columns.values === undefined ? {} : { values: Int32Array.from(values) }),
    kept,
  };
}
