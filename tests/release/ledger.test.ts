/** A release that is attacked together with everything that is out, before it appears. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { addToLedger, release, type LedgerEntry, type PolicyInput } from "../../src/index.ts";
import { workFolder } from "./walk.ts";

const work = workFolder("ledger");
afterAll(work.remove);

/** Alder's women are 5: below 11. With all margins, a second county and a second sex are hidden beside them. */
const PEOPLE = [["Alder", "F", 5], ["Alder", "M", 40], ["Alder", "X", 60], ["Birch", "F", 30], ["Birch", "M", 50], ["Birch", "X", 70]] as const;

interface Changes {
  readonly version?: string;
  readonly beside?: string;
  readonly sumRows?: boolean;
  readonly dimensions?: string[];
}

function policy({ version = "1", beside = "M", sumRows = true, dimensions = ["county", "sex"] }: Changes): PolicyInput {
  return {
    commensurate: 1,
    dataset: { name: "people", version },
    classification: "low",
    source: { path: "people.csv" },
    columns: { county: { role: "quasi-identifier" }, sex: { role: "quasi-identifier" }, people: { role: "frequency" } },
    release: {
      kind: "tables",
      tables: [{ name: "t", dimensions, ...(sumRows ? {} : { sumRows }) }],
      protect: [{ method: "small-cells", threshold: 11, ...(dimensions.includes("sex") ? { hideFirst: { sex: [beside] } } : {}) }],
    },
  };
}

function folderWithPeople(): string {
  const folder = work.sub();
  writeFileSync(join(folder, "people.csv"), `county,sex,people\n${PEOPLE.map((row) => row.join(",")).join("\n")}\n`);
  return folder;
}

const ledgerOf = (folder: string): LedgerEntry[] => readFileSync(join(folder, "out.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as LedgerEntry);
const run = (folder: string, out: string, changes: Changes = {}): ReturnType<typeof release> =>
  release(policy(changes), { folder, out: join(folder, out), ledger: join(folder, "out.jsonl") });

test("what stays safe beside all that is out appears and is written down", async () => {
  const folder = folderWithPeople();
  await run(folder, "first");
  await run(folder, "second", { version: "2", dimensions: ["county"] });
  const entries = ledgerOf(folder);
  expect(entries.map(({ release: name, version, attackedWith }) => [name, version, attackedWith])).toEqual([["first", "1", []], ["second", "2", ["first, version 1"]]]);
  expect(entries[0]!.tables.map(({ path }) => path)).toEqual(["first/public/t.csv"]);
  expect(readdirSync(folder).filter((name) => name.includes("lock"))).toEqual([]);
});

test.each([["totals in the files", true], ["totals published elsewhere", false]])("blanks that differ from those that are out undo both: %s", async (_, sumRows) => {
  const folder = folderWithPeople();
  await run(folder, "first", { sumRows });
  const blank = (out: string): string[] => readFileSync(join(folder, out, "public/t.csv"), "utf8").split("\n").filter((line) => /^(Alder|Birch)/.test(line) && line.includes(",,"));
  expect(blank("first")).toHaveLength(4);
  // Alone, the other pattern is as good.
  await release(policy({ beside: "X", sumRows }), { folder, out: join(folder, "alone") });
  expect(blank("alone")).toHaveLength(4);
  await expect(run(folder, "second", { version: "2", beside: "X", sumRows })).rejects.toMatchObject({
    name: "DisclosureError", code: "release/falls-with-earlier", detail: { releases: 1 },
  });
  expect(existsSync(join(folder, "second"))).toBe(false);
  expect(ledgerOf(folder)).toHaveLength(1);
  expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  // The same blanks again are no news.
  await run(folder, "third", { version: "3", sumRows });
  expect(ledgerOf(folder)).toHaveLength(2);
});

test("what is out is never replaced, and stays as it was published", async () => {
  const folder = folderWithPeople();
  await run(folder, "first");
  await expect(run(folder, "first")).rejects.toMatchObject({ code: "ledger/same-release" });
  await expect(run(folder, "first", { version: "2" })).rejects.toMatchObject({ code: "ledger/would-replace" });
  const table = join(folder, "first/public/t.csv");
  const text = readFileSync(table, "utf8");
  expect(text).toContain("60");
  writeFileSync(table, text.replace("60", "61"));
  await expect(run(folder, "second", { version: "2" })).rejects.toMatchObject({ code: "ledger/changed-file" });
});

test("numbers that do not add up have no ledger", async () => {
  const folder = folderWithPeople();
  const input = policy({});
  const noisy = { ...input, release: { ...input.release, protect: [{ method: "rounding", base: 5, kind: "deterministic" }] } } as PolicyInput;
  await expect(release(noisy, { folder, out: join(folder, "out"), ledger: join(folder, "out.jsonl") })).rejects.toMatchObject({ code: "release/ledger-method" });
});

test("releases of others are written down from code as well", async () => {
  const folder = work.sub();
  writeFileSync(join(folder, "t.csv"), "sex,n\nf,20\nm,30\nTotal,50\n");
  const entry = await addToLedger(folder, { ledger: join(folder, "out.jsonl"), dataset: "others", date: "2025-03-01" });
  expect(entry).toMatchObject({ dataset: "others", tables: [{ path: "t.csv", margins: [["sex"], []] }] });
  expect(ledgerOf(folder)).toEqual([entry]);
});
