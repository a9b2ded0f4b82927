import * as arrow from "apache-arrow";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DataError } from "../../../src/errors/index.ts";
import { arrowSource } from "../../../src/sources/arrow/index.ts";
import { tableSource } from "../../../src/sources/memory/index.ts";
import { bytesAccess, type RandomAccess } from "../../../src/sources/random-access.ts";
import { readSource, refusal } from "../read-source.ts";

const vector = (values: unknown[], type: arrow.DataType): arrow.Vector => arrow.vectorFromArray(values as never[], type as never);
const dictionaryType = (): arrow.DataType => new arrow.Dictionary(new arrow.Utf8(), new arrow.Int8());

/** A clean table with every kind of buffer. */
function sample(): arrow.Table {
  const texts = Array.from({ length: 30 }, (_, i) => (i % 7 === 0 ? null : `tëxt ${i % 5}`));
  return new arrow.Table({
    t: vector(texts, new arrow.Utf8()), d: vector(texts, dictionaryType()), b: vector(texts.map((t) => t === null), new arrow.Bool()),
    i: vector(texts.map((t, i) => (t === null ? null : BigInt(i) ** 9n)), new arrow.Int64()), f: vector(texts.map((_, i) => i / 3), new arrow.Float64()),
    s: vector(texts.map((_, i) => new Date(i * 1e9)), new arrow.TimestampMillisecond("UTC")),
  } as never);
}

const formats = ["file", "stream"] as const;

describe.each(formats)("%s", (format) => {
  test("reads what apache-arrow writes, in several batches, as the table in memory is read", async () => {
    const one = sample();
    const table = one.concat(one);
    const bytes = arrow.tableToIPC(table, format);
    const [read, expected] = [await readSource(arrowSource(bytes)), await readSource(tableSource(table as never))];
    expect(read.columns).toEqual(expected.columns);
    expect(read.batches).toEqual([30, 30]);
    expect(await arrowSource(bytes).columns()).toEqual(await tableSource(table as never).columns());
  });

  test("no records; no columns", async () => {
    const empty = new arrow.Table({ t: vector([], new arrow.Utf8()) } as never);
    expect((await readSource(arrowSource(arrow.tableToIPC(empty, format)))).columns).toEqual({ t: [] });
    expect((await readSource(arrowSource(arrow.tableToIPC(new arrow.Table(new arrow.Schema([])), format)))).columns).toEqual({});
  });

  test("bytes at an odd address, and through random access, read the same with the same fingerprint", async () => {
    const bytes = arrow.tableToIPC(sample(), format);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const plain = await readSource(arrowSource(bytes));
    expect(await readSource(arrowSource(shifted.subarray(3)))).toEqual(plain);
    let open = 0;
    const input = async (): Promise<RandomAccess> => {
      open++;
      return { ...bytesAccess(bytes), close: async () => void open-- };
    };
    expect(await readSource(arrowSource(input))).toEqual(plain);
    expect(await readSource(arrowSource(input), ["d"])).toMatchObject({ fingerprint: plain.fingerprint });
    expect(open).toBe(0);
  });

  test("a change in any column changes the fingerprint, also where the column is not read", async () => {
    const bytes = arrow.tableToIPC(sample(), format);
    const before = await readSource(arrowSource(bytes), ["d"]);
    const at = bytes.findIndex((_, i) => i > 1000 && bytes[i] === 0x74 && bytes[i + 1] === 0xc3); // "të" of column t
    const changed = bytes.slice();
    changed[at] = 0x54;
    const after = await readSource(arrowSource(changed), ["d"]);
    expect(after.columns).toEqual(before.columns);
    expect(after.fingerprint).not.toBe(before.fingerprint);
  });

  test("cut anywhere, it is refused, but for a stream cut between messages", async () => {
    const bytes = arrow.tableToIPC(sample().select(["t", "d"]), format);
    let read = 0;
    for (let length = 0; length < bytes.length; length++) {
      try {
        await readSource(arrowSource(bytes.subarray(0, length)), []);
        read++;
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
    }
    // After the schema, the dictionary and the batch, before the end mark.
    expect(read).toBe(format === "file" ? 0 : 3);
  });

  test("law: random damage ends in data or a DataError, never with a value in the message", async () => {
    const clean = arrow.tableToIPC(sample(), format);
    let refused = 0;
    await fc.assert(fc.asyncProperty(
      fc.array(fc.tuple(fc.nat({ max: clean.length - 1 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 }),
      async (flips) => {
        const bytes = clean.slice();
        for (const [at, value] of flips) bytes[at] = value;
        const source = arrowSource(bytes);
        try {
          const columns = await source.columns();
          await readSource(source, columns.map(({ name, type }) => ({ name, as: type === "integer" || type === "number" ? "numbers" as const : "codes" as const })));
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
          expect((error as DataError).message).not.toContain("tëxt");
          refused++;
        }
      }), { numRuns: 400 });
    expect(refused).toBeGreaterThan(100);
  });
});

describe("streams", () => {
  const batchOf = (data: arrow.Data): arrow.RecordBatch => new arrow.RecordBatch({ d: data } as never);

  test("a dictionary replaced mid-stream", async () => {
    // Two vectors of one type object but with different dictionaries: the writer sends the second as a replacement.
    const type = dictionaryType() as arrow.Dictionary;
    const [first, second] = [["a", "b"], ["b", "c"]].map((values) =>
      arrow.makeData({ type, length: 2, data: new Int8Array([0, 1]), dictionary: vector(values, type.dictionary) } as never));
    const writer = new arrow.RecordBatchStreamWriter();
    writer.write(batchOf(first!));
    writer.write(batchOf(second!));
    writer.finish();
    const { columns, dictionarySizes } = await readSource(arrowSource(await writer.toUint8Array()));
    expect(columns.d).toEqual(["a", "b", "b", "c"]);
    expect(dictionarySizes.d).toBe(3);
  });

  test("a dictionary that grows by deltas", async () => {
    const type = dictionaryType() as arrow.Dictionary;
    const values = vector(["a", "b"], type.dictionary);
    const grown = values.concat(vector(["c", "d"], type.dictionary));
    const writer = new arrow.RecordBatchStreamWriter();
    writer.write(batchOf(arrow.makeData({ type, length: 3, data: new Int8Array([1, 0, 1]), dictionary: values } as never)));
    writer.write(batchOf(arrow.makeData({ type, length: 3, data: new Int8Array([3, 0, 2]), dictionary: grown } as never)));
    writer.finish();
    expect((await readSource(arrowSource(await writer.toUint8Array()))).columns.d).toEqual(["b", "a", "b", "d", "a", "c"]);
  });

  test("anything after the end mark is refused", async () => {
    const bytes = arrow.tableToIPC(sample(), "stream");
    const twice = new Uint8Array(bytes.length * 2);
    twice.set(bytes);
    twice.set(bytes, bytes.length);
    expect((await refusal(() => readSource(arrowSource(twice)))).code).toBe("arrow/trailing-bytes");
  });

  test("a stream without its end mark is read: writers that were stopped leave such", async () => {
    const bytes = arrow.tableToIPC(sample(), "stream");
    expect((await readSource(arrowSource(bytes.subarray(0, bytes.length - 8)))).records).toBe(30);
  });
});

describe("refusals", () => {
  test.each([
    ["nothing", new Uint8Array(0), "arrow/truncated"],
    ["text", new TextEncoder().encode("a,b\n1,2\n3,4\n"), "arrow/truncated"],
    ["the name alone", new TextEncoder().encode("ARROW1"), "arrow/truncated"],
    ["zeros", new Uint8Array(64), "arrow/trailing-bytes"],
  ])("%s", async (_name, bytes, code) => {
    expect((await refusal(() => arrowSource(bytes).columns())).code).toBe(code);
  });

  test("big-endian data", async () => {
    const bytes = readFileSync(new URL("../../fixtures/arrow/fuzz/clusterfuzz-testcase-arrow-ipc-file-fuzz-6051391008473088", import.meta.url));
    expect((await refusal(() => arrowSource(bytes).columns())).code).toBe("arrow/big-endian");
  });

  test("two columns of one name", async () => {
    const field = new arrow.Field("n", new arrow.Int8(), true);
    const data = vector([1], new arrow.Int8()).data[0]!;
    const schema = new arrow.Schema([field, field]);
    const batch = new arrow.RecordBatch(schema, arrow.makeData({ type: new arrow.Struct([field, field]), length: 1, nullCount: 0, children: [data, data] }) as never);
    expect((await refusal(() => arrowSource(arrow.tableToIPC(new arrow.Table(schema, [batch]), "stream")).columns())).code).toBe("source/duplicate-column");
  });

  test("records that no bytes stand for", async () => {
    const huge = arrow.makeData({ type: new arrow.Null(), length: 2 ** 31 - 1 });
    const bytes = arrow.tableToIPC(new arrow.Table(new arrow.RecordBatch({ x: huge } as never)), "stream");
    expect((await refusal(() => readSource(arrowSource(bytes)))).code).toBe("arrow/bad-metadata");
  });
});

test("an aborted pass stops and closes its input", async () => {
  const bytes = arrow.tableToIPC(sample().concat(sample()), "stream");
  const abort = new AbortController();
  let closed = false;
  const pass = await arrowSource(async () => ({ ...bytesAccess(bytes), close: async () => void (closed = true) })).open({ columns: [], signal: abort.signal });
  await expect(async () => { for await (const _ of pass.batches) abort.abort(); }).rejects.toThrow(/abort/i);
  expect(closed).toBe(true);
});

test("progress counts the bytes read", async () => {
  const one = sample();
  const bytes = arrow.tableToIPC(one.concat(one), "stream");
  const seen: number[] = [];
  const pass = await arrowSource(bytes).open({ columns: [], onBytes: (count) => seen.push(count) });
  for await (const _ of pass.batches);
  expect(seen.length).toBe(3); // a dictionary and two batches
  expect(seen.at(-1)).toBeLessThanOrEqual(bytes.length);
  expect([...seen].sort((a, b) => a - b)).toEqual(seen);
});
