import { InternalError } from "../../errors/index.ts";
import { uniformInts, type UniformInts } from "../../random/index.ts";
import type { PerturbationInput } from "../perturbation/method.ts";
import { findTwins } from "../tabulate/index.ts";

/** Words fetched per keyed cell; a draw takes fewer than two on average. */
const WORDS_PER_CELL = 4;

/** Up with probability remainder / base, exactly; so the expected value is the count. */
export function randomMultiple(count: number, base: number, ints: UniformInts): number {
  const remainder = count - base * Math.floor(count / base); // a difference of counts may be negative
  if (remainder === 0) return count;
  return count - remainder + (ints.chance(remainder, base) ? base : 0);
}

/**
 * [cells] counts rounded at random: one draw for all cells of the same people, such as a region and its only county, since a second
 * draw of one count would narrow it.
 *
 * With "same", the draw depends on the agency's key, the categories, the count and the base alone: the name of a cell
 * has the columns that it is broken down by, so it is the same in every table and release that shows it. Cells of the same
 * people go by the name of the first of them.
 *
 * @throws InternalError `rounding/no-key` when the key or the texts of categories are missing
 */
export function roundAtRandom(input: PerturbationInput, base: number, repeat: "same" | "fresh"): Float64Array {
  const { system, random, keyed, labelOf } = input;
  const { first, groupOf } = findTwins(system);
  if (repeat === "fresh") {
    const ints = uniformInts(random);
    const drawn = Float64Array.from(first, (c) => randomMultiple(system.count[c]!, base, ints));
    return Float64Array.from(groupOf, (group) => drawn[group]!);
  }
  if (keyed === undefined || labelOf === undefined) {
    throw new InternalError("rounding/no-key", "Rounding that repeats needs the agency's key and the texts of categories.");
  }
  const drawn = Float64Array.from(first, (c) => {
    const count = system.count[c]!;
    return count % base === 0 ? count : randomMultiple(count, base, uniformInts(keyed(cellName(input, labelOf, c, base)), WORDS_PER_CELL));
  });
  return Float64Array.from(groupOf, (group) => drawn[group]!);
}

function cellName(
  { system }: PerturbationInput, labelOf: NonNullable<PerturbationInput["labelOf"]>, cell: number, base: number,
): string {
  const categories: (readonly [column: string, level: number | string, label: string | null])[] = [];
  system.columns.forEach(({ column, level, groupings }, k) => {
    const place = system.places[k]![cell]!;
    if (place === 0) return;
    // Groupings are known by name: their numbers depend on which others are published.
    const own = groupings.find((grouping) => grouping.level === level[place])?.name ?? level[place]!;
    categories.push([column, own, labelOf(k, place)]);
  });
  categories.sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(["rounding/random", base, system.count[cell], categories]);
}
