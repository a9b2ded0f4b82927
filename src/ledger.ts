/** The release ledger: what is out is written down, and a new release is attacked together with it before it appears. */
import { auditPublished, describePublished, statedStructure } from "./audit.ts";
import { releaseTitle, type LedgerEntry, type LedgerTable } from "./catalog/ledger.ts";
import { DataError, DisclosureError, PolicyError } from "./errors/index.ts";
import type { Policy } from "./policy/index.ts";
import { roadFor, type Plan, type Released, type Stage } from "./release/index.ts";
import type { TableStructure } from "./tables/published-files/index.ts";

export type { LedgerEntry, LedgerTable } from "./catalog/ledger.ts";

export interface LedgerAddOptions {
  /** Path of the ledger, a file of JSON lines; made when it is not there. */
  readonly ledger: string;
  /** What the release is about. Default: the name in its data package. */
  readonly dataset?: string | undefined;
  /** Default: the name of the folder. */
  readonly release?: string | undefined;
  /** Default: the version in its data package. */
  readonly version?: string | undefined;
  /** Day of publication, YYYY-MM-DD. Default: the data package's, else today. */
  readonly date?: string | undefined;
  /** What the files do not show: an object, or the path of a YAML or JSON file. */
  readonly structure?: TableStructure | string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Write a published release into a ledger: its tables, their hashes, how they add up. The tables stay where they are.
 * @param folder a release, a data package, or files side by side
 * @throws DataError `ledger/no-folder`, `ledger/same-release`, `output/...`, and those of the audit for files that are no tables;
 *   PolicyError `ledger/no-dataset`
 */
export async function addToLedger(folder: string, options: LedgerAddOptions): Promise<LedgerEntry> {
  const { withLockedLedger } = await import("./node/ledger-file.ts");
  return withLockedLedger(options.ledger, () => writeDown(folder, options));
}

async function writeDown(folder: string, options: LedgerAddOptions, attackedWith?: readonly string[]): Promise<LedgerEntry> {
  const { appendToLedger, pathInLedger } = await import("./node/ledger-file.ts");
  const { hashOf, isFolder, openPublishedFolder } = await import("./node/published-folder.ts");
  const { lastPart } = await import("./node/paths.ts");
  if (!(await isFolder(folder))) throw new DataError("ledger/no-folder", `"${lastPart(folder)}" is no folder. Name the folder of a published release.`);
  const found = await openPublishedFolder(folder);
  const dataset = options.dataset ?? found.name;
  if (dataset === undefined) throw new PolicyError("ledger/no-dataset", "The folder has no data package that names its dataset. Name it (--dataset).");
  const { tables: described, structure: stated } = await describePublished(found, await statedStructure(options.structure), options.signal);
  const tables: LedgerTable[] = [];
  for (const [i, file] of found.files.entries()) {
    const { dimensions: columns, measures, margins } = described[i]!;
    tables.push({ path: pathInLedger(options.ledger, file), ...(await hashOf(file)), dimensions: columns, measures, margins });
  }
  const version = options.version ?? found.version;
  const entry: LedgerEntry = {
    ledger: 1,
    dataset,
    release: options.release ?? lastPart(folder),
    ...(version === undefined ? {} : { version }),
    date: options.date ?? found.date ?? new Date().toISOString().slice(0, 10),
    tables,
    ...(attackedWith === undefined ? {} : { attackedWith }),
    ...(Object.keys(stated).length === 0 ? {} : { structure: stated }),
  };
  options.signal?.throwIfAborted();
  await appendToLedger(options.ledger, entry);
  return entry;
}

/**
 * Publish only what stays safe beside everything that the ledger says is out about the same dataset, and write it down then.
 * Nobody else may write to the ledger meanwhile.
 * @param publish runs the corridor; the hook it is given is called with what was verified and is about to be published
 * @throws DisclosureError `release/falls-with-earlier` when hidden counts fall by what is out; nothing is published
 * @throws PolicyError `release/ledger-method` for methods whose numbers do not add up exactly
 * @throws DataError `ledger/...`
 */
export async function releaseWithLedger(
  ledger: string, policy: Policy, out: string, signal: AbortSignal | undefined,
  publish: (beforePublish: (plan: Plan, stage: Stage) => Promise<void>) => Promise<Released>,
): Promise<Released> {
  if ((await roadFor(policy)).addsUp !== true) {
    throw new PolicyError(
      "release/ledger-method",
      `A ledger attacks tables of exact counts together; the numbers of ${policy.release.protect[0]!.method} are not of that kind. Release without a ledger.`,
    );
  }
  const { pathFromLedger, readLedger, refuseSameRelease, requireUnchanged, withLockedLedger } = await import("./node/ledger-file.ts");
  const { isWithin, lastPart } = await import("./node/paths.ts");
  const { name: dataset, version } = policy.dataset;
  return withLockedLedger(ledger, async () => {
    const entries = (await readLedger(ledger, true)).filter((entry) => entry.dataset === dataset);
    refuseSameRelease(entries, { dataset, release: lastPart(out), version });
    await requireUnchanged(ledger, entries);
    const replaced = entries.find(({ tables }) => tables.some((table) => isWithin(out, pathFromLedger(ledger, table))));
    if (replaced !== undefined) {
      throw new DataError(
        "ledger/would-replace",
        `The folder holds ${releaseTitle(replaced)}, which the ledger says is out: what was published stays known. Name another folder.`,
        { release: replaced.release },
      );
    }
    const released = await publish(async (plan, stage) => {
      if (entries.length > 0) await refuseWhatFalls(plan, stage, ledger, dataset, entries, signal);
    });
    await writeDown(released.directory, { ledger, dataset, version, date: new Date().toISOString().slice(0, 10) }, entries.map(releaseTitle));
    return released;
  });
}

async function refuseWhatFalls(
  plan: Plan, stage: Stage, ledger: string, dataset: string, entries: readonly LedgerEntry[], signal: AbortSignal | undefined,
): Promise<void> {
  const { rule } = plan.decision as { rule?: { threshold: number; interval: number; zeros: "publish" | "protect" } };
  if (rule === undefined || stage.reader.location === undefined) throw new PolicyError("release/ledger-method", "This release cannot be attacked together with others.");
  const { threshold, interval, zeros } = rule;
  // A hidden count that is certain to be large was hidden to protect others, unless another rule may have named it.
  const derivable = plan.decision.method === "small-cells" ? "small" : "any";
  const { verdict, falling, findings } = await auditPublished(stage.reader.location("."), { ledger, dataset, threshold, interval, zeros, derivable, signal });
  if (verdict === "clean") return;
  const others = findings.filter(({ kind }) => kind !== "blank-falls").length;
  throw new DisclosureError(
    "release/falls-with-earlier",
    `Beside what is out already (${entries.map(releaseTitle).join(", ")}), ${falling} hidden counts of this or an earlier release can be narrowed to fewer than ` +
      `${interval} possible values${others === 0 ? "" : `; ${others} other findings`}. Nothing was published. Stage it with apply, ` +
      "and commensurate audit with the same ledger names each cell and how it falls; then publish fewer margins, coarser levels, or the same blanks.",
    { falling, otherFindings: others, releases: entries.length },
  );
}
