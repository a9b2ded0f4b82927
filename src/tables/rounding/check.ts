import { brokenAdditions, differenceCells, publishedAdditions } from "../perturbation/additions.ts";
import type { PublishedCounts } from "../perturbation/method.ts";
import { drbRounded, farthest } from "./scalar.ts";
import type { Rounding } from "./schema.ts";

/** Whether totals are promised to be the sums of what is shown. */
export function isAdditive(options: Rounding): boolean {
  return options.kind === "controlled" || ("totals" in options && options.totals === "summed");
}

/** What is wrong with published numbers, judged without the counts; empty when they are what this rounding gives. */
export function checkRounded(published: PublishedCounts, options: Rounding): string[] {
  const { values } = published;
  const problems: string[] = [];
  let strange = 0;
  const isDifference = differenceCells(published);
  for (let c = 0; c < published.cells; c++) {
    const value = values[c]!;
    if (!canBeShown(isDifference[c] === 1 ? Math.abs(value) : value, options)) strange++;
  }
  if (strange > 0) problems.push(`${strange} published numbers are none that ${options.kind} rounding gives.`);

  const additions = publishedAdditions(published);
  if (isAdditive(options)) {
    const broken = brokenAdditions(additions, values);
    if (broken > 0) problems.push(`${broken} published totals are not the sum of their parts.`);
    return problems;
  }
  // Totals rounded on their own stray from the sum of their parts by no more than all changes together.
  const { whole, starts, parts, signs } = additions;
  let apart = 0;
  for (let e = 0; e < whole.length; e++) {
    const cell = whole[e]!;
    if (cell >= published.cells) continue;
    let gap = cell < 0 ? 0 : values[cell]!;
    let slack = cell < 0 ? 0 : farthest(gap, options);
    for (let at = starts[e]!; at < starts[e + 1]!; at++) {
      const part = parts[at]!;
      if (part >= published.cells) {
        slack = Infinity;
        break;
      }
      gap -= signs[at]! * values[part]!;
      slack += farthest(values[part]!, options);
    }
    if (Math.abs(gap) > slack) apart++;
  }
  if (apart > 0) problems.push(`${apart} published totals are farther from the sum of their parts than rounding can bring them.`);
  return problems;
}

function canBeShown(value: number, options: Rounding): boolean {
  if (!Number.isSafeInteger(value) || value < 0) return false;
  if (options.kind === "drb") return drbRounded(value) === value;
  if (options.kind !== "midpoint") return value % options.base === 0;
  // Sums of middles may be any sum of such numbers; what can be said of one is that it is 0 or at least the first
  // middle.
  const first = options.base - Math.floor(options.base / 2);
  return value === 0 || (options.totals === "summed" ? value >= first : value % options.base === first % options.base);
}
