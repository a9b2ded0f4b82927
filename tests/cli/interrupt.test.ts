/** Ctrl-C and its relatives, at work on a file that takes a while: nothing stays behind. */
import { execFileSync, type ChildProcess } from "node:child_process";
import { createWriteStream, mkdirSync, readdirSync, writeFileSync, type WriteStream } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { builtCli, runCli, scratchFolder } from "./run-cli.ts";

const folder = scratchFolder();
let cli = "";

const POLICY = `commensurate: 1
dataset: { name: people }
source: { path: people.csv }
columns:
  id: { role: direct-identifier }
  age: { role: quasi-identifier, type: integer, hierarchy: { kind: interval, widths: [5, 10, 20] } }
  city: { role: quasi-identifier, hierarchy: { kind: suppress } }
  kind: { role: quasi-identifier, hierarchy: { kind: suppress } }
  amount: { role: measure, type: integer }
release:
  kind: microdata
  protect: [{ method: k-anonymity, k: 11 }]
`;

beforeAll(async () => {
  cli = await builtCli();
  const lines = ["id,age,city,kind,amount"];
  let state = 1;
  const next = (below: number): number => (state = (state * 48271) % 2147483647) % below;
  for (let i = 0; i < 1_000_000; i++) lines.push(`${i},${next(90)},city ${next(40)},${next(9)},${next(100000)}`);
  writeFileSync(join(folder, "people.csv"), `${lines.join("\n")}\n`);
  writeFileSync(join(folder, "policy.yaml"), POLICY);
}, 120_000);

/** Send a signal once something has appeared in the folder, or at once when nothing is waited for. */
function interruptAt(seen: ((names: readonly string[]) => boolean) | number, signal: NodeJS.Signals, work: string) {
  return (child: ChildProcess): void => {
    if (typeof seen === "number") return void setTimeout(() => child.kill(signal), seen);
    const poll = setInterval(() => {
      if (child.exitCode !== null || !seen(readdirSync(work))) return;
      clearInterval(poll);
      child.kill(signal);
    }, 5);
    child.on("close", () => clearInterval(poll));
  };
}

/** Ended by the signal itself: shells show 130 as well. */
const ENDED_BY_SIGINT = { code: null, signal: "SIGINT" };

const staging = (names: readonly string[]): boolean => names.some((name) => name.includes(".staging-"));

test.each([
  { what: "release, Ctrl-C", signal: "SIGINT" as const, code: 130 },
  { what: "release, terminated", signal: "SIGTERM" as const, code: 143 },
])("$what", async ({ signal, code }) => {
  const work = join(folder, signal);
  mkdirSync(work);
  const outcome = await runCli(
    cli,
    ["release", "policy.yaml", "--out", join(work, "out")],
    { cwd: folder, onStart: interruptAt(staging, signal, work) },
  );
  expect(outcome).toMatchObject({ code, signal: null, stdout: "" });
  expect(readdirSync(work)).toEqual([]);
  expect(outcome.stderr).not.toContain("Error");
});

test("apply, Ctrl-C", async () => {
  expect((await runCli(cli, ["plan", "policy.yaml", "-o", "plan.json", "-q"], { cwd: folder })).code).toBe(0);
  const work = join(folder, "apply");
  mkdirSync(work);
  const outcome = await runCli(
    cli,
    ["apply", "plan.json", "--out", join(work, "out")],
    { cwd: folder, onStart: interruptAt(staging, "SIGINT", work) },
  );
  expect(outcome).toMatchObject({ code: 130, signal: null, stdout: "" });
  expect(readdirSync(work)).toEqual([]);
});

test.skipIf(process.platform === "win32")("commands that only read, on a pipe that never ends", async () => {
  const pipe = join(folder, "endless.csv");
  execFileSync("mkfifo", [pipe]);
  for (const args of [["check", pipe], ["plan", "policy.yaml", "--source", pipe, "-o", "never.json"], ["init", pipe, "-o", "never.yaml"]]) {
    let feed: WriteStream | undefined;
    const outcome = await runCli(cli, args, {
      cwd: folder,
      onStart: (child) => {
        feed = createWriteStream(pipe);
        feed.on("error", () => undefined);
        // Opened once the command reads: now it waits for the rest, and its handlers are there.
        feed.on("open", () => {
          feed!.write("id,age,city,kind,amount\n1,2,a,b,3\n");
          interruptAt(300, "SIGINT", folder)(child);
        });
      },
    });
    feed?.destroy();
    expect(outcome).toMatchObject({ ...ENDED_BY_SIGINT, stdout: "", stderr: "" });
    expect(readdirSync(folder).filter((name) => name.includes("never"))).toEqual([]);
  }
});

test("a second Ctrl-C ends the process at once", async () => {
  const work = join(folder, "twice");
  mkdirSync(work);
  const started = performance.now();
  const outcome = await runCli(cli, ["release", "policy.yaml", "--out", join(work, "out")], {
    cwd: folder,
    onStart: (child) => {
      interruptAt(staging, "SIGINT", work)(child);
      const again = setInterval(() => staging(readdirSync(work)) && child.kill("SIGINT"), 50);
      child.on("close", () => clearInterval(again));
    },
  });
  expect([130, null]).toContain(outcome.code);
  expect(performance.now() - started).toBeLessThan(30_000);
  expect(readdirSync(work)).not.toContain("out");
});
