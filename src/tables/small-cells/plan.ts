import { DisclosureError } from "../../errors/index.ts";
import type { AuditInput, AuditOptions, AuditResult, ToldByCodes } from "../audit/index.ts";
import { findTwins, type TableSystem, type Twins } from "../tabulate/index.ts";
import { attackersView } from "./attack.ts";
import { narrowSums } from "./hidden-sums.ts";
import { sumsForInsiders } from "./insiders.ts";
import { COMPLEMENTARY, PRIMARY, primaryCells, suppress, type ProtectedSum, type SuppressOptions } from "./suppress.ts";

export interface SmallCellsOptions {
  /** Smallest count that may be shown. */
  readonly threshold: number;
  /** Default: "publish". */
  readonly zeros?: "publish" | "protect";
  /** Values that must remain possible for each hidden small count; default 2. */
  readonly interval?: number;
  /** What the annotation may tell; "separate" is granted only where the audit still passes. Default: "merged". */
  readonly codes?: "merged" | "separate";
  /** Default: "protect". */
  readonly jointSums?: "protect" | "ignore";
  /** Default: "protect". */
  readonly singletons?: "protect" | "ignore";
  /** [cells] who is the only contributor of a cell; see SuppressOptions. Default: everybody who is a count of 1. */
  readonly alone?: Int32Array | undefined;
  /** [cells] 1 for cells that other rules hide beside the frequency rule. */
  readonly primary?: Uint8Array | undefined;
  /** [cells] 1 for cells that must be shown. */
  readonly shown?: Uint8Array | undefined;
  /** [cells] how much more than its people a cell is worth showing. Default: 1 for each. */
  readonly weight?: Float64Array | undefined;
  /** [cells] cells with the same number above 0 are shown together or not at all. */
  readonly together?: Int32Array | undefined;
  /** Another method that proposes the cells to hide. Elimination completes its proposal, or decides alone when there is none. */
  readonly proposal?: SuppressionMethod | undefined;
}

/** What a method of complementary suppression is asked. */
export interface SuppressionRequest {
  /** [cells] 1 for cells that must be hidden and keep their interval. */
  readonly primary: Uint8Array;
  readonly interval: number;
  readonly shown?: Uint8Array | undefined;
  readonly weight?: Float64Array | undefined;
  readonly together?: Int32Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Hypercubes or an integer program, handed in like the audit. `hidden` is [cells] 1 where hidden; undefined when it has no answer. */
export type SuppressionMethod = (
  system: TableSystem,
  request: SuppressionRequest,
) => Promise<{ readonly hidden: Uint8Array } | undefined> | { readonly hidden: Uint8Array } | undefined;

/** The attacker, handed in so that planning and verifying stay separate code. */
export type TableAudit = (input: AuditInput, options: AuditOptions) => Promise<AuditResult>;

/** The rule that hides cells, as a plan states it. It holds no count of the data; applied again, it gives the same pattern. */
export interface SmallCellsRule {
  readonly threshold: number;
  readonly zeros: "publish" | "protect";
  readonly interval: number;
  readonly codes: "merged" | "separate";
  readonly jointSums: "protect" | "ignore";
  readonly singletons: "protect" | "ignore";
}

export interface SmallCellsPlan {
  /** The options as they apply; codes may have become "merged". */
  readonly rule: SmallCellsRule;
  /** Why "separate" codes were not granted, when they were asked for. */
  readonly mergedBecause?: string;
  /** Numbers of cells, over all tables, each cell counted once. */
  readonly cells: { readonly published: number; readonly primary: number; readonly complementary: number };
  /** Audits it took; each but the last named cells that needed further protection. */
  readonly rounds: number;
  /** [cells] PUBLISHED, PRIMARY or COMPLEMENTARY. Not for the plan file: it is computed again from the same input. */
  readonly pattern: Uint8Array;
}

/** Rounds that decide afresh; later ones only hide more cells, so that the search ends. */
const FRESH_ROUNDS = 12;
const ROUNDS = 60;

/**
 * Decide which cells to hide: primary cells by the frequency rule, complementary cells by elimination, then as many rounds
 * as it takes until the audit finds `interval` values possible for every hidden small count. Where the audit names a sum
 * that gives a cell away, that sum is protected in the next round.
 *
 * Deterministic, and the same for every order of records.
 * @throws DisclosureError `small-cells/unprotectable` when the audit still fails after all rounds
 */
export async function planSmallCells(
  system: TableSystem,
  options: SmallCellsOptions,
  audit: TableAudit,
  signal?: AbortSignal,
): Promise<SmallCellsPlan> {
  const rule: SmallCellsRule = {
    threshold: options.threshold,
    zeros: options.zeros ?? "publish",
    interval: options.interval ?? 2,
    codes: options.codes ?? "merged",
    jointSums: options.jointSums ?? "protect",
    singletons: options.singletons ?? "protect",
  };
  const twins = findTwins(system);
  const { shown } = options;
  const primary = forAllTwins(primaryCells(system, rule.threshold, rule.zeros, options.primary), twins);
  requireShowable(primary, shown, twins);
  const sums: ProtectedSum[] = [];
  const named = new Set<string>();
  const hidden = new Set<number>();
  const { weight, together } = options;
  const request = { primary, interval: rule.interval, shown, weight, together, signal };
  const proposed = (await options.proposal?.(system, request))?.hidden;
  proposed?.forEach((own, c) => {
    if (own === 1 && primary[c] === 0) hidden.add(c);
  });
  // The true counts save the audit most of its search. They show it where to look; what it concludes does not rest on them.
  const question = { interval: rule.interval, witness: system.tables.map(({ count }) => count), signal };
  for (let round = 1; round <= ROUNDS; round++) {
    signal?.throwIfAborted();
    const pattern = patternWithRoom(system, twins, primary, { ...rule, alone: options.alone, primary, shown, weight, together, sums, hidden }, named);
    const result = await audit(attackersView(system, pattern, rule, "merged"), question);
    if (result.safe) {
      requireShown(pattern, shown);
      return {
        ...(await grantedCodes(system, pattern, rule, undefined, audit, signal)),
        cells: countPattern(pattern),
        rounds: round,
        pattern,
      };
    }
    if (round > FRESH_ROUNDS) for (let c = 0; c < pattern.length; c++) if (pattern[c] !== 0) hidden.add(c);
    const before = new Set(named);
    for (const unsafe of result.unsafe) {
      const at = system.tables[unsafe.table]!.cell[unsafe.row]!;
      const sum = unsafe.binding === undefined ? undefined : wholeSum(system, unsafe.binding);
      const name = sum === undefined ? "" : nameOf(sum);
      // Several cells may fall by one sum; one that still falls by a sum protected in an earlier round needs other help.
      if (sum !== undefined && !before.has(name)) {
        if (!named.has(name)) sums.push(sum);
        named.add(name);
      } else hideNeighbour(system, pattern, primary, at, hidden);
    }
  }
  throw new DisclosureError(
    "small-cells/unprotectable",
    `After ${ROUNDS} rounds some hidden counts still leave fewer than ${rule.interval} possible values. Nothing was published. ` +
      "Publish fewer margins, coarser levels, or set a smaller interval if the requirements allow it.",
    { rounds: ROUNDS, interval: rule.interval },
  );
}

/** Cells of the same people are hidden together, whichever of them a rule names. */
function forAllTwins(primary: Uint8Array, { first, groupOf }: Twins): Uint8Array {
  const group = new Uint8Array(first.length);
  for (let c = 0; c < primary.length; c++) if (primary[c] === 1) group[groupOf[c]!] = 1;
  return primary.map((_, c) => group[groupOf[c]!]!);
}

function requireShowable(primary: Uint8Array, shown: Uint8Array | undefined, { groupOf, first }: Twins): void {
  if (shown === undefined) return;
  const group = new Uint8Array(first.length);
  for (let c = 0; c < shown.length; c++) if (shown[c] === 1) group[groupOf[c]!] = 1;
  let conflicts = 0;
  for (let c = 0; c < primary.length; c++) if (primary[c] === 1 && group[groupOf[c]!] === 1) conflicts++;
  if (conflicts > 0) throw cannotShow(conflicts, "their counts are below the minimum that the release states, another rule hides them, or they are the people of such cells");
}

function requireShown(pattern: Uint8Array, shown: Uint8Array | undefined): void {
  let hidden = 0;
  for (let c = 0; shown !== undefined && c < pattern.length; c++) if (shown[c] === 1 && pattern[c] !== 0) hidden++;
  if (hidden > 0) throw cannotShow(hidden, "other cells could then be computed");
}

function cannotShow(cells: number, why: string): DisclosureError {
  return new DisclosureError(
    "small-cells/cannot-show",
    `${cells} cells that the policy wants shown cannot be: ${why}. Nothing was published. Take them out of the list, or publish fewer margins.`,
    { cells },
  );
}

/**
 * Suppress until no single addition leaves a hidden small count too few values. Each round protects the additions that the
 * one before fell by; `sums` and `named` grow by them. What takes several additions at once is left to the audit.
 */
function patternWithRoom(
  system: TableSystem,
  twins: Twins,
  primary: Uint8Array,
  options: SuppressOptions & { readonly interval: number; readonly sums: ProtectedSum[] },
  named: Set<string>,
): Uint8Array {
  for (;;) {
    const pattern = suppress(system, options);
    const fresh = narrowSums(system, twins, pattern, primary, options.interval).sums.filter((sum) => !named.has(nameOf(sum)));
    if (fresh.length === 0 && options.singletons === "protect" && options.alone !== undefined) {
      const told = sumsForInsiders(system, twins, pattern, primary, options.alone);
      if (told === undefined) throw unprotectedInsiders();
      fresh.push(...told.filter((sum) => !named.has(nameOf(sum))));
    }
    if (fresh.length === 0) return pattern;
    for (const sum of fresh) {
      named.add(nameOf(sum));
      options.sums.push(sum);
    }
  }
}

function unprotectedInsiders(): DisclosureError {
  return new DisclosureError(
    "small-cells/unprotectable",
    "Whether the only contributor of several hidden cells can compute others takes numbers beyond exact arithmetic. Nothing was published. " +
      "Publish fewer margins or groupings, or write singletons: ignore knowingly.",
  );
}

const nameOf = (sum: ProtectedSum): string => sum.map((term) => term.join("*")).join();

/** Separate codes where they were asked for and leave every hidden small count its interval, else merged ones with the reason. */
export async function grantedCodes(
  system: TableSystem, pattern: Uint8Array, rule: SmallCellsRule, told: ToldByCodes | undefined, audit: TableAudit, signal: AbortSignal | undefined,
): Promise<Pick<SmallCellsPlan, "rule" | "mergedBecause">> {
  if (rule.codes === "merged") return { rule };
  const question = { interval: rule.interval, witness: system.tables.map(({ count }) => count), signal };
  const { safe } = await audit(attackersView(system, pattern, { ...rule, told }, "separate"), question);
  return safe ? { rule } : { rule: { ...rule, codes: "merged" }, mergedBecause: SEPARATE_TELLS_TOO_MUCH };
}

const SEPARATE_TELLS_TOO_MUCH =
  "Told apart from complementary ones, some hidden small counts would leave too few possible values, so one code marks both.";

export function countPattern(pattern: Uint8Array): { published: number; primary: number; complementary: number } {
  let primary = 0;
  let complementary = 0;
  for (const state of pattern) {
    if (state === PRIMARY) primary++;
    else if (state === COMPLEMENTARY) complementary++;
  }
  return { published: pattern.length - primary - complementary, primary, complementary };
}

/** The audit's combination in whole numbers over the system's cells; undefined when no small multiple is whole. */
function wholeSum(
  system: TableSystem,
  binding: readonly { readonly table: number; readonly row: number; readonly times: number }[],
): ProtectedSum | undefined {
  for (let scale = 1; scale <= 12; scale++) {
    if (!binding.every(({ times }) => Math.abs(times * scale - Math.round(times * scale)) < 1e-6 * scale)) continue;
    const terms = binding.map(({ table, row, times }) => [system.tables[table]!.cell[row]!, Math.round(times * scale)] as const);
    if (terms.some(([cell, times]) => cell < 0 || Math.abs(times) > 1e6)) return undefined;
    return terms.sort((a, b) => a[0] - b[0]);
  }
  return undefined;
}

/** When no sum can be named: also hide the smallest shown cell that shares people with the unsafe one's surroundings. */
function hideNeighbour(system: TableSystem, pattern: Uint8Array, primary: Uint8Array, cell: number, hidden: Set<number>): void {
  const { starts, rows, count, places } = system;
  let best = -1;
  for (let other = 0; other < system.cells; other++) {
    if (pattern[other] !== 0 || primary[other] === 1 || hidden.has(other) || starts[other] === starts[other + 1]) continue;
    let apart = 0;
    for (const place of places) if (place[cell] !== place[other]) apart++;
    if (apart !== 1) continue;
    if (best < 0 || count[other]! < count[best]! || (count[other] === count[best] && rows[starts[other]!]! < rows[starts[best]!]!)) best = other;
  }
  if (best < 0) {
    // No shown neighbour is left: take the smallest shown cell at all.
    for (let other = 0; other < system.cells; other++) {
      if (pattern[other] !== 0 || hidden.has(other)) continue;
      if (best < 0 || count[other]! < count[best]!) best = other;
    }
  }
  if (best >= 0) hidden.add(best);
}
