import { auditTables } from "../../tables/audit/index.ts";
import { explainCell } from "../../tables/primary-rules/index.ts";
import type { PrimaryRule } from "../../tables/primary-rules/schema.ts";
import type { CellSuppressionPlan } from "../../tables/cell-suppression/index.ts";
import { attackersView, PRIMARY, PUBLISHED, type SmallCellsPlan } from "../../tables/small-cells/index.ts";
import type { Policy } from "../../policy/index.ts";
import { findTwins } from "../../tables/tabulate/index.ts";
import { placeOfRow, type Tabulated } from "./tabulated.ts";
import { TOTAL } from "./table-layout.ts";

/** Category on each dimension; dimensions that the cell sums over are left out, null is the missing value. */
export type CellAddress = Readonly<Record<string, string | null>>;

/** Why one row of a table is blank. For the agency: it tells what the annotation does not. */
export interface HiddenCell {
  readonly table: string;
  readonly cell: CellAddress;
  readonly state: "primary" | "complementary";
  /** The rules that name the cell; for a complementary cell what it is there for. */
  readonly because: readonly string[];
  /** Cells that would fall if this one were shown and all others stayed as they are; there when it was asked for. */
  readonly protects?: readonly { readonly table: string; readonly cell: CellAddress }[] | undefined;
}

export interface ExplainQuestion {
  readonly table?: string | undefined;
  /** One cell; then `protects` is worked out, which takes an audit of the tables. */
  readonly cell?: CellAddress | undefined;
}

/** Every blank row, or those that the question names, with the reason. Time of one audit for each cell that is asked for by name. */
export async function explainHidden(
  policy: Policy, done: Tabulated & { readonly planned: SmallCellsPlan }, question: ExplainQuestion, signal?: AbortSignal,
): Promise<HiddenCell[]> {
  const { system, planned } = done;
  const found: HiddenCell[] = [];
  for (const [t, table] of system.tables.entries()) {
    if (question.table !== undefined && table.name !== question.table) continue;
    for (let row = 0; row < table.rows; row++) {
      const cell = table.cell[row]!;
      if (cell < 0 || planned.pattern[cell] === 0) continue;
      const address = addressOf(done, t, row);
      if (question.cell !== undefined && !sameAddress(address, question.cell)) continue;
      const isPrimary = planned.pattern[cell] === PRIMARY;
      found.push({
        table: table.name,
        cell: address,
        state: isPrimary ? "primary" : "complementary",
        because: isPrimary ? rulesOf(policy, done, cell) : ["Hidden so that others cannot be computed from the shown totals."],
        ...(question.cell === undefined ? {} : { protects: await wouldFall(done, cell, signal) }),
      });
    }
  }
  return found;
}

function rulesOf(policy: Policy, { system, planned }: Tabulated & { readonly planned: SmallCellsPlan }, cell: number): string[] {
  const { threshold, zeros } = planned.rule;
  const { outcome } = planned as Partial<CellSuppressionPlan>;
  const method = policy.release.protect[0]! as { readonly rules?: readonly PrimaryRule[] };
  const reasons = outcome === undefined || method.rules === undefined ? [] : [...explainCell(method.rules, outcome, cell)];
  const count = system.count[cell]!;
  const isSmall = Math.abs(count) < threshold && (count !== 0 || zeros === "protect");
  if (isSmall && !(method.rules ?? []).some(({ rule }) => rule === "frequency")) reasons.unshift(`frequency: the count is below ${threshold}`);
  if (reasons.length === 0 && outcome?.primary[cell] === 1) reasons.push("Too few records have a value behind a mean or median of the row.");
  if (reasons.length === 0) reasons.push("Another cell of the same people is hidden by a rule.");
  return reasons;
}

async function wouldFall({ system, planned, ...rest }: Tabulated & { readonly planned: SmallCellsPlan }, cell: number, signal: AbortSignal | undefined) {
  const pattern = planned.pattern.slice();
  // Cells of the same people say the same; all of them are shown for the trial.
  const { groupOf } = findTwins(system);
  for (let other = 0; other < system.cells; other++) if (groupOf[other] === groupOf[cell]) pattern[other] = PUBLISHED;
  const { unsafe } = await auditTables(attackersView(system, pattern, { ...planned.rule, told: (planned as Partial<CellSuppressionPlan>).told }, planned.rule.codes), { interval: planned.rule.interval, signal });
  const done = { system, planned, ...rest };
  return unsafe
    .filter(({ table, row }) => system.tables[table]!.cell[row] !== cell)
    .map(({ table, row }) => ({ table: system.tables[table]!.name, cell: addressOf(done, table, row) }));
}

function addressOf(done: Tabulated, t: number, row: number): CellAddress {
  const table = done.system.tables[t]!;
  const address: Record<string, string | null> = {};
  table.dimensions.forEach(({ column }, d) => {
    const { level, label } = placeOfRow(done, table, row, d);
    if (level !== TOTAL) address[column] = label;
  });
  return address;
}

function sameAddress(a: CellAddress, b: CellAddress): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name]);
}
