/** Every command on the example data, as a process: output, JSON, exit code, files. */
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { builtCli, DATA, ROOT, runCli, scratchFolder, type Outcome } from "./run-cli.ts";

const folder = scratchFolder();
let cli = "";
const run = (...args: string[]): Promise<Outcome> => runCli(cli, args, { cwd: folder });

const POLICY = `commensurate: 1
dataset: { name: adult-extract }
source: { path: adult.csv.gz, delimiter: ";" }
columns:
  sex: { role: quasi-identifier, hierarchy: sex }
  age: { role: quasi-identifier, type: integer, hierarchy: age }
  race: { role: quasi-identifier, hierarchy: race }
  salary-class: { role: sensitive }
otherColumns: drop
hierarchies:
  age: { kind: tree, path: hierarchy-age.csv, delimiter: ";" }
  sex: { kind: tree, path: hierarchy-sex.csv, delimiter: ";" }
  race: { kind: tree, path: hierarchy-race.csv, delimiter: ";" }
release:
  kind: microdata
  protect: [{ method: k-anonymity, k: 11, maxSuppressedShare: 0.02 }]
`;

beforeAll(async () => {
  cli = await builtCli();
  for (const name of ["adult.csv.gz", "hierarchy-age.csv", "hierarchy-sex.csv", "hierarchy-race.csv"]) {
    copyFileSync(join(DATA, "adult", name), join(folder, name));
  }
  writeFileSync(join(folder, "policy.yaml"), POLICY);
});

/** Class sizes of the Adult extract over some columns, counted here. */
function adultClassSizes(keys: readonly string[]): number[] {
  const [header, ...lines] = gunzipSync(
    readFileSync(join(folder, "adult.csv.gz"))
  ).toString("utf8").trimEnd().split("\n").map((line) => line.split(";"));
  const at = keys.map((key) => header!.indexOf(key));
  const sizes = new Map<string, number>();
  for (const line of lines) {
    const id = JSON.stringify(at.map((column) => line[column]));
    sizes.set(id, (sizes.get(id) ?? 0) + 1);
  }
  return [...sizes.values()];
}

describe("check", () => {
  test("measures what a plain count finds, and exits with 1 when a class is small", async () => {
    const { code, stdout, stderr } = await run("check", "adult.csv.gz", "-d", ";", "--keys", "sex,age,race", "--json");
    const sizes = adultClassSizes(["sex", "age", "race"]);
    expect(code).toBe(1);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: "finding",
      keys: ["sex", "age", "race"],
      k: 5,
      records: 30162,
      classes: sizes.length,
      smallestClass: 1,
      uniques: sizes.filter((size) => size === 1).length,
      classesAtRisk: sizes.filter((size) => size < 5).length,
      recordsAtRisk: sizes.filter((size) => size < 5).reduce((a, b) => a + b, 0),
    });
  });

  test("exits with 0 when every class is large enough", async () => {
    const { code, stdout } = await run("check", "adult.csv.gz", "-d", ";", "--keys", "sex", "--k", "1000");
    expect(code).toBe(0);
    expect(stdout).toContain("adult.csv.gz: 30,162 records, key sex");
    expect(stdout).toContain("CLEAN  Every class has at least 1,000 records.");
  });

  test("takes every column without --keys, and finds the delimiter", async () => {
    const { code, stdout, stderr } = await run("check", "adult.csv.gz");
    expect(code).toBe(1);
    expect(stderr).toContain('separated by ";"');
    expect(stdout).toContain("all 9 columns as keys");
    expect(stdout).toMatch(/FINDING {2}[\d,]+ of [\d,]+ classes have fewer than 5 records\./);
    expect((await run("check", "adult.csv.gz", "--quiet")).stderr).toBe("");
  });

  test("its histogram adds up to all classes and records", async () => {
    const { stdout } = await run("check", "adult.csv.gz", "-d", ";", "--keys", "sex,age,race", "-k", "7");
    const lines = stdout.split("\n");
    const rows = lines.slice(lines.findIndex((line) => /^ +class size/.test(line)) + 1).filter((line) => /^ +\d/.test(line));
    const numbers = rows.map((row) => /^ {2}(?:[\d,]+ to [\d,]+|[\d,]+ or more|[\d,]+) +([\d,]+) +([\d,]+)/.exec(row)!.slice(1).map((n) => Number(n.replaceAll(",", ""))));
    expect(numbers.reduce((sum, [classes]) => sum + classes!, 0)).toBe(adultClassSizes(["sex", "age", "race"]).length);
    expect(numbers.reduce((sum, [, records]) => sum + records!, 0)).toBe(30162);
    expect(stdout).toMatch(/^ {2}5 to 6 /m); // k is a bound
  });

  test("no records: nothing to find", async () => {
    writeFileSync(join(folder, "empty.csv"), "a,b\n");
    const { code, stdout } = await run("check", "empty.csv");
    expect(code).toBe(0);
    expect(stdout).toContain("There are no records.");
  });
});

describe("plan, apply, verify", () => {
  test("plan tells risk, requirements with rule and input, decision and alternatives, and saves the plan", async () => {
    const { code, stdout } = await run("plan", "policy.yaml", "-o", "plan.json");
    expect(code).toBe(0);
    expect(stdout).toContain("Risk  moderate (classified as unknown); 30,162 records");
    expect(stdout).toContain("minimum-class-size: at least 11 records");
    expect(stdout.replaceAll(/\s+/g, " ")).toContain(
      "because of baseline/class-size-moderate: tier moderate (declared unknown), classification unknown"
    );
    expect(stdout).toMatch(/^ {2}age +\d of 4 {2}\S/m);
    expect(stdout).toContain("Next best");
    const saved = JSON.parse(
      readFileSync(join(folder, "plan.json"), "utf8")
    ) as { format: string; input: { records: number } };
    expect(saved).toMatchObject({ format: "commensurate/plan@1", input: { records: 30162 } });
    expect(readdirSync(folder).filter((name) => name.startsWith(".plan"))).toEqual([]);
  });

  test("plan --json prints the plan that -o saves", async () => {
    const { code, stdout } = await run("plan", "policy.yaml", "--json", "-o", "plan.json");
    expect(code).toBe(0);
    expect(stdout).toBe(readFileSync(join(folder, "plan.json"), "utf8"));
  });

  test("a plan may be replaced by a plan, and nothing else without --force", async () => {
    const { code, stderr } = await run("plan", "policy.yaml", "-o", "policy.yaml");
    expect(code).toBe(2);
    expect(stderr).toContain("DataError [output/exists]");
    expect(readFileSync(join(folder, "policy.yaml"), "utf8")).toBe(POLICY);
    writeFileSync(join(folder, "other.json"), "{}");
    expect((await run("plan", "policy.yaml", "-o", "other.json")).code).toBe(2);
    expect((await run("plan", "policy.yaml", "-o", "other.json", "--force")).code).toBe(0);
  });

  test("apply stages, verify passes, and a changed byte fails it", async () => {
    await run("plan", "policy.yaml", "-o", "plan.json", "-q");
    const staged = await run("apply", "plan.json", "--out", "staged", "--json");
    expect(staged.code).toBe(0);
    expect(JSON.parse(staged.stdout)).toMatchObject({ published: false });
    expect(existsSync(join(folder, "staged/internal/evidence.json"))).toBe(false);

    const passed = await run("verify", "staged");
    expect(passed.code).toBe(0);
    expect(passed.stdout).toMatch(/PASS {2}All \d+ checks passed\./);
    expect(passed.stdout).toMatch(/ok {2}csv\/class-size +at least 11 records in every class/);

    const data = join(folder, "staged/public/adult-extract.csv");
    writeFileSync(data, readFileSync(data, "utf8").replace("Male", "male"));
    const failed = await run("verify", "staged", "--json");
    expect(failed.code).toBe(1);
    const evidence = JSON.parse(failed.stdout) as { verdict: string; checks: { pass: boolean }[] };
    expect(evidence.verdict).toBe("fail");
    expect(evidence.checks.some(({ pass }) => !pass)).toBe(true);
    expect((await run("verify", "staged")).stdout).toContain("Do not publish this folder.");
  });

  test("--source takes the data from elsewhere", async () => {
    writeFileSync(join(folder, "no-source.yaml"), POLICY.replace(/^source:.*\n/m, ""));
    writeFileSync(
      join(folder, "adult.csv"),
      gunzipSync(readFileSync(join(folder, "adult.csv.gz"))).toString("utf8").replaceAll(";", ","),
    );
    expect((await run("plan", "no-source.yaml")).stderr).toContain("PolicyError [policy/no-source]");
    expect((await run("plan", "no-source.yaml", "--source", "adult.csv")).code).toBe(0);
  });

  test("a policy is not a plan", async () => {
    const { code, stderr } = await run("apply", "policy.yaml", "--out", "staged2");
    expect(code).toBe(2);
    expect(stderr).toContain("[plan/not-a-plan]");
    expect(existsSync(join(folder, "staged2"))).toBe(false);
  });
});

describe("release", () => {
  test("publishes what verify then confirms", async () => {
    const { code, stdout } = await run("release", "policy.yaml", "--out", "released", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject(
      {
        directory: expect.stringMatching(/released$/),
        evidence: { verdict: "pass" },
        plan: { decision: { method: "k-anonymity" } },
      }
    );
    expect(existsSync(join(folder, "released/internal/evidence.json"))).toBe(true);
    expect((await run("verify", "released", "-q")).code).toBe(0);
  });

  test("what cannot be made safe exits with 1 and publishes nothing", async () => {
    writeFileSync(
      join(folder, "hopeless.yaml"), POLICY.replace("k: 11", "levels: { age: 0, sex: 0, race: 0 }, k: 20000"),
    );
    const { code, stderr } = await run("release", "hopeless.yaml", "--out", "hopeless");
    expect(code).toBe(1);
    expect(stderr).toContain("DisclosureError [k-anonymity/no-solution]");
    expect(readdirSync(folder).filter((name) => name.includes("hopeless"))).toEqual(["hopeless.yaml"]);
  });
});

describe("schema", () => {
  test("prints the schema that the package ships", async () => {
    const { code, stdout } = await run("schema");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(readFileSync(join(ROOT, "schema/policy.schema.json"), "utf8")));
    expect((await run("schema", "--json")).stdout).toBe(stdout);
  });
});
