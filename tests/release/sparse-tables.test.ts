/** Tables whose rows without records are left out, through whole releases: what is in the files, and what `verify` refuses. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { release, verify, type PolicyInput } from "../../src/index.ts";
import { inForm, Random, type Rows } from "./data.ts";
import { coverUp, failure, workFolder } from "./walk.ts";

const work = workFolder("sparse-tables");
afterAll(work.remove);

const DIMENSIONS = ["d0", "d1", "d2", "d3"];
const SIZES = [12, 9, 6, 4];

function records(count: number): Rows {
  const random = new Random(11);
  return {
    names: DIMENSIONS,
    rows: Array.from({ length: count }, () => SIZES.map((size, k) => `${"abcd"[k]}${String(Math.floor(size * random.next() ** 2.5)).padStart(2, "0")}`)),
  } as Rows;
}

function policy(changes: { method?: object; table?: object; formats?: ("csv" | "arrow" | "parquet" | "html")[] } = {}): PolicyInput {
  return {
    commensurate: 1,
    dataset: { name: "cube" },
    classification: "low",
    columns: Object.fromEntries(DIMENSIONS.map((name) => [name, { role: "quasi-identifier" }])),
    release: {
      kind: "tables",
      formats: changes.formats ?? ["csv"],
      tables: [{ name: "cube", dimensions: DIMENSIONS, emptyCells: "omit", ...changes.table }],
      protect: [{ method: "small-cells", threshold: 11, secondary: "moves", singletons: "ignore", ...changes.method }],
    },
  } as PolicyInput;
}

describe("a sparse cube", () => {
  const data = records(3000);
  let directory: string;
  let folder: string;
  /** Records of each cell of each margin, counted here with no help from the product. */
  const truth = new Map<string, number>();

  beforeAll(async () => {
    folder = work.sub();
    for (const row of data.rows) {
      for (let mask = 0; mask < 16; mask++) {
        const name = (row as readonly string[]).map((text, k) => ((mask >> k) & 1) === 1 ? text : "(total)").join();
        truth.set(name, (truth.get(name) ?? 0) + 1);
      }
    }
    ({ directory } = await release(policy({ formats: ["csv", "arrow", "parquet"] }), { source: await inForm("csv", data, folder), out: join(folder, "out") }));
  }, 60_000);

  const rows = (): Record<string, string>[] => parse(readFileSync(join(directory, "public/cube.csv")), { columns: true });
  const nameOf = (row: Record<string, string>): string => DIMENSIONS.map((name) => row[name]).join();

  test("lists every combination that has records once, and no other", () => {
    const names = rows().map(nameOf);
    expect(new Set(names).size).toBe(names.length);
    expect([...names].sort()).toEqual([...truth.keys()].sort());
  });

  test("shows true counts, no small one, and blanks with an annotation", () => {
    let shown = 0;
    for (const row of rows()) {
      const count = truth.get(nameOf(row))!;
      if (row.count === "") expect(row.count_annotation).toBe("1");
      else {
        shown++;
        expect([row.count, row.count_annotation]).toEqual([String(count), "0"]);
        expect(count).toBeGreaterThanOrEqual(11);
      }
    }
    expect(shown).toBeGreaterThan(20); // else nothing was tried
  });

  test("passes verification again, and says in public that rows left out are zeros", async () => {
    expect((await verify(directory)).verdict).toBe("pass");
    expect(readFileSync(join(directory, "public/README.md"), "utf8")).toContain("has no row is a count of 0");
  });

  /** A copy with one file changed, size and hash put right in the public lists. */
  async function verdictAfter(path: string, edit: (bytes: Buffer) => Buffer | string): Promise<{ verdict: string; failed: string[] }> {
    const copy = join(work.sub(), "out");
    cpSync(directory, copy, { recursive: true });
    const before = readFileSync(join(copy, path));
    const after = edit(Buffer.from(before));
    expect(before.equals(Buffer.from(after))).toBe(false);
    writeFileSync(join(copy, path), after);
    coverUp(copy);
    const evidence = await verify(copy);
    return { verdict: evidence.verdict, failed: evidence.checks.filter(({ pass }) => !pass).map(({ check }) => check) };
  }

  const lines = (bytes: Buffer): string[] => bytes.toString().trimEnd().split("\n");
  test.each([
    ["a shown count that is one more", (all: string[]) => all.map((line, i) => (i === 1 ? line.replace("3000,0", "3001,0") : line)), "csv/tables-that-agree"],
    ["a row taken away", (all: string[]) => all.filter((_, i) => i !== all.length - 1), "csv/rows"],
    ["a row twice", (all: string[]) => [...all, all.at(-1)!], "csv/rows"],
    ["two rows in another order", (all: string[]) => [...all.slice(0, -2), all.at(-1)!, all.at(-2)!], "csv/rows"],
    ["a small count filled in", (all: string[]) => all.map((line, i) => (i === all.length - 1 ? line.replace(/,,1$/, ",1,0") : line)), "csv/small-counts"],
    ["an annotation that says shown", (all: string[]) => all.map((line, i) => (i === all.length - 1 ? line.replace(/,,1$/, ",,0") : line)), "csv/cells"],
  ])("verify finds %s", async (_, edit, found) => {
    const { verdict, failed } = await verdictAfter("public/cube.csv", (bytes) => `${edit(lines(bytes)).join("\n")}\n`);
    expect(verdict).toBe("fail");
    expect(failed).toContain(found);
  });

  test("verify takes no proof that was changed: cut, lengthened, another base, another walk", async () => {
    const path = "internal/proof-of-intervals.bin";
    const edits: ((bytes: Buffer) => Buffer)[] = [
      (bytes) => bytes.subarray(0, -4),
      (bytes) => Buffer.concat([bytes, Buffer.alloc(4)]),
      (bytes) => (bytes.writeInt32LE(bytes.readInt32LE(bytes.length - 4) ^ 1, bytes.length - 4), bytes),
      (bytes) => (bytes.writeInt32LE(bytes.readInt32LE(16 + 16 * bytes.readInt32LE(8)) + 1, 16 + 16 * bytes.readInt32LE(8)), bytes),
      (bytes) => (bytes.writeInt32LE(99, 16), bytes),
      (bytes) => (bytes.writeInt32LE(2 ** 30, 8), bytes),
    ];
    for (const edit of edits) expect((await verdictAfter(path, edit)).verdict).toBe("fail");
  });
});

describe("what the road does not do is refused before anything is read twice", () => {
  test.each([
    ["singletons that are protected", { method: { singletons: "protect" } }, "sparse/option"],
    ["separate codes", { method: { codes: "separate" } }, "sparse/option"],
    ["zeros that are protected", { method: { zeros: "protect" } }, "sparse/option"],
    ["rows that are listed", { table: { emptyCells: "list" } }, "sparse/option"],
    ["no sum rows", { table: { sumRows: false } }, "sparse/option"],
    ["a form for people", { formats: ["csv", "html"] as ("csv" | "html")[] }, "sparse/option"],
    ["rows left out under elimination", { method: { secondary: "elimination" } }, "tables/rows-left-out"],
  ])("%s", async (_, changes, code) => {
    const folder = work.sub();
    expect((await failure(policy(changes), await inForm("csv", records(50), folder), folder)).code).toBe(code);
  });
});
