import { DataError, InternalError, PolicyError } from "../../errors/index.ts";
import type { Policy } from "../../policy/index.ts";
import { keyedBits } from "../../random/keyed-bits.ts";
import { cellKey } from "../../tables/cell-key/index.ts";
import type { PerturbationMethod, PublishedCounts } from "../../tables/perturbation/index.ts";
import { smallCountRounding } from "../../tables/small-count-rounding/index.ts";
import { tabularAdjustment } from "../../tables/tabular-adjustment/index.ts";
import { placeLabel } from "../../tables/tabulate/index.ts";
import { rounding } from "../../tables/rounding/index.ts";
import { dataFormats } from "../columns.ts";
import { check, type Check } from "../evidence.ts";
import type { Decision } from "../plan-value.ts";
import { decisionRefused, type Road, type RoadContext } from "../road.ts";
import {
  amountContributions, changedColumn, changedInputs, changedNumbersNotes, changedValueColumn, recordKeySums, requireValues, scaledWeights, shownSums, showsWeights,
  surveyedKeys, type ChangedNumbers,
} from "./changed-numbers.ts";
import { shownProblems, type ShownTable } from "./derived-check.ts";
import { measuredRisk } from "./measured.ts";
import { noiseBits } from "./noise-bits.ts";
import { readingNotes } from "./reading-notes.ts";
import { checkReadable, describeTable, identifiersCheck, readTable, writeTable, type ReadBackRow, type TableLayout, type ValueColumn } from "./table-layout.ts";
import {
  auditColumns, decidedDimensions, decimalsOf, dimensionColumns, dimensionsAlone, expectedRows, isSoundDimension, listedRows, placeKey, placeOfRow, placesByKey, sensitiveOf,
  shownLayout, shownRows, tableLayouts, tablesOf, tablesSurvey, tabulateSurvey, type DecidedDimension, type Tabulated,
} from "./tabulated.ts";

/** What was decided: nothing but the categories that the tables show; the options are the policy's own. */
interface PerturbationDecision extends Decision {
  readonly dimensions: readonly DecidedDimension[];
}

/** The registry of methods that publish every cell with a changed count. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each method knows its own options
const METHODS: readonly PerturbationMethod<any>[] = [rounding, cellKey, smallCountRounding, tabularAdjustment];

/** Roads to tables in which every count is shown and none is what was counted. */
export const perturbationRoads: readonly Road[] = METHODS.map(roadOf);

function roadOf<Options>(method: PerturbationMethod<Options>): Road {
  const optionsOf = (policy: Policy): Options => policy.release.protect[0] as unknown as Options;

  const layoutsOf = (policy: Policy): TableLayout[] => {
    const { countMeaning, countType } = method.describe(optionsOf(policy));
    return tableLayouts(policy, false, ({ statistics }) =>
      statistics.map((statistic): ValueColumn => changedValueColumn(policy, statistic, { type: countType, description: countMeaning })),
    );
  };

  const decide = (done: Tabulated): PerturbationDecision => ({ method: method.method, dimensions: decidedDimensions(done) });

  return {
    method: method.method,
    survey: tablesSurvey,

    measure(policy, survey) {
      return measuredRisk(dimensionsAlone(survey, policy), dimensionColumns(policy).length, sensitiveOf(policy, survey));
    },

    async plan(context, survey) {
      requireKey(context, method.needsKey(optionsOf(context.policy)));
      method.statistics?.(optionsOf(context.policy)); // refuses designs that cannot be made
      const done = tabulateSurvey(context.policy, survey, "publish");
      requireValues(context.policy, done);
      return decide(done);
    },

    checkDecision({ policy }, decision) {
      const { method: named, dimensions } = decision as Partial<PerturbationDecision>;
      const columns = dimensionColumns(policy);
      const sound = Array.isArray(dimensions) && dimensions.length === columns.length && dimensions.every((dimension, d) => isSoundDimension(dimension, columns[d]!));
      if (named !== method.method || !sound) throw decisionRefused("does not list the categories of each dimension");
    },

    async apply(context, input) {
      const { policy } = context;
      const options = optionsOf(policy);
      const done = tabulateSurvey(policy, input.survey, "publish");
      if (JSON.stringify(decide(done)) !== JSON.stringify(input.decision)) {
        throw new DataError("plan/not-reproduced", "The planned categories do not come out again. Nothing was published. Plan again.");
      }
      const key = requireKey(context, method.needsKey(options));
      const { system } = done;
      const keys = method.needsRecordKeys ? surveyedKeys(policy, done, key) : undefined;
      const count = await method.perturb(
        {
          system,
          random: await noiseBits(context),
          signal: context.signal,
          labelOf: (column, place) => {
            const dimension = system.columns[column]!;
            return placeLabel(dimension, done.bound.get(dimension.column)!, dimension.level[place]!, dimension.code[place]!);
          },
          ...(key === undefined ? {} : { keyed: (label: string) => keyedBits(key, label) }),
          ...(keys === undefined ? {} : { recordKeys: recordKeySums(keys, done) }),
        },
        options,
      );
      const changed: ChangedNumbers = {
        count,
        sums: new Map(
          shownSums(policy).map((measure) => {
            if (method.perturbSums === undefined || keys === undefined) throw new InternalError("release/no-sums", "The method does not change sums.", { method: method.method });
            return [measure, method.perturbSums({ system, signal: context.signal }, amountContributions(policy, done, measure, keys), options)];
          }),
        ),
        ...(showsWeights(policy) ? { weighted: scaledWeights(system, done.inputs.amounts.get("weight")!, count) } : {}),
      };
      const inputs = changedInputs(done.inputs, changed);
      const { countType } = method.describe(options);
      const specs = tablesOf(policy);
      for (const [t, table] of system.tables.entries()) {
        const { sumRows, statistics } = specs[t]!;
        const rows = shownRows(table, sumRows);
        const numbers = Float64Array.from({ length: table.rows }, (_, row) => (table.cell[row]! < 0 ? 0 : count[table.cell[row]!]!));
        const texts = countType === "string" ? Array.from(numbers, (number) => method.format!(number, options)) : undefined;
        const values = statistics.map((statistic) => {
          if (statistic.statistic === "count" && texts !== undefined) return Array.from(rows, (row) => texts[row]!);
          const column = changedColumn(system, table, statistic, inputs, count, texts);
          return Float64Array.from(rows, (row) => column[row]!);
        });
        await writeTable(input.output, policy.release.formats, shownLayout(layoutsOf(policy)[t]!, sumRows), {
          rows: rows.length,
          values,
          place: (row, d) => placeOfRow(done, table, rows[row]!, d),
        });
        context.progress({ phase: "apply", done: t + 1, total: system.tables.length, unit: "steps" });
      }
    },

    describe(policy, decision) {
      const specs = tablesOf(policy);
      const { methods } = method.describe(optionsOf(policy));
      return {
        tables: layoutsOf(policy).map((layout, t) => describeTable(policy, shownLayout(layout, specs[t]!.sumRows), { neverBlank: true })),
        methods: [
          ...methods,
          ...changedNumbersNotes(policy),
          "The protection takes into account what is in these files. Other releases about the same people, or knowledge of some of them, can narrow a true count further.",
          ...readingNotes(policy, (decision as PerturbationDecision).dimensions),
        ],
      };
    },

    async verify(context, { decision }, reader) {
      const { policy } = context;
      const options = optionsOf(policy);
      const { dimensions } = decision as PerturbationDecision;
      const specs = tablesOf(policy);
      const layouts = layoutsOf(policy).map((layout, t) => shownLayout(layout, specs[t]!.sumRows));
      const expected = expectedRows(policy, dimensions);
      const checks: Check[] = [];
      let first: string | undefined;
      for (const format of dataFormats(policy)) {
        const tables: ReadBackRow[][] = [];
        for (const layout of layouts) tables.push(await readTable(reader, layout, format));
        const alike = JSON.stringify(tables) === (first ??= JSON.stringify(tables));
        const complete = tables.every((rows, t) => listedRows(rows) === expected[t]);
        const { published, misfits } = publishedCounts(method, options, specs, layouts, tables, dimensions);
        const problems = misfits > 0 || !complete ? [] : method.check(published, options);
        if (format === dataFormats(policy)[0]) for (const [t, layout] of layouts.entries()) checks.push(...(await checkReadable(reader, policy, layout, tables[t]!)));
        checks.push(
          check(`${format}/alike`, "the same rows in every format", alike ? "the same" : "different", alike),
          check(`${format}/rows`, "every combination of categories once, in order", complete ? "every one" : "others", complete),
          check(`${format}/cells`, "a number in every cell, the same wherever a cell is published", misfits === 0 ? "every cell" : `${misfits} others`, misfits === 0),
          check(`${format}/numbers`, `numbers that ${method.method} can give`, problems.length === 0 ? "all" : problems.join(" "), problems.length === 0, "minimum-ambiguity"),
        );
        if (!specs.some(({ statistics }) => statistics.some(({ statistic }) => statistic !== "count"))) continue;
        const shown = layouts.map((layout, t): ShownTable => ({ layout, statistics: specs[t]!.statistics, rows: tables[t]! }));
        const { amounts, derived } = shownProblems(shown, (measure) => decimalsOf(policy, measure));
        checks.push(
          check(`${format}/amounts`, "sums and weighted counts blank or 0 where the count is, the same wherever a cell is published", amounts === 0 ? "every one" : `${amounts} others`, amounts === 0),
          check(`${format}/derived`, "means, percentages and rates of the numbers shown", derived === 0 ? "every one" : `${derived} others`, derived === 0, "minimum-ambiguity"),
        );
      }
      checks.push(identifiersCheck(policy, layouts));
      const noise = method.statistics?.(options);
      return { checks, risk: { cells: first === undefined ? 0 : (JSON.parse(first) as unknown[][]).flat().length, ...(noise === undefined ? {} : { noise }) } };
    },
  };
}

function requireKey({ agencyKey, rehearsalSeed }: RoadContext, isNeeded: boolean): Uint8Array | undefined {
  if (!isNeeded || agencyKey !== undefined) return agencyKey;
  if (rehearsalSeed !== undefined) return new TextEncoder().encode(`rehearsal key ${rehearsalSeed}`.padEnd(32, "."));
  throw new PolicyError(
    "release/no-key",
    "This method needs the agency's secret key, so that noise repeats for the same people. Give it with --key-file, or as the option key: at " +
      "least 16 random bytes, kept for all releases of these data and shown to nobody.",
  );
}

/** Published numbers by place. A cell that several tables publish must have one number. */
function publishedCounts<Options>(
  method: PerturbationMethod<Options>, options: Options, specs: ReturnType<typeof tablesOf>, layouts: readonly TableLayout[], tables: readonly (readonly ReadBackRow[])[],
  dimensions: readonly DecidedDimension[],
): { published: PublishedCounts; misfits: number } {
  const least = method.format?.(0, options);
  const numberOf = (text: string | null): number => (text !== null && text === least && text !== "0" ? 0 : text === null || text === "" ? NaN : Number(text));
  const places = dimensions.map((): number[] => []);
  const values: number[] = [];
  const at = new Map<string, number>();
  const placeOf = placesByKey(dimensions);
  let misfits = 0;
  tables.forEach((rows, t) => {
    const dimensionOf = dimensions.map(({ column }) => layouts[t]!.dimensions.findIndex((dimension) => dimension.column === column));
    for (const row of rows) {
      const own = dimensionOf.map((d, k) => (d < 0 ? 0 : placeOf[k]!.get(placeKey(row.places[d]!.level, row.places[d]!.label))));
      const shown = row.values.filter((_, s) => specs[t]!.statistics[s]!.statistic === "count");
      const number = numberOf(shown[0] ?? null);
      if (Number.isNaN(number) || own.includes(undefined) || shown.some((value) => value !== shown[0])) {
        misfits++;
        continue;
      }
      const key = own.join();
      const before = at.get(key);
      if (before !== undefined) {
        if (values[before] !== number) misfits++;
        continue;
      }
      at.set(key, values.length);
      own.forEach((place, k) => places[k]!.push(place!));
      values.push(number);
    }
  });
  const columns = auditColumns(dimensions).map((column, k) => ({
    ...column, levels: [...new Set(column.level)].filter((level) => level >= 0).sort((a, b) => a - b), code: column.level.map(() => -1),
    groups: dimensions[k]!.groups ?? [], groupings: [],
  }));
  return {
    published: { columns, cells: values.length, places: places.map((list) => Int32Array.from(list)), values: Float64Array.from(values) },
    misfits,
  };
}
