import { midpoint, nearestMultiple } from "./scalar.ts";
import type { Rounding } from "./schema.ts";

/** Moments of (published number - count) for counts with one remainder, in records and squared records. */
export interface RemainderStatistics {
  /** count mod base. For midpoint rounding of counts above 0. */
  readonly remainder: number;
  readonly bias: number;
  readonly variance: number;
}

export interface RoundingStatistics {
  readonly byRemainder: readonly RemainderStatistics[];
  /** Over counts whose remainders are equally frequent: mean change and mean squared change. */
  readonly bias: number;
  readonly meanSquare: number;
  /** Largest change of a cell that is rounded on its own; sums of rounded parts drift further. */
  readonly largest: number;
}

/**
 * Bias and variance of rounding one count, in closed form. undefined where there is none: controlled rounding, whose
 * changes depend on the whole table (each is below one base), and the ladder, whose steps depend on size.
 *
 * Random rounding: bias 0, variance r (b - r), on average (b^2 - 1) / 6. Nearest: bias -r or b - r, mean square (b^2 -
 * 1) / 12 for odd b and (b^2 + 2) / 12 for even b. Half-way cases to even are right on average over even and odd
 * multiples.
 */
export function roundingStatistics(options: Rounding): RoundingStatistics | undefined {
  if (options.kind === "controlled" || options.kind === "drb") return undefined;
  const { base } = options;
  const byRemainder: RemainderStatistics[] = [];
  for (let remainder = 0; remainder < base; remainder++) {
    if (options.kind === "random") byRemainder.push({ remainder, bias: 0, variance: remainder * (base - remainder) });
    else if (options.kind === "midpoint") byRemainder.push({ remainder, bias: midpoint(base + remainder, base) - base - remainder, variance: 0 });
    else {
      const bias = nearestMultiple(remainder, base, "up") - remainder;
      const goesBothWays = options.half === "even" && 2 * remainder === base;
      byRemainder.push({ remainder, bias: goesBothWays ? 0 : bias, variance: goesBothWays ? bias ** 2 : 0 });
    }
  }
  const mean = (of: (entry: RemainderStatistics) => number) => byRemainder.reduce((sum, entry) => sum + of(entry), 0) / base;
  return {
    byRemainder,
    bias: mean(({ bias }) => bias),
    meanSquare: mean(({ bias, variance }) => bias ** 2 + variance),
    largest: options.kind === "random" ? base - 1 : Math.floor(base / 2),
  };
}
