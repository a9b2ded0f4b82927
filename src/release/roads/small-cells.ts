import { rollUp } from "../../cells/index.ts";
import { dictionaryText } from "../../columns/index.ts";
import type { Survey } from "../../engines/local/index.ts";
import { DisclosureError } from "../../errors/index.ts";
import type { BoundHierarchy } from "../../hierarchies/index.ts";
import type { Policy } from "../../policy/index.ts";
import { auditTables, HIDDEN, HIDDEN_COMPLEMENTARY, SHOWN, type AuditColumn, type AuditTable } from "../../tables/audit/index.ts";
import { planSmallCells, type SmallCellsPlan, type SmallCellsRule } from "../../tables/small-cells/index.ts";
import type { SmallCells } from "../../tables/small-cells/schema.ts";
import { tabulate, type TableSpec, type TableSystem } from "../../tables/tabulate/index.ts";
import type { NewHasher } from "../../sources/hasher.ts";
import { bindHierarchies, hierarchyFor, recodingOf } from "../columns.ts";
import { check, type Check } from "../evidence.ts";
import type { Decision } from "../plan-value.ts";
import { measuredRisk } from "./measured.ts";
import { effectiveValue } from "../require.ts";
import { decisionRefused, type Road } from "../road.ts";
import { ANNOTATION, describeTable, readTable, TOTAL, writeTable, type ReadBackRow, type TableLayout } from "./table-layout.ts";

/** What was decided: the rule, and the categories that the tables show; never which cells, never counts. */
interface SmallCellsDecision extends Decision {
  readonly method: "small-cells";
  readonly rule: SmallCellsRule;
  readonly mergedBecause?: string | undefined;
  readonly cells: SmallCellsPlan["cells"];
  /** SHA-256 over which rows of each table are blank: which cells protect others depends on hidden counts, so the rule alone does not say. */
  readonly blanks: string;
  readonly dimensions: readonly DecidedDimension[];
}

interface DecidedDimension {
  readonly column: string;
  /** Places of the dimension, the total first; `parent` is the index of the place that holds it, -1 at the total. */
  readonly places: readonly { readonly level: number; readonly label: string | null; readonly parent: number }[];
}

interface Tabulated {
  readonly system: TableSystem;
  readonly bound: ReadonlyMap<string, BoundHierarchy>;
  readonly planned: SmallCellsPlan;
}

/** What planning tabulated, for the apply that follows in the same run. */
const tabulated = new WeakMap<Survey, Tabulated>();

/** Tables of counts with small cells suppressed so that they cannot be computed back. */
export const smallCellsRoad: Road = {
  method: "small-cells",

  survey(policy, columns) {
    const keys = columns.read.filter(({ use }) => use === "dimension");
    const frequency = columns.read.find(({ use }) => use === "frequency")?.name;
    return { keys: keys.map(({ name }) => ({ name, recoding: recodingOf(policy, name) })), measures: [], ...(frequency === undefined ? {} : { frequency }) };
  },

  measure(policy, survey) {
    const sensitive = survey.keys.filter(({ name }) => policy.columns.get(name)?.role === "sensitive").length;
    return measuredRisk(survey.cells, survey.keys.length, sensitive);
  },

  async plan(context, survey): Promise<SmallCellsDecision> {
    const done = await tabulateAndPlan(context.policy, survey, ruleOf(context.policy, context.requirements), context.signal);
    tabulated.set(survey, done);
    return decisionOf(done, context.platform.newHasher);
  },

  checkDecision(context, decision) {
    const { method, rule, cells, blanks, dimensions } = decision as Partial<SmallCellsDecision>;
    const asked = ruleOf(context.policy, context.requirements);
    const isAsked =
      typeof rule === "object" && rule !== null && rule.threshold === asked.threshold && rule.zeros === asked.zeros && rule.interval === asked.interval &&
      (rule.codes === asked.codes || rule.codes === "merged") && rule.jointSums === "protect" && rule.singletons === "protect";
    if (method !== "small-cells" || !isAsked) throw decisionRefused("states another rule than policy and requirements");
    if (typeof cells !== "object" || cells === null || typeof blanks !== "string") throw decisionRefused("does not say which cells are hidden");
    const columns = [...new Set(tablesOf(context.policy).flatMap((table) => table.dimensions.map(({ column }) => column)))].sort();
    const sound = Array.isArray(dimensions) && dimensions.length === columns.length && dimensions.every((dimension, d) => isSoundDimension(dimension, columns[d]!));
    if (!sound) throw decisionRefused("does not list the categories of each dimension");
  },

  async apply(context, input) {
    const { policy } = context;
    const decision = input.decision as SmallCellsDecision;
    const done = tabulated.get(input.survey) ?? (await tabulateAndPlan(policy, input.survey, ruleOf(policy, context.requirements), context.signal));
    if (JSON.stringify(decisionOf(done, context.platform.newHasher)) !== JSON.stringify(decision)) {
      throw new DisclosureError("plan/not-reproduced", "The planned rule, categories or hidden cells do not come out again. Nothing was published. Plan again.");
    }
    const { system, planned, bound } = done;
    const separate = decision.rule.codes === "separate";
    const layouts = layoutsOf(policy);
    for (const [t, table] of system.tables.entries()) {
      const count = new Float64Array(table.rows);
      const annotation = new Uint8Array(table.rows);
      for (let row = 0; row < table.rows; row++) {
        const cell = table.cell[row]!;
        const state = cell < 0 ? 0 : planned.pattern[cell]!;
        count[row] = state === 0 ? table.count[row]! : NaN;
        annotation[row] = state === 0 ? SHOWN : separate ? state : HIDDEN;
      }
      await writeTable(input.output, policy.release.formats, layouts[t]!, {
        rows: table.rows,
        count,
        annotation,
        place: (row, d) => {
          const level = table.level[d]![row]!;
          const code = table.codes[d]![row]!;
          const label = level === TOTAL || code < 0 ? null : dictionaryText(bound.get(table.dimensions[d]!.column)!.levels[level]!.dictionary, code);
          return { level, label };
        },
      });
      context.progress({ phase: "apply", done: t + 1, total: system.tables.length, unit: "steps" });
    }
  },

  describe(policy, decision) {
    const { rule } = decision as SmallCellsDecision;
    const separate = rule.codes === "separate";
    const zeros = rule.zeros === "publish" ? "A count of 0 is a true zero." : "Counts of 0 are hidden as well.";
    return {
      tables: layoutsOf(policy).map((layout) =>
        describeTable(policy, layout, "Number of people or records in the category.", {
          count: `hidden to protect people; see ${ANNOTATION}`,
          annotations: [
            { value: "0", label: "shown" },
            ...(separate
              ? [{ value: "1", label: "hidden: small number" }, { value: "2", label: "hidden to protect a small number elsewhere" }]
              : [{ value: "1", label: "hidden: small number, or hidden to protect one" }]),
          ],
        }),
      ),
      methods: [
        `Counts ${rule.zeros === "publish" ? "from 1" : "from 0"} to ${rule.threshold - 1} are not shown (primary suppression). Further counts are hidden with them ` +
          "(complementary suppression), chosen so that no hidden small count can be computed from the numbers shown: " +
          `somebody who knows all of them can still not narrow it to fewer than ${rule.interval} possible values.`,
        `A hidden count is a blank, with the reason in the column ${ANNOTATION}. ${zeros} ` +
          (separate ? "" : "The annotation does not tell a small count from one hidden to protect it, since that would narrow what a small count can be."),
        "Shown counts are exact. A blank is not a zero: leave it out, and read totals from their own rows, which say (total) and " +
          "include what is hidden.",
        "The protection takes into account what is in these files. Other releases about the same people, or knowledge of some of " +
          "them, can narrow a hidden count further.",
      ].map((text) => text.trim()),
    };
  },

  async verify(context, { decision }, reader) {
    const { policy } = context;
    const { rule, dimensions } = decision as SmallCellsDecision;
    const interval = effectiveValue(context.requirements, "minimum-interval");
    const threshold = effectiveValue(context.requirements, "minimum-frequency");
    const checks: Check[] = [];
    const layouts = layoutsOf(policy);
    let blanks = 0;
    let first: string | undefined;
    for (const format of policy.release.formats) {
      const tables: ReadBackRow[][] = [];
      for (const layout of layouts) tables.push(await readTable(reader, layout, format));
      const alike = JSON.stringify(tables) === (first ??= JSON.stringify(tables));
      let small = 0;
      let misfits = 0;
      for (const row of tables.flat()) {
        const isCount = row.count !== null && /^(0|[1-9]\d{0,15})$/.test(row.count);
        const expected = row.count === null ? ["1", "2"].slice(0, rule.codes === "separate" ? 2 : 1) : ["0"];
        if ((row.count !== null && !isCount) || !expected.includes(row.annotation ?? "")) misfits++;
        const count = Number(row.count);
        if (isCount && count < threshold && (count > 0 || rule.zeros === "protect")) small++;
      }
      checks.push(
        check(`${format}/cells`, "a count or an annotated blank in every cell", misfits === 0 ? "every cell" : `${misfits} others`, misfits === 0),
        check(`${format}/alike`, "the same rows in every format", alike ? "the same" : "different", alike),
        check(`${format}/small-counts`, `no count below ${threshold} shown`, small === 0 ? "none" : small, small === 0, "minimum-frequency"),
      );
      const blank = tables.map((rows) => Uint8Array.from(rows, ({ count }) => (count === null ? 1 : 0)));
      const asPlanned = blanksHash(blank, context.platform.newHasher) === (decision as SmallCellsDecision).blanks;
      checks.push(check(`${format}/blanks`, "blank where the plan says so", asPlanned ? "as planned" : "other cells", asPlanned));
      if (misfits > 0) continue;
      const audit = await auditTables(attackFrom(layouts, tables, dimensions, rule), { interval, signal: context.signal });
      blanks = audit.blanks;
      checks.push(
        check(
          `${format}/feasible-intervals`, `at least ${interval} possible values for every hidden small count`,
          audit.safe ? `${audit.blanks} blanks, all safe` : `${audit.unsafe.length} of ${audit.blanks} blanks unsafe`,
          audit.safe, "minimum-interval",
        ),
        check(`${format}/derivable`, "no hidden small count can be computed", audit.safe ? "none" : audit.unsafe.filter(({ min, max }) => !(max > min)).length, audit.safe, "complementary-suppression"),
      );
    }
    const identifiers = layouts.flatMap((layout) => layout.dimensions).filter(({ column }) => ["direct-identifier", "contributor"].includes(policy.columns.get(column)?.role ?? ""));
    checks.push(check("identifiers", "no direct identifier", identifiers.length === 0 ? "none" : identifiers.length, identifiers.length === 0, "direct-identifiers-removed"));
    return { checks, risk: { hiddenCells: blanks } };
  },
};

/** The total first; every other place lies in the total or in a place of a coarser level. */
function isSoundDimension(dimension: unknown, column: string): boolean {
  const { column: named, places } = (dimension ?? {}) as Partial<DecidedDimension>;
  if (named !== column || !Array.isArray(places)) return false;
  return (places as unknown[]).every((place, i) => {
    const { level, label, parent } = (place ?? {}) as Partial<DecidedDimension["places"][number]>;
    if (i === 0) return level === TOTAL && label === null && parent === -1;
    if (!Number.isSafeInteger(level) || level! < 0 || !(label === null || typeof label === "string")) return false;
    const above = Number.isSafeInteger(parent) && parent! >= 0 ? (places[parent!] as DecidedDimension["places"][number] | undefined) : undefined;
    return above !== undefined && (parent === 0 || above.level > level!);
  });
}

function ruleOf(policy: Policy, requirements: Parameters<typeof effectiveValue>[0]): Pick<SmallCellsRule, "threshold" | "zeros" | "interval" | "codes"> {
  const { zeros, codes } = policy.release.protect[0] as SmallCells;
  return {
    threshold: effectiveValue(requirements, "minimum-frequency"),
    interval: effectiveValue(requirements, "minimum-interval"),
    zeros,
    codes,
  };
}

async function tabulateAndPlan(
  policy: Policy, survey: Survey, rule: ReturnType<typeof ruleOf>, signal: AbortSignal | undefined,
): Promise<Tabulated> {
  const names = survey.keys.map(({ name }) => name);
  const bound = new Map(bindHierarchies(policy, survey, names).map((hierarchy) => [hierarchy.column, hierarchy]));
  const system = tabulate(rollUp(survey.cells, names.map(() => null)), bound, specsOf(policy), { zeros: rule.zeros });
  return { system, bound, planned: await planSmallCells(system, rule, auditTables, signal) };
}

function decisionOf({ system, bound, planned }: Tabulated, newHasher: NewHasher): SmallCellsDecision {
  const blanks = system.tables.map(({ rows, cell }) => Uint8Array.from({ length: rows }, (_, row) => (cell[row]! >= 0 && planned.pattern[cell[row]!] !== 0 ? 1 : 0)));
  return {
    method: "small-cells",
    rule: planned.rule,
    ...(planned.mergedBecause === undefined ? {} : { mergedBecause: planned.mergedBecause }),
    cells: planned.cells,
    blanks: blanksHash(blanks, newHasher),
    dimensions: system.columns.map((dimension) => ({
      column: dimension.column,
      places: Array.from({ length: dimension.size }, (_, place) => {
        const level = dimension.level[place]!;
        const code = dimension.code[place]!;
        const label = level === TOTAL || code < 0 ? null : dictionaryText(bound.get(dimension.column)!.levels[level]!.dictionary, code);
        return { level, label, parent: dimension.parent[place]! };
      }),
    })),
  };
}

/** @param blanks [tables][rows] 1 where the row's count is blank */
function blanksHash(blanks: readonly Uint8Array[], newHasher: NewHasher): string {
  const hasher = newHasher();
  for (const rows of blanks) {
    hasher.update(new TextEncoder().encode(`${rows.length}\n`));
    hasher.update(rows);
  }
  return hasher.digest();
}

function specsOf(policy: Policy): TableSpec[] {
  return tablesOf(policy).map(({ name, dimensions, margins }) => ({
    name,
    dimensions: dimensions.map(({ column, levels }) => ({ column, levels: levelsOf(policy, column, levels) })),
    margins: margins === "all" ? "all" : margins === "none" ? [dimensions.map(({ column }) => column)] : margins,
  }));
}

function levelsOf(policy: Policy, column: string, levels: readonly number[] | "all"): readonly number[] {
  if (levels !== "all") return levels;
  const hierarchy = hierarchyFor(policy, column);
  return Array.from({ length: hierarchy?.levels ?? 1 }, (_, level) => level);
}

function tablesOf({ release }: Policy): Extract<Policy["release"], { kind: "tables" }>["tables"] {
  if (release.kind !== "tables") throw new DisclosureError("release/kind", "This release has no tables.");
  return release.tables;
}

function layoutsOf(policy: Policy): TableLayout[] {
  return tablesOf(policy).map(({ name, title, description, dimensions }) => ({
    name,
    title,
    description,
    dimensions: dimensions.map(({ column, levels }) => ({ column, levels: levelsOf(policy, column, levels) })),
    annotated: true,
  }));
}

/** The attacker's view, from nothing but the files and the structure of their categories. */
function attackFrom(
  layouts: readonly TableLayout[], tables: readonly (readonly ReadBackRow[])[], dimensions: readonly DecidedDimension[], rule: SmallCellsRule,
): Parameters<typeof auditTables>[0] {
  const columns = dimensions.map(({ column, places }): AuditColumn => ({
    column,
    size: places.length,
    level: Int32Array.from(places, ({ level }) => level),
    parent: Int32Array.from(places, ({ parent }) => parent),
  }));
  const placeOf = dimensions.map(({ places }) => new Map(places.map(({ level, label }, place) => [placeKey(level, label), place])));
  return {
    columns,
    tables: layouts.map((layout, t): AuditTable => {
      const rows = tables[t]!;
      const columnOf = layout.dimensions.map(({ column }) => dimensions.findIndex((dimension) => dimension.column === column));
      return {
        name: layout.name,
        columnOf,
        rows: rows.length,
        places: columnOf.map((k, d) =>
          Int32Array.from(rows, ({ places }) => {
            const place = placeOf[k]!.get(placeKey(places[d]!.level, places[d]!.label));
            if (place === undefined) throw new DisclosureError("verify/unknown-category", `Table ${layout.name} has a category that was not planned.`);
            return place;
          }),
        ),
        count: Float64Array.from(rows, ({ count }) => (count === null ? NaN : Number(count))),
        mark: Uint8Array.from(rows, ({ annotation }) => (annotation === "2" ? HIDDEN_COMPLEMENTARY : annotation === "1" ? HIDDEN : SHOWN)),
      };
    }),
    threshold: rule.threshold,
    zeros: rule.zeros,
    codes: rule.codes,
  };
}

function placeKey(level: number, label: string | null): string {
  return `${level}:${label === null ? "" : `=${label}`}`;
}
