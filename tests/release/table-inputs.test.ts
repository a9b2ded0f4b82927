/** Finished tables as input: long with their totals, and crosstabs. They give what the records themselves give. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { release, type PolicyInput } from "../../src/index.ts";
import { unpivot } from "../../src/sources/unpivot.ts";
import { recordsSource } from "../../src/sources/memory/index.ts";
import { createHasher } from "../../src/node/hash.ts";
import { readSource } from "../sources/read-source.ts";
import { Random } from "./data.ts";
import { COUNTIES, countsByCell, RACES } from "./scenarios.ts";
import { differences, workFolder } from "./walk.ts";

const work = workFolder("table-inputs");
afterAll(work.remove);

function policy(changes: { totals?: string[]; across?: NonNullable<PolicyInput["source"]>["across"]; path: string }): PolicyInput {
  const { totals, across, path } = changes;
  return {
    commensurate: 1,
    dataset: { name: "people" },
    classification: "low",
    source: { path, ...(across === undefined ? {} : { across }) },
    columns: {
      county: { role: "quasi-identifier", hierarchy: { kind: "tree", inline: COUNTIES }, ...(totals === undefined ? {} : { totals }) },
      race: { role: "quasi-identifier", ...(totals === undefined ? {} : { totals }) },
      people: { role: "frequency" },
    },
    release: { kind: "tables", tables: [{ name: "t", dimensions: [{ column: "county", levels: [0, 1] }, "race"] }], protect: [{ method: "small-cells", threshold: 11 }] },
  };
}

const counts = countsByCell(new Random(3));
const sum = (numbers: readonly number[]): number => numbers.reduce((all, n) => all + n, 0);
const long = ["county,race,people", ...counts.flatMap((row, c) => row.map((n, r) => `${COUNTIES[c]![0]},${RACES[r]},${n}`))];
const totals = [
  ...counts.map((row, c) => `${COUNTIES[c]![0]},All,${sum(row)}`),
  ...RACES.map((race, r) => `All,${race},${sum(counts.map((row) => row[r]!))}`),
  `All,All,${sum(counts.map(sum))}`,
];
const wide = [`county,${RACES.join(",")}`, ...counts.map((row, c) => `${COUNTIES[c]![0]},${row.join(",")}`)];

async function released(folder: string, lines: readonly string[], changes: Omit<Parameters<typeof policy>[0], "path"> = {}): Promise<string> {
  writeFileSync(join(folder, "table.csv"), `${lines.join("\n")}\n`);
  const { directory } = await release(policy({ ...changes, path: "table.csv" }), { folder, out: join(folder, "out") });
  return directory;
}

test("a table with its totals, and a crosstab, give the release of the plain table", async () => {
  const plain = await released(work.sub(), long);
  const withTotals = await released(work.sub(), [...long, ...totals], { totals: ["All"] });
  const crosstab = await released(work.sub(), wide, { across: { name: "race", value: "people", keep: ["county"] } });
  for (const other of [withTotals, crosstab]) expect(readFileSync(join(other, "public/t.csv"), "utf8")).toBe(readFileSync(join(plain, "public/t.csv"), "utf8"));
  expect(differences(join(plain, "public"), join(crosstab, "public"))).toEqual([]);
});

test("a total that is not the sum of its parts is refused", async () => {
  const wrong = totals.map((line, i) => (i === 2 ? line.replace(/\d+$/, (n) => String(Number(n) + 1)) : line));
  await expect(released(work.sub(), [...long, ...wrong], { totals: ["All"] })).rejects.toMatchObject({ code: "tables/total-contradicts" });
});

test("a suppressed number in a crosstab is no number and is refused", async () => {
  const lines = wide.map((line, i) => (i === 1 ? line.replace(/,\d+$/, ",") : line));
  await expect(released(work.sub(), lines, { across: { name: "race", value: "people", keep: ["county"] } })).rejects.toMatchObject({ code: expect.stringMatching(/^(cells|csv|source)\//) });
});

test("a crosstab is one record for each of its numbers, in order, as texts or numbers", async () => {
  const source = () =>
    unpivot(recordsSource([{ k: "x", a: 1, b: 2 }, { k: "y", a: 3, b: null }], { newHasher: createHasher }), { name: "h", value: "v", keep: ["k"] });
  expect((await source().columns()).map(({ name }) => name)).toEqual(["k", "h", "v"]);
  const texts = await readSource(source(), ["v", "k", "h"]);
  expect(texts.columns).toEqual({ v: ["1", "2", "3", null], k: ["x", "x", "y", "y"], h: ["a", "b", "a", "b"] });
  const numbers = await readSource(source(), [{ name: "v", as: "numbers" }, "h"]);
  expect(numbers.columns).toEqual({ v: [1, 2, 3, null], h: ["a", "b", "a", "b"] });
  await expect(unpivot(recordsSource([{ k: 1 }], { newHasher: createHasher }), { name: "h", value: "v", keep: ["k"] }).columns()).rejects.toMatchObject({ code: "source/across-columns" });
});

test("a category that a finished table lists with nobody in it is not listed in the release, so that listed ones hold somebody", async () => {
  const lines = ["county,race,people", ...["a", "b", "c"].flatMap((race, r) => [`Alpine,${race},${[5, 0, 40][r]}`, `Mono,${race},${[30, 0, 50][r]}`, `Inyo,${race},${[25, 0, 3][r]}`])];
  const folder = work.sub();
  writeFileSync(join(folder, "table.csv"), `${lines.join("\n")}\n`);
  const plain = policy({ path: "table.csv" });
  const { directory } = await release(
    { ...plain, release: { kind: "tables", tables: [{ name: "t", dimensions: ["county", "race"] }], protect: [{ method: "small-cells", threshold: 11, zeros: "protect" }] } },
    { folder, out: join(folder, "out") },
  );
  const rows = readFileSync(join(directory, "public/t.csv"), "utf8").split("\n");
  expect(new Set(rows.slice(1, -1).map((row) => row.split(",")[1]))).toEqual(new Set(["a", "c", "(total)"]));
});
