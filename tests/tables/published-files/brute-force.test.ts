/** Small random tables, with every table that agrees with what is printed enumerated here. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { auditPublished, type PublishedAudit } from "../../../src/audit.ts";

const DIMENSIONS = ["a", "b", "c"] as const;
type Key = readonly string[];

/** All sums of a cube of 2 x 2 (x 2) counts over the given margins: rows of a long table. */
function rowsOf(counts: readonly number[], size: number, margin: readonly number[]): { key: Key; count: number }[] {
  const rows = new Map<string, { key: string[]; count: number }>();
  counts.forEach((count, inner) => {
    for (let totals = 0; totals < 1 << margin.length; totals++) {
      const key = margin.map((d, i) => ((totals >> i) & 1 ? "Total" : `${DIMENSIONS[d]}${(inner >> (size - 1 - d)) & 1}`));
      const row = rows.get(key.join());
      if (row === undefined) rows.set(key.join(), { key, count });
      else row.count += count;
    }
  });
  return [...rows.values()];
}

interface Case {
  readonly counts: readonly number[];
  readonly size: number;
  readonly margins: readonly (readonly number[])[];
  readonly hidden: (key: string) => boolean;
}

const nameOf = (margin: readonly number[], key: Key): string => margin.map((d, i) => [DIMENSIONS[d], key[i]]).filter(([, label]) => label !== "Total").map((p) => p.join("=")).join();

/** Bounds of each hidden cell over all cubes with counts up to `most`. */
function enumerate({ counts, size, margins, hidden }: Case, most: number): Map<string, [number, number]> {
  const cells = new Map<string, { mask: number; shown: number | undefined }>();
  const all = margins.flatMap((margin) => rowsOf(counts, size, margin).map(({ key, count }) => ({ name: nameOf(margin, key), count, margin, key })));
  for (const { name, count, margin, key } of all) {
    let mask = 0;
    for (let inner = 0; inner < 1 << size; inner++) {
      if (margin.every((d, i) => key[i] === "Total" || key[i] === `${DIMENSIONS[d]}${(inner >> (size - 1 - d)) & 1}`)) mask |= 1 << inner;
    }
    cells.set(name, { mask, shown: hidden(name) ? undefined : count });
  }
  const bounds = new Map<string, [number, number]>();
  const inner = Array.from({ length: 1 << size }, () => 0);
  const visit = (at: number): void => {
    if (at < inner.length) {
      for (let v = 0; v <= most; v++) {
        inner[at] = v;
        visit(at + 1);
      }
      return;
    }
    const sums = new Map<string, number>();
    for (const [name, { mask, shown }] of cells) {
      let sum = 0;
      for (let i = 0; i < inner.length; i++) if ((mask >> i) & 1) sum += inner[i]!;
      if (shown !== undefined && shown !== sum) return;
      sums.set(name, sum);
    }
    for (const [name, { shown }] of cells) {
      if (shown !== undefined) continue;
      const sum = sums.get(name)!;
      const [from, to] = bounds.get(name) ?? [Infinity, -Infinity];
      bounds.set(name, [Math.min(from, sum), Math.max(to, sum)]);
    }
  };
  visit(0);
  return bounds;
}

async function attack({ counts, size, margins, hidden }: Case): Promise<PublishedAudit> {
  const tables = margins.map((margin, t) => ({
    name: `t${t}`,
    data: rowsOf(counts, size, margin).map(({ key, count }) => ({
      ...Object.fromEntries(margin.map((d, i) => [`dim_${DIMENSIONS[d]}`, key[i]!])), n: hidden(nameOf(margin, key)) ? "*" : String(count),
    })),
  }));
  return auditPublished(tables, { zeros: "protect", threshold: 3, interval: 2, detail: "bounds", values: ["n"] });
}

const named = (found: PublishedAudit): Map<string, [number | null, number | null]> =>
  new Map(found.blankCells.map(({ categories, min, max }) => [
    Object.entries(categories).map(([d, label]) => `${d.replace("dim_", "")}=${label}`).sort().join(), [min, max],
  ]));

describe("bounds are those of every table that agrees", () => {
  const hide = (salt: number, share: number) => (key: string): boolean => {
    if (key === "") return false; // the grand total bounds the enumeration
    let h = salt;
    for (const character of key) h = Math.imul(h ^ character.charCodeAt(0), 0x01000193);
    return (h >>> 8) % 100 < share;
  };

  test.each([
    ["one table with all its totals", 2, [[0, 1]], 4],
    ["two linked tables", 2, [[0], [1]], 4],
    ["three dimensions", 3, [[0, 1, 2]], 2],
    ["three tables in a circle, nothing of the cube published", 3, [[0, 1], [1, 2], [0, 2]], 2],
  ] as const)("%s", async (_, size, margins, most) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: most === 4 ? 2 : 1 }), { minLength: 1 << size, maxLength: 1 << size }),
        fc.integer(), fc.constantFrom(30, 60, 85),
        async (counts, salt, share) => {
          const sum = counts.reduce((a, b) => a + b, 0);
          fc.pre(sum > 0 && sum <= (size === 2 ? 6 : 4));
          const given: Case = { counts, size, margins, hidden: hide(salt, share) };
          const expected = enumerate(given, Math.min(sum, size === 2 ? 6 : 4));
          const found = named(await attack(given));
          expect([...found].sort()).toEqual([...expected].sort());
        },
      ),
      { numRuns: size === 2 ? 30 : 12 },
    );
  }, 60_000);
});
