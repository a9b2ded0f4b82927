/** Folders of published tables: releases of commensurate, data packages, or just files side by side. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { DataError } from "../errors/index.ts";
import { hashFile } from "./hash.ts";
import { inputError } from "./input-file.ts";

export interface PublishedFolder {
  /** As its data package says. */
  readonly name: string | undefined;
  readonly version: string | undefined;
  readonly date: string | undefined;
  /** One file for each table, sorted. */
  readonly files: readonly string[];
  /** What its data package says of its tables, unchecked, and the name there of each file. */
  readonly described?: unknown;
  readonly tables: ReadonlyMap<string, string>;
  /** Places of dimensions as a release's plan lists them: dimension -> places with the index of what holds them. */
  readonly places: ReadonlyMap<string, readonly { readonly level: string; readonly label: string | null; readonly parent: number }[]>;
}

const TABLE = /\.(csv|csv\.gz|tsv|arrow|arrows|feather|parquet)$/i;

/**
 * Find the tables of a folder: those of its data package (its own or in `public/`; with the totals that a release keeps for
 * itself), else every data file in it.
 *
 * @throws DataError `audit/no-tables`, `audit/changed-file` when a file is not the one that its data package describes, `source/...`
 */
export async function openPublishedFolder(folder: string): Promise<PublishedFolder> {
  for (const root of [join(folder, "public"), folder]) {
    const text = await readIfThere(join(root, "datapackage.json"));
    if (text === undefined) continue;
    const found = resourcesOf(text, join(root, "datapackage.json"));
    const files: string[] = [];
    const tables = new Set<string>();
    const names = new Map<string, string>();
    for (const { path, bytes, hash } of found.resources) {
      // The same table in several formats is read once.
      const table = path.replace(TABLE, "");
      if (!TABLE.test(path) || tables.has(table)) continue;
      tables.add(table);
      const file = join(root, path);
      const actual = await hashOf(file);
      if ((hash !== undefined && hash !== `sha256:${actual.sha256}`) || (bytes !== undefined && bytes !== actual.bytes)) {
        throw new DataError(
          "audit/changed-file",
          `"${path}" is not the file that datapackage.json describes: size or hash differ. Audit what was published.`,
          { file: path },
        );
      }
      const read = (await keptTotals(folder, path)) ?? file;
      files.push(read);
      names.set(read, basename(table));
    }
    if (files.length > 0) {
      return { name: found.name, version: found.version, date: found.date, files, described: found.described, tables: names, places: await placesOf(folder) };
    }
  }
  const names = await readdir(folder).catch((error: unknown) => {
    throw inputError(folder, error);
  });
  const files = names.filter((name) => TABLE.test(name)).sort().map((name) => join(folder, name));
  if (files.length === 0) {
    throw new DataError(
      "audit/no-tables",
      `"${basename(folder)}" holds neither a data package with tables nor CSV, Arrow or Parquet files. Name the files themselves.`,
      { folder: basename(folder) },
    );
  }
  return { name: undefined, version: undefined, date: undefined, files, tables: new Map(), places: new Map() };
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then((found) => found.isDirectory(), () => false);
}

/** @throws DataError `source/...` */
export async function hashOf(path: string): Promise<{ readonly sha256: string; readonly bytes: number }> {
  try {
    return await hashFile(path);
  } catch (error) {
    throw inputError(path, error);
  }
}

interface Resource {
  readonly path: string;
  readonly bytes: number | undefined;
  readonly hash: string | undefined;
}

function resourcesOf(text: string, path: string): { name?: string; version?: string; date?: string; described?: unknown; resources: Resource[] } {
  const value = parsed(text, path);
  const list: unknown = value["resources"];
  const resources = (Array.isArray(list) ? (list as unknown[]) : []).map((resource): Resource => {
    const { path: file, bytes, hash } = (typeof resource === "object" && resource !== null ? resource : {}) as Record<string, unknown>;
    if (typeof file !== "string" || !/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))[^\\:]+$/.test(file)) {
      throw new DataError("audit/unreadable-package", "A resource in datapackage.json has no path below its folder.", { file: basename(path) });
    }
    return { path: file, bytes: typeof bytes === "number" ? bytes : undefined, hash: typeof hash === "string" ? hash : undefined };
  });
  const text_ = (key: string): string | undefined => (typeof value[key] === "string" && value[key] !== "" ? (value[key] as string) : undefined);
  const name = text_("name");
  const version = text_("version");
  const date = text_("created")?.slice(0, 10);
  return { resources, described: value["commensurate"], ...(name && { name }), ...(version && { version }), ...(date && { date }) };
}

function parsed(text: string, path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new DataError("audit/unreadable-package", `"${basename(path)}" is not JSON. Restore it, or name the tables themselves.`, { file: basename(path) });
}

/**
 * Where a release leaves out totals that are published elsewhere, or counts that other numbers stand in for, it keeps the table
 * with them under `internal/`. Whoever attacks the release knows the totals.
 */
async function keptTotals(folder: string, table: string): Promise<string | undefined> {
  for (const kept of ["with-totals", "with-counts"]) {
    const file = join(folder, "internal", kept, `${table.replace(TABLE, "")}.csv`);
    if (await stat(file).then((found) => found.isFile(), () => false)) return file;
  }
  return undefined;
}

/** How categories nest, from the plan that a release of commensurate keeps. */
async function placesOf(folder: string): Promise<PublishedFolder["places"]> {
  const places = new Map<string, readonly { level: string; label: string | null; parent: number }[]>();
  const text = await readIfThere(join(folder, "internal", "plan.json"));
  if (text === undefined) return places;
  const decision = parsed(text, "plan.json")["decision"] as Record<string, unknown> | undefined;
  const dimensions: unknown = decision?.["dimensions"];
  if (!Array.isArray(dimensions)) return places;
  for (const dimension of dimensions as unknown[]) {
    const { column, places: list } = (dimension ?? {}) as Record<string, unknown>;
    if (typeof column !== "string" || !Array.isArray(list)) continue;
    places.set(column, (list as ({ level?: unknown; label?: unknown; parent?: unknown } | null)[]).map((place) => place ?? {}).map(({ level, label, parent }) => ({
      level: level === -1 ? "total" : String(level), label: typeof label === "string" ? label : null, parent: typeof parent === "number" ? parent : -1,
    })));
  }
  return places;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || (error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw inputError(path, error);
  }
}
