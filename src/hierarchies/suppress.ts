import type { Dictionary } from "../columns/index.ts";
import { boundHierarchy } from "./bound.ts";
import type { BoundHierarchy, Hierarchy } from "./hierarchy.ts";

/** Two levels: the value, and "*". Leaves are the values of the dictionary. */
export function suppressHierarchy(): Hierarchy {
  return {
    levels: 2,
    levelNames: ["values", "suppressed"],
    bind: (dictionary: Dictionary, column: string): BoundHierarchy =>
      boundHierarchy(column, dictionary, [], dictionary.size, true),
  };
}
