import { DisclosureError, PolicyError } from "../../errors/index.ts";
import type { Policy } from "../../policy/index.ts";
import type { NewHasher } from "../../sources/hasher.ts";
import { auditTables, HIDDEN, HIDDEN_COMPLEMENTARY, SHOWN, type AuditTable, type ToldByCodes, type ValueCounts } from "../../tables/audit/index.ts";
import { planCellSuppression, toldByCodes } from "../../tables/cell-suppression/index.ts";
import { placeLabel, type PublishedTable } from "../../tables/tabulate/index.ts";
import { describeRules, onlyContributors, ruleNeeds, type RuleInput } from "../../tables/primary-rules/index.ts";
import type { PrimaryRule } from "../../tables/primary-rules/schema.ts";
import { suppressByHypercubes } from "../../tables/hypercube/index.ts";
import { suppressOptimally } from "../../tables/optimal-suppression/index.ts";
import { planSmallCells, type SmallCellsOptions, type SmallCellsPlan, type SmallCellsRule, type TableAudit } from "../../tables/small-cells/index.ts";
import type { DescribedTables } from "../../tables/published-files/index.ts";
import { roundedRatio, statisticColumn } from "../../tables/statistics/index.ts";
import type { Survey } from "../../engines/local/index.ts";
import { dataFormats } from "../columns.ts";
import { check, type Check } from "../evidence.ts";
import type { Decision } from "../plan-value.ts";
import { effectiveValue } from "../require.ts";
import { decisionRefused, type Road } from "../road.ts";
import { describedTables } from "./described-tables.ts";
import { explainHidden } from "./explain.ts";
import { warnIfFewShown } from "./few-shown.ts";
import { measuredRisk } from "./measured.ts";
import { readingNotes } from "./reading-notes.ts";
import { annotationColumn, checkReadable, describeTable, identifiersCheck, readTable, writeTable, type ReadBackRow, type TableLayout, type ValueColumn } from "./table-layout.ts";
import {
  auditColumns, contributionsTo, decidedDimensions, dimensionColumns, dimensionsAlone, expectedRows, isSoundDimension, listedRows, placeKey, placeOfRow, placesByKey,
  sensitiveOf, shownLayout, shownRows, statisticValueColumn, tableLayouts, tablesOf, tablesSurvey, tabulateSurvey, type DecidedDimension, type Tabulated,
} from "./tabulated.ts";

/** What was decided: the rule, and the categories that the tables show; never which cells, never counts. */
export interface SuppressionDecision extends Decision {
  readonly method: "small-cells" | "cell-suppression";
  readonly rule: SmallCellsRule;
  readonly mergedBecause?: string | undefined;
  readonly cells: SmallCellsPlan["cells"];
  /** Present where hardly a cell is shown. */
  readonly warnings?: readonly string[] | undefined;
  /** SHA-256 over which rows of each table are blank: which cells protect others depends on hidden counts, so the rule alone does not say. */
  readonly blanks: string;
  readonly dimensions: readonly DecidedDimension[];
}

interface Planned extends Tabulated {
  readonly planned: SmallCellsPlan;
}

/** What planning tabulated, for the apply that follows in the same run. */
const tabulated = new WeakMap<Survey, Planned>();

/**
 * What a table is attacked with where its files show less: totals that they do not list, counts that other numbers stand in
 * for, how many records have a value where means tell of it. Hidden numbers are blank here as well; it is kept so that
 * verification need not take the plan's word.
 */
interface KeptTable {
  /** Under internal/. */
  readonly folder: string;
  readonly layout: TableLayout;
  /** Columns that come first and that the files do not have: the count where true, then numbers of values. */
  readonly counts: boolean;
  /** Measures of which means are shown, in the order of the columns. */
  readonly measures: readonly string[];
}

/** A table as it is attacked. */
interface AttackedTable {
  readonly layout: TableLayout;
  readonly rows: readonly ReadBackRow[];
  /** Which of the values is the count. */
  readonly countAt: number;
  /** Which of the values say how many records have a value, by measure. */
  readonly valuesAt: ReadonlyMap<string, number>;
}

/** Nothing is hidden in the row, and it has no number: means, medians or shares of nobody. */
const NO_DATA = 3;

const COUNT = { statistic: "count", name: "count" } as const;

function keptTable({ sumRows, statistics, dimensions }: ReturnType<typeof tablesOf>[number], layout: TableLayout): KeptTable | undefined {
  const counts = !statistics.some(({ statistic }) => statistic === "count");
  const measures = meansOf(statistics);
  if (!counts && measures.length === 0) return sumRows ? undefined : { folder: "with-totals", layout, counts, measures };
  const taken = new Set([...statistics.map(({ name }) => name), ...dimensions.flatMap(({ column }) => [column, `${column}_level`])]);
  const named = (stem: string): string => {
    let name = stem;
    while (taken.has(name)) name += "_";
    taken.add(name);
    return name;
  };
  const more: ValueColumn[] = counts ? [{ name: named("count"), type: "integer", description: "Number of people or records in the category." }] : [];
  for (const measure of measures) more.push({ name: named(`values_of_${measure}`), type: "integer", description: `Number of records that have a value of ${measure}.` });
  return { folder: "with-counts", layout: { ...layout, values: [...more, ...layout.values] }, counts, measures };
}

/** Measures of which a table shows a mean. */
function meansOf(statistics: ReturnType<typeof tablesOf>[number]["statistics"]): string[] {
  return [...new Set(statistics.flatMap((own) => (own.statistic === "mean" ? [own.of] : [])))].sort();
}

/** Tables of which cells are left blank so that what they hide cannot be computed back. */
export const suppressionRoad: Omit<Road, "method"> = {
  addsUp: true,
  survey: tablesSurvey,

  measure(policy, survey) {
    return measuredRisk(dimensionsAlone(survey, policy), dimensionColumns(policy).length, sensitiveOf(policy, survey));
  },

  async plan(context, survey): Promise<SuppressionDecision> {
    const done = await tabulateAndPlan(context.policy, survey, ruleOf(context.policy, context.requirements), context.signal);
    tabulated.set(survey, done);
    return decisionOf(context.policy, done, context.platform.newHasher);
  },

  checkDecision(context, decision) {
    const { method, rule, cells, blanks, dimensions } = decision as Partial<SuppressionDecision>;
    const asked = ruleOf(context.policy, context.requirements);
    const isAsked =
      typeof rule === "object" && rule !== null && rule.threshold === asked.threshold && rule.zeros === asked.zeros && rule.interval === asked.interval &&
      (rule.codes === asked.codes || rule.codes === "merged") && rule.jointSums === asked.jointSums && rule.singletons === asked.singletons;
    if (method !== context.policy.release.protect[0]!.method || !isAsked) throw decisionRefused("states another rule than policy and requirements");
    if (typeof cells !== "object" || cells === null || typeof blanks !== "string") throw decisionRefused("does not say which cells are hidden");
    const columns = dimensionColumns(context.policy);
    const sound = Array.isArray(dimensions) && dimensions.length === columns.length && dimensions.every((dimension, d) => isSoundDimension(dimension, columns[d]!));
    if (!sound) throw decisionRefused("does not list the categories of each dimension");
  },

  async apply(context, input) {
    const { policy } = context;
    const decision = input.decision as SuppressionDecision;
    const done = tabulated.get(input.survey) ?? (await tabulateAndPlan(policy, input.survey, ruleOf(policy, context.requirements), context.signal));
    if (JSON.stringify(decisionOf(policy, done, context.platform.newHasher)) !== JSON.stringify(decision)) {
      throw new DisclosureError("plan/not-reproduced", "The planned rule, categories or hidden cells do not come out again. Nothing was published. Plan again.");
    }
    const { system, planned } = done;
    const separate = decision.rule.codes === "separate";
    const specs = tablesOf(policy);
    const layouts = layoutsOf(policy);
    const hidden = planned.pattern.map((state) => (state === 0 ? 0 : 1));
    for (const [t, table] of system.tables.entries()) {
      const { statistics, sumRows } = specs[t]!;
      const values = statistics.map((statistic) => statisticColumn(system, table, statistic, done.inputs, hidden));
      const annotation = new Uint8Array(table.rows);
      for (let row = 0; row < table.rows; row++) {
        const cell = table.cell[row]!;
        const state = cell < 0 ? 0 : planned.pattern[cell]!;
        const isEmpty = state === 0 && values.every((column) => Number.isNaN(column[row]!));
        annotation[row] = isEmpty ? NO_DATA : state === 0 ? SHOWN : separate ? state : HIDDEN;
      }
      const write = async (
        output: typeof input.output, layout: TableLayout, columns: readonly Float64Array[], rows: Int32Array, formats: Policy["release"]["formats"],
      ): Promise<void> => {
        await writeTable(output, formats, layout, {
          rows: rows.length,
          values: columns.map((column) => Float64Array.from(rows, (row) => column[row]!)),
          annotation: Uint8Array.from(rows, (row) => annotation[row]!),
          place: (row, d) => placeOfRow(done, table, rows[row]!, d),
        });
      };
      await write(input.output, shownLayout(layouts[t]!, sumRows), values, shownRows(table, sumRows), policy.release.formats);
      const kept = keptTable(specs[t]!, layouts[t]!);
      if (kept !== undefined) {
        const columns = [
          ...(kept.counts ? [statisticColumn(system, table, COUNT, done.inputs, hidden)] : []),
          ...kept.measures.map((measure) => valuesByRow(done, table, measure, hidden)),
          ...values,
        ];
        const output = { create: (path: string) => input.output.createInternal(`${kept.folder}/${path}`) } as typeof input.output;
        await write(output, kept.layout, columns, shownRows(table, true), ["csv"]);
      }
      context.progress({ phase: "apply", done: t + 1, total: system.tables.length, unit: "steps" });
    }
  },

  internalFiles(policy) {
    const layouts = layoutsOf(policy);
    return tablesOf(policy).flatMap((spec, t) => {
      const kept = keptTable(spec, layouts[t]!);
      return kept === undefined ? [] : [`internal/${kept.folder}/${spec.name}.csv`];
    });
  },

  describe(policy, decision) {
    const { rule } = decision as SuppressionDecision;
    const separate = rule.codes === "separate";
    const method = policy.release.protect[0]!;
    const zeros = rule.zeros === "publish" ? "A count of 0 is a true zero." : "Counts of 0 are hidden as well.";
    const byAnyRule = (toldOf(policy, rule.threshold)?.hiddenMost ?? 0) >= rule.threshold;
    const specs = tablesOf(policy);
    const withoutTotals = specs.some(({ sumRows }) => !sumRows);
    const layouts = layoutsOf(policy).map((layout, t) => shownLayout(layout, specs[t]!.sumRows));
    const annotations = [...new Set(layouts.map(annotationColumn))];
    return {
      tables: layouts.map((layout) =>
        describeTable(policy, layout, {
          hidden: `hidden to protect people; see ${annotationColumn(layout)}`,
          annotations: [
            { value: "0", label: "shown" },
            ...(separate
              ? [{ value: "1", label: byAnyRule ? "hidden by a rule, such as the one on small numbers" : "hidden: small number" }, { value: "2", label: "hidden to protect another number" }]
              : [{ value: "1", label: "hidden: small number, or hidden to protect one" }]),
            ...(layout.values.every(({ missing }) => missing !== undefined) ? [{ value: String(NO_DATA), label: "no data" }] : []),
          ],
        }),
      ),
      methods: [
        `Counts ${rule.zeros === "publish" ? "from 1" : "from 0"} to ${rule.threshold - 1} are not shown (primary suppression). Further counts are hidden with them ` +
          "(complementary suppression), chosen so that no hidden small count can be computed from the numbers shown: " +
          `somebody who knows all of them can still not narrow it to fewer than ${rule.interval} possible values.`,
        ...(method.method === "cell-suppression" ? describeRules(method.rules.filter((own) => !isPlainFrequency(own))) : []),
        ...(specs.some(({ statistics }) => statistics.length > 1)
          ? ["All numbers of a row are hidden together, and every number that a hidden one enters, such as a percentage of a hidden total, is hidden with it."]
          : []),
        `A hidden count is a blank, with the reason in the column ${annotations.join(" or ")}. ${zeros} ` +
          (separate ? "" : "The annotation does not tell a small count from one hidden to protect it, since that would narrow what a small count can be."),
        withoutTotals
          ? "Shown counts are exact. A blank is not a zero: leave it out. Sums over rows leave out what is hidden; totals are not listed " +
            "in these files, and may be taken from where they are published."
          : "Shown counts are exact. A blank is not a zero: leave it out, and read totals from their own rows, which say (total) and " +
            "include what is hidden.",
        `The protection takes into account what is in these files${withoutTotals ? " and the totals that they leave out" : ""}. ` +
          "Other releases about the same people, or knowledge of some of them, can narrow a hidden count further.",
        ...readingNotes(policy, (decision as SuppressionDecision).dimensions),
      ].map((text) => text.trim()),
      described: describedTables(policy, layouts, (decision as SuppressionDecision).dimensions, describedRule(policy, rule)),
    };
  },

  async explain(context, survey, question) {
    const done = await tabulateAndPlan(context.policy, survey, ruleOf(context.policy, context.requirements), context.signal);
    return explainHidden(context.policy, done, question, context.signal);
  },

  async verify(context, { decision }, reader) {
    const { policy } = context;
    const { rule, dimensions, blanks: plannedBlanks } = decision as SuppressionDecision;
    const interval = effectiveValue(context.requirements, "minimum-interval");
    const threshold = effectiveValue(context.requirements, "minimum-frequency");
    const checks: Check[] = [];
    const specs = tablesOf(policy);
    const full = layoutsOf(policy);
    const shown = full.map((layout, t) => shownLayout(layout, specs[t]!.sumRows));
    const expected = expectedRows(policy, dimensions);
    let blanks = 0;
    let first: string | undefined;
    for (const format of dataFormats(policy)) {
      const published: ReadBackRow[][] = [];
      for (const layout of shown) published.push(await readTable(reader, layout, format));
      const alike = JSON.stringify(published) === (first ??= JSON.stringify(published));
      const complete = published.every((rows, t) => listedRows(rows) === expected[t]);
      let small = 0;
      let misfits = 0;
      published.forEach((rows, t) => {
        const countAt = specs[t]!.statistics.findIndex(({ statistic }) => statistic === "count");
        for (const row of rows) {
          if (!isSoundRow(row, specs[t]!.statistics, rule.codes, isDifference(row, shown[t]!, dimensions))) misfits++;
          const count = row.values[countAt];
          const size = Math.abs(Number(count ?? NaN));
          if (size < threshold && (size > 0 || rule.zeros === "protect")) small++;
        }
      });
      checks.push(
        check(`${format}/cells`, "a count or an annotated blank in every cell", misfits === 0 ? "every cell" : `${misfits} others`, misfits === 0),
        check(`${format}/rows`, "every combination of categories once, in order", complete ? "every one" : "others", complete),
        check(`${format}/alike`, "the same rows in every format", alike ? "the same" : "different", alike),
        check(`${format}/small-counts`, `no count below ${threshold} shown`, small === 0 ? "none" : small, small === 0, "minimum-frequency"),
      );
      if (format === dataFormats(policy)[0]) for (const [t, layout] of shown.entries()) checks.push(...(await checkReadable(reader, policy, layout, published[t]!)));
      // Totals that are published elsewhere, and counts that other numbers stand in for, are taken as known to readers.
      const tables: ReadBackRow[][] = [];
      const attacked: AttackedTable[] = [];
      for (const [t, rows] of published.entries()) {
        const kept = keptTable(specs[t]!, full[t]!);
        const all = kept === undefined ? rows : await readTable(reader, kept.layout, "csv", `internal/${kept.folder}`);
        tables.push(all);
        const own = specs[t]!.statistics.findIndex(({ statistic }) => statistic === "count");
        const measures = kept?.measures ?? [];
        const added = (kept?.counts === true ? 1 : 0) + measures.length;
        const countAt = kept?.counts === true ? 0 : own + added;
        attacked.push({ layout: kept?.layout ?? full[t]!, rows: all, countAt, valuesAt: new Map(measures.map((measure, m) => [measure, added - measures.length + m])) });
        if (kept === undefined) continue;
        const finest = specs[t]!.sumRows ? all : all.filter(({ places }) => places.every(({ level }, d) => level === shown[t]!.dimensions[d]!.levels[0]));
        const comparable = added > 0 ? finest.map((row) => ({ ...row, values: row.values.slice(added) })) : finest;
        const same = JSON.stringify(comparable) === JSON.stringify(rows);
        const what = added > 0 ? "counts" : "totals";
        checks.push(check(`${format}/${specs[t]!.name}/${what}`, `the rows that were protected with their ${what}`, same ? "the same" : "different", same));
        const leading = Array.from({ length: added }, () => COUNT);
        const annotated = (row: ReadBackRow): string | null => (row.annotation === String(NO_DATA) ? "0" : row.annotation);
        misfits += all.filter((row) => !isSoundRow({ ...row, annotation: annotated(row), values: row.values.slice(0, added) }, leading, rule.codes, isDifference(row, kept.layout, dimensions))).length;
        if (measures.length > 0) {
          const few = all.reduce((n, row) => n + row.values.slice(added - measures.length, added).filter((text) => isFew(Math.abs(Number(text ?? 0)), text !== null, threshold, rule.zeros)).length, 0);
          checks.push(check(`${format}/${specs[t]!.name}/values`, `means of at least ${threshold} values`, few === 0 ? "all" : `${few} of fewer`, few === 0, "minimum-frequency"));
        }
      }
      for (const [t, table] of attacked.entries()) {
        if (!specs[t]!.statistics.some(({ statistic }) => statistic === "percent")) continue;
        const wrong = wrongPercentages(table, specs[t]!, attacked);
        checks.push(check(`${format}/${specs[t]!.name}/percentages`, "those of the counts that were protected", wrong === 0 ? "every one" : `${wrong} others`, wrong === 0));
      }
      const blank = tables.map((rows) => Uint8Array.from(rows, ({ annotation }) => (annotation === "0" || annotation === String(NO_DATA) ? 0 : 1)));
      const asPlanned = blanksHash(blank, context.platform.newHasher) === plannedBlanks;
      checks.push(check(`${format}/blanks`, "blank where the plan says so", asPlanned ? "as planned" : "other cells", asPlanned));
      if (misfits > 0) continue;
      const audit = await auditTables(attackFrom(attacked, dimensions, { ...rule, told: toldOf(policy, rule.threshold) }), { interval, values: valuesIn(attacked), signal: context.signal });
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
    checks.push(identifiersCheck(policy, full));
    return { checks, risk: { hiddenCells: blanks, ...warnIfFewShown((decision as SuppressionDecision).cells, rule) } };
  },
};

/** The frequency rule in records, which the requirement of the same name states. */
function isPlainFrequency(rule: PrimaryRule): rule is Extract<PrimaryRule, { rule: "frequency" }> {
  return rule.rule === "frequency" && rule.of === undefined && rule.count === "records";
}

/** Blank throughout with a code, or shown with 0; means over nobody may be blank in a shown row. */
function isSoundRow(
  row: ReadBackRow, statistics: ReturnType<typeof tablesOf>[number]["statistics"], codes: SmallCellsRule["codes"], isDifference: boolean,
): boolean {
  const mayBeEmpty = statistics.every(({ statistic }) => ["mean", "median", "percent", "rate"].includes(statistic));
  if (row.annotation === String(NO_DATA) && mayBeEmpty) return row.values.every((value) => value === null);
  if (row.annotation !== "0") {
    return ["1", "2"].slice(0, codes === "separate" ? 2 : 1).includes(row.annotation ?? "") && row.values.every((value) => value === null);
  }
  return row.values.every((value, s) => {
    const { statistic } = statistics[s]!;
    if (statistic === "count") return value !== null && (isDifference ? /^(0|-?[1-9]\d{0,15})$/ : /^(0|[1-9]\d{0,15})$/).test(value);
    if (value === null) return ["mean", "median", "percent", "rate"].includes(statistic);
    return Number.isFinite(Number(value));
  });
}

/** Whether a row counts a group with parts to be taken away, so that its count may lie below zero. */
function isDifference({ places }: ReadBackRow, layout: TableLayout, dimensions: readonly DecidedDimension[]): boolean {
  return places.some(({ level, label }, d) => {
    const { places: all, groups = [] } = dimensions.find(({ column }) => column === layout.dimensions[d]!.column)!;
    return groups.some(({ place, signs }) => signs?.includes(-1) === true && all[place]!.level === level && all[place]!.label === label);
  });
}

/** Percentages that are not those of the counts beside them, or shown where their base is hidden. */
function wrongPercentages(table: AttackedTable, { statistics }: ReturnType<typeof tablesOf>[number], among: readonly AttackedTable[]): number {
  const name = ({ layout }: AttackedTable, places: ReadBackRow["places"], kept: (column: string) => boolean): string =>
    layout.dimensions
      .flatMap(({ column }, d) => (kept(column) && places[d]!.level >= 0 ? [`${column}\n${placeKey(places[d]!.level, places[d]!.label)}`] : []))
      .sort().join("\n\n");
  const counts = new Map(among.flatMap((other) => other.rows.map(({ places, values }) => [name(other, places, () => true), values[other.countAt]!] as const)));
  const first = table.layout.values.length - statistics.length;
  let wrong = 0;
  statistics.forEach((statistic, s) => {
    if (statistic.statistic !== "percent") return;
    const scale = 10 ** statistic.decimals;
    for (const { places, values } of table.rows) {
      const base = counts.get(name(table, places, (column) => statistic.of.includes(column)));
      const own = values[table.countAt]!;
      const printed = values[first + s]!;
      const known = own !== null && base !== undefined && base !== null && Number(base) !== 0;
      if (known ? printed === null || Number(printed) !== roundedRatio(Number(own), 100 * scale, Number(base)) / scale : printed !== null) wrong++;
    }
  });
  return wrong;
}

/** The rule as an attacker is told it. */
function describedRule(policy: Policy, { threshold, interval, zeros, codes }: SmallCellsRule): NonNullable<DescribedTables["rule"]> {
  const { hiddenMost = threshold - 1, complementaryLeast = threshold } = toldOf(policy, threshold) ?? {};
  return {
    threshold, interval, zeros, codes,
    primaryMost: Number.isFinite(hiddenMost) ? hiddenMost : null,
    complementaryLeast,
    // Of the frequency rule alone, whatever is certain to be large was hidden to protect others.
    large: policy.release.protect[0]!.method === "small-cells" ? "may-be-computed" : "protected",
  };
}

type AskedRule = SmallCellsRule;

function toldOf({ release }: Policy, threshold: number): ToldByCodes | undefined {
  const method = release.protect[0]!;
  return method.method === "cell-suppression" ? toldByCodes(method.rules, threshold) : undefined;
}

export function ruleOf(policy: Policy, requirements: Parameters<typeof effectiveValue>[0]): AskedRule {
  const method = policy.release.protect[0]!;
  if (method.method !== "small-cells" && method.method !== "cell-suppression") throw new DisclosureError("release/kind", "This release suppresses no cells.");
  return {
    threshold: effectiveValue(requirements, "minimum-frequency"),
    interval: effectiveValue(requirements, "minimum-interval"),
    zeros: method.method === "small-cells" ? method.zeros : ruleNeeds(method.rules).zeros,
    codes: method.codes,
    singletons: method.singletons,
    jointSums: method.siblings,
  };
}

/** How complementary cells are to be chosen, which decides nothing about what is safe. */
function choiceOf(policy: Policy, { system, bound }: Tabulated): Pick<SmallCellsOptions, "proposal" | "weight"> {
  const method = policy.release.protect[0]!;
  if (method.method !== "small-cells" && method.method !== "cell-suppression") return {};
  const proposal = method.secondary === "hypercube" ? suppressByHypercubes : method.secondary === "optimal" ? suppressOptimally : undefined;
  const factors = [[method.hideFirst, 1 / FAR], [method.showFirst, FAR]] as const;
  if (factors.every(([named]) => Object.keys(named).length === 0)) return proposal === undefined ? {} : { proposal };
  const weight = new Float64Array(system.cells).fill(1);
  for (const [named, factor] of factors) {
    for (const [name, categories] of Object.entries(named)) {
      const k = system.columns.findIndex(({ column }) => column === name);
      if (k < 0) throw new PolicyError("suppression/no-dimension", `${JSON.stringify(name)} under hideFirst or showFirst is not a dimension of any table.`, { column: name });
      const dimension = system.columns[k]!;
      const labels = Array.from({ length: dimension.size }, (_, place) =>
        dimension.level[place]! < 0 ? undefined : placeLabel(dimension, bound.get(name)!, dimension.level[place]!, dimension.code[place]!),
      );
      const unknown = categories.filter((category) => !labels.includes(category));
      if (unknown.length > 0) {
        const list = unknown.map((category) => JSON.stringify(category)).join(", ");
        throw new PolicyError("suppression/no-category", `No table has the categories ${list} of ${JSON.stringify(name)}, named under hideFirst or showFirst. Correct the spelling, or take them out.`, { column: name });
      }
      const isNamed = Uint8Array.from(labels, (label) => (label !== undefined && categories.includes(label) ? 1 : 0));
      for (let c = 0; c < system.cells; c++) if (isNamed[system.places[k]![c]!] === 1) weight[c]! *= factor;
    }
  }
  return { weight, ...(proposal === undefined ? {} : { proposal }) };
}

/** Makes a category come before or after all others of like counts, without giving up the order among them. */
const FAR = 1000;

async function tabulateAndPlan(policy: Policy, survey: Survey, rule: AskedRule, signal: AbortSignal | undefined): Promise<Planned> {
  const done = tabulateSurvey(policy, survey, rule.zeros);
  const method = policy.release.protect[0]!;
  const primary = fewValues(policy, done, rule);
  const options: SmallCellsOptions = { ...rule, ...choiceOf(policy, done), ...aloneIn(policy, done), ...(primary === undefined ? {} : { primary }) };
  const audit = auditWithMeans(policy, done);
  const rules = rulesOf(policy, rule);
  const names = new Set([...publishedAmounts(policy), ...ruleNeeds(rules).measures]);
  if (method.method === "small-cells" && names.size === 0 && primary === undefined) return { ...done, planned: await planSmallCells(done.system, options, audit, signal) };
  const amounts = new Map([...names].map((name) => [name, done.inputs.amounts.get(name)!]));
  const planned = await planCellSuppression(done.system, rules, { rules: ruleInput(policy, done, rules), amounts }, options, audit, signal);
  const { unmatched } = planned.outcome;
  if (unmatched.length > 0) {
    throw new PolicyError("suppression/nothing-matched", `${unmatched.join(" ")} Correct the names, or take them out of the rules.`, { count: unmatched.length });
  }
  return { ...done, planned };
}

function rulesOf({ release }: Policy, { threshold, zeros }: AskedRule): readonly PrimaryRule[] {
  const method = release.protect[0]!;
  if (method.method === "cell-suppression") return method.rules;
  return [{ rule: "frequency", minimum: threshold, zeros, count: "records", safetyRange: 0 }];
}

/**
 * What a reader can work out for shown rows beside counts: sums, and what means and rates are shares of. Denominators of rates,
 * such as populations, are taken to be public.
 */
function publishedAmounts(policy: Policy): Set<string> {
  const names = new Set<string>();
  for (const statistic of tablesOf(policy).flatMap(({ statistics }) => statistics)) {
    if (statistic.statistic === "sum" || statistic.statistic === "mean") names.add(statistic.of);
    if (statistic.statistic === "rate" && statistic.numerator !== "count") names.add(statistic.numerator);
    if (statistic.statistic === "weighted-count") names.add("weight");
  }
  return names;
}

/** Whether a mean or median over so many values says too much of them. A blank says that there are none, like a count of zero. */
function isFew(values: number, isShown: boolean, threshold: number, zeros: AskedRule["zeros"]): boolean {
  return isShown && values < threshold && (values > 0 || zeros === "protect");
}

/** [cells] 1 where a table would show a mean or median of too few values, though its count is large; undefined where none does. */
function fewValues(policy: Policy, { system, inputs }: Tabulated, { threshold, zeros }: AskedRule): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  tablesOf(policy).forEach(({ statistics }, t) => {
    const measures = new Set(statistics.flatMap((own) => (own.statistic === "mean" || own.statistic === "median" ? [own.of] : [])));
    for (const measure of measures) {
      const values = inputs.values.get(measure)!.cells;
      for (const cell of system.tables[t]!.cell) {
        if (cell < 0 || !isFew(Math.abs(values[cell]!), true, threshold, zeros) || values[cell] === system.count[cell]) continue;
        (found ??= new Uint8Array(system.cells))[cell] = 1;
      }
    }
  });
  return found;
}

function valuesByRow({ inputs }: Tabulated, table: PublishedTable, measure: string, hidden: Uint8Array): Float64Array {
  const { cells } = inputs.values.get(measure)!;
  return Float64Array.from(table.cell, (cell) => (cell < 0 ? 0 : hidden[cell] === 1 ? NaN : cells[cell]!));
}

/** The attack of somebody who knows behind each shown mean how many records have a value. */
function auditWithMeans(policy: Policy, done: Tabulated): TableAudit {
  const { system } = done;
  const shows = tablesOf(policy).map(({ statistics }) => meansOf(statistics));
  const measures = [...new Set(shows.flat())];
  if (measures.length === 0) return auditTables;
  const none = new Uint8Array(system.cells);
  const trueValues = measures.map((measure): ValueCounts => ({
    measure, tables: system.tables.map((table, t) => (shows[t]!.includes(measure) ? valuesByRow(done, table, measure, none) : undefined)),
  }));
  return (input, options) => {
    const values = trueValues.map(({ measure, tables }): ValueCounts => ({
      measure, tables: tables.map((numbers, t) => numbers?.map((number, row) => (Number.isNaN(input.tables[t]!.count[row]!) ? NaN : number))),
    }));
    return auditTables(input, { ...options, values, trueValues });
  };
}

/** How many records have a value, as the tables that were kept have it. */
function valuesIn(tables: readonly AttackedTable[]): ValueCounts[] {
  const measures = [...new Set(tables.flatMap(({ valuesAt }) => [...valuesAt.keys()]))].sort();
  return measures.map((measure) => ({
    measure,
    tables: tables.map(({ rows, valuesAt }) => {
      const at = valuesAt.get(measure);
      return at === undefined ? undefined : Float64Array.from(rows, ({ values }) => (values[at] === null ? NaN : Number(values[at])));
    }),
  }));
}

/** Who knows a cell for being its only contributor; without a contributor column every record is one, and a count of 1 says so. */
function aloneIn(policy: Policy, done: Tabulated): Pick<SmallCellsOptions, "alone"> {
  if (!done.survey.cells.keys.some((name) => policy.columns.get(name)?.role === "contributor")) return {};
  return { alone: onlyContributors(done.system, contributionsTo(policy, done, undefined)) };
}

/** What the policy's rules need to know. */
function ruleInput(policy: Policy, done: Tabulated, rules: readonly PrimaryRule[]): RuleInput {
  const needs = ruleNeeds(rules);
  return {
    system: done.system,
    hierarchies: done.bound,
    ...(needs.contributors ? { contributors: contributionsTo(policy, done, undefined) } : {}),
    // Sums are published unweighted, and one record of any weight is one contribution to them.
    measures: new Map(needs.measures.map((name) => [name, { ...contributionsTo(policy, done, name), weight: undefined }])),
    numbers: new Map(needs.numbers.map((name) => {
      const amount = done.inputs.amounts.get(name)!;
      return [name, amount.cells.map((units) => units / 10 ** amount.decimals)];
    })),
  };
}

function decisionOf(policy: Policy, done: Planned, newHasher: NewHasher): SuppressionDecision {
  const { system, planned } = done;
  const blanks = system.tables.map(({ rows, cell }) => Uint8Array.from({ length: rows }, (_, row) => (cell[row]! >= 0 && planned.pattern[cell[row]!] !== 0 ? 1 : 0)));
  return {
    method: policy.release.protect[0]!.method as SuppressionDecision["method"],
    rule: planned.rule,
    ...(planned.mergedBecause === undefined ? {} : { mergedBecause: planned.mergedBecause }),
    cells: planned.cells,
    ...warnIfFewShown(planned.cells, planned.rule),
    blanks: blanksHash(blanks, newHasher),
    dimensions: decidedDimensions(done),
  };
}

/** @param blanks [tables][rows] 1 where the row is blank */
export function blanksHash(blanks: readonly Uint8Array[], newHasher: NewHasher): string {
  const hasher = newHasher();
  for (const rows of blanks) {
    hasher.update(new TextEncoder().encode(`${rows.length}\n`));
    hasher.update(rows);
  }
  return hasher.digest();
}

export function layoutsOf(policy: Policy): TableLayout[] {
  return tableLayouts(policy, true, ({ statistics }) => statistics.map((statistic) => statisticValueColumn(policy, statistic)));
}

/**
 * The attacker's view, from nothing but the files and the structure of their categories. Counts are taken as known wherever a
 * row is shown, also where the published file has other numbers in their place: whoever is safe then is safe with less.
 */
function attackFrom(
  tables: readonly AttackedTable[], dimensions: readonly DecidedDimension[], rule: SmallCellsRule & { readonly told: ToldByCodes | undefined },
): Parameters<typeof auditTables>[0] {
  const placeOf = placesByKey(dimensions);
  return {
    columns: auditColumns(dimensions),
    tables: tables.map(({ layout, rows, countAt }): AuditTable => {
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
        count: Float64Array.from(rows, ({ values }) => (values[countAt] === null ? NaN : Number(values[countAt]))),
        mark: Uint8Array.from(rows, ({ annotation }) => (annotation === "2" ? HIDDEN_COMPLEMENTARY : annotation === "1" ? HIDDEN : SHOWN)),
      };
    }),
    threshold: rule.threshold,
    zeros: rule.zeros,
    listedOccur: true,
    codes: rule.codes,
    ...(rule.told === undefined ? {} : { told: rule.told }),
  };
}
