import type { Highs, Model } from "highs";
import { breathe } from "./breathe.ts";
import { agrees, type Component } from "./component.ts";
import { ceilDivide } from "./unknowns.ts";

/** The solver's own tolerance is 1e-7; its numbers are compared with this margin. */
export const MARGIN = 1e-6;

const OPTIMAL = 7;
const INFEASIBLE = 8;
const UNBOUNDED = 10;
const INTEGER = 1;
const DUAL = 1;
const PRIMAL = 4;
const ITERATION_LIMIT = 14;
/**
 * Nothing reacts while the solver runs. A linear program is run a part at a time, each of so many steps times unknowns, less
 * than a second; a whole-number program cannot be resumed, so its nodes times unknowns are limited.
 */
const STEPS_AT_A_TIME = 1_500_000;
const MOST_PARTS = 400;
const MOST_STEPS = 2 ** 31 - 1;
const NODES = 160_000;
const MOST_NODES = 20_000;
/** Up to this many unknowns, the first table is looked for in the middle of what is possible. */
const ROOMY_LIMIT = 1500;
/** Multiples of the solver's fractions that are tried as whole numbers. */
const LARGEST_DENOMINATOR = 12;

/** The end of one optimisation over one unknown. */
export interface Extreme {
  /** A whole-number bound on the unknown that holds for certain: verified in exact arithmetic from the solver's multipliers. */
  readonly certain: number;
  /** Multipliers of the rows: the combination that bounds the unknown. */
  readonly multipliers: Float64Array | undefined;
  /** The table at which the end is reached, when it is one of whole numbers. */
  readonly point: Float64Array | undefined;
  /** The same with fractions, to the solver's tolerance. */
  readonly table: ArrayLike<number> | undefined;
}

/** Linear and whole-number programs over one component. Numbers of the solver are hints; what counts is checked exactly. */
export class Programs {
  readonly #highs: Highs;
  readonly #component: Component;
  readonly #signal: AbortSignal | undefined;
  readonly #nodes: number;
  #linear: Model | undefined;
  #whole: Model | undefined;
  #direction: Model | undefined;

  constructor(highs: Highs, component: Component, signal?: AbortSignal) {
    this.#highs = highs;
    this.#component = component;
    this.#signal = signal;
    this.#nodes = Math.min(MOST_NODES, Math.ceil(NODES / component.size));
  }

  dispose(): void {
    this.#linear?.dispose();
    this.#whole?.dispose();
    this.#direction?.dispose();
    this.#linear = this.#whole = this.#direction = undefined;
  }

  /**
   * A table of whole numbers that agrees, with as many unknowns as possible `room` away from their bounds, so that moves find
   * their way. "none": there is not even one of fractions. undefined: not found.
   */
  async findTable(room: number): Promise<Float64Array | "none" | undefined> {
    if (this.#component.size > ROOMY_LIMIT) return this.#findAnyTable();
    const { size, lower, upper, rows } = this.#component;
    // Each unknown is cut in three: the first steps up are worth 1 each, those in the middle nothing, the last ones cost 1.
    const part = new Float64Array(3 * size);
    const cost = new Float64Array(3 * size);
    const base = new Float64Array(size);
    for (let u = 0; u < size; u++) {
      const range = upper[u]! - lower[u]!;
      base[u] = Number.isFinite(lower[u]!) ? lower[u]! : Number.isFinite(upper[u]!) ? upper[u]! : 0;
      const below = Number.isFinite(lower[u]!) ? Math.min(room, Math.floor(range / 2)) : 0;
      const above = Number.isFinite(upper[u]!) && Number.isFinite(lower[u]!) ? Math.min(room, range - below) : 0;
      part[3 * u] = below;
      part[3 * u + 1] = range - below - above;
      part[3 * u + 2] = above;
      cost[3 * u] = 1;
      cost[3 * u + 2] = -1;
    }
    const low = rows.low.slice();
    const high = rows.high.slice();
    const indices = new Int32Array(3 * rows.unknown.length);
    const values = new Float64Array(3 * rows.unknown.length);
    for (let r = 0; r < low.length; r++) {
      for (let k = rows.starts[r]!; k < rows.starts[r + 1]!; k++) {
        const known = rows.times[k]! * base[rows.unknown[k]!]!;
        low[r]! -= known;
        high[r]! -= known;
        for (let piece = 0; piece < 3; piece++) {
          indices[3 * k + piece] = 3 * rows.unknown[k]! + piece;
          values[3 * k + piece] = rows.times[k]!;
        }
      }
    }
    const model = this.#highs.createModel({
      numCols: 3 * size,
      numRows: low.length,
      colCost: cost,
      // An unknown without a lower bound goes down from its base in the middle piece.
      colLower: Float64Array.from(part, (_, k) => (k % 3 === 1 && lower[(k - 1) / 3] === -Infinity ? -Infinity : 0)),
      colUpper: Float64Array.from(part, (most, k) => (k % 3 === 1 && lower[(k - 1) / 3] === -Infinity ? upper[(k - 1) / 3]! - base[(k - 1) / 3]! : most)),
      rowLower: low,
      rowUpper: high,
      matrix: { format: "csr", numRows: low.length, numCols: 3 * size, starts: rows.starts.map((at) => 3 * at), indices, values },
    });
    model.options.set({ output_flag: false });
    model.changeObjectiveSense(this.#highs.constants.objectiveSense.maximize);
    let status: number;
    let solution: ArrayLike<number> | undefined;
    try {
      status = await this.#proceed(model);
      if (status === OPTIMAL) solution = Float64Array.from(model.getSolution().colValue);
    } finally {
      model.dispose();
    }
    if (status === INFEASIBLE) return "none";
    if (solution !== undefined) {
      const value = base.map((from, u) => from + solution[3 * u]! + solution[3 * u + 1]! + solution[3 * u + 2]!);
      const point = this.#wholePoint(value) ?? this.#mend(value);
      if (point !== undefined) return point;
    }
    return this.#searchTable();
  }

  /** The same without regard to room. */
  async #findAnyTable(): Promise<Float64Array | "none" | undefined> {
    const model = this.#linearModel();
    const status = await this.#proceed(model);
    if (status === INFEASIBLE) return "none";
    if (status === OPTIMAL) {
      const value = model.getSolution().colValue;
      const point = this.#wholePoint(value) ?? this.#mend(value);
      if (point !== undefined) return point;
    }
    return this.#searchTable();
  }

  #searchTable(): Float64Array | "none" | undefined {
    const model = this.#wholeModel();
    const end = run(model);
    if (end === INFEASIBLE && this.#component.integer.every((one) => one === 1)) return "none";
    return end === OPTIMAL ? this.#wholePoint(model.getSolution().colValue) : undefined;
  }

  /** Smallest or largest value of an unknown over all tables, fractions allowed. */
  async extreme(u: number, above: boolean): Promise<Extreme> {
    const model = this.#linearModel();
    const { minimize, maximize } = this.#highs.constants.objectiveSense;
    // The table of the last program agrees with this one too, so the search begins there.
    model.options.set({ presolve: "off", simplex_strategy: PRIMAL });
    model.changeColCost(u, 1);
    model.changeObjectiveSense(above ? maximize : minimize);
    const status = await this.#proceed(model);
    const solution = status === OPTIMAL ? model.getSolution() : undefined;
    model.changeColCost(u, 0);
    if (solution === undefined) return { certain: above ? Infinity : -Infinity, multipliers: undefined, point: undefined, table: undefined };
    const multipliers = Float64Array.from(solution.rowDual);
    return { certain: this.#certainBound(u, above, multipliers), multipliers, point: this.#wholePoint(solution.colValue), table: solution.colValue };
  }

  /** Smallest or largest whole value, NaN when the search did not end; with the table where it is met. */
  wholeExtreme(u: number, above: boolean): { readonly value: number; readonly point: Float64Array | undefined } {
    const model = this.#wholeModel();
    const { minimize, maximize } = this.#highs.constants.objectiveSense;
    model.changeColCost(u, 1);
    model.changeObjectiveSense(above ? maximize : minimize);
    const status = run(model);
    const point = status === OPTIMAL ? this.#wholePoint(model.getSolution().colValue) : undefined;
    model.changeColCost(u, 0);
    return { value: point === undefined ? (status === UNBOUNDED ? (above ? Infinity : -Infinity) : NaN) : point[u]!, point };
  }

  /** The same from a linear program, whose fractions are mended nearby: quick, and often enough. */
  tableNear(u: number, value: number): Float64Array | undefined {
    const { lower, upper } = this.#component;
    const model = this.#linearModel();
    model.options.set({ presolve: "off", simplex_strategy: DUAL, simplex_iteration_limit: MOST_STEPS });
    model.changeColBounds(u, value, value);
    const found = run(model) === OPTIMAL ? model.getSolution().colValue : undefined;
    model.changeColBounds(u, lower[u]!, upper[u]!);
    return found === undefined ? undefined : (this.#wholePoint(found) ?? this.#mend(found, u));
  }

  /** A table of whole numbers in which the unknown has this value, if the search finds one. */
  tableWith(u: number, value: number): Float64Array | undefined {
    const { lower, upper } = this.#component;
    const model = this.#wholeModel();
    model.changeColBounds(u, value, value);
    const status = run(model);
    const point = status === OPTIMAL ? this.#wholePoint(model.getSolution().colValue) : undefined;
    model.changeColBounds(u, lower[u]!, upper[u]!);
    return point;
  }

  /**
   * Directions in which a table can be moved by `forward` steps one way and `backward` the other: the solver's numbers for
   * the one that moves most in the sense of `cost`. Undefined when the program does not end.
   */
  direction(point: Float64Array, forward: number, backward: number, cost: Float64Array): Float64Array | undefined {
    const { size, rows, lower, upper } = this.#component;
    const from = new Float64Array(size);
    const to = new Float64Array(size);
    for (let u = 0; u < size; u++) {
      const above = upper[u]! - point[u]!;
      const below = point[u]! - lower[u]!;
      to[u] = Math.min(1, Math.floor(above / forward), backward > 0 ? Math.floor(below / backward) : 1);
      from[u] = -Math.min(1, Math.floor(below / forward), backward > 0 ? Math.floor(above / backward) : 1) + 0;
    }
    const rowLow = new Float64Array(rows.low.length);
    const rowHigh = new Float64Array(rows.low.length);
    for (let r = 0; r < rows.low.length; r++) {
      if (rows.low[r] === rows.high[r]) continue;
      let sum = 0;
      for (let k = rows.starts[r]!; k < rows.starts[r + 1]!; k++) sum += rows.times[k]! * point[rows.unknown[k]!]!;
      const above = rows.high[r]! - sum;
      const below = sum - rows.low[r]!;
      rowHigh[r] = Math.min(above / forward, backward > 0 ? below / backward : Infinity);
      rowLow[r] = -Math.min(below / forward, backward > 0 ? above / backward : Infinity) + 0;
    }
    const model = (this.#direction ??= this.#createModel(from, to, false, rowLow, rowHigh));
    model.options.set({ output_flag: false, presolve: "off", solver: "simplex", simplex_strategy: PRIMAL });
    model.changeColsBounds({ kind: "range", from: 0, to: size - 1 }, from, to);
    model.changeRowsBounds({ kind: "range", from: 0, to: rows.low.length - 1 }, rowLow, rowHigh);
    model.changeColsCost({ kind: "range", from: 0, to: size - 1 }, cost);
    model.changeObjectiveSense(this.#highs.constants.objectiveSense.maximize);
    return run(model) === OPTIMAL ? Float64Array.from(model.getSolution().colValue) : undefined;
  }

  /** A linear program, in parts; each goes on where the one before ended. */
  async #proceed(model: Model): Promise<number> {
    model.options.set("simplex_iteration_limit", Math.max(20, Math.ceil(STEPS_AT_A_TIME / this.#component.size)));
    let status = ITERATION_LIMIT;
    for (let part = 0; part < MOST_PARTS && status === ITERATION_LIMIT; part++) {
      await breathe(this.#signal);
      status = run(model);
    }
    return status;
  }

  #linearModel(): Model {
    if (this.#linear !== undefined) return this.#linear;
    const model = this.#createModel(this.#component.lower, this.#component.upper, false);
    model.options.set({ output_flag: false, presolve: "on", solver: "simplex", simplex_strategy: DUAL });
    return (this.#linear = model);
  }

  #wholeModel(): Model {
    if (this.#whole !== undefined) return this.#whole;
    const model = this.#createModel(this.#component.lower, this.#component.upper, true);
    return (this.#whole = model);
  }

  #createModel(lower: Float64Array, upper: Float64Array, whole: boolean, low?: Float64Array, high?: Float64Array): Model {
    const { size, rows, integer } = this.#component;
    const model = this.#highs.createModel({
      numCols: size,
      numRows: rows.low.length,
      colCost: new Float64Array(size),
      colLower: lower,
      colUpper: upper,
      rowLower: low ?? rows.low,
      rowUpper: high ?? rows.high,
      matrix: { format: "csr", numRows: rows.low.length, numCols: size, starts: rows.starts, indices: rows.unknown, values: rows.times },
      // An amount between whole units is no table that can be checked exactly, so these searches look at whole units only.
      ...(whole ? { integrality: new Int32Array(integer.length).fill(INTEGER) } : {}),
    });
    if (whole) model.options.set({ output_flag: false, mip_max_nodes: this.#nodes, mip_rel_gap: 0, mip_abs_gap: 0.5 });
    return model;
  }

  #wholePoint(value: ArrayLike<number>): Float64Array | undefined {
    const point = new Float64Array(this.#component.size);
    for (let u = 0; u < point.length; u++) {
      point[u] = Math.round(value[u]!) + 0;
      if (Math.abs(point[u]! - value[u]!) > MARGIN * Math.max(1, Math.abs(point[u]!))) return undefined;
    }
    return agrees(this.#component, point) ? point : undefined;
  }

  /** Keep the whole numbers of a solution and search again around its fractions only, further around if need be. */
  #mend(value: ArrayLike<number>, kept = -1): Float64Array | undefined {
    const { size, rows, columns, lower, upper } = this.#component;
    const free = Uint8Array.from({ length: size }, (_, u) => (Math.abs(value[u]! - Math.round(value[u]!)) > MARGIN ? 1 : 0));
    for (let ring = 0; ring < 3; ring++) {
      const before = free.slice();
      for (let u = 0; u < size; u++) {
        if (before[u] === 0) continue;
        for (let j = columns.starts[u]!; j < columns.starts[u + 1]!; j++) {
          const r = columns.row[j]!;
          for (let k = rows.starts[r]!; k < rows.starts[r + 1]!; k++) free[rows.unknown[k]!] = 1;
        }
      }
      const from = lower.map((low, u) => (free[u] === 1 && u !== kept ? low : Math.round(value[u]!)));
      const to = upper.map((high, u) => (free[u] === 1 && u !== kept ? high : Math.round(value[u]!)));
      const model = this.#createModel(from, to, true);
      model.options.set({ mip_max_nodes: 500 });
      const point = run(model) === OPTIMAL ? this.#wholePoint(model.getSolution().colValue) : undefined;
      model.dispose();
      if (point !== undefined) return point;
      if (free.every((one) => one === 1)) break;
    }
    return undefined;
  }

  /**
   * Multipliers of the rows bound an unknown, whatever they are: multipliers * rows is known, and what they leave of each
   * unknown is bounded by its bounds. The solver's are made whole, then everything is exact.
   */
  #certainBound(u: number, above: boolean, multipliers: Float64Array): number {
    const { size, rows, lower, upper, integer } = this.#component;
    const open = above ? Infinity : -Infinity;
    const side = above ? -1 : 1; // a lower bound of side * unknown
    for (let scale = 1; scale <= LARGEST_DENOMINATOR; scale++) {
      const whole = multipliers.map((y) => Math.round(side * y * scale));
      if (!multipliers.every((y, r) => Math.abs(side * y * scale - whole[r]!) < 1e-5)) continue;
      const rest = new Float64Array(size);
      rest[u] = side * scale;
      let bound = 0;
      let sizes = 0;
      for (let r = 0; r < whole.length; r++) {
        const y = whole[r]!;
        if (y === 0) continue;
        add(y * (y > 0 ? rows.low[r]! : rows.high[r]!));
        for (let k = rows.starts[r]!; k < rows.starts[r + 1]!; k++) {
          rest[rows.unknown[k]!]! -= y * rows.times[k]!;
          sizes += Math.abs(y * rows.times[k]!);
        }
      }
      for (let v = 0; v < size; v++) if (rest[v] !== 0) add(rest[v]! * (rest[v]! > 0 ? lower[v]! : upper[v]!));
      if (!(sizes <= Number.MAX_SAFE_INTEGER)) continue; // open, or no longer exact
      function add(term: number): void {
        bound += term;
        sizes += Math.abs(term);
      }
      // scale * side * unknown >= bound.
      const least = integer[u] === 1 ? ceilDivide(bound, scale) : Math.floor(bound / scale);
      return side * least + 0;
    }
    return open;
  }
}

/** A whole-number program, or a linear one that is short. */
function run(model: Model): number {
  model.run();
  return model.getModelStatus();
}
