import { DataError, DisclosureError } from "../../errors/index.ts";
import { ConstraintBuilder, type LinearAttack } from "./linear-attack.ts";
import { GROUPING_LEVEL, HIDDEN_COMPLEMENTARY, type AuditColumn, type AuditInput } from "./published.ts";

/** Unknowns beyond the published cells that the audit will introduce; more is not proven safe. */
export const LATENT_LIMIT = 500_000;

const TOTAL = -1;

/** Tables of counts as one attack. */
export interface TableAttack {
  readonly attack: LinearAttack;
  /** Leading cells that are published; the rest are inner cells of tables that share no published breakdown. */
  readonly published: number;
  /** [inputs][tables][rows] cell of each row. Rows of equal places are one cell, over all tables and releases. */
  readonly cellOf: readonly (readonly Int32Array[])[];
}

/** Cells at one combination of levels. */
interface Margin {
  /** [columns] level, TOTAL when summed over. */
  readonly levels: readonly number[];
  /** Cells that are not shown zeros, by key. */
  readonly cells: Map<number | string, number>;
}

/**
 * Write down every addition that the published tables' structure implies: each margin's cell is the sum of its cells in each
 * next finer margin, a grouping the signed sum of its parts. Several inputs are several releases of the same records over the
 * same columns; equal cells are linked.
 *
 * @param interval values that must remain possible for each blank cell that may hold a small count
 * @throws DataError `audit/inconsistent` when shown counts contradict each other, `audit/columns` when inputs differ in columns
 * @throws DisclosureError `audit/too-large` when too many never published cells would have to be considered
 * Time O(rows x margins) on average.
 */
export function tableAttack(inputs: readonly AuditInput[], interval: number): TableAttack {
  const columns = commonColumns(inputs);
  const axes = columns.map((column) => new Axis(column));
  const keys = new Keys(columns);
  const margins = new Map<string, Margin>();
  const places: number[][] = columns.map(() => []);
  const value: number[] = [];
  const lower: number[] = [];
  const upper: number[] = [];
  const harmless: number[] = [];
  const signed: boolean[] = [];

  const cellOf = inputs.map((input) => {
    const floor = input.floor ?? (input.zeros === "publish" ? 1 : 0);
    return input.tables.map((table) => {
      const dimensionOf = columns.map((_, k) => table.columnOf.indexOf(k));
      const own = new Int32Array(table.rows);
      const at = columns.map(() => 0);
      let levels: number[] = [];
      let margin: Margin | undefined;
      for (let row = 0; row < table.rows; row++) {
        let same = margin !== undefined;
        for (let k = 0; k < at.length; k++) {
          const d = dimensionOf[k]!;
          at[k] = d < 0 ? 0 : table.places[d]![row]!;
          if (levels[k] !== columns[k]!.level[at[k]!]) same = false;
        }
        if (!same) {
          levels = at.map((place, k) => columns[k]!.level[place]!);
          const name = levels.join();
          margin = margins.get(name);
          if (margin === undefined) margins.set(name, (margin = { levels, cells: new Map() }));
        }
        const key = keys.of(at);
        let cell = margin!.cells.get(key);
        if (cell === undefined) {
          cell = value.length;
          margin!.cells.set(key, cell);
          at.forEach((place, k) => places[k]!.push(place));
          value.push(NaN);
          lower.push(0);
          upper.push(Infinity);
          harmless.push(-Infinity);
          signed.push(at.some((place, k) => axes[k]!.isSigned(place)));
        }
        own[row] = cell;
        const count = table.count[row]!;
        if (Number.isNaN(count)) {
          harmless[cell] = Math.max(harmless[cell]!, input.threshold);
          if (signed[cell]!) {
            lower[cell] = -Infinity;
            continue;
          }
          lower[cell] = Math.max(lower[cell]!, floor);
          if (input.codes === "merged") continue;
          if (table.mark[row] === HIDDEN_COMPLEMENTARY) lower[cell] = Math.max(lower[cell]!, input.told?.complementaryLeast ?? input.threshold);
          else upper[cell] = Math.min(upper[cell]!, input.told?.hiddenMost ?? input.threshold - 1);
        } else {
          const before = value[cell]!;
          if (!Number.isSafeInteger(count) || (count < 0 && !signed[cell]!) || (!Number.isNaN(before) && before !== count)) {
            throw inconsistent(`table ${table.name} shows a count that is not a whole number or that another row contradicts`);
          }
          value[cell] = count;
        }
      }
      return own;
    });
  });
  const published = value.length;
  const blanks = value.some((count) => Number.isNaN(count));

  // Zeros that are shown say no more than rows that are absent, but for sums with negative parts.
  for (const margin of margins.values()) {
    if (margin.levels.some((level) => level >= GROUPING_LEVEL)) continue;
    for (const [key, cell] of margin.cells) if (value[cell] === 0) margin.cells.delete(key);
  }
  const list = [...margins.values()];
  const latent = blanks ? commonBreakdown(list, columns, axes, places) : undefined;
  if (latent !== undefined) {
    const cells = new Map<number | string, number>();
    for (const combination of latent.combinations) {
      cells.set(keys.of(combination), value.length);
      combination.forEach((place, k) => places[k]!.push(place));
      value.push(NaN);
      lower.push(0);
      upper.push(Infinity);
      harmless.push(-Infinity);
    }
    list.push({ levels: latent.levels, cells });
  }

  const constraints = new ConstraintBuilder();
  for (const [coarse, fine] of coveringPairs(list, axes)) {
    const terms = new Map<number, (readonly [cell: number, times: number])[]>();
    for (const cell of coarse.cells.values()) terms.set(cell, [[cell, -1]]);
    const project = axes.map((axis, k) => axis.projection(fine.levels[k]!, coarse.levels[k]!));
    const simple = project.every(({ groups }) => groups === undefined);
    const at = columns.map(() => 0);
    for (const cell of fine.cells.values()) {
      const add = (times: number): void => {
        const parent = coarse.cells.get(keys.of(at));
        if (parent !== undefined) terms.get(parent)!.push([cell, times]);
        // The coarser cell is empty, so this one is.
        else if (Number.isNaN(value[cell]!)) upper[cell] = Math.min(upper[cell]!, 0);
        else if (value[cell]! > 0) throw inconsistent("a shown zero holds a cell that is not empty");
      };
      if (simple) {
        for (let k = 0; k < at.length; k++) at[k] = project[k]!.place[places[k]![cell]!]!;
        add(1);
        continue;
      }
      const descend = (k: number, times: number): void => {
        if (k === at.length) return add(times);
        const { place, groups } = project[k]!;
        const own = places[k]![cell]!;
        if (groups === undefined) {
          at[k] = place[own]!;
          descend(k + 1, times);
        } else {
          for (const [group, sign] of groups[own]!) {
            at[k] = group;
            descend(k + 1, times * sign);
          }
        }
      };
      descend(0, 1);
    }
    for (const own of terms.values()) {
      let open = false;
      let rest = 0;
      for (const [cell, times] of own) {
        if (Number.isNaN(value[cell]!)) open = true;
        else rest += times * value[cell]!;
      }
      if (open) constraints.add(own, 0);
      else if (rest !== 0) throw inconsistent("shown counts do not add up to the shown total");
    }
  }
  if (inputs.some(({ listedOccur }) => listedOccur === true)) {
    for (const parts of unlistedIfEmpty([...margins.values()], columns, places)) {
      if (parts.some((cell) => value[cell]! > 0)) continue;
      const blank = parts.filter((cell) => Number.isNaN(value[cell]!));
      if (blank.length === 1) lower[blank[0]!] = Math.max(lower[blank[0]!]!, 1);
      else if (blank.length > 1) {
        const whole = value.length;
        value.push(NaN);
        lower.push(1);
        upper.push(Infinity);
        harmless.push(-Infinity);
        constraints.add([[whole, -1], ...blank.map((cell) => [cell, 1] as const)], 0);
      }
    }
  }
  for (let cell = 0; cell < value.length; cell++) {
    if (Number.isNaN(value[cell]!) && lower[cell]! > upper[cell]!) throw inconsistent("a hidden cell lies in an empty one, or is marked in two ways");
  }
  return {
    attack: {
      cells: value.length,
      value: Float64Array.from(value),
      lower: Float64Array.from(lower),
      upper: Float64Array.from(upper),
      constraints: constraints.build(),
      need: {
        values: Float64Array.from(value, (count, cell) => (Number.isNaN(count) && cell < published ? interval : 0)),
        harmlessFrom: Float64Array.from(harmless, (threshold, cell) => (signed[cell] === true ? Infinity : threshold)),
      },
    },
    published,
    cellOf,
  };
}

/**
 * For every category that tables list, cells of one margin that together hold all its people. Where a category that
 * nobody is in is no row, somebody is in each of these.
 */
function unlistedIfEmpty(margins: readonly Margin[], columns: readonly AuditColumn[], places: readonly (readonly number[])[]): number[][] {
  const found: number[][] = [];
  columns.forEach((column, k) => {
    for (const level of new Set(column.level)) {
      if (level < 0 || level >= GROUPING_LEVEL) continue;
      const breadth = ({ levels }: Margin): number => levels.reduce((n, own) => n + (own === TOTAL ? 0 : 1), 0);
      const coarsest = margins
        .filter(({ levels }) => levels[k] === level && levels.every((own) => own < GROUPING_LEVEL))
        .reduce<Margin | undefined>((best, margin) => (best === undefined || breadth(margin) < breadth(best) ? margin : best), undefined);
      if (coarsest === undefined) continue;
      const parts = new Map<number, number[]>();
      for (const cell of coarsest.cells.values()) {
        const place = places[k]![cell]!;
        const own = parts.get(place);
        if (own === undefined) parts.set(place, [cell]);
        else own.push(cell);
      }
      found.push(...parts.values());
    }
  });
  return found;
}

/** All inputs speak of the same columns, place by place. */
function commonColumns(inputs: readonly AuditInput[]): readonly AuditColumn[] {
  const columns = inputs[0]?.columns ?? [];
  for (const { columns: other } of inputs) {
    const same =
      other.length === columns.length &&
      other.every((column, k) => {
        const one = columns[k]!;
        return column === one || (column.column === one.column && column.size === one.size &&
          column.level.every((level, place) => level === one.level[place]) && column.parent.every((parent, place) => parent === one.parent[place]));
      });
    if (!same) {
      throw new DataError(
        "audit/columns",
        "Releases can only be audited together over the same columns: give each column all places of all releases, with a level " +
          "of its own for each release's geography where they differ.",
      );
    }
  }
  return columns;
}

export function inconsistent(what: string): DataError {
  return new DataError(
    "audit/inconsistent",
    `The published tables contradict themselves: ${what}. They were changed or do not describe the same records; ` +
      "check that all of them come from one release and that the table specification is theirs.",
  );
}

/** One number for a combination of places, or a text where numbers do not reach. */
class Keys {
  readonly #strides: readonly number[] | undefined;

  constructor(columns: readonly AuditColumn[]) {
    const strides: number[] = [];
    let product = 1;
    for (const { size } of columns) {
      strides.push(product);
      product *= size;
    }
    this.#strides = Number.isSafeInteger(product) ? strides : undefined;
  }

  of(places: readonly number[]): number | string {
    if (this.#strides === undefined) return places.join();
    let key = 0;
    for (let k = 0; k < places.length; k++) key += places[k]! * this.#strides[k]!;
    return key;
  }
}

interface Projection {
  /** [places] the place at the coarser level. */
  readonly place: Int32Array;
  /** [places] grouping places that hold it, when the coarser level is a set of groupings. */
  readonly groups: readonly (readonly (readonly [place: number, sign: number])[])[] | undefined;
}

/** One column's levels and groupings. */
class Axis {
  readonly column: AuditColumn;
  readonly finest: number;
  readonly #signed: ReadonlySet<number>;
  readonly #projections = new Map<string, Projection>();

  constructor(column: AuditColumn) {
    this.column = column;
    let finest = Infinity;
    for (const level of column.level) if (level >= 0) finest = Math.min(finest, level);
    this.finest = finest;
    this.#signed = new Set((column.groups ?? []).filter(({ signs }) => signs?.includes(-1)).map(({ place }) => place));
  }

  isSigned(place: number): boolean {
    return this.#signed.has(place);
  }

  /** Whether every place of the finer level adds to places of the coarser one. */
  holds(coarse: number, fine: number): boolean {
    if (coarse === fine) return true;
    if (coarse >= GROUPING_LEVEL) return fine === this.finest;
    if (fine >= GROUPING_LEVEL) return false;
    return coarse === TOTAL || (fine !== TOTAL && fine <= coarse);
  }

  projection(from: number, to: number): Projection {
    const name = `${from},${to}`;
    let projection = this.#projections.get(name);
    if (projection === undefined) this.#projections.set(name, (projection = this.#project(from, to)));
    return projection;
  }

  #project(from: number, to: number): Projection {
    const { size, level, parent, groups } = this.column;
    const place = new Int32Array(size);
    if (to >= GROUPING_LEVEL && from !== to) {
      const held: (readonly [number, number])[][] = Array.from({ length: size }, () => []);
      for (const group of groups ?? []) {
        if (level[group.place] !== to) continue;
        group.parts.forEach((part, i) => held[part]!.push([group.place, group.signs?.[i] ?? 1]));
      }
      return { place, groups: held };
    }
    for (let own = 0; own < size; own++) {
      let at = own;
      while (at > 0 && level[at] !== to) at = parent[at]!;
      place[own] = Math.max(at, 0);
    }
    return { place, groups: undefined };
  }
}

/** Whether every column of `fine` adds to `coarse`. */
function isWithin(coarse: readonly number[], fine: readonly number[], axes: readonly Axis[]): boolean {
  return axes.every((axis, k) => axis.holds(coarse[k]!, fine[k]!));
}

/** Pairs (coarse, fine) of margins with no other margin between them. */
function coveringPairs(margins: readonly Margin[], axes: readonly Axis[]): [Margin, Margin][] {
  const pairs: [Margin, Margin][] = [];
  for (const fine of margins) {
    const above = margins.filter((margin) => margin !== fine && isWithin(margin.levels, fine.levels, axes));
    for (const coarse of above) {
      const between = above.some((other) => other !== coarse && isWithin(coarse.levels, other.levels, axes));
      if (!between) pairs.push([coarse, fine]);
    }
  }
  return pairs;
}

/**
 * The finest breakdown that all margins share, as never published cells, or undefined when it is not needed: when it is
 * itself published, or when margins can be joined one by one over a published common margin (any counts that agree there
 * are then counts of some joint table, in whole numbers too).
 */
function commonBreakdown(
  margins: readonly Margin[],
  columns: readonly AuditColumn[],
  axes: readonly Axis[],
  places: readonly (readonly number[])[],
): { readonly levels: readonly number[]; readonly combinations: readonly (readonly number[])[] } | undefined {
  const names = new Set(margins.map((margin) => margin.levels.join()));
  let maximal = margins.filter((margin) => !margins.some((other) => other !== margin && isWithin(margin.levels, other.levels, axes)));
  const all = maximal;
  const nested = maximal.every(({ levels }) => levels.every((level) => level < GROUPING_LEVEL));
  for (;;) {
    if (maximal.length <= 1 && nested) return undefined;
    const ear = !nested ? undefined : maximal.find((margin) => {
      const others = maximal.filter((other) => other !== margin);
      return others.some((base) => {
        const shared = meet(margin.levels, base.levels);
        return names.has(shared.join()) && others.every((other) => isWithin(meet(margin.levels, other.levels), shared, axes));
      });
    });
    if (ear === undefined) break;
    maximal = maximal.filter((margin) => margin !== ear);
  }

  // Join the margins column by column; a combination survives while every margin holds its projection.
  const finest = columns.map((_, k) => {
    const levels = all.map((margin) => margin.levels[k]!).filter((level) => level !== TOTAL);
    if (levels.length === 0) return TOTAL;
    return levels.some((level) => level >= GROUPING_LEVEL) ? axes[k]!.finest : Math.min(...levels);
  });
  let partial: number[][] = [[]];
  for (let k = 0; k < columns.length; k++) {
    const choices: number[] = [];
    if (finest[k] === TOTAL) choices.push(0);
    else for (let place = 0; place < columns[k]!.size; place++) if (columns[k]!.level[place] === finest[k]) choices.push(place);
    const checks = margins
      .filter((margin) => margin.levels[k] !== TOTAL && margin.levels.every((level) => level < GROUPING_LEVEL))
      .map((margin) => {
        const project = axes.slice(0, k + 1).map((axis, j) => axis.projection(finest[j]!, margin.levels[j]!).place);
        const held = new Set<string>();
        for (const cell of margin.cells.values()) held.add(places.slice(0, k + 1).map((own) => own[cell]).join());
        return { project, held };
      });
    const extended: number[][] = [];
    for (const head of partial) {
      for (const place of choices) {
        const combination = [...head, place];
        if (checks.every(({ project, held }) => held.has(combination.map((own, j) => project[j]![own]).join()))) extended.push(combination);
      }
      if (extended.length > LATENT_LIMIT) {
        throw new DisclosureError(
          "audit/too-large",
          `The tables share no published common breakdown, and proving them safe together would take more than ${LATENT_LIMIT} ` +
            "unpublished cells. Publish the tables' common margins, or fewer or coarser tables.",
          { limit: LATENT_LIMIT },
        );
      }
    }
    partial = extended;
  }
  return names.has(finest.join()) ? undefined : { levels: finest, combinations: partial };
}

/** The finest margin that both contain. */
function meet(a: readonly number[], b: readonly number[]): number[] {
  return a.map((level, k) => (level === TOTAL || b[k] === TOTAL ? TOTAL : Math.max(level, b[k]!)));
}
