import { dictionaryText } from "../../columns/index.ts";
import type { Survey } from "../../engines/local/index.ts";
import { DataError, PolicyError } from "../../errors/index.ts";
import type { Policy } from "../../policy/index.ts";
import { keyedBits } from "../../random/keyed-bits.ts";
import { cellKey, numberOfKeys, recordKeys } from "../../tables/cell-key/index.ts";
import type { CellKey } from "../../tables/cell-key/schema.ts";
import type { PerturbationMethod, PublishedCounts } from "../../tables/perturbation/index.ts";
import { smallCountRounding } from "../../tables/small-count-rounding/index.ts";
import { tabularAdjustment } from "../../tables/tabular-adjustment/index.ts";
import { placeLabel } from "../../tables/tabulate/index.ts";
import { rounding } from "../../tables/rounding/index.ts";
import { dataFormats } from "../columns.ts";
import { check, type Check } from "../evidence.ts";
import type { Decision } from "../plan-value.ts";
import { decisionRefused, type Road, type RoadContext } from "../road.ts";
import { measuredRisk } from "./measured.ts";
import { noiseBits } from "./noise-bits.ts";
import { readingNotes } from "./reading-notes.ts";
import { checkReadable, describeTable, identifiersCheck, readTable, writeTable, type ReadBackRow, type TableLayout, type ValueColumn } from "./table-layout.ts";
import {
  auditColumns, decidedDimensions, dimensionColumns, dimensionsAlone, expectedRows, isSoundDimension, listedRows, placeKey, placeOfRow, placesByKey, sensitiveOf,
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
      statistics.map(({ name }): ValueColumn => ({ name, type: countType, description: countMeaning })),
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
      return decide(tabulateSurvey(context.policy, survey, "publish"));
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
      const values = await method.perturb(
        {
          system,
          random: await noiseBits(context),
          signal: context.signal,
          labelOf: (column, place) => {
            const dimension = system.columns[column]!;
            return placeLabel(dimension, done.bound.get(dimension.column)!, dimension.level[place]!, dimension.code[place]!);
          },
          ...(key === undefined ? {} : { keyed: (label: string) => keyedBits(key, label) }),
          ...(method.needsRecordKeys ? { recordKeys: recordKeySums(policy, done, key) } : {}),
        },
        options,
      );
      const { countType } = method.describe(options);
      const specs = tablesOf(policy);
      for (const [t, table] of system.tables.entries()) {
        const { sumRows, statistics } = specs[t]!;
        const rows = shownRows(table, sumRows);
        const numbers = Float64Array.from(rows, (row) => (table.cell[row]! < 0 ? 0 : values[table.cell[row]!]!));
        const texts = countType === "string" ? Array.from(numbers, (number) => method.format!(number, options)) : undefined;
        await writeTable(input.output, policy.release.formats, shownLayout(layoutsOf(policy)[t]!, sumRows), {
          rows: rows.length,
          values: statistics.map(() => texts ?? numbers),
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
        const { published, misfits } = publishedCounts(method, options, policy, layouts, tables, dimensions);
        const problems = misfits > 0 || !complete ? [] : method.check(published, options);
        if (format === dataFormats(policy)[0]) for (const [t, layout] of layouts.entries()) checks.push(...(await checkReadable(reader, policy, layout, tables[t]!)));
        checks.push(
          check(`${format}/alike`, "the same rows in every format", alike ? "the same" : "different", alike),
          check(`${format}/rows`, "every combination of categories once, in order", complete ? "every one" : "others", complete),
          check(`${format}/cells`, "a number in every cell, the same wherever a cell is published", misfits === 0 ? "every cell" : `${misfits} others`, misfits === 0),
          check(`${format}/numbers`, `numbers that ${method.method} can give`, problems.length === 0 ? "all" : problems.join(" "), problems.length === 0, "minimum-ambiguity"),
        );
      }
      checks.push(identifiersCheck(policy, layouts));
      return { checks, risk: { cells: first === undefined ? 0 : (JSON.parse(first) as unknown[][]).flat().length } };
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

/** [inner] sum of the record keys of the cell's records. */
function recordKeySums(policy: Policy, { survey, system }: Tabulated, key: Uint8Array | undefined): Float64Array {
  const options = policy.release.protect[0] as unknown as CellKey;
  const modulus = numberOfKeys(options);
  const sums = new Float64Array(system.inner);
  const role = options.recordKeys.from === "column" ? "record-key" : "contributor";
  const column = [...policy.columns].find(([, own]) => own.role === role)![0];
  const perCell = options.recordKeys.from === "column" ? givenKeys(survey, column, modulus, options.recordKeys.scale) : derivedKeys(survey, column, key!, modulus);
  let total = 0;
  for (let c = 0; c < perCell.length; c++) {
    total += perCell[c]!;
    if (system.innerOf[c]! >= 0) sums[system.innerOf[c]!]! += perCell[c]!;
  }
  if (total > Number.MAX_SAFE_INTEGER) {
    throw new DataError("cell-key/too-many-records", "The record keys add up to more than 2^53, beyond which sums are not exact. Use fewer keys.");
  }
  return sums;
}

function derivedKeys(survey: Survey, column: string, key: Uint8Array, modulus: number): Float64Array {
  const surveyed = survey.keys.find(({ name }) => name === column)!;
  const codes = survey.cells.codes[survey.cells.keys.indexOf(column)]!;
  const keyOf = recordKeys(key, modulus);
  const keys = new Float64Array(surveyed.dictionary.size);
  for (let code = 0; code < keys.length; code++) keys[code] = keyOf(dictionaryText(surveyed.dictionary, code));
  return Float64Array.from(codes, (code, c) => {
    if (code >= 0) return keys[code]! * survey.cells.records[c]!;
    throw new DataError("cell-key/no-identifier", `Some records have no value in ${JSON.stringify(column)}, so they have no key. Fill the column in.`, { column });
  });
}

function givenKeys(survey: Survey, column: string, modulus: number, scale: "whole" | "decimal"): Float64Array {
  const measure = survey.cells.measures.find(({ name }) => name === column)!;
  const times = scale === "decimal" ? modulus : 1;
  return measure.sum.map((sum, c) => {
    const scaled = Math.round(sum * times);
    const near = scale === "decimal" ? 0.01 * Math.max(1, measure.values[c]!) : 0;
    const isKey = measure.values[c] === survey.cells.records[c] && measure.min[c]! >= 0 && measure.max[c]! * times < modulus && Math.abs(sum * times - scaled) <= near;
    if (isKey) return scaled;
    throw new DataError(
      "cell-key/bad-record-key",
      `Some values of ${JSON.stringify(column)} are no record keys: ${scale === "whole" ? `whole numbers from 0 to ${modulus - 1}` : "decimals from 0 to below 1"}, one for each record.`,
      { column },
    );
  });
}

/** Published numbers by place. A cell that several tables publish must have one number. */
function publishedCounts<Options>(
  method: PerturbationMethod<Options>, options: Options, policy: Policy, layouts: readonly TableLayout[], tables: readonly (readonly ReadBackRow[])[],
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
      const number = numberOf(row.values[0] ?? null);
      if (Number.isNaN(number) || own.includes(undefined) || row.values.some((value) => value !== row.values[0])) {
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
