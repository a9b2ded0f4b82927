/** How foreign tables are read: layouts, marks, totals, nesting, percentages, vintages, and what is refused. */
import { describe, expect, test } from "vitest";
import { auditPublished, type AuditPublishedOptions, type PublishedAudit } from "../../../src/audit.ts";
import { parseStructure } from "../../../src/structure-file.ts";
import { cellReader, looksLikeTotal } from "../../../src/tables/published-files/cell-text.ts";
import { tableOf } from "./tables.ts";

function audit(csv: string, options: AuditPublishedOptions = {}): Promise<PublishedAudit> {
  return auditPublished({ name: "table", data: tableOf(csv) }, options);
}
const cell = (found: PublishedAudit, name: string): (number | null)[] => {
  const { min, max } = found.blankCells.find((candidate) => candidate.name === name)!;
  return [min, max];
};
const failure = async (work: Promise<unknown>): Promise<{ code: string; message: string }> =>
  work.then(() => ({ code: "none", message: "" }), (error: { code: string; message: string }) => ({ code: error.code, message: error.message }));

describe("marks", () => {
  test.each(["", " ", "S", "s", "*", "**", "C", ".", "..", "NA", "n/a", "-", "x", "Suppressed", "(D)", null])("%j hides", (text) => {
    expect(cellReader()(text)?.kind).toBe("hidden");
  });

  test.each([
    ["<11", 0, 10], ["< 5", 0, 4], ["≤10", 0, 10], ["<=10", 0, 10], ["fewer than 11", 0, 10], ["1-10", 1, 10], ["1 – 4", 1, 4], [">=11", 11, Infinity],
    ["11+", 11, Infinity], [">10", 11, Infinity],
  ])("%s is between %i and %d", (text, lower, upper) => {
    expect(cellReader()(text)).toMatchObject({ kind: "hidden", lower, upper });
  });

  test.each([["12", 12], ["1,234", 1234], ["1 234", 1234], ["1'234'567", 1234567], ["1\u202f234", 1234], ["0", 0], ["-5", -5], ["12.50", 12.5], ["1e3", 1000], [" 7 ", 7]])("%s is a number", (text, value) => {
    expect(cellReader()(text)).toEqual({ kind: "shown", value });
  });

  test.each(["12 345 people", "1,23", "1,234 567", "12 34", "<0", "10-1", "Infinity", "0x1F", "1e999", "--5", "n.b.p."])("%s is neither", (text) => {
    expect(cellReader()(text)).toBeUndefined();
  });

  test("new marks, and marks with another meaning", () => {
    const read = cellReader({ primary: ["n.b.p."], complementary: ["*"], hidden: ["?"] });
    expect([read("n.b.p."), read("*"), read("?")].map((found) => found?.kind === "hidden" && found.reason)).toEqual(["primary", "complementary", "unknown"]);
  });

  test("labels that read like totals", () => {
    expect(["Total", "(total)", "ALL", "Both sexes", "All ages", "Grand total", "Total, all races", "Statewide", "Overall", "_T"].filter((label) => !looksLikeTotal(label))).toEqual([]);
    expect(["Alameda", "Allegheny", "Totalitarian", "Ballet", "Summit", "female"].filter(looksLikeTotal)).toEqual([]);
  });
});

describe("layouts", () => {
  const LONG = "county,year,sex,n\nA,2020,f,\nA,2020,m,20\nA,2020,Both sexes,27\n";

  test("a numeric year is a category, the other number is the count", async () => {
    const found = await audit(LONG);
    expect(found.tables[0]).toMatchObject({ dimensions: ["county", "year", "sex"], measures: ["n"], margins: [["county", "year", "sex"], ["county", "year"]] });
    expect(cell(found, "A, year 2020, f")).toEqual([7, 7]);
  });

  test("a crosstab is the same table", async () => {
    const found = await audit("county,f,m,Total\nA,*,20,27\nB,30,40,70\n", { across: "sex" });
    expect(found.tables[0]!.dimensions).toEqual(["county", "sex"]);
    expect(cell(found, "A, f")).toEqual([7, 7]);
    expect(found.blankCells[0]).toMatchObject({ row: 1, column: "f", categories: { county: "A", sex: "f" } });
  });

  test("a blank category is the total where no other is, and is said to be", async () => {
    const found = await audit("sex,n\nf,*\nm,20\n,27\n");
    expect(cell(found, "f")).toEqual([7, 7]);
    expect(found.assumptions.join()).toContain("a blank \"sex\" stands for all its categories together");
  });

  test("a blank category is one of missing values where the structure lists those", async () => {
    const places = [{ level: "total", label: null, parent: -1 }, { level: "0", label: "f", parent: 0 }, { level: "0", label: null, parent: 0 }];
    const found = await audit("county,sex,n\nA,f,*\nA,,20\nB,f,30\nB,,4\n", { structure: { dimensions: { sex: { places } } } });
    expect(found.findings.map(({ kind }) => kind)).toEqual(["small-count-shown"]);
  });

  test("a total by any name, when stated", async () => {
    const csv = "county,n\nA,*\nB,20\nCalifornia,27\n";
    expect(cell(await audit(csv), "A")).toEqual([1, null]);
    expect(cell(await audit(csv, { totals: ["California"] }), "A")).toEqual([7, 7]);
  });

  test("the letter that statistical offices write for a total is one, and where none is found the audit says so", async () => {
    const found = await audit("county,sex,n\nA,F,40\nA,M,*\nA,T,45\nB,F,*\nB,M,20\nB,T,28\nT,F,48\nT,M,*\nT,T,*\n");
    expect(cell(found, "A, M")).toEqual([5, 5]);
    expect((await audit("county,n\nA,*\nB,20\nCalifornia,27\n")).assumptions.join()).toContain('in "county", no category is a total');
  });

  test("a total stated for one dimension leaves those of the others as they read", async () => {
    const csv = "county,sex,n\nA,F,40\nA,M,*\nA,Total,45\nB,F,100\nB,M,*\nB,Total,*\nCalifornia,F,140\nCalifornia,M,*\nCalifornia,Total,*\n";
    expect(cell(await audit(csv, { totals: ["California"] }), "A, M")).toEqual([5, 5]);
  });

  test("in a crosstab, a column of which every number is hidden is one across", async () => {
    const found = await audit("county,f,m,Total\nA,*,20,25\nB,*,30,33\nTotal,*,50,58\n", { across: "sex" });
    expect(found.tables[0]!.dimensions).toEqual(["county", "sex"]);
    expect([cell(found, "A, f"), cell(found, "B, f")]).toEqual([[5, 5], [3, 3]]);
  });

  test("one text among the numbers does not make a column one of categories", async () => {
    const csv = "county,f,m,Total\nA,*,20,25\nB,30,40,n.b.p.\nC,12,20,32\n";
    expect((await failure(audit(csv, { across: "sex" }))).code).toBe("audit/unreadable-cell");
    expect((await failure(audit("county,ward,n\nA,1,*\nA,2,20\nA,North,11\nA,Total,40\n"))).code).toBe("audit/unreadable-cell");
    expect(cell(await audit("county,ward,n\nA,1,*\nA,2,20\nA,North,11\nA,Total,40\n", { dimensions: ["county", "ward"] }), "A, ward 1")).toEqual([9, 9]);
  });

  test("columns that nobody explained are named, and printed ones beside blanks are findings", async () => {
    const found = await audit("county,n,rate\nA,,12.5\nB,20,3.1\nTotal,60,5.0\n");
    expect(found.assumptions.join()).toContain('column "rate" is not attacked');
    expect(found.findings.map(({ kind }) => kind)).toEqual(["computed-beside-blank", "blank-falls"]);
  });
});

describe("sums", () => {
  const NESTED = "area,year,n\nState,1,200\nState,2,220\nNorth,1,90\nNorth,2,100\nA,1,60\nA,2,\nB,1,30\nB,2,\nSouth,1,110\nSouth,2,120\nC,1,70\nC,2,70\nD,1,40\nD,2,50\n";

  test("nested categories show in the numbers, and are told as an assumption", async () => {
    const found = await audit(NESTED);
    expect(found.assumptions.filter((text) => text.includes("is the sum of")).length).toBe(3);
    expect(cell(found, "A, year 2")).toEqual([1, 99]);
    const lone = await audit(NESTED.replace("B,2,\n", "B,2,35\n"));
    expect(lone.blankCells[0]!.how).toEqual(["A, year 2 = North, year 2 100 - B, year 2 35 = 65"]);
  });

  test("a structure says the same without guessing", async () => {
    const structure = { dimensions: { area: { tree: { State: ["North", "South"], North: ["A", "B"], South: ["C", "D"] } } } };
    const found = await audit(NESTED, { structure });
    expect(found.assumptions.some((text) => text.includes("is the sum of"))).toBe(false);
    expect(cell(found, "A, year 2")).toEqual([1, 99]);
  });

  test("categories that do not add up, and cannot be read in one way, are a finding", async () => {
    const found = await audit("area,n\nTotal,36\nX,20\na,*\nb,*\nc,8\nd,8\nY,16\ne,*\n");
    expect(found.findings.find(({ kind }) => kind === "contradiction")?.text).toContain("--structure");
    expect(found.verdict).toBe("finding");
  });

  test("totals that contradict their parts", async () => {
    const found = await audit("sex,n\nf,20\nm,31\nTotal,50\n");
    expect(found.findings.map(({ text }) => text).join()).toContain("Total is shown as 50, but its 2 parts add up to 51");
  });

  test("hidden counts that cannot be what the marks say", async () => {
    const found = await audit("sex,n\nf,<11\nm,20\nTotal,50\n");
    expect(found.verdict).toBe("finding");
    expect(found.blankCells.map(({ verdict }) => verdict)).toEqual(["unproven"]);
  });

  test("percentages give counts away when it is said how they are computed", async () => {
    const csv = "county,sex,n,percent\nA,f,,33.3\nA,m,,66.7\nA,Total,30,100.0\n";
    const ratios = [{ column: "percent", numerator: "n", denominator: { over: ["sex"] }, decimals: 1 }];
    const found = await audit(csv, { structure: { tables: { table: { ratios } } } });
    expect([cell(found, "A, f"), cell(found, "A, m")]).toEqual([[10, 10], [20, 20]]);
    expect(found.blankCells[0]!.how[0]).toContain("percent shows 33.3 in row 1");
    const coarse = await audit(csv.replace("33.3", "33").replace("66.7", "67").replace("100.0", "100").replace("30,", "1000,"), {
      structure: { tables: { table: { ratios: [{ ...ratios[0]!, decimals: 0 }] } } },
    });
    expect(cell(coarse, "A, f")).toEqual([325, 335]);
  });

  test("means and rates over other columns", async () => {
    const csv = "county,people,cases,rate\nA,1000,,7.0\nB,2000,40,20.0\n";
    const ratios = [{ column: "rate", numerator: "cases", denominator: "people", decimals: 1, scale: 1000 }];
    const found = await audit(csv, { values: ["cases"], structure: { tables: { table: { ratios } } } });
    expect(cell(found, "cases of A")).toEqual([7, 7]);
  });

  test("events within their population", async () => {
    const csv = "county,people,cases\nA,12,\nB,2000,40\nC,3000,\nTotal,5012,150\n";
    const found = await audit(csv, { structure: { measures: { cases: { within: "people" } } } });
    expect(cell(found, "cases of A")).toEqual([1, 12]);
    expect(cell(found, "cases of C")).toEqual([98, 109]);
  });

  test("two vintages of districts over the same blocks", async () => {
    // Old district P = blocks 1 and 2, Q = blocks 3; new R = block 1, T = blocks 2 and 3. P - R = block 2 = T - Q.
    const structure = { dimensions: { district: { groups: { P: ["b1", "b2"], Q: ["b3"], R: ["b1"], T: ["b2", "b3"] } } } };
    const old = { name: "old", data: tableOf("district,n\nP,50\nQ,40\nTotal,90\n") };
    const renewed = { name: "new", data: tableOf("district,n\nR,46\nT,*\nTotal,*\n") };
    const found = await auditPublished([renewed], { structure, earlier: [old] });
    expect(found.blankCells.map(({ name, min, max }) => [name, min, max])).toContainEqual(["T", 44, 44]);
  });

  test("a group of one table is the difference of others", async () => {
    const structure = { dimensions: { age: { groups: { "under 65": ["0-17", "18-64"], "18 and over": ["18-64", "65+"] } } } };
    const found = await audit("age,n\n0-17,*\n18-64,500\n65+,200\nunder 65,504\n18 and over,700\nTotal,704\n", { structure });
    expect(cell(found, "age 0-17")).toEqual([4, 4]);
  });
});

describe("what cannot be read is refused with its place, and never with its text", () => {
  const SECRET = "Canary Jones";

  test.each([
    ["sex,count\nf,3\nm,Canary Jones\n", { values: ["count"] }, "audit/unreadable-cell", /Row 2 .*"count"/],
    ["sex,count\nf,30\nf,40\n", {}, "audit/repeated-cell", /Row 2 /],
    ["name,remark\nCanary Jones,x y z\nb,w w w\n", {}, "audit/no-values", /--count/],
    ["count\n1\n", {}, "audit/empty-table", /0 rows|1 columns/],
    ["sex,count\nf,99999999999999999999\n", {}, "audit/too-large-number", /Row 1/],
  ] as [string, AuditPublishedOptions, string, RegExp][])("%#", async (csv, options, code, message) => {
    const thrown = await failure(audit(csv, options));
    expect(thrown.code).toBe(code);
    expect(thrown.message).toMatch(message);
    expect(thrown.message).not.toContain(SECRET);
  });

  test("options", async () => {
    const csv = "sex,n\nf,*\nm,20\nTotal,27\n";
    expect((await failure(audit(csv, { threshold: 1 }))).code).toBe("audit/threshold");
    expect((await failure(audit(csv, { interval: 1 }))).code).toBe("audit/interval");
    expect((await failure(audit(csv, { structure: { tables: { table: { values: ["m"] } } } }))).code).toBe("audit/unknown-column");
    expect((await failure(audit(csv, { structure: { measures: { n: { within: "people" } } } }))).code).toBe("audit/unknown-measure");
    expect((await failure(audit(csv, { structure: { dimensions: { sex: { tree: { f: ["m"], m: ["f"] } } } } }))).code).toBe("audit/circular-structure");
  });

  test("structure files, with line and column", () => {
    expect(parseStructure("dimensions:\n  sex: { totals: [Both] }\n")).toEqual({ dimensions: { sex: { totals: ["Both"] } } });
    expect(() => parseStructure("dimensions:\n  sex: { total: [Both] }\n", "s.yaml")).toThrow(/s\.yaml:2:10 .*totals/);
    expect(() => parseStructure("dimensions: [\n", "s.yaml")).toThrow(/s\.yaml:\d+:\d+/);
    expect(() => parseStructure('{"tables": {"a": {"layout": "wide"}}}', "s.json")).toThrow(/s\.json:1:\d+ /);
  });
});
