/**
 * Synthetic Californians for benchmarks and large tests: seeded, nobody real is in them. County and race or ethnicity are
 * drawn from the residents of the 58 counties in 2020, so small counties give small cells; the other columns from made-up
 * shares that depend on them where that matters (area on county, schooling on age, diagnosis on age, cost on diagnosis).
 */
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";

export const PEOPLE_COLUMNS = [
  "person_id",
  "county",
  "race_ethnicity",
  "sex",
  "age",
  "zip",
  "education",
  "diagnosis",
  "cost",
] as const;

export interface PeopleOptions {
  /** At most 100 million: identifiers have eight digits and are unique. */
  readonly records: number;
  readonly seed: number;
  /** CSV with the columns county, fips, race_ethnicity, population. */
  readonly populationPath?: string;
}

/** Residents for each area code, so that 40 million people give about 1,700 areas. */
const RESIDENTS_PER_AREA = 23_000;
const FIRST_AREA = 90_001;
/** From the root of the repository, where benchmarks run. */
const POPULATION_PATH = "examples/data/california-population-2020.csv";
const CHUNK_BYTES = 1024 * 1024;
const MAX_ROW_BYTES = 256;

/** Share of residents per single year of age, by decade of age; made up, roughly California's. */
const DECADE_SHARES = [0.118, 0.13, 0.145, 0.147, 0.131, 0.125, 0.107, 0.062, 0.026, 0.009];
const EDUCATION = [
  "None",
  "Grades 1-8",
  "Some high school",
  "High school",
  "Some college",
  "Bachelor's degree",
  "Graduate degree",
];
/** [age under 6, 6 to 14, 15 to 18, 19 to 24, 25 and over] shares of the levels above. */
const EDUCATION_SHARES = [
  [1, 0, 0, 0, 0, 0, 0],
  [0.02, 0.96, 0.02, 0, 0, 0, 0],
  [0.005, 0.025, 0.8, 0.17, 0, 0, 0],
  [0.01, 0.02, 0.08, 0.33, 0.46, 0.1, 0],
  [0.025, 0.075, 0.06, 0.2, 0.28, 0.225, 0.135],
];
/** Forty codes in the form of ICD-10; the k-th has a share in proportion to 1 / k. */
const DIAGNOSES = [
  ..."I10 E78.5 E11.9 Z00.0 J06.9 M54.5 F41.1 F32.9 K21.9 N39.0 J45.9 E66.9 R05 M25.5 I25.1 J44.9 E03.9 G47.3".split(" "),
  ..."D64.9 N18.3 H52.4 L30.9 R51 G43.9 K59.0 I48.9 M17.9 B34.9 S93.4 C50.9 F10.2 I50.9 C61 E10.9 G40.9".split(" "),
  ..."B18.2 C34.9 G20 B20 D57.1".split(" "),
];

/** The file as consecutive pieces of bytes, header first. The same options give the same bytes on every machine. */
export async function* generatePeople(options: PeopleOptions): AsyncGenerator<Uint8Array> {
  yield* peoplePieces(options);
}

/** Write the file; returns its size in bytes. */
export async function writePeople(path: string, options: PeopleOptions): Promise<number> {
  const file = await open(path, "w");
  let size = 0;
  try {
    for (const piece of peoplePieces(options)) {
      await file.writeFile(piece);
      size += piece.length;
    }
  } finally {
    await file.close();
  }
  return size;
}

function* peoplePieces(options: PeopleOptions): Generator<Uint8Array> {
  if (options.records > 1e8) throw new RangeError("At most 100 million people: identifiers have eight digits.");
  const random = mulberry32(options.seed);
  const { counties, races, groups, population } = readPopulation(options.populationPath ?? POPULATION_PATH);

  // Areas of a county are consecutive, as many as its residents need.
  const countyPopulation = new Float64Array(counties.length);
  groups.forEach(({ county }, g) => (countyPopulation[county]! += population[g]!));
  const areas = Array.from(countyPopulation, (residents) => Math.max(1, Math.round(residents / RESIDENTS_PER_AREA)));
  const firstArea = areas.map((_, county) => FIRST_AREA + areas.slice(0, county).reduce((sum, n) => sum + n, 0));

  const groupOf = aliasTable(population);
  const ageShares = Array.from({ length: 100 }, (_, age) => DECADE_SHARES[Math.floor(age / 10)]! * (1.05 - (age % 10) / 100));
  const ageOf = aliasTable(ageShares);
  const educationOf = EDUCATION_SHARES.map(aliasTable);
  const diagnosisOf = aliasTable(DIAGNOSES.map((_, k) => 1 / (k + 1)));
  // Children have the same diagnoses in another order.
  const childDiagnosisOf = aliasTable(DIAGNOSES.map((_, k) => 1 / (((k * 27 + 11) % DIAGNOSES.length) + 1)));
  const typicalCost = DIAGNOSES.map((_, k) => 120 * Math.exp(((k * 7) % 13) * 0.35));

  const countyTexts = counties.map(bytesOf);
  const raceTexts = races.map(bytesOf);
  const sexTexts = ["Female", "Male", "Other"].map(bytesOf);
  const educationTexts = EDUCATION.map(bytesOf);
  const diagnosisTexts = DIAGNOSES.map(bytesOf);

  yield bytesOf(`${PEOPLE_COLUMNS.join(",")}\n`);
  let piece = new Uint8Array(CHUNK_BYTES);
  let at = 0;
  for (let i = 0; i < options.records; i++) {
    const { county, race } = groups[draw(groupOf, random)]!;
    const age = draw(ageOf, random);
    const sexShare = random();
    const schooling = age < 6 ? 0 : age < 15 ? 1 : age < 19 ? 2 : age < 25 ? 3 : 4;
    const diagnosis = draw(age < 18 ? childDiagnosisOf : diagnosisOf, random);
    // The product of two even draws: some areas of a county have many more residents than others.
    const area = firstArea[county]! + Math.floor(random() * (0.3 + 0.7 * random()) * areas[county]!);
    const spread = random() + random() + random() + random() - 2;
    const cents = Math.round(typicalCost[diagnosis]! * (1 + age / 60) * Math.exp(1.6 * spread) * 100);

    at = putDigits(piece, at, (i * 61_803_399 + 12_345_678) % 1e8, 8);
    piece[at++] = 44;
    at = put(piece, at, countyTexts[county]!);
    at = put(piece, at, raceTexts[race]!);
    at = put(piece, at, sexTexts[sexShare < 0.501 ? 0 : sexShare < 0.998 ? 1 : 2]!);
    at = putDigits(piece, at, age, age < 10 ? 1 : 2);
    piece[at++] = 44;
    at = putDigits(piece, at, area, 5);
    piece[at++] = 44;
    at = put(piece, at, educationTexts[draw(educationOf[schooling]!, random)]!);
    at = put(piece, at, diagnosisTexts[diagnosis]!);
    const dollars = Math.floor(cents / 100);
    at = putDigits(piece, at, dollars, digitsOf(dollars));
    piece[at++] = 46;
    at = putDigits(piece, at, cents % 100, 2);
    piece[at++] = 10;

    if (at > CHUNK_BYTES - MAX_ROW_BYTES) {
      yield piece.subarray(0, at);
      piece = new Uint8Array(CHUNK_BYTES);
      at = 0;
    }
  }
  if (at > 0) yield piece.subarray(0, at);
}

function readPopulation(path: string) {
  const counties: string[] = [];
  const races: string[] = [];
  const groups: { county: number; race: number }[] = [];
  const population: number[] = [];
  for (const line of readFileSync(path, "utf8").trim().split(/\r?\n/).slice(1)) {
    const [county = "", , race = "", residents = ""] = line.split(",");
    groups.push({ county: indexIn(counties, county), race: indexIn(races, race) });
    population.push(Number(residents));
  }
  return { counties, races, groups, population };
}

function indexIn(names: string[], name: string): number {
  const index = names.indexOf(name);
  return index >= 0 ? index : names.push(name) - 1;
}

/** A 32-bit generator with a period of 2^32, good enough to spread people about. Public domain, Tommy Ettinger (2017). */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface AliasTable {
  readonly keep: Float64Array;
  readonly other: Int32Array;
}

/** Walker's alias table: one draw in constant time. Vose (1991), "A linear algorithm for generating random numbers". */
function aliasTable(weights: ArrayLike<number>): AliasTable {
  const n = weights.length;
  const total = Array.from(weights).reduce((sum, w) => sum + w, 0);
  const scaled = Float64Array.from(weights, (w) => (w * n) / total);
  const keep = new Float64Array(n).fill(1);
  const other = new Int32Array(n);
  const small: number[] = [];
  const large: number[] = [];
  scaled.forEach((w, k) => (w < 1 ? small : large).push(k));
  while (small.length > 0 && large.length > 0) {
    const less = small.pop()!;
    const more = large.at(-1)!;
    keep[less] = scaled[less]!;
    other[less] = more;
    scaled[more]! -= 1 - scaled[less]!;
    if (scaled[more]! < 1) small.push(large.pop()!);
  }
  return { keep, other };
}

function draw(table: AliasTable, random: () => number): number {
  const u = random() * table.keep.length;
  const k = Math.floor(u);
  return u - k < table.keep[k]! ? k : table.other[k]!;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Copy a text and a comma. */
function put(piece: Uint8Array, at: number, text: Uint8Array): number {
  for (let k = 0; k < text.length; k++) piece[at + k] = text[k]!;
  piece[at + text.length] = 44;
  return at + text.length + 1;
}

function putDigits(piece: Uint8Array, at: number, value: number, digits: number): number {
  let rest = value;
  for (let k = digits - 1; k >= 0; k--) {
    const next = Math.floor(rest / 10);
    piece[at + k] = 48 + rest - next * 10;
    rest = next;
  }
  return at + digits;
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let power = 10; power <= value; power *= 10) digits++;
  return digits;
}
