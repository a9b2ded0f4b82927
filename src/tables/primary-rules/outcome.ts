import type { BoundHierarchy } from "../../hierarchies/hierarchy.ts";
import type { TableSystem } from "../tabulate/index.ts";
import type { Contributions } from "./contributions.ts";
import type { RuleName } from "./schema.ts";

/** What rules decide on. `ruleNeeds` says which parts a list of rules asks for. */
export interface RuleInput {
  readonly system: TableSystem;
  /** Who is in the inner cells, without a measure: for rules on weighted counts and on numbers of contributors. */
  readonly contributors?: Contributions | undefined;
  /** Who contributes what, by the column of the measure. */
  readonly measures?: ReadonlyMap<string, Contributions> | undefined;
  /** [cells] numbers of the published cells by column: denominators, numerators, survey cases. NaN where unknown. */
  readonly numbers?: ReadonlyMap<string, Float64Array> | undefined;
  /** Hierarchies of the dimension columns as they were given to `tabulate`; for rules that name categories. */
  readonly hierarchies?: ReadonlyMap<string, Pick<BoundHierarchy, "levels">> | undefined;
}

/** How far a reader's knowledge of hidden totals must stay off; [cells] each, in units of the measure, 0 where nothing is asked. */
export interface ProtectionLevels {
  /** A value of at least total + upper must remain possible. */
  readonly upper: Float64Array;
  /** A value of at most total - lower must remain possible. */
  readonly lower: Float64Array;
  /** The values that remain possible must span at least this. */
  readonly sliding: Float64Array;
}

/** What the rules found. Nothing in it may be published as it stands. */
export interface PrimaryOutcome {
  readonly cells: number;
  /** Names of the rules, in the order of the policy; their positions are the bits of `hits`. */
  readonly rules: readonly RuleName[];
  /** [cells] 1 for cells that may not be shown. */
  readonly primary: Uint8Array;
  /** [cells] bit r is set where rule r hides the cell. */
  readonly hits: Uint32Array;
  /** [cells] 1 for cells that must be shown by decision; never primary. */
  readonly safe: Uint8Array;
  /** [cells] bit r is set where rule r would hide the cell but was set aside by decision. */
  readonly setAside: Uint32Array;
  /** Protection levels by measure, for measures that rules name. */
  readonly levels: ReadonlyMap<string, ProtectionLevels>;
  /** What the policy names and the tables do not have, in words for the agency: misspelt, or absent from these data. */
  readonly unmatched: readonly string[];
}

/** What has to be gathered for a list of rules. */
export interface RuleNeeds {
  /** Columns of measures, each to be given as contributions. */
  readonly measures: readonly string[];
  /** Columns of numbers of the published cells. */
  readonly numbers: readonly string[];
  /** Whether contributions without a measure are needed. */
  readonly contributors: boolean;
  readonly holdings: boolean;
  readonly weights: boolean;
  readonly requested: boolean;
  readonly hierarchies: boolean;
  /** How `tabulate` has to treat cells without records: "protect" as soon as a rule protects zeros. */
  readonly zeros: "publish" | "protect";
}
