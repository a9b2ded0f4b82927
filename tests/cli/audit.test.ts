/** audit and ledger as processes: output, JSON, exit codes, files of every format, releases of commensurate itself. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { tableFromArrays, tableToIPC } from "apache-arrow";
import { beforeAll, describe, expect, test } from "vitest";
import { builtCli, ROOT, runCli, scratchFolder, type Outcome } from "./run-cli.ts";

const folder = scratchFolder();
let cli = "";
const run = (...args: string[]): Promise<Outcome> => runCli(cli, args, { cwd: folder });
const json = (outcome: Outcome): Record<string, any> => JSON.parse(outcome.stdout) as Record<string, any>;

beforeAll(async () => {
  cli = await builtCli();
  cpSync(join(ROOT, "examples", "audit"), folder, { recursive: true });
}, 60_000);

describe("audit", () => {
  test("the sdcTable example names the one cell that falls, and how", async () => {
    const { code, stdout, stderr } = await run("audit", "attack-4x4.csv", "--zeros", "protect");
    expect([code, stderr]).toEqual([1, ""]);
    expect(stdout).toMatch(/^FINDING {2}1 of 9 blank cells falls\.\n/);
    expect(stdout).toContain("w, b = 47, by 4 sums together\n");
    expect(stdout).toMatch(/x, c +0 \.\. 69 +safe/);
  });

  test("a badly suppressed table: every cell by name, and how", async () => {
    const { code, stdout } = await run("audit", "badly-suppressed.csv", "--json");
    const found = JSON.parse(stdout) as { verdict: string; falling: number; blankCells: { name: string; min: number; max: number; how: string[] }[]; findings: { kind: string; text: string }[] };
    expect([code, found.verdict, found.falling]).toEqual([1, "finding", 5]);
    // By hand: 29 - 19; 19 with each at most 10; 70 - 19 - 31 - 7 = 13 for Birch and Elm.
    expect(found.blankCells.map(({ name, min, max }) => [name, min, max])).toEqual([
      ["Alder, Male", 10, 10], ["Birch, Female", 9, 10], ["Birch, Male", 9, 10], ["Elm, Female", 3, 4], ["Elm, Male", 8, 9],
    ]);
    expect(found.blankCells.every(({ how }) => how.length > 0)).toBe(true);
    expect(found.blankCells[0]!.how).toEqual(["Alder, Male = Alder, Total 29 - Alder, Female 19 = 10"]);
    expect(found.findings.filter(({ kind }) => kind === "small-count-shown").map(({ text }) => text)).toEqual(["Dogwood, Female = 7 is shown (badly-suppressed.csv row 10)"]);
  });

  test("linked tables and a structure file", async () => {
    const both = await run("audit", "linked-counties.csv", "linked-sizes.csv", "--structure", "linked.yaml", "-t", "4", "--interval", "2");
    expect(both.code).toBe(1);
    expect(both.stdout).toContain("K = 3, by 2 sums together");
    expect((await run("audit", "linked-counties.csv", "--structure", "linked.yaml", "-t", "4", "--interval", "2")).code).toBe(0);
  });

  test("Arrow and Parquet are the same table as CSV", async () => {
    const lines = readFileSync(join(folder, "badly-suppressed.csv"), "utf8").trim().split("\n").slice(1).map((line) => line.split(","));
    const cases = lines.map(([, , n]) => (n === "<11" ? null : Number(n)));
    writeFileSync(join(folder, "t.arrow"), tableToIPC(tableFromArrays({ county: lines.map(([c]) => c!), sex: lines.map(([, s]) => s!), cases }), "file"));
    writeFileSync(join(folder, "blank.csv"), readFileSync(join(folder, "badly-suppressed.csv"), "utf8").replaceAll("<11", ""));
    const duck = await (await DuckDBInstance.create()).connect();
    await duck.run(`COPY (SELECT * FROM read_csv('${join(folder, "blank.csv")}')) TO '${join(folder, "t.parquet")}' (FORMAT parquet)`);
    const cells = async (file: string): Promise<unknown> => {
      const found = json(await run("audit", file, "--threshold", "11", "--json"));
      return (found["blankCells"] as { name: string; min: number; max: number }[]).map(({ name, min, max }) => [name, min, max]);
    };
    const csv = await cells("blank.csv");
    expect(csv).toContainEqual(["Alder, Male", 10, 10]);
    expect(await cells("t.arrow")).toEqual(csv);
    expect(await cells("t.parquet")).toEqual(csv);
  });

  test("semicolons are found and said", async () => {
    writeFileSync(join(folder, "semicolon.csv"), "county;sex;n\nA;f;*\nA;m;20\nA;Total;27\n");
    const { code, stderr, stdout } = await run("audit", "semicolon.csv");
    expect(code).toBe(1);
    expect(stderr).toContain("--delimiter");
    expect(stdout).toContain("A, f = A, Total 27 - A, m 20 = 7");
  });

  test.each([
    ["unreadable.csv", "sex,n\nf,20\nm,Canary\n", ["--count", "n"], "audit/unreadable-cell", /Row 2 .*"n"/],
    ["twice.csv", "sex,n\nf,20\nf,30\n", [], "audit/repeated-cell", /Row 2 /],
    ["ragged.csv", "sex,n\nf,20,1\n", [], "csv/", /./],
    ["text.csv", "Canary,b\nx,y\n", [], "audit/no-values", /--count/],
    ["header.csv", "sex,n\n", [], "audit/empty-table", /0 rows/],
  ] as const)("%s is refused with its place", async (file, text, options, code, message) => {
    writeFileSync(join(folder, file), text);
    const outcome = await run("audit", file, ...options, "--json");
    const { error } = json(outcome) as { error: { code: string; message: string } };
    expect(outcome.code).toBe(2);
    expect(error.code.startsWith(code)).toBe(true);
    expect(error.message).toMatch(message);
    expect(outcome.stdout + outcome.stderr).not.toContain("Canary");
  });

  test("wrong options, missing files and broken structures end with 2", async () => {
    writeFileSync(join(folder, "broken.yaml"), "dimensions:\n  sex: { total: [x] }\n");
    for (const args of [
      ["audit"], ["audit", "nowhere.csv"], ["audit", "attack-4x4.csv", "--threshold", "1"], ["audit", "attack-4x4.csv", "--zeros", "maybe"],
      ["audit", "badly-suppressed.csv", "--structure", "broken.yaml"], ["audit", "2026", "--ledger", "nowhere.jsonl", "--dataset", "cases"],
    ]) expect([args, (await run(...args)).code]).toEqual([args, 2]);
    expect((await run("audit", "badly-suppressed.csv", "--structure", "broken.yaml")).stderr).toContain("broken.yaml:2:10");
  });
});

describe("ledger", () => {
  test("a new release falls with what is out already, and changed files stop the audit", async () => {
    expect((await run("audit", "2025")).code).toBe(0);
    const added = await run("ledger", "add", "2025", "--dataset", "cases", "--date", "2025-03-01", "-l", "ledger.jsonl");
    expect([added.code, added.stderr]).toEqual([0, ""]);
    expect(readFileSync(join(folder, "ledger.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { ledger: 1, dataset: "cases", release: "2025", date: "2025-03-01", tables: [{ path: "2025/by-sex.csv", dimensions: ["county", "sex"], measures: ["cases"], margins: [["county", "sex"], ["county"], ["sex"], []] }] },
    ]);
    expect((await run("ledger", "add", "2025", "--dataset", "cases", "-l", "ledger.jsonl")).stderr).toContain("ledger/same-release");
    expect((await run("ledger", "list", "-l", "ledger.jsonl")).stdout).toMatch(/2025-03-01 +cases +2025 +2025\/by-sex\.csv +unchanged/);

    const joint = await run("audit", "2026", "--ledger", "ledger.jsonl", "--dataset", "cases");
    expect(joint.code).toBe(1);
    expect(joint.stdout).toContain("Alder, Male = Alder, Total 30 - Alder, Female 19 = 11");
    expect((await run("audit", "2026", "--ledger", "ledger.jsonl", "--dataset", "others")).code).toBe(0);

    const original = readFileSync(join(folder, "2025/by-sex.csv"), "utf8");
    writeFileSync(join(folder, "2025/by-sex.csv"), original.replace("19", "18"));
    const changed = await run("audit", "2026", "--ledger", "ledger.jsonl", "--dataset", "cases");
    expect([changed.code, changed.stderr]).toEqual([2, expect.stringContaining("ledger/changed-file")]);
    expect((await run("ledger", "list", "-l", "ledger.jsonl")).code).toBe(1);
    writeFileSync(join(folder, "2025/by-sex.csv"), original);
  }, 30_000);

  test("a broken ledger is refused with its line", async () => {
    writeFileSync(join(folder, "broken.jsonl"), `${readFileSync(join(folder, "ledger.jsonl"), "utf8")}{"ledger":1}\n`);
    const { code, stderr } = await run("audit", "2026", "--ledger", "broken.jsonl", "--dataset", "cases");
    expect([code, stderr]).toEqual([2, expect.stringContaining("broken.jsonl:2")]);
  });

  test("a data package whose file was changed is refused", async () => {
    mkdirSync(join(folder, "package"));
    writeFileSync(join(folder, "package/t.csv"), "sex,n\nf,20\nm,30\nTotal,50\n");
    const describe_ = (hash: string): void => writeFileSync(join(folder, "package/datapackage.json"), JSON.stringify({ name: "p", resources: [{ name: "t", path: "t.csv", hash }] }));
    describe_(`sha256:${"0".repeat(64)}`);
    expect((await run("audit", "package")).stderr).toContain("audit/changed-file");
    describe_("sha256:../../etc");
    writeFileSync(join(folder, "package/datapackage.json"), JSON.stringify({ resources: [{ path: "../2025/by-sex.csv" }] }));
    expect((await run("audit", "package")).stderr).toContain("audit/unreadable-package");
  });
});
