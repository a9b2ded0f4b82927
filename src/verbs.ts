/** The library's verbs. They take sources, policies and places as the caller has them, and walk the corridor. */
import { InlineLane, spoolSource, type LanePool } from "./engines/local/index.ts";
import { DataError, PolicyError } from "./errors/index.ts";
import { applyPolicyToColumns, parsePolicy, type Policy, type PolicyInput } from "./policy/index.ts";
import {
  applyPlan, EVIDENCE_PATH, explainPolicy, makePlan, readPlan, releaseSource, verifyRelease, withInlineTrees,
  type Evidence, type ExplainQuestion, type HiddenCell, type Plan, type Platform, type Released, type ReleaseReader, type ReleaseTarget, type Stage, type StepOptions,
} from "./release/index.ts";
import { readRequests } from "./release/columns.ts";
import { loadPlatform, toSource, type SourceInput, type VerbOptions } from "./source-input.ts";
import type { Source } from "./sources/source.ts";
import { unpivot } from "./sources/unpivot.ts";

export { assess, type Assessment, type AssessOptions } from "./assess.ts";
export type { SourceInput } from "./source-input.ts";

export interface PlanOptions extends VerbOptions {
  /** The data; the policy's source when absent. */
  readonly source?: SourceInput | undefined;
  /** Folder to which paths in the policy are relative. Default: the working folder. */
  readonly folder?: string | undefined;
  /** Draw noise from a seed, for rehearsals. The plan is marked and cannot be published. */
  readonly rehearsalSeed?: string | undefined;
  /** The agency's secret key, at least 16 bytes, for methods whose noise repeats. It is never written anywhere. */
  readonly key?: Uint8Array | undefined;
}

export interface ApplyOptions extends VerbOptions {
  readonly source?: SourceInput | undefined;
  /** Folder, or other place, that the staged release appears in, whole or not at all. Nothing is verified or published. */
  readonly out: string | ReleaseTarget;
  /** Folder to which paths in the plan's policy are relative. Default: the folder that the plan was made with. */
  readonly folder?: string | undefined;
  /** The agency's secret key; see `PlanOptions`. */
  readonly key?: Uint8Array | undefined;
}

export interface ReleaseOptions extends PlanOptions {
  /** Folder, or other place such as a `MemoryRelease`, that the release appears in, whole or not at all. */
  readonly out: string | ReleaseTarget;
  /**
   * Path of a release ledger: the release is attacked together with everything that it says is out about the same dataset, appears
   * only if every hidden count stays safe, and is written down. For tables of exact counts; one run at a time.
   */
  readonly ledger?: string | undefined;
}

export interface VerifyOptions extends VerbOptions {}

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
    await refusePublished(steps.platform, options.out);
    const stage = await stageAt(options.out, steps.platform);
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

/** What was verified and published is not replaced by something that was not. */
async function refusePublished(platform: Platform, out: string | ReleaseTarget): Promise<void> {
  let paths: readonly string[];
  try {
    paths = await (await openAt(out, platform)).list();
  } catch (error) {
    if (error instanceof DataError) return; // nothing there, or no release: staging says what is wrong
    throw error;
  }
  if (!paths.includes(EVIDENCE_PATH)) return;
  throw new DataError(
    "output/published",
    "The folder holds a published release, and apply writes one that is not verified. Name another folder, or run release.",
  );
}

/** Plan, apply, verify and publish. Nothing appears unless every check passes. Reads the data twice. */
export async function release(policy: Policy | PolicyInput, options: ReleaseOptions): Promise<Released> {
  const { ledger, out, signal } = options;
  return corridor(policy, options, async (parsed, source, steps) => {
    if (ledger === undefined) return releaseSource(parsed, source, await stageAt(out, steps.platform), steps);
    if (typeof out !== "string") {
      throw new PolicyError("ledger/no-folder", "A ledger keeps releases that lie in folders, where later ones find them. Name a folder as out.");
    }
    const { releaseWithLedger } = await import("./ledger.ts");
    return releaseWithLedger(ledger, parsed, out, signal, async (beforePublish) =>
      releaseSource(parsed, source, await steps.platform.stage(out), { ...steps, beforePublish }));
  });
}

export interface ExplainOptions extends PlanOptions, ExplainQuestion {}

/**
 * Why cells of the policy's tables are hidden: the rules that name them, and for one cell asked for by name which others would
 * fall with it. For the agency only; reads the data once and writes nothing.
 */
export async function explain(policy: Policy | PolicyInput, options: ExplainOptions = {}): Promise<readonly HiddenCell[]> {
  const { table, cell } = options;
  return corridor(policy, options, async (parsed, source, steps) => explainPolicy(parsed, source, { table, cell }, steps));
}

/** Re-read a release and hold it against its requirements. The verdict is in the evidence; a failed check does not throw. */
export async function verify(release: string | ReleaseTarget, options: VerifyOptions = {}): Promise<Evidence> {
  const platform = await loadPlatform();
  return verifyRelease(await openAt(release, platform), platform, { progress: options.onProgress ?? ignore, signal: options.signal });
}

function stageAt(out: string | ReleaseTarget, platform: Platform): Promise<Stage> {
  return typeof out === "string" ? platform.stage(out) : out.stage(platform.newHasher);
}

function openAt(out: string | ReleaseTarget, platform: Platform): Promise<ReleaseReader> {
  return typeof out === "string" ? platform.openRelease(out) : out.open(platform.newHasher);
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
    const steps: StepOptions = { platform, lanes, progress: options.onProgress ?? ignore, signal: options.signal, rehearsalSeed: options.rehearsalSeed, agencyKey: options.key };
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
  if (given !== undefined) return acrossOf(policy, await toSource(given, platform, policy.source ?? {}));
  if (policy.source === undefined) {
    throw new PolicyError("policy/no-source", "The policy names no source and none was given. Add source.path to the policy, or pass the data.");
  }
  return acrossOf(policy, await platform.openFile(within(policy.source.path), policy.source));
}

/** A crosstab is read as one record for each of its numbers. */
function acrossOf({ source: settings }: Policy, source: Source): Source {
  return settings?.across === undefined ? source : unpivot(source, settings.across);
}

function ignore(): void {}
