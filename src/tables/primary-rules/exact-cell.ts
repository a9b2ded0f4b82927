import { add, compare, divide, exactly, multiply, ONE, rational, ZERO, type Rational } from "../../kernels/rational.ts";
import type { Contributions } from "./contributions.ts";
import { decimalGrid } from "./decimal-grid.ts";
import { readingsOf, type CellSums, type StatisticsOptions } from "./statistics.ts";

/** The statistics of one cell without rounding. */
export interface ExactCell {
  /** Largest contributions, descending; as many as there are, at most `top`. */
  readonly largest: readonly Rational[];
  readonly requested: Rational;
  readonly total: Rational;
  readonly weighted: Rational;
}

/**
 * Statistics of single cells in rational numbers, for the few cells whose rounded statistics lie too near a boundary to decide.
 * Same definition as `contributorStatistics`.
 * Time O(entries) once, then O(n log n) rational operations for a cell with n contributions.
 */
export function exactCells(
  system: CellSums, contributions: Contributions, options: StatisticsOptions,
): (cell: number) => ExactCell {
  const { top, by = "contributor", weights = "units", negatives = "sums" } = options;
  const { weight, holding, requested } = contributions;
  const weighs = weights !== "ignore" && weight !== undefined;
  const { own, weighted } = readingsOf(contributions, false, negatives);
  const given = weighs && negatives !== "values" ? contributions.weightedValue : undefined;
  const ownAt = exactReader(own);
  const weightedAt = exactReader(given ?? weighted);
  const weightAt = weight === undefined ? undefined : exactReader(weight);
  const entriesOf = new Map<number, number[]>();
  for (let e = 0; e < contributions.entries; e++) {
    const inner = contributions.inner[e]!;
    const list = entriesOf.get(inner);
    if (list === undefined) entriesOf.set(inner, [e]);
    else list.push(e);
  }

  return (cell) => {
    const units = new Map<number, { own: Rational; weighted: Rational; weight: Rational; records: Rational; asked: boolean }>();
    let cellWeight = ZERO;
    for (let at = system.starts[cell]!; at < system.starts[cell + 1]!; at++) {
      for (const e of entriesOf.get(system.rows[at]!) ?? []) {
        const contributor = contributions.contributor[e]!;
        const unit = by === "holding" && holding !== undefined ? holding[contributor]! : contributor;
        const known = units.get(unit) ?? { own: ZERO, weighted: ZERO, weight: ZERO, records: ZERO, asked: false };
        const records = exactly(contributions.records[e]!);
        const entryWeight = weightAt === undefined ? records : weightAt(e);
        let toTotal = weightedAt(e);
        if (weighs && given === undefined) toTotal = records.numerator === 0n ? ZERO : divide(multiply(toTotal, entryWeight), records);
        units.set(unit, {
          own: add(known.own, ownAt(e)),
          weighted: add(known.weighted, toTotal),
          weight: add(known.weight, entryWeight),
          records: add(known.records, records),
          asked: known.asked || requested?.[contributor] === 1,
        });
        cellWeight = add(cellWeight, entryWeight);
      }
    }

    const sizes: { size: Rational; times: Rational }[] = [];
    let total = ZERO;
    let largestRequested = ZERO;
    for (const unit of units.values()) {
      const size = absolute(unit.own);
      total = add(total, absolute(unit.weighted));
      if (unit.asked && compare(size, largestRequested) > 0) largestRequested = size;
      const mean = weights === "units" && weighs && unit.records.numerator > 0n ? divide(unit.weight, unit.records) : ONE;
      sizes.push({ size, times: compare(mean, ONE) < 0 ? ONE : mean });
    }
    sizes.sort((a, b) => compare(b.size, a.size));
    return { largest: fillPlaces(sizes, top), requested: largestRequested, total, weighted: cellWeight };
  };
}

/** Values as the decimals they were read from, where they are such; else as the doubles that they are. */
function exactReader(values: Float64Array): (entry: number) => Rational {
  const grid = decimalGrid([values]);
  return (entry) => (grid === 0 ? exactly(values[entry]!) : rational(BigInt(Math.round(values[entry]! * grid)), BigInt(grid)));
}

function fillPlaces(sizes: readonly { size: Rational; times: Rational }[], top: number): Rational[] {
  const places: Rational[] = [];
  let from = 0;
  let left = sizes[0]?.times ?? ZERO;
  while (places.length < top && from < sizes.length) {
    let room = ONE;
    let sum = ZERO;
    while (room.numerator > 0n && from < sizes.length) {
      const taken = compare(room, left) < 0 ? room : left;
      sum = add(sum, multiply(taken, sizes[from]!.size));
      room = minus(room, taken);
      left = minus(left, taken);
      if (left.numerator === 0n && ++from < sizes.length) left = sizes[from]!.times;
    }
    places.push(sum);
  }
  return places;
}

function absolute({ numerator, denominator }: Rational): Rational {
  return { numerator: numerator < 0n ? -numerator : numerator, denominator };
}

function minus(a: Rational, b: Rational): Rational {
  return add(a, rational(-b.numerator, b.denominator));
}
