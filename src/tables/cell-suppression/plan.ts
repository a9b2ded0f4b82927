import { DisclosureError } from "../../errors/index.ts";
import { auditLinear, tableAttack, type LinearAttack } from "../audit/index.ts";
import { evaluateRules, type PrimaryOutcome, type RuleInput } from "../primary-rules/index.ts";
import type { PrimaryRule } from "../primary-rules/schema.ts";
import { adjacentMargins, attackersView, planSmallCells, PUBLISHED, type SmallCellsOptions, type SmallCellsPlan, type TableAudit } from "../small-cells/index.ts";
import type { Amount } from "../statistics/index.ts";
import type { TableSystem } from "../tabulate/index.ts";

export interface CellSuppressionInput {
  readonly rules: RuleInput;
  /** Amounts that are published in sums, by measure: those that the rules set protection levels for are attacked. */
  readonly amounts: ReadonlyMap<string, Amount>;
}

export interface CellSuppressionPlan extends SmallCellsPlan {
  readonly outcome: PrimaryOutcome;
}

/** Each round hides at least one more cell. */
const ROUNDS = 40;

/**
 * Primary cells by all rules, complementary cells by elimination and audit of the counts, then further cells until sums hold
 * as well: for every measure that rules name, the range that a reader can work out for a hidden total reaches as far as the
 * rules ask (upper, lower and sliding protection levels), and no sum of hidden cells that a shown total gives away is itself
 * dominated by few contributors.
 *
 * @throws DisclosureError `cell-suppression/unprotectable` when sums do not hold after all rounds; those of planSmallCells
 * @throws PolicyError of the rules
 */
export async function planCellSuppression(
  system: TableSystem, rules: readonly PrimaryRule[], input: CellSuppressionInput, options: SmallCellsOptions, audit: TableAudit, signal?: AbortSignal,
): Promise<CellSuppressionPlan> {
  const outcome = evaluateRules(input.rules, rules);
  const primary = outcome.primary.slice();
  const onSums = rules.filter((rule) => ["dominance", "p-percent", "prior-posterior", "request"].includes(rule.rule));
  for (let round = 0; round < ROUNDS; round++) {
    signal?.throwIfAborted();
    const plan = await planSmallCells(system, { ...options, primary, shown: outcome.safe }, audit, signal);
    const wanting = await cellsInNeed(system, plan, outcome, input, onSums, signal);
    if (wanting.length === 0) {
      // What was added for sums protects others: it is complementary.
      const pattern = plan.pattern.map((state, c) => (state === 1 && outcome.primary[c] === 0 && !isSmall(system, options, c) ? 2 : state));
      return { ...plan, pattern, cells: recount(pattern), outcome };
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

function isSmall(system: TableSystem, { threshold, zeros }: SmallCellsOptions, c: number): boolean {
  return system.count[c]! < threshold && (system.count[c]! > 0 || zeros === "protect");
}

function recount(pattern: Uint8Array): SmallCellsPlan["cells"] {
  const cells = { published: 0, primary: 0, complementary: 0 };
  for (const state of pattern) cells[state === PUBLISHED ? "published" : state === 1 ? "primary" : "complementary"]++;
  return cells;
}

/** Shown cells to hide next: one beside every hidden total, or sum of hidden totals, that is known too well. */
async function cellsInNeed(
  system: TableSystem, plan: SmallCellsPlan, outcome: PrimaryOutcome, input: CellSuppressionInput, onSums: readonly PrimaryRule[], signal: AbortSignal | undefined,
): Promise<number[]> {
  const found = new Set<number>();
  const siblings = shownSiblings(system, plan.pattern);
  const add = (cell: number, amount: Amount): void => {
    let best = -1;
    for (const other of siblings(cell)) {
      if (outcome.safe[other] === 1) continue;
      if (best < 0 || Math.abs(amount.cells[other]!) < Math.abs(amount.cells[best]!) || (amount.cells[other] === amount.cells[best] && other < best)) best = other;
    }
    if (best >= 0) found.add(best);
    else throw unprotectable();
  };
  for (const [measure, levels] of outcome.levels) {
    const amount = input.amounts.get(measure)!;
    const { attack, published, cellOf } = amountAttack(system, plan, amount, levels);
    const { fallen } = await auditLinear(attack, { witness: witnessOf(attack, published, system, cellOf, amount), signal });
    const systemCell = new Map<number, number>();
    system.tables.forEach((table, t) => cellOf[t]!.forEach((cell, row) => systemCell.set(cell, table.cell[row]!)));
    for (const { cell } of fallen) add(systemCell.get(cell)!, amount);
  }
  for (const sum of dominatedSums(system, plan.pattern, input.rules, onSums)) {
    const of = onSums.find((rule) => "of" in rule)! as { of: string };
    add(sum, input.amounts.get(of.of)!);
  }
  return [...found].sort((a, b) => a - b);
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
function amountAttack(
  system: TableSystem, plan: SmallCellsPlan, amount: Amount, levels: PrimaryOutcome["levels"] extends ReadonlyMap<string, infer Levels> ? Levels : never,
): AmountAttack {
  const { attack: counts, published, cellOf } = tableAttack([attackersView(system, plan.pattern, plan.rule, "merged")], 2);
  const negative = amount.inner.some((units) => units < 0);
  const value = new Float64Array(counts.cells).fill(NaN);
  const lower = new Float64Array(counts.cells);
  const upper = new Float64Array(counts.cells).fill(Infinity);
  const truth = new Float64Array(counts.cells).fill(NaN);
  const below = new Float64Array(counts.cells);
  const above = new Float64Array(counts.cells);
  const width = new Float64Array(counts.cells);
  const scale = 10 ** amount.decimals;
  for (let c = 0; c < counts.cells; c++) {
    if (negative) lower[c] = -Infinity;
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
      const asked = levels.upper[c]! > 0 || levels.lower[c]! > 0 || levels.sliding[c]! > 0;
      if (!asked) continue;
      truth[at] = amount.cells[c]!;
      above[at] = Math.ceil(levels.upper[c]! * scale);
      below[at] = Math.ceil(levels.lower[c]! * scale);
      // Nothing lies below zero where amounts are not negative.
      if (!negative) below[at] = Math.min(below[at]!, truth[at]!);
      width[at] = Math.ceil(levels.sliding[c]! * scale);
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

/**
 * Sums of hidden siblings that a shown total gives away and that a rule would hide if they were cells: one hidden cell of each.
 * Source: the joint rule; without it three small firms of one enterprise hide nothing from each other.
 */
function dominatedSums(system: TableSystem, pattern: Uint8Array, rules: RuleInput, onSums: readonly PrimaryRule[]): number[] {
  if (onSums.length === 0) return [];
  const starts = [0];
  const rows: number[] = [];
  const count: number[] = [];
  const first: number[] = [];
  for (const [parent, hidden] of hiddenChildren(system, pattern)) {
    if (pattern[parent] !== PUBLISHED || hidden.length < 2) continue;
    const own = new Set<number>();
    let records = 0;
    for (const cell of hidden) {
      records += system.count[cell]!;
      for (let at = system.starts[cell]!; at < system.starts[cell + 1]!; at++) own.add(system.rows[at]!);
    }
    rows.push(...[...own].sort((a, b) => a - b));
    starts.push(rows.length);
    count.push(records);
    first.push(hidden[0]!);
  }
  const { primary } = evaluateRules(
    {
      ...rules,
      system: { ...system, cells: first.length, starts: Int32Array.from(starts), rows: Int32Array.from(rows), signs: undefined, count: Float64Array.from(count), tables: [] },
    },
    onSums,
  );
  return first.filter((_, sum) => primary[sum] === 1);
}

/** Each published cell with its hidden parts along one dimension, where it has any. */
function* hiddenChildren(system: TableSystem, pattern: Uint8Array): Generator<[parent: number, hidden: number[]]> {
  for (const [parentMargin, childMargin] of adjacentMargins(system.margins)) {
    const childOf = new Int32Array(system.inner).fill(-1);
    for (let c = system.marginStarts[childMargin]!; c < system.marginStarts[childMargin + 1]!; c++) {
      for (let at = system.starts[c]!; at < system.starts[c + 1]!; at++) childOf[system.rows[at]!] = c;
    }
    for (let parent = system.marginStarts[parentMargin]!; parent < system.marginStarts[parentMargin + 1]!; parent++) {
      const hidden = new Set<number>();
      for (let at = system.starts[parent]!; at < system.starts[parent + 1]!; at++) {
        const child = childOf[system.rows[at]!]!;
        if (child >= 0 && pattern[child] !== PUBLISHED) hidden.add(child);
      }
      if (hidden.size > 0) yield [parent, [...hidden].sort((a, b) => a - b)];
    }
  }
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
