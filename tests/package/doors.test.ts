/** What the package exports is a promise: every change of it shows here. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** Names that a door exports, types marked. Doors are hand-written lists, so their text says it all. */
function exportsOf(door: string): string[] {
  const text = readFileSync(fileURLToPath(new URL(`../../src/${door}.ts`, import.meta.url)), "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "");
  expect(text).not.toMatch(/export\s+(?:\*|default|const|let|function|class)/);
  const names: string[] = [];
  for (const [, type, list] of text.matchAll(/export\s+(type\s+)?\{([^}]*)\}/g)) {
    for (const entry of list!.split(",").map((part) => part.trim()).filter((part) => part !== "")) {
      const isType = type !== undefined || entry.startsWith("type ");
      const name = entry.replace(/^type /, "").replace(/^.* as /, "");
      names.push(isType ? `type ${name}` : name);
    }
  }
  expect(new Set(names).size).toBe(names.length);
  return names.sort();
}

test('the door "."', () => {
  expect(exportsOf("index")).toEqual([
    "CommensurateError", "DataError", "DisclosureError", "InternalError", "MemoryRelease", "PolicyError",
    "addToLedger", "apply", "assess", "auditPublished", "createHierarchy", "definePolicy", "explain", "findGeneralization", "fold", "merge", "parseHierarchyCsv", "parsePolicy",
    "plan", "policyJsonSchema", "proposePolicy", "release", "rollUp",
    "type ApplyOptions", "type AssessOptions", "type Assessment", "type AuditFinding", "type AuditPublishedOptions", "type AuditedCell", "type Batch", "type BoundHierarchy", "type CellAddress", "type Cells", "type Check",
    "type CodeMap", "type Decision", "type Dictionary", "type ErrorDetail", "type Evidence", "type ExplainOptions", "type HiddenCell", "type Hierarchy", "type HierarchyRule",
    "type KAnonymityPlan", "type KAnonymitySearch", "type LedgerAddOptions", "type LedgerEntry", "type LedgerTable", "type ParseOptions", "type Plan", "type PlanOptions", "type Policy",
    "type PolicyInput", "type Progress", "type ProposeOptions", "type PublishedAudit", "type PublishedInput", "type ReleaseOptions", "type ReleaseReader", "type ReleaseTarget", "type Released", "type Requirement", "type RiskAssessment",
    "type Source", "type SourceInput", "type Stage", "type TableStructure", "type VerifyOptions",
    "verify",
  ]);
});

test('the door "./checks"', () => {
  expect(exportsOf("checks")).toEqual([
    "CommensurateError", "DataError", "PolicyError", "checkKAnonymity", "checkSmallCells", "equivalenceClassSizes", "riskMeasures",
    "type ArrowLikeChunk", "type ArrowLikeTable", "type ArrowLikeVector", "type ClassRisk", "type ClassSizeCount", "type ColumnsByName",
    "type ErrorDetail", "type KAnonymityCheck", "type KAnonymityMeasure", "type KeysOption", "type MemoryColumn", "type MemoryTable",
    "type SmallCell", "type SmallCellsCheck", "type SmallCellsReport",
  ]);
});

test('the door "./node"', () => {
  expect(exportsOf("node")).toEqual([
    "addToLedger", "apply", "assess", "auditPublished", "createSpill", "explain", "loadPolicy", "openFileSource", "plan", "proposePolicy", "release", "type FileSettings", "verify",
  ]);
});
