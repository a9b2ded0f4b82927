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
  /** [parts] 1, or -1 for what a group takes away. */
  readonly signs: Int8Array;
}

const TOTAL = -1;
/** Levels from here on are groupings: each group is a signed sum of categories of the finest level. */
const FIRST_GROUPING = 1000;

interface Margin {
  /** [columns] level, TOTAL when summed over. */
  readonly levels: readonly number[];
  readonly isPublished: boolean;
  /** Numbers of its cells, and where each stands. */
  readonly cells: number[];
  readonly cellAt: Map<number | string, number>;
}

/**
 * Every sum that a reader can form: each margin's cell is the sum of its cells in each next finer margin, a group that
 * of its categories. Where two margins share a coarser one that is not published, its cells are added, because both
 * must add up to the same.
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
  const finest = columns.map(({ levels }) => levels[0]!);
  const isWithin = (coarse: readonly number[], fine: readonly number[]) =>
    coarse.every((level, k) => holds(level, fine[k]!, finest[k]!));
  for (let i = 0; i < list.length; i++) {
    for (let j = 0; j < i; j++) {
      const shared = meet(list[i]!.levels, list[j]!.levels, finest);
      if (shared !== undefined && !margins.has(shared.join())) list.push(marginOf(shared, false));
    }
  }

  // Fine before coarse, so that an unpublished margin is complete before others are built on it.
  const depth = (levels: readonly number[]) => levels.reduce((sum, level) => sum + (level === TOTAL ? 1e6 : level), 0);
  list.sort((a, b) => depth(a.levels) - depth(b.levels));
  const whole: number[] = [];
  const starts: number[] = [0];
  const parts: number[] = [];
  const signs: number[] = [];
  for (const coarse of list) {
    const finer = list.filter((fine) => fine !== coarse && isWithin(coarse.levels, fine.levels));
    const next = finer.filter((fine) => !finer.some((other) => other !== fine && isWithin(other.levels, fine.levels)));
    next.sort((a, b) => a.cells.length - b.cells.length); // the first sum of a cell has few parts
    for (const fine of next) {
      const up = columns.map((column, k) => placesAbove(column, fine.levels[k]!, coarse.levels[k]!));
      const added = new Map<number | string, { whole: number; parts: number[]; signs: number[] }>();
      for (const c of coarse.cells) added.set(keyOf(placesOf[c]!), { whole: c, parts: [], signs: [] });
      const put = (c: number, sign: number): void => {
        const key = keyOf(own);
        let sum = added.get(key);
        if (sum === undefined) {
          let cell = -1;
          if (!coarse.isPublished) {
            cell = placesOf.push([...own]) - 1;
            coarse.cells.push(cell);
          }
          added.set(key, (sum = { whole: cell, parts: [], signs: [] }));
        }
        sum.parts.push(c);
        sum.signs.push(sign);
      };
      // A category may be in several groups, or in none.
      const descend = (c: number, k: number, sign: number): void => {
        if (k === own.length) {
          put(c, sign);
          return;
        }
        const above = up[k]!;
        const place = placesOf[c]![k]!;
        if (above instanceof Int32Array) {
          own[k] = above[place]!;
          descend(c, k + 1, sign);
          return;
        }
        for (const [group, ownSign] of above[place]!) {
          own[k] = group;
          descend(c, k + 1, sign * ownSign);
        }
      };
      for (const c of fine.cells) descend(c, 0, 1);
      for (const sum of added.values()) {
        whole.push(sum.whole);
        for (const c of sum.parts) parts.push(c);
        for (const sign of sum.signs) signs.push(sign);
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
    signs: Int8Array.from(signs),
  };
}

/** [cells] 1 for cells that take something away: they may be small or negative without saying so of any people. */
export function differenceCells({ columns, cells, places }: CellPlaces): Uint8Array {
  const isDifference = new Uint8Array(cells);
  columns.forEach(({ size, groups }, k) => {
    const takesAway = new Uint8Array(size);
    for (const { place, signs } of groups) if (signs?.includes(-1)) takesAway[place] = 1;
    for (let c = 0; c < cells; c++) isDifference[c]! |= takesAway[places[k]![c]!]!;
  });
  return isDifference;
}

/** Leave out sums that the others imply, where that is plain to see. */
export function withoutImplied(additions: Additions): Additions {
  if (!additions.hasFinest) return additions;
  const { cells, whole, starts, parts, signs } = additions;
  const seen = new Uint8Array(cells);
  const keptWhole: number[] = [];
  const keptStarts: number[] = [0];
  const keptParts: number[] = [];
  const keptSigns: number[] = [];
  for (let e = 0; e < whole.length; e++) {
    const cell = whole[e]!;
    if (cell >= 0 && seen[cell] === 1) continue;
    if (cell >= 0) seen[cell] = 1;
    keptWhole.push(cell);
    for (let at = starts[e]!; at < starts[e + 1]!; at++) {
      keptParts.push(parts[at]!);
      keptSigns.push(signs[at]!);
    }
    keptStarts.push(keptParts.length);
  }
  return {
    ...additions,
    whole: Int32Array.from(keptWhole),
    starts: Int32Array.from(keptStarts),
    parts: Int32Array.from(keptParts),
    signs: Int8Array.from(keptSigns),
  };
}

/**
 * Number of sums that do not hold for published numbers. Unpublished cells take the value of the first sum that gives
 * it.
 */
export function brokenAdditions(additions: Additions, values: Float64Array): number {
  const { whole, starts, parts, signs } = additions;
  const all = withUnpublished(additions, values);
  let broken = 0;
  for (let e = 0; e < whole.length; e++) {
    let sum = 0;
    for (let at = starts[e]!; at < starts[e + 1]!; at++) sum += signs[at]! * all[parts[at]!]!;
    if (sum !== (whole[e]! < 0 ? 0 : all[whole[e]!]!)) broken++;
  }
  return broken;
}

/** [cells] the published values, followed by those of the unpublished cells that they add up to. */
export function withUnpublished({ cells, published, whole, starts, parts, signs }: Additions, values: Float64Array): Float64Array {
  const all = new Float64Array(cells);
  all.set(values.subarray(0, published));
  const known = new Uint8Array(cells);
  for (let e = 0; e < whole.length; e++) {
    const cell = whole[e]!;
    if (cell < published || known[cell] === 1) continue;
    known[cell] = 1;
    for (let at = starts[e]!; at < starts[e + 1]!; at++) all[cell]! += signs[at]! * all[parts[at]!]!;
  }
  return all;
}

/** Whether what a column shows at one level follows from what it shows at another. */
function holds(coarse: number, fine: number, finest: number): boolean {
  if (coarse === fine) return true;
  if (coarse >= FIRST_GROUPING) return fine === finest;
  return fine < FIRST_GROUPING && fine !== TOTAL && (coarse === TOTAL || fine < coarse);
}

/** The finest margin that both contain; undefined where groups meet anything but the finest level. */
function meet(a: readonly number[], b: readonly number[], finest: readonly number[]): number[] | undefined {
  const shared: number[] = [];
  for (let k = 0; k < a.length; k++) {
    if (holds(a[k]!, b[k]!, finest[k]!)) shared.push(a[k]!);
    else if (holds(b[k]!, a[k]!, finest[k]!)) shared.push(b[k]!);
    else return undefined;
  }
  return shared;
}

type Above = Int32Array | readonly (readonly (readonly [place: number, sign: number])[])[];

/** [places] where each place of one level belongs at another: one place, or any number of groups. */
function placesAbove({ size, level, parent, groups }: CellPlaces["columns"][number], from: number, to: number): Above {
  if (to >= FIRST_GROUPING && from !== to) {
    const member = Array.from({ length: size }, (): [number, number][] => []);
    for (const { place, parts, signs } of groups) {
      if (level[place] === to) parts.forEach((part, i) => member[part]!.push([place, signs?.[i] ?? 1]));
    }
    return member;
  }
  const above = new Int32Array(size);
  for (let place = 0; place < size; place++) {
    let at = place;
    while (at > 0 && level[at] !== to) at = parent[at]!;
    above[place] = Math.max(at, 0);
  }
  return above;
}
