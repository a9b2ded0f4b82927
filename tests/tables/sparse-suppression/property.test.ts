import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Alternatives } from "../../../src/tables/audit/alternatives.ts";
import { auditTables } from "../../../src/tables/audit/index.ts";
import { attackersView } from "../../../src/tables/small-cells/index.ts";
import { suppressSparsely } from "../../../src/tables/sparse-suppression/index.ts";
import { tabulate, type TableSystem } from "../../../src/tables/tabulate/index.ts";
import { cube, example } from "../helpers.ts";
import { randomCase } from "../random-tables.ts";

const newProof = (input: ConstructorParameters<typeof Alternatives>[0]) => new Alternatives(input);

/** Full cubes and linked tables over 2 to 4 dimensions, some with a hierarchy, zeros published. */
const cases = randomCase.filter(({ zeros }) => zeros === "publish");

function suppressed(system: TableSystem, threshold: number, interval: number): Uint8Array {
  const { shown } = suppressSparsely(system, { threshold, interval }, newProof);
  return Uint8Array.from(shown, (own, c) => (own === 1 ? 0 : system.count[c]! < threshold ? 1 : 2));
}

describe("suppression by moves", () => {
  test("hides every small count, and the audit by linear programs finds every blank safe", async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.constantFrom(2, 3, 5), async ({ table, specs }, interval) => {
        const system = tabulate(table.cells, table.hierarchies, specs, { zeros: "publish" });
        let pattern: Uint8Array;
        try {
          pattern = suppressed(system, 11, interval);
        } catch (error) {
          expect((error as { code?: string }).code).toBe("sparse/unprotectable"); // refused, never published
          return;
        }
        for (let c = 0; c < system.cells; c++) if (system.count[c]! < 11) expect(pattern[c]).toBe(1);
        const view = attackersView(system, pattern, { threshold: 11, zeros: "publish" }, "merged");
        const audit = await auditTables(view, { interval, witness: system.tables.map(({ count }) => count) });
        expect(audit.unsafe).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test("does not depend on the order of records", () => {
    fc.assert(
      fc.property(cases, ({ table, shuffled, specs }) => {
        const patterns = [table, shuffled].map(({ cells, hierarchies }) => {
          const system = tabulate(cells, hierarchies, specs, { zeros: "publish" });
          try {
            return [...suppressed(system, 11, 3)];
          } catch {
            return "refused";
          }
        });
        expect(patterns[0]).toEqual(patterns[1]);
      }),
      { numRuns: 40 },
    );
  });

  test("brute force: every hidden cell takes enough values among all tables that agree", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 8, maxLength: 8 }), (counts) => {
        const rows = counts.flatMap((count, at) => (count === 0 ? [] : [[`a${at & 1}`, `b${(at >> 1) & 1}`, `c${at >> 2}`, count]]));
        if (rows.length === 0) return;
        const { cells, hierarchies } = example(["a", "b", "c"], rows);
        const system = tabulate(cells, hierarchies, [cube("t", ["a", "b", "c"])], { zeros: "publish" });
        let pattern: Uint8Array;
        try {
          pattern = suppressed(system, 3, 2);
        } catch {
          return;
        }
        const met = valuesMet(system, pattern);
        for (let c = 0; c < system.cells; c++) if (pattern[c] !== 0 && system.starts[c + 1]! - system.starts[c]! < 3) expect(met[c]!.size).toBeGreaterThanOrEqual(2);
      }),
      { numRuns: 60 },
    );
  });

  test("a table without a small count is shown whole", () => {
    const { cells, hierarchies } = example(["a", "b"], [["x", "p", 20], ["x", "q", 30], ["y", "p", 40], ["y", "q", 50]]);
    const system = tabulate(cells, hierarchies, [cube("t", ["a", "b"])], { zeros: "publish" });
    // Every inner cell is large, so each may be shown by itself and the totals follow.
    expect([...suppressed(system, 11, 5)].filter((state) => state === 1)).toEqual([]);
  });

  test.each([
    ["zeros that are protected", { zeros: "protect" as const, interval: 5 }, "sparse/zeros"],
    ["an interval too wide for its proofs", { zeros: "publish" as const, interval: 17 }, "sparse/interval"],
  ])("refuses %s", (_, { zeros, interval }, code) => {
    const { cells, hierarchies } = example(["a", "b"], [["x", "p", 2], ["y", "q", 30]]);
    const system = tabulate(cells, hierarchies, [cube("t", ["a", "b"])], { zeros });
    expect(() => suppressed(system, 40, interval)).toThrow(expect.objectContaining({ code }));
  });
});

/** [cells] the sums met over all tables of counts from 1 in the inner cells that have records, with every shown sum as it is. */
function valuesMet(system: TableSystem, pattern: Uint8Array): Set<number>[] {
  const met = Array.from({ length: system.cells }, () => new Set<number>());
  const total = system.innerCount.reduce((sum, own) => sum + own, 0);
  const now = new Int32Array(system.inner);
  const sum = (c: number): number => {
    let all = 0;
    for (let k = system.starts[c]!; k < system.starts[c + 1]!; k++) all += now[system.rows[k]!]!;
    return all;
  };
  const fill = (i: number, left: number): void => {
    if (i === system.inner) {
      for (let c = 0; c < system.cells; c++) if (pattern[c] === 0 && sum(c) !== system.count[c]) return;
      for (let c = 0; c < system.cells; c++) met[c]!.add(sum(c));
      return;
    }
    for (now[i] = 1; now[i]! <= left; now[i]!++) fill(i + 1, left - now[i]!);
  };
  fill(0, total + 2);
  return met;
}
