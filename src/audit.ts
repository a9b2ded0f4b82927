import { loadPlatform, toSource, type SourceInput, type VerbOptions } from "./source-input.ts";
import { parseStructure } from "./structure-file.ts";
import {
  auditRawTables, readRawTable, type AuditTablesOptions, type PublishedAudit, type RawTable, type TableStructure,
} from "./tables/published-files/index.ts";

export type { AuditedCell, AuditFinding, PublishedAudit, TableStructure } from "./tables/published-files/index.ts";

/** A published table: path of a file, or data under a name. */
export type PublishedInput =
  | string
  | {
      /** For results and for `structure.tables`. */
      readonly name: string;
      readonly data: SourceInput;
      readonly format?: "csv" | "arrow" | "parquet" | undefined;
      readonly delimiter?: string | undefined;
    };

export interface AuditPublishedOptions extends VerbOptions, Omit<AuditTablesOptions, "signal"> {
  /** Earlier releases about the same people; attacked jointly. */
  readonly earlier?: readonly PublishedInput[] | undefined;
  /** What the files do not show: an object, or the path of a YAML or JSON file. */
  readonly structure?: TableStructure | string | undefined;
  readonly format?: "csv" | "arrow" | "parquet" | undefined;
  readonly delimiter?: string | undefined;
}

/**
 * Attack published tables, whoever made them: for each hidden number find what remains possible for somebody who adds up
 * everything that is printed, in all files together. Nothing is written.
 *
 * The verdict is "clean" when every hidden count keeps at least `interval` possible values (or is certain to be no small one),
 * no small count is shown and nothing contradicts itself. What the audit took for granted is in `assumptions`: read it.
 *
 * @throws DataError `audit/...`, `source/...` with positions, when a file cannot be read as a table; PolicyError for options and
 *   structure; DisclosureError `audit/too-large`
 *
 * @example
 * const { summary, blankCells } = await auditPublished(["table.csv"], { threshold: 11 });
 */
export async function auditPublished(
  tables: PublishedInput | readonly PublishedInput[], options: AuditPublishedOptions = {},
): Promise<PublishedAudit> {
  const platform = await loadPlatform();
  const { earlier = [], structure, format, delimiter, onProgress, ...rest } = options;
  const stated = typeof structure === "string"
    ? parseStructure(await platform.readText(structure), lastName(structure))
    : structure === undefined ? {} : parseStructure(structure);
  const inputs = [...(Array.isArray(tables) ? (tables as readonly PublishedInput[]) : [tables as PublishedInput]), ...earlier];
  const paths = inputs.map((input) => (typeof input === "string" ? input : input.name));
  const short = paths.map(lastName);
  const raw: RawTable[] = [];
  for (const [i, input] of inputs.entries()) {
    options.signal?.throwIfAborted();
    onProgress?.({ phase: "survey", done: i, total: inputs.length, unit: "steps" });
    const settings = typeof input === "string" ? { format, delimiter } : { format: input.format ?? format, delimiter: input.delimiter ?? delimiter };
    const source = await toSource(typeof input === "string" ? input : input.data, platform, settings);
    // Two files of one name in two folders keep their folders.
    const name = typeof input === "string" && short.filter((other) => other === short[i]).length === 1 ? short[i]! : paths[i]!;
    raw.push(await readRawTable(source, name, options.signal));
  }
  return auditRawTables(raw, stated, rest);
}

function lastName(path: string): string {
  return path.split(/[\\/]/).at(-1)!;
}
