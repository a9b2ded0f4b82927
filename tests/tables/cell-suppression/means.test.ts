/** Means and medians of measures that not every record has: what they tell of hidden counts, by integer programs over the files. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Highs } from "highs";
import { beforeAll, describe, expect, test } from "vitest";
import { verify } from "../../../src/index.ts";
import type { Rows } from "../../release/data.ts";
import { coverUp } from "../../release/walk.ts";
import { firms, inCell, policy, released, type Tables } from "./firms.ts";
import { Attacker, loadSolver, numbersFrom } from "./reader.ts";

let highs: Highs;
beforeAll(async () => {
  highs = await loadSolver();
});

/** Firms of which some report no revenue; in many cells all or none do, so that numbers of values are far from counts. */
function sparse(seed: number, records: number): Rows {
  const random = numbersFrom(seed);
  const data = firms(seed, records);
  const share = new Map<string, number>();
  for (const row of data.rows) {
    const cell = `${row[2]}/${row[3]}`;
    if (!share.has(cell)) share.set(cell, [0, 0, 1, 1, 0.5][Math.floor(random() * 5)]!);
    if (random() < share.get(cell)!) (row as (string | null)[])[4] = null;
  }
  return data;
}

const MEAN: Tables["tables"][number]["statistics"] = ["count", { statistic: "sum", of: "revenue" }, { statistic: "mean", of: "revenue", decimals: 2 }];
const valued = (records: Rows["rows"]): number => records.filter((row) => row[4] !== null && row[4] !== "").length;

/** Hidden counts below 11 that leave fewer than five values to somebody who knows counts and numbers of values of shown rows. */
function narrowed(data: Rows, rows: readonly Readonly<Record<string, string>>[]): number {
  const [regions, kinds] = [[...new Set(data.rows.map((row) => row[2]!))], [...new Set(data.rows.map((row) => row[3]!))]];
  const half = regions.length * kinds.length;
  // Unknowns: people with a value, then people without, in each combination.
  const terms = (row: Readonly<Record<string, string>>, from: readonly number[]): Map<number, number> => {
    const found = new Map<number, number>();
    regions.forEach((region, r) => kinds.forEach((kind, k) => {
      if ((row["region"] !== "(total)" && row["region"] !== region) || (row["kind"] !== "(total)" && row["kind"] !== kind)) return;
      for (const start of from) found.set(start + r * kinds.length + k, 1);
    }));
    return found;
  };
  const attacker = new Attacker(highs, 2 * half, rows.flatMap((row) => {
    const own = inCell(data, row);
    if (row["annotation"] !== "0") return [{ terms: terms(row, [0, half]), low: 1, high: Infinity }];
    return [
      { terms: terms(row, [0, half]), low: own.length, high: own.length },
      { terms: terms(row, [0]), low: valued(own), high: valued(own) },
    ];
  }), { whole: true });
  try {
    return rows.filter((row) => {
      const count = inCell(data, row).length;
      if (row["annotation"] === "0" || count >= 11) return false;
      const [min, max] = attacker.bounds(terms(row, [0, half]));
      return max - min + 1 < 5;
    }).length;
  } finally {
    attacker.dispose();
  }
}

describe("8 random tables with missing values", () => {
  test("means are of 11 values at least, and numbers of values narrow no hidden count", async () => {
    let [hidden, plainFall, few, small] = [0, 0, 0, 0];
    for (let seed = 51; seed < 59; seed++) {
      const data = sparse(seed, 130 + 5 * (seed % 7));
      const { rows } = await released(policy([{ rule: "frequency", minimum: 11 }], { statistics: MEAN }), data);
      expect(narrowed(data, rows)).toBe(0);
      for (const row of rows) {
        const values = valued(inCell(data, row));
        if (row["annotation"] !== "0") {
          hidden++;
          if (inCell(data, row).length >= 11 && values > 0 && values < 11) few++;
          continue;
        }
        expect(values === 0 || values >= 11).toBe(true);
        if (values === 0) expect(row["mean_revenue"]).toBe("");
      }
      // The same table without means tells less, and may show more: with numbers of values beside it, counts fall.
      const plain = await released(policy([{ rule: "frequency", minimum: 11 }]), data);
      const annotated = plain.rows.map((row) => ({ ...row, annotation: row["count_annotation"]! }));
      small += annotated.filter((row) => row.annotation !== "0").length;
      plainFall += narrowed(data, annotated);
    }
    expect(hidden).toBeGreaterThan(small);
    expect(few).toBeGreaterThan(0);
    expect(plainFall).toBeGreaterThan(0);
  }, 60_000);
});

test.each(["cell-suppression", "small-cells"] as const)("medians need as many values as counts do: %s", async (method) => {
  const data = firms(71, 400);
  let kept = 0;
  data.rows.forEach((row) => {
    if (row[2] === "r2" && row[3] === "k1" && ++kept > 4) (row as (string | null)[])[4] = null;
  });
  const input = policy([{ rule: "frequency", minimum: 11 }], { statistics: ["count", { statistic: "median", of: "revenue", decimals: 2 }] });
  if (method === "small-cells") input.release.protect[0] = { method, threshold: 11, codes: "separate" };
  const { rows, plan } = await released(input, data);
  if (method === "small-cells") expect(plan.decision).toMatchObject({ mergedBecause: expect.stringMatching(/mean or median/) });
  const own = rows.find((row) => row["region"] === "r2" && row["kind"] === "k1")!;
  expect(inCell(data, own).length).toBeGreaterThanOrEqual(11);
  expect([own["count"], own["median_revenue"], own["annotation"]]).toEqual(["", "", "1"]);
  for (const row of rows) if (row["median_revenue"] !== "") expect(valued(inCell(data, row))).toBeGreaterThanOrEqual(11);
});

test("numbers of values are kept for verification, with the blanks of their rows; one that contradicts the others fails", async () => {
  const data = sparse(57, 160);
  const { directory, rows } = await released(policy([{ rule: "frequency", minimum: 11 }], { statistics: MEAN }), data);
  const path = join(directory, "internal/with-counts/firms.csv");
  expect(existsSync(path)).toBe(true);
  const [header, ...lines] = readFileSync(path, "utf8").trimEnd().split("\n");
  expect(header).toBe("region,kind,values_of_revenue,count,sum_revenue,mean_revenue,annotation");
  lines.forEach((line, i) => {
    const [, , values, count] = line.split(",");
    expect(values === "").toBe(count === "");
    if (values !== "") expect(Number(values)).toBe(valued(inCell(data, rows[i]!)));
  });
  expect(readFileSync(join(directory, "public/firms.csv"), "utf8")).not.toContain("values_of");
  const at = lines.findIndex((line) => Number(line.split(",")[2]) > 20);
  const fields = lines[at]!.split(",");
  fields[2] = "3";
  writeFileSync(path, `${[header, ...lines.with(at, fields.join())].join("\n")}\n`);
  coverUp(directory);
  const again = await verify(directory);
  expect(again.verdict).toBe("fail");
  expect(again.checks.filter(({ pass }) => !pass).map(({ check }) => check).join(" ")).toBe("data/readable");
});

test("a measure that nobody has a value of is shown as blank means", async () => {
  const data = firms(73, 300);
  for (const row of data.rows) (row as (string | null)[])[4] = null;
  const { rows } = await released(policy([{ rule: "frequency", minimum: 11 }], { statistics: ["count", { statistic: "mean", of: "revenue" }] }), data);
  expect(rows.every((row) => row["mean_revenue"] === "")).toBe(true);
  expect(rows.some((row) => row["annotation"] === "0")).toBe(true);
});

test("rows without any number, of which none is hidden, say that there are no data", async () => {
  const data = firms(74, 300);
  for (const row of data.rows) if (row[2] === "r1") (row as (string | null)[])[4] = null;
  const { directory, rows } = await released(policy([{ rule: "frequency", minimum: 11 }], { statistics: [{ statistic: "mean", of: "revenue" }] }), data);
  for (const row of rows) {
    if (row["region"] !== "r1") expect(row["mean_revenue_annotation"]).not.toBe("3");
    else if (row["mean_revenue_annotation"] !== "1") expect([row["mean_revenue"], row["mean_revenue_annotation"]]).toEqual(["", "3"]);
  }
  expect(rows.some((row) => row["mean_revenue_annotation"] === "3")).toBe(true);
  expect(readFileSync(join(directory, "public/data-dictionary.csv"), "utf8")).toContain("3 = no data");
});
