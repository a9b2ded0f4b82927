import { PolicyError } from "../../errors/index.ts";
import { parseDecimal } from "../../kernels/rational.ts";
import type { StepRow } from "./table-files.ts";

/** How large the noise on an amount is, as a share of the amount. */
export type Multiplier =
  | {
      readonly kind: "flex";
      /** Share for amounts up to the flex point, 0 to 1. */
      readonly small: number;
      /** Share that large amounts tend to, at most `small`. */
      readonly large: number;
      /** Amount up to which `small` holds. */
      readonly flexPoint: number;
      /** Steepness beyond it, above 1. From 2 small / (small - large) on, the share falls all the way. */
      readonly q: number;
    }
  | { readonly kind: "simple"; readonly share: number };

export interface MagnitudeRule {
  /** Tables by the number of contributors: one for all, or one for even and one for odd numbers; perhaps one for small amounts. */
  readonly rows: readonly StepRow[];
  readonly multiplier: Multiplier;
  /** [contributors used] weight of the noise of the largest, second largest and so on: 1 first, then not rising. */
  readonly epsilon: readonly number[];
  /** Added to the size of the largest contributor's noise in sensitive cells, in units of the table. Default 0. */
  readonly extra?: number | undefined;
  /** Whether the largest contributor takes the cell's key as it is, or already the first turned one. Default true. */
  readonly sameKey?: boolean | undefined;
  /** Decimals of the keys: keys are 0 .. 10^digits - 1. */
  readonly digits: number;
}

export interface MagnitudeCell {
  readonly value: number;
  /** Contributions of the largest contributors, by size without sign, largest first; as many as the rule uses, or all there are. */
  readonly largest: readonly number[];
  readonly contributors: number;
  /** Cell key, 0 .. 10^digits - 1. */
  readonly key: number;
  readonly sensitive?: boolean | undefined;
}

/** Share m(x) of an amount's size that one unit of noise is; |x| times it is the unit. */
export function multiplierAt(multiplier: Multiplier, size: number): number {
  if (multiplier.kind === "simple") return multiplier.share;
  const { small, large, flexPoint, q } = multiplier;
  if (size <= flexPoint) return small;
  return large * (1 + ((small * size - large * flexPoint) / (large * flexPoint)) * ((2 * flexPoint) / (flexPoint + size)) ** q);
}

/** The key with its first decimal digit moved to the end: another key for the next contributor, as uniform as the first. */
export function turnedKey(key: number, digits: number): number {
  const rest = 10 ** (digits - 1);
  return (key % rest) * 10 + Math.floor(key / rest);
}

interface Category {
  readonly size: number;
  /** Keys at which each noise ends. */
  readonly bounds: readonly number[];
  readonly noises: readonly number[];
}

/**
 * A function that perturbs amounts: for each of the largest contributors a noise in units of m(x) x, looked up by a digit-turned
 * key and interpolated between the table's categories of size a = x / unit. A cell never changes its sign by the noise of one
 * contributor. Amounts below the separation point take the small table in units of 1, once.
 *
 * Source: cellKey package, sdcTools (method for continuous variables), and Deliverable D4.2 of the project "Open source tools
 * for perturbative confidentiality methods". Where the two differ this follows the words: `epsilon` weighs each contributor's
 * unit, and `extra` goes to the largest contributor only. No published cell-by-cell result exists to hold the whole against.
 *
 * @throws PolicyError `cell-key/bad-magnitude-rule`
 */
export function magnitudeNoise(rule: MagnitudeRule): (cell: MagnitudeCell) => number {
  const { multiplier, epsilon, digits } = rule;
  const keys = 10 ** digits;
  validate(rule);
  const tables = new Map<string, Category[]>();
  for (const { type, row } of rule.rows) {
    const category: Category = {
      size: row.count,
      bounds: row.changes.map(({ upper }) => {
        const { numerator, denominator } = parseDecimal(upper);
        return Number((numerator * BigInt(keys) + denominator - 1n) / denominator);
      }),
      noises: row.changes.map(({ noise }) => noise),
    };
    tables.set(type, [...(tables.get(type) ?? []), category]);
  }
  const separation = tables.has("small_cells") ? separationPoint(rule) : 0;
  const least = multiplier.kind === "simple" ? multiplier.share : multiplier.small;

  return ({ value, largest, contributors, key, sensitive }) => {
    const usual = tables.get("all") ?? tables.get(contributors % 2 === 0 ? "even" : "odd")!;
    let own = rule.sameKey === false ? turnedKey(key, digits) : key;
    let rest = value;
    for (let j = 0; j < epsilon.length && j < largest.length; j++, own = turnedKey(own, digits)) {
      const weight = epsilon[j]!;
      if (rest === 0 || weight === 0) continue;
      let size = Math.abs(largest[j]!);
      let unit = size * multiplierAt(multiplier, size) * weight;
      if (size >= separation && unit > Math.abs(rest)) {
        unit = Math.abs(rest);
        size = unit / (least * weight);
      }
      const isSmall = size < separation;
      if (isSmall && j > 0) continue;
      if (isSmall) unit = 1;
      if (unit === 0) continue;
      const steps = noiseAt(isSmall ? tables.get("small_cells")! : usual, size / unit, own);
      const more = sensitive === true && j === 0 ? (rule.extra ?? 0) : 0;
      // Where the table gives no noise the extra goes up or down by the key's last digit, which the table hardly looks at.
      const direction = steps === 0 && more > 0 ? 1 - 2 * (own % 2) : Math.sign(steps);
      const change = Math.sign(rest) * direction * unit * (more + Math.abs(steps));
      rest += direction < 0 && Math.abs(change) > Math.abs(rest) ? -rest : change;
    }
    return rest - value;
  };
}

/**
 * Amounts below this are perturbed like counts: the standard deviation of the small table over what one unit of size has,
 * sqrt(variance / sum of epsilon^2) / share.
 */
export function separationPoint(rule: Pick<MagnitudeRule, "rows" | "multiplier" | "epsilon">): number {
  const small = rule.rows.findLast(({ type }) => type === "small_cells");
  if (small === undefined) return 0;
  const variance = small.row.changes.reduce((sum, { noise, share }) => sum + noise * noise * share, 0);
  const share = rule.multiplier.kind === "simple" ? rule.multiplier.share : rule.multiplier.small;
  return Math.sqrt(variance / rule.epsilon.reduce((sum, own) => sum + own * own, 0)) / share;
}

function noiseAt(categories: readonly Category[], size: number, key: number): number {
  let above = 0;
  while (above < categories.length - 1 && categories[above]!.size < size) above++;
  const upper = categories[above]!;
  if (above === 0 || size >= upper.size) return noiseOf(upper, key);
  const lower = categories[above - 1]!;
  const share = (size - lower.size) / (upper.size - lower.size);
  return (1 - share) * noiseOf(lower, key) + share * noiseOf(upper, key);
}

function noiseOf({ bounds, noises }: Category, key: number): number {
  let at = 0;
  while (key >= bounds[at]!) at++;
  return noises[at]!;
}

function validate({ rows, multiplier, epsilon, extra, digits }: MagnitudeRule): void {
  const types = new Set(rows.map(({ type }) => type));
  const isShare = (x: number) => x > 0 && x <= 1;
  let wrong: string | undefined;
  if (types.has("all") === (types.has("even") || types.has("odd")) || types.has("even") !== types.has("odd")) {
    wrong = "tables must be of type all, or of both types even and odd";
  } else if (types.has("even") && epsilon.length > 1) {
    wrong = "tables for even and odd numbers of contributors go with one contributor only";
  } else if ([...types].some((type) => rows.find((row) => row.type === type)!.row.count !== 0)) {
    wrong = "each table must begin with category 0";
  } else if (epsilon[0] !== 1 || epsilon.length > 6 || epsilon.some((own, j) => !(own >= 0 && own <= (epsilon[j - 1] ?? 1)))) {
    wrong = "epsilon must list 1 to 6 weights from 1 downward to 0";
  } else if (multiplier.kind === "simple" ? !isShare(multiplier.share) : !(isShare(multiplier.small) && isShare(multiplier.large) && multiplier.large <= multiplier.small && multiplier.flexPoint > 0 && multiplier.q > 1)) {
    wrong = "shares must lie above 0 and up to 1, large at most small, flexPoint above 0 and q above 1";
  } else if (!((extra ?? 0) >= 0) || !Number.isInteger(digits) || digits < 2 || digits > 15) {
    wrong = "extra must be at least 0, and digits a whole number from 2 to 15";
  }
  if (wrong !== undefined) throw new PolicyError("cell-key/bad-magnitude-rule", `The rule for noise on amounts cannot be used: ${wrong}.`);
}
