/** Whether figures beside changed counts follow from what the files show: computed again from texts, in exact arithmetic. */
import { parseDecimal, type Rational } from "../../kernels/rational.ts";
import type { Statistic } from "../../tables/tabulate/schema.ts";
import type { ReadBackRow, TableLayout } from "./table-layout.ts";
import { placeKey } from "./tabulated.ts";

export interface ShownTable {
  readonly layout: TableLayout;
  readonly statistics: readonly Statistic[];
  readonly rows: readonly ReadBackRow[];
}

export interface ShownProblems {
  /** Sums and weighted counts that are no such numbers, blank or not where the count shown says otherwise, or differ between tables. */
  readonly amounts: number;
  /** Means, percentages and rates that are not those of the numbers shown. */
  readonly derived: number;
}

/** @param decimalsOf decimals of a measure's sums. Time O(rows x statistics). */
export function shownProblems(tables: readonly ShownTable[], decimalsOf: (measure: string) => number): ShownProblems {
  const counts = new Map<string, string | null>();
  for (const { layout, statistics, rows } of tables) {
    const at = statistics.findIndex(({ statistic }) => statistic === "count");
    for (const { places, values } of rows) counts.set(cellName(layout, places, () => true), values[at] ?? null);
  }
  const amountsSeen = new Map<string, string | null>();
  let amounts = 0;
  let derived = 0;
  for (const { layout, statistics, rows } of tables) {
    for (const { places, values } of rows) {
      const name = cellName(layout, places, () => true);
      const count = numberOf(counts.get(name) ?? null);
      const sumOf = (of: string): Rational | undefined =>
        of === "count" ? count : numberOf(values[statistics.findIndex((own) => own.statistic === "sum" && own.of === of)] ?? null);
      statistics.forEach((statistic, s) => {
        const text = values[s] ?? null;
        switch (statistic.statistic) {
          case "sum":
          case "weighted-count": {
            const isSum = statistic.statistic === "sum";
            const decimals = isSum ? decimalsOf(statistic.of) : statistic.decimals;
            const isNothing = count === undefined || count.numerator === 0n;
            const fits = isSum ? (text === null) === isNothing && (text === null || hasDecimals(text, decimals)) : text !== null && hasDecimals(text, decimals) && (!isNothing || Number(text) === 0);
            const seenAs = JSON.stringify([statistic.statistic, isSum ? statistic.of : decimals, name]);
            const before = amountsSeen.get(seenAs);
            if (!fits || (before !== undefined && before !== text)) amounts++;
            amountsSeen.set(seenAs, text);
            return;
          }
          case "mean":
            if (!isQuotient(text, sumOf(statistic.of), count, 1, statistic.decimals)) derived++;
            return;
          case "rate":
            if (!isQuotient(text, sumOf(statistic.numerator), sumOf(statistic.denominator), statistic.per, statistic.decimals)) derived++;
            return;
          case "percent": {
            const base = counts.get(cellName(layout, places, (column) => statistic.of.includes(column)));
            if (!isQuotient(text, count, numberOf(base ?? null), 100, statistic.decimals)) derived++;
            return;
          }
          default:
        }
      });
    }
  }
  return { amounts, derived };
}

/** A cell by its categories, the same in every table. */
function cellName({ dimensions }: TableLayout, places: ReadBackRow["places"], keeps: (column: string) => boolean): string {
  return dimensions
    .flatMap(({ column }, d) => (keeps(column) && places[d]!.level >= 0 ? [JSON.stringify([column, placeKey(places[d]!.level, places[d]!.label)])] : []))
    .sort()
    .join();
}

/** Undefined for blanks and for texts such as "<15". */
function numberOf(text: string | null): Rational | undefined {
  return text === null || !/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text) ? undefined : parseDecimal(text);
}

function hasDecimals(text: string, decimals: number): boolean {
  const number = numberOf(text);
  return number !== undefined && (number.numerator * 10n ** BigInt(decimals)) % number.denominator === 0n;
}

/** Whether the text is the quotient, rounded to the decimals with halves up; blank where there is none. */
function isQuotient(text: string | null, n: Rational | undefined, d: Rational | undefined, per: number, decimals: number): boolean {
  if (n === undefined || d === undefined || d.numerator === 0n) return text === null;
  const shown = numberOf(text);
  if (shown === undefined) return false;
  const scale = 10n ** BigInt(decimals);
  let above = n.numerator * d.denominator * BigInt(per) * scale;
  let below = n.denominator * d.numerator;
  if (below < 0n) [above, below] = [-above, -below];
  const twice = 2n * above + below;
  const whole = twice / (2n * below) - (twice < 0n && twice % (2n * below) !== 0n ? 1n : 0n);
  return shown.numerator * scale === whole * shown.denominator;
}
