import type { TableSystem } from "../tabulate/index.ts";

/** Where published cells stand; table systems and published counts both say it. */
export type CellPlaces = Pick<TableSystem, "columns" | "cells" | "places">;

/** How published cells add up, known from their categories alone. */
export interface Additions {
  /** Published cells first, in their order; then cells that nobody publishes but several margins add up to. */
  readonly cells: number;
  readonly published: number;
  /** Whether one margin holds all others, so that the first sum of each cell implies all further ones. */
  readonly hasFinest: boolean;
  /** [equations] the cell that is the sum; -1 for one that is not listed and is known to be 0. */
  readonly whole: Int32Array;
  /** [equations + 1] and [parts]: the cells that are added; an unlisted part is 0. */
  readonly starts: Int32Array;
  readonly parts: Int32Array;
}

const TOTAL = -1;

interface Margin {
  /** [columns] level, TOTAL when summed over. */
  readonly levels: readonly number[];
  readonly isPublished: boolean;
  /** Numbers of its cells, and where each stands. */
  readonly cells: number[];
  readonly cellAt: Map<number | string, number>;
}

/**
 * Every sum that a reader can form: each margin's cell is the sum of its cells in each next finer margin. Where two margins
 * share a coarser one that is not published, its cells are added, because both must add up to the same.
 *
 * Time O(cells x margins x columns) on average.
 */
export function publishedAdditions({ columns, cells, places }: CellPlaces): Additions {
  const wide = columns.reduce((product, { size }) => product * size, 1) > Number.MAX_SAFE_INTEGER;
  const keyOf = (own: readonly number[]): number | string => {
    if (wide) return own.join();
    let key = 0;
    for (let k = 0; k < own.length; k++) key = key * columns[k]!.size + own[k]!;
    return key;
  };
  const margins = new Map<string, Margin>();
  const marginOf = (levels: readonly number[], isPublished: boolean): Margin => {
    const name = levels.join();
    let margin = margins.get(name);
    if (margin === undefined) margins.set(name, (margin = { levels: [...levels], isPublished, cells: [], cellAt: new Map() }));
    return margin;
  };

  const own = columns.map(() => 0);
  const placesOf: number[][] = [];
  let last: Margin | undefined;
  for (let c = 0; c < cells; c++) {
    for (let k = 0; k < own.length; k++) own[k] = places[k]![c]!;
    if (last === undefined || !columns.every(({ level }, k) => level[own[k]!] === last!.levels[k])) {
      last = marginOf(columns.map(({ level }, k) => level[own[k]!]!), true);
    }
    last.cells.push(c);
    last.cellAt.set(keyOf(own), c);
    placesOf.push([...own]);
  }
  const list = [...margins.values()];
  for (let i = 0; i < list.length; i++) {
    for (let j = 0; j < i; j++) {
      const shared = meet(list[i]!.levels, list[j]!.levels);
      if (!margins.has(shared.join())) list.push(marginOf(shared, false));
    }
  }

  // Fine before coarse, so that an unpublished margin is complete before others are built on it.
  const depth = (levels: readonly number[]) => levels.reduce((sum, level) => sum + (level === TOTAL ? 1e6 : level), 0);
  list.sort((a, b) => depth(a.levels) - depth(b.levels));
  const whole: number[] = [];
  const starts: number[] = [0];
  const parts: number[] = [];
  for (const coarse of list) {
    const finer = list.filter((fine) => fine !== coarse && isWithin(coarse.levels, fine.levels));
    const next = finer.filter((fine) => !finer.some((other) => other !== fine && isWithin(other.levels, fine.levels)));
    next.sort((a, b) => a.cells.length - b.cells.length); // the first sum of a cell has few parts
    const up = columns.map((column, k) => placesAbove(column, coarse.levels[k]!));
    for (const fine of next) {
      const added = new Map<number | string, { whole: number; parts: number[] }>();
      for (const c of coarse.cells) added.set(keyOf(placesOf[c]!), { whole: c, parts: [] });
      for (const c of fine.cells) {
        for (let k = 0; k < own.length; k++) own[k] = up[k]![placesOf[c]![k]!]!;
        const key = keyOf(own);
        let sum = added.get(key);
        if (sum === undefined) {
          let cell = -1;
          if (!coarse.isPublished) {
            cell = placesOf.push([...own]) - 1;
            coarse.cells.push(cell);
          }
          added.set(key, (sum = { whole: cell, parts: [] }));
        }
        sum.parts.push(c);
      }
      for (const sum of added.values()) {
        whole.push(sum.whole);
        for (const c of sum.parts) parts.push(c);
        starts.push(parts.length);
      }
    }
  }
  return {
    cells: placesOf.length,
    published: cells,
    hasFinest: list.some((fine) => list.every((other) => isWithin(other.levels, fine.levels))),
    whole: Int32Array.from(whole),
    starts: Int32Array.from(starts),
    parts: Int32Array.from(parts),
  };
}

/** Leave out sums that the others imply, where that is plain to see. */
export function withoutImplied(additions: Additions): Additions {
  if (!additions.hasFinest) return additions;
  const { cells, whole, starts, parts } = additions;
  const seen = new Uint8Array(cells);
  const keptWhole: number[] = [];
  const keptStarts: number[] = [0];
  const keptParts: number[] = [];
  for (let e = 0; e < whole.length; e++) {
    const cell = whole[e]!;
    if (cell >= 0 && seen[cell] === 1) continue;
    if (cell >= 0) seen[cell] = 1;
    keptWhole.push(cell);
    for (let at = starts[e]!; at < starts[e + 1]!; at++) keptParts.push(parts[at]!);
    keptStarts.push(keptParts.length);
  }
  return { ...additions, whole: Int32Array.from(keptWhole), starts: Int32Array.from(keptStarts), parts: Int32Array.from(keptParts) };
}

/** Number of sums that do not hold for published numbers. Unpublished cells take the value of the first sum that gives it. */
export function brokenAdditions(additions: Additions, values: Float64Array): number {
  const { whole, starts, parts } = additions;
  const all = withUnpublished(additions, values);
  let broken = 0;
  for (let e = 0; e < whole.length; e++) {
    let sum = 0;
    for (let at = starts[e]!; at < starts[e + 1]!; at++) sum += all[parts[at]!]!;
    if (sum !== (whole[e]! < 0 ? 0 : all[whole[e]!]!)) broken++;
  }
  return broken;
}

/** [cells] the published values, followed by those of the unpublished cells that they add up to. */
export function withUnpublished({ cells, published, whole, starts, parts }: Additions, values: Float64Array): Float64Array {
  const all = new Float64Array(cells);
  all.set(values.subarray(0, published));
  const known = new Uint8Array(cells);
  for (let e = 0; e < whole.length; e++) {
    const cell = whole[e]!;
    if (cell < published || known[cell] === 1) continue;
    known[cell] = 1;
    for (let at = starts[e]!; at < starts[e + 1]!; at++) all[cell]! += all[parts[at]!]!;
  }
  return all;
}

/** Whether every dimension of `fine` is at least as fine as in `coarse`. */
function isWithin(coarse: readonly number[], fine: readonly number[]): boolean {
  return coarse.every((level, k) => level === TOTAL || (fine[k] !== TOTAL && fine[k]! <= level));
}

/** The finest margin that both contain. */
function meet(a: readonly number[], b: readonly number[]): number[] {
  return a.map((level, k) => (level === TOTAL || b[k] === TOTAL ? TOTAL : Math.max(level, b[k]!)));
}

/** [places] the place at a level, or the total, that holds each place. Places finer than the level only. */
function placesAbove({ size, level, parent }: CellPlaces["columns"][number], wanted: number): Int32Array {
  const above = new Int32Array(size);
  for (let place = 0; place < size; place++) {
    let at = place;
    while (at > 0 && level[at] !== wanted) at = parent[at]!;
    above[place] = at;
  }
  return above;
}
