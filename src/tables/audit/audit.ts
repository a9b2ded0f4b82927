import { DisclosureError } from "../../errors/index.ts";
import type { LinearAttack } from "./linear-attack.ts";
import { auditLinear } from "./linear-audit.ts";
import type { AuditInput } from "./published.ts";
import { tableAttack } from "./table-attack.ts";
import { withValueCounts, type ValueCounts } from "./values.ts";

export interface AuditOptions {
  /** Values that must remain possible for a cell that may hold a small count; at least 2. */
  readonly interval: number;
  /**
   * "safety": stop at each cell once enough values are proven possible; bounds are then values that were met, and the real
   * interval may be wider. "bounds": the exact bounds of every blank cell.
   */
  readonly detail?: "safety" | "bounds" | undefined;
  /**
   * [tables][rows] the true counts, from whoever has them. They spare the search for a table that agrees and are checked
   * against what is published; they decide nothing. NaN where not known.
   */
  readonly witness?: readonly Float64Array[] | undefined;
  /**
   * "each-contributor": attack also as the only person of each blank cell of 1, who knows that count. Needs `witness`, which
   * says where they are. Default "none".
   */
  readonly insiders?: "none" | "each-contributor" | undefined;
  /** How many records have a value of a measure, where means of it are shown; NaN where blank. */
  readonly values?: readonly ValueCounts[] | undefined;
  /** The same without blanks, for the search as `witness`. */
  readonly trueValues?: readonly ValueCounts[] | undefined;
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
  /** The cell of one person who finds it out, when it takes what that person knows. */
  readonly insider?: { readonly table: number; readonly row: number };
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
 * least `interval` values remain, or when it is certain to hold no small count. Nothing but published data decides.
 *
 * @throws DataError `audit/inconsistent` when no counts agree with what is published
 * @throws DisclosureError `audit/too-large`, `audit/interval`
 * Source: feasibility audit, see README.md. Time: see auditLinear.
 */
export async function auditTables(input: AuditInput, options: AuditOptions): Promise<AuditResult> {
  const { interval } = options;
  if (!Number.isSafeInteger(interval) || interval < 2) {
    throw new DisclosureError("audit/interval", "An audit needs an interval of at least 2 values; with 1 nothing is protected.");
  }
  const { input: counts, beside } = withValueCounts(input, options.values ?? []);
  const { attack: joint, published, cellOf: [cellOf, ...besideOf] } = tableAttack([counts, ...beside], interval);
  const attack = besideOf.length === 0 ? joint : unprotected(joint, besideOf);
  const tableOf = new Int32Array(published).fill(-1);
  const rowOf = new Int32Array(published);
  const witness = options.witness === undefined ? undefined : new Float64Array(attack.cells).fill(NaN);
  const min = input.tables.map((table) => new Float64Array(table.rows).fill(NaN));
  const max = input.tables.map((table) => new Float64Array(table.rows).fill(NaN));
  const exact = input.tables.map((table) => new Uint8Array(table.rows));
  const unsafe: UnsafeCell[] = [];
  input.tables.forEach((table, t) => {
    for (let row = 0; row < table.rows; row++) {
      const cell = cellOf![t]![row]!;
      if (witness !== undefined) witness[cell] = options.witness![t]![row]!;
      if (!Number.isNaN(table.count[row]!)) continue;
      const shown = attack.value[cell]!;
      if (tableOf[cell]! < 0 && Number.isNaN(shown)) {
        tableOf[cell] = t;
        rowOf[cell] = row;
      }
      if (Number.isNaN(shown)) continue;
      // Another table shows it.
      min[t]![row] = max[t]![row] = shown;
      exact[t]![row] = 1;
      if (shown < input.threshold && (shown > 0 || input.zeros === "protect")) unsafe.push({ table: t, row, min: shown, max: shown });
    }
  });
  if (witness !== undefined && beside.length > 0) {
    const whole = { ...input, tables: input.tables.map((table, t) => ({ ...table, count: options.witness![t]! })) };
    const measures = new Set(beside.map(({ columns, tables }) => columns[tables[0]!.columnOf.at(-1)!]!.column));
    const truths = withValueCounts(whole, (options.trueValues ?? []).filter(({ measure }) => measures.has(`value of ${measure}`))).beside;
    truths.forEach(({ tables }, i) => tables.forEach(({ count }, t) => besideOf[i]![t]!.forEach((cell, row) => (witness[cell] = count[row]!))));
  }
  const singletons: number[] = [];
  if (witness !== undefined) for (let cell = 0; cell < published; cell++) if (tableOf[cell]! >= 0 && witness[cell] === 1) singletons.push(cell);
  const result = await auditLinear(attack, {
    detail: options.detail, witness, insiders: options.insiders, singletons, signal: options.signal,
  });

  input.tables.forEach((table, t) => {
    for (let row = 0; row < table.rows; row++) {
      const cell = cellOf![t]![row]!;
      if (!Number.isNaN(attack.value[cell]!)) continue;
      min[t]![row] = result.min[cell]!;
      max[t]![row] = result.max[cell]!;
      exact[t]![row] = result.exact[cell]!;
    }
  });
  const found = result.fallen.map(({ cell, min: from, max: to, binding, insider }): UnsafeCell => {
    const told = binding !== undefined && [...binding.keys()].every((other) => other < published && tableOf[other]! >= 0);
    return {
      table: tableOf[cell]!,
      row: rowOf[cell]!,
      min: from,
      max: to,
      ...(told ? { binding: [...binding].map(([other, times]) => ({ table: tableOf[other]!, row: rowOf[other]!, times })) } : {}),
      ...(insider === undefined ? {} : { insider: { table: tableOf[insider]!, row: rowOf[insider]! } }),
    };
  });
  unsafe.unshift(...found);
  const asked = tableOf.reduce((n, table) => n + (table < 0 ? 0 : 1), 0);
  return { safe: unsafe.length === 0, blanks: beside.length === 0 ? result.blanks - (attack.cells - published) : asked, components: result.components, min, max, exact, unsafe };
}

/** The attack without what is asked of cells that stand beside the counts. */
function unprotected(attack: LinearAttack, besideOf: readonly (readonly Int32Array[])[]): LinearAttack {
  const values = Float64Array.from(attack.need.values!);
  for (const tables of besideOf) for (const cells of tables) for (const cell of cells) values[cell] = 0;
  return { ...attack, need: { ...attack.need, values } };
}
