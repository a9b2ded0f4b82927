/** The library built as it ships, with the lane workers beside it, for tests that need a process or threads of its own. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildSync } from "esbuild";

const root = join(import.meta.dirname, "../..");

/** @returns folder with index.js, lane-worker.js and the script given */
export function buildBundle(name: string, script: string): string {
  const outdir = join(root, "node_modules/.cache", `release-tests-${name}`);
  rmSync(outdir, { recursive: true, force: true }); // chunks of builds before would pile up
  mkdirSync(outdir, { recursive: true });
  // Below node_modules no package.json above says that .js means ES modules.
  writeFileSync(join(outdir, "package.json"), '{"type":"module"}\n');
  buildSync({
    entryPoints: {
      index: join(root, "src/index.ts"),
      "lane-worker": join(root, "src/node/lane-worker.ts"),
      script: join(import.meta.dirname, script),
    },
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    packages: "external",
    outdir,
    logLevel: "error",
  });
  return outdir;
}
