import { byteOrderRanks, DictionaryBuilder, type Dictionary } from "../columns/index.ts";
import { DataError, InternalError } from "../errors/index.ts";
import type { BoundHierarchy, BoundLevel } from "./hierarchy.ts";

/** A level above the values, before its own values are put in order. */
export interface DraftLevel {
  /** [leaf codes] group of each value. */
  readonly groupOf: Int32Array;
  /** [groups] text of each group; no text occurs twice. */
  readonly labels: readonly string[];
  /** [groups] leaves (or units of width) of the domain in each group. */
  readonly leaves: readonly number[];
}

/** Text of the level in which nothing is told apart. */
export const SUPPRESSED = "*";

/**
 * Put the levels of a bound hierarchy together: the values themselves, the drafts, and the level "*" when asked for.
 * @param leaves leaves (or units of width) of the whole domain
 * @throws DataError `hierarchy/not-nested` when values that share a group part at a higher level.
 */
export function boundHierarchy(
  column: string, dictionary: Dictionary, drafts: readonly DraftLevel[], leaves: number, suppressAll: boolean,
): BoundHierarchy {
  const all = suppressAll ? [...drafts, suppressedLevel(dictionary.size, leaves)] : drafts;
  for (let level = 1; level < all.length; level++) checkNested(column, level + 1, all[level - 1]!, all[level]!);
  const identity: BoundLevel = {
    map: Int32Array.from({ length: dictionary.size }, (_, code) => code),
    dictionary,
    share: new Float64Array(dictionary.size).fill(1 / leaves),
  };
  return { column, levels: [identity, ...all.map((draft) => sortedLevel(draft, leaves))], leaves };
}

/** Every value in the one group "*". */
function suppressedLevel(values: number, leaves: number): DraftLevel {
  return values === 0
    ? { groupOf: new Int32Array(0), labels: [], leaves: [] }
    : { groupOf: new Int32Array(values), labels: [SUPPRESSED], leaves: [leaves] };
}

function checkNested(column: string, level: number, finer: DraftLevel, coarser: DraftLevel): void {
  const parent = new Int32Array(finer.labels.length).fill(-1);
  let parted = 0;
  for (let code = 0; code < finer.groupOf.length; code++) {
    const group = finer.groupOf[code]!;
    if (parent[group] === -1) parent[group] = coarser.groupOf[code]!;
    else if (parent[group] !== coarser.groupOf[code]) parted++;
  }
  if (parted > 0) {
    throw new DataError(
      "hierarchy/not-nested",
      `The hierarchy of column "${column}" does not nest: ${parted} values share a group at level ${level - 1} and part at `
        + `level ${level}. Give every group of level ${level - 1} one place at level ${level}.`,
      { column, level, parted },
    );
  }
}

/** Codes in byte order of their texts, so that they do not show the order of the input. */
function sortedLevel(draft: DraftLevel, leaves: number): BoundLevel {
  const unsorted = DictionaryBuilder.from(draft.labels);
  if (unsorted.size !== draft.labels.length) {
    throw new InternalError("hierarchy/label-twice", "Two groups of one level of a hierarchy have the same text.");
  }
  const ranks = byteOrderRanks(unsorted);
  const texts: string[] = Array.from({ length: ranks.length }, () => "");
  const share = new Float64Array(ranks.length);
  for (let group = 0; group < ranks.length; group++) {
    texts[ranks[group]!] = draft.labels[group]!;
    share[ranks[group]!] = draft.leaves[group]! / leaves;
  }
  return { map: draft.groupOf.map((group) => ranks[group]!), dictionary: DictionaryBuilder.from(texts).freeze(), share };
}

/** Collects groups in order of first sight. */
export class GroupCollector<Id> {
  readonly labels: string[] = [];
  readonly leaves: number[] = [];
  readonly #groups = new Map<Id, number>();

  /** Group of an id; `describe` gives text and leaves of a new one. */
  group(id: Id, describe: () => { label: string; leaves: number }): number {
    const known = this.#groups.get(id);
    if (known !== undefined) return known;
    const group = this.labels.length;
    const { label, leaves } = describe();
    this.#groups.set(id, group);
    this.labels.push(label);
    this.leaves.push(leaves);
    return group;
  }
}

/** @throws DataError `hierarchy/unmapped` when there are unmapped values; `expected` says what the hierarchy covers. */
export function refuseUnmapped(column: string, unmapped: number, values: number, expected: string): void {
  if (unmapped === 0) return;
  throw new DataError(
    "hierarchy/unmapped",
    `The hierarchy of column "${column}" does not cover ${unmapped} of its ${values} distinct values. `
      + `Expected ${expected}. Extend the hierarchy, or list the texts that mean null under nulls.`,
    { column, unmapped, distinct: values },
  );
}
