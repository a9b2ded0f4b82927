import { DisclosureError } from "../../errors/index.ts";
import { publishedAdditions, withoutImplied, withUnpublished } from "../perturbation/additions.ts";
import { hasLargePart, solveInParts, type IntegerProgram } from "../perturbation/integer-program.ts";
import type { PerturbationInput } from "../perturbation/method.ts";
import { sumOverInner } from "../tabulate/index.ts";
import type { Rounding } from "./schema.ts";
import { searchMultiples } from "./search.ts";

/** One base beyond the two multiples next to a count costs as much as a thousand changes within them, so it is rare. */
const STRETCH = 1000;

/**
 * [cells] multiples of the base that add up, as near to the counts as the search finds.
 *
 * A count keeps its multiple or goes to one of the two next to it (zero-restricted). The sum of the squared changes is
 * least: going up instead of down costs (b - r)^2 - r^2 = b (b - 2r), so the cost is linear, and absolute changes order
 * the same way. Source: Cox and Ernst (1982), Cox (1987); Salazar (2006) for tables of any structure.
 *
 * Tables of which more than 3,000 open cells hang together take a search instead (searchMultiples), which finds numbers within
 * the same bounds that are not the nearest; the program is tried where it finds none.
 *
 * @throws DisclosureError `rounding/no-controlled-solution`
 */
export async function roundControlled(
  { system, signal }: PerturbationInput, options: Extract<Rounding, { kind: "controlled" }>,
): Promise<Float64Array> {
  const additions = withoutImplied(publishedAdditions(system));
  const count = withUnpublished(additions, system.count);
  const limits = { nodes: options.nodes };

  const strict = multiplesProgram(additions, count, options.base, false);
  if (hasLargePart(strict.program)) {
    const { base } = options;
    const inner = searchMultiples(system, base, base - 1, signal) ?? (options.fallback === "relax" ? searchMultiples(system, base, 2 * base - 1, signal) : undefined);
    if (inner !== undefined) return sumOverInner(system, inner);
  }
  let solution = await solveInParts(strict.program, limits, signal);
  let values = solution && strict.read(solution.values);
  if (values === undefined && options.fallback === "relax") {
    const relaxed = multiplesProgram(additions, count, options.base, true);
    solution = await solveInParts(relaxed.program, limits, signal);
    values = solution && relaxed.read(solution.values);
  }
  if (values === undefined) {
    throw new DisclosureError(
      "rounding/no-controlled-solution",
      `No multiples of ${options.base} that add up${options.fallback === "relax" ? ", not even two steps away from the counts," : ""} ` +
        `were found within ${options.nodes} nodes. Nothing was published. Raise nodes, ` +
        `${options.fallback === "relax" ? "" : "allow fallback: relax, "}publish fewer margins, or use small-count-rounding.`,
      { base: options.base, nodes: options.nodes },
    );
  }
  return values.slice(0, system.cells);
}

/**
 * Variables: whether each cell goes up; relaxed, also one base beyond either neighbour. Sums are in multiples of the
 * base.
 */
function multiplesProgram(
  additions: ReturnType<typeof publishedAdditions>, count: Float64Array, base: number, relaxed: boolean,
): { readonly program: IntegerProgram; read(values: Float64Array): Float64Array } {
  const { cells, whole, starts, parts, signs } = additions;
  const blocks = relaxed ? 3 : 1;
  const variables = blocks * cells;
  const cost = new Float64Array(variables);
  const lower = new Float64Array(variables);
  const upper = new Float64Array(variables);
  const floor = new Float64Array(cells);
  for (let c = 0; c < cells; c++) {
    floor[c] = Math.floor(count[c]! / base); // differences of counts may be negative
    const remainder = count[c]! - base * floor[c]!;
    // Unpublished cells only carry sums; what they become costs nothing.
    const isPublished = c < additions.published;
    if (remainder > 0 || (relaxed && !isPublished)) {
      upper[c] = 1;
      cost[c] = isPublished ? base - 2 * remainder : 0;
    }
    if (!relaxed || count[c] === 0) continue;
    const beyond = isPublished ? STRETCH * base : 0;
    upper[cells + c] = isPublished ? 1 : Math.abs(floor[c]!) + cells;
    cost[cells + c] = beyond;
    upper[2 * cells + c] = isPublished ? Math.min(1, Math.abs(floor[c]!)) : Math.abs(floor[c]!);
    cost[2 * cells + c] = beyond;
  }

  const variable: number[] = [];
  const factor: number[] = [];
  const rowStarts: number[] = [0];
  const sum: number[] = [];
  const add = (c: number, sign: number): number => {
    for (let block = 0; block < blocks; block++) {
      variable.push(block * cells + c);
      factor.push(block === 2 ? -sign : sign);
    }
    return sign * floor[c]!;
  };
  for (let e = 0; e < whole.length; e++) {
    let known = whole[e]! < 0 ? 0 : add(whole[e]!, -1);
    for (let at = starts[e]!; at < starts[e + 1]!; at++) known += add(parts[at]!, signs[at]!);
    rowStarts.push(variable.length);
    sum.push(known === 0 ? 0 : -known);
  }
  return {
    program: {
      variables,
      cost,
      lower,
      upper,
      starts: Int32Array.from(rowStarts),
      variable: Int32Array.from(variable),
      factor: Int32Array.from(factor),
      sum: Float64Array.from(sum),
    },
    read: (values) =>
      floor.map((down, c) => {
        const beyond = relaxed ? values[cells + c]! - values[2 * cells + c]! : 0;
        return base * (down + values[c]! + beyond);
      }),
  };
}
