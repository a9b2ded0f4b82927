/**
 * `verify` refuses every changed release: hundreds of mutants of three releases. Most forgers here are careful: they also put size
 * and hash of the changed file into datapackage.json and the manifest, and delete the evidence that the publication left.
 *
 * What no reading can find without a signature is listed at the end, each with a test that says so.
 */
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tableFromIPC, tableToIPC, Table, vectorFromArray, Utf8 } from "apache-arrow";
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { release, verify, type PolicyInput } from "../../src/index.ts";
import { CommensurateError } from "../../src/errors/index.ts";
import { inForm, Random } from "./data.ts";
import { countsByCell, microdataPolicy, noisyPolicy, people, PEOPLE_TYPES, recordsOfCounts, smallCellsPolicy } from "./scenarios.ts";
import { coverUp, workFolder } from "./walk.ts";

const work = workFolder("mutants");
afterAll(work.remove);

const ROADS = ["microdata", "smallCells", "noisy"] as const;
type Road = (typeof ROADS)[number];
const TABLE: Record<Road, string> = { microdata: "people", smallCells: "by-county", noisy: "noisy" };
const originals = {} as Record<Road, string>;

beforeAll(async () => {
  const random = new Random(7);
  const policies: Record<Road, PolicyInput> = { microdata: microdataPolicy({ k: 3 }), smallCells: smallCellsPolicy(), noisy: noisyPolicy() };
  for (const road of ROADS) {
    const folder = work.sub();
    const data = road === "microdata" ? people(random, 250) : recordsOfCounts(random, countsByCell(random));
    originals[road] = (await release(policies[road], { source: await inForm("csv", data, folder, PEOPLE_TYPES), out: join(folder, "out") })).directory;
    expect((await verify(originals[road])).verdict).toBe("pass");
  }
}, 60_000);

/** A copy of a release that a test may change. */
class Copy {
  readonly folder = join(work.sub(), "out");

  constructor(road: Road) {
    cpSync(originals[road], this.folder, { recursive: true });
  }
  path(name: string): string {
    return join(this.folder, name);
  }
  text(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }
  write(name: string, content: string | Uint8Array): void {
    writeFileSync(this.path(name), content);
  }
  change(name: string, edit: (text: string) => string): void {
    const before = this.text(name);
    const after = edit(before);
    if (after === before) throw new Error(`The mutation of ${name} changes nothing.`);
    this.write(name, after);
  }
  json(name: string, edit: (value: any) => void): void {
    const value = JSON.parse(this.text(name));
    edit(value);
    this.change(name, () => `${JSON.stringify(value, undefined, 2)}\n`);
  }
  coverUp(): void {
    coverUp(this.folder);
  }
}

/** Which checks refuse the copy; a plan or folder that cannot be read at all is refused by an error of ours. */
async function refusal(copy: Copy): Promise<string[]> {
  try {
    const { verdict, checks } = await verify(copy.folder);
    if (verdict === "pass") return [];
    return checks.filter(({ pass }) => !pass).map(({ check }) => check);
  } catch (error) {
    expect(error).toBeInstanceOf(CommensurateError);
    return [(error as CommensurateError).code];
  }
}

interface Mutant {
  readonly name: string;
  readonly road: Road;
  /** The changed release holds together otherwise. */
  readonly careful: boolean;
  change(copy: Copy): void | Promise<void>;
}

/** Lines of a CSV file as fields; these fixtures have line breaks in one column only, which is rewritten here. */
function csvRecords(text: string): string[] {
  const records: string[] = [];
  let from = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted;
    else if (text[i] === "\n" && !quoted) {
      records.push(text.slice(from, i + 1));
      from = i + 1;
    }
  }
  return records;
}

function mutants(): Mutant[] {
  const all: Mutant[] = [];
  const add = (road: Road, name: string, change: Mutant["change"], careful: "careful" | "plain" | "both" = "plain"): void => {
    if (careful !== "careful") all.push({ road, name, change, careful: false });
    if (careful !== "plain") all.push({ road, name, change, careful: true });
  };
  for (const road of ROADS) {
    const random = new Random(road.length);
    const csv = `public/${TABLE[road]}.csv`;
    const arrow = `public/${TABLE[road]}.arrow`;
    const parquet = `public/${TABLE[road]}.parquet`;

    // Rows: every format has as many as were planned.
    const rows = (name: string, edit: (records: string[]) => string[]): void =>
      add(road, `csv: ${name}`, (copy) => copy.change(csv, (text) => {
        const [header, ...records] = csvRecords(text);
        return [header, ...edit(records)].join("");
      }), "both");
    rows("first row removed", (records) => records.slice(1));
    rows("last row removed", (records) => records.slice(0, -1));
    rows("a row removed", (records) => records.filter((_, i) => i !== Math.floor(records.length / 2)));
    rows("a row duplicated", (records) => [...records, records[3]!]);
    rows("a row added twice and one removed", (records) => [records[0]!, records[0]!, ...records.slice(2)].concat(records.at(-1)!));
    rows("all rows removed", () => []);
    add(road, "csv: header renamed", (copy) => copy.change(csv, (text) => text.replace(/^\w+/, "ssn")), "both");
    add(road, "csv: a column added", (copy) => copy.change(csv, (text) => csvRecords(text).map((record, i) => record.replace(/\n$/, i === 0 ? ",id\n" : ",ID7\n")).join("")), "both");
    add(road, "csv: columns swapped", (copy) => copy.change(csv, (text) => text.replace(/^(\w+),(\w+)/, "$2,$1")), "both");
    add(road, "csv: cut in the middle", (copy) => copy.write(csv, readFileSync(copy.path(csv)).subarray(0, 200)), "both");
    add(road, "csv: cut within the last line", (copy) => copy.write(csv, readFileSync(copy.path(csv)).subarray(0, -1)), "both");
    add(road, "csv: bytes that are not UTF-8 in the header", (copy) => copy.write(csv, Buffer.concat([Buffer.from([0xff]), readFileSync(copy.path(csv))])), "both");
    add(road, "csv: empty", (copy) => copy.write(csv, ""), "both");
    add(road, "csv: a quote that never closes", (copy) => copy.change(csv, (text) => `${text}"`), "both");
    for (let i = 0; i < 6; i++) {
      const where = random.next();
      add(road, `csv: byte ${i} changed`, (copy) => {
        const bytes = readFileSync(copy.path(csv));
        bytes[Math.floor(where * bytes.length)]! ^= 1;
        copy.write(csv, bytes);
      });
    }

    // Binary formats: rebuilt by other writers.
    add(road, "arrow: a row removed", (copy) => copy.write(arrow, tableToIPC(tableFromIPC(readFileSync(copy.path(arrow))).slice(1), "file")), "both");
    add(road, "arrow: a row duplicated", (copy) => {
      const table = tableFromIPC(readFileSync(copy.path(arrow)));
      copy.write(arrow, tableToIPC(table.concat(table.slice(0, 1)), "file"));
    }, "both");
    add(road, "arrow: a column added", (copy) => {
      const table = tableFromIPC(readFileSync(copy.path(arrow)));
      const extra = new Table({ ...Object.fromEntries(table.schema.fields.map((field, c) => [field.name, table.getChildAt(c)!])), ssn: vectorFromArray(Array.from({ length: table.numRows }, () => "ID7"), new Utf8()) });
      copy.write(arrow, tableToIPC(extra, "file"));
    }, "both");
    add(road, "arrow: a column renamed", (copy) => {
      const table = tableFromIPC(readFileSync(copy.path(arrow)));
      const renamed = Object.fromEntries(table.schema.fields.map((field, c) => [c === 1 ? "id" : field.name, table.getChildAt(c)!]));
      copy.write(arrow, tableToIPC(new Table(renamed), "file"));
    }, "both");
    add(road, "arrow: cut", (copy) => copy.write(arrow, readFileSync(copy.path(arrow)).subarray(0, -40)), "both");
    add(road, "arrow: a stream instead of a file", (copy) => copy.write(arrow, tableToIPC(tableFromIPC(readFileSync(copy.path(arrow))), "stream")));
    for (let i = 0; i < 3; i++) {
      const where = random.next();
      for (const file of [arrow, parquet]) {
        add(road, `${file.split(".")[1]!}: byte ${i} changed`, (copy) => {
          const bytes = readFileSync(copy.path(file));
          bytes[Math.floor(where * bytes.length)]! ^= 4;
          copy.write(file, bytes);
        });
      }
    }
    const parquetRows = (name: string, edit: (rows: Record<string, unknown>[]) => Record<string, unknown>[]): void =>
      add(road, `parquet: ${name}`, async (copy) => {
        const file = readFileSync(copy.path(parquet));
        const read = edit((await parquetReadObjects({ file: file.buffer.slice(file.byteOffset, file.byteOffset + file.length) as ArrayBuffer, compressors })) as Record<string, unknown>[]);
        const columnData = Object.keys(read[0]!).map((column) => {
          const data = read.map((row) => row[column] ?? null) as never[];
          const first = data.find((value) => value !== null) as unknown;
          return { name: column, data, type: (typeof first === "bigint" ? "INT64" : typeof first === "number" ? "DOUBLE" : "STRING") as never };
        });
        copy.write(parquet, new Uint8Array(parquetWriteBuffer({ columnData })));
      }, "both");
    parquetRows("a row removed", (read) => read.slice(1));
    parquetRows("a row duplicated", (read) => [...read, read[0]!]);
    parquetRows("a column added", (read) => read.map((row) => ({ ...row, ssn: "ID7" })));
    parquetRows("counts or ages as text", (read) => read.map((row) => ({ ...row, ...("count" in row ? { count: String(row["count"]) } : { income: String(row["income"]) }) })));

    // Texts, manifest, folder.
    for (const file of ["README.md", "data-dictionary.csv", "datapackage.json"]) {
      add(road, `${file}: a word changed`, (copy) => copy.change(`public/${file}`, (text) => text.replace("e", "E")));
      add(road, `${file}: a line added`, (copy) => copy.change(`public/${file}`, (text) => `${text}\n`), file === "datapackage.json" ? "plain" : "both");
    }
    add(road, "README.md: another promise", (copy) => copy.change("public/README.md", (text) => text.replace(/\d+/, "99")), "both");
    add(road, "datapackage.json: another field type", (copy) => copy.json("public/datapackage.json", (data) => (data.resources[0].schema.fields[0].type = "any")), "both");
    add(road, "manifest.json: another hash", (copy) => copy.change("public/manifest.json", (text) => text.replace(/"sha256": "./, '"sha256": "x')));
    add(road, "manifest.json: a file left out", (copy) => copy.json("public/manifest.json", (manifest) => manifest.files.pop()));
    add(road, "manifest.json: a note added", (copy) => copy.json("public/manifest.json", (manifest) => (manifest.note = "fine")));
    add(road, "manifest.json: not JSON", (copy) => copy.write("public/manifest.json", "{"));
    add(road, "an extra public file", (copy) => copy.write("public/notes.txt", "ID7"), "both");
    add(road, "an extra internal file", (copy) => copy.write("internal/raw.csv", "ID7"), "both");
    add(road, "an extra file at the top", (copy) => copy.write("raw.csv", "ID7"));
    add(road, "an extra folder", (copy) => {
      mkdirSync(copy.path("public/more"));
      copy.write("public/more/a.csv", "x");
    });
    for (const file of ["README.md", "manifest.json", "datapackage.json", `${TABLE[road]}.csv`, `${TABLE[road]}.parquet`]) {
      add(road, `${file} removed`, (copy) => rmSync(copy.path(`public/${file}`)));
    }
    add(road, "plan removed", (copy) => rmSync(copy.path("internal/plan.json")));
    add(road, "a file replaced by a link to itself", (copy) => {
      renameSync(copy.path(csv), copy.path("../away.csv"));
      symlinkSync("../../away.csv", copy.path(csv));
    });
    add(road, "public/ replaced by a link", (copy) => {
      renameSync(copy.path("public"), copy.path("../away"));
      symlinkSync("../away", copy.path("public"));
    });
    add(road, "a data file renamed", (copy) => renameSync(copy.path(csv), copy.path("public/other.csv")));

    // Plan and evidence.
    const plan = (name: string, edit: (plan: any) => void): void => add(road, `plan: ${name}`, (copy) => copy.json("internal/plan.json", edit), "both");
    plan("a requirement lowered", (value) => (value.requirements.at(-1).value -= 0.5));
    plan("a requirement removed", (value) => value.requirements.pop());
    plan("a requirement nobody knows", (value) => value.requirements.push(null));
    plan("classification lowered in the assessment", (value) => (value.assessment.declared = "unknown"));
    plan("tier raised", (value) => (value.assessment.tier = "high"));
    plan("an impossible risk", (value) => (value.assessment.measured.shareOfUniques = 7));
    plan("policy edited", (value) => (value.policy.dataset.title = "Others"));
    plan("policy not readable", (value) => (value.policy.release.protect[0].method = "none"));
    plan("an override injected", (value) => value.policy.overrides.push({ requirement: "minimum-class-size", value: 1, reason: "because I say so", approvedBy: "me" }));
    plan("marked as a rehearsal", (value) => (value.rehearsal = { seed: "1" }));
    plan("another method", (value) => (value.decision.method = "none"));
    plan("no decision", (value) => (value.decision = { method: value.decision.method }));
    plan("columns edited", (value) => (road === "microdata" ? value.input.columns.push("id") : (value.decision.dimensions ?? value.decision.columns).pop()));
    plan("another format", (value) => (value.format = "commensurate/plan@2"));
    add(road, "plan: not JSON", (copy) => copy.write("internal/plan.json", "{"));
    add(road, "plan: spelt otherwise", (copy) => copy.change("internal/plan.json", (text) => JSON.stringify(JSON.parse(text))));
    add(road, "plan: another fingerprint", (copy) => copy.json("internal/plan.json", (value) => (value.input.fingerprint = "sha256:0")));
    add(road, "evidence: a check removed", (copy) => copy.json("internal/evidence.json", (value) => value.checks.pop()));
    add(road, "evidence: a number changed", (copy) => copy.json("internal/evidence.json", (value) => (value.files[0].bytes += 1)));
    add(road, "evidence: empty", (copy) => copy.write("internal/evidence.json", ""));
  }

  // Microdata.
  const plan = (road: Road, name: string, edit: (plan: any) => void): void => add(road, `plan: ${name}`, (copy) => copy.json("internal/plan.json", edit), "both");
  plan("microdata", "k lowered", (value) => (value.decision.k = 2));
  plan("microdata", "a level lowered", (value) => (value.decision.levels.age = -1));
  plan("microdata", "a level that is not there", (value) => (value.decision.levels.age = 99));
  plan("microdata", "a key without level", (value) => delete value.decision.levels.sex);
  plan("microdata", "a level for a column that is no key", (value) => (value.decision.levels.note = 0));
  plan("microdata", "fewer records withheld", (value) => (value.decision.suppressedRecords -= 1));
  plan("microdata", "more classes", (value) => (value.decision.classes += 1));
  plan("microdata", "another share", (value) => (value.decision.maxSuppressedShare = 0.5));
  add("microdata", "csv: a key cell changed, so that a class of one appears", (copy) => copy.change("public/people.csv", (text) => {
    const records = csvRecords(text);
    records[1] = records[1]!.replace(/^[^,]*/, "[7000, 7010)");
    return records.join("");
  }), "both");
  add("microdata", "arrow: a key cell changed, so that a class of one appears", (copy) => {
    const table = tableFromIPC(readFileSync(copy.path("public/people.arrow")));
    const sex = table.getChild("sex")!.toArray() as unknown as (string | null)[];
    const texts = Array.from({ length: table.numRows }, (_, i) => (i === 0 ? "x" : (table.getChild("sex")!.get(i) as string | null)));
    expect(sex).toBeDefined();
    const columns = Object.fromEntries(table.schema.fields.map((field, c) => [field.name, field.name === "sex" ? vectorFromArray(texts, new Utf8()) : table.getChildAt(c)!]));
    copy.write("public/people.arrow", tableToIPC(new Table(columns), "file"));
  }, "both");

  // Suppressed tables.
  const cell = (name: string, edit: (text: string) => string): void => add("smallCells", `csv: ${name}`, (copy) => copy.change("public/by-county.csv", edit), "both");
  cell("a blank filled in", (text) => text.replace(/,,1\n/, ",3,0\n"));
  cell("a blank filled in with a count that may be shown", (text) => text.replace(/,,1\n/, ",30,0\n"));
  cell("a blank filled in, annotation left", (text) => text.replace(/,,1\n/, ",3,1\n"));
  cell("a shown count made small", (text) => text.replace(/,\d\d,0\n/, ",4,0\n"));
  cell("a shown count changed", (text) => text.replace(/,(\d)(\d),0\n/, (_, a: string, b: string) => `,${a}${(Number(b) + 1) % 10},0\n`));
  cell("a total changed", (text) => text.replace(/\(total\),total,\(total\),(\d+)/, (_, n: string) => `(total),total,(total),${Number(n) + 1}`));
  cell("a shown count blanked", (text) => text.replace(/,\d\d,0\n/, ",,1\n"));
  cell("a count with a leading zero", (text) => text.replace(/,(\d\d),0\n/, ",0$1,0\n"));
  cell("a negative count", (text) => text.replace(/,(\d\d),0\n/, ",-$1,0\n"));
  cell("a category renamed", (text) => text.replace("Napa", "Mapa"));
  cell("an annotation changed", (text) => text.replace(/,,1\n/, ",,2\n"));
  cell("an annotation removed", (text) => text.replace(/,,1\n/, ",,\n"));
  for (const [name, edit] of [
    ["threshold lowered", (value: any) => (value.decision.rule.threshold = 3)],
    ["interval lowered", (value: any) => (value.decision.rule.interval = 1)],
    ["zeros protected no more", (value: any) => (value.decision.rule.zeros = "protect")],
    ["separate codes", (value: any) => (value.decision.rule.codes = "separate")],
    ["another rule for siblings", (value: any) => (value.decision.rule.jointSums = "protect")],
    ["contributors alone not protected from", (value: any) => (value.decision.rule.singletons = "ignore")],
    ["other blanks", (value: any) => (value.decision.blanks = "0".repeat(64))],
    ["a category removed", (value: any) => value.decision.dimensions[0].places.pop()],
    ["a category without parent", (value: any) => (value.decision.dimensions[0].places[1].parent = 77)],
  ] as const) plan("smallCells", name, edit as (value: any) => void);

  // Noisy counts.
  const noisy = (name: string, edit: (text: string) => string): void => add("noisy", `csv: ${name}`, (copy) => copy.change("public/noisy.csv", edit), "both");
  noisy("a count changed", (text) => text.replace(/,(-?\d+)\n/, (_, n: string) => `,${Number(n) + 1}\n`));
  noisy("a total changed", (text) => text.replace(/\(total\),total,\(total\),(-?\d+)/, (_, n: string) => `(total),total,(total),${Number(n) + 1}`));
  noisy("a fraction", (text) => text.replace(/,(-?\d+)\n/, ",$1.5\n"));
  noisy("a count missing", (text) => text.replace(/,(-?\d+)\n/, ",\n"));
  noisy("an undeclared group", (text) => text.replace(/,other,/, ",d,"));
  plan("noisy", "budget raised", (value) => (value.decision.budget = "5"));
  plan("noisy", "less noise", (value) => (value.decision.tables[0].noise = "1/100"));
  plan("noisy", "more records of a contributor", (value) => (value.decision.maxRecordsPerContributor = 3));
  plan("noisy", "another statement", (value) => (value.decision.statement = "No noise was needed."));
  plan("noisy", "a rehearsal", (value) => (value.decision.rehearsal = true));
  return all;
}

describe("mutated releases are refused", () => {
  const all = mutants();
  test(`${all.length} mutants are at least 200`, () => expect(all.length).toBeGreaterThanOrEqual(200));

  test.each(ROADS)("%s: all mutants", async (road) => {
    const accepted: string[] = [];
    for (const mutant of all.filter((candidate) => candidate.road === road)) {
      const copy = new Copy(road);
      try {
        await mutant.change(copy);
      } catch (error) {
        accepted.push(`cannot make ${mutant.name}: ${(error as Error).message}`);
        continue;
      }
      if (mutant.careful) copy.coverUp();
      const refused = await refusal(copy);
      if (refused.length === 0) accepted.push(`${mutant.name}${mutant.careful ? " (covered up)" : ""}`);
      rmSync(copy.folder, { recursive: true });
    }
    expect(accepted).toEqual([]);
  }, 120_000);
});

/**
 * Forgers who change everything that could contradict them. No reading of the folder alone can tell: it takes a signature,
 * a copy of the evidence, or the input. When one of these comes to be refused, move it up.
 */
describe("what verify cannot find without a signature", () => {
  test.each<{ name: string; road: Road; change: (copy: Copy) => void }>([
    { name: "nothing changed, only the evidence removed", road: "microdata", change: () => {} },
    { name: "a value that is no key, in one format", road: "microdata", change: (copy) => copy.change("public/people.csv", (text) => text.replace("plain", "plein")) },
    {
      name: "the fingerprint of the input", road: "noisy",
      change: (copy) => copy.json("internal/plan.json", (plan) => (plan.input.fingerprint = `sha256:${"0".repeat(64)}`)),
    },
    {
      name: "a measured risk that changes no requirement", road: "smallCells",
      change: (copy) => copy.json("internal/plan.json", (plan) => (plan.assessment.measured.smallestClass += 1)),
    },
  ])("$name", async ({ road, change }) => {
    const copy = new Copy(road);
    change(copy);
    copy.coverUp();
    expect(await refusal(copy)).toEqual([]);
  });

  test("another release with a weaker policy, in place of this one", async () => {
    const folder = work.sub();
    const weaker = { ...microdataPolicy({ k: 2 }) };
    const { directory } = await release(weaker, { source: await inForm("csv", people(new Random(1), 100), folder), out: join(folder, "out") });
    expect((await verify(directory)).verdict).toBe("pass");
  });
});
