/** What people in a blank cell find, known answers and small tables enumerated. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { auditPublished, type AuditPublishedOptions, type PublishedAudit } from "../../../src/audit.ts";
import { tableOf } from "./tables.ts";

function audit(csv: string, options: AuditPublishedOptions = {}): Promise<PublishedAudit> {
  return auditPublished({ name: "table", data: tableOf(csv) }, options);
}
const told = ({ findings }: PublishedAudit): string[] => findings.filter(({ kind }) => kind === "insider-finds").map(({ text }) => text);

describe("insiders", () => {
  const two = "sex,n\nf,\nm,\nTotal,9\n";

  test("who is counted in a cell that might be empty narrows the rest of the sum by one", async () => {
    const options = { zeros: "protect", interval: 10, threshold: 21 } as const;
    expect((await audit(two, options)).findings.map(({ kind }) => kind)).toEqual(["small-count-shown"]);
    const found = await audit(two, { ...options, insiders: "members" });
    // Outside both are 0 to 9, ten values; from within the other cell 0 to 8.
    expect(told(found)).toEqual(["whoever is counted in m can narrow f to 0 to 8", "whoever is counted in f can narrow m to 0 to 8"]);
    expect(found.insiders).toBe("members");
  });

  test("where zeros are shown, members know nothing new", async () => {
    expect(told(await audit(two, { threshold: 11, interval: 5, insiders: "members" }))).toEqual([]);
  });

  test("who is alone in a cell computes the rest of a small sum, and of a large one finds no small count", async () => {
    const found = await audit(two, { threshold: 11, interval: 5, insiders: "alone" });
    expect(told(found)).toEqual(["if only one person is in m, that person finds that f = 8", "if only one person is in f, that person finds that m = 8"]);
    expect(found.summary).toContain("2 hidden counts can be found from within");
    expect(told(await audit(two.replace("9", "30"), { threshold: 11, interval: 5, insiders: "alone" }))).toEqual([]);
  });

  test("three blanks of one sum keep each other apart", async () => {
    expect(told(await audit("sex,n\nf,\nm,\nx,\nTotal,30\n", { threshold: 11, interval: 5, insiders: "alone" }))).toEqual([]);
  });

  test("two rows of three, against every table that agrees", async () => {
    let found = 0;
    const MOST = 6;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: MOST }), { minLength: 6, maxLength: 6 }), fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), async (counts, hidden) => {
        const lines = [0, 1, 2].flatMap((c) => [0, 1].map((r) => `r${r},c${c},${hidden[r * 3 + c]! ? "" : counts[r * 3 + c]!}`));
        const sums = [[0, 1, 2], [3, 4, 5], [0, 3], [1, 4], [2, 5]];
        const total = (values: readonly number[], s: number): number => sums[s]!.reduce((all, cell) => all + values[cell]!, 0);
        ["r0,Total", "r1,Total", "Total,c0", "Total,c1", "Total,c2"].forEach((name, s) => lines.push(`${name},${total(counts, s)}`));
        const options = { threshold: 100, interval: 3, zeros: "publish" } as const;
        const name = (cell: number): string => `r${Math.floor(cell / 3)}, c${cell % 3}`;
        const tables: number[][] = [];
        const inner = counts.slice();
        const visit = (at: number): void => {
          if (at === 6) {
            if (sums.every((_, s) => total(inner, s) === total(counts, s))) tables.push(inner.slice());
            return;
          }
          for (let v = hidden[at]! ? 1 : counts[at]!; v <= (hidden[at]! ? 3 * MOST : counts[at]!); v++) {
            inner[at] = v;
            visit(at + 1);
          }
          inner[at] = counts[at]!;
        };
        if (hidden.filter(Boolean).length > 5) return;
        visit(0);
        const values = (agree: readonly number[][], cell: number): Set<number> => new Set(agree.map((table) => table[cell]!));
        const expected = new Set<string>();
        for (let s = 0; s < 6; s++) {
          if (!hidden[s]!) continue;
          const within = tables.filter((table) => table[s] === 1);
          if (within.length === 0) continue;
          for (let c = 0; c < 6; c++) {
            const same = new Set(tables.map((table) => table[c]! - table[s]!)).size === 1;
            if (c !== s && !same && hidden[c]! && values(tables, c).size >= 3 && values(within, c).size < 3) expected.add(name(c));
          }
        }
        const texts = told(await audit(`r,c,n\n${lines.join("\n")}\n`, { ...options, insiders: "alone" }));
        expect(new Set(texts.map((text) => /(?:finds that|can narrow|narrow) (r\d, c\d)|finds that (r\d, c\d)|person can narrow (r\d, c\d)/.exec(text)![1]))).toEqual(expected);
        found += expected.size;
      }),
      { numRuns: 80, seed: 5 },
    );
    expect(found).toBeGreaterThan(20);
  }, 60_000);
});
