/** The house stands on its import table: a room uses what is below it and nothing else. docs/architecture.md shows the same. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const src = fileURLToPath(new URL("../../src/", import.meta.url));

interface Import {
  /** Path of the importing file, relative to src. */
  readonly from: string;
  /** Specifier as written; relative ones as a path relative to src. */
  readonly to: string;
  readonly isLocal: boolean;
  /** The whole statement is `import type` or `export type`, so nothing of it is left when the program runs. */
  readonly typeOnly: boolean;
}

/** Static imports, re-exports, bare imports and `import("...")` with a plain text. */
function importsOf(file: string, text: string): Import[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
  const found: Import[] = [];
  const add = (specifier: string, typeOnly: boolean): void => {
    const isLocal = specifier.startsWith(".");
    const to = isLocal ? relative(src, normalize(join(dirname(join(src, file)), specifier))) : specifier;
    found.push({ from: file, to, isLocal, typeOnly });
  };
  for (const match of code.matchAll(/^\s*(?:import|export)\s+(type\s+)?[\w*{][^;"']*?\bfrom\s*["']([^"']+)["']/gm)) add(match[2]!, match[1] !== undefined);
  for (const match of code.matchAll(/^\s*import\s*["']([^"']+)["']/gm)) add(match[1]!, false);
  for (const match of code.matchAll(/\b(typeof\s+)?import\s*\(\s*(?:\/\*.*?\*\/\s*)?["']([^"']+)["']/g)) add(match[2]!, match[1] !== undefined);
  return found;
}

const files = (readdirSync(src, { recursive: true }) as string[]).filter((path) => path.endsWith(".ts")).map((path) => path.replaceAll("\\", "/"));
const imports = files.flatMap((file) => importsOf(file, readFileSync(join(src, file), "utf8")));

/** A room, or the corner of one that has a wider view. */
const room = (path: string): string => {
  if (path.startsWith("policy/propose/")) return "policy/propose";
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : path;
};

const FLOOR = ["kernels", "random", "errors"];
const FIRST = [...FLOOR, "columns"];
const SECOND = [...FIRST, "hierarchies", "cells", "sources", "sinks"];
const METHODS = [...FIRST, "hierarchies", "cells"];
/** What each room may import from, besides itself. A `type` entry may be named in types only. */
const TABLE: Readonly<Record<string, readonly string[]>> = {
  kernels: [],
  random: ["errors", "kernels"],
  errors: [],
  columns: ["kernels", "errors"],
  hierarchies: FIRST,
  cells: [...FIRST, "hierarchies"],
  sources: FIRST,
  sinks: FIRST,
  utility: METHODS,
  microdata: [...METHODS, "utility"],
  tables: [...METHODS, "sources"],
  dp: METHODS,
  engines: SECOND,
  policy: ["errors"],
  // Reads data to propose a policy for it; nothing but the command line uses it.
  "policy/propose": [...FIRST, "hierarchies", "sources", "policy"],
  profiles: ["errors", "type policy"],
  catalog: ["errors", "type sinks"],
  release: [...SECOND, "utility", "microdata", "tables", "dp", "engines", "policy", "profiles", "catalog"],
  node: [...SECOND, "engines", "policy", "release", "catalog"],
};

function allowed(from: string, to: string, typeOnly: boolean): boolean {
  if (from === to) return true;
  const may = TABLE[from]!;
  return may.includes(to) || (typeOnly && may.includes(`type ${to}`));
}

describe("import directions", () => {
  test("the reader of imports sees every form", () => {
    const text = [
      'import type { A } from "./a.ts";', 'import {\n  b,\n  type B,\n} from "../b.ts";', 'export { c } from "./c.ts";', 'export * from "zod";',
      'import "./effect.ts";', 'const late = await import("node:fs");', '// import { no } from "./comment.ts";', "type T = typeof import('./t.ts');",
      '/** import { no } from "./comment.ts" */', "import D from './d.ts';", "import * as e from './e.ts';",
    ].join("\n");
    expect(importsOf("cells/x.ts", text).map(({ to, typeOnly }) => (typeOnly ? `type ${to}` : to)).sort()).toEqual(
      ["b.ts", "cells/c.ts", "cells/d.ts", "cells/e.ts", "cells/effect.ts", "node:fs", "type cells/a.ts", "type cells/t.ts", "zod"].sort(),
    );
  });

  test("there is something to look at, and every local import names a file", () => {
    expect(imports.length).toBeGreaterThan(400);
    const known = new Set(files);
    // The random generator's declaration stands beside its importer.
    expect(imports.filter(({ isLocal, to }) => isLocal && !known.has(to) && !to.endsWith(".d.ts") && !to.endsWith("package.json"))).toEqual([]);
  });

  test("every room is in the table", () => {
    const rooms = new Set(files.filter((file) => file.includes("/")).map(room));
    expect([...rooms].filter((name) => name !== "cli" && !(name in TABLE))).toEqual([]);
  });

  test("rooms import lower rooms only", () => {
    const wrong = imports.filter(({ from, to, isLocal, typeOnly }) => {
      if (!isLocal || !from.includes("/") || room(from) === "cli") return false;
      if (isMethodSchema(to) && ["policy", "policy/propose", "release"].includes(room(from))) return false;
      return !allowed(room(from), room(to), typeOnly);
    });
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  test("policy sees nothing of methods but their schemas", () => {
    const seen = imports.filter(({ from, to, isLocal }) => isLocal && room(from) === "policy" && !["policy", "errors"].includes(room(to)));
    expect(seen.filter(({ to }) => !isMethodSchema(to)).map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  test("methods do not import one another, and are used through their index, schema, measure or check", () => {
    const METHOD_ROOMS = ["microdata", "tables", "dp"];
    const methodOf = (path: string): string | undefined => (METHOD_ROOMS.includes(room(path)) ? path.split("/").slice(0, 2).join("/") : undefined);
    const wrong = imports.filter(({ from, to, isLocal, typeOnly }) => {
      const method = isLocal ? methodOf(to) : undefined;
      if (method === undefined || methodOf(from) === method) return false;
      if (methodOf(from) !== undefined) return !(typeOnly || SHARED.some(([user, used]) => methodOf(from) === user && to === used) || isGround(from, to));
      return !/\/(?:index|schema|measure|check|memory|class-sizes)\.ts$/.test(to);
    });
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  test("node modules are imported by node/ and cli/ only", () => {
    const wrong = imports.filter(({ from, to }) => to.startsWith("node:") && !["node", "cli"].includes(room(from)));
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  test("zod is imported by schemas and the policy room only", () => {
    const wrong = imports.filter(({ from, to }) => /^zod(?:\/|$)/.test(to) && room(from) !== "policy" && !from.endsWith("/schema.ts"));
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  test("seeded random numbers are reached by rehearsals only, and Math.random by nothing", () => {
    const seeded = imports.filter(({ from, to }) => to.startsWith("seedrandom") && !from.endsWith(".d.ts")).map(({ from }) => from);
    expect([...new Set(seeded)]).toEqual(["random/rehearsal-bits.ts"]);
    const rehearsals = imports.filter(({ to, typeOnly }) => to === "random/rehearsal-bits.ts" && !typeOnly).map(({ from }) => from);
    expect(new Set(rehearsals)).toEqual(new Set(["release/roads/noise-bits.ts"]));
    expect(files.filter((file) => /Math\.random/.test(readFileSync(join(src, file), "utf8")))).toEqual([]);
  });

  test("verification shares no writer, planner or suppression code with what it verifies", () => {
    const reached = reachable("release/verify/released-csv.ts");
    expect([...reached].filter((path) => /^(?:sinks|engines|sources)\/|\/(?:plan|protect|suppress)\.ts$/.test(path))).toEqual([]);
    const audit = reachable("tables/audit/index.ts");
    expect([...audit].filter((path) => /^sinks\/|^tables\/(?:small-cells|tabulate)\/|sparse-elimination/.test(path))).toEqual([]);
  });
});

/** Uses of one method by another that are meant: a measure that several build on. */
/** What all methods on tables stand on: the system of cells, the solver, and the contract of methods that change counts. */
function isGround(from: string, to: string): boolean {
  return from.startsWith("tables/") && (to === "tables/tabulate/index.ts" || to === "tables/solver/index.ts" || to.startsWith("tables/perturbation/"));
}

const SHARED: readonly (readonly [user: string, used: string])[] = [
  ["microdata/k-anonymity", "microdata/risk/index.ts"],
  ["microdata/k-anonymity", "microdata/risk/class-sizes.ts"],
  ["microdata/k-anonymity", "microdata/risk/memory.ts"],
  // The planner puts its own result to the attacker before anybody else does.
  ["tables/small-cells", "tables/audit/index.ts"],
  ["tables/published-files", "tables/audit/index.ts"],
  ["tables/cell-suppression", "tables/primary-rules/schema.ts"],
  ["tables/cell-suppression", "tables/primary-rules/index.ts"],
  ["tables/cell-suppression", "tables/small-cells/index.ts"],
  ["tables/cell-suppression", "tables/small-cells/schema.ts"],
  ["tables/cell-suppression", "tables/audit/index.ts"],
  ["dp/noisy-counts", "dp/accounting/index.ts"],
];

function isMethodSchema(path: string): boolean {
  return /^(?:microdata|tables|dp)\/[^/]+\/schema\.ts$/.test(path) || path === "hierarchies/schema.ts";
}

/** Every file whose code a file needs when it runs. */
function reachable(start: string): Set<string> {
  const seen = new Set<string>([start]);
  const open = [start];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    for (const { from, to, isLocal, typeOnly } of imports) {
      if (from !== file || !isLocal || typeOnly || seen.has(to)) continue;
      seen.add(to);
      open.push(to);
    }
  }
  return seen;
}
