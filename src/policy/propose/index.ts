import type { Source } from "../../sources/source.ts";
import { propose } from "./proposal.ts";
import { readFacts } from "./read-facts.ts";
import { policyText } from "./write-policy.ts";

export { propose, type Proposal, type ProposedColumn } from "./proposal.ts";
export { readFacts, type DataFacts } from "./read-facts.ts";
export { policyText, type WriteOptions } from "./write-policy.ts";

export interface ProposeOptions {
  /** Short name of the dataset. Default: from the source's label. */
  readonly name?: string | undefined;
  /** Path of the data from the policy's folder, to be named as its source. */
  readonly path?: string | undefined;
  readonly delimiter?: string | undefined;
  /** Records read of every column; default 100,000. Columns whose values repeat are read whole where that is cheap. */
  readonly sampleRecords?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * A first policy for data that nobody has described yet: roles, types and hierarchies guessed from names and values,
 * each with its reason, as YAML with comments. The careful guess wins, but it is a guess: a person must read it.
 * Quotes no value of the data but categories that at least 5 records share.
 *
 * @throws DataError `propose/no-header`, `propose/only-identifiers`, and whatever the source throws
 */
export async function proposePolicy(source: Source, options: ProposeOptions = {}): Promise<string> {
  const proposal = propose(await readFacts(source, options));
  return policyText(
    proposal, { name: datasetName(options.name ?? source.label), path: options.path, delimiter: options.delimiter },
  );
}

/** A name that may become part of file names. */
export function datasetName(label: string): string {
  const name = label
    .replace(/^.*[/\\]/, "")
    .replace(/(?:\.(?:csv|tsv|tab|txt|arrow|arrows|feather|ipc|parquet|pq|gz))+$/i, "")
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-")
    .slice(0, 60)
    .replace(/^[-_]+|[-_]+$/g, "");
  if (name === "") return "data";
  return /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$/.test(name) ? `data-${name}` : name;
}
