import { DisclosureError } from "../../errors/index.ts";
import { differenceCells, publishedAdditions, withoutImplied, withUnpublished } from "../perturbation/additions.ts";
import { solveInParts, type IntegerProgram } from "../perturbation/integer-program.ts";
import type { PerturbationInput } from "../perturbation/method.ts";
import type { TabularAdjustment } from "./schema.ts";

/** Relative weights are whole numbers: this much for a change of a count of 1. */
const RELATIVE_SCALE = 1000;

/**
 * [cells] the nearest whole numbers that add up and of which none is from 1 to threshold - 1, by the weighted sum of
 * changes.
 *
 * A small count (and a 0 that may move) is threshold * high + extra with high 0 or 1, and extra 0 unless high; any
 * other count is count + more - less and stays at the threshold or above.
 * Source: Castro (2006), "Minimum-distance controlled perturbation methods for large-scale tabular data protection",
 * EJOR 171; Dandekar and Cox (2002) for the choice of a side for each sensitive cell.
 *
 * @throws DisclosureError `tabular-adjustment/no-solution` when there is none, or none was found within the limits
 */
export async function adjustCounts({ system, signal }: PerturbationInput, options: TabularAdjustment): Promise<Float64Array> {
  const { threshold, nodes } = options;
  const additions = withoutImplied(publishedAdditions(system));
  const count = withUnpublished(additions, system.count);
  const reach = options.maxChange ?? 2 * threshold;
  const { cells, published, whole, starts, parts, signs } = additions;
  const isDifference = differenceCells(system);

  const cost: number[] = [];
  const lower: number[] = [];
  const upper: number[] = [];
  const variable = (weight: number, most: number): number => {
    cost.push(weight);
    lower.push(0);
    return upper.push(most) - 1;
  };
  const rowStarts: number[] = [0];
  const terms: number[] = [];
  const factors: number[] = [];
  const sums: number[] = [];
  const term = (v: number, factor: number): void => {
    terms.push(v);
    factors.push(factor);
  };

  // Two variables a cell: high and extra, or more and less.
  const first = new Int32Array(cells);
  const isSmall = new Uint8Array(cells);
  for (let c = 0; c < cells; c++) {
    const x = count[c]!;
    const relative = Math.max(1, Math.round(RELATIVE_SCALE / Math.max(Math.abs(x), 1)));
    const weight = c >= published ? 0 : options.distance === "absolute" ? 1 : relative;
    if (c < published && x < threshold && isDifference[c] === 0) {
      isSmall[c] = 1;
      const mayMove = x > 0 || options.zeros === "move";
      const high = variable(weight * (threshold - 2 * x), mayMove ? 1 : 0); // against the cost of 0, which is weight * x
      const extra = variable(weight, mayMove ? reach : 0);
      first[c] = high;
      if (mayMove) {
        // extra + unused = reach * high
        const unused = variable(0, reach);
        term(extra, 1);
        term(unused, 1);
        term(high, -reach);
        rowStarts.push(terms.length);
        sums.push(0);
      }
      continue;
    }
    first[c] = variable(weight, c < published ? reach : cells * reach);
    variable(weight, c >= published ? Math.max(x, 0) : isDifference[c] === 1 ? reach : Math.min(reach, x - threshold));
  }
  /** The cell's part of a sum; what of it is fixed is returned. */
  const add = (c: number, sign: number): number => {
    term(first[c]!, isSmall[c] === 1 ? sign * threshold : sign);
    term(first[c]! + 1, isSmall[c] === 1 ? sign : -sign);
    return isSmall[c] === 1 ? 0 : sign * count[c]!;
  };
  for (let e = 0; e < whole.length; e++) {
    let known = whole[e]! < 0 ? 0 : add(whole[e]!, -1);
    for (let at = starts[e]!; at < starts[e + 1]!; at++) known += add(parts[at]!, signs[at]!);
    rowStarts.push(terms.length);
    sums.push(known === 0 ? 0 : -known);
  }
  const program: IntegerProgram = {
    variables: cost.length,
    cost: Float64Array.from(cost),
    lower: Float64Array.from(lower),
    upper: Float64Array.from(upper),
    starts: Int32Array.from(rowStarts),
    variable: Int32Array.from(terms),
    factor: Int32Array.from(factors),
    sum: Float64Array.from(sums),
  };
  const solution = await solveInParts(program, { nodes }, signal);
  if (solution === undefined) {
    throw new DisclosureError(
      "tabular-adjustment/no-solution",
      `No numbers that add up with none from 1 to ${threshold - 1} were found within ${nodes} nodes and a change of at most ${reach}. ` +
        "Nothing was published. Raise maxChange or nodes, allow zeros: move, publish fewer margins, or use small-count-rounding.",
      { threshold, nodes, maxChange: reach },
    );
  }
  const values = new Float64Array(published);
  for (let c = 0; c < published; c++) {
    const a = solution.values[first[c]!]!;
    const b = solution.values[first[c]! + 1]!;
    values[c] = isSmall[c] === 1 ? threshold * a + b : count[c]! + a - b;
  }
  return values;
}
