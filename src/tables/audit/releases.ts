import { ConstraintBuilder, type LinearAttack } from "./linear-attack.ts";
import type { AuditInput } from "./published.ts";
import { inconsistent, tableAttack, type TableAttack } from "./table-attack.ts";

/** What somebody knows of one cell in two releases: later minus earlier lies within bounds, such as "people are only added". */
export interface ReleaseDifference {
  /** Release, table and row of both cells. */
  readonly earlier: readonly [release: number, table: number, row: number];
  readonly later: readonly [release: number, table: number, row: number];
  readonly atLeast: number;
  readonly atMost: number;
}

/**
 * Several releases as one attack. Releases of unchanged data are linked by equality: rows of equal places are one cell, and
 * geographies that differ are levels or groupings of the same column. Releases of changed data are told apart by `changed`:
 * each keeps cells of its own, linked only by the differences given.
 *
 * @param inputs   over the same columns, each with its own rule
 * @param interval values that must remain possible for each blank cell that may hold a small count
 * @throws what tableAttack throws
 */
export function linkReleases(
  inputs: readonly AuditInput[],
  interval: number,
  { changed = false, differences = [] }: { readonly changed?: boolean; readonly differences?: readonly ReleaseDifference[] } = {},
): TableAttack {
  const linked = changed ? sideBySide(inputs.map((input) => tableAttack([input], interval))) : tableAttack(inputs, interval);
  if (differences.length === 0) return linked;
  const { attack, cellOf } = linked;
  const more = new ConstraintBuilder();
  for (const { earlier, later, atLeast, atMost } of differences) {
    if (atLeast > atMost) throw inconsistent("a difference between releases has its bounds the wrong way round");
    const [before, after] = [earlier, later].map(([release, table, row]) => cellOf[release]![table]![row]!);
    more.add([[after!, 1], [before!, -1]], atLeast, atMost);
  }
  return { ...linked, attack: { ...attack, constraints: joined([attack.constraints, more.build()], [0, 0]) } };
}

/** Attacks that share nothing, numbered one after the other: published cells first. */
function sideBySide(parts: readonly TableAttack[]): TableAttack {
  const published = parts.reduce((sum, part) => sum + part.published, 0);
  const cells = parts.reduce((sum, part) => sum + part.attack.cells, 0);
  let firstPublished = 0;
  let firstLatent = published;
  const maps = parts.map((part) => {
    const own = Int32Array.from({ length: part.attack.cells }, (_, cell) => (cell < part.published ? firstPublished + cell : firstLatent + cell - part.published));
    firstPublished += part.published;
    firstLatent += part.attack.cells - part.published;
    return own;
  });
  const gather = (fill: number, of: (attack: LinearAttack) => ArrayLike<number>): Float64Array => {
    const out = new Float64Array(cells).fill(fill);
    parts.forEach(({ attack }, p) => {
      for (let cell = 0; cell < attack.cells; cell++) out[maps[p]![cell]!] = of(attack)[cell]!;
    });
    return out;
  };
  return {
    attack: {
      cells,
      value: gather(NaN, (attack) => attack.value),
      lower: gather(0, (attack) => attack.lower),
      upper: gather(Infinity, (attack) => attack.upper),
      constraints: joined(parts.map(({ attack }) => attack.constraints), maps),
      need: { values: gather(0, (attack) => attack.need.values!), harmlessFrom: gather(0, (attack) => attack.need.harmlessFrom!) },
    },
    published,
    cellOf: parts.flatMap((part, p) => part.cellOf.map((tables) => tables.map((rows) => rows.map((cell) => maps[p]![cell]!)))),
  };
}

function joined(all: readonly LinearAttack["constraints"][], maps: readonly (Int32Array | 0)[]): LinearAttack["constraints"] {
  const out = new ConstraintBuilder();
  all.forEach(({ starts, cell, times, low, high }, p) => {
    const map = maps[p]!;
    for (let r = 0; r < low.length; r++) {
      const terms: [number, number][] = [];
      for (let k = starts[r]!; k < starts[r + 1]!; k++) terms.push([map === 0 ? cell[k]! : map[cell[k]!]!, times[k]!]);
      out.add(terms, low[r]!, high[r]!);
    }
  });
  return out.build();
}
