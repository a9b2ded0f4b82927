import { HIDDEN, SHOWN, type AuditColumn, type AuditInput, type AuditTable } from "./published.ts";

/** How many records have a value of a measure, in the rows of the tables that show a mean of it. */
export interface ValueCounts {
  readonly measure: string;
  /** [tables] numbers by row, NaN where blank; undefined for tables without a mean of it. */
  readonly tables: readonly (Float64Array | undefined)[];
}

/**
 * Tables as somebody attacks them who knows behind each shown mean how many records have a value: sums, means and their ratios
 * tell, or narrow it. People with a value and people without one are then two more tables, divided by one more column, that
 * add up to the counts. They need no protection themselves. A measure of which every record shown has a value, or none, adds nothing.
 *
 * @returns the input over the columns that are needed, and the further tables
 */
export function withValueCounts(input: AuditInput, values: readonly ValueCounts[]): { readonly input: AuditInput; readonly beside: readonly AuditInput[] } {
  const some = ({ tables }: ValueCounts, is: (number: number, count: number) => boolean): boolean =>
    tables.some((numbers, t) => numbers?.some((number, row) => !Number.isNaN(number) && is(number, input.tables[t]!.count[row]!)));
  const needed = values.filter((own) => some(own, (number) => number !== 0) && some(own, (number, count) => number !== count));
  if (needed.length === 0) return { input, beside: [] };
  const columns: AuditColumn[] = [...input.columns, ...needed.map(({ measure }): AuditColumn => ({
    column: `value of ${measure}`, size: 3, level: Int32Array.of(-1, 0, 0), parent: Int32Array.of(-1, 0, 0),
  }))];
  const beside = needed.map(({ tables }, v): AuditInput => ({
    columns,
    tables: tables.flatMap((numbers, t): AuditTable[] => {
      if (numbers === undefined) return [];
      const { name, columnOf, rows, places, count } = input.tables[t]!;
      const twice = <T extends Int32Array>(list: T): Int32Array => Int32Array.from({ length: 2 * rows }, (_, row) => list[row % rows]!);
      const own = Float64Array.from({ length: 2 * rows }, (_, row) => (row < rows ? numbers[row]! : count[row - rows]! - numbers[row - rows]!));
      return [{
        name,
        columnOf: [...columnOf, input.columns.length + v],
        rows: 2 * rows,
        places: [...places.map(twice), Int32Array.from({ length: 2 * rows }, (_, row) => (row < rows ? 1 : 2))],
        count: own,
        mark: Uint8Array.from(own, (number) => (Number.isNaN(number) ? HIDDEN : SHOWN)),
      }];
    }),
    threshold: input.threshold,
    zeros: input.zeros,
    floor: 0,
    codes: "merged",
  }));
  return { input: { ...input, columns }, beside };
}
