import type { ModelData } from "highs";
import type { TableSystem } from "../tabulate/index.ts";

/**
 * How far counts can move from the true ones while every addition holds. Column per distinct cell that is published, and per
 * inner cell that is not; a cell that is shown cannot move, and the bounds of hidden ones are set by the caller.
 */
export interface AttackerProgram {
  /** Distinct published cells: those of the same inner cells are one. */
  readonly cells: number;
  /** [system cells] */
  readonly cellOf: Int32Array;
  readonly count: Float64Array;
  /** [cells] column of the program. */
  readonly columnOf: Int32Array;
  /** [cells] people that a hidden cell can lose, as far as a reader knows. */
  readonly below: Float64Array;
  /** People that a hidden cell can win: more than it can take to reach any interval asked for. */
  readonly above: number;
  /** Primary cells among them. */
  readonly primaries: readonly number[];
  readonly columns: number;
  /** [columns] people in a column that is never published, 0 elsewhere. */
  readonly neverBelow: Float64Array;
  readonly rowStarts: Int32Array;
  readonly rowColumns: Int32Array;
  readonly rowValues: Float64Array;
  readonly model: ModelData;
}

/** @returns undefined when there are more than `limit` distinct cells */
export function attackerProgram(system: TableSystem, primary: Uint8Array, limit: number): AttackerProgram | undefined {
  const { starts, rows, inner } = system;
  const cellOf = new Int32Array(system.cells);
  const first: number[] = [];
  const numberOf = new Map<string, number>();
  for (let c = 0; c < system.cells; c++) {
    const key = rows.subarray(starts[c], starts[c + 1]).join();
    let own = numberOf.get(key);
    if (own === undefined) {
      numberOf.set(key, (own = first.push(c) - 1));
      if (first.length > limit) return undefined;
    }
    cellOf[c] = own;
  }
  const columnOfRow = new Int32Array(inner).fill(-1);
  const columnOf = new Int32Array(first.length).fill(-1);
  let columns = 0;
  first.forEach((c, g) => {
    if (starts[c + 1]! - starts[c]! === 1) columnOf[g] = columnOfRow[rows[starts[c]!]!] = columns++;
  });
  for (let row = 0; row < inner; row++) if (columnOfRow[row]! < 0) columnOfRow[row] = columns++;
  first.forEach((_, g) => {
    if (columnOf[g]! < 0) columnOf[g] = columns++;
  });

  const rowStarts: number[] = [0];
  const rowColumns: number[] = [];
  const rowValues: number[] = [];
  first.forEach((c, g) => {
    if (starts[c + 1]! - starts[c]! === 1) return;
    for (let at = starts[c]!; at < starts[c + 1]!; at++) {
      rowColumns.push(columnOfRow[rows[at]!]!);
      rowValues.push(1);
    }
    rowColumns.push(columnOf[g]!);
    rowValues.push(-1);
    rowStarts.push(rowColumns.length);
  });

  const fewest = system.zeros === "protect" ? 0 : 1;
  const count = Float64Array.from(first, (c) => system.count[c]!);
  const above = 2 * count.reduce((most, own) => Math.max(most, own), 0) + 1000;
  const neverBelow = new Float64Array(columns);
  for (let row = 0; row < inner; row++) neverBelow[columnOfRow[row]!] = system.innerCount[row]!;
  for (const column of columnOf) neverBelow[column] = 0;
  const isPrimary = new Uint8Array(first.length);
  for (let c = 0; c < system.cells; c++) if (primary[c] === 1) isPrimary[cellOf[c]!] = 1;
  const numRows = rowStarts.length - 1;
  const matrix = {
    format: "csr" as const,
    numRows,
    numCols: columns,
    starts: Int32Array.from(rowStarts),
    indices: Int32Array.from(rowColumns),
    values: Float64Array.from(rowValues),
  };
  return {
    cells: first.length,
    cellOf,
    count,
    columnOf,
    below: count.map((own) => Math.max(0, own - fewest)),
    above,
    primaries: [...isPrimary.keys()].filter((g) => isPrimary[g] === 1),
    columns,
    neverBelow,
    rowStarts: matrix.starts,
    rowColumns: matrix.indices,
    rowValues: matrix.values,
    model: {
      numCols: columns,
      numRows,
      colCost: new Float64Array(columns),
      colLower: neverBelow.map((people) => -people),
      colUpper: neverBelow.map((_, j) => (columnOf.includes(j) ? 0 : Infinity)),
      rowLower: new Float64Array(numRows),
      rowUpper: new Float64Array(numRows),
      matrix,
    },
  };
}
