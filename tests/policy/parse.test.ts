import fc from "fast-check";
import { createHash } from "node:crypto";
import { stringify } from "yaml";
import { describe, expect, test } from "vitest";
import { canonicalPolicy, definePolicy, parsePolicy, policyHash, type PolicyInput } from "../../src/policy/index.ts";
import { microdataPolicy, noisyPolicy, refusal, smallCellsPolicy } from "./policies.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const YAML = `# A policy with comments and both styles.
commensurate: 1
dataset:
  name: people
  keywords: [a, "b"]
classification: low
source: { path: data.csv, delimiter: ";" }
columns:
  age: { role: quasi-identifier, type: integer, hierarchy: age }
  zip:
    role: quasi-identifier
    hierarchy: { kind: prefix, keep: [3] }
    nulls: ["", "00000"]
  2020: { role: other }
  ssn: { role: direct-identifier }
hierarchies:
  age: { kind: interval, widths: [5, 10], to: 90 }
release:
  kind: microdata
  formats: [csv, parquet]
  protect:
    - method: k-anonymity
      k: 5
      levels: { age: { max: 1 }, zip: 1 }
`;

const OBJECT = definePolicy({
  commensurate: 1,
  dataset: { name: "people", keywords: ["a", "b"] },
  classification: "low",
  source: { path: "data.csv", delimiter: ";" },
  columns: {
    "2020": { role: "other" },
    ssn: { role: "direct-identifier" },
    zip: { role: "quasi-identifier", hierarchy: { kind: "prefix", keep: [3] }, nulls: ["", "00000"], drop: undefined },
    age: { role: "quasi-identifier", type: "integer", hierarchy: "age" },
  },
  hierarchies: { age: { kind: "interval", widths: [5, 10], to: 90 } },
  release: {
    kind: "microdata",
    formats: ["csv", "parquet"],
    protect: [{ method: "k-anonymity", k: 5, levels: { zip: 1, age: { max: 1 } } }],
  },
});

describe("one meaning in all notations", () => {
  test("YAML, JSON, TypeScript and the canonical text give the same policy and the same hash", () => {
    const policy = parsePolicy(OBJECT);
    const others = [
      parsePolicy(YAML),
      parsePolicy(JSON.stringify(OBJECT), { format: "json" }),
      parsePolicy(JSON.stringify(OBJECT, null, 2), { fileName: "policy.json" }),
      parsePolicy(JSON.stringify(OBJECT)), // JSON is YAML too
      parsePolicy(YAML.replaceAll("\n", "\r\n")),
      parsePolicy(`\ufeff${YAML}`),
      parsePolicy(canonicalPolicy(policy), { format: "json" }),
      parsePolicy(JSON.parse(canonicalPolicy(policy)) as PolicyInput),
    ];
    for (const other of others) {
      expect(other).toEqual(policy);
      expect([...other.columns.keys()]).toEqual(["2020", "age", "ssn", "zip"]);
      expect(policyHash(other, sha256)).toBe(policyHash(policy, sha256));
    }
    expect(policyHash(policy, sha256)).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  test("any change of a field changes the hash", () => {
    const hash = (input: PolicyInput): string => policyHash(parsePolicy(input), sha256);
    const variants = [
      microdataPolicy(),
      microdataPolicy({}, { k: 12 }),
      microdataPolicy({}, { metric: "entropy" }),
      microdataPolicy({ otherColumns: "drop" }),
      microdataPolicy({ classification: "moderate" }),
      smallCellsPolicy(),
      noisyPolicy(),
    ].map(hash);
    expect(new Set(variants).size).toBe(variants.length);
  });

  const name = fc.oneof(
    fc.constantFrom("__proto__", "~__proto__", "constructor", "toString", "hasOwnProperty", "", " ", "a b", "a.b", "1", "01", "null", "true", "é", "e\u0301", "😀", "<<", "y", "*a", "&a", "- x", "#", "a: b", '"', "\\", "\n", "\u2028", "a[0]"),
    fc.string({ unit: "grapheme", maxLength: 12 }),
  );
  const policies = fc
    .record({
      names: fc.uniqueArray(name, { minLength: 2, maxLength: 8 }),
      k: fc.integer({ min: 2, max: 1e6 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      values: fc.uniqueArray(name, { minLength: 1, maxLength: 5 }),
      text: name,
    })
    .map(({ names, k, share, values, text }): PolicyInput => {
      const columns = Object.fromEntries(
        names.map((column, i) => [column, i % 2 === 0 ? { role: "quasi-identifier" as const, hierarchy: text } : { role: "other" as const, nulls: values }]),
      );
      return {
        commensurate: 1,
        dataset: { name: "x", description: text, keywords: values },
        columns,
        hierarchies: Object.fromEntries([[text, { kind: "order" as const, values, groupSizes: [2] }]]),
        release: {
          kind: "microdata",
          protect: [{ method: "k-anonymity", k, maxSuppressedShare: share, levels: Object.fromEntries([[names[0]!, { min: 1 }]]) }],
        },
      };
    });

  test("names and values of any kind survive YAML, JSON and the canonical text", () => {
    fc.assert(
      fc.property(policies, (input) => {
        const policy = parsePolicy(input);
        expect([...policy.columns.keys()].sort()).toEqual(Object.keys(input.columns).sort());
        const yaml = parsePolicy(stringify(input, { aliasDuplicateObjects: false }));
        const json = parsePolicy(JSON.stringify(input), { format: "json" });
        const again = parsePolicy(canonicalPolicy(policy), { format: "json" });
        for (const other of [yaml, json, again]) expect(canonicalPolicy(other)).toBe(canonicalPolicy(policy));
        expect(again).toEqual(policy);
      }),
      { numRuns: 150 },
    );
  });
});

describe("places of problems", () => {
  const told = (text: string, options = {}): [unknown, unknown, unknown] => {
    const { detail } = refusal(text, options);
    return [detail["paths"], detail["lines"], detail["columns"]];
  };

  test("every problem has its line, column and path, in the order of the text", () => {
    const text = YAML.replace("integer,", "intger,").replace('"00000"', "00000").replace("k: 5", "k: 1\n      kk: 5");
    const error = refusal(text, { fileName: "people.yaml" });
    expect(error.detail).toEqual({
      problems: 4,
      paths: ["columns.age.type", "columns.zip.nulls[1]", "release.protect[0].k", "release.protect[0]"],
      lines: [9, 13, 23, 24],
      columns: [34, 17, 7, 7],
    });
    expect(error.message).toContain("people.yaml has 4 problems.\n  people.yaml:9:34 columns.age.type: expected one of string, integer,");
    expect(error.message).toContain("people.yaml:13:17 columns.zip.nulls[1]: expected text, found a number. Put it in quotes");
    expect(error.message).toContain("people.yaml:23:7 release.protect[0].k: k is records per equivalence class and must be at least 2; found 1.");
    expect(error.message).toContain('people.yaml:24:7 release.protect[0]: unknown key "kk".');
  });

  test("cross-checks have places too, and what is missing is told at what surrounds it", () => {
    expect(told(YAML.replace("hierarchy: age }", "hierarchy: agee }"))).toEqual([["columns.age.hierarchy"], [9], [49]]);
    expect(told(YAML.replace("      k: 5\n", ""))).toEqual([["release.protect[0].k"], [22], [7]]);
    expect(told("commensurate: 1\n")[1]).toEqual([1, 1, 1]);
  });

  test("in CRLF text, after wide characters, and in JSON", () => {
    expect(told(YAML.replace("k: 5", "k: 1").replaceAll("\n", "\r\n"))).toEqual([["release.protect[0].k"], [23], [7]]);
    const json = JSON.stringify(OBJECT, null, 2).replace('"k": 5', '"k": 1');
    const line = json.split("\n").findIndex((text) => text.includes('"k": 1')) + 1;
    expect(told(json, { format: "json" })).toEqual([["release.protect[0].k"], [line], [json.split("\n")[line - 1]!.indexOf('"k"') + 1]]);
  });

  test("objects from code have paths only", () => {
    const error = refusal(microdataPolicy({}, { k: 1 }));
    expect(error.detail).toEqual({ problems: 1, paths: ["release.protect[0].k"] });
  });

  test("a long list of problems is cut, and counted in full", () => {
    const columns = Array.from({ length: 700 }, (_, i) => `  c${i}: { role: none }`).join("\n");
    const error = refusal(`${YAML.replace("columns:\n", `columns:\n${columns}\n`)}`);
    expect(error.detail["problems"]).toBe(700);
    expect(error.message.split("\n")).toHaveLength(22);
    expect(error.message).toMatch(/and 680 more\.$/);
  });
});

describe("text where YAML would see something else", () => {
  test.each([
    ["a FIPS code", "nulls: [06001]"],
    ["a number in words of YAML", "nulls: [1e3]"],
    ["a truth value", "nulls: [true]"],
    ["nothing", "nulls: [~]"],
  ])("%s among texts is refused", (_, nulls) => {
    const error = refusal(YAML.replace('nulls: ["", "00000"]', nulls));
    expect(error.detail["paths"]).toEqual(["columns.zip.nulls[0]"]);
  });

  test("a number in an inline tree and among groups is told to be quoted", () => {
    const tree = `${YAML.replace("{ kind: prefix, keep: [3] }", '{ kind: tree, inline: [["94110", Bay], [06001, Bay]] }')}`;
    expect(refusal(tree).message).toMatch(/columns\.zip\.hierarchy\.inline\[1\]\[0\]: expected text, found a number\. Put it in quotes/);
    const groups = stringify(noisyPolicy()).replace("- Yolo", "- 06113");
    expect(refusal(groups).message).toMatch(/groups\.county\[1\]: expected text, found a number\. Put it in quotes/);
  });

  test("names of columns are taken as they are written", () => {
    const policy = parsePolicy(YAML.replace("2020:", "02020:"));
    expect([...policy.columns.keys()]).toContain("02020");
  });

  test("yes, no, on and dates are text", () => {
    const policy = parsePolicy(YAML.replace('nulls: ["", "00000"]', "nulls: [no, yes, on, 2020-01-01]"));
    expect(policy.columns.get("zip")!.nulls).toEqual(["no", "yes", "on", "2020-01-01"]);
  });
});

describe("texts that cannot be read", () => {
  test.each<[string, string, string, number, number]>([
    ["an alias", "a: &x 1\nb: *x\n", "policy/alias", 2, 4],
    ["a merge key", `${YAML}<<: { classification: high }\n`, "policy/invalid", 25, 1],
    ["a custom tag", "a: !js/function x\n", "policy/tag", 1, 4],
    ["a binary tag", "a: !!binary aGk=\n", "policy/tag", 1, 13],
    ["a duplicate key", "a: 1\nb: 2\na: 3\n", "policy/duplicate-key", 3, 1],
    ["a duplicate key in other words", 'a: { 1: x, "1": y }\n', "policy/duplicate-key", 1, 12],
    ["a key that is a list", "? [a]\n: 1\n", "policy/key", 1, 3],
    ["a key that is empty", "a: { : 1 }\n", "policy/key", 1, 5],
    ["two documents", "a: 1\n---\nb: 1\n", "policy/syntax", 2, 1],
    ["YAML 1.1", "%YAML 1.1\n---\na: 1\n", "policy/yaml-version", 1, 1],
    ["a tab", "a:\n\tb: 1\n", "policy/syntax", 2, 1],
    ["an open quote", "a: 'x\nb: 1\n", "policy/syntax", 3, 1],
    ["nothing", "", "policy/empty", 1, 1],
    ["comments only", "# x\n", "policy/empty", 1, 1],
  ])("%s", (_, text, code, line, column) => {
    const error = refusal(text, { fileName: "p.yaml" });
    expect(error.code).toBe(code);
    expect([error.detail["lines"] ?? error.detail["line"], error.detail["columns"] ?? error.detail["column"]].flat()).toEqual([line, column]);
    expect(error.message).toContain(`p.yaml:${line}:${column} `);
  });

  test.each<[string, string, string, number, number]>([
    ["a duplicate key", '{\n "a": 1,\n "a": 2\n}', "policy/duplicate-key", 3, 2],
    ["a duplicate key by escape", '{"a": 1, "\\u0061": 2}', "policy/duplicate-key", 1, 10],
    ["a trailing comma", '{"a": 1,}', "policy/syntax", 1, 9],
    ["a comment", '{"a": 1} // x', "policy/syntax", 1, 10],
    ["single quotes", "{'a': 1}", "policy/syntax", 1, 2],
    ["a leading zero", '{"a": 01}', "policy/syntax", 1, 7],
    ["NaN", '{"a": NaN}', "policy/syntax", 1, 7],
    ["an open string", '{"a": "x', "policy/syntax", 1, 7],
    ["a raw line break", '{"a": "x\ny"}', "policy/syntax", 1, 9],
    ["nothing", "", "policy/syntax", 1, 1],
  ])("JSON: %s", (_, text, code, line, column) => {
    const error = refusal(text, { format: "json" });
    expect([error.code, error.detail["line"], error.detail["column"]]).toEqual([code, line, column]);
  });

  test("our JSON reader accepts and rejects what JSON.parse does, duplicate keys apart", () => {
    const syntaxError = (text: string): boolean => refusal(text, { format: "json" }).code === "policy/syntax";
    const parseFails = (text: string): boolean => {
      try {
        JSON.parse(text);
        return false;
      } catch {
        return true;
      }
    };
    const pieces = fc.constantFrom("{", "}", "[", "]", ",", ":", '"a"', '"b"', "1", "-", "0", ".5", "e3", "true", "null", " ", "\n", '"\\n"', '"\\x"', "\u0001");
    const texts = fc.oneof(fc.json(), fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join("")), fc.string());
    fc.assert(
      fc.property(texts, (text) => {
        fc.pre(!/"([ab])".*"\1"/s.test(text));
        fc.pre(refusal(text, { format: "json" }).code !== "policy/duplicate-key");
        expect(syntaxError(text)).toBe(parseFails(text));
      }),
      { numRuns: 500 },
    );
  });

  test("objects that are not plain data", () => {
    const cycle: Record<string, unknown> = { commensurate: 1 };
    cycle["dataset"] = cycle;
    expect(refusal(cycle).code).toBe("policy/too-deep");
    for (const value of [new Date(0), () => 1, Symbol("x"), 1n, new Map(), /x/]) {
      const error = refusal({ ...microdataPolicy(), dataset: { name: "x", title: value } });
      expect([error.code, error.detail["path"]]).toEqual(["policy/not-plain", "dataset.title"]);
    }
  });
});

describe("bombs are refused within a second", () => {
  const BOMBS: Record<string, string> = {
    "flow lists": "[".repeat(1_000_000),
    "flow lists within the token limit": "[".repeat(59_000),
    "flow maps": "{a: ".repeat(250_000),
    // Composed without a depth check, this one aborts Node 20: near the end of the stack a regular expression is compiled.
    "block lists": "- ".repeat(29_000),
    "block keys": "? ".repeat(29_000),
    "colons": ": ".repeat(29_000),
    "indentation": Array.from({ length: 1_400 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
    "many keys": Array.from({ length: 8_000 }, (_, i) => `k${i}: 1`).join("\n"),
    "a billion laughs": Array.from({ length: 9 }, (_, i) => `a${i}: &a${i} [${`*a${i - 1},`.repeat(9)}]`).join("\n"),
    "many aliases": `a: &a x\nb: [${"*a,".repeat(19_000)}]`,
    "an error per line": "]\n".repeat(29_000),
    "an error per character": `a: "${"\\x".repeat(500_000)}"`,
    "quotes": '"'.repeat(59_000),
    "documents": "---\n".repeat(29_000),
    "tags": "!a ".repeat(29_000),
    "comments": "#\n".repeat(29_000),
    "a long number": `a: ${"9".repeat(1_000_000)}`,
    "a long key": `${"a".repeat(1_000_000)}: 1`,
    "empty maps": `[${"{},".repeat(19_000)}]`,
    "2 MB": "a: b\n".repeat(400_000),
  };
  /** Processor time in milliseconds, the best of three: the machine may be busy with other tests. */
  function cost(work: () => void): number {
    let best = Infinity;
    for (let i = 0; i < 3 && best >= 1_000; i++) {
      const before = process.cpuUsage();
      work();
      best = Math.min(best, process.cpuUsage(before).user / 1_000);
    }
    return best;
  }

  test.each(Object.entries(BOMBS))("%s", (_, text) => {
    const error = refusal(text);
    expect(error.code).toMatch(/^policy\//);
    expect(error.message.length).toBeLessThan(3_000);
    expect(cost(() => void refusal(text))).toBeLessThan(1_000);
  });

  test.each(Object.entries({ depth: "[".repeat(1_000_000), numbers: `[${"1,".repeat(400_000)}1]`, quotes: '"'.repeat(1_000_000) }))("JSON: %s", (_, text) => {
    expect(refusal(text, { format: "json" }).code).toMatch(/^policy\//);
    expect(cost(() => void refusal(text, { format: "json" }))).toBeLessThan(1_000);
  });

  test("nesting up to the limit is read", () => {
    const nested = (depth: number): string => `a: ${"[".repeat(depth)}${"]".repeat(depth)}`;
    expect(refusal(nested(31)).code).toBe("policy/invalid");
    expect(refusal(nested(40)).code).toBe("policy/too-deep");
  });
});
