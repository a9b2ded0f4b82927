import { readFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { isSameRelease, ledgerLine, parseLedger, releaseTitle, type LedgerEntry, type LedgerTable } from "../catalog/ledger.ts";
import { DataError } from "../errors/index.ts";
import { nodeFileSystem } from "./file-system.ts";
import { inputError } from "./input-file.ts";
import { hashOf } from "./published-folder.ts";
import { lockTarget, sweepLocks } from "./target-lock.ts";
import { writeFileAtomically } from "./write-file.ts";

/** Entries of a ledger file. @param orEmpty a ledger that is not there yet has none @throws DataError `ledger/...`, `source/...` */
export async function readLedger(path: string, orEmpty = false): Promise<LedgerEntry[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (orEmpty && (error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw inputError(path, error);
  }
  return parseLedger(text, basename(path));
}

/** Path of a table as a ledger keeps it: from the ledger's own folder, so that both can move together. */
export function pathInLedger(ledger: string, file: string): string {
  return relative(resolve(dirname(ledger)), resolve(file)).split(sep).join("/");
}

export function pathFromLedger(ledger: string, { path }: Pick<LedgerTable, "path">): string {
  return join(dirname(ledger), path);
}

export type FileState = "unchanged" | "changed" | "missing";

/** Whether a file of the ledger is still what was published. */
export async function fileState(ledger: string, table: LedgerTable): Promise<FileState> {
  try {
    const { sha256, bytes } = await hashOf(pathFromLedger(ledger, table));
    return sha256 === table.sha256 && bytes === table.bytes ? "unchanged" : "changed";
  } catch (error) {
    if (error instanceof DataError) return "missing";
    throw error;
  }
}

/** @throws DataError `ledger/changed-file` unless every file of the entries is still what was published */
export async function requireUnchanged(ledger: string, entries: readonly LedgerEntry[]): Promise<void> {
  for (const entry of entries) {
    for (const table of entry.tables) {
      const state = await fileState(ledger, table);
      if (state === "unchanged") continue;
      throw new DataError(
        "ledger/changed-file",
        `"${table.path}" of ${releaseTitle(entry)} ${state === "missing" ? "cannot be read" : "is not the file that was published"}, so what is out cannot be ` +
          "attacked. Restore it from a copy.",
        { file: table.path },
      );
    }
  }
}

/** @throws DataError `ledger/same-release` when the ledger has a release of that name */
export function refuseSameRelease(entries: readonly LedgerEntry[], entry: Pick<LedgerEntry, "dataset" | "release" | "version">): void {
  if (!entries.some((other) => isSameRelease(other, entry))) return;
  throw new DataError(
    "ledger/same-release",
    `The ledger has ${releaseTitle(entry)} of ${entry.dataset} already. Give the new one another name or version.`,
    { release: entry.release },
  );
}

/** Write one more release down; the ledger has it whole or is as it was. For the holder of the ledger's lock. */
export async function appendToLedger(path: string, entry: LedgerEntry): Promise<void> {
  const entries = await readLedger(path, true);
  refuseSameRelease(entries, entry);
  await writeFileAtomically(path, [...entries, entry].map(ledgerLine).join(""));
}

/**
 * Let nobody else write to a ledger meanwhile.
 * @throws DataError `output/locked` when somebody does
 */
export async function withLockedLedger<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  const folder = dirname(resolve(path));
  const name = `.${basename(path)}.lock`;
  const lock = await lockTarget(join(folder, name), nodeFileSystem);
  try {
    await sweepLocks(folder, name, nodeFileSystem);
    return await work();
  } finally {
    await lock.release();
  }
}
