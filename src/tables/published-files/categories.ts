import { PolicyError } from "../../errors/index.ts";
import { isTotalLetter, looksLikeTotal } from "./cell-text.ts";
import type { DimensionStructure } from "./structure.ts";

/** Category of rows whose label is blank. */
export const BLANK = "(blank)";

/** Place 0 of every dimension. */
export const TOTAL = 0;

/** One way in which a place is the sum of others. */
export interface Split {
  readonly whole: number;
  readonly parts: readonly number[];
}

/** Deeper nesting than any classification has; what walks it may call itself. */
const DEEPEST = 1000;

/** Categories of one dimension over all files: "place" is a number for each, 0 for the total. */
export class Categories {
  readonly name: string;
  readonly labels: string[] = [];
  /** [places] whether a file shows it. */
  readonly seen: boolean[] = [];
  splits: Split[] = [];
  readonly #place = new Map<string, number>();
  readonly #level: (string | undefined)[] = [undefined];
  readonly #structure: DimensionStructure;
  readonly #totals: ReadonlySet<string>;
  /** Whether the structure names this dimension's totals, so that no others are looked for. */
  readonly #totalsNamed: boolean;

  /** @param totals labels of totals as the caller states them for all dimensions, beside those that read like totals */
  constructor(name: string, structure: DimensionStructure, totals: readonly string[]) {
    this.name = name;
    this.#structure = structure;
    this.#totalsNamed = structure.totals !== undefined && structure.totals.length > 0;
    this.#totals = new Set([...(structure.totals ?? []), ...totals].map(folded));
    this.labels.push("Total");
    this.seen.push(false);
  }

  isTotal(label: string): boolean {
    return this.#totals.has(folded(label)) || (!this.#totalsNamed && (looksLikeTotal(label) || (!this.isStated && isTotalLetter(label))));
  }

  /** Place of a label in a file, new or known. @param level keeps equal labels of several levels apart */
  place(label: string, level?: string): number {
    const known = this.#structure.aliases?.[label] ?? label;
    if (level === "total" || (level === undefined && this.isTotal(known))) {
      this.labels[TOTAL] = known;
      this.seen[TOTAL] = true;
      return TOTAL;
    }
    const place = this.#placeOf(known, level);
    this.seen[place] = true;
    return place;
  }

  /**
   * How places add up: as the structure says, and for each list of places that one file shows, that the total is the sum of
   * those that are part of nothing else in it. @param shown [files] places in their order in the file
   * @param nested sums found in the numbers
   */
  bind(shown: readonly (readonly number[])[], nested: readonly Split[]): void {
    const splits: Split[] = [...nested];
    const grouped = new Set<number>();
    for (const [label, parts] of Object.entries(this.#structure.tree ?? {})) {
      const whole = this.isTotal(label) ? TOTAL : this.#placeOf(label);
      splits.push({ whole, parts: parts.map((part) => this.#placeOf(part)) });
    }
    for (const [label, parts] of Object.entries(this.#structure.groups ?? {})) {
      const whole = this.isTotal(label) ? TOTAL : this.#placeOf(label);
      splits.push({ whole, parts: parts.map((part) => this.#placeOf(part)) });
      if (whole !== TOTAL) grouped.add(whole);
    }
    splits.push(...this.#splitsOfPlaces());
    if (!splits.some(({ whole }) => whole === TOTAL)) {
      const stated = splits.slice();
      for (const places of shown) {
        const within = below(places, stated);
        const tops = places.filter((place) => place !== TOTAL && !within.has(place) && !grouped.has(place));
        for (const level of new Set(tops.map((place) => this.#level[place]))) {
          const parts = tops.filter((place) => this.#level[place] === level);
          if (parts.length > 0) splits.push({ whole: TOTAL, parts });
        }
      }
    }
    const names = new Set<string>();
    this.splits = splits.filter(({ whole, parts }) => {
      const name = `${whole}=${[...parts].sort((a, b) => a - b).join()}`;
      if (names.has(name)) return false;
      names.add(name);
      return true;
    });
    refuseCycles(this.name, this.splits);
  }

  /** Whether the structure says how this dimension's categories nest. */
  get isStated(): boolean {
    const { tree, groups, places } = this.#structure;
    return tree !== undefined || groups !== undefined || places !== undefined;
  }

  /** Whether the structure lists missing values as a category, written as a blank. */
  get hasMissing(): boolean {
    return (this.#structure.places ?? []).some(({ label, parent }) => label === null && parent !== -1);
  }

  #splitsOfPlaces(): Split[] {
    const { places = [] } = this.#structure;
    const leveled = this.#level.some((level) => level !== undefined);
    const isPlace = (index: number): boolean => Number.isInteger(index) && index >= 0 && index < places.length;
    if (!places.every(({ parent, parts = [] }) => (parent === -1 || parent === -2 || isPlace(parent)) && parts.every(isPlace))) {
      throw new PolicyError(
        "audit/unknown-place",
        `In the structure of dimension ${JSON.stringify(this.name)} a place is part of one, or made of one, that is not listed. Check its places.`,
        { dimension: this.name },
      );
    }
    const ids = places.map(({ level, label, parent }) => (parent === -1 ? TOTAL : this.#placeOf(label ?? BLANK, leveled ? level : undefined)));
    const parts = new Map<number, number[]>();
    const splits: Split[] = [];
    places.forEach(({ level, label, parts: own }) => {
      if (own === undefined || own.length === 0) return;
      splits.push({ whole: this.#placeOf(label ?? BLANK, leveled ? level : undefined), parts: [...new Set(own)].map((part) => ids[part]!) });
    });
    places.forEach(({ parent }, i) => {
      const whole = parent < 0 ? undefined : ids[parent];
      if (whole === undefined) return;
      const list = parts.get(whole);
      if (list === undefined) parts.set(whole, [ids[i]!]);
      else list.push(ids[i]!);
    });
    return [...splits, ...[...parts].map(([whole, list]) => ({ whole, parts: list }))];
  }

  #placeOf(label: string, level?: string): number {
    const key = level === undefined ? label : `${label}\u0000${level}`;
    let place = this.#place.get(key);
    if (place === undefined) {
      place = this.labels.length;
      this.#place.set(key, place);
      this.labels.push(label);
      this.seen.push(false);
      this.#level.push(level);
      // The structure speaks of labels without levels.
      if (level !== undefined && !this.#place.has(label)) this.#place.set(label, place);
    }
    return place;
  }
}

/** Places that others of a list hold, directly or through unseen ones. */
function below(places: readonly number[], splits: readonly Split[]): Set<number> {
  const held = new Set<number>();
  const splitsOf = byWhole(splits);
  const open = [...places];
  for (let whole = open.pop(); whole !== undefined; whole = open.pop()) {
    if (whole === TOTAL) continue;
    for (const split of splitsOf.get(whole) ?? []) {
      for (const part of split.parts) {
        if (held.has(part)) continue;
        held.add(part);
        open.push(part);
      }
    }
  }
  return held;
}

/** Splits by the place that they divide. */
export function byWhole(splits: readonly Split[]): ReadonlyMap<number, readonly Split[]> {
  const found = new Map<number, Split[]>();
  for (const split of splits) {
    const list = found.get(split.whole);
    if (list === undefined) found.set(split.whole, [split]);
    else list.push(split);
  }
  return found;
}

/** @throws PolicyError `audit/circular-structure`, `audit/deep-structure` */
function refuseCycles(dimension: string, splits: readonly Split[]): void {
  const state = new Map<number, "open" | "done">();
  const splitsOf = byWhole(splits);
  const visit = (place: number, depth: number): void => {
    if (state.get(place) === "done") return;
    if (state.get(place) === "open") {
      throw new PolicyError(
        "audit/circular-structure",
        `In the structure of dimension ${JSON.stringify(dimension)} a category is part of itself. Check its tree and groups.`,
        { dimension },
      );
    }
    if (depth > DEEPEST) {
      throw new PolicyError(
        "audit/deep-structure",
        `In the structure of dimension ${JSON.stringify(dimension)} categories are nested more than ${DEEPEST} deep. Check its tree, groups and places.`,
        { dimension },
      );
    }
    state.set(place, "open");
    for (const { parts } of splitsOf.get(place) ?? []) for (const part of parts) visit(part, depth + 1);
    state.set(place, "done");
  };
  for (const { whole } of splits) visit(whole, 0);
}

function folded(label: string): string {
  return label.trim().toLowerCase();
}
