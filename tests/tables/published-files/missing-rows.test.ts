/** Combinations of listed categories without a row: empty, hidden, or nobody says. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { auditPublished, type AuditPublishedOptions, type PublishedAudit } from "../../../src/audit.ts";
import { tableOf } from "./tables.ts";

function audit(csv: string, options: AuditPublishedOptions = {}): Promise<PublishedAudit> {
  return auditPublished({ name: "table", data: tableOf(csv) }, options);
}
const falling = ({ blankCells }: PublishedAudit): [string, number | null, number | null][] =>
  blankCells.filter(({ verdict }) => verdict === "falls" || verdict === "unproven").map(({ name, min, max }) => [name, min, max]);

describe("missing rows", () => {
  const complete = ["county,sex,n", "A,f,20", "A,m,30", "A,Total,50", "B,m,40", "B,Total,40", "Total,f,20", "Total,m,70", "Total,Total,90"].join("\n");

  test("a row whose sums leave nothing for it is empty", async () => {
    const found = await audit(complete);
    expect([found.verdict, found.missingRows]).toEqual(["clean", 1]);
    expect(found.assumptions.join("\n")).toContain("1 combination of listed categories has no row");
  });

  test("a row that shown totals give away falls", async () => {
    const dropped = await audit(complete.replace("B,Total,40", "B,Total,44").replace("Total,f,20", "Total,f,24").replace("Total,Total,90", "Total,Total,94"));
    expect(falling(dropped)).toEqual([["B, f", 4, 4]]);
    expect(dropped.assumptions.join()).toContain("since shown totals are larger than what is listed");
  });

  // A, f has no row, so A, m is 14 if rows without people are left out, and 1 to 14 if rows are hidden by leaving them out.
  const open = "county,sex,n\nA,m,\nA,Total,14\nB,f,20\nB,m,30\nB,Total,50\n";

  test("nobody says: what falls in either reading falls", async () => {
    const found = await audit(open);
    expect(found.blankCells.map(({ why }) => why)).toEqual(["A, m = 14, if rows left out are empty"]);
    expect([found.verdict, found.falling, found.summary]).toEqual(["finding", 1, "1 of 1 blank cell falls"]);
  });

  test("stated for all files, or for one in its structure", async () => {
    expect((await audit(open, { missingRows: "unknown" })).verdict).toBe("clean");
    const empty = await audit(open, { missingRows: "empty" });
    expect([falling(empty), empty.missingRows]).toEqual([[["A, m", 14, 14]], 0]);
    expect(falling(await audit(open, { structure: { tables: { table: { missingRows: "empty" } } } }))).toEqual([["A, m", 14, 14]]);
  });

  test("a hidden count whose row was taken out, with its total", async () => {
    // B, f was dropped, and B's total blanked; with f in all 23, B, f = 3.
    const found = await audit("county,sex,n\nA,f,20\nA,m,30\nA,Total,50\nB,m,\nB,Total,\nTotal,f,23\nTotal,m,70\nTotal,Total,93\n");
    expect(falling(found)).toEqual([["B, m", 40, 40], ["B", 43, 43], ["B, f", 3, 3]]);
  });

  test("a sparse table of very many combinations is attacked as empty, and that is a finding", async () => {
    const rows = Array.from({ length: 600 }, (_, i) => `a${i % 200},b${(i * 7) % 190},20`);
    const csv = `a,b,n\n${[...new Set(rows)].join("\n")}\n`;
    const found = await audit(csv);
    expect([found.verdict, found.findings.map(({ kind }) => kind)]).toEqual(["finding", ["missing-rows"]]);
    await expect(audit(csv, { missingRows: "unknown" })).rejects.toMatchObject({ code: "audit/too-many-missing" });
    expect((await audit(csv, { missingRows: "empty" })).verdict).toBe("clean");
  });

  test("levels of a hierarchy that a file does not divide are not missing", async () => {
    // Regions by sex, counties without: a county by sex is nowhere listed, so no row of it is left out.
    const structure = { dimensions: { place: { tree: { North: ["A", "B"], South: ["C", "D"], Total: ["North", "South"] } } } };
    const found = await audit("place,sex,n\nNorth,f,30\nNorth,m,\nSouth,f,40\nSouth,m,\nA,Total,\nB,Total,30\nC,Total,\nD,Total,50\n", { structure });
    expect(found.missingRows).toBe(0);
  });

  test("small tables with missing rows: bounds are those of every table that agrees, and both readings count", async () => {
    const MOST = 4;
    let missing = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: MOST }), { minLength: 6, maxLength: 6 }),
        fc.array(fc.constantFrom("shown", "shown", "blank", "missing"), { minLength: 6, maxLength: 6 }),
        fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
        async (counts, states, shownTotals) => {
          // 2 x 3 cells; rows, then columns.
          const sums = [[0, 1, 2], [3, 4, 5], [0, 3], [1, 4], [2, 5]];
          const label = (cell: number): string => `r${Math.floor(cell / 3)},c${cell % 3}`;
          const totals = ["r0,Total", "r1,Total", "Total,c0", "Total,c1", "Total,c2"];
          const sum = (values: readonly number[], s: number): number => sums[s]!.reduce((all, cell) => all + values[cell]!, 0);
          const lines = [
            ...counts.flatMap((count, cell) => (states[cell] === "missing" ? [] : [`${label(cell)},${states[cell] === "shown" ? count : ""}`])),
            ...totals.map((name, s) => `${name},${shownTotals[s]! ? sum(counts, s) : ""}`),
          ];
          // All categories are listed by the totals.
          const csv = `r,c,n\n${lines.join("\n")}\n`;
          const options = { zeros: "protect", threshold: 5, interval: 3, detail: "bounds", missingRows: "unknown" } as const;
          const found = await audit(csv, options);
          missing += found.missingRows;
          const bounds = new Map<number, [number, number]>();
          const most = 6 * MOST;
          const inner = Array.from({ length: 6 }, () => 0);
          const visit = (at: number): void => {
            if (at === 6) {
              if (sums.some((_, s) => shownTotals[s]! && sum(inner, s) !== sum(counts, s))) return;
              inner.forEach((value, cell) => {
                const own = bounds.get(cell);
                bounds.set(cell, own === undefined ? [value, value] : [Math.min(own[0], value), Math.max(own[1], value)]);
              });
              return;
            }
            // No sum is known only through cells beyond `most`.
            const free = states[at] === "shown" ? [counts[at]!] : Array.from({ length: MOST + 5 }, (_, v) => v);
            for (const value of free) {
              inner[at] = value;
              visit(at + 1);
            }
          };
          if (states.filter((state) => state !== "shown").length > 4) return;
          visit(0);
          for (const { name, min, max } of found.blankCells) {
            const cell = counts.findIndex((_, c) => label(c).replace(",", ", ") === name);
            if (cell < 0) continue;
            const [from, to] = bounds.get(cell)!;
            expect([name, min]).toEqual([name, from]);
            if (max !== null && max <= MOST + 4 && to < MOST + 4) expect([name, max]).toEqual([name, to]);
            expect(max ?? most).toBeGreaterThanOrEqual(to);
          }
          // Missing cells are told when they keep too few values.
          const names = new Set(falling(found).map(([name]) => name));
          for (const [cell, [from, to]] of bounds) if (states[cell] !== "shown" && to - from + 1 < 3) expect(names).toContain(label(cell).replace(",", ", "));
          const both = await audit(csv, { ...options, missingRows: undefined });
          const empty = await audit(csv, { ...options, missingRows: "empty" });
          expect(new Set(falling(both).map(([name]) => name))).toEqual(
            new Set([...names, ...(empty.findings.some(({ kind }) => kind === "contradiction") ? [] : falling(empty).map(([name]) => name))]),
          );
        },
      ),
      { numRuns: 120, seed: 7 },
    );
    expect(missing).toBeGreaterThan(30);
  }, 60_000);
});
