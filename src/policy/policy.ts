import type { HierarchyDefinition } from "../hierarchies/schema.ts";
import type { ColumnPolicy, ParsedPolicy, PolicyInput } from "./schema.ts";

type Named<Release> = Release extends unknown ? Omit<Release, "name"> & { readonly name: string } : never;

/** A policy as the code receives it: defaults filled in, cross-checked, the same for YAML, JSON and objects. */
export interface Policy extends Omit<ParsedPolicy, "$schema" | "release"> {
  /** `name` is filled in from the dataset, `keys` of k-anonymity from the roles. */
  readonly release: Named<ParsedPolicy["release"]>;
}

/** Gives a policy written in TypeScript its types. */
export function definePolicy(input: PolicyInput): PolicyInput {
  return input;
}

/** The hierarchy of a column: named ones looked up, inline ones as they are. */
export function hierarchyOf(policy: Pick<Policy, "hierarchies">, column: ColumnPolicy): HierarchyDefinition | undefined {
  return typeof column.hierarchy === "string" ? policy.hierarchies.get(column.hierarchy) : column.hierarchy;
}

/** Roles of columns that no release shows. */
export const NEVER_RELEASED: ReadonlySet<ColumnPolicy["role"]> = new Set(["direct-identifier", "contributor", "holding", "request", "record-key"]);

/** Direct identifiers and contributor ids are never released, whatever else a policy says. */
export function isDropped(column: ColumnPolicy): boolean {
  return NEVER_RELEASED.has(column.role) || column.drop === true;
}
