/** Whole releases in which figures stand beside changed counts: sums and weighted counts changed with them, others computed from what is shown. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parsePolicy, release, verify, type PolicyInput } from "../../src/index.ts";
import { inForm, Random, type Rows } from "./data.ts";
import { COUNTIES } from "./scenarios.ts";
import { coverUp, differences, workFolder } from "./walk.ts";

const work = workFolder("changed-numbers");
afterAll(work.remove);

const KEY = new Uint8Array(32).fill(7);
const SIZES = ["large", "mid", "small"];
const NAMES = ["owner", "county", "size", "revenue", "staff", "key", "weight"];

/** Firms with owners: revenue with two decimals, staff, a key and a weight for each record. Some earn nothing. */
function firms(seed: number, records = 500): Rows {
  const random = new Random(seed);
  const rows = Array.from({ length: records }, (_, i) => [
    `owner${Math.floor(i / 2)}`, random.pick(COUNTIES.slice(0, 2 + random.below(5)))[0]!, random.pick(SIZES.slice(random.below(3))),
    random.chance(0.1) ? "0" : (Math.exp(random.next() * 9)).toFixed(2), String(1 + random.below(40)), String(random.below(100_000_000)), (1 + random.below(300) / 10).toFixed(1),
  ]);
  return { names: NAMES, rows };
}

type Tables = Extract<PolicyInput["release"], { kind: "tables" }>;
type Method = Tables["protect"][number];
type Table = Tables["tables"][number];

function policy(method: Method, tables: readonly Partial<Table>[], changes: Partial<PolicyInput> = {}): PolicyInput {
  return {
    commensurate: 1,
    dataset: { name: "firms", released: "2026-01-31", license: "other-pd" },
    classification: "low",
    columns: {
      owner: { role: "contributor" },
      county: { role: "quasi-identifier", hierarchy: { kind: "tree", inline: COUNTIES } },
      size: { role: "quasi-identifier" },
      revenue: { role: "measure", type: "number", decimals: 2 },
      staff: { role: "measure", type: "integer" },
      key: { role: "record-key" },
      weight: { role: "weight" },
    },
    release: {
      kind: "tables",
      formats: ["csv", "arrow", "parquet", "crosstab", "html"],
      tables: tables.map((table, t) => ({ name: `table${t}`, dimensions: [{ column: "county", levels: [0, 1] }, "size"], ...table }) as Table),
      protect: [method],
    },
    ...changes,
  };
}

async function released(input: PolicyInput, data: Rows, form: Parameters<typeof inForm>[0] = "csv") {
  const folder = work.sub();
  const source = await inForm(form, data, folder, { doubles: ["revenue", "weight"] });
  const { directory, evidence } = await release(input, { source, out: join(folder, "out"), key: KEY });
  expect(evidence.checks.filter(({ pass }) => !pass)).toEqual([]);
  expect((await verify(directory)).verdict).toBe("pass");
  const linesOf = (name: string): Record<string, string>[] => {
    const [header, ...lines] = readFileSync(join(directory, `public/${name}.csv`), "utf8").trimEnd().split("\n").map((line) => line.split(","));
    return lines.map((line) => Object.fromEntries(header!.map((column, c) => [column, line[c]!])));
  };
  return { directory, evidence, linesOf };
}

const MAGNITUDES = { table: { design: { maxPerturbation: 5, variance: 2 } }, noise: { small: 0.2, large: 0.05, from: 500 }, weights: [1, 0.5] };
const cellKey = (from: "column" | "contributor", more: object = {}): Method =>
  ({ method: "cell-key", recordKeys: { from }, table: { design: { maxPerturbation: 4, variance: 2, smallestShown: 3 } }, ...more }) as Method;
const AMOUNTS: Table["statistics"] = [
  "count", { statistic: "weighted-count", decimals: 1 }, { statistic: "sum", of: "revenue", name: "revenue" }, { statistic: "sum", of: "staff" },
  { statistic: "mean", of: "revenue", decimals: 2 }, { statistic: "percent", of: ["county"] }, { statistic: "rate", numerator: "revenue", denominator: "staff", name: "per_head" },
];

describe("cell key", () => {
  test.each(["column", "contributor"] as const)("sums, weighted counts and figures computed from them, keys from %s", async (from) => {
    const data = firms(1);
    const input = policy(cellKey(from, { magnitudes: MAGNITUDES }), [{ statistics: AMOUNTS }, { dimensions: ["county"], statistics: ["count", { statistic: "sum", of: "revenue" }] }]);
    const a = await released(input, data);
    const rows = a.linesOf("table0");
    let changed = 0;
    let blank = 0;
    for (const row of rows) {
      const own = data.rows.filter(
        ([, county, size]) =>
          (row["county_level"] === "total" || (row["county_level"] === "0" ? county === row["county"] : COUNTIES.find(([leaf]) => leaf === county)![1] === row["county"])) &&
          (row["size"] === "(total)" || size === row["size"]),
      );
      const count = Number(row["count"]);
      expect(Math.abs(count - own.length)).toBeLessThanOrEqual(4);
      const weight = own.reduce((sum, record) => sum + Number(record[6]), 0);
      expect(Math.abs(Number(row["weighted_count"]) - (own.length === 0 ? 0 : (weight * count) / own.length))).toBeLessThanOrEqual(stepOf(data) / 2 + 0.05);
      if (count === 0) {
        blank++;
        expect([row["revenue"], row["sum_staff"], row["mean_revenue"]]).toEqual(["", "", ""]);
        continue;
      }
      const sum = own.reduce((all, record) => all + Number(record[3]), 0);
      if (Math.abs(Number(row["revenue"]) - sum) > 0.005) changed++;
      // Five units of at most 0.2 for the largest owner and 0.1 for the next.
      expect(Math.abs(Number(row["revenue"]) - sum)).toBeLessThanOrEqual(5 * 0.3 * sum);
      expect(Number(row["mean_revenue"])).toBeCloseTo(Number(row["revenue"]) / count, 2);
      if (Number(row["sum_staff"]) !== 0) expect(Number(row["per_head"])).toBeCloseTo(Number(row["revenue"]) / Number(row["sum_staff"]), 1);
    }
    expect(changed).toBeGreaterThan(rows.length / 2);
    expect(blank).toBeGreaterThan(0);
    // One cell, one number, whichever table and file it stands in.
    for (const row of a.linesOf("table1")) {
      const same = rows.find((other) => other["county"] === row["county"] && (other["county_level"] === "0" || other["county_level"] === "total") && other["size"] === "(total)")!;
      expect([row["count"], row["sum_revenue"]]).toEqual([same["count"], same["revenue"]]);
    }
    const random = new Random(9);
    const b = await released(input, { names: data.names, rows: random.shuffled(data.rows) }, "arrow-file");
    expect(differences(join(a.directory, "public"), join(b.directory, "public"))).toEqual([]);
    expect(a.evidence.risk.after).toMatchObject({ noise: { counts: { largestChange: 4 }, sums: { deviationSmall: expect.closeTo(0.2 * Math.SQRT2, 4) } } });
  });

  test("a cell keeps its sum in another release, with other tables beside it and without those who give nothing", async () => {
    const data = firms(2);
    const method = cellKey("contributor", { magnitudes: MAGNITUDES });
    const statistics: Table["statistics"] = ["count", { statistic: "sum", of: "revenue" }];
    const a = await released(policy(method, [{ statistics }]), data);
    const giving = data.rows.filter(([owner]) => data.rows.some((other) => other[0] === owner && Number(other[3]) !== 0));
    const b = await released(policy(method, [{ dimensions: ["size"], statistics }]), { names: data.names, rows: giving });
    expect(giving.length).toBeLessThan(data.rows.length);
    const before = a.linesOf("table0").filter(({ county }) => county === "(total)");
    expect(b.linesOf("table0").map(({ sum_revenue: sum }) => sum)).toEqual(before.map(({ sum_revenue: sum }) => sum));
    expect(b.linesOf("table0").map(({ count }) => count)).not.toEqual(before.map(({ count }) => count));
  });

  test("without contributors each record is one, many of the same amount among them", async () => {
    const data = firms(3, 200);
    for (const row of data.rows) (row as string[])[3] = String(100 * (1 + (Number(row[4]) % 3)));
    const { owner: _, ...columns } = policy(cellKey("column"), [{}]).columns;
    const { linesOf } = await released(
      { ...policy(cellKey("column", { magnitudes: MAGNITUDES }), [{ statistics: ["count", { statistic: "sum", of: "revenue" }] }]), columns, otherColumns: "drop" }, data,
    );
    const total = linesOf("table0").find((row) => row["county"] === "(total)" && row["size"] === "(total)")!;
    const sum = data.rows.reduce((all, row) => all + Number(row[3]), 0);
    // The two largest have 300 each: at most five units of 0.2 and 0.1 of it.
    expect(Math.abs(Number(total["sum_revenue"]) - sum)).toBeLessThanOrEqual(5 * 0.3 * 300);
    expect(Number(total["sum_revenue"])).not.toBe(sum);
  });

  test("groups that take away, and a table of noise from a file", async () => {
    const groupings = { zones: { west: ["Alpine", "Mono"], rest: { plus: ["Alpine", "Mono", "Inyo"], minus: ["Alpine"] } } };
    const { linesOf } = await released(
      policy(cellKey("contributor", { magnitudes: MAGNITUDES }), [{ dimensions: [{ column: "county", groupings }], statistics: AMOUNTS!.slice(0, 4) }]), firms(4),
    );
    expect(linesOf("table0").filter((row) => row["county_level"] === "zones")).toHaveLength(2);
    const folder = work.sub();
    writeFileSync(join(folder, "amounts.csv"), readFileSync(new URL("../fixtures/cell-key/ptab_savings_all.txt", import.meta.url), "utf8"));
    const source = await inForm("csv", firms(4), folder);
    const magnitudes = { table: { file: "amounts.csv" }, noise: { share: 0.1 } };
    const input = policy(cellKey("contributor", { magnitudes }), [{ statistics: ["count", { statistic: "sum", of: "revenue" }] }]);
    const { evidence } = await release(input, { source, out: join(folder, "out"), key: KEY, folder });
    expect(evidence.verdict).toBe("pass");
  });

  test("a mean of records without a value is refused before anything is published", async () => {
    const data = firms(5);
    (data.rows[7] as (string | null)[])[3] = null;
    await expect(released(policy(cellKey("contributor", { magnitudes: MAGNITUDES }), [{ statistics: AMOUNTS }]), data)).rejects.toMatchObject({ code: "perturbation/missing-values" });
    await released(policy(cellKey("contributor", { magnitudes: MAGNITUDES }), [{ statistics: ["count", { statistic: "sum", of: "revenue" }] }]), data);
  });
});

const SCALED: readonly (readonly [string, Method])[] = [
  ["rounding to the nearest", { method: "rounding", kind: "deterministic", base: 5 }],
  ["middles of steps", { method: "rounding", kind: "midpoint", base: 6 }],
  ["random rounding", { method: "rounding", kind: "random", base: 5 }],
];
const COMPUTED: readonly (readonly [string, Method])[] = [
  ...SCALED,
  ["controlled rounding", { method: "rounding", kind: "controlled", base: 5 }],
  ["the Census ladder", { method: "rounding", kind: "drb" }],
  ["small count rounding", { method: "small-count-rounding", base: 5 }],
  ["tabular adjustment", { method: "tabular-adjustment", threshold: 5 }],
  ["cell key", cellKey("contributor")],
];
const SHARES: Table["statistics"] = ["count", { statistic: "percent", of: [], decimals: 2, name: "of_all" }, { statistic: "percent", of: ["county"], decimals: 1, name: "of_county" }];

/** What weighted counts are rounded to: 1, 2, 5, 10, ..., the first that reaches the mean weight. */
function stepOf({ rows }: Rows): number {
  const mean = rows.reduce((sum, row) => sum + Number(row[6]), 0) / rows.length;
  return [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000].find((step) => step >= mean)!;
}

/**
 * How many true counts of a total (first) and its parts remain, for an attacker who tries all that lie near the numbers shown and whose
 * counts and weights add up.
 * @param shown number and weighted count, which is off by up to half a step
 */
function countsLeft(shown: readonly (readonly [number, number])[], most: number, step: number): number[] {
  const tries = shown.map(([count, weight]) =>
    Array.from({ length: 2 * most + 1 }, (_, i) => count - most + i).filter((n) => n > 0)
      .map((n) => ({ n, low: ((weight - step / 2) / count) * n, high: ((weight + step / 2) / count) * n })));
  const left = shown.map(() => new Set<number>());
  const walk = (part: number, taken: readonly { n: number; low: number; high: number }[]): void => {
    if (part < shown.length) {
      for (const next of tries[part]!) walk(part + 1, [...taken, next]);
      return;
    }
    const sum = (of: "n" | "low" | "high"): number => taken.reduce((all, own) => all + own[of], 0);
    for (const whole of tries[0]!) {
      if (whole.n !== sum("n") || whole.high < sum("low") || whole.low > sum("high")) continue;
      [whole, ...taken].forEach(({ n }, c) => left[c]!.add(n));
    }
  };
  walk(1, []);
  return left.map(({ size }) => size);
}

describe("figures computed from changed counts", () => {
  test.each(COMPUTED)("%s: percentages are those of the numbers shown", async (_, method) => {
    const { linesOf } = await released(policy(method, [{ statistics: SHARES }]), firms(6, 300));
    const rows = linesOf("table0");
    const at = (county: string, level: string, size: string): number => Number(rows.find((row) => row["county"] === county && row["county_level"] === level && row["size"] === size)!["count"]);
    for (const row of rows) {
      const count = Number(row["count"]);
      for (const [name, base, decimals] of [["of_all", at("(total)", "total", "(total)"), 2], ["of_county", at(row["county"]!, row["county_level"]!, "(total)"), 1]] as const) {
        if (Number.isNaN(count) || Number.isNaN(base) || base === 0) expect(row[name]).toBe("");
        else expect(Math.abs(Number(row[name]) - (100 * count) / base)).toBeLessThanOrEqual(0.5 * 10 ** -decimals + 1e-9);
      }
    }
  });

  test.each(SCALED)("%s: weighted counts are the numbers shown times the mean weight", async (_, method) => {
    const data = firms(7, 300);
    const { linesOf } = await released(policy(method, [{ statistics: ["count", { statistic: "weighted-count", decimals: 2 }] }]), data);
    for (const row of linesOf("table0")) {
      if (row["county_level"] === "1") continue;
      const own = data.rows.filter(([, county, size]) => (row["county_level"] === "total" || county === row["county"]) && (row["size"] === "(total)" || size === row["size"]));
      const mean = own.length === 0 ? 0 : own.reduce((sum, record) => sum + Number(record[6]), 0) / own.length;
      expect(Math.abs(Number(row["weighted_count"]) - mean * Number(row["count"]))).toBeLessThanOrEqual(stepOf(data) / 2);
      expect(Number(row["weighted_count"]) % stepOf(data)).toBe(0);
    }
  });

  // Printed to the digit, these weights gave 61 to 100 of 100 true counts away.
  test.each([
    ["a few round weights", (random: Random): string => random.pick(["100", "500", "2500"])],
    ["weights of all kinds", (random: Random): string => (200 + 2800 * random.next()).toFixed(2)],
  ] as const)("%s do not tell the true count", async (_, weightOf) => {
    let cells = 0;
    let exact = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const random = new Random(seed);
      const data = firms(20 + seed, 60 + random.below(60));
      for (const row of data.rows) (row as string[])[6] = weightOf(random);
      const method = cellKey("column", { table: { design: { maxPerturbation: 4, variance: 4 } } });
      const { linesOf } = await released(policy(method, [{ dimensions: ["size"], statistics: ["count", { statistic: "weighted-count", decimals: 2 }] }], {}), data);
      const rows = linesOf("table0").filter((row) => Number(row["count"]) > 0);
      const shown = rows.map((row) => [Number(row["count"]), Number(row["weighted_count"])] as const);
      const step = shown.every(([, weight]) => weight % stepOf(data) === 0) ? stepOf(data) : 0.01;
      for (const left of countsLeft(shown, 4, step)) {
        cells++;
        if (left === 1) exact++;
      }
    }
    expect(cells).toBeGreaterThan(20);
    expect(exact).toBe(0);
  });

  test.each([
    ["of_county", "derived"], ["of_all", "derived"], ["weighted_count", "amounts"], ["revenue", "amounts"], ["mean_revenue", "derived"], ["per_head", "derived"],
  ] as const)("another number in %s is refused even when every hash agrees", async (name, where) => {
    const statistics = [...SHARES!, ...AMOUNTS!.filter((own) => own !== "count" && (own as { statistic: string }).statistic !== "percent")];
    const formats: Tables["formats"] = ["csv"];
    const input = policy(cellKey("contributor", { magnitudes: MAGNITUDES }), [{ statistics }, { statistics }]);
    const { directory } = await released({ ...input, release: { ...(input.release as Tables), formats } }, firms(8));
    const path = join(directory, "public/table1.csv");
    const lines = readFileSync(path, "utf8").trimEnd().split("\n").map((line) => line.split(","));
    const column = lines[0]!.indexOf(name);
    lines[1]![column] = String(Number(lines[1]![column]) + 1);
    writeFileSync(path, `${lines.map((line) => line.join(",")).join("\n")}\n`);
    coverUp(directory);
    expect((await verify(directory)).checks.filter(({ pass }) => !pass).map(({ check }) => check)).toContain(`csv/${where}`);
  });
});

describe("nothing but what is shown enters", () => {
  /** Counts of a two-way table with all totals, drawn small. */
  function block(random: Random): number[][] {
    return [0, 1].map(() => [0, 1].map(() => random.below(9)));
  }
  const asRows = (counts: readonly (readonly number[])[]): Rows => ({
    names: ["county", "size", "people"], rows: counts.flatMap((own, i) => own.map((n, j) => [COUNTIES[i]![0]!, SIZES[j]!, String(n)])),
  });
  const withTotals = (counts: readonly (readonly number[])[]): number[] => {
    const flat = counts.flat();
    return [flat.reduce((a, b) => a + b, 0), ...[0, 1].map((j) => counts[0]![j]! + counts[1]![j]!), ...[0, 1].map((i) => counts[i]![0]! + counts[i]![1]!), ...flat];
  };

  /**
   * The attack of somebody who knows the method and has every printed figure: all tables of counts up to 12 in each cell that
   * would have been printed alike. What percentages add to counts must be nothing.
   */
  test.each([
    { name: "nearest", method: { method: "rounding", kind: "deterministic", base: 5 } as Method, shown: (n: number) => 5 * Math.round(n / 5) },
    { name: "middles", method: { method: "rounding", kind: "midpoint", base: 6 } as Method, shown: (n: number) => (n === 0 ? 0 : 6 * Math.ceil(n / 6) - 3) },
  ])("$name: the counts that are possible are those that the rounded counts alone leave", async ({ method, shown }) => {
    const random = new Random(12);
    for (let round = 0; round < 6; round++) {
      const counts = block(random);
      const columns: PolicyInput["columns"] = { county: { role: "quasi-identifier" }, size: { role: "quasi-identifier" }, people: { role: "frequency" } };
      const input = policy(method, [{ dimensions: ["county", "size"], statistics: SHARES }], { columns });
      const { linesOf } = await released({ ...input, release: { ...(input.release as Tables), formats: ["csv"] } }, asRows(counts));
      const rows = linesOf("table0");
      const printed = rows.map((row) => [row["count"], row["of_all"], row["of_county"]].join());
      const order = ["(total),(total)", `(total),${SIZES[0]}`, `(total),${SIZES[1]}`, ...COUNTIES.slice(0, 2).map(([county]) => `${county},(total)`),
        ...COUNTIES.slice(0, 2).flatMap(([county]) => SIZES.slice(0, 2).map((size) => `${county},${size}`))];
      const index = new Map(rows.map((row, r) => [`${row["county"]},${row["size"]}`, r]));
      if (order.some((name) => !index.has(name))) continue; // a category nobody has is not listed
      let byAll = 0;
      let byCounts = 0;
      const truth = new Set<string>();
      for (let code = 0; code < 13 ** 4; code++) {
        const own = [[code % 13, Math.floor(code / 13) % 13], [Math.floor(code / 169) % 13, Math.floor(code / 2197)]];
        const published = withTotals(own).map(shown);
        if (!order.every((name, k) => Number(rows[index.get(name)!]!["count"]) === published[k])) continue;
        byCounts++;
        truth.add(own.flat().join());
        const share = (n: number, base: number, decimals: number): string => (base === 0 ? "" : String(Math.floor((100 * n * 10 ** decimals) / base + 0.5) / 10 ** decimals));
        const county = (k: number): number => (k < 3 ? published[0]! : k < 5 ? published[k]! : published[3 + Math.floor((k - 5) / 2)]!);
        const figures = published.map((n, k) => [n, share(n, published[0]!, 2), share(n, k < 3 ? published[0]! : county(k), 1)].join());
        if (order.every((name, k) => printed[index.get(name)!] === figures[k])) byAll++;
      }
      expect(byAll).toBe(byCounts);
      expect(truth.has(counts.flat().join())).toBe(true);
      expect(byCounts).toBeGreaterThan(1);
    }
  });

  test("two inputs whose counts are rounded alike have the same files, figures included", async () => {
    const columns: PolicyInput["columns"] = { county: { role: "quasi-identifier" }, size: { role: "quasi-identifier" }, people: { role: "frequency" } };
    const input = policy({ method: "rounding", kind: "deterministic", base: 5 }, [{ dimensions: ["county", "size"], statistics: SHARES }], { columns });
    const a = await released(input, asRows([[12, 31], [8, 20]]));
    const b = await released(input, asRows([[12, 32], [9, 19]]));
    expect(differences(join(a.directory, "public"), join(b.directory, "public"))).toEqual([]);
  });

  test("two inputs that differ in amounts of one owner, in a cell whose count is shown as 0, have the same row there", async () => {
    const method = cellKey("contributor", { magnitudes: MAGNITUDES });
    const statistics: Table["statistics"] = ["count", { statistic: "sum", of: "revenue" }, { statistic: "mean", of: "revenue" }];
    const data = firms(10, 120);
    const a = await released(policy(method, [{ statistics }]), data);
    const zero = a.linesOf("table0").find((row) => row["count"] === "0" && row["county_level"] === "0" && data.rows.some(([, county, size]) => county === row["county"] && size === row["size"]))!;
    expect([zero["sum_revenue"], zero["mean_revenue"]]).toEqual(["", ""]);
    const other = data.rows.map((row) => (row[1] === zero["county"] && row[2] === zero["size"] ? [...row.slice(0, 3), "31.41", ...row.slice(4)] : row));
    const b = await released(policy(method, [{ statistics }]), { names: data.names, rows: other });
    expect(b.linesOf("table0").find((row) => row["county"] === zero["county"] && row["size"] === zero["size"])).toEqual(zero);
  });

  test("two inputs that differ in what smaller contributors of a cell give have the same files", async () => {
    const { owner: _, ...columns } = policy(cellKey("column"), [{}]).columns;
    const input: PolicyInput = { ...policy(cellKey("column", { magnitudes: MAGNITUDES }), [{ statistics: ["count", { statistic: "sum", of: "revenue" }, { statistic: "mean", of: "revenue" }] }]), columns, otherColumns: "drop" };
    const data = firms(11, 120);
    // Noise is by the two largest: of the third and fourth of a cell one gives to the other.
    const { county, size } = { county: data.rows[0]![1], size: data.rows[0]![2] };
    const own = data.rows.filter((row) => row[1] === county && row[2] === size && Number(row[3]) > 0).sort((x, y) => Number(y[3]) - Number(x[3]));
    const [, second, third, fourth] = own;
    const by = Math.min(Number(second![3]) - Number(third![3]), Number(fourth![3])) / 2;
    const changed = new Map([[third, Math.round(100 * (Number(third![3]) + by)) / 100], [fourth, Math.round(100 * (Number(fourth![3]) - by)) / 100]]);
    const total = (values: readonly number[]): number => Math.round(100 * values.reduce((sum, value) => sum + value, 0));
    changed.set(fourth, (total([Number(third![3]), Number(fourth![3])]) - total([changed.get(third)!])) / 100);
    const other = data.rows.map((row) => (changed.has(row) ? [...row.slice(0, 3), changed.get(row)!.toFixed(2), ...row.slice(4)] : row));
    expect(other).not.toEqual(data.rows);
    const a = await released(input, data);
    const b = await released(input, { names: data.names, rows: other }, "arrow-file");
    expect(differences(join(a.directory, "public"), join(b.directory, "public"))).toEqual([]);
  });
});

describe("policies", () => {
  const problems = (input: PolicyInput): string => {
    try {
      parsePolicy(input);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };
  test.each([
    { name: "a sum with rounding", method: COMPUTED[0]![1], statistics: ["count", { statistic: "sum", of: "revenue" }], says: "changes counts and not sums" },
    { name: "a mean with small count rounding", method: COMPUTED[5]![1], statistics: ["count", { statistic: "mean", of: "revenue" }], says: "needs a changed sum" },
    { name: "a mean without its sum", method: cellKey("contributor", { magnitudes: MAGNITUDES }), statistics: ["count", { statistic: "sum", of: "staff" }, { statistic: "mean", of: "revenue" }], says: "computed from the sum shown" },
    { name: "a sum without magnitudes", method: cellKey("contributor"), statistics: ["count", { statistic: "sum", of: "revenue" }], says: "is missing: it says how sums" },
    { name: "magnitudes without a sum", method: cellKey("contributor", { magnitudes: MAGNITUDES }), statistics: ["count"], says: "is for sums, and no table has one" },
    { name: "a percentage without the count", method: COMPUTED[0]![1], statistics: [{ statistic: "percent" }], says: "needs the count" },
    { name: "a median", method: cellKey("contributor"), statistics: ["count", { statistic: "median", of: "revenue" }], says: "a median is the value of one or two records" },
    { name: "weighted counts that must add up", method: COMPUTED[3]![1], statistics: ["count", { statistic: "weighted-count" }], says: "would not add up" },
    { name: "weighted counts by the ladder", method: COMPUTED[4]![1], statistics: ["count", { statistic: "weighted-count" }], says: "has no weighted counts" },
  ])("$name is refused with what to do", ({ method, statistics, says }) => {
    expect(problems(policy(method, [{ statistics: statistics as Table["statistics"] }]))).toContain(says);
  });
  test("a percentage of totals that the file does not list is refused", () => {
    expect(problems(policy(COMPUTED[0]![1], [{ statistics: SHARES, sumRows: false }]))).toContain("computed from totals, which the file does not list");
  });
});
