import { publishedAdditions } from "../perturbation/additions.ts";
import type { PublishedCounts } from "../perturbation/method.ts";
import { largestChange, rowOf, type KeyTable } from "./key-table.ts";

/**
 * What is wrong with published numbers, judged without the counts: numbers that the table never gives (fractions, negative
 * ones, those that are never shown), and totals farther from the sum of their parts than all noise together can bring them.
 * That noise was added, and the right one, cannot be seen from the numbers.
 */
export function checkCounts(published: PublishedCounts, table: KeyTable): string[] {
  const { values, cells } = published;
  const problems: string[] = [];
  const canBe = outputs(table);
  let strange = 0;
  for (let c = 0; c < cells; c++) if (!canBe(values[c]!)) strange++;
  if (strange > 0) problems.push(`${strange} published numbers are none that the perturbation table gives.`);

  const most = largestChange(table);
  const { whole, starts, parts } = publishedAdditions(published);
  let apart = 0;
  for (let e = 0; e < whole.length; e++) {
    const cell = whole[e]!;
    if (cell >= cells) continue;
    // A whole that is not listed has no records, and then its parts have none.
    let gap = cell < 0 ? 0 : values[cell]!;
    let slack = cell < 0 ? 0 : most;
    for (let at = starts[e]!; at < starts[e + 1]!; at++) {
      const part = parts[at]!;
      if (part >= cells) {
        slack = Infinity;
        break;
      }
      gap -= values[part]!;
      if (cell >= 0) slack += most;
    }
    if (Math.abs(gap) > slack) apart++;
  }
  if (apart > 0) problems.push(`${apart} published totals are farther from the sum of their parts than the noise can bring them.`);
  return problems;
}

/** Whether a number is what the table makes of some count. */
function outputs(table: KeyTable): (value: number) => boolean {
  const most = largestChange(table);
  const noises = Array.from({ length: table.rows }, (_, row) => new Set(table.noise.subarray(table.starts[row]!, table.starts[row + 1]!)));
  const known = new Map<number, boolean>();
  return (value) => {
    if (!Number.isSafeInteger(value) || value < 0) return false;
    let can = known.get(value);
    if (can === undefined) {
      can = false;
      for (let count = Math.max(0, value - most); count <= value + most && !can; count++) can = noises[rowOf(table, count)]!.has(value - count);
      known.set(value, can);
    }
    return can;
  };
}
