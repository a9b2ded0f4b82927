import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll } from "vitest";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
export const DATA = join(ROOT, "examples", "data");

/** Of the importing test file; removed when it ends. */
const temporary: string[] = [];
afterAll(() => {
  for (const folder of temporary) rmSync(folder, { recursive: true, force: true });
});

/** The built command line when it is up to date, else a bundle made now; both run as their own process. */
export async function builtCli(): Promise<string> {
  const built = join(ROOT, "dist", "cli.js");
  const since = statSync(built, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (!newerThan(join(ROOT, "src"), since)) return built;
  const cache = join(ROOT, "node_modules", ".cache", "cli-tests");
  mkdirSync(cache, { recursive: true });
  const outdir = mkdtempSync(join(cache, "bundle-"));
  temporary.push(outdir);
  await build({
    entryPoints: { cli: join(ROOT, "src/cli/main.ts"), "lane-worker": join(ROOT, "src/node/lane-worker.ts") },
    outdir, bundle: true, splitting: true, platform: "node", format: "esm", target: "node20", packages: "external", logLevel: "silent",
  });
  return join(outdir, "cli.js");
}

function newerThan(folder: string, since: number): boolean {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).some(
    (entry) => entry.isFile() && statSync(join(entry.parentPath, entry.name)).mtimeMs > since
  );
}

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called once the process has started. */
  readonly onStart?: (child: ChildProcess) => void;
}

export function runCli(
  cli: string, args: readonly string[], { cwd = ROOT, env = {}, onStart }: RunOptions = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [cli, ...args],
      {
        cwd, env: { ...process.env, NO_COLOR: "1", COMMENSURATE_DEBUG: "", ...env }, stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on(
      "close",
      (code, signal) => resolve(
        { code, signal, stdout: Buffer.concat(out).toString("utf8"), stderr: Buffer.concat(err).toString("utf8") }
      ),
    );
    onStart?.(child);
  });
}

/** A folder of its own for one test file. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "commensurate-cli-test-"));
  temporary.push(folder);
  return folder;
}
