import type { Policy } from "./policy.ts";

/** What a release of tables reads besides its dimensions. */
export interface NeededColumns {
  /** Measures that are added up. */
  readonly measures: ReadonlySet<string>;
  /** Measures of which each single value matters: middles, and rules on contributions where every record is a contributor. */
  readonly values: ReadonlySet<string>;
  readonly contributor: boolean;
  readonly holding: boolean;
  readonly request: boolean;
  readonly weight: boolean;
  readonly recordKey: boolean;
}

const NOTHING: NeededColumns = {
  measures: new Set(), values: new Set(), contributor: false, holding: false, request: false, weight: false, recordKey: false,
};

/** A function of the policy alone. */
export function neededColumns({ release, columns }: Pick<Policy, "release" | "columns">): NeededColumns {
  if (release.kind !== "tables") return NOTHING;
  const method = release.protect[0]!;
  if (method.method === "noisy-counts") return { ...NOTHING, contributor: method.privacyUnit === "contributor", weight: true };
  const hasRole = (role: string): boolean => [...columns.values()].some((column) => column.role === role);

  const measures = new Set<string>();
  const values = new Set<string>();
  for (const statistic of release.tables.flatMap(({ statistics }) => statistics)) {
    if ("of" in statistic && typeof statistic.of === "string") measures.add(statistic.of);
    if (statistic.statistic === "median") values.add(statistic.of);
    if (statistic.statistic === "rate") {
      for (const amount of [statistic.numerator, statistic.denominator]) if (amount !== "count") measures.add(amount);
    }
  }
  // Who is alone in a cell knows it, however many records that are.
  const singletons = (method.method === "small-cells" || method.method === "cell-suppression") && method.singletons === "protect" && hasRole("contributor");
  let contributor = singletons;
  let holding = singletons && hasRole("holding");
  let request = false;
  for (const rule of method.method === "cell-suppression" ? method.rules : []) {
    const onContributions = ["dominance", "p-percent", "prior-posterior", "request", "contributors"].includes(rule.rule);
    if ("of" in rule && rule.of !== undefined) {
      measures.add(rule.of);
      if (onContributions && !hasRole("contributor")) values.add(rule.of);
    }
    if ("denominator" in rule && rule.denominator !== undefined) measures.add(rule.denominator);
    if (onContributions && hasRole("contributor")) contributor = true;
    if ("by" in rule && rule.by === "holding") holding = true;
    if (rule.rule === "request") request = true;
  }
  const keys = method.method === "cell-key" ? method.recordKeys : undefined;
  // Noise on sums goes by the largest contributors of a cell.
  if (keys !== undefined && measures.size > 0) {
    if (hasRole("contributor")) contributor = true;
    else for (const measure of measures) values.add(measure);
  }
  return {
    measures, values, holding, request, weight: true,
    contributor: contributor || keys?.from === "contributor",
    recordKey: keys?.from === "column",
  };
}
