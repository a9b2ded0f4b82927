import { openFileSource, type FileSettings } from "../node/file-source.ts";
import type { Source } from "../sources/source.ts";
import type { Console } from "./console.ts";

const OTHER_DELIMITERS = [";", "\t", "|"] as const;
const CSV = /\.(csv|tsv|tab|txt)(\.gz)?$/i;

export interface DataFile {
  readonly source: Source;
  /** As given or found; undefined for formats without one and for the default of the format. */
  readonly delimiter: string | undefined;
}

/**
 * Open a data file. Where no delimiter was given and a header holds none of the default ones, the one that divides it
 * most is used, and said.
 */
export async function openDataFile(path: string, delimiter: string | undefined, console: Console): Promise<DataFile> {
  const settings: FileSettings = delimiter === undefined ? {} : { delimiter };
  const source = await openFileSource(path, settings);
  if (delimiter !== undefined || !CSV.test(path) || !source.reopenable) return { source, delimiter };
  const columns = await source.columns();
  if (columns.length !== 1) return { source, delimiter: undefined };
  const header = columns[0]!.name;
  const fields = OTHER_DELIMITERS.map((candidate) => header.split(candidate).length);
  const most = Math.max(...fields);
  if (most < 2) return { source, delimiter: undefined };
  const found = OTHER_DELIMITERS[fields.indexOf(most)]!;
  console.note(
    `The columns are separated by ${found === "\t" ? "tabs" : `"${found}"`}. ` +
      "Say so with --delimiter to keep this note away.",
  );
  return { source: await openFileSource(path, { delimiter: found }), delimiter: found };
}
