/**
 * Unique values in every place that a policy hides. None may be found, decoded or not, in `public/`, in what the program
 * prints, or in any error; the same scan of an unprotected copy finds all of them.
 */
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apply, assess, plan, release, verify, type PolicyInput } from "../../src/index.ts";
import { scanFolder, scanText, type Canary } from "../support/canary-scan.ts";
import { buildBundle } from "./bundle.ts";
import { csvText, FORMS, inForm, Random, type Form, type Rows } from "./data.ts";
import { countsByCell, microdataPolicy, noisyPolicy, people, PEOPLE_TYPES, recordsOfCounts, smallCellsPolicy } from "./scenarios.ts";
import { workFolder } from "./walk.ts";

const work = workFolder("hidden");
afterAll(work.remove);

const CANARIES: readonly Canary[] = [
  { name: "direct identifier", text: "Zaunkoenig-4711" },
  { name: "dropped column", text: "Mauersegler-0815" },
  { name: "leaf below the level", integer: 1_234_500_777n },
  { name: "withheld number", number: 31_415.926_5 },
  { name: "withheld text", text: "Goldammer Singdrossel 99" },
  { name: "text for null", text: "Unbekannt-Q7" },
  { name: "dropped date", date: "2871-08-23" },
  { name: "metadata", text: "Wendehals-3321" },
  { name: "unused dictionary value", text: "Rotkehlchen-5151" },
  { name: "file name", text: "Eisvogel-6060" },
];

/** A value in each place; the last record is alone in its class, so that it is withheld. */
function planted(data: Rows): Rows {
  const at = Object.fromEntries(data.names.map((name, c) => [name, c]));
  const rows = data.rows.map((row) => [...row]);
  for (const [i, row] of rows.entries()) {
    if (at["id"] !== undefined) row[at["id"]] = `Zaunkoenig-4711-${i}`;
    row[at["secret"]!] = i % 2 === 0 ? "Mauersegler-0815" : "2871-08-23";
    if (at["sex"] !== undefined && i % 7 === 0) row[at["sex"]] = "Unbekannt-Q7";
  }
  if (at["age"] !== undefined) {
    for (let i = 0; i < 40; i++) rows[i]![at["age"]] = "1234500777"; // many, so that they are released as their interval
    const alone = rows.at(-1)!;
    alone[at["age"]] = "5777";
    alone[at["income"]!] = "31415.9265";
    alone[at["note"]!] = "Goldammer Singdrossel 99";
  }
  return { names: data.names, rows };
}

/** The file's name, and what the forms hide in metadata, dictionaries and null slots. */
const HIDDEN = { hidden: ["Wendehals-3321", "Rotkehlchen-5151"], file: "Eisvogel-6060" };

function policies(): { name: string; policy: PolicyInput; data: Rows; planted: readonly string[] }[] {
  const random = new Random(11);
  const microdata = structuredClone(microdataPolicy({ levels: { age: 2, county: 1 } })) as any;
  microdata.columns.sex.nulls.push("Unbekannt-Q7");
  microdata.columns.age.hierarchy.widths = [10, 1000];
  const tables = recordsOfCounts(random, countsByCell(random));
  return [
    { name: "microdata", policy: microdata as PolicyInput, data: planted(people(random, 300)), planted: CANARIES.map(({ name }) => name) },
    { name: "small cells", policy: smallCellsPolicy(), data: planted(tables), planted: ["direct identifier", "dropped column", "dropped date"] },
    { name: "noisy counts", policy: noisyPolicy(), data: planted(tables), planted: ["direct identifier", "dropped column", "dropped date"] },
  ];
}

async function expectClean(what: string, text: string): Promise<void> {
  expect(await scanText(what, text, CANARIES)).toEqual([]);
}

describe.each(policies())("$name", ({ name, policy, data, planted: wanted }) => {
  // Tables read their inputs by the same sources as microdata.
  test.each(name === "microdata" || process.env["FULL"] === "1" ? FORMS : (["csv", "arrow-stream-file", "parquet"] as const))("nothing hidden is published from %s", async (form) => {
    const folder = work.sub();
    mkdirSync(join(folder, "Eisvogel-6060"));
    const source = await inForm(form, data, join(folder, "Eisvogel-6060"), { ...PEOPLE_TYPES, ...HIDDEN });
    const { directory } = await release(policy, { source, out: join(folder, "out") });
    expect(await scanFolder(join(directory, "public"), CANARIES)).toEqual([]);
  });

  test.each<Form>(name === "microdata" ? ["csv", "arrow-file", "parquet"] : ["csv"])("control: the scan finds what a copy without protection holds, as %s", async (form) => {
    const folder = work.sub();
    await inForm(form, data, folder, { ...PEOPLE_TYPES, ...HIDDEN });
    const found = new Set((await scanFolder(folder, CANARIES)).map(({ canary }) => canary));
    const carried = wanted.filter((name) => form !== "csv" || !["metadata", "unused dictionary value"].includes(name));
    expect([...found].filter((name) => carried.includes(name)).sort()).toEqual([...carried].sort());
    expect(found).toContain("file name");
  });
});

describe("failed runs", () => {
  const microdata = policies()[0]!;

  /** Everything an error tells: text, code, detail, causes. */
  function told(error: unknown): string {
    const texts: string[] = [];
    for (let at: any = error; at !== undefined && at !== null; at = at.cause) {
      texts.push(String(at), String(at.message), String(at.stack).split("\n    at ")[0]!, JSON.stringify(at.detail ?? {}), JSON.stringify(at));
    }
    return texts.join("\n");
  }

  const breakages: [string, (policy: any, rows: (string | null)[][]) => void][] = [
    ["hierarchy without the value", (policy) => (policy.columns.sex.hierarchy = { kind: "order", values: ["f"], groupSizes: [2] })],
    ["age is a boolean", (policy) => ((policy.columns.age.type = "boolean"), delete policy.columns.age.hierarchy, (policy.release.protect[0].levels = {}))],
    ["note is a date", (policy) => (policy.columns.note.type = "date")],
    ["note is a number", (policy) => (policy.columns.note.type = "number")],
    ["note is a measure", (policy) => (policy.columns.note.role = "measure")],
    ["null refused", (policy) => (policy.columns.sex.nullMeaning = "refuse")],
    ["no solution", (policy) => Object.assign(policy.release.protect[0], { maxSuppressedShare: 0 })],
    ["a formula", (_, rows) => rows.forEach((row) => (row[5] = "=Goldammer Singdrossel 99"))],
    ["an interval of text", (policy) => ((policy.columns.note.role = "quasi-identifier"), (policy.columns.note.hierarchy = { kind: "interval", widths: [5] }))],
    ["a date hierarchy of text", (policy) => ((policy.columns.note.role = "quasi-identifier"), (policy.columns.note.hierarchy = { kind: "date", levels: ["year"] }))],
    ["a key with many values", (policy) => ((policy.columns.id.role = "quasi-identifier"), (policy.release.protect[0].maxSuppressedShare = 0.1))],
  ];
  test.each(breakages)("%s", async (_, change) => {
    for (const form of ["csv", "table", "parquet", "records"] as const) {
      const policy = structuredClone(microdata.policy);
      const rows = microdata.data.rows.map((row) => [...row]);
      change(policy, rows);
      const folder = work.sub();
      const source = await inForm(form, { names: microdata.data.names, rows }, folder, { ...PEOPLE_TYPES, hidden: HIDDEN.hidden });
      const error = await release(policy, { source, out: join(folder, "out") }).then(() => undefined, (thrown: unknown) => thrown);
      expect(error).toBeDefined();
      await expectClean(form, told(error));
    }
  });

  test("malformed bytes", async () => {
    const text = csvText(microdata.data);
    const damaged: [string, string | Uint8Array][] = [
      ["ragged", text.replace(/\n(Zaunkoenig-4711-90,)/, "\nMauersegler-0815,$1")],
      ["open quote", `${text}"Zaunkoenig-4711`],
      ["no header", text.slice(text.indexOf("\n") + 1)],
      ["not UTF-8", Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0xfe]), Buffer.from("Goldammer Singdrossel 99,")])],
      ["twice the same header", text.replace("id,age", "Zaunkoenig-4711,Zaunkoenig-4711")],
      ["NUL", text.replace("Mauersegler-0815", "Mauersegler-0815\0")],
    ];
    for (const [name, content] of damaged) {
      const path = join(work.sub(), "input.csv");
      writeFileSync(path, content);
      const error = await release(microdata.policy, { source: path, out: join(work.sub(), "out") }).then(() => undefined, (thrown: unknown) => thrown);
      if (name === "NUL") continue; // may be a value like any other
      expect(error, name).toBeDefined();
      // Names of columns may be told, and a file without a header begins with values.
      if (name !== "twice the same header") await expectClean(name, told(error));
    }
  });

  test("a plan holds no value of a hidden column, and an edited plan is not quoted", async () => {
    const folder = work.sub();
    const source = (await inForm("csv", microdata.data, folder)) as string;
    const made = await plan(microdata.policy, { source });
    const text = JSON.stringify(made);
    const named = (await scanText("plan", text, CANARIES)).map(({ canary }) => canary);
    expect(named.filter((canary) => canary !== "text for null")).toEqual([]); // the policy itself lists that text
    const levels = { ...(made.decision["levels"] as object), "Zaunkoenig-4711": 1 };
    const error = await apply(JSON.stringify({ ...made, decision: { ...made.decision, levels } }), { source, out: join(folder, "out") }).then(() => undefined, (thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "plan/decision" });
    await expectClean("edited plan", told(error));
    const unreadable = await apply("{Zaunkoenig-4711", { source, out: join(folder, "out") }).then(() => undefined, (thrown: unknown) => thrown);
    await expectClean("unreadable plan", told(unreadable));
  });

  test("evidence and assessments", async () => {
    const folder = work.sub();
    const source = (await inForm("csv", microdata.data, folder)) as string;
    const { directory } = await release(microdata.policy, { source, out: join(folder, "out") });
    await expectClean("evidence", JSON.stringify(await verify(directory)));
    await expectClean("assessment", JSON.stringify(await assess(source, { keys: ["age", "sex", "id"] })));
  });
});

describe("a process of its own", () => {
  let script: string;
  beforeAll(() => {
    script = join(buildBundle("canaries", "releaser-script.ts"), "script.js");
  }, 60_000);

  test.each(["well", "badly"])("prints nothing hidden and ends %s", async (how) => {
    const { policy, data } = policies()[0]!;
    const folder = work.sub();
    const home = join(folder, "Eisvogel-6060");
    mkdirSync(home);
    const path = join(home, "Eisvogel-6060.csv");
    writeFileSync(path, csvText(data) + (how === "badly" ? '"Zaunkoenig-4711' : ""));
    writeFileSync(join(folder, "policy.json"), JSON.stringify(policy));
    const run = await promisify(execFile)(process.execPath, [script, join(folder, "policy.json"), path, join(folder, "out"), "1"], {
      env: { ...process.env, HOME: home, USER: "Zaunkoenig-4711", SECRET: "Mauersegler-0815" }, cwd: home,
    }).catch((error: { stdout: string; stderr: string }) => error);
    // An uncaught error prints its stack, whose file names are the program's own, and the input's own name.
    const findings = await scanText("output", run.stdout + run.stderr, CANARIES);
    expect(findings.filter(({ canary }) => canary !== "file name")).toEqual([]);
    if (how === "well") expect(await scanFolder(join(folder, "out/public"), CANARIES)).toEqual([]);
  });
});
