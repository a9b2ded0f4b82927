import { DataError, DisclosureError } from "../../errors/index.ts";
import { HIDDEN_COMPLEMENTARY, type AuditColumn, type AuditInput } from "./published.ts";

/** Unknowns beyond the published cells that the audit will introduce; more is not proven safe. */
export const LATENT_LIMIT = 500_000;

const TOTAL = -1;

/**
 * What is unknown and how it adds up, seen from outside: unknowns are the blank cells and, where tables share no common
 * breakdown, the never published cells of that breakdown.
 */
export interface AttackSystem {
  readonly unknowns: number;
  /** [unknowns] the unknown that stands for it in the equations: value = value[sameAs] + offset. Most stand for themselves. */
  readonly sameAs: Int32Array;
  readonly offset: Float64Array;
  /** Leading unknowns that are blank cells; the rest are never published. */
  readonly blanks: number;
  /** [unknowns] what is known of each before any addition. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** [blanks] a table and row where the cell is found. */
  readonly table: Int32Array;
  readonly row: Int32Array;
  /** [tables][rows] unknown of a blank row, -1 where the count is shown. */
  readonly unknownOf: readonly Int32Array[];
  /** Blank cells that another table shows: [table, row] and the count. */
  readonly shownElsewhere: readonly { readonly table: number; readonly row: number; readonly count: number }[];
  /** Equations in rows: the sum of times[k] * unknown[k] over starts[e] .. starts[e + 1] is sum[e]. None is there twice. */
  readonly starts: Int32Array;
  readonly unknown: Int32Array;
  readonly times: Int32Array;
  readonly sum: Float64Array;
  /** A count far above every shown one. */
  readonly cap: number;
}

interface Margin {
  /** [columns] level, TOTAL when summed over. */
  readonly levels: readonly number[];
  /** Known nonzero and unknown cells, by key. */
  readonly cells: Map<string, CellValue>;
}

interface CellValue {
  /** [columns] */
  readonly places: readonly number[];
  /** Published count, or undefined when nothing published says it. */
  count: number | undefined;
  unknown: number;
}

/**
 * Write down every addition that the published tables' structure implies: each margin's cell is the sum of its cells in each
 * next finer margin.
 *
 * @throws DataError `audit/inconsistent` when shown counts contradict each other
 * @throws DisclosureError `audit/too-large` when too many never published cells would have to be considered
 * Time O(rows x margins) on average.
 */
export function attackSystem(input: AuditInput): AttackSystem {
  const { columns, tables } = input;
  const margins = new Map<string, Margin>();
  const cellOfRow: CellValue[][] = tables.map(() => []);
  tables.forEach((table, t) => {
    const dimensionOf = columns.map((_, k) => table.columnOf.indexOf(k));
    for (let row = 0; row < table.rows; row++) {
      const places = dimensionOf.map((d) => (d < 0 ? 0 : table.places[d]![row]!));
      const levels = places.map((place, k) => columns[k]!.level[place]!);
      const name = levels.join();
      let margin = margins.get(name);
      if (margin === undefined) margins.set(name, (margin = { levels, cells: new Map() }));
      const key = places.join();
      let cell = margin.cells.get(key);
      if (cell === undefined) margin.cells.set(key, (cell = { places, count: undefined, unknown: -1 }));
      const count = table.count[row]!;
      if (!Number.isNaN(count)) {
        if (!Number.isSafeInteger(count) || count < 0 || (cell.count !== undefined && cell.count !== count)) {
          throw inconsistent(`table ${table.name} shows a count that is not a whole number or that another row contradicts`);
        }
        cell.count = count;
      }
      cellOfRow[t]!.push(cell);
    }
  });

  // Number the blank cells that no table shows.
  const floor = input.zeros === "publish" ? 1 : 0;
  const lower: number[] = [];
  const upper: number[] = [];
  const tableOf: number[] = [];
  const rowOf: number[] = [];
  const shownElsewhere: { table: number; row: number; count: number }[] = [];
  const unknownOf = tables.map((table, t) => {
    const unknown = new Int32Array(table.rows).fill(-1);
    for (let row = 0; row < table.rows; row++) {
      if (!Number.isNaN(table.count[row]!)) continue;
      const cell = cellOfRow[t]![row]!;
      if (cell.count !== undefined) {
        shownElsewhere.push({ table: t, row, count: cell.count });
        continue;
      }
      if (cell.unknown < 0) {
        cell.unknown = lower.length;
        lower.push(floor);
        upper.push(Infinity);
        tableOf.push(t);
        rowOf.push(row);
      }
      if (input.codes === "separate") {
        const u = cell.unknown;
        if (table.mark[row] === HIDDEN_COMPLEMENTARY) lower[u] = Math.max(lower[u]!, input.threshold);
        else upper[u] = Math.min(upper[u]!, input.threshold - 1);
      }
      unknown[row] = cell.unknown;
    }
    return unknown;
  });
  const blanks = lower.length;

  // Zeros that are shown say no more than rows that are absent.
  for (const margin of margins.values()) {
    for (const [key, cell] of margin.cells) if (cell.count === 0) margin.cells.delete(key);
  }
  const list = [...margins.values()];
  const latent = blanks === 0 ? undefined : commonBreakdown(list, columns);
  if (latent !== undefined) {
    for (const cell of latent.cells.values()) {
      cell.unknown = lower.length;
      lower.push(0);
      upper.push(Infinity);
    }
    list.push(latent);
  }

  const starts: number[] = [0];
  const unknown: number[] = [];
  const sign: number[] = [];
  const sums: number[] = [];
  for (const [coarse, fine] of coveringPairs(list)) {
    const known = new Map<CellValue, number>();
    const parts = new Map<CellValue, number[]>();
    for (const cell of coarse.cells.values()) {
      known.set(cell, 0);
      parts.set(cell, []);
    }
    for (const cell of fine.cells.values()) {
      const parent = coarse.cells.get(projected(cell.places, coarse.levels, columns).join());
      if (parent === undefined) {
        // The coarser cell is empty, so this one is.
        if (cell.count !== undefined || lower[cell.unknown]! > 0) throw inconsistent("a shown zero holds a cell that is not empty");
        upper[cell.unknown] = 0;
      } else if (cell.count !== undefined) known.set(parent, known.get(parent)! + cell.count);
      else parts.get(parent)!.push(cell.unknown);
    }
    for (const cell of coarse.cells.values()) {
      const own = parts.get(cell)!;
      const rest = (cell.count ?? 0) - known.get(cell)!;
      if (own.length === 0 && cell.count !== undefined) {
        if (rest !== 0) throw inconsistent("shown counts do not add up to the shown total");
        continue;
      }
      for (const u of own) {
        unknown.push(u);
        sign.push(1);
      }
      if (cell.count === undefined) {
        unknown.push(cell.unknown);
        sign.push(-1);
      }
      starts.push(unknown.length);
      sums.push(rest);
    }
  }
  const additions = { starts, unknown, sign, sums };
  const { sameAs, offset } = unifyEqual(additions, lower, upper);
  return {
    unknowns: lower.length,
    blanks,
    lower: Float64Array.from(lower),
    upper: Float64Array.from(upper),
    table: Int32Array.from(tableOf),
    row: Int32Array.from(rowOf),
    unknownOf,
    shownElsewhere,
    sameAs,
    offset,
    ...rewrite(additions, sameAs, offset),
    cap: 1000 + 2 * sums.reduce((largest, sum) => Math.max(largest, Math.abs(sum)), 0),
  };
}

interface Additions {
  readonly starts: readonly number[];
  readonly unknown: readonly number[];
  readonly sign: readonly number[];
  readonly sums: readonly number[];
}

/**
 * Unknowns that differ by a known number (a blank total with one blank part) become one; bounds are carried over to it.
 * The first of them stands for all, so a blank cell never stands behind one that is not published.
 */
function unifyEqual({ starts, unknown, sign, sums }: Additions, lower: number[], upper: number[]): { sameAs: Int32Array; offset: Float64Array } {
  const sameAs = Int32Array.from(lower.keys());
  const offset = new Float64Array(lower.length);
  const settle = (u: number): void => {
    const path: number[] = [];
    let at = u;
    while (sameAs[at] !== at) {
      path.push(at);
      at = sameAs[at]!;
    }
    let total = 0;
    for (const step of path.reverse()) {
      total += offset[step]!;
      sameAs[step] = at;
      offset[step] = total;
    }
  };
  for (let e = 0; e + 1 < starts.length; e++) {
    const k = starts[e]!;
    if (starts[e + 1]! - k !== 2 || sign[k]! + sign[k + 1]! !== 0) continue;
    const [part, whole] = sign[k]! > 0 ? [unknown[k]!, unknown[k + 1]!] : [unknown[k + 1]!, unknown[k]!];
    settle(part);
    settle(whole);
    // part - whole = sum, each being its stand-in plus an offset.
    const a = sameAs[part]!;
    const b = sameAs[whole]!;
    const apart = sums[e]! - offset[part]! + offset[whole]!;
    if (a === b) {
      if (apart !== 0) throw inconsistent("two sums give one cell different counts");
      continue;
    }
    const [kept, moved, by] = a < b ? [a, b, -apart] : [b, a, apart];
    sameAs[moved] = kept;
    offset[moved] = by;
    lower[kept] = Math.max(lower[kept]!, lower[moved]! - by);
    upper[kept] = Math.min(upper[kept]!, upper[moved]! - by);
  }
  for (let u = 0; u < lower.length; u++) settle(u);
  return { sameAs, offset };
}

/** Equations over the unknowns that stand for others, without those that say nothing or say it again. */
function rewrite(
  additions: Additions,
  sameAs: Int32Array,
  offset: Float64Array,
): Pick<AttackSystem, "starts" | "unknown" | "times" | "sum"> {
  const starts: number[] = [0];
  const unknown: number[] = [];
  const times: number[] = [];
  const sum: number[] = [];
  const seen = new Set<string>();
  for (let e = 0; e + 1 < additions.starts.length; e++) {
    const terms = new Map<number, number>();
    let rest = additions.sums[e]!;
    for (let k = additions.starts[e]!; k < additions.starts[e + 1]!; k++) {
      const u = additions.unknown[k]!;
      const sign = additions.sign[k]!;
      rest -= sign * offset[u]!;
      terms.set(sameAs[u]!, (terms.get(sameAs[u]!) ?? 0) + sign);
    }
    const present = [...terms].filter(([, n]) => n !== 0).sort((a, b) => a[0] - b[0]);
    if (present.length === 0) {
      if (rest !== 0) throw inconsistent("sums of hidden cells do not add up");
      continue;
    }
    const name = `${present.map((term) => term.join("*")).join()}=${rest}`;
    if (seen.has(name)) continue;
    seen.add(name);
    for (const [u, n] of present) {
      unknown.push(u);
      times.push(n);
    }
    starts.push(unknown.length);
    sum.push(rest);
  }
  return {
    starts: Int32Array.from(starts),
    unknown: Int32Array.from(unknown),
    times: Int32Array.from(times),
    sum: Float64Array.from(sum),
  };
}

function inconsistent(what: string): DataError {
  return new DataError(
    "audit/inconsistent",
    `The published tables contradict themselves: ${what}. They were changed or do not describe the same records; ` +
      "check that all of them come from one release and that the table specification is theirs.",
  );
}

/** Whether every dimension of `fine` is at least as fine as in `coarse`. */
function isWithin(coarse: readonly number[], fine: readonly number[]): boolean {
  return coarse.every((level, k) => level === TOTAL || (fine[k] !== TOTAL && fine[k]! <= level));
}

/** Pairs (coarse, fine) of margins with no other margin between them. */
function coveringPairs(margins: readonly Margin[]): [Margin, Margin][] {
  const pairs: [Margin, Margin][] = [];
  for (const fine of margins) {
    const above = margins.filter((margin) => margin !== fine && isWithin(margin.levels, fine.levels));
    for (const coarse of above) {
      const between = above.some((other) => other !== coarse && isWithin(coarse.levels, other.levels));
      if (!between) pairs.push([coarse, fine]);
    }
  }
  return pairs;
}

/** Places of a cell seen at coarser levels. */
function projected(places: readonly number[], levels: readonly number[], columns: readonly AuditColumn[]): number[] {
  return places.map((place, k) => {
    const { level, parent } = columns[k]!;
    let at = place;
    while (at > 0 && level[at] !== levels[k]) at = parent[at]!;
    return at;
  });
}

/**
 * The finest breakdown that all margins share, as never published cells, or undefined when it is not needed: when it is
 * itself published, or when margins can be joined one by one over a published common margin (any counts that agree there
 * are then counts of some joint table, in whole numbers too).
 */
function commonBreakdown(margins: readonly Margin[], columns: readonly AuditColumn[]): Margin | undefined {
  const names = new Set(margins.map((margin) => margin.levels.join()));
  let maximal = margins.filter((margin) => !margins.some((other) => other !== margin && isWithin(margin.levels, other.levels)));
  const all = maximal;
  for (;;) {
    if (maximal.length <= 1) return undefined;
    const ear = maximal.find((margin) => {
      const others = maximal.filter((other) => other !== margin);
      return others.some((base) => {
        const shared = meet(margin.levels, base.levels);
        return names.has(shared.join()) && others.every((other) => isWithin(meet(margin.levels, other.levels), shared));
      });
    });
    if (ear === undefined) break;
    maximal = maximal.filter((margin) => margin !== ear);
  }

  // Join the margins column by column; a combination survives while every margin holds its projection.
  const finest = columns.map((_, k) => {
    const levels = all.map((margin) => margin.levels[k]!).filter((level) => level !== TOTAL);
    return levels.length === 0 ? TOTAL : Math.min(...levels);
  });
  let partial: number[][] = [[]];
  for (let k = 0; k < columns.length; k++) {
    const choices: number[] = [];
    for (let place = 0; place < columns[k]!.size; place++) if (columns[k]!.level[place] === finest[k]) choices.push(place);
    const checks = margins
      .filter((margin) => margin.levels[k] !== TOTAL)
      .map((margin) => {
        const levels = margin.levels.map((level, j) => (j <= k ? level : TOTAL));
        const held = new Set<string>();
        for (const cell of margin.cells.values()) held.add(cell.places.slice(0, k + 1).join());
        return { levels, held };
      });
    const extended: number[][] = [];
    for (const head of partial) {
      for (const place of choices) {
        const places = [...head, place];
        if (checks.every(({ levels, held }) => held.has(projected(places, levels, columns).join()))) extended.push(places);
      }
      if (extended.length > LATENT_LIMIT) {
        throw new DisclosureError(
          "audit/too-large",
          `The tables share no published common breakdown, and proving them safe together would take more than ${LATENT_LIMIT} ` +
            "unpublished cells. Publish the tables' common margins, or fewer or coarser tables.",
          { limit: LATENT_LIMIT },
        );
      }
    }
    partial = extended;
  }
  return {
    levels: finest,
    cells: new Map(partial.map((places) => [places.join(), { places, count: undefined, unknown: -1 }])),
  };
}

/** The finest margin that both contain. */
function meet(a: readonly number[], b: readonly number[]): number[] {
  return a.map((level, k) => (level === TOTAL || b[k] === TOTAL ? TOTAL : Math.max(level, b[k]!)));
}
