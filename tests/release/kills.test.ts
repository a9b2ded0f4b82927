/**
 * The kill matrix: a release that ends at any moment leaves the old release or none, and nothing readable of the input; the
 * next run succeeds and clears up. Kills go to real processes; a full or broken disk is simulated at every call.
 */
import { fork } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { release, verify } from "../../src/index.ts";
import { InlineLane } from "../../src/engines/local/index.ts";
import { openFileSource } from "../../src/node/file-source.ts";
import { nodeFileSystem, type FileSystem } from "../../src/node/file-system.ts";
import { nodePlatform } from "../../src/node/platform.ts";
import { openStaging } from "../../src/node/staging.ts";
import { parsePolicy } from "../../src/policy/index.ts";
import { releaseSource } from "../../src/release/index.ts";
import { FaultyFileSystem } from "../node/faulty-file-system.ts";
import { buildBundle } from "./bundle.ts";
import { csvText, Random, type Rows } from "./data.ts";
import { microdataPolicy, noisyPolicy, people, recordsOfCounts, countsByCell, smallCellsPolicy } from "./scenarios.ts";
import { filesOf, workFolder } from "./walk.ts";

const work = workFolder("kills");
afterAll(work.remove);

/** Plants the same mark in every direct identifier and dropped cell. */
function marked(data: Rows): Rows {
  const at = data.names.flatMap((name, c) => (name === "id" || name === "secret" ? [c] : []));
  return { names: data.names, rows: data.rows.map((row, i) => row.map((value, c) => (at.includes(c) ? `${CANARY}-${i}` : value))) };
}
const CANARY = "Kormoran-4711";

interface Setting {
  readonly name: string;
  readonly data: (random: Random) => Rows;
  readonly policy: object;
}
const SETTINGS: readonly Setting[] = [
  { name: "microdata", data: (random) => marked(people(random, 1000)), policy: microdataPolicy({ formats: ["csv", "arrow"] }) },
  { name: "small-cells", data: (random) => marked(recordsOfCounts(random, countsByCell(random))), policy: smallCellsPolicy({ formats: ["csv"] }) },
  { name: "noisy", data: (random) => recordsOfCounts(random, countsByCell(random)), policy: noisyPolicy({ formats: ["csv", "parquet"] }) },
];

/** No temporary file, and no mark in any file beside or in the target. */
function expectNothingReadable(parent: string, temporary: string): void {
  expect(readdirSync(temporary)).toEqual([]); // spill files have no name as soon as they are open
  for (const [path, bytes] of filesOf(parent)) expect(bytes.includes(CANARY), path).toBe(false);
}

describe("SIGKILL", () => {
  let script: string;
  beforeAll(() => {
    script = join(buildBundle("kills", "releaser-script.ts"), "script.js");
  }, 60_000);

  /** 100 in all with FULL=1. Several targets side by side make use of the time that processes take to start. */
  const KILLS: Record<string, number> = process.env["FULL"] === "1" ? { microdata: 40, "small-cells": 30, noisy: 30 } : { microdata: 12, "small-cells": 9, noisy: 9 };

  test.each(SETTINGS)("$name: kills at random moments leave the old release or none", async ({ name, data, policy }) => {
    const random = new Random(name.length);
    const lanes = [0, 1, 2].map(() => ({ parent: work.sub(), temporary: work.sub() }));
    const input = join(work.sub(), "input.csv");
    writeFileSync(input, csvText(data(random)));
    const policyFile = join(work.sub(), "policy.json");
    writeFileSync(policyFile, JSON.stringify(policy));
    // How long a release takes here and now, from the start of its process, so that kills fall before, into and after it.
    const began = Date.now();
    const first = fork(script, [policyFile, input, join(lanes[0]!.parent, "out"), "1"], { stdio: "ignore" });
    const started = await new Promise<number>((resolve) => first.once("message", () => resolve(Date.now())));
    await new Promise((resolve) => first.once("exit", resolve));
    expect(started).toBeGreaterThanOrEqual(began);
    const usual = Date.now() - started;
    rmSync(join(lanes[0]!.parent, "out"), { recursive: true });

    let kills = 0;
    let none = 0;
    let whole = 0;
    let during = 0;
    // Moments are drawn; where too few fell into a release or after it, more are, and later ones, for a machine that became busier.
    const wanting = (): boolean => none === 0 || whole === 0 || during <= KILLS[name]! / 6;
    await Promise.all(
      lanes.map(async ({ parent, temporary }) => {
        const target = join(parent, "out");
        while (kills < KILLS[name]! || (kills < 5 * KILLS[name]! && wanting())) {
          kills++;
          const child = fork(script, [policyFile, input, target, "1000"], { stdio: "ignore", env: { ...process.env, TMPDIR: temporary } });
          const ended = new Promise((resolve) => child.once("exit", resolve));
          await new Promise<void>((resolve) => child.once("message", () => resolve()));
          const longest = 2.5 * usual * Math.max(1, kills / KILLS[name]!);
          await new Promise((resolve) => setTimeout(resolve, random.next() * longest));
          child.kill("SIGKILL");
          await ended;
          if (readdirSync(parent).some((entry) => entry.startsWith(".out.staging-"))) during++;
          expectNothingReadable(parent, temporary);
          if (existsSync(target)) {
            whole++;
            expect((await verify(target)).verdict).toBe("pass");
            expect(readFileSync(join(target, "internal/evidence.json"), "utf8")).toContain('"verdict": "pass"');
          } else none++;
          // Half of the kills come before there is any release.
          if (random.chance(0.5)) rmSync(target, { recursive: true, force: true });
        }
      }),
    );
    expect(kills).toBeGreaterThanOrEqual(KILLS[name]!);
    expect(none).toBeGreaterThan(0);
    expect(during).toBeGreaterThan(KILLS[name]! / 6);
    expect(whole).toBeGreaterThan(0);
    for (const { parent } of lanes) {
      await release(policy as never, { source: input, out: join(parent, "out") });
      expect(readdirSync(parent)).toEqual(["out"]);
    }
  }, 300_000);
});

describe("a failing disk", () => {
  const policy = microdataPolicy({ k: 2, formats: ["csv"] });
  let input: string;
  beforeAll(() => {
    input = join(work.sub(), "input.csv");
    writeFileSync(input, csvText(marked(people(new Random(3), 60))));
  });

  async function releaseOn(fs: FileSystem, target: string): Promise<void> {
    const platform = {
      ...nodePlatform,
      async stage(path: string) {
        const staging = await openStaging(path, { fs });
        return {
          reader: await nodePlatform.openRelease(staging.root),
          create: (name: string) => staging.create(name),
          publish: () => staging.publish(),
          abort: () => staging.abort(),
        };
      },
    };
    const source = await openFileSource(input);
    await releaseSource(parsePolicy(policy), source, await platform.stage(target), { platform, lanes: new InlineLane(), progress: () => {} });
  }

  // The errors take turns from call to call; FULL=1 tries each of them at every call.
  for (const errnos of process.env["FULL"] === "1" ? [["ENOSPC"], ["EIO"], ["EMFILE"]] : [["ENOSPC", "EIO", "EMFILE"]]) {
    for (const before of [false, true]) {
      test(`${errnos.join(" or ")} at every call, ${before ? "an old release" : "nothing"} before`, async () => {
        const parent = work.sub();
        const target = join(parent, "out");
        const sane = new FaultyFileSystem(0, "");
        if (before) await releaseOn(nodeFileSystem, target);
        await releaseOn(sane.fs, target);
        let refused = 0;
        for (let n = 1; n <= sane.calls; n++) {
          if (!before) rmSync(target, { recursive: true });
          const old = before ? JSON.stringify([...filesOf(target)]) : "";
          const error = await releaseOn(new FaultyFileSystem(n, errnos[n % errnos.length]!).fs, target).then(
            () => undefined,
            (thrown: unknown) => thrown as Error & { code: string; detail: object },
          );
          const now = existsSync(target) ? JSON.stringify([...filesOf(target)]) : "";
          if (error === undefined) expect((await verify(target)).verdict).toBe("pass");
          else {
            refused++;
            expect(error, `call ${n}`).toMatchObject({ name: "DataError", code: expect.stringMatching(/^output\//) as string });
            expect(`${error.message}${JSON.stringify(error.detail)}`).not.toMatch(/\/|canary|Kormoran/);
            expect(now).toBe(old);
          }
          // The process lives on, so a lock whose removal failed would rightly be respected.
          for (const name of readdirSync(parent)) if (name.startsWith(".out.lock")) rmSync(join(parent, name));
          await releaseOn(nodeFileSystem, target); // the next run succeeds, and is the old release of the one after
          expect(readdirSync(parent)).toEqual(["out"]);
        }
        expect(refused).toBeGreaterThan(sane.calls / 2);
      }, 300_000);
    }
  }
});
