/** What a rule may demand of a release. The names appear in policies (overrides), plans and evidence. */

/** Which way a requirement becomes stronger. */
export type Stronger = "larger" | "smaller" | "required";

export interface RequirementKind {
  /** How the value is read. "required" has no scale: the value is 1 and nothing weaker exists. */
  readonly stronger: Stronger;
  readonly unit: string;
  /** One sentence for people. */
  readonly meaning: string;
}

export const REQUIREMENTS = {
  "direct-identifiers-removed": {
    stronger: "required",
    unit: "",
    meaning: "No column with the role direct-identifier or contributor is released.",
  },
  "minimum-class-size": {
    stronger: "larger",
    unit: "records",
    meaning: "Every released equivalence class over the quasi-identifiers has at least this many records.",
  },
  "minimum-frequency": {
    stronger: "larger",
    unit: "records",
    meaning: "No count from 1 up to one less than this is shown or can be computed back.",
  },
  "complementary-suppression": {
    stronger: "required",
    unit: "",
    meaning: "Further counts are hidden until no hidden small count can be computed from what is shown.",
  },
  "minimum-interval": {
    stronger: "larger",
    unit: "values",
    meaning: "At least this many values remain possible for every hidden small count, given everything published.",
  },
  "minimum-ambiguity": {
    stronger: "larger",
    unit: "counts",
    meaning: "Behind a published number that small counts are shown as, at least this many true counts are possible, seen alone; a shown 0 may leave fewer.",
  },
  "maximum-rho": {
    stronger: "smaller",
    unit: "zCDP",
    meaning: "The privacy budget of all noisy counts together, in zero-concentrated differential privacy, is at most this.",
  },
  "maximum-epsilon": {
    stronger: "smaller",
    unit: "epsilon",
    meaning: "The privacy budget of all noisy counts together, in pure differential privacy, is at most this.",
  },
} as const satisfies Record<string, RequirementKind>;

export type RequirementName = keyof typeof REQUIREMENTS;

export const REQUIREMENT_NAMES = Object.keys(REQUIREMENTS) as readonly RequirementName[];

/** Requirements with a scale; only these can be overridden, since the others have no weaker form. */
export type ScaledRequirementName = {
  [Name in RequirementName]: (typeof REQUIREMENTS)[Name]["stronger"] extends "required" ? never : Name;
}[RequirementName];

export const SCALED_REQUIREMENT_NAMES = REQUIREMENT_NAMES.filter(
  (name) => REQUIREMENTS[name].stronger !== "required",
) as readonly ScaledRequirementName[];

/** Whether `a` protects strictly more than `b`. */
export function isStronger(requirement: RequirementName, a: number, b: number): boolean {
  return REQUIREMENTS[requirement].stronger === "smaller" ? a < b : a > b;
}
