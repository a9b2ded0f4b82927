import { expect, test } from "vitest";
import { applyPolicyToColumns, canonicalPolicy, parsePolicy, type PolicyInput } from "../../src/policy/index.ts";
import { refusal } from "./policies.ts";

/** Names that have broken other tools, each as column, hierarchy, group, dimension and margin. */
const NAMES = ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype", "", " ", "a,b", "a\nb", "😀", "e\u0301", "\u202eabc", "null", "0123", "~__proto__"];

test.each(NAMES.map((name) => [JSON.stringify(name), name]))("%s is a name like any other", (_, name) => {
  const entry = <Value>(value: Value): Record<string, Value> => Object.fromEntries([[name, value]]);
  const input: PolicyInput = {
    commensurate: 1,
    dataset: { name: "x" },
    columns: { ...entry({ role: "quasi-identifier" as const, hierarchy: name }), person: { role: "contributor" } },
    hierarchies: entry({ kind: "prefix" as const, keep: [1] }),
    release: {
      kind: "tables",
      tables: [{ name: "t", dimensions: [{ column: name, levels: [0, 1] }], margins: [[]] }],
      protect: [{ method: "noisy-counts", mechanism: "discrete-laplace", epsilon: 1, groups: entry(["a", "b"]) }],
    },
  };
  const policy = parsePolicy(input);
  expect([...policy.columns.keys()].sort()).toEqual([name, "person"].sort());
  expect(policy.columns.get(name)).toMatchObject({ role: "quasi-identifier", hierarchy: name });
  expect(policy.hierarchies.get(name)).toMatchObject({ kind: "prefix" });
  expect(policy.release.protect[0]).toMatchObject({ groups: new Map([[name, ["a", "b"]]]) });
  expect(parsePolicy(canonicalPolicy(policy), { format: "json" })).toEqual(policy);

  const { read, dropped } = applyPolicyToColumns(policy, [{ name: "person" }, { name }]);
  expect(read.map((column) => [column.name, column.position, column.use])).toEqual([["person", 0, "contributor"], [name, 1, "dimension"]]);
  expect(read[1]!.hierarchy).toMatchObject({ kind: "prefix" });
  expect(dropped).toEqual([]);
  expect(Object.prototype).not.toHaveProperty("role");

  // A misspelt field inside is told with the name, in one line and printable.
  const broken = { ...input, columns: { ...entry({ rol: "other" }) } } as unknown;
  const { message } = refusal(broken);
  expect(message).toContain('unknown key "rol". Did you mean role?');
  expect(message.split("\n").length).toBe(Number(refusal(broken).detail["problems"]) + 1);
  expect(message).not.toMatch(/[\u202e]/);
});

test("__proto__ is an unknown key where names are fixed", () => {
  const error = refusal('{"commensurate": 1, "__proto__": {"classification": "low"}}', { format: "json" });
  expect(error.message).toContain('unknown key "__proto__"');
});
