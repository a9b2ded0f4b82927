import type { Cells } from "../../cells/cells.ts";
import { PolicyError } from "../../errors/index.ts";
import type { BoundHierarchy } from "../../hierarchies/hierarchy.ts";
import { parseDecimal } from "../../kernels/rational.ts";
import { createMetric, type ClassSummary, type LossMetric, type MetricOptions } from "../../utility/index.ts";
import { BestList, type Generalization } from "./best-list.ts";
import { ClassTables, type ClassTable, type KeptClasses, type RolledUp } from "./class-tables.ts";
import { TableStore } from "./table-store.ts";

/** Levels of one key that the search may use; the hierarchy's own when absent. */
export interface LevelLimits {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

export interface KAnonymitySearch {
  readonly cells: Cells;
  /** [keys] bound to the dictionaries that the codes of the cells refer to. */
  readonly hierarchies: readonly BoundHierarchy[];
  /** Records in the smallest class that may be kept. */
  readonly k: number;
  /** Largest share of the records that may be suppressed, 0 to 1. */
  readonly maxSuppressedShare: number;
  readonly metric: MetricOptions;
  /** [keys] */
  readonly limits?: readonly (LevelLimits | undefined)[];
  /** [keys] weights of the keys in the loss, at least 0 and not all 0; equal when absent. */
  readonly weights?: readonly number[];
  /** How many of the best other generalizations to return. Default 4. */
  readonly alternatives?: number;
  /** Bytes of class tables kept to roll up from, beyond the cells. Default 128 MB. Smaller is slower, never different. */
  readonly memoryBudget?: number;
  /** Classes looked at before the search gives up, a measure of time that is the same on every machine. Default 1e11. */
  readonly maxClassesVisited?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SearchProgress) => void;
  /** Told the classes that the best generalization keeps, which are at hand in the end and cost nothing. */
  readonly onClasses?: (classes: KeptClasses) => void;
}

export interface SearchProgress {
  /** Generalizations whose classes were computed. */
  readonly nodesChecked: number;
  /** Share of the lattice that is decided, 0 to 1. */
  readonly decided: number;
}

/** The best generalization. Plain JSON. */
export interface KAnonymityPlan extends Generalization {
  /** Generalizations within the limits. */
  readonly nodes: number;
  /** Those whose classes had to be computed. */
  readonly nodesChecked: number;
  /** The next best ones, best first; exactly as many as asked for unless there are fewer. */
  readonly alternatives: readonly Generalization[];
}

const DEFAULT_ALTERNATIVES = 4;
const DEFAULT_MEMORY = 128 * 2 ** 20;
const DEFAULT_VISITS = 1e11;

/** Classes of a table from which stations are worth their own roll-up, and how many codes of a key must become one for it. */
const WORTH_STATIONS = 1 << 17;
const STATION_SHRINKAGE = 4;

/**
 * The full-domain generalization with record suppression that loses least among all that are k-anonymous: records in
 * classes smaller than k are suppressed, at most floor(maxSuppressedShare x records) of them. The optimum is exact.
 *
 * Ties: lowest loss, then fewest suppressed records, then lowest sum of levels, then lexicographically lowest levels.
 * Losses that are not integers are equal when their first 12 significant digits are. The result depends on nothing but
 * the multiset of records, the hierarchies and the options.
 *
 * @returns undefined when even the coarsest generalization suppresses too many; see {@link leastSuppressed}
 * @throws PolicyError `k-anonymity/bad-levels`, `k-anonymity/bad-weights`, `k-anonymity/bad-share`; and
 *         `k-anonymity/search-too-large` when `maxClassesVisited` is reached
 *
 * Time: each roll-up is O(classes of the finer table x keys); how many there are depends on how well the bounds prune,
 * at most two per generalization.
 */
export function searchKAnonymity(request: KAnonymitySearch): KAnonymityPlan | undefined {
  const search = new LatticeSearch(request);
  while (search.step()) request.signal?.throwIfAborted();
  return search.result();
}

/** As {@link searchKAnonymity}, giving other work a turn every `sliceMs` milliseconds, so that `signal` can take effect. */
export async function searchKAnonymityInSlices(
  request: KAnonymitySearch, sliceMs = 50,
): Promise<KAnonymityPlan | undefined> {
  const search = new LatticeSearch(request);
  let sliceEnd = performance.now() + sliceMs;
  while (search.step()) {
    if (performance.now() < sliceEnd) continue;
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    request.signal?.throwIfAborted();
    sliceEnd = performance.now() + sliceMs;
  }
  return search.result();
}

/** Records that the coarsest generalization within the limits suppresses: no other suppresses fewer. */
export function leastSuppressed(
  request: Pick<KAnonymitySearch, "cells" | "hierarchies" | "k" | "limits">,
): { readonly suppressed: number; readonly records: number } {
  const tables = new ClassTables(request.cells, request.hierarchies);
  const { max } = levelRange(request, tables);
  return { suppressed: tables.rollUp(tables.base, max, request.k).suppressed, records: tables.records };
}

/**
 * floor(share x records), exactly: the share is read as the decimal it is written as, so that 0.29 of 100 records is 29
 * although 0.29 * 100 is less in floating point.
 */
export function allowedSuppressions(share: number, records: number): number {
  if (!(share >= 0 && share <= 1)) {
    throw new PolicyError("k-anonymity/bad-share", `maxSuppressedShare is a share from 0 to 1; found ${share}.`, { share });
  }
  const { numerator, denominator } = parseDecimal(share);
  return Number((numerator * BigInt(records)) / denominator);
}

/** All generalizations between two, the finest with its classes at hand. */
interface Box {
  readonly low: Uint8Array;
  /** Whether the generalization `low` itself was looked at. */
  readonly lowChecked: boolean;
  /** Sizes of classes of a generalization at most as coarse as `low`. */
  readonly fine: ClassSummary;
  readonly high: Uint8Array;
  /** Sizes of classes of a generalization at least as coarse as `high`. */
  readonly coarse: ClassSummary;
}

/**
 * Branch and bound over boxes of the lattice.
 *
 * For x <= y in every key, classes of y are unions of classes of x. So records in small classes only become fewer
 * upwards, and
 * - when the highest generalization of a box suppresses too many, all of them do: the box is dropped;
 * - records suppressed at its highest are suppressed in all of it, and its lowest generalizes least: together they bound
 *   the loss of the box from below ({@link LossMetric.bound}, where each bound is proved). A box whose bound comes after
 *   the worst generalization in the list of the best ones, ties included, is dropped; a key whose next level alone would
 *   push the bound over it is cut off below that level.
 * What is left is split at a key: that key at its lowest level, or higher. Both ends of every box are generalizations
 * themselves and are offered to the list. Boxes never overlap, so the search ends.
 */
class LatticeSearch {
  readonly #request: KAnonymitySearch;
  readonly #tables: ClassTables;
  readonly #metric: LossMetric;
  readonly #best: BestList;
  readonly #allowed: number;
  readonly #nodes: number;
  readonly #store: TableStore;
  /** Generalizations rolled up on the way to others. */
  readonly #stations = new Set<string>();
  readonly #stack: Box[] = [];
  readonly #probe: Uint8Array;
  readonly #bound: Float64Array;
  #nodesChecked = 0;
  #decided = 0;
  #classesVisited = 0;
  #stepsToReport = 0;

  constructor(request: KAnonymitySearch) {
    this.#request = request;
    this.#tables = new ClassTables(request.cells, request.hierarchies);
    const tables = this.#tables;
    checkWeights(request.weights, tables.keys);
    this.#metric = createMetric(
      {
        records: tables.records,
        k: request.k,
        keys: tables.profiles,
        ...(request.weights === undefined ? {} : { weights: request.weights }),
      },
      request.metric,
    );
    this.#allowed = allowedSuppressions(request.maxSuppressedShare, tables.records);
    this.#best = new BestList(this.#metric, 1 + (request.alternatives ?? DEFAULT_ALTERNATIVES));
    this.#store = new TableStore(tables.base, request.memoryBudget ?? DEFAULT_MEMORY);
    this.#probe = new Uint8Array(tables.keys);
    this.#bound = new Float64Array(this.#metric.components);

    const { min, max } = levelRange(request, tables);
    this.#nodes = volume(min, max);
    const top = this.#rollUp(max);
    if (top.suppressed > this.#allowed) return;
    this.#offer(top);
    const fine = tables.view(tables.base, request.k);
    if (!this.#boundsBelow(top, min, fine)) return;
    this.#stack.push({ low: min, lowChecked: false, fine, high: max, coarse: top });
  }

  /** Decide or split one box. @returns whether there are more. */
  step(): boolean {
    const box = this.#stack.pop();
    if (box === undefined) return false;
    this.#explore(box);
    if (this.#request.onProgress !== undefined && --this.#stepsToReport <= 0) {
      this.#stepsToReport = 64;
      this.#request.onProgress({ nodesChecked: this.#nodesChecked, decided: this.#decided / this.#nodes });
    }
    return this.#stack.length > 0;
  }

  result(): KAnonymityPlan | undefined {
    const [best, ...alternatives] = this.#best.list();
    if (best !== undefined && this.#request.onClasses !== undefined) {
      const levels = Uint8Array.from(best.levels);
      const { k } = this.#request;
      this.#request.onClasses(this.#tables.keptClasses(this.#tables.rollUp(this.#store.sourceFor(levels), levels, k), k));
    }
    return best === undefined ? undefined : { ...best, nodes: this.#nodes, nodesChecked: this.#nodesChecked, alternatives };
  }

  #explore(box: Box): void {
    const { low } = box;
    let { fine, high, coarse } = box;
    const before = volume(low, high);
    if (this.#hopeless(low, fine, coarse)) {
      this.#decided += before;
      return;
    }
    if (!box.lowChecked) {
      const rolled = this.#rollUp(low);
      this.#offer(rolled);
      fine = rolled;
    }

    for (;;) {
      const cut = this.#cutOff(low, fine, high, coarse);
      if (cut === undefined) break;
      high = cut;
      if (volume(low, high) === 1) break;
      const rolled = this.#rollUp(high);
      if (rolled.suppressed > this.#allowed) {
        this.#decided += before;
        return;
      }
      this.#offer(rolled);
      if (!this.#boundsBelow(rolled, low, fine)) {
        this.#decided += before;
        return;
      }
      coarse = rolled;
    }
    const left = volume(low, high);
    if (left <= 2) {
      this.#decided += before;
      return;
    }
    this.#decided += before - left;
    this.#split(low, fine, high, coarse);
  }

  /** Highest levels that the bounds leave, or undefined when they cut nothing off. */
  #cutOff(low: Uint8Array, fine: ClassSummary, high: Uint8Array, coarse: ClassSummary): Uint8Array | undefined {
    const probe = this.#probe;
    probe.set(low);
    let cut: Uint8Array | undefined;
    for (let key = 0; key < low.length; key++) {
      let level = low[key]!;
      while (level < high[key]!) {
        probe[key] = level + 1;
        if (this.#hopeless(probe, fine, coarse)) break;
        level++;
      }
      probe[key] = low[key]!;
      if (level === high[key]!) continue;
      cut ??= high.slice();
      cut[key] = level;
    }
    return cut;
  }

  /** Split at the key whose next level costs most, where the halves differ most; of equals, the one with most levels. */
  #split(low: Uint8Array, fine: ClassSummary, high: Uint8Array, coarse: ClassSummary): void {
    const probe = this.#probe;
    probe.set(low);
    let split = -1;
    let highestCost = -Infinity;
    for (let key = 0; key < low.length; key++) {
      if (low[key] === high[key]) continue;
      probe[key] = low[key]! + 1;
      this.#metric.bound(probe, fine, coarse, this.#bound);
      probe[key] = low[key]!;
      const cost = this.#bound[0]!;
      const more = split < 0 || cost > highestCost || (cost === highestCost && high[key]! - low[key]! > high[split]! - low[split]!);
      if (!more) continue;
      split = key;
      highestCost = cost;
    }
    const raised = low.slice();
    raised[split] = low[split]! + 1;
    this.#stack.push({ low: raised, lowChecked: false, fine, high, coarse });

    const lowered = high.slice();
    lowered[split] = low[split]!;
    const rolled = this.#rollUp(lowered);
    this.#offer(rolled);
    if (rolled.suppressed > this.#allowed || !this.#boundsBelow(rolled, low, fine)) {
      this.#decided += volume(low, lowered);
      return;
    }
    this.#stack.push({ low, lowChecked: true, fine, high: lowered, coarse: rolled });
  }

  /** Whether no generalization of a box can enter the list. */
  #hopeless(levels: Uint8Array, fine: ClassSummary, coarse: ClassSummary): boolean {
    if (!this.#best.full) return false;
    this.#metric.bound(levels, fine, coarse, this.#bound);
    return this.#best.excludes(this.#bound, coarse.suppressed, levels);
  }

  #offer(node: RolledUp): void {
    if (node.suppressed > this.#allowed) return;
    if (this.#metric.leastSuppressionCost !== undefined && node.suppressionCost === 0) {
      node.suppressionCost = this.#metric.leastSuppressionCost(node);
    }
    if (this.#hopeless(node.levels, node, node)) return;
    this.#best.offer(node);
  }

  #rollUp(levels: Uint8Array): RolledUp {
    this.#nodesChecked++;
    let source = this.#store.sourceFor(levels);
    for (let station = this.#stationFor(source, levels); station !== undefined; station = this.#stationFor(source, levels)) {
      this.#rollUpFrom(source, station);
      source = this.#store.sourceFor(levels);
    }
    return this.#rollUpFrom(source, levels);
  }

  #rollUpFrom(source: ClassTable, levels: Uint8Array): RolledUp {
    this.#classesVisited += source.size;
    if (this.#classesVisited > (this.#request.maxClassesVisited ?? DEFAULT_VISITS)) throw this.#tooLarge();
    const rolled = this.#tables.rollUp(source, levels, this.#request.k);
    if (this.#store.wants(rolled.size, rolled.words.length, source)) this.#store.keep(rolled.table());
    return rolled;
  }

  /**
   * On the way up from a large table: the generalization that raises, by one level, the key whose values become fewest by that.
   * Many others lie above it, and are rolled up from it at a fraction of the cost. Each is tried once.
   */
  #stationFor(source: ClassTable, levels: Uint8Array): Uint8Array | undefined {
    if (source.size < WORTH_STATIONS) return undefined;
    let raised = -1;
    let most = STATION_SHRINKAGE;
    let changes = 0;
    for (let key = 0; key < levels.length; key++) {
      const from = source.levels[key]!;
      changes += levels[key]! - from;
      if (levels[key] === from) continue;
      const shrinkage = this.#tables.shrinkage(key, from);
      if (shrinkage < most) continue;
      raised = key;
      most = shrinkage;
    }
    if (raised < 0 || changes < 2) return undefined;
    const station = source.levels.slice();
    station[raised] = station[raised]! + 1;
    const name = station.join();
    if (this.#stations.has(name)) return undefined;
    this.#stations.add(name);
    return station;
  }

  /** Make the highest generalization of a box ready to bound it. @returns false when it rules the box out. */
  #boundsBelow(high: RolledUp, low: Uint8Array, fine: ClassSummary): boolean {
    const metric = this.#metric;
    if (metric.suppressionCost === undefined) return true; // the box is about to be tried in any case
    if (this.#hopeless(low, fine, high)) return false; // as the cheap bound of `#offer` says
    high.suppressionCost = Math.max(high.suppressionCost, metric.suppressionCost(high));
    return true;
  }

  #tooLarge(): PolicyError {
    const limit = this.#request.maxClassesVisited ?? DEFAULT_VISITS;
    return new PolicyError(
      "k-anonymity/search-too-large",
      `The search for the best of ${this.#nodes} generalizations of ${this.#tables.base.size} classes was given up after ` +
        `${limit} looked-up classes. Leave fewer levels to choose from: set levels: {column: {min, max}} for some of ` +
        `${this.#request.cells.keys.map((key) => JSON.stringify(key)).join(", ")}, or give them shorter hierarchies.`,
      { nodes: this.#nodes, classes: this.#tables.base.size, keys: this.#request.cells.keys },
    );
  }
}

function levelRange(
  { cells, limits }: Pick<KAnonymitySearch, "cells" | "limits">, tables: ClassTables,
): { min: Uint8Array; max: Uint8Array } {
  const min = new Uint8Array(tables.keys);
  const max = tables.heights.slice();
  for (let key = 0; key < tables.keys; key++) {
    const lowest = limits?.[key]?.min ?? 0;
    const highest = limits?.[key]?.max ?? tables.heights[key]!;
    const inRange = Number.isInteger(lowest) && Number.isInteger(highest) && lowest >= 0 && highest <= tables.heights[key]!;
    if (!inRange || lowest > highest) {
      const column = cells.keys[key]!;
      throw new PolicyError(
        "k-anonymity/bad-levels",
        `Column ${JSON.stringify(column)} has levels 0 to ${tables.heights[key]!}; found limits ${lowest} to ${highest}. ` +
          "Give whole numbers within that range, the smaller first.",
        { column, lowest, highest, height: tables.heights[key]! },
      );
    }
    min[key] = lowest;
    max[key] = highest;
  }
  return { min, max };
}

function checkWeights(weights: readonly number[] | undefined, keys: number): void {
  if (weights === undefined) return;
  const usable = weights.length === keys && weights.every((weight) => Number.isFinite(weight) && weight >= 0);
  if (usable && weights.some((weight) => weight > 0)) return;
  throw new PolicyError(
    "k-anonymity/bad-weights",
    `Expected ${keys} weights, one for each key, at least 0 and not all 0; found ${weights.length}.`,
    { keys, weights: weights.length },
  );
}

function volume(low: Uint8Array, high: Uint8Array): number {
  let product = 1;
  for (let key = 0; key < low.length; key++) product *= high[key]! - low[key]! + 1;
  return product;
}
