import { describe, expect, test } from "vitest";
import { auditTables, SHOWN, type AuditInput } from "../../src/tables/audit/index.ts";
import { attackersView, planSmallCells, suppress } from "../../src/tables/small-cells/index.ts";
import { expandMargins, tabulate } from "../../src/tables/tabulate/index.ts";
import { cube, example, namesOf, planned, rowName, type Example } from "./helpers.ts";

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "none";
};

describe("tabulate", () => {
  const people = example(
    ["county", "race"],
    [["Alpine 01", "x", 2], ["Alpine 02", "y", 3], ["Bay 01", "x", 5], ["Bay 01", "y", 7]],
    { county: (text) => text.slice(0, -3) },
  );

  test("lists every combination of the categories that occur, totals first, zeros as known", () => {
    const { tables } = tabulate(people.cells, people.hierarchies, [cube("t", ["county", "race"], { county: [0, 1] })], { zeros: "publish" });
    const table = tables[0]!;
    expect(table.rows).toBe((1 + 2 + 3) * (1 + 2));
    expect(table.count.reduce((sum, count) => sum + count, 0)).toBe(17 * 6);
    expect([...table.cell].filter((cell) => cell < 0).length).toBe(2); // Alpine 01/y and Alpine 02/x
  });

  test("leaves rows without records out when told to", () => {
    const { tables } = tabulate(people.cells, people.hierarchies, [cube("t", ["county", "race"])], { zeros: "publish", emptyCells: "omit" });
    expect([...tables[0]!.count].every((count) => count > 0)).toBe(true);
  });

  test("null is a category of its own, last", () => {
    const withNull: Example = { ...people, cells: { ...people.cells, codes: [people.cells.codes[0]!, Int32Array.of(0, -1, 0, -1)] } };
    const { tables } = tabulate(withNull.cells, withNull.hierarchies, [cube("t", ["race"])], { zeros: "publish" });
    expect([...tables[0]!.level[0]!]).toEqual([-1, 0, 0]);
    expect([...tables[0]!.codes[0]!]).toEqual([-1, 0, -1]);
    expect([...tables[0]!.count]).toEqual([17, 7, 10]);
  });

  test("explicit margins give exactly those sets", () => {
    const dimensions = [{ column: "county", levels: [0, 1] }, { column: "race" }];
    expect(expandMargins({ name: "t", dimensions, margins: [["county"], ["race"], []] })).toEqual([[-1, -1], [-1, 0], [1, -1], [0, -1]]);
    expect(expandMargins({ name: "t", dimensions, margins: [[{ column: "county", level: 1 }, "race"]] })).toEqual([[1, 0]]);
  });

  test("cells that two tables share are one", () => {
    const system = tabulate(people.cells, people.hierarchies, [cube("a", ["county", "race"]), cube("b", ["race"])], { zeros: "publish" });
    expect([...system.tables[1]!.cell]).toEqual([...system.tables[0]!.cell.subarray(0, 3)]);
  });

  test("no records: one row, a total of zero", () => {
    const none = example(["k"], []);
    const { tables, cells } = tabulate(none.cells, none.hierarchies, [cube("t", ["k"])], { zeros: "publish" });
    expect([cells, tables[0]!.rows, tables[0]!.count[0]]).toEqual([0, 1, 0]);
  });

  test.each([
    { name: "a misspelt dimension in a margin", margins: [["rase"]], code: "tabulate/unknown-dimension" },
    { name: "a level that is not published", margins: [[{ column: "race", level: 1 }]], code: "tabulate/unknown-level" },
    { name: "a dimension twice", margins: [["race", "race"]], code: "tabulate/repeated-dimension" },
    { name: "no margin", margins: [], code: "tabulate/no-margins" },
  ])("refuses $name", ({ margins, code }) => {
    expect(codeOf(() => expandMargins({ name: "t", dimensions: [{ column: "race" }], margins }))).toBe(code);
  });
});

describe("small cells", () => {
  test("a 3 x 3 table by hand: one small cell takes three others with it, the cheapest block", async () => {
    // README.md works this one out.
    const table = example(
      ["row", "col"],
      [
        ["a", "x", 4], ["a", "y", 20], ["a", "z", 31],
        ["b", "x", 15], ["b", "y", 12], ["b", "z", 40],
        ["c", "x", 50], ["c", "y", 60], ["c", "z", 70],
      ],
    );
    const { system, plan } = await planned(table, [cube("t", ["row", "col"])], { threshold: 11 });
    expect(namesOf(table, system, plan.pattern)).toEqual(["a/x", "a/y", "b/x", "b/y"]);
    expect(plan.cells).toEqual({ published: 12, primary: 1, complementary: 3 });
  });

  test("the only person of a cell cannot subtract herself", async () => {
    const row = example(["k"], [["a", 1], ["b", 10], ["c", 30], ["d", 40]]);
    const known = async (singletons: "protect" | "ignore") =>
      (await planned(row, [cube("t", ["k"])], { threshold: 11, singletons })).plan.cells.complementary;
    expect(await known("ignore")).toBe(0);
    expect(await known("protect")).toBe(1);
  });

  test("a sum of two ones is not left to be 2 (UserSupport #194)", async () => {
    const row = example(["k"], [["a", 1], ["b", 1], ["c", 30], ["d", 40]]);
    const { plan } = await planned(row, [cube("t", ["k"])], { threshold: 2, jointSums: "ignore", singletons: "ignore" });
    expect(plan.cells).toEqual({ published: 2, primary: 2, complementary: 1 });
    expect(plan.rounds).toBe(1); // seen while deciding, not by the audit
  });

  test("zeros that are published are never hidden; protected ones are", async () => {
    const table = example(["r", "c"], [["a", "x", 0], ["a", "y", 20], ["b", "x", 30], ["b", "y", 40]]);
    expect((await planned(table, [cube("t", ["r", "c"])], { threshold: 5 })).plan.cells.primary).toBe(0);
    expect((await planned(table, [cube("t", ["r", "c"])], { threshold: 5, zeros: "protect" })).plan.cells.primary).toBe(1);
  });

  test("a row of hidden counts needs room for each of them: a fourth cell once the interval is wider than theirs", async () => {
    const row = example(["k"], [["a", 2], ["b", 3], ["c", 30], ["d", 40]]);
    const hidden = async (interval: number) => (await planned(row, [cube("t", ["k"])], { threshold: 11, interval, jointSums: "ignore", singletons: "ignore" })).plan.cells;
    expect(await hidden(4)).toEqual({ published: 3, primary: 2, complementary: 0 }); // 2 + 3 = 5: each is 1 to 4
    expect(await hidden(5)).toEqual({ published: 2, primary: 2, complementary: 1 });
  });

  test("when the work is used up, cells that are not decided are hidden", () => {
    const table = example(["k"], [["a", 2], ["b", 13], ["c", 30], ["d", 40]]);
    const system = tabulate(table.cells, table.hierarchies, [cube("t", ["k"])], { zeros: "publish" });
    const shown = (work: number) => suppress(system, { threshold: 11, zeros: "publish", jointSums: "ignore", singletons: "ignore", work }).filter((state) => state === 0).length;
    expect([shown(0), shown(Infinity)]).toEqual([0, 3]);
  });

  test("nothing small: everything is shown after one audit", async () => {
    const table = example(["r"], [["a", 20], ["b", 30]]);
    const { plan } = await planned(table, [cube("t", ["r"])], { threshold: 11 });
    expect(plan.cells).toEqual({ published: 3, primary: 0, complementary: 0 });
  });

  test("everything small: everything is hidden", async () => {
    const table = example(["r"], [["a", 1], ["b", 2]]);
    const { plan } = await planned(table, [cube("t", ["r"])], { threshold: 11 });
    expect(plan.cells).toEqual({ published: 0, primary: 3, complementary: 0 });
  });

  test("an audit that never passes ends in a refusal", async () => {
    const table = example(["r"], [["a", 1], ["b", 30], ["c", 40]]);
    const system = tabulate(table.cells, table.hierarchies, [cube("t", ["r"])], { zeros: "publish" });
    const never = async () => ({
      safe: false, blanks: 1, components: 1, min: [], max: [], exact: [], unsafe: [{ table: 0, row: 1, min: NaN, max: NaN }],
    });
    await expect(planSmallCells(system, { threshold: 11 }, never)).rejects.toMatchObject({ code: "small-cells/unprotectable" });
  });
});

describe("what an attacker holds", () => {
  const table = example(
    ["county", "race"],
    [["Alpine 01", "x", 2], ["Alpine 02", "y", 13], ["Bay 01", "x", 25], ["Bay 01", "y", 37], ["Bay 02", "x", 44], ["Bay 02", "y", 12]],
    { county: (text) => text.slice(0, -3) },
  );
  const held = async () => {
    const { system, plan } = await planned(table, [cube("t", ["county", "race"], { county: [0, 1] })], { threshold: 11 });
    return { system, plan, view: attackersView(system, plan.pattern, plan.rule, plan.rule.codes) };
  };
  /** The view with one count in place of what stands in a row. */
  const withCount = (view: AuditInput, row: number, count: number): AuditInput => ({
    ...view,
    tables: view.tables.map((own) => ({ ...own, count: own.count.with(row, count), mark: own.mark.with(row, SHOWN) })),
  });

  test("passes the audit", async () => {
    const { plan, view } = await held();
    const result = await auditTables(view, { interval: 2 });
    expect(result.safe).toBe(true);
    expect(result.blanks).toBe(plan.cells.primary + plan.cells.complementary);
  });

  test("showing any complementary cell again is caught", async () => {
    const { system, plan, view } = await held();
    const { cell, count, rows } = system.tables[0]!;
    let tried = 0;
    for (let row = 0; row < rows; row++) {
      if (cell[row]! < 0 || plan.pattern[cell[row]!] !== 2) continue;
      const result = await auditTables(withCount(view, row, count[row]!), { interval: 2 });
      expect([rowName(table, system, 0, row), result.safe]).toEqual([rowName(table, system, 0, row), false]);
      tried++;
    }
    expect(tried).toBeGreaterThan(0);
  });

  test("a changed count no longer adds up", async () => {
    const { view } = await held();
    const row = view.tables[0]!.count.findIndex((count) => count > 0);
    const bad = withCount(view, row, view.tables[0]!.count[row]! + 1);
    await expect(auditTables(bad, { interval: 2 })).rejects.toMatchObject({ code: "audit/inconsistent" });
  });
});
