/** Groups of rows to tell apart at most; beyond it scanning the groups would cost more than the heaps save. */
const GROUPS_LIMIT = 512;
/** Columns of at most this many rows are always updated row by row. */
const SHORT_COLUMN = 32;

/** A 0/1 matrix, rows to be rounded by published columns, column by column. */
export interface RoundingMatrix {
  readonly rows: number;
  readonly columns: number;
  /** [columns + 1] and [entries] row numbers. */
  readonly starts: Int32Array;
  readonly entries: Int32Array;
}

/**
 * Which rows get the base: as many as asked, chosen one after the other so that each has the largest inner product with
 * what is still missing in the columns, then exchanged: the row that now fits worst goes back as long as it is not the
 * one added last, and the best takes its place.
 *
 * A row's score is the sum of its columns' residuals. Raising a row changes the score of all rows that share a column,
 * which for wide columns are most rows. So rows with the same wide columns form a group: what wide columns contribute
 * is held once a group, and each group keeps its rows in heaps by what their narrow columns contribute.
 *
 * @param missing [columns] what the raised rows should add up to; changed here
 * @param order   [rows] rank of each row among equals; all different
 * @param raise   number of rows to raise, 0 < raise < rows
 * @returns [rows] 1 for raised rows
 *
 * Source: the selection rule of Langsrud and Heldal (2018), "An Algorithm for Small Count Rounding of Tabular Data",
 * PSD 2018. Time O(raise x (groups + narrow entries that share a column with the row x log rows)) on top of O(entries).
 */
export function chooseRaised(
  matrix: RoundingMatrix, missing: Float64Array, base: number, order: Int32Array, raise: number,
): Uint8Array {
  const { rows, columns, starts, entries } = matrix;
  const { groupOf, groups, isWide } = groupByWideColumns(matrix);

  // Columns of each row; for wide columns the groups that they hold.
  const rowStarts = new Int32Array(rows + 1);
  for (const row of entries) rowStarts[row + 1]!++;
  for (let row = 0; row < rows; row++) rowStarts[row + 1]! += rowStarts[row]!;
  const rowColumns = new Int32Array(entries.length);
  const filled = rowStarts.slice(0, rows);
  const common = new Float64Array(groups);
  const narrow = new Float64Array(rows);
  const groupsOf: Int32Array[] = [];
  const lastSeen = new Int32Array(groups).fill(-1);
  for (let j = 0; j < columns; j++) {
    const held: number[] = [];
    for (let at = starts[j]!; at < starts[j + 1]!; at++) {
      const row = entries[at]!;
      rowColumns[filled[row]!++] = j;
      if (isWide[j] === 0) narrow[row]! += missing[j]!;
      else if (lastSeen[groupOf[row]!] !== j) {
        lastSeen[groupOf[row]!] = j;
        held.push(groupOf[row]!);
      }
    }
    for (const g of held) common[g]! += missing[j]!;
    groupsOf.push(Int32Array.from(held));
  }

  const size = new Int32Array(groups);
  for (let row = 0; row < rows; row++) size[groupOf[row]!]!++;
  const rank = Float64Array.from(order);
  const position = new Int32Array(rows);
  const open = Array.from(size, (capacity) => new RowHeap(capacity, narrow, rank, 1, position));
  const raised = Array.from(size, (capacity) => new RowHeap(capacity, narrow, rank, -1, position));
  for (let row = 0; row < rows; row++) open[groupOf[row]!]!.push(row);

  const result = new Uint8Array(rows);
  const shift = (row: number, by: number): void => {
    for (let at = rowStarts[row]!; at < rowStarts[row + 1]!; at++) {
      const j = rowColumns[at]!;
      if (isWide[j] === 1) {
        for (const g of groupsOf[j]!) common[g]! += by;
        continue;
      }
      for (let k = starts[j]!; k < starts[j + 1]!; k++) {
        const other = entries[k]!;
        narrow[other]! += by;
        (result[other] === 1 ? raised : open)[groupOf[other]!]!.moved(other);
      }
    }
  };
  /** Row of the best top: largest score for direction 1, smallest for -1; the lower rank among equals. */
  const best = (heaps: readonly RowHeap[], direction: number): number => {
    let chosen = -1;
    let score = 0;
    for (let g = 0; g < groups; g++) {
      const row = heaps[g]!.top();
      if (row < 0) continue;
      const own = direction * (common[g]! + narrow[row]!);
      if (chosen < 0 || own > score || (own === score && rank[row]! < rank[chosen]!)) {
        chosen = row;
        score = own;
      }
    }
    return chosen;
  };

  let turn = 0;
  let latest = -1;
  const up = (): void => {
    latest = best(open, 1);
    open[groupOf[latest]!]!.remove(latest);
    rank[latest] = -++turn; // the last one added comes first
    result[latest] = 1;
    raised[groupOf[latest]!]!.push(latest);
    shift(latest, -base);
  };
  for (let n = 0; n < raise; n++) up();
  for (let n = 0; n < raise + 100; n++) {
    const worst = best(raised, -1);
    if (worst === latest) break;
    raised[groupOf[worst]!]!.remove(worst);
    rank[worst] = -++turn;
    result[worst] = 0;
    open[groupOf[worst]!]!.push(worst);
    shift(worst, base);
    up();
  }
  return result;
}

/** Rows with the same wide columns, widest first, as long as there are few groups. */
function groupByWideColumns({ rows, columns, starts, entries }: RoundingMatrix): {
  readonly groupOf: Int32Array; readonly groups: number; readonly isWide: Uint8Array;
} {
  const width = (j: number) => starts[j + 1]! - starts[j]!;
  const byWidth = Array.from({ length: columns }, (_, j) => j).sort((a, b) => width(b) - width(a) || a - b);
  const groupOf = new Int32Array(rows);
  const isWide = new Uint8Array(columns);
  let groups = 1;
  for (const j of byWidth) {
    if (width(j) <= SHORT_COLUMN) break;
    // Rows of the column leave their group for a new one, unless the whole group is in it.
    const inside = new Map<number, number>();
    for (let at = starts[j]!; at < starts[j + 1]!; at++) {
      const g = groupOf[entries[at]!]!;
      inside.set(g, (inside.get(g) ?? 0) + 1);
    }
    if (groups + inside.size > GROUPS_LIMIT) break;
    isWide[j] = 1;
    const renamed = new Map<number, number>();
    for (const g of inside.keys()) renamed.set(g, groups++);
    for (let at = starts[j]!; at < starts[j + 1]!; at++) groupOf[entries[at]!] = renamed.get(groupOf[entries[at]!]!)!;
    // Groups that were left empty are given up.
    const used = new Map<number, number>();
    for (let row = 0; row < rows; row++) {
      const g = groupOf[row]!;
      if (!used.has(g)) used.set(g, used.size);
      groupOf[row] = used.get(g)!;
    }
    groups = used.size;
  }
  return { groupOf, groups, isWide };
}

/** Rows in a binary heap: largest score first (direction 1) or smallest (-1), the lower rank among equals. */
class RowHeap {
  readonly #rows: Int32Array;
  readonly #score: Float64Array;
  readonly #rank: Float64Array;
  readonly #direction: number;
  /** [rows] place in the heap that holds the row; shared, since a row is in one heap at a time. */
  readonly #position: Int32Array;
  #size = 0;

  constructor(capacity: number, score: Float64Array, rank: Float64Array, direction: number, position: Int32Array) {
    this.#rows = new Int32Array(capacity);
    this.#score = score;
    this.#rank = rank;
    this.#direction = direction;
    this.#position = position;
  }

  top(): number {
    return this.#size === 0 ? -1 : this.#rows[0]!;
  }

  push(row: number): void {
    this.#rows[this.#size] = row;
    this.#position[row] = this.#size;
    this.#up(this.#size++);
  }

  remove(row: number): void {
    const at = this.#position[row]!;
    const last = this.#rows[--this.#size]!;
    if (at === this.#size) return;
    this.#rows[at] = last;
    this.#position[last] = at;
    this.moved(last);
  }

  /** To be called when the row's score changed. */
  moved(row: number): void {
    this.#down(this.#up(this.#position[row]!));
  }

  #isBefore(a: number, b: number): boolean {
    const ahead = this.#direction * (this.#score[a]! - this.#score[b]!);
    return ahead > 0 || (ahead === 0 && this.#rank[a]! < this.#rank[b]!);
  }

  #up(at: number): number {
    const rows = this.#rows;
    const row = rows[at]!;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#isBefore(row, rows[above]!)) break;
      rows[at] = rows[above]!;
      this.#position[rows[at]!] = at;
      at = above;
    }
    rows[at] = row;
    this.#position[row] = at;
    return at;
  }

  #down(at: number): void {
    const rows = this.#rows;
    const row = rows[at]!;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= this.#size) break;
      if (below + 1 < this.#size && this.#isBefore(rows[below + 1]!, rows[below]!)) below++;
      if (!this.#isBefore(rows[below]!, row)) break;
      rows[at] = rows[below]!;
      this.#position[rows[at]!] = at;
      at = below;
    }
    rows[at] = row;
    this.#position[row] = at;
  }
}
