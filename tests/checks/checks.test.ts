import { tableFromArrays, tableFromIPC, tableToIPC, vectorFromArray, Dictionary, Int32, Utf8, Table } from "apache-arrow";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkKAnonymity, checkSmallCells, equivalenceClassSizes, riskMeasures } from "../../src/checks.ts";
import { DataError, PolicyError } from "../../src/errors/index.ts";

/**
 * Sweeney (2002), "k-anonymity: a model for protecting privacy", Figure 2: eleven records over {race, birth, gender, zip},
 * printed as an example with k = 2. Copied by hand from the paper.
 */
const FIGURE_2 = [
  ["Black", "1965", "m", "0214*"], ["Black", "1965", "m", "0214*"],
  ["Black", "1965", "f", "0213*"], ["Black", "1965", "f", "0213*"],
  ["Black", "1964", "f", "0213*"], ["Black", "1964", "f", "0213*"],
  ["White", "1964", "m", "0213*"], ["White", "1964", "m", "0213*"], ["White", "1964", "m", "0213*"],
  ["White", "1967", "m", "0213*"], ["White", "1967", "m", "0213*"],
] as const;
const NAMES = ["race", "birth", "gender", "zip"];
const columns = Object.fromEntries(NAMES.map((name, key) => [name, FIGURE_2.map((row) => row[key]!)]));
const records = FIGURE_2.map((row) => Object.fromEntries(NAMES.map((name, key) => [name, row[key]!])));

const SHAPES = [
  ["rows as arrays", FIGURE_2],
  ["records", records],
  ["columns", columns],
  ["a Map of columns", new Map(Object.entries(columns))],
  ["an Arrow table", tableFromArrays(columns)],
  ["an Arrow table read from bytes", tableFromIPC(tableToIPC(tableFromArrays(columns)))],
  ["an Arrow table of Utf8", new Table(Object.fromEntries(NAMES.map((name) => [name, vectorFromArray(columns[name]!, new Utf8())])))],
] as const;

describe.each(SHAPES)("Sweeney's Figure 2 as %s", (_, data) => {
  test("class sizes", () => {
    expect([...equivalenceClassSizes(data)]).toEqual([2, 2, 2, 3, 2]);
  });
  test.each([
    { k: 2, pass: true, recordsAtRisk: 0, smallClasses: 0 },
    { k: 3, pass: false, recordsAtRisk: 8, smallClasses: 4 }, // the other side of the boundary
  ])("k = $k passes: $pass", ({ k, ...expected }) => {
    expect(checkKAnonymity(data, { k })).toEqual({
      k, ...expected, records: 11, classes: 5, smallestClass: 2, largestClass: 3, uniques: 0,
      highestRisk: 1 / 2, averageRisk: 5 / 11, classSizes: [{ size: 2, classes: 4 }, { size: 3, classes: 1 }],
    });
  });
});

describe("keys and values", () => {
  test("only the named keys count, each once", () => {
    expect(riskMeasures(columns, { keys: ["race", "race"] })).toMatchObject({ classes: 2, smallestClass: 5, averageRisk: 2 / 11 });
  });

  test("without keys every column is one; with an empty list all records are one class", () => {
    expect(riskMeasures(columns).classes).toBe(5);
    expect(riskMeasures(columns, { keys: [] }).classes).toBe(1);
  });

  test("null is a value of its own, and neither text nor 0; null and undefined are one", () => {
    const data = { key: [null, undefined, "null", "", 0, -0, NaN, NaN, false] };
    expect([...equivalenceClassSizes(data)]).toEqual([2, 1, 1, 2, 2, 1]);
  });

  test("values are one when their text is, Dates by their instant", () => {
    const data = { key: [1, 1n, "1", 1.5, "1.5", new Date(0), new Date(0), new Date(1), true, "true"] };
    expect([...equivalenceClassSizes(data)]).toEqual([3, 2, 2, 1, 2]);
  });

  test("values that joined text would confuse stay apart", () => {
    expect(riskMeasures({ a: ["a,", "a"], b: ["b", ",b"] }).classes).toBe(2);
  });

  test("typed arrays", () => {
    expect(riskMeasures({ age: Int8Array.of(1, 1, 2), zip: BigInt64Array.of(5n, 5n, 5n) }).classSizes)
      .toEqual([{ size: 1, classes: 1 }, { size: 2, classes: 1 }]);
  });

  test("names of Object's own are columns like any other, and a missing property is null", () => {
    const data: object[] = [{ constructor: "a" }, { other: 1 }, { constructor: "a" }];
    expect([...equivalenceClassSizes(data, { keys: ["constructor"] })]).toEqual([2, 1]);
    expect(() => riskMeasures([{ a: 1 }], { keys: ["toString"] })).toThrow(DataError);
  });

  test("sliced, chunked and null Arrow columns", () => {
    const dictionary = vectorFromArray(["x", null, "y", "x", "z", null], new Dictionary(new Utf8(), new Int32()));
    const plain = vectorFromArray([1, null, 2, 1, 3, null], new Int32());
    const table = new Table({ text: dictionary, number: plain });
    const values = [["x", 1], [null, null], ["y", 2], ["x", 1], ["z", 3], [null, null]];
    for (const [from, to] of [[0, 6], [1, 5], [2, 6], [3, 3]] as const) {
      const rows = values.slice(from, to).map(([text, number]) => ({ text, number }));
      expect([...equivalenceClassSizes(table.slice(from, to))]).toEqual([...equivalenceClassSizes(rows)]);
    }
    const twice = table.slice(4).concat(table.slice(0, 3));
    expect([...equivalenceClassSizes(twice, { keys: ["text"] })]).toEqual([1, 2, 1, 1]);
  });

  test("every shape of the same data measures the same", () => {
    const value = fc.option(fc.constantFrom("a", "b", "c", "é"));
    fc.assert(fc.property(fc.array(fc.tuple(value, value, value), { minLength: 1 }), (rows) => {
      const names = ["k0", "k1", "k2"];
      const asColumns = Object.fromEntries(names.map((name, key) => [name, rows.map((row) => row[key]!)]));
      const asTable = new Table(Object.fromEntries(names.map((name) => [name, vectorFromArray(asColumns[name]!, new Utf8())])));
      const expected = slowSizes(rows);
      expect([...equivalenceClassSizes(asColumns)]).toEqual(expected);
      expect([...equivalenceClassSizes(rows.map((row) => ({ k0: row[0], k1: row[1], k2: row[2] })))]).toEqual(expected);
      expect([...equivalenceClassSizes(asTable)]).toEqual(expected);
    }));
  });
});

function slowSizes(rows: readonly (readonly unknown[])[]): number[] {
  const sizes = new Map<string, number>();
  for (const row of rows) sizes.set(JSON.stringify(row), (sizes.get(JSON.stringify(row)) ?? 0) + 1);
  return [...sizes.values()];
}

describe("edges", () => {
  test.each([
    { name: "no records", data: [] },
    { name: "no columns", data: {} },
    { name: "empty columns", data: { a: [], b: [] } },
    { name: "an empty Arrow table", data: tableFromArrays({ a: new Int32Array(0) }) },
  ])("$name: passes, with nothing at risk", ({ data }) => {
    expect(checkKAnonymity(data, { k: 5 })).toMatchObject({ pass: true, records: 0, classes: 0, smallestClass: 0, averageRisk: 0 });
  });

  test("one record is unique", () => {
    expect(checkKAnonymity([{ a: 1 }], { k: 2 })).toMatchObject({ pass: false, uniques: 1, recordsAtRisk: 1 });
  });
});

const CANARY = "canary-4711";
describe("errors name columns and records, never values", () => {
  test.each([
    { name: "unknown key", run: () => riskMeasures({ gender: [CANARY] }, { keys: ["gendre"] }), code: "memory/unknown-column", says: 'mean "gender"' },
    { name: "unequal columns", run: () => riskMeasures({ a: [CANARY], b: [] }), code: "memory/unequal-columns", says: '"b"' },
    { name: "a column that is no array", run: () => riskMeasures({ a: [CANARY], b: 7 } as never), code: "memory/unequal-columns", says: '"b"' },
    { name: "a record that is no object", run: () => riskMeasures([{ a: 1 }, CANARY] as never), code: "memory/not-a-record", says: "Record 2" },
    { name: "a value that cannot be compared", run: () => riskMeasures({ a: [1, { [CANARY]: 1 }] }), code: "memory/unsupported-value", says: "record 2" },
    { name: "an invalid Date", run: () => riskMeasures({ a: [new Date(NaN)] }), code: "memory/unsupported-value", says: "record 1" },
    { name: "no table at all", run: () => riskMeasures(CANARY as never), code: "memory/not-a-table", says: "Arrow table" },
    { name: "a getter that throws", run: () => riskMeasures([{ get a() { throw new Error(CANARY); } }]), code: "memory/unreadable", says: "plain objects" },
    { name: "a count whose getter throws", run: () => checkSmallCells([{ d: "x", get n() { throw new Error(CANARY); } }], { dimensions: ["d"], count: "n", threshold: 3 }), code: "memory/unreadable", says: "plain objects" },
    { name: "a count that is none", run: () => checkSmallCells({ d: ["x"], n: [CANARY] }, { dimensions: ["d"], count: "n", threshold: 3 }), code: "small-cells/bad-count", says: "record 1" },
  ])("$name", ({ run, code, says }) => {
    const error = thrown(run);
    expect(error).toBeInstanceOf(DataError);
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(says);
    expect(`${error.message} ${JSON.stringify((error as DataError).detail)} ${String(error.cause)}`).not.toContain(CANARY);
  });

  test.each([0, -1, 1.5, NaN])("k = %s is refused", (k) => {
    expect(() => checkKAnonymity(columns, { k })).toThrow(PolicyError);
  });
  test("a threshold or dimensions that say nothing are refused", () => {
    expect(() => checkSmallCells(columns, { dimensions: ["race"], threshold: 0 })).toThrow(PolicyError);
    expect(() => checkSmallCells(columns, { dimensions: [], threshold: 3 })).toThrow(PolicyError);
  });
});

function thrown(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

describe("checkSmallCells", () => {
  const table = { county: ["A", "A", "B", "B", "C"], sex: ["f", "m", "f", "m", "f"], people: [10, 11, 0, null, 3] };

  test("a finished table: below the threshold, not at it; blanks and zeros apart", () => {
    expect(checkSmallCells(table, { dimensions: ["county", "sex"], count: "people", threshold: 11 })).toEqual({
      pass: false, threshold: 11, cells: 4, suppressed: 1, smallestCount: 3, zeroCells: 1, absentCells: 1,
      smallCells: [{ record: 0, count: 10 }, { record: 4, count: 3 }],
    });
  });

  test("zeros to be protected are found, absent combinations among them", () => {
    const report = checkSmallCells(table, { dimensions: ["county", "sex"], count: "people", threshold: 3, zeros: "protect" });
    expect(report).toMatchObject({ pass: false, smallCells: [{ record: 2, count: 0 }], absentCells: 1 });
    const full = { d: ["x", "y"], n: [5, 6] };
    expect(checkSmallCells(full, { dimensions: ["d"], count: "n", threshold: 5, zeros: "protect" })).toMatchObject({ pass: true, smallCells: [] });
  });

  test("records are counted when there is no count column; rows of one cell add up", () => {
    expect(checkSmallCells(columns, { dimensions: ["race", "gender"], threshold: 3 })).toMatchObject({
      pass: false, cells: 3, smallestCount: 2, smallCells: [{ record: 0, count: 2 }], absentCells: 1,
    });
    expect(checkSmallCells({ d: ["x", "x"], n: [2n, 3] }, { dimensions: ["d"], count: "n", threshold: 5 }).pass).toBe(true);
  });
});
