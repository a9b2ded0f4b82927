import { fork } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { createSpill } from "../../src/node/spill-file.ts";

const folder = mkdtempSync(join(tmpdir(), "spill-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The open, nameless file of this process in `folder`, as the system still shows it. */
function openSpillPath(): string {
  for (const handle of readdirSync("/proc/self/fd")) {
    try {
      if (readlinkSync(`/proc/self/fd/${handle}`).startsWith(join(folder, ".commensurate-"))) return `/proc/self/fd/${handle}`;
    } catch {
      continue; // closed meanwhile
    }
  }
  throw new Error("no open spill");
}

describe("spill file", () => {
  test("gives back what was appended, in any order, overlapping calls too", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), async (blocks) => {
        const spill = await createSpill(folder);
        const handles = await Promise.all(blocks.map((block) => spill.append(block)));
        const read = await Promise.all(handles.map((handle) => spill.read(handle)));
        expect(read.map((bytes) => [...bytes])).toEqual(blocks.map((bytes) => [...bytes]));
        expect(spill.size).toBe(blocks.reduce((sum, block) => sum + block.length, 0));
        await spill.close();
        await spill.close();
      }),
      { numRuns: 30 },
    );
  });

  test("has no name, and what is on disk is not what was appended", async () => {
    const canary = Buffer.from("CANARY-91827-secret-value".repeat(400));
    const spill = await createSpill(folder);
    await spill.append(canary);
    await spill.append(canary);
    expect(readdirSync(folder)).toEqual([]);
    if (process.platform === "linux") {
      const onDisk = readFileSync(openSpillPath());
      expect(onDisk.length).toBe(2 * (canary.length + 16));
      expect(onDisk.includes("CANARY")).toBe(false);
      // The same block twice is not the same bytes twice.
      expect(onDisk.subarray(0, canary.length).equals(onDisk.subarray(canary.length + 16, 2 * canary.length + 16))).toBe(false);
    }
    await spill.close();
  });

  test.runIf(process.platform === "linux")("a changed byte anywhere is noticed", async () => {
    const { open } = await import("node:fs/promises");
    const spill = await createSpill(folder);
    const handle = await spill.append(Buffer.from("0123456789"));
    const file = await open(openSpillPath(), "r+");
    for (let at = 0; at < 26; at++) {
      const byte = Buffer.alloc(1);
      await file.read(byte, 0, 1, at);
      await file.write(Buffer.from([byte[0]! ^ 1]), 0, 1, at);
      await expect(spill.read(handle)).rejects.toMatchObject({ name: "DataError", code: "spill/damaged" });
      await file.write(byte, 0, 1, at);
    }
    await file.close();
    expect(Buffer.from(await spill.read(handle)).toString()).toBe("0123456789");
    await expect(spill.read({ offset: 0, length: 9 })).rejects.toMatchObject({ code: "spill/damaged" });
    await expect(spill.read({ offset: 5, length: 900 })).rejects.toMatchObject({ code: "spill/damaged" });
    await spill.close();
    await expect(spill.read(handle)).rejects.toMatchObject({ name: "InternalError", code: "spill/closed" });
    await expect(spill.append(Buffer.from("x"))).rejects.toMatchObject({ code: "spill/closed" });
  });

  test("a folder that is not there", async () => {
    await expect(createSpill(join(folder, "canary-name"))).rejects.toMatchObject({ code: "spill/unavailable", detail: { errno: "ENOENT" } });
    await expect(createSpill(join(folder, "canary-name"))).rejects.not.toThrow(/canary/);
  });

  test("SIGKILL leaves nothing", async () => {
    const script = join(import.meta.dirname, "../../node_modules/.cache/spill-kill/spiller.mjs");
    buildSync({
      entryPoints: [join(import.meta.dirname, "spiller-script.ts")],
      bundle: true,
      platform: "node",
      format: "esm",
      packages: "external",
      outfile: script,
    });
    const place = join(folder, "killed");
    mkdirSync(place);
    for (let round = 0; round < 5; round++) {
      const child = fork(script, [place], { stdio: "ignore" });
      await new Promise<void>((resolve) => child.once("message", () => resolve()));
      await new Promise((resolve) => setTimeout(resolve, 7 * round));
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      expect(readdirSync(place)).toEqual([]);
    }
    rmSync(place, { recursive: true });
  });
});
