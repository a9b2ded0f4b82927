/** Statistics against plain versions over single records, and roundings against exact rationals. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dictionaryText } from "../../../src/columns/index.ts";
import { roundedRatio, statisticColumn, twiceMedians, type Amount } from "../../../src/tables/statistics/index.ts";
import { sumOverInner, tabulate, TOTAL } from "../../../src/tables/tabulate/index.ts";
import type { Statistic } from "../../../src/tables/tabulate/schema.ts";
import { cube, example } from "../helpers.ts";

describe("rounding of quotients", () => {
  test("is to the nearest, halves up, for any safe integers", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: 1, max: 1_000_000_000 }), fc.integer({ min: -(2 ** 52), max: 2 ** 52 }).filter((d) => d !== 0), (n, times, d) => {
        const exact = roundedRatio(n, times, d);
        const product = BigInt(n) * BigInt(times);
        // Large results are rounded to a double as every number is.
        if (Math.abs(exact) > 2 ** 53) return;
        const error = 2n * (BigInt(exact) * BigInt(d) - product) * (d < 0 ? -1n : 1n);
        const size = BigInt(Math.abs(d));
        expect(error <= size && error > -size).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([[1, 1, 2, 1], [-1, 1, 2, 0], [5, 10, 4, 13], [2, 1, 3, 1], [1, 1, 3, 0], [9007199254740991, 1, 2, 4503599627370496]])(
    "%d x %d / %d is %d", (n, times, d, expected) => expect(roundedRatio(n, times, d)).toBe(expected),
  );
});

/** Records (region, sex, value in tenths or none). */
const records = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 1 }), fc.option(fc.integer({ min: -50, max: 200 }), { nil: undefined })), {
  minLength: 1, maxLength: 60,
});

test("every statistic of every row is that of the row's records", () => {
  fc.assert(
    fc.property(records, (rows) => {
      const { cells, hierarchies, system } = systemOf(rows);
      const table = system.tables[0]!;
      const hidden = new Uint8Array(system.cells);
      const inputs = inputsOf(rows, system, cells.keys);
      const column = (statistic: Statistic): Float64Array => statisticColumn(system, table, statistic, inputs, hidden);
      const found = {
        count: column({ statistic: "count", name: "count" }),
        sum: column({ statistic: "sum", of: "value", name: "s" }),
        mean: column({ statistic: "mean", of: "value", decimals: 2, name: "m" }),
        median: column({ statistic: "median", of: "value", decimals: 2, name: "d" }),
        percent: column({ statistic: "percent", of: ["region"], decimals: 1, name: "p" }),
        rate: column({ statistic: "rate", numerator: "value", denominator: "count", per: 100, decimals: 1, name: "r" }),
      };
      for (let row = 0; row < table.rows; row++) {
        const texts = table.codes.map((codes, d) => {
          if (table.level[d]![row] === TOTAL) return undefined;
          return dictionaryText(hierarchies.get(table.dimensions[d]!.column)!.levels[0]!.dictionary, codes[row]!);
        });
        const regionAt = table.dimensions.findIndex(({ column: name }) => name === "region");
        const own = rows.filter(([region, sex]) => (texts[regionAt] ?? `r${region}`) === `r${region}` && (texts[1 - regionAt] ?? `s${sex}`) === `s${sex}`);
        const base = rows.filter(([region]) => (texts[regionAt] ?? `r${region}`) === `r${region}`);
        const values = own.flatMap(([, , value]) => (value === undefined ? [] : [value])).sort((a, b) => a - b);
        const sum = values.reduce((all, value) => all + value, 0);
        expect(found.count[row]).toBe(own.length);
        expect(found.sum[row]).toBe(sum / 10);
        expect(found.mean[row]).toBe(values.length === 0 ? NaN : nearest(sum * 10, values.length) / 100);
        const middle = values.length === 0 ? NaN : (values[Math.floor((values.length - 1) / 2)]! + values[Math.floor(values.length / 2)]!) * 5;
        expect(found.median[row]).toBe(Number.isNaN(middle) ? NaN : middle / 100);
        expect(found.percent[row]).toBe(base.length === 0 ? NaN : nearest(own.length * 1000, base.length) / 10);
        expect(found.rate[row]).toBe(own.length === 0 ? NaN : nearest(sum * 100, own.length) / 10);
      }
    }),
    { numRuns: 60 },
  );
});

test("a number that a hidden cell enters is blank, and no other", () => {
  const { system } = systemOf([[0, 0, 5], [0, 1, 7], [1, 0, 1], [1, 1, 2]]);
  const table = system.tables[0]!;
  const total = Array.from({ length: table.rows }, (_, row) => row).find((row) => table.level.every((levels) => levels[row] === TOTAL))!;
  const hidden = new Uint8Array(system.cells);
  hidden[table.cell[total]!] = 1;
  const column = statisticColumn(
    system, table, { statistic: "percent", of: [], decimals: 0, name: "p" }, { amounts: new Map([["count", count(system)]]), values: new Map(), medians: new Map() }, hidden,
  );
  expect(column.every(Number.isNaN)).toBe(true); // each refers to the hidden grand total
});

test("percentages of a total that is not published are refused", () => {
  const rows = [[0, 0, 5], [1, 1, 2]] as const;
  const { cells, hierarchies } = systemOf(rows);
  const system = tabulate(cells, hierarchies, [{ name: "t", dimensions: [{ column: "region" }, { column: "sex" }], margins: [["region", "sex"]] }], { zeros: "publish" });
  const ask = () =>
    statisticColumn(
      system, system.tables[0]!, { statistic: "percent", of: ["region"], decimals: 0, name: "p" },
      { amounts: new Map([["count", count(system)]]), values: new Map(), medians: new Map() }, new Uint8Array(system.cells),
    );
  expect(ask).toThrow(expect.objectContaining({ code: "statistics/percent-base" }));
});

function nearest(n: number, d: number): number {
  const twice = 2 * n + d;
  return Math.floor(twice / (2 * d));
}

type Row = readonly [region: number, sex: number, value: number | undefined];

function systemOf(rows: readonly Row[]) {
  const { cells, hierarchies } = example(["region", "sex"], rows.map(([region, sex]) => [`r${region}`, `s${sex}`, 1]));
  return { cells, hierarchies, system: tabulate(cells, hierarchies, [cube("t", ["region", "sex"])], { zeros: "publish" }) };
}

function count(system: ReturnType<typeof systemOf>["system"]): Amount {
  return { name: "count", decimals: 0, inner: system.innerCount, cells: system.count };
}

/** Amounts and values entered record by record. */
function inputsOf(rows: readonly Row[], system: ReturnType<typeof systemOf>["system"], keys: readonly string[]) {
  expect([...keys].sort()).toEqual(["region", "sex"]);
  const innerAt = innerOfRecord(rows, system);
  const sum = new Float64Array(system.inner);
  const known = new Float64Array(system.inner);
  const entries = { inner: [] as number[], value: [] as number[], records: [] as number[] };
  rows.forEach(([, , value], i) => {
    if (value === undefined) return;
    sum[innerAt[i]!]! += value;
    known[innerAt[i]!]! += 1;
    entries.inner.push(innerAt[i]!);
    entries.value.push(value);
    entries.records.push(1);
  });
  return {
    amounts: new Map([["count", count(system)], ["value", { name: "value", decimals: 1, inner: sum, cells: sumOverInner(system, sum) }]]),
    values: new Map([["value", { name: "value", decimals: 0, inner: known, cells: sumOverInner(system, known) }]]),
    medians: new Map([
      ["value", { decimals: 1, twice: twiceMedians(system, { inner: Int32Array.from(entries.inner), value: Float64Array.from(entries.value), records: Float64Array.from(entries.records) }) }],
    ]),
  };
}

/** Inner cells come in the order of regions, then sexes, both by their texts. */
function innerOfRecord(rows: readonly Row[], system: { readonly inner: number }): number[] {
  const pairs = [...new Set(rows.map(([region, sex]) => `${region} ${sex}`))].sort();
  expect(pairs.length).toBe(system.inner);
  return rows.map(([region, sex]) => pairs.indexOf(`${region} ${sex}`));
}
