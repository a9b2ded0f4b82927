import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { auditTables } from "../../src/tables/audit/index.ts";
import { suppressByHypercubes } from "../../src/tables/hypercube/index.ts";
import { suppressOptimally } from "../../src/tables/optimal-suppression/index.ts";
import { planSmallCells, primaryCells, suppress } from "../../src/tables/small-cells/index.ts";
import { tabulate } from "../../src/tables/tabulate/index.ts";
import { derivedBack } from "./exact-elimination.ts";
import { cube, example, namesOf } from "./helpers.ts";
import { randomCase, systemOf } from "./random-tables.ts";

const PURE = { jointSums: "ignore", singletons: "ignore" } as const;

describe("sdcTable's microdata1 (tests/testthat/test-protectTable.r), A female primary", () => {
  const table = example(
    ["region", "gender"],
    [["A", "f", 2], ["A", "m", 18], ["B", "f", 19], ["B", "m", 14], ["C", "f", 10], ["C", "m", 12], ["D", "f", 14], ["D", "m", 11]],
  );
  const system = tabulate(table.cells, table.hierarchies, [cube("t", ["region", "gender"])], { zeros: "publish" });
  const primary = primaryCells(system, 3, "publish");
  const rows = namesOf(table, system, new Uint8Array(system.cells).fill(1));
  const cellOf = (name: string) => system.tables[0]!.cell[rows.indexOf(name)]!;

  test("HYPERCUBE: rows A and C", () => {
    expect(namesOf(table, system, suppressByHypercubes(system, { primary, interval: 2 })!.hidden)).toEqual(["A/f", "A/m", "C/f", "C/m"]);
  });

  test("GAUSS: its candidates come in table order, so it hides row D beside A (45 people); with most people first it is C (42)", () => {
    const hidden = (weight?: Float64Array, shown?: Uint8Array) =>
      namesOf(table, system, suppress(system, { threshold: 3, zeros: "publish", ...PURE, weight, shown }));
    const inOrder = Float64Array.from(system.count, (count) => 1 / (count + 1));
    rows.forEach((name, r) => (inOrder[cellOf(name)]! *= 100 - r));
    expect(hidden(inOrder)).toEqual(["A/f", "A/m", "D/f", "D/m"]);
    const shown = new Uint8Array(system.cells);
    shown[cellOf("D/m")] = 1;
    expect(hidden(inOrder, shown)).toEqual(["A/f", "A/m", "C/f", "C/m"]);
    expect(hidden()).toEqual(["A/f", "A/m", "C/f", "C/m"]);
  });

  test("the planner takes a proposal over, and decides alone without one", async () => {
    const plan = async (proposal: Parameters<typeof planSmallCells>[1]["proposal"]) =>
      namesOf(table, system, (await planSmallCells(system, { threshold: 3, ...PURE, proposal }, auditTables)).pattern);
    expect(await plan(suppressByHypercubes)).toEqual(["A/f", "A/m", "C/f", "C/m"]);
    expect(await plan(suppressOptimally)).toEqual(["A/f", "A/m", "C/f", "C/m"]);
    expect(await plan(() => undefined)).toEqual(await plan(undefined));
  });

  test("weights steer which cells are hidden; groups are hidden together", () => {
    const weight = new Float64Array(system.cells).fill(1);
    for (const name of ["C/f", "C/m"]) weight[cellOf(name)] = 100;
    expect(namesOf(table, system, suppress(system, { threshold: 3, zeros: "publish", ...PURE, weight }))).toEqual(["A/f", "A/m", "D/f", "D/m"]);
    const together = new Int32Array(system.cells);
    for (const name of ["C/m", "B/m"]) together[cellOf(name)] = 7;
    const hidden = namesOf(table, system, suppress(system, { threshold: 3, zeros: "publish", ...PURE, together }));
    expect(hidden.includes("C/m")).toBe(hidden.includes("B/m"));
  });
});

test("margins that are missing from the cube are another method's business", () => {
  const table = example(["a", "b"], [["x", "y", 3], ["x", "z", 30]]);
  const spec = { name: "t", dimensions: [{ column: "a" }, { column: "b" }], margins: [["a", "b"], []] };
  const system = tabulate(table.cells, table.hierarchies, [spec], { zeros: "publish" });
  expect(suppressByHypercubes(system, { primary: primaryCells(system, 11, "publish"), interval: 2 })).toBeUndefined();
});

test("what a random table's hypercubes cover is not derivable within sub-tables; elimination adds the little that is missing", () => {
  let tables = 0;
  let complete = 0;
  fc.assert(
    fc.property(randomCase, fc.integer({ min: 2, max: 5 }), (random, interval) => {
      const system = systemOf(random.table, random);
      const primary = primaryCells(system, 11, random.zeros);
      const found = suppressByHypercubes(system, { primary, interval });
      if (found === undefined) return;
      tables++;
      primary.forEach((own, c) => expect(found.hidden[c]! >= own).toBe(true));
      const alone = Uint8Array.from(found.hidden, (own, c) => (primary[c] === 1 ? 1 : 2 * own));
      if (derivedBack(random.table, system, alone) === 0) complete++;
      const hidden = new Set([...found.hidden.keys()].filter((c) => found.hidden[c] === 1));
      const pattern = suppress(system, { threshold: 11, zeros: random.zeros, ...PURE, interval, hidden });
      expect(derivedBack(random.table, system, pattern)).toBe(0);
      hidden.forEach((c) => expect(pattern[c]).not.toBe(0));
    }),
    { numRuns: 100, seed: 9 },
  );
  expect(complete).toBeGreaterThan(tables * 0.9);
});
