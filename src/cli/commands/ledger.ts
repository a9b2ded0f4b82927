import { basename } from "node:path";
import { describePublished } from "../../audit.ts";
import { isSameRelease, ledgerLine, releaseTitle, type LedgerEntry, type LedgerTable } from "../../catalog/ledger.ts";
import { DataError, PolicyError } from "../../errors/index.ts";
import { fileState, pathInLedger, readLedger, type FileState } from "../../node/ledger-file.ts";
import { hashOf, isFolder, openPublishedFolder } from "../../node/published-folder.ts";
import { parseStructure } from "../../structure-file.ts";
import type { CommandContext } from "../command.ts";
import { EXIT } from "../failure.ts";
import { counted } from "../numbers.ts";
import { readText } from "../read-text.ts";
import { printable } from "../style.ts";
import { textTable } from "../text-table.ts";
import { writeFileAtomically } from "../write-file.ts";

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
  if (!(await isFolder(folder))) throw new DataError("ledger/no-folder", `"${basename(folder)}" is no folder. Name the folder of a published release.`);
  const found = await openPublishedFolder(folder);
  const dataset = options.dataset ?? found.name;
  if (dataset === undefined) throw new PolicyError("ledger/no-dataset", "The folder has no data package that names its dataset. Name it with --dataset.");
  const structure = options.structure === undefined ? {} : parseStructure(await readText(options.structure), basename(options.structure));
  const dimensions = { ...Object.fromEntries([...found.places].map(([name, places]) => [name, { places }])), ...structure.dimensions };
  const stated = { ...structure, ...(Object.keys(dimensions).length === 0 ? {} : { dimensions }) };
  const described = await describePublished(found.files, stated, signal);
  const tables: LedgerTable[] = [];
  for (const [i, file] of found.files.entries()) {
    const { dimensions: columns, measures, margins } = described[i]!;
    tables.push({ path: pathInLedger(options.ledger, file), ...(await hashOf(file)), dimensions: columns, measures, margins });
  }
  const version = options.releaseVersion ?? found.version;
  const entry: LedgerEntry = {
    ledger: 1,
    dataset,
    release: options.release ?? basename(folder),
    ...(version === undefined ? {} : { version }),
    date: options.date ?? found.date ?? new Date().toISOString().slice(0, 10),
    tables,
    ...(Object.keys(stated).length === 0 ? {} : { structure: stated }),
  };
  const entries = await readLedger(options.ledger, true);
  if (entries.some((other) => isSameRelease(other, entry))) {
    throw new DataError(
      "ledger/same-release",
      `The ledger has ${releaseTitle(entry)} of ${dataset} already. Give the new one another --release-version.`,
      { release: entry.release },
    );
  }
  signal.throwIfAborted();
  await writeFileAtomically(options.ledger, [...entries, entry].map(ledgerLine).join(""));
  await console.result({ added: entry }, () => [
    printable(`${releaseTitle(entry)} of ${dataset}, published ${entry.date}: ${counted(tables.length, "table")} added to ${options.ledger}`),
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
