import type { Recoding } from "../columns/index.ts";
import type { Survey } from "../engines/local/index.ts";
import { createHierarchy, type BoundHierarchy, type Hierarchy } from "../hierarchies/index.ts";
import { hierarchyOf, type ColumnPolicy, type Policy, type ResolvedColumns } from "../policy/index.ts";
import type { ReleaseFormat } from "../sinks/index.ts";
import type { ColumnRequest } from "../sources/source.ts";
import { InternalError } from "../errors/index.ts";

/** A column that `otherColumns: keep` releases without the policy mentioning it. */
const UNMENTIONED: ColumnPolicy = { role: "other", type: "string", nulls: [""], nullMeaning: "category", normalise: [] };

export function columnPolicy(policy: Policy, name: string): ColumnPolicy {
  return policy.columns.get(name) ?? UNMENTIONED;
}

export function recodingOf(policy: Policy, name: string): Recoding {
  const { nulls, normalise, nullMeaning, type } = columnPolicy(policy, name);
  return { nulls, normalise, nullMeaning, type };
}

/** The column's hierarchy; without one, values stay as they are. Trees are inline in a plan's policy. */
export function hierarchyFor(policy: Policy, name: string): Hierarchy | undefined {
  const definition = hierarchyOf(policy, columnPolicy(policy, name));
  return definition === undefined ? undefined : createHierarchy(definition);
}

/**
 * The hierarchy of each surveyed key over the values that occur; keys without one have the single level 0.
 * @throws DataError when a hierarchy does not know a value.
 */
export function bindHierarchies(policy: Policy, survey: Survey, names: readonly string[]): BoundHierarchy[] {
  return names.map((name) => {
    const key = survey.keys.find((candidate) => candidate.name === name);
    if (key === undefined) throw new InternalError("release/key-not-surveyed", "A key was not part of the first reading.");
    const hierarchy = hierarchyFor(policy, name);
    if (hierarchy !== undefined) return hierarchy.bind(key.dictionary, name);
    const { dictionary } = key;
    const leaves = Math.max(1, dictionary.size);
    const map = Int32Array.from({ length: dictionary.size }, (_, code) => code);
    return { column: name, leaves, levels: [{ map, dictionary, share: new Float64Array(dictionary.size).fill(1 / leaves) }] };
  });
}

/** Name of each level of a column, for people. */
export function levelNames(policy: Policy, name: string): readonly string[] {
  return hierarchyFor(policy, name)?.levelNames ?? ["as in the data"];
}

/** Numbers that are not compared are read as numbers: a dictionary of them would grow with the records. */
export function isReadAsNumber(policy: Policy, column: ResolvedColumns["read"][number]): boolean {
  const { role, type } = columnPolicy(policy, column.name);
  if (column.use === "key" || column.use === "dimension" || column.use === "contributor") return false;
  return role === "measure" || role === "weight" || role === "frequency" || type === "integer" || type === "number";
}

/** The formats of data that a policy asks for, without the forms for people. */
export function dataFormats({ release }: Policy): ReleaseFormat[] {
  return (release.formats as readonly (ReleaseFormat | "crosstab" | "html")[]).filter(
    (format): format is ReleaseFormat => format !== "crosstab" && format !== "html",
  );
}

/** How the corridor reads each column of the policy, in every reading. */
export function readRequests(policy: Policy, columns: ResolvedColumns): ColumnRequest[] {
  return columns.read.map((column) =>
    isReadAsNumber(policy, column)
      ? { name: column.name, as: "numbers", nulls: column.column.nulls }
      : { name: column.name, as: "codes" },
  );
}
