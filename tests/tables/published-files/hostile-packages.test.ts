/** Data packages that nobody should have written: refused with an error of ours, or read; never a crash, and never for long. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { auditPublished } from "../../../src/audit.ts";
import { CommensurateError } from "../../../src/errors/index.ts";

const work = mkdtempSync(join(tmpdir(), "packages-"));
afterAll(() => rmSync(work, { recursive: true }));

interface Place {
  level: string;
  label: string;
  parent: number;
  parts?: number[];
}
const PLACES: readonly Place[] = [
  { level: "total", label: "(total)", parent: -1 }, { level: "0", label: "x", parent: 0 }, { level: "0", label: "y", parent: 0 }, { level: "0", label: "z", parent: 0 },
];
const RULE = { threshold: 11, interval: 5, zeros: "publish", codes: "merged", primaryMost: 10, complementaryLeast: 11, large: "may-be-computed" };

let made = 0;
function folder({ name = "t", column = "area", places = PLACES, rule = {}, plan }: { name?: string; column?: string; places?: readonly object[]; rule?: object; plan?: unknown } = {}): string {
  const path = join(work, String(made++));
  mkdirSync(join(path, "internal"), { recursive: true });
  writeFileSync(join(path, `${name}.csv`), `${column},count,count_annotation\n(total),100,0\nx,50,0\ny,,1\nz,,1\n`);
  const table = { dimensions: [column], levels: { [column]: "0" }, totals: "listed", annotation: "count_annotation", statistics: [{ column: "count", statistic: "count" }] };
  const commensurate = {
    format: "commensurate/tables@1", numbers: "exact", rule: { ...RULE, ...rule }, missingRows: "unknown",
    dimensions: { [column]: { total: "(total)", places } }, tables: { t: table },
  };
  writeFileSync(join(path, "datapackage.json"), JSON.stringify({ name: "n", resources: [{ path: `${name}.csv` }], ...(plan === undefined ? { commensurate } : {}) }));
  if (plan !== undefined) writeFileSync(join(path, "internal/plan.json"), JSON.stringify(plan));
  return path;
}

async function codeOf(path: string): Promise<string> {
  try {
    return (await auditPublished(path)).verdict;
  } catch (error) {
    if (error instanceof CommensurateError) return error.code;
    throw error;
  }
}

test("the package that the others are made from is read", async () => {
  expect(await codeOf(folder())).toBe("clean");
});

describe("places", () => {
  const more = (...places: readonly object[]): readonly object[] => [...PLACES, ...places];
  const many = (n: number, parent: (i: number) => number): readonly object[] => more(...Array.from({ length: n }, (_, i) => ({ level: "0", label: `p${i}`, parent: parent(i) })));
  test.each([
    ["a parent that is not listed", more({ level: "0", label: "w", parent: 99 }), "audit/unknown-place"],
    ["a part that is not listed", more({ level: "1", label: "g", parent: -2, parts: [1, 99] }), "audit/unknown-place"],
    ["a place in itself", more({ level: "0", label: "w", parent: 4 }), "audit/circular-structure"],
    ["a group of itself", more({ level: "1", label: "g", parent: -2, parts: [4] }), "audit/circular-structure"],
    ["a part listed twice", more({ level: "1", label: "g", parent: -2, parts: [1, 1, 2] }), "clean"],
    ["a chain without end", many(15_000, (i) => i + 3), "audit/deep-structure"],
    ["many places in twos", many(5000, (i) => Math.floor(i / 2)), "clean"],
    ["more places than there can be", many(100_000, () => 0), "audit/unreadable-package"],
  ] as const)("%s", async (_, places, expected) => {
    const code = await codeOf(folder({ places }));
    // Many places may leave the blanks unproven; what matters is that they end.
    expect(expected === "clean" ? ["clean", "finding"] : [expected]).toContain(code);
  }, 10_000);
});

test.each(["constructor", "toString", "__proto__"])("a table and a column called %s", async (name) => {
  expect(["clean", "finding"]).toContain(await codeOf(folder({ name })));
  expect(typeof (await codeOf(folder({ column: name })))).toBe("string");
});

test("a plan with places that are none", async () => {
  expect(await codeOf(folder({ plan: { decision: { dimensions: [null, { column: "area", places: [null, 1, {}] }] } } }))).toBe("clean");
});

test("of releases with different rules, whichever comes first, the stricter holds in each part", async () => {
  const loose = folder({ name: "a", rule: { threshold: 3, interval: 2, primaryMost: null, complementaryLeast: 0, zeros: "protect" } });
  const strict = folder({ name: "b", column: "sector", rule: { large: "protected" } });
  for (const both of [[loose, strict], [strict, loose]]) {
    const found = await auditPublished(both);
    expect([found.threshold, found.interval, found.zeros]).toEqual([11, 5, "publish"]);
    expect(found.assumptions).toContain("the data packages state different rules; each part is the stricter one");
  }
  expect((await auditPublished([loose, strict], { interval: 3 })).interval).toBe(3);
});
