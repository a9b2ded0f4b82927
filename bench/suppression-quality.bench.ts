import { readFileSync } from "node:fs";
import { bench, describe } from "vitest";
import { auditTables } from "../src/tables/audit/index.ts";
import { suppressByHypercubes } from "../src/tables/hypercube/index.ts";
import { suppressOptimally } from "../src/tables/optimal-suppression/index.ts";
import { planSmallCells, type SuppressionMethod } from "../src/tables/small-cells/index.ts";
import { tabulate, type TableSystem } from "../src/tables/tabulate/index.ts";
import { cube, example } from "../tests/tables/helpers.ts";

/**
 * Cells and people that each way to choose complementary cells hides, all at interval 5 and audited, beside the least that an
 * integer program finds. Small tables: random ones of two and three dimensions with all margins, and groups of real counties
 * by race and by sex. Prints sums over the tables in which the program found its optimum; the benches measure one table each.
 */
const INTERVAL = 5;
const RANDOM = 24;
const TABLES = 6;
const COUNTIES = 3;

function randomTable(seed: number): TableSystem {
  let state = Math.imul(seed, 2654435761) >>> 0;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const shape = seed % 2 === 0 ? [6, 5] : [4, 3, 2];
  const keys = ["a", "b", "c"].slice(0, shape.length);
  const rows: (string | number)[][] = [];
  for (let at = 0; at < shape.reduce((all, n) => all * n, 1); at++) {
    let rest = at;
    const row = shape.map((n) => {
      const code = rest % n;
      rest = Math.floor(rest / n);
      return `v${code}`;
    });
    rows.push([...row, random() < 0.25 ? 1 + Math.floor(10 * random()) : 11 + Math.floor(150 * random() ** 2)]);
  }
  const { cells, hierarchies } = example(keys, rows);
  return tabulate(cells, hierarchies, [cube("t", keys)], { zeros: "publish" });
}

/** Counties in the file's order, a few at a time. */
function realTables(): TableSystem[] {
  const [, ...lines] = readFileSync(new URL("../tests/fixtures/tables/county-race-sex.csv", import.meta.url), "utf8").trimEnd().split(/\r?\n/);
  const byCounty = new Map<string, string[][]>();
  for (const line of lines) {
    const fields = line.split(",");
    const own = byCounty.get(fields[0]!);
    if (own === undefined) byCounty.set(fields[0]!, [fields]);
    else own.push(fields);
  }
  const counties = [...byCounty.values()];
  const keys = ["county", "race_ethnicity", "sex"];
  return Array.from({ length: TABLES }, (_, k) => {
    const rows = counties.slice(k * COUNTIES, (k + 1) * COUNTIES).flat().map((fields) => [fields[0]!, fields[1]!, fields[2]!, Number(fields[3])]);
    const { cells, hierarchies } = example(keys, rows);
    return tabulate(cells, hierarchies, [cube("t", keys)], { zeros: "publish" });
  });
}

const optimum = (least: "cells" | "people"): SuppressionMethod => (system, request) => suppressOptimally(system, { ...request, least });
const WAYS: readonly (readonly [name: string, proposal: SuppressionMethod | undefined])[] = [
  ["elimination", undefined],
  ["hypercubes", (system, request) => suppressByHypercubes(system, request)],
  ["optimal, fewest people", optimum("people")],
  ["optimal, fewest cells", optimum("cells")],
];

async function hiddenBy(system: TableSystem, proposal: SuppressionMethod | undefined): Promise<{ cells: number; people: number; found: boolean }> {
  let found = true;
  const watched: SuppressionMethod | undefined = proposal === undefined ? undefined : async (...asked) => {
    const answer = await proposal(...asked);
    found = answer !== undefined;
    return answer;
  };
  const { pattern } = await planSmallCells(system, { threshold: 11, interval: INTERVAL, jointSums: "ignore", singletons: "ignore", proposal: watched }, auditTables);
  let [cells, people] = [0, 0];
  pattern.forEach((state, c) => {
    if (state === 0) return;
    cells++;
    people += system.count[c]!;
  });
  return { cells, people, found };
}

for (const [name, systems] of [
  [`${RANDOM} random tables`, Array.from({ length: RANDOM }, (_, k) => randomTable(k + 1))],
  [`${TABLES} tables of ${COUNTIES} counties by race by sex`, realTables()],
] as const) {
  const sums = WAYS.map(() => ({ cells: 0, people: 0 }));
  let compared = 0;
  for (const system of systems) {
    const results = [];
    for (const [, proposal] of WAYS) results.push(await hiddenBy(system, proposal));
    if (results.some(({ found }) => !found)) continue;
    compared++;
    results.forEach(({ cells, people }, w) => {
      sums[w]!.cells += cells;
      sums[w]!.people += people;
    });
  }
  console.log(`${name}, ${compared} compared: ${WAYS.map(([way], w) => `${way} ${sums[w]!.cells} cells, ${sums[w]!.people} people`).join("; ")}`);
  describe(name, () => {
    for (const [way, proposal] of WAYS) {
      bench(way, async () => void (await hiddenBy(systems[0]!, proposal)), { iterations: 1, warmupIterations: 0, time: 0, warmupTime: 0 });
    }
  });
}
