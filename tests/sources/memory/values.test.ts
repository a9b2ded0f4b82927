import fc from "fast-check";
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { columnsSource, recordsSource } from "../../../src/sources/memory/index.ts";
import { Sha256 } from "../../../src/sources/sha256.ts";
import { readSource, refusal } from "../read-source.ts";

const CANARY = "canary-7f3a";

describe("records", () => {
  test("values become canonical text, whatever their JavaScript type", async () => {
    const day = new Date(Date.UTC(1969, 6, 20, 20, 17, 40, 5));
    const values = ["007", 7, -0, 0, 1e21, 0.1, 9007199254740993n, -9007199254740992n, true, false, null, undefined, day, "", "é"];
    const { columns } = await readSource(recordsSource(values.map((v) => ({ v }))));
    expect(columns.v).toEqual(["007", "7", "0", "0", "1e+21", "0.1", "9007199254740993", "-9007199254740992", "true", "false",
      null, null, "1969-07-20T20:17:40.005Z", "", "é"]);
  });

  test("one key for the number 1, the text 1 and the bigint 1; two for 2^53 and 2^53 + 1", async () => {
    const { dictionarySizes } = await readSource(recordsSource([{ a: 1, b: 2n ** 53n }, { a: "1", b: 2n ** 53n + 1n }, { a: 1n, b: 2n ** 53n }]));
    expect(dictionarySizes).toEqual({ a: 1, b: 2 });
  });

  test("columns are own properties in order of first sight, and names such as __proto__ are like any other", async () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "length", "", "prototype", "valueOf"];
    const record = JSON.parse(`{${names.map((name, i) => `${JSON.stringify(name)}: ${i}`).join(",")}}`) as object;
    const source = recordsSource([{}, record]);
    expect((await source.columns()).map((column) => column.name)).toEqual(names);
    const pass = await source.open({ columns: names.map((name) => ({ name, as: "numbers" })) });
    for await (const batch of pass.batches) {
      expect(batch.columns.map((column) => (column.kind === "numbers" ? [...column.values] : []))).toEqual(names.map((_, i) => [NaN, i]));
    }
  });

  test("inherited properties are not read", async () => {
    const record = Object.create({ a: CANARY }) as object;
    expect((await readSource(recordsSource([record], { columns: ["a"] }))).columns.a).toEqual([null]);
  });

  test("types: integers, numbers, text, booleans, dates, mixtures, nothing", async () => {
    const source = recordsSource([
      { i: 1, n: 1, t: "a", b: true, d: new Date(0), m: 1, x: null },
      { i: 2n, n: 1.5, t: "b", b: false, d: null, m: "a", x: undefined },
    ]);
    expect(Object.fromEntries((await source.columns()).map(({ name, type }) => [name, type]))).toEqual(
      { i: "integer", n: "number", t: "text", b: "boolean", d: "timestamp", m: "text", x: "other" });
  });

  test.each([
    ["NaN as a key", { v: NaN }, "codes", "memory/not-finite"],
    ["infinity as a key", { v: -Infinity }, "codes", "memory/not-finite"],
    ["NaN as a measure", { v: NaN }, "numbers", "memory/not-finite"],
    ["text as a measure", { v: CANARY }, "numbers", "memory/not-a-number"],
    ["empty text as a measure", { v: "" }, "numbers", "memory/not-a-number"],
    ["spaced text as a measure", { v: " 1" }, "numbers", "memory/not-a-number"],
    ["a boolean as a measure", { v: true }, "numbers", "memory/not-a-number"],
    ["a Date as a measure", { v: new Date(0) }, "numbers", "memory/not-a-number"],
    ["a large bigint as a measure", { v: 2n ** 53n + 1n }, "numbers", "memory/inexact-number"],
    ["an object", { v: { secret: CANARY } }, "codes", "memory/unsupported-value"],
    ["a symbol", { v: Symbol(CANARY) }, "codes", "memory/unsupported-value"],
    ["an invalid Date", { v: new Date(NaN) }, "codes", "memory/invalid-date"],
    ["half a surrogate pair", { v: `${CANARY}\ud800` }, "codes", "memory/ill-formed-text"],
    ["a getter that throws", { get v() { throw new Error(CANARY); } }, "codes", "memory/unreadable-record"],
  ] as const)("%s is refused, with its place and without its value", async (_name, record, as, code) => {
    const error = await refusal(() => readSource(recordsSource([{ v: null }, record], { columns: ["v"] }), [{ name: "v", as }]));
    expect(error.code).toBe(code);
    if (code !== "memory/unreadable-record") expect(error.detail).toEqual({ column: "v", record: 2 });
    expect(JSON.stringify([error.message, error.detail, String(error), error.cause ?? ""])).not.toContain(CANARY);
  });

  test("what is declared null is null among measures and ordinary text among keys", async () => {
    const records = [{ v: NaN }, { v: "NA" }, { v: -9 }, { v: "1.5" }, { v: 2n }];
    const nulls = ["NaN", "NA", "-9"];
    expect((await readSource(recordsSource(records), [{ name: "v", as: "numbers", nulls }])).columns.v).toEqual([null, null, null, 1.5, 2]);
    expect((await readSource(recordsSource(records), [{ name: "v", as: "codes", nulls }])).columns.v).toEqual(["NaN", "NA", "-9", "1.5", "2"]);
  });

  test("an unsupported value matters only in a column that is asked for", async () => {
    const { columns } = await readSource(recordsSource([{ a: "x", b: { c: 1 } }]), ["a"]);
    expect(columns.a).toEqual(["x"]);
  });

  test("records that are no objects are refused by number", async () => {
    expect((await refusal(() => readSource(recordsSource([{}, null as unknown as object])))).detail).toEqual({ record: 2 });
  });

  test("an unknown column is refused with the nearest name", async () => {
    const error = await refusal(() => readSource(recordsSource([{ county: 1 }]), ["conty"]));
    expect(error.code).toBe("source/unknown-column");
    expect(error.message).toContain('did you mean "county"');
  });

  test("no records; records across batches", async () => {
    expect((await readSource(recordsSource([], { columns: ["a"] }))).columns).toEqual({ a: [] });
    const many = Array.from({ length: 150_000 }, (_, i) => ({ a: i % 7 }));
    const { batches, columns } = await readSource(recordsSource(many));
    expect(batches).toEqual([65_536, 65_536, 18_928]);
    expect(columns.a!.every((text, i) => text === String(i % 7))).toBe(true);
  });
});

describe("columns", () => {
  test("arrays and typed arrays", async () => {
    const source = columnsSource({ a: ["x", null, "y"], b: new Uint8Array([1, 2, 255]), c: new BigInt64Array([1n, -1n, 2n ** 62n]), d: new Float64Array([-0, 0.1, 1e300]) });
    expect((await readSource(source)).columns).toEqual({
      a: ["x", null, "y"], b: ["1", "2", "255"], c: ["1", "-1", "4611686018427387904"], d: ["0", "0.1", "1e+300"],
    });
  });

  test("a Map may name a column __proto__", async () => {
    const source = columnsSource(new Map([["__proto__", [1, 2]]]));
    expect(await source.columns()).toEqual([{ name: "__proto__", type: "integer" }]);
  });

  test("columns of different lengths are refused", async () => {
    expect((await refusal(() => readSource(columnsSource({ a: [1], b: [1, 2] })))).code).toBe("memory/unequal-columns");
  });
});

describe("fingerprint", () => {
  test("the same whatever is asked for, different when any value, type, name or length differs", async () => {
    const of = async (columns: Record<string, unknown[]>, names?: string[]) => (await readSource(columnsSource(columns), names)).fingerprint;
    const first = await of({ a: ["x", "y"], b: [1, 2] });
    expect(first).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await of({ a: ["x", "y"], b: [1, 2] }, ["b"])).toBe(first);
    expect(await of({ a: ["x", "y"], b: [1, 2] }, [])).toBe(first);
    const others = await Promise.all([
      of({ a: ["x", "z"], b: [1, 2] }), of({ a: ["xy", ""], b: [1, 2] }), of({ a: ["x", "y"], b: ["1", 2] }), of({ a: ["x", "y"], c: [1, 2] }),
      of({ b: [1, 2], a: ["x", "y"] }), of({ a: ["x", "y"], b: [1, null] }), of({ a: ["x"], b: [1] }), of({ a: ["x", "y"], b: [1, 2n] }),
    ]);
    expect(new Set([first, ...others]).size).toBe(others.length + 1);
  });

  test("is not known before the end of the pass", async () => {
    const pass = await columnsSource({ a: [1] }).open({ columns: [] });
    expect(() => pass.fingerprint()).toThrow(/before the batches ended/);
  });

  test("the plain SHA-256 agrees with the platform's, in any pieces", () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (parts) => {
      const plain = new Sha256();
      const platform = createHash("sha256");
      for (const part of parts) {
        plain.update(part);
        platform.update(part);
      }
      expect(plain.digest()).toBe(platform.digest("hex"));
    }), { numRuns: 200 });
  });
});

test("an aborted pass stops", async () => {
  const abort = new AbortController();
  const pass = await columnsSource({ a: [1, 2] }).open({ columns: [{ name: "a", as: "codes" }], signal: abort.signal });
  abort.abort();
  await expect(async () => { for await (const _ of pass.batches); }).rejects.toThrow(/abort/i);
});
