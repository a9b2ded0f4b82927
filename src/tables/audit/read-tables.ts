import type { CodeColumn } from "../../columns/index.ts";
import { dictionaryText } from "../../columns/index.ts";
import { DataError } from "../../errors/index.ts";
import type { BoundHierarchy } from "../../hierarchies/hierarchy.ts";
import { HIDDEN, HIDDEN_COMPLEMENTARY, SHOWN, type AuditColumn, type AuditInput, type AuditTable } from "./published.ts";

/** A published table as it was read back. */
export interface PublishedFile {
  readonly name: string;
  readonly rows: number;
  readonly dimensions: readonly {
    readonly column: string;
    /** Levels of its hierarchy that are published; default [0]. */
    readonly levels?: readonly number[];
    readonly categories: CodeColumn;
    /** Level of each row ("total" or the level's number); needed where several levels are published. */
    readonly level?: CodeColumn;
  }[];
  /** [rows] NaN where blank. */
  readonly count: Float64Array;
  /** [rows] 0 shown, 1 suppressed, 2 suppressed to protect another. */
  readonly annotation: Float64Array;
}

export interface ReadOptions {
  readonly threshold: number;
  readonly zeros: "publish" | "protect";
  readonly codes: "merged" | "separate";
  /** Default "Total". */
  readonly totalLabel?: string;
}

/**
 * Turn files into what the audit works on. Which category holds which comes from the hierarchies, not from any plan.
 *
 * @param hierarchies bound hierarchy of each dimension column; only texts and the maps between levels are used
 * @throws DataError `audit/unknown-category`, `audit/repeated-row`, `audit/annotation`: positions, never values
 */
export function readTables(
  files: readonly PublishedFile[],
  hierarchies: ReadonlyMap<string, Pick<BoundHierarchy, "levels">>,
  options: ReadOptions,
): AuditInput {
  const names = [...new Set(files.flatMap((file) => file.dimensions.map((dimension) => dimension.column)))].sort();
  const axes = names.map((column) => {
    const levels = new Set(
      files.flatMap((file) => file.dimensions.filter((d) => d.column === column).flatMap((d) => d.levels ?? [0])),
    );
    return buildAxis(column, hierarchies.get(column)!, [...levels].sort((a, b) => b - a));
  });
  const totalLabel = options.totalLabel ?? "Total";

  const tables = files.map((file): AuditTable => {
    const places = file.dimensions.map((dimension) => {
      const axis = axes[names.indexOf(dimension.column)]!;
      const only = dimension.levels === undefined || dimension.levels.length === 1 ? (dimension.levels?.[0] ?? 0) : undefined;
      return Int32Array.from({ length: file.rows }, (_, row) => {
        const code = dimension.categories.codes[row]!;
        const text = code < 0 ? null : dictionaryText(dimension.categories.dictionary, code);
        let level = only;
        if (dimension.level !== undefined) {
          const name = dictionaryText(dimension.level.dictionary, dimension.level.codes[row]!);
          if (name === "total") return text === totalLabel ? 0 : unknownCategory(file.name, dimension.column, row);
          level = Number(name);
        } else if (text === totalLabel) return 0;
        return axis.placeOf.get(placeKey(level, text)) ?? unknownCategory(file.name, dimension.column, row);
      });
    });
    const mark = new Uint8Array(file.rows);
    const seen = new Set<string>();
    for (let row = 0; row < file.rows; row++) {
      const key = places.map((place) => place[row]).join();
      if (seen.has(key)) {
        throw new DataError("audit/repeated-row", `Row ${row + 1} of table ${file.name} repeats an earlier cell. List each cell once.`, {
          table: file.name,
          row: row + 1,
        });
      }
      seen.add(key);
      const blank = Number.isNaN(file.count[row]!);
      const note = file.annotation[row]!;
      if (blank !== (note === 1 || note === 2) || (note === 2 && options.codes === "merged") || !(note >= 0 && note <= 2)) {
        throw new DataError(
          "audit/annotation",
          `Row ${row + 1} of table ${file.name}: the annotation does not agree with the count. Blank counts have a code of ` +
            "suppression, shown counts have 0.",
          { table: file.name, row: row + 1 },
        );
      }
      mark[row] = !blank ? SHOWN : note === 2 ? HIDDEN_COMPLEMENTARY : HIDDEN;
    }
    return {
      name: file.name,
      columnOf: file.dimensions.map((dimension) => names.indexOf(dimension.column)),
      rows: file.rows,
      places,
      count: file.count,
      mark,
    };
  });
  return { columns: axes.map((axis) => axis.column), tables, threshold: options.threshold, zeros: options.zeros, codes: options.codes };
}

interface ReadAxis {
  readonly column: AuditColumn;
  readonly placeOf: ReadonlyMap<string, number>;
}

/** Places of a dimension from its hierarchy: the total, then each published level, coarse before fine, null last. */
function buildAxis(column: string, hierarchy: Pick<BoundHierarchy, "levels">, coarseFirst: readonly number[]): ReadAxis {
  const level = [-1];
  const parent = [-1];
  const placeOf = new Map<string, number>();
  let above: { readonly level: number } | undefined;
  for (const own of coarseFirst) {
    const { dictionary, map } = hierarchy.levels[own]!;
    const parentText = new Map<number, string>();
    if (above !== undefined) {
      const up = hierarchy.levels[above.level]!;
      for (let leaf = 0; leaf < map.length; leaf++) {
        if (map[leaf]! >= 0) parentText.set(map[leaf]!, up.map[leaf]! < 0 ? placeKey(above.level, null) : placeKey(above.level, dictionaryText(up.dictionary, up.map[leaf]!)));
      }
    }
    for (let code = 0; code < dictionary.size; code++) {
      placeOf.set(placeKey(own, dictionaryText(dictionary, code)), level.length);
      level.push(own);
      parent.push(above === undefined ? 0 : (placeOf.get(parentText.get(code) ?? "") ?? 0));
    }
    placeOf.set(placeKey(own, null), level.length);
    level.push(own);
    parent.push(above === undefined ? 0 : placeOf.get(placeKey(above.level, null))!);
    above = { level: own };
  }
  return { column: { column, size: level.length, level: Int32Array.from(level), parent: Int32Array.from(parent) }, placeOf };
}

function placeKey(level: number | undefined, text: string | null): string {
  return text === null ? `${level}!` : `${level}=${text}`;
}

function unknownCategory(table: string, column: string, row: number): never {
  throw new DataError(
    "audit/unknown-category",
    `Row ${row + 1} of table ${table} holds a category of ${column} that the hierarchy does not know at that level. ` +
      "Check that the file belongs to this table specification.",
    { table, column, row: row + 1 },
  );
}
