import { expect, test } from "vitest";
import { stringify } from "yaml";
import { applyPolicyToColumns, parsePolicy } from "../../src/policy/index.ts";
import { microdataPolicy, noisyPolicy, smallCellsPolicy } from "./policies.ts";

const CANARIES: readonly unknown[] = ["CANARY-7d1e-Jane Roe", 987654321987, true, ["CANARY-7d1e-Jane Roe"], { a: "CANARY-7d1e-Jane Roe" }];
const FOUND = /CANARY|987654321987/;

/** Every place of a policy that holds a value, as a path. */
function places(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== "object" || value === null) return [path];
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...entries.flatMap(([step, item]) => places(item, [...path, step]))].filter(({ length }) => length > 0);
}

function replaced(value: unknown, [step, ...rest]: readonly (string | number)[], planted: unknown): unknown {
  if (step === undefined) return planted;
  if (Array.isArray(value)) return value.map((item, i) => (i === step ? replaced(item, rest, planted) : (item as unknown)));
  return { ...(value as object), [step]: replaced((value as Record<string, unknown>)[step], rest, planted) };
}

/** Numbers where numbers are expected, and names of columns and hierarchies where names are, may be told. */
const TOLD = /\.(k|maxSuppressedShare|generalizationWeight|threshold|interval|rho|delta|epsilon|maxRecordsPerContributor|value|widths|groupSizes|keep|levels|size)\b|commensurate/;
const NAMES = /(keys|dimensions|margins|hierarchy|column)(\[\d+\])*$/;

function leaks(input: unknown): string[] {
  const found: string[] = [];
  for (const path of places(input)) {
    const where = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
    for (const planted of CANARIES) {
      if (NAMES.test(where) && (typeof planted === "string" || Array.isArray(planted))) continue;
      const broken = replaced(input, path, planted);
      if (typeof planted === "object" && !Array.isArray(planted)) Object.assign(planted as object, { a: "CANARY-7d1e-Jane Roe" });
      for (const notation of [broken, stringify(broken, { aliasDuplicateObjects: false }), JSON.stringify(broken)]) {
        const format = typeof notation === "string" && notation.startsWith("{") ? "json" : "yaml";
        try {
          parsePolicy(notation as string, { format });
        } catch (error) {
          const { message, detail, cause } = error as { message: string; detail: unknown; cause?: unknown };
          expect(cause).toBeUndefined();
          const text = message + JSON.stringify(detail) + String((error as Error).stack);
          if (FOUND.test(text) && !(typeof planted === "number" && TOLD.test(where))) found.push(`${where}: ${message}`);
        }
      }
    }
  }
  return found;
}

test.each([
  ["microdata", microdataPolicy({}, { levels: { age: { min: 0, max: 1 } }, keys: ["age", "sex"] })],
  ["small cells", smallCellsPolicy({}, {}, { margins: [["race"]] })],
  ["noisy counts", noisyPolicy()],
  [
    "hierarchies",
    microdataPolicy({
      columns: {
        a: { role: "quasi-identifier", hierarchy: { kind: "tree", inline: [["x", "y"], ["z", "y"]] }, nulls: ["NA"], normalise: ["trim"] },
        b: { role: "quasi-identifier", hierarchy: { kind: "order", values: ["x", "y"], groups: [[{ size: 2, label: "both" }]] } },
      },
      hierarchies: {},
    }),
  ],
])("a value planted anywhere in a policy is not in the message: %s", (_, input) => {
  expect(leaks(input)).toEqual([]);
});

test("values in a text that cannot be read are not in the message", () => {
  const broken = ["CANARY: [", "a: 'CANARY", "a: *CANARY", "a: !CANARY x", "- CANARY: x: y", '{"a": CANARY}', '"CANARY\\q"', "a: 1\n\tCANARY", "@CANARY", "%CANARY x\n---\n", "CANARY: 1\nCANARY: 2"];
  for (const text of broken) {
    for (const format of ["yaml", "json"] as const) {
      try {
        parsePolicy(text, { format });
        throw new Error("accepted");
      } catch (error) {
        expect(String(error) + JSON.stringify(error)).not.toMatch(FOUND);
      }
    }
  }
});

test("a file without a header shows none of its first line", () => {
  const policy = parsePolicy(microdataPolicy());
  expect(() => applyPolicyToColumns(policy, [{ name: "CANARY" }, { name: "34" }])).toThrow(/^None of the 3 columns of the policy is among the 2 columns of the data\. (?!.*CANARY)/);
});
