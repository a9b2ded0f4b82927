import { memoryColumns, type MemoryColumns, type MemoryTable } from "../../columns/memory-keys.ts";
import { DataError, PolicyError } from "../../errors/index.ts";
import { groupCodes, groupScratch } from "../../kernels/group-codes.ts";

export interface SmallCellsCheck {
  /** Columns whose combinations are the cells. */
  readonly dimensions: readonly string[];
  /** Column of counts, for a finished table. Without it every record counts as 1. A null count is a suppressed cell. */
  readonly count?: string;
  /** Smallest count that may be published. */
  readonly threshold: number;
  /** Whether cells of 0 may be published. Default "publish". */
  readonly zeros?: "publish" | "protect";
}

export interface SmallCell {
  /** 0-based number of the cell's first record. */
  readonly record: number;
  readonly count: number;
}

/** Cells below the threshold. Plain JSON; names no value of a dimension. */
export interface SmallCellsReport {
  readonly pass: boolean;
  readonly threshold: number;
  /** Cells with a count. */
  readonly cells: number;
  /** Cells that have no count (null), and so are suppressed. */
  readonly suppressed: number;
  /** Smallest count of at least 1; 0 when there is none. */
  readonly smallestCount: number;
  /** Cells of 0 among `cells`, and combinations of values that occur which have no cell at all. */
  readonly zeroCells: number;
  readonly absentCells: number;
  /** Cells that must not be published, in order of their first record. Absent ones are not among them. */
  readonly smallCells: readonly SmallCell[];
}

/**
 * Find cells of a table that must not be published because too few records are in them: 0 < count < threshold, and
 * 0 itself (absent combinations included) when zeros are to be protected. Only single cells are looked at; whether
 * suppressed cells can be computed from the others is not.
 *
 * @throws PolicyError `small-cells/bad-threshold`, `small-cells/no-dimensions`; DataError `small-cells/bad-count`, `memory/...`
 * Time O(records x dimensions).
 */
export function checkSmallCells(data: MemoryTable, check: SmallCellsCheck): SmallCellsReport {
  const { threshold, zeros = "publish" } = check;
  if (!Number.isSafeInteger(threshold) || threshold < 1) {
    throw new PolicyError("small-cells/bad-threshold", `threshold is a whole number of at least 1; found ${threshold}.`, { threshold: String(threshold) });
  }
  if (check.dimensions.length === 0) throw new PolicyError("small-cells/no-dimensions", "Name at least one column under dimensions.");
  const columns = memoryColumns(data);
  const keys = [...new Set(check.dimensions)].map((name) => columns.key(name));
  const scratch = groupScratch();
  const groups = groupCodes(keys.map(({ codes }) => codes), keys.map(({ size }) => size), columns.records, scratch);
  const counts = sumCounts(columns, check.count, scratch.groupOf, groups);

  let cells = 0;
  let zeroCells = 0;
  let smallestCount = 0;
  const smallCells: SmallCell[] = [];
  for (let group = 0; group < groups; group++) {
    const count = counts[group]!;
    if (Number.isNaN(count)) continue;
    cells++;
    if (count === 0) zeroCells++;
    else if (smallestCount === 0 || count < smallestCount) smallestCount = count;
    if (count < threshold && (count > 0 || zeros === "protect")) smallCells.push({ record: scratch.representative[group]!, count });
  }
  const combinations = keys.reduce((product, { codes, size }) => product * (size + (codes.includes(-1) ? 1 : 0)), 1);
  const absentCells = columns.records === 0 ? 0 : combinations - groups;
  return {
    pass: smallCells.length === 0 && (zeros === "publish" || absentCells === 0),
    threshold,
    cells,
    suppressed: groups - cells,
    smallestCount,
    zeroCells,
    absentCells,
    smallCells,
  };
}

/** [groups] sum of the counts of each group, NaN when one of them is null. */
function sumCounts(columns: MemoryColumns, name: string | undefined, groupOf: Int32Array, groups: number): Float64Array {
  const counts = new Float64Array(groups);
  if (name === undefined) {
    for (let i = 0; i < columns.records; i++) counts[groupOf[i]!]!++;
    return counts;
  }
  let record = 0;
  for (const value of columns.values(name)) {
    const group = groupOf[record++]!;
    if (value === null || value === undefined) {
      counts[group] = NaN;
      continue;
    }
    const count = typeof value === "bigint" ? Number(value) : value;
    if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 0) {
      throw new DataError(
        "small-cells/bad-count",
        `Column ${JSON.stringify(name)}, record ${record}: a count is a whole number of at least 0, or null for a suppressed cell.`,
        { column: name, record },
      );
    }
    counts[group]! += count;
  }
  return counts;
}
