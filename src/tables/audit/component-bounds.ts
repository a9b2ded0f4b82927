import type { Highs, Model } from "highs";
import { DataError } from "../../errors/index.ts";
import type { AttackSystem } from "./linear-system.ts";

/** Bounds are compared with this margin; the solver's own tolerance is 1e-7. */
export const MARGIN = 1e-6;

const OPTIMAL = 7;
const INFEASIBLE = 8;
const UNBOUNDED = 10;
const INTEGER = 1;
const DUAL = 1;
const PRIMAL = 4;

/** Objectives over all undecided cells before each is looked at alone. */
const SWEEPS = 12;
/** Components of at most this many unknowns are decided in whole numbers. */
const WHOLE_NUMBERS_LIMIT = 80;
const NODE_LIMIT = 20_000;

/** Linearly connected unknowns and the equations among them. */
export interface Component {
  readonly unknowns: Int32Array;
  readonly equations: Int32Array;
}

/** What is found for each unknown; shared by all components. */
export interface Bounds {
  /** [unknowns] smallest and largest value met in a table that agrees with everything published. */
  readonly metMin: Float64Array;
  readonly metMax: Float64Array;
  /** [unknowns] 1 where the two are the exact bounds. */
  readonly exact: Uint8Array;
  /** [unknowns] distinct whole values met in tables of whole numbers, at most `interval` of them. */
  readonly wholeValues: (Set<number> | undefined)[];
  /** [unknowns] smallest and largest of all whole values met so. */
  readonly wholeMin: Float64Array;
  readonly wholeMax: Float64Array;
  /** [unknowns] for a narrow interval: how published numbers bound it, as a combination of unknowns whose sum is known. */
  readonly binding: (Map<number, number> | undefined)[];
}

/** What must be decided of a component. */
export interface Question {
  readonly interval: number;
  /** Decide exact bounds for all cells, instead of stopping at the first proof that enough values are left. */
  readonly everyBound: boolean;
  /** Unknowns below this number are blank cells; the others need no protection. */
  readonly blanks: number;
}

/** Number of whole values in an interval, with the solver's tolerance taken from it. */
export function wholeValuesIn(min: number, max: number): number {
  if (max === Infinity || min === -Infinity) return Infinity;
  return Math.max(0, Math.floor(max + MARGIN) - Math.ceil(min - MARGIN) + 1);
}

/**
 * One equation alone, each unknown in it once with sign + or -: each reaches every whole value between the bounds that the
 * others' bounds leave. Exact. Time O(unknowns).
 */
export function boundsOfEquation(system: AttackSystem, component: Component, bounds: Bounds, question: Question): void {
  const e = component.equations[0]!;
  const { starts, unknown, times, lower, upper, sum } = system;
  let least = 0;
  let most = 0;
  let openBelow = 0;
  let openAbove = 0;
  for (let k = starts[e]!; k < starts[e + 1]!; k++) {
    const u = unknown[k]!;
    const low = times[k]! > 0 ? lower[u]! : -upper[u]!;
    const high = times[k]! > 0 ? upper[u]! : -lower[u]!;
    if (low === -Infinity) openBelow++;
    else least += low;
    if (high === Infinity) openAbove++;
    else most += high;
  }
  for (let k = starts[e]!; k < starts[e + 1]!; k++) {
    const u = unknown[k]!;
    const low = times[k]! > 0 ? lower[u]! : -upper[u]!;
    const high = times[k]! > 0 ? upper[u]! : -lower[u]!;
    const othersOpenBelow = openBelow - (low === -Infinity ? 1 : 0);
    const othersOpenAbove = openAbove - (high === Infinity ? 1 : 0);
    const othersLeast = othersOpenBelow > 0 ? -Infinity : least - (low === -Infinity ? 0 : low);
    const othersMost = othersOpenAbove > 0 ? Infinity : most - (high === Infinity ? 0 : high);
    const from = Math.max(low, sum[e]! - othersMost);
    const to = Math.min(high, sum[e]! - othersLeast);
    if (from > to) throw contradiction();
    bounds.metMin[u] = times[k]! > 0 ? from : -to;
    bounds.metMax[u] = times[k]! > 0 ? to : -from;
    bounds.exact[u] = 1;
    if (wholeValuesIn(bounds.metMin[u]!, bounds.metMax[u]!) < question.interval) {
      const binding = new Map<number, number>();
      for (let j = starts[e]!; j < starts[e + 1]!; j++) binding.set(unknown[j]!, times[j]!);
      bounds.binding[u] = binding;
    }
  }
}

/**
 * Bounds by linear programming: the smallest and largest value of each unknown over all tables that agree with what is
 * published. Every solution met on the way is a table that agrees, so one of them often settles many cells.
 *
 * A solve that does not end as optimal leaves its cells unproven, which counts as unsafe.
 */
export function boundsOfComponent(highs: Highs, system: AttackSystem, component: Component, bounds: Bounds, question: Question): void {
  new ComponentSolver(highs, system, component, bounds, question).run();
}

class ComponentSolver {
  readonly #highs: Highs;
  readonly #system: AttackSystem;
  readonly #component: Component;
  readonly #bounds: Bounds;
  readonly #question: Question;
  readonly #size: number;
  readonly #cost: Float64Array;

  constructor(highs: Highs, system: AttackSystem, component: Component, bounds: Bounds, question: Question) {
    this.#highs = highs;
    this.#system = system;
    this.#component = component;
    this.#bounds = bounds;
    this.#question = question;
    this.#size = component.unknowns.length;
    this.#cost = new Float64Array(this.#size);
  }

  run(): void {
    // Caps keep every objective bounded. They only take tables away, so what is safe within them is safe; when none is left
    // within them, or exact bounds are asked for, they go.
    if (this.#question.everyBound || !this.#settle(this.#system.cap)) {
      if (!this.#settle(Infinity)) throw contradiction();
    }
    if (this.#size <= WHOLE_NUMBERS_LIMIT) this.#settleInWholeNumbers();
  }

  /** @returns false when no table agrees within the cap */
  #settle(cap: number): boolean {
    const model = this.#createModel(false, cap);
    try {
      const status = this.#solve(model);
      if (status === INFEASIBLE) return false;
      if (status !== OPTIMAL) return true;
      // A table that agrees is found fastest by the dual method; from there the primal one keeps to tables that agree.
      model.options.set("simplex_strategy", PRIMAL);
      if (!this.#question.everyBound) this.#sweep(model);
      this.#settleEach(model);
      return true;
    } finally {
      model.dispose();
    }
  }

  #createModel(whole: boolean, cap: number): Model {
    const { unknowns, equations } = this.#component;
    const { starts, unknown, times, sum, lower, upper } = this.#system;
    const local = new Map<number, number>();
    unknowns.forEach((u, k) => local.set(u, k));
    const rowStarts = new Int32Array(equations.length + 1);
    const indices: number[] = [];
    const values: number[] = [];
    const sums = new Float64Array(equations.length);
    equations.forEach((e, r) => {
      for (let k = starts[e]!; k < starts[e + 1]!; k++) {
        indices.push(local.get(unknown[k]!)!);
        values.push(times[k]!);
      }
      rowStarts[r + 1] = indices.length;
      sums[r] = sum[e]!;
    });
    const model = this.#highs.createModel({
      numCols: this.#size,
      numRows: equations.length,
      colCost: new Float64Array(this.#size),
      colLower: Float64Array.from(unknowns, (u) => lower[u]!),
      colUpper: Float64Array.from(unknowns, (u) => Math.min(upper[u]!, Math.max(cap, lower[u]!))),
      rowLower: sums,
      rowUpper: sums,
      matrix: {
        format: "csr",
        numRows: equations.length,
        numCols: this.#size,
        starts: rowStarts,
        indices: Int32Array.from(indices),
        values: Float64Array.from(values),
      },
      ...(whole ? { integrality: new Int32Array(this.#size).fill(INTEGER) } : {}),
    });
    if (whole) model.options.set({ output_flag: false, mip_max_nodes: NODE_LIMIT, mip_rel_gap: 0, mip_abs_gap: 0.5 });
    else model.options.set({ output_flag: false, presolve: "on", solver: "simplex", simplex_strategy: DUAL });
    return model;
  }

  /** Run, and learn from the solution when it is optimal. @returns the solver's status */
  #solve(model: Model): number {
    model.run();
    const status: number = model.getModelStatus();
    if (status !== OPTIMAL) return status;
    const value = model.getSolution().colValue;
    const { unknowns } = this.#component;
    const { metMin, metMax, exact, wholeValues, wholeMin, wholeMax } = this.#bounds;
    let whole = true;
    for (let k = 0; k < this.#size; k++) {
      const u = unknowns[k]!;
      const x = value[k]!;
      if (Math.abs(x - Math.round(x)) > MARGIN) whole = false;
      if (exact[u] === 1) continue;
      if (x < metMin[u]!) metMin[u] = x;
      if (x > metMax[u]!) metMax[u] = x;
    }
    if (whole) {
      for (let k = 0; k < this.#size; k++) {
        const u = unknowns[k]!;
        const x = Math.round(value[k]!);
        const seen = (wholeValues[u] ??= new Set());
        if (seen.size < this.#question.interval) seen.add(x);
        if (x < wholeMin[u]!) wholeMin[u] = x;
        if (x > wholeMax[u]!) wholeMax[u] = x;
      }
    }
    return status;
  }

  /** Whether the cell still has to be looked at. */
  #open(u: number): boolean {
    const { metMin, metMax, exact } = this.#bounds;
    if (u >= this.#question.blanks || exact[u] === 1) return false;
    return this.#question.everyBound || wholeValuesIn(metMin[u]!, metMax[u]!) < this.#question.interval;
  }

  /** Push all undecided cells at once in varied directions; stop when a sweep settles few. */
  #sweep(model: Model): void {
    const all = { kind: "range", from: 0, to: this.#size - 1 } as const;
    const { unknowns } = this.#component;
    let open = unknowns.reduce((n, u) => n + (this.#open(u) ? 1 : 0), 0);
    for (let sweep = 0; sweep < SWEEPS && open > 2; sweep++) {
      for (let k = 0; k < this.#size; k++) {
        const u = unknowns[k]!;
        this.#cost[k] = this.#open(u) ? (hashBit(u, sweep >> 1) === (sweep & 1) ? 1 : -1) : 0;
      }
      model.changeColsCost(all, this.#cost);
      if (this.#solve(model) !== OPTIMAL) break;
      const left = unknowns.reduce((n, u) => n + (this.#open(u) ? 1 : 0), 0);
      if (left > 0.9 * open && sweep % 2 === 1) break;
      open = left;
    }
    this.#cost.fill(0);
    model.changeColsCost(all, this.#cost);
  }

  #settleEach(model: Model): void {
    const { unknowns } = this.#component;
    const { metMin, metMax, exact, binding } = this.#bounds;
    const { minimize, maximize } = this.#highs.constants.objectiveSense;
    for (let k = 0; k < this.#size; k++) {
      const u = unknowns[k]!;
      if (!this.#open(u)) continue;
      model.changeColCost(k, 1);
      model.changeObjectiveSense(maximize);
      const status = this.#solve(model);
      if (status === UNBOUNDED) metMax[u] = Infinity;
      if (status === OPTIMAL || status === UNBOUNDED) {
        const above = status === OPTIMAL ? this.#bindingOf(model, k) : undefined;
        if (this.#open(u)) {
          model.changeObjectiveSense(minimize);
          if (this.#solve(model) === OPTIMAL) {
            // The solver moves by up to its tolerance; counts are whole.
            metMin[u] = Math.ceil(metMin[u]! - MARGIN);
            metMax[u] = Math.floor(metMax[u]! + MARGIN);
            exact[u] = 1;
            if (wholeValuesIn(metMin[u]!, metMax[u]!) < this.#question.interval) binding[u] = above;
          }
        }
      }
      model.changeColCost(k, 0);
    }
  }

  /** The combination of unknowns that the optimum's multipliers make of the equations: cost minus reduced cost. */
  #bindingOf(model: Model, objective: number): Map<number, number> {
    const { colDual } = model.getSolution();
    const combination = new Map<number, number>();
    const { unknowns } = this.#component;
    for (let k = 0; k < this.#size; k++) {
      const times = (k === objective ? 1 : 0) - colDual[k]!;
      if (Math.abs(times) > MARGIN) combination.set(unknowns[k]!, times);
    }
    return combination;
  }

  /** Confirm in whole numbers what the linear program left open: a fraction may reach where no count can. */
  #settleInWholeNumbers(): void {
    const { unknowns } = this.#component;
    const { metMin, metMax, exact, wholeValues, wholeMin, wholeMax } = this.#bounds;
    const { interval, blanks, everyBound } = this.#question;
    const { minimize, maximize } = this.#highs.constants.objectiveSense;
    const { lower, upper } = this.#system;
    const needs = (u: number) => {
      if (u >= blanks || wholeValuesIn(metMin[u]!, metMax[u]!) < 1) return false;
      if (everyBound && metMax[u]! < Infinity) return wholeMin[u]! > metMin[u]! + MARGIN || wholeMax[u]! < metMax[u]! - MARGIN;
      return wholeValuesIn(metMin[u]!, metMax[u]!) >= interval && (wholeValues[u]?.size ?? 0) < interval;
    };
    if (!unknowns.some(needs)) return;
    const cap = everyBound ? Infinity : this.#system.cap;
    const model = this.#createModel(true, cap);
    try {
      for (let k = 0; k < this.#size; k++) {
        const u = unknowns[k]!;
        if (!needs(u)) continue;
        model.changeColCost(k, 1);
        model.changeObjectiveSense(minimize);
        const from = this.#solve(model) === OPTIMAL ? Math.round(model.getObjectiveValue()) : NaN;
        model.changeObjectiveSense(maximize);
        const to = this.#solve(model) === OPTIMAL ? Math.round(model.getObjectiveValue()) : NaN;
        model.changeColCost(k, 0);
        // Values between the ends are tried until there are enough; what is not proven possible does not count.
        for (let value = from; value <= to && (wholeValues[u]?.size ?? 0) < interval; value++) {
          if (wholeValues[u]?.has(value) === true) continue;
          model.changeColBounds(k, value, value);
          this.#solve(model);
        }
        model.changeColBounds(k, lower[u]!, Math.min(upper[u]!, Math.max(cap, lower[u]!)));
        const proven = wholeValues[u]?.size ?? 0;
        if (proven < interval) {
          metMin[u] = proven === 0 ? NaN : wholeMin[u]!;
          metMax[u] = proven === 0 ? NaN : wholeMax[u]!;
        } else if (everyBound && !Number.isNaN(from) && !Number.isNaN(to)) {
          metMin[u] = from;
          metMax[u] = to;
        }
        if (proven < interval || everyBound) exact[u] = 1;
        if (proven < interval && wholeValuesIn(metMin[u]!, metMax[u]!) >= interval) metMax[u] = metMin[u]! + proven - 1;
      }
    } finally {
      model.dispose();
    }
  }
}

/** A fixed coin for each unknown and sweep, so that an audit is the same every time. */
function hashBit(u: number, sweep: number): number {
  let h = Math.imul(u + 1, 0x9e3779b1) ^ Math.imul(sweep + 1, 0x85ebca6b);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return (h >>> 13) & 1;
}

function contradiction(): DataError {
  return new DataError(
    "audit/inconsistent",
    "No table of counts agrees with what is published: shown counts contradict each other or the rule that hides cells. " +
      "They were changed, or the threshold, zero policy or codes are not the ones they were made with.",
  );
}
