import { rollUp, type Cells, type KeyChange } from "../../cells/index.ts";
import type { Survey } from "../../engines/local/index.ts";
import { DataError } from "../../errors/index.ts";
import { DictionaryBuilder, dictionaryTexts } from "../../columns/index.ts";
import type { Policy } from "../../policy/index.ts";
import { columnPolicy } from "../columns.ts";

/**
 * A finished table lists its totals beside what they add up. They are held against the sums and left out, so that nobody is
 * counted twice.
 *
 * @throws DataError `tables/total-contradicts` when a stated total is not the sum of its parts
 * Time O(cells) for each set of columns that totals are stated over.
 */
export function withoutStatedTotals(policy: Policy, survey: Survey): Survey {
  const { cells } = survey;
  const isTotal = cells.keys.map((name) => {
    const { totals = [] } = columnPolicy(policy, name);
    if (totals.length === 0) return undefined;
    const { dictionary } = survey.keys.find((key) => key.name === name)!;
    return Uint8Array.from(dictionaryTexts(dictionary), (text) => (totals.includes(text) ? 1 : 0));
  });
  if (isTotal.every((marks) => marks === undefined)) return survey;

  const bySet = new Map<string, number[]>();
  for (let c = 0; c < cells.size; c++) {
    const over = cells.keys.flatMap((_, k) => (isTotal[k]?.[cells.codes[k]![c]!] === 1 ? [k] : [])).join();
    const list = bySet.get(over);
    if (list === undefined) bySet.set(over, [c]);
    else list.push(c);
  }
  const finest = picked(cells, bySet.get("") ?? []);
  const hasFrequency = [...policy.columns.values()].some(({ role, drop }) => role === "frequency" && drop !== true);
  for (const [over, members] of bySet) {
    if (over === "") continue;
    const dropped = over.split(",").map(Number);
    const sums = rollUp(finest, cells.keys.map((_, k): KeyChange => (dropped.includes(k) ? "drop" : null)));
    const stated = rollUp(picked(cells, members), cells.keys.map((_, k): KeyChange => (dropped.includes(k) ? "drop" : null)));
    requireAgreement(stated, sums, hasFrequency, dropped.map((k) => cells.keys[k]!));
  }
  return withoutTexts(survey, finest, isTotal);
}

/** The texts that marked totals are no categories, so hierarchies never see them. */
function withoutTexts(survey: Survey, cells: Cells, isTotal: readonly (Uint8Array | undefined)[]): Survey {
  const codes = [...cells.codes];
  const sizes = [...cells.sizes];
  const keys = [...survey.keys];
  isTotal.forEach((marks, k) => {
    if (marks === undefined) return;
    const at = keys.findIndex(({ name }) => name === cells.keys[k]);
    const left = new DictionaryBuilder();
    const codeOf = Int32Array.from(dictionaryTexts(keys[at]!.dictionary), (text, code) => (marks[code] === 1 ? -1 : left.addText(text)));
    codes[k] = codes[k]!.map((code) => (code < 0 ? -1 : codeOf[code]!));
    sizes[k] = left.size;
    keys[at] = { ...keys[at]!, dictionary: left.freeze() };
  });
  return { ...survey, cells: { ...cells, codes, sizes }, keys };
}

function requireAgreement(stated: Cells, sums: Cells, hasFrequency: boolean, over: readonly string[]): void {
  const at = new Map<string, number>();
  for (let c = 0; c < sums.size; c++) at.set(sums.codes.map((codes) => codes[c]).join(), c);
  let wrong = 0;
  for (let c = 0; c < stated.size; c++) {
    const sum = at.get(stated.codes.map((codes) => codes[c]).join());
    const agrees =
      (!hasFrequency || stated.records[c] === (sum === undefined ? 0 : sums.records[sum])) &&
      stated.measures.every((measure, m) => {
        const other = sum === undefined ? 0 : sums.measures[m]!.sum[sum]!;
        return Math.abs(measure.sum[c]! - other) <= 1e-9 * Math.max(1, Math.abs(other));
      });
    if (!agrees) wrong++;
  }
  if (wrong === 0) return;
  throw new DataError(
    "tables/total-contradicts",
    `${wrong} stated totals over ${over.map((name) => JSON.stringify(name)).join(", ")} are not the sums of the rows they stand for. ` +
      "Correct the table, or leave its totals out.",
    { totals: wrong },
  );
}

function picked(cells: Cells, members: readonly number[]): Cells {
  const pick = (values: Float64Array): Float64Array => Float64Array.from(members, (c) => values[c]!);
  return {
    ...cells,
    size: members.length,
    codes: cells.codes.map((codes) => Int32Array.from(members, (c) => codes[c]!)),
    records: pick(cells.records),
    ...(cells.weight === undefined ? {} : { weight: pick(cells.weight) }),
    measures: cells.measures.map(({ name, values, sum, sumAbs, min, max }) => ({
      name, values: pick(values), sum: pick(sum), sumAbs: pick(sumAbs), min: pick(min), max: pick(max),
    })),
  };
}
