import type { Highs } from "highs";
import { DisclosureError } from "../../errors/index.ts";
import { boundsOfComponent, boundsOfEquation, wholeValuesIn, type Bounds, type Component } from "./component-bounds.ts";
import { attackSystem, type AttackSystem } from "./linear-system.ts";
import type { AuditInput } from "./published.ts";

export interface AuditOptions {
  /** Values that must remain possible for a cell that may hold a small count; at least 2. */
  readonly interval: number;
  /**
   * "safety": stop at each cell once enough values are proven possible; bounds are then values that were met, and the real
   * interval may be wider. "bounds": the exact bounds of every blank cell.
   */
  readonly detail?: "safety" | "bounds";
  readonly signal?: AbortSignal | undefined;
}

/** One blank cell that does not leave enough values, and the published sum that gives it away. */
export interface UnsafeCell {
  readonly table: number;
  readonly row: number;
  readonly min: number;
  readonly max: number;
  /** A combination of blank cells whose value follows from published numbers and bounds this cell; absent when unproven. */
  readonly binding?: readonly { readonly table: number; readonly row: number; readonly times: number }[];
}

export interface AuditResult {
  readonly safe: boolean;
  /** Distinct blank cells. */
  readonly blanks: number;
  /** Linearly connected groups of blank cells. */
  readonly components: number;
  /** [tables][rows] bounds of blank cells, NaN where a count is shown (and where nothing could be proven). */
  readonly min: readonly Float64Array[];
  readonly max: readonly Float64Array[];
  /** [tables][rows] 1 where both bounds are exact. */
  readonly exact: readonly Uint8Array[];
  readonly unsafe: readonly UnsafeCell[];
}

/**
 * Attack published tables: for each blank cell, find which counts remain possible for somebody who knows every shown
 * number, the structure of the tables, that counts are whole and not negative, and the public rule. A cell is safe when at
 * least `interval` values remain, or when it is certain to hold no small count. Nothing but published data enters.
 *
 * A bound that the solver does not prove optimal counts as unsafe.
 *
 * @throws DataError `audit/inconsistent` when no counts agree with what is published
 * @throws DisclosureError `audit/too-large`, `audit/interval`
 * Source: feasibility audit, see README.md. Time: a linear program or a few for each connected group of blank cells.
 */
export async function auditTables(input: AuditInput, options: AuditOptions): Promise<AuditResult> {
  const { interval } = options;
  if (!Number.isSafeInteger(interval) || interval < 2) {
    throw new DisclosureError("audit/interval", "An audit needs an interval of at least 2 values; with 1 nothing is protected.");
  }
  const system = attackSystem(input);
  const bounds: Bounds = {
    metMin: new Float64Array(system.unknowns).fill(Infinity),
    metMax: new Float64Array(system.unknowns).fill(-Infinity),
    exact: new Uint8Array(system.unknowns),
    wholeMin: new Float64Array(system.unknowns).fill(Infinity),
    wholeMax: new Float64Array(system.unknowns).fill(-Infinity),
    wholeValues: Array.from({ length: system.unknowns }, () => undefined),
    binding: Array.from({ length: system.unknowns }, () => undefined),
  };
  const question = {
    interval,
    everyBound: options.detail === "bounds",
    blanks: system.blanks,
  };

  const components = connectedComponents(system);
  let highs: Highs | undefined;
  for (const component of components) {
    options.signal?.throwIfAborted();
    if (component.equations.length === 0) {
      const u = component.unknowns[0]!;
      bounds.metMin[u] = system.lower[u]!;
      bounds.metMax[u] = system.upper[u]!;
      bounds.exact[u] = 1;
    } else if (isPlainSum(system, component)) boundsOfEquation(system, component, bounds, question);
    else {
      highs ??= await loadSolver();
      boundsOfComponent(highs, system, component, bounds, question);
    }
  }
  return verdict(input, system, bounds, components.length, options);
}

/** The solver is 4 MB and only needed for connected sums, so it is loaded on first use. */
function loadSolver(): Promise<Highs> {
  // The package's types describe its CommonJS form; the ES module's default export is the loader itself.
  solver ??= (import("highs") as unknown as Promise<{ readonly default: () => Promise<Highs> }>).then(({ default: load }) => load());
  return solver;
}

/** One instance serves all audits; it keeps nothing of a model that was disposed of. */
let solver: Promise<Highs> | undefined;

function verdict(input: AuditInput, system: AttackSystem, bounds: Bounds, components: number, options: AuditOptions): AuditResult {
  const min = input.tables.map((table) => new Float64Array(table.rows).fill(NaN));
  const max = input.tables.map((table) => new Float64Array(table.rows).fill(NaN));
  const exact = input.tables.map((table) => new Uint8Array(table.rows));
  const unsafe: UnsafeCell[] = [];
  const boundsOf = (u: number): readonly [from: number, to: number] => {
    const kept = system.sameAs[u]!;
    const from = bounds.metMin[kept]! + system.offset[u]!;
    const to = bounds.metMax[kept]! + system.offset[u]!;
    return from <= to ? [from, to] : [NaN, NaN];
  };
  system.unknownOf.forEach((unknownOf, t) => {
    for (let row = 0; row < unknownOf.length; row++) {
      const u = unknownOf[row]!;
      if (u < 0) continue;
      const [from, to] = boundsOf(u);
      min[t]![row] = from;
      max[t]![row] = to;
      exact[t]![row] = bounds.exact[system.sameAs[u]!]!;
    }
  });
  // Of cells that differ by shown counts only, the one with the fewest people tells best what gives way.
  const smallest = system.sameAs.slice();
  for (let u = 0; u < system.blanks; u++) {
    const kept = system.sameAs[u]!;
    if (system.offset[u]! <= system.offset[smallest[kept]!]!) smallest[kept] = u;
  }
  for (let u = 0; u < system.blanks; u++) {
    const [from, to] = boundsOf(u);
    const kept = system.sameAs[u]!;
    if (wholeValuesIn(from, to) >= options.interval || (bounds.exact[kept] === 1 && from >= input.threshold)) continue;
    const binding = bounds.binding[kept];
    const published = binding !== undefined && [...binding.keys()].every((other) => other < system.blanks);
    unsafe.push({
      table: system.table[u]!,
      row: system.row[u]!,
      min: from,
      max: to,
      ...(published
        ? {
            binding: [...binding].map(([stand, times]) => {
              const cell = smallest[stand]!;
              return { table: system.table[cell]!, row: system.row[cell]!, times };
            }),
          }
        : {}),
    });
  }
  for (const { table, row, count } of system.shownElsewhere) {
    min[table]![row] = count;
    max[table]![row] = count;
    exact[table]![row] = 1;
    if (count < input.threshold && (count > 0 || input.zeros === "protect")) unsafe.push({ table, row, min: count, max: count });
  }
  return { safe: unsafe.length === 0, blanks: system.blanks, components, min, max, exact, unsafe };
}

/** Whether a component is one equation with each unknown in it once. */
function isPlainSum({ starts, times }: AttackSystem, { equations }: Component): boolean {
  if (equations.length !== 1) return false;
  for (let k = starts[equations[0]!]!; k < starts[equations[0]! + 1]!; k++) if (Math.abs(times[k]!) !== 1) return false;
  return true;
}

/** Unknowns that share equations, directly or through others. Components come in the order of their first unknown. */
function connectedComponents(system: AttackSystem): Component[] {
  const leader = Int32Array.from({ length: system.unknowns }, (_, u) => u);
  const find = (u: number): number => {
    let at = u;
    while (leader[at] !== at) {
      leader[at] = leader[leader[at]!]!;
      at = leader[at]!;
    }
    return at;
  };
  const { starts, unknown } = system;
  for (let e = 0; e + 1 < starts.length; e++) {
    for (let k = starts[e]! + 1; k < starts[e + 1]!; k++) {
      const a = find(unknown[starts[e]!]!);
      const b = find(unknown[k]!);
      if (a !== b) leader[Math.max(a, b)] = Math.min(a, b);
    }
  }
  const members = new Map<number, { unknowns: number[]; equations: number[] }>();
  for (let u = 0; u < system.unknowns; u++) {
    if (system.sameAs[u] !== u) continue;
    const root = find(u);
    if (!members.has(root)) members.set(root, { unknowns: [], equations: [] });
    members.get(root)!.unknowns.push(u);
  }
  for (let e = 0; e + 1 < starts.length; e++) {
    members.get(find(unknown[starts[e]!]!))!.equations.push(e);
  }
  return [...members.values()].map(({ unknowns, equations }) => ({
    unknowns: Int32Array.from(unknowns),
    equations: Int32Array.from(equations),
  }));
}
