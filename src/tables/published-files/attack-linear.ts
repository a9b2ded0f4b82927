import type { Highs } from "highs";
import { DataError } from "../../errors/index.ts";
import { boundsOfComponent, wholeValuesIn, type Bounds } from "../audit/component-bounds.ts";
import type { AttackSystem } from "../audit/linear-system.ts";
import { NOT_ASKED, SAFE, UNPROVEN, UNSAFE, type FallenCell, type LinearAttack, type LinearAuditOptions, type LinearAuditResult } from "../audit/linear-attack.ts";

/** Attack cells and constraints by linear programs, one connected group of blank cells after the other. */
export async function attackLinear(attack: LinearAttack, options: LinearAuditOptions = {}): Promise<LinearAuditResult> {
  const n = attack.cells;
  const unknownOf = new Int32Array(n).fill(-1);
  const lower: number[] = [];
  const upper: number[] = [];
  const cellOf: number[] = [];
  for (let c = 0; c < n; c++) {
    if (!Number.isNaN(attack.value[c]!)) continue;
    unknownOf[c] = lower.length;
    lower.push(attack.lower[c]!);
    upper.push(attack.upper[c]!);
    cellOf.push(c);
  }
  const blanks = lower.length;
  const { starts: from, cell, times: by, low, high } = attack.constraints;
  const starts = [0];
  const unknown: number[] = [];
  const times: number[] = [];
  const sum: number[] = [];
  for (let r = 0; r < low.length; r++) {
    const terms = new Map<number, number>();
    let known = 0;
    for (let k = from[r]!; k < from[r + 1]!; k++) {
      const u = unknownOf[cell[k]!]!;
      if (u < 0) known += by[k]! * attack.value[cell[k]!]!;
      else terms.set(u, (terms.get(u) ?? 0) + by[k]!);
    }
    const left = [...terms].filter(([, t]) => t !== 0);
    if (left.length === 0) {
      if (known < low[r]! || known > high[r]!) throw new DataError("audit/inconsistent", "Shown numbers contradict each other.");
      continue;
    }
    for (const [u, t] of left) {
      unknown.push(u);
      times.push(t);
    }
    if (low[r] === high[r]) sum.push(low[r]! - known);
    else {
      unknown.push(lower.length);
      times.push(-1);
      lower.push(low[r]! - known);
      upper.push(high[r]! - known);
      sum.push(0);
    }
    starts.push(unknown.length);
  }
  const size = lower.length;
  const system: AttackSystem = {
    unknowns: size, sameAs: Int32Array.from({ length: size }, (_, u) => u), offset: new Float64Array(size), blanks,
    lower: Float64Array.from(lower), upper: Float64Array.from(upper), table: new Int32Array(blanks), row: new Int32Array(blanks),
    unknownOf: [], shownElsewhere: [], starts: Int32Array.from(starts), unknown: Int32Array.from(unknown), times: Int32Array.from(times),
    sum: Float64Array.from(sum), cap: 1000 + 2 * sum.reduce((most, s) => Math.max(most, Math.abs(s)), 0),
  };
  const interval = Math.max(2, ...Array.from(attack.need.values ?? []));
  const bounds: Bounds = {
    metMin: new Float64Array(size).fill(Infinity), metMax: new Float64Array(size).fill(-Infinity), exact: new Uint8Array(size),
    wholeMin: new Float64Array(size).fill(Infinity), wholeMax: new Float64Array(size).fill(-Infinity),
    wholeValues: Array.from({ length: size }, () => undefined), binding: Array.from({ length: size }, () => undefined),
  };
  const leader = Array.from({ length: size }, (_, u) => u);
  const find = (u: number): number => (leader[u] === u ? u : (leader[u] = find(leader[u]!)));
  for (let e = 0; e + 1 < starts.length; e++) for (let k = starts[e]! + 1; k < starts[e + 1]!; k++) leader[find(unknown[k]!)] = find(unknown[starts[e]!]!);
  const groups = new Map<number, { unknowns: number[]; equations: number[] }>();
  for (let u = 0; u < size; u++) {
    const root = find(u);
    if (!groups.has(root)) groups.set(root, { unknowns: [], equations: [] });
    groups.get(root)!.unknowns.push(u);
  }
  for (let e = 0; e + 1 < starts.length; e++) groups.get(find(unknown[starts[e]!]!))!.equations.push(e);
  const highs: Highs = await (await import("highs") as unknown as { default: () => Promise<Highs> }).default();
  for (const group of groups.values()) {
    options.signal?.throwIfAborted();
    if (group.equations.length === 0) {
      const u = group.unknowns[0]!;
      bounds.metMin[u] = lower[u]!;
      bounds.metMax[u] = upper[u]!;
      bounds.exact[u] = 1;
    } else {
      boundsOfComponent(highs, system, { unknowns: Int32Array.from(group.unknowns), equations: Int32Array.from(group.equations) }, bounds, { interval, everyBound: options.detail === "bounds", blanks });
    }
  }
  const min = attack.value.slice();
  const max = attack.value.slice();
  const exact = new Uint8Array(n).fill(1);
  const verdict = new Uint8Array(n).fill(NOT_ASKED);
  const fallen: FallenCell[] = [];
  cellOf.forEach((c, u) => {
    const [a, b] = bounds.metMin[u]! <= bounds.metMax[u]! ? [bounds.metMin[u]!, bounds.metMax[u]!] : [NaN, NaN];
    min[c] = a;
    max[c] = b;
    exact[c] = bounds.exact[u]!;
    const wanted = attack.need.values?.[c] ?? 0;
    if (wanted < 2) return;
    const safe = wholeValuesIn(a, b) >= wanted || (exact[c] === 1 && a >= (attack.need.harmlessFrom?.[c] ?? Infinity));
    verdict[c] = safe ? SAFE : exact[c] === 1 ? UNSAFE : UNPROVEN;
    if (!safe) {
      const binding = bounds.binding[u];
      const cells = binding !== undefined && [...binding.keys()].every((other) => other < blanks) ? new Map([...binding].map(([other, t]) => [cellOf[other]!, t])) : undefined;
      fallen.push({ cell: c, verdict: exact[c] === 1 ? UNSAFE : UNPROVEN, min: a, max: b, derivable: a === b, ...(cells && { binding: cells }) });
    }
  });
  return { safe: fallen.length === 0, blanks, components: groups.size, min, max, exact, verdict, fallen, sums: [], settledBy: { propagation: 0, moves: 0, programs: 0 } };
}
