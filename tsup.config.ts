import { defineConfig } from "tsup";

export default defineConfig({
  entry: {
    index: "src/index.ts",
    checks: "src/checks.ts",
    node: "src/node.ts",
    cli: "src/cli/main.ts",
    "lane-worker": "src/node/lane-worker.ts",
  },
  format: ["esm"],
  target: "node20",
  platform: "node",
  splitting: true,
  clean: true,
  sourcemap: false,
  // TypeScript 6 rejects the baseUrl that tsup sets for declarations unless told that it is known.
  dts: { entry: { index: "src/index.ts", checks: "src/checks.ts", node: "src/node.ts" }, compilerOptions: { ignoreDeprecations: "6.0" } },
});
