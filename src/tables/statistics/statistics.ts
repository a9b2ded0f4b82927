import { PolicyError } from "../../errors/index.ts";
import type { PublishedTable, TableSystem } from "../tabulate/index.ts";
import type { Statistic } from "../tabulate/schema.ts";
import type { Amount } from "./amounts.ts";
import { roundedRatio } from "./ratio.ts";

/** What statistics are made of. */
export interface StatisticInputs {
  /** By name, "count" among them. */
  readonly amounts: ReadonlyMap<string, Amount>;
  /** Records that have a value, by measure. */
  readonly values: ReadonlyMap<string, Amount>;
  /** [cells] middle value in units of 10^-decimals halved (so twice the value), NaN over nobody; by measure. */
  readonly medians: ReadonlyMap<string, { readonly decimals: number; readonly twice: Float64Array }>;
}

/**
 * One column of a table. A number is blank (NaN) when a cell that it is made of is hidden, or when it is a quotient by zero or
 * a middle of nothing. So derived numbers are functions of shown ones and give nothing more away.
 *
 * @param hidden [system cells] 1 where the cell is hidden
 * @returns [rows]
 * @throws PolicyError `statistics/percent-base` when the total that percentages refer to is not published
 */
export function statisticColumn(
  system: TableSystem, table: PublishedTable, statistic: Statistic, inputs: StatisticInputs, hidden: Uint8Array,
): Float64Array {
  const shown = (cell: number): boolean => cell < 0 || hidden[cell] === 0;
  const column = new Float64Array(table.rows);
  const fill = (value: (cell: number, row: number) => number): Float64Array => {
    for (let row = 0; row < table.rows; row++) {
      const cell = table.cell[row]!;
      column[row] = shown(cell) ? value(cell, row) : NaN;
    }
    return column;
  };
  const at = (amount: Amount, cell: number): number => (cell < 0 ? 0 : amount.cells[cell]!);

  switch (statistic.statistic) {
    case "count":
    case "sum": {
      const amount = inputs.amounts.get(statistic.statistic === "count" ? "count" : statistic.of)!;
      const scale = 10 ** amount.decimals;
      return fill((cell) => at(amount, cell) / scale);
    }
    case "weighted-count": {
      const amount = inputs.amounts.get("weight")!;
      const scale = 10 ** statistic.decimals;
      return fill((cell) => roundedRatio(at(amount, cell), scale, 10 ** amount.decimals) / scale);
    }
    case "mean": {
      const amount = inputs.amounts.get(statistic.of)!;
      const values = inputs.values.get(statistic.of)!;
      return fill((cell) => quotient(at(amount, cell), amount.decimals, at(values, cell), 0, 1, statistic.decimals));
    }
    case "median": {
      const { decimals, twice } = inputs.medians.get(statistic.of)!;
      const scale = 10 ** statistic.decimals;
      return fill((cell) => (cell < 0 || Number.isNaN(twice[cell]!) ? NaN : roundedRatio(twice[cell]!, scale, 2 * 10 ** decimals) / scale));
    }
    case "rate": {
      const numerator = inputs.amounts.get(statistic.numerator)!;
      const denominator = inputs.amounts.get(statistic.denominator)!;
      return fill((cell) =>
        quotient(at(numerator, cell), numerator.decimals, at(denominator, cell), denominator.decimals, statistic.per, statistic.decimals),
      );
    }
    case "percent": {
      const base = baseCells(system, table, statistic.of);
      const count = inputs.amounts.get("count")!;
      return fill((cell, row) => (shown(base[row]!) ? quotient(at(count, cell), 0, at(count, base[row]!), 0, 100, statistic.decimals) : NaN));
    }
  }
}

function quotient(n: number, nDecimals: number, d: number, dDecimals: number, per: number, decimals: number): number {
  if (d === 0 || Number.isNaN(n) || Number.isNaN(d)) return NaN;
  const up = dDecimals - nDecimals + decimals;
  const times = per * 10 ** Math.max(0, up);
  return roundedRatio(n, times, d * 10 ** Math.max(0, -up)) / 10 ** decimals;
}

/** [rows] the cell over the kept dimensions that each row's percentage refers to; -1 for a published zero. */
function baseCells(system: TableSystem, table: PublishedTable, kept: readonly string[]): Int32Array {
  const keeps = system.columns.map(({ column }) => kept.includes(column));
  const places = (cell: number): string => system.places.map((place, k) => (keeps[k] ? place[cell]! : 0)).join();
  const bases = new Map<string, number>();
  const margins = new Set(system.margins.map((margin) => margin.join()));
  for (let m = 0; m < system.margins.length; m++) {
    if (system.margins[m]!.some((level, k) => level >= 0 && !keeps[k])) continue;
    for (let c = system.marginStarts[m]!; c < system.marginStarts[m + 1]!; c++) bases.set(places(c), c);
  }
  const base = new Int32Array(table.rows).fill(-1);
  for (let row = 0; row < table.rows; row++) {
    const levels = system.columns.map((_, k) => {
      const d = table.columnOf.indexOf(k);
      return d < 0 || !keeps[k] ? -1 : table.level[d]![row]!;
    });
    if (!margins.has(levels.join())) {
      throw new PolicyError(
        "statistics/percent-base",
        `Percentages of table ${table.name} refer to the total over ${kept.length === 0 ? "all dimensions" : `everything but ${kept.join(", ")}`}, ` +
          "which its margins do not publish, so that the percentages would give it away. Add it to the margins.",
        { table: table.name },
      );
    }
    const cell = table.cell[row]!;
    if (cell >= 0) base[row] = bases.get(places(cell)) ?? -1;
    else base[row] = bases.get(rowPlaces(system, table, row, keeps)) ?? -1;
  }
  return base;
}

/** Places of a row without records, in the form of `baseCells`. */
function rowPlaces(system: TableSystem, table: PublishedTable, row: number, keeps: readonly boolean[]): string {
  return system.columns
    .map((column, k) => {
      const d = table.columnOf.indexOf(k);
      if (d < 0 || !keeps[k]) return 0;
      const level = table.level[d]![row]!;
      const code = table.codes[d]![row]!;
      if (level < 0) return 0;
      for (let place = 0; place < column.size; place++) if (column.level[place] === level && column.code[place] === code) return place;
      return 0;
    })
    .join();
}
