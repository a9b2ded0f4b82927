/** The library's verbs. They take sources, policies and places as the caller has them, and walk the corridor. */
import { foldWithDictionaries } from "./cells/index.ts";
import { InlineLane, spoolSource, type LanePool } from "./engines/local/index.ts";
import { closestName, DataError, PolicyError } from "./errors/index.ts";
import { belowK, measureCells, type ClassRisk } from "./microdata/risk/index.ts";
import { applyPolicyToColumns, parsePolicy, type Policy, type PolicyInput } from "./policy/index.ts";
import {
  applyPlan, makePlan, readPlan, releaseSource, verifyRelease, withInlineTrees,
  type Evidence, type Plan, type Platform, type Progress, type Released, type StepOptions,
} from "./release/index.ts";
import { readRequests } from "./release/columns.ts";
import { batchesSource, columnsSource, recordsSource, tableSource } from "./sources/memory/index.ts";
import type { Source } from "./sources/source.ts";

/**
 * Data in any form: path of a file, an Arrow table, record batches (a function that starts them anew, or a stream that can
 * be read once), an array of records, an object of columns, or a Source of your own.
 */
export type SourceInput =
  | string
  | Source
  | Parameters<typeof tableSource>[0]
  | Parameters<typeof batchesSource>[0]
  | readonly object[]
  | Parameters<typeof columnsSource>[0];

interface Common {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface PlanOptions extends Common {
  /** The data; the policy's source when absent. */
  readonly source?: SourceInput | undefined;
  /** Folder to which paths in the policy are relative. Default: the working folder. */
  readonly folder?: string | undefined;
  /** Draw noise from a seed, for rehearsals. The plan is marked and cannot be published. */
  readonly rehearsalSeed?: string | undefined;
}

export interface ApplyOptions extends Common {
  readonly source?: SourceInput | undefined;
  /** Folder that the staged release appears in, whole or not at all. Nothing is verified or published. */
  readonly out: string;
  /** Folder to which paths in the plan's policy are relative. Default: the folder that the plan was made with. */
  readonly folder?: string | undefined;
}

export interface ReleaseOptions extends PlanOptions {
  /** Folder that the release appears in, whole or not at all. */
  readonly out: string;
}

export interface VerifyOptions extends Common {}

/** Classify, require and plan. Reads the data once. */
export async function plan(policy: Policy | PolicyInput, options: PlanOptions = {}): Promise<Plan> {
  return corridor(policy, options, async (parsed, source, steps, folder) => {
    const { plan: made } = await makePlan(parsed, source, steps);
    return folder === undefined ? made : { ...made, folder };
  });
}

/** Carry out a saved plan into a folder, staged and not verified. Reads the data twice. */
export async function apply(planned: Plan | string, options: ApplyOptions): Promise<{ readonly directory: string }> {
  const read = typeof planned === "string" ? readPlan(planned) : planned;
  const folder = options.folder ?? read.folder;
  return corridor(read.policy, { ...options, folder }, async (_policy, source, steps) => {
    const stage = await steps.platform.stage(options.out);
    try {
      await applyPlan(read, source, stage, steps);
      options.signal?.throwIfAborted();
      return { directory: await stage.publish() };
    } catch (error) {
      await stage.abort();
      throw error;
    }
  });
}

/** Plan, apply, verify and publish. Nothing appears unless every check passes. Reads the data twice. */
export async function release(policy: Policy | PolicyInput, options: ReleaseOptions): Promise<Released> {
  return corridor(policy, options, async (parsed, source, steps) => releaseSource(parsed, source, await steps.platform.stage(options.out), steps));
}

/** Re-read a release and hold it against its requirements. The verdict is in the evidence; a failed check does not throw. */
export async function verify(directory: string, options: VerifyOptions = {}): Promise<Evidence> {
  const platform = await loadPlatform();
  return verifyRelease(await platform.openRelease(directory), platform, { progress: options.onProgress ?? ignore, signal: options.signal });
}

export interface AssessOptions extends Common {
  /** Columns that an intruder may know; every column when absent. */
  readonly keys?: readonly string[] | undefined;
  /** Records in classes smaller than this are at risk. Default 5. */
  readonly k?: number | undefined;
  readonly format?: "csv" | "arrow" | "parquet" | undefined;
  readonly delimiter?: string | undefined;
}

export interface Assessment extends ClassRisk {
  readonly keys: readonly string[];
  readonly k: number;
  /** Records in classes smaller than k. */
  readonly recordsAtRisk: number;
  readonly classesAtRisk: number;
}

/** Measure how far records can be singled out by key columns. Reads the data once; publishes nothing. */
export async function assess(data: SourceInput, options: AssessOptions = {}): Promise<Assessment> {
  const platform = await loadPlatform();
  const source = await toSource(data, platform, options, "");
  const names = (await source.columns()).map(({ name }) => name);
  const keys = options.keys ?? names;
  const unknown = keys.find((key) => !names.includes(key));
  if (unknown !== undefined) {
    const close = closestName(unknown, names);
    throw new PolicyError(
      "assess/unknown-key",
      `There is no column ${JSON.stringify(unknown)}.${close === undefined ? "" : ` Did you mean ${JSON.stringify(close)}?`}`,
      { key: unknown },
    );
  }
  const pass = await source.open({
    columns: keys.map((name) => ({ name, as: "codes" })),
    signal: options.signal,
    onBytes: (done) => options.onProgress?.({ phase: "survey", done, total: source.totalBytes, unit: "bytes" }),
  });
  const { cells } = await foldWithDictionaries(pass.batches, { keys: keys.map((name, column) => ({ name, column })) });
  const risk = measureCells(cells);
  const k = options.k ?? 5;
  const at = belowK(risk, k);
  return { keys, k, recordsAtRisk: at.records, classesAtRisk: at.classes, ...risk };
}

/** Bring policy, data and machine together, and take down whatever was set up, however the work ends. */
async function corridor<Result>(
  input: Policy | PolicyInput, options: PlanOptions, work: (policy: Policy, source: Source, steps: StepOptions, folder: string | undefined) => Promise<Result>,
): Promise<Result> {
  const platform = await loadPlatform();
  const { resolveFrom, absolute } = await import("./node/paths.ts");
  const folder = options.folder === undefined ? undefined : absolute(options.folder);
  const within = (path: string): string => resolveFrom(folder, path);
  const policy = await withInlineTrees(asPolicy(input), platform, within);
  const closing: (() => Promise<void>)[] = [];
  try {
    const lanes: LanePool = (await platform.startLanes()) ?? new InlineLane();
    closing.push(() => lanes.close());
    const steps: StepOptions = { platform, lanes, progress: options.onProgress ?? ignore, signal: options.signal, rehearsalSeed: options.rehearsalSeed };
    options.signal?.throwIfAborted();
    let source = await sourceOf(policy, options.source, platform, within);
    if (!source.reopenable) {
      const spill = await platform.newSpill();
      closing.push(() => spill.close());
      const columns = applyPolicyToColumns(policy, await source.columns());
      source = await spoolSource(source, readRequests(policy, columns), spill, { signal: options.signal });
    }
    return await work(policy, source, steps, folder);
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

function asPolicy(input: Policy | PolicyInput): Policy {
  return isPolicy(input) ? input : parsePolicy(input);
}

/** A parsed policy has maps where the input has objects. */
function isPolicy(input: Policy | PolicyInput): input is Policy {
  return input.columns instanceof Map;
}

async function sourceOf(policy: Policy, given: SourceInput | undefined, platform: Platform, within: (path: string) => string): Promise<Source> {
  if (given !== undefined) return toSource(given, platform, policy.source ?? {}, "");
  if (policy.source === undefined) {
    throw new PolicyError("policy/no-source", "The policy names no source and none was given. Add source.path to the policy, or pass the data.");
  }
  return platform.openFile(within(policy.source.path), policy.source);
}

async function toSource(
  data: SourceInput, platform: Platform, settings: { format?: "csv" | "arrow" | "parquet" | undefined; delimiter?: string | undefined }, _label: string,
): Promise<Source> {
  if (typeof data === "string") return platform.openFile(data, settings);
  if (Array.isArray(data)) return recordsSource(data as readonly object[], { newHasher: platform.newHasher });
  if (typeof data === "function" || Symbol.asyncIterator in (data as object)) return batchesSource(data as Parameters<typeof batchesSource>[0], { newHasher: platform.newHasher });
  if (typeof data !== "object" || data === null) throw new DataError("source/not-data", "Expected a file path, an Arrow table, record batches, records or columns.");
  if ("open" in data && "columns" in data && typeof data.open === "function" && typeof data.columns === "function") return data as Source;
  if ("schema" in data && "batches" in data) return tableSource(data as Parameters<typeof tableSource>[0], { newHasher: platform.newHasher });
  return columnsSource(data as Parameters<typeof columnsSource>[0], { newHasher: platform.newHasher });
}

/** Loaded when first needed, so that the checks and types of this door cost nothing. */
async function loadPlatform(): Promise<Platform> {
  return (await import("./node/platform.ts")).nodePlatform;
}

function ignore(): void {}
