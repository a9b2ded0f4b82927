/** Tables of millions of mostly empty cells: rows without records are left out, hidden counts are proven by tables that agree. */
import { DisclosureError, InternalError, PolicyError } from "../../errors/index.ts";
import type { Survey } from "../../engines/local/index.ts";
import type { Policy } from "../../policy/index.ts";
import { Alternatives } from "../../tables/audit/index.ts";
import { countPattern } from "../../tables/small-cells/index.ts";
import { suppressSparsely } from "../../tables/sparse-suppression/index.ts";
import { expandMargins } from "../../tables/tabulate/index.ts";
import { dataFormats } from "../columns.ts";
import { check, type Check } from "../evidence.ts";
import { effectiveValue } from "../require.ts";
import type { Road } from "../road.ts";
import { warnIfFewShown } from "./few-shown.ts";
import { readLongTable, writeLongTable, type ReadLongTable } from "./long-tables.ts";
import { membershipsFrom, readProof, writeProof } from "./sparse-proof.ts";
import { blanksHash, layoutsOf, ruleOf, suppressionRoad, type SuppressionDecision } from "./suppression.ts";
import { identifiersCheck } from "./table-layout.ts";
import { auditColumns, decidedDimensions, placeKey, placesByKey, specsOf, tablesOf, tabulateSurvey, type Tabulated } from "./tabulated.ts";

/** The file under `internal/` with the tables that prove the hidden counts. It holds hidden counts. */
const PROOF = "proof-of-intervals.bin";

interface Planned extends Tabulated {
  readonly shown: Uint8Array;
  readonly walks: Int32Array;
}

/** What planning found, for the apply that follows in the same run. */
const planned = new WeakMap<Survey, { readonly policy: Policy; readonly done: Planned }>();

/** @throws PolicyError `sparse/option` for what this road does not do, `sparse/rows` where rows are to be left out without it */
export function requireSparse(policy: Policy): void {
  const method = policy.release.protect[0]!;
  if (method.method !== "small-cells") throw new InternalError("sparse/method", "Another method was taken for small-cells.");
  const wrong: string[] = [];
  if (method.zeros !== "publish") wrong.push("zeros: publish");
  if (method.codes !== "merged") wrong.push("codes: merged");
  if (method.singletons !== "ignore") wrong.push("singletons: ignore");
  if (method.siblings !== "ignore") wrong.push("siblings: ignore");
  if (Object.keys(method.hideFirst).length + Object.keys(method.showFirst).length > 0) wrong.push("no hideFirst and showFirst");
  if (policy.release.formats.some((format) => format === "crosstab" || format === "html")) wrong.push("formats of data only, no crosstab and html");
  for (const { emptyCells, sumRows, statistics, dimensions } of tablesOf(policy)) {
    if (emptyCells !== "omit") wrong.push("emptyCells: omit in every table");
    if (!sumRows) wrong.push("sumRows: true");
    if (statistics.length !== 1 || statistics[0]!.statistic !== "count") wrong.push("the count as the only statistic");
    if (dimensions.some(({ groupings }) => groupings !== undefined)) wrong.push("dimensions without groupings");
  }
  if (wrong.length === 0) return;
  throw new PolicyError("sparse/option", `secondary: moves is for counts of large sparse tables and needs ${[...new Set(wrong)].join(", ")}. Change that, or take another secondary.`);
}

function planOf(policy: Policy, survey: Survey, requirements: Parameters<typeof ruleOf>[1], signal: AbortSignal | undefined): Planned {
  requireSparse(policy);
  const last = planned.get(survey);
  if (last?.policy === policy) return last.done;
  const tabulated = tabulateSurvey(policy, survey, "publish");
  const { threshold, interval } = ruleOf(policy, requirements);
  const { shown, walks } = suppressSparsely(tabulated.system, { threshold, interval, signal }, (input) => new Alternatives(input));
  const done = { ...tabulated, shown, walks };
  planned.set(survey, { policy, done });
  return done;
}

function decisionOf(policy: Policy, { shown, ...done }: Planned, requirements: Parameters<typeof ruleOf>[1], newHasher: Parameters<typeof blanksHash>[1]): SuppressionDecision {
  const { system } = done;
  const rule = ruleOf(policy, requirements);
  const pattern = new Uint8Array(system.cells);
  for (let c = 0; c < pattern.length; c++) pattern[c] = shown[c] === 1 ? 0 : system.count[c]! < rule.threshold ? 1 : 2;
  const cells = countPattern(pattern);
  return {
    method: "small-cells",
    rule,
    cells,
    ...warnIfFewShown(cells, rule),
    blanks: blanksHash(system.tables.map((table) => blanksOf(table.cell, shown)), newHasher),
    dimensions: decidedDimensions(done),
  };
}

/** [rows] 1 where blank. */
function blanksOf(cell: Int32Array, shown: Uint8Array): Uint8Array {
  const blank = new Uint8Array(cell.length);
  for (let row = 0; row < cell.length; row++) blank[row] = 1 - shown[cell[row]!]!;
  return blank;
}

export const sparseTablesRoad: Road = {
  ...suppressionRoad,
  method: "small-cells",

  async plan(context, survey) {
    const { policy, requirements, platform, signal } = context;
    return decisionOf(policy, planOf(policy, survey, requirements, signal), requirements, platform.newHasher);
  },

  async apply(context, { decision, survey, output }) {
    const { policy, requirements, platform, signal, progress } = context;
    const done = planOf(policy, survey, requirements, signal);
    if (JSON.stringify(decisionOf(policy, done, requirements, platform.newHasher)) !== JSON.stringify(decision)) {
      throw new DisclosureError("plan/not-reproduced", "The planned rule, categories or hidden cells do not come out again. Nothing was published. Plan again.");
    }
    const { system, shown } = done;
    const meaning = decidedDimensions(done).map(({ places }) => places);
    const layouts = layoutsOf(policy);
    for (const [t, table] of system.tables.entries()) {
      const annotation = blanksOf(table.cell, shown);
      const count = table.count.slice();
      for (let row = 0; row < count.length; row++) if (annotation[row] === 1) count[row] = NaN;
      const places = table.columnOf.map((k) => {
        const own = new Int32Array(table.rows);
        for (let row = 0; row < own.length; row++) own[row] = system.places[k]![table.cell[row]!]!;
        return own;
      });
      for (const format of dataFormats(policy)) {
        await writeLongTable(output, format, layouts[t]!, { rows: table.rows, places, meaning: table.columnOf.map((k) => meaning[k]!), count, annotation });
      }
      progress({ phase: "apply", done: t + 1, total: system.tables.length, unit: "steps" });
    }
    const sink = await output.createInternal(PROOF);
    await writeProof(sink, system, done.walks);
    await sink.close();
  },

  internalFiles() {
    return [`internal/${PROOF}`];
  },

  describe(policy, decision, columns) {
    const { tables, methods, described } = suppressionRoad.describe(policy, decision, columns);
    return { tables, described, methods: [...methods, "Combinations of categories without records are not listed: a combination that has no row is a count of 0."] };
  },

  explain() {
    throw new PolicyError("sparse/no-explanation", "With secondary: moves cells are not explained one by one: a hidden count is below the threshold, or changes in a table that proves one that is.");
  },

  async verify(context, { decision }, reader) {
    const { policy, requirements, platform, signal } = context;
    const { dimensions, blanks } = decision as SuppressionDecision;
    const interval = effectiveValue(requirements, "minimum-interval");
    const threshold = effectiveValue(requirements, "minimum-frequency");
    const layouts = layoutsOf(policy);
    const columns = auditColumns(dimensions);
    const placeOf = placesByKey(dimensions);
    const columnOf = layouts.map((layout) => layout.dimensions.map(({ column }) => dimensions.findIndex((dimension) => dimension.column === column)));
    const specs = specsOf(policy);
    const margins = specs.map((spec) => expandMargins(spec, specs));
    const checks: Check[] = [];
    let first: string | undefined;
    let hidden = 0;
    for (const format of dataFormats(policy)) {
      const tables: ReadLongTable[] = [];
      for (const [t, layout] of layouts.entries()) {
        tables.push(await readLongTable(reader, layout, format, columnOf[t]!.map((k) => (level, label) => placeOf[k]!.get(placeKey(level, label)))));
      }
      signal?.throwIfAborted();
      let misfits = 0;
      let small = 0;
      hidden = 0;
      const digest = platform.newHasher();
      for (const { count, annotation, places, misfits: own } of tables) {
        misfits += own;
        for (let row = 0; row < count.length; row++) {
          if (Number.isNaN(count[row]!)) hidden++;
          else if (count[row]! < threshold) small++;
        }
        for (const values of [...places, count, annotation]) digest.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      }
      const content = digest.digest();
      const alike = content === (first ??= content);
      const asPlanned = blanksHash(tables.map(({ annotation }) => annotation), platform.newHasher) === blanks;
      checks.push(
        check(`${format}/cells`, "a count or an annotated blank in every cell", misfits === 0 ? "every cell" : `${misfits} others`, misfits === 0),
        check(`${format}/alike`, "the same rows in every format", alike ? "the same" : "different", alike),
        check(`${format}/small-counts`, `no count below ${threshold} shown`, small === 0 ? "none" : small, small === 0, "minimum-frequency"),
        check(`${format}/blanks`, "blank where the plan says so", asPlanned ? "as planned" : "other cells", asPlanned),
      );
      // The first format is attacked; the others have the same rows, or have failed.
      if (misfits > 0 || format !== dataFormats(policy)[0]) continue;
      const proof = await readProof(reader, `internal/${PROOF}`, columns);
      const members = membershipsFrom(proof, columns, tables.map((table, t) => ({ ...table, columnOf: columnOf[t]!, margins: margins[t]! })));
      checks.push(check(`${format}/rows`, "every combination that has records once, in order", members === undefined ? "others" : "every one", members !== undefined));
      if (members === undefined) continue;
      const attack = new Alternatives({ ...members, inner: proof.inner, base: proof.base, interval, harmlessFrom: members.publishesInner ? threshold : Infinity });
      const agree = attack.baseAgrees() && attack.take(proof.walks);
      let unproven = 0;
      for (let c = 0; c < members.cells; c++) if (Number.isNaN(members.value[c]!) && attack.safe[c] === 0) unproven++;
      checks.push(
        check(`${format}/tables-that-agree`, "tables that agree with every shown count, in whole numbers", agree ? "all agree" : "some do not", agree),
        check(
          `${format}/feasible-intervals`, `at least ${interval} possible values for every hidden small count`,
          unproven === 0 ? `${hidden} blanks, all safe` : `${unproven} of ${hidden} blanks not proven safe`, agree && unproven === 0, "minimum-interval",
        ),
        check(`${format}/derivable`, "no hidden small count can be computed", agree && unproven === 0 ? "none" : "not proven", agree && unproven === 0, "complementary-suppression"),
      );
    }
    checks.push(identifiersCheck(policy, layouts));
    const { cells, rule } = decision as SuppressionDecision;
    return { checks, risk: { hiddenCells: hidden, ...warnIfFewShown(cells, rule) } };
  },
};
