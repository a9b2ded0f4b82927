import { closestName, DataError, PolicyError } from "../errors/index.ts";
import type { HierarchyDefinition } from "../hierarchies/schema.ts";
import { quoted } from "./notation.ts";
import { neededColumns } from "./needed-columns.ts";
import { hierarchyOf, isDropped, type Policy } from "./policy.ts";
import { ColumnPolicy } from "./schema.ts";

/** What a column is read for. */
export type ColumnUse =
  /** Microdata: a key of the classes, released at the level that the plan chooses. */
  | "key"
  /** Microdata: released as it is. */
  | "released"
  /** Tables: a dimension. */
  | "dimension"
  /** Sampling weight or number of people a record stands for; not a dimension, added up. */
  | "weight"
  | "frequency"
  /** A number that is added up over the records of a cell. */
  | "measure"
  /** Whose record it is; bounds contributions, never released. */
  | "contributor"
  /** Group of contributors, and whether the contributor asked for confidentiality; never released. */
  | "holding"
  | "request"
  /** Random number of the record for the cell-key method; never released. */
  | "record-key";

export interface ResolvedColumn {
  readonly name: string;
  /** Position in the source. */
  readonly position: number;
  readonly use: ColumnUse;
  /** How the source must decode it. */
  readonly as: "codes" | "numbers";
  /** Defaults where the policy does not mention the column (otherColumns: keep). */
  readonly column: ColumnPolicy;
  readonly hierarchy?: HierarchyDefinition | undefined;
}

export interface ResolvedColumns {
  /** What a pass decodes, in the order of the source. Everything else is never decoded. */
  readonly read: readonly ResolvedColumn[];
  /** Names of the columns that are not read, in the order of the source. */
  readonly dropped: readonly string[];
}

/**
 * Lay the policy on the columns that the data have.
 *
 * @throws PolicyError policy/columns when the policy names columns that the data do not have, or the data have columns that
 *         the policy does not mention and otherColumns is error; DataError policy/duplicate-column; DataError
 *         policy/no-header when no column of the policy is there, without naming what was found instead, since a file
 *         without a header begins with values
 */
export function applyPolicyToColumns(policy: Policy, source: readonly { readonly name: string }[]): ResolvedColumns {
  const position = new Map(source.map(({ name }, i) => [name, i]));
  const named = [...policy.columns.keys()];
  const missing = named.filter((name) => !position.has(name));
  if (missing.length === named.length) {
    throw new DataError(
      "policy/no-header",
      `None of the ${named.length} columns of the policy is among the ${source.length} columns of the data. ` +
        "Check that the file is the right one, that it begins with a line of column names, and its delimiter.",
      { columns: source.length },
    );
  }
  if (position.size < source.length) {
    const twice = source.find(({ name }, i) => position.get(name) !== i)!.name;
    throw new DataError("policy/duplicate-column", `The data have the column ${quoted(twice)} twice. Rename one of the two.`, { column: twice });
  }
  const unknown = source.map(({ name }) => name).filter((name) => !policy.columns.has(name));
  const refused = policy.otherColumns === "error" ? unknown : [];
  if (missing.length > 0 || refused.length > 0) throw mismatch(missing, refused, unknown);

  const tables = policy.release.kind === "tables" ? policy.release.tables : [];
  const dimensions = new Set(tables.flatMap((table) => table.dimensions.map((dimension) => dimension.column)));
  const read: ResolvedColumn[] = [];
  const dropped: string[] = [];
  for (const [i, { name }] of source.entries()) {
    const column = policy.columns.get(name) ?? unmentioned(policy);
    const use = column === undefined ? undefined : useOf(policy, name, column, dimensions);
    if (column === undefined || use === undefined) {
      dropped.push(name);
      continue;
    }
    const numeric = column.role === "measure" || column.role === "record-key" || column.role === "weight" || column.role === "frequency";
    const hierarchy = hierarchyOf(policy, column);
    read.push({ name, position: i, use, as: numeric ? "numbers" : "codes", column, ...(hierarchy !== undefined && { hierarchy }) });
  }
  return { read, dropped };
}

/** Settings of a column that the policy does not mention; undefined when such columns are left out. */
function unmentioned(policy: Policy): ColumnPolicy | undefined {
  return policy.otherColumns === "keep" ? ColumnPolicy.parse({ role: "other" }) : undefined;
}

/** Undefined for columns that need not be read. */
function useOf(policy: Policy, name: string, column: ColumnPolicy, dimensions: ReadonlySet<string>): ColumnUse | undefined {
  const { release } = policy;
  if (release.kind === "microdata") {
    if (isDropped(column)) return undefined;
    return column.role === "quasi-identifier" ? "key" : "released";
  }
  const needed = neededColumns(policy);
  if (column.role === "contributor") return needed.contributor ? "contributor" : undefined;
  if (column.role === "holding") return needed.holding ? "holding" : undefined;
  if (column.role === "request") return needed.request ? "request" : undefined;
  if (column.role === "record-key") return needed.recordKey ? "record-key" : undefined;
  if (isDropped(column)) return undefined;
  if (needed.measures.has(name)) return "measure";
  if (column.role === "weight" || column.role === "frequency") return column.role;
  return dimensions.has(name) ? "dimension" : undefined;
}

function mismatch(missing: readonly string[], refused: readonly string[], unknown: readonly string[]): PolicyError {
  const sentences: string[] = [];
  for (const name of missing) {
    const close = closestName(name, unknown);
    const next = close === undefined ? "" : ` Did you mean ${quoted(close)}?`;
    sentences.push(`The policy names the column ${quoted(name)}, which the data do not have.${next}`);
  }
  if (refused.length > 0) {
    const list = refused.slice(0, 10).map(quoted).join(", ");
    const more = refused.length > 10 ? ` and ${refused.length - 10} more` : "";
    sentences.push(
      `The data have ${refused.length === 1 ? "a column" : `${refused.length} columns`} that the policy does not mention: ${list}${more}. ` +
        "Give each a role under columns, or set otherColumns to drop or keep.",
    );
  }
  return new PolicyError("policy/columns", sentences.join("\n"), { missing: [...missing], notMentioned: [...refused] });
}
