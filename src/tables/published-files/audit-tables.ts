import { CommensurateError, DataError, PolicyError } from "../../errors/index.ts";
import { auditLinear, ConstraintBuilder, SAFE, UNSAFE, type LinearAttack, type LinearAuditOptions, type LinearAuditResult, type ToldByCodes } from "../audit/index.ts";
import { TOTAL } from "./categories.ts";
import { buildEquations, type Equation, type EquationSystem } from "./equations.ts";
import { combine, propagate, stepsTo, type Propagation } from "./explain.ts";
import { findNesting } from "./nesting.ts";
import { readPublishedCells, type CellAddress, type PublishedCell, type PublishedCells, type ReadCellsOptions } from "./published-cells.ts";
import type { RawTable } from "./raw-table.ts";
import type { TableStructure } from "./structure.ts";
import { reaches, Words } from "./words.ts";

export interface AuditTablesOptions extends ReadCellsOptions {
  /** Counts from 1 to one less are small. Default: what markers such as "<11" say, else 11. */
  readonly threshold?: number | undefined;
  /** Values that must remain possible for a hidden count. Default: half of the small counts, at least 2 (5 at threshold 11). */
  readonly interval?: number | undefined;
  /** Whether zeros are shown, so that a blank is known not to be one. Default "publish". */
  readonly zeros?: "publish" | "protect" | undefined;
  /** Whether marks tell small counts from those hidden to protect them. Default: what the files do. */
  readonly codes?: "merged" | "separate" | undefined;
  /**
   * What a combination of listed categories is that has no row: "empty", or "unknown": a hidden number of 0 or more. Default: what the
   * structure says of each file; else both are tried, and a cell that falls in either falls.
   */
  readonly missingRows?: "empty" | "unknown" | undefined;
  /**
   * Attack also as somebody who is in a blank cell, one cell at a time. "members": who knows of being counted there, so that the count
   * is at least 1. "alone": who is the only one there, so that it is 1, wherever the files leave that possible. Default "none".
   */
  readonly insiders?: "none" | "members" | "alone" | undefined;
  /**
   * Whether a hidden number that can be computed exactly falls whatever it is ("any", the default), or only if it may be a small
   * count ("small").
   */
  readonly derivable?: "any" | "small" | undefined;
  /** What separate codes tell of counts where other rules hide cells too. Default: primary ones are small, complementary ones are not. */
  readonly told?: ToldByCodes | undefined;
  /** Who says what the rule is, for `assumptions`. */
  readonly statedBy?: string | undefined;
  /** Relative width below which a hidden amount counts as given away. Default 0.1. */
  readonly amountRange?: number | undefined;
  /** Exact bounds of every blank cell, or only as far as it takes to tell safe from unsafe. Default by size. */
  readonly detail?: "safety" | "bounds" | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One blank cell and what remains possible for it. */
export interface AuditedCell extends CellAddress {
  /** Dimension -> category; dimensions that the cell sums over are left out. */
  readonly categories: Readonly<Record<string, string>>;
  readonly name: string;
  readonly measure: string;
  /** Smallest and largest possible number; null where there is no bound or none could be proven. */
  readonly min: number | null;
  readonly max: number | null;
  /** Whether the two are the exact bounds; otherwise the cell was seen to reach at least as far. */
  readonly exact: boolean;
  readonly verdict: "safe" | "falls" | "unproven" | "not-asked";
  readonly why: string;
  /** For a cell that falls: the sums that give it away. */
  readonly how: readonly string[];
}

export interface AuditedTable extends TableDescription {
  readonly rows: number;
  readonly cells: number;
  readonly blank: number;
}

/** What a file is about. */
export interface TableDescription {
  readonly name: string;
  readonly dimensions: readonly string[];
  readonly measures: readonly string[];
  /** Which dimensions are divided: [["county", "sex"], ["county"], []] has totals over sex and over all. */
  readonly margins: readonly (readonly string[])[];
}

export type FindingKind =
  | "blank-falls" | "insider-finds" | "missing-rows" | "small-count-shown" | "contradiction" | "marked-but-shown" | "computed-beside-blank" | "reasons-told";

export interface AuditFinding {
  readonly kind: FindingKind;
  readonly text: string;
  readonly at?: CellAddress | undefined;
  readonly how?: readonly string[] | undefined;
}

export interface PublishedAudit {
  readonly verdict: "clean" | "finding";
  readonly summary: string;
  readonly threshold: number;
  readonly interval: number;
  readonly zeros: "publish" | "protect";
  readonly codes: "merged" | "separate";
  readonly tables: readonly AuditedTable[];
  /** Distinct cells, blank ones, and how many of these fall. */
  readonly cells: number;
  readonly blank: number;
  readonly falling: number;
  /** Combinations of listed categories that have no row and that no file states to be empty. */
  readonly missingRows: number;
  readonly insiders: "none" | "members" | "alone";
  readonly findings: readonly AuditFinding[];
  readonly blankCells: readonly AuditedCell[];
  /** What was taken for granted about the files. */
  readonly assumptions: readonly string[];
}

const DEFAULT_THRESHOLD = 11;
/** Up to here exact bounds of every blank cell are worth their time. */
const MOST_BOUNDED = 2000;
/** More contradictions are counted, not told. */
const MOST_TOLD = 50;

/**
 * Attack published tables with nothing but what is printed in them.
 *
 * @throws DataError, PolicyError for tables that cannot be read; DisclosureError `audit/too-large`
 * Time and memory: see README.md.
 */
export async function auditRawTables(
  tables: readonly RawTable[], structure: TableStructure, options: AuditTablesOptions = {},
): Promise<PublishedAudit> {
  refuseRepeatedNames(tables);
  const published = readPublishedCells(tables, structure, options);
  const { nestings, unexplained } = findNesting(published);
  const assumptions = [...(options.statedBy === undefined ? [] : [options.statedBy]), ...published.assumptions];
  published.dimensions.forEach((dimension, d) => {
    const nested = nestings.filter((nesting) => nesting.dimension === d).flatMap(({ splits }) => splits);
    dimension.bind(published.shown[d]!, nested);
    for (const { whole, parts } of nested) {
      assumptions.push(`in ${JSON.stringify(dimension.name)}, ${JSON.stringify(dimension.labels[whole])} is the sum of ${parts.length} others (${short(parts.map((part) => dimension.labels[part]!))}), since the numbers add up so`);
    }
    if (dimension.isStated) return;
    if (dimension.seen[TOTAL] === true) assumptions.push(`in ${JSON.stringify(dimension.name)}, ${JSON.stringify(dimension.labels[TOTAL])} is the total`);
    else if (nested.length === 0) assumptions.push(`in ${JSON.stringify(dimension.name)}, no category is a total; where one is, name it with --total`);
  });
  const within = published.measures.flatMap(({ name }, part): (readonly [number, number])[] => {
    const whole = structure.measures?.[name]?.within;
    if (whole === undefined) return [];
    const found = published.measures.findIndex((measure) => measure.name === whole);
    if (found < 0) throw new PolicyError("audit/unknown-measure", `The structure says that ${JSON.stringify(name)} is within ${JSON.stringify(whole)}, which no table has.`, { measure: whole });
    return [[part, found]];
  });
  const { systems, told } = readMissingRows(published, within, options.missingRows);
  const findings = unexplained.map((dimension): AuditFinding => ({
    kind: "contradiction",
    text: `the categories of ${JSON.stringify(dimension)} do not add up to its total; where some are sums of others, say so in a structure file (--structure)`,
  }));
  findings.push(...told.findings);
  assumptions.push(...told.assumptions);
  const [audited, asEmpty] = [await new TableAudit(tables, published, systems[0]!, assumptions, findings, options).run(), systems[1]];
  if (asEmpty === undefined) return audited;
  return withEmptyRows(audited, await new TableAudit(tables, published, asEmpty, [], findings, options).run());
}

interface MissingRowsRead {
  /** How the tables are attacked, and where nothing says what rows left out are, besides: as if they were empty. */
  readonly systems: readonly EquationSystem[];
  readonly told: { readonly findings: readonly AuditFinding[]; readonly assumptions: readonly string[] };
}

/** Rows left out may be hidden numbers, or empty; which is worse differs from cell to cell. */
function readMissingRows(
  published: PublishedCells, within: readonly (readonly [number, number])[], stated: "empty" | "unknown" | undefined,
): MissingRowsRead {
  const asEmpty = (): EquationSystem => buildEquations(published, "empty", within);
  const combinations = (n: number): string => (n === 1 ? "1 combination of listed categories has no row" : `${n} combinations of listed categories have no row`);
  if (stated === "empty") {
    const system = asEmpty();
    return { systems: [system], told: { findings: [], assumptions: system.empty === 0 ? [] : [`${combinations(system.empty)} and count as empty, as stated`] } };
  }
  let system: EquationSystem;
  try {
    system = buildEquations(published, stated ?? "as-stated", within);
  } catch (error) {
    if (stated !== undefined || !(error instanceof CommensurateError) || error.code !== "audit/too-many-missing") throw error;
    const text = "too many combinations of listed categories have no row to take each for a hidden number; all were attacked as empty, which proves nothing where " +
      "some are hidden. If they are empty, say so (--missing-rows empty)";
    return { systems: [asEmpty()], told: { findings: [{ kind: "missing-rows", text }], assumptions: [] } };
  }
  const assumptions = system.empty === 0 ? [] : [`${combinations(system.empty)} and count as empty, as their files state`];
  const missing = system.omitted.size;
  if (missing === 0) return { systems: [system], told: { findings: [], assumptions } };
  const text = `${combinations(missing)}; each was taken for a hidden number of 0 or more`;
  if (stated === "unknown") return { systems: [system], told: { findings: [], assumptions: [...assumptions, text] } };
  const empty = asEmpty();
  if (missesMore(empty)) {
    return { systems: [system], told: { findings: [], assumptions: [...assumptions, `${text}, since shown totals are larger than what is listed`] } };
  }
  return { systems: [system, empty], told: { findings: [], assumptions: [...assumptions, `${text}, and once more all for empty; --missing-rows says which they are`] } };
}

/** What falls in either reading falls. A reading that contradicts itself is not how the tables were made. */
function withEmptyRows(audited: PublishedAudit, asEmpty: PublishedAudit): PublishedAudit {
  const contradictions = ({ findings }: PublishedAudit): number => findings.filter(({ kind }) => kind === "contradiction").length;
  if (contradictions(asEmpty) > contradictions(audited)) return audited;
  const nameOf = ({ table, row, column, name }: AuditedCell): string => JSON.stringify([table, row, column, name]);
  const falls = ({ verdict }: AuditedCell): boolean => verdict === "falls" || verdict === "unproven";
  const others = new Map(asEmpty.blankCells.filter(falls).map((cell) => [nameOf(cell), { ...cell, why: `${cell.why}, if rows left out are empty` }]));
  for (const cell of audited.blankCells) if (falls(cell)) others.delete(nameOf(cell));
  const findings = [
    ...audited.findings,
    ...[...others.values()].map(({ table, row, column, why, how }): AuditFinding => ({ kind: "blank-falls", text: why, at: { table, row, column }, how })),
    ...asEmpty.findings.filter(({ kind, text }) => kind === "insider-finds" && !audited.findings.some((other) => other.text === text)),
  ];
  const falling = audited.falling + others.size;
  return {
    ...audited,
    verdict: findings.length === 0 ? "clean" : "finding",
    summary: summaryOf(findings, audited.blank, falling),
    falling,
    findings,
    blankCells: audited.blankCells.map((cell) => others.get(nameOf(cell)) ?? cell),
  };
}

/** What files are about, without attacking them. @throws as `auditRawTables` */
export function describeRawTables(tables: readonly RawTable[], structure: TableStructure, options: ReadCellsOptions = {}): TableDescription[] {
  refuseRepeatedNames(tables);
  return describe(readPublishedCells(tables, structure, options));
}

function describe({ files, dimensions, measures, cells }: PublishedCells): TableDescription[] {
  return files.map((file) => {
    const own = cells.filter(({ at }) => at.some(({ table }) => table === file.name));
    const margins = new Map<string, string[]>();
    for (const { places } of own) {
      const divided = file.dimensions.filter((d) => places[d] !== TOTAL).map((d) => dimensions[d]!.name);
      margins.set(JSON.stringify(divided), divided);
    }
    return {
      name: file.name,
      dimensions: file.dimensions.map((d) => dimensions[d]!.name),
      measures: [...new Set(own.map(({ measure }) => measures[measure]!.name))],
      margins: [...margins.values()].sort((a, b) => b.length - a.length),
    };
  });
}

class TableAudit {
  readonly #tables: readonly RawTable[];
  readonly #published: PublishedCells;
  readonly #cells: readonly PublishedCell[];
  readonly #omitted: ReadonlySet<number>;
  readonly #assumptions: string[];
  readonly #options: AuditTablesOptions;
  readonly #threshold: number;
  readonly #interval: number;
  readonly #zeros: "publish" | "protect";
  readonly #codes: "merged" | "separate";
  #equations: readonly Equation[];
  readonly #value: Float64Array;
  readonly #findings: AuditFinding[];

  constructor(
    tables: readonly RawTable[], published: PublishedCells, system: EquationSystem, assumptions: string[], findings: readonly AuditFinding[],
    options: AuditTablesOptions,
  ) {
    this.#findings = [...findings];
    this.#tables = tables;
    this.#published = published;
    this.#cells = system.cells;
    this.#equations = system.equations;
    this.#omitted = system.omitted;
    this.#assumptions = assumptions;
    this.#options = options;
    this.#value = Float64Array.from(system.cells, ({ value }) => value);
    this.#threshold = options.threshold ?? this.#markedThreshold() ?? DEFAULT_THRESHOLD;
    if (!Number.isSafeInteger(this.#threshold) || this.#threshold < 2) {
      throw new PolicyError("audit/threshold", "The threshold is a whole number of at least 2: counts below it are small.");
    }
    this.#interval = options.interval ?? Math.max(2, Math.ceil((this.#threshold - 1) / 2));
    if (!Number.isSafeInteger(this.#interval) || this.#interval < 2) {
      throw new PolicyError("audit/interval", "The interval is a whole number of at least 2: values that must remain possible for a hidden count.");
    }
    this.#zeros = options.zeros ?? "publish";
    this.#codes = options.codes ?? (published.separate ? "separate" : "merged");
  }

  async run(): Promise<PublishedAudit> {
    let { lower, upper } = this.#bounds(this.#codes);
    const words = this.#words(lower, upper);
    this.#readingFindings(words);
    this.#dropContradictions(words);
    const asked = this.#asked();
    const detail = this.#options.detail ??
      (asked.amounts || this.#cells.reduce((n, _, c) => n + (asked.values[c]! > 0 ? 1 : 0), 0) <= MOST_BOUNDED ? "bounds" : "safety");
    const whole = Uint8Array.from(this.#cells, ({ measure }) => (this.#kind(measure) === "count" && this.#published.measures[measure]!.decimals === 0 ? 1 : 0));
    let result = await this.#attack(lower, upper, asked.values, detail);
    if (result === undefined && this.#codes === "separate") {
      const ruled = this.#bounds("ruled");
      result = await this.#attack(ruled.lower, ruled.upper, asked.values, detail);
      if (result !== undefined) {
        ({ lower, upper } = ruled);
        this.#assumptions.push("cells marked as primary are hidden by any rule, since not all of them can be small counts");
      }
    }
    if (result === undefined) {
      this.#findings.push({
        kind: "contradiction",
        text: "no numbers agree with everything that is printed: shown numbers contradict each other, or the threshold, zero policy, marks or " +
          "structure are not those of these tables. No blank cell is proven safe",
      });
    }
    const told = this.#words(lower, upper);
    const propagation = propagate(this.#equations, this.#value, lower, upper, whole);
    const blankCells = this.#judge(result, asked.values, propagation, told);
    const falling = blankCells.filter(({ verdict }) => verdict === "falls" || verdict === "unproven");
    for (const cell of falling) {
      this.#findings.push({
        kind: "blank-falls",
        text: cell.why,
        at: { table: cell.table, row: cell.row, column: cell.column },
        how: cell.how,
      });
    }
    await this.#compareWithMergedCodes(asked.values, falling.length);
    if (result !== undefined) await this.#attackFromWithin(lower, upper, asked.values, result, told);
    const blank = blankCells.length;
    return {
      verdict: this.#findings.length === 0 ? "clean" : "finding",
      summary: summaryOf(this.#findings, blank, falling.length),
      threshold: this.#threshold,
      interval: this.#interval,
      zeros: this.#zeros,
      codes: this.#codes,
      tables: describe(this.#published).map((table, t) => ({
        ...table,
        rows: this.#tables[t]!.rows,
        cells: this.#cells.filter(({ at }) => at.some((at) => at.table === table.name)).length,
        blank: this.#cells.filter(({ blankAt }) => blankAt.some((at) => at.table === table.name)).length,
      })),
      cells: this.#cells.filter(({ at }) => at.length > 0).length,
      blank,
      falling: falling.length,
      missingRows: this.#omitted.size,
      insiders: this.#options.insiders ?? "none",
      findings: this.#findings,
      blankCells,
      assumptions: this.#assumptions,
    };
  }

  #kind(measure: number): "count" | "amount" {
    return this.#published.measures[measure]!.kind;
  }

  #unit(measure: number): number {
    return 10 ** this.#published.measures[measure]!.decimals;
  }

  /** "<11" anywhere says where counts start to be large enough. */
  #markedThreshold(): number | undefined {
    let found: number | undefined;
    for (const { value, upper, measure, reason } of this.#cells) {
      if (!Number.isNaN(value) || upper === Infinity || reason === "complementary" || this.#kind(measure) !== "count") continue;
      found = Math.max(found ?? 2, upper / this.#unit(measure) + 1);
    }
    if (found !== undefined) this.#assumptions.push(`the threshold is ${found}, since marks say so`);
    return found;
  }

  /** What everybody knows of each blank cell before adding anything up; "ruled": primary marks of cells of any size. */
  #bounds(codes: "merged" | "separate" | "ruled"): { lower: Float64Array; upper: Float64Array } {
    const lower = new Float64Array(this.#cells.length);
    const upper = new Float64Array(this.#cells.length).fill(Infinity);
    const negative = this.#published.measures.map((_, m) => this.#cells.some(({ measure, value }) => measure === m && value < 0));
    const floor = this.#zeros === "publish" ? 1 : 0;
    this.#cells.forEach(({ measure, value, lower: low, upper: high, reason, blankAt }, c) => {
      if (!Number.isNaN(value)) {
        lower[c] = value;
        upper[c] = value;
        return;
      }
      if (negative[measure] === true) {
        lower[c] = -Infinity;
        return;
      }
      lower[c] = Math.max(0, low);
      upper[c] = high;
      const hidden = blankAt.length > 0 || this.#omitted.has(c);
      if (this.#kind(measure) !== "count" || !hidden || reason === "no-data") return;
      const unit = this.#unit(measure);
      if (blankAt.length > 0) lower[c] = Math.max(lower[c]!, floor * unit);
      if (codes === "merged") return;
      const { hiddenMost, complementaryLeast } = this.#options.told ?? { hiddenMost: this.#threshold - 1, complementaryLeast: this.#threshold };
      if (reason === "complementary") lower[c] = Math.max(lower[c]!, complementaryLeast * unit);
      if (reason === "primary" && codes === "separate") upper[c] = Math.min(upper[c]!, hiddenMost * unit);
    });
    return { lower, upper };
  }

  /** [cells] values that must remain possible; 0 where nothing is asked. */
  #asked(): { values: Float64Array; amounts: boolean } {
    const values = new Float64Array(this.#cells.length);
    let amounts = false;
    this.#cells.forEach(({ measure, value, reason, blankAt }, c) => {
      if (!Number.isNaN(value) || reason === "no-data" || (blankAt.length === 0 && !this.#omitted.has(c)) || !this.#published.measures[measure]!.protect) return;
      if (this.#kind(measure) === "count") values[c] = this.#interval * this.#unit(measure);
      else {
        values[c] = 2;
        amounts = true;
      }
    });
    return { values, amounts };
  }

  #readingFindings(words: Words): void {
    for (const finding of this.#published.findings) {
      const name = words.name(finding.cell);
      const { at } = finding;
      switch (finding.kind) {
        case "contradiction":
          this.#findings.push({ kind: "contradiction", at, text: `${name} is shown with two numbers: ${where(at)} and ${where(finding.first)}` });
          break;
        case "marked-but-shown":
          this.#findings.push({ kind: "marked-but-shown", at, text: `${name} is marked as suppressed, but its number is printed (${where(at)})` });
          break;
        case "computed-beside-blank":
          this.#findings.push({ kind: "computed-beside-blank", at, text: `${name} is hidden, but a number computed from it is printed beside it (${where(at)})` });
          break;
      }
    }
    this.#cells.forEach(({ measure, value, shownAt, blankAt }, c) => {
      if (this.#kind(measure) !== "count" || !this.#published.measures[measure]!.protect || Number.isNaN(value) || shownAt === undefined) return;
      const small = (value > 0 && value < this.#threshold * this.#unit(measure)) || (value === 0 && this.#zeros === "protect");
      if (!small) return;
      const also = blankAt.length === 0 ? "" : `, though ${where(blankAt[0]!)} hides it`;
      this.#findings.push({ kind: "small-count-shown", at: shownAt, text: `${words.name(c)} = ${words.number(c, value)} is shown (${where(shownAt)})${also}` });
    });
  }

  /** Sums of shown numbers that do not hold are findings, and say nothing to go on with. */
  #dropContradictions(words: Words): void {
    let more = 0;
    this.#equations = this.#equations.filter(({ kind, cells, times, low, high, ratio }) => {
      if (cells.some((cell) => Number.isNaN(this.#value[cell]!))) return true;
      const sum = cells.reduce((total, cell, k) => total + times[k]! * this.#value[cell]!, 0);
      if (sum >= low && sum <= high) return false;
      if (this.#findings.filter((finding) => finding.kind === "contradiction").length >= MOST_TOLD) more++;
      else if (kind === "sum") {
        const whole = cells[times.indexOf(-1)] ?? cells.at(-1)!;
        const parts = cells.filter((cell) => cell !== whole);
        const total = parts.reduce((all, cell) => all + this.#value[cell]!, 0);
        this.#findings.push({
          kind: "contradiction",
          at: this.#cells[whole]!.shownAt,
          text: `${words.name(whole, [])} is shown as ${words.number(whole, this.#value[whole]!)}, but its ${parts.length} parts add up to ${words.number(whole, total)}`,
        });
      } else if (kind === "ratio") {
        const { at } = this.#published.ratios[ratio!]!;
        this.#findings.push({ kind: "contradiction", at, text: `${at.column} does not agree with the numbers that it is computed from (${where(at)})` });
      } else this.#findings.push({ kind: "contradiction", at: this.#cells[cells[0]!]!.shownAt, text: `${words.name(cells[0]!)} is larger than ${words.name(cells[1]!)}, which holds it` });
      return false;
    });
    if (more > 0) this.#findings.push({ kind: "contradiction", text: `${more} sums more do not hold; numbers that were rounded or perturbed do not add up, and this audit is not for them` });
  }

  async #attack(
    lower: Float64Array, upper: Float64Array, values: Float64Array, detail: "safety" | "bounds",
    within: Pick<LinearAuditOptions, "insiders" | "singletons"> & { readonly harmlessFrom?: Float64Array } = {},
  ): Promise<LinearAuditResult | undefined> {
    const constraints = new ConstraintBuilder();
    for (const { cells, times, low, high } of this.#equations) {
      constraints.add(cells.map((cell, k) => [cell, times[k]!] as const), low, high);
    }
    const attack: LinearAttack = {
      cells: this.#cells.length,
      value: this.#value,
      lower,
      upper,
      integer: Uint8Array.from(this.#cells, ({ measure }) => (this.#kind(measure) === "count" ? 1 : 0)),
      constraints: constraints.build(),
      // Large counts are let through afterwards, since even they should not be computable exactly.
      need: { values, harmlessFrom: within.harmlessFrom },
    };
    try {
      return await auditLinear(attack, { detail, insiders: within.insiders, singletons: within.singletons, signal: this.#options.signal });
    } catch (error) {
      if (!(error instanceof CommensurateError) || error.code !== "audit/inconsistent") throw error;
      return undefined;
    }
  }

  #judge(
    result: LinearAuditResult | undefined, values: Float64Array, propagation: Propagation, words: Words,
  ): AuditedCell[] {
    const bindings = new Map(result?.fallen.map(({ cell, binding }) => [cell, binding]));
    const found: AuditedCell[] = [];
    this.#cells.forEach((cell, c) => {
      const { measure, value, at, blankAt, places, reason } = cell;
      const omitted = blankAt.length === 0;
      if ((omitted && !this.#omitted.has(c)) || !this.#published.measures[measure]!.protect) return;
      // Of rows left out only those that fall are told; one that is certain to be empty says nothing where zeros are shown.
      if (omitted && (result?.verdict[c] === SAFE || (this.#zeros === "publish" && result?.max[c] === 0))) return;
      const unit = this.#unit(measure);
      const address: CellAddress = blankAt[0] ?? at[0] ?? { table: this.#tables[0]!.name, row: 0, column: this.#published.measures[measure]!.name };
      const base = {
        ...address,
        categories: Object.fromEntries(this.#published.dimensions.map(({ name, labels }, d) => [name, labels[places[d]!]!] as const).filter((_, d) => places[d] !== TOTAL)),
        name: words.name(c),
        measure: this.#published.measures[measure]!.name,
      };
      if (!Number.isNaN(value)) {
        const shownAt = cell.shownAt!;
        const large = this.#kind(measure) === "count" && value >= this.#threshold * unit;
        found.push({
          ...base,
          min: value / unit,
          max: value / unit,
          exact: true,
          verdict: large && this.#options.derivable === "small" ? "safe" : "falls",
          why: `${base.name} = ${words.number(c, value)}`,
          how: [`${where(shownAt)} shows it`],
        });
        return;
      }
      const min = result?.min[c] ?? NaN;
      const max = result?.max[c] ?? NaN;
      const exact = result?.exact[c] === 1;
      const bounds = { min: finiteOrNull(min / unit), max: finiteOrNull(max / unit), exact };
      const range = words.range(c, min, max);
      if (values[c] === 0) {
        found.push({ ...base, ...bounds, verdict: "not-asked", why: reason === "no-data" ? "marked as not counted" : "needs no protection", how: [] });
        return;
      }
      let verdict: AuditedCell["verdict"] = result === undefined ? "unproven" : result.verdict[c] === SAFE ? "safe" : result.verdict[c] === UNSAFE ? "falls" : "unproven";
      const amount = this.#kind(measure) === "amount";
      const wide = (this.#options.amountRange ?? 0.1) * Math.max(Math.abs(min), Math.abs(max));
      if (amount && verdict === "safe" && max - min < wide) verdict = "falls";
      const large = !amount && min >= this.#threshold * unit;
      if (verdict === "falls" && large && (min < max || this.#options.derivable === "small")) verdict = "safe";
      if (verdict === "safe") {
        found.push({
          ...base, ...bounds, verdict,
          why: large ? `no small count: ${range}` : `${exact ? "" : "at least "}${range} remains possible`,
          how: [],
        });
        return;
      }
      const how = verdict === "unproven" ? [] : this.#how(c, min, max, bindings.get(c), propagation, words);
      const why = verdict === "unproven"
        ? `${base.name} is not proven safe`
        : min === max
          ? `${base.name} = ${words.number(c, min)}`
          : `${base.name} is ${range}${amount ? "" : `: ${Math.floor((max - min) / unit) + 1} of the ${this.#interval} values that must remain possible`}`;
      found.push({ ...base, ...bounds, verdict, why, how });
    });
    return found;
  }

  #how(cell: number, min: number, max: number, binding: ReadonlyMap<number, number> | undefined, propagation: Propagation, words: Words): string[] {
    if (reaches(propagation, cell, min, max)) {
      const steps = stepsTo(cell, propagation);
      if (steps.length > 0) return words.chain(steps);
      return [`${words.name(cell)}: its mark says ${words.range(cell, min, max)}`];
    }
    const alone = min === max ? combine(this.#equations, this.#value, new Map([[cell, 1]])) : undefined;
    if (alone !== undefined) return words.together(alone, `${words.name(cell)} = ${words.number(cell, min)}`);
    if (binding !== undefined && binding.size > 0) {
      const whole = wholeTimes(binding);
      const sums = whole === undefined ? undefined : combine(this.#equations, this.#value, whole);
      if (sums !== undefined) return words.together(sums, `the sums fix ${words.combination(whole!)}, and no part can be smaller or larger than its mark says`);
    }
    return [`${words.name(cell)} is ${words.range(cell, min, max)} in every table that agrees with all sums together`];
  }

  /**
   * Somebody in a blank cell knows more than what is printed. Cells that fall from outside are told already; counts that are certain to be
   * no small ones may be found.
   */
  async #attackFromWithin(
    lower: Float64Array, upper: Float64Array, values: Float64Array, outside: LinearAuditResult, words: Words,
  ): Promise<void> {
    const insiders = this.#options.insiders ?? "none";
    if (insiders === "none") return;
    const asked = values.map((own, c) => (outside.verdict[c] === SAFE ? own : 0));
    const harmlessFrom = Float64Array.from(this.#cells, ({ measure }) => (this.#kind(measure) === "count" ? this.#threshold * this.#unit(measure) : Infinity));
    const singletons = this.#cells.flatMap(({ measure, value, reason, blankAt }, c) =>
      Number.isNaN(value) && blankAt.length > 0 && reason !== "no-data" && this.#kind(measure) === "count" && this.#unit(measure) === 1 ? [c] : []);
    const result = await this.#attack(lower, upper, asked, "safety", {
      insiders: insiders === "alone" ? "each-contributor" : "each-member", singletons, harmlessFrom,
    });
    for (const { cell, min, max, insider } of result?.fallen ?? []) {
      if (insider === undefined) continue;
      const who = insiders === "alone" ? `if only one person is in ${words.name(insider)}, that person` : `whoever is counted in ${words.name(insider)}`;
      const { at, blankAt } = this.#cells[cell]!;
      const text = min === max
        ? `${who} finds that ${words.name(cell)} = ${words.number(cell, min)}`
        : `${who} can narrow ${words.name(cell)} to ${words.range(cell, min, max)}`;
      this.#findings.push({ kind: "insider-finds", text, at: blankAt[0] ?? at[0] });
    }
  }

  /** Telling which blanks are small narrows what they can be; see whether that is what gives cells away. */
  async #compareWithMergedCodes(values: Float64Array, falling: number): Promise<void> {
    if (this.#codes !== "separate" || falling === 0) return;
    const { lower, upper } = this.#bounds("merged");
    const merged = await this.#attack(lower, upper, values, "safety");
    if (merged === undefined) return;
    const still = merged.fallen.length;
    if (still >= falling) return;
    this.#findings.push({
      kind: "reasons-told",
      text: `the marks tell small counts from those hidden to protect them; with one mark for both, ${still} ${still === 1 ? "cell" : "cells"} would fall instead of ${falling}`,
    });
  }

  #words(lower: Float64Array, upper: Float64Array): Words {
    return new Words({
      dimensions: this.#published.dimensions,
      measures: this.#published.measures,
      cells: this.#cells,
      equations: this.#equations,
      ratios: this.#published.ratios,
      value: this.#value,
      lower,
      upper,
    });
  }
}

function summaryOf(all: readonly AuditFinding[], blank: number, falling: number): string {
  const others = all.filter(({ kind }) => kind !== "blank-falls" && kind !== "reasons-told");
  const parts = [
    falling === 0
      ? blank === 0 ? "No cell is blank" : `None of ${blank} blank ${blank === 1 ? "cell falls" : "cells falls"}`
      : `${falling} of ${blank} blank ${blank === 1 ? "cell" : "cells"} ${falling === 1 ? "falls" : "fall"}`,
  ];
  const tell = (kind: FindingKind, one: string, many: string): void => {
    const n = others.filter((finding) => finding.kind === kind).length;
    if (n > 0) parts.push(`${n} ${n === 1 ? one : many}`);
  };
  tell("small-count-shown", "small count is shown", "small counts are shown");
  tell("marked-but-shown", "number is printed though marked", "numbers are printed though marked");
  tell("computed-beside-blank", "computed number stands beside a blank", "computed numbers stand beside blanks");
  tell("insider-finds", "hidden count can be found from within", "hidden counts can be found from within");
  tell("contradiction", "contradiction", "contradictions");
  if (others.some(({ kind }) => kind === "missing-rows")) parts.push("rows are missing");
  return parts.join("; ");
}

/** Whether taking unlisted combinations for empty makes shown parts fall short of shown wholes. */
function missesMore({ cells, equations }: EquationSystem): boolean {
  return equations.some(({ kind, cells: of, times }) => {
    if (kind !== "sum" || of.some((cell) => Number.isNaN(cells[cell]!.value))) return false;
    return of.reduce((sum, cell, k) => sum + times[k]! * cells[cell]!.value, 0) < 0;
  });
}

/** A combination in small whole numbers, or undefined. */
function wholeTimes(combination: ReadonlyMap<number, number>): Map<number, number> | undefined {
  for (let by = 1; by <= 12; by++) {
    const whole = new Map([...combination].map(([cell, times]) => [cell, Math.round(times * by)]));
    if ([...combination].every(([cell, times]) => Math.abs(times * by - whole.get(cell)!) < 1e-6)) return whole;
  }
  return undefined;
}

function refuseRepeatedNames(tables: readonly RawTable[]): void {
  const names = new Set<string>();
  for (const { name } of tables) {
    if (names.has(name)) {
      throw new DataError("audit/repeated-table", `Two tables are called ${JSON.stringify(name)}. Give each file or table a name of its own.`, { table: name });
    }
    names.add(name);
  }
}

function where({ table, row }: CellAddress): string {
  return `${table} row ${row}`;
}

function short(labels: readonly string[]): string {
  return labels.length <= 4 ? labels.join(", ") : `${labels.slice(0, 3).join(", ")}, ...`;
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
