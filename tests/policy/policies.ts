/** Small policies that the tests change one thing in. */
import type { PolicyInput } from "../../src/policy/index.ts";
import { PolicyError } from "../../src/errors/index.ts";
import { parsePolicy } from "../../src/policy/index.ts";

type Columns = PolicyInput["columns"];
type Microdata = Extract<PolicyInput["release"], { kind: "microdata" }>;
type Tables = Extract<PolicyInput["release"], { kind: "tables" }>;
type SmallCells = Extract<Tables["protect"][number], { method: "small-cells" }>;

export function microdataPolicy(change: Partial<PolicyInput> = {}, method: Partial<Microdata["protect"][number]> = {}): PolicyInput {
  return {
    commensurate: 1,
    dataset: { name: "people" },
    columns: {
      age: { role: "quasi-identifier", type: "integer", hierarchy: "age" },
      sex: { role: "quasi-identifier" },
      income: { role: "other" },
    },
    hierarchies: { age: { kind: "interval", widths: [5, 10] } },
    release: { kind: "microdata", protect: [{ method: "k-anonymity", k: 11, ...method }] },
    ...change,
  };
}

export const TABLE_COLUMNS: Columns = { county: { role: "quasi-identifier" }, race: { role: "sensitive" } };

export function smallCellsPolicy(change: Partial<PolicyInput> = {}, method: Partial<SmallCells> = {}, table: Partial<Tables["tables"][number]> = {}): PolicyInput {
  return {
    commensurate: 1,
    dataset: { name: "people" },
    columns: TABLE_COLUMNS,
    release: {
      kind: "tables",
      tables: [{ name: "by-county", dimensions: ["county", "race"], ...table }],
      protect: [{ method: "small-cells", threshold: 11, ...method }],
    },
    ...change,
  };
}

export function noisyPolicy(change: Partial<PolicyInput> = {}, method: object = {}): PolicyInput {
  const protect = {
    method: "noisy-counts",
    mechanism: "discrete-gaussian",
    rho: 0.5,
    groups: { county: ["Alameda", "Yolo"], race: ["a", "b"] },
    ...method,
  } as Tables["protect"][number];
  return {
    commensurate: 1,
    dataset: { name: "people" },
    columns: { ...TABLE_COLUMNS, person: { role: "contributor" } },
    release: { kind: "tables", tables: [{ name: "by-county", dimensions: ["county", "race"] }], protect: [protect] },
    ...change,
  };
}

/** The error that a policy is refused with; fails when it is accepted. */
export function refusal(input: unknown, options?: Parameters<typeof parsePolicy>[1]): PolicyError {
  try {
    parsePolicy(input as PolicyInput, options);
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
  throw new Error("The policy was accepted.");
}
