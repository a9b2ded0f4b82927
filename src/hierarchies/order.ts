import { dictionaryText, type Dictionary } from "../columns/index.ts";
import { PolicyError } from "../errors/index.ts";
import { boundHierarchy, GroupCollector, refuseUnmapped, type DraftLevel } from "./bound.ts";
import type { BoundHierarchy, Hierarchy } from "./hierarchy.ts";

/** Consecutive values that become one. */
export interface OrderGroup {
  /** Number of values. */
  readonly size: number;
  /** Text of the group; "first to last" when left out. */
  readonly label?: string | undefined;
}

export interface OrderOptions {
  /** Every value of the domain, in order. */
  readonly values: readonly string[];
  /** Number of neighbouring values in a group at level 1, 2, ...; each a multiple of the one before. The last group may be smaller. */
  readonly groupSizes?: readonly number[] | undefined;
  /** Instead of `groupSizes`: the groups of level 1, 2, ... in order, covering all values. */
  readonly groups?: readonly (readonly OrderGroup[])[] | undefined;
  /** Add a level in which every value is "*"; true when left out. */
  readonly suppressAll?: boolean | undefined;
}

/** First value of each group and its text. */
interface Run {
  readonly start: number;
  readonly size: number;
  readonly label: string;
}

/**
 * Values in a stated order; neighbours are grouped. Share of a group: its values over all values, observed or not.
 * @throws PolicyError `hierarchy/bad-order`, `hierarchy/levels-do-not-nest`
 */
export function orderHierarchy(options: OrderOptions): Hierarchy {
  const { values } = options;
  const suppressAll = options.suppressAll ?? true;
  const position = new Map(values.map((value, i) => [value, i]));
  if (values.length === 0) throw bad("An order hierarchy needs at least one value.");
  if (position.size < values.length) throw bad(`${values.length - position.size} values of an order hierarchy occur twice.`);
  if ((options.groupSizes === undefined) === (options.groups === undefined)) {
    throw bad("An order hierarchy states either groupSizes or groups.");
  }
  const levels = options.groups?.map((groups, i) => explicitRuns(values, groups, i + 1))
    ?? options.groupSizes!.map((size, i) => equalRuns(values, size, i + 1));
  if (levels.length === 0) throw bad("An order hierarchy needs at least one level of groups.");
  levels.forEach((runs, i) => {
    checkLabels(runs, i + 1);
    const finer = levels[i - 1];
    if (finer !== undefined) checkNested(finer, runs, i + 1);
  });
  const groupAt = levels.map((runs) => {
    const groups = new Int32Array(values.length);
    runs.forEach((run, group) => groups.fill(group, run.start, run.start + run.size));
    return groups;
  });

  return {
    levels: 1 + levels.length + (suppressAll ? 1 : 0),
    levelNames: [
      "values", ...levels.map((runs, i) => (options.groupSizes ? `groups of ${options.groupSizes[i]}` : `${runs.length} groups`)),
      ...(suppressAll ? ["suppressed"] : []),
    ],
    bind(dictionary: Dictionary, column: string): BoundHierarchy {
      const positions = new Int32Array(dictionary.size);
      let unmapped = 0;
      for (let code = 0; code < dictionary.size; code++) {
        const known = position.get(dictionaryText(dictionary, code));
        if (known === undefined) unmapped++;
        else positions[code] = known;
      }
      refuseUnmapped(column, unmapped, dictionary.size, `the ${values.length} values that it lists`);
      const drafts = levels.map((runs, level): DraftLevel => {
        const groups = new GroupCollector<number>();
        const groupOf = positions.map((at) => {
          const run = groupAt[level]![at]!;
          return groups.group(run, () => ({ label: runs[run]!.label, leaves: runs[run]!.size }));
        });
        return { groupOf, labels: groups.labels, leaves: groups.leaves };
      });
      return boundHierarchy(column, dictionary, drafts, values.length, suppressAll);
    },
  };
}

function equalRuns(values: readonly string[], size: number, level: number): Run[] {
  if (!(Number.isSafeInteger(size) && size >= 1)) throw bad(`The group size of level ${level} must be a whole number of values.`);
  const runs: Run[] = [];
  for (let start = 0; start < values.length; start += size) {
    runs.push(run(values, start, Math.min(size, values.length - start), undefined));
  }
  return runs;
}

function explicitRuns(values: readonly string[], groups: readonly OrderGroup[], level: number): Run[] {
  const runs: Run[] = [];
  let start = 0;
  for (const group of groups) {
    if (!(Number.isSafeInteger(group.size) && group.size >= 1)) throw bad(`Every group of level ${level} must hold at least 1 value.`);
    if (start + group.size > values.length) break;
    runs.push(run(values, start, group.size, group.label));
    start += group.size;
  }
  if (start !== values.length || runs.length !== groups.length) {
    throw bad(`The groups of level ${level} must hold ${values.length} values together, as many as the order lists.`);
  }
  return runs;
}

function run(values: readonly string[], start: number, size: number, label: string | undefined): Run {
  const first = values[start]!;
  return { start, size, label: label ?? (size === 1 ? first : `${first} to ${values[start + size - 1]!}`) };
}

/** Borders of a level must be borders of the finer level, too. */
function checkNested(finer: readonly Run[], coarser: readonly Run[], level: number): void {
  const borders = new Set(finer.map((group) => group.start));
  if (coarser.every((group) => borders.has(group.start))) return;
  throw new PolicyError(
    "hierarchy/levels-do-not-nest",
    `A group of level ${level} begins inside a group of level ${level - 1}. Make each group a union of finer ones.`,
    { level },
  );
}

function checkLabels(runs: readonly Run[], level: number): void {
  if (new Set(runs.map((group) => group.label)).size < runs.length) throw bad(`Two groups of level ${level} have the same text.`);
}

function bad(message: string): PolicyError {
  return new PolicyError("hierarchy/bad-order", message);
}
