import { dictionaryText, type Dictionary } from "../columns/index.ts";
import { PolicyError } from "../errors/index.ts";
import { boundHierarchy, GroupCollector, refuseUnmapped, type DraftLevel } from "./bound.ts";
import { decimalText, floorDivide, parseDecimal, rescaled, type Decimal } from "./decimal.ts";
import type { BoundHierarchy, Hierarchy } from "./hierarchy.ts";

/** Numbers may be given as text, so that they are taken exactly as written. */
export interface IntervalOptions {
  /** Width of the intervals at level 1, 2, ...; each a whole multiple of the one before. */
  readonly widths: readonly (number | string)[];
  /** A number at which an interval of every level begins; 0 when left out. */
  readonly origin?: number | string | undefined;
  /** Smaller values become one open interval at every level above 0 (bottom coding). */
  readonly from?: number | string | undefined;
  /** Values at or above it become one open interval at every level above 0 (top coding). */
  readonly to?: number | string | undefined;
  /** Text of the open interval below `from`; "<18" for 18. */
  readonly bottom?: string | undefined;
  /** Text of the open interval at or above `to`; "90+" for 90. */
  readonly top?: string | undefined;
  /** Smallest and largest value of the domain, for the shares only. */
  readonly min?: number | string | undefined;
  readonly max?: number | string | undefined;
  /** Add a level in which every value is "*"; true when left out. */
  readonly suppressAll?: boolean | undefined;
}

/**
 * Numbers become intervals [origin + i x width, origin + (i + 1) x width), cut off at `from` and `to`.
 *
 * Texts: "20-24" where all values, widths and limits are whole numbers, and "-10 to -6" where a limit is negative;
 * "[0.5, 1.0)" otherwise. Comparison is exact on the decimal text, so 0.3 starts the interval [0.3, 0.4).
 *
 * Share of an interval: its width over that of the domain. The domain reaches over the declared limits (`min`, `max`,
 * `from`, `to`) and all values of the dictionary; it is measured in units of the last decimal place that occurs, both ends
 * included, and a leaf is one such unit.
 *
 * @throws PolicyError `hierarchy/bad-interval` (when bound, too, if `bottom` or `top` is the text of another interval),
 *         `hierarchy/levels-do-not-nest`
 */
export function intervalHierarchy(options: IntervalOptions): Hierarchy {
  const suppressAll = options.suppressAll ?? true;
  const widths = options.widths.map((width) => limit("widths", width));
  const origin = limit("origin", options.origin ?? 0);
  const optional = (name: "from" | "to" | "min" | "max"): Decimal | undefined => {
    const value = options[name];
    return value === undefined ? undefined : limit(name, value);
  };
  const [from, to, min, max] = [optional("from"), optional("to"), optional("min"), optional("max")];
  const declared = [...widths, origin, from, to, min, max].filter((value) => value !== undefined);
  const declaredDecimals = declared.reduce((most, value) => Math.max(most, value.decimals), 0);
  checkOptions(widths, from, to, min, max, declaredDecimals);
  // Intervals begin at the origin or at a limit, so these decide how many decimals a text needs.
  const shownDecimals = [...widths, origin, from, to]
    .reduce((most, value) => Math.max(most, value?.decimals ?? 0), 0);

  return {
    levels: 1 + widths.length + (suppressAll ? 1 : 0),
    levelNames: [
      "values", ...options.widths.map((width) => `intervals of ${width}`), ...(suppressAll ? ["suppressed"] : []),
    ],
    bind(dictionary: Dictionary, column: string): BoundHierarchy {
      const values = readNumbers(dictionary, column);
      const decimals = values.reduce((most, value) => Math.max(most, value.decimals), declaredDecimals);
      const whole = decimals === 0;
      const scaled = values.map((value) => rescaled(value, decimals));
      const at = (value: Decimal | undefined): bigint | undefined => (value === undefined ? undefined : rescaled(value, decimals));
      const [low, high, start] = [at(from), at(to), at(origin)!];

      const starts = [low, high, at(min), ...scaled].filter((value) => value !== undefined);
      const first = starts.reduce((least, value) => (value < least ? value : least), starts[0] ?? 0n);
      const ends = [low, high, ...[at(max), ...scaled].map((value) => (value === undefined ? undefined : value + 1n))];
      const end = ends.reduce<bigint>((most, value) => (value !== undefined && value > most ? value : most), first + 1n);
      const text = (units: bigint): string => decimalText(units, decimals, shownDecimals);
      const bottomLabel = options.bottom ?? (low === undefined ? "" : `<${text(low)}`);
      const topLabel = options.top ?? (high === undefined ? "" : whole ? `${text(high)}+` : `>=${text(high)}`);

      const drafts = widths.map((width): DraftLevel => {
        const size = rescaled(width, decimals);
        const groups = new GroupCollector<bigint | "bottom" | "top">();
        const groupOf = new Int32Array(scaled.length);
        for (let code = 0; code < scaled.length; code++) {
          const value = scaled[code]!;
          if (low !== undefined && value < low) {
            groupOf[code] = groups.group("bottom", () => ({ label: bottomLabel, leaves: Number(low - first) }));
          } else if (high !== undefined && value >= high) {
            groupOf[code] = groups.group("top", () => ({ label: topLabel, leaves: Number(end - high) }));
          } else {
            const index = floorDivide(value - start, size);
            groupOf[code] = groups.group(index, () => {
              let begin = start + index * size;
              let stop = begin + size;
              if (low !== undefined && begin < low) begin = low;
              if (high !== undefined && stop > high) stop = high;
              return {
                label: whole ? wholeLabel(begin, stop - 1n) : `[${text(begin)}, ${text(stop)})`,
                leaves: Number((stop < end ? stop : end) - (begin > first ? begin : first)),
              };
            });
          }
        }
        if (new Set(groups.labels).size < groups.labels.length) {
          throw new PolicyError(
            "hierarchy/bad-interval", "bottom or top of an interval hierarchy is also the text of another interval. Choose another.",
          );
        }
        return { groupOf, labels: groups.labels, leaves: groups.leaves };
      });
      return boundHierarchy(column, dictionary, drafts, Number(end - first), suppressAll);
    },
  };
}

/** "20-24"; "20" for an interval of one number; "-5 to -1" where a dash would be misread. */
function wholeLabel(first: bigint, last: bigint): string {
  if (first === last) return `${first}`;
  return first < 0n ? `${first} to ${last}` : `${first}-${last}`;
}

function readNumbers(dictionary: Dictionary, column: string): Decimal[] {
  const values: Decimal[] = [];
  let unmapped = 0;
  for (let code = 0; code < dictionary.size; code++) {
    const value = parseDecimal(dictionaryText(dictionary, code));
    if (value === undefined) unmapped++;
    else values.push(value);
  }
  refuseUnmapped(column, unmapped, dictionary.size, "decimal numbers such as 42 or -12.5");
  return values;
}

function limit(option: string, value: number | string): Decimal {
  const decimal = parseDecimal(String(value));
  if (decimal !== undefined) return decimal;
  throw new PolicyError(
    "hierarchy/bad-interval", `${option} of an interval hierarchy must be decimal numbers, such as 5 or 0.25.`, { option },
  );
}

function checkOptions(
  widths: readonly Decimal[], from: Decimal | undefined, to: Decimal | undefined, min: Decimal | undefined, max: Decimal | undefined,
  decimals: number,
): void {
  const bad = (message: string): PolicyError => new PolicyError("hierarchy/bad-interval", message);
  if (widths.length === 0) throw bad("An interval hierarchy needs at least one width.");
  const scaled = widths.map((width) => rescaled(width, decimals));
  scaled.forEach((width, i) => {
    if (width <= 0n) throw bad(`Width ${i + 1} of an interval hierarchy must be greater than 0.`);
    const finer = scaled[i - 1];
    if (finer !== undefined && (width <= finer || width % finer !== 0n)) {
      throw new PolicyError(
        "hierarchy/levels-do-not-nest",
        `Width ${i + 1} of an interval hierarchy must be a whole multiple of width ${i}, so that the intervals nest.`,
        { level: i + 1 },
      );
    }
  });
  if (from !== undefined && to !== undefined && rescaled(to, decimals) <= rescaled(from, decimals)) {
    throw bad("to of an interval hierarchy must be greater than from.");
  }
  if (min !== undefined && max !== undefined && rescaled(max, decimals) < rescaled(min, decimals)) {
    throw bad("max of an interval hierarchy must not be less than min.");
  }
}
