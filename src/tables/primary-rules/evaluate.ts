import { InternalError, PolicyError } from "../../errors/index.ts";
import { groupCodes, groupScratch } from "../../kernels/group-codes.ts";
import { TOTAL } from "../tabulate/index.ts";
import { markDecided } from "./decided-cells.ts";
import type { Contributions } from "./contributions.ts";
import { exactCells, type ExactCell } from "./exact-cell.ts";
import type { PrimaryOutcome, ProtectionLevels, RuleInput, RuleNeeds } from "./outcome.ts";
import { populationCells } from "./populations.ts";
import { RULES_LIMIT, type GroupDisclosureRule, type PrimaryRule } from "./schema.ts";
import { sensitivityOf, upperProtection, weightBelow, type MagnitudeRule } from "./sensitivity.ts";
import { contributorStatistics, type ContributorStatistics, type StatisticsOptions } from "./statistics.ts";

/** What a list of rules needs, so that nothing more is gathered. */
export function ruleNeeds(rules: readonly PrimaryRule[]): RuleNeeds {
  const measures = new Set<string>();
  const numbers = new Set<string>();
  let [contributors, holdings, weights, requested, hierarchies, protectsZeros] = [false, false, false, false, false, false];
  for (const rule of rules) {
    if ("zeros" in rule && rule.zeros === "protect") protectsZeros = true;
    if (isMagnitude(rule)) {
      measures.add(rule.of);
      if (rule.by === "holding") holdings = true;
      if (rule.weights !== "ignore") weights = true;
      if (rule.rule === "request") requested = true;
      continue;
    }
    switch (rule.rule) {
      case "frequency":
        if (rule.of !== undefined) numbers.add(rule.of);
        else if (rule.count === "weighted") contributors = weights = true;
        break;
      case "contributors":
        if (rule.of === undefined) contributors = true;
        else measures.add(rule.of);
        if (rule.by === "holding") holdings = true;
        break;
      case "denominator":
        numbers.add(rule.denominator);
        break;
      case "remainder":
        numbers.add(rule.of);
        if (rule.denominator !== undefined) numbers.add(rule.denominator);
        break;
      case "survey-cases":
        if (rule.of !== undefined) numbers.add(rule.of);
        break;
      case "group-disclosure":
        // The zeros beside the full cell tell the same, so they must be unknown too.
        protectsZeros = true;
        break;
      case "populations":
      case "cells":
        hierarchies = true;
        break;
    }
  }
  return {
    measures: [...measures], numbers: [...numbers], contributors, holdings, weights, requested, hierarchies,
    zeros: protectsZeros ? "protect" : "publish",
  };
}

/**
 * Decide which cells may not be shown. Rules are joined by "or"; decisions on single cells come last.
 *
 * Comparisons are those of the rules' definitions, strict or not, and exact: whole numbers, decimals up to nine digits after
 * the point, and near a boundary rational arithmetic for all others. The outcome does not depend on the order of entries.
 *
 * @throws PolicyError `primary-rules/unknown-column` when a rule names a measure or column that was not given,
 *         `primary-rules/unknown-table`, `primary-rules/zeros-are-public` when rules protect zeros of tables that publish
 *         them, `primary-rules/no-weights`, `primary-rules/no-holdings`, `primary-rules/no-requests`,
 *         `primary-rules/too-many-rules`, and those of decisions on cells: `primary-rules/unjustified-override`,
 *         `primary-rules/conflicting-decision`, `primary-rules/ambiguous-category`, `primary-rules/zero-cell`
 *         DataError of `contributorStatistics`
 * Time O(margins x entries) for each measure and reading of it, plus O(cells) for each rule.
 */
export function evaluateRules(input: RuleInput, rules: readonly PrimaryRule[]): PrimaryOutcome {
  const { system } = input;
  const { cells, count } = system;
  if (rules.length > RULES_LIMIT) {
    throw new PolicyError(
      "primary-rules/too-many-rules", `${rules.length} rules; at most ${RULES_LIMIT} can be combined. Join some of them.`,
      { rules: rules.length },
    );
  }
  if (system.zeros === "publish" && ruleNeeds(rules).zeros === "protect") {
    throw new PolicyError(
      "primary-rules/zeros-are-public",
      "A rule protects cells without records (zeros: protect, or group-disclosure), but the tables publish them. " +
        "Write zeros: protect for the tables, or let the rule publish zeros.",
    );
  }
  const hits = new Uint32Array(cells);
  const unmatched: string[] = [];
  const levels = new Map<string, { upper: Float64Array; lower: Float64Array; sliding: Float64Array }>();
  const levelsOf = (measure: string) => {
    const known = levels.get(measure);
    if (known !== undefined) return known;
    const fresh = { upper: new Float64Array(cells), lower: new Float64Array(cells), sliding: new Float64Array(cells) };
    levels.set(measure, fresh);
    return fresh;
  };
  const readings = statisticsByReading(input, rules);
  for (const measure of ruleNeeds(rules).measures) levelsOf(measure);

  refuseMissing(input, rules);
  rules.forEach((rule, r) => {
    const bit = 1 << r; // bit 31 is negative as a number and right as a word
    const hide = (hidden: (cell: number) => boolean) => {
      for (let c = 0; c < cells; c++) if (hidden(c)) hits[c]! |= bit;
    };
    if (isMagnitude(rule)) {
      const { statistics, exact } = readings.of(rule.of, rule);
      const needed = upperProtection(sensitivityOf(rule), statistics, exact);
      const { upper, lower, sliding } = levelsOf(rule.of);
      for (let c = 0; c < cells; c++) {
        const level = needed[c]!;
        if (level === 0) continue;
        hits[c]! |= bit;
        upper[c] = Math.max(upper[c]!, level);
        lower[c] = Math.max(lower[c]!, level);
        sliding[c] = Math.max(sliding[c]!, rule.width.minimum, (rule.width.percent / 100) * statistics.total[c]!);
      }
      return;
    }
    switch (rule.rule) {
      case "frequency": {
        const zeros = rule.zeros === "protect";
        if (rule.of !== undefined) {
          const numbers = numbersOf(input, rule.of);
          hide((c) => (numbers[c] === 0 ? zeros : !(numbers[c]! >= rule.minimum)));
        } else if (rule.count === "weighted") {
          const { statistics, exact } = readings.of(undefined, {});
          const below = weightBelow(rule.minimum, statistics, exact);
          hide((c) => (count[c] === 0 ? zeros : below(c)));
        } else hide((c) => (count[c] === 0 ? zeros : Math.abs(count[c]!) < rule.minimum)); // differences may lie below zero
        if (rule.safetyRange > 0) keepRange(rule.safetyRange, bit);
        break;
      }
      case "contributors": {
        const { statistics } = readings.of(rule.of, {});
        const numbers =
          rule.of === undefined
            ? rule.by === "holding" ? statistics.holdings : statistics.contributors
            : rule.by === "holding" ? statistics.contributingHoldings : statistics.contributing;
        hide((c) => numbers[c]! > 0 && numbers[c]! < rule.minimum);
        if (rule.safetyRange > 0) keepRange(rule.safetyRange, bit);
        break;
      }
      case "denominator": {
        const denominator = numbersOf(input, rule.denominator);
        // "not at least" rather than "below": an unknown denominator hides the cell.
        hide((c) => (count[c]! > 0 || rule.zeros === "protect") && !(denominator[c]! >= rule.minimum));
        break;
      }
      case "remainder": {
        const numerator = numbersOf(input, rule.of);
        const denominator = rule.denominator === undefined ? count : numbersOf(input, rule.denominator);
        hide((c) => denominator[c] !== 0 && !(denominator[c]! - numerator[c]! >= rule.minimum));
        break;
      }
      case "group-disclosure":
        for (const c of fullCells(input, rule)) hits[c]! |= bit;
        break;
      case "survey-cases": {
        const cases = rule.of === undefined ? count : numbersOf(input, rule.of);
        hide((c) => (count[c]! > 0 || rule.zeros === "protect") && !(cases[c]! >= rule.minimum));
        break;
      }
      case "populations": {
        const { about, notes } = populationCells(input, rule);
        unmatched.push(...notes);
        hide((c) => about[c] === 1 && (count[c] === 0 ? rule.zeros === "protect" : count[c]! < rule.minimum));
        break;
      }
      case "cells":
        break;
    }
  });

  const { safe, setAside, notes } = markDecided(input, rules, hits);
  for (let c = 0; c < cells; c++) {
    if (safe[c] === 0) continue;
    for (const level of levels.values()) level.upper[c] = level.lower[c] = level.sliding[c] = 0;
  }
  return {
    cells,
    rules: rules.map(({ rule }) => rule),
    primary: Uint8Array.from(hits, (word) => (word === 0 ? 0 : 1)),
    hits,
    safe,
    setAside,
    levels: levels as ReadonlyMap<string, ProtectionLevels>,
    unmatched: [...unmatched, ...notes],
  };

  function keepRange(percent: number, bit: number): void {
    for (const measure of input.measures?.keys() ?? []) {
      const { statistics } = readings.of(measure, {});
      const { upper, lower } = levelsOf(measure);
      for (let c = 0; c < cells; c++) {
        if ((hits[c]! & bit) === 0) continue;
        const level = (percent / 100) * statistics.total[c]!;
        upper[c] = Math.max(upper[c]!, level);
        lower[c] = Math.max(lower[c]!, level);
      }
    }
  }
}

export function isMagnitude(rule: PrimaryRule): rule is MagnitudeRule {
  return rule.rule === "dominance" || rule.rule === "p-percent" || rule.rule === "prior-posterior" || rule.rule === "request";
}

type Reading = Omit<StatisticsOptions, "top">;

interface ReadStatistics {
  readonly statistics: ContributorStatistics;
  readonly exact: (cell: number) => ExactCell;
}

/** Statistics that several rules share are made once, with as many of the largest contributions as any of them asks for. */
function statisticsByReading(input: RuleInput, rules: readonly PrimaryRule[]) {
  const made = new Map<string, ReadStatistics>();
  const keyOf = (of: string | undefined, { by = "contributor", weights = "units", negatives = "sums" }: Reading) =>
    JSON.stringify([of ?? null, by, weights, negatives]);
  const tops = new Map<string, number>();
  for (const rule of rules) {
    if (!isMagnitude(rule)) continue;
    const key = keyOf(rule.of, rule);
    tops.set(key, Math.max(tops.get(key) ?? 0, sensitivityOf(rule).members));
  }
  return {
    of(measure: string | undefined, reading: Reading): ReadStatistics {
      const key = keyOf(measure, reading);
      const known = made.get(key);
      if (known !== undefined) return known;
      const { by, weights, negatives } = reading;
      const options: StatisticsOptions = {
        top: tops.get(key) ?? 0,
        ...(by === undefined ? {} : { by }),
        ...(weights === undefined ? {} : { weights }),
        ...(negatives === undefined ? {} : { negatives }),
      };
      const contributions = contributionsOf(input, measure);
      let exact: ((cell: number) => ExactCell) | undefined;
      const read: ReadStatistics = {
        statistics: contributorStatistics(input.system, contributions, options),
        exact: (cell) => (exact ??= exactCells(input.system, contributions, options))(cell),
      };
      made.set(key, read);
      return read;
    },
  };
}

/** What a rule names and the data lack would make it hide too little: weights, holdings, requests. */
function refuseMissing(input: RuleInput, rules: readonly PrimaryRule[]): void {
  const refuse = (code: string, rule: PrimaryRule, what: string, next: string): never => {
    throw new PolicyError(`primary-rules/${code}`, `Rule ${rule.rule} needs ${what}, which the data do not have. ${next}`, {
      rule: rule.rule,
    });
  };
  for (const rule of rules) {
    const weighs = rule.rule === "frequency" && rule.of === undefined && rule.count === "weighted";
    if (weighs && contributionsOf(input, undefined).weight === undefined) {
      refuse("no-weights", rule, "sampling weights", "Name the weight column, or count records.");
    }
    if ("by" in rule && rule.by === "holding" && contributionsOf(input, rule.of).holding === undefined) {
      refuse("no-holdings", rule, "holdings", "Name the holding column, or write by: contributor.");
    }
    if (rule.rule === "request" && contributionsOf(input, rule.of).requested === undefined) {
      refuse("no-requests", rule, "requests for confidentiality", "Name the column that tells who asked, or remove the rule.");
    }
  }
}

function contributionsOf(input: RuleInput, measure: string | undefined): Contributions {
  if (measure !== undefined) {
    const contributions = input.measures?.get(measure) ?? missing(measure);
    if (contributions.value === undefined) {
      throw new InternalError("primary-rules/no-values", "The contributions to a measure were given without values.", { column: measure });
    }
    return contributions;
  }
  // Any measure's contributors may lack those without a value, so they do not stand in.
  if (input.contributors === undefined) {
    throw new InternalError("primary-rules/no-contributors", "A rule counts contributors or weights, but no contributors were given.");
  }
  return input.contributors;
}

function numbersOf(input: RuleInput, column: string): Float64Array {
  return input.numbers?.get(column) ?? missing(column);
}

function missing(column: string): never {
  throw new PolicyError(
    "primary-rules/unknown-column",
    `A rule names column ${column}, for which the tables have no numbers. ` +
      "Give the column a role and a type under columns, or correct the rule.",
    { column },
  );
}

/**
 * Cells that hold everybody of their group, and the empty cells beside them: a group is what stays the same when one column's
 * category changes under the same parent. Groups of one category tell nothing and are left out.
 * Time O(margins x columns x cells of the margin).
 */
function fullCells({ system }: RuleInput, rule: GroupDisclosureRule): number[] {
  const { columns, margins, marginStarts, places, count } = system;
  const unknown = rule.columns?.find((name) => !columns.some(({ column }) => column === name));
  if (unknown !== undefined) missing(unknown);
  const full: number[] = [];
  const scratch = groupScratch();
  margins.forEach((margin, m) => {
    const from = marginStarts[m]!;
    const size = marginStarts[m + 1]! - from;
    columns.forEach(({ column, parent }, k) => {
      if (margin[k] === TOTAL || (rule.columns !== undefined && !rule.columns.includes(column))) return;
      const keys = places.map((own, j) => {
        const slice = own.subarray(from, from + size);
        return j === k ? slice.map((place) => parent[place]!) : slice;
      });
      const groups = groupCodes(keys, columns.map((dimension) => dimension.size), size, scratch);
      const members = new Int32Array(groups);
      const occupied = new Int32Array(groups);
      for (let i = 0; i < size; i++) {
        members[scratch.groupOf[i]!]!++;
        if (count[from + i]! > 0) occupied[scratch.groupOf[i]!]!++;
      }
      for (let i = 0; i < size; i++) {
        const group = scratch.groupOf[i]!;
        if (members[group]! > 1 && occupied[group] === 1) full.push(from + i);
      }
    });
  });
  return full;
}
