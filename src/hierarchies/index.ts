export { createHierarchy, type HierarchyRule, type TreeRule } from "./create.ts";
export { dateHierarchy, type DateLevel, type DateOptions } from "./date.ts";
export { parseHierarchyCsv } from "./hierarchy-csv.ts";
export type { BoundHierarchy, BoundLevel, Hierarchy } from "./hierarchy.ts";
export { intervalHierarchy, type IntervalOptions } from "./interval.ts";
export { orderHierarchy, type OrderGroup, type OrderOptions } from "./order.ts";
export { prefixHierarchy, type PrefixOptions } from "./prefix.ts";
export { suppressHierarchy } from "./suppress.ts";
export { treeHierarchy, type TreeOptions } from "./tree.ts";
