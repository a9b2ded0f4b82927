import type { PerturbationDescription } from "../perturbation/method.ts";
import { keyTableStatistics, largestChange, type KeyTable } from "./key-table.ts";
import type { CellKey } from "./schema.ts";

/** Words for readers of the tables; they depend on the options alone and name no probabilities. */
export function describeCellKey(options: CellKey, table: KeyTable): PerturbationDescription {
  const hidden = neverShown(table);
  const isBiased = keyTableStatistics(table).some(({ bias }) => Math.abs(bias) > 1e-6);
  const shown =
    hidden === 0 ? "" : hidden === 1 ? " The number 1 is never shown." : ` The numbers 1 to ${hidden} are never shown.`;
  const methods = [
    "rule" in options.table
      ? "Counts below 10 are shown as 0, and all others as the nearest multiple of 5 (the 10-5 rule)."
      : `Small changes of at most ${largestChange(table)} were made to counts, so that nobody can be sure of a small number or of a ` +
        `difference between two numbers.${shown}` +
        (isBiased ? " On average, counts of some sizes are shown too high or too low." : " On average the changes are 0.") +
        " A count of zero stays zero, but a zero that is shown may stand for a small count.",
    "The same group of people is shown with the same number in every table. Totals are changed on their own, so rows and " +
      "columns need not add up; the total shown is better than the sum of its parts.",
    ...(options.magnitudes === undefined ? [] : [describeSums(options.magnitudes)]),
  ];
  return { methods, countMeaning: "Number of records, changed a little to protect people.", countType: "integer" };
}

/** As for counts: how sums are changed, without probabilities and shares. */
function describeSums({ weights, noise }: NonNullable<CellKey["magnitudes"]>): string {
  const by = weights.filter((weight) => weight > 0).length;
  return (
    `Sums were changed by amounts in proportion to the ${by === 1 ? "largest contribution" : `${by} largest contributions`} to each of them, so that nobody can be sure of a single ` +
    `contribution${"share" in noise ? "" : "; the larger it is, the smaller the change in proportion"}. Sums of many contributions of like size hardly change. ` +
    "On average the changes are 0. The same contributions give the same sum in every table; totals are changed on their own. A sum of 0 stays 0."
  );
}

/** Largest n so that none of 1 to n is ever published. */
export function neverShown(table: KeyTable): number {
  const shown = new Set<number>();
  for (let row = 0; row < table.rows; row++) {
    for (let e = table.starts[row]!; e < table.starts[row + 1]!; e++) shown.add(row + table.noise[e]!);
  }
  let n = 0;
  while (n < table.rows + largestChange(table) && !shown.has(n + 1)) n++;
  return n;
}
