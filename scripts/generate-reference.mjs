/** Writes schema/policy.schema.json and docs/policy-reference.md from the sources. Run by `npm run docs`. */
import { build } from "esbuild";
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { policyReference } from "./policy-reference.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const bundle = `${root}node_modules/.cache/generate-reference/policy.mjs`;
await build({
  stdin: {
    contents: 'export { policyJsonSchema } from "./src/policy/json-schema.ts"; export { baseline } from "./src/profiles/baseline.ts";',
    resolveDir: root,
    loader: "ts",
  },
  bundle: true,
  platform: "node",
  format: "esm",
  packages: "external",
  outfile: bundle,
});
const { policyJsonSchema, baseline } = await import(pathToFileURL(bundle).href);

const schema = policyJsonSchema();
await mkdir(`${root}schema`, { recursive: true });
await mkdir(`${root}docs`, { recursive: true });
await writeFile(`${root}schema/policy.schema.json`, `${JSON.stringify(schema, null, 2)}\n`);
await writeFile(`${root}docs/policy-reference.md`, policyReference(schema, baseline));
