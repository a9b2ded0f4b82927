import { dictionaryTexts } from "../../columns/index.ts";
import { InternalError, PolicyError } from "../../errors/index.ts";
import { TOTAL, type PublishedTable } from "../tabulate/index.ts";
import type { RuleInput } from "./outcome.ts";
import type { CellsRule, PrimaryRule } from "./schema.ts";

type Address = CellsRule["suppress"][number];

/**
 * Carry out decisions on single cells: bits for cells to hide, and for cells to show the bits of the rules they set aside are
 * cleared. A cell to show that another rule still hides is refused: no decision overrides a rule it does not name.
 *
 * @param hits [cells] in and out
 * @returns safe [cells] 1 for cells to show; setAside [cells] bits of rules that would have hidden them; notes on decisions
 *          that name no row of a table
 */
export function markDecided(
  input: RuleInput, rules: readonly PrimaryRule[], hits: Uint32Array,
): { safe: Uint8Array; setAside: Uint32Array; notes: string[] } {
  const { cells } = input.system;
  const safe = new Uint8Array(cells);
  const setAside = new Uint32Array(cells);
  const notes: string[] = [];
  const find = cellFinder(input);
  const resolve = (address: Address, place: string): number => {
    const { cell, row } = find(address, place);
    if (row < 0) notes.push(`${place} names a cell that table ${address.table} does not have.`);
    return row < 0 ? -1 : cell;
  };

  const forced = new Uint8Array(cells);
  rules.forEach((rule, r) => {
    if (rule.rule !== "cells") return;
    rule.suppress.forEach((address, i) => {
      const place = `rules[${r}].suppress[${i}]`;
      const before = notes.length;
      const c = resolve(address, place);
      if (c >= 0) {
        hits[c]! |= 1 << r;
        forced[c] = 1;
      } else if (notes.length === before) {
        throw new PolicyError(
          "primary-rules/zero-cell",
          `${place} asks to hide a cell without records, which the tables show as 0. ` +
            "Write zeros: protect for the tables, or remove the entry.",
          { rule: r, entry: i },
        );
      }
    });
  });
  rules.forEach((rule, r) => {
    if (rule.rule !== "cells") return;
    rule.publish.forEach((address, i) => {
      const place = `rules[${r}].publish[${i}]`;
      const c = resolve(address, place);
      if (c < 0) return;
      if (forced[c] === 1) {
        throw new PolicyError(
          "primary-rules/conflicting-decision", `${place} asks to show a cell that another entry hides. Keep one of the two.`,
          { rule: r, entry: i },
        );
      }
      const mask = rules.reduce((bits, other, o) => (address.overrides.some((name) => name === other.rule) ? bits | (1 << o) : bits), 0);
      if ((mask !== 0 && (address.approvedBy ?? "") === "") || (hits[c]! & ~mask) !== 0) {
        const names = [...new Set(rules.filter((_, o) => (hits[c]! & (1 << o)) !== 0).map((other) => other.rule))];
        throw new PolicyError(
          "primary-rules/unjustified-override",
          `${place} asks to show a cell that these rules hide: ${names.join(", ")}. Name them under overrides, with reason and ` +
            "approvedBy, or remove the entry.",
          { rule: r, entry: i, rules: names },
        );
      }
      setAside[c]! |= hits[c]! & mask;
      hits[c] = 0;
      safe[c] = 1;
    });
  });
  return { safe, setAside, notes };
}

/** Finds the row and cell of an address; row -1 where the table has none. Tables are indexed when first asked for. */
function cellFinder({ system, hierarchies }: RuleInput): (address: Address, place: string) => { row: number; cell: number } {
  const rowsOf = new Map<string, Map<string, number>>();
  const codesOf = new Map<string, ReadonlyMap<string, number>>();
  const keyOf = (parts: readonly (readonly [level: number, code: number])[]) => parts.map((part) => part.join(":")).join();

  const codeOf = (column: string, level: number, text: string): number | undefined => {
    const name = `${level} ${column}`;
    let codes = codesOf.get(name);
    if (codes === undefined) {
      const bound = hierarchies?.get(column)?.levels[level];
      if (bound === undefined) {
        throw new InternalError(
          "primary-rules/no-hierarchies", "Rules that name categories need the hierarchies of the dimensions.", { column },
        );
      }
      codes = new Map(dictionaryTexts(bound.dictionary).map((own, code) => [own, code]));
      codesOf.set(name, codes);
    }
    return codes.get(text);
  };
  const indexed = (table: PublishedTable): Map<string, number> => {
    let rows = rowsOf.get(table.name);
    if (rows === undefined) {
      rows = new Map();
      for (let row = 0; row < table.rows; row++) {
        rows.set(keyOf(table.dimensions.map((_, d) => [table.level[d]![row]!, table.codes[d]![row]!] as const)), row);
      }
      rowsOf.set(table.name, rows);
    }
    return rows;
  };

  return (address, place) => {
    const table = system.tables.find(({ name }) => name === address.table);
    if (table === undefined) {
      throw new PolicyError(
        "primary-rules/unknown-table", `${place} names table ${address.table}, which the policy does not have. Correct the name.`,
        { table: address.table },
      );
    }
    const unknown = Object.keys(address.category).find((name) => !table.dimensions.some(({ column }) => column === name));
    if (unknown !== undefined) {
      throw new PolicyError(
        "primary-rules/unknown-column",
        `${place} names column ${unknown}, which is no dimension of table ${table.name}. Correct the name.`,
        { table: table.name, column: unknown },
      );
    }
    const parts: (readonly [number, number])[] = [];
    for (const { column, levels = [0] } of table.dimensions) {
      if (!Object.hasOwn(address.category, column)) {
        parts.push([TOTAL, -1]);
        continue;
      }
      const entry = address.category[column]!;
      const [text, asked] = typeof entry === "object" && entry !== null ? [entry.value, [entry.level]] : [entry, levels];
      const places = [...new Set(asked)].flatMap((level) => {
        const code = text === null ? -1 : codeOf(column, level, text);
        return code === undefined ? [] : [[level, code] as const];
      });
      if (places.length > 1) {
        throw new PolicyError(
          "primary-rules/ambiguous-category",
          `${place} names a category of ${column} that stands at several published levels. Write {level, value}.`,
          { table: table.name, column },
        );
      }
      if (places.length === 0) return { row: -1, cell: -1 };
      parts.push(places[0]!);
    }
    const row = indexed(table).get(keyOf(parts)) ?? -1;
    return { row, cell: row < 0 ? -1 : table.cell[row]! };
  };
}
