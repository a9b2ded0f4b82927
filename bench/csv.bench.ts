/**
 * Reading CSV to dictionary codes: our coder against csv-parse filling Maps, which is what a
 * user would write. Answers are compared before anything is timed. MB/s = the size printed x hz.
 */
import { parse } from "csv-parse/sync";
import { afterAll, bench, describe } from "vitest";
import { CsvCoder, type CsvCoderColumn, quoteStateAfter, RECORD_START } from "../src/sources/csv/index.ts";
import { generatePeople, PEOPLE_COLUMNS } from "./generate-people.ts";

const RECORDS = 200_000;
let sink = 0; // printed below, so no engine may drop the work

const pieces: Uint8Array[] = [];
for await (const piece of generatePeople({ records: RECORDS, seed: 7 })) pieces.push(piece);
const plain = Buffer.concat(pieces.slice(1)); // the first piece is the header
const quoted = Buffer.from(plain.toString().replace(/[^,\n]+/g, '"$&"'));

function columns(codes: readonly string[], numbers: readonly string[]): CsvCoderColumn[] {
  const indexOf = (name: string): number => PEOPLE_COLUMNS.indexOf(name as never);
  const column = (as: "codes" | "numbers") => (name: string) => ({ index: indexOf(name), name, as });
  return [...codes.map(column("codes")), ...numbers.map(column("numbers"))];
}

const SIX = columns(["county", "race_ethnicity", "sex", "age", "zip", "diagnosis"], []);
const FIVE_AND_COST = columns(["county", "race_ethnicity", "sex", "age", "zip"], ["cost"]);
const ALL = columns(["person_id", "county", "race_ethnicity", "sex", "age", "zip", "education", "diagnosis"], ["cost"]);

/** Records and distinct values of each column of codes. */
function code(bytes: Uint8Array, request: readonly CsvCoderColumn[]): number[] {
  const coder = new CsvCoder({ fieldCount: PEOPLE_COLUMNS.length, columns: request });
  coder.push(bytes);
  coder.end();
  let records = 0;
  for (let batch = coder.read(); batch !== undefined; batch = coder.read()) records += batch.records;
  return [records, ...coder.dictionaries.map((dictionary) => dictionary.size)];
}

function codeWithCsvParse(bytes: Buffer, request: readonly CsvCoderColumn[]): number[] {
  const rows: string[][] = parse(bytes);
  const dictionaries = request.map(() => new Map<string, number>());
  const codes = request.map(() => new Int32Array(rows.length));
  rows.forEach((row, record) => {
    request.forEach(({ index }, j) => {
      const dictionary = dictionaries[j]!;
      let own = dictionary.get(row[index]!);
      if (own === undefined) dictionary.set(row[index]!, (own = dictionary.size));
      codes[j]![record] = own;
    });
  });
  return [rows.length, ...dictionaries.map((dictionary) => dictionary.size)];
}

const expected = JSON.stringify(codeWithCsvParse(plain, SIX));
for (const bytes of [plain, quoted]) {
  if (JSON.stringify(code(bytes, SIX)) !== expected) throw new Error("The coder and csv-parse disagree.");
}

const megabytes = (bytes: Uint8Array): string => (bytes.length / 1e6).toFixed(1);

describe(`${RECORDS} records, ${megabytes(plain)} MB, no quotes`, () => {
  bench("6 of 9 columns to codes", () => void (sink += code(plain, SIX)[0]!));
  bench("5 to codes and 1 to numbers", () => void (sink += code(plain, FIVE_AND_COST)[0]!));
  bench("all 9, one of them unique", () => void (sink += code(plain, ALL)[0]!));
  bench("none: check and count only", () => void (sink += code(plain, [])[0]!));
  bench("state of the quotes only", () => void (sink += quoteStateAfter(plain, RECORD_START)));
  const once = { iterations: 1, time: 0, warmupIterations: 0, warmupTime: 0 };
  bench("baseline: csv-parse and Maps, 6 columns", () => void (sink += codeWithCsvParse(plain, SIX)[0]!), once);
});

describe(`${RECORDS} records, ${megabytes(quoted)} MB, every field quoted`, () => {
  bench("6 of 9 columns to codes", () => void (sink += code(quoted, SIX)[0]!));
  bench("none: check and count only", () => void (sink += code(quoted, [])[0]!));
  bench("state of the quotes only", () => void (sink += quoteStateAfter(quoted, RECORD_START)));
});

afterAll(() => console.log("sink", sink));
