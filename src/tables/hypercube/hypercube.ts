import { TOTAL, type TableSystem } from "../tabulate/index.ts";

export interface HypercubeOptions {
  /** [cells] 1 for cells that must be hidden and keep their interval. */
  readonly primary: Uint8Array;
  /** Values that must remain possible for each primary cell; at least 2. */
  readonly interval: number;
  /** [cells] 1 for cells that must be shown. */
  readonly shown?: Uint8Array | undefined;
  /** [cells] factor on the people of a cell; above 1 for cells that had better be shown. Default: 1 for each. */
  readonly weight?: Float64Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HypercubeSuppression {
  /** [cells] 1 where the cell is hidden. */
  readonly hidden: Uint8Array;
  /** Hypercubes that were hidden, and cells of a sub-table for which none would do. */
  readonly cubes: number;
  readonly uncovered: number;
}

/** Opposite corners tried for a cell in a sub-table, over all dimensions. */
const CORNERS = 512;
/** More dimensions make too many sub-tables and corners for each cell. */
const DIMENSIONS = 6;

/**
 * Hide hypercubes, one for each cell that needs protection in each sub-table that contains it.
 *
 * A sub-table takes, in each dimension, one category with its parts. Two cells that differ in every dimension span a
 * hypercube; if all its corners are hidden, people can move along it: up by one where the number of differing coordinates is
 * even, down where it is odd, and every sum of the sub-table stays. Of the hypercubes that leave the interval, the one that
 * adds the fewest people is hidden. Cells that come to be hidden need protection in their other sub-tables in turn.
 *
 * Fast and local: nothing is solved, memory is in proportion to the cells. It hides more than other methods, and protects
 * sub-tables one by one, not the whole together; elimination and audit have to follow.
 *
 * @returns undefined when margins are missing from the cube of the system's columns, or there are more than 6 columns
 * Source: Repsilber (1994); Giessing and Repsilber (2002), "Tools and Strategies to Protect Multiple Tables with the GHQUAR
 * Cell Suppression Engine". Time O(hidden cells x sub-tables x 512 x 2^dimensions).
 */
export function suppressByHypercubes(system: TableSystem, options: HypercubeOptions): HypercubeSuppression | undefined {
  const cube = fullCube(system);
  if (cube === undefined) return undefined;
  return new HypercubeSearch(system, cube, options).run();
}

/** Cells of a system that publishes every combination of levels and totals, found by their places. */
interface FullCube {
  /** [columns] factor of the place in a cell's number. */
  readonly step: readonly number[];
  readonly cellAt: ReadonlyMap<number, number>;
  /** [columns][places] parts one published level down. */
  readonly parts: readonly (readonly Int32Array[])[];
}

function fullCube(system: TableSystem): FullCube | undefined {
  const { columns, margins } = system;
  if (columns.length > DIMENSIONS || columns.length === 0) return undefined;
  const combinations = columns.reduce((all, { levels }) => all * (levels.length + 1), 1);
  const known = new Set(columns.map(({ levels }, k) => [k, new Set([TOTAL, ...levels])] as const).flatMap(([k, levels]) => [...levels].map((level) => `${k},${level}`)));
  if (margins.length !== combinations || margins.some((margin) => margin.some((level, k) => !known.has(`${k},${level}`)))) return undefined;
  const step: number[] = [];
  let product = 1;
  for (let k = columns.length - 1; k >= 0; k--) {
    step[k] = product;
    product *= columns[k]!.size;
  }
  if (product > Number.MAX_SAFE_INTEGER) return undefined;
  const cellAt = new Map<number, number>();
  for (let c = 0; c < system.cells; c++) {
    let at = 0;
    for (let k = 0; k < columns.length; k++) at += system.places[k]![c]! * step[k]!;
    cellAt.set(at, c);
  }
  const parts = columns.map(({ size, parent }) => {
    const lists = Array.from({ length: size }, (): number[] => []);
    for (let place = 1; place < size; place++) lists[parent[place]!]!.push(place);
    return lists.map((list) => Int32Array.from(list));
  });
  return { step, cellAt, parts };
}

class HypercubeSearch {
  readonly #system: TableSystem;
  readonly #cube: FullCube;
  readonly #options: HypercubeOptions;
  readonly #hidden: Uint8Array;
  readonly #room: number;
  readonly #fewest: number;
  /** Cells whose sub-tables are still to be looked at, first in first out. */
  readonly #queue: number[] = [];
  #cubes = 0;
  #uncovered = 0;

  constructor(system: TableSystem, cube: FullCube, options: HypercubeOptions) {
    this.#system = system;
    this.#cube = cube;
    this.#options = options;
    this.#hidden = options.primary.slice();
    this.#room = options.interval - 1;
    this.#fewest = system.zeros === "protect" ? 0 : 1;
  }

  run(): HypercubeSuppression {
    const { primary, signal } = this.#options;
    const { count } = this.#system;
    // Large primary cells first: their hypercubes serve many small ones.
    const first = [...primary.keys()].filter((c) => primary[c] === 1).sort((a, b) => count[b]! - count[a]! || a - b);
    this.#queue.push(...first);
    for (let at = 0; at < this.#queue.length; at++) {
      if (at % 1024 === 0) signal?.throwIfAborted();
      this.#protect(this.#queue[at]!);
    }
    return { hidden: this.#hidden, cubes: this.#cubes, uncovered: this.#uncovered };
  }

  /** Cover a hidden cell in every sub-table that contains it. */
  #protect(cell: number): void {
    const { places, columns } = this.#system;
    const dimensions = columns.length;
    for (let asWhole = 0; asWhole < 2 ** dimensions; asWhole++) {
      // In each dimension the cell is a part among its siblings, or the whole of its own parts.
      let exists = true;
      for (let k = 0; k < dimensions && exists; k++) {
        const place = places[k]![cell]!;
        exists = ((asWhole >> k) & 1) === 1 ? this.#cube.parts[k]![place]!.length > 0 : place !== 0;
      }
      if (exists) this.#coverIn(cell, asWhole);
    }
  }

  #coverIn(cell: number, asWhole: number): void {
    const { places, columns, count } = this.#system;
    const { step } = this.#cube;
    const { shown, weight, primary } = this.#options;
    const dimensions = columns.length;
    const room = primary[cell] === 1 ? this.#room : 1;
    let own = 0;
    for (let k = 0; k < dimensions; k++) own += places[k]![cell]! * step[k]!;
    const offsets = Array.from({ length: dimensions }, (_, k) => this.#offsets(cell, own, k, ((asWhole >> k) & 1) === 1));
    if (offsets.some((list) => list.length === 0)) return; // an only part: equal to its whole

    const corners = 2 ** dimensions;
    const cornerCells = new Int32Array(corners);
    let best: Int32Array | undefined;
    let bestCost = Infinity;
    let bestRange = 0;
    const at = new Int32Array(dimensions);
    for (;;) {
      let cost = 0;
      let up = Infinity;
      let down = Infinity;
      for (let corner = 0; corner < corners; corner++) {
        let number = own;
        let odd = 0;
        for (let k = 0; k < dimensions; k++) {
          if (((corner >> k) & 1) === 0) continue;
          number += offsets[k]![at[k]!]!;
          // Moving from parts to their whole keeps the sign: a whole rises with its part.
          odd ^= this.#isStepToWhole(cell, k, offsets[k]![at[k]!]!, ((asWhole >> k) & 1) === 1) ? 0 : 1;
        }
        const c = this.#cube.cellAt.get(number);
        if (c === undefined || shown?.[c] === 1) {
          cost = Infinity;
          break;
        }
        cornerCells[corner] = c;
        if (this.#hidden[c] === 0) cost += (count[c]! + 1) * (weight?.[c] ?? 1);
        const loses = count[c]! - this.#fewest;
        if (odd === 0) down = Math.min(down, loses);
        else up = Math.min(up, loses);
        if (cost >= bestCost) break;
      }
      const range = up + down;
      if (cost < bestCost && range >= room) {
        best = cornerCells.slice();
        bestCost = cost;
        bestRange = range;
        if (cost === 0) return; // already covered
      }
      let k = dimensions - 1;
      while (k >= 0 && ++at[k]! === offsets[k]!.length) at[k--] = 0;
      if (k < 0) break;
    }
    if (best === undefined || bestRange < room) {
      this.#uncovered++;
      return;
    }
    this.#cubes++;
    for (const c of best) {
      if (this.#hidden[c] === 1) continue;
      this.#hidden[c] = 1;
      this.#queue.push(c);
    }
  }

  #isStepToWhole(cell: number, k: number, offset: number, isWhole: boolean): boolean {
    if (isWhole) return true; // from the whole to a part: both rise together
    const { places, columns } = this.#system;
    const place = places[k]![cell]!;
    return offset === (columns[k]!.parent[place]! - place) * this.#cube.step[k]!;
  }

  /** Steps along one dimension to the cells that cost least there, as differences of cell numbers. */
  #offsets(cell: number, own: number, k: number, isWhole: boolean): number[] {
    const { places, columns, count } = this.#system;
    const { step, cellAt, parts } = this.#cube;
    const { shown, weight } = this.#options;
    const place = places[k]![cell]!;
    const parent = columns[k]!.parent[place]!;
    const choices: { offset: number; cost: number }[] = [];
    const consider = (other: number) => {
      if (other === place) return;
      const offset = (other - place) * step[k]!;
      const c = cellAt.get(own + offset);
      if (c === undefined || shown?.[c] === 1) return;
      choices.push({ offset, cost: this.#hidden[c] === 1 ? -1 / (1 + count[c]!) : count[c]! * (weight?.[c] ?? 1) });
    };
    if (isWhole) for (const part of parts[k]![place]!) consider(part);
    else {
      for (const sibling of parts[k]![parent]!) consider(sibling);
      consider(parent);
    }
    const most = Math.max(2, Math.floor(CORNERS ** (1 / columns.length)));
    // Hidden cells with many people come first, then shown ones with few.
    const hidden = choices.filter(({ cost }) => cost < 0).sort((a, b) => b.cost - a.cost || a.offset - b.offset);
    const open = choices.filter(({ cost }) => cost >= 0).sort((a, b) => a.cost - b.cost || a.offset - b.offset);
    const half = Math.max(most - open.length, Math.ceil(most / 2));
    return [...hidden.slice(0, half), ...open.slice(0, most - Math.min(half, hidden.length))].map(({ offset }) => offset);
  }
}
