/** Published or own rule sets as plain data: which risk demands how much protection, on whose authority. */
import type { RequirementName } from "../policy/requirements.ts";

/** Impact of a disclosure in the terms of FIPS 199, from weak to strong. */
export const TIERS = ["low", "moderate", "high"] as const;
export type Tier = (typeof TIERS)[number];

/**
 * What is measured on the source, over the columns that the policy makes keys (quasi-identifiers of microdata, dimensions
 * of tables), before any protection.
 */
export interface Measured {
  /** Records in the source. */
  readonly records: number;
  /** Share of records that are alone in their combination of key values, 0 to 1; 0 when there are no records. */
  readonly shareOfUniques: number;
  /** Records in the smallest combination of key values; 0 when there are no records. */
  readonly smallestClass: number;
  /** Number of key columns: quasi-identifiers, or dimensions. */
  readonly quasiIdentifiers: number;
  /** Number of columns with the role sensitive that are released. */
  readonly sensitiveColumns: number;
}

export type MeasuredInput = keyof Measured;

/** Which way each input means more risk. A rule may trigger in this direction only, so more risk never triggers less. */
export const RISKIER: Readonly<Record<MeasuredInput, "larger" | "smaller">> = {
  records: "larger",
  shareOfUniques: "larger",
  smallestClass: "smaller",
  quasiIdentifiers: "larger",
  sensitiveColumns: "larger",
};

/** Holds when the input is at the bound or beyond it in its riskier direction. */
export interface Condition {
  readonly input: MeasuredInput;
  readonly bound: number;
}

/** What a release gives away; a rule applies to some of them. */
export type Output = "microdata" | "suppressed-counts" | "perturbed-counts" | "gaussian-counts" | "laplace-counts";

interface Sourced {
  /** Stable name, told with every requirement it causes. */
  readonly id: string;
  readonly reasoning: string;
  /** Who says so; "commensurate" for our own judgement. */
  readonly authority: string;
  readonly source: string;
  /** verified: the cited text was read. secondary: read in a document that restates it. proposed: our own, no authority says it. */
  readonly status: "verified" | "secondary" | "proposed";
}

/** Measured risk may lift the tier above the declared classification, and never lower it. */
export interface TierRule extends Sourced {
  readonly when: readonly Condition[];
  /** Steps above the declared tier, or the least tier; whichever is higher counts, and nothing is above high. */
  readonly raises: { readonly steps: number } | { readonly atLeast: Tier };
}

/** From this tier on, and when all conditions hold, the requirement has at least this value. */
export interface RequirementRule extends Sourced {
  readonly when: { readonly tier: Tier; readonly measured?: readonly Condition[] };
  readonly outputs: readonly Output[];
  /** For requirements without a scale the value is 1. */
  readonly requires: { readonly requirement: RequirementName; readonly value: number };
}

export interface Profile {
  readonly name: string;
  readonly edition: string;
  readonly description: string;
  /** What `classification: unknown` counts as. */
  readonly unknownClassification: Sourced & { readonly tier: Tier };
  readonly tierRules: readonly TierRule[];
  readonly requirementRules: readonly RequirementRule[];
}
