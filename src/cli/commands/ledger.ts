import { releaseTitle, type LedgerEntry } from "../../catalog/ledger.ts";
import { addToLedger } from "../../ledger.ts";
import { fileState, readLedger, type FileState } from "../../node/ledger-file.ts";
import type { CommandContext } from "../command.ts";
import { EXIT } from "../failure.ts";
import { counted } from "../numbers.ts";
import { printable } from "../style.ts";
import { textTable } from "../text-table.ts";

export interface LedgerAddOptions {
  readonly ledger: string;
  readonly dataset?: string;
  readonly release?: string;
  readonly releaseVersion?: string;
  readonly date?: string;
  readonly structure?: string;
}

/** Write a release down. The tables stay where they are; the ledger has their hashes. */
export async function ledgerAdd(folder: string, options: LedgerAddOptions, { console, signal }: CommandContext): Promise<number> {
  const { releaseVersion: version, ...rest } = options;
  const entry = await addToLedger(folder, { ...rest, version, signal });
  await console.result({ added: entry }, () => [
    printable(`${releaseTitle(entry)} of ${entry.dataset}, published ${entry.date}: ${counted(entry.tables.length, "table")} added to ${options.ledger}`),
  ]);
  return EXIT.ok;
}

export async function ledgerList(
  options: { readonly ledger: string; readonly dataset?: string }, { console }: CommandContext,
): Promise<number> {
  const entries = (await readLedger(options.ledger)).filter(({ dataset }) => options.dataset === undefined || dataset === options.dataset);
  const releases: (Pick<LedgerEntry, "dataset" | "release" | "version" | "date"> & { tables: { path: string; state: FileState }[] })[] = [];
  for (const entry of entries) {
    const states: { path: string; state: FileState }[] = [];
    for (const table of entry.tables) states.push({ path: table.path, state: await fileState(options.ledger, table) });
    releases.push({ dataset: entry.dataset, release: entry.release, version: entry.version, date: entry.date, tables: states });
  }
  const changed = releases.flatMap(({ tables }) => tables.filter(({ state }) => state !== "unchanged"));
  await console.result({ verdict: changed.length === 0 ? "clean" : "finding", releases }, () => [
    ...textTable(
      [{ title: "date" }, { title: "dataset" }, { title: "release" }, { title: "table" }, { title: "file" }],
      releases.flatMap((release) => release.tables.map(({ path, state }) =>
        [release.date, release.dataset, releaseTitle(release), path, state].map(printable))),
    ),
    ...(changed.length === 0 ? [] : ["", `FINDING  ${counted(changed.length, "file")} of the ledger ${changed.length === 1 ? "is" : "are"} not as published.`]),
  ]);
  return changed.length === 0 ? EXIT.ok : EXIT.finding;
}
