import { PolicyError } from "../../errors/index.ts";
import {
  compare, formatRational, multiply, parseDecimal, parseRational, rational, toDecimalUp, exactly, type Rational,
} from "../../kernels/rational.ts";
import {
  epsilonOfRho, epsilonOfScale, exactBudget, rhoOfSigmaSquared, scaleFor, sigmaSquaredFor, splitBudget, sumOf,
  type Budget, type Mechanism,
} from "../accounting/index.ts";
import { withOther, type DeclaredColumn } from "./groups.ts";
import { noiseFigures, type NoiseFigures } from "./noise-figures.ts";

export interface NoisyCountsRequest {
  readonly mechanism: Mechanism;
  /** For the whole release. */
  readonly budget: Budget;
  /**
   * Whose presence is hidden. With "record" every record is taken to be one person, and the promise fails for a person
   * with several; whoever chooses it must say so.
   */
  readonly privacyUnit: "contributor" | "record";
  /** Records of one contributor that count, over the whole release. */
  readonly maxRecordsPerContributor: number;
  /** Declared groups of every column that a table uses. */
  readonly columns: readonly DeclaredColumn[];
  /** Records in no declared group (nulls too): counted in a group `other`, or left out. Default "drop". */
  readonly otherwise?: "other" | "drop";
  readonly tables: readonly NoisyTableRequest[];
  /** Raise negative counts to 0. Default false. */
  readonly nonNegative?: boolean;
  /** Where epsilon of a rho budget is stated at. Default 1e-10. Changes no noise. */
  readonly reportDelta?: string | number;
  /** True for a plan that may be carried out with seeded bits, and then never published. Default false. */
  readonly rehearsal?: boolean;
}

export interface NoisyTableRequest {
  readonly name: string;
  /** A column name means level 0. */
  readonly dimensions: readonly (string | { readonly column: string; readonly levels: readonly number[] | "all" })[];
  /** Totals to publish: each entry lists the columns that are kept. Default "all". */
  readonly margins?: "all" | "none" | readonly (readonly string[])[];
  /** Weight of this table in the split of the budget; for all tables or for none (equal parts). */
  readonly share?: string | number;
}

/** What is to be done; plain JSON. Fractions are texts such as "15625/3858". */
export interface NoisyCountsPlan {
  readonly method: "noisy-counts";
  readonly mechanism: Mechanism;
  readonly adjacency: "add or remove all records of one contributor" | "add or remove one record";
  readonly privacyUnit: "contributor" | "record";
  readonly maxRecordsPerContributor: number;
  /** What `budget` and `spent` count. */
  readonly measure: "rho" | "epsilon";
  readonly budget: string;
  /** Sum over the tables, at most `budget`. */
  readonly spent: string;
  /** What a rho budget amounts to in epsilon, rounded up; absent for an epsilon budget. */
  readonly equivalent?: { readonly delta: string; readonly epsilon: string };
  /** The promise in one sentence for the public README. */
  readonly statement: string;
  readonly otherwise: "other" | "drop";
  readonly nonNegative: boolean;
  readonly rehearsal: boolean;
  /** In the order of first use; `other` included where it is published. */
  readonly columns: readonly DeclaredColumn[];
  readonly tables: readonly NoisyTablePlan[];
}

export interface NoisyTablePlan {
  readonly name: string;
  readonly dimensions: readonly string[];
  /** rho or epsilon of this table. */
  readonly spent: string;
  /** sigmaSquared of discrete Gaussian noise, or scale of discrete Laplace noise, on each cell of the first block. */
  readonly noise: string;
  readonly figures: NoiseFigures;
  /** The first block holds the finest cells, which get the noise; the others are sums of its noisy counts. */
  readonly blocks: readonly NoisyBlockPlan[];
}

/** All combinations of the groups of certain columns at certain levels. */
export interface NoisyBlockPlan {
  /** [dimensions] level shown, or null where the block holds totals over the column. */
  readonly levels: readonly (number | null)[];
  /** Number of combinations, all of which are published. */
  readonly cells: number;
  /** Largest number of finest cells summed into one cell; the noise variance grows in proportion. */
  readonly summed: number;
  readonly standardDeviation: number;
}

/** Combinations that a release may publish; each is drawn, held and written. */
const MAX_CELLS = 20_000_000;
/** Noise of this size drowns any count of people, and keeps draws within 53 bits. */
const MAX_SCALE = rational(2n ** 32n);

/**
 * Decide the noise of every table. Nothing here depends on data: the plan may be shown to anyone.
 *
 * @throws PolicyError `dp/budget`, `noisy-counts/contribution-bound`, `noisy-counts/table`, `noisy-counts/groups`,
 *         `noisy-counts/too-many-cells`, `noisy-counts/too-much-noise`
 */
export function planNoisyCounts(request: NoisyCountsRequest): NoisyCountsPlan {
  const { mechanism, privacyUnit, maxRecordsPerContributor: m } = request;
  const otherwise = request.otherwise ?? "drop";
  if (!Number.isSafeInteger(m) || m < 1) {
    throw new PolicyError(
      "noisy-counts/contribution-bound",
      "maxRecordsPerContributor must be a whole number of records, 1 or more.",
    );
  }
  if (privacyUnit === "record" && m !== 1) {
    throw new PolicyError(
      "noisy-counts/contribution-bound",
      `maxRecordsPerContributor is ${m}, but with privacyUnit record each record stands alone. Set it to 1, or ` +
        "declare a contributor column.",
    );
  }
  if (request.tables.length === 0) throw tableError("No table is requested; name at least one.");
  const names = new Set(request.tables.map((table) => table.name));
  if (names.size !== request.tables.length) throw tableError("Two tables have the same name; give each its own.");

  const { total } = exactBudget(mechanism, request.budget);
  const parts = splitBudget(total, request.tables.map((table) => table.share));
  const columns = new Map<string, DeclaredColumn>();
  const offered = new Map(
    request.columns.map((declared) => [declared.column, otherwise === "other" ? withOther(declared) : declared]),
  );
  const tables = request.tables.map((table, i) => planTable(table, mechanism, parts[i]!, m, offered, columns));
  const cells = tables.flatMap((table) => table.blocks).reduce((sum, block) => sum + block.cells, 0);
  if (cells > MAX_CELLS) {
    throw new PolicyError(
      "noisy-counts/too-many-cells",
      `The tables have ${cells} combinations of declared groups, and all of them would be published; ` +
        `${MAX_CELLS} are supported. Use coarser levels, fewer dimensions or fewer margins.`,
      { cells },
    );
  }

  const measure = mechanism === "discrete-gaussian" ? "rho" : "epsilon";
  const spent = sumOf(tables.map((table) => spentBy(mechanism, parseFraction(table.noise), m)));
  if (compare(spent, total) > 0) throw new PolicyError("dp/budget", "The tables together spend more than the budget.");
  const equivalent = measure === "rho" ? equivalentEpsilon(spent, request.reportDelta ?? "1e-10") : undefined;
  const plan = {
    method: "noisy-counts" as const,
    mechanism,
    adjacency: privacyUnit === "record"
      ? ("add or remove one record" as const)
      : ("add or remove all records of one contributor" as const),
    privacyUnit,
    maxRecordsPerContributor: m,
    measure: measure as "rho" | "epsilon",
    budget: formatRational(total),
    spent: formatRational(spent),
    ...(equivalent === undefined ? {} : { equivalent }),
    otherwise,
    nonNegative: request.nonNegative ?? false,
    rehearsal: request.rehearsal ?? false,
    columns: [...columns.values()],
    tables,
  };
  return { ...plan, statement: statementOf(plan) };
}

/** rho or epsilon that one table with this noise spends; exact. */
export function spentBy(mechanism: Mechanism, noise: Rational, maxRecordsPerContributor: number): Rational {
  return mechanism === "discrete-gaussian"
    ? rhoOfSigmaSquared(noise, maxRecordsPerContributor)
    : epsilonOfScale(noise, maxRecordsPerContributor);
}

function planTable(
  table: NoisyTableRequest,
  mechanism: Mechanism,
  part: Rational,
  m: number,
  offered: ReadonlyMap<string, DeclaredColumn>,
  used: Map<string, DeclaredColumn>,
): NoisyTablePlan {
  const dimensions: { column: DeclaredColumn; levels: number[] }[] = table.dimensions.map((dimension) => {
    const name = typeof dimension === "string" ? dimension : dimension.column;
    const column = offered.get(name);
    if (column === undefined) {
      throw new PolicyError(
        "noisy-counts/groups",
        `Table ${table.name} counts by column ${name}, which has no declared groups. List them: groups taken ` +
          "from the data would tell who is in it.",
        { table: table.name, column: name },
      );
    }
    const asked = typeof dimension === "string" ? [0] : dimension.levels;
    const levels = asked === "all"
      ? column.levels.map(({ level }) => level)
      : [...new Set(asked)].sort((a, b) => a - b);
    const unknown = levels.filter((level) => column.levels[level] === undefined);
    if (levels.length === 0 || unknown.length > 0) {
      throw tableError(
        `Table ${table.name} asks for a level of column ${name} that is not there; it has levels 0 to ` +
          `${column.levels.length - 1}.`,
      );
    }
    used.set(name, column);
    return { column, levels };
  });
  const names = dimensions.map(({ column }) => column.column);
  if (new Set(names).size !== names.length) throw tableError(`Table ${table.name} names a dimension twice.`);

  const noise = mechanism === "discrete-gaussian" ? sigmaSquaredFor(part, m) : scaleFor(part, m);
  const limit = mechanism === "discrete-gaussian" ? multiply(MAX_SCALE, MAX_SCALE) : MAX_SCALE;
  if (compare(noise, limit) > 0) {
    throw new PolicyError(
      "noisy-counts/too-much-noise",
      `The budget leaves table ${table.name} with noise beyond four thousand million per count. Raise the ` +
        "budget, or publish fewer tables.",
      { table: table.name },
    );
  }
  const figures = noiseFigures(mechanism, noise);
  const finest = dimensions.map(({ levels }) => levels[0]!);
  const blocks = keptColumns(table, names).flatMap((kept) => {
    const choices = dimensions.map(({ levels }, d): readonly (number | null)[] => (kept[d] ? levels : [null]));
    return product(choices).map((levels): NoisyBlockPlan => {
      let cells = 1;
      let summed = 1;
      levels.forEach((level, d) => {
        const column = dimensions[d]!.column;
        cells *= level === null ? 1 : column.levels[level]!.groups.length;
        summed *= largestGroup(column, finest[d]!, level);
      });
      const standardDeviation = Number((figures.standardDeviation * Math.sqrt(summed)).toPrecision(6));
      return { levels, cells, summed, standardDeviation };
    });
  });
  const [spent, parameter] = [part, noise].map(formatRational) as [string, string];
  return { name: table.name, dimensions: names, spent, noise: parameter, figures, blocks };
}

/** Which columns each block keeps, the full table first; margins in the order asked, or by ever fewer columns. */
function keptColumns(table: NoisyTableRequest, names: readonly string[]): boolean[][] {
  const full = names.map(() => true);
  const margins = table.margins ?? "all";
  if (margins === "none") return [full];
  if (margins === "all") {
    if (names.length > 20) {
      throw tableError(
        `Table ${table.name} has ${names.length} dimensions; all its margins are too many. List those to publish.`,
      );
    }
    const subsets = product(names.map(() => [true, false] as const));
    return subsets
      .map((kept) => ({ kept: [...kept], size: kept.filter(Boolean).length }))
      .sort((a, b) => b.size - a.size) // stable: within one size in the order of the dimensions
      .map(({ kept }) => kept);
  }
  const seen = new Set<string>([full.join()]);
  const blocks = [full];
  for (const margin of margins) {
    const strange = margin.filter((column) => !names.includes(column));
    if (strange.length > 0) {
      throw tableError(
        `A margin of table ${table.name} keeps a column that is none of its dimensions: ${strange.join(", ")}.`,
      );
    }
    const kept = names.map((name) => margin.includes(name));
    if (!seen.has(kept.join())) blocks.push(kept);
    seen.add(kept.join());
  }
  return blocks;
}

/** Largest number of groups of the finest level that lie in one group of the coarser one; null is the total. */
function largestGroup(column: DeclaredColumn, finest: number, level: number | null): number {
  const fine = column.levels[finest]!;
  if (level === null) return fine.groups.length;
  const map = levelMap(column, finest, level);
  const count = new Uint32Array(column.levels[level]!.groups.length);
  let largest = 1;
  for (const group of map) if (group >= 0) largest = Math.max(largest, ++count[group]!);
  return largest;
}

/**
 * [groups of the finer level] position of each in the coarser level; -1 for a group that no level-0 group leads to.
 * Levels nest, so every level-0 group of a finer group agrees on it.
 * @throws PolicyError `noisy-counts/groups` when they do not
 */
export function levelMap(column: DeclaredColumn, finer: number, coarser: number): Int32Array {
  const from = column.levels[finer]!;
  const to = column.levels[coarser]!;
  const map = new Int32Array(from.groups.length).fill(-1);
  from.of.forEach((group, leaf) => {
    const above = to.of[leaf]!;
    if (map[group] !== -1 && map[group] !== above) {
      throw new PolicyError(
        "noisy-counts/groups",
        `Levels ${finer} and ${coarser} of column ${column.column} do not nest.`,
        { column: column.column },
      );
    }
    map[group] = above;
  });
  return map;
}

/** All ways to choose one entry of each list; the last list varies fastest. */
function product<T>(choices: readonly (readonly T[])[]): T[][] {
  return choices.reduce<T[][]>((ways, list) => ways.flatMap((way) => list.map((entry) => [...way, entry])), [[]]);
}

function equivalentEpsilon(rho: Rational, delta: string | number): { delta: string; epsilon: string } {
  try {
    return { delta: String(delta), epsilon: toDecimalUp(exactly(epsilonOfRho(rho, parseDecimal(delta))), 4) };
  } catch {
    throw new PolicyError(
      "dp/budget",
      "The delta at which epsilon is reported must be a decimal between 0 and 1, such as 1e-10.",
    );
  }
}

function statementOf(plan: Omit<NoisyCountsPlan, "statement">): string {
  const noise = plan.mechanism === "discrete-gaussian" ? "discrete Gaussian" : "discrete Laplace";
  const records = plan.maxRecordsPerContributor === 1 ? "one record" : `at most ${plan.maxRecordsPerContributor} records`;
  const unit = plan.privacyUnit === "record" ? "one record" : `one contributor, of whom ${records} counted`;
  const amount = shortest(parseFraction(plan.spent));
  const promise = plan.measure === "rho"
    ? `rho = ${amount} (zero-concentrated differential privacy), which implies ` +
      `epsilon = ${plan.equivalent!.epsilon} at delta = ${plan.equivalent!.delta}`
    : `epsilon = ${amount} (pure differential privacy)`;
  return (
    `Every count carries ${noise} noise. All tables of this release together spend ${promise}, ` +
    `for adding or removing ${unit}.`
  );
}

/** Plain decimal, rounded up at the sixth digit after the point where it does not end before. */
function shortest(value: Rational): string {
  const digits = compare(value, rational(1n, 1000n)) < 0 ? 60 : 6;
  const text = toDecimalUp(value, digits);
  return text.replace(/\.?0+$/, "");
}

/** Fractions of a plan, which we wrote; a plan that was edited by hand may hold anything. */
export function parseFraction(text: string): Rational {
  try {
    return parseRational(text);
  } catch {
    throw new PolicyError(
      "noisy-counts/plan",
      "The plan holds a noise or budget figure that is no fraction. Make the plan again from the policy.",
    );
  }
}

function tableError(message: string): PolicyError {
  return new PolicyError("noisy-counts/table", message);
}
