/** What a command loads before it does anything, read from a bundle: help at once, and measuring without policy or YAML. */
import { join } from "node:path";
import { build, type Metafile } from "esbuild";
import { beforeAll, expect, test } from "vitest";
import { ROOT } from "./run-cli.ts";

let outputs: Metafile["outputs"] = {};

beforeAll(async () => {
  const { metafile } = await build({
    entryPoints: [join(ROOT, "src/cli/main.ts")], outdir: "unused", write: false, metafile: true, absWorkingDir: ROOT,
    bundle: true, splitting: true, platform: "node", format: "esm", target: "node20", packages: "external", logLevel: "silent",
  });
  outputs = metafile.outputs;
});

/** Packages and bytes that the chunk of a source file needs at once; what is imported later does not count. */
function loadedBy(source: string): { packages: string[]; bytes: number } {
  const start = Object.keys(outputs).find((path) => outputs[path]!.entryPoint === source);
  if (start === undefined) throw new Error(`There is no chunk of ${source}.`);
  const seen = new Set([start]);
  const packages = new Set<string>();
  for (const path of seen) {
    for (const { path: to, kind, external } of outputs[path]!.imports) {
      if (kind !== "import-statement") continue;
      if (external !== true) seen.add(to);
      else if (!to.startsWith("node:")) packages.add(to);
    }
  }
  return { packages: [...packages], bytes: [...seen].reduce((sum, path) => sum + outputs[path]!.bytes, 0) };
}

test("--help and --version load the grammar of the command line and nothing else", () => {
  const { packages, bytes } = loadedBy("src/cli/main.ts");
  expect(packages).toEqual(["commander"]);
  expect(bytes).toBeLessThan(60_000);
});

test("check loads neither zod nor YAML nor Arrow", () => {
  expect(loadedBy("src/cli/commands/check.ts").packages).toEqual([]);
  expect(loadedBy("src/node/platform.ts").packages).toEqual([]);
});

test("the reader of bundles can tell: a policy does need them", () => {
  expect(loadedBy("src/cli/commands/plan.ts").packages).toEqual(expect.arrayContaining(["yaml", "zod"]));
});
