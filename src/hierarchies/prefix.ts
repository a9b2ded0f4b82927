import { dictionaryText, type Dictionary } from "../columns/index.ts";
import { PolicyError } from "../errors/index.ts";
import { boundHierarchy, GroupCollector, type DraftLevel } from "./bound.ts";
import type { BoundHierarchy, Hierarchy } from "./hierarchy.ts";

export interface PrefixOptions {
  /** Leading characters kept at level 1, 2, ...; each fewer than the one before, at least 1. */
  readonly keep: readonly number[];
  /** Character put in place of each one taken away, "*" when left out; "" cuts the value off instead. */
  readonly mask?: string | undefined;
  /** Add a level in which every value is "*"; true when left out. */
  readonly suppressAll?: boolean | undefined;
}

/**
 * Codes lose characters (Unicode code points) from their end: 90210, 9021*, 902**.
 *
 * Values may differ in length. With a mask they keep their length, so 902 and 90210 stay apart at keep = 3 (902, 902**)
 * and a value that is short enough stays as it is; with mask "" both become 902. A value that holds the mask character
 * itself may join masked ones; levels nest all the same, because a text determines the shorter ones.
 * Share: values of the dictionary that have the text over all its values.
 *
 * @throws PolicyError `hierarchy/bad-prefix`, `hierarchy/levels-do-not-nest`
 */
export function prefixHierarchy(options: PrefixOptions): Hierarchy {
  const { keep } = options;
  const mask = options.mask ?? "*";
  const suppressAll = options.suppressAll ?? true;
  if ([...mask].length > 1) throw bad("mask of a prefix hierarchy is one character, or empty.");
  if (keep.length === 0) throw bad("A prefix hierarchy needs at least one level.");
  keep.forEach((characters, i) => {
    if (!(Number.isSafeInteger(characters) && characters >= 1)) throw bad(`keep of level ${i + 1} must be at least 1 character.`);
    if (i > 0 && characters >= keep[i - 1]!) {
      throw new PolicyError(
        "hierarchy/levels-do-not-nest", `Level ${i + 1} of a prefix hierarchy must keep fewer characters than level ${i}.`,
        { level: i + 1 },
      );
    }
  });

  return {
    levels: 1 + keep.length + (suppressAll ? 1 : 0),
    levelNames: [
      "values", ...keep.map((n) => (n === 1 ? "first character" : `first ${n} characters`)), ...(suppressAll ? ["suppressed"] : []),
    ],
    bind(dictionary: Dictionary, column: string): BoundHierarchy {
      const values = Array.from({ length: dictionary.size }, (_, code) => [...dictionaryText(dictionary, code)]);
      const drafts = keep.map((characters): DraftLevel => {
        const groups = new GroupCollector<string>();
        const leaves: number[] = [];
        const groupOf = Int32Array.from(values, (value) => {
          const taken = Math.max(0, value.length - characters);
          const label = value.slice(0, characters).join("") + mask.repeat(taken);
          const group = groups.group(label, () => ({ label, leaves: 0 }));
          leaves[group] = (leaves[group] ?? 0) + 1;
          return group;
        });
        return { groupOf, labels: groups.labels, leaves };
      });
      return boundHierarchy(column, dictionary, drafts, dictionary.size, suppressAll);
    },
  };
}

function bad(message: string): PolicyError {
  return new PolicyError("hierarchy/bad-prefix", message);
}
