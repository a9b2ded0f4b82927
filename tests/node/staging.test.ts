import { fork } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { nodeFileSystem, type FileSystem } from "../../src/node/file-system.ts";
import { openStaging, type StagingOptions } from "../../src/node/staging.ts";
import { FaultyFileSystem } from "./faulty-file-system.ts";

/** In memory where there is such a folder: the fault matrix makes thousands of durable writes. */
const root = realpathSync(mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "staging-")));
let parent: string;
let target: string;
let count = 0;

beforeEach(() => {
  parent = join(root, String(count++));
  mkdirSync(parent);
  target = join(parent, "out");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Publish a release whose files all carry the same mark, so that a mixture would show. */
async function publish(mark: string, options: StagingOptions = {}): Promise<void> {
  const staging = await openStaging(target, options);
  try {
    await staging.writeText("public/a.csv", mark.repeat(1000));
    await staging.writeText("public/deep/b.csv", mark.repeat(1000));
    await staging.writeText("internal/plan.json", mark);
    await staging.writeText("public/manifest.json", mark);
    await staging.publish();
  } catch (error) {
    await staging.abort().catch(() => undefined);
    throw error;
  }
}

/** The mark of the whole release at the target, undefined for none; anything between fails the test. */
function published(at = target): string | undefined {
  if (!existsSync(at)) return undefined;
  const mark = readFileSync(join(at, "public/manifest.json"), "utf8");
  expect(readFileSync(join(at, "public/a.csv"), "utf8")).toBe(mark.repeat(1000));
  expect(readFileSync(join(at, "public/deep/b.csv"), "utf8")).toBe(mark.repeat(1000));
  expect(readFileSync(join(at, "internal/plan.json"), "utf8")).toBe(mark);
  expect(statSync(at).mode & 0o777).toBe(0o755);
  for (const folder of ["public", "public/deep"]) expect(statSync(join(at, folder)).mode & 0o777).toBe(0o755);
  for (const file of ["public/a.csv", "public/deep/b.csv", "public/manifest.json"]) expect(statSync(join(at, file)).mode & 0o777).toBe(0o644);
  expect(statSync(join(at, "internal")).mode & 0o777).toBe(0o700);
  expect(statSync(join(at, "internal/plan.json")).mode & 0o777).toBe(0o600);
  return mark;
}

describe("publishing a folder", () => {
  test("nothing is visible before, everything after, and nothing is left beside it", async () => {
    const staging = await openStaging(target);
    await staging.writeText("public/manifest.json", "m");
    expect(existsSync(target)).toBe(false);
    expect(statSync(staging.root).mode & 0o777).toBe(0o700);
    expect(statSync(staging.path("public/manifest.json")).mode & 0o777).toBe(0o600);
    await staging.abort();
    await staging.abort();
    expect(readdirSync(parent)).toEqual([]);
    await publish("1");
    expect(published()).toBe("1");
    await publish("2");
    expect(published()).toBe("2");
    expect(readdirSync(parent)).toEqual(["out"]);
  });

  /** How many syncs of files are under way at each rename, and files open; each sync takes its time. */
  function slowSyncs(): { fs: FileSystem; busy: () => number; open: () => number; atRename: number[] } {
    let syncing = 0;
    let open = 0;
    const atRename: number[] = [];
    const fs: FileSystem = {
      ...nodeFileSystem,
      open: async (path, flags, mode) => {
        const file = await nodeFileSystem.open(path, flags, mode);
        open++;
        return {
          write: (bytes, offset, length) => file.write(bytes, offset, length),
          sync: async () => {
            syncing++;
            await new Promise((resolve) => setTimeout(resolve, 20));
            await file.sync();
            syncing--;
          },
          close: async () => {
            await file.close();
            open--;
          },
        };
      },
      rename: async (from, to) => {
        atRename.push(syncing);
        await nodeFileSystem.rename(from, to);
      },
    };
    return { fs, busy: () => syncing, open: () => open, atRename };
  }

  test("files are durable before the release is renamed in, and closed, also when it is given up", async () => {
    const slow = slowSyncs();
    await publish("1", { fs: slow.fs });
    expect(slow.atRename).toEqual([0]);
    expect(slow.open()).toBe(0);
    const staging = await openStaging(target, { fs: slow.fs });
    await staging.writeText("public/a.csv", "2");
    expect(slow.busy()).toBe(1);
    await staging.abort();
    expect([slow.busy(), slow.open()]).toEqual([0, 0]);
    expect(published()).toBe("1");
  });

  test("closed files hold no buffers until they are published", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const held = (): number => {
      collect();
      return process.memoryUsage().arrayBuffers;
    };
    const staging = await openStaging(target);
    const before = held();
    for (let i = 0; i < 100; i++) await staging.writeText(`public/${i}.csv`, "1");
    // Memory that was collected is given back by a thread of its own, later on a busy machine.
    await expect.poll(() => held() - before, { timeout: 20_000 }).toBeLessThan(5 * 2 ** 20);
    await staging.abort();
  });

  test("an empty folder may be the target, and missing parents are made", async () => {
    mkdirSync(target);
    await publish("1");
    expect(published()).toBe("1");
    target = join(parent, "x/y/out");
    await publish("2");
    expect(published()).toBe("2");
  });

  test("what is no release is never replaced", async () => {
    mkdirSync(target);
    writeFileSync(join(target, "thesis.txt"), "ten years");
    await expect(publish("1")).rejects.toMatchObject({ name: "DataError", code: "output/not-a-release" });
    expect(readFileSync(join(target, "thesis.txt"), "utf8")).toBe("ten years");
    target = join(parent, "file");
    writeFileSync(target, "x");
    await expect(publish("1")).rejects.toMatchObject({ code: "output/not-a-release" });
    target = join(parent, "link");
    symlinkSync(join(parent, "out"), target);
    await expect(publish("1")).rejects.toMatchObject({ code: "output/not-a-release" });
    await expect(openStaging("/")).rejects.toMatchObject({ code: "output/not-a-release" });
    expect(readdirSync(parent).sort()).toEqual(["file", "link", "out"]);
  });

  test("a target that became something else during the run is not replaced either", async () => {
    const staging = await openStaging(target);
    await staging.writeText("public/manifest.json", "m");
    mkdirSync(target);
    writeFileSync(join(target, "mine.txt"), "x");
    await expect(staging.publish()).rejects.toMatchObject({ code: "output/not-a-release" });
    expect(readdirSync(parent)).toEqual(["out"]);
  });

  test("without its manifest, or with open files, nothing is published", async () => {
    const staging = await openStaging(target);
    const sink = await staging.create("public/manifest.json");
    await expect(staging.publish()).rejects.toMatchObject({ code: "staging/open-files" });
    await sink.abort();
    await expect(staging.publish()).rejects.toMatchObject({ code: "staging/no-manifest" });
    await staging.abort();
    expect(existsSync(target)).toBe(false);
  });

  test("one run at a time", async () => {
    const staging = await openStaging(target);
    await expect(openStaging(target)).rejects.toMatchObject({ name: "DataError", code: "output/locked" });
    await staging.abort();
    await publish("1");
    expect(published()).toBe("1");
  });

  test("a planted symbolic link is refused, not followed", async () => {
    const staging = await openStaging(target);
    const outside = join(parent, "outside.txt");
    writeFileSync(outside, "old");
    symlinkSync(outside, staging.path("public/a.csv"));
    await expect(staging.create("public/a.csv")).rejects.toMatchObject({ code: "output/write-failed", detail: { errno: "EEXIST", file: "a.csv" } });
    await staging.abort();
    expect(readFileSync(outside, "utf8")).toBe("old");
  });

  test.each([
    "a.csv", "secret/a.csv", "public", "public/", "public/../a", "public/../../a", "public/./a", "public//a", "/public/a", "public/a/../../b",
    "public/CON", "public/con.txt", "public/nul", "public/COM1.csv", "public/lpt9", "public/aux.json", "public/.hidden", "public/-x", "public/a.",
    "public/a ", "public/ a", "public/a\\b", "public/a:b", "public/a\0b", "public/a\nb", "public/é", "public/a*", "public/a?b", 'public/a"', "public/a|b",
    "public/a<b", "public/%2e%2e", "public/~", "internal/../public/a", "PUBLIC/a", "public\\a", `public/${"a".repeat(121)}`, "public/a/b/c/d/e",
  ])("the name %j is refused", async (name) => {
    const staging = await openStaging(target);
    await expect(staging.create(name)).rejects.toMatchObject({ name: "InternalError", code: "staging/bad-name" });
    await staging.abort();
    expect(readdirSync(parent)).toEqual([]);
  });

  test("names that differ in case only are refused", async () => {
    const staging = await openStaging(target);
    await staging.writeText("public/Data.csv", "x");
    await expect(staging.create("public/data.csv")).rejects.toMatchObject({ code: "staging/bad-name" });
    await staging.abort();
  });

  test("leftovers of this target are swept, of others not", async () => {
    const others = [".out.staging-x.staging-0123456789abcdef", ".out2.staging-0123456789abcdef", ".out.staging-short"];
    for (const name of [...others, ".out.staging-0123456789abcdef"]) mkdirSync(join(parent, name, "public"), { recursive: true });
    await publish("1");
    expect(readdirSync(parent).sort()).toEqual([...others, "out"].sort());
  });

  test("an old release that a killed run left aside is put back", async () => {
    await publish("1");
    const { renameSync } = await import("node:fs");
    renameSync(target, join(parent, ".out.replaced-0123456789abcdef"));
    const staging = await openStaging(target);
    expect(published()).toBe("1");
    await staging.abort();
    expect(published()).toBe("1");
  });

  test("a lock of a dead process is taken over, one of another machine is not", async () => {
    const lock = join(parent, ".out.lock");
    const dead = { token: "0".repeat(24), pid: 2 ** 22 + 1, started: "1", where: "" };
    writeFileSync(lock, JSON.stringify({ ...dead, where: "elsewhere" }));
    await expect(openStaging(target)).rejects.toMatchObject({ code: "output/locked" });
    writeFileSync(lock, "");
    await expect(openStaging(target)).rejects.toMatchObject({ code: "output/locked" });
    rmSync(lock);
    const staging = await openStaging(target);
    const mine = JSON.parse(readFileSync(lock, "utf8"));
    await staging.abort();
    writeFileSync(lock, JSON.stringify({ ...dead, where: mine.where }));
    await publish("1");
    expect(published()).toBe("1");
    // Our own process number with another start time: the number was used again.
    writeFileSync(lock, JSON.stringify({ ...mine, token: "1".repeat(24), started: "1" }));
    await publish("2");
    expect(readdirSync(parent)).toEqual(["out"]);
  });

  test("of many runs that find the same dead lock, one gets it", async () => {
    const first = await openStaging(target);
    const { where } = JSON.parse(readFileSync(join(parent, ".out.lock"), "utf8"));
    await first.abort();
    for (let round = 0; round < 10; round++) {
      writeFileSync(join(parent, ".out.lock"), JSON.stringify({ token: "2".repeat(24), pid: 2 ** 22 + 1, started: "1", where }));
      const runs = await Promise.allSettled(Array.from({ length: 8 }, () => openStaging(target)));
      const won = runs.filter((run) => run.status === "fulfilled");
      expect(won).toHaveLength(1);
      for (const run of runs) if (run.status === "rejected") expect(run.reason).toMatchObject({ code: "output/locked" });
      await won[0]!.value.abort();
      expect(readdirSync(parent)).toEqual([]);
    }
  });
});

describe("publishing behind a link", () => {
  test("the link flips, readers that resolved it keep their version until the next", async () => {
    await publish("1", { versions: true });
    expect(lstatSync(target).isSymbolicLink()).toBe(true);
    const first = realpathSync(target);
    await publish("2"); // an existing link stays a link
    expect(published()).toBe("2");
    expect(published(first)).toBe("1");
    await publish("3");
    expect(existsSync(first)).toBe(false);
    expect(readdirSync(parent).filter((name) => name.startsWith(".out.version-"))).toHaveLength(2);
    expect(readlinkSync(target)).toMatch(/^\.out\.version-[0-9a-f]{16}$/);
  });

  test("a reader sees a whole release during 200 replacements", async () => {
    await publish("0", { versions: true });
    let reading = true;
    let reads = 0;
    const reader = (async () => {
      while (reading) {
        expect(published(realpathSync(target))).toBeDefined();
        reads++;
        await new Promise(setImmediate);
      }
    })();
    for (let i = 1; i <= 200; i++) await publish(String(i % 10));
    reading = false;
    await reader;
    expect(reads).toBeGreaterThan(20);
  });
});

describe("failures", () => {
  const kinds = [
    { kind: "no release before", before: [] as string[], options: {} },
    { kind: "a folder before", before: ["1"], options: {} },
    { kind: "a link before", before: ["1"], options: { versions: true } },
    { kind: "a first link", before: [], options: { versions: true } },
  ];
  for (const { kind, before, options } of kinds) {
    // The code does not look at the errors' kinds, so that the whole matrix is run for one and sampled for the others.
    for (const errno of kind === "a folder before" ? ["ENOSPC", "EIO", "EMFILE"] : ["ENOSPC"]) {
      for (const forGood of errno === "ENOSPC" ? [false, true] : [errno === "EIO"]) {
        test(`${errno} at every call${forGood ? " and ever after" : ""}, ${kind}: the old release or none, and the next run succeeds`, async () => {
          const sane = new FaultyFileSystem(0, "");
          for (const mark of before) await publish(mark, options);
          await publish("2", { ...options, fs: sane.fs });
          const calls = sane.calls;
          expect(calls).toBeGreaterThan(40);
          let refused = 0;
          for (let n = 1; n <= calls; n++) {
            rmSync(parent, { recursive: true });
            mkdirSync(parent);
            for (const mark of before) await publish(mark, options);
            const faulty = new FaultyFileSystem(n, errno, forGood);
            const failure = await publish("2", { ...options, fs: faulty.fs }).then(
              () => undefined,
              (error: unknown) => error as Error,
            );
            const now = published();
            if (failure) {
              refused++;
              expect(failure).toMatchObject({ name: "DataError", code: expect.stringMatching(/^output\//) as string });
              expect(`${failure.message}${JSON.stringify((failure as { detail?: unknown }).detail)}`).not.toMatch(/canary|home/);
              expect((failure as { cause?: unknown }).cause).toBeUndefined();
              // With the storage gone for good the last renames cannot be taken back: then the new release, whole, may stay.
              if (!forGood) expect(now === undefined || now === before[0]).toBe(true);
              else expect([undefined, "1", "2"]).toContain(now);
            } else {
              expect(now).toBe("2");
            }
            await cleanLock();
            await publish("3", options);
            expect(published()).toBe("3");
            const left = readdirSync(parent).filter((name) => name !== "out" && !name.startsWith(".out.version-"));
            expect(left).toEqual([]);
          }
          expect(refused).toBeGreaterThan(calls / 2);
        });
      }
    }
  }

  /** This process lives on after the simulated failure, so a lock it could not remove would rightly be respected. */
  async function cleanLock(): Promise<void> {
    for (const name of readdirSync(parent)) if (name.startsWith(".out.lock")) await nodeFileSystem.unlink(join(parent, name));
  }
});

describe("kills", () => {
  const script = join(import.meta.dirname, "../../node_modules/.cache/staging-kill/publisher.mjs");

  beforeAll(() => {
    buildSync({
      entryPoints: [join(import.meta.dirname, "publisher-script.ts")],
      bundle: true,
      platform: "node",
      format: "esm",
      packages: "external",
      outfile: script,
    });
  });

  test.each([{ versions: false }, { versions: true }])("20 SIGKILLs at random moments, versions: $versions", async ({ versions }) => {
    let seed = 20_260_131;
    const random = () => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) / 2 ** 32;
    let hadRelease = false;
    let none = 0;
    for (let round = 0; round < 20; round++) {
      const child = fork(script, [target, versions ? "versions" : "folder"], { stdio: "ignore" });
      await new Promise<void>((resolve) => child.once("message", () => resolve()));
      await new Promise((resolve) => setTimeout(resolve, random() * 60));
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      const now = published();
      if (versions && hadRelease) expect(now).toBeDefined();
      if (now === undefined) none++;
      hadRelease ||= now !== undefined;
    }
    expect(none).toBeLessThan(20);
    await publish("9", { versions });
    expect(published()).toBe("9");
    const left = readdirSync(parent).filter((name) => name !== "out" && !name.startsWith(".out.version-"));
    expect(left).toEqual([]);
    expect(readdirSync(parent).length).toBeLessThanOrEqual(versions ? 3 : 1);
  });
});
