/** Fail closed: whatever is wrong with policy, input or run, the outcome is an error of ours and an untouched target. */
import { execFileSync, spawn } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RecordBatch, tableFromArrays } from "apache-arrow";
import { afterAll, describe, expect, test } from "vitest";
import { apply, plan, release, verify, type PolicyInput, type SourceInput } from "../../src/index.ts";
import { CommensurateError } from "../../src/errors/index.ts";
import { csvText, inForm, Random } from "./data.ts";
import { countsByCell, microdataPolicy, noisyPolicy, people, PEOPLE_TYPES, recordsOfCounts, smallCellsPolicy } from "./scenarios.ts";
import { failure, filesOf, workFolder } from "./walk.ts";

const work = workFolder("closed");
afterAll(work.remove);

const data = people(new Random(1), 200);

/** Outcome of a release that may end either way, checked either way. */
async function outcome(policy: PolicyInput, source: SourceInput, folder = work.sub()): Promise<string> {
  const out = join(folder, "out");
  try {
    const { directory } = await release(policy, { source, out });
    expect((await verify(directory)).verdict).toBe("pass");
    return "released";
  } catch (error) {
    expect(error).toBeInstanceOf(CommensurateError);
    expect((error as CommensurateError).name).not.toBe("InternalError");
    expect(existsSync(out)).toBe(false);
    return (error as CommensurateError).code;
  }
}

function oneColumn(name: string, values: readonly (string | null)[], column: object = {}): { policy: PolicyInput; text: string } {
  const policy = microdataPolicy({ k: 11 });
  const text = csvText({ names: [name], rows: values.map((value) => [value]) });
  return { policy: { ...policy, columns: { [name]: { role: "quasi-identifier", ...column } } } as PolicyInput, text };
}

function file(text: string | Uint8Array, name = "input.csv"): string {
  const path = join(work.sub(), name);
  writeFileSync(path, text);
  return path;
}

describe("policy and columns", () => {
  test.each<[string, (policy: any) => void, string]>([
    ["a misspelt safeguard", (policy) => (policy.release.protect[0].maxSupressedShare = 0), "policy/invalid"],
    ["an unknown column", (policy) => (policy.columns.salary = { role: "other" }), "policy/columns"],
    ["a column that the policy does not mention", (policy) => delete policy.columns.note, "policy/columns"],
    ["a guarantee that cannot be reached", (policy) => Object.assign(policy.release.protect[0], { maxSuppressedShare: 0, levels: { age: 0, county: 0 } }), "k-anonymity/no-solution"],
    ["a hierarchy that does not know a value", (policy) => (policy.columns.county.hierarchy.inline = [["Alpine", "x"]]), "hierarchy/unmapped"],
    ["a type that the values do not have", (policy) => (policy.columns.note.type = "date"), "column/not-of-type"],
    ["missing values refused", (policy) => (policy.columns.sex.nullMeaning = "refuse"), "column/null-refused"],
    ["missing numbers refused", (policy) => (policy.columns.income.nullMeaning = "refuse"), "column/null-refused"],
    ["k below what the classification asks for", (policy) => (policy.overrides = []), "policy/weaker-than-required"],
  ])("%s", async (_, change, code) => {
    const policy = structuredClone(microdataPolicy());
    change(policy);
    const folder = work.sub();
    expect((await failure(policy, await inForm("csv", data, folder), folder)).code).toBe(code);
  });

  test("a header that has the same name twice", async () => {
    const folder = work.sub();
    const text = csvText({ ...data, names: data.names.map((name) => (name === "secret" ? "note" : name)) });
    expect((await failure(microdataPolicy(), file(text), folder)).code).toMatch(/duplicate/);
  });
});

describe("input that is damaged or changes", () => {
  test("a malformed row in the second half names its row", async () => {
    const records = csvText(people(new Random(2), 500)).split("\n");
    const late = records.findLastIndex((line) => /^ID[^"]*$/.test(line));
    records[late] += ",one too many";
    const error = await failure(microdataPolicy(), file(records.join("\n")), work.sub());
    expect(error.code).toBe("csv/ragged-row");
  });

  // A CSV file that is cut after a whole field cannot be told from a shorter one.
  test.each(["csv.gz", "arrow-file", "arrow-stream-file", "parquet"] as const)("a cut %s file", async (form) => {
    const folder = work.sub();
    const path = (await inForm(form, data, folder, PEOPLE_TYPES)) as string;
    truncateSync(path, readFileSync(path).length - 3);
    const error = await failure(microdataPolicy(), path, folder);
    expect(error).toBeInstanceOf(CommensurateError);
  });

  const between = (edit: (path: string) => void, keepTime = false) => {
    let done = false;
    return (path: string) => ({
      onProgress: ({ phase }: { phase: string }) => {
        if (phase !== "plan" || done) return;
        done = true;
        const time = new Date("2026-01-01T00:00:00Z");
        edit(path);
        if (keepTime) utimesSync(path, time, time);
      },
    });
  };

  test.each<[string, ReturnType<typeof between>]>([
    ["appended to", between((path) => appendFileSync(path, "ID,1,Napa,f,1,x,y\n"))],
    ["cut", between((path) => truncateSync(path, 2000))],
    ["rewritten with the same content and a new time", between((path) => writeFileSync(path, readFileSync(path)))],
    // Size and time are as before: the fingerprint tells.
    ["changed in one byte, its time put back", between((path) => writeFileSync(path, readFileSync(path, "latin1").replace(/Napa/, "Mono"), "latin1"), true)],
  ])("a CSV file that is %s between the readings", async (_, hook) => {
    const folder = work.sub();
    const path = (await inForm("csv", data, folder)) as string;
    const time = new Date("2026-01-01T00:00:00Z");
    utimesSync(path, time, time);
    const error = await failure(microdataPolicy(), path, folder, hook(path));
    expect(error.code).toBe("source/changed");
  });

  test.each(["arrow-file", "parquet"] as const)("a %s file that is replaced between the readings", async (form) => {
    const folder = work.sub();
    const path = (await inForm(form, data, folder, PEOPLE_TYPES)) as string;
    const other = readFileSync((await inForm(form, people(new Random(9), 200), work.sub(), PEOPLE_TYPES)) as string);
    const error = await failure(microdataPolicy(), path, folder, between((target) => writeFileSync(target, other))(path));
    expect(error.code).toBe("source/changed");
  });

  test("records in memory that change between the readings", async () => {
    const folder = work.sub();
    const records = (await inForm("records", data, folder, PEOPLE_TYPES)) as Record<string, unknown>[];
    const error = await failure(microdataPolicy(), records, folder, {
      onProgress: ({ phase }: { phase: string }) => void (phase === "plan" && (records[0]!["income"] = 31_415)),
    });
    expect(error.code).toBe("source/changed");
  });
});

describe("runs that are stopped", () => {
  test.each(["survey", "plan", "apply", "verify", "publish"])("an abort in phase %s", async (wanted) => {
    const folder = work.sub();
    const stop = new AbortController();
    const source = await inForm("csv", data, folder);
    const error = await failure(microdataPolicy(), source, folder, {
      signal: stop.signal,
      onProgress: ({ phase }: { phase: string }) => void (phase === wanted && stop.abort()),
    });
    expect(error.name).toBe("AbortError");
  });

  test("an abort before the start", async () => {
    const folder = work.sub();
    expect((await failure(microdataPolicy(), await inForm("csv", data, folder), folder, { signal: AbortSignal.abort() })).name).toBe("AbortError");
  });

  test.each(["survey", "plan", "apply", "verify", "publish"])("a callback that throws in phase %s", async (wanted) => {
    const folder = work.sub();
    const error = await failure(microdataPolicy(), await inForm("csv", data, folder), folder, {
      onProgress: ({ phase }: { phase: string }) => {
        if (phase === wanted) throw new RangeError("mine");
      },
    });
    expect(error.message).toBe("mine");
  });

  test("a stream that throws, at once or later", async () => {
    const { batches } = (await inForm("table", data, work.sub(), { ...PEOPLE_TYPES, seed: 5 })) as unknown as { batches: RecordBatch[] };
    for (const after of [0, 1]) {
      const stream = (async function* () {
        yield* batches.slice(0, after);
        throw new Error("connection lost to canary-host");
      })();
      const error = await failure(microdataPolicy(), stream as never, work.sub());
      expect(error.message).toContain("connection lost"); // the caller's own error, as it was thrown
    }
  });

  test("a named pipe is read once and released", async () => {
    const folder = work.sub();
    const pipe = join(folder, "pipe.csv");
    execFileSync("mkfifo", [pipe]);
    const whole = (await inForm("csv", data, folder)) as string;
    const writer = spawn("sh", ["-c", `cat '${whole}' > '${pipe}'`]);
    const { directory } = await release(microdataPolicy(), { source: pipe, out: join(folder, "out") });
    await release(microdataPolicy(), { source: whole, out: join(folder, "out2") });
    expect([...filesOf(join(directory, "public"))]).toEqual([...filesOf(join(folder, "out2/public"))]);
    writer.kill();
  });
});

describe("plans that were edited are not carried out", () => {
  const edits: [string, (plan: any) => void][] = [
    ["k", (made) => (made.decision.k = 2)],
    ["requirement", (made) => (made.requirements[0].value = 2)],
    ["measured risk", (made) => (made.assessment.measured.shareOfUniques = 0)],
    ["a level below", (made) => (made.decision.levels.age = -1)],
    ["a level beyond", (made) => (made.decision.levels.age = 12)],
    ["levels missing", (made) => delete made.decision.levels],
    ["share", (made) => (made.decision.maxSuppressedShare = 0.9)],
    ["policy", (made) => (made.policy.columns.id.role = "other")],
    ["columns", (made) => made.input.columns.push("id")],
    ["fingerprint", (made) => (made.input.fingerprint = "sha256:0")],
    ["records", (made) => (made.input.records += 1)],
    ["method", (made) => (made.decision.method = "none")],
  ];
  test.each(edits)("%s", async (_, edit) => {
    const folder = work.sub();
    const source = (await inForm("csv", data, folder)) as string;
    const made = JSON.parse(JSON.stringify(await plan(microdataPolicy(), { source })));
    edit(made);
    const out = join(folder, "out");
    await expect(apply(JSON.stringify(made), { source, out })).rejects.toBeInstanceOf(CommensurateError);
    expect(existsSync(out)).toBe(false);
  });

  test.each<[string, (plan: any) => void]>([
    ["threshold", (made) => (made.decision.rule.threshold = 3)],
    ["zeros", (made) => (made.decision.rule.zeros = "publish")],
    ["interval", (made) => (made.decision.rule.interval = 1)],
  ])("of suppressed tables: %s", async (_, edit) => {
    const random = new Random(4);
    const folder = work.sub();
    const source = (await inForm("csv", recordsOfCounts(random, countsByCell(random)), folder)) as string;
    const made = JSON.parse(JSON.stringify(await plan(smallCellsPolicy({ zeros: "protect" }), { source })));
    edit(made);
    await expect(apply(JSON.stringify(made), { source, out: join(folder, "out") })).rejects.toMatchObject({ code: expect.stringMatching(/^plan\//) as string });
  });

  test("apply does not put something unverified in the place of a published release", async () => {
    const folder = work.sub();
    const source = (await inForm("csv", data, folder)) as string;
    const out = join(folder, "out");
    await release(microdataPolicy(), { source, out });
    const before = filesOf(out);
    const made = await plan(microdataPolicy(), { source });
    await expect(apply(made, { source, out })).rejects.toMatchObject({ code: "output/published" });
    expect(filesOf(out)).toEqual(before);
  });

  test("a rehearsal may be carried out to look at, and never passes verification", async () => {
    const random = new Random(4);
    const folder = work.sub();
    const source = (await inForm("csv", recordsOfCounts(random, countsByCell(random)), folder)) as string;
    const made = await plan(noisyPolicy(), { source, rehearsalSeed: "1" });
    const { directory } = await apply(made, { source, out: join(folder, "out") });
    const evidence = await verify(directory);
    expect(evidence.checks.filter(({ pass }) => !pass).map(({ check }) => check)).toContain("plan/rehearsal");
    await expect(release(noisyPolicy(), { source, out: join(folder, "out2"), rehearsalSeed: "1" })).rejects.toMatchObject({ code: "release/rehearsal" });
    expect(existsSync(join(folder, "out2"))).toBe(false);
  });
});

describe("small and odd inputs end in a verified release or a clear error", () => {
  const header = csvText({ ...data, rows: [] });

  test.each<[string, PolicyInput, string | Uint8Array, RegExp]>([
    ["no records", microdataPolicy({ k: 11 }), header, /^released$/],
    ["no records, suppressed tables", smallCellsPolicy(), "id,county,race,secret\n", /./],
    ["no records, noisy counts", noisyPolicy(), "id,county,race,secret\n", /^released$/],
    ["an empty file", microdataPolicy(), "", /^csv\//],
    ["one record", microdataPolicy(), csvText({ ...data, rows: data.rows.slice(0, 1) }), /^released$/],
    ["one record that may not be withheld", microdataPolicy({ maxSuppressedShare: 0 }), csvText({ ...data, rows: data.rows.slice(0, 1) }), /^k-anonymity\/no-solution$/],
    ["one record, suppressed tables", smallCellsPolicy(), "id,county,race,secret\n1,Napa,a,x\n", /./],
  ])("%s", async (_, policy, text, expected) => {
    expect(await outcome(policy, file(text))).toMatch(expected);
  });

  test("all records withheld: an empty table with its columns", async () => {
    const folder = work.sub();
    const { directory, plan: made } = await release(microdataPolicy({ k: 300 }), { source: await inForm("csv", data, folder), out: join(folder, "out") });
    expect((made.decision as any).suppressedRecords).toBe(200);
    expect(readFileSync(join(directory, "public/people.csv"), "utf8")).toBe("age,county,sex,income,note\n");
    expect((await verify(directory)).verdict).toBe("pass");
  });

  test.each(["__proto__", "constructor", "toString", "hasOwnProperty", "length", "count", "a,b", 'a"b', "a\nb", "ünï", "a".repeat(300), "1", "a|b `c`"])("a column called %j", async (name) => {
    const values = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? "x" : "y"));
    const columns = JSON.parse(`{${JSON.stringify(name)}:{"role":"quasi-identifier"}}`) as object;
    const policy = { ...oneColumn("x", []).policy, columns } as PolicyInput;
    expect(await outcome(policy, file(csvText({ names: [name], rows: values.map((value) => [value]) })))).toBe("released");
    const tables = { ...smallCellsPolicy(), columns, release: { ...smallCellsPolicy().release, tables: [{ name: "t", dimensions: [name] }] } } as PolicyInput;
    expect(await outcome(tables, file(csvText({ names: [name], rows: values.map((value) => [value]) })))).toMatch(name === "count" ? /^tables\/column-name$/ : /^released$/);
  });

  test.each<[string, (string | null)[], object, RegExp]>([
    ["all null", Array.from({ length: 30 }, () => null), {}, /^released$/],
    ["all null integers", Array.from({ length: 30 }, () => null), { type: "integer", hierarchy: { kind: "interval", widths: [10] } }, /^released$/],
    ["20,000 distinct values", Array.from({ length: 20_000 }, (_, i) => `v${i}`), { hierarchy: { kind: "prefix", keep: [3, 2, 1] } }, /^released$/],
    ["a field of 300 KB", Array.from({ length: 12 }, () => "x".repeat(300_000)), {}, /^released$/],
    ["dates before 1970", Array.from({ length: 60 }, (_, i) => `19${10 + (i % 3)}-02-2${i % 9}`), { type: "date", hierarchy: { kind: "date", levels: ["month", "year"] } }, /^released$/],
    ["dates that are none", Array.from({ length: 60 }, () => "1999-02-30"), { type: "date", hierarchy: { kind: "date", levels: ["year"] } }, /^(hierarchy|output)\//],
    ["negative numbers", Array.from({ length: 60 }, (_, i) => `-${i}`), { type: "integer", hierarchy: { kind: "interval", widths: [10, 100] } }, /^released$/],
    ["decimal numbers", Array.from({ length: 60 }, (_, i) => `${i % 7}.5`), { type: "number", hierarchy: { kind: "interval", widths: [1.5, 15] } }, /^released$/],
    ["numbers with an exponent", Array.from({ length: 60 }, () => "1e21"), { type: "number" }, /^column\/not-of-type$/],
    ["minus nought", Array.from({ length: 60 }, () => "-0"), { type: "number" }, /./],
    ["numbers beyond 2^53 that differ by one", Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? "9007199254740992" : "9007199254740993")), { type: "integer" }, /^released$/],
    ["numbers beyond 64 bits", Array.from({ length: 60 }, () => "99999999999999999999"), { type: "integer" }, /^output\/not-of-type$/],
    ["leading zeros", Array.from({ length: 60 }, () => "007"), {}, /^released$/],
    ["text that a spreadsheet would run", Array.from({ length: 60 }, () => "=1+1"), {}, /^csv\/formula$/],
    ["the marker of totals", Array.from({ length: 60 }, () => "(total)"), {}, /^released$/],
    ["blank text as a value", Array.from({ length: 60 }, (_, i) => (i < 30 ? "" : "a")), { nulls: [] }, /^released$/],
    ["spaces and line ends", Array.from({ length: 60 }, (_, i) => [" a", "a ", "a\nb", "a\r\nb", "a\tb"][i % 5]!), {}, /^released$/],
    ["characters outside the basic plane", Array.from({ length: 60 }, (_, i) => ["😀", "é", "e\u0301", "\u0000x"][i % 4]!), { normalise: ["nfc"] }, /./],
  ])("a key of %s", async (_, values, column, expected) => {
    const { policy, text } = oneColumn("key", values, column);
    expect(await outcome(policy, file(text))).toMatch(expected);
  });

  test("numbers that are no keys: kept exactly or refused, never rounded", async () => {
    const columns = { key: { role: "quasi-identifier" }, n: { role: "other", type: "integer" }, x: { role: "measure", type: "number" } };
    const policy = { ...oneColumn("key", []).policy, columns } as PolicyInput;
    const text = (n: string, x: string): string => csvText({ names: ["key", "n", "x"], rows: Array.from({ length: 20 }, () => ["a", n, x]) });
    for (const [n, x] of [["1", "-0"], ["-5", "1e21"], ["9007199254740991", "0.1"], ["0", "1e-7"], ["9007199254740993", "1"], ["007", "1"], ["1", "0.1234567890123456789"], ["1.5", "1"], ["1", "Infinity"], ["1", "NaN"]] as const) {
      const folder = work.sub();
      const ended = await outcome(policy, file(text(n, x)), folder);
      if (ended !== "released") continue;
      const [, row] = readFileSync(join(folder, "out/public/people.csv"), "utf8").split("\n");
      const [, releasedN, releasedX] = row!.split(",");
      expect(BigInt(releasedN!)).toBe(BigInt(n));
      expect(Number(releasedX)).toBe(x === "-0" ? 0 : Number(x));
    }
  });

  test("a category called like the marker of totals, or blank, in a table", async () => {
    const rows = (value: string) => csvText({ names: ["race"], rows: Array.from({ length: 50 }, (_, i) => [i < 25 ? value : "b"]) });
    const tables = (column: object) => ({ ...smallCellsPolicy(), columns: { race: { role: "quasi-identifier", ...column } }, release: { ...smallCellsPolicy().release, tables: [{ name: "t", dimensions: ["race"] }] } }) as PolicyInput;
    expect(await outcome(tables({}), file(rows("(total)")))).toBe("tables/total-label");
    expect(await outcome(tables({ nulls: [] }), file(rows("")))).toBe("tables/blank-label");
    expect(await outcome(tables({}), file(rows("")))).toBe("released");
  });

  test("things that are no data", async () => {
    for (const source of [42, null, "nowhere.csv", [1, 2], [null], { a: [1], b: [1, 2] }, Symbol("x"), new Map([["age", 3]]), { schema: [1], batches: [2] }, tableFromArrays({ age: [1] })]) {
      const error = await failure(microdataPolicy(), source as never, work.sub());
      expect(error, String(source)).toBeInstanceOf(CommensurateError);
      expect(error.name).not.toBe("InternalError");
    }
  });
});
