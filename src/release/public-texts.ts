import { dataDictionaryCsv, dataPackage, publicReadme, type FileRecord, type ReleaseDescription } from "../catalog/index.ts";
import type { Policy } from "../policy/index.ts";
import type { DescribedTables } from "../tables/published-files/index.ts";
import type { Decision } from "./plan-value.ts";
import type { Road } from "./road.ts";

export const PLAN_PATH = "internal/plan.json";
export const EVIDENCE_PATH = "internal/evidence.json";
export const MANIFEST_PATH = "public/manifest.json";

/** What the public is told: a function of the policy and the decision alone, never of records. */
export function describeRelease(policy: Policy, road: Road, decision: Decision, columns: readonly string[]): ReleaseDescription {
  const { dataset } = policy;
  const told = road.describe(policy, decision, columns);
  // Changed numbers do not add up, and hide nothing that could be computed.
  const changed: DescribedTables = { format: "commensurate/tables@1", numbers: "changed", dimensions: {}, tables: {} };
  const described = told.described ?? (policy.release.kind === "tables" ? changed : undefined);
  return {
    name: dataset.name,
    title: dataset.title ?? dataset.name,
    description: dataset.description,
    publisher: dataset.publisher,
    contact: dataset.contact,
    license: dataset.license ?? "notspecified",
    released: dataset.released,
    version: dataset.version,
    keywords: dataset.keywords,
    ...told,
    ...(described === undefined ? {} : { described }),
  };
}

/** Texts that go with the data, by path, in the order in which they are written; the manifest is the last. */
export function publicTexts(description: ReleaseDescription, dataFiles: ReadonlyMap<string, FileRecord>): Map<string, string> {
  return new Map([
    ["public/README.md", publicReadme(description)],
    ["public/data-dictionary.csv", dataDictionaryCsv(description)],
    ["public/datapackage.json", jsonText(dataPackage(description, dataFiles))],
  ]);
}

/** The manifest lists every public file but itself. */
export function manifestText(files: readonly FileRecord[]): string {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  return jsonText({ format: "commensurate/manifest@1", files: sorted });
}

export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
