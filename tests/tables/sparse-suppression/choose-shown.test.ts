import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseShown } from "../../../src/tables/sparse-suppression/choose-shown.ts";
import { InsertionOrder } from "../../../src/tables/sparse-suppression/insertion-order.ts";
import { tabulate } from "../../../src/tables/tabulate/index.ts";
import { randomCase } from "../random-tables.ts";

describe("an order that grows in the middle", () => {
  test("law: agrees with a list in which each number is put where it was asked for", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 80 }), (picks) => {
        const order = new InsertionOrder();
        const list: number[] = [];
        picks.forEach((pick, added) => {
          const at = pick % (list.length + 1);
          order.insert(added, list[at] ?? -1);
          list.splice(at, 0, added);
        });
        expect([...order.all()]).toEqual(list);
        for (let k = 1; k < list.length; k++) expect(order.isBefore(list[k - 1]!, list[k]!)).toBe(true);
      }),
    );
  });

  test("thousands put before the same one, where numbers between two run out", () => {
    const order = new InsertionOrder();
    order.insert(0, -1);
    order.insert(1, -1);
    for (let added = 2; added < 3000; added++) order.insert(added, 1);
    expect([...order.all()]).toEqual([0, ...Array.from({ length: 2998 }, (_, k) => k + 2), 1]);
    for (let k = 2; k < 2999; k++) expect(order.isBefore(k, k + 1) && order.isBefore(k, 1)).toBe(true);
  });
});

test("law: each chosen cell keeps inner cells that no later one holds, with the people to spare that were asked for", () => {
  fc.assert(
    fc.property(randomCase.filter(({ zeros }) => zeros === "publish"), fc.integer({ min: 1, max: 12 }), ({ table, specs }, least) => {
      const system = tabulate(table.cells, table.hierarchies, specs, { zeros: "publish" });
      const spare = system.innerCount.map((people) => people - 1);
      const eligible = Uint8Array.from(system.count, (count) => (count >= 11 ? 1 : 0));
      const { cells, last } = chooseShown(system, spare, eligible, least);
      expect(new Set(cells).size).toBe(cells.length);
      const expected = new Int32Array(system.inner).fill(-1);
      cells.forEach((cell, rank) => {
        expect(eligible[cell]).toBe(1);
        for (let k = system.starts[cell]!; k < system.starts[cell + 1]!; k++) expected[system.rows[k]!] = rank;
      });
      expect([...last]).toEqual([...expected]);
      const own = new Float64Array(cells.length);
      last.forEach((rank, i) => {
        if (rank >= 0) own[rank]! += spare[i]!;
      });
      for (const people of own) expect(people).toBeGreaterThanOrEqual(least);
    }),
    { numRuns: 60 },
  );
});
