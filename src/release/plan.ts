import type { LanePool, Survey } from "../engines/local/index.ts";
import { parseHierarchyCsv } from "../hierarchies/index.ts";
import { applyPolicyToColumns, parsePolicy, policyHash, canonicalPolicy, type Policy, type PolicyInput, type ResolvedColumns } from "../policy/index.ts";
import { hashBytesWith } from "../sources/hasher.ts";
import type { Source } from "../sources/source.ts";
import { withMagnitudeTable, withTable } from "../tables/cell-key/index.ts";
import type { CellKey } from "../tables/cell-key/schema.ts";
import { classify } from "./classify.ts";
import { PolicyError } from "../errors/index.ts";
import type { ExplainQuestion, HiddenCell } from "./roads/explain.ts";
import type { Plan } from "./plan-value.ts";
import type { Platform, Stage } from "./platform.ts";
import type { ReportProgress } from "./progress.ts";
import { requirementsFor } from "./require.ts";
import type { RoadContext } from "./road.ts";
import { roadFor } from "./roads.ts";

export interface StepOptions {
  readonly platform: Platform;
  readonly lanes: LanePool;
  readonly progress: ReportProgress;
  readonly signal?: AbortSignal | undefined;
  /** Seeded random numbers; the plan is marked and cannot be published. */
  readonly rehearsalSeed?: string | undefined;
  /** The agency's secret key, for noise that repeats; never in a plan. */
  readonly agencyKey?: Uint8Array | undefined;
  /** The source will be read again at once, so lanes may keep its records for that. */
  readonly keepRecords?: boolean | undefined;
  /** Called with what was verified and is about to be published; nothing is published when it throws. */
  readonly beforePublish?: ((plan: Plan, stage: Stage) => Promise<void>) | undefined;
}

/** A plan, and what the first reading found, so that a release need not read a third time. */
export interface Planned {
  readonly plan: Plan;
  readonly policy: Policy;
  readonly survey: Survey;
  readonly columns: ResolvedColumns;
}

/**
 * Classify, require and plan: the first reading of the source.
 * @param policy with its trees inline; see {@link withInlineTrees}
 */
export async function makePlan(policy: Policy, source: Source, options: StepOptions): Promise<Planned> {
  const road = await roadFor(policy);
  const { survey, columns } = await surveyFor(policy, source, options);
  const assessment = classify(policy, road.measure(policy, survey));
  const requirements = requirementsFor(assessment, policy);
  options.progress({ phase: "plan", done: 0, unit: "steps" });
  const decision = await road.plan(contextOf(policy, requirements, options), survey);
  const plan: Plan = {
    format: "commensurate/plan@1",
    policyHash: policyHash(policy, (bytes) => hashBytesWith(options.platform.newHasher, bytes)),
    policy: JSON.parse(canonicalPolicy(policy)) as PolicyInput,
    input: { fingerprint: survey.fingerprint, records: survey.rows, columns: columns.read.map(({ name }) => name) },
    assessment,
    requirements,
    decision,
    ...(options.rehearsalSeed === undefined ? {} : { rehearsal: { seed: options.rehearsalSeed } }),
  };
  // As it will be read back, so that what is applied now is what would be applied later.
  return { plan: JSON.parse(JSON.stringify(plan)) as Plan, policy, survey, columns };
}

/**
 * Why cells of the planned tables are hidden. Reads the data once and writes nothing.
 * @throws PolicyError `explain/nothing-hidden` for methods that hide no cells
 */
export async function explainPolicy(policy: Policy, source: Source, question: ExplainQuestion, options: StepOptions): Promise<readonly HiddenCell[]> {
  const road = await roadFor(policy);
  if (road.explain === undefined) {
    throw new PolicyError("explain/nothing-hidden", `The method ${road.method} hides no cells of tables, so there is nothing to explain.`, { method: road.method });
  }
  const { survey } = await surveyFor(policy, source, options);
  const requirements = requirementsFor(classify(policy, road.measure(policy, survey)), policy);
  return road.explain(contextOf(policy, requirements, options), survey, question);
}

/** The first reading. */
export async function surveyFor(policy: Policy, source: Source, options: StepOptions): Promise<{ survey: Survey; columns: ResolvedColumns }> {
  const columns = applyPolicyToColumns(policy, await source.columns());
  const { secondReading, ...fold } = (await roadFor(policy)).survey(policy, columns);
  const spec = options.keepRecords === true && secondReading !== undefined ? { ...fold, secondReading } : fold;
  const survey = await options.lanes.survey(source, spec, {
    signal: options.signal,
    onBytes: (done) => options.progress({ phase: "survey", done, total: source.totalBytes, unit: "bytes" }),
  });
  options.signal?.throwIfAborted();
  return { survey, columns };
}

export function contextOf(policy: Policy, requirements: Plan["requirements"], options: StepOptions): RoadContext {
  const { platform, progress, signal, rehearsalSeed, agencyKey } = options;
  return { policy, requirements, platform, progress, signal, rehearsalSeed, agencyKey };
}

/** The policy with every tree file and perturbation table read into it, so that the plan stands on its own. */
export async function withInlineTrees(policy: Policy, platform: Platform, resolvePath: (path: string) => string): Promise<Policy> {
  const input = JSON.parse(canonicalPolicy(policy)) as PolicyInput;
  let changed = false;
  const inline = async (definition: unknown): Promise<unknown> => {
    const tree = definition as { kind?: string; path?: string; delimiter?: string };
    if (tree.kind !== "tree" || tree.path === undefined) return definition;
    changed = true;
    const { path, delimiter, ...rest } = tree;
    return { ...rest, inline: parseHierarchyCsv(await platform.readText(resolvePath(path)), delimiter ?? ",") };
  };
  for (const [name, definition] of Object.entries(input.hierarchies ?? {})) {
    input.hierarchies![name] = (await inline(definition)) as never;
  }
  for (const column of Object.values(input.columns)) {
    if (typeof column.hierarchy === "object") column.hierarchy = (await inline(column.hierarchy)) as never;
  }
  const method = policy.release.protect[0]!;
  if (method.method === "cell-key") {
    let loaded: CellKey = method;
    if ("file" in method.table) loaded = withTable(loaded, await platform.readText(resolvePath(method.table.file)));
    const amounts = method.magnitudes?.table;
    if (amounts !== undefined && "file" in amounts) loaded = withMagnitudeTable(loaded, await platform.readText(resolvePath(amounts.file)));
    if (loaded !== method) {
      changed = true;
      input.release = { ...input.release, protect: [loaded] } as unknown as PolicyInput["release"];
    }
  }
  return changed ? parsePolicy(input) : policy;
}
