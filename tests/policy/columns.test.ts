import { expect, test } from "vitest";
import { applyPolicyToColumns, parsePolicy, type PolicyInput } from "../../src/policy/index.ts";
import { microdataPolicy, noisyPolicy, smallCellsPolicy } from "./policies.ts";

function laidOn(input: PolicyInput, ...names: string[]): ReturnType<typeof applyPolicyToColumns> {
  return applyPolicyToColumns(parsePolicy(input), names.map((name) => ({ name })));
}

const columns = {
  age: { role: "quasi-identifier", hierarchy: "age" },
  sex: { role: "quasi-identifier" },
  zip: { role: "quasi-identifier", drop: true },
  ssn: { role: "direct-identifier" },
  income: { role: "measure" },
  weight: { role: "weight" },
  person: { role: "contributor" },
  race: { role: "sensitive" },
} as const;

test("microdata: keys and released columns in the order of the data; identifiers and dropped columns are not read", () => {
  const { read, dropped } = laidOn(microdataPolicy({ columns }), "ssn", "income", "sex", "zip", "race", "age", "person", "weight");
  expect(read.map(({ name, position, use, as }) => [name, position, use, as])).toEqual([
    ["income", 1, "released", "numbers"],
    ["sex", 2, "key", "codes"],
    ["race", 4, "released", "codes"],
    ["age", 5, "key", "codes"],
    ["weight", 7, "released", "numbers"],
  ]);
  expect(dropped).toEqual(["ssn", "zip", "person"]);
  expect(read.map(({ hierarchy }) => hierarchy?.kind)).toEqual([undefined, undefined, undefined, "interval", undefined]);
});

test("tables: only dimensions and what is added up are read", () => {
  const tables = smallCellsPolicy({ columns: { ...columns, age: { role: "quasi-identifier" } } }, {}, { dimensions: ["race", "age"] });
  const { read, dropped } = laidOn(tables, "ssn", "income", "sex", "zip", "race", "age", "person", "weight");
  // Who is alone in a cell is a matter of persons, where the policy says whose records they are.
  expect(read.map(({ name, use, as }) => [name, use, as])).toEqual([
    ["race", "dimension", "codes"], ["age", "dimension", "codes"], ["person", "contributor", "codes"], ["weight", "weight", "numbers"],
  ]);
  expect(dropped).toEqual(["ssn", "income", "sex", "zip"]);
});

test("noisy counts read the contributor, unless a record is the privacy unit", () => {
  expect(laidOn(noisyPolicy(), "county", "race", "person").read.map(({ use }) => use)).toEqual(["dimension", "dimension", "contributor"]);
  expect(laidOn(noisyPolicy({}, { privacyUnit: "record" }), "county", "race", "person").dropped).toEqual(["person"]);
});

test("other columns: refused by default, left out or released as they are when the policy says so", () => {
  expect(() => laidOn(microdataPolicy(), "age", "sex", "income", "name", "tel")).toThrow(
    /The data have 2 columns that the policy does not mention: "name", "tel"\. Give each a role under columns, or set otherColumns/,
  );
  expect(laidOn(microdataPolicy({ otherColumns: "drop" }), "age", "sex", "income", "name").dropped).toEqual(["name"]);
  const kept = laidOn(microdataPolicy({ otherColumns: "keep" }), "age", "sex", "income", "name").read.at(-1);
  expect(kept).toEqual({ name: "name", position: 3, use: "released", as: "codes", column: { role: "other", type: "string", nulls: [""], nullMeaning: "category", normalise: [] } });
  expect(laidOn(smallCellsPolicy({ otherColumns: "keep" }), "county", "race", "name").dropped).toEqual(["name"]);
});

test("a column that the data do not have is refused with a suggestion, even when other columns are dropped", () => {
  expect(() => laidOn(microdataPolicy({ otherColumns: "drop" }), "age", "sex", "incom")).toThrow(/"income", which the data do not have\. Did you mean "incom"\?/);
});

test("a column twice in the data is refused", () => {
  expect(() => laidOn(microdataPolicy(), "age", "sex", "income", "sex")).toThrow(/"sex" twice/);
});
