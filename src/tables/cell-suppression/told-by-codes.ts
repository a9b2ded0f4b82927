import type { ToldByCodes } from "../audit/index.ts";
import type { PrimaryRule } from "../primary-rules/schema.ts";

/**
 * What a reader who knows the rules concludes about counts from an annotation that tells cells of a rule from cells hidden to
 * protect others. Rules on anything but the number of records say nothing about it.
 *
 * @param threshold counts below it are hidden, whatever the rules say
 */
export function toldByCodes(rules: readonly PrimaryRule[], threshold: number): ToldByCodes {
  let hiddenMost = threshold - 1;
  let complementaryLeast = threshold;
  const below = (minimum: number): void => void (hiddenMost = Math.max(hiddenMost, Math.ceil(minimum) - 1));
  const from = (minimum: number): void => void (complementaryLeast = Math.max(complementaryLeast, Math.ceil(minimum)));
  for (const rule of rules) {
    switch (rule.rule) {
      case "frequency":
      case "survey-cases": {
        const countsRecords = rule.of === undefined && !(rule.rule === "frequency" && rule.count === "weighted");
        below(countsRecords ? rule.minimum : Infinity);
        if (countsRecords) from(rule.minimum);
        break;
      }
      case "contributors":
        below(Infinity);
        // Each of them has a record at least.
        if (rule.of === undefined) from(rule.minimum);
        break;
      case "populations":
        // Of cells about such people only.
        below(rule.minimum);
        break;
      case "cells":
        if (rule.suppress.length > 0) below(Infinity);
        break;
      default:
        below(Infinity);
    }
  }
  return { hiddenMost, complementaryLeast };
}
