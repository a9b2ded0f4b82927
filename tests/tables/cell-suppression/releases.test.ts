/** Rules on contributions, weights, numbers and requests through whole releases, with data that break them. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { verify } from "../../../src/index.ts";
import type { Rows } from "../../release/data.ts";
import { firms, inCell, NAMES, policy, refused, released, type Rules, type Tables } from "./firms.ts";

describe("tables that show no counts", () => {
  const statistics: Tables["tables"][number]["statistics"] = [
    { statistic: "percent", of: ["region"], decimals: 2 },
    { statistic: "rate", numerator: "count", denominator: "people", per: 1000, decimals: 2, name: "rate" },
  ];
  const rules: Rules = [{ rule: "frequency", minimum: 18 }];

  test("are attacked as if they showed them", async () => {
    const { directory, evidence, header } = await released(policy(rules, { statistics }), firms(1));
    expect(header).not.toContain("count");
    expect(readdirSync(join(directory, "internal/with-counts"))).toEqual(["firms.csv"]);
    const found = evidence.checks.find(({ check }) => check.endsWith("csv/feasible-intervals"))!;
    expect(String(found.found)).toMatch(/^[1-9]\d* blanks, all safe$/);
    // No hidden count is kept.
    for (const line of readFileSync(join(directory, "internal/with-counts/firms.csv"), "utf8").trimEnd().split("\n").slice(1)) {
      const [, , count, , , annotation] = line.split(",");
      expect(count === "").toBe(annotation !== "0");
    }
  });

  test("a count that was kept and is not behind the percentages fails verification", async () => {
    const { directory } = await released(policy(rules, { statistics }), firms(2));
    const path = join(directory, "internal/with-counts/firms.csv");
    const text = readFileSync(path, "utf8");
    const changed = text.replace(/^((?:r\d|\(total\)),(?:k\d|\(total\)),)(\d+)(,.*,0)$/m, (_, head: string, count: string, tail: string) => `${head}${Number(count) + 7}${tail}`);
    expect(changed).not.toBe(text);
    writeFileSync(path, changed);
    const verdict = await verify(directory);
    expect(verdict.verdict).toBe("fail");
  });

  test("without sum rows too", async () => {
    const { directory, header } = await released(policy(rules, { statistics, sumRows: false }), firms(3));
    expect(header[0]).toBe("region");
    expect(existsSync(join(directory, "internal/with-counts/firms.csv"))).toBe(true);
  });
});

test("differences below zero are shown when they are large, hidden when they are small, and verified", async () => {
  const data = firms(4, 700);
  const groupings = { balance: { "r1 less r0": { plus: ["r1"], minus: ["r0"] }, "all less r2": { plus: ["r0", "r1", "r2", "r3"], minus: ["r2"] } } };
  data.rows.forEach((row, i) => {
    if (row[2] === "r1" && i % 3 === 0) (row as string[])[2] = "r0";
  });
  const { rows } = await released(policy([{ rule: "frequency", minimum: 11 }], { dimensions: [{ column: "region", groupings }, "kind"] }), data);
  const counts = rows.filter((row) => row["region_level"] === "balance" && row["count"] !== "").map((row) => Number(row["count"]));
  expect(counts.every((count) => count === 0 || Math.abs(count) >= 11)).toBe(true);
  expect(counts.some((count) => count < 0)).toBe(true);
});

describe("weights", () => {
  test("do not make one record's contribution to an unweighted sum look like many", async () => {
    const data = firms(5);
    // One large firm that stands for a hundred in the sample.
    const row = data.rows.find((own) => own[2] === "r1" && own[3] === "k1")! as string[];
    row[4] = "9999999.00";
    row[7] = "100.0";
    const { rows } = await released(
      policy([{ rule: "p-percent", p: 20, of: "revenue" }, { rule: "frequency", minimum: 11 }], { statistics: ["count", { statistic: "sum", of: "revenue" }] }), data,
    );
    const own = rows.find((cell) => cell["region"] === "r1" && cell["kind"] === "k1")!;
    expect([own["count"], own["sum_revenue"]]).toEqual(["", ""]);
  });

  test("weighted counts below the minimum are hidden", async () => {
    const data = firms(6);
    const { rows } = await released(policy([{ rule: "frequency", minimum: 120, count: "weighted" }], { statistics: [{ statistic: "weighted-count", decimals: 1 }] }), data);
    let hidden = 0;
    for (const row of rows) {
      const tenths = inCell(data, row).reduce((sum, record) => sum + Math.round(Number(record[7]) * 10), 0);
      if (row["weighted_count"] === "") hidden++;
      else {
        expect(Number(row["weighted_count"])).toBe(tenths / 10);
        expect(tenths).toBeGreaterThanOrEqual(1200);
      }
      if (tenths < 1200) expect(row["weighted_count"]).toBe("");
    }
    expect(hidden).toBeGreaterThan(0);
  });
});

describe("rules on numbers, with means and rates beside them", () => {
  const statistics: Tables["tables"][number]["statistics"] = [
    "count",
    { statistic: "mean", of: "revenue", decimals: 2 },
    { statistic: "rate", numerator: "cases", denominator: "people", per: 100, decimals: 1, name: "rate" },
  ];
  const sumOf = (records: Rows["rows"], column: number) => records.reduce((sum, record) => sum + Number(record[column]), 0);

  const RULED: readonly (readonly [string, Rules[number], (records: Rows["rows"]) => boolean])[] = [
    ["denominator", { rule: "denominator", denominator: "people", minimum: 2400 }, (records) => sumOf(records, 5) < 2400],
    ["remainder", { rule: "remainder", of: "cases", denominator: "people", minimum: 2000 }, (records) => sumOf(records, 5) - sumOf(records, 6) < 2000],
    ["survey cases", { rule: "survey-cases", minimum: 20 }, (records) => records.length < 20],
    ["numerator", { rule: "frequency", of: "cases", minimum: 190 }, (records) => sumOf(records, 6) < 190],
    ["request", { rule: "request", share: 8, of: "revenue", by: "contributor" }, (records) => {
      const owners = new Map<string, { sum: number; asked: boolean }>();
      for (const record of records) {
        const known = owners.get(record[0]!) ?? { sum: 0, asked: false };
        owners.set(record[0]!, { sum: known.sum + Number(record[4]), asked: known.asked || record[8] === "1" });
      }
      return [...owners.values()].some(({ sum, asked }) => asked && sum > 0.08 * sumOf(records, 4) + 1e-6);
    }],
  ];
  test.each(RULED)("%s", async (_, rule, mustHide) => {
    const data = firms(7);
    const { rows } = await released(policy([{ rule: "frequency", minimum: 11 }, rule], { statistics }), data);
    let must = 0;
    for (const row of rows) {
      const numbers = [row["count"], row["mean_revenue"], row["rate"]];
      if (mustHide(inCell(data, row))) {
        must++;
        expect(row["annotation"]).toBe("1");
      }
      expect(numbers.every((text) => text === "")).toBe(row["annotation"] === "1");
    }
    expect(must).toBeGreaterThan(0);
    expect(rows.some((row) => row["annotation"] === "0")).toBe(true);
  });
});

describe("wrong data", () => {
  const rules: Rules = [{ rule: "p-percent", p: 10, of: "revenue", by: "holding" }, { rule: "request", share: 40, of: "revenue" }];
  const statistics: Tables["tables"][number]["statistics"] = ["count", { statistic: "sum", of: "revenue" }];
  const input = policy(rules, { statistics });
  const changed = (column: string, value: string | null, row = 17): Rows => {
    const data = firms(8);
    (data.rows[row] as (string | null)[])[NAMES.indexOf(column)] = value;
    return data;
  };

  test("a record without contributor", () => refused(input, changed("owner", null), "tables/no-contributor", ["owner8", "group2"]));
  test("a contributor without holding", () => refused(input, changed("group", null), "tables/no-contributor", ["owner8", "group2"]));
  test("a contributor in two holdings", () => refused(input, changed("group", "secretgroup"), "tables/two-holdings", ["secretgroup", "owner8", "group2"]));
  test("a request that is neither yes nor no", () => refused(input, changed("asked", "perhaps"), "tables/request", ["perhaps", "owner8"]));
  test("a category of a decision that no table has", async () => {
    const unmatched = policy([...rules, { rule: "cells", suppress: [{ table: "firms", category: { region: "r99" }, reason: "by law" }] }], { statistics });
    await refused(unmatched, firms(8), "suppression/nothing-matched", ["owner8"]);
  });
});
