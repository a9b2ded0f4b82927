/** What a user installs: the built files and their documents, few dependencies, nothing that runs by itself. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(`${root}${path}`, "utf8");
const manifest = JSON.parse(read("package.json")) as {
  readonly name: string; readonly engines: Record<string, string>; readonly scripts: Record<string, string>;
  readonly dependencies: Record<string, string>; readonly peerDependencies: Record<string, string>;
  readonly peerDependenciesMeta: Record<string, { optional?: boolean }>; readonly bin: Record<string, string>;
  readonly exports: Record<string, string | Record<string, string>>;
};

describe("package.json", () => {
  test("runs nothing on installation", () => {
    const scripts = Object.keys(manifest.scripts);
    expect(scripts.filter((name) => /^(?:pre|post)?(?:install|prepare|pack|publish|uninstall)|^dependencies$/.test(name))).toEqual([]);
  });

  test("needs at most six packages, in exact versions, and others only as optional peers", () => {
    expect(Object.keys(manifest.dependencies).length).toBeLessThanOrEqual(6);
    expect(Object.values(manifest.dependencies).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    expect(Object.keys(manifest.peerDependencies).filter((name) => manifest.peerDependenciesMeta[name]?.optional !== true)).toEqual([]);
  });

  test("says which Node it needs", () => {
    expect(manifest.engines).toEqual({ node: ">=20" });
  });
});

describe("package-lock.json", () => {
  const text = read("package-lock.json");
  const lock = JSON.parse(text) as { readonly packages: Record<string, { readonly integrity?: string; readonly link?: boolean }> };

  test("pins every package by its hash and names no registry", () => {
    const packages = Object.entries(lock.packages).filter(([path]) => path !== "");
    expect(packages.length).toBeGreaterThan(20);
    expect(packages.filter(([, { integrity }]) => integrity === undefined).map(([path]) => path)).toEqual([]);
    expect(text).not.toMatch(/"resolved"/);
    expect(`${text}${read(".npmrc")}${read("package.json")}`).not.toMatch(/registry\s*=|https?:\/\/[^"\s/]*(?:registry|npm|artifact|mirror|proxy)/i);
  });

  test("belongs to this package.json", () => {
    const own = lock.packages[""] as unknown as { readonly dependencies: object };
    expect(own.dependencies).toEqual(manifest.dependencies);
  });
});

describe("npm pack", () => {
  const [packed] = JSON.parse(
    execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
  ) as [{ readonly files: readonly { readonly path: string }[]; readonly unpackedSize: number }];
  const paths = packed.files.map(({ path }) => path);

  test("holds the built files, the schema and the documents, and nothing else", () => {
    const allowed = /^(?:dist\/[\w./-]+\.(?:js|d\.ts)|dist\/zod\.LICENSE|schema\/policy\.schema\.json|README\.md|CHANGELOG\.md|LICENSE|package\.json)$/;
    expect(paths.filter((path) => !allowed.test(path))).toEqual([]);
    for (const path of ["README.md", "CHANGELOG.md", "LICENSE", "schema/policy.schema.json", "dist/lane-worker.js"]) expect(paths).toContain(path);
    expect(packed.unpackedSize).toBeLessThan(5_000_000);
  });

  test("holds every file that package.json points to", () => {
    const targets = [...Object.values(manifest.bin), ...Object.values(manifest.exports).flatMap((target) => (typeof target === "string" ? [target] : Object.values(target)))];
    expect(targets.filter((target) => !paths.includes(target.replace(/^\.\//, "")))).toEqual([]);
  });

  test("holds no path of the machine that built it", () => {
    const built = paths.filter((path) => path.startsWith("dist/"));
    expect(built.filter((path) => read(path).includes(root))).toEqual([]);
  });
});
