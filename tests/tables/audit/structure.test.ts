import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  auditLinear, auditTables, HIDDEN, linkReleases, SHOWN, type AuditColumn, type AuditGroup, type AuditInput, type AuditTable,
} from "../../../src/tables/audit/index.ts";

/** A column of `size` leaves under a total, then grouping places. Leaf i is place 1 + i. */
function column(name: string, leaves: number, groups: readonly { readonly level: number; readonly parts: readonly number[]; readonly signs?: readonly (1 | -1)[] }[] = []): AuditColumn {
  const level = [-1, ...Array.from({ length: leaves }, () => 0), ...groups.map((group) => group.level)];
  const parent = [-1, ...Array.from({ length: leaves }, () => 0), ...groups.map(() => -2)];
  return {
    column: name,
    size: level.length,
    level: Int32Array.from(level),
    parent: Int32Array.from(parent),
    groups: groups.map(({ parts, signs }, g): AuditGroup => ({ place: 1 + leaves + g, parts: parts.map((part) => 1 + part), signs })),
  };
}

/** One dimension, rows by place; null is blank. */
function table(name: string, rows: readonly (readonly [place: number, count: number | null])[]): AuditTable {
  return {
    name,
    columnOf: [0],
    rows: rows.length,
    places: [Int32Array.from(rows, ([place]) => place)],
    count: Float64Array.from(rows, ([, count]) => count ?? NaN),
    mark: Uint8Array.from(rows, ([, count]) => (count === null ? HIDDEN : SHOWN)),
  };
}

const RULE = { threshold: 11, zeros: "publish", codes: "merged" } as const;
const bounds = async (input: AuditInput, row: number) => {
  const result = await auditTables(input, { interval: 5, detail: "bounds" });
  return [result.min[0]![row], result.max[0]![row]];
};

describe("groupings", () => {
  test("two groupings that overlap (UserSupport #92): each alone hides the leaf that both give away", async () => {
    const both = column("activity", 4, [{ level: 1000, parts: [0, 1] }, { level: 1001, parts: [1, 2] }]);
    const rows: [number, number | null][] = [[0, 100], [1, null], [2, null], [3, null], [4, 60], [5, 20], [6, 30]];
    // a + b = 20, b + c = 30, a + b + c = 40: b is 10.
    const input = { columns: [both], tables: [table("t", rows)], ...RULE };
    expect(await bounds(input, 2)).toEqual([10, 10]);
    const oneOnly = { ...input, tables: [table("t", rows.slice(0, 6))] };
    expect(await bounds(oneOnly, 2)).toEqual([1, 19]);
  });

  test("negative parts: a balance beside its parts gives them away", async () => {
    // exports - imports = -7 with their sum 25: 9 and 16.
    const trade = column("flow", 3, [{ level: 1000, parts: [0, 1], signs: [1, -1] }]);
    const input = { columns: [trade], tables: [table("t", [[0, 65], [1, null], [2, null], [3, 40], [4, -7]])], ...RULE };
    expect(await bounds(input, 1)).toEqual([9, 9]);
    const hidden = { ...input, tables: [table("t", [[0, 65], [1, null], [2, null], [3, 40], [4, null]])] };
    expect(await bounds(hidden, 1)).toEqual([1, 24]);
    expect(await bounds(hidden, 4)).toEqual([-23, 23]);
  });

  test("a grouping that is published without its parts is still a sum of them", async () => {
    const ages = column("age", 3, [{ level: 1000, parts: [0, 1] }]);
    const input = { columns: [ages], tables: [table("t", [[0, 30], [4, null]])], ...RULE };
    expect(await bounds(input, 1)).toEqual([1, 30]);
  });

  test("random signed groupings against enumeration", async () => {
    const leaves = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 3, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        leaves,
        fc.array(fc.array(fc.constantFrom(-1 as const, 0 as const, 1 as const), { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 2 }),
        async (counts, signs) => {
          const groups = signs
            .map((own, g) => ({ level: 1000 + g, parts: counts.flatMap((_, i) => (own[i] === 0 ? [] : [i])), signs: own.filter((sign, i) => sign !== 0 && i < counts.length) as (1 | -1)[] }))
            .filter(({ parts }) => parts.length > 0);
          const total = counts.reduce((sum, count) => sum + count, 0);
          const valueOf = (x: readonly number[], { parts, signs: own }: (typeof groups)[number]) => parts.reduce((sum, part, i) => sum + own[i]! * x[part]!, 0);
          const rows: [number, number | null][] = [
            [0, total],
            ...counts.map((_, i): [number, null] => [1 + i, null]),
            ...groups.map((group, g): [number, number] => [1 + counts.length + g, valueOf(counts, group)]),
          ];
          const input = { columns: [column("k", counts.length, groups)], tables: [table("t", rows)], ...RULE };
          const seen = counts.map(() => new Set<number>());
          const descend = (x: readonly number[]): void => {
            if (x.length < counts.length) {
              for (let v = 1; v <= total; v++) descend([...x, v]);
              return;
            }
            if (x.reduce((sum, v) => sum + v, 0) !== total || groups.some((group) => valueOf(x, group) !== valueOf(counts, group))) return;
            x.forEach((v, i) => seen[i]!.add(v));
          };
          descend([]);
          const result = await auditTables(input, { interval: 3, detail: "bounds" });
          seen.forEach((values, i) => {
            expect([result.min[0]![1 + i], result.max[0]![1 + i]]).toEqual([Math.min(...values), Math.max(...values)]);
            expect(result.unsafe.some(({ row }) => row === 1 + i)).toBe(values.size < 3);
          });
        },
      ),
      { numRuns: 60, seed: 5 },
    );
  }, 60_000);
});

describe("several releases", () => {
  const regions = column("region", 4);
  const release = (rows: readonly (readonly [number, number | null])[]): AuditInput => ({ columns: [regions], tables: [table("t", rows)], ...RULE });
  const verdict = async (linked: ReturnType<typeof linkReleases>) => {
    const result = await auditLinear(linked.attack, { detail: "bounds" });
    return { safe: result.safe, bounds: linked.cellOf.map(([rows]) => Array.from(rows!, (cell) => [result.min[cell], result.max[cell]])) };
  };

  test("each release safe alone, unsafe together: other cells were hidden the second time", async () => {
    const first = release([[0, 60], [1, null], [2, null], [3, 20], [4, 22]]);
    const second = release([[0, 60], [1, null], [2, 12], [3, null], [4, 22]]);
    for (const one of [first, second]) expect((await auditTables(one, { interval: 5 })).safe).toBe(true);
    const both = await verdict(linkReleases([first, second], 5));
    expect(both.safe).toBe(false);
    expect(both.bounds[0]![1]).toEqual([6, 6]);
  });

  test("changed data are linked by what is known of the change only", async () => {
    const first = release([[0, 60], [1, null], [2, null], [3, 20], [4, 22]]);
    const second = release([[0, 61], [1, null], [2, 13], [3, 20], [4, null]]);
    const apart = linkReleases([first, second], 5, { changed: true });
    expect((await verdict(apart)).safe).toBe(true);
    // Nobody leaves, and one person came: region 1 differs by 0 or 1, region 2 went from 12 or 13 to 13.
    const grown = [1, 2, 4].map((row) => ({ earlier: [0, 0, row], later: [1, 0, row], atLeast: 0, atMost: 1 }) as const);
    const linked = await verdict(linkReleases([first, second], 5, { changed: true, differences: grown }));
    expect(linked.safe).toBe(false);
    expect(linked.bounds[0]![1]).toEqual([5, 6]);
  });

  test("two geographies over the same places: what differs between them is a small area", async () => {
    // Old districts {1,2} {3,4}; new ones {1,2,3} {4}; all places blank.
    const both = column("place", 4, [
      { level: 1000, parts: [0, 1] }, { level: 1000, parts: [2, 3] },
      { level: 1001, parts: [0, 1, 2] }, { level: 1001, parts: [3] },
    ]);
    const old = { columns: [both], tables: [table("old", [[5, 40], [6, 50]])], ...RULE };
    const renewed = { columns: [both], tables: [table("new", [[7, 44], [8, 46], [1, null], [2, null], [3, null], [4, null]])], ...RULE };
    const linked = linkReleases([old, renewed], 5);
    const result = await auditLinear(linked.attack, { detail: "bounds" });
    const cell = linked.cellOf[1]![0]![4]!;
    expect([result.min[cell], result.max[cell], result.safe]).toEqual([4, 4, false]);
  });

  test("releases over different columns are refused", () => {
    const other = { ...release([[0, 1]]), columns: [column("region", 3)] };
    expect(() => linkReleases([release([[0, 1]]), other], 5)).toThrow(expect.objectContaining({ code: "audit/columns" }));
  });
});

describe("insiders of tables", () => {
  test("of two ones that add up to a known 2, each contributor knows the other (UserSupport #194)", async () => {
    // With zeros protected an outsider sees 0, 1 or 2 for each.
    const k = column("k", 4);
    const input: AuditInput = { columns: [k], tables: [table("t", [[0, 42], [1, null], [2, null], [3, 20], [4, 20]])], threshold: 11, zeros: "protect", codes: "merged" };
    const witness = [Float64Array.from([42, 1, 1, 20, 20])];
    expect((await auditTables(input, { interval: 3, witness })).safe).toBe(true);
    const inside = await auditTables(input, { interval: 3, witness, insiders: "each-contributor" });
    expect(inside.unsafe.map(({ row, min, max, insider }) => [row, min, max, insider?.row])).toEqual([[1, 1, 1, 2], [2, 1, 1, 1]]);
  });

  test("three singletons recover each other (UserSupport #135)", async () => {
    const k = column("k", 4);
    const input: AuditInput = { columns: [k], tables: [table("t", [[0, 23], [1, null], [2, null], [3, null], [4, 20]])], threshold: 11, zeros: "protect", codes: "merged" };
    const witness = [Float64Array.from([23, 1, 1, 1, 20])];
    expect((await auditTables(input, { interval: 4, witness })).safe).toBe(true);
    const inside = await auditTables(input, { interval: 4, witness, insiders: "each-contributor" });
    expect(inside.unsafe.map(({ row, min, max }) => [row, min, max]).sort()).toEqual([[1, 0, 2], [2, 0, 2], [3, 0, 2]]);
  });
});
