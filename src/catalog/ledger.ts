/**
 * The release ledger: what was published when, so that a new release is attacked together with what is out already. A file of
 * JSON lines that the agency keeps; each line is one release. It holds no numbers of the tables, only where they are and their hashes.
 */
import { DataError } from "../errors/index.ts";

export interface LedgerTable {
  /** From the folder of the ledger, with "/" between folders. */
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly dimensions: readonly string[];
  readonly measures: readonly string[];
  /** Which dimensions are divided: [["county", "sex"], ["county"], []] has totals over sex and over all. */
  readonly margins: readonly (readonly string[])[];
}

export interface LedgerEntry {
  readonly ledger: 1;
  /** Whom or what the releases are about. Releases of one dataset are attacked jointly. */
  readonly dataset: string;
  readonly release: string;
  readonly version?: string | undefined;
  /** Day of publication, YYYY-MM-DD. */
  readonly date: string;
  readonly tables: readonly LedgerTable[];
  /** Releases that it was attacked together with before it was published. */
  readonly attackedWith?: readonly string[] | undefined;
  /** As in a structure file. */
  readonly structure?: object | undefined;
}

/**
 * Read a ledger. @throws DataError `ledger/unreadable` with the line
 */
export function parseLedger(text: string, fileName: string): LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  text.split("\n").forEach((line, i) => {
    if (line.trim() === "") return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw unreadable(fileName, i + 1, "is not JSON");
    }
    if (!isEntry(value)) throw unreadable(fileName, i + 1, "is no entry of a ledger");
    entries.push(value);
  });
  return entries;
}

/** One line, newline included. */
export function ledgerLine(entry: LedgerEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

/** "2024 report, version 2" */
export function releaseTitle({ release, version }: Pick<LedgerEntry, "release" | "version">): string {
  return version === undefined ? release : `${release}, version ${version}`;
}

/** Whether two entries are the same release. */
export function isSameRelease(a: Pick<LedgerEntry, "dataset" | "release" | "version">, b: Pick<LedgerEntry, "dataset" | "release" | "version">): boolean {
  return a.dataset === b.dataset && a.release === b.release && a.version === b.version;
}

function isEntry(value: unknown): value is LedgerEntry {
  if (!isObject(value) || value["ledger"] !== 1) return false;
  const { dataset, release, version, date, tables, attackedWith, structure } = value;
  return isText(dataset) && isText(release) && (version === undefined || isText(version)) &&
    typeof date === "string" && /^\d{4}-\d{2}-\d{2}$/.test(date) && (structure === undefined || isObject(structure)) &&
    (attackedWith === undefined || isTexts(attackedWith)) &&
    Array.isArray(tables) && tables.length > 0 && tables.every(isTable);
}

function isTable(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { path, bytes, sha256, dimensions, measures, margins } = value;
  return isText(path) && Number.isSafeInteger(bytes) && (bytes as number) >= 0 && typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256) &&
    isTexts(dimensions) && isTexts(measures) && Array.isArray(margins) && margins.every(isTexts);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unreadable(file: string, line: number, why: string): DataError {
  return new DataError(
    "ledger/unreadable",
    `${file}:${line} ${why}. A ledger is written by "commensurate ledger add"; restore it from a copy.`,
    { file, line },
  );
}
