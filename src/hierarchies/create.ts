import { PolicyError } from "../errors/index.ts";
import { dateHierarchy, type DateOptions } from "./date.ts";
import { parseHierarchyCsv } from "./hierarchy-csv.ts";
import type { Hierarchy } from "./hierarchy.ts";
import { intervalHierarchy, type IntervalOptions } from "./interval.ts";
import { orderHierarchy, type OrderOptions } from "./order.ts";
import { prefixHierarchy, type PrefixOptions } from "./prefix.ts";
import { suppressHierarchy } from "./suppress.ts";
import { treeHierarchy, type TreeOptions } from "./tree.ts";

/** A hierarchy as plain data, as a policy states it. The policy's schema gives a subset of these. */
export type HierarchyRule =
  | ({ readonly kind: "interval" } & IntervalOptions)
  | ({ readonly kind: "order" } & OrderOptions)
  | ({ readonly kind: "date" } & DateOptions)
  | ({ readonly kind: "prefix" } & PrefixOptions)
  | TreeRule
  | { readonly kind: "suppress" };

/** Either `path` to a CSV file without header, or the lines themselves. */
export interface TreeRule extends TreeOptions {
  readonly kind: "tree";
  readonly path?: string | undefined;
  /** Of the file; "," when left out. */
  readonly delimiter?: string | undefined;
  readonly inline?: readonly (readonly string[])[] | undefined;
}

/**
 * The hierarchy that a rule describes.
 * @param readText text of the file at a path that a rule names; its errors pass through unchanged
 * @throws PolicyError `hierarchy/...` when the rule contradicts itself.
 */
export function createHierarchy(rule: HierarchyRule, readText?: (path: string) => string): Hierarchy {
  switch (rule.kind) {
    case "interval":
      return intervalHierarchy(rule);
    case "order":
      return orderHierarchy(rule);
    case "date":
      return dateHierarchy(rule);
    case "prefix":
      return prefixHierarchy(rule);
    case "suppress":
      return suppressHierarchy();
    case "tree":
      return treeHierarchy(treeLines(rule, readText), rule);
    default:
      throw new PolicyError(
        "hierarchy/unknown-kind", "A hierarchy is of kind interval, order, date, prefix, tree or suppress.",
      );
  }
}

function treeLines(rule: TreeRule, readText: ((path: string) => string) | undefined): readonly (readonly string[])[] {
  if ((rule.inline === undefined) === (rule.path === undefined)) {
    throw new PolicyError("hierarchy/bad-tree", "A tree hierarchy names its file (path) or lists its lines (inline): one of the two.");
  }
  if (rule.inline !== undefined) return rule.inline;
  if (readText === undefined) {
    throw new PolicyError("hierarchy/bad-tree", "A tree hierarchy names a file, and files cannot be read here. List its lines inline.");
  }
  return parseHierarchyCsv(readText(rule.path!), rule.delimiter ?? ",");
}
