import { insiderRelations } from "../../kernels/sparse-elimination.ts";
import type { TableSystem, Twins } from "../tabulate/index.ts";
import { overClasses, rowClasses } from "./row-classes.ts";
import { PUBLISHED, type ProtectedSum } from "./suppress.ts";
import { gatherCells } from "./unknowns.ts";

/**
 * Sums by which an only contributor of several hidden cells, or of one that is hidden for another's sake, computes a hidden
 * cell of others. Elimination looks at primary cells of one contributor each; this looks at the rest.
 *
 * @param alone   [cells] as in SuppressOptions
 * @param primary [cells] 1 for cells that must not become known
 * @returns sums that must not be derivable; undefined when numbers grow too large to tell
 * Time of one elimination where some contributor is alone in two hidden cells, or in a complementary one; else O(cells).
 */
export function sumsForInsiders(
  system: TableSystem, { first }: Twins, pattern: Uint8Array, primary: Uint8Array, alone: Int32Array,
): ProtectedSum[] | undefined {
  const cellsOf = new Map<number, number[]>();
  const hidden: number[] = [];
  const known: number[] = [];
  for (const c of first) {
    if (system.starts[c] === system.starts[c + 1]) continue;
    if (pattern[c] === PUBLISHED) {
      known.push(c);
      continue;
    }
    const who = alone[c]!;
    if (who > 0) {
      const own = cellsOf.get(who);
      if (own === undefined) cellsOf.set(who, [hidden.length]);
      else own.push(hidden.length);
    } else if (primary[c] === 0) continue;
    hidden.push(c);
  }
  const insiders = [...cellsOf.values()].filter((own) => own.length > 1 || primary[hidden[own[0]!]!] === 0);
  if (insiders.length === 0) return [];
  const columns = gatherCells(system, Int32Array.from([...known, ...hidden]));
  const found = rowClasses(system.inner, columns);
  const apart = (cells: readonly number[]) => overClasses(gatherCells(system, Int32Array.from(cells)), found);
  const asked = Uint8Array.from(hidden, (c) => primary[c]!);
  return insiderRelations(found.classes, apart(known), apart(hidden), insiders, asked)?.map(({ column, times, by }) =>
    [[hidden[column]!, times] as const, ...by.map(([own, n]) => [hidden[own]!, -n] as const)].sort((a, b) => a[0] - b[0]),
  );
}
