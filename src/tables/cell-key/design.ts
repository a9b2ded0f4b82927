import { PolicyError } from "../../errors/index.ts";
import { maximumEntropy, type MeanCondition } from "./maximum-entropy.ts";
import { pTableRow, rowStatistics, type PTable, type PTableRow, type RowStatistics } from "./p-table.ts";

export interface PTableDesign {
  /** D: largest change up or down, a whole number, 1 .. LARGEST_CHANGE. */
  readonly maxPerturbation: number;
  /** V: variance of the change. */
  readonly variance: number;
  /** Smallest count above 0 that may be published; 3 hides 1 and 2 (js = 2 in other tools). Default 1. */
  readonly smallestShown?: number | undefined;
  /** Least probability that a count stays as it is: one number, or one for each row from count 1 on. Default 0. */
  readonly stay?: number | readonly number[] | undefined;
  /** Whether changes downward get less likely the larger they are: for all rows, or one for each row from count 1 on. Default false. */
  readonly monotone?: boolean | readonly boolean[] | undefined;
  /** "exact": every row has variance V. "atMost": rows may have less where that has larger entropy. Default exact. */
  readonly varianceRule?: "exact" | "atMost" | undefined;
  /** Least probability of every change that is allowed at all. Default 0. */
  readonly smallestShare?: number | undefined;
  /** What to do about rows where no probabilities meet all of this: refuse, or take the nearest variance. Default refuse. */
  readonly impossibleRows?: "refuse" | "nearest" | undefined;
}

export interface DesignedRow extends RowStatistics {
  /** Smallest and largest variance that the row can have under the other conditions; NaN when it cannot have any. */
  readonly variances: readonly [number, number];
  /** Whether the row has the variance asked for. */
  readonly asAsked: boolean;
}

export interface DesignedPTable {
  readonly table: PTable;
  /** One for each row of the table. */
  readonly rows: readonly DesignedRow[];
}

export const LARGEST_CHANGE = 30;
/** Variances this near to the edge of what is possible are on the edge. */
const EDGE = 1e-9;

/**
 * Design a perturbation table: for each count the probabilities of largest entropy among those with mean 0, the variance
 * asked for, no change beyond D, no negative output and none from 1 up to below `smallestShown`. Zero stays zero.
 *
 * Source: Giessing (2016), Privacy in Statistical Databases, LNCS 9867, 237-251; Marley and Leaver (2011). Without `stay` and
 * `monotone` a row has the closed form exp(a v + b v^2); with them, see maximumEntropy. `monotone` orders the changes from the
 * largest one down to no change, as the ptable package does; upward they fall by themselves.
 *
 * @throws PolicyError `cell-key/bad-design` for options out of range, `cell-key/impossible-row` when a row cannot be made
 * Time O(rows x outcomes^2 x rounds); with `stay` also O(rows x outcomes^3).
 */
export function designPTable(design: PTableDesign): DesignedPTable {
  const { maxPerturbation: D, variance: V } = design;
  const js = (design.smallestShown ?? 1) - 1;
  const floor = design.smallestShare ?? 0;
  if (!Number.isInteger(D) || D < 1 || D > LARGEST_CHANGE) throw badDesign(`maxPerturbation must be a whole number from 1 to ${LARGEST_CHANGE}`);
  if (!(V > 0 && V <= D * D)) throw badDesign(`variance must be above 0 and at most ${D * D}, the square of maxPerturbation`);
  if (!Number.isInteger(js) || js < 0 || js >= D) {
    throw badDesign(`smallestShown must be a whole number from 1 to ${D}: that count could only be raised, because 0 is out of reach`);
  }
  if (!(floor >= 0 && floor < 0.01)) throw badDesign("smallestShare must be a probability from 0 to below 0.01");
  // The first count whose changes all lead above the hidden ones; its row is symmetric and serves all larger counts.
  const last = js === 0 ? D : D + js + 1;
  const stayOf = perRow(design.stay ?? 0, last, "stay");
  const monotoneOf = perRow(design.monotone ?? false, last, "monotone");
  if (stayOf.some((stay) => !(stay >= 0 && stay < 1))) throw badDesign("stay must be a probability from 0 to below 1");

  const rows: PTableRow[] = [pTableRow(0, [0], [1])];
  const reports: DesignedRow[] = [{ ...rowStatistics(0, new Map([[0, 1]])), variances: [0, 0], asAsked: true }];
  const impossible: number[] = [];
  for (let count = 1; count <= last; count++) {
    const noises: number[] = [];
    for (let v = -Math.min(D, count); v <= D; v++) if (count + v === 0 || count + v > js) noises.push(v);
    const row = new RowProblem(noises, stayOf[count - 1]!, monotoneOf[count - 1]!, floor);
    const range = row.variances();
    const isPossible = range !== undefined && V >= range[0] - EDGE && (V <= range[1] + EDGE || design.varianceRule === "atMost");
    if (!isPossible) impossible.push(count);
    if (range === undefined || (!isPossible && design.impossibleRows !== "nearest")) continue;
    const shares = row.solve(Math.min(Math.max(V, range[0]), range[1]), range, design.varianceRule ?? "exact");
    const made = pTableRow(count, noises, shares);
    rows.push(made);
    const statistics = rowStatistics(count, new Map(noises.map((noise, k) => [noise, shares[k]!])));
    reports.push({ ...statistics, variances: range, asAsked: Math.abs(statistics.variance - V) < EDGE });
  }
  if (rows.length <= last) {
    throw new PolicyError(
      "cell-key/impossible-row",
      `No probabilities meet the design for counts of ${impossible.join(", ")}: mean 0, variance ${V}, changes up to ${D}, ` +
        `smallest number shown ${js + 1}. Change the variance, or lower stay, or accept the nearest variance (impossibleRows: nearest).`,
      { counts: impossible, variance: V, maxPerturbation: D, smallestShown: js + 1 },
    );
  }
  return { table: { rows }, rows: reports };
}

function badDesign(rule: string): PolicyError {
  return new PolicyError("cell-key/bad-design", `The design of the perturbation table cannot be used: ${rule}.`);
}

function perRow<T>(option: T | readonly T[], rows: number, name: string): readonly T[] {
  if (!Array.isArray(option)) return Array.from({ length: rows }, () => option as T);
  if (option.length !== rows) throw badDesign(`${name} lists ${option.length} values; this design has ${rows} rows from count 1 on`);
  return option as readonly T[];
}

/** The probabilities of one row: what they may be and which have the largest entropy. */
class RowProblem {
  readonly #noises: readonly number[];
  /** Place of "no change", -1 when that is not allowed. */
  readonly #none: number;
  readonly #stay: number;
  readonly #isMonotone: boolean;
  readonly #floor: number;

  constructor(noises: readonly number[], stay: number, isMonotone: boolean, floor: number) {
    this.#noises = noises;
    this.#none = noises.indexOf(0);
    this.#stay = this.#none < 0 ? 0 : Math.max(0, stay - floor);
    this.#isMonotone = isMonotone && this.#none > 0;
    this.#floor = floor;
  }

  /**
   * The probabilities less the floor are mixtures of atoms: single noises, or, where they must rise toward no change, equal
   * shares over all noises from one on up to no change. On mixtures every condition is linear, so extremes mix at most three.
   */
  #atoms(): { mean: number; square: number; none: number; spread: readonly number[] }[] {
    return this.#noises.map((_, k) => {
      const to = this.#isMonotone && k <= this.#none ? this.#none : k;
      const spread = this.#noises.map((_, j) => (j >= k && j <= to ? 1 / (to - k + 1) : 0));
      const over = (f: (v: number) => number) => spread.reduce((sum, share, j) => sum + share * f(this.#noises[j]!), 0);
      return { mean: over((v) => v), square: over((v) => v * v), none: this.#none < 0 ? 0 : spread[this.#none]!, spread };
    });
  }

  /** Extreme mixtures: the one of least and the one of most variance; undefined when the conditions cannot be met. */
  #extremes(): readonly [Extreme, Extreme] | undefined {
    const atoms = this.#atoms();
    const floorSum = (f: (v: number) => number) => this.#floor * this.#noises.reduce((sum, v) => sum + f(v), 0);
    const mass = 1 - this.#floor * this.#noises.length;
    const mean = -floorSum((v) => v);
    const found: Extreme[] = [];
    const consider = (weights: readonly (readonly [number, number])[]) => {
      if (weights.some(([, weight]) => weight < -1e-12)) return;
      if (weights.reduce((sum, [k, weight]) => sum + weight * atoms[k]!.none, 0) < this.#stay - 1e-12) return;
      const shares = this.#noises.map((_, j) => this.#floor + weights.reduce((sum, [k, weight]) => sum + Math.max(0, weight) * atoms[k]!.spread[j]!, 0));
      found.push({ shares, variance: shares.reduce((sum, share, j) => sum + share * this.#noises[j]! ** 2, 0) });
    };
    for (let a = 0; a < atoms.length; a++) {
      if (Math.abs(atoms[a]!.mean * mass - mean) < 1e-12) consider([[a, mass]]);
      for (let b = 0; b < a; b++) {
        const gap = atoms[a]!.mean - atoms[b]!.mean;
        if (Math.abs(gap) > 1e-12) {
          const weight = (mean - mass * atoms[b]!.mean) / gap;
          consider([[a, weight], [b, mass - weight]]);
        }
        if (this.#stay === 0) continue;
        for (let c = 0; c < b; c++) {
          // Mass, mean and exactly the least share of no change.
          const [p, q, r] = [atoms[a]!, atoms[b]!, atoms[c]!];
          const m1 = p.mean - r.mean;
          const m2 = q.mean - r.mean;
          const n1 = p.none - r.none;
          const n2 = q.none - r.none;
          const determinant = m1 * n2 - m2 * n1;
          if (Math.abs(determinant) < 1e-12) continue;
          const toMean = mean - mass * r.mean;
          const toStay = this.#stay - mass * r.none;
          const first = (toMean * n2 - m2 * toStay) / determinant;
          const second = (m1 * toStay - toMean * n1) / determinant;
          consider([[a, first], [b, second], [c, mass - first - second]]);
        }
      }
    }
    if (found.length === 0) return undefined;
    return found.reduce<[Extreme, Extreme]>(
      ([least, most], own) => [own.variance < least.variance ? own : least, own.variance > most.variance ? own : most],
      [found[0]!, found[0]!],
    );
  }

  variances(): readonly [number, number] | undefined {
    const extremes = this.#extremes();
    return extremes === undefined ? undefined : [extremes[0].variance, extremes[1].variance];
  }

  /** @param V within `range`, which is what `variances` gave */
  solve(V: number, range: readonly [number, number], rule: "exact" | "atMost"): ArrayLike<number> {
    // On the edge there is one choice only, with probabilities of 0 that the closed form reaches in the limit.
    if (V - range[0] < EDGE) return this.#extremes()![0].shares;
    if (range[1] - V < EDGE && rule === "exact") return this.#extremes()![1].shares;
    const noises = this.#noises;
    const feature = (f: (v: number, k: number) => number) => Float64Array.from(noises, f);
    const squares = feature((v) => v * v);
    const conditions: MeanCondition[] = [
      { feature: feature((v) => v), mean: 0, holds: "equal" },
      rule === "exact" ? { feature: squares, mean: V, holds: "equal" } : { feature: squares.map((x) => -x), mean: -V, holds: "atLeast" },
    ];
    for (let k = 0; k < noises.length; k++) {
      const least = this.#floor + (k === this.#none ? this.#stay : 0);
      if (least > 0) conditions.push({ feature: feature((_, j) => (j === k ? 1 : 0)), mean: least, holds: "atLeast" });
    }
    for (let k = 0; this.#isMonotone && k < this.#none; k++) {
      conditions.push({ feature: feature((_, j) => (j === k ? -1 : j === k + 1 ? 1 : 0)), mean: 0, holds: "atLeast" });
    }
    return maximumEntropy(noises.length, conditions);
  }
}

interface Extreme {
  readonly shares: readonly number[];
  readonly variance: number;
}
