/** Firms of very different size by region and kind, a policy over them, and whole releases of it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { release, verify, type PolicyInput } from "../../../src/index.ts";
import { inForm, Random, type Rows } from "../../release/data.ts";
import { workFolder } from "../../release/walk.ts";

const work = workFolder("suppression-rules");
afterAll(work.remove);

export const NAMES = ["owner", "group", "region", "kind", "revenue", "people", "cases", "weight", "asked"];

/** Firms by region and kind; owners report once or more, a few are far larger than others. */
export function firms(seed: number, records = 260): Rows {
  const random = new Random(seed);
  const rows = Array.from({ length: records }, (_, i): (string | null)[] => {
    const owner = Math.floor(i / 2);
    return [
      `owner${owner}`, `group${Math.floor(owner / 4)}`, `r${random.below(4)}`, `k${random.below(3)}`, (Math.exp(random.next() * 8)).toFixed(2),
      String(20 + random.below(200)), String(random.below(20)), (1 + random.below(80) / 10).toFixed(1), owner % 7 === 0 ? "1" : "0",
    ];
  });
  return { names: NAMES, rows };
}

export type Tables = Extract<PolicyInput["release"], { kind: "tables" }>;
type Method = Tables["protect"][number];
export type Rules = Extract<Method, { method: "cell-suppression" }>["rules"];

export function policy(rules: Rules, table: Partial<Tables["tables"][number]> = {}): PolicyInput {
  return {
    commensurate: 1,
    dataset: { name: "firms", released: "2026-01-31", license: "other-pd" },
    classification: "low",
    columns: {
      owner: { role: "contributor" },
      group: { role: "holding" },
      region: { role: "quasi-identifier" },
      kind: { role: "quasi-identifier" },
      revenue: { role: "measure", type: "number", decimals: 2 },
      people: { role: "measure", type: "integer" },
      cases: { role: "measure", type: "integer" },
      weight: { role: "weight" },
      asked: { role: "request" },
    },
    release: {
      kind: "tables",
      formats: ["csv"],
      tables: [{ name: "firms", dimensions: ["region", "kind"], ...table } as Tables["tables"][number]],
      protect: [{ method: "cell-suppression", rules }],
    },
  } as PolicyInput;
}

export async function released(input: PolicyInput, data: Rows) {
  const folder = work.sub();
  const source = await inForm("csv", data, folder);
  const { directory, evidence, plan } = await release(input, { source, out: join(folder, "out") });
  expect(evidence.verdict).toBe("pass");
  expect((await verify(directory)).verdict).toBe("pass");
  const [header, ...lines] = readFileSync(join(directory, "public/firms.csv"), "utf8").trimEnd().split("\n").map((line) => line.split(","));
  const rows = lines.map((line) => Object.fromEntries(line.map((text, i) => [header![i]!, text])));
  return { directory, evidence, plan, header: header!, rows };
}

/** Refused with the code, with nothing in the folder of the release and no value in the message. */
export async function refused(input: PolicyInput, data: Rows, code: string, values: readonly string[]): Promise<void> {
  const folder = work.sub();
  const source = await inForm("csv", data, folder);
  const out = join(folder, "out");
  const error = await release(input, { source, out }).then(() => undefined, (reason: Error & { code?: string }) => reason);
  expect(error).toMatchObject({ code });
  const told = `${error!.message} ${JSON.stringify(error)} ${String(error!.cause ?? "")}`;
  for (const value of values) expect(told).not.toContain(value);
  expect(existsSync(join(out, "public"))).toBe(false);
  expect(readdirSync(folder).filter((name) => name.startsWith("out") && existsSync(join(folder, name, "public")))).toEqual([]);
}

export const inCell = (data: Rows, row: Readonly<Record<string, string>>) =>
  data.rows.filter(([, , region, kind]) => (row["region"] === "(total)" || region === row["region"]) && (row["kind"] === "(total)" || kind === row["kind"]));
