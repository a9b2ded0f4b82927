import type { FileRecord } from "../catalog/index.ts";
import type { LanePool } from "../engines/local/lanes.ts";
import { CommensurateError, DataError } from "../errors/index.ts";
import { parsePolicy, policyHash, type Policy } from "../policy/index.ts";
import { joinBytes } from "../sources/bytes.ts";
import { hashBytesWith } from "../sources/hasher.ts";
import { check, type Check, type Evidence } from "./evidence.ts";
import type { Plan } from "./plan-value.ts";
import { readPlan } from "./plan-file.ts";
import type { Platform, ReleaseReader } from "./platform.ts";
import type { ReportProgress } from "./progress.ts";
import { describeRelease, EVIDENCE_PATH, jsonText, manifestText, MANIFEST_PATH, PLAN_PATH, publicTexts } from "./public-texts.ts";
import { classify } from "./classify.ts";
import { requirementsFor, type Requirement } from "./require.ts";
import { countReleasedCsv } from "./verify/released-csv.ts";
import type { RoadContext } from "./road.ts";
import { roadFor } from "./roads.ts";

export interface VerifyOptions {
  /** Threads that may recount while this one hashes. */
  readonly lanes?: Pick<LanePool, "recountCsv"> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress: ReportProgress;
}

const TEXT_BYTES = 64 * 1024 * 1024;

/**
 * Re-read a release and hold every file against the plan's requirements, with no help from what plan and apply computed.
 * Texts are derived again from policy and decision, so that no changed word passes; data files are recounted and attacked by
 * the road's own verification.
 */
export async function verifyRelease(released: ReleaseReader, platform: Platform, options: VerifyOptions): Promise<Evidence> {
  const reader = recounting(abortable(released, options.signal), options.lanes);
  const checks: Check[] = [];
  const present = await reader.list();
  const planText = await smallText(reader, PLAN_PATH, present);
  const plan = readPlan(planText);
  const policy = parsePolicy(plan.policy);
  const road = await roadFor(policy);

  // The plan: what it says must follow from its own policy and measured risk; from here on only what follows counts.
  const { requirements, checks: ofPlan } = planChecks(plan, policy, platform);
  checks.push(...ofPlan);
  const context: RoadContext = { policy, requirements, platform, progress: options.progress, signal: options.signal };
  road.checkDecision(context, plan.decision);

  // Files: exactly those of a release, byte for byte what policy, decision and data files call for.
  const description = describeRelease(policy, road, plan.decision, plan.input.columns);
  const dataPaths = description.tables.flatMap((table) => table.files.map((file) => file.path));
  // Recounting and hashing read the same files and take turns, or run side by side where a lane does the counting.
  const recounted = dataPaths.every((path) => present.includes(`public/${path}`)) ? road.verify(context, plan, reader) : undefined;
  recounted?.catch(() => undefined); // told below, once the files are known to be all there
  const files = new Map<string, FileRecord>();
  for (const path of present) {
    if (path.startsWith("public/") && path !== MANIFEST_PATH) files.set(path.slice(7), await fileRecord(reader, path, platform));
  }
  const texts = publicTexts(description, files);
  const expected = [...dataPaths.map((path) => `public/${path}`), ...texts.keys(), MANIFEST_PATH, PLAN_PATH, ...(road.internalFiles?.(policy) ?? [])];
  const missing = expected.filter((path) => !present.includes(path));
  const extra = present.filter((path) => !expected.includes(path) && path !== EVIDENCE_PATH);
  checks.push(check("files/complete", "every file of the release", missing.length === 0 ? "every file" : `${missing.length} missing`, missing.length === 0));
  checks.push(check("files/nothing-else", "no other file", extra.length === 0 ? "none" : `${extra.length} others`, extra.length === 0));
  for (const [path, text] of texts) {
    const same = present.includes(path) && (await smallText(reader, path, present)) === text;
    checks.push(check(`files/${path.slice(7)}`, "as policy and plan call for", same ? "the same" : "different", same));
  }
  const manifest = manifestText([...files.values()]);
  const manifestSame = present.includes(MANIFEST_PATH) && (await smallText(reader, MANIFEST_PATH, present)) === manifest;
  checks.push(check("files/manifest.json", "size and SHA-256 of every public file", manifestSame ? "all agree" : "different", manifestSame));

  let risk: unknown = null;
  if (missing.length === 0) {
    try {
      const found = await (recounted ?? road.verify(context, plan, reader));
      checks.push(...found.checks);
      risk = found.risk;
    } catch (error) {
      options.signal?.throwIfAborted();
      // Whatever the reason: what cannot be read again is not proven safe. Only our own codes are known to hold no data.
      checks.push(check("data/readable", "data files that can be read again", error instanceof CommensurateError ? error.code : "unreadable", false));
    }
  }
  const evidence: Evidence = {
    format: "commensurate/evidence@1",
    verdict: checks.every(({ pass }) => pass) ? "pass" : "fail",
    plan: hashBytesWith(platform.newHasher, new TextEncoder().encode(planText)),
    checks,
    files: [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
    overrides: requirements.flatMap((requirement) => (requirement.overridden === undefined ? [] : [{ requirement: requirement.requirement, ...requirement.overridden }])),
    risk: { before: plan.assessment, after: risk },
  };
  return present.includes(EVIDENCE_PATH) ? withStoredEvidence(evidence, await smallText(reader, EVIDENCE_PATH, present)) : evidence;
}

/** What was established at publication must be what is found now. */
function withStoredEvidence(evidence: Evidence, stored: string): Evidence {
  if (stored === jsonText(evidence)) return evidence;
  const checks = [...evidence.checks, check("evidence/unchanged", "the evidence of the publication", "different", false)];
  return { ...evidence, verdict: "fail", checks };
}

/**
 * The plan must still be one that its own policy and measured risk lead to.
 * @throws PolicyError, InternalError when policy and measured risk lead to no requirements at all
 */
function planChecks(plan: Plan, policy: Policy, platform: Platform): { requirements: readonly Requirement[]; checks: Check[] } {
  const checks: Check[] = [];
  const hash = policyHash(policy, (bytes) => hashBytesWith(platform.newHasher, bytes));
  checks.push(check("plan/policy", "the policy that was planned", hash === plan.policyHash ? "the same" : "different", hash === plan.policyHash));
  const assessment = classify(policy, plan.assessment.measured);
  const requirements = requirementsFor(assessment, policy);
  const same = jsonText({ assessment, requirements }) === jsonText({ assessment: plan.assessment, requirements: plan.requirements });
  checks.push(check("plan/requirements", "the requirements that classification and risk call for", same ? "the same" : "different", same));
  checks.push(check("plan/rehearsal", "secure random numbers", plan.rehearsal === undefined ? "secure" : "rehearsal", plan.rehearsal === undefined));
  return { requirements, checks };
}

/** Large files are read from end to end several times; each chunk is a chance to stop. */
function abortable(reader: ReleaseReader, signal: AbortSignal | undefined): ReleaseReader {
  if (signal === undefined) return reader;
  return {
    ...reader,
    async *chunks(path) {
      for await (const chunk of reader.chunks(path)) {
        signal.throwIfAborted();
        yield chunk;
      }
    },
  };
}

/** Let an idle lane recount, where there is one and the files have a place to read them from. */
function recounting(reader: ReleaseReader, lanes: VerifyOptions["lanes"]): ReleaseReader {
  if (lanes?.recountCsv === undefined || reader.location === undefined) return reader;
  return { ...reader, countCsv: (path, keys) => lanes.recountCsv!(reader.location!(path), keys) ?? countReleasedCsv(reader.chunks(path), keys) };
}

async function fileRecord(reader: ReleaseReader, path: string, platform: Platform): Promise<FileRecord> {
  const hasher = platform.newHasher();
  let bytes = 0;
  for await (const chunk of reader.chunks(path)) {
    hasher.update(chunk);
    bytes += chunk.length;
  }
  return { path: path.slice(7), bytes, sha256: hasher.digest() };
}

async function smallText(reader: ReleaseReader, path: string, present: readonly string[]): Promise<string> {
  if (!present.includes(path)) {
    throw new DataError("verify/not-a-release", `There is no ${path}. Name a folder that a release was written to.`, { path });
  }
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of reader.chunks(path)) {
    bytes += chunk.length;
    if (bytes > TEXT_BYTES) throw new DataError("verify/text-too-long", `${path} is longer than any text of a release.`, { path });
    parts.push(chunk.slice());
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(joinBytes(parts));
  } catch {
    throw new DataError("verify/not-text", `${path} is not UTF-8 text. The file is not as it was released.`, { path });
  }
}
