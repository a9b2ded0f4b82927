import { isMagnitude } from "./evaluate.ts";
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
 * The rules for the public, a paragraph each. Nothing is said of single cells, of reasons or of names: decisions on cells are
 * mentioned only as such. A function of the rules alone.
 */
export function describeRules(rules: readonly PrimaryRule[], options: DescribeRulesOptions = {}): string[] {
  const { publishParameters = false } = options;
  const paragraphs = rules.map((rule) => sentence(rule, publishParameters));
  return [...new Set(paragraphs)];
}

function sentence(rule: PrimaryRule, parameters: boolean): string {
  const whose = "by" in rule && rule.by === "holding" ? "contributors, those of one enterprise group taken together," : "contributors";
  switch (rule.rule) {
    case "frequency": {
      const what = rule.of ?? (rule.count === "weighted" ? "weighted counts" : "counts");
      return rule.zeros === "protect"
        ? `Cells are not shown where ${what} are below ${rule.minimum}, zero included.`
        : `Cells are not shown where ${what} are above zero and below ${rule.minimum}. True zeros are shown.`;
    }
    case "contributors":
      return `Cells are not shown that fewer than ${rule.minimum} ${whose} make up.`;
    case "dominance":
      return parameters
        ? `Totals of ${rule.of} are not shown where the ${rule.n === 1 ? "largest" : `${rule.n} largest`} ${whose} ` +
            `${rule.n === 1 ? "makes" : "make"} up more than ${rule.k} percent.`.replace("contributors makes", "contributor makes")
        : `Totals of ${rule.of} are not shown where few ${whose} make up most of them.`;
    case "p-percent":
    case "prior-posterior":
      return parameters
        ? `Totals of ${rule.of} are not shown where ${rule.coalition === 1 ? "the second largest" : `the next ${rule.coalition} largest`} of the ` +
            `${whose} could estimate the largest to within ${rule.p} percent` +
            `${rule.rule === "prior-posterior" ? `, knowing all others to within ${rule.q} percent beforehand.` : "."}`
        : `Totals of ${rule.of} are not shown where one of the ${whose} could estimate another's value too closely.`;
    case "request":
      return parameters
        ? `Totals of ${rule.of} are not shown where one that asked for confidentiality makes up more than ${rule.share} percent.`
        : `Totals of ${rule.of} are not shown where one that asked for confidentiality makes up a large part.`;
    case "denominator":
      return `Cells are not shown for groups whose ${rule.denominator} is below ${rule.minimum}.`;
    case "remainder":
      return `Cells are not shown where all but fewer than ${rule.minimum} of a group are counted by ${rule.of}.`;
    case "group-disclosure":
      return rule.columns === undefined
        ? "Cells are not shown where everybody in a group is in the same category."
        : `Cells are not shown where everybody in a group is in the same category of ${rule.columns.join(" or ")}.`;
    case "survey-cases":
      return `Estimates from fewer than ${rule.minimum} sample cases are not shown, because they are not reliable.`;
    case "populations":
      return (
        `Counts ${rule.zeros === "protect" ? "below" : `from 1 to ${rule.minimum - 1}, below`} ${rule.minimum} of people who need ` +
        "special protection are not shown in any case."
      ).replace(/from 1 to (\d+), below \d+/, "from 1 to $1");
    case "cells":
      return "Some cells are shown or not shown by a decision on the single case.";
  }
}

/** Why a cell is hidden, or shown in spite of rules, in words for the agency; parameters are named. Empty when no rule speaks of it. */
export function explainCell(rules: readonly PrimaryRule[], outcome: PrimaryOutcome, cell: number): string[] {
  const words: string[] = [];
  rules.forEach((rule, r) => {
    if ((outcome.hits[cell]! & (1 << r)) !== 0) words.push(`${rule.rule}: ${reason(rule)}`);
  });
  rules.forEach((rule, r) => {
    if ((outcome.setAside[cell]! & (1 << r)) !== 0) words.push(`${rule.rule}: set aside by decision. ${reason(rule)}`);
  });
  if (outcome.safe[cell] === 1) words.push("cells: shown by decision.");
  return words;
}

function reason(rule: PrimaryRule): string {
  if (isMagnitude(rule)) return sentence(rule, true);
  if (rule.rule === "cells") return "hidden by decision.";
  return sentence(rule, true);
}

/** [rules] cells that each rule hides; for internal evidence. Time O(cells x rules). */
export function countHits(outcome: PrimaryOutcome): number[] {
  return outcome.rules.map((_, r) => {
    let hidden = 0;
    for (let c = 0; c < outcome.cells; c++) if ((outcome.hits[c]! & (1 << r)) !== 0) hidden++;
    return hidden;
  });
}
