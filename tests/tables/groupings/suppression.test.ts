import type { Highs } from "highs";
import { beforeAll, describe, expect, test } from "vitest";
import { auditTables } from "../../../src/tables/audit/index.ts";
import { planSmallCells } from "../../../src/tables/small-cells/index.ts";
import { tabulate, type TableSpec } from "../../../src/tables/tabulate/index.ts";
import { Attacker, loadSolver, numbersFrom, readerOf } from "../cell-suppression/reader.ts";
import { derivable } from "../exact-elimination.ts";
import { example, type Example } from "../helpers.ts";

/** FULL=1 tries ten times as many. */
const TABLES = process.env.FULL === "1" ? 2000 : 50;
const THRESHOLD = 11;
const FAR = 400;

let highs: Highs;
beforeAll(async () => {
  highs = await loadSolver();
});

interface Case {
  readonly table: Example;
  readonly specs: readonly TableSpec[];
  readonly zeros: "publish" | "protect";
  readonly interval: number;
  readonly codes: "merged" | "separate";
}

/** Tables of 2 or 3 dimensions; groups of a's categories that overlap and leave some out, and differences of such groups. */
function randomCase(seed: number): Case {
  const random = numbersFrom(seed);
  const below = (n: number) => Math.floor(random() * n);
  const keys = ["a", "b", "c"].slice(0, 2 + below(2));
  const sizes = keys.map((_, k) => (k === 0 ? 3 + below(2) : 2));
  const zeros = random() < 0.25 ? ("protect" as const) : ("publish" as const);
  const rows: (string | number)[][] = [];
  const product = sizes.reduce((all, n) => all * n, 1);
  for (let at = 0; at < product; at++) {
    let rest = at;
    const row = sizes.map((n) => {
      const code = rest % n;
      rest = Math.floor(rest / n);
      return `v${code}`;
    });
    const count = [0, 1, below(7), 5 + below(50), 5 + below(50)][below(5)]!;
    // Each category occurs, since groups name it.
    if (count > 0 || zeros === "protect" || new Set(row).size === 1) rows.push([...row, Math.max(count, new Set(row).size === 1 ? 1 : 0)]);
  }
  for (let code = 0; code < sizes[0]!; code++) rows.push([`v${code}`, ...keys.slice(1).map(() => "v0"), 1 + below(12)]);
  const categories = Array.from({ length: sizes[0]! }, (_, code) => `v${code}`);
  const some = () => {
    const chosen = categories.filter(() => random() < 0.5);
    return chosen.length > 0 ? chosen : [categories[below(categories.length)]!];
  };
  const zones = Array.from({ length: 1 + below(3) }, (_, g) => ({ label: `zone${g}`, plus: some() }));
  const differences = Array.from({ length: 1 + below(2) }, (_, g) => ({ label: `less${g}`, plus: some(), minus: some() }));
  const nested = random() < 0.4;
  const groupings = [...(random() < 0.8 ? [{ name: "zones", groups: zones }] : []), ...(random() < 0.6 ? [{ name: "differences", groups: differences }] : [])];
  return {
    table: example(keys, rows, nested ? { a: (value) => (value < "v2" ? "low" : "high") } : {}),
    specs: [{
      name: "t",
      dimensions: keys.map((column) => ({ column, ...(column === "a" ? { levels: nested ? [0, 1] : [0], groupings } : {}) })),
      margins: "all",
    }],
    zeros,
    interval: 2 + below(4),
    codes: random() < 0.3 ? "separate" : "merged",
  };
}

describe(`${TABLES} random tables with groups that overlap and differences`, () => {
  test("small counts and small differences are hidden, none is derivable, and each keeps its interval", async () => {
    const wrong: string[] = [];
    let primaries = 0;
    let differences = 0;
    for (let seed = 1; seed <= TABLES; seed++) {
      const { table, specs, zeros, interval, codes } = randomCase(seed);
      const system = tabulate(table.cells, table.hierarchies, specs, { zeros });
      const { pattern, rule } = await planSmallCells(system, { threshold: THRESHOLD, zeros, interval, codes }, auditTables);
      const reader = readerOf(table, system, specs);
      const { counts, occupied } = countsOf(table, system, reader.combinations);
      const rows = reader.rows.map((row) => {
        let count = 0;
        for (const [u, times] of row.terms) count += times * counts[u]!;
        return { ...row, count, signed: [...row.terms.values()].some((times) => times < 0), shown: row.cell < 0 || pattern[row.cell] === 0 };
      });
      rows.forEach(({ cell, count, shown, row }) => {
        if (count !== system.tables[0]!.count[row]) wrong.push(`seed ${seed}: row ${row} counts ${system.tables[0]!.count[row]}, not ${count}`);
        const small = count === 0 ? zeros === "protect" && cell >= 0 : Math.abs(count) < THRESHOLD;
        if (small && shown) wrong.push(`seed ${seed}: row ${row} shows ${count}`);
      });
      const isSmall = ({ count }: (typeof rows)[number]) => count !== 0 ? Math.abs(count) < THRESHOLD : zeros === "protect";
      const known = zeros === "protect" ? Array.from(counts.keys()) : occupied;
      const vector = ({ terms }: (typeof rows)[number]) => known.map((u) => terms.get(u) ?? 0);
      const secret = rows.filter((row) => !row.shown && isSmall(row) && vector(row).some((times) => times !== 0));
      derivable(rows.filter(({ shown }) => shown).map(vector), secret.map(vector)).forEach((found, s) => {
        if (found) wrong.push(`seed ${seed}: row ${secret[s]!.row} is derivable`);
      });
      const floor = zeros === "publish" ? 1 : 0;
      const attacker = new Attacker(highs, reader.combinations, rows.map(({ terms, count, shown, signed, cell }) => {
        if (shown) return { terms, low: count, high: count };
        if (signed) return { terms, low: -1e6, high: 1e6 };
        if (rule.codes === "merged") return { terms, low: floor, high: 1e6 };
        return pattern[cell] === 1 ? { terms, low: floor, high: THRESHOLD - 1 } : { terms, low: THRESHOLD, high: 1e6 };
      }), { whole: true, ceiling: FAR });
      try {
        for (const { terms, row, signed } of secret) {
          primaries++;
          if (signed) differences++;
          const [min, max] = attacker.bounds(terms);
          if (max - min + 1 < interval - 1e-6) wrong.push(`seed ${seed}: row ${row} lies within ${min} to ${max}, needs ${interval} values`);
        }
      } finally {
        attacker.dispose();
      }
    }
    expect(wrong).toEqual([]);
    expect(primaries).toBeGreaterThan(4 * TABLES);
    expect(differences).toBeGreaterThan(TABLES / 4);
  }, 600_000);
});

function countsOf(table: Example, system: { readonly columns: readonly { readonly column: string }[] }, combinations: number) {
  const counts = new Float64Array(combinations);
  for (let c = 0; c < table.cells.size; c++) {
    let [u, stride] = [0, 1];
    for (const { column } of system.columns) {
      const key = table.cells.keys.indexOf(column);
      u += stride * table.cells.codes[key]![c]!;
      stride *= table.cells.sizes[key]!;
    }
    counts[u]! += table.cells.records[c]!;
  }
  return { counts, occupied: Array.from(counts.keys()).filter((u) => counts[u]! > 0) };
}
