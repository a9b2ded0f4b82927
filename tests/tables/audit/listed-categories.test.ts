/** A category that nobody is in is no row, so a reader of a table that hides its zeros knows that somebody is in every listed one. */
import { describe, expect, test } from "vitest";
import { auditTables } from "../../../src/tables/audit/index.ts";
import { planSmallCells } from "../../../src/tables/small-cells/index.ts";
import { attackersView } from "../../../src/tables/small-cells/attack.ts";
import { tabulate } from "../../../src/tables/tabulate/index.ts";
import { cube, example } from "../helpers.ts";

describe("categories that are listed", () => {
  const people = example(["county"], [["A", 2], ["B", 3], ["C", 30], ["D", 40]]);
  const rule = { threshold: 11, zeros: "protect" } as const;

  // The total 75 less 30 and 40 leaves 5 for A and B. Both are listed, so A is 1 to 4: four values, not the six of 0 to 5.
  test("two that share a known sum leave no zero", async () => {
    const system = tabulate(people.cells, people.hierarchies, [cube("t", ["county"])], { zeros: "protect" });
    const pattern = Uint8Array.from([0, 1, 1, 0, 0]);
    const input = attackersView(system, pattern, rule, "merged");
    const { unsafe } = await auditTables(input, { interval: 5 });
    expect(unsafe.map(({ row, min, max }) => [row, min, max])).toEqual([[1, 1, 4], [2, 1, 4]]);
    expect((await auditTables({ ...input, listedOccur: false }, { interval: 5 })).safe).toBe(true);
  });

  test("the planner hides one more", async () => {
    const system = tabulate(people.cells, people.hierarchies, [cube("t", ["county"])], { zeros: "protect" });
    const { cells } = await planSmallCells(system, { ...rule, interval: 5, jointSums: "ignore" }, auditTables);
    expect(cells).toMatchObject({ published: 2, primary: 2, complementary: 1 });
  });

  // Only totals by sex are shown: of f, A and B have 5 together, of m none. So A, with no total of its own, has somebody among f.
  test("without a total of the category its cells together hold somebody", async () => {
    const grid = example(["county", "sex"], [["A", "f", 1], ["B", "f", 4], ["C", "f", 20], ["C", "m", 30]]);
    const system = tabulate(grid.cells, grid.hierarchies, [{ ...cube("t", ["county", "sex"]), margins: [["sex"], ["county", "sex"]] }], { zeros: "protect" });
    const pattern = system.count.map((count) => (count < 11 ? 1 : 0));
    const input = attackersView(system, Uint8Array.from(pattern), rule, "merged");
    const bounds = async (listedOccur: boolean): Promise<number[][]> => {
      const { min, max } = await auditTables({ ...input, listedOccur }, { interval: 2, detail: "bounds" });
      return [...min[0]!].flatMap((from, row) => (Number.isNaN(input.tables[0]!.count[row]!) && max[0]![row]! > 0 ? [[from, max[0]![row]!]] : []));
    };
    expect(await bounds(true)).toEqual([[1, 4], [1, 4]]);
    expect(await bounds(false)).toEqual([[0, 5], [0, 5]]);
  });
});
