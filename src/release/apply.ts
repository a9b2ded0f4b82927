import { DataError, DisclosureError, PolicyError } from "../errors/index.ts";
import { parsePolicy, policyHash } from "../policy/index.ts";
import { hashBytesWith } from "../sources/hasher.ts";
import type { Source } from "../sources/source.ts";
import { classify } from "./classify.ts";
import { contextOf, surveyFor, type Planned, type StepOptions } from "./plan.ts";
import type { Plan } from "./plan-value.ts";
import type { Stage } from "./platform.ts";
import { StagedOutput, stageTexts } from "./publish.ts";
import { jsonText } from "./public-texts.ts";
import { requirementsFor } from "./require.ts";
import { roadFor } from "./roads.ts";

/**
 * Carry out a plan into a stage. Nothing is decided here.
 * @param planned what planning just found out; without it the source is surveyed again and must be the one that was planned
 * @throws DataError `source/not-as-planned` when the input is not the one that was planned for.
 */
export async function applyPlan(plan: Plan, source: Source, stage: Stage, options: StepOptions, planned?: Planned): Promise<void> {
  const policy = planned?.policy ?? parsePolicy(plan.policy);
  const hash = policyHash(policy, (bytes) => hashBytesWith(options.platform.newHasher, bytes));
  if (hash !== plan.policyHash) {
    throw new PolicyError("plan/policy-edited", "The policy inside the plan is not the one that was planned. Plan again instead of editing plans.");
  }
  const { survey, columns } = planned ?? (await surveyFor(policy, source, { ...options, keepRecords: true }));
  if (survey.fingerprint !== plan.input.fingerprint || survey.rows !== plan.input.records) {
    throw new DataError(
      "source/not-as-planned",
      "The input is not the one that the plan was made for: its content differs. Nothing was published. Plan again for the new input.",
      { plannedRecords: plan.input.records, records: survey.rows },
    );
  }
  const road = await roadFor(policy);
  // What a plan file says is derived again: nobody weakens a release by editing numbers in a file.
  const assessment = classify(policy, road.measure(policy, survey));
  const requirements = requirementsFor(assessment, policy);
  if (jsonText({ assessment, requirements, columns: columns.read.map(({ name }) => name) }) !== jsonText({ assessment: plan.assessment, requirements: plan.requirements, columns: plan.input.columns })) {
    throw new DisclosureError("plan/requirements-edited", "The plan's risk, requirements or columns are not those that policy and input lead to. Nothing was published. Plan again instead of editing plans.");
  }
  const output = new StagedOutput(stage, options.platform.newHasher);
  const rehearsalSeed = plan.rehearsal?.seed;
  const context = contextOf(policy, requirements, rehearsalSeed === undefined ? options : { ...options, rehearsalSeed });
  road.checkDecision(context, plan.decision);
  await road.apply(context, { decision: plan.decision, survey, source, lanes: options.lanes, columns, output });
  await stageTexts(output, plan, policy, road);
}
