import { DictionaryBuilder, dictionaryTexts, type Dictionary } from "../../columns/index.ts";
import { PolicyError } from "../../errors/index.ts";
import type { Hierarchy } from "../../hierarchies/hierarchy.ts";

/** The group that records in no declared group are counted in, when the policy says so. */
export const OTHER = "other";

/** One level of a column's declared groups. */
export interface DeclaredLevel {
  readonly level: number;
  /** Texts of the groups, in the order they are released. */
  readonly groups: readonly string[];
  /** [groups of level 0] position in `groups` of the group that each level-0 group belongs to. */
  readonly of: readonly number[];
}

/** The groups of a column, known before any record is read. `levels[i].level` is i. */
export interface DeclaredColumn {
  readonly column: string;
  readonly levels: readonly DeclaredLevel[];
}

/**
 * Declare the groups of a column: a list from the policy, and with a hierarchy the coarser groups that it makes of them.
 * Nothing here may come from the data.
 *
 * @throws PolicyError `noisy-counts/groups` when the list is empty or names a group twice
 */
export function declareColumn(column: string, groups: readonly string[], hierarchy?: Hierarchy): DeclaredColumn {
  if (groups.length === 0) {
    throw new PolicyError(
      "noisy-counts/groups",
      `No groups are declared for column ${column}; list every group to publish.`,
      { column },
    );
  }
  const dictionary = DictionaryBuilder.from(groups);
  if (dictionary.size !== groups.length) {
    const repeated = groups.length - dictionary.size;
    throw new PolicyError(
      "noisy-counts/groups",
      `${repeated} of the ${groups.length} groups declared for column ${column} repeat earlier ones; list each ` +
        "group once.",
      { column, repeated },
    );
  }
  const levels: DeclaredLevel[] = [{ level: 0, groups: [...groups], of: groups.map((_, i) => i) }];
  if (hierarchy !== undefined) {
    const bound = hierarchy.bind(dictionary.freeze(), column);
    bound.levels.forEach(({ map, dictionary: texts }, level) => {
      if (level > 0) levels.push({ level, groups: dictionaryTexts(texts), of: Array.from(map) });
    });
  }
  return { column, levels };
}

/** The column with one more group, `other`, at every level; a group that already has the name takes that part. */
export function withOther(declared: DeclaredColumn): DeclaredColumn {
  const adds = !declared.levels[0]!.groups.includes(OTHER);
  const levels = declared.levels.map(({ level, groups, of }) => {
    const position = groups.indexOf(OTHER);
    const at = position >= 0 ? position : groups.length;
    return { level, groups: position >= 0 ? groups : [...groups, OTHER], of: adds ? [...of, at] : of };
  });
  // A declared level-0 group called other may lead to a coarser group of another name; then no coarser one is added.
  if (!adds) return declared;
  return { column: declared.column, levels };
}

/**
 * [codes] level-0 group of each value of the dictionary; values that are not declared, and null, become `elsewhere`.
 * Texts are compared as bytes, after the normalisation that the policy declares for the column.
 */
export function groupOfCode(dictionary: Dictionary, groups: readonly string[], elsewhere: number): Int32Array {
  const declared = DictionaryBuilder.from(groups);
  const group = new Int32Array(dictionary.size);
  for (let code = 0; code < dictionary.size; code++) {
    const found = declared.find(dictionary.bytes, dictionary.offsets[code]!, dictionary.offsets[code + 1]!);
    group[code] = found < 0 ? elsewhere : found;
  }
  return group;
}
