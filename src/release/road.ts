import type { TableDescription } from "../catalog/index.ts";
import type { LanePool, Survey, SurveySpec } from "../engines/local/index.ts";
import { DisclosureError } from "../errors/index.ts";
import type { Policy, ResolvedColumns } from "../policy/index.ts";
import type { ByteSink } from "../sinks/index.ts";
import type { Source } from "../sources/source.ts";
import type { Measured } from "./classify.ts";
import type { Check } from "./evidence.ts";
import type { Decision, Plan } from "./plan-value.ts";
import type { Platform, ReleaseReader } from "./platform.ts";
import type { ReportProgress } from "./progress.ts";
import type { Requirement } from "./require.ts";
import type { ExplainQuestion, HiddenCell } from "./roads/explain.ts";

/** What every step of a road may use. */
export interface RoadContext {
  readonly policy: Policy;
  readonly requirements: readonly Requirement[];
  readonly platform: Platform;
  /** Seed of a rehearsal; undefined for the real thing. */
  readonly rehearsalSeed?: string | undefined;
  /** The agency's secret key, for noise that repeats. */
  readonly agencyKey?: Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress: ReportProgress;
}

/** What applying a plan needs besides the context. */
export interface ApplyInput {
  readonly decision: Decision;
  readonly survey: Survey;
  readonly source: Source;
  readonly lanes: LanePool;
  readonly columns: ResolvedColumns;
  /** Opens a writer for one released table in all formats of the policy. */
  readonly output: ReleaseOutput;
}

/** Where a road writes; the corridor turns it into staged files. */
export interface ReleaseOutput {
  create(path: string): Promise<ByteSink>;
  /** A file for those who answer for the release, by its path relative to `internal/`. */
  createInternal(path: string): Promise<ByteSink>;
}

/**
 * One way from a source to a release: a method with its plan, its doing, its public description and its own verification.
 * The corridor drives all roads alike; a new method is a new road in the registry.
 */
export interface Road {
  readonly method: string;
  /** Whether what it publishes are exact numbers that add up, so that it can be attacked together with earlier releases. */
  readonly addsUp?: boolean;
  /** What the first reading must fold. */
  survey(policy: Policy, columns: ResolvedColumns): SurveySpec;
  /** Risk measured on the folded input, for the classification. */
  measure(policy: Policy, survey: Survey): Measured;
  /** Decide. @throws DisclosureError when no release meets the requirements. */
  plan(context: RoadContext, survey: Survey): Promise<Decision>;
  /**
   * Hold a decision that comes from a file against policy and requirements: its shape, and everything in it that follows from
   * them. @throws DisclosureError `plan/decision` when it is not one that planning could have made.
   */
  checkDecision(context: RoadContext, decision: Decision): void;
  /** Write the released tables. */
  apply(context: RoadContext, input: ApplyInput): Promise<void>;
  /** Files under `internal/` that the road writes; a function of the policy alone. Absent: none. */
  internalFiles?(policy: Policy): readonly string[];
  /** What the public is told; a function of policy and decision alone. */
  describe(policy: Policy, decision: Decision, columns: readonly string[]): PublicDescription;
  /** Why cells are hidden, for the agency; absent where a method hides none. */
  explain?(context: RoadContext, survey: Survey, question: ExplainQuestion): Promise<readonly HiddenCell[]>;
  /** Re-read the released files and compare them with the requirements; shares no code with plan and apply. */
  verify(context: RoadContext, plan: PlannedRelease, reader: ReleaseReader): Promise<{ readonly checks: readonly Check[]; readonly risk: unknown }>;
}

/** What a release must be: what was decided, and for which input. */
export type PlannedRelease = Pick<Plan, "decision" | "input">;

/** A decision that planning could not have made. @param found what is wrong with it; names and rules only */
export function decisionRefused(found: string): DisclosureError {
  return new DisclosureError("plan/decision", `The plan's decision ${found}. Nothing was published. Plan again instead of editing plans.`);
}

export interface PublicDescription {
  readonly tables: readonly TableDescription[];
  /** How people are protected; Markdown paragraphs. */
  readonly methods: readonly string[];
  /** How the tables add up, for the data package. */
  readonly described?: object | undefined;
}
