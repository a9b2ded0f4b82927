import { compare } from "../../kernels/rational.ts";
import { rhoOfSigmaSquared, epsilonOfScale, sumOf } from "../accounting/index.ts";
import { parseFraction, type NoisyBlockPlan, type NoisyCountsPlan, type NoisyTablePlan } from "./plan.ts";

/** A block of a released table as read back from what was written. */
export interface ReadBackBlock {
  readonly table: string;
  /** Level of each column shown, in the order of `values`. */
  readonly columns: readonly { readonly column: string; readonly level: number }[];
  /** [columns][rows] text of each group. */
  readonly values: readonly (readonly string[])[];
  /** [rows] count as text. */
  readonly count: readonly string[];
}

export interface ReadBackNoisyCounts {
  readonly blocks: readonly ReadBackBlock[];
  /** The promise as printed in the public README. */
  readonly statement: string;
}

export interface NoisyCountsFinding {
  readonly check:
    | "budget" | "statement" | "blocks" | "columns" | "integers" | "combinations" | "additivity" | "non-negative";
  readonly table?: string;
  /** Offending rows or blocks. */
  readonly found: number;
  /** What is wrong; names and counts only. */
  readonly message: string;
}

export interface NoisyCountsVerdict {
  readonly passed: boolean;
  readonly findings: readonly NoisyCountsFinding[];
  /** What no reading of the output can show, for the evidence. */
  readonly notChecked: string;
}

/**
 * Check written noisy counts against the plan, from the written texts alone: every declared combination exactly once and
 * nothing else, integers, margins that add up, and a stated budget that is the plan's and covers its noise.
 * That noise was added, and from a good source, cannot be seen in the output.
 */
export function verifyNoisyCounts(readBack: ReadBackNoisyCounts, plan: NoisyCountsPlan): NoisyCountsVerdict {
  const findings: NoisyCountsFinding[] = [];
  checkBudget(plan, findings);
  if (readBack.statement !== plan.statement) {
    findings.push({
      check: "statement", found: 1,
      message: "The privacy statement that was published is not that of the plan.",
    });
  }
  const expected = plan.tables.reduce((sum, table) => sum + table.blocks.length, 0);
  if (readBack.blocks.length !== expected) {
    findings.push({
      check: "blocks", found: readBack.blocks.length,
      message: `${readBack.blocks.length} blocks were published; the plan has ${expected}.`,
    });
  }
  for (const table of plan.tables) {
    let finest: Map<string, bigint> | undefined;
    table.blocks.forEach((block, b) => {
      const counts = checkBlock(readBack, plan, table, block, findings);
      if (b === 0) finest = counts;
      else if (counts !== undefined && finest !== undefined && !plan.nonNegative) {
        checkAdditivity(finest, counts, plan, table, block, findings);
      }
    });
  }
  return {
    passed: findings.length === 0,
    findings,
    notChecked: "Whether the published counts differ from the true ones by the planned noise cannot be seen in the output.",
  };
}

function checkBudget(plan: NoisyCountsPlan, findings: NoisyCountsFinding[]): void {
  const spent = sumOf(
    plan.tables.map((table) => {
      const noise = parseFraction(table.noise);
      return plan.measure === "rho"
        ? rhoOfSigmaSquared(noise, plan.maxRecordsPerContributor)
        : epsilonOfScale(noise, plan.maxRecordsPerContributor);
    }),
  );
  const measured = plan.mechanism === "discrete-gaussian" ? "rho" : "epsilon";
  if (plan.measure !== measured || compare(spent, parseFraction(plan.spent)) > 0) {
    findings.push({ check: "budget", found: 1, message: "The planned noise spends more than the plan states." });
  }
  if (compare(parseFraction(plan.spent), parseFraction(plan.budget)) > 0) {
    findings.push({ check: "budget", found: 1, message: "The plan states that more is spent than its budget." });
  }
}

/** Counts by position key, or undefined when they cannot be compared further. */
function checkBlock(
  readBack: ReadBackNoisyCounts,
  plan: NoisyCountsPlan,
  table: NoisyTablePlan,
  block: NoisyBlockPlan,
  findings: NoisyCountsFinding[],
): Map<string, bigint> | undefined {
  const shown = table.dimensions
    .map((column, d) => ({ column, level: block.levels[d]! }))
    .filter((entry): entry is { column: string; level: number } => entry.level !== null);
  const wanted = shown.map(({ column, level }) => `${level} ${column}`);
  const found = readBack.blocks.filter(
    (candidate) =>
      candidate.table === table.name &&
      sameTexts(candidate.columns.map(({ column, level }) => `${level} ${column}`), wanted),
  );
  if (found.length !== 1) {
    const over = shown.map(({ column, level }) => `${column} (level ${level})`).join(", ") || "no columns";
    findings.push({
      check: "blocks", table: table.name, found: found.length,
      message: `The block of table ${table.name} over ${over} occurs ${found.length} times, not once.`,
    });
    return undefined;
  }
  const { values, count } = found[0]!;
  if (values.length !== shown.length || values.some((column) => column.length !== count.length)) {
    findings.push({
      check: "columns", table: table.name, found: values.length,
      message: `A block of table ${table.name} has columns missing or of unequal length.`,
    });
    return undefined;
  }
  const positions = shown.map(({ column, level }) => {
    const groups = plan.columns.find((declared) => declared.column === column)!.levels[level]!.groups;
    return new Map(groups.map((group, i) => [group, i]));
  });
  const counts = new Map<string, bigint>();
  let undeclared = 0;
  let repeated = 0;
  let notInteger = 0;
  let negative = 0;
  for (let row = 0; row < count.length; row++) {
    const at = positions.map((position, c) => position.get(values[c]![row]!));
    const text = count[row]!;
    const integer = /^-?(?:0|[1-9]\d{0,15})$/.test(text) && text !== "-0";
    if (!integer) notInteger++;
    else if (plan.nonNegative && text.startsWith("-")) negative++;
    if (at.includes(undefined)) undeclared++;
    else if (counts.has(at.join())) repeated++;
    else counts.set(at.join(), integer ? BigInt(text) : 0n);
  }
  const missing = block.cells - counts.size;
  const report = (check: NoisyCountsFinding["check"], rows: number, what: string): void => {
    if (rows === 0) return;
    findings.push({ check, table: table.name, found: rows, message: `Table ${table.name}: ${rows} ${what}.` });
  };
  report("combinations", undeclared, "rows have a group that is not declared");
  report("combinations", repeated, "rows repeat a combination");
  report("combinations", missing, "declared combinations are missing");
  report("integers", notInteger, "counts are not integers");
  report("non-negative", negative, "counts are negative although the plan raises them to 0");
  return undeclared + repeated + missing + notInteger > 0 ? undefined : counts;
}

function checkAdditivity(
  finest: ReadonlyMap<string, bigint>,
  counts: ReadonlyMap<string, bigint>,
  plan: NoisyCountsPlan,
  table: NoisyTablePlan,
  block: NoisyBlockPlan,
  findings: NoisyCountsFinding[],
): void {
  // Level-0 groups tell how a finer group lies in a coarser one; read from the plan's lists, not from protect's maps.
  const above = table.dimensions.map((name, d) => {
    const levels = plan.columns.find((declared) => declared.column === name)!.levels;
    const fine = levels[table.blocks[0]!.levels[d]!]!;
    const to = block.levels[d]!;
    return new Map(fine.of.map((group, leaf) => [group, to === null ? null : levels[to]!.of[leaf]!]));
  });
  const sums = new Map<string, bigint>();
  for (const [key, value] of finest) {
    const groups = key.split(",").map((group, d) => above[d]!.get(Number(group)));
    const into = groups.filter((group) => group !== null).join();
    sums.set(into, (sums.get(into) ?? 0n) + value);
  }
  let off = 0;
  for (const [key, value] of counts) if ((sums.get(key) ?? 0n) !== value) off++;
  if (off > 0) {
    findings.push({
      check: "additivity", table: table.name, found: off,
      message: `Table ${table.name}: ${off} totals are not the sum of the published counts below them.`,
    });
  }
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}
