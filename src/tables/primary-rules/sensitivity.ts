import { compare, divide, exactly, parseDecimal, rational, toNumberUp, type Rational } from "../../kernels/rational.ts";
import type { ExactCell } from "./exact-cell.ts";
import type { DominanceRule, PPercentRule, PriorPosteriorRule, RequestRule } from "./schema.ts";
import type { ContributorStatistics } from "./statistics.ts";

export type MagnitudeRule = DominanceRule | PPercentRule | PriorPosteriorRule | RequestRule;

/**
 * A linear sensitivity rule: a cell is sensitive when first * x1 + others * (x2 + ... + x_members) - total * X > 0, strictly.
 * Coefficients are integers, so that decimals such as p = 12.5 bring no rounding. The upper protection level is the left
 * side divided by `total`. Source: Handbook on Statistical Disclosure Control, 2nd edition, 4.2, table of upper protection levels.
 */
export interface Sensitivity {
  readonly first: bigint;
  readonly others: bigint;
  readonly total: bigint;
  /** Contributions that enter, x1 included. */
  readonly members: number;
  /** Whether x1 is the largest contribution of those who asked for confidentiality. */
  readonly ofRequested: boolean;
}

/** The rule as a linear form. */
export function sensitivityOf(rule: MagnitudeRule): Sensitivity {
  switch (rule.rule) {
    case "dominance": {
      const k = parseDecimal(rule.k);
      const all = 100n * k.denominator;
      return { first: all, others: all, total: k.numerator, members: rule.n, ofRequested: false };
    }
    case "p-percent":
      return estimation(parseDecimal(rule.p), rational(100n), rule.coalition);
    case "prior-posterior":
      return estimation(parseDecimal(rule.p), parseDecimal(rule.q), rule.coalition);
    case "request": {
      const share = parseDecimal(rule.share);
      return { first: 100n * share.denominator, others: 0n, total: share.numerator, members: 1, ofRequested: true };
    }
  }
}

/** X - x1 - x2 - ... - x_{c+1} < (p / q) x1. */
function estimation(p: Rational, q: Rational, coalition: number): Sensitivity {
  const ratio = rational(p.numerator * q.denominator, p.denominator * q.numerator);
  return {
    first: ratio.numerator + ratio.denominator,
    others: ratio.denominator,
    total: ratio.denominator,
    members: coalition + 1,
    ofRequested: false,
  };
}

/** Rounded statistics decide where the sides differ by more than this share of their size, and of what cancelled out within them. */
const NEAR = 2 ** -36;

/**
 * The upper protection level of every sensitive cell, in units of the measure, above 0; 0 where the cell is not sensitive.
 * Exact at the boundary: near it, integers of the grid or the cell's contributions in rational numbers decide.
 *
 * @param statistics with at least `members` largest contributions
 * @param exact      the cell's statistics without rounding; asked for when there is no grid
 * Time O(cells x members).
 */
export function upperProtection(
  { first, others, total, members, ofRequested }: Sensitivity,
  statistics: ContributorStatistics,
  exact: (cell: number) => ExactCell,
): Float64Array {
  const { cells, top, grid, largest, requested } = statistics;
  const level = new Float64Array(cells);
  const [f, o, t] = [Number(first), Number(others), Number(total)];
  for (let c = 0; c < cells; c++) {
    const x1 = ofRequested ? requested[c]! : largest[c * top]!;
    let rest = 0;
    for (let m = 1; m < members; m++) rest += largest[c * top + m]!;
    const cellTotal = statistics.total[c]!;
    const size = f * x1 + o * rest + t * cellTotal + (f + o * members + t) * statistics.cancelled[c]!;
    if (size === 0) continue;
    const excess = f * x1 + o * rest - t * cellTotal;
    if (Math.abs(excess) > NEAR * size) {
      if (excess > 0) level[c] = excess / t;
      continue;
    }
    const above = nearExcess(c);
    // Rounded up: a sensitive cell keeps a level above 0.
    if (above.numerator > 0n) level[c] = toNumberUp(divide(above, rational(total)));
  }
  return level;

  function nearExcess(c: number): Rational {
    if (grid > 0) {
      const integer = (x: number) => BigInt(Math.round(x * grid));
      let rest = 0n;
      for (let m = 1; m < members; m++) rest += integer(largest[c * top + m]!);
      const x1 = integer(ofRequested ? requested[c]! : largest[c * top]!);
      return rational(first * x1 + others * rest - total * integer(statistics.total[c]!), BigInt(grid));
    }
    const cell = exact(c);
    const terms: (readonly [bigint, Rational | undefined])[] = [
      [first, ofRequested ? cell.requested : cell.largest[0]],
      ...cell.largest.slice(1, members).map((x) => [others, x] as const),
      [-total, cell.total],
    ];
    return terms.reduce((sum, [times, x]) => (x === undefined ? sum : plusTimes(sum, times, x)), exactly(0));
  }
}

function plusTimes(sum: Rational, times: bigint, x: Rational): Rational {
  return rational(sum.numerator * x.denominator + times * x.numerator * sum.denominator, sum.denominator * x.denominator);
}

/** Whether each cell's sum of weights is below the minimum; exact at the boundary like `upperProtection`. */
export function weightBelow(
  minimum: number, statistics: ContributorStatistics, exact: (cell: number) => ExactCell,
): (cell: number) => boolean {
  const bound = parseDecimal(minimum);
  const { weighted, weightGrid } = statistics;
  return (c) => {
    const sum = weighted[c]!;
    if (Math.abs(sum - minimum) > NEAR * (sum + minimum)) return sum < minimum;
    if (weightGrid > 0) return compare(rational(BigInt(Math.round(sum * weightGrid)), BigInt(weightGrid)), bound) < 0;
    return compare(exact(c).weighted, bound) < 0;
  };
}
