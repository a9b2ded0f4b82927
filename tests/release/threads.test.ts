/** A file that is large enough for threads gives what one lane gives, whatever lies across the borders of the ranges. */
import { execFile, fork } from "node:child_process";
import { appendFileSync, closeSync, copyFileSync, existsSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plan, release, verify, type PolicyInput } from "../../src/index.ts";
import { buildBundle } from "./bundle.ts";
import { csvText, Random } from "./data.ts";
import { microdataPolicy, people } from "./scenarios.ts";
import { differences, workFolder } from "./walk.ts";

const work = workFolder("threads");
afterAll(work.remove);

const policy: PolicyInput = microdataPolicy({ k: 11, formats: ["csv"], levels: { age: 1, county: 1 } });
const { release: _, ...rest } = policy;
const tables = {
  ...rest, columns: { ...rest.columns }, overrides: [],
  release: { kind: "tables", formats: ["csv"], tables: [{ name: "t", dimensions: [{ column: "county", levels: [0, 1] }, "sex"] }], protect: [{ method: "small-cells", threshold: 11, interval: 2 }] },
} as PolicyInput;
const FULL = process.env["FULL"] === "1";
const BYTES = 26 * 2 ** 20;

let bundle: string;
let large: string;
let policyFile: string;
let tablesFile: string;

beforeAll(() => {
  bundle = buildBundle("threads", "threads-script.ts");
  large = join(work.folder, "large.csv");
  policyFile = join(work.folder, "policy.json");
  tablesFile = join(work.folder, "tables.json");
  writeFileSync(policyFile, JSON.stringify(policy));
  writeFileSync(tablesFile, JSON.stringify(tables));
  // Blocks of a few thousand records, shuffled in, with notes of many lines: every border of 4 MiB may fall inside quotes.
  const random = new Random(20);
  const file = openSync(large, "w");
  const blocks = Array.from({ length: 6 }, () => people(random, 3000));
  let bytes = writeSync(file, csvText({ names: blocks[0]!.names, rows: [] }));
  while (bytes < BYTES) {
    const block = random.pick(blocks);
    const rows = block.rows.map((row) => (random.chance(0.2) ? row.with(5, `"${"line\nof, a \"\" note\r\n".repeat(random.below(40))}\n`) : row));
    bytes += writeSync(file, csvText({ names: block.names, rows }).slice(block.names.join(",").length + 1));
  }
  closeSync(file);
}, 60_000);

interface Outcome {
  readonly verdict?: string;
  readonly fingerprint?: string;
  readonly records?: number;
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
  readonly afterAbort?: number;
  readonly reports: number;
}

async function inThreads(source: string, folder: string, mode = "plain", file = policyFile): Promise<Outcome> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(bundle, "script.js"), file, source, join(folder, "out"), mode]);
  expect(stderr).toBe("");
  return JSON.parse(stdout) as Outcome;
}

describe("with threads as without", () => {
  test.each(["microdata", "tables"])("%s: the same bytes, fingerprint and records", async (kind) => {
    const [mine, theirs] = [work.sub(), work.sub()];
    const chosen = kind === "tables" ? tables : policy;
    const inline = await release(chosen, { source: large, out: join(mine, "out") });
    const threads = await inThreads(large, theirs, "plain", kind === "tables" ? tablesFile : policyFile);
    expect(threads).toMatchObject({ verdict: "pass", fingerprint: inline.plan.input.fingerprint, records: inline.plan.input.records });
    expect(differences(join(mine, "out"), join(theirs, "out"))).toEqual([]);
  }, 120_000);

  test("a malformed row is told with the number it has in the file", async () => {
    const broken = join(work.sub(), "broken.csv");
    copyFileSync(large, broken);
    appendFileSync(broken, "only,two\n");
    const folder = work.sub();
    const threads = await inThreads(broken, folder);
    const inline = (await plan(policy, { source: broken }).catch((error: unknown) => error)) as Error & { code: string };
    expect(threads).toMatchObject({ name: "DataError", code: inline.code, message: inline.message });
    expect(readdirSync(folder)).toEqual([]);
  }, 120_000);
});

describe("a run with threads that goes wrong leaves nothing", () => {
  test.each(FULL ? ["append-survey", "append-plan"] : ["append-plan"])("the file grows: %s", async (mode) => {
    const growing = join(work.sub(), "growing.csv");
    copyFileSync(large, growing);
    const folder = work.sub();
    expect(await inThreads(growing, folder, mode)).toMatchObject({ name: "DataError", code: expect.stringMatching(/^(source\/changed|csv\/)/) as string });
    expect(readdirSync(folder)).toEqual([]);
    rmSync(growing);
  }, 60_000);

  test.each(FULL ? ["abort-survey", "abort-plan", "abort-apply"] : ["abort-survey", "abort-apply"])("%s ends soon", async (mode) => {
    const folder = work.sub();
    const outcome = await inThreads(large, folder, mode);
    expect(outcome.name).toBe("AbortError");
    expect(outcome.afterAbort).toBeLessThan(5000);
    expect(readdirSync(folder)).toEqual([]);
  }, 60_000);

  // The callback is called by a timer here: what it threw ended the whole process, and the staging folder stayed.
  test.each(FULL ? ["throw-survey", "throw-apply"] : ["throw-survey"])("a callback of the caller: %s", async (mode) => {
    const folder = work.sub();
    expect(await inThreads(large, folder, mode)).toMatchObject({ name: "RangeError", message: "mine" });
    expect(readdirSync(folder)).toEqual([]);
  }, 60_000);

  test("SIGKILLs, and the run after them", async () => {
    const folder = work.sub();
    const temporary = work.sub();
    const random = new Random(1);
    for (let kill = 0; kill < (FULL ? 20 : 4); kill++) {
      const child = fork(join(bundle, "script.js"), [policyFile, large, join(folder, "out"), "plain"], { stdio: "ignore", env: { ...process.env, TMPDIR: temporary } });
      const ended = new Promise((resolve) => child.once("exit", resolve)); // a fast run may end before its kill
      await new Promise<void>((resolve) => child.once("message", () => resolve()));
      await new Promise((resolve) => setTimeout(resolve, random.next() * 1000));
      child.kill("SIGKILL");
      await ended;
      expect(readdirSync(temporary)).toEqual([]);
      if (existsSync(join(folder, "out"))) {
        expect((await verify(join(folder, "out"))).verdict).toBe("pass");
        rmSync(join(folder, "out"), { recursive: true });
      }
    }
    expect((await inThreads(large, folder)).verdict).toBe("pass");
    expect(readdirSync(folder)).toEqual(["out"]);
  }, 120_000);
});
