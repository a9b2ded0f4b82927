import * as arrow from "apache-arrow";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InternalError } from "../../../src/errors/index.ts";
import type { ArrowTableLike } from "../../../src/sources/arrow/from-arrow-js.ts";
import { batchesSource, tableSource } from "../../../src/sources/memory/index.ts";
import { readSource, refusal } from "../read-source.ts";

const vector = (values: unknown[], type: arrow.DataType): arrow.Vector => arrow.vectorFromArray(values as never[], type as never);
const table = (columns: Record<string, arrow.Vector>): ArrowTableLike => new arrow.Table(columns as never) as unknown as ArrowTableLike;
const readVector = async (v: arrow.Vector) => (await readSource(tableSource(table({ v })))).columns.v;

describe("types", () => {
  test.each<[string, arrow.DataType, unknown[], (string | null)[]]>([
    ["utf8", new arrow.Utf8(), ["a", null, "", "é"], ["a", null, "", "é"]],
    ["large utf8", new arrow.LargeUtf8(), ["a", null, "bc"], ["a", null, "bc"]],
    ["bool", new arrow.Bool(), [true, null, false], ["true", null, "false"]],
    ["int8", new arrow.Int8(), [-128, null, 127], ["-128", null, "127"]],
    ["int16", new arrow.Int16(), [-32768, null, 5], ["-32768", null, "5"]],
    ["int32", new arrow.Int32(), [-2147483648, null, 2147483647], ["-2147483648", null, "2147483647"]],
    ["int64", new arrow.Int64(), [-(2n ** 63n), null, 2n ** 53n + 1n, -1n], ["-9223372036854775808", null, "9007199254740993", "-1"]],
    ["uint8", new arrow.Uint8(), [0, null, 255], ["0", null, "255"]],
    ["uint16", new arrow.Uint16(), [0, null, 65535], ["0", null, "65535"]],
    ["uint32", new arrow.Uint32(), [0, null, 4294967295], ["0", null, "4294967295"]],
    ["uint64", new arrow.Uint64(), [0n, null, 2n ** 64n - 1n], ["0", null, "18446744073709551615"]],
    ["float32", new arrow.Float32(), [0.1, null, -0, 16777216, 1.17549435e-38], ["0.1", null, "0", "16777216", "1.1754944e-38"]],
    ["float64", new arrow.Float64(), [0.1, null, -0, 1e21], ["0.1", null, "0", "1e+21"]],
    ["date32", new arrow.DateDay(), [new Date("1969-12-31"), null, new Date("2024-02-29")], ["1969-12-31", null, "2024-02-29"]],
    ["timestamp s", new arrow.TimestampSecond(), [-1000, null, 0], ["1969-12-31T23:59:59", null, "1970-01-01T00:00:00"]],
    ["timestamp ms UTC", new arrow.TimestampMillisecond("UTC"), [1, null], ["1970-01-01T00:00:00.001Z", null]],
    ["dictionary", new arrow.Dictionary(new arrow.Utf8(), new arrow.Int16()), ["x", null, "y", "x"], ["x", null, "y", "x"]],
    ["null", new arrow.Null(), [null, null], [null, null]],
  ])("%s", async (_name, type, values, expected) => {
    expect(await readVector(vector(values, type))).toEqual(expected);
  });

  test("half floats have the shortest text of their precision", async () => {
    // 0x2e66 is the half nearest to 0.1, 0x3555 to 1/3, 0x0001 the smallest subnormal 2^-24.
    const data = arrow.makeData({ type: new arrow.Float16(), data: new Uint16Array([0x2e66, 0x3555, 0x0001, 0x8000, 0xc400]) });
    expect(await readVector(new arrow.Vector([data]))).toEqual(["0.1", "0.3333", "6e-8", "0", "-4"]);
  });

  test("timestamps in micro- and nanoseconds never pass through lossy milliseconds", async () => {
    const micro = arrow.makeData({ type: new arrow.TimestampMicrosecond("UTC"), data: new BigInt64Array([1_700_000_000_123_456n, -1n, -(2n ** 63n)]) });
    expect(await readVector(new arrow.Vector([micro]))).toEqual(["2023-11-14T22:13:20.123456Z", "1969-12-31T23:59:59.999999Z", "-290308-12-21T19:59:05.224192Z"]);
    const nano = arrow.makeData({ type: new arrow.TimestampNanosecond(), data: new BigInt64Array([1_700_000_000_123_456_789n, 1_700_000_000_123_456_790n, 1_700_000_000_000_000_000n]) });
    expect(await readVector(new arrow.Vector([nano]))).toEqual(["2023-11-14T22:13:20.123456789", "2023-11-14T22:13:20.123456790", "2023-11-14T22:13:20"]);
  });

  test("decimals are exact and keep their scale", async () => {
    const words = (value: bigint): number[] => Array.from({ length: 4 }, (_, i) => Number((BigInt.asUintN(128, value) >> BigInt(32 * i)) & 0xffffffffn));
    const values = [150n, -1n, 0n, 10n ** 37n + 1n, -(10n ** 37n) - 1n];
    const data = arrow.makeData({ type: new arrow.Decimal(2, 38), length: values.length, data: Uint32Array.from(values.flatMap(words)) });
    const v = new arrow.Vector([data]);
    expect(await readVector(v)).toEqual(["1.50", "-0.01", "0.00", "100000000000000000000000000000000000.01", "-100000000000000000000000000000000000.01"]);
    const numbers = await readSource(tableSource(table({ v: new arrow.Vector([data.slice(0, 3)]) })), [{ name: "v", as: "numbers" }]);
    expect(numbers.columns.v).toEqual([1.5, -0.01, 0]);
    expect((await refusal(() => readSource(tableSource(table({ v })), [{ name: "v", as: "numbers" }]))).code).toBe("arrow/inexact-number");
  });

  test("numbers: integers, floats, text and dictionaries of text; null is NaN; declared texts are null", async () => {
    const source = tableSource(table({
      i: vector([1n, null, -9n], new arrow.Int64()), f: vector([1.5, NaN, -9], new arrow.Float64()), t: vector(["1.5", "NA", null], new arrow.Utf8()),
      d: vector(["7", "NA", "7"], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8())), u: vector([4294967295, 0, null], new arrow.Uint32()),
    }));
    const nulls = ["NA", "NaN", "-9"];
    const { columns } = await readSource(source, ["i", "f", "t", "d", "u"].map((name) => ({ name, as: "numbers" as const, nulls })));
    expect(columns).toEqual({ i: [1, null, null], f: [1.5, null, null], t: [1.5, null, null], d: [7, null, 7], u: [4294967295, 0, null] });
  });

  test.each<[string, arrow.DataType, unknown[], "codes" | "numbers", string]>([
    ["NaN as a key", new arrow.Float64(), [1, NaN], "codes", "arrow/not-finite"],
    ["NaN as a measure", new arrow.Float32(), [1, NaN], "numbers", "arrow/not-finite"],
    ["a large integer as a measure", new arrow.Int64(), [1n, 2n ** 53n], "numbers", "arrow/inexact-number"],
    ["text as a measure", new arrow.Utf8(), ["1", "secret"], "numbers", "arrow/not-a-number"],
    ["a date as a measure", new arrow.DateDay(), [new Date(0)], "numbers", "source/not-a-number"],
    ["binary", new arrow.Binary(), [new Uint8Array([1])], "codes", "arrow/unsupported-type"],
    ["time", new arrow.TimeSecond(), [1], "codes", "arrow/unsupported-type"],
    ["list", new arrow.List(new arrow.Field("item", new arrow.Int8())), [[1]], "codes", "arrow/unsupported-type"],
    ["struct", new arrow.Struct([new arrow.Field("x", new arrow.Int8())]), [{ x: 1 }], "codes", "arrow/unsupported-type"],
    ["duration", new arrow.DurationSecond(), [1n], "codes", "arrow/unsupported-type"],
  ])("%s is refused, unless the column is dropped", async (_name, type, values, as, code) => {
    const source = tableSource(table({ v: vector(values, type), k: vector(values.map(() => "a"), new arrow.Utf8()) }));
    const error = await refusal(() => readSource(source, [{ name: "v", as }]));
    expect(error.code).toBe(code);
    expect(error.message).not.toContain("secret");
    expect((await readSource(source, ["k"])).columns.k).toEqual(values.map(() => "a"));
  });
});

describe("layout", () => {
  test("only values that occur enter the dictionary, however the vector was cut", async () => {
    const all = vector(["hidden", "a", "b", null, "a"], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()));
    const { columns, dictionarySizes } = await readSource(tableSource(table({ v: all.slice(1) })));
    expect(columns.v).toEqual(["a", "b", null, "a"]);
    expect(dictionarySizes.v).toBe(2);
  });

  test("slices with bit offsets, several batches, several dictionaries", async () => {
    const texts = Array.from({ length: 40 }, (_, i) => (i % 5 === 0 ? null : `t${i % 11}`));
    const make = (values: (string | null)[]) => new arrow.Table({
      t: vector(values, new arrow.Utf8()), d: vector(values, new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8())), b: vector(values.map((v) => (v === null ? null : v === "t1")), new arrow.Bool()),
      n: vector(values.map((v) => (v === null ? null : Number(v.slice(1)))), new arrow.Int16()),
    } as never);
    const joined = make(texts.slice(0, 13)).slice(3).concat(make(texts.slice(13)).slice(0, 19));
    const expected = texts.slice(3, 32);
    const { columns } = await readSource(tableSource(joined as unknown as ArrowTableLike));
    expect(columns).toEqual({
      t: expected, d: expected, b: expected.map((v) => (v === null ? null : String(v === "t1"))), n: expected.map((v) => (v === null ? null : v.slice(1))),
    });
  });

  test("damaged vectors are refused: offsets, codes, UTF-8, short buffers", async () => {
    const utf8 = (data: number[], offsets: number[]) => arrow.makeData({ type: new arrow.Utf8(), length: offsets.length - 1, data: new Uint8Array(data), valueOffsets: new Int32Array(offsets) });
    const code = async (data: arrow.Data) => (await refusal(() => readVector(new arrow.Vector([data])))).code;
    expect(await code(utf8([97, 98], [0, 5]))).toBe("arrow/bad-offsets");
    expect(await code(utf8([97, 98], [1, 0]))).toBe("arrow/bad-offsets");
    expect(await code(utf8([0xff], [0, 1]))).toBe("arrow/ill-formed-utf8");
    expect(await code(utf8([0xc3, 0xa9], [0, 1, 2]))).toBe("arrow/ill-formed-utf8"); // one character cut over two values
    expect(await code(arrow.makeData({ type: new arrow.Int32(), length: 3, data: new Int32Array(2) }))).toBe("arrow/short-buffer");
    const dictionary = vector(["a"], new arrow.Utf8());
    expect(await code(arrow.makeData({ type: new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8()), length: 1, data: new Int8Array([1]), dictionary } as never))).toBe("arrow/code-outside-dictionary");
  });

  test("law: any table in any cut reads the same and has the same fingerprint", async () => {
    await fc.assert(fc.asyncProperty(
      fc.array(fc.record({ t: fc.option(fc.string({ unit: "grapheme", maxLength: 4 })), n: fc.option(fc.integer()), f: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })) }), { minLength: 1, maxLength: 60 }),
      fc.array(fc.nat({ max: 60 }), { maxLength: 4 }),
      async (rows, cuts) => {
        const types = { t: new arrow.Utf8(), d: new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()), n: new arrow.Int32(), f: new arrow.Float64() };
        const whole = new arrow.Table(Object.fromEntries(Object.entries(types).map(([name, type]) =>
          [name, vector(rows.map((row) => row[name === "d" ? "t" : (name as "t")]), type)])) as never);
        const places = [...new Set([0, ...cuts.map((cut) => Math.min(cut, rows.length)), rows.length])].sort((a, b) => a - b);
        const pieces = places.slice(1).map((end, i) => whole.slice(places[i], end));
        const cut = pieces[0]!.concat(...pieces.slice(1));
        const [a, b] = [await readSource(tableSource(whole as unknown as ArrowTableLike)), await readSource(tableSource(cut as unknown as ArrowTableLike))];
        expect(a.columns.t).toEqual(rows.map((row) => row.t));
        expect(a.columns.d).toEqual(rows.map((row) => row.t));
        expect(a.columns.n).toEqual(rows.map((row) => (row.n === null ? null : String(row.n))));
        expect(a.columns.f).toEqual(rows.map((row) => (row.f === null ? null : String(row.f === 0 ? 0 : row.f))));
        expect(b.columns).toEqual(a.columns);
        expect(b.fingerprint).toBe(a.fingerprint);
        expect((await readSource(tableSource(cut as unknown as ArrowTableLike), [])).fingerprint).toBe(a.fingerprint);
      }), { numRuns: 60 });
  });

  test("the fingerprint sees each column's values, nulls and type", async () => {
    const of = async (columns: Record<string, arrow.Vector>) => (await readSource(tableSource(table(columns)), [])).fingerprint;
    const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8());
    const prints = await Promise.all([
      of({ a: vector([1, 2], new arrow.Int32()) }), of({ a: vector([1, 3], new arrow.Int32()) }), of({ a: vector([1, null], new arrow.Int32()) }), of({ b: vector([1, 2], new arrow.Int32()) }),
      of({ a: vector([1, 2], new arrow.Uint32()) }), of({ a: vector(["ab", "c"], new arrow.Utf8()) }), of({ a: vector(["a", "bc"], new arrow.Utf8()) }), of({ a: vector(["x", "y"], type) }), of({ a: vector(["x", "z"], type) }),
      of({ a: vector([true, false], new arrow.Bool()) }), of({ a: vector([true, true], new arrow.Bool()) }), of({ a: vector([true, null], new arrow.Bool()) }),
    ]);
    expect(new Set(prints).size).toBe(prints.length);
  });
});

describe("streams of batches", () => {
  const batches = (): arrow.RecordBatch[] => [["a", "b"], ["c"]].flatMap((values) => new arrow.Table({ v: vector(values, new arrow.Utf8()) } as never).batches);
  async function* stream(closed?: () => void): AsyncGenerator<never> {
    try {
      for (const batch of batches()) yield batch as never;
    } finally {
      closed?.();
    }
  }

  test("a function can be read twice", async () => {
    const source = batchesSource(() => stream());
    expect(source.reopenable).toBe(true);
    const first = await readSource(source);
    expect(first.columns.v).toEqual(["a", "b", "c"]);
    expect((await readSource(source)).fingerprint).toBe(first.fingerprint);
  });

  test("an iterable once", async () => {
    const source = batchesSource(stream());
    expect(source.reopenable).toBe(false);
    expect(await source.columns()).toEqual([{ name: "v", type: "text" }]);
    expect((await readSource(source)).columns.v).toEqual(["a", "b", "c"]);
    await expect(readSource(source)).rejects.toThrow(InternalError);
  });

  test("stopping early closes the stream", async () => {
    let closed = false;
    const pass = await batchesSource(stream(() => { closed = true; })).open({ columns: [] });
    for await (const _ of pass.batches) break;
    expect(closed).toBe(true);
  });

  test("no batches need a schema; a changed schema is refused", async () => {
    expect((await refusal(() => readSource(batchesSource([])))).code).toBe("source/no-batches");
    const schema = new arrow.Schema([new arrow.Field("v", new arrow.Utf8(), true)]) as never;
    expect((await readSource(batchesSource([], { schema }))).columns).toEqual({ v: [] });
    const other = new arrow.Table({ v: vector([1], new arrow.Int8()) } as never).batches[0];
    expect((await refusal(() => readSource(batchesSource([...batches(), other] as never)))).code).toBe("arrow/schema-changed");
  });
});
