/** A release as a test makes one: the library's own steps over the Node platform, in a folder of its own. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InlineLane } from "../../src/engines/local/index.ts";
import { release, type PolicyInput, type Released, type SourceInput } from "../../src/index.ts";
import { nodePlatform } from "../../src/node/platform.ts";
import { parsePolicy } from "../../src/policy/index.ts";
import type { RandomBits } from "../../src/random/index.ts";
import { releaseSource } from "../../src/release/index.ts";
import type { Source } from "../../src/sources/source.ts";

/** Below memory where there is such a folder, since releases are made durable. */
export function workFolder(name: string): { folder: string; sub(): string; remove(): void } {
  const folder = realpathSync(mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), `${name}-`)));
  let count = 0;
  return {
    folder,
    sub: () => {
      const path = join(folder, String(count++));
      mkdirSync(path);
      return path;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Every file of a folder by its path, as bytes in latin1 so that a difference prints. */
export function filesOf(folder: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length + 1), readFileSync(path, "latin1"));
  }
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Paths of files whose bytes differ, or that only one side has. */
export function differences(a: string, b: string): string[] {
  const left = filesOf(a);
  const right = filesOf(b);
  return [...new Set([...left.keys(), ...right.keys()])].filter((path) => left.get(path) !== right.get(path));
}

/** As `release`, with random bits of the test's choice. */
export async function releaseWithBits(policy: PolicyInput, source: Source, out: string, bits: RandomBits): Promise<Released> {
  const platform = { ...nodePlatform, randomBits: () => bits };
  return releaseSource(parsePolicy(policy), source, await platform.stage(out), { platform, lanes: new InlineLane(), progress: () => {} });
}

/** The error of a release that must fail, after a look at what it left: nothing. */
export async function failure(policy: PolicyInput | string, source: SourceInput, folder: string, more: object = {}): Promise<Error & { code?: string }> {
  const out = join(folder, "out");
  const before = existsSync(out) ? filesOf(out) : undefined;
  const error = await release(policy as PolicyInput, { source, out, ...more }).then(
    () => undefined,
    (thrown: unknown) => thrown as Error,
  );
  if (error === undefined) throw new Error("The release succeeded; it should have failed.");
  const left = readdirSync(folder).filter((name) => name.startsWith("."));
  if (left.length > 0) throw new Error(`A failed release left ${left.join(", ")}.`);
  const after = existsSync(out) ? filesOf(out) : undefined;
  if (JSON.stringify([...(before ?? [])]) !== JSON.stringify([...(after ?? [])])) throw new Error("A failed release changed the target.");
  return error;
}

/** What a careful forger does after changing a file: every size and hash agrees again, and the evidence is gone. */
export function coverUp(directory: string): void {
  rmSync(join(directory, "internal/evidence.json"));
  const record = (path: string) => {
    const bytes = readFileSync(join(directory, "public", path));
    return { path, bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  };
  const packagePath = join(directory, "public/datapackage.json");
  const data = JSON.parse(readFileSync(packagePath, "utf8"));
  for (const resource of data.resources) {
    const { bytes, sha256 } = record(resource.path);
    Object.assign(resource, { bytes, hash: `sha256:${sha256}` });
  }
  writeFileSync(packagePath, `${JSON.stringify(data, undefined, 2)}\n`);
  const files = readdirSync(join(directory, "public")).filter((name) => name !== "manifest.json").sort().map(record);
  writeFileSync(join(directory, "public/manifest.json"), `${JSON.stringify({ format: "commensurate/manifest@1", files }, undefined, 2)}\n`);
}
