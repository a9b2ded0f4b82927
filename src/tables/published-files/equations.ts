import { DisclosureError } from "../../errors/index.ts";
import { byWhole, TOTAL, type Split } from "./categories.ts";
import { keyOf, type PublishedCell, type PublishedCells } from "./published-cells.ts";

/** low <= sum of times x cell <= high, in units; every cell with its number or blank. */
export interface Equation {
  readonly kind: "sum" | "ratio" | "within";
  readonly cells: readonly number[];
  readonly times: readonly number[];
  readonly low: number;
  readonly high: number;
  /** Of a ratio: which one. */
  readonly ratio?: number;
}

export interface EquationSystem {
  /** Cells of the files first, then cells that nobody published but that tie tables together. */
  readonly cells: readonly PublishedCell[];
  readonly equations: readonly Equation[];
  /** Cells that files leave out of a list of their kind, and that were taken for hidden. */
  readonly omitted: ReadonlySet<number>;
  /** Combinations without a row that were taken for empty. */
  readonly empty: number;
}

/** What a combination of listed categories is that has no row. "as-stated": empty where its files say so, else unknown. */
export type MissingRows = "empty" | "unknown" | "as-stated";

/** Cells beyond the published ones that the audit will introduce; more is not proven safe. */
const MOST_UNPUBLISHED = 500_000;
/** Rows left out that are each taken for a hidden number. */
const MOST_MISSING = 20_000;

/**
 * Write down everything that adds up: each cell is the sum of its parts along each dimension, over all files at once. Cells that
 * nobody published but that two files imply (a county's total over sexes in one and over ages in the other) are put in, and
 * taken out again where a sum of published cells says the same.
 *
 * @throws DisclosureError `audit/too-large`, `audit/too-many-missing`
 */
export function buildEquations(
  published: PublishedCells, missing: MissingRows, within: readonly (readonly [part: number, whole: number])[],
): EquationSystem {
  return new EquationBuilder(published, missing, within).build();
}

class EquationBuilder {
  readonly #published: PublishedCells;
  readonly #missing: MissingRows;
  readonly #within: readonly (readonly [part: number, whole: number])[];
  readonly #cells: PublishedCell[];
  readonly #index = new Map<string, number>();
  /** [dimensions][places] splits of the place, and those it is a part of. */
  readonly #down: (readonly Split[])[][];
  readonly #up: (readonly Split[])[][];
  readonly #filed: number;
  /** [dimensions][places] steps from the total, the longest way. */
  readonly #depth: readonly (readonly number[])[];
  /** Kinds of cells that some file lists, by measure and depth in each dimension: whether rows left out are empty. */
  readonly #listed = new Map<string, boolean>();
  readonly #omitted = new Set<number>();
  #empty = 0;

  constructor(published: PublishedCells, missing: MissingRows, within: readonly (readonly [part: number, whole: number])[]) {
    this.#published = published;
    this.#missing = missing;
    this.#within = within;
    this.#cells = [...published.cells];
    this.#filed = this.#cells.length;
    this.#down = published.dimensions.map(({ splits, labels }) => {
      const splitsOf = byWhole(splits);
      return labels.map((_, place) => splitsOf.get(place) ?? []);
    });
    this.#up = published.dimensions.map(({ splits, labels }) => {
      const holders = labels.map((): Split[] => []);
      for (const split of splits) for (const part of new Set(split.parts)) holders[part]!.push(split);
      return holders;
    });
    this.#depth = this.#depths();
    const complete = new Set(published.files.flatMap(({ name, missingRows }) => (missingRows === "empty" ? [name] : [])));
    this.#cells.forEach((cell, id) => {
      this.#index.set(keyOf(cell.measure, cell.places), id);
      if (cell.at.length === 0) return;
      const kind = this.#kindOf(cell);
      const stated = missing === "empty" || (missing === "as-stated" && cell.at.every(({ table }) => complete.has(table)));
      this.#listed.set(kind, stated && this.#listed.get(kind) !== false);
    });
  }

  build(): EquationSystem {
    for (let measure = 0; measure < this.#published.measures.length; measure++) this.#addCommonBreakdown(measure);
    this.#addWholes(0);
    const before = this.#cells.length;
    this.#addUnseenParts();
    this.#addWholes(before);
    const sums = this.#sums();
    const others = [...this.#ratioEquations(), ...this.#withinEquations()];
    return {
      cells: this.#cells,
      equations: [...this.#withoutUnpublishedWholes(sums, new Set(others.flatMap(({ cells }) => cells))), ...others],
      omitted: this.#omitted,
      empty: this.#empty,
    };
  }

  #kindOf({ measure, places }: { readonly measure: number; readonly places: readonly number[] }): string {
    return `${measure}:${places.map((place, d) => this.#depth[d]![place]!).join()}`;
  }

  #cell(measure: number, places: readonly number[]): number {
    const key = keyOf(measure, places);
    const known = this.#index.get(key);
    if (known !== undefined) return known;
    if (this.#cells.length - this.#filed >= MOST_UNPUBLISHED) {
      throw tooLarge();
    }
    const id = this.#cells.push({
      measure, places, value: NaN, lower: 0, upper: Infinity, reason: "unknown", at: [], shownAt: undefined, blankAt: [],
    }) - 1;
    this.#index.set(key, id);
    return id;
  }

  /**
   * Three tables that share dimensions in a circle (county by sex, sex by age, age by county) say more together than their common
   * totals do: there must be one table of all three dimensions behind them. Its cells are put in where tables cannot be joined one
   * by one; where they can, any numbers that agree on common totals belong to some joint table.
   */
  #addCommonBreakdown(measure: number): void {
    const { dimensions, files, shown } = this.#published;
    const depth = this.#depth;
    const edges = files.flatMap((file, f): { dims: readonly number[]; attributes: ReadonlySet<string> }[] => {
      if (!this.#cells.some((cell) => cell.measure === measure && cell.at.some(({ table }) => table === file.name))) return [];
      const attributes = new Set<string>();
      for (const d of file.dimensions) {
        const most = Math.max(...shown[d]!.flat().filter((place) => this.#shows(f, d, place)).map((place) => depth[d]![place]!), 0);
        for (let level = 1; level <= most; level++) attributes.add(`${d}@${level}`);
      }
      return [{ dims: file.dimensions.filter((d) => attributes.has(`${d}@1`)), attributes }];
    });
    if (canBeJoined(edges.map(({ attributes }) => attributes))) return;
    const wanted = [...new Set(edges.flatMap(({ dims }) => dims))];
    let partial: number[][] = [dimensions.map(() => TOTAL)];
    const done = new Set<number>();
    for (const d of wanted) {
      done.add(d);
      const leaves = dimensions[d]!.labels.map((_, place) => place).filter((place) => place !== TOTAL && this.#down[d]![place]!.length === 0);
      const complete = edges.filter(({ dims }) => dims.includes(d) && dims.every((dim) => done.has(dim)));
      const next: number[][] = [];
      for (const head of partial) {
        for (const leaf of leaves) {
          const places = replaced(head, d, leaf);
          if (complete.every(({ dims }) => this.#mayHold(measure, places, dims))) next.push(places);
        }
        if (next.length > MOST_UNPUBLISHED) throw tooLarge();
      }
      partial = next;
    }
    for (const places of partial) this.#cell(measure, places);
  }

  #depths(): number[][] {
    return this.#published.dimensions.map(({ labels }, d) => {
      const memo: number[] = [0];
      const depthOf = (place: number): number => (memo[place] ??= 1 + Math.max(0, ...this.#up[d]![place]!.map(({ whole }) => depthOf(whole))));
      return labels.map((_, place) => depthOf(place));
    });
  }

  #shows(file: number, dimension: number, place: number): boolean {
    const { name } = this.#published.files[file]!;
    return this.#placesOfFile(name, dimension).has(place);
  }

  readonly #placesSeen = new Map<string, Set<number>>();

  #placesOfFile(name: string, dimension: number): ReadonlySet<number> {
    const key = `${dimension}:${name}`;
    let places = this.#placesSeen.get(key);
    if (places === undefined) {
      places = new Set();
      for (const cell of this.#published.cells) if (cell.at.some(({ table }) => table === name)) places.add(cell.places[dimension]!);
      this.#placesSeen.set(key, places);
    }
    return places;
  }

  /** Whether the cell of a table over some dimensions, or a coarser one of it, is anything but empty. */
  #mayHold(measure: number, places: readonly number[], dims: readonly number[]): boolean {
    let tried = [places.map((place, d) => (dims.includes(d) ? place : TOTAL))];
    while (tried.length > 0) {
      for (const at of tried) {
        const found = this.#index.get(keyOf(measure, at));
        if (found !== undefined) return this.#cells[found]!.value !== 0;
      }
      tried = tried.flatMap((at) => dims.flatMap((d) => this.#up[d]![at[d]!]!.filter(({ whole }) => whole !== TOTAL).map(({ whole }) => replaced(at, d, whole))));
    }
    return this.#missing !== "empty";
  }

  /** Everything that holds a known cell. */
  #addWholes(from: number): void {
    for (let id = from; id < this.#cells.length; id++) {
      const { measure, places } = this.#cells[id]!;
      places.forEach((place, d) => {
        for (const { whole } of this.#up[d]![place]!) this.#cell(measure, replaced(places, d, whole));
      });
    }
  }

  /** Parts that no file has, but that groups of two files share: the blocks of which two vintages of districts are made. */
  #addUnseenParts(): void {
    const { dimensions } = this.#published;
    const shared = dimensions.map((dimension, d) => dimension.labels.map((_, place) => !dimension.seen[place] && place !== TOTAL && this.#up[d]![place]!.length > 1));
    const leads = dimensions.map((_, d) => {
      const memo = new Map<number, boolean>();
      const reach = (place: number): boolean => {
        const known = memo.get(place);
        if (known !== undefined) return known;
        const yes = this.#down[d]![place]!.some(({ parts }) => parts.some((part) => shared[d]![part] === true || reach(part)));
        memo.set(place, yes);
        return yes;
      };
      return reach;
    });
    if (!shared.some((places) => places.includes(true))) return;
    for (let id = 0; id < this.#cells.length; id++) {
      const { measure, places } = this.#cells[id]!;
      places.forEach((place, d) => {
        if (place === TOTAL && !dimensions[d]!.seen[TOTAL]) return;
        if (!leads[d]!(place)) return;
        for (const { parts } of this.#down[d]![place]!) for (const part of parts) this.#cell(measure, replaced(places, d, part));
      });
    }
  }

  #sums(): Equation[] {
    const equations: Equation[] = [];
    const { dimensions } = this.#published;
    for (let id = 0; id < this.#cells.length; id++) {
      const { measure, places } = this.#cells[id]!;
      places.forEach((place, d) => {
        for (const { parts } of this.#down[d]![place]!) {
          const present: number[] = [];
          const absent: number[] = [];
          for (const part of parts) {
            const found = this.#index.get(keyOf(measure, replaced(places, d, part)));
            if (found === undefined) absent.push(part);
            else present.push(found);
          }
          if (present.length === 0) continue;
          for (const part of absent) {
            const at = replaced(places, d, part);
            const empty = dimensions[d]!.seen[part] === true ? this.#listed.get(this.#kindOf({ measure, places: at })) : undefined;
            if (empty === true) {
              this.#empty++;
              continue;
            }
            const cell = this.#cell(measure, at);
            present.push(cell);
            if (empty === undefined) continue;
            this.#omitted.add(cell);
            if (this.#omitted.size > MOST_MISSING) throw tooManyMissing();
          }
          equations.push({ kind: "sum", cells: [...present, id], times: [...present.map(() => 1), -1], low: 0, high: 0 });
        }
      });
    }
    return equations;
  }

  /** |scale x numerator / denominator - printed| is at most half of the last printed digit. */
  #ratioEquations(): Equation[] {
    const { ratios, measures } = this.#published;
    return ratios.flatMap(({ numerator, denominator, printed, decimals, scale }, ratio): Equation[] => {
      const digits = 2 * 10 ** decimals;
      // Bring numerator and denominator to one unit.
      const n = 10 ** measures[this.#cells[denominator]!.measure]!.decimals;
      const m = 10 ** measures[this.#cells[numerator]!.measure]!.decimals;
      const top = digits * scale * n;
      const equation = (bottom: number, low: number, high: number): Equation =>
        numerator === denominator
          ? { kind: "ratio", cells: [numerator], times: [top - bottom], low, high, ratio }
          : { kind: "ratio", cells: [numerator, denominator], times: [top, -bottom], low, high, ratio };
      return [equation((2 * printed + 1) * m, -Infinity, 0), equation((2 * printed - 1) * m, 0, Infinity)];
    });
  }

  #withinEquations(): Equation[] {
    const { measures } = this.#published;
    return this.#within.flatMap(([part, whole]) => {
      const a = 10 ** measures[whole]!.decimals;
      const b = 10 ** measures[part]!.decimals;
      return this.#cells.flatMap((cell, id): Equation[] => {
        if (cell.measure !== part) return [];
        const other = this.#index.get(keyOf(whole, cell.places));
        return other === undefined ? [] : [{ kind: "within", cells: [id, other], times: [a, -b], low: -Infinity, high: 0 }];
      });
    });
  }

  /**
   * A whole that nobody published is not negative because its parts are not, so one of its sums can stand for it elsewhere.
   * What is left says something about published cells, or about parts that nobody published.
   */
  #withoutUnpublishedWholes(sums: readonly Equation[], needed: ReadonlySet<number>): Equation[] {
    // Measures that may be negative keep all.
    const open = new Map<number, Equation[]>();
    for (const equation of sums) {
      const whole = equation.cells.at(-1)!;
      const cell = this.#cells[whole]!;
      if (cell.at.length > 0 || needed.has(whole)) continue;
      const list = open.get(whole);
      if (list === undefined) open.set(whole, [equation]);
      else list.push(equation);
    }
    const standIn = new Map<number, Equation>();
    for (const [whole, list] of open) standIn.set(whole, list.reduce((best, next) => (next.cells.length < best.cells.length ? next : best)));
    const used = new Set(standIn.values());
    const expanded = new Map<number, Map<number, number>>();
    const expand = (id: number): ReadonlyMap<number, number> => {
      const known = expanded.get(id);
      if (known !== undefined) return known;
      const terms = new Map<number, number>();
      expanded.set(id, terms);
      const { cells } = standIn.get(id)!;
      for (let k = 0; k + 1 < cells.length; k++) addTerms(terms, cells[k]!, 1, standIn, expand);
      return terms;
    };
    const seen = new Set<string>();
    const kept: Equation[] = [];
    for (const equation of sums) {
      if (used.has(equation)) continue;
      const terms = new Map<number, number>();
      equation.cells.forEach((cell, k) => addTerms(terms, cell, equation.times[k]!, standIn, expand));
      const present = [...terms].filter(([, times]) => times !== 0);
      if (present.length === 0) continue;
      const name = [...present].sort((a, b) => a[0] - b[0]).map((term) => term.join("*")).join();
      if (seen.has(name)) continue;
      seen.add(name);
      kept.push({ ...equation, cells: present.map(([cell]) => cell), times: present.map(([, times]) => times) });
    }
    return kept;
  }
}

/** Whether sets of attributes can be joined one by one (their hypergraph is acyclic). Source: Graham (1979), Yu and Ozsoyoglu (1979). */
function canBeJoined(sets: readonly ReadonlySet<string>[]): boolean {
  let left = sets.map((set) => new Set(set));
  for (;;) {
    const before = left.length + left.reduce((n, set) => n + set.size, 0);
    for (const set of left) {
      for (const attribute of set) if (left.filter((other) => other.has(attribute)).length === 1) set.delete(attribute);
    }
    left = left.filter((set, i) => !left.some((other, j) => i !== j && [...set].every((attribute) => other.has(attribute)) && (set.size < other.size || i > j)));
    if (left.length <= 1) return true;
    if (left.length + left.reduce((n, set) => n + set.size, 0) === before) return false;
  }
}

function tooLarge(): DisclosureError {
  return new DisclosureError(
    "audit/too-large",
    `The tables imply more than ${MOST_UNPUBLISHED} numbers that none of them publishes. Audit fewer or coarser tables together.`,
    { limit: MOST_UNPUBLISHED },
  );
}

function tooManyMissing(): DisclosureError {
  return new DisclosureError(
    "audit/too-many-missing",
    `More than ${MOST_MISSING} combinations of listed categories have no row, too many to take each for a hidden number. If rows left out are ` +
      "empty, say so (--missing-rows empty); else audit fewer or coarser tables.",
    { limit: MOST_MISSING },
  );
}

function addTerms(
  terms: Map<number, number>, cell: number, times: number, standIn: ReadonlyMap<number, Equation>, expand: (id: number) => ReadonlyMap<number, number>,
): void {
  if (!standIn.has(cell)) terms.set(cell, (terms.get(cell) ?? 0) + times);
  else for (const [part, n] of expand(cell)) terms.set(part, (terms.get(part) ?? 0) + n * times);
}

function replaced(places: readonly number[], dimension: number, place: number): number[] {
  const copy = places.slice();
  copy[dimension] = place;
  return copy;
}
