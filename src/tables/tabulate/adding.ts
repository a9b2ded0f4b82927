import { FIRST_GROUPING, TOTAL } from "./table-spec.ts";
import type { TableSystem } from "./tabulate.ts";

type Placed = Pick<TableSystem, "columns" | "places">;

/** Whether each cell of the finer margin adds to cells of the coarser one, or to none of a grouping that leaves it out. */
export function isWithin(columns: TableSystem["columns"], coarse: readonly number[], fine: readonly number[]): boolean {
  return coarse.every((level, k) => {
    const own = fine[k]!;
    if (level === own) return true;
    if (level >= FIRST_GROUPING) return own === columns[k]!.levels[0];
    return own < FIRST_GROUPING && (level === TOTAL || (own !== TOTAL && own < level));
  });
}

/** Name of a cell by its places, as `cellsAbove` gives it. */
export function placesName(places: TableSystem["places"], cell: number): string {
  return places.map((own) => own[cell]!).join();
}

/**
 * The cells of a coarser margin that a cell adds to, by `placesName`, and whether it is added or taken away. Groups overlap and
 * leave categories out, so there are any number of them; otherwise exactly one.
 *
 * @param coarse a margin for which `isWithin` holds
 */
export function cellsAbove({ columns, places }: Placed, cell: number, coarse: readonly number[]): (readonly [name: string, sign: number])[] {
  let found: (readonly [string, number])[] = [["", 1]];
  coarse.forEach((level, k) => {
    const { level: levelOf, parent, groups } = columns[k]!;
    let place = places[k]![cell]!;
    const separator = k === 0 ? "" : ",";
    if (level < FIRST_GROUPING || levelOf[place] === level) {
      while (place > 0 && levelOf[place] !== level) place = parent[place]!;
      found = found.map(([name, sign]) => [`${name}${separator}${place}`, sign]);
      return;
    }
    const above: (readonly [number, number])[] = [];
    for (const group of groups) {
      if (levelOf[group.place] !== level) continue;
      const part = group.parts.indexOf(place);
      if (part >= 0) above.push([group.place, group.signs?.[part] ?? 1]);
    }
    found = found.flatMap(([name, sign]) => above.map(([own, times]) => [`${name}${separator}${own}`, sign * times] as const));
  });
  return found;
}
