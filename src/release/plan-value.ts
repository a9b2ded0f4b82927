import type { Requirement } from "./require.ts";
import type { RiskAssessment } from "./classify.ts";
import type { PolicyInput } from "../policy/schema.ts";

/** What a release will do, as a plain value: saved, read, diffed and signed before anything is written. */
export interface Plan {
  readonly format: "commensurate/plan@1";
  /** SHA-256 of the canonical policy. */
  readonly policyHash: string;
  /** The policy itself, so that the plan stands on its own. */
  readonly policy: PolicyInput;
  /** Folder of the policy, to which its paths are relative; never published. */
  readonly folder?: string | undefined;
  readonly input: {
    readonly fingerprint: string;
    readonly records: number;
    readonly columns: readonly string[];
  };
  readonly assessment: RiskAssessment;
  readonly requirements: readonly Requirement[];
  /** What the method decided: rules and levels, never values of records. */
  readonly decision: Decision;
  /** Present when seeded random numbers were asked for; such a plan cannot be published. */
  readonly rehearsal?: { readonly seed: string } | undefined;
}

/** Each method has its own shape under its name. */
export interface Decision {
  readonly method: string;
  readonly [name: string]: unknown;
}
