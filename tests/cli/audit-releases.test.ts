/** audit of our own releases, from the public files alone: what their data package says of them is enough. */
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { builtCli, ROOT, runCli, scratchFolder, type Outcome } from "./run-cli.ts";

const folder = scratchFolder();
let cli = "";
const run = (...args: string[]): Promise<Outcome> => runCli(cli, args, { cwd: folder });
const audited = async (...args: string[]): Promise<Record<string, any>> => {
  const { code, stdout, stderr } = await run("audit", ...args, "--json");
  expect([stderr, stdout.slice(0, 1)]).toEqual(["", "{"]);
  return { code, ...(JSON.parse(stdout) as object) };
};

beforeAll(async () => {
  cli = await builtCli();
  cpSync(join(ROOT, "examples"), folder, { recursive: true });
}, 60_000);

describe("examples", () => {
  test.each(["calhhs", "table"])("%s is clean from its public files, with the rule that it states", async (name) => {
    expect((await run("release", `${name}.yaml`, "--out", name, "--quiet")).code).toBe(0);
    const found = await audited(`${name}/public`);
    expect([found["code"], found["verdict"], found["threshold"], found["interval"], found["missingRows"]]).toEqual([0, "clean", 11, 5, 0]);
    expect(found["blank"]).toBeGreaterThan(100);
    expect(found["findings"]).toEqual([]);
  }, 60_000);

  test("numbers with noise are refused with the reason", async () => {
    expect((await run("release", "noisy.yaml", "--out", "noisy", "--quiet")).code).toBe(0);
    for (const path of ["noisy", "noisy/public"]) {
      const { code, stderr } = await run("audit", path);
      expect([code, stderr]).toEqual([2, expect.stringContaining("audit/changed-numbers")]);
    }
  }, 60_000);
});

describe("levels, groups and statistics under other names", () => {
  const policy = `commensurate: 1
dataset: { name: firms }
classification: low
source: { path: firms.csv }
columns:
  region:
    role: quasi-identifier
    hierarchy: { kind: tree, inline: [[Alder, North], [Birch, North], [Cedar, South], [Dogwood, South]] }
  sector: { role: quasi-identifier }
  revenue: { role: measure, type: number, decimals: 1 }
release:
  kind: tables
  formats: [csv, parquet]
  tables:
    - name: both
      dimensions:
        - { column: region, levels: [0, 1], groupings: { coast: { west: [Alder, Cedar], east: [Birch, Dogwood] } } }
        - sector
      margins: all
      statistics:
        - { statistic: count, name: firms }
        - { statistic: sum, of: revenue, name: income }
        - { statistic: mean, of: revenue, name: typical }
        - { statistic: median, of: revenue, name: middle }
        - { statistic: percent, of: [region], name: portion, decimals: 1 }
    - { name: regions, dimensions: [{ column: region, levels: [1] }], statistics: [{ statistic: count, name: firms }] }
  protect:
    - { method: cell-suppression, rules: [{ rule: frequency, minimum: 11 }] }
`;
  const regions = ["Alder", "Birch", "Cedar", "Dogwood"];
  const sizes = [[4, 30, 22], [25, 18, 40], [9, 21, 30], [33, 27, 26]];

  beforeAll(async () => {
    const rows = sizes.flatMap((own, r) => own.flatMap((n, s) => Array.from({ length: n }, (_, i) => `${regions[r]},s${s},${(20 + ((i * 37 + s * 11) % 60) / 10).toFixed(1)}`)));
    writeFileSync(join(folder, "firms.csv"), `region,sector,revenue\n${rows.join("\n")}\n`);
    writeFileSync(join(folder, "firms.yaml"), policy);
    expect((await run("release", "firms.yaml", "--out", "firms", "--quiet")).code).toBe(0);
  }, 60_000);

  test("the public files and the whole folder are clean", async () => {
    for (const path of ["firms/public", "firms"]) {
      const found = await audited(path);
      expect([path, found["code"], found["findings"]]).toEqual([path, 0, []]);
      expect((found["tables"] as { measures: string[] }[])[0]!.measures.slice(0, 1)).not.toEqual(["typical"]);
      expect((found["assumptions"] as string[]).filter((text) => text.includes("is not attacked"))).toEqual(['both.csv: column "middle" is not attacked']);
    }
  }, 30_000);

  test("a blank that is filled in gives the others away, over levels and groups", async () => {
    // Without its data package a folder is just files; with it, a changed file is refused.
    cpSync(join(folder, "firms/public"), join(folder, "changed"), { recursive: true });
    const path = join(folder, "changed/both.csv");
    writeFileSync(path, readFileSync(path, "utf8").replace("Alder,0,s0,,,,,,1", "Alder,0,s0,4,90,22.5,22.5,7.1,0"));
    expect((await run("audit", "changed")).stderr).toContain("audit/changed-file");
    const json = JSON.parse(readFileSync(join(folder, "changed/datapackage.json"), "utf8")) as { resources: { bytes?: number; hash?: string }[] };
    for (const resource of json.resources) {
      delete resource.bytes;
      delete resource.hash;
    }
    writeFileSync(join(folder, "changed/datapackage.json"), JSON.stringify(json));
    const found = await audited("changed");
    const shown = readFileSync(path, "utf8").includes("Alder,0,s0,4,");
    expect([shown, found["code"]]).toEqual([true, 1]);
    expect((found["findings"] as { kind: string; text: string }[]).map(({ text }) => text).join("\n")).toContain("firms of Alder, s0 = 4 is shown");
    expect(found["falling"]).toBeGreaterThan(0);
  }, 30_000);

  test("what the data package says of tables is plain JSON with nothing hidden in it", () => {
    const { commensurate } = JSON.parse(readFileSync(join(folder, "firms/public/datapackage.json"), "utf8")) as { commensurate: Record<string, any> };
    expect(commensurate).toMatchObject({
      format: "commensurate/tables@1", numbers: "exact", missingRows: "unknown",
      rule: { threshold: 11, zeros: "publish", codes: "merged", primaryMost: 10, complementaryLeast: 11, large: "protected" },
      tables: { regions: { dimensions: ["region"], levels: { region: "1" }, totals: "listed", annotation: "firms_annotation" } },
    });
    const labels = (commensurate["dimensions"]["region"]["places"] as { label: string | null }[]).map(({ label }) => label);
    const text = readFileSync(join(folder, "firms/public/both.csv"), "utf8");
    for (const label of labels) if (label !== null) expect(text).toContain(label);
    expect(existsSync(join(folder, "firms/internal/plan.json"))).toBe(true);
  });

  test("an unreadable description is refused, one of another format is passed over", async () => {
    cpSync(join(folder, "table/public"), join(folder, "other"), { recursive: true });
    const path = join(folder, "other/datapackage.json");
    const json = JSON.parse(readFileSync(path, "utf8")) as { commensurate: object };
    writeFileSync(path, JSON.stringify({ ...json, commensurate: { ...json.commensurate, tables: 1 } }));
    expect((await run("audit", "other")).stderr).toContain("audit/unreadable-package");
    writeFileSync(path, JSON.stringify({ ...json, commensurate: { format: "something else" } }));
    expect((await run("audit", "other")).code).toBe(0);
  }, 30_000);
});

describe("options", () => {
  test("--insiders and --missing-rows", async () => {
    writeFileSync(join(folder, "two.csv"), "sex,n\nf,\nm,\nTotal,12\n");
    expect((await run("audit", "two.csv")).code).toBe(0);
    const inside = await run("audit", "two.csv", "--insiders", "alone", "--threshold", "20", "--interval", "5");
    expect(inside.stdout).toContain("What people in a blank cell find\n  if only one person is in m, that person finds that f = 11");
    expect(inside.code).toBe(1);
    writeFileSync(join(folder, "missing.csv"), "county,sex,n\nA,m,\nA,Total,14\nB,f,20\nB,m,30\nB,Total,50\n");
    expect((await run("audit", "missing.csv", "--missing-rows", "unknown")).code).toBe(0);
    const both = await run("audit", "missing.csv");
    expect([both.code, both.stdout]).toEqual([1, expect.stringContaining("A, m = 14, if rows left out are empty")]);
  });
});

describe("a table that hardly shows a number", () => {
  test("plan, evidence and output say how many cells are shown, and what to change", async () => {
    const rows = ["a", "b", "c"].flatMap((x) => ["p", "q", "r"].flatMap((y) => [`${x},${y}`, `${x},${y}`, `${x},${y}`]));
    writeFileSync(join(folder, "wide.csv"), `x,y\n${rows.join("\n")}\n`);
    writeFileSync(join(folder, "wide.yaml"), `commensurate: 1
dataset: { name: wide }
classification: low
source: { path: wide.csv }
columns: { x: { role: quasi-identifier }, y: { role: quasi-identifier } }
release: { kind: tables, tables: [{ name: wide, dimensions: [x, y] }], protect: [{ method: small-cells, threshold: 11 }] }
`);
    const planned = await run("plan", "wide.yaml");
    expect([planned.code, planned.stdout]).toEqual([0, expect.stringMatching(/WARNING {2}Only [01] of 16 cells are shown; 15 are hidden by a rule .* To show more: coarser categories/)]);
    const released = await run("release", "wide.yaml", "--out", "wide", "--quiet");
    expect(released.stdout).toContain("WARNING  Only ");
    const { risk } = JSON.parse(readFileSync(join(folder, "wide/internal/evidence.json"), "utf8")) as { risk: { after: { warnings: string[] } } };
    expect(risk.after.warnings[0]).toMatch(/^Only [01] of 16 cells are shown/);
    expect((await run("verify", "wide", "--quiet")).code).toBe(0);
  }, 60_000);

  test("a table with enough to read is released without a warning", async () => {
    expect((await run("plan", "table.yaml")).stdout).not.toContain("WARNING");
  }, 30_000);
});
