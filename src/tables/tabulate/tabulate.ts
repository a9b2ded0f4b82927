import type { Cells } from "../../cells/cells.ts";
import { byteOrderRanks, dictionaryText } from "../../columns/index.ts";
import { DataError, InternalError, PolicyError } from "../../errors/index.ts";
import { Growing } from "../../kernels/growing.ts";
import type { BoundHierarchy, BoundLevel } from "../../hierarchies/hierarchy.ts";
import { groupTuples } from "./group-tuples.ts";
import { expandMargins, FIRST_GROUPING, groupingLevels, publishedLevels, TOTAL, type DimensionSpec, type GroupingSpec, type TableSpec } from "./table-spec.ts";

/** Rows that a table may list; above it, cells without records are left out or the table is refused. */
export const LISTED_ROWS_LIMIT = 1_000_000;

export interface TabulateOptions {
  /**
   * "publish": a cell without records is a zero that everybody may know, so it is no unknown of the system.
   * "protect": zeros are hidden like small counts, so every combination of categories is an unknown.
   */
  readonly zeros: "publish" | "protect";
  /** Whether tables list the combinations without records. Default: list while a table has at most 1,000,000 rows, else refuse. */
  readonly emptyCells?: "list" | "omit";
}

/** What a place on a dimension of the system stands for. Place 0 is the total; then coarse levels before fine, by bytes, null last. */
export interface DimensionPlaces {
  readonly column: string;
  /** Published levels of the hierarchy over all tables, finest first. */
  readonly levels: readonly number[];
  readonly size: number;
  /** [places] level of the hierarchy, TOTAL at place 0. */
  readonly level: Int32Array;
  /** [places] code at that level, -1 for null and for the total. */
  readonly code: Int32Array;
  /**
   * [places] the place one published level up that holds this one; 0 (total) above the coarsest level, -1 at the total,
   * -2 at groups.
   */
  readonly parent: Int32Array;
  /** Groups, each the signed sum of places of the finest published level; their code numbers the labels of their grouping. */
  readonly groups: readonly GroupPlace[];
  /** By level number, from FIRST_GROUPING on. */
  readonly groupings: readonly { readonly level: number; readonly name: string; readonly labels: readonly string[] }[];
}

export interface GroupPlace {
  readonly place: number;
  readonly parts: readonly number[];
  /** Absent when every part is added. */
  readonly signs?: readonly (1 | -1)[] | undefined;
}

/** One table as it will be published: a row per cell. */
export interface PublishedTable {
  readonly name: string;
  readonly dimensions: readonly DimensionSpec[];
  /** [dimensions] index of the dimension among the system's columns. */
  readonly columnOf: readonly number[];
  readonly rows: number;
  /** [dimensions][rows] level of the row's category, TOTAL (-1) when summed over. */
  readonly level: readonly Int32Array[];
  /** [dimensions][rows] code at that level in the bound hierarchy, -1 for null (and for totals). */
  readonly codes: readonly Int32Array[];
  /** [rows] records. */
  readonly count: Float64Array;
  /** [rows] the system's cell, -1 for a zero that is published as known. */
  readonly cell: Int32Array;
}

/**
 * Everything that is published about the same records, in one linear system: cell c is the sum of the inner cells
 * rows[starts[c] .. starts[c + 1]). A cell that several tables publish is there once.
 */
export interface TableSystem {
  readonly columns: readonly DimensionPlaces[];
  /** Distinct margins over all columns: [margins][columns] level or TOTAL. */
  readonly margins: readonly (readonly number[])[];
  /** [margins + 1] the cells of each margin. */
  readonly marginStarts: Int32Array;
  readonly cells: number;
  /** [columns][cells] place of the cell on each dimension. */
  readonly places: readonly Int32Array[];
  /** [cells] records. */
  readonly count: Float64Array;
  /** Number of inner cells: the finest combinations that the tables can tell apart. */
  readonly inner: number;
  /** [inner] records. */
  readonly innerCount: Float64Array;
  /** [cells + 1] and [entries]: the model matrix, column by column; rows ascend within a cell. */
  readonly starts: Int32Array;
  readonly rows: Int32Array;
  /** [entries] 1 or -1; absent when every entry is 1. */
  readonly signs?: Int8Array | undefined;
  readonly zeros: "publish" | "protect";
  readonly tables: readonly PublishedTable[];
  /** [cells given to `tabulate`] inner cell of each, -1 for cells without records. */
  readonly innerOf: Int32Array;
}

/**
 * What any amount adds up to in the published cells.
 * @param amount [inner] whole numbers, so that the sums are exact
 * @returns [cells]
 */
export function sumOverInner(system: Pick<TableSystem, "cells" | "starts" | "rows" | "signs">, amount: Float64Array): Float64Array {
  const { cells, starts, rows, signs } = system;
  const sums = new Float64Array(cells);
  for (let c = 0; c < cells; c++) {
    let sum = 0;
    for (let at = starts[c]!; at < starts[c + 1]!; at++) sum += signs === undefined ? amount[rows[at]!]! : signs[at]! * amount[rows[at]!]!;
    sums[c] = sum;
  }
  return sums;
}

/** Text of a category: null for missing values and for totals. */
export function placeLabel(
  column: Pick<DimensionPlaces, "groupings">, hierarchy: Pick<BoundHierarchy, "levels">, level: number, code: number,
): string | null {
  if (level === TOTAL || code < 0) return null;
  const grouping = column.groupings.find((candidate) => candidate.level === level);
  return grouping === undefined ? dictionaryText(hierarchy.levels[level]!.dictionary, code) : grouping.labels[code]!;
}

/**
 * Build published tables and the system that links them from cells over their dimension columns.
 * The result depends on the values alone: neither the order of records nor the codes' order shows in it.
 *
 * @param cells       fine cells whose keys hold every dimension column; other keys are summed over
 * @param hierarchies bound hierarchy of each dimension column (level 0 alone will do)
 *
 * @throws PolicyError `tabulate/unknown-column`, `tabulate/unknown-level`, `tabulate/too-many-rows`, and those of expandMargins
 * Time O(margins x columns x inner), memory O(margins x inner); zeros published as known take rows of output only.
 */
export function tabulate(
  cells: Cells,
  hierarchies: ReadonlyMap<string, Pick<BoundHierarchy, "levels">>,
  specs: readonly TableSpec[],
  options: TabulateOptions,
): TableSystem {
  const columnNames = [...new Set(specs.flatMap((spec) => spec.dimensions.map((dimension) => dimension.column)))].sort();
  const axes = columnNames.map((column) => bindAxis(column, cells, hierarchies, specs));
  const inner = innerCells(cells, axes, options.zeros);

  const tableMargins = specs.map((spec) => expandMargins(spec, specs));
  const margins = distinctMargins(specs, tableMargins, columnNames);

  // One pass a margin: equal places make a cell, and the sort that finds them lists its inner cells in ascending order.
  const starts = new Growing(Int32Array);
  starts.room(1)[starts.length++] = 0;
  const marginStarts = new Int32Array(margins.length + 1);
  const nested = margins.every((margin) => margin.every((level) => level < FIRST_GROUPING));
  if (nested && margins.length * inner.size > 2 ** 31 - 1) throw tooManyEntries(margins.length * inner.size);
  const rows = new Growing(Int32Array, nested ? margins.length * inner.size : undefined);
  const signs = nested ? undefined : new Growing(Int32Array);
  let anySign = false;
  const placeLists = axes.map(() => new Growing(Int32Array));
  for (let m = 0; m < margins.length; m++) {
    const { kept, placed, rows: own, signs: ownSigns } = membersOf(margins[m]!, axes, inner);
    const { order, starts: groupStarts } = groupTuples(placed, kept.map((k) => axes[k]!.places.size), own.length);
    const from = rows.length;
    const outRows = rows.room(own.length);
    for (let at = 0; at < own.length; at++) outRows[from + at] = own[order[at]!]!;
    rows.length += own.length;
    if (signs !== undefined) {
      anySign ||= ownSigns !== undefined;
      const outSigns = signs.room(own.length);
      for (let at = 0; at < own.length; at++) outSigns[from + at] = ownSigns === undefined ? 1 : ownSigns[order[at]!]!;
      signs.length += own.length;
    }
    const groups = groupStarts.length - 1;
    const outStarts = starts.room(groups);
    for (let g = 0; g < groups; g++) outStarts[starts.length + g] = from + groupStarts[g + 1]!;
    starts.length += groups;
    for (let k = 0; k < axes.length; k++) {
      const list = placeLists[k]!;
      const out = list.room(groups);
      const at = kept.indexOf(k);
      if (at < 0) out.fill(0, list.length, list.length + groups);
      else for (let g = 0; g < groups; g++) out[list.length + g] = placed[at]![order[groupStarts[g]!]!]!;
      list.length += groups;
    }
    marginStarts[m + 1] = starts.length - 1;
  }

  const matrix = { cells: starts.length - 1, starts: starts.finish(), rows: rows.finish(), signs: anySign ? Int8Array.from(signs!.finish()) : undefined };
  const system: Omit<TableSystem, "tables"> = {
    columns: axes.map((axis) => axis.places),
    margins,
    marginStarts,
    ...matrix,
    places: placeLists.map((list) => list.finish()),
    count: sumOverInner(matrix, inner.count),
    inner: inner.size,
    innerCount: inner.count,
    zeros: options.zeros,
    innerOf: inner.ofCell,
  };
  const tables = specs.map((spec, t) => publishedTable(spec, tableMargins[t]!, system, columnNames, options.emptyCells));
  return { ...system, tables };
}

/** Which inner cells make up the cells of one margin, before they are grouped. */
interface Members {
  /** Columns that the margin keeps. */
  readonly kept: readonly number[];
  /** [kept][entries] place. */
  readonly placed: readonly Int32Array[];
  /** [entries] inner cell. */
  readonly rows: Int32Array;
  readonly signs?: Int8Array | undefined;
}

function membersOf(margin: readonly number[], axes: readonly Axis[], inner: InnerCells): Members {
  const kept = axes.flatMap((_, k) => (margin[k] === TOTAL ? [] : [k]));
  const groupings = kept.map((k) => axes[k]!.groupsOfBase.get(margin[k]!));
  if (groupings.every((grouping) => grouping === undefined)) {
    const placed = kept.map((k) => {
      const placeOf = axes[k]!.placeOfBase.get(margin[k]!)!;
      const base = inner.base[k]!;
      const own = new Int32Array(inner.size);
      for (let i = 0; i < own.length; i++) own[i] = placeOf[base[i]!]!;
      return own;
    });
    return { kept, placed, rows: inner.each };
  }
  // A category may be in several groups of a grouping, or in none, so an inner cell gives any number of entries.
  const placed = kept.map((): number[] => []);
  const rows: number[] = [];
  const signs: number[] = [];
  const tuple: number[] = [];
  const descend = (i: number, d: number, sign: number): void => {
    if (d === kept.length) {
      tuple.forEach((place, k) => placed[k]!.push(place));
      rows.push(i);
      signs.push(sign);
      return;
    }
    const axis = axes[kept[d]!]!;
    const base = inner.base[kept[d]!]![i]!;
    const groups = groupings[d];
    if (groups === undefined) {
      tuple[d] = axis.placeOfBase.get(margin[kept[d]!]!)![base]!;
      descend(i, d + 1, sign);
      return;
    }
    for (const [place, ownSign] of groups[base]!) {
      tuple[d] = place;
      descend(i, d + 1, sign * ownSign);
    }
  };
  for (let i = 0; i < inner.size; i++) descend(i, 0, 1);
  return {
    kept,
    placed: placed.map((list) => Int32Array.from(list)),
    rows: Int32Array.from(rows),
    ...(signs.includes(-1) ? { signs: Int8Array.from(signs) } : {}),
  };
}

/** A dimension column bound to its codes. */
interface Axis {
  readonly places: DimensionPlaces;
  /** Cells' key that holds the leaf codes. */
  readonly key: number;
  /** [leaf codes + 1] base category of leaf code + 1 (0 is null), -1 where the code does not occur. */
  readonly baseOfLeaf: Int32Array;
  readonly baseSize: number;
  /** level -> [base categories] place. */
  readonly placeOfBase: ReadonlyMap<number, Int32Array>;
  /** grouping's level -> [base categories] places of the groups it is in, with sign. */
  readonly groupsOfBase: ReadonlyMap<number, readonly (readonly (readonly [place: number, sign: 1 | -1])[])[]>;
}

function bindAxis(
  column: string,
  cells: Cells,
  hierarchies: ReadonlyMap<string, Pick<BoundHierarchy, "levels">>,
  specs: readonly TableSpec[],
): Axis {
  const key = cells.keys.indexOf(column);
  const bound = hierarchies.get(column)?.levels;
  if (key < 0 || bound === undefined) {
    throw new PolicyError(
      "tabulate/unknown-column",
      `Dimension ${column} is not among the key columns that were counted. Give it a role and a type under columns.`,
      { column },
    );
  }
  const levels = [
    ...new Set(specs.flatMap((spec) => spec.dimensions.filter((d) => d.column === column).flatMap(publishedLevels))),
  ].sort((a, b) => a - b);
  const beyond = levels.find((level) => !Number.isInteger(level) || level < 0 || level >= bound.length);
  if (levels.length === 0 || beyond !== undefined) {
    throw new PolicyError(
      "tabulate/unknown-level",
      `Dimension ${column} publishes level ${beyond ?? "(none)"}; its hierarchy has levels 0 to ${bound.length - 1}.`,
      { column, levels: bound.length },
    );
  }

  // Categories in byte order, null last: codes of level 0 come in order of first sight, which must not show.
  const finest = bound[levels[0]!]!;
  const occurs = new Uint8Array(finest.dictionary.size + 1);
  const leafCodes = cells.codes[key]!;
  for (let c = 0; c < cells.size; c++) {
    const leaf = leafCodes[c]!;
    const code = leaf < 0 ? -1 : finest.map[leaf]!;
    occurs[code < 0 ? finest.dictionary.size : code] = 1;
  }
  const occurring = categoriesInOrder(finest, occurs);
  const baseOfCode = new Int32Array(finest.dictionary.size + 1).fill(-1);
  occurring.forEach((code, base) => (baseOfCode[code < 0 ? finest.dictionary.size : code] = base));
  const baseOfLeaf = new Int32Array(finest.map.length + 1).fill(-1);
  baseOfLeaf[0] = baseOfCode[finest.dictionary.size]!;
  for (let leaf = 0; leaf < finest.map.length; leaf++) {
    const code = finest.map[leaf]!;
    baseOfLeaf[leaf + 1] = baseOfCode[code < 0 ? finest.dictionary.size : code]!;
  }

  // A representative leaf of each base category gives its category at every coarser level, because levels nest.
  const leafOfBase = new Int32Array(occurring.length).fill(-1);
  for (let leaf = finest.map.length - 1; leaf >= 0; leaf--) {
    const base = baseOfLeaf[leaf + 1]!;
    if (base >= 0) leafOfBase[base] = leaf;
  }
  const level: number[] = [TOTAL];
  const code: number[] = [-1];
  const parent: number[] = [-1];
  const placeOfBase = new Map<number, Int32Array>();
  let above: Int32Array | undefined;
  for (const own of [...levels].reverse()) {
    const bindings = bound[own]!;
    const codeOfBase = leafOfBase.map((leaf, base) => (occurring[base]! < 0 || leaf < 0 ? -1 : bindings.map[leaf]!));
    const here = new Uint8Array(bindings.dictionary.size + 1);
    for (const c of codeOfBase) here[c < 0 ? bindings.dictionary.size : c] = 1;
    const placeOfCode = new Int32Array(bindings.dictionary.size + 1).fill(-1);
    for (const c of categoriesInOrder(bindings, here)) {
      placeOfCode[c < 0 ? bindings.dictionary.size : c] = level.length;
      level.push(own);
      code.push(c);
      parent.push(0);
    }
    const places = codeOfBase.map((c) => placeOfCode[c < 0 ? bindings.dictionary.size : c]!);
    if (above !== undefined) {
      for (let base = 0; base < places.length; base++) {
        const place = places[base]!;
        if (parent[place] !== 0 && parent[place] !== above[base]) {
          throw new InternalError("tabulate/not-nested", `The levels of ${column} do not nest.`, { column });
        }
        parent[place] = above[base]!;
      }
    }
    placeOfBase.set(own, places);
    above = places;
  }

  const groups: GroupPlace[] = [];
  const groupings: { level: number; name: string; labels: string[] }[] = [];
  const groupsOfBase = new Map<number, [number, 1 | -1][][]>();
  const basePlace = placeOfBase.get(levels[0]!)!;
  const baseOfText = new Map(occurring.map((own, base) => [own < 0 ? null : dictionaryText(finest.dictionary, own), base]));
  for (const [name, own] of groupingLevels(column, specs)) {
    const spec = groupingNamed(column, name, specs);
    const ofBase = occurring.map((): [number, 1 | -1][] => []);
    for (const [g, { plus, minus = [] }] of spec.groups.entries()) {
      const place = level.length;
      const parts: number[] = [];
      const signs: (1 | -1)[] = [];
      // A category that is added and taken away is not in the group at all.
      const net = new Map<number, 1 | -1 | 0>();
      for (const [texts, sign] of [[plus, 1], [minus, -1]] as const) {
        for (const text of new Set(texts)) {
          const base = baseOfText.get(text);
          if (base === undefined) throw notInData(column, name, text);
          net.set(base, net.has(base) ? 0 : sign);
        }
      }
      for (const [base, sign] of net) {
        if (sign === 0) continue;
        ofBase[base]!.push([place, sign]);
        parts.push(basePlace[base]!);
        signs.push(sign);
      }
      level.push(own);
      code.push(g);
      parent.push(-2);
      groups.push({ place, parts, ...(signs.includes(-1) ? { signs } : {}) });
    }
    groupsOfBase.set(own, ofBase);
    groupings.push({ level: own, name, labels: spec.groups.map(({ label }) => label) });
  }
  return {
    places: {
      column,
      levels,
      size: level.length,
      level: Int32Array.from(level),
      code: Int32Array.from(code),
      parent: Int32Array.from(parent),
      groups,
      groupings,
    },
    key,
    baseOfLeaf,
    baseSize: occurring.length,
    placeOfBase,
    groupsOfBase,
  };
}

/** The text comes from the policy. A typo that silently adds nothing would be a wrong total. */
function notInData(column: string, grouping: string, text: string | null): DataError {
  return new DataError(
    "tabulate/unknown-category",
    `Grouping ${grouping} of ${column} lists ${text === null ? "missing values" : JSON.stringify(text)}, which no record has at the finest ` +
      "published level. Correct the spelling, or take it out of the group.",
    { column, grouping },
  );
}

function groupingNamed(column: string, name: string, specs: readonly TableSpec[]): GroupingSpec {
  for (const spec of specs) {
    for (const dimension of spec.dimensions) {
      const found = dimension.column === column ? dimension.groupings?.find((grouping) => grouping.name === name) : undefined;
      if (found !== undefined) return found;
    }
  }
  throw new InternalError("tabulate/no-grouping", `Column ${column} has no grouping of that name.`, { column });
}

/** Codes marked in `occurs` (last entry: null) in byte order, null (-1) last. */
function categoriesInOrder(level: BoundLevel, occurs: Uint8Array): number[] {
  const ranks = byteOrderRanks(level.dictionary);
  const codes: number[] = [];
  for (let code = 0; code < level.dictionary.size; code++) if (occurs[code] === 1) codes.push(code);
  codes.sort((a, b) => ranks[a]! - ranks[b]!);
  if (occurs[level.dictionary.size] === 1) codes.push(-1);
  return codes;
}

interface InnerCells {
  readonly size: number;
  /** [columns][inner] base category. */
  readonly base: readonly Int32Array[];
  readonly count: Float64Array;
  /** [fine cells] inner cell, -1 for those without records. */
  readonly ofCell: Int32Array;
  /** [inner] 0, 1, 2, .. */
  readonly each: Int32Array;
}

function upTo(size: number): Int32Array {
  const each = new Int32Array(size);
  for (let i = 0; i < size; i++) each[i] = i;
  return each;
}

function innerCells(cells: Cells, axes: readonly Axis[], zeros: "publish" | "protect"): InnerCells {
  const occupied: number[] = [];
  for (let c = 0; c < cells.size; c++) if (cells.records[c]! > 0) occupied.push(c);
  const fine = axes.map((axis) => {
    const codes = cells.codes[axis.key]!;
    return Int32Array.from(occupied, (c) => axis.baseOfLeaf[codes[c]! + 1]!);
  });
  const sizes = axes.map((axis) => axis.baseSize);
  const groups = groupTuples(fine, sizes, occupied.length);
  const size = groups.starts.length - 1;
  const base = fine.map((codes) => Int32Array.from({ length: size }, (_, g) => codes[groups.order[groups.starts[g]!]!]!));
  const count = new Float64Array(size);
  const ofCell = new Int32Array(cells.size).fill(-1);
  for (let g = 0; g < size; g++) {
    for (let at = groups.starts[g]!; at < groups.starts[g + 1]!; at++) {
      const cell = occupied[groups.order[at]!]!;
      ofCell[cell] = g;
      count[g]! += cells.records[cell]!;
    }
  }
  if (zeros === "publish") return { size, base, count, ofCell, each: upTo(size) };

  // Zeros are secret: every combination is an unknown, in the same lexicographic order.
  const product = sizes.reduce((all, n) => all * n, 1);
  if (product > LISTED_ROWS_LIMIT) throw tooManyRows("the tables together", product);
  const full = sizes.map(() => new Int32Array(product));
  const fullCount = new Float64Array(product);
  for (let i = 0; i < product; i++) {
    let rest = i;
    for (let k = sizes.length - 1; k >= 0; k--) {
      full[k]![i] = rest % sizes[k]!;
      rest = Math.floor(rest / sizes[k]!);
    }
  }
  const fullOf = new Int32Array(size);
  for (let g = 0; g < size; g++) {
    let at = 0;
    for (let k = 0; k < sizes.length; k++) at = at * sizes[k]! + base[k]![g]!;
    fullCount[at] = count[g]!;
    fullOf[g] = at;
  }
  return { size: product, base: full, count: fullCount, ofCell: ofCell.map((g) => (g < 0 ? -1 : fullOf[g]!)), each: upTo(product) };
}

function distinctMargins(
  specs: readonly TableSpec[],
  tableMargins: readonly (readonly (readonly number[])[])[],
  columnNames: readonly string[],
): number[][] {
  const distinct = new Map<string, number[]>();
  specs.forEach((spec, t) => {
    for (const margin of tableMargins[t]!) {
      const wide = columnNames.map((column) => {
        const d = spec.dimensions.findIndex((dimension) => dimension.column === column);
        return d < 0 ? TOTAL : margin[d]!;
      });
      distinct.set(wide.join(), wide);
    }
  });
  const rank = (level: number) => (level === TOTAL ? -1e9 : -level);
  return [...distinct.values()].sort((a, b) => {
    for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return rank(a[k]!) - rank(b[k]!);
    return 0;
  });
}

function publishedTable(
  spec: TableSpec,
  margins: readonly (readonly number[])[],
  system: Omit<TableSystem, "tables">,
  columnNames: readonly string[],
  emptyCells: "list" | "omit" | undefined,
): PublishedTable {
  const columnOf = spec.dimensions.map((dimension) => columnNames.indexOf(dimension.column));
  const marginIndex = new Map(system.margins.map((margin, m) => [margin.join(), m]));
  const parts = margins.map((margin) => {
    const wide = columnNames.map(() => TOTAL as number);
    margin.forEach((level, d) => (wide[columnOf[d]!] = level));
    const m = marginIndex.get(wide.join())!;
    // Places of one level are consecutive.
    const ranges = columnOf.map((k, d) => placesOfLevel(system.columns[k]!, margin[d]!));
    const product = ranges.reduce((all, range) => all * (range.to - range.from), 1);
    return { from: system.marginStarts[m]!, to: system.marginStarts[m + 1]!, ranges, product };
  });
  const listed = parts.reduce((all, part) => all + part.product, 0);
  if (listed > LISTED_ROWS_LIMIT && emptyCells === undefined) throw tooManyRows(`table ${spec.name}`, listed);
  const list = emptyCells !== "omit";
  const rows = list ? listed : parts.reduce((all, part) => all + part.to - part.from, 0);

  if (!list) return occupiedRows(spec, parts, rows, system, columnOf);
  const level = spec.dimensions.map(() => new Int32Array(rows));
  const codes = spec.dimensions.map(() => new Int32Array(rows));
  const count = new Float64Array(rows);
  const cell = new Int32Array(rows).fill(-1);
  let row = 0;
  for (const { from, to, ranges, product } of parts) {
    const put = (places: readonly number[], c: number) => {
      places.forEach((place, d) => {
        const dimension = system.columns[columnOf[d]!]!;
        level[d]![row] = dimension.level[place]!;
        codes[d]![row] = dimension.code[place]!;
      });
      if (c >= 0) count[row] = system.count[c]!;
      cell[row++] = c;
    };
    // The system sorts by its own column order, the table by its dimensions, so cells are found by their mixed-radix number.
    const cellAt = new Map<number, number>();
    for (let c = from; c < to; c++) {
      let at = 0;
      ranges.forEach((range, d) => (at = at * (range.to - range.from) + system.places[columnOf[d]!]![c]! - range.from));
      cellAt.set(at, c);
    }
    const places = ranges.map((range) => range.from);
    for (let at = 0; at < product; at++) {
      put(places, cellAt.get(at) ?? -1);
      for (let d = places.length - 1; d >= 0; d--) {
        if (++places[d]! < ranges[d]!.to) break;
        places[d] = ranges[d]!.from;
      }
    }
  }
  return { name: spec.name, dimensions: spec.dimensions, columnOf, rows, level, codes, count, cell };
}

/** Rows for the cells with records, one after the other. What each row stands for is looked up when asked for: it is long. */
function occupiedRows(
  { name, dimensions }: TableSpec, parts: readonly { readonly from: number; readonly to: number }[], rows: number,
  system: Omit<TableSystem, "tables">, columnOf: readonly number[],
): PublishedTable {
  const count = new Float64Array(rows);
  const cell = new Int32Array(rows);
  let row = 0;
  for (const { from, to } of parts) {
    count.set(system.count.subarray(from, to), row);
    for (let c = from; c < to; c++) cell[row++] = c;
  }
  const lookUp = (of: "level" | "code"): Int32Array[] =>
    columnOf.map((k) => {
      const places = system.places[k]!;
      const values = system.columns[k]![of];
      const found = new Int32Array(rows);
      for (let r = 0; r < rows; r++) found[r] = values[places[cell[r]!]!]!;
      return found;
    });
  let level: Int32Array[] | undefined;
  let codes: Int32Array[] | undefined;
  return {
    name, dimensions, columnOf, rows, count, cell,
    get level() {
      return (level ??= lookUp("level"));
    },
    get codes() {
      return (codes ??= lookUp("code"));
    },
  };
}

function tooManyEntries(entries: number): PolicyError {
  return new PolicyError(
    "tabulate/too-many-entries",
    `The margins times the combinations that occur are ${entries}, more than ${2 ** 31 - 1} can be held. Publish fewer margins or coarser levels.`,
    { entries },
  );
}

function placesOfLevel(dimension: DimensionPlaces, level: number): { from: number; to: number } {
  let from = 0;
  while (from < dimension.size && dimension.level[from] !== level) from++;
  let to = from;
  while (to < dimension.size && dimension.level[to] === level) to++;
  return { from, to };
}

function tooManyRows(what: string, rows: number): PolicyError {
  return new PolicyError(
    "tabulate/too-many-rows",
    `With every combination of categories ${what} would list ${rows} rows; at most ${LISTED_ROWS_LIMIT} are listed. ` +
      "Publish fewer margins or coarser levels, or leave out the rows without records (emptyCells: omit, with zeros: publish and secondary: moves).",
    { rows, limit: LISTED_ROWS_LIMIT },
  );
}
