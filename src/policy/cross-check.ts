/** Rules between the parts of a policy, which no single field can state. */
import { closestName } from "../errors/index.ts";
import type { HierarchyDefinition } from "../hierarchies/schema.ts";
import type { NoisyCounts } from "../dp/noisy-counts/schema.ts";
import type { CellKey } from "../tables/cell-key/schema.ts";
import type { CellSuppression } from "../tables/cell-suppression/schema.ts";
import type { Problem } from "./messages.ts";
import { quoted, type Path } from "./notation.ts";
import { hierarchyOf, isDropped, type Policy } from "./policy.ts";
import type { ColumnPolicy, ParsedPolicy } from "./schema.ts";

type Microdata = Extract<ParsedPolicy["release"], { kind: "microdata" }>;
type Tables = Extract<ParsedPolicy["release"], { kind: "tables" }>;
type Report = (path: Path, message: string) => void;

/**
 * Fill in what follows from other parts (release name, keys) and report every contradiction.
 * The policy may be used only when no problem is returned.
 */
export function crossCheck(parsed: ParsedPolicy): { policy: Policy; problems: Problem[] } {
  const problems: Problem[] = [];
  const report: Report = (path, message) => void problems.push({ path, message });

  checkSource(parsed, report);
  checkColumns(parsed, report);
  checkHierarchies(parsed, report);
  checkOverrides(parsed, report);

  const { $schema: _, release, ...rest } = parsed;
  const name = release.name ?? parsed.dataset.name;
  if (new Set(release.formats).size < release.formats.length) report(["release", "formats"], "names a format twice.");
  if (release.kind === "tables") {
    checkTables(parsed, release, report);
    return { policy: { ...rest, release: { ...release, name } }, problems };
  }
  const keys = checkMicrodata(parsed, release, report);
  const protect = release.protect.map((method) => ({ ...method, keys: [...keys] }));
  return { policy: { ...rest, release: { ...release, name, protect } }, problems };
}

function checkSource({ source }: ParsedPolicy, report: Report): void {
  if (source?.delimiter === undefined) return;
  const binary = source.format === undefined ? /\.(?:arrow|arrows|feather|parquet)$/i.test(source.path) : source.format !== "csv";
  if (binary) report(["source", "delimiter"], "belongs to CSV files; this source is not one.");
}

function checkColumns(parsed: ParsedPolicy, report: Report): void {
  if (parsed.columns.size === 0) report(["columns"], "names no column. Give each column of the data a role.");
  const single = { weight: "", frequency: "", contributor: "", holding: "", request: "", "record-key": "" };
  for (const [name, column] of parsed.columns) {
    const path = ["columns", name];
    if (isDropped(column) && column.drop === false) {
      report([...path, "drop"], `a ${column.role} is never released, so drop cannot be false. Take drop away, or change the role.`);
    }
    if (column.role in single) {
      const role = column.role as keyof typeof single;
      if (single[role] !== "") report([...path, "role"], `only one column can be the ${role}; ${quoted(single[role])} is it already.`);
      single[role] = name;
    }
    const isTable = parsed.release.kind === "tables" && parsed.release.protect[0]!.method !== "noisy-counts";
    if (column.totals !== undefined && !isTable) report([...path, "totals"], "belongs to tables as input, for releases of tables with exact or changed counts.");
    if (new Set(column.normalise).size < column.normalise.length) report([...path, "normalise"], "names a step twice.");
    if (typeof column.hierarchy === "string" && !parsed.hierarchies.has(column.hierarchy)) {
      report([...path, "hierarchy"], notThere("hierarchy", column.hierarchy, parsed.hierarchies.keys(), "hierarchies"));
    }
  }
}

function checkHierarchies(parsed: ParsedPolicy, report: Report): void {
  const used = new Set([...parsed.columns.values()].map((column) => column.hierarchy));
  for (const column of parsed.columns.values()) {
    // A misspelt reference is told once, at the column.
    const close = typeof column.hierarchy === "string" ? closestName(column.hierarchy, parsed.hierarchies.keys()) : undefined;
    if (close !== undefined) used.add(close);
  }
  for (const name of parsed.hierarchies.keys()) {
    if (used.has(name)) continue;
    const wanting = [...parsed.columns].filter(([, column]) => column.hierarchy === undefined).map(([column]) => column);
    const close = closestName(name, wanting);
    const next = close === undefined ? "Take it away, or name it in a column." : `Was it meant for the column ${quoted(close)}?`;
    report(["hierarchies", name], `no column uses this hierarchy. ${next}`);
  }
}

function checkOverrides(parsed: ParsedPolicy, report: Report): void {
  const seen = new Set<string>();
  for (const [i, override] of parsed.overrides.entries()) {
    if (seen.has(override.requirement)) report(["overrides", i], `overrides ${override.requirement} a second time. Keep one of the two.`);
    seen.add(override.requirement);
  }
}

/** Returns the keys of the release: all its quasi-identifiers, in the order the policy names them, or by name. */
function checkMicrodata(parsed: ParsedPolicy, release: Microdata, report: Report): readonly string[] {
  for (const [name, column] of parsed.columns) {
    if (column.role !== "frequency" || column.drop === true) continue;
    report(
      ["columns", name, "role"],
      "a frequency column makes each record stand for several people, so records cannot be counted as persons. " +
        "Release tables, or expand the records.",
    );
  }
  const quasi = [...parsed.columns].filter(([, column]) => column.role === "quasi-identifier" && !isDropped(column)).map(([name]) => name);
  const method = release.protect[0]!;
  const path = ["release", "protect", 0];
  const keys = method.keys.length > 0 ? method.keys : quasi;

  for (const [i, key] of method.keys.entries()) {
    const at = [...path, "keys", i];
    const column = parsed.columns.get(key);
    if (column === undefined) report(at, notThere("column", key, parsed.columns.keys(), "columns"));
    else if (method.keys.indexOf(key) < i) report(at, `names ${quoted(key)} a second time.`);
    else if (column.role !== "quasi-identifier") {
      report(at, `${quoted(key)} has the role ${column.role}; a key must be a quasi-identifier. Change its role, or take it away here.`);
    } else if (isDropped(column)) report(at, `${quoted(key)} is dropped, so it cannot be a key. Take it away here.`);
  }
  const left = quasi.filter((name) => !keys.includes(name));
  if (left.length > 0) {
    report(
      [...path, "keys"],
      `leaves out the quasi-identifier ${left.map(quoted).join(", ")}. Classes are safe only over all released quasi-identifiers ` +
        "together: add it, drop the column, or change its role.",
    );
  }
  if (keys.length === 0 && parsed.columns.size > 0) {
    report(path, "k-anonymity needs at least one column with the role quasi-identifier. Give the columns that a neighbour might know that role.");
  }
  for (const [name, limits] of method.levels) {
    const at = [...path, "levels", name];
    if (!keys.includes(name)) {
      report(at, `${quoted(name)} is not a key. ${didYouMean(name, keys)}`.trim());
      continue;
    }
    if (limits.max !== undefined && limits.min > limits.max) report(at, `min (${limits.min}) must not be greater than max (${limits.max}).`);
    checkLevel(parsed, name, Math.max(limits.min, limits.max ?? 0), at, report);
  }
  return keys;
}

function checkTables(parsed: ParsedPolicy, release: Tables, report: Report): void {
  const names = new Set<string>();
  for (const [i, table] of release.tables.entries()) {
    const path = ["release", "tables", i];
    if (names.has(table.name)) report([...path, "name"], `a table before has the name ${quoted(table.name)} already.`);
    names.add(table.name);

    const columns = new Set<string>();
    for (const [d, { column: name, levels }] of table.dimensions.entries()) {
      const at = [...path, "dimensions", d];
      if (columns.has(name)) report(at, `${quoted(name)} is a dimension of this table already. List its levels in one place.`);
      columns.add(name);
      checkDimension(parsed, name, levels, at, report);
    }
    checkStatistics(parsed, table, path, report);
    if (typeof table.margins === "string") continue;
    const margins = new Set<string>();
    for (const [m, margin] of table.margins.entries()) {
      const at = [...path, "margins", m];
      for (const [c, name] of margin.entries()) {
        if (!columns.has(name)) report([...at, c], notThere("dimension", name, columns, "dimensions of this table"));
        else if (margin.indexOf(name) < c) report([...at, c], `names ${quoted(name)} a second time.`);
      }
      if (new Set(margin).size === columns.size) report(at, "keeps every dimension, so it is the table itself. Take it away.");
      const canonical = JSON.stringify([...margin].sort());
      if (margins.has(canonical)) report(at, "is listed already.");
      margins.add(canonical);
    }
  }
  const method = release.protect[0]!;
  if (method.method === "noisy-counts") checkNoisyCounts(parsed, release, method, report);
  if (method.method === "cell-key") checkRecordKeys(parsed, method, report);
  if (method.method === "cell-suppression") checkRules(parsed, release, method, report);
  if (method.method === "noisy-counts") {
    for (const [i, table] of release.tables.entries()) {
      const path = ["release", "tables", i];
      if (table.statistics.some(({ statistic }) => statistic !== "count")) {
        report([...path, "statistics"], "noisy-counts protects counts only. Take the other statistics away, or use cell-suppression.");
      }
      if (!table.sumRows) report([...path, "sumRows"], "is not offered with noisy-counts. List the margins that you want.");
      for (const [d, { groupings }] of table.dimensions.entries()) {
        if (groupings !== undefined) report([...path, "dimensions", d, "groupings"], "are not offered with noisy-counts. Use a hierarchy.");
      }
    }
  } else if (method.method !== "small-cells" && method.method !== "cell-suppression") checkChangedNumbers(release, method, report);
}

/** Methods that change counts: other figures are changed with them, or computed from what is shown beside them. */
function checkChangedNumbers(release: Tables, method: Exclude<Tables["protect"][number], { method: "small-cells" | "cell-suppression" | "noisy-counts" }>, report: Report): void {
  const changesSums = method.method === "cell-key";
  const scales = changesSums || (method.method === "rounding" && method.kind !== "controlled" && method.kind !== "drb" && !("totals" in method && method.totals === "summed"));
  for (const [i, table] of release.tables.entries()) {
    const path = ["release", "tables", i, "statistics"];
    const sums = new Set(table.statistics.flatMap((own) => (own.statistic === "sum" ? [own.of] : [])));
    const needsSum = (at: Path, measure: string): void => {
      if (sums.has(measure)) return;
      report(at, changesSums ? `is computed from the sum shown: add { statistic: sum, of: ${measure} }.` : `needs a changed sum of ${quoted(measure)}. ${noSums(method.method)}`);
    };
    if (!table.statistics.some(({ statistic }) => statistic === "count")) {
      report(path, `needs the count: with ${method.method}, other figures are computed from it, or are blank where it is shown as 0. Add count.`);
    }
    for (const [s, statistic] of table.statistics.entries()) {
      const at = [...path, s];
      switch (statistic.statistic) {
        case "sum":
          if (!changesSums) report(at, noSums(method.method));
          else if (method.magnitudes === undefined) report(["release", "protect", 0, "magnitudes"], `is missing: it says how sums such as that of ${quoted(statistic.of)} are changed.`);
          break;
        case "mean":
          needsSum([...at, "of"], statistic.of);
          break;
        case "median":
          report(at, `a median is the value of one or two records, and ${method.method} changes no values. Take it away, or use cell-suppression.`);
          break;
        case "percent":
          if (!table.sumRows) report(at, "is computed from totals, which the file does not list. Set sumRows: true, or take it away.");
          break;
        case "rate":
          for (const part of ["numerator", "denominator"] as const) if (statistic[part] !== "count") needsSum([...at, part], statistic[part]);
          break;
        case "weighted-count":
          if (!scales) {
            report(at, `${method.method === "rounding" ? "this kind of rounding" : method.method} has no weighted counts: scaled like the counts they would not add up. ` +
              "Use cell-key, or rounding to the nearest, to middles or at random with totals: rounded.");
          }
          break;
        case "count":
      }
    }
  }
  if (changesSums && method.magnitudes !== undefined && !release.tables.some(({ statistics }) => statistics.some(({ statistic }) => statistic === "sum"))) {
    report(["release", "protect", 0, "magnitudes"], "is for sums, and no table has one. Take it away, or add a sum.");
  }
}

function noSums(method: string): string {
  return `${method} changes counts and not sums. Use cell-key with magnitudes, or cell-suppression.`;
}

function checkRecordKeys(parsed: ParsedPolicy, { recordKeys }: CellKey, report: Report): void {
  const role = recordKeys.from === "column" ? "record-key" : "contributor";
  if ([...parsed.columns.values()].some((column) => column.role === role)) return;
  report(["release", "protect", 0, "recordKeys"], `needs a column with the role ${role}.`);
}

function checkStatistics(parsed: ParsedPolicy, table: Tables["tables"][number], path: Path, report: Report): void {
  const names = new Set<string>();
  const dimensions = new Set(table.dimensions.map(({ column }) => column));
  for (const [s, statistic] of table.statistics.entries()) {
    const at = [...path, "statistics", s];
    if (names.has(statistic.name)) report([...at, "name"], `a statistic before has the name ${quoted(statistic.name)} already.`);
    names.add(statistic.name);
    switch (statistic.statistic) {
      case "sum":
      case "mean":
      case "median":
        checkMeasure(parsed, statistic.of, [...at, "of"], report);
        break;
      case "rate":
        for (const part of ["numerator", "denominator"] as const) {
          if (statistic[part] !== "count") checkMeasure(parsed, statistic[part], [...at, part], report);
        }
        break;
      case "percent":
        for (const [i, name] of statistic.of.entries()) {
          if (!dimensions.has(name)) report([...at, "of", i], notThere("dimension", name, dimensions, "dimensions of this table"));
        }
        break;
      case "weighted-count":
        if (![...parsed.columns.values()].some(({ role }) => role === "weight")) report(at, "needs a column with the role weight.");
        break;
      case "count":
    }
  }
}

function checkMeasure(parsed: ParsedPolicy, name: string, at: Path, report: Report): void {
  const column = parsed.columns.get(name);
  if (column === undefined) return report(at, notThere("column", name, parsed.columns.keys(), "columns"));
  if (column.role !== "measure") report(at, `${quoted(name)} has the role ${column.role}; only a measure is added up. Change its role to use it here.`);
  else if (column.drop === true) report(at, `${quoted(name)} is dropped, so it cannot be added up.`);
}

function checkRules(parsed: ParsedPolicy, release: Tables, method: CellSuppression, report: Report): void {
  const has = (role: ColumnPolicy["role"]): boolean => [...parsed.columns.values()].some((column) => column.role === role);
  for (const [r, rule] of method.rules.entries()) {
    const at = ["release", "protect", 0, "rules", r];
    if ("of" in rule && rule.of !== undefined) checkMeasure(parsed, rule.of, [...at, "of"], report);
    if ("denominator" in rule && rule.denominator !== undefined) checkMeasure(parsed, rule.denominator, [...at, "denominator"], report);
    if ("by" in rule && rule.by === "holding" && !has("holding")) report([...at, "by"], "needs a column with the role holding.");
    if ("by" in rule && rule.by === "holding" && !has("contributor")) report([...at, "by"], "needs a column with the role contributor.");
    if (rule.rule === "contributors" && !has("contributor")) report(at, "needs a column with the role contributor, which tells whose record it is.");
    if (rule.rule === "request" && !has("request")) report(at, "needs a column with the role request: 1 or true where confidentiality was asked for.");
    if (rule.rule === "frequency" && rule.count === "weighted" && !has("weight")) report([...at, "count"], "needs a column with the role weight.");
    const named = rule.rule === "populations" ? (rule.tables ?? []) : rule.rule === "cells" ? [...rule.suppress, ...rule.publish].map(({ table }) => table) : [];
    const tables = release.tables.map(({ name }) => name);
    for (const name of named) if (!tables.includes(name)) report(at, notThere("table", name, tables, "tables"));
  }
}

function checkDimension(parsed: ParsedPolicy, name: string, levels: readonly number[] | "all", at: Path, report: Report): void {
  const column = parsed.columns.get(name);
  if (column === undefined) return report(at, notThere("column", name, parsed.columns.keys(), "columns"));
  switch (column.role) {
    case "direct-identifier":
    case "contributor":
    case "holding":
    case "request":
    case "record-key":
      return report(at, `${quoted(name)} is a ${column.role} and is never released, so it cannot be a dimension.`);
    case "measure":
    case "weight":
    case "frequency":
      return report(at, `${quoted(name)} is a ${column.role}, which is added up; a dimension groups records. Change its role to use it here.`);
    default:
  }
  if (column.drop === true) return report(at, `${quoted(name)} is dropped, so it cannot be a dimension.`);
  if (levels !== "all") checkLevel(parsed, name, Math.max(...levels), at, report);
}

function checkNoisyCounts(parsed: ParsedPolicy, release: Tables, method: NoisyCounts, report: Report): void {
  const path = ["release", "protect", 0];
  const dimensions = new Set(release.tables.flatMap((table) => table.dimensions.map((dimension) => dimension.column)));
  for (const name of dimensions) {
    const column = parsed.columns.get(name);
    if (column === undefined || method.groups.has(name)) continue;
    const hierarchy = hierarchyOf(parsed, column);
    if (hierarchy !== undefined && declaresValues(hierarchy)) continue;
    report(
      [...path, "groups"],
      `declares no groups for the dimension ${quoted(name)}. Noisy counts are given for declared groups only, since that a group ` +
        "occurs in the data would itself tell something: list them here, or give the column a hierarchy that lists its values.",
    );
  }
  for (const [name, groups] of method.groups) {
    const at = [...path, "groups", name];
    if (!dimensions.has(name)) report(at, `${quoted(name)} is not a dimension of any table. ${didYouMean(name, dimensions)}`.trim());
    const first = new Map<string, number>();
    for (const [i, group] of groups.entries()) {
      const before = first.get(group);
      if (before === undefined) first.set(group, i);
      else report([...at, i], `is the same group as entry ${before + 1}. Keep one of the two.`);
    }
  }

  const roleOf = (role: ColumnPolicy["role"]) => [...parsed.columns].find(([, column]) => column.role === role);
  if (method.privacyUnit === "contributor" && roleOf("contributor") === undefined) {
    report(
      [...path, "privacyUnit"],
      "contributor needs a column with the role contributor, which tells whose record it is. Name it, or write privacyUnit: record " +
        "if every person has exactly one record.",
    );
  }
  if (method.privacyUnit === "record" && method.maxRecordsPerContributor !== 1) {
    report([...path, "maxRecordsPerContributor"], "must be 1 when the privacy unit is a record. Use privacyUnit: contributor to bound more.");
  }
  for (const role of ["weight", "frequency"] as const) {
    const column = roleOf(role);
    if (column === undefined || column[1].drop === true) continue;
    report(
      ["columns", column[0], "role"],
      `noisy counts count records; with a ${role} one person could change them by any amount. Set drop: true, or use small-cells.`,
    );
  }
}

/** Whether the hierarchy itself lists every value, so that the data need not be asked. */
export function declaresValues(hierarchy: HierarchyDefinition): boolean {
  return hierarchy.kind === "order" || hierarchy.kind === "tree";
}

/** Number of the coarsest level; undefined where only the hierarchy's file tells. */
export function lastLevel(hierarchy: HierarchyDefinition | undefined): number | undefined {
  if (hierarchy === undefined) return 0;
  switch (hierarchy.kind) {
    case "interval":
      return hierarchy.widths.length + Number(hierarchy.suppressAll);
    case "order":
      return (hierarchy.groupSizes ?? hierarchy.groups!).length + Number(hierarchy.suppressAll);
    case "date":
      return hierarchy.levels.length + Number(hierarchy.suppressAll);
    case "prefix":
      return hierarchy.keep.length + Number(hierarchy.suppressAll);
    case "tree": {
      if (hierarchy.inline === undefined) return undefined;
      const ends = new Set(hierarchy.inline.map((line) => line.at(-1)));
      const suppressed = ends.size === 1 && ends.has("*");
      const adds = hierarchy.suppressAll === undefined ? ends.size > 1 : hierarchy.suppressAll && !suppressed;
      return hierarchy.inline[0]!.length - 1 + Number(adds);
    }
    case "suppress":
      return 1;
  }
}

function checkLevel(parsed: ParsedPolicy, name: string, level: number, at: Path, report: Report): void {
  const column = parsed.columns.get(name);
  if (column === undefined || (typeof column.hierarchy === "string" && !parsed.hierarchies.has(column.hierarchy))) return;
  const hierarchy = hierarchyOf(parsed, column);
  const last = lastLevel(hierarchy);
  if (last === undefined || level <= last) return;
  const why = hierarchy === undefined ? "has no hierarchy, so only level 0" : `has levels 0 to ${last}`;
  report(at, `asks for level ${level}, but the column ${quoted(name)} ${why}.`);
}

function notThere(what: string, name: string, candidates: Iterable<string>, where: string): string {
  return `there is no ${what} ${quoted(name)} under ${where}. ${didYouMean(name, candidates)}`.trim();
}

function didYouMean(name: string, candidates: Iterable<string>): string {
  const close = closestName(name.slice(0, 100), candidates);
  return close === undefined ? "" : `Did you mean ${quoted(close)}?`;
}
