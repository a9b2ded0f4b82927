import { copyFile } from "node:fs/promises";
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
  // A cold start is mostly the reading of modules: zod alone is 95 files, most of them for languages that are not used here.
  noExternal: ["zod"],
  esbuildOptions(options) {
    // Less text to read at the start; names stay, so that stack traces can be read.
    options.minifyWhitespace = true;
    options.minifySyntax = true;
  },
  async onSuccess() {
    await copyFile("node_modules/zod/LICENSE", "dist/zod.LICENSE");
  },
  // TypeScript 6 rejects the baseUrl that tsup sets for declarations unless told that it is known.
  dts: { entry: { index: "src/index.ts", checks: "src/checks.ts", node: "src/node.ts" }, compilerOptions: { ignoreDeprecations: "6.0" } },
});
