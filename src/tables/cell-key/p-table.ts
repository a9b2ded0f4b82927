import { add, parseDecimal, rational, toNumberDown, ZERO, type Rational } from "../../kernels/rational.ts";
import { wholeShares } from "./whole-shares.ts";

/** One way a count may change. */
export interface Change {
  /** Added to the count. */
  readonly noise: number;
  /** Probability, 0 to 1. */
  readonly share: number;
  /** Sum of the shares up to and with this one: the noise is taken for keys from the bound before up to below this bound. */
  readonly upper: number;
}

/** How one count changes; the order of the changes is the order of the keys. */
export interface PTableRow {
  readonly count: number;
  readonly changes: readonly Change[];
}

/** Perturbation table: row i is for a count of i, the last row for every larger count as well. */
export interface PTable {
  readonly rows: readonly PTableRow[];
}

/** A row from noises and their shares. The last bound is 1 whatever the rounding of the sum. */
export function pTableRow(count: number, noises: readonly number[], shares: ArrayLike<number>): PTableRow {
  let upper = 0;
  const changes = noises.map((noise, k): Change => {
    upper = k === noises.length - 1 ? 1 : Math.min(1, upper + shares[k]!);
    return { noise, share: shares[k]!, upper };
  });
  return { count, changes };
}

/** Entries (number of the row, number, upper bound) by row; undefined where rows do not ascend. */
export function boundsByRow(entries: readonly (readonly [number, number, number])[]): Map<number, { numbers: number[]; uppers: number[] }> | undefined {
  const rows = new Map<number, { numbers: number[]; uppers: number[] }>();
  let before = -1;
  for (const [row, number, upper] of entries) {
    if (row < before) return undefined;
    let own = rows.get(row);
    if (own === undefined) rows.set(row, (own = { numbers: [], uppers: [] }));
    own.numbers.push(number);
    own.uppers.push(upper);
    before = row;
  }
  return rows;
}

/** A row from noises and their bounds; shares are the exact differences of the bounds as they are written in decimal. */
export function boundedRow(count: number, noises: readonly number[], uppers: readonly number[]): PTableRow {
  let before = ZERO;
  const changes = noises.map((noise, k): Change => {
    const bound = parseDecimal(uppers[k]!);
    const share = decimalNumber(add(bound, rational(-before.numerator, before.denominator)));
    before = bound;
    return { noise, share, upper: uppers[k]! };
  });
  return { count, changes };
}

/** The table with probabilities of so many decimals, still summing to 1 and still without bias where that is possible. */
export function roundPTable(table: PTable, decimals = 8): PTable {
  const total = 10 ** decimals;
  return {
    rows: table.rows.map(({ count, changes }) => {
      const noises = changes.map(({ noise }) => noise);
      const widths = wholeShares(noises, changes.map(({ share }) => share), total);
      let sum = 0;
      // One correctly rounded division of whole numbers gives the double whose shortest text is that decimal.
      return boundedRow(count, noises, widths.map((width) => (sum += width) / total));
    }),
  };
}

function decimalNumber({ numerator, denominator }: Rational): number {
  return denominator <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(numerator) / Number(denominator) : toNumberDown({ numerator, denominator });
}

/** What a row does on average. */
export interface RowStatistics {
  readonly count: number;
  /** Mean change. */
  readonly bias: number;
  /** Mean square of the change less the squared bias. */
  readonly variance: number;
  /** Probability that the count stays as it is. */
  readonly stays: number;
  /** Largest change up or down that can occur. */
  readonly largestChange: number;
  /** Entropy of the change, in bits. */
  readonly entropy: number;
}

/** Mean, variance and the like of every row; the last one holds for all larger counts. */
export function pTableStatistics(table: PTable): RowStatistics[] {
  return table.rows.map(({ count, changes }) => {
    const shares = new Map<number, number>();
    for (const { noise, share } of changes) shares.set(noise, (shares.get(noise) ?? 0) + share);
    return rowStatistics(count, shares);
  });
}

/** @param shares probability of each noise */
export function rowStatistics(count: number, shares: ReadonlyMap<number, number>): RowStatistics {
  let bias = 0;
  let square = 0;
  let largestChange = 0;
  let entropy = 0;
  for (const [noise, share] of shares) {
    if (share === 0) continue;
    bias += share * noise;
    square += share * noise * noise;
    largestChange = Math.max(largestChange, Math.abs(noise));
    entropy -= share * Math.log2(share);
  }
  return { count, bias, variance: square - bias * bias, stays: shares.get(0) ?? 0, largestChange, entropy };
}
