/** Contributors with several records who are alone in cells: what each of them can compute of others, by exact elimination of the test's own. */
import { describe, expect, test } from "vitest";
import { auditTables } from "../../../src/tables/audit/index.ts";
import { onlyContributors } from "../../../src/tables/primary-rules/index.ts";
import { planSmallCells } from "../../../src/tables/small-cells/index.ts";
import { insiderRelations, type SparseColumns } from "../../../src/kernels/sparse-elimination.ts";
import { cellVectors, derivable } from "../exact-elimination.ts";
import { cube } from "../helpers.ts";
import { rowsWhere, ruleExample, type RuleExample, type Unit } from "../primary-rules/examples.ts";
import { firms, policy, released } from "./firms.ts";
import { numbersFrom } from "./reader.ts";

const whoOf = ({ by, holding }: Unit): string => holding ?? by!;

/** [cells] everybody who has a record in the cell, from the records. */
function peopleIn(given: RuleExample, units: readonly Unit[]): Set<string>[] {
  const { cells, hierarchies, system } = given;
  const inner = Array.from({ length: cells.size }, (_, i) => i);
  const names = inner.map((i) => cells.keys.map((key, k) => {
    const { dictionary } = hierarchies.get(key)!.levels[0]!;
    return new TextDecoder().decode(dictionary.bytes.subarray(dictionary.offsets[cells.codes[k]![i]!], dictionary.offsets[cells.codes[k]![i]! + 1]));
  }).join());
  return cellVectors(given, system).map((vector) => new Set(units.filter(({ at }) => vector[names.indexOf(at.join())] === 1).map(whoOf)));
}

/** What falls to somebody who knows every inner cell that is his alone. */
function fallen(given: RuleExample, units: readonly Unit[], pattern: Uint8Array, primary: (cell: number) => boolean): string[] {
  const vectors = cellVectors(given, given.system);
  const people = peopleIn(given, units);
  const shown = vectors.filter((_, c) => pattern[c] === 0);
  const found: string[] = [];
  for (const who of new Set(units.map(whoOf))) {
    const isOwn = (c: number) => people[c]!.size === 1 && people[c]!.has(who);
    const own = vectors.filter((_, c) => pattern[c] !== 0 && isOwn(c));
    if (own.length === 0) continue;
    const targets = vectors.flatMap((_, c) => (pattern[c] !== 0 && primary(c) && !isOwn(c) ? [c] : []));
    derivable([...shown, ...own], targets.map((c) => vectors[c]!)).forEach((falls, i) => {
      if (falls) found.push(`${who} computes cell ${targets[i]}`);
    });
  }
  return found;
}

function randomUnits(seed: number): { units: Unit[]; keys: string[]; groups: Record<string, (value: string) => string>; levels: Record<string, readonly number[]> } {
  const random = numbersFrom(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const keys = ["a", "b", "c"].slice(0, 2 + below(2));
  const sizes = keys.map((_, k) => (k === 2 ? 2 : 3 + below(3)));
  const people = 4 + below(14);
  const units = Array.from({ length: people }, (_, who) => {
    const places = Array.from({ length: 1 + below(3) }, () => sizes.map((size) => `v${below(size)}`));
    return places.flatMap((at) => Array.from({ length: 1 + below(4) }, (): Unit => ({ at, by: `p${who}`, ...(seed % 3 === 0 ? { holding: `h${who % 5}` } : {}) })));
  }).flat();
  const nested = random() < 0.5;
  return { units, keys, groups: nested ? { a: (value) => (value < "v2" ? "low" : "high") } : {}, levels: nested ? { a: [0, 1] } : {} };
}

describe("random tables of few contributors with several records each", () => {
  test("120 tables: nobody computes a primary cell of others from what is shown and what is his alone", async () => {
    let [without, wrong, tables] = [0, 0, 0];
    for (let seed = 1; seed <= 120; seed++) {
      const { units, keys, groups, levels } = randomUnits(seed);
      const given = ruleExample(keys, units, { groups, specs: [cube("all", keys, levels)] });
      const { system } = given;
      const threshold = 3 + (seed % 3);
      const options = { threshold, interval: 2, jointSums: "ignore" as const };
      const small = (c: number) => system.count[c]! < threshold;
      const alone = onlyContributors(system, given.contributions);
      const people = peopleIn(given, units);
      alone.forEach((who, c) => expect(who > 0).toBe(people[c]!.size === 1));
      const plan = await planSmallCells(system, { ...options, alone }, auditTables).catch((error: { code?: string }) => error);
      if ("code" in plan) continue;
      tables++;
      const { pattern } = plan as { pattern: Uint8Array };
      wrong += fallen(given, units, pattern, small).length;
      const blind = await planSmallCells(system, options, auditTables);
      without += fallen(given, units, blind.pattern, small).length;
    }
    expect(tables).toBeGreaterThan(110);
    expect(wrong).toBe(0);
    // The same tables fall where only counts of 1 are taken for singletons.
    expect(without).toBeGreaterThan(10);
  }, 120_000);
});

describe("named cases", () => {
  const records = (cell: string, by: string, count: number): Unit[] => Array.from({ length: count }, () => ({ at: [cell], by }));
  const crowd = (cell: string, count: number): Unit[] => Array.from({ length: count }, (_, i) => ({ at: [cell], by: `${cell}${i}` }));
  const hidden = async (units: readonly Unit[]): Promise<string[]> => {
    const given = ruleExample(["k"], units);
    const plan = await planSmallCells(given.system, { threshold: 5, interval: 2, alone: onlyContributors(given.system, given.contributions) }, auditTables);
    return rowsWhere(given, (c) => plan.pattern[c] !== 0);
  };

  test("one patient's three visits are known to the patient: a third cell is hidden", async () => {
    expect(await hidden([...records("a", "x", 3), ...crowd("b", 4), ...crowd("c", 6), ...crowd("d", 30)])).toEqual(["a", "b", "c"]);
    expect(await hidden([...crowd("a", 3), ...crowd("b", 4), ...crowd("c", 6), ...crowd("d", 30)])).toEqual(["a", "b"]);
  });

  test("who is alone in a large cell that was hidden for another's sake is not what protects that one", async () => {
    expect(await hidden([...crowd("a", 3), ...records("b", "x", 6), ...crowd("c", 7), ...crowd("d", 30)])).toEqual(["a", "c"]);
  });

  test("who is alone in two cells knows both together", async () => {
    expect(await hidden([...records("a", "x", 3), ...records("b", "x", 2), ...crowd("c", 4), ...crowd("d", 9), ...crowd("e", 30)])).toEqual(["a", "b", "c", "d"]);
  });

  test("two cells that are one contributor's need no third", async () => {
    expect(await hidden([...records("a", "x", 3), ...records("b", "x", 4), ...crowd("c", 9), ...crowd("d", 30)])).toEqual(["a", "b"]);
  });
});

test("relations name the columns with their times", () => {
  const columns = (...lists: readonly (readonly number[])[]): SparseColumns => ({
    starts: Int32Array.from([0, ...lists.map((_, i) => lists.slice(0, i + 1).flat().length)]), rows: Int32Array.from(lists.flat()),
  });
  // 0 + 1 + 2 and 2 + 3 are known; who knows 0 and 1 finds 2 and with it 3.
  const found = insiderRelations(4, columns([0, 1, 2], [2, 3]), columns([0], [1], [2], [3]), [[0, 1], [3]], Uint8Array.of(1, 1, 1, 1));
  expect(found).toEqual([
    { insider: 0, column: 2, times: 1, by: [[0, -1], [1, -1]] },
    { insider: 0, column: 3, times: 1, by: [[0, 1], [1, 1]] },
    { insider: 1, column: 2, times: 1, by: [[3, -1]] },
  ]);
});

test("a release of visits: a column of persons is enough", async () => {
  const data = firms(31, 300);
  // Owner 1 alone in one cell, with ten records.
  data.rows.forEach((row, i) => {
    const own = row as string[];
    if (own[2] === "r3" && own[3] === "k2") own[3] = "k1";
    if (i < 10) Object.assign(own, ["owner1", "group0", "r3", "k2"]);
  });
  const input = policy([{ rule: "frequency", minimum: 11 }]);
  input.release.protect[0] = { method: "small-cells", threshold: 11 };
  const { rows } = await released(input, data);
  for (const margin of ["region", "kind"] as const) {
    const [own, other] = margin === "region" ? ["r3", "kind"] : ["k2", "region"];
    const blank = rows.filter((row) => row[margin] === own && row[other] !== "(total)" && row["count"] === "");
    expect(blank.length).toBeGreaterThanOrEqual(2);
  }
});
