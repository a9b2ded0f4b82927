import { basename, dirname, relative, resolve, sep } from "node:path";
import { datasetName, policyText, propose, readFacts, type Proposal } from "../../policy/propose/index.ts";
import type { CommandContext } from "../command.ts";
import { openDataFile } from "../data-file.ts";
import { EXIT } from "../failure.ts";
import { count, counted } from "../numbers.ts";
import { printable, type Painter } from "../style.ts";
import { textTable } from "../text-table.ts";
import { refuseToReplace, writeFileAtomically } from "../../node/write-file.ts";

export interface InitOptions {
  readonly output: string;
  readonly delimiter?: string;
  readonly force?: boolean;
}

export async function init(data: string, options: InitOptions, { console, signal }: CommandContext): Promise<number> {
  const toStdout = options.output === "-";
  if (!toStdout && options.force !== true) await refuseToReplace(options.output, "", () => false);
  const { source, delimiter } = await openDataFile(data, options.delimiter, console);
  const onBytes = (done: number): void => console.onProgress(
    { phase: "survey", done, total: source.totalBytes, unit: "bytes" }
  );
  const proposal = propose(await readFacts(source, { signal, onBytes }));
  const path = pathFrom(toStdout ? "." : dirname(options.output), data);
  const text = policyText(proposal, { name: datasetName(basename(data)), path, delimiter });
  signal.throwIfAborted();
  if (!toStdout) await writeFileAtomically(options.output, text);
  await console.result(documentOf(proposal, toStdout ? undefined : options.output, text), () =>
    toStdout ? [text.trimEnd()] : describe(proposal, options.output, path !== undefined, console.paint));
  return EXIT.ok;
}

/** A policy names its data from its own folder downwards; undefined for data elsewhere. */
function pathFrom(folder: string, data: string): string | undefined {
  const path = relative(resolve(folder), resolve(data));
  return path.startsWith("..") || resolve(path) === path ? undefined : path.split(sep).join("/");
}

function documentOf(proposal: Proposal, file: string | undefined, text: string): object {
  return {
    ...(file === undefined ? { text } : { file }),
    records: proposal.data.records ?? proposal.data.sampled,
    sampled: proposal.data.sampled,
    columns: proposal.columns.map(({ facts, role, type, drop, because, decisions }) => ({
      name: facts.name, role, type, ...(
        drop ? { drop } : {}
      ), distinct: facts.distinct, missing: facts.missing, because, decisions,
    })),
    release: proposal.release,
  };
}

function describe(proposal: Proposal, file: string, namesSource: boolean, paint: Painter): string[] {
  const { columns, data } = proposal;
  const decisions = columns.reduce((sum, column) => sum + column.decisions.length, 1);
  return [
    paint(
      "bold", printable(`${counted(data.records ?? data.sampled, "record")}, ${counted(columns.length, "column")}`),
    ),
    "",
    ...textTable(
      [{ title: "column" }, { title: "role" }, { title: "distinct", align: "right" }, { title: "because" }],
      columns.map(({ facts, role, drop, because, decisions: open }) => [
        printable(facts.name), `${role}${drop ? " (dropped)" : ""}`, count(
          facts.distinct
        ), `${because}${open.length > 0 ? "  DECIDE" : ""}`,
      ]),
    ),
    "",
    `${printable(file)} is a proposal; ${decisions === 1 ? "one thing in it is" : `${decisions} things in it are`} ` +
      "for you to decide (look for DECIDE). Read every role.",
    printable(`Then: commensurate plan ${file}${namesSource ? "" : " --source DATA"}`),
  ];
}
