import { DisclosureError } from "../errors/index.ts";
import type { Policy } from "../policy/index.ts";
import type { Source } from "../sources/source.ts";
import { applyPlan } from "./apply.ts";
import type { Evidence } from "./evidence.ts";
import { makePlan, type StepOptions } from "./plan.ts";
import type { Plan } from "./plan-value.ts";
import type { Stage } from "./platform.ts";
import { EVIDENCE_PATH, jsonText } from "./public-texts.ts";
import { verifyRelease } from "./verify.ts";

export interface Released {
  readonly plan: Plan;
  readonly evidence: Evidence;
  /** Where the release appeared. */
  readonly directory: string;
}

/** The whole corridor: plan, apply, verify, publish. The stage is gone afterwards, whatever happens. */
export async function releaseSource(policy: Policy, source: Source, stage: Stage, options: StepOptions): Promise<Released> {
  try {
    const planned = await makePlan(policy, source, { ...options, keepRecords: true });
    await applyPlan(planned.plan, source, stage, options, planned);
    return { plan: planned.plan, ...(await verifyAndPublish(planned.plan, stage, options)) };
  } catch (error) {
    // The first failure is the one to tell; what cannot be removed now, the next run removes.
    await stage.abort().catch(() => undefined);
    throw error;
  }
}

/**
 * Verify what is staged and, only if every check passed, publish it with its evidence.
 * @throws DisclosureError `release/not-verified`, `release/rehearsal`; the caller aborts the stage.
 */
export async function verifyAndPublish(plan: Plan, stage: Stage, options: StepOptions): Promise<{ evidence: Evidence; directory: string }> {
  if (plan.rehearsal !== undefined) {
    throw new DisclosureError(
      "release/rehearsal",
      "This plan is a rehearsal: its random numbers came from a seed, so anyone could draw them again. Plan without a seed to publish.",
    );
  }
  options.progress({ phase: "verify", done: 0, unit: "steps" });
  const evidence = await verifyRelease(stage.reader, options.platform, options);
  if (evidence.verdict !== "pass") throw notVerified(evidence);
  await options.beforePublish?.(plan, stage);
  const sink = await stage.create(EVIDENCE_PATH);
  await sink.write(new TextEncoder().encode(jsonText(evidence)));
  await sink.close();
  options.progress({ phase: "publish", done: 0, unit: "steps" });
  options.signal?.throwIfAborted(); // the last chance: what follows is all or nothing
  return { evidence, directory: await stage.publish() };
}

export function notVerified(evidence: Evidence): DisclosureError {
  const failed = evidence.checks.filter(({ pass }) => !pass);
  const told = failed.map(({ check, expected, found }) => `${check}: expected ${expected}; found ${found}`).join("\n  ");
  return new DisclosureError(
    "release/not-verified",
    `${failed.length} of ${evidence.checks.length} checks of the release failed. Nothing was published.\n  ${told}`,
    { failed: failed.map(({ check }) => check) },
  );
}
