import { DataError, InternalError, PolicyError } from "../errors/index.ts";
import type { RandomBits } from "../random/random-bits.ts";
import { uniformInts, type UniformInts } from "../random/uniform-ints.ts";
import type { Cells } from "./cells.ts";
import { rollUp } from "./roll-up.ts";

/**
 * Cells without the contributor key that count contributors in the place of records: each contributor once per cell. They
 * come in the order of `rollUp` with that key dropped, so that both can be read side by side. Weight and measures are left out.
 *
 * @param contributorKey index of the key that names the contributor
 * @throws DataError `cells/null-contributor`
 */
export function countContributors(cells: Cells, contributorKey: number): Cells {
  refuseNulls(cells, contributorKey);
  const presence: Cells = {
    keys: cells.keys, sizes: cells.sizes, size: cells.size, codes: cells.codes,
    records: new Float64Array(cells.size).fill(1), measures: [],
  };
  // A combination occurs once, so each contributor has one entry for each cell over the other keys.
  return withoutKey(presence, contributorKey);
}

/**
 * Keep at most `maxRecords` records of each contributor over all cells together, drawn uniformly from the contributor's
 * records, and drop the contributor key. Cells that lose all their records are gone.
 *
 * The draw is exact (integers only): every set of `maxRecords` records of a contributor is equally likely, so the records
 * kept per cell follow the multivariate hypergeometric law. Contributors are treated in the order of their codes.
 *
 * @param contributorKey index of the key that names the contributor
 * @param maxRecords     at least 1
 * @throws DataError `cells/null-contributor` when records have none: they cannot be bounded
 *         PolicyError `cells/bound-counts-only` when there is a weight or a measure: a cell's sum does not tell how much of
 *         it belongs to the records that stay
 *
 * Time O(cells + draws x cells of one contributor), where draws are the fewer of the records kept and the records left out.
 */
export function boundContributions(cells: Cells, contributorKey: number, maxRecords: number, random: RandomBits): Cells {
  if (!(Number.isSafeInteger(maxRecords) && maxRecords >= 1)) {
    throw new PolicyError(
      "cells/bad-contribution-bound", "The most records per contributor must be a whole number of at least 1.", { maxRecords },
    );
  }
  if (cells.weight !== undefined || cells.measures.length > 0) {
    throw new PolicyError(
      "cells/bound-counts-only",
      "Contributions can be bounded for counts of records only; leave weights and measures out of a table that bounds them.",
    );
  }
  refuseNulls(cells, contributorKey);

  const { order, starts } = byContributor(cells, contributorKey);
  const ints = uniformInts(random);
  const records = cells.records.slice();
  for (let contributor = 0; contributor + 1 < starts.length; contributor++) {
    keepSome(records, order.subarray(starts[contributor]!, starts[contributor + 1]!), maxRecords, ints);
  }

  let kept = 0;
  for (let cell = 0; cell < cells.size; cell++) if (records[cell]! > 0) kept++;
  const places = new Int32Array(kept);
  for (let cell = 0, place = 0; cell < cells.size; cell++) if (records[cell]! > 0) places[place++] = cell;
  const occupied: Cells = {
    keys: cells.keys, sizes: cells.sizes, size: kept, measures: [],
    codes: cells.codes.map((codes) => Int32Array.from(places, (cell) => codes[cell]!)),
    records: Float64Array.from(places, (cell) => records[cell]!),
  };
  return withoutKey(occupied, contributorKey);
}

/** Cells sorted by contributor: `order[starts[c] .. starts[c + 1])` are those of contributor code c. */
function byContributor(cells: Cells, contributorKey: number): { order: Int32Array; starts: Int32Array } {
  const contributors = cells.codes[contributorKey]!;
  const starts = new Int32Array(cells.sizes[contributorKey]! + 1);
  for (let cell = 0; cell < cells.size; cell++) starts[contributors[cell]! + 1]!++;
  for (let c = 1; c < starts.length; c++) starts[c]! += starts[c - 1]!;
  const next = starts.slice();
  const order = new Int32Array(cells.size);
  for (let cell = 0; cell < cells.size; cell++) order[next[contributors[cell]!]!++] = cell;
  return { order, starts };
}

/** Draw without replacement, one record at a time, the records that stay or those that go, whichever are fewer. */
function keepSome(records: Float64Array, own: Int32Array, maxRecords: number, ints: UniformInts): void {
  let total = 0;
  for (const cell of own) total += records[cell]!;
  if (total <= maxRecords) return;

  const leftOut = total - maxRecords;
  const drawn = Math.min(maxRecords, leftOut);
  const left = Float64Array.from(own, (cell) => records[cell]!);
  for (let remaining = total; remaining > total - drawn; remaining--) {
    let position = ints.below(remaining);
    let i = 0;
    while (position >= left[i]!) position -= left[i++]!;
    left[i]!--;
  }
  for (let i = 0; i < own.length; i++) {
    records[own[i]!] = drawn === leftOut ? left[i]! : records[own[i]!]! - left[i]!;
  }
}

function refuseNulls(cells: Cells, contributorKey: number): void {
  const contributors = cells.codes[contributorKey];
  if (contributors === undefined) {
    throw new InternalError("cells/no-such-key", `Cells over ${cells.keys.length} keys have no key ${contributorKey}.`);
  }
  let without = 0;
  for (let cell = 0; cell < cells.size; cell++) if (contributors[cell]! < 0) without += cells.records[cell]!;
  if (without === 0) return;
  const column = cells.keys[contributorKey]!;
  throw new DataError(
    "cells/null-contributor",
    `${without} records have no contributor in column "${column}", so what one contributor adds cannot be bounded. `
      + "Fill the column in, or leave those records out of the input.",
    { column, records: without },
  );
}

function withoutKey(cells: Cells, key: number): Cells {
  return rollUp(cells, cells.keys.map((_, k) => (k === key ? "drop" : null)));
}
