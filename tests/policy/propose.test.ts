/** Proposed policies: what is recognised, what is never quoted, and that every proposal can be planned as it is. */
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePolicy, plan, proposePolicy, type Policy } from "../../src/index.ts";
import { openFileSource } from "../../src/node.ts";
import { propose, readFacts } from "../../src/policy/propose/index.ts";
import { wordsOf } from "../../src/policy/propose/name-words.ts";
import { baseline } from "../../src/profiles/index.ts";
import { K_HIGH, K_MODERATE, MANY_UNIQUES, SMALL_COUNT } from "../../src/policy/propose/proposal.ts";
import { createHasher } from "../../src/node/hash.ts";
import { recordsSource } from "../../src/sources/memory/index.ts";

const DATA = fileURLToPath(new URL("../../examples/data/", import.meta.url));
const sourceOf = (records: readonly object[]) => recordsSource(records, { newHasher: createHasher });

/** Seeded whole numbers. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 48271) % 2147483647) % below;
}

/** Records of persons as an agency might keep them; every value of a person's own begins with Zq7. */
function people(n: number): Record<string, unknown>[] {
  const next = numbers(5);
  return Array.from({ length: n }, (_, i) => ({
    PatientID: `Zq7${100000 + i}`,
    "First Name": `Zq7first${next(400)}`,
    LastName: `Zq7last${next(900)}`,
    SSN: `${String(100 + next(800))}-${String(10 + next(89))}-${String(1000 + next(8999))}`,
    contact: i % 3 === 0 ? "" : `zq7.${i}@example.org`,
    mobile: `(555) ${100 + next(900)}-${1000 + next(9000)}`,
    DateOfBirth: `${1930 + next(85)}-0${1 + next(9)}-${10 + next(18)}`,
    gender: ["F", "M", "X"][next(2)],
    zip: String(next(90)).padStart(2, "0") + "210",
    county_fips: `060${String(1 + 2 * next(40)).padStart(2, "0")}`,
    AdmissionDate: `2023-0${1 + next(9)}-1${next(10)}`,
    Diagnosis: ["J45", "E11", "I10", "F32"][next(4)],
    TotalCharges: `${next(90000)}.${10 + next(89)}`,
    householdSize: 1 + next(7),
    remarks: `Zq7 said that ${next(1e6)} is fine and ${next(1e6)} is not`,
    rare: i < 9 ? `Zq7rare${i % 3}` : ["common", "usual", "often", "mostly"][next(4)],
  }));
}

const rolesOf = (policy: Policy): Record<string, string> => Object.fromEntries(
  [...policy.columns].map(([name, { role }]) => [name, role])
);

describe("a file of persons", () => {
  const records = people(3000);

  test("each column gets the role it should have", async () => {
    const policy = parsePolicy(await proposePolicy(sourceOf(records), { name: "patients" }));
    expect(rolesOf(policy)).toEqual({
      PatientID: "direct-identifier", "First Name": "direct-identifier", LastName: "direct-identifier", SSN: "direct-identifier",
      contact: "direct-identifier", mobile: "direct-identifier", remarks: "direct-identifier",
      DateOfBirth: "quasi-identifier", gender: "quasi-identifier", zip: "quasi-identifier", county_fips: "quasi-identifier",
      AdmissionDate: "quasi-identifier", householdSize: "quasi-identifier", rare: "quasi-identifier",
      Diagnosis: "sensitive", TotalCharges: "measure",
    });
  });

  test("hierarchies follow the kind: dates, prefixes of codes, intervals", async () => {
    const { hierarchies, columns } = parsePolicy(await proposePolicy(sourceOf(records)));
    expect(hierarchies.get("DateOfBirth")).toMatchObject({ kind: "date" });
    expect(hierarchies.get("zip")).toMatchObject({ kind: "prefix", keep: [3] });
    expect(hierarchies.get("county_fips")).toMatchObject({ kind: "prefix", keep: [2] });
    expect(hierarchies.get("householdSize")).toMatchObject({ kind: "interval" });
    expect(columns.get("zip")!.type).toBe("string");
    expect(columns.get("DateOfBirth")!.type).toBe("date");
  });

  test("it can be planned as it is", async () => {
    const made = await plan(parsePolicy(await proposePolicy(sourceOf(records))), { source: sourceOf(records) });
    expect(made.requirements.map(({ requirement }) => requirement)).toContain("minimum-class-size");
  });

  test("no value of a person is quoted, nor one of a few records", async () => {
    const text = await proposePolicy(sourceOf(records));
    expect(text).not.toMatch(/zq7/i);
    // A control: the columns do hold such values, and the text names other things of them.
    expect(JSON.stringify(records)).toMatch(/Zq7rare/);
    expect(text).toContain("rare:");
  });
});

describe("the example data", () => {
  test("adult: quasi-identifiers and the salary as sensitive; plans as it is", async () => {
    const open = () => openFileSource(`${DATA}adult/adult.csv.gz`, { delimiter: ";" });
    const policy = parsePolicy(await proposePolicy(await open(), { path: "adult.csv.gz", delimiter: ";" }));
    const roles = rolesOf(policy);
    expect(roles["salary-class"]).toBe("sensitive");
    expect(Object.values(roles).filter((role) => role === "quasi-identifier").length).toBe(8);
    expect(policy.source).toEqual({ path: "adult.csv.gz", delimiter: ";" });
    const made = await plan(policy, { source: await open() });
    expect(made.decision.method).toBe("k-anonymity");
  });

  test("county populations: a table of counts; the code that repeats the county is left out; plans as it is", async () => {
    const open = () => openFileSource(`${DATA}california-population-2020.csv`);
    const policy = parsePolicy(await proposePolicy(await open()));
    expect(rolesOf(policy)).toEqual(
      {
        county: "quasi-identifier",
        fips: "quasi-identifier",
        race_ethnicity: "quasi-identifier",
        population: "frequency",
      }
    );
    expect(policy.columns.get("fips")).toMatchObject({ drop: true, type: "string" });
    expect(policy.release).toMatchObject(
      { kind: "tables", tables: [{ dimensions: [{ column: "county" }, { column: "race_ethnicity" }] }] }
    );
    expect((await plan(policy, { source: await open() })).decision.method).toBe("small-cells");
  });
});

describe("traps", () => {
  const one = async (column: string, values: readonly unknown[]): Promise<{ text: string; policy: Policy }> => {
    const text = await proposePolicy(
      sourceOf(values.map((value, i) => ({ [column]: value, group: ["a", "b"][i % 2] })))
    );
    return { text, policy: parsePolicy(text) };
  };
  const repeat = (values: readonly unknown[], times = 20): unknown[] => Array.from(
    { length: values.length * times }, (_, i) => values[i % values.length],
  );

  test("codes with leading zeros stay text", async () => {
    const { policy, text } = await one("zip", repeat(["02139", "90210", "00501"]));
    expect(policy.columns.get("zip")).toMatchObject({ role: "quasi-identifier", type: "string" });
    expect(text).toContain("leading zeros stay");
  });

  test("ZIP codes that have lost their zeros are pointed out", async () => {
    const { policy, text } = await one("zip", repeat([2139, 90210, 501]));
    expect(policy.hierarchies.get("zip")).toEqual({ kind: "suppress" });
    expect(text).toContain("lost their leading zeros");
  });

  test("categories that YAML would read as something else are quoted", async () => {
    const values = ["NO", "1e5", "2020-01-01x", "0123", "true", "~", "- x", "#y", 'say "hi"', "back\\slash"];
    // Two common ones, so that the others are joined into a tree that lists them all.
    const { policy } = await one("kind", [...repeat(["common", "usual"], 200), ...repeat(values, 6)]);
    expect(policy.hierarchies.get("kind")).toMatchObject({ kind: "tree" });
    const tree = policy.hierarchies.get("kind") as { inline: string[][] };
    expect(tree.inline.map(([leaf]) => leaf).sort()).toEqual(["common", "usual", ...values].sort());
  });

  test("a category of fewer than 5 records is not quoted: the column gets no list", async () => {
    const { text, policy } = await one(
      "kind", [...repeat(["common", "usual"], 200), ...repeat(["c1", "c2"], 6), "Zq7", "Zq7"],
    );
    expect(policy.hierarchies.get("kind")).toEqual({ kind: "suppress" });
    expect(text).not.toContain("Zq7");
  });

  test.each([
    [
      "one e-mail address among other values",
      "contact",
      [...repeat(["none", "asked"]), "zq7@example.org"],
      "direct-identifier",
    ],
    ["one social security number", "number", [...repeat(["x", "y"]), "123-45-6789"], "direct-identifier"],
    ["numbers that count the records", "n", Array.from({ length: 100 }, (_, i) => i + 1), "direct-identifier"],
    ["all values differ", "thing", Array.from({ length: 100 }, (_, i) => `t${i}`), "direct-identifier"],
    ["ids of persons that repeat", "person_id", repeat(["p1", "p2", "p3", "p4"]), "contributor"],
    [
      "codes that repeat, under no telling name",
      "patient",
      Array.from({ length: 600 }, (_, i) => `P${100000 + (i * 7919) % 300}`),
      "contributor",
    ],
    [
      "many texts that nothing explains",
      "zork",
      Array.from({ length: 600 }, (_, i) => `t ${i % 250}`),
      "direct-identifier",
    ],
    ["a survey weight", "PWGTP", repeat([12.5, 80.25, 33]), "weight"],
    ["decimals", "level", repeat([1.5, 2.25, 8]), "measure"],
    ["nothing in it", "blank", repeat(["", "NA"]), "other"],
    ["unknown words: careful", "zork", repeat(["p", "q"]), "quasi-identifier"],
  ])("%s", async (_what, name, values, role) => {
    expect(rolesOf((await one(name, values)).policy)[name]).toBe(role);
  });

  test("missing words are listed as nulls, and numbers stay numbers", async () => {
    const { policy } = await one("age", repeat([30, 41, "NA", "", "?"]));
    expect(policy.columns.get("age")).toMatchObject({ type: "integer", nulls: ["", "NA", "?"] });
  });

  test("a file without a header is refused without naming what is there", async () => {
    const source = sourceOf([{ "123-45-6789": "a", "zq7@example.org": "b", "1980-02-03": "c" }]);
    const error = await proposePolicy(source).then(() => undefined, (thrown: Error) => thrown);
    expect(error).toMatchObject({ code: "propose/no-header" });
    expect(String(error)).not.toMatch(/zq7|6789|1980/);
    await expect(proposePolicy(sourceOf([{ county: "a", "2019": 1, "2020": 2 }]))).resolves.toContain('"2019"');
  });

  test("only identifiers: refused", async () => {
    await expect(
      proposePolicy(sourceOf(people(50).map(({ SSN, LastName }) => ({ SSN, LastName }))))
    ).rejects.toMatchObject({ code: "propose/only-identifiers" });
  });

  test("values that appear after the sample count, where a file can be read whole", async () => {
    const records = [...repeat(["a", "b"], 1500), "NA", ...repeat(["5.5"], 10)].map((x) => ({ x, y: "k" }));
    const source = { ...sourceOf(records), totalBytes: 1e6 };
    const { columns, sampled, records: all } = await readFacts(source, { sampleRecords: 1000 });
    expect({ sampled, all }).toEqual({ sampled: 1000, all: 3011 });
    expect(columns[0]).toMatchObject({ isWhole: true, distinct: 3, nullWords: ["NA"] });
  });

  test("many keys: those beyond the limit are dropped, and the combinations stay few", async () => {
    const next = numbers(3);
    const records = Array.from(
      { length: 500 }, () => Object.fromEntries(Array.from({ length: 16 }, (_, c) => [`age ${c}`, next(80)])),
    );
    const { columns } = propose(await readFacts(sourceOf(records), {}));
    const keys = columns.filter(({ role, drop }) => role === "quasi-identifier" && !drop);
    expect(keys.length).toBe(10);
    expect(keys.reduce((product, { hierarchy }) => product * hierarchy!.levels, 1)).toBeLessThanOrEqual(1_100_000);
    expect(columns.filter(({ drop }) => drop).length).toBe(6);
  });
});

test("names of any text give a policy that can be read", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 },
    ), async (names) => {
      fc.pre(names.every((name) => name !== "__proto__" && !/^[\d\s.,@-]+$/.test(name) && !name.includes("@")));
      const records = Array.from(
        { length: 30 }, (_, i) => Object.fromEntries(names.map((name, c) => [name, `v${(i * (c + 1)) % 3}`])),
      );
      const policy = parsePolicy(await proposePolicy(sourceOf(records)));
      expect([...policy.columns.keys()].sort()).toEqual([...names].sort());
    }),
    { numRuns: 60 },
  );
});

test("names as words", () => {
  expect(
    ["DateOfBirth", "PATIENT_ID", "zip5", "Marital-Status", "SSNumber", "  x  ", "county (2020)"].map(wordsOf)
  ).toEqual([
    "date of birth", "patient id", "zip 5", "marital status", "ss number", "x", "county 2020",
  ]);
});

/** The proposal must not ask for less than the rules, or it could not be planned as it is. */
test("the proposed numbers are those of commensurate/baseline", () => {
  const required = (id: string): number => baseline.requirementRules.find(
    (rule) => rule.id === `baseline/${id}`
  )!.requires.value;
  expect(K_MODERATE).toBe(required("class-size-moderate"));
  expect(K_HIGH).toBe(required("class-size-high"));
  expect(SMALL_COUNT).toBe(required("frequency"));
  expect(MANY_UNIQUES).toBe(baseline.tierRules.find(({ id }) => id === "baseline/many-uniques")!.when[0]!.bound);
});

test("the text is stable: the same data give the same policy", async () => {
  const text = await proposePolicy(sourceOf(people(200)));
  expect(await proposePolicy(sourceOf(people(200)))).toBe(text);
});
