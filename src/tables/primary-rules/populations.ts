import { dictionaryTexts } from "../../columns/index.ts";
import { InternalError, PolicyError } from "../../errors/index.ts";
import type { RuleInput } from "./outcome.ts";
import type { PopulationsRule } from "./schema.ts";

/**
 * Cells that count people of the listed categories only, or that listed tables publish. A cell that sums over the column
 * counts as well when everybody in it is of a listed category, since its number is theirs.
 *
 * @returns about [cells] 1 for such cells; notes on what the policy lists and the data do not have
 * @throws PolicyError `primary-rules/unknown-column`, `primary-rules/unknown-table`
 * Time O(values of the column x levels + inner + entries of the model matrix).
 */
export function populationCells(input: RuleInput, rule: PopulationsRule): { about: Uint8Array; notes: string[] } {
  const { system } = input;
  const about = new Uint8Array(system.cells);
  for (const name of rule.tables ?? []) {
    const table = system.tables.find((own) => own.name === name);
    if (table === undefined) {
      throw new PolicyError(
        "primary-rules/unknown-table", `Rule populations names table ${name}, which the policy does not have. Correct the name.`,
        { table: name },
      );
    }
    for (const c of table.cell) if (c >= 0) about[c] = 1;
  }
  if (rule.column === undefined || rule.categories === undefined) return { about, notes: [] };

  const k = system.columns.findIndex(({ column }) => column === rule.column);
  const levels = input.hierarchies?.get(rule.column)?.levels;
  if (k < 0) {
    throw new PolicyError(
      "primary-rules/unknown-column",
      `Rule populations names column ${rule.column}, which is no dimension of a table. ` +
        "Name a dimension, or list the tables that are about such people.",
      { column: rule.column },
    );
  }
  if (levels === undefined) {
    throw new InternalError("primary-rules/no-hierarchies", "Rules that name categories need the hierarchies of the dimensions.", {
      column: rule.column,
    });
  }

  // Values in a listed category, at whatever level it stands.
  const listed = new Set(rule.categories);
  const found = new Set<string>();
  const leaves = levels[0]!.dictionary.size;
  const member = new Uint8Array(leaves);
  for (const { map, dictionary } of levels) {
    const isListed = dictionaryTexts(dictionary).map((text) => {
      if (listed.has(text)) found.add(text);
      return listed.has(text);
    });
    for (let leaf = 0; leaf < leaves; leaf++) if (map[leaf]! >= 0 && isListed[map[leaf]!]!) member[leaf] = 1;
  }
  const notes: string[] = [];
  if (found.size < listed.size) {
    notes.push(
      `Rule populations lists ${listed.size - found.size} of ${listed.size} categories that column ${rule.column} does not have.`,
    );
  }

  // A published category is of the population when all its values are.
  const { levels: published, level, code, size } = system.columns[k]!;
  const finest = published[0]!;
  const placeIsAbout = new Uint8Array(size);
  const { map, dictionary } = levels[finest]!;
  const outside = new Uint8Array(dictionary.size);
  const inside = new Uint8Array(dictionary.size);
  for (let leaf = 0; leaf < leaves; leaf++) {
    if (map[leaf]! < 0) continue;
    if (member[leaf] === 1) inside[map[leaf]!] = 1;
    else outside[map[leaf]!] = 1;
  }
  const mixed = inside.reduce((n, isIn, c) => n + (isIn === 1 && outside[c] === 1 ? 1 : 0), 0);
  if (mixed > 0) {
    notes.push(`Rule populations lists values of column ${rule.column} that the tables publish only together with others.`);
  }
  for (let p = 0; p < size; p++) {
    if (level[p] === finest && code[p]! >= 0 && inside[code[p]!] === 1 && outside[code[p]!] === 0) placeIsAbout[p] = 1;
  }

  // Every margin that shows the column at its finest level splits the inner cells among its cells.
  const others = new Uint8Array(system.inner).fill(1);
  const m = system.margins.findIndex((margin) => margin[k] === finest);
  for (let c = system.marginStarts[m]!; c < system.marginStarts[m + 1]!; c++) {
    if (placeIsAbout[system.places[k]![c]!] === 0) continue;
    for (let at = system.starts[c]!; at < system.starts[c + 1]!; at++) others[system.rows[at]!] = 0;
  }
  for (let c = 0; c < system.cells; c++) {
    const isEmpty = system.count[c] === 0;
    let mayBe = true;
    for (let at = system.starts[c]!; at < system.starts[c + 1]! && mayBe; at++) {
      const inner = system.rows[at]!;
      mayBe = others[inner] === 0 || (!isEmpty && system.innerCount[inner] === 0);
    }
    if (mayBe) about[c] = 1;
  }
  return { about, notes };
}
