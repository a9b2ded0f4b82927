/** What the command line says when something is wrong, and what it never says. */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { DataError } from "../../src/errors/index.ts";
import { exitCodeOf, knownError, placesOf } from "../../src/cli/failure.ts";
import { printable } from "../../src/cli/style.ts";
import { builtCli, runCli, scratchFolder, type Outcome } from "./run-cli.ts";

const folder = scratchFolder();
let cli = "";
const run = (...args: string[]): Promise<Outcome> => runCli(cli, args, { cwd: folder });
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

/** Stands for a value of a person; no output may hold it. */
const CANARY = "Zq7canary";

const POLICY = `commensurate: 1
dataset: { name: people }
source: { path: people.csv }
columns:
  name: { role: direct-identifier }
  age: { role: quasi-identifier, type: integer, hierarchy: { kind: interval, widths: [5, 10] } }
  city: { role: quasi-identifier }
release:
  kind: microdata
  protect: [{ method: k-anonymity, k: 11 }]
`;

beforeAll(async () => {
  cli = await builtCli();
  write("policy.yaml", POLICY);
  write("people.csv", `name,age,city\n${CANARY},30,A\n${CANARY}2,31,B\n`);
});

describe("usage", () => {
  test.each([
    { args: ["chekc", "x.csv"], says: "Did you mean check?", code: "usage/unknown-command" },
    { args: ["check", "x.csv", "--kyes", "a"], says: "Did you mean --keys?", code: "usage/unknown-option" },
    { args: ["check"], says: "'data'", code: "usage/missing-argument" },
    { args: ["release", "policy.yaml"], says: "--out", code: "usage/missing-mandatory-option-value" },
    { args: ["check", "x.csv", "--k", "none"], says: "at least 1", code: "usage/invalid-argument" },
    { args: ["check", "x.csv", "-d", "##"], says: "tab", code: "usage/invalid-argument" },
    { args: ["check", "x.csv", "--keys", "a,,b"], says: "separated by commas", code: "usage/invalid-argument" },
    { args: ["verify", "a", "b"], says: "arguments", code: "usage/excess-arguments" },
  ])("$args", async ({ args, says, code }) => {
    const [text, json] = await Promise.all([run(...args), run(...args, "--json")]);
    expect(text).toMatchObject({ code: 2, stdout: "" });
    expect(text.stderr).toContain(`UsageError [${code}]`);
    expect(text.stderr).toContain(says);
    expect(json).toMatchObject({ code: 2, stderr: "" });
    expect(JSON.parse(json.stdout)).toEqual(
      { error: { class: "UsageError", code, message: expect.stringContaining(says), detail: {} } }
    );
  });

  test("--help and --version, fast and without loading the library", async () => {
    const version = await run("--version");
    expect(version).toEqual({ code: 0, signal: null, stdout: `${manifest.version}\n`, stderr: "" });
    const help = await run("--help");
    expect(help.code).toBe(0);
    for (const command of ["init", "check", "plan", "apply", "verify", "release", "schema"]) expect(help.stdout).toMatch(new RegExp(`^  ${command} `, "m"));
    expect((await run("help", "check")).stdout).toContain("--keys <columns>");
    expect(await run()).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("errors of ours", () => {
  test("a policy's faults are told with line and column, in text and JSON", async () => {
    write("bad.yaml", POLICY.replace("role: direct-identifier", "role: direct-identifer").replace("k: 11", "k: 1"));
    const { code, stdout, stderr } = await run("plan", "bad.yaml");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("PolicyError [policy/invalid]");
    expect(stderr).toMatch(/bad\.yaml:5:\d+ columns\.name\.role:/);
    expect(stderr).toMatch(/bad\.yaml:10:\d+ release\.protect\[0\]\.k:/);
    const { error } = JSON.parse((await run("plan", "bad.yaml", "--json")).stdout) as {
      error: { class: string; detail: { lines: number[] } };
    };
    expect(error).toMatchObject({ class: "PolicyError", code: "policy/invalid", detail: { lines: [5, 10] } });
  });

  test.each([
    { args: ["plan", "nowhere.yaml"], code: "source/not-found" },
    { args: ["check", "nowhere.csv"], code: "source/not-found" },
    { args: ["check", "folder.csv"], code: "source/is-a-directory" },
    { args: ["check", "policy.yaml"], code: "source/unknown-format" },
    { args: ["apply", "nowhere.json", "--out", "x"], code: "source/not-found" },
    { args: ["verify", "nowhere"], code: "source/not-found" },
    { args: ["verify", "folder.csv"], code: "verify/not-a-release" },
    { args: ["init", "people.csv", "-o", "nowhere/policy.yaml"], code: "output/write-failed" },
    { args: ["init", "people.csv", "-o", "policy.yaml"], code: "output/exists" },
  ])("$args: $code, exit 2", async ({ args, code }) => {
    mkdirSync(join(folder, "folder.csv"), { recursive: true });
    const outcome = await run(...args);
    expect(outcome).toMatchObject({ code: 2, stdout: "" });
    expect(outcome.stderr).toMatch(/^DataError \[|^PolicyError \[/);
    expect(outcome.stderr).toContain(`[${code}]`);
  });

  test("a misspelt key is met with the column that was meant", async () => {
    const { code, stderr } = await run("check", "people.csv", "--keys", "agee");
    expect(code).toBe(2);
    expect(stderr).toContain('There is no column "agee". Did you mean "age"?');
  });
});

describe("values of the data", () => {
  const header = "name,age,city";
  const BAD: readonly { readonly name: string; readonly text: string | Buffer }[] = [
    { name: "ragged", text: `${header}\n${CANARY},1\n` },
    { name: "open quote", text: `${header}\n"${CANARY},1,2\n` },
    { name: "text after quote", text: `${header}\n"a"${CANARY},1,2\n` },
    {
      name: "not UTF-8",
      text: Buffer.concat([Buffer.from(`${header}\n${CANARY}`), Buffer.from([0xff, 0xfe]), Buffer.from(",1,2\n")]),
    },
    { name: "NUL", text: `${header}\n${CANARY}\0,1,2\n` },
    { name: "no header", text: `${CANARY},${CANARY}3,${CANARY}4\n${CANARY},2,3\n` },
    { name: "wrong type", text: `${header}\nx,${CANARY},A\ny,3,B\n` },
    { name: "unmapped", text: `${header}\nx,12 ${CANARY},A\n` },
    { name: "nothing safe", text: `${header}\n${CANARY},1,${CANARY}\n${CANARY}x,2,${CANARY}y\n` },
    { name: "twice the same column", text: `${CANARY},${CANARY}\n1,2\n` },
  ];

  test.each(BAD)("do not appear: $name", async ({ name, text }) => {
    const file = `bad-${name.replaceAll(" ", "-")}.csv`;
    writeFileSync(join(folder, file), text);
    const commands = [
      ["check", file], ["check", file, "--json"], ["check", file, "--keys", "age,city"],
      ["plan", "policy.yaml", "--source", file], ["release", "policy.yaml", "--source", file, "--out", `never-${file}`],
    ];
    const outcomes = await Promise.all(
      commands.map((args) => runCli(cli, args, { cwd: folder, env: { COMMENSURATE_DEBUG: "1" } }))
    );
    for (const { code, stdout, stderr } of outcomes) {
      expect([0, 1, 2]).toContain(code);
      expect(stdout + stderr).not.toContain(CANARY);
    }
  });

  test("errors that are not ours lose their message, and keep the place they come from", () => {
    const foreign = new TypeError(
      `cannot read ${CANARY}\n    at ${CANARY} (not a place)`, { cause: new Error(CANARY) },
    );
    const known = knownError(foreign);
    expect(exitCodeOf(known)).toBe(3);
    expect(known.code).toBe("cli/unexpected");
    expect(known.message).toContain("TypeError");
    expect(known.message).toContain("report");
    expect(JSON.stringify([known.message, known.detail, known.cause, placesOf(foreign)])).not.toContain(CANARY);
    expect(placesOf(foreign).join("\n")).toMatch(/errors\.test\.ts:\d+:\d+/);
    expect(knownError("thrown text")).toMatchObject({ code: "cli/unexpected" });
    const own = new DataError("a/b", "c");
    expect(knownError(own)).toBe(own);
  });

  test("a name cannot steer the terminal", async () => {
    expect(printable("a\u001b[31m\u009b31m\u202eb\r\tc\n")).toBe("a\\u001b[31m\\u009b31m\\u202eb\\u000d\tc\n");
    write("steer.csv", "\u001b[31mred,b\n1,2\n3,4\n");
    const outcome = await run("init", "steer.csv", "-o", "-");
    expect(outcome.stdout + outcome.stderr).not.toContain("\u001b");
    expect((await run("init", "steer.csv", "-o", "steer.yaml")).stdout).not.toContain("\u001b");
  });
});

test("a reader that goes away is no error", async () => {
  const outcome = await new Promise<{ code: number | null; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, [cli, "schema"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.destroy();
    child.on("close", (code) => resolve({ code, stderr }));
  });
  expect(outcome).toEqual({ code: 0, stderr: "" });
});

test("colours only where a terminal wants them", async () => {
  const { stdout } = await runCli(
    cli, ["check", "people.csv"], { cwd: folder, env: { NO_COLOR: "", FORCE_COLOR: "1" } },
  );
  expect(stdout).not.toContain("\u001b");
});
