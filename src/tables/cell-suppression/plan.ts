import { DisclosureError } from "../../errors/index.ts";
import { auditLinear, tableAttack, type LinearAttack, type ToldByCodes } from "../audit/index.ts";
import { evaluateRules, type PrimaryOutcome, type RuleInput } from "../primary-rules/index.ts";
import type { PrimaryRule } from "../primary-rules/schema.ts";
import {
  attackersView, COMPLEMENTARY, countPattern, grantedCodes, planSmallCells, PRIMARY, primaryCells, PUBLISHED,
  type SmallCellsOptions, type SmallCellsPlan, type TableAudit,
} from "../small-cells/index.ts";
import type { Amount } from "../statistics/index.ts";
import { cellsAbove, isWithin, placesName, type TableSystem } from "../tabulate/index.ts";
import { toldByCodes } from "./told-by-codes.ts";

export interface CellSuppressionInput {
  readonly rules: RuleInput;
  /** Amounts that a reader can work out for shown rows, by measure, those of the rules among them: all are attacked. */
  readonly amounts: ReadonlyMap<string, Amount>;
}

export interface CellSuppressionPlan extends SmallCellsPlan {
  readonly outcome: PrimaryOutcome;
  /** What separate codes tell of counts under these rules. */
  readonly told: ToldByCodes;
}

/** Each round hides at least one more cell. */
const ROUNDS = 40;

/**
 * Least width, as a share of it, of the range that remains for a hidden amount of which no rule says how close an estimate may
 * come: the amount of a cell whose count is small. Our own choice; `safetyRange` asks for more.
 */
const LEAST_WIDTH = 0.1;

/** Sums of hidden cells are held to a rule on numbers of contributors up to here: of two, each knows the other's share. */
const FEW_CONTRIBUTORS = 3;

/**
 * Primary cells by all rules, complementary cells by elimination and audit of the counts, then further cells until sums hold
 * as well: for every amount, the range that a reader can work out for a hidden total reaches as far as the rules ask (upper,
 * lower and sliding protection levels), and is no narrower than a tenth of it where a rule hides its cell for another reason;
 * and no sum of hidden cells that a shown total gives away is itself dominated by few contributors.
 *
 * @throws DisclosureError `cell-suppression/unprotectable` when sums do not hold after all rounds; those of planSmallCells
 * @throws PolicyError of the rules
 */
export async function planCellSuppression(
  system: TableSystem, rules: readonly PrimaryRule[], input: CellSuppressionInput, options: SmallCellsOptions, audit: TableAudit, signal?: AbortSignal,
): Promise<CellSuppressionPlan> {
  const evaluated = evaluateRules(input.rules, rules);
  const outcome = options.primary === undefined ? evaluated : { ...evaluated, primary: evaluated.primary.map((own, c) => own | options.primary![c]!) };
  const primary = outcome.primary.slice();
  const onSums = rules.flatMap((rule): PrimaryRule[] => {
    if (rule.rule === "contributors") return [{ ...rule, minimum: options.jointSums === "protect" ? rule.minimum : Math.min(rule.minimum, FEW_CONTRIBUTORS) }];
    return ["dominance", "p-percent", "prior-posterior", "request"].includes(rule.rule) ? [rule] : [];
  });
  const needs = amountNeeds(system, rules, input, outcome, primaryCells(system, options.threshold, options.zeros ?? "publish", outcome.primary));
  for (let round = 0; round < ROUNDS; round++) {
    signal?.throwIfAborted();
    const plan = await planSmallCells(system, { ...options, codes: "merged", primary, shown: outcome.safe }, audit, signal);
    const wanting = await cellsInNeed(system, plan, outcome, needs, input, onSums, signal);
    if (wanting.length === 0) {
      // What was added for sums protects others: it is complementary.
      const named = primaryCells(system, options.threshold, options.zeros ?? "publish", outcome.primary);
      const pattern = plan.pattern.map((state, c) => (state === PRIMARY && named[c] === 0 ? COMPLEMENTARY : state));
      const told = toldByCodes(rules, options.threshold);
      if (options.primary !== undefined && options.codes === "separate") {
        return { ...plan, mergedBecause: NOT_BY_RULES, pattern, cells: countPattern(pattern), outcome, told };
      }
      const codes = await grantedCodes(system, pattern, { ...plan.rule, codes: options.codes ?? "merged" }, told, audit, signal);
      return { ...plan, ...codes, pattern, cells: countPattern(pattern), outcome, told };
    }
    for (const cell of wanting) primary[cell] = 1;
  }
  throw new DisclosureError(
    "cell-suppression/unprotectable",
    `After ${ROUNDS} rounds some hidden totals can still be estimated more closely than the rules allow. Nothing was published. ` +
      "Publish fewer margins or coarser levels.",
    { rounds: ROUNDS },
  );
}

/** [cells] how far knowledge of a hidden amount must stay off, in units; `truth` is NaN where nothing is asked. */
interface AmountNeed {
  readonly amount: Amount;
  readonly truth: Float64Array;
  readonly above: Float64Array;
  readonly below: Float64Array;
  readonly width: Float64Array;
}

function amountNeeds(
  { cells }: TableSystem, rules: readonly PrimaryRule[], { amounts }: CellSuppressionInput, { hits, levels }: PrimaryOutcome, primary: Uint8Array,
): AmountNeed[] {
  const ranges = rules.map((rule) => ("safetyRange" in rule ? rule.safetyRange / 100 : 0));
  return [...amounts].map(([measure, amount]) => {
    const need = { amount, truth: new Float64Array(cells).fill(NaN), above: new Float64Array(cells), below: new Float64Array(cells), width: new Float64Array(cells) };
    const own = levels.get(measure);
    const scale = 10 ** amount.decimals;
    // What cannot be below zero and adds up to zero is zero for everybody, like a shown count of zero.
    const mayBeZero = amount.inner.every((units) => units >= 0);
    for (let c = 0; c < cells; c++) {
      if (primary[c] === 0) continue;
      const truth = amount.cells[c]!;
      const size = Math.abs(truth);
      let range = 0;
      ranges.forEach((share, r) => {
        if ((hits[c]! & (1 << r)) !== 0) range = Math.max(range, share * size);
      });
      need.above[c] = Math.ceil(Math.max(range, (own?.upper[c] ?? 0) * scale));
      need.below[c] = Math.ceil(Math.max(range, (own?.lower[c] ?? 0) * scale));
      need.width[c] = Math.ceil((own?.sliding[c] ?? 0) * scale);
      if (need.above[c] === 0 && need.below[c] === 0 && !(truth === 0 && mayBeZero)) need.width[c] = Math.max(need.width[c]!, 1, Math.ceil(LEAST_WIDTH * size));
      if (need.above[c]! > 0 || need.below[c]! > 0 || need.width[c]! > 0) need.truth[c] = truth;
    }
    return need;
  });
}

const NOT_BY_RULES = "Some cells are hidden for too few values behind a mean or median, which codes of the rules would not tell, so one code marks all.";

/** Shown cells to hide next: one beside every hidden total, or sum of hidden totals, that is known too well. */
async function cellsInNeed(
  system: TableSystem, plan: SmallCellsPlan, outcome: PrimaryOutcome, needs: readonly AmountNeed[], input: CellSuppressionInput,
  onSums: readonly PrimaryRule[], signal: AbortSignal | undefined,
): Promise<number[]> {
  const found = new Set<number>();
  const siblings = shownSiblings(system, plan.pattern);
  const mayHide = (cells: readonly number[]): number[] => cells.filter((other) => outcome.safe[other] === 0);
  for (const need of needs) {
    const { amount } = need;
    const { attack, published, cellOf } = amountAttack(system, plan, need);
    const { fallen } = await auditLinear(attack, { witness: witnessOf(attack, published, system, cellOf, amount), signal });
    const systemCell = new Map<number, number>();
    system.tables.forEach((table, t) => cellOf[t]!.forEach((cell, row) => systemCell.set(cell, table.cell[row]!)));
    for (const { cell, min, max } of fallen) {
      const own = systemCell.get(cell)!;
      const missing = Math.max(need.truth[own]! + need.above[own]! - max, min - need.truth[own]! + need.below[own]!, need.width[own]! - (max - min));
      found.add(cheapest(mayHide(siblings(own)), amount, Number.isFinite(missing) ? missing : 0));
    }
  }
  for (const { shown, measure, level } of sensitiveSums(system, plan.pattern, input.rules, onSums)) {
    const amount = (measure === undefined ? undefined : input.amounts.get(measure)) ?? { name: "count", decimals: 0, inner: system.innerCount, cells: system.count };
    found.add(cheapest(mayHide(shown), amount, level * 10 ** amount.decimals));
  }
  return [...found].sort((a, b) => a - b);
}

/**
 * The cell of least amount that covers what is missing by itself; where there is none, the largest.
 * @param missing in whole units of the amount
 */
function cheapest(cells: readonly number[], amount: Amount, missing: number): number {
  const size = (cell: number): number => Math.abs(amount.cells[cell]!);
  let best = -1;
  for (const cell of cells) {
    if (best < 0) best = cell;
    else if (size(cell) >= missing ? size(best) < missing || size(cell) < size(best) : size(cell) > size(best)) best = cell;
    else if (size(cell) === size(best) && cell < best) best = cell;
  }
  if (best < 0) throw unprotectable();
  return best;
}

function unprotectable(): DisclosureError {
  return new DisclosureError(
    "cell-suppression/unprotectable",
    "A hidden total can be estimated more closely than the rules allow, and no cell beside it is left to hide. Nothing was published. " +
      "Publish fewer margins or coarser levels.",
  );
}

type AmountAttack = { readonly attack: LinearAttack; readonly published: number; readonly cellOf: readonly Int32Array[] };

/** The attack on counts, with sums in place of counts: empty cells are known to add nothing, all else may be any number. */
function amountAttack(system: TableSystem, plan: SmallCellsPlan, need: AmountNeed): AmountAttack {
  const { amount } = need;
  const { attack: counts, published, cellOf } = tableAttack([attackersView(system, plan.pattern, plan.rule, "merged")], 2);
  const negative = amount.inner.some((units) => units < 0);
  const value = new Float64Array(counts.cells).fill(NaN);
  const lower = new Float64Array(counts.cells);
  const upper = new Float64Array(counts.cells).fill(Infinity);
  const truth = new Float64Array(counts.cells).fill(NaN);
  const below = new Float64Array(counts.cells);
  const above = new Float64Array(counts.cells);
  const width = new Float64Array(counts.cells);
  for (let c = 0; c < counts.cells; c++) {
    if (negative || counts.lower[c] === -Infinity) lower[c] = -Infinity;
    if (Number.isNaN(counts.value[c]!) && counts.upper[c] === 0) lower[c] = upper[c] = 0;
  }
  system.tables.forEach((table, t) => {
    for (let row = 0; row < table.rows; row++) {
      const at = cellOf[0]![t]![row]!;
      const c = table.cell[row]!;
      if (!Number.isNaN(counts.value[at]!)) {
        value[at] = c < 0 ? 0 : amount.cells[c]!;
        continue;
      }
      if (Number.isNaN(need.truth[c]!)) continue;
      truth[at] = need.truth[c]!;
      above[at] = need.above[c]!;
      // Nothing lies below zero where amounts are not negative.
      below[at] = lower[at] === 0 ? Math.min(need.below[c]!, truth[at]!) : need.below[c]!;
      width[at] = need.width[c]!;
    }
  });
  return {
    attack: {
      cells: counts.cells, value, lower, upper, integer: new Uint8Array(counts.cells), constraints: counts.constraints,
      need: { levels: { truth, below, above, width } },
    },
    published,
    cellOf: cellOf[0]!,
  };
}

/** The true sums, where every unknown is a published cell. */
function witnessOf(attack: LinearAttack, published: number, system: TableSystem, cellOf: readonly Int32Array[], amount: Amount): Float64Array | undefined {
  if (published < attack.cells) return undefined;
  const witness = new Float64Array(attack.cells);
  system.tables.forEach((table, t) => {
    for (let row = 0; row < table.rows; row++) witness[cellOf[t]![row]!] = table.cell[row]! < 0 ? 0 : amount.cells[table.cell[row]!]!;
  });
  return witness;
}

/** A sum of hidden cells that follows from shown ones and that a rule would hide if it were a cell. */
interface SensitiveSum {
  /** Shown cells beside them, one of which must be hidden as well; never empty. */
  readonly shown: readonly number[];
  /** Absent for rules on numbers of contributors. */
  readonly measure: string | undefined;
  /** How much is missing, in units of the measure. */
  readonly level: number;
}

/**
 * Sums of hidden cells that a shown total gives away and that a rule would hide if they were cells. Source: the joint rule;
 * without it three small firms of one enterprise hide nothing from each other.
 *
 * A sum is what a shown cell leaves of its parts in any finer margin. Margins that are not next to each other matter where the
 * cells between them are hidden. Sums with parts to be taken away are left out: nobody's contributions add up to them.
 */
function sensitiveSums(system: TableSystem, pattern: Uint8Array, rules: RuleInput, onSums: readonly PrimaryRule[]): SensitiveSum[] {
  if (onSums.length === 0) return [];
  const sums = hiddenParts(system, pattern);
  const starts = [0];
  const rows: number[] = [];
  const count: number[] = [];
  for (const { hidden } of sums) {
    const own = new Set<number>();
    for (const cell of hidden) for (let at = system.starts[cell]!; at < system.starts[cell + 1]!; at++) own.add(system.rows[at]!);
    for (const row of [...own].sort((a, b) => a - b)) rows.push(row);
    starts.push(rows.length);
    count.push(hidden.reduce((records, cell) => records + system.count[cell]!, 0));
  }
  const together = { ...system, cells: sums.length, starts: Int32Array.from(starts), rows: Int32Array.from(rows), signs: undefined, count: Float64Array.from(count), tables: [] };
  const { levels, hits } = evaluateRules({ ...rules, system: together }, onSums);
  const ofFew = onSums.reduce((bits, { rule }, r) => (rule === "contributors" ? bits | (1 << r) : bits), 0);
  const found: SensitiveSum[] = [];
  const seen = new Set<number>();
  sums.forEach(({ parent, hidden, fine }, sum) => {
    const add = (measure: string | undefined, level: number): void => {
      // A sum that holds cells of a smaller one that is to be widened is looked at again when that is done.
      if (hidden.some((cell) => seen.has(cell))) return;
      for (const cell of hidden) seen.add(cell);
      const shown = shownParts(system, pattern, parent, fine);
      found.push({ shown: shown.length > 0 ? shown : [parent], measure, level });
    };
    for (const [measure, { upper }] of levels) if (upper[sum]! > 0) add(measure, upper[sum]!);
    if ((hits[sum]! & ofFew) !== 0) add(undefined, 0);
  });
  return found;
}

interface HiddenParts {
  readonly parent: number;
  /** The finer margin. */
  readonly fine: number;
  readonly hidden: number[];
}

/** What each shown cell leaves of its parts in each finer margin; fine margins' sums of few parts first. */
function hiddenParts(system: TableSystem, pattern: Uint8Array): HiddenParts[] {
  const { margins, marginStarts } = system;
  const found: HiddenParts[] = [];
  margins.forEach((coarse, m) => {
    const cellOf = new Map<string, number>();
    for (let c = marginStarts[m]!; c < marginStarts[m + 1]!; c++) if (pattern[c] === PUBLISHED) cellOf.set(placesName(system.places, c), c);
    if (cellOf.size === 0) return;
    margins.forEach((finer, fine) => {
      if (fine === m || !isWithin(system.columns, coarse, finer)) return;
      const parts = new Map<number, { hidden: number[]; sign: number }>();
      for (let c = marginStarts[fine]!; c < marginStarts[fine + 1]!; c++) {
        if (pattern[c] === PUBLISHED) continue;
        for (const [name, sign] of cellsAbove(system, c, coarse)) {
          const parent = cellOf.get(name);
          if (parent === undefined) continue;
          const own = parts.get(parent);
          if (own === undefined) parts.set(parent, { hidden: [c], sign });
          else {
            own.hidden.push(c);
            if (own.sign !== sign) own.sign = 0;
          }
        }
      }
      for (const [parent, { hidden, sign }] of parts) if (sign !== 0) found.push({ parent, fine, hidden });
    });
  });
  return found.sort((a, b) => a.hidden.length - b.hidden.length || a.fine - b.fine || a.parent - b.parent);
}

/** Shown parts of a cell in a finer margin that have records; those in the fewest shown cells of margins between come alone. */
function shownParts(system: TableSystem, pattern: Uint8Array, parent: number, fine: number): number[] {
  const { margins, marginStarts } = system;
  const coarse = margins[marginOf(system, parent)]!;
  const between = margins.flatMap((margin, m) => (m !== fine && margin !== coarse && isWithin(system.columns, coarse, margin) && isWithin(system.columns, margin, margins[fine]!) ? [m] : []));
  const shownIn = between.map((m) => {
    const shown = new Set<string>();
    for (let c = marginStarts[m]!; c < marginStarts[m + 1]!; c++) if (pattern[c] === PUBLISHED) shown.add(placesName(system.places, c));
    return shown;
  });
  let least = Infinity;
  let found: number[] = [];
  for (let c = marginStarts[fine]!; c < marginStarts[fine + 1]!; c++) {
    if (pattern[c] !== PUBLISHED || system.count[c] === 0) continue;
    if (!cellsAbove(system, c, coarse).some(([name]) => name === placesName(system.places, parent))) continue;
    let broken = 0;
    between.forEach((m, i) => {
      for (const [name] of cellsAbove(system, c, margins[m]!)) if (shownIn[i]!.has(name)) broken++;
    });
    if (broken > least) continue;
    if (broken < least) found = [];
    least = broken;
    found.push(c);
  }
  return found;
}

function marginOf({ marginStarts }: TableSystem, cell: number): number {
  let m = 0;
  while (marginStarts[m + 1]! <= cell) m++;
  return m;
}

/** Shown cells that share a sum with a hidden one. */
function shownSiblings(system: TableSystem, pattern: Uint8Array): (cell: number) => number[] {
  const apart = (a: number, b: number): number => system.places.reduce((n, place) => n + (place[a] === place[b] ? 0 : 1), 0);
  return (cell) => {
    const found: number[] = [];
    for (let other = 0; other < system.cells; other++) if (pattern[other] === PUBLISHED && system.count[other]! > 0 && apart(cell, other) === 1) found.push(other);
    if (found.length > 0) return found;
    for (let other = 0; other < system.cells; other++) if (pattern[other] === PUBLISHED && system.count[other]! > 0) found.push(other);
    return found;
  };
}
