import type { TableSystem, Twins } from "../tabulate/index.ts";
import type { ProtectedSum } from "./suppress.ts";
import { adjacentMargins, groupedParts, hasGroups } from "./unknowns.ts";

/** Sums of hidden cells that follow from shown ones by one addition: sum of sign[k] * count of cell[k] is known. */
export interface HiddenSums {
  /** [sums + 1] */
  readonly starts: Int32Array;
  /** [entries] group of twins, and its sign: children +1, a hidden parent -1. */
  readonly group: Int32Array;
  readonly sign: Int8Array;
}

/**
 * Every addition of the published tables in which a hidden cell takes part: a cell and its parts along one dimension.
 * Time and memory O(hidden cells x adjacent margins), and O(cells x adjacent margins) to find them.
 *
 * @param pattern [cells] 0 where the cell is shown
 */
export function hiddenSums(system: TableSystem, { groupOf }: Twins, pattern: Uint8Array): HiddenSums {
  const { marginStarts, starts: columnStarts, rows } = system;
  const starts: number[] = [0];
  const group: number[] = [];
  const sign: number[] = [];
  const parentOf = new Int32Array(system.inner);
  for (const [parentMargin, childMargin] of adjacentMargins(system)) {
    if (hasGroups(system, parentMargin) || hasGroups(system, childMargin)) {
      for (const [parent, parts] of groupedParts(system, parentMargin, childMargin)) {
        const hidden = parts.filter(([child]) => pattern[child] !== 0);
        const own = pattern[parent] === 0 ? -1 : groupOf[parent]!;
        // Differences have no lowest value from which bounds would follow; they are left to the audit.
        if ((own >= 0 && isDifference(system, parent)) || hidden.some(([child]) => isDifference(system, child))) continue;
        if (hidden.length === 0 || (hidden.length === 1 && groupOf[hidden[0]![0]] === own)) continue;
        for (const [child, times] of hidden) {
          group.push(groupOf[child]!);
          sign.push(times);
        }
        if (own >= 0) {
          group.push(own);
          sign.push(-1);
        }
        starts.push(group.length);
      }
      continue;
    }
    const from = marginStarts[parentMargin]!;
    const to = marginStarts[parentMargin + 1]!;
    for (let c = from; c < to; c++) for (let at = columnStarts[c]!; at < columnStarts[c + 1]!; at++) parentOf[rows[at]!] = c - from;

    // Count, then fill: hidden children by parent.
    const parts = new Int32Array(to - from + 1);
    for (let c = marginStarts[childMargin]!; c < marginStarts[childMargin + 1]!; c++) {
      if (pattern[c] !== 0) parts[parentOf[rows[columnStarts[c]!]!]! + 1]!++;
    }
    for (let p = 0; p < to - from; p++) parts[p + 1]! += parts[p]!;
    const children = new Int32Array(parts[to - from]!);
    const next = parts.slice();
    for (let c = marginStarts[childMargin]!; c < marginStarts[childMargin + 1]!; c++) {
      if (pattern[c] !== 0) children[next[parentOf[rows[columnStarts[c]!]!]!]!++] = c;
    }
    for (let p = 0; p < to - from; p++) {
      if (parts[p] === parts[p + 1]) continue;
      const own = pattern[from + p] === 0 ? -1 : groupOf[from + p]!;
      if (parts[p + 1]! - parts[p]! === 1 && groupOf[children[parts[p]!]!] === own) continue;
      for (let k = parts[p]!; k < parts[p + 1]!; k++) {
        group.push(groupOf[children[k]!]!);
        sign.push(1);
      }
      if (own >= 0) {
        group.push(own);
        sign.push(-1);
      }
      starts.push(group.length);
    }
  }
  return { starts: Int32Array.from(starts), group: Int32Array.from(group), sign: Int8Array.from(sign) };
}

function isDifference({ starts, signs }: TableSystem, cell: number): boolean {
  for (let at = starts[cell]!; signs !== undefined && at < starts[cell + 1]!; at++) if (signs[at]! < 0) return true;
  return false;
}

/** Rounds of tightening; what is found later the audit finds. */
const ROUNDS = 30;

/**
 * Sums that give hidden small counts away: bounds of hidden cells are tightened by one addition after the other, and where
 * they leave fewer than `interval` values, the addition that bounds the cell most is named. What it names is certainly too
 * narrow; an empty answer proves nothing.
 *
 * @param primary [cells] 1 where the interval is required
 */
export function narrowSums(
  system: TableSystem,
  twins: Twins,
  pattern: Uint8Array,
  primary: Uint8Array,
  interval: number,
): { readonly sums: ProtectedSum[]; readonly narrow: number } {
  const { first } = twins;
  const { starts, group, sign } = hiddenSums(system, twins, pattern);
  const sums = starts.length - 1;
  const known = new Float64Array(sums);
  for (let e = 0; e < sums; e++) {
    for (let k = starts[e]!; k < starts[e + 1]!; k++) known[e]! += sign[k]! * system.count[first[group[k]!]!]!;
  }
  const low = new Float64Array(first.length).fill(system.zeros === "protect" ? 0 : 1);
  const high = new Float64Array(first.length).fill(Infinity);
  const lowBy = new Int32Array(first.length).fill(-1);
  const highBy = new Int32Array(first.length).fill(-1);

  for (let round = 0, changed = true; changed && round < ROUNDS; round++) {
    changed = false;
    for (let e = 0; e < sums; e++) {
      // The rest of the sum bounds each term; with two open ends on a side nothing follows there.
      let least = 0;
      let most = 0;
      let open = 0;
      let openBelow = 0;
      for (let k = starts[e]!; k < starts[e + 1]!; k++) {
        const u = group[k]!;
        if (sign[k]! > 0) {
          least += low[u]!;
          if (high[u] === Infinity) open++;
          else most += high[u]!;
        } else {
          most -= low[u]!;
          if (high[u] === Infinity) openBelow++;
          else least -= high[u]!;
        }
      }
      if (open > 1 && openBelow > 1) continue;
      for (let k = starts[e]!; k < starts[e + 1]!; k++) {
        const u = group[k]!;
        const wide = high[u] === Infinity;
        const ownLeast = sign[k]! > 0 ? low[u]! : wide ? 0 : -high[u]!;
        const ownMost = sign[k]! > 0 ? (wide ? 0 : high[u]!) : -low[u]!;
        const restOpenBelow = openBelow - (sign[k]! < 0 && wide ? 1 : 0);
        const restOpen = open - (sign[k]! > 0 && wide ? 1 : 0);
        const top = restOpenBelow > 0 ? Infinity : known[e]! - (least - ownLeast);
        const bottom = restOpen > 0 ? -Infinity : known[e]! - (most - ownMost);
        const newHigh = sign[k]! > 0 ? top : -bottom;
        const newLow = sign[k]! > 0 ? bottom : -top;
        // The sums of this addition are of the bounds as they were: tightened ones count from the next round on.
        if (newHigh < high[u]! || newLow > low[u]!) {
          changed = true;
          if (newHigh < high[u]!) highBy[u] = e;
          if (newLow > low[u]!) lowBy[u] = e;
          pending.push(u, newLow, newHigh);
        }
      }
      for (let at = 0; at < pending.length; at += 3) {
        const u = pending[at]!;
        low[u] = Math.max(low[u]!, pending[at + 1]!);
        high[u] = Math.min(high[u]!, pending[at + 2]!);
      }
      pending.length = 0;
    }
  }

  const named = new Set<number>();
  let narrow = 0;
  for (let u = 0; u < first.length; u++) {
    if (primary[first[u]!] === 0 || high[u]! - low[u]! + 1 >= interval) continue;
    narrow++;
    // The upper bound's addition holds the others at their lowest, so it is the one that a further hidden cell loosens.
    const by = highBy[u]! >= 0 ? highBy[u]! : lowBy[u]!;
    if (by >= 0) named.add(by);
  }
  return {
    narrow,
    sums: [...named].sort((a, b) => a - b).map((e) => {
      const terms: [number, number][] = [];
      for (let k = starts[e]!; k < starts[e + 1]!; k++) terms.push([first[group[k]!]!, sign[k]!]);
      return terms.sort((a, b) => a[0] - b[0]);
    }),
  };
}

const pending: number[] = [];
