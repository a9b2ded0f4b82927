/** Numbers of tables in which counts are changed: what is changed with them, and what is computed from what is shown. */
import { dictionaryText } from "../../columns/index.ts";
import type { Survey } from "../../engines/local/index.ts";
import { DataError, InternalError } from "../../errors/index.ts";
import type { Policy } from "../../policy/index.ts";
import { numberOfKeys, recordKeys } from "../../tables/cell-key/index.ts";
import type { CellKey } from "../../tables/cell-key/schema.ts";
import type { AmountContributions } from "../../tables/perturbation/index.ts";
import { roundedRatio, statisticColumn, type Amount, type StatisticInputs } from "../../tables/statistics/index.ts";
import type { PublishedTable, TableSystem } from "../../tables/tabulate/index.ts";
import type { Statistic } from "../../tables/tabulate/schema.ts";
import { columnPolicy } from "../columns.ts";
import type { ValueColumn } from "./table-layout.ts";
import { decimalsOf, statisticValueColumn, tablesOf, type Tabulated } from "./tabulated.ts";

/** What is published of every cell of the system; nothing of the original is left in it. */
export interface ChangedNumbers {
  /** [cells] */
  readonly count: Float64Array;
  /** [cells] whole units, by measure. */
  readonly sums: ReadonlyMap<string, Float64Array>;
  /** [cells] in units of 10^-6. */
  readonly weighted?: Float64Array | undefined;
}

/** Measures whose sums the tables show. */
export function shownSums(policy: Policy): string[] {
  const names = tablesOf(policy).flatMap(({ statistics }) => statistics.flatMap((own) => (own.statistic === "sum" ? [own.of] : [])));
  return [...new Set(names)].sort();
}

export function showsWeights(policy: Policy): boolean {
  return tablesOf(policy).some(({ statistics }) => statistics.some(({ statistic }) => statistic === "weighted-count"));
}

/**
 * Weighted counts: the number shown times the mean weight of the cell's records, which is the weighted count plus the change
 * times the mean weight, rounded to `weightStep`. Sources: the cellKey package, sdcTools; "perturbed estimates" of SuperSTAR
 * (WingArc), the program behind the TableBuilder of the Australian Bureau of Statistics.
 *
 * @param weights `cells` and `inner` in the same units
 * @param shown [cells] published counts
 * @returns [cells] in the units of the weights; 0 where the count shown or the true one is 0
 */
export function scaledWeights(
  { count, innerCount }: Pick<TableSystem, "count" | "innerCount">, { cells, inner }: Pick<Amount, "cells" | "inner">, shown: Float64Array,
): Float64Array {
  const step = weightStep(innerCount, inner);
  return cells.map((weight, c) => (count[c] === 0 || shown[c] === 0 ? 0 : step * roundedRatio(weight, shown[c]!, step * count[c]!)));
}

/**
 * The first of 1, 2, 5, 10, 20, ... that is no smaller than the mean weight of all records. Printed more finely, the weighted count
 * by the count shown is the mean weight w of a cell. True counts n make the weights n w of parts add up to those of totals, and n w a sum
 * of n weights: few n do both, often one. Rounded to a record's weight, neither tells n from n + 1.
 */
function weightStep(innerCount: ArrayLike<number>, inner: Float64Array): number {
  let records = 0;
  let weight = 0;
  for (let i = 0; i < inner.length; i++) {
    records += innerCount[i]!;
    weight += Math.abs(inner[i]!);
  }
  for (let power = 1; power <= Number.MAX_SAFE_INTEGER; power *= 10) {
    for (const digit of [1, 2, 5]) if (digit * power * records >= weight) return digit * power;
  }
  throw new InternalError("release/weight-step", "The mean weight is no number that weighted counts can be rounded to.");
}

/**
 * One column of a table, from published numbers alone.
 *
 * @param inputs  of `changedInputs`
 * @param count   [cells] published
 * @param texts [rows of the table] of the counts, where they are texts: what is no number there has no figures beside it
 * @returns [rows] NaN where blank: quotients by zero, and sums where the count shown is 0, whether anybody is there or not
 */
export function changedColumn(
  system: TableSystem, table: PublishedTable, statistic: Statistic, inputs: StatisticInputs, count: Float64Array, texts?: readonly string[],
): Float64Array {
  const column = statisticColumn(system, table, statistic, inputs, new Uint8Array(system.cells));
  if (statistic.statistic === "count") return column;
  for (let row = 0; row < table.rows; row++) {
    const cell = table.cell[row]!;
    const shown = cell < 0 ? 0 : count[cell]!;
    if ((texts !== undefined && Number.isNaN(Number(texts[row]!))) || (shown === 0 && statistic.statistic === "sum")) column[row] = NaN;
  }
  return column;
}

/** Inputs in which every true figure is replaced by the published one, so that nothing else can enter a column. */
export function changedInputs({ amounts: own }: StatisticInputs, { count, sums, weighted }: ChangedNumbers): StatisticInputs {
  const amount = (name: string, decimals: number, cells: Float64Array): Amount => ({ name, decimals, cells, inner: new Float64Array(0) });
  const amounts = new Map([["count", amount("count", 0, count)]]);
  const values = new Map<string, Amount>();
  for (const [measure, cells] of sums) {
    const blanked = cells.map((units, c) => (count[c] === 0 ? NaN : units));
    amounts.set(measure, amount(measure, own.get(measure)!.decimals, blanked));
    values.set(measure, amounts.get("count")!);
  }
  if (weighted !== undefined) amounts.set("weight", amount("weight", own.get("weight")!.decimals, weighted));
  return { amounts, values, medians: new Map() };
}

/** Means are sums by counts as they are shown, which is right only where every record has a value. @throws DataError `perturbation/missing-values` */
export function requireValues(policy: Policy, { system, inputs }: Tabulated): void {
  for (const statistic of tablesOf(policy).flatMap(({ statistics }) => statistics)) {
    if (statistic.statistic !== "mean") continue;
    const { inner } = inputs.values.get(statistic.of)!;
    let missing = 0;
    for (let i = 0; i < system.inner; i++) missing += system.innerCount[i]! - inner[i]!;
    if (missing === 0) continue;
    throw new DataError(
      "perturbation/missing-values",
      `${missing} records have no value of ${JSON.stringify(statistic.of)}. With changed counts a mean is the sum shown by the count shown, so every ` +
        "record needs a value: fill the column in, leave those records out, or publish the sum without the mean.",
      { column: statistic.of, records: missing },
    );
  }
}

/** What the numbers are, for readers. */
export function changedValueColumn(policy: Policy, statistic: Statistic, count: Pick<ValueColumn, "type" | "description">): ValueColumn {
  const { name } = statistic;
  const plain = statisticValueColumn(policy, statistic);
  switch (statistic.statistic) {
    case "count":
      return { name, ...count };
    case "weighted-count":
      return { ...plain, description: "Estimated number in the population: the number of records shown times their mean sampling weight, rounded." };
    case "sum":
      return { ...plain, description: `${plain.description.replace(/\.$/, "")}, changed a little to protect those who contribute.`, missing: "the number of records shown is 0" };
    case "mean":
      return { ...plain, description: `${columnLabel(policy, statistic.of)} per record: the sum shown by the number of records shown.`, missing: "the number of records shown is 0" };
    case "percent":
      return { ...plain, description: `${plain.description.replace(/\.$/, "")}, computed from the numbers shown.`, missing: "the number or the total shown is no number above 0" };
    default:
      return { ...plain, description: `${plain.description.replace(/\.$/, "")}, computed from the numbers shown.`, missing: "a number that it is computed from is blank or 0" };
  }
}

function columnLabel(policy: Policy, column: string): string {
  return columnPolicy(policy, column).label ?? column;
}

/** What readers are told of numbers beside counts; a function of the policy alone. */
export function changedNumbersNotes(policy: Policy): string[] {
  const statistics = tablesOf(policy).flatMap((table) => table.statistics);
  const has = (...names: readonly string[]): boolean => statistics.some(({ statistic }) => names.includes(statistic));
  const notes: string[] = [];
  if (has("sum")) notes.push("Where the number of records is shown as 0, sums are blank, whether or not there are any.");
  if (has("weighted-count")) {
    notes.push(
      "Estimated numbers in the population are changed in the same proportion as the numbers of records, and rounded to about the mean sampling weight, so " +
        "that the two together do not tell the true number of records. They need not add up.",
    );
  }
  if (has("mean", "percent", "rate")) {
    notes.push(
      "Means, percentages and rates are computed from the changed numbers shown here, never from the original ones, so they say no more than those. " +
        "Compute further figures the same way. For small groups they can be far off, and percentages can exceed 100.",
    );
  }
  return notes;
}

/** Keys of the records that were surveyed. */
export interface SurveyedKeys {
  /** [cells of the survey] sum of the keys of each cell's records. */
  readonly perCell: Float64Array;
  /** [contributors] where keys are made from them. */
  readonly perContributor?: Float64Array;
}

export function surveyedKeys(policy: Policy, { survey }: Pick<Tabulated, "survey">, key: Uint8Array | undefined): SurveyedKeys {
  const options = policy.release.protect[0] as unknown as CellKey;
  const modulus = numberOfKeys(options);
  const { recordKeys: keys } = options;
  const column = [...policy.columns].find(([, own]) => own.role === (keys.from === "column" ? "record-key" : "contributor"))![0];
  if (keys.from === "column") return { perCell: givenKeys(survey, column, modulus, keys.scale) };
  const perContributor = contributorKeys(survey, column, key!, modulus);
  return { perCell: derivedKeys(survey, column, perContributor), perContributor };
}

/** [inner] sum of the record keys of the cell's records. */
export function recordKeySums({ perCell }: SurveyedKeys, { system }: Pick<Tabulated, "system">): Float64Array {
  const sums = new Float64Array(system.inner);
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

/** Key of each contributor by its code. */
function contributorKeys(survey: Survey, column: string, key: Uint8Array, modulus: number): Float64Array {
  const { dictionary } = survey.keys.find(({ name }) => name === column)!;
  const keys = new Float64Array(dictionary.size);
  const keyOf = recordKeys(key, modulus);
  for (let code = 0; code < keys.length; code++) keys[code] = keyOf(dictionaryText(dictionary, code));
  return keys;
}

function derivedKeys(survey: Survey, column: string, keys: Float64Array): Float64Array {
  const codes = survey.cells.codes[survey.cells.keys.indexOf(column)]!;
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

/**
 * Who gives how much of a measure to the inner cells. With a contributor column each cell of the survey is one contributor's;
 * else it holds records of one value, and each is a contributor of its own.
 *
 * @throws DataError `tables/no-contributor`
 */
export function amountContributions(
  policy: Policy, { survey, system }: Tabulated, measure: string, { perCell, perContributor }: SurveyedKeys,
): AmountContributions {
  const modulus = numberOfKeys(policy.release.protect[0] as unknown as CellKey);
  const { cells } = survey;
  const decimals = decimalsOf(policy, measure);
  const scale = 10 ** decimals;
  const own = cells.measures.find(({ name }) => name === measure)!;
  const whoKey = cells.keys.findIndex((name) => columnPolicy(policy, name).role === "contributor");
  if (whoKey < 0 && !cells.keys.includes(measure)) throw new InternalError("release/values-not-surveyed", "The values of a measure were not part of the first reading.");

  const unitsOf = (c: number): number => {
    const amount = whoKey < 0 ? own.min[c]! : own.sum[c]!;
    return Number.isNaN(amount) || own.values[c] === 0 ? 0 : Math.sign(amount) * Math.round(Math.abs(amount) * scale);
  };
  const kept: number[] = [];
  let total = 0;
  for (let c = 0; c < cells.size; c++) {
    if (system.innerOf[c]! < 0) continue;
    if (whoKey >= 0 && cells.codes[whoKey]![c]! < 0) {
      throw new DataError(
        "tables/no-contributor",
        `Some records have no value in ${JSON.stringify(cells.keys[whoKey])}, so nobody can tell whose they are. Fill the column in, or leave those records out.`,
        { column: cells.keys[whoKey]! },
      );
    }
    const units = unitsOf(c);
    if (units === 0) continue;
    kept.push(c);
    total += Math.abs(units) * (whoKey < 0 ? own.values[c]! : 1);
  }
  if (total > Number.MAX_SAFE_INTEGER) {
    throw new DataError(
      "statistics/too-large",
      `The sums of ${JSON.stringify(measure)} exceed 2^53 units of 10^-${decimals}, beyond which they are not exact. Set fewer decimals for the column.`,
      { column: measure, decimals },
    );
  }
  kept.sort((a, b) => system.innerOf[a]! - system.innerOf[b]! || a - b);
  return {
    decimals,
    inner: Int32Array.from(kept, (c) => system.innerOf[c]!),
    amount: Float64Array.from(kept, unitsOf),
    times: Float64Array.from(kept, (c) => (whoKey < 0 ? own.values[c]! : 1)),
    contributors: whoKey < 0 ? 0 : cells.sizes[whoKey]!,
    key: Float64Array.from(kept, (c) => perCell[c]! % modulus),
    ...(whoKey < 0 ? {} : { contributor: Int32Array.from(kept, (c) => cells.codes[whoKey]![c]!) }),
    ...(perContributor === undefined ? {} : { contributorKey: perContributor }),
  };
}
