import type { Cells } from "../../cells/cells.ts";
import type { Dictionary } from "../../columns/index.ts";
import { DisclosureError, InternalError } from "../../errors/index.ts";
import { compare } from "../../kernels/rational.ts";
import {
  discreteGaussian, discreteLaplace, uniformInts, type IntegerSampler, type RandomBits, type UniformInts,
} from "../../random/index.ts";
import { sumOf } from "../accounting/index.ts";
import { groupOfCode, OTHER } from "./groups.ts";
import {
  levelMap, parseFraction, spentBy, type NoisyBlockPlan, type NoisyCountsPlan, type NoisyTablePlan,
} from "./plan.ts";

/** Counts over the keys, of records that a contribution bound has already been applied to. */
export interface BoundedCounts {
  /** Keys at level 0: all columns of the plan's tables, in any order, and possibly more. */
  readonly cells: Cells;
  /** [keys] dictionary of each key's codes. */
  readonly dictionaries: readonly Dictionary[];
  /** No contributor has more records than this in `cells`. */
  readonly maxRecordsPerContributor: number;
}

export interface NoisyTable {
  readonly name: string;
  /** In the order of the plan. */
  readonly blocks: readonly NoisyBlock[];
}

/** One row for each declared combination, in declared order with the last column fastest; never in data order. */
export interface NoisyBlock {
  /** Columns shown and their levels. */
  readonly columns: readonly { readonly column: string; readonly level: number; readonly groups: readonly string[] }[];
  /** [columns][rows] position in `groups`. */
  readonly codes: readonly Int32Array[];
  /** [rows] noisy count, a safe integer; negative ones stay unless the plan says otherwise. */
  readonly count: Float64Array;
}

export interface ProtectedNoisyCounts {
  /** True when the noise can be repeated from a seed. Such tables must never be published. */
  readonly rehearsal: boolean;
  readonly statement: string;
  readonly tables: readonly NoisyTable[];
  /** Exact figures, for internal evidence only: they are not covered by the promise. */
  readonly internal: readonly {
    readonly table: string;
    readonly recordsInOther: number;
    readonly recordsDropped: number;
  }[];
}

const LARGEST = Number.MAX_SAFE_INTEGER;

/**
 * Carry out a plan: one noisy count for every declared combination, whether or not a record falls there, and margins as
 * sums of the noisy counts. Nothing that the records hold can make this fail, and nothing but the counts depends on them.
 *
 * Time O(cells + declared combinations), memory 8 bytes and the codes per combination.
 *
 * @throws DisclosureError `noisy-counts/seeded-bits` for seeded bits under a plan that is no rehearsal,
 *         `noisy-counts/contribution-bound` when the records are bounded less strictly than planned,
 *         `noisy-counts/overspent` when the plan's noise spends more than its budget (it was edited)
 * @throws InternalError `noisy-counts/missing-key` when the cells lack a column of the plan
 */
export function protectNoisyCounts(counts: BoundedCounts, plan: NoisyCountsPlan, bits: RandomBits): ProtectedNoisyCounts {
  if (!bits.secure && !plan.rehearsal) {
    throw new DisclosureError(
      "noisy-counts/seeded-bits",
      "The plan is for publication but the noise would come from a seed, with which it can be taken off again. " +
        "Use secure bits, or plan a rehearsal.",
    );
  }
  if (!(counts.maxRecordsPerContributor <= plan.maxRecordsPerContributor)) {
    throw new DisclosureError(
      "noisy-counts/contribution-bound",
      `The counts hold up to ${counts.maxRecordsPerContributor} records of one contributor; the noise is planned for ` +
        `${plan.maxRecordsPerContributor}. Bound the contributions as planned, or plan again.`,
      { found: counts.maxRecordsPerContributor, planned: plan.maxRecordsPerContributor },
    );
  }
  const noises = plan.tables.map((table) => parseFraction(table.noise));
  if (noises.some((noise) => noise.numerator <= 0n)) throw overspent();
  const spent = sumOf(noises.map((noise) => spentBy(plan.mechanism, noise, plan.maxRecordsPerContributor)));
  if (compare(spent, parseFraction(plan.budget)) > 0) throw overspent();

  const ints = uniformInts(bits);
  const internal: { table: string; recordsInOther: number; recordsDropped: number }[] = [];
  const tables = plan.tables.map((table, i) => {
    const exact = countDeclared(counts, plan, table);
    internal.push({ table: table.name, recordsInOther: exact.recordsInOther, recordsDropped: exact.recordsDropped });
    const noise = noises[i]!;
    const draw = plan.mechanism === "discrete-gaussian" ? discreteGaussian(noise) : discreteLaplace(noise);
    addNoise(exact.count, draw, ints);
    const blocks = table.blocks.map((block) => noisyBlock(exact.count, plan, table, block));
    return { name: table.name, blocks };
  });
  return { rehearsal: plan.rehearsal || !bits.secure, statement: plan.statement, tables, internal };
}

/** Records of every combination of the table's finest groups; null and undeclared values go where the plan says. */
function countDeclared(
  { cells, dictionaries }: BoundedCounts,
  plan: NoisyCountsPlan,
  table: NoisyTablePlan,
): { count: Float64Array; recordsInOther: number; recordsDropped: number } {
  const finest = table.blocks[0]!;
  const dimensions = table.dimensions.map((name, d) => {
    const key = cells.keys.indexOf(name);
    if (key < 0) {
      throw new InternalError(
        "noisy-counts/missing-key",
        `The cells have no key ${name}, which table ${table.name} counts by.`,
      );
    }
    const column = plan.columns.find((declared) => declared.column === name)!;
    const leaf = column.levels[0]!.groups;
    const other = plan.otherwise === "other" ? leaf.indexOf(OTHER) : -1;
    const level = column.levels[finest.levels[d]!]!;
    // Straight from code to group of the table's finest level; the last entry stands for null.
    const groupOf = groupOfCode(dictionaries[key]!, leaf, other);
    const map = new Int32Array(groupOf.length + 1);
    const elsewhere = new Uint8Array(map.length);
    for (let code = 0; code < map.length; code++) {
      const group = code < groupOf.length ? groupOf[code]! : other;
      map[code] = group < 0 ? -1 : level.of[group]!;
      elsewhere[code] = group === other ? 1 : 0;
    }
    return { codes: cells.codes[key]!, map, elsewhere, groups: level.groups.length };
  });

  const count = new Float64Array(finest.cells);
  let recordsInOther = 0;
  let recordsDropped = 0;
  for (let c = 0; c < cells.size; c++) {
    const records = cells.records[c]!;
    let row = 0;
    let inOther = 0;
    for (const { codes, map, elsewhere, groups } of dimensions) {
      const code = codes[c]! < 0 ? map.length - 1 : codes[c]!;
      const group = map[code]!;
      row = group < 0 || row < 0 ? -1 : row * groups + group;
      inOther |= elsewhere[code]!;
    }
    if (row < 0) recordsDropped += records;
    else {
      count[row]! += records;
      if (inOther === 1) recordsInOther += records;
    }
  }
  return { count, recordsInOther, recordsDropped };
}

/**
 * Counts and noise are integers below 2^53, so a sum within that range is exact; a larger one is cut to the range. The cut
 * sees the sum only, so it takes nothing from the promise.
 */
function addNoise(count: Float64Array, draw: IntegerSampler, ints: UniformInts): void {
  for (let row = 0; row < count.length; row++) count[row] = clamp(count[row]! + draw(ints));
}

function clamp(value: number): number {
  return value > LARGEST ? LARGEST : value < -LARGEST ? -LARGEST : value;
}

/**
 * Sum the finest noisy counts into one block. Margins come from counts before they are raised to 0, so they stay
 * unbiased.
 */
function noisyBlock(
  finestCount: Float64Array,
  plan: NoisyCountsPlan,
  table: NoisyTablePlan,
  block: NoisyBlockPlan,
): NoisyBlock {
  const finest = table.blocks[0]!;
  const dimensions = table.dimensions.map((name, d) => {
    const column = plan.columns.find((declared) => declared.column === name)!;
    const from = finest.levels[d]!;
    const to = block.levels[d]!;
    const fine = column.levels[from]!.groups.length;
    const map = to === null ? new Int32Array(fine) : levelMap(column, from, to);
    return { name, level: to, groups: to === null ? [] : column.levels[to]!.groups, fine, map };
  });

  const count = new Float64Array(block.cells);
  const groupAt = new Int32Array(dimensions.length);
  for (let row = 0; row < finestCount.length; row++) {
    let into = 0;
    for (let d = 0; d < dimensions.length; d++) {
      const { map, groups } = dimensions[d]!;
      into = into * Math.max(1, groups.length) + map[groupAt[d]!]!;
    }
    count[into] = clamp(count[into]! + finestCount[row]!);
    for (let d = dimensions.length - 1; d >= 0; d--) {
      groupAt[d]!++;
      if (groupAt[d]! < dimensions[d]!.fine) break;
      groupAt[d] = 0;
    }
  }
  for (let row = 0; row < count.length; row++) {
    if (Object.is(count[row], -0) || (plan.nonNegative && count[row]! < 0)) count[row] = 0;
  }

  const shown = dimensions.filter(({ level }) => level !== null);
  const codes = shown.map(() => new Int32Array(block.cells));
  let every = block.cells;
  shown.forEach(({ groups }, d) => {
    every /= groups.length;
    for (let row = 0; row < block.cells; row++) codes[d]![row] = Math.floor(row / every) % groups.length;
  });
  return { columns: shown.map(({ name, level, groups }) => ({ column: name, level: level!, groups })), codes, count };
}

function overspent(): DisclosureError {
  return new DisclosureError(
    "noisy-counts/overspent",
    "The noise in the plan spends more than the plan's budget. Make the plan again from the policy; plans are " +
      "not edited by hand.",
  );
}
