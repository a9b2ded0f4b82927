import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { publishGreedily } from "../../src/kernels/sparse-elimination.ts";
import { auditTables } from "../../src/tables/audit/index.ts";
import { attackersView, planSmallCells, suppress, type SmallCellsPlan } from "../../src/tables/small-cells/index.ts";
import { tabulate, type TableSystem } from "../../src/tables/tabulate/index.ts";
import { cellVectors, derivable, derivedBack } from "./exact-elimination.ts";
import { cube, example, type Example } from "./helpers.ts";
import { randomCase, systemOf } from "./random-tables.ts";

describe("1,000 random tables", () => {
  const THRESHOLD = 4;

  const RULES = [{ jointSums: "ignore", singletons: "ignore" }, { jointSums: "protect", singletons: "protect" }] as const;

  test("no primary cell is derivable by exact rational elimination; record order does not matter", () => {
    let primaries = 0;
    fc.assert(
      fc.property(randomCase, fc.constantFrom(...RULES), (example, rules) => {
        const tables = systemOf(example.table, example);
        const options = { threshold: THRESHOLD, zeros: example.zeros, ...rules };
        const pattern = suppress(tables, options);
        primaries += pattern.filter((state) => state === 1).length;
        expect(derivedBack(example.table, tables, pattern)).toBe(0);
        const again = systemOf(example.shuffled, example);
        expect([...suppress(again, options)]).toEqual([...pattern]);
        expect([...again.count]).toEqual([...tables.count]);
      }),
      { numRuns: 1000, seed: 3 },
    );
    expect(primaries).toBeGreaterThan(5000);
  }, 300_000);

  test("nor is one after the rounds of audit and repair, whatever the order of records", async () => {
    await fc.assert(
      fc.asyncProperty(randomCase, fc.constantFrom(...RULES), fc.integer({ min: 2, max: 4 }), async (example, rules, interval) => {
        const tables = systemOf(example.table, example);
        const options = { threshold: THRESHOLD, zeros: example.zeros, interval, ...rules };
        const plan = await planSmallCells(tables, options, auditTables);
        expect(derivedBack(example.table, tables, plan.pattern)).toBe(0);
        const same = await planSmallCells(systemOf(example.shuffled, example), options, auditTables);
        expect([...same.pattern]).toEqual([...plan.pattern]);
      }),
      { numRuns: 150, seed: 8 },
    );
  }, 300_000);

  test("the same elimination notices an unprotected table", () => {
    let found = 0;
    fc.assert(
      fc.property(randomCase, (example) => {
        if (example.zeros === "protect") return;
        const tables = systemOf(example.table, example);
        const primaryOnly = tables.count.map((count) => (count > 0 && count < THRESHOLD ? 1 : 0));
        found += derivedBack(example.table, tables, Uint8Array.from(primaryOnly));
      }),
      { numRuns: 100, seed: 4 },
    );
    expect(found).toBeGreaterThan(50);
  });
});

describe("tiny tables, every table of counts that agrees enumerated", () => {
  /** Hidden cells' possible values, by trying every table of inner counts; inner cells that are known zeros stay zero. */
  function possibleValues(table: Example, tables: TableSystem, pattern: Uint8Array, lowest: number): Map<number, Set<number>> {
    const vectors = cellVectors(table, tables);
    const inner = vectors[0]!.length;
    const totals = vectors.map((_, c) => tables.count[c]!);
    const shown = vectors.flatMap((vector, c) => (pattern[c] === 0 ? [{ vector, total: totals[c]!, last: vector.lastIndexOf(1) }] : []));
    const hidden = vectors.flatMap((vector, c) => (pattern[c] === 0 ? [] : [{ vector, c }]));
    const values = new Map(hidden.map(({ c }) => [c, new Set<number>()]));
    const x = Array.from({ length: inner }, () => 0);
    const bound = Math.max(...totals) + 3;
    const descend = (i: number) => {
      if (i === inner) {
        const now = hidden.map(({ vector, c }) => [c, vector.reduce((sum, one, j) => sum + one * x[j]!, 0)] as const);
        if (now.every(([, value]) => value >= lowest)) for (const [c, value] of now) values.get(c)!.add(value);
        return;
      }
      for (x[i] = 0; x[i]! <= bound; x[i]!++) {
        let fits = true;
        let over = false;
        for (const { vector, total, last } of shown) {
          if (vector[i] === 0) continue;
          let sum = 0;
          for (let j = 0; j <= i; j++) sum += vector[j]! * x[j]!;
          if (sum > total) over = true;
          else if (last === i && sum !== total) fits = false;
        }
        if (over) break;
        if (fits) descend(i + 1);
      }
      x[i] = 0;
    };
    descend(0);
    return values;
  }

  const tiny = fc.record({
    rows: fc.integer({ min: 2, max: 3 }),
    columns: fc.integer({ min: 2, max: 3 }),
    counts: fc.array(fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 7 })), { minLength: 9, maxLength: 9 }),
    interval: fc.integer({ min: 2, max: 4 }),
    cubic: fc.boolean(),
  });
  const build = ({ rows, columns, counts, cubic }: { rows: number; columns: number; counts: number[]; cubic: boolean }) => {
    const keys = cubic ? ["a", "b", "c"] : ["a", "b"];
    const list: (string | number)[][] = [];
    if (cubic) counts.slice(0, 8).forEach((count, i) => list.push([`v${i & 1}`, `v${(i >> 1) & 1}`, `v${i >> 2}`, count]));
    else for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) list.push([`v${r}`, `v${c}`, counts[r * 3 + c]!]);
    const present = list.filter((row) => Number(row.at(-1)) > 0);
    return { keys, table: example(keys, present.length > 0 ? present : [[...keys.map(() => "v0"), 9]]) };
  };

  test("every hidden small count keeps at least `interval` values, and the audit's bounds are the true ones", async () => {
    await fc.assert(
      fc.asyncProperty(tiny, async (input) => {
        const { keys, table } = build(input);
        const tables = tabulate(table.cells, table.hierarchies, [cube("t", keys)], { zeros: "publish" });
        const plan: SmallCellsPlan = await planSmallCells(tables, { threshold: 3, interval: input.interval }, auditTables);
        const totalHidden = plan.pattern[0] !== 0; // nothing bounds the search then
        if (totalHidden) return;
        const values = possibleValues(table, tables, plan.pattern, 1);
        const view = attackersView(tables, plan.pattern, plan.rule, "merged");
        const result = await auditTables(view, { interval: input.interval, detail: "bounds" });
        tables.tables[0]!.cell.forEach((c, row) => {
          if (c < 0 || plan.pattern[c] === 0) return;
          const possible = [...values.get(c)!];
          if (plan.pattern[c] === 1) expect(possible.length).toBeGreaterThanOrEqual(input.interval);
          expect([result.min[0]![row], result.max[0]![row]]).toEqual([Math.min(...possible), Math.max(...possible)]);
        });
      }),
      { numRuns: 150, seed: 5 },
    );
  }, 300_000);

  test("a pattern without complementary cells is caught wherever enumeration says that too few values are left", async () => {
    let caught = 0;
    await fc.assert(
      fc.asyncProperty(tiny, async (input) => {
        const { keys, table } = build(input);
        const tables = tabulate(table.cells, table.hierarchies, [cube("t", keys)], { zeros: "publish" });
        const pattern = Uint8Array.from(tables.count, (count) => (count < 3 ? 1 : 0));
        if (pattern[0] !== 0 || !pattern.includes(1)) return;
        const values = possibleValues(table, tables, pattern, 1);
        const view = attackersView(tables, pattern, { threshold: 3, zeros: "publish" }, "merged");
        const result = await auditTables(view, { interval: input.interval });
        const tooFew = [...values.values()].some((possible) => possible.size < input.interval && Math.min(...possible) < 3);
        expect(result.safe).toBe(!tooFew);
        if (tooFew) caught++;
      }),
      { numRuns: 100, seed: 6 },
    );
    expect(caught).toBeGreaterThan(20);
  }, 300_000);
});

test("greedy publication equals deciding one by one with dense fractions", () => {
  const columns = fc.array(fc.array(fc.integer({ min: -2, max: 3 }), { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 12 });
  const sparse = (vectors: readonly (readonly number[])[]) => {
    const starts = [0];
    const rows: number[] = [];
    const values: number[] = [];
    for (const vector of vectors) {
      vector.forEach((value, row) => {
        if (value === 0) return;
        rows.push(row);
        values.push(value);
      });
      starts.push(rows.length);
    }
    return { starts: Int32Array.from(starts), rows: Int32Array.from(rows), values: Int32Array.from(values) };
  };
  fc.assert(
    fc.property(columns, columns, (candidates, protect) => {
      const secret = protect.filter((vector) => vector.some((value) => value !== 0));
      const expected: number[] = [];
      const known: number[][] = [];
      for (const candidate of candidates) {
        const exposes = derivable([...known, candidate], secret).some(Boolean);
        expected.push(exposes ? 0 : 1);
        if (!exposes) known.push(candidate);
      }
      const order = Int32Array.from(candidates.keys());
      expect([...publishGreedily(6, sparse(candidates), order, sparse(secret))]).toEqual(expected);
    }),
    { numRuns: 300, seed: 7 },
  );
});
