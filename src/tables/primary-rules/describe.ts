import type { PrimaryOutcome } from "./outcome.ts";
import type { PrimaryRule } from "./schema.ts";

export interface DescribeRulesOptions {
  /**
   * Whether the parameters of rules on contributions (n, k, p, q, shares, coalitions) may be named. Default false: knowing
   * them narrows what a reader can work out about hidden totals.
   */
  readonly publishParameters?: boolean;
}

/**
 * The rules for the public, a paragraph each, none twice. Nothing is said of single cells, reasons or names: decisions on
 * cells are mentioned only as such. A function of the rules alone.
 */
export function describeRules(rules: readonly PrimaryRule[], options: DescribeRulesOptions = {}): string[] {
  const { publishParameters = false } = options;
  return [
    ...new Set(
      rules.map((rule) => {
        if (rule.rule === "cells") return "Some cells are shown or not shown by a decision on the single case.";
        const zeros = rule.rule === "frequency" && rule.zeros === "publish" ? " True zeros are shown." : "";
        return `Not shown: ${which(rule, publishParameters)}.${zeros}`;
      }),
    ),
  ];
}

/**
 * Why a cell is hidden, or shown in spite of rules, in words for the agency; parameters are named. Empty when no rule speaks
 * of the cell. Not for the public.
 */
export function explainCell(rules: readonly PrimaryRule[], outcome: PrimaryOutcome, cell: number): string[] {
  const words: string[] = [];
  rules.forEach((rule, r) => {
    if ((outcome.hits[cell]! & (1 << r)) === 0) return;
    words.push(rule.rule === "cells" ? "cells: hidden by decision" : `${rule.rule}: among the ${which(rule, true)}`);
  });
  rules.forEach((rule, r) => {
    if (rule.rule === "cells" || (outcome.setAside[cell]! & (1 << r)) === 0) return;
    words.push(`${rule.rule}: set aside by decision, although among the ${which(rule, true)}`);
  });
  if (outcome.safe[cell] === 1) words.push("cells: shown by decision");
  return words;
}

/** [rules] cells that each rule hides; for internal evidence. Time O(cells x rules). */
export function countHits(outcome: PrimaryOutcome): number[] {
  return outcome.rules.map((_, r) => {
    let hidden = 0;
    for (let c = 0; c < outcome.cells; c++) if ((outcome.hits[c]! & (1 << r)) !== 0) hidden++;
    return hidden;
  });
}

/** Which cells the rule hides, as a noun phrase in the plural. */
function which(rule: Exclude<PrimaryRule, { rule: "cells" }>, parameters: boolean): string {
  switch (rule.rule) {
    case "frequency": {
      const what = rule.of === undefined ? `${rule.count === "weighted" ? "weighted " : ""}counts` : `cells with a ${rule.of}`;
      return `${what} ${rule.zeros === "protect" ? "" : "above zero and "}below ${rule.minimum}`;
    }
    case "contributors":
      return `cells with fewer than ${rule.minimum} different ${contributors(rule)}`;
    case "dominance": {
      if (!parameters) return `totals of ${rule.of} of which few ${contributors(rule)} make up the most part`;
      const largest = rule.n === 1 ? "the largest makes" : `the ${rule.n} largest together make`;
      return `totals of ${rule.of} of which, among ${contributors(rule)}, ${largest} up more than ${rule.k} percent`;
    }
    case "p-percent":
    case "prior-posterior": {
      if (!parameters) return `totals of ${rule.of} from which some ${contributors(rule)} could estimate another too closely`;
      const others = rule.coalition === 1 ? "the second largest" : `the next ${rule.coalition} largest together`;
      const prior = rule.rule === "p-percent" ? "" : `, knowing everybody to within ${rule.q} percent beforehand`;
      return (
        `totals of ${rule.of} from which, among ${contributors(rule)}, ${others} could estimate the largest ` +
        `to within ${rule.p} percent${prior}`
      );
    }
    case "request":
      return (
        `totals of ${rule.of} of which ${rule.by === "holding" ? "an enterprise group" : "a contributor"} that asked for ` +
        `confidentiality makes up ${parameters ? `more than ${rule.share} percent` : "a large part"}`
      );
    case "denominator":
      return `cells about groups with a ${rule.denominator} below ${rule.minimum}`;
    case "remainder":
      return `cells in which the ${rule.denominator ?? "number of records"} is less than ${rule.minimum} above the ${rule.of}`;
    case "group-disclosure":
      if (rule.columns === undefined) return "cells that hold everybody of a group";
      return `cells that hold everybody of a group, so that ${rule.columns.join(" or ")} could be told from being in the group`;
    case "survey-cases":
      return `estimates from fewer than ${rule.minimum} sample cases, which are not reliable`;
    case "populations":
      return (
        `counts ${rule.zeros === "protect" ? "" : "above zero and "}below ${rule.minimum} of people who need special ` +
        "protection, whatever else would allow them"
      );
  }
}

function contributors(rule: { readonly by: "contributor" | "holding" }): string {
  return rule.by === "holding" ? "enterprise groups" : "contributors";
}
