import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { createHierarchy, intervalHierarchy, parseHierarchyCsv } from "../../src/hierarchies/index.ts";
import { becomes, dictionaryOf, expectSoundHierarchy, sharesOf } from "./laws.ts";

/** The extract of the 1994 US census and its hierarchies as the ARX benchmarks use them; see examples/data/README.md. */
const folder = new URL("../../examples/data/adult/", import.meta.url);
const readText = (path: string): string => readFileSync(new URL(path, folder), "utf8");
const [header, ...rows] = gunzipSync(readFileSync(new URL("adult.csv.gz", folder))).toString("utf8").trimEnd().split("\r\n")
  .map((line) => line.split(";"));

/** Levels and lines of each file, counted by hand. The product of the levels is the lattice of 12,960 nodes. */
const FILES = [
  { column: "sex", levels: 2, leaves: 2 }, { column: "age", levels: 5, leaves: 100 }, { column: "race", levels: 2, leaves: 5 },
  { column: "marital-status", levels: 3, leaves: 7 }, { column: "education", levels: 4, leaves: 16 },
  { column: "native-country", levels: 3, leaves: 41 }, { column: "workclass", levels: 3, leaves: 8 },
  { column: "occupation", levels: 3, leaves: 14 }, { column: "salary-class", levels: 2, leaves: 2 },
];

const hierarchy = (column: string) =>
  createHierarchy({ kind: "tree", path: `hierarchy-${column}.csv`, delimiter: ";" }, readText);

describe("adult", () => {
  test("30,162 records with nine columns", () => {
    expect(header).toEqual(FILES.map((file) => file.column));
    expect(rows.length).toBe(30_162);
  });

  test.each(FILES)("$column: $levels levels over $leaves leaves", ({ column, levels, leaves }) => {
    const index = header!.indexOf(column);
    const bound = expectSoundHierarchy(hierarchy(column), [...new Set(rows.map((row) => row[index]!))]);
    expect(bound.levels.length).toBe(levels);
    expect(bound.leaves).toBe(leaves);
    expect(sharesOf(bound, levels - 1)).toEqual({ "*": 1 });

    const lines = parseHierarchyCsv(readText(`hierarchy-${column}.csv`), ";");
    const whole = hierarchy(column).bind(dictionaryOf(lines.map((line) => line[0]!)), column);
    for (const level of whole.levels) expect(level.share.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
    expect(becomes(hierarchy(column), lines.map((line) => line[0]!))).toEqual(Object.fromEntries(lines.map((line) => [line[0], line])));
  });

  test("shares, from the lines of the files", () => {
    const shares = (column: string, level: number) => {
      const lines = parseHierarchyCsv(readText(`hierarchy-${column}.csv`), ";");
      return sharesOf(hierarchy(column).bind(dictionaryOf(lines.map((line) => line[0]!)), column), level);
    };
    expect(shares("age", 1)["0-4"]).toBe(5 / 100);
    expect(shares("age", 1)["5-9"]).toBe(5 / 100);
    expect(shares("marital-status", 1)).toEqual({ "spouse not present": 5 / 7, "spouse present": 2 / 7 });
  });

  /** The file counts 5, 10, 15, ... to the interval below, so "0-4" holds 1 to 5: intervals from origin 1 with other texts. */
  test("the ages are grouped as intervals from origin 1 are", () => {
    const lines = parseHierarchyCsv(readText("hierarchy-age.csv"), ";");
    const exact = becomes(intervalHierarchy({ widths: [5, 10, 20], origin: 1 }), lines.map((line) => line[0]!));
    for (const level of [1, 2, 3]) {
      const pairs = new Set(lines.map((line) => `${line[level]} = ${exact[line[0]!]![level]}`));
      expect(pairs.size).toBe(new Set(lines.map((line) => line[level])).size);
      expect(pairs.size).toBe(100 / [1, 5, 10, 20][level]!);
    }
  });
});
