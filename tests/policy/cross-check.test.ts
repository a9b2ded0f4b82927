import { expect, test } from "vitest";
import { parsePolicy, type PolicyInput } from "../../src/policy/index.ts";
import { microdataPolicy, noisyPolicy, refusal, smallCellsPolicy, TABLE_COLUMNS } from "./policies.ts";

const base = microdataPolicy();
const age = { role: "quasi-identifier", hierarchy: "age" } as const;
const sex = { role: "quasi-identifier" } as const;

/** Each case: what is wrong, the policy, the path and a part of the sentence. */
const CASES: readonly (readonly [string, unknown, string, RegExp])[] = [
  ["a key that is no column", microdataPolicy({}, { keys: ["age", "sex", "agee"] }), "release.protect[0].keys[2]", /no column "agee".*Did you mean "age"/],
  ["a key of another role", microdataPolicy({}, { keys: ["age", "sex", "income"] }), "release.protect[0].keys[2]", /has the role other/],
  ["a key named twice", microdataPolicy({}, { keys: ["age", "sex", "age"] }), "release.protect[0].keys[2]", /second time/],
  ["a quasi-identifier left out of the keys", microdataPolicy({}, { keys: ["age"] }), "release.protect[0].keys", /leaves out the quasi-identifier "sex"/],
  ["a dropped key", microdataPolicy({ columns: { age, sex: { ...sex, drop: true } } }, { keys: ["age", "sex"] }), "release.protect[0].keys[1]", /is dropped/],
  ["no quasi-identifier", microdataPolicy({ columns: { a: { role: "other" } }, hierarchies: {} }), "release.protect[0]", /at least one column with the role quasi-identifier/],
  ["no column", { ...base, columns: {}, hierarchies: {} }, "columns", /names no column/],
  ["levels of a column that is no key", microdataPolicy({}, { levels: { income: 1 } }), "release.protect[0].levels.income", /not a key/],
  ["a level beyond the hierarchy", microdataPolicy({}, { levels: { age: 4 } }), "release.protect[0].levels.age", /level 4.*levels 0 to 3/],
  ["a level without hierarchy", microdataPolicy({}, { levels: { sex: { min: 1 } } }), "release.protect[0].levels.sex", /no hierarchy/],
  ["level limits the wrong way round", microdataPolicy({}, { levels: { age: { min: 2, max: 1 } } }), "release.protect[0].levels.age", /min \(2\).*max \(1\)/],
  ["a hierarchy that is not there", microdataPolicy({ columns: { age: { ...age, hierarchy: "agge" }, sex } }), "columns.age.hierarchy", /no hierarchy "agge".*Did you mean "age"/],
  ["a hierarchy that nobody uses", microdataPolicy({ columns: { sex } }), "hierarchies.age", /no column uses/],
  ["a direct identifier that is not dropped", microdataPolicy({ columns: { age, sex, ssn: { role: "direct-identifier", drop: false } } }), "columns.ssn.drop", /never released/],
  ["a contributor that is not dropped", noisyPolicy({ columns: { ...TABLE_COLUMNS, person: { role: "contributor", drop: false } } }), "columns.person.drop", /never released/],
  ["two weights", microdataPolicy({ columns: { age, sex, w: { role: "weight" }, x: { role: "weight" } } }), "columns.x.role", /only one column can be the weight/],
  ["two contributors", noisyPolicy({ columns: { ...TABLE_COLUMNS, p: { role: "contributor" }, q: { role: "contributor" } } }), "columns.q.role", /only one column/],
  ["microdata with a frequency", microdataPolicy({ columns: { age, sex, n: { role: "frequency" } } }), "columns.n.role", /cannot be counted as persons/],
  ["a normalisation named twice", microdataPolicy({ columns: { age, sex: { ...sex, normalise: ["trim", "trim"] } } }), "columns.sex.normalise", /twice/],
  ["a format named twice", microdataPolicy({ release: { ...base.release, formats: ["csv", "csv"] } as never }), "release.formats", /twice/],
  ["two protections", microdataPolicy({ release: { kind: "microdata", protect: [{ method: "k-anonymity", k: 11 }, { method: "k-anonymity", k: 5 }] } }), "release.protect", /exactly one/],
  ["an override given twice", microdataPolicy({ overrides: [0, 1].map(() => ({ requirement: "minimum-class-size", value: 3, reason: "A test of overrides.", approvedBy: "me" })) }), "overrides[1]", /second time/],
  ["a delimiter for parquet", microdataPolicy({ source: { path: "a.parquet", delimiter: ";" } }), "source.delimiter", /belongs to CSV/],
  ["two tables of one name", smallCellsPolicy({ release: { kind: "tables", tables: [{ name: "t", dimensions: ["race"] }, { name: "t", dimensions: ["county"] }], protect: [{ method: "small-cells", threshold: 11 }] } }), "release.tables[1].name", /already/],
  ["a dimension that is no column", smallCellsPolicy({}, {}, { dimensions: ["county", "rase"] }), "release.tables[0].dimensions[1]", /no column "rase".*Did you mean "race"/],
  ["a dimension twice", smallCellsPolicy({}, {}, { dimensions: ["county", "county"] }), "release.tables[0].dimensions[1]", /already/],
  ["a direct identifier as dimension", smallCellsPolicy({ columns: { ...TABLE_COLUMNS, race: { role: "direct-identifier" } } }), "release.tables[0].dimensions[1]", /never released/],
  ["a measure as dimension", smallCellsPolicy({ columns: { ...TABLE_COLUMNS, race: { role: "measure" } } }), "release.tables[0].dimensions[1]", /added up/],
  ["a dropped dimension", smallCellsPolicy({ columns: { ...TABLE_COLUMNS, race: { role: "other", drop: true } } }), "release.tables[0].dimensions[1]", /dropped/],
  ["a level beyond the dimension's", smallCellsPolicy({}, {}, { dimensions: [{ column: "county", levels: [0, 1] }] }), "release.tables[0].dimensions[0]", /no hierarchy/],
  ["a margin of another column", smallCellsPolicy({}, {}, { margins: [["rac"]] }), "release.tables[0].margins[0][0]", /Did you mean "race"/],
  ["a margin that is the table", smallCellsPolicy({}, {}, { margins: [["race", "county"]] }), "release.tables[0].margins[0]", /the table itself/],
  ["a margin listed twice", smallCellsPolicy({}, {}, { margins: [[], []] }), "release.tables[0].margins[1]", /already/],
  ["no groups for a dimension", noisyPolicy({}, { groups: { county: ["Yolo"] } }), "release.protect[0].groups", /dimension "race"/],
  ["groups of no dimension", noisyPolicy({}, { groups: { county: ["Yolo"], race: ["a"], rcae: ["b"] } }), "release.protect[0].groups.rcae", /Did you mean "race"/],
  ["a group declared twice", noisyPolicy({}, { groups: { county: ["Yolo"], race: ["a", "b", "a"] } }), "release.protect[0].groups.race[2]", /same group as entry 1/],
  ["no contributor", noisyPolicy({ columns: TABLE_COLUMNS }), "release.protect[0].privacyUnit", /role contributor/],
  ["a record bound of records", noisyPolicy({}, { privacyUnit: "record", maxRecordsPerContributor: 2 }), "release.protect[0].maxRecordsPerContributor", /must be 1/],
  ["noisy counts with weights", noisyPolicy({ columns: { ...TABLE_COLUMNS, person: { role: "contributor" }, w: { role: "weight" } } }), "columns.w.role", /noisy counts count records/],
  ["rho for Laplace noise", noisyPolicy({}, { mechanism: "discrete-laplace", epsilon: 1 }), "release.protect[0]", /unknown key "rho"/],
  ["no budget", noisyPolicy({}, { rho: undefined }), "release.protect[0].rho", /is missing; expected a number/],
  ["a threshold that is missing", smallCellsPolicy({}, { threshold: undefined as never }), "release.protect[0].threshold", /is missing/],
  ["a k of 1", microdataPolicy({}, { k: 1 }), "release.protect[0].k", /at least 2; found 1/],
  ["a k that is no whole number", microdataPolicy({}, { k: 2.5 }), "release.protect[0].k", /whole number/],
  ["a share above 1", microdataPolicy({}, { maxSuppressedShare: 4 }), "release.protect[0].maxSuppressedShare", /at most 1; found 4/],
  ["widths that do not nest", microdataPolicy({ hierarchies: { age: { kind: "interval", widths: [5, 12] } } }), "hierarchies.age.widths[1]", /must nest/],
  ["weeks in months", microdataPolicy({ hierarchies: { age: { kind: "date", levels: ["week", "month"] } } }), "hierarchies.age.levels[1]", /Weeks cross/],
  ["a tree of both kinds", microdataPolicy({ hierarchies: { age: { kind: "tree", path: "a.csv", inline: [["a", "b"]] } } }), "hierarchies.age", /one of the two/],
  ["a tree with ragged lines", microdataPolicy({ hierarchies: { age: { kind: "tree", inline: [["a", "b"], ["c"]] } } }), "hierarchies.age.inline[1]", /as many entries as the first \(2\); found 1/],
  ["a path outside", microdataPolicy({ source: { path: "../data.csv" } }), "source.path", /".." is refused/],
  ["an absolute path", microdataPolicy({ source: { path: "/etc/passwd" } }), "source.path", /absolute/],
  ["a Windows path", microdataPolicy({ source: { path: "C:\\data.csv" } }), "source.path", /absolute/],
  ["a hierarchy path outside", microdataPolicy({ hierarchies: { age: { kind: "tree", path: "x\\..\\..\\y" } } }), "hierarchies.age.path", /".." is refused/],
  ["a device as file name", microdataPolicy({ dataset: { name: "con" } }), "dataset.name", /file name/],
  ["a table name with a slash", smallCellsPolicy({}, {}, { name: "a/b" }), "release.tables[0].name", /file name/],
  ["a method of the other kind", { ...base, release: { kind: "microdata", protect: [{ method: "small-cells", threshold: 11 }] } }, "release.protect[0].method", /expected k-anonymity/],
  ["a kind that is not there", { ...base, release: { kind: "table" } }, "release.kind", /Did you mean tables/],
  ["an override of what has no weaker form", microdataPolicy({ overrides: [{ requirement: "direct-identifiers-removed" as never, value: 1, reason: "A test of overrides.", approvedBy: "me" }] }), "overrides[0].requirement", /expected one of minimum-class-size/],
  ["an override without a name", microdataPolicy({ overrides: [{ requirement: "minimum-class-size", value: 3, reason: "A test of overrides.", approvedBy: " " }] }), "overrides[0].approvedBy", /Name who approved/],
  ["a release date that is none", microdataPolicy({ dataset: { name: "people", released: "2026-02-30" } }), "dataset.released", /date/],
];

test.each(CASES)("refuses %s", (_, input, path, sentence) => {
  const error = refusal(input);
  expect(error.code).toBe("policy/invalid");
  expect(error.detail["paths"]).toEqual([path]);
  expect(error.message).toMatch(sentence);
});

test("the policies that the cases change are accepted themselves", () => {
  for (const input of [microdataPolicy(), smallCellsPolicy(), noisyPolicy()]) expect(() => parsePolicy(input)).not.toThrow();
});

test("a hierarchy that lists its values declares the groups", () => {
  const race: PolicyInput["columns"][string] = { role: "other", hierarchy: { kind: "order", values: ["a", "b"], groupSizes: [2] } };
  const input = noisyPolicy({ columns: { ...TABLE_COLUMNS, race, person: { role: "contributor" } } }, { groups: { county: ["Yolo"] } });
  expect(() => parsePolicy(input)).not.toThrow();
});

test("defaults: keys from roles, the release's name from the dataset, the safer choices", () => {
  const policy = parsePolicy(microdataPolicy());
  expect(policy.classification).toBe("unknown");
  expect(policy.otherColumns).toBe("error");
  expect(policy.release).toEqual({
    kind: "microdata",
    name: "people",
    formats: ["csv"],
    order: "sorted",
    protect: [
      {
        method: "k-anonymity",
        k: 11,
        keys: ["age", "sex"],
        maxSuppressedShare: 0.05,
        metric: "loss",
        aggregate: "geometric-mean",
        generalizationWeight: 0.5,
        levels: new Map(),
      },
    ],
  });
  expect(policy.columns.get("sex")).toEqual({ role: "quasi-identifier", type: "string", nulls: [""], nullMeaning: "category", normalise: [] });
  const tables = parsePolicy(smallCellsPolicy({}, {}, { dimensions: ["county", { column: "race", levels: [0, 0] }] }));
  expect(tables.release).toMatchObject({
    tables: [{ dimensions: [{ column: "county", levels: [0] }, { column: "race", levels: [0] }], margins: "all" }],
    protect: [{ zeros: "publish", codes: "merged" }],
  });
});

test("each misspelt field of the policy is an unknown key with a suggestion", () => {
  expect(refusal({ ...base, clasification: "high" }).message).toMatch(/unknown key "clasification"\. Did you mean classification\?/);
  expect(refusal(microdataPolicy({}, { maxSupressedShare: 1 } as never)).message).toMatch(/Did you mean maxSuppressedShare\?/);
  expect(refusal(microdataPolicy({ columns: { age, sex: { ...sex, hierachy: "age" } as never } })).message).toMatch(/Did you mean hierarchy\?/);
});
