/** Whole releases of statistical tables over every method, from data to verified files. */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { release, verify, type PolicyInput } from "../../src/index.ts";
import { inForm, Random, type Rows } from "./data.ts";
import { COUNTIES } from "./scenarios.ts";
import { coverUp, differences, workFolder } from "./walk.ts";

const work = workFolder("table-roads");
afterAll(work.remove);

const KEY = new Uint8Array(32).fill(7);
const SIZES = ["large", "mid", "small"];

/** Firms with owners: several records each, revenue with two decimals, a few owners far larger than others. */
function firms(seed: number, records = 700): Rows {
  const random = new Random(seed);
  const rows = Array.from({ length: records }, (_, i): (string | null)[] => [
    `owner${Math.floor(i / 3)}`, `group${Math.floor(i / 9)}`, random.pick(COUNTIES.slice(0, 2 + random.below(5)))[0]!, random.pick(SIZES.slice(random.below(3))),
    random.chance(0.05) ? null : (Math.exp(random.next() * 9)).toFixed(2), String(random.below(100_000_000)), random.chance(0.1) ? "1" : "0",
  ]);
  return { names: ["owner", "group", "county", "size", "revenue", "key", "asked"], rows };
}

type Method = Extract<PolicyInput["release"], { kind: "tables" }>["protect"][number];
type Table = Extract<PolicyInput["release"], { kind: "tables" }>["tables"][number];

function policy(method: Method, table: Partial<Table> = {}, changes: Partial<PolicyInput> = {}): PolicyInput {
  return {
    commensurate: 1,
    dataset: { name: "firms", released: "2026-01-31", license: "other-pd" },
    classification: "low",
    columns: {
      owner: { role: "contributor" },
      group: { role: "holding" },
      county: { role: "quasi-identifier", hierarchy: { kind: "tree", inline: COUNTIES } },
      size: { role: "quasi-identifier" },
      revenue: { role: "measure", type: "number", decimals: 2 },
      key: { role: "record-key" },
      asked: { role: "request" },
    },
    release: {
      kind: "tables",
      formats: ["csv", "arrow", "parquet", "crosstab", "html"],
      tables: [{ name: "firms", dimensions: [{ column: "county", levels: [0, 1] }, "size"], ...table } as Table],
      protect: [method],
    },
    ...changes,
  };
}

async function released(input: PolicyInput, data: Rows, form: Parameters<typeof inForm>[0] = "csv") {
  const folder = work.sub();
  const source = await inForm(form, data, folder, { doubles: ["revenue"] });
  const { directory, evidence } = await release(input, { source, out: join(folder, "out"), key: KEY });
  expect(evidence.verdict).toBe("pass");
  expect((await verify(directory)).verdict).toBe("pass");
  return { directory, lines: readFileSync(join(directory, "public/firms.csv"), "utf8").trimEnd().split("\n").map((line) => line.split(",")) };
}

const STATISTICS: Table["statistics"] = [
  "count",
  { statistic: "sum", of: "revenue", name: "revenue" },
  { statistic: "mean", of: "revenue", decimals: 2 },
  { statistic: "median", of: "revenue" },
  { statistic: "percent", of: ["county"] },
  { statistic: "rate", numerator: "revenue", denominator: "count", per: 1, name: "per_firm" },
];
const RULES: Extract<Method, { method: "cell-suppression" }>["rules"] = [
  { rule: "frequency", minimum: 11 },
  { rule: "p-percent", p: 10, of: "revenue", by: "holding" },
  { rule: "dominance", n: 2, k: 70, of: "revenue" },
  { rule: "request", share: 40, of: "revenue" },
  { rule: "contributors", minimum: 5 },
];

describe("suppression by rules", () => {
  test("shown numbers are those of the records, hidden rows are blank throughout", async () => {
    const data = firms(1);
    const { lines } = await released(policy({ method: "cell-suppression", rules: RULES }, { statistics: STATISTICS }), data);
    const [header, ...rows] = lines;
    expect(header).toEqual(["county", "county_level", "size", "count", "revenue", "mean_revenue", "median_revenue", "percent", "per_firm", "annotation"]);
    let blank = 0;
    for (const [county, level, size, count, revenue, mean, median, percent, perFirm, annotation] of rows) {
      if (annotation === "1") {
        blank++;
        expect([count, revenue, mean, median, percent, perFirm]).toEqual(["", "", "", "", "", ""]);
        continue;
      }
      const inCounty = data.rows.filter((row) => level === "total" || (level === "0" ? row[2] === county : COUNTIES.find(([leaf]) => leaf === row[2])![1] === county));
      const own = inCounty.filter((row) => size === "(total)" || row[3] === size);
      const values = own.flatMap((row) => (row[4] === null ? [] : [Number(row[4])])).sort((a, b) => a - b);
      const sum = values.reduce((all, value) => all + value, 0);
      expect(Number(count)).toBe(own.length);
      expect(Number(revenue)).toBeCloseTo(sum, 6);
      if (values.length > 0) {
        expect(Number(mean)).toBeCloseTo(sum / values.length, 1);
        expect(Number(median)).toBeCloseTo((values[Math.floor((values.length - 1) / 2)]! + values[Math.floor(values.length / 2)]!) / 2, 0);
      }
      if (percent !== "") expect(Number(percent)).toBeCloseTo((100 * own.length) / inCounty.length, 0);
    }
    expect(blank).toBeGreaterThan(10);
  });

  test("owners that dominate a cell are hidden although the cell has many records", async () => {
    const data = firms(2);
    for (const row of data.rows) if (row[0] === "owner7") (row as string[])[4] = "99999999.00";
    const { lines } = await released(policy({ method: "cell-suppression", rules: [{ rule: "dominance", n: 1, k: 50, of: "revenue" }] }, { statistics: STATISTICS }), data);
    const total = lines.find(([county, , size]) => county === "(total)" && size === "(total)")!;
    expect(total.at(-1)).toBe("1");
  });

  test("the order of records, the form of the input and dropped columns leave no trace", async () => {
    const data = firms(3);
    const input = policy({ method: "cell-suppression", rules: RULES }, { statistics: STATISTICS });
    const a = await released(input, data);
    const random = new Random(5);
    const b = await released(input, { names: data.names, rows: random.shuffled(data.rows) }, "arrow-file");
    expect(differences(join(a.directory, "public"), join(b.directory, "public"))).toEqual([]);
  });

  test("without sum rows the file has the finest categories only, protected with the totals", async () => {
    const method: Method = { method: "cell-suppression", rules: [{ rule: "frequency", minimum: 11 }] };
    const full = await released(policy(method), firms(4));
    const { lines, directory } = await released(policy(method, { sumRows: false }), firms(4));
    expect(lines[0]).toEqual(["county", "size", "count", "count_annotation"]);
    const finest = full.lines.filter(([, level, size]) => level === "0" && size !== "(total)").map(([county, , ...rest]) => [county, ...rest]);
    expect(lines.slice(1)).toEqual(finest);
    // The totals that were protected are kept for verification, and a change in them is found.
    const kept = join(directory, "internal/with-totals/firms.csv");
    writeFileSync(kept, readFileSync(kept, "utf8").replace(/^(Alpine,0,large,)(\d*)/m, (_, head: string, count: string) => `${head}${count === "" ? "1" : ""}`));
    expect((await verify(directory)).verdict).toBe("fail");
  });

  test("groups that overlap are part of what is protected", async () => {
    const groupings = { zones: { west: ["Marin", "Napa"], wine: ["Napa", "Solano"], difference: { plus: ["Marin", "Napa", "Solano"], minus: ["Napa"] } } };
    const { lines } = await released(
      policy({ method: "cell-suppression", rules: [{ rule: "frequency", minimum: 11 }] }, { dimensions: [{ column: "county", levels: [0, 1], groupings }, "size"] }), firms(5),
    );
    const zones = lines.filter(([, level]) => level === "zones");
    expect(zones.map(([county]) => county)).toEqual(expect.arrayContaining(["west", "wine", "difference"]));
    const at = (county: string, size: string): string => lines.find((line) => line[0] === county && line[2] === size)![3]!;
    for (const size of ["(total)", ...SIZES]) {
      const [marin, napa, west] = [at("Marin", size), at("Napa", size), at("west", size)];
      if (marin !== "" && napa !== "") expect(Number(west)).toBe(Number(marin) + Number(napa));
    }
  });

  test.each(["elimination", "hypercube", "optimal"] as const)("complementary cells by %s hold", async (secondary) => {
    const { lines } = await released(policy({ method: "small-cells", threshold: 11, secondary }, { dimensions: ["county", "size"] }), firms(15, 300));
    expect(lines.filter((line) => line.at(-1) === "1").length).toBeGreaterThan(3);
  });

  test("complementary cells come from the categories that may go first", async () => {
    const counts = { Alpine: [3, 40], Mono: [30, 50], Inyo: [31, 51], Marin: [32, 52] };
    const rows = Object.entries(counts).flatMap(([county, own]) =>
      own.flatMap((n, s) => Array.from({ length: n }, (_, i): string[] => [`${county}${s}${i}`, "g", county, SIZES[s]!, "1.00", "0", "0"])),
    );
    const hidden = async (changes: object): Promise<string[]> => {
      const { lines } = await released(policy({ method: "small-cells", threshold: 11, ...changes }, { dimensions: ["county", "size"] }), { names: firms(1, 1).names, rows });
      return [...new Set(lines.filter((line) => line.at(-1) === "1").map(([county]) => county!))].sort();
    };
    expect(await hidden({})).toEqual(["Alpine", "Mono"]);
    expect(await hidden({ hideFirst: { county: ["Marin"] } })).toEqual(["Alpine", "Marin"]);
    expect(await hidden({ showFirst: { county: ["Mono"] } })).toEqual(["Alpine", "Inyo"]);
    await expect(hidden({ hideFirst: { county: ["Marni"] } })).rejects.toMatchObject({ code: "suppression/no-category" });
  });

  test("a category of a group that no record has is refused", async () => {
    const groupings = { zones: { west: ["Marni"] } };
    const input = policy({ method: "cell-suppression", rules: [{ rule: "frequency", minimum: 11 }] }, { dimensions: [{ column: "county", groupings }, "size"] });
    await expect(released(input, firms(6))).rejects.toMatchObject({ code: "tabulate/unknown-category" });
  });
});

const PERTURBED: readonly (readonly [string, Method])[] = [
  ["rounding to the nearest", { method: "rounding", kind: "deterministic", base: 5 }],
  ["rounding of inner counts", { method: "rounding", kind: "deterministic", base: 5, totals: "summed" }],
  ["middles of steps", { method: "rounding", kind: "midpoint", base: 6 }],
  ["random rounding that repeats", { method: "rounding", kind: "random", base: 3 }],
  ["controlled rounding", { method: "rounding", kind: "controlled", base: 5 }],
  ["the Census ladder", { method: "rounding", kind: "drb" }],
  ["small count rounding", { method: "small-count-rounding", base: 5 }],
  ["tabular adjustment", { method: "tabular-adjustment", threshold: 5 }],
  ["cell keys from a column", { method: "cell-key", recordKeys: { from: "column" }, table: { design: { maxPerturbation: 4, variance: 2, smallestShown: 3 } } }],
  ["cell keys from contributors", { method: "cell-key", recordKeys: { from: "contributor" }, table: { design: { maxPerturbation: 4, variance: 2 } } }],
  ["the 10-5 rule", { method: "cell-key", form: "ons", recordKeys: { from: "contributor" }, table: { rule: "10-5" }, biased: "accept" }],
];

describe("changed counts", () => {
  test.each(PERTURBED)("%s: verified in all formats, and the same again for another order of records", async (_, method) => {
    const data = firms(8);
    const input = policy(method, {}, {
      overrides: method.method === "cell-key" && !("design" in method.table) ? [] : [],
    });
    const a = await released(input, data);
    expect(a.lines.length).toBe(1 + (6 + 2 + 1) * (3 + 1));
    const random = new Random(9);
    const b = await released(input, { names: data.names, rows: random.shuffled(data.rows) }, "records");
    expect(differences(join(a.directory, "public"), join(b.directory, "public"))).toEqual([]);
  });

  test.each(PERTURBED.filter(([name]) => !name.includes("keys")))("%s: a changed number is refused even when every hash agrees", async (_, method) => {
    const { directory } = await released(policy(method), firms(10));
    const path = join(directory, "public/firms.csv");
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace(/^(\(total\),total,large,)(.*)$/m, (_all, head: string, count: string) => `${head}${Number(count) + 1}`));
    coverUp(directory);
    expect((await verify(directory)).verdict).toBe("fail");
  });

  test("the forms for people say what the data say; a changed one is refused", async () => {
    const { directory, lines } = await released(policy({ method: "cell-suppression", rules: [{ rule: "frequency", minimum: 11 }] }), firms(14));
    const crosstab = readFileSync(join(directory, "public/firms-crosstab.csv"), "utf8").trimEnd().split("\n").map((line) => line.split(","));
    expect(crosstab[0]).toEqual(["county", "Total", ...SIZES]);
    for (const [county, level, size, count] of lines.slice(1)) {
      const name = level === "total" ? "Total" : level === "0" ? county : `${county} [level 1]`;
      expect(crosstab.find(([head]) => head === name)![crosstab[0]!.indexOf(size === "(total)" ? "Total" : size!)]).toBe(count);
    }
    const page = readFileSync(join(directory, "public/firms.html"), "utf8");
    expect(page.match(/>S</g)!.length).toBe(lines.filter((line) => line.at(-1) === "1").length);
    writeFileSync(join(directory, "public/firms.html"), page.replace(/<td>\d/, "<td>9"));
    coverUp(directory);
    expect((await verify(directory)).checks.filter(({ pass }) => !pass).map(({ check }) => check)).toEqual(["html/firms"]);
  });

  test("without the agency's key a method that needs it refuses before anything is read", async () => {
    const folder = work.sub();
    const source = await inForm("csv", firms(11), folder);
    await expect(release(policy({ method: "rounding", kind: "random", base: 3 }), { source, out: join(folder, "out") })).rejects.toMatchObject({ code: "release/no-key" });
    expect(readdirSync(folder).filter((name) => name.startsWith("out"))).toEqual([]);
  });

  test("fresh random rounding differs from release to release, repeated rounding with another key too", async () => {
    const data = firms(12);
    const folder = work.sub();
    const source = await inForm("csv", data, folder);
    const texts: string[] = [];
    for (const [i, key] of [KEY, new Uint8Array(32).fill(9)].entries()) {
      const { directory } = await release(policy({ method: "rounding", kind: "random", base: 10 }), { source, out: join(folder, `out${i}`), key });
      texts.push(readFileSync(join(directory, "public/firms.csv"), "utf8"));
    }
    expect(texts[0]).not.toBe(texts[1]);
  });

  test("less than the classification asks for is refused", async () => {
    const input = policy({ method: "rounding", kind: "deterministic", base: 3 }, {}, { classification: "high" });
    await expect(released(input, firms(13))).rejects.toMatchObject({ code: "policy/weaker-than-required" });
  });
});
