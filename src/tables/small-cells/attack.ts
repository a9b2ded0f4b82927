import type { AuditInput, AuditTable, ToldByCodes } from "../audit/index.ts";
import { HIDDEN, HIDDEN_COMPLEMENTARY, SHOWN } from "../audit/index.ts";
import type { TableSystem } from "../tabulate/index.ts";
import { COMPLEMENTARY, PUBLISHED } from "./suppress.ts";

export interface Rule {
  readonly threshold: number;
  readonly zeros: "publish" | "protect";
  /** What separate codes tell where other rules hide cells beside the threshold. */
  readonly told?: ToldByCodes | undefined;
}

/** What an attacker would hold if the system were published with this pattern: the audit's view, nothing else. */
export function attackersView(system: TableSystem, pattern: Uint8Array, rule: Rule, codes: "merged" | "separate"): AuditInput {
  const placeAt = system.columns.map((column) => {
    const places = new Map<string, number>();
    for (let place = 0; place < column.size; place++) places.set(`${column.level[place]},${column.code[place]}`, place);
    return places;
  });
  const tables = system.tables.map((table): AuditTable => {
    const count = table.count.slice();
    const mark = new Uint8Array(table.rows).fill(SHOWN);
    for (let row = 0; row < table.rows; row++) {
      const cell = table.cell[row]!;
      const state = cell < 0 ? PUBLISHED : pattern[cell]!;
      if (state === PUBLISHED) continue;
      count[row] = NaN;
      mark[row] = codes === "separate" && state === COMPLEMENTARY ? HIDDEN_COMPLEMENTARY : HIDDEN;
    }
    const places = table.columnOf.map((k, d) =>
      Int32Array.from({ length: table.rows }, (_, row) => placeAt[k]!.get(`${table.level[d]![row]},${table.codes[d]![row]}`)!),
    );
    return { name: table.name, columnOf: table.columnOf, rows: table.rows, places, count, mark };
  });
  return { columns: system.columns, tables, threshold: rule.threshold, zeros: rule.zeros, listedOccur: everyCategoryOccurs(system), codes, ...(rule.told === undefined ? {} : { told: rule.told }) };
}

/** Whether somebody is in each category that the tables list. A finished table can have rows for those that nobody is in. */
function everyCategoryOccurs({ columns, places, count, cells }: TableSystem): boolean {
  return columns.every(({ size }, k) => {
    const listed = new Uint8Array(size);
    const occurs = new Uint8Array(size);
    for (let c = 0; c < cells; c++) {
      listed[places[k]![c]!] = 1;
      if (count[c] !== 0) occurs[places[k]![c]!] = 1;
    }
    return listed.every((own, place) => own === occurs[place]);
  });
}
