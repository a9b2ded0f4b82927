/**
 * Writes examples/data/visits.csv: made-up visits of made-up patients to six clinics. Seeded, so every run writes the same
 * file. Run by hand: node scripts/generate-visits.mjs
 */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import seedrandom from "seedrandom";

const PATIENTS = 2400;
const CLINICS = { Alder: 30, Birch: 24, Cedar: 20, Dogwood: 14, Elder: 9, Fir: 3 };
const REASONS = { Injury: 26, Respiratory: 30, "Chronic care": 24, Prevention: 15, "Mental health": 4, "Substance use": 1 };
const AGES = { "0-17": 22, "18-34": 23, "35-64": 36, "65 or older": 19 };
/** Visits of one patient: most come once or twice, few very often. */
const VISITS = { 1: 45, 2: 25, 3: 14, 4: 8, 5: 4, 8: 3, 14: 1 };

const random = seedrandom("commensurate visits");
const pick = (weights) => {
  const entries = Object.entries(weights);
  let left = random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [value, weight] of entries) if ((left -= weight) < 0) return value;
  return entries.at(-1)[0];
};

const rows = [];
for (let patient = 0; patient < PATIENTS; patient++) {
  const id = `P${String(Math.floor(random() * 900_000) + 100_000)}${patient % 10}`;
  const home = pick(CLINICS);
  const age = pick(AGES);
  const sex = random() < 0.52 ? "Female" : "Male";
  const usual = pick(REASONS);
  for (let visit = Number(pick(VISITS)); visit > 0; visit--) {
    const clinic = random() < 0.9 ? home : pick(CLINICS);
    const reason = random() < 0.6 ? usual : pick(REASONS);
    rows.push([id, clinic, age, sex, reason]);
  }
}
for (let i = rows.length - 1; i > 0; i--) {
  const j = Math.floor(random() * (i + 1));
  [rows[i], rows[j]] = [rows[j], rows[i]];
}
const csv = [["patient", "clinic", "age_group", "sex", "reason"], ...rows].map((row) => `${row.join(",")}\n`).join("");
await writeFile(fileURLToPath(new URL("../examples/data/visits.csv", import.meta.url)), csv);
console.log(`${rows.length} visits of ${new Set(rows.map(([id]) => id)).size} patients`);
