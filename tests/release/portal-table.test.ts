/** The table for a portal: no sum rows, blanks with an annotation, and a file that other programs read without surprises. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { release, verify, type PolicyInput } from "../../src/index.ts";
import { loadPolicy } from "../../src/node.ts";
import { workFolder } from "./walk.ts";

const examples = fileURLToPath(new URL("../../examples/", import.meta.url));
const work = workFolder("portal-table");
afterAll(work.remove);

type Row = Record<"county" | "year" | "race_ethnicity" | "cases" | "cases_annotation", string>;

describe("examples/calhhs.yaml", () => {
  let bytes: Buffer;
  let rows: Row[];
  let directory: string;
  /** Records by the three columns, counted here with no help from the product. */
  const truth = new Map<string, number>();

  beforeAll(async () => {
    const { policy, folder } = await loadPolicy(join(examples, "calhhs.yaml"));
    ({ directory } = await release(policy, { folder, out: join(work.sub(), "out") }));
    bytes = readFileSync(join(directory, "public/cases-by-county.csv"));
    rows = parse(bytes, { columns: true });
    const records = gunzipSync(readFileSync(join(examples, "data/cases.csv.gz"))).toString().trimEnd().split("\n").slice(1);
    for (const record of records) truth.set(record, (truth.get(record) ?? 0) + 1);
  }, 60_000);

  test("is released, verified and read back by another parser: every combination once, no sum rows", async () => {
    expect((await verify(directory)).verdict).toBe("pass");
    expect(Object.keys(rows[0]!)).toEqual(["county", "year", "race_ethnicity", "cases", "cases_annotation"]);
    const places = rows.map((row) => `${row.county},${row.year},${row.race_ethnicity}`);
    expect(new Set(places).size).toBe(rows.length);
    const distinct = (name: keyof Row): number => new Set(rows.map((row) => row[name])).size;
    expect([distinct("county"), distinct("year"), distinct("race_ethnicity"), rows.length]).toEqual([58, 3, 8, 58 * 3 * 8]);
    expect(rows.filter((row) => [row.county, row.year, row.race_ethnicity].some((text) => text === "" || /total|^\*$/i.test(text)))).toEqual([]);
    expect([...truth.keys()].filter((place) => !places.includes(place))).toEqual([]);
  });

  test("numbers are numbers or nothing, and the annotation says which", () => {
    const odd = rows.filter(({ cases, cases_annotation: code }) => !((/^(0|[1-9]\d*)$/.test(cases) && code === "0") || (cases === "" && code === "1")));
    expect(odd).toEqual([]);
  });

  test("shown counts are those of the records, no small one is shown, and zeros are", () => {
    const counts = rows.map((row) => truth.get(`${row.county},${row.year},${row.race_ethnicity}`) ?? 0);
    expect(rows.filter((row, i) => row.cases !== "" && Number(row.cases) !== counts[i])).toEqual([]);
    expect(rows.filter((row, i) => row.cases !== "" && counts[i]! > 0 && counts[i]! < 11)).toEqual([]);
    expect(rows.filter((row, i) => counts[i] === 0 && row.cases !== "0")).toEqual([]);
    const hidden = counts.filter((_, i) => rows[i]!.cases === "");
    expect(hidden.filter((count) => count < 11).length).toBe(289);
    expect(hidden.filter((count) => count >= 11).length).toBeGreaterThan(20); // else nothing protects the small ones
  });

  test("no text of the release speaks of rows for totals, which the file does not have", () => {
    for (const name of ["data-dictionary.csv", "datapackage.json", "README.md"]) expect(readFileSync(join(directory, "public", name), "utf8")).not.toContain("(total)");
  });

  test("spreadsheets find plain UTF-8 with line feeds, equally many fields in each line, and no formulas", () => {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    expect(text.startsWith("\uFEFF")).toBe(false);
    expect(text.includes("\r")).toBe(false);
    const lines = text.slice(0, -1).split("\n");
    expect(text.endsWith("\n") && lines.every((line) => line.split(",").length === 5)).toBe(true);
    expect(lines.filter((line) => /(?:^|,)[=+@\t-]/.test(line))).toEqual([]);
  });
});

/** A list of margins once took the place of the table: only its totals were published. */
describe("margins that are listed", () => {
  const records = Array.from({ length: 600 }, (_, i) => ({ a: `a${i % 3}`, b: `b${i % 4}`, c: `c${i % 5}` }));
  const policy = (table: object): PolicyInput => ({
    commensurate: 1,
    dataset: { name: "t" },
    classification: "low",
    columns: { a: { role: "quasi-identifier" }, b: { role: "quasi-identifier" }, c: { role: "quasi-identifier", drop: true } },
    release: { kind: "tables", tables: [{ name: "t", dimensions: ["a", "b"], ...table }], protect: [{ method: "small-cells", threshold: 11 }] },
  });
  const rowsOf = async (table: object): Promise<string[][]> => {
    const { directory } = await release(policy(table), { source: records, out: join(work.sub(), "out") });
    return parse(readFileSync(join(directory, "public/t.csv"))) as string[][];
  };

  test.each([
    { table: { margins: [["a"], []] }, rows: 12 + 3 + 1 },
    { table: { margins: [] }, rows: 12 },
    { table: { margins: "none" }, rows: 12 },
    { table: { margins: "all" }, rows: 12 + 3 + 4 + 1 },
    { table: { margins: [["a"], []], sumRows: false }, rows: 12 },
  ])("stand beside the table itself: $table", async ({ table, rows }) => {
    expect((await rowsOf(table)).length - 1).toBe(rows);
  });
});
