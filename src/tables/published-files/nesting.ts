import { TOTAL, type Split } from "./categories.ts";
import type { PublishedCells } from "./published-cells.ts";

/** Categories of one file that turn out to be sums of those listed after (or before) them. */
export interface FoundNesting {
  readonly dimension: number;
  readonly splits: readonly Split[];
}

/**
 * Look for nested categories in the order of a file: a place that equals the sum of the places that follow it (or go before
 * it) wherever all are shown. Only looked for where the plain reading, that all categories add up to the total, contradicts the
 * numbers; only believed where one reading is left, and else the dimension is unexplained. What is found is an assumption and is reported as one.
 *
 * Time O(places^2 x slices) for a file whose categories do not add up.
 */
export function findNesting(published: PublishedCells): { readonly nestings: readonly FoundNesting[]; readonly unexplained: readonly string[] } {
  const nestings: FoundNesting[] = [];
  const unexplained = new Set<string>();
  published.dimensions.forEach((dimension, d) => {
    if (dimension.isStated) return;
    for (const places of published.shown[d]!) {
      const slices = slicesOf(published, d, places);
      const parts = places.filter((place) => place !== TOTAL);
      const tops = parts.map((place): Node => ({ place, parts: [] }));
      const plain = places.includes(TOTAL) && !contradicts(slices, TOTAL, tops);
      if (plain) continue;
      const nested = nest(slices, parts) ?? nest(slices, [...parts].reverse());
      if (nested === undefined && !places.includes(TOTAL)) continue;
      if (nested === undefined) unexplained.add(dimension.name);
      else nestings.push({ dimension: d, splits: nested });
    }
  });
  return { nestings, unexplained: [...unexplained] };
}

interface Node {
  readonly place: number;
  readonly parts: readonly Node[];
}

/** [slices] numbers by place with everything else fixed: NaN where hidden, 0 where not listed. */
type Slice = ReadonlyMap<number, number>;

function slicesOf(published: PublishedCells, dimension: number, places: readonly number[]): Slice[] {
  const among = new Set(places);
  const slices = new Map<string, Map<number, number>>();
  for (const cell of published.cells) {
    const place = cell.places[dimension]!;
    if (cell.at.length === 0 || !among.has(place)) continue;
    const others = cell.places.slice();
    others[dimension] = -1;
    const key = `${cell.measure}:${others.join()}`;
    let slice = slices.get(key);
    if (slice === undefined) slices.set(key, (slice = new Map()));
    slice.set(place, cell.value);
  }
  return [...slices.values()].filter((slice) => slice.size > 1);
}

/** Whether the shown numbers rule out that `whole` is the sum of `parts`. */
function contradicts(slices: readonly Slice[], whole: number, parts: readonly Node[]): boolean {
  return slices.some((slice) => {
    const total = slice.get(whole);
    if (total === undefined || Number.isNaN(total)) return false;
    const { sum, complete } = sumOf(slice, parts);
    return complete ? sum !== total : sum > total;
  });
}

/** Slices in which the sum is confirmed by numbers other than 0. */
function confirmations(slices: readonly Slice[], whole: number, parts: readonly Node[]): number {
  let confirmed = 0;
  for (const slice of slices) {
    const total = slice.get(whole);
    if (total === undefined || Number.isNaN(total) || total === 0) continue;
    const { sum, complete, listed } = sumOf(slice, parts);
    if (complete && sum === total && listed > 1) confirmed++;
  }
  return confirmed;
}

function sumOf(slice: Slice, parts: readonly Node[]): { sum: number; complete: boolean; listed: number } {
  let sum = 0;
  let complete = true;
  let listed = 0;
  for (const { place } of parts) {
    const value = slice.get(place);
    if (value === undefined) continue;
    listed++;
    if (Number.isNaN(value)) complete = false;
    else sum += value;
  }
  return { sum, complete, listed };
}

/** Read the list from its end: each place may be the sum of the tops that follow it. */
function nest(slices: readonly Slice[], order: readonly number[]): Split[] | undefined {
  let tops: Node[] = [];
  const splits: Split[] = [];
  let confirmed = Infinity;
  for (let i = order.length - 1; i >= 0; i--) {
    const place = order[i]!;
    const lengths: number[] = [];
    for (let length = 2; length <= tops.length; length++) {
      const run = tops.slice(0, length);
      if (!contradicts(slices, place, run) && confirmations(slices, place, run) > 0) lengths.push(length);
    }
    if (lengths.length > 1) return undefined; // more than one reading
    const length = lengths[0] ?? 0;
    const parts = tops.slice(0, length);
    if (length > 0) {
      splits.push({ whole: place, parts: parts.map((part) => part.place) });
      confirmed = Math.min(confirmed, confirmations(slices, place, parts));
    }
    tops = [{ place, parts }, ...tops.slice(length)];
  }
  if (splits.length === 0 || contradicts(slices, TOTAL, tops)) return undefined;
  // A sum that comes out once may be chance; twice, or as part of a whole that comes out, it hardly is.
  return confirmed > 1 || tops.length === 1 || confirmations(slices, TOTAL, tops) > 0 ? splits : undefined;
}
