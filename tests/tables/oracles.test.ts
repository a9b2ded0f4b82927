import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { attackersView, planSmallCells, suppress } from "../../src/tables/small-cells/index.ts";
import { auditTables } from "../../src/tables/audit/index.ts";
import { tabulate } from "../../src/tables/tabulate/index.ts";
import { cube, example, namesOf, peopleHidden, planned, readCounts, rowName } from "./helpers.ts";

const NON_DERIVABILITY = { jointSums: "ignore", singletons: "ignore" } as const;

/** SSBtools' example data "z1" (R package SSBtools, SSBtoolsData): people by region A-H and main income. */
const Z1 = [
  ["annet", 11, 7, 5, 13, 9, 12, 6, 9],
  ["arbeid", 11, 1, 8, 2, 14, 9, 4, 3],
  ["soshjelp", 55, 29, 35, 17, 63, 24, 22, 38],
  ["trygd", 36, 18, 25, 13, 52, 22, 8, 15],
].flatMap(([income, ...counts]) => counts.map((count, r) => ["ABCDEFGH"[r]!, income!, count]));

test("z1 with counts up to 3 hidden: the six cells of GaussSuppression's documentation", () => {
  const z1 = example(["region", "hovedint"], Z1);
  const system = tabulate(z1.cells, z1.hierarchies, [cube("z1", ["region", "hovedint"])], { zeros: "publish" });
  const pattern = suppress(system, { threshold: 4, zeros: "publish", ...NON_DERIVABILITY });
  expect(namesOf(z1, system, pattern)).toEqual(["B/annet", "B/arbeid", "D/annet", "D/arbeid", "H/annet", "H/arbeid"]);
});

/** sdcTable, tests/testthat/test-simpleheuristic.R: cell wb of a 4 x 4 table can be computed back. */
describe("sdcTable's 4 x 4 attack", () => {
  const COUNTS: Record<string, number[]> = { w: [30, 47, 64, 89], x: [90, 124, 5, 31], y: [92, 100, 59, 85], z: [800, 991, 651, 685] };
  const table = example(
    ["row", "col"],
    Object.entries(COUNTS).flatMap(([row, counts]) => counts.map((count, k) => [row, "abcd"[k]!, count])),
  );
  const system = tabulate(table.cells, table.hierarchies, [cube("t", ["row", "col"])], { zeros: "protect" });
  const HIDDEN = ["w/a", "w/b", "w/c", "x/a", "x/c", "y/b", "y/d", "z/b", "z/d"];

  const boundsOfWb = async (hidden: readonly string[]) => {
    const pattern = new Uint8Array(system.cells);
    const rows = Array.from({ length: system.tables[0]!.rows }, (_, row) => row);
    for (const row of rows) if (hidden.includes(rowName(table, system, 0, row))) pattern[system.tables[0]!.cell[row]!] = 1;
    const view = attackersView(system, pattern, { threshold: 1000, zeros: "protect" }, "merged");
    const result = await auditTables(view, { interval: 2, detail: "bounds" });
    const wb = rows.find((row) => rowName(table, system, 0, row) === "w/b")!;
    return { bounds: [result.min[0]![wb], result.max[0]![wb]], unsafe: result.unsafe.some(({ row }) => row === wb) };
  };

  test("wb is exactly 47", async () => expect(await boundsOfWb(HIDDEN)).toEqual({ bounds: [47, 47], unsafe: true }));

  test.each([
    { also: "x/d", to: 78 },
    { also: "w/d", to: 136 },
    { also: "x/b", to: 141 },
    { also: "y/a", to: 141 },
    { also: "z/a", to: 141 },
    { also: "y/c", to: 116 },
    { also: "z/c", to: 116 },
  ])("with $also hidden as well it lies in [0, $to]", async ({ also, to }) => {
    expect(await boundsOfWb([...HIDDEN, also])).toEqual({ bounds: [0, to], unsafe: false });
  });
});

/**
 * sdcTools/UserSupport #136, sdcTable test-linked-tables.r: regions grouped into counties in one table and into sizes in the
 * other. Each is safe alone; together the counties' and sizes' totals differ by K + N, so a shown N = 7 gives K = 3 away.
 */
test("linked tables: one secondary cell, region N, in both tables", async () => {
  const COUNTS: [string, number][] = [["A", 2], ["B", 2], ["I", 8], ["J", 8], ["K", 3], ["L", 3], ["M", 3], ["N", 7]];
  const linked = example(
    ["region", "county", "size"],
    COUNTS.map(([region, count]) => [region, "ABIJ".includes(region) ? "1" : "2", "LM".includes(region) ? "big" : "small", count]),
  );
  const table = (by: string) => ({ name: by, dimensions: [{ column: "region" }, { column: by }], margins: [["region", by], [by], []] });
  const { system, plan } = await planned(linked, [table("county"), table("size")], { threshold: 4, ...NON_DERIVABILITY });
  expect(namesOf(linked, system, plan.pattern, 0, [2])).toEqual(["N/2"]);
  expect(namesOf(linked, system, plan.pattern, 1, [2])).toEqual(["N/small"]);
  expect(namesOf(linked, system, plan.pattern, 0, [1])).toEqual(["A/1", "B/1", "K/2", "L/2", "M/2"]);

  // The control: with N shown, the joint audit finds K, and neither table's own audit does.
  const shown = plan.pattern.map((state) => (state === 2 ? 0 : state));
  const view = attackersView(system, shown, { threshold: 4, zeros: "publish" }, "merged");
  const joint = await auditTables(view, { interval: 2, detail: "bounds" });
  const found = joint.unsafe.map(({ table: t, row }) => rowName(linked, system, t, row));
  expect(found.sort()).toEqual(["K/2", "K/small"]);
  for (const alone of view.tables) expect((await auditTables({ ...view, tables: [alone] }, { interval: 2 })).safe).toBe(true);
});

/** CalHHS DDG 2.0, section 4.4.3: its three worked warnings. Hidden is what the guideline hides. */
describe("DDG inference warnings", () => {
  const judge = async (counts: readonly number[], marks: readonly number[], codes: "merged" | "separate", interval: number) => {
    const view = {
      columns: [{ column: "k", size: 9, level: Int32Array.of(-1, 0, 0, 0, 0, 0, 0, 0, 0), parent: Int32Array.of(-1, 0, 0, 0, 0, 0, 0, 0, 0) }],
      tables: [
        {
          name: "t",
          columnOf: [0],
          rows: 9,
          places: [Int32Array.from({ length: 9 }, (_, row) => row)],
          count: Float64Array.from([counts.reduce((a, b) => a + b), ...counts.map((count, k) => (marks[k] === 0 ? count : NaN))]),
          mark: Uint8Array.from([0, ...marks]),
        },
      ],
      threshold: 11,
      zeros: "publish",
      codes,
    } as const;
    const result = await auditTables(view, { interval, detail: "bounds" });
    const bounds = marks.flatMap((mark, k) => (mark === 0 ? [] : [[result.min[0]![k + 1], result.max[0]![k + 1]]]));
    return { safe: result.safe, bounds };
  };

  test("three 10s hidden, reason known: exactly recoverable", async () => {
    const counts = [10, 14, 10, 10, 0, 0, 0, 30];
    const marks = [1, 0, 1, 1, 0, 0, 0, 0];
    expect(await judge(counts, marks, "separate", 2)).toEqual({ safe: false, bounds: [[10, 10], [10, 10], [10, 10]] });
    expect(await judge(counts, marks, "merged", 2)).toEqual({ safe: true, bounds: [[1, 28], [1, 28], [1, 28]] });
  });

  test("10 and 9 hidden, reason known: two solutions, too few for an interval of 3", async () => {
    const counts = [10, 14, 9, 17, 0, 0, 0, 30];
    const marks = [1, 0, 1, 0, 0, 0, 0, 0];
    expect(await judge(counts, marks, "separate", 3)).toEqual({ safe: false, bounds: [[9, 10], [9, 10]] });
    expect((await judge(counts, marks, "merged", 3)).bounds).toEqual([[1, 18], [1, 18]]);
  });

  test("1 hidden and 11 hidden for it, told apart: recoverable", async () => {
    const counts = [14, 14, 1, 11, 0, 0, 0, 30];
    const marks = [0, 0, 1, 2, 0, 0, 0, 0];
    expect(await judge(counts, marks, "separate", 2)).toEqual({ safe: false, bounds: [[1, 1], [11, 11]] });
    expect(await judge(counts, [0, 0, 1, 1, 0, 0, 0, 0], "merged", 2)).toEqual({ safe: true, bounds: [[1, 11], [1, 11]] });
  });

  test("a plan that asks for separate codes gets merged ones where they would tell too much", async () => {
    const counts = [14, 14, 1, 11, 0, 0, 0, 30];
    const one = example(["k"], counts.map((count, k) => [`c${k}`, count]));
    const { plan } = await planned(one, [cube("t", ["k"])], { threshold: 11, codes: "separate" });
    expect(plan.rule.codes).toBe("merged");
    expect(plan.mergedBecause).toContain("one code");
    expect(plan.cells).toEqual({ published: 4, primary: 1, complementary: 1 });
  });

  test("a block of two by two: the interval of a hidden 3 is 1-13 with merged codes, 1-3 when told apart", async () => {
    const block = example(["r", "c"], [["a", "x", 3], ["a", "y", 11], ["b", "x", 11], ["b", "y", 40]]);
    const { system } = await planned(block, [cube("t", ["r", "c"])], { threshold: 11, ...NON_DERIVABILITY });
    const pattern = suppress(system, { threshold: 11, zeros: "publish", ...NON_DERIVABILITY });
    const row = system.tables[0]!.cell.findIndex((c) => system.count[c] === 3);
    const bounds = async (codes: "merged" | "separate") => {
      const view = attackersView(system, pattern, { threshold: 11, zeros: "publish" }, codes);
      const result = await auditTables(view, { interval: 2, detail: "bounds" });
      return [result.min[0]![row], result.max[0]![row]];
    };
    expect(await bounds("merged")).toEqual([1, 13]);
    expect(await bounds("separate")).toEqual([1, 3]);
  });

  test.each([
    { name: "hidden counts sum to less than the threshold", counts: [2, 5, 30, 40], complementary: 1 },
    { name: "all hidden counts are at most 3", counts: [3, 3, 3, 3, 30, 40], complementary: 1 },
    { name: "neither: nothing more is needed", counts: [9, 9, 30, 40], complementary: 0 },
  ])("joint sums, $name", async ({ counts, complementary }) => {
    const row = example(["k"], counts.map((count, k) => [`c${k}`, count]));
    const { plan } = await planned(row, [cube("t", ["k"])], { threshold: 11 });
    expect(plan.cells.complementary).toBe(complementary);
  });
});

/** GaussSuppression 1.2.3, SuppressSmallCounts(maxN = 10): cells hidden in all, and people in them. */
describe("no more is hidden than by GaussSuppression at the same protection", () => {
  const here = new URL("../fixtures/tables/county-race-sex.csv", import.meta.url).pathname;
  const shared = (name: string) => new URL(`../../../shared/data/tables/${name}.csv`, import.meta.url).pathname;
  const CRSA = ["county", "race_ethnicity", "sex", "age"];
  const rows = [
    { name: "county x race x sex", path: here, keys: CRSA.slice(0, 3), zeros: "publish", primary: 494, cells: 544, people: 2487 },
    { name: "the same, zeros protected", path: here, keys: CRSA.slice(0, 3), zeros: "protect", primary: 802, cells: 832, people: 2126 },
    { name: "county x race x age", path: shared("county-race-sex-age"), keys: ["county", "race_ethnicity", "age"], zeros: "publish", primary: 1537, cells: 1616, people: 6626 },
    { name: "all four", path: shared("county-race-sex-age"), keys: CRSA, zeros: "publish", primary: 4611, cells: 5054, people: 23009 },
    { name: "regions in counties", path: shared("region-race-sex"), keys: ["region", "race_ethnicity", "sex"], zeros: "publish", primary: 3694, cells: 4117, people: 20569 },
  ] as const;
  for (const row of rows) {
    test.skipIf(!existsSync(row.path))(row.name, () => {
      const table = example(row.keys, readCounts(row.path, row.keys, "people"), { region: (region) => region.replace(/ \d+$/, "") });
      const system = tabulate(table.cells, table.hierarchies, [cube("t", row.keys, { region: [0, 1] })], { zeros: row.zeros });
      const pattern = suppress(system, { threshold: 11, zeros: row.zeros, ...NON_DERIVABILITY });
      expect(pattern.filter((state) => state === 1).length).toBe(row.primary);
      expect(pattern.filter((state) => state !== 0).length).toBeLessThanOrEqual(row.cells);
      expect(peopleHidden(system, pattern)).toBeLessThanOrEqual(row.people);
      // Its default handling of ones and zeros ("anySum") is what an interval of 2 asks of sums: the same cells and people.
      const like = suppress(system, { threshold: 11, zeros: row.zeros, ...NON_DERIVABILITY, interval: 2 });
      expect([like.filter((state) => state !== 0).length, peopleHidden(system, like)]).toEqual([row.cells, row.people]);
    });
  }
});

test("county x race x sex, planned with everything on, passes the audit with exact bounds", async () => {
  const path = new URL("../fixtures/tables/county-race-sex.csv", import.meta.url).pathname;
  const keys = ["county", "race_ethnicity", "sex"];
  const table = example(keys, readCounts(path, keys, "people"));
  const system = tabulate(table.cells, table.hierarchies, [cube("t", keys)], { zeros: "publish" });
  const plan = await planSmallCells(system, { threshold: 11, interval: 5 }, auditTables);
  const result = await auditTables(attackersView(system, plan.pattern, plan.rule, "merged"), { interval: 5, detail: "bounds" });
  expect(result.safe).toBe(true);
  // The true count lies in every interval.
  const { count, cell } = system.tables[0]!;
  cell.forEach((c, row) => {
    if (c < 0 || plan.pattern[c] === 0) return;
    expect(result.min[0]![row]).toBeLessThanOrEqual(count[row]!);
    expect(result.max[0]![row]).toBeGreaterThanOrEqual(count[row]!);
  });
});
