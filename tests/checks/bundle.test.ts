import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";

const entry = fileURLToPath(new URL("../../src/checks.ts", import.meta.url));

test("the checks bundle for a browser: no node modules, no zod, no Arrow, at most 30 KB gzipped", async () => {
  const { outputFiles, metafile, warnings } = await build({
    entryPoints: [entry], bundle: true, minify: true, format: "esm", platform: "browser", target: "es2022",
    write: false, metafile: true, logLevel: "silent",
  });
  expect(warnings).toEqual([]);
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.filter((path) => path.includes("node_modules"))).toEqual([]);
  const text = outputFiles[0]!.text;
  expect(text).not.toMatch(/["']node:/);
  expect(text).not.toMatch(/\brequire\(|\bprocess\.|\bBuffer\b/);
  expect(gzipSync(text).length).toBeLessThanOrEqual(30 * 1024);
});

test("the bundle runs on its own", async () => {
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", platform: "browser", write: false, logLevel: "silent" });
  const url = `data:text/javascript;base64,${Buffer.from(outputFiles[0]!.text).toString("base64")}`;
  const checks = await import(/* @vite-ignore */ url) as typeof import("../../src/checks.ts");
  expect(checks.checkKAnonymity({ a: ["x", "x", "y"] }, { keys: ["a"], k: 2 })).toMatchObject({ pass: false, recordsAtRisk: 1 });
  expect(Object.keys(checks).sort()).toEqual(
    ["CommensurateError", "DataError", "PolicyError", "checkKAnonymity", "checkSmallCells", "equivalenceClassSizes", "riskMeasures"]);
});
