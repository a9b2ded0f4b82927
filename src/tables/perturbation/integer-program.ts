import type { Highs, ModelData } from "highs";
import { DisclosureError, InternalError } from "../../errors/index.ts";
import { loadSolver } from "../solver/index.ts";

/**
 * Whole numbers within bounds, at least cost, for which sums hold: the form of controlled rounding and of tabular
 * adjustment. Equations in rows: the sum of factor[k] * x[variable[k]] over starts[e] .. starts[e + 1] is sum[e].
 */
export interface IntegerProgram {
  readonly variables: number;
  readonly cost: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly starts: Int32Array;
  readonly variable: Int32Array;
  readonly factor: Int32Array;
  readonly sum: Float64Array;
}

export interface SolverLimits {
  /**
   * Nodes of the search tree in each connected part; a limit on nodes, unlike one on time, gives the same result again.
   */
  readonly nodes: number;
}

export interface IntegerSolution {
  readonly values: Float64Array;
  /** Whether no cheaper solution exists; otherwise the best one found within the limits. */
  readonly isOptimal: boolean;
}

/** Above this many open variables in a part, the search ends at a solution that is proven to be near the optimum. */
const EXACT_LIMIT = 3000;
/** How near: this share of the sum of all costs' sizes. */
const NEAR = 0.1;
/** And after this many nodes at most: each takes seconds. */
const LARGE_NODES = 10;
/** Up to this many open variables the linear program is tried first; its optimum is often whole, and the tree costs 50 times more. */
const LINEAR_FIRST = 500;
/** A part with more open variables would keep the solver busy for hours. */
const LARGEST_PART = 25_000;

const OPTIMAL = 7;
const INFEASIBLE = 8;
const INTEGER = 1;
/** Distance from a whole number that counts as none; what is rounded is checked exactly afterwards. */
const WHOLE = 1e-6;

/**
 * Solve each connected part on its own. What the solver returns is rounded and checked again in exact arithmetic.
 *
 * Costs are whole numbers, so a gap below 1 proves an optimum. In large parts a gap of NEAR is accepted.
 *
 * @returns undefined when some part has no solution, or none was found within the limits
 * @throws DisclosureError `perturbation/part-too-large`
 */
export async function solveInParts(
  program: IntegerProgram, limits: SolverLimits, signal?: AbortSignal | undefined,
): Promise<IntegerSolution | undefined> {
  const { variables, cost, lower, upper, starts, variable, factor, sum } = program;
  const values = new Float64Array(variables);
  for (let v = 0; v < variables; v++) values[v] = cost[v]! >= 0 ? lower[v]! : upper[v]!;

  let isOptimal = true;
  for (const part of connectedParts(program)) {
    signal?.throwIfAborted();
    const local = new Map<number, number>();
    part.variables.forEach((v, k) => local.set(v, k));
    const indices: number[] = [];
    const factors: number[] = [];
    const rowStarts = [0];
    const rest: number[] = [];
    for (const e of part.equations) {
      let known = 0;
      for (let at = starts[e]!; at < starts[e + 1]!; at++) {
        const v = variable[at]!;
        if (lower[v] === upper[v]) known += factor[at]! * lower[v]!;
        else {
          indices.push(local.get(v)!);
          factors.push(factor[at]!);
        }
      }
      rowStarts.push(indices.length);
      rest.push(sum[e]! - known);
    }
    if (part.variables.length === 0) continue; // judged below with all equations
    const numCols = part.variables.length;
    const numRows = part.equations.length;
    if (numCols > LARGEST_PART) throw tooLarge(numCols);
    let gap = 0.5;
    if (numCols > EXACT_LIMIT) {
      gap = NEAR * part.variables.reduce((size, v) => size + Math.abs(cost[v]!), 0);
      isOptimal = false;
    }
    const highs = await loadSolver();
    const data: ModelData = {
      numCols,
      numRows,
      colCost: Float64Array.from(part.variables, (v) => cost[v]!),
      colLower: Float64Array.from(part.variables, (v) => lower[v]!),
      colUpper: Float64Array.from(part.variables, (v) => upper[v]!),
      rowLower: Float64Array.from(rest),
      rowUpper: Float64Array.from(rest),
      matrix: {
        format: "csr",
        numRows,
        numCols,
        starts: Int32Array.from(rowStarts),
        indices: Int32Array.from(indices),
        values: Float64Array.from(factors),
      },
    };
    let found = numCols > LINEAR_FIRST ? undefined : run(highs, data, { solver: "simplex" });
    if (found?.status === INFEASIBLE) return undefined;
    if (found === undefined || found.status !== OPTIMAL || !found.isWhole) {
      const nodes = numCols > EXACT_LIMIT ? Math.min(limits.nodes, LARGE_NODES) : limits.nodes;
      const tree = { mip_rel_gap: 0, mip_abs_gap: gap, mip_max_nodes: nodes };
      found = run(highs, { ...data, integrality: new Int32Array(numCols).fill(INTEGER) }, tree);
    }
    if (found.status !== OPTIMAL) isOptimal = false;
    const { solution } = found;
    if (solution.length !== numCols) return undefined;
    part.variables.forEach((v, k) => (values[v] = Math.round(solution[k]!)));
  }
  return holds(program, values) ? { values, isOptimal } : undefined;
}

interface Found {
  readonly status: number;
  readonly solution: Float64Array;
  readonly isWhole: boolean;
}

function run(highs: Highs, data: ModelData, options: Readonly<Record<string, number | string>>): Found {
  const model = highs.createModel(data);
  try {
    model.options.set({ output_flag: false, random_seed: 0, ...options });
    model.run();
    const status: number = model.getModelStatus();
    const solution = Float64Array.from(model.getSolution().colValue);
    return { status, solution, isWhole: solution.every((x) => Math.abs(x - Math.round(x)) < WHOLE) };
  } finally {
    model.dispose();
  }
}

/** Whether some connected part is too large to be solved to the optimum. */
export function hasLargePart(program: IntegerProgram): boolean {
  return connectedParts(program).some(({ variables }) => variables.length > EXACT_LIMIT);
}

/** Whether bounds and sums hold, in exact arithmetic on whole numbers below 2^53. */
function holds({ variables, lower, upper, starts, variable, factor, sum }: IntegerProgram, values: Float64Array): boolean {
  for (let v = 0; v < variables; v++) {
    const x = values[v]!;
    if (!Number.isSafeInteger(x) || x < lower[v]! || x > upper[v]!) return false;
  }
  for (let e = 0; e < sum.length; e++) {
    let total = 0;
    for (let at = starts[e]!; at < starts[e + 1]!; at++) total += factor[at]! * values[variable[at]!]!;
    if (!Number.isSafeInteger(total)) throw new InternalError("perturbation/too-large", "Sums of counts exceed 2^53, so they cannot be checked exactly.");
    if (total !== sum[e]) return false;
  }
  return true;
}

function tooLarge(open: number): DisclosureError {
  return new DisclosureError(
    "perturbation/part-too-large",
    `${open} numbers hang together by published sums and would have to be chosen at once; at most ${LARGEST_PART} are. Nothing was ` +
      "published. Publish fewer margins or tables that share no totals, or use small-count-rounding, which has no such limit.",
    { open, limit: LARGEST_PART },
  );
}

interface Part {
  readonly variables: number[];
  readonly equations: number[];
}

/** Open variables that equations tie together. Variables in no equation are no part: their cost decides alone. */
function connectedParts({ variables, lower, upper, starts, variable, sum }: IntegerProgram): Part[] {
  const root = Int32Array.from({ length: variables }, (_, v) => v);
  const find = (v: number): number => {
    let at = v;
    while (root[at] !== at) at = root[at] = root[root[at]!]!;
    return at;
  };
  const firstOf = new Int32Array(sum.length).fill(-1);
  for (let e = 0; e < sum.length; e++) {
    for (let at = starts[e]!; at < starts[e + 1]!; at++) {
      const v = variable[at]!;
      if (lower[v] === upper[v]) continue;
      if (firstOf[e]! < 0) firstOf[e] = v;
      else root[find(v)] = find(firstOf[e]!);
    }
  }
  const parts = new Map<number, Part>();
  for (let e = 0; e < sum.length; e++) {
    if (firstOf[e]! < 0) continue;
    const r = find(firstOf[e]!);
    const part = parts.get(r);
    if (part === undefined) parts.set(r, { variables: [], equations: [e] });
    else part.equations.push(e);
  }
  for (let v = 0; v < variables; v++) if (lower[v] !== upper[v]) parts.get(find(v))?.variables.push(v);
  return [...parts.values()];
}
