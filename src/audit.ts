import { releaseTitle } from "./catalog/ledger.ts";
import { DataError, PolicyError } from "./errors/index.ts";
import { loadPlatform, toSource, type SourceInput, type VerbOptions } from "./source-input.ts";
import { parseStructure } from "./structure-file.ts";
import {
  auditRawTables, describeRawTables, parseDescribed, readRawTable, structureOfDescribed, type AuditTablesOptions, type DescribedTables, type DimensionStructure, type FileStructure, type PublishedAudit,
  type RawTable, type TableDescription, type TableStructure,
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

export interface AuditPublishedOptions extends VerbOptions, Omit<AuditTablesOptions, "signal" | "told" | "statedBy"> {
  /** Earlier releases about the same people; attacked jointly. */
  readonly earlier?: PublishedInput | readonly PublishedInput[] | undefined;
  /** A release ledger: all earlier releases of the dataset in it are attacked jointly. Their files must be as they were published. */
  readonly ledger?: string | undefined;
  /** The dataset of the ledger. Default: the name in the data package of the audited folder. */
  readonly dataset?: string | undefined;
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
 * @param tables files, data in memory, or folders: a release, a data package, or files side by side
 * @throws DataError `audit/...`, `ledger/...`, `source/...` with positions, when a file cannot be read as a table or is not the one
 *   that a data package or ledger describes; PolicyError for options and structure; DisclosureError `audit/too-large`
 *
 * @example
 * const { summary, blankCells } = await auditPublished(["table.csv"], { threshold: 11 });
 */
export async function auditPublished(
  tables: PublishedInput | readonly PublishedInput[], options: AuditPublishedOptions = {},
): Promise<PublishedAudit> {
  const { earlier = [], ledger, dataset, structure, format, delimiter, onProgress, ...rest } = options;
  const platform = await loadPlatform();
  let stated = await statedStructure(structure);
  const found = await expandFolders([...listOf(tables), ...listOf(earlier)]);
  const inputs = [...found.inputs];
  if (ledger !== undefined) {
    const out = await earlierReleases(ledger, dataset ?? found.dataset, inputs);
    inputs.push(...out.inputs);
    stated = mergeStructures(stated, out.structure);
  }
  const names = namesOf(inputs);
  const raw: RawTable[] = [];
  for (const [i, input] of inputs.entries()) {
    options.signal?.throwIfAborted();
    onProgress?.({ phase: "survey", done: i, total: inputs.length, unit: "steps" });
    const settings = typeof input === "string" ? { format, delimiter } : { format: input.format ?? format, delimiter: input.delimiter ?? delimiter };
    raw.push(await readRawTable(await toSource(typeof input === "string" ? input : input.data, platform, settings), names[i]!, options.signal));
  }
  for (const folder of found.folders) stated = mergeStructures(stated, structureOfFolder(folder, inputs, raw));
  return auditRawTables(raw, stated, { ...ruleOf(found.folders), ...withoutUndefined(rest) });
}

/** Options that nobody gave leave the rule of the release as it is. */
function withoutUndefined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** The rule that releases state of themselves; of several rules the stricter in each part, so that none hides what falls by another. */
function ruleOf(folders: readonly OpenedFolder[]): AuditTablesOptions {
  const rules = folders.flatMap(({ described }) => (described?.rule === undefined ? [] : [described.rule]));
  if (rules.length === 0) return {};
  const alike = new Set(rules.map((rule) => JSON.stringify(rule))).size === 1;
  return {
    threshold: Math.max(...rules.map(({ threshold }) => threshold)),
    interval: Math.max(...rules.map(({ interval }) => interval)),
    // A reader of one that shows zeros knows that its blanks are none.
    zeros: rules.some(({ zeros }) => zeros === "publish") ? "publish" : "protect",
    codes: rules.some(({ codes }) => codes === "separate") ? "separate" : "merged",
    told: {
      hiddenMost: Math.min(...rules.map(({ primaryMost }) => primaryMost ?? Infinity)),
      complementaryLeast: Math.max(...rules.map(({ complementaryLeast }) => complementaryLeast)),
    },
    derivable: rules.some(({ large }) => large === "protected") ? "any" : "small",
    // What sums have to keep is a matter of contributions, which the files do not show; none may be computed.
    amountRange: 0,
    statedBy: alike ? "the rule is the one that the data package states" : "the data packages state different rules; each part is the stricter one",
  };
}

interface OpenedFolder {
  readonly described: DescribedTables | undefined;
  readonly tables: ReadonlyMap<string, string>;
  readonly places: ReadonlyMap<string, NonNullable<DimensionStructure["places"]>>;
}

/**
 * What a folder says of its own tables. Its plan knows more than the public where totals are left out.
 * @throws DataError `audit/changed-numbers` when its numbers do not add up on purpose
 */
function structureOfFolder({ described, tables, places }: OpenedFolder, inputs: readonly PublishedInput[], raw: readonly RawTable[]): TableStructure {
  const planned = { dimensions: Object.fromEntries([...places].map(([name, own]) => [name, { places: own }])) };
  if (described === undefined) return planned;
  const own = inputs.flatMap((input, i) => {
    const as = typeof input === "string" ? tables.get(input) : undefined;
    return as === undefined ? [] : [{ table: raw[i]!, as }];
  });
  const structure = structureOfDescribed(described, own);
  const leftOut = Object.values(described.tables).some(({ totals }) => totals === "left-out");
  return leftOut ? mergeStructures(planned, structure) : structure;
}

function refuseChanged(described: DescribedTables | undefined, folder: string): void {
  if (described?.numbers !== "changed") return;
  throw new DataError(
    "audit/changed-numbers",
    `The data package of "${lastName(folder)}" says that its numbers were changed to protect people (rounded, or with noise). They do not add up, and no ` +
      "blank hides one that could be computed, so there is nothing for this audit to attack. commensurate verify checks such a release.",
    { folder: lastName(folder) },
  );
}

/** What is stated of files: nothing, an object, or the path of a YAML or JSON file. */
export async function statedStructure(structure: TableStructure | string | undefined): Promise<TableStructure> {
  if (structure === undefined) return {};
  if (typeof structure !== "string") return parseStructure(structure);
  return parseStructure(await (await loadPlatform()).readText(structure), lastName(structure));
}

/** What the tables of a folder are about, as a ledger keeps it, with what the folder says about them. Reads them, and attacks nothing. */
export async function describePublished(
  found: { readonly files: readonly string[]; readonly described?: unknown } & Pick<OpenedFolder, "tables" | "places">, stated: TableStructure, signal?: AbortSignal,
): Promise<{ readonly tables: readonly TableDescription[]; readonly structure: TableStructure }> {
  const platform = await loadPlatform();
  const { files } = found;
  const names = namesOf(files);
  const raw: RawTable[] = [];
  for (const [i, file] of files.entries()) raw.push(await readRawTable(await toSource(file, platform, {}), names[i]!, signal));
  const own = structureOfFolder({ ...found, described: parseDescribed(found.described) }, files, raw);
  const structure = Object.keys(own.dimensions ?? {}).length === 0 && own.tables === undefined ? stated : mergeStructures(stated, own);
  return { tables: describeRawTables(raw, structure), structure };
}

function listOf(inputs: PublishedInput | readonly PublishedInput[]): readonly PublishedInput[] {
  return Array.isArray(inputs) ? (inputs as readonly PublishedInput[]) : [inputs as PublishedInput];
}

/** File names, with their folders where two are the same. */
function namesOf(inputs: readonly PublishedInput[]): string[] {
  const paths = inputs.map((input) => (typeof input === "string" ? input : input.name));
  const short = inputs.map((input, i) => (typeof input === "string" ? lastName(input) : paths[i]!));
  return short.map((name, i) => (short.filter((other) => other === name).length === 1 ? name : paths[i]!));
}

interface Gathered {
  readonly inputs: readonly PublishedInput[];
  readonly structure: TableStructure;
  readonly dataset?: string | undefined;
}

/** Folders become their tables, with what they say about themselves. */
async function expandFolders(given: readonly PublishedInput[]): Promise<Pick<Gathered, "inputs" | "dataset"> & { readonly folders: readonly OpenedFolder[] }> {
  const inputs: PublishedInput[] = [];
  const folders: OpenedFolder[] = [];
  let dataset: string | undefined;
  for (const input of given) {
    if (typeof input !== "string") {
      inputs.push(input);
      continue;
    }
    const { isFolder, openPublishedFolder } = await import("./node/published-folder.ts");
    if (!(await isFolder(input))) {
      inputs.push(input);
      continue;
    }
    const { files, name, tables, places, described } = await openPublishedFolder(input);
    inputs.push(...files);
    dataset ??= name;
    const read = parseDescribed(described);
    refuseChanged(read, input);
    folders.push({ described: read, tables, places });
  }
  return { inputs, folders, dataset };
}

/** The tables of all releases of a dataset in a ledger, but those that are audited now. */
async function earlierReleases(ledger: string, dataset: string | undefined, now: readonly PublishedInput[]): Promise<Gathered> {
  const { pathFromLedger, readLedger, requireUnchanged } = await import("./node/ledger-file.ts");
  const { hashOf } = await import("./node/published-folder.ts");
  if (dataset === undefined) {
    throw new PolicyError("audit/no-dataset", "Which dataset of the ledger is this? The files do not say; name it (--dataset).");
  }
  const entries = (await readLedger(ledger)).filter((entry) => entry.dataset === dataset);
  await requireUnchanged(ledger, entries);
  const current = new Set<string>();
  for (const input of now) if (typeof input === "string") current.add((await hashOf(input)).sha256);
  const inputs: PublishedInput[] = [];
  let structure: TableStructure = {};
  for (const entry of entries) {
    const own = parseStructure(entry.structure ?? {});
    const tables: Record<string, FileStructure> = {};
    for (const table of entry.tables) {
      if (current.has(table.sha256)) continue;
      const name = `${releaseTitle(entry)}: ${lastName(table.path)}`;
      inputs.push({ name, data: pathFromLedger(ledger, table) });
      const file = own.tables?.[lastName(table.path)];
      if (file !== undefined) tables[name] = file;
    }
    structure = mergeStructures(structure, { ...own, tables });
  }
  return { inputs, structure };
}

/** Both structures; where they speak of the same thing the first one holds. */
function mergeStructures(first: TableStructure, second: TableStructure): TableStructure {
  const dimensions: Record<string, DimensionStructure> = { ...second.dimensions };
  for (const [name, dimension] of Object.entries(first.dimensions ?? {})) {
    const other = dimensions[name] ?? {};
    dimensions[name] = {
      ...other,
      ...dimension,
      ...joined("tree", dimension, other),
      ...joined("groups", dimension, other),
      ...joined("aliases", dimension, other),
    };
  }
  return {
    dimensions,
    tables: { ...second.tables, ...first.tables },
    measures: { ...second.measures, ...first.measures },
    markers: first.markers ?? second.markers,
  };
}

function joined(key: "tree" | "groups" | "aliases", first: DimensionStructure, second: DimensionStructure): object {
  return first[key] === undefined && second[key] === undefined ? {} : { [key]: { ...second[key], ...first[key] } };
}

function lastName(path: string): string {
  return path.split(/[\\/]/).at(-1)!;
}
