import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { auditTables } from "../../src/tables/audit/index.ts";
import { suppressOptimally } from "../../src/tables/optimal-suppression/index.ts";
import { attackersView, primaryCells, suppress } from "../../src/tables/small-cells/index.ts";
import { tabulate } from "../../src/tables/tabulate/index.ts";
import { cube, example, namesOf, peopleHidden } from "./helpers.ts";

const PURE = { jointSums: "ignore", singletons: "ignore" } as const;

describe("sdcTable's microdata1 (tests/testthat/test-protectTable.r), A female primary", () => {
  const table = example(
    ["region", "gender"],
    [["A", "f", 2], ["A", "m", 18], ["B", "f", 19], ["B", "m", 14], ["C", "f", 10], ["C", "m", 12], ["D", "f", 14], ["D", "m", 11]],
  );
  const system = tabulate(table.cells, table.hierarchies, [cube("t", ["region", "gender"])], { zeros: "publish" });
  const primary = primaryCells(system, 3, "publish");

  test("least people: rows A and C, as its OPT, HITAS, HYPERCUBE and SIMPLEHEURISTIC methods hide", async () => {
    const found = (await suppressOptimally(system, { primary, interval: 2 }))!;
    expect(namesOf(table, system, found.hidden)).toEqual(["A/f", "A/m", "C/f", "C/m"]);
    expect(peopleHidden(system, found.hidden)).toBe(42);
  });

  test("a cell that must be shown is", async () => {
    const shown = new Uint8Array(system.cells);
    const { cell } = system.tables[0]!;
    const rows = namesOf(table, system, new Uint8Array(system.cells).fill(1));
    shown[cell[rows.indexOf("C/m")]!] = 1;
    const found = (await suppressOptimally(system, { primary, interval: 2, shown }))!;
    expect(namesOf(table, system, found.hidden)).toEqual(["A/f", "A/m", "D/f", "D/m"]);
  });

  test("no choice suffices when every other cell must be shown", async () => {
    const shown = primary.map((own) => 1 - own);
    expect(await suppressOptimally(system, { primary, interval: 2, shown })).toBeUndefined();
  });

  test("larger than the limit: another method's turn", async () => {
    expect(await suppressOptimally(system, { primary, interval: 2, cellLimit: 5 })).toBeUndefined();
  });
});

/** Every pattern tried, each judged by the audit. */
test("no pattern hides fewer people, or fewer cells, by trying all of them", async () => {
  const counts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 6, maxLength: 6 });
  let better = 0;
  await fc.assert(
    fc.asyncProperty(counts, fc.integer({ min: 2, max: 4 }), fc.constantFrom("people" as const, "cells" as const), async (list, interval, least) => {
      const table = example(["r", "c"], list.map((count, i) => [`r${i % 2}`, `c${i >> 1}`, count]));
      const system = tabulate(table.cells, table.hierarchies, [cube("t", ["r", "c"])], { zeros: "publish" });
      const primary = primaryCells(system, 3, "publish");
      const rule = { threshold: 3, zeros: "publish" } as const;
      const others = [...primary.keys()].filter((c) => primary[c] === 0);
      const measure = (hidden: Uint8Array) => (least === "people" ? peopleHidden(system, hidden) : hidden.reduce((sum, one) => sum + (one === 0 ? 0 : 1), 0));
      const found = await suppressOptimally(system, { primary, interval, least });
      const safe = async (hidden: Uint8Array) => (await auditTables(attackersView(system, hidden, rule, "merged"), { interval })).safe;
      if (found === undefined) return; // nothing primary leaves nothing to do
      expect(await safe(found.hidden)).toBe(true);
      const cost = measure(found.hidden);
      for (let set = 0; set < 2 ** others.length; set++) {
        const hidden = primary.slice();
        others.forEach((c, k) => (hidden[c] = (set >> k) & 1));
        if (measure(hidden) < cost) expect(await safe(hidden)).toBe(false);
      }
      const greedy = suppress(system, { ...rule, ...PURE, interval });
      if (measure(greedy) > cost) better++;
    }),
    { numRuns: 12, seed: 2 },
  );
  expect(better).toBeGreaterThan(0);
}, 60_000);

test("cells of a group are hidden together", async () => {
  const table = example(["k"], [["a", 1], ["b", 12], ["c", 13], ["d", 40]]);
  const system = tabulate(table.cells, table.hierarchies, [cube("t", ["k"])], { zeros: "publish" });
  const together = new Int32Array(system.cells);
  const rows = namesOf(table, system, new Uint8Array(system.cells).fill(1));
  for (const name of ["b", "d"]) together[system.tables[0]!.cell[rows.indexOf(name)]!] = 1;
  const found = (await suppressOptimally(system, { primary: primaryCells(system, 11, "publish"), interval: 2, together }))!;
  expect(namesOf(table, system, found.hidden)).toEqual(["a", "c"]);
});
