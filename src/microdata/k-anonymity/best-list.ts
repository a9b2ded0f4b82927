import type { LossMetric } from "../../utility/index.ts";
import type { RolledUp } from "./class-tables.ts";

/** One generalization and what it costs. Plain JSON. */
export interface Generalization {
  /** [keys] */
  readonly levels: readonly number[];
  readonly loss: number;
  /** Records in classes smaller than k. */
  readonly suppressed: number;
  /** Classes that are kept. */
  readonly classes: number;
  /** Records in the smallest kept class; 0 when none is kept. */
  readonly smallestClass: number;
}

interface Entry extends Generalization {
  /** Loss as it is compared. */
  readonly rank: readonly number[];
  /** Loss before rounding. */
  readonly components: readonly number[];
  readonly height: number;
}

const DIGITS = 12;
/** Relative distance beyond which numbers of 12 digits cannot round to the same. */
const ROUNDING = 1e-11;
/** The best generalizations so far, in the order that {@link searchKAnonymity} documents. */
export class BestList {
  readonly #metric: LossMetric;
  readonly #length: number;
  readonly #entries: Entry[] = [];

  constructor(metric: LossMetric, length: number) {
    this.#metric = metric;
    this.#length = length;
  }

  get full(): boolean {
    return this.#entries.length === this.#length;
  }

  offer(node: RolledUp): void {
    const loss = new Float64Array(this.#metric.components);
    this.#metric.score(node, loss);
    const components = Array.from(loss);
    const levels = Array.from(node.levels);
    const entry: Entry = {
      levels,
      loss: this.#metric.value(loss),
      suppressed: node.suppressed,
      classes: node.kept,
      smallestClass: node.smallestClass,
      rank: this.#metric.integer ? components : components.map(rounded),
      components,
      height: levels.reduce((sum, level) => sum + level, 0),
    };
    const entries = this.#entries;
    let at = entries.length;
    while (at > 0 && compareEntries(entry, entries[at - 1]!) < 0) at--;
    if (at > 0 && compareEntries(entry, entries[at - 1]!) === 0) return; // seen before, as an end of another box
    entries.splice(at, 0, entry);
    if (entries.length > this.#length) entries.pop();
  }

  /**
   * Whether nothing with at least this loss, at least so many suppressed records and at least these levels comes before
   * the last entry. Each part bounds its part of the order from below, so the whole bounds the whole.
   */
  excludes(bound: Float64Array, suppressed: number, levels: Uint8Array): boolean {
    const last = this.#entries[this.#length - 1]!;
    for (let i = 0; i < bound.length; i++) {
      const loss = bound[i]!;
      const limit = last.rank[i]!;
      if (this.#metric.integer) {
        if (loss !== limit) return loss > limit;
        continue;
      }
      const least = loss - this.#metric.slack * (1 + Math.abs(loss));
      if (least > limit * (1 + ROUNDING)) return true;
      if (least < limit * (1 - ROUNDING)) return false;
      const rank = rounded(least);
      if (rank !== limit) return rank > limit;
    }
    if (suppressed !== last.suppressed) return suppressed > last.suppressed;
    let height = 0;
    for (let key = 0; key < levels.length; key++) height += levels[key]!;
    if (height !== last.height) return height > last.height;
    for (let key = 0; key < levels.length; key++) {
      if (levels[key] !== last.levels[key]) return levels[key]! > last.levels[key]!;
    }
    return true;
  }

  list(): Generalization[] {
    return this.#entries.map(({ levels, loss, suppressed, classes, smallestClass }) => ({
      levels, loss, suppressed, classes, smallestClass,
    }));
  }
}

function rounded(loss: number): number {
  return Number(loss.toPrecision(DIGITS));
}

function compareEntries(a: Entry, b: Entry): number {
  for (let i = 0; i < a.rank.length; i++) if (a.rank[i] !== b.rank[i]) return a.rank[i]! - b.rank[i]!;
  if (a.suppressed !== b.suppressed) return a.suppressed - b.suppressed;
  if (a.height !== b.height) return a.height - b.height;
  for (let key = 0; key < a.levels.length; key++) {
    if (a.levels[key] !== b.levels[key]) return a.levels[key]! - b.levels[key]!;
  }
  return 0;
}
