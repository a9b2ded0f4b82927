/**
 * What an attacker holds, as numbers: cells, what is printed of them, and how they add up. Every structure that can be
 * published (hierarchies, linked tables, groupings, percentages, earlier releases) ends up in this one form.
 *
 * All numbers are whole. Counts are; amounts come in the unit of their last printed digit (12.5 printed with one decimal is
 * 125 tenths), so that every proof is exact integer arithmetic. Numbers stay within +-2^53.
 */
export interface LinearAttack {
  readonly cells: number;
  /** [cells] what is printed; NaN where the cell is blank, or never published at all. */
  readonly value: Float64Array;
  /** [cells] what everybody knows of a blank cell before any addition; -Infinity and Infinity are allowed. Ignored where shown. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** [cells] 1 where the cell is a whole number of units (a count), 0 where fractions are possible (an amount). Absent: all counts. */
  readonly integer?: Uint8Array | undefined;
  readonly constraints: LinearConstraints;
  readonly need: ProtectionNeed;
}

/** Sparse rows `low <= sum of times * cell <= high`; an addition has low = high. Cells of a row may repeat. */
export interface LinearConstraints {
  /** [rows + 1] */
  readonly starts: ArrayLike<number>;
  /** [entries] cell. */
  readonly cell: ArrayLike<number>;
  /** [entries] whole number other than 0. */
  readonly times: ArrayLike<number>;
  /** [rows] whole, or -Infinity / Infinity for a side that is open. */
  readonly low: ArrayLike<number>;
  readonly high: ArrayLike<number>;
}

/** What must stay unknown of each blank cell. Cells that appear in no array need no protection. */
export interface ProtectionNeed {
  /** [cells] whole values that must remain possible, at least 2; 0 or 1 where nothing is asked. For counts. */
  readonly values?: ArrayLike<number> | undefined;
  /** [cells] a count certain to be at least this is no small count and needs no protection; absent: no such exception. */
  readonly harmlessFrom?: ArrayLike<number> | undefined;
  /** For amounts, from the agency's side, which knows the true values: each level 0 or more, NaN truth where nothing is asked. */
  readonly levels?: ProtectionLevels | undefined;
}

/** The feasible interval must contain [truth - below, truth + above] and be at least `width` wide. */
export interface ProtectionLevels {
  /** [cells] */
  readonly truth: Float64Array;
  readonly below: ArrayLike<number>;
  readonly above: ArrayLike<number>;
  /** Sliding level. */
  readonly width: ArrayLike<number>;
}

/** An amount somebody knows besides what is printed: own contributions to a cell. */
export interface KnownAmount {
  readonly cell: number;
  readonly atLeast: number;
  readonly atMost?: number;
}

export interface LinearAuditOptions {
  /**
   * "safety" (default): stop at each cell once enough is proven; bounds are then values that were met, and the real interval
   * may be wider. "bounds": exact bounds of every blank cell.
   */
  readonly detail?: "safety" | "bounds" | undefined;
  /** [cells] one table that agrees with everything, such as the true one. It spares a search and is checked; it decides nothing. */
  readonly witness?: Float64Array | undefined;
  /** What this attacker knows besides. */
  readonly known?: readonly KnownAmount[] | undefined;
  /**
   * Also attack from within each cell of `singletons`, one at a time. The cell itself, and cells that move with it, need no
   * protection from whoever is in it.
   * "each-contributor": as the only contributor, who knows the cell: its value in the witness, or 1 where that is possible.
   * "each-member": as one of those counted, who knows that the cell is at least 1.
   */
  readonly insiders?: "none" | "each-contributor" | "each-member" | undefined;
  readonly singletons?: readonly number[] | undefined;
  /** Further sums to bound, such as blank siblings together; each a list of cells. */
  readonly sums?: readonly (readonly number[])[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Verdict on a cell. */
export const NOT_ASKED = 0;
export const SAFE = 1;
export const UNSAFE = 2;
/** Neither shown safe nor shown to fall: counts as unsafe. */
export const UNPROVEN = 3;
export type Verdict = typeof NOT_ASKED | typeof SAFE | typeof UNSAFE | typeof UNPROVEN;

/** Why a cell falls. */
export interface FallenCell {
  readonly cell: number;
  readonly verdict: typeof UNSAFE | typeof UNPROVEN;
  readonly min: number;
  readonly max: number;
  /** Exactly one value is possible. */
  readonly derivable: boolean;
  /** A combination of blank cells whose value or bound follows from what is published and bounds this cell; absent when unknown. */
  readonly binding?: ReadonlyMap<number, number> | undefined;
  /** The singleton whose contributor finds it, when it takes an insider. */
  readonly insider?: number | undefined;
}

export interface LinearAuditResult {
  readonly safe: boolean;
  /** Blank cells, and linearly connected groups of them that are left when all that follows directly is taken out. */
  readonly blanks: number;
  readonly components: number;
  /** [cells] bounds of blank cells, the value of shown ones; NaN where nothing could be proven. */
  readonly min: Float64Array;
  readonly max: Float64Array;
  /** [cells] 1 where both bounds are the exact ones. */
  readonly exact: Uint8Array;
  readonly verdict: Uint8Array;
  readonly fallen: readonly FallenCell[];
  /** Bounds of `sums`, in their order; NaN where unproven. */
  readonly sums: readonly { readonly min: number; readonly max: number }[];
  /** How cells were settled: by bounds that follow at once, by exact moves between tables that agree, by linear programs. */
  readonly settledBy: { readonly propagation: number; readonly moves: number; readonly programs: number };
}

/** Collects constraints row by row. */
export class ConstraintBuilder {
  readonly #starts: number[] = [0];
  readonly #cell: number[] = [];
  readonly #times: number[] = [];
  readonly #low: number[] = [];
  readonly #high: number[] = [];

  /** low <= sum of times * cell <= high. */
  add(terms: Iterable<readonly [cell: number, times: number]>, low: number, high: number = low): void {
    for (const [cell, times] of terms) {
      if (times === 0) continue;
      this.#cell.push(cell);
      this.#times.push(times);
    }
    this.#starts.push(this.#cell.length);
    this.#low.push(low);
    this.#high.push(high);
  }

  get rows(): number {
    return this.#low.length;
  }

  build(): LinearConstraints {
    return {
      starts: Int32Array.from(this.#starts),
      cell: Int32Array.from(this.#cell),
      times: Float64Array.from(this.#times),
      low: Float64Array.from(this.#low),
      high: Float64Array.from(this.#high),
    };
  }
}
