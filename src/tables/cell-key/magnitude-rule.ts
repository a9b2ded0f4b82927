import { PolicyError } from "../../errors/index.ts";
import { designPTable, LARGEST_CHANGE } from "./design.ts";
import type { MagnitudeRule } from "./magnitude.ts";
import { numberOfKeys } from "./options.ts";
import { boundedRow, boundsByRow, pTableRow } from "./p-table.ts";
import type { CellKey } from "./schema.ts";
import type { StepRow } from "./table-files.ts";

type Magnitudes = NonNullable<CellKey["magnitudes"]>;

/**
 * The rule for noise on amounts that the options describe.
 *
 * @throws PolicyError `cell-key/no-magnitudes` when they describe none, `cell-key/table-not-loaded`, `cell-key/bad-magnitude-rule`,
 * and those of designPTable
 */
export function magnitudeRule(options: CellKey): MagnitudeRule {
  const { magnitudes } = options;
  if (magnitudes === undefined) {
    throw new PolicyError("cell-key/no-magnitudes", "The policy asks for sums and does not say how they are changed. Add magnitudes to the method.");
  }
  return {
    rows: stepRows(magnitudes),
    multiplier: "share" in magnitudes.noise ? { kind: "simple", share: magnitudes.noise.share } : { kind: "flex", ...flexOf(magnitudes.noise) },
    epsilon: magnitudes.weights,
    ...(magnitudes.sensitive === undefined ? {} : { extra: magnitudes.sensitive.extra }),
    digits: Math.round(Math.log10(numberOfKeys(options))),
  };
}

function flexOf({ small, large, from, steepness }: Extract<Magnitudes["noise"], { small: number }>) {
  return { small, large, flexPoint: from, q: steepness };
}

/** Rows of the table for amounts, by size in units of noise. */
export function stepRows({ table }: Magnitudes): StepRow[] {
  if ("design" in table) return designedSteps(table.design);
  if ("bounds" in table) return listedSteps(table.bounds);
  throw new PolicyError(
    "cell-key/table-not-loaded",
    "The perturbation table for amounts stands in a file that was not read. Read it and put its rows into the options (withMagnitudeTable).",
  );
}

/**
 * Noise of largest entropy in steps of 1 / steps: the design for counts on a grid that many times finer, so that the noise of
 * category i is no less than -i, has mean 0 and the variance asked for. Source: the ptable package (create_num_ptable); the
 * sample table of tau-Argus for amounts is this design with 5, 1, 2 steps, monotone.
 */
function designedSteps({ maxPerturbation, variance, steps, categories, monotone, impossibleRows }: Extract<Magnitudes["table"], { design: unknown }>["design"]): StepRow[] {
  if (maxPerturbation * steps > LARGEST_CHANGE) {
    throw new PolicyError(
      "cell-key/bad-design",
      `The design of the table for amounts cannot be used: maxPerturbation times steps is ${maxPerturbation * steps}, more than ${LARGEST_CHANGE}.`,
    );
  }
  const { table, rows } = designPTable({ maxPerturbation: maxPerturbation * steps, variance: variance * steps * steps, monotone, impossibleRows: "nearest" });
  const sizes = [...new Set([...(categories ?? [1]), maxPerturbation])].sort((a, b) => a - b);
  const last = table.rows.length - 1;
  // Rows between the categories are not used, so they may be impossible.
  const impossible = sizes.filter((size) => !rows[Math.min(size * steps, last)]!.asAsked);
  if (impossible.length > 0 && impossibleRows === "refuse") {
    throw new PolicyError(
      "cell-key/impossible-row",
      `No probabilities meet the design of the table for amounts for sizes of ${impossible.join(", ")}: mean 0, variance ${variance}, changes up to ${maxPerturbation}. ` +
        "Change the variance, or choose other categories, or accept the nearest variance (impossibleRows: nearest).",
      { counts: impossible, variance, maxPerturbation },
    );
  }
  return [
    { type: "all", row: pTableRow(0, [0], [1]) },
    ...sizes.map((size): StepRow => {
      const { changes } = table.rows[Math.min(size * steps, last)]!;
      return { type: "all", row: pTableRow(size, changes.map(({ noise }) => noise / steps), changes.map(({ share }) => share)) };
    }),
  ];
}

/** Source of the limits: what readStepTable asks of files. */
function listedSteps(entries: readonly (readonly [number, number, number])[]): StepRow[] {
  const lists = boundsByRow(entries);
  if (lists === undefined) throw badSteps("its rows are not in ascending order of categories");
  return [...lists].map(([size, { numbers: noises, uppers }]): StepRow => {
    if (uppers.some((upper, k) => upper < (uppers[k - 1] ?? 0))) throw badSteps(`the bounds of category ${size} do not rise`);
    if (noises.some((noise) => size + noise < 0)) throw badSteps(`its noise for category ${size} goes below -${size}`);
    if (uppers.at(-1) !== 1) throw badSteps(`the last bound of category ${size} is not 1`);
    const row = boundedRow(size, noises, uppers);
    if (Math.abs(row.changes.reduce((sum, { noise, share }) => sum + noise * share, 0)) > 1e-6) throw badSteps(`category ${size} has a mean other than 0`);
    return { type: "all", row };
  });
}

function badSteps(why: string): PolicyError {
  return new PolicyError("cell-key/bad-table", `The perturbation table for amounts cannot be used: ${why}.`);
}

/** What can be said of the noise of sums in advance, as shares of the largest contributor's amount. */
export interface MagnitudeStatistics {
  /** Largest mean of any row, in units of noise; 0 but for the digits that shares are kept with. */
  readonly bias: number;
  /** Standard deviation of the sum, for a lone contributor: as a share of its amount, for small and for very large amounts. */
  readonly deviationSmall: number;
  readonly deviationLarge: number;
  /** Largest change by the largest contributor, as a share of its amount. */
  readonly largestChangeSmall: number;
  readonly largestChangeLarge: number;
}

/** By the table's last row, which serves amounts of many units; nearer to 0 the noise is cut off below and less. */
export function magnitudeStatistics({ rows, multiplier, extra = 0 }: Pick<MagnitudeRule, "rows" | "multiplier" | "extra">): MagnitudeStatistics {
  const [small, large] = multiplier.kind === "simple" ? [multiplier.share, multiplier.share] : [multiplier.small, multiplier.large];
  const mean = (k: number, power: 1 | 2) => rows[k]!.row.changes.reduce((sum, { noise, share }) => sum + share * noise ** power, 0);
  const last = rows.length - 1;
  const deviation = Math.sqrt(mean(last, 2) - mean(last, 1) ** 2);
  const largest = extra + rows[last]!.row.changes.reduce((most, { noise }) => Math.max(most, Math.abs(noise)), 0);
  return {
    bias: rows.reduce((most, _, k) => Math.max(most, Math.abs(mean(k, 1))), 0),
    deviationSmall: small * deviation, deviationLarge: large * deviation,
    largestChangeSmall: small * largest, largestChangeLarge: large * largest,
  };
}
