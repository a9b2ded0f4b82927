import type { Highs, Model } from "highs";
import { loadSolver } from "../solver/index.ts";
import type { TableSystem } from "../tabulate/index.ts";
import { attackerProgram, type AttackerProgram } from "./attacker-program.ts";

export interface OptimalOptions {
  /** [cells] 1 for cells that must be hidden and keep their interval. */
  readonly primary: Uint8Array;
  /** Values that must remain possible for each primary cell; at least 2. */
  readonly interval: number;
  /** What is to be least: hidden cells (then people in them), or people in hidden cells (then cells). Default: "people". */
  readonly least?: "cells" | "people";
  /** [cells] 1 for cells that must be shown. */
  readonly shown?: Uint8Array | undefined;
  /** [cells] factor on a cell's share of what is to be least; above 1 for cells that had better be shown. Default: 1 for each. */
  readonly weight?: Float64Array | undefined;
  /** [cells] cells with the same number above 0 are hidden together or not at all. */
  readonly together?: Int32Array | undefined;
  /** Distinct cells up to which this is tried. Default: 1000. */
  readonly cellLimit?: number;
  /** Nodes of the search tree for each program. Default: 20,000. A limit on nodes gives the same result on every machine. */
  readonly nodeLimit?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface OptimalSuppression {
  /** [cells] 1 where the cell is hidden. */
  readonly hidden: Uint8Array;
  /** Cuts that the attackers' programs contributed, and programs for the choice of cells that were solved. */
  readonly cuts: number;
  readonly rounds: number;
}

const OPTIMAL = 7;
const INTEGER = 1;
const ROUNDS = 400;
const TOLERANCE = 1e-6;

/**
 * The cells whose hiding costs least while every primary cell keeps its interval, by an integer program that is given the
 * attackers' answers as cuts.
 *
 * The program chooses which cells are hidden. For each primary cell an attacker, a linear program, then finds the smallest
 * and largest count that agree with what is shown. Where they are too close, the attacker's dual values say which cells, if
 * hidden, would widen the interval: a linear inequality that every sufficient choice satisfies. The attackers take counts
 * for real numbers; whole ones may leave fewer values, so an audit has to follow.
 *
 * @returns undefined when the table is too large, a limit was met, or no choice suffices: use another method then
 * Source: Fischetti and Salazar (2001), "Solving the Cell Suppression Problem on Tabular Data with Linear Constraints".
 */
export async function suppressOptimally(system: TableSystem, options: OptimalOptions): Promise<OptimalSuppression | undefined> {
  const { least = "people", cellLimit = 1000, nodeLimit = 20_000 } = options;
  const program = attackerProgram(system, options.primary, cellLimit);
  if (program === undefined) return undefined;
  const { cells: distinct, cellOf } = program;

  // Every choice of fewer people, or cells, costs less than any with more; the other number breaks ties.
  const cost = new Float64Array(distinct);
  const lower = new Float64Array(distinct);
  const upper = new Float64Array(distinct).fill(1);
  const total = program.count.reduce((sum, count) => sum + count, 1);
  for (let c = 0; c < system.cells; c++) {
    const g = cellOf[c]!;
    const people = (system.count[c]! * (options.weight?.[c] ?? 1));
    const cells = options.weight?.[c] ?? 1;
    cost[g]! += least === "people" ? people + cells / (system.cells + 1) : cells + people / total;
    if (options.primary[c] === 1) lower[g] = 1;
    if (options.shown?.[c] === 1) upper[g] = 0;
  }
  for (let g = 0; g < distinct; g++) if (lower[g]! > upper[g]!) return undefined;

  const highs = await loadSolver();
  const attacker = highs.createModel(program.model);
  attacker.options.set({ output_flag: false, random_seed: 0, presolve: "off" });
  const cuts: Cut[] = linkedChoices(options.together, cellOf);
  try {
    // Fractional choices first: their programs are cheap and their cuts hold for all.
    for (const whole of [false, true]) {
      for (let round = 1; ; round++) {
        options.signal?.throwIfAborted();
        if (round > ROUNDS) return undefined;
        const choice = leastCost(highs, cost, lower, upper, cuts, whole, nodeLimit);
        if (choice === undefined) return undefined;
        const found = violated(attacker, program, choice, options.interval - 1);
        if (found === undefined) return undefined;
        if (found.length === 0) {
          if (!whole) break;
          const hidden = new Uint8Array(system.cells);
          for (let c = 0; c < system.cells; c++) if (choice[cellOf[c]!]! > 0.5) hidden[c] = 1;
          return { hidden, cuts: cuts.length, rounds: round };
        }
        cuts.push(...found);
      }
    }
    return undefined;
  } finally {
    attacker.dispose();
  }
}

/** Sum of factor[k] * choice[cell[k]] is at least `least`. */
interface Cut {
  readonly cell: readonly number[];
  readonly factor: readonly number[];
  readonly least: number;
}

/** Cells of a group imply one another, in a circle. */
function linkedChoices(together: Int32Array | undefined, cellOf: Int32Array): Cut[] {
  const members = new Map<number, number[]>();
  together?.forEach((group, c) => {
    if (group <= 0) return;
    const list = members.get(group);
    if (list === undefined) members.set(group, [cellOf[c]!]);
    else if (!list.includes(cellOf[c]!)) list.push(cellOf[c]!);
  });
  const cuts: Cut[] = [];
  for (const list of members.values()) {
    if (list.length < 2) continue;
    list.forEach((g, k) => cuts.push({ cell: [g, list[(k + 1) % list.length]!], factor: [1, -1], least: 0 }));
  }
  return cuts;
}

/** The cheapest choice that satisfies the cuts; undefined when there is none or the limit was met. */
function leastCost(
  highs: Highs,
  cost: Float64Array,
  lower: Float64Array,
  upper: Float64Array,
  cuts: readonly Cut[],
  whole: boolean,
  nodes: number,
): Float64Array | undefined {
  const starts = new Int32Array(cuts.length + 1);
  cuts.forEach(({ cell }, r) => (starts[r + 1] = starts[r]! + cell.length));
  const model = highs.createModel({
    numCols: cost.length,
    numRows: cuts.length,
    colCost: cost,
    colLower: lower,
    colUpper: upper,
    rowLower: Float64Array.from(cuts, ({ least }) => least),
    rowUpper: new Float64Array(cuts.length).fill(Infinity),
    matrix: {
      format: "csr",
      numRows: cuts.length,
      numCols: cost.length,
      starts,
      indices: Int32Array.from(cuts.flatMap(({ cell }) => cell)),
      values: Float64Array.from(cuts.flatMap(({ factor }) => factor)),
    },
    ...(whole ? { integrality: new Int32Array(cost.length).fill(INTEGER) } : {}),
  });
  try {
    model.options.set({ output_flag: false, random_seed: 0 });
    if (whole) model.options.set({ mip_max_nodes: nodes, mip_rel_gap: 0, mip_abs_gap: 1e-7 });
    model.run();
    return model.getModelStatus() === OPTIMAL ? Float64Array.from(model.getSolution().colValue) : undefined;
  } finally {
    model.dispose();
  }
}

/** One cut for each primary cell whose interval the choice leaves too narrow; undefined when an attacker was not solved. */
function violated(attacker: Model, program: AttackerProgram, choice: Float64Array, width: number): Cut[] | undefined {
  const { cells, columnOf, below, above, primaries, rowStarts, rowColumns, rowValues, columns } = program;
  for (let g = 0; g < cells; g++) {
    const y = Math.min(1, Math.max(0, choice[g]!));
    attacker.changeColBounds(columnOf[g]!, -below[g]! * y, above * y);
  }
  const cuts: Cut[] = [];
  for (const p of primaries) {
    const factor = new Float64Array(cells);
    let reached = 0;
    let always = 0;
    for (const direction of [1, -1]) {
      attacker.changeColCost(columnOf[p]!, -direction);
      attacker.run();
      if (attacker.getModelStatus() !== OPTIMAL) return undefined;
      const { colValue, rowDual } = attacker.getSolution();
      reached += direction * colValue[columnOf[p]!]!;

      // Any multipliers of the additions bound the interval by what the cells' own bounds allow.
      const rest = new Float64Array(columns);
      rest[columnOf[p]!] = direction;
      for (let r = 0; r + 1 < rowStarts.length; r++) {
        const price = -rowDual[r]!;
        if (Math.abs(price) < 1e-9) continue;
        for (let k = rowStarts[r]!; k < rowStarts[r + 1]!; k++) rest[rowColumns[k]!]! -= price * rowValues[k]!;
      }
      for (let g = 0; g < cells; g++) {
        const value = rest[columnOf[g]!]!;
        factor[g]! += value > 0 ? value * above : -value * below[g]!;
        rest[columnOf[g]!] = 0;
      }
      // What is never published is bounded from below only.
      for (let j = 0; j < columns; j++) if (rest[j]! < 0) always -= rest[j]! * program.neverBelow[j]!;
      attacker.changeColCost(columnOf[p]!, 0);
    }
    if (reached >= width - TOLERANCE) continue;
    const least = width - always;
    if (least <= TOLERANCE) return undefined; // the multipliers were too imprecise to tell anything
    const cell: number[] = [];
    const factors: number[] = [];
    let met = 0;
    for (let g = 0; g < cells; g++) {
      const own = Math.min(factor[g]!, least);
      if (own < 1e-7 * least) continue;
      cell.push(g);
      factors.push(own / least);
      met += (own / least) * choice[g]!;
    }
    if (met > 1 - TOLERANCE) return undefined;
    cuts.push({ cell, factor: factors, least: 1 });
  }
  return cuts;
}
