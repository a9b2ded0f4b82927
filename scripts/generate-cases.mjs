/**
 * Writes examples/data/cases.csv.gz: made-up cases of a made-up illness by county of California, year, and race or ethnicity, one
 * record a case. Drawn from the population of places and groups; rates are invented. Seeded, so every run writes the same
 * records. Run by hand: node scripts/generate-cases.mjs
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import seedrandom from "seedrandom";

const CASES = 100_000;
/** How many cases fall into each year, and how often each group is ill, both in proportion. */
const YEARS = { 2022: 40, 2023: 33, 2024: 27 };
const RATES = {
  "American Indian or Alaska Native": 1.6,
  Asian: 0.7,
  Black: 1.3,
  Latino: 1.2,
  Multiracial: 0.6,
  "Native Hawaiian or Pacific Islander": 1.8,
  White: 1,
};
/** Below 1, small places have more cases for their people than large ones: fewer counts are tiny than there really would be. */
const SMALL_PLACES = 0.5;
/** Share of records in which the group was not written down. */
const UNKNOWN = 0.04;

const data = (path) => fileURLToPath(new URL(`../examples/data/${path}`, import.meta.url));
const random = seedrandom("commensurate cases");

/** Draws from entries [value, weight] by one number from 0 to 1, in time log of their number. */
function chooser(entries) {
  const until = [];
  let sum = 0;
  for (const [, weight] of entries) until.push((sum += weight));
  return () => {
    const at = random() * sum;
    let low = 0;
    for (let high = until.length - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if (until[middle] <= at) low = middle + 1;
      else high = middle;
    }
    return entries[low][0];
  };
}

const [, ...lines] = (await readFile(data("california-population-2020.csv"), "utf8")).trimEnd().split("\n");
const people = lines.map((line) => {
  const [county, , group, population] = line.split(",");
  return [[county, group], Number(population) ** SMALL_PLACES * RATES[group]];
});
const pickPerson = chooser(people);
const pickYear = chooser(Object.entries(YEARS));

const rows = Array.from({ length: CASES }, () => {
  const [county, group] = pickPerson();
  return [county, pickYear(), random() < UNKNOWN ? "Unknown" : group];
});
const csv = [["county", "year", "race_ethnicity"], ...rows].map((row) => `${row.join(",")}\n`).join("");
await writeFile(data("cases.csv.gz"), gzipSync(csv, { level: 9 }));
console.log(`${rows.length} cases in ${new Set(rows.map(([county]) => county)).size} counties`);
