import { basename } from "node:path";
import { auditPublished, type PublishedAudit, type PublishedInput } from "../../audit.ts";
import { isFolder } from "../../node/published-folder.ts";
import { parseStructure } from "../../structure-file.ts";
import type { TableStructure } from "../../tables/published-files/index.ts";
import type { CommandContext } from "../command.ts";
import type { Console } from "../console.ts";
import { openDataFile } from "../data-file.ts";
import { describeAudit } from "../describe-audit.ts";
import { EXIT } from "../failure.ts";
import { readText } from "../read-text.ts";

export interface AuditCommandOptions {
  readonly threshold?: number;
  readonly interval?: number;
  readonly zeros?: "publish" | "protect";
  readonly codes?: "merged" | "separate";
  readonly missingRows?: "empty" | "unknown";
  readonly insiders?: "members" | "alone";
  readonly count?: readonly string[];
  readonly dimensions?: readonly string[];
  readonly across?: string;
  readonly total?: readonly string[];
  readonly primary?: readonly string[];
  readonly complementary?: readonly string[];
  readonly hidden?: readonly string[];
  readonly hideMarked?: boolean;
  readonly structure?: string;
  readonly earlier?: readonly string[];
  readonly ledger?: string;
  readonly dataset?: string;
  readonly delimiter?: string;
  readonly all?: boolean;
}

export async function audit(files: readonly string[], options: AuditCommandOptions, { console, signal }: CommandContext): Promise<number> {
  const found = await auditPublished(await open(files, options.delimiter, console), {
    ...optionsOf(options),
    structure: await structureOf(options),
    earlier: await open(options.earlier ?? [], options.delimiter, console),
    ledger: options.ledger,
    dataset: options.dataset,
    signal,
    onProgress: console.onProgress,
  });
  await report(found, options.all === true, console);
  return found.verdict === "clean" ? EXIT.ok : EXIT.finding;
}

async function report(found: PublishedAudit, all: boolean, console: Console): Promise<void> {
  await console.result(found, () => describeAudit(found, all, console.paint));
}

function optionsOf(options: AuditCommandOptions): Parameters<typeof auditPublished>[1] {
  const { threshold, interval, zeros, codes, missingRows, insiders, count, dimensions, across, total, hideMarked } = options;
  return { threshold, interval, zeros, codes, missingRows, insiders, values: count, dimensions, across, totals: total, hideMarked };
}

/** The structure file, with marks from the command line added to it. */
async function structureOf({ structure, primary, complementary, hidden }: AuditCommandOptions): Promise<TableStructure> {
  const stated = structure === undefined ? {} : parseStructure(await readText(structure), basename(structure));
  const { markers = {} } = stated;
  return {
    ...stated,
    markers: {
      ...markers,
      primary: [...(markers.primary ?? []), ...(primary ?? [])],
      complementary: [...(markers.complementary ?? []), ...(complementary ?? [])],
      hidden: [...(markers.hidden ?? []), ...(hidden ?? [])],
    },
  };
}

/** Files as sources, so that a delimiter can be found and said; folders are left to the library. */
async function open(paths: readonly string[], delimiter: string | undefined, console: Console): Promise<PublishedInput[]> {
  const inputs: PublishedInput[] = [];
  for (const path of paths) {
    if (await isFolder(path)) {
      inputs.push(path);
      continue;
    }
    const { source } = await openDataFile(path, delimiter, console);
    const alone = paths.filter((other) => basename(other) === basename(path)).length === 1;
    inputs.push({ name: alone ? basename(path) : path, data: source });
  }
  return inputs;
}
