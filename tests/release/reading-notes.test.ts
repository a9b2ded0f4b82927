/** What a release says of categories that programs read as something else. Expectations: pandas 3.1 `read_csv` with defaults. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { release, type PolicyInput } from "../../src/index.ts";
import { readingNotes } from "../../src/release/roads/reading-notes.ts";
import { workFolder } from "./walk.ts";

const work = workFolder("reading-notes");
afterAll(work.remove);

const policy = (formats: readonly string[] = ["csv"]) => ({ release: { formats } }) as unknown as Parameters<typeof readingNotes>[0];
const dimension = (column: string, ...labels: (string | null)[]) => ({ column, places: labels.map((label) => ({ level: 0, label, parent: 0 })) });

test.each<readonly [string, readonly (string | null)[], RegExp | undefined]>([
  ["plain categories", ["north", "south", null, "Total"], undefined],
  ["NA", ["NA", "other"], /keep_default_na=False/],
  ["None and null", ["None", "null"], /keep_default_na=False/],
  ["na is a text to pandas", ["na", "none", "NONE"], undefined],
  ["codes with leading zeros", ["06001", "12001"], /leading zeros/],
  ["codes that look like powers of ten", ["1E5", "2e10"], /read them as numbers/],
  ["ranges that look like days of a year", ["5-9", "10-14"], /ranges/],
  ["ranges that are no days of any year", ["35-39", "0-4", "85+", "2020-24"], undefined],
  ["zero itself, decimals and years are harmless", ["0", "0.5", "2024"], undefined],
  ["codes beyond exact numbers", ["12345678901234567"], /dtype/],
])("%s", (_, labels, note) => {
  const notes = readingNotes(policy(), [dimension("c", ...labels), dimension("d", "x")]);
  expect(notes.length).toBe(note === undefined ? 0 : 1);
  if (note === undefined) return;
  expect(notes[0]).toMatch(note);
  expect(notes[0]).toMatch(/^In c, /);
});

test("Arrow and Parquet carry types, so nothing is said", () => {
  expect(readingNotes(policy(["arrow", "parquet"]), [dimension("c", "NA", "06001")])).toEqual([]);
});

test("the README of a release has the notes", async () => {
  const people = Array.from({ length: 80 }, (_, i) => ({ fips: i % 2 === 0 ? "06001" : "06003", answer: i % 4 < 2 ? "NA" : "Yes" }));
  const input = {
    commensurate: 1, dataset: { name: "answers" }, classification: "moderate",
    columns: { fips: { role: "quasi-identifier" }, answer: { role: "quasi-identifier" } },
    release: { kind: "tables", tables: [{ name: "answers", dimensions: ["fips", "answer"] }], protect: [{ method: "small-cells", threshold: 11 }] },
  } as PolicyInput;
  const { directory } = await release(input, { source: people, out: join(work.sub(), "out") });
  const readme = readFileSync(join(directory, "public/README.md"), "utf8");
  expect(readme).toContain("keep_default_na");
  expect(readme).toContain("leading zeros included");
});
