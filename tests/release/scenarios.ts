/** One policy and random data for each road, small enough to run hundreds of times. */
import type { PolicyInput } from "../../src/index.ts";
import type { Random, Rows } from "./data.ts";

export const COUNTIES = [
  ["Alpine", "Sierra"], ["Mono", "Sierra"], ["Inyo", "Sierra"], ["Marin", "Bay"], ["Napa", "Bay"], ["Solano", "Bay"],
];
export const RACES = ["a", "b", "c", "d"];

const dataset = { name: "people", title: "People", released: "2026-01-31", license: "other-pd" };

export function microdataPolicy(changes: { k?: number; formats?: ("csv" | "arrow" | "parquet")[]; levels?: Record<string, number>; maxSuppressedShare?: number } = {}): PolicyInput {
  return {
    commensurate: 1,
    dataset,
    classification: "low",
    columns: {
      id: { role: "direct-identifier" },
      age: { role: "quasi-identifier", type: "integer", hierarchy: { kind: "interval", widths: [10, 20] } },
      county: { role: "quasi-identifier", hierarchy: { kind: "tree", inline: COUNTIES } },
      sex: { role: "quasi-identifier", nulls: ["", "?"] },
      income: { role: "measure", type: "number" },
      note: { role: "other" },
      secret: { role: "other", drop: true },
    },
    // Tiny random tables are full of unique records, which raises the tier; the tests are about other things.
    ...((changes.k ?? 5) < 11 && {
      overrides: [{ requirement: "minimum-class-size", value: changes.k ?? 5, reason: "Invented people in a test.", approvedBy: "the test" }],
    }),
    release: {
      kind: "microdata",
      formats: changes.formats ?? ["csv", "arrow", "parquet"],
      protect: [{ method: "k-anonymity", k: changes.k ?? 5, maxSuppressedShare: changes.maxSuppressedShare ?? 1, levels: changes.levels ?? {} }],
    },
  };
}

/** Columns id, age, county, sex, income, note, secret. */
export function people(random: Random, records: number): Rows {
  const rows = Array.from({ length: records }, (_, i): (string | null)[] => [
    `ID${i}-${random.word()}`,
    String(random.below(random.chance(0.1) ? 120 : 45)),
    random.pick(COUNTIES)[0]!,
    random.chance(0.05) ? null : random.pick(["f", "m"]),
    random.chance(0.1) ? null : String(random.below(2000) / 4 - 100),
    random.chance(0.2) ? null : random.pick(["plain", "with, comma", 'with "quotes"', "two\nlines", "ünïcödé", ""]) || null,
    random.word(),
  ]);
  return { names: ["id", "age", "county", "sex", "income", "note", "secret"], rows };
}
export const PEOPLE_TYPES = { integers: ["age"], doubles: ["income"] };

export function smallCellsPolicy(changes: { threshold?: number; zeros?: "publish" | "protect"; codes?: "merged" | "separate"; formats?: ("csv" | "arrow" | "parquet")[] } = {}): PolicyInput {
  return {
    commensurate: 1,
    dataset,
    classification: "low",
    columns: {
      id: { role: "direct-identifier" },
      county: { role: "quasi-identifier", hierarchy: { kind: "tree", inline: COUNTIES } },
      race: { role: "quasi-identifier" },
      secret: { role: "other", drop: true },
    },
    release: {
      kind: "tables",
      formats: changes.formats ?? ["csv", "arrow", "parquet"],
      tables: [{ name: "by-county", dimensions: [{ column: "county", levels: [0, 1] }, "race"] }],
      protect: [{ method: "small-cells", threshold: changes.threshold ?? 11, zeros: changes.zeros ?? "publish", interval: 2, codes: changes.codes ?? "merged" }],
    },
  };
}

/** [counties][races] counts, many of them small. */
export function countsByCell(random: Random): number[][] {
  return COUNTIES.map(() => RACES.map(() => (random.chance(0.35) ? 1 + random.below(10) : random.chance(0.1) ? 0 : 11 + random.below(60))));
}

/** One record for each count: id, county, race, secret. */
export function recordsOfCounts(random: Random, counts: readonly (readonly number[])[]): Rows {
  const rows: string[][] = [];
  counts.forEach((row, c) =>
    row.forEach((count, r) => {
      for (let i = 0; i < count; i++) rows.push([`ID${rows.length}-${random.word()}`, COUNTIES[c]![0]!, RACES[r]!, random.word()]);
    }),
  );
  return { names: ["id", "county", "race", "secret"], rows: random.shuffled(rows) };
}

export function noisyPolicy(changes: { maxRecordsPerContributor?: number; mechanism?: "discrete-gaussian" | "discrete-laplace"; otherwise?: "other" | "drop"; formats?: ("csv" | "arrow" | "parquet")[] } = {}): PolicyInput {
  const { maxRecordsPerContributor = 1, mechanism = "discrete-gaussian", otherwise = "other" } = changes;
  return {
    commensurate: 1,
    dataset,
    classification: "low",
    columns: {
      id: { role: "contributor" },
      county: { role: "quasi-identifier", hierarchy: { kind: "tree", inline: COUNTIES } },
      race: { role: "quasi-identifier" },
      secret: { role: "other", drop: true },
    },
    release: {
      kind: "tables",
      formats: changes.formats ?? ["csv", "arrow", "parquet"],
      tables: [{ name: "noisy", dimensions: [{ column: "county", levels: [0, 1] }, "race"] }],
      protect: [
        {
          method: "noisy-counts", maxRecordsPerContributor, otherwise, groups: { race: ["a", "b", "c"] },
          ...(mechanism === "discrete-gaussian" ? { mechanism, rho: 0.5 } : { mechanism, epsilon: 1 }),
        },
      ],
    },
  };
}
