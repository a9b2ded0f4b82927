import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { dictionaryTexts } from "../../../src/columns/index.ts";
import { CsvCoder, type CsvCoderColumn, type CsvCoderOptions } from "../../../src/sources/csv/index.ts";
import { rowKernel, type RowKernelPlan } from "../../../src/sources/csv/row-kernel.ts";
import { allText, bytesOf, decode, refusal } from "./decode.ts";

afterEach(() => vi.unstubAllGlobals());

/** Everything that a coder gives: codes and numbers of each record, dictionaries, and the refusal if there is one. */
function everything(csv: string | Uint8Array, options: Omit<CsvCoderOptions, "kernelBytes">, kernelBytes: number, piece = Infinity): unknown {
  const coder = new CsvCoder({ ...options, kernelBytes });
  const bytes = typeof csv === "string" ? bytesOf(csv) : csv;
  const records: number[][] = [];
  const read = (): void => {
    for (let batch = coder.read(); batch !== undefined; batch = coder.read()) {
      for (let i = 0; i < batch.records; i++) {
        records.push(batch.columns.map((column) => (column.kind === "codes" ? column.codes[i]! : column.values[i]!)));
      }
    }
  };
  const found = refusal(() => {
    for (let from = 0; from < bytes.length; from += piece) {
      coder.push(bytes.slice(from, Math.min(bytes.length, from + piece)));
      read();
    }
    coder.end();
    read();
  });
  return { records, found, dictionaries: coder.dictionaries.map(dictionaryTexts) };
}

function expectSame(csv: string | Uint8Array, options: Omit<CsvCoderOptions, "kernelBytes">, piece?: number): void {
  expect(everything(csv, options, 0, piece)).toEqual(everything(csv, options, Infinity, piece));
}

const number = (index: number, nulls: string[] = []): CsvCoderColumn => ({ index, name: `column ${index}`, as: "numbers", nulls });
const code = (index: number): CsvCoderColumn => ({ index, name: `column ${index}`, as: "codes" });

const text = fc.string({ unit: fc.constantFrom("a", "b", "1", " ", ".", "é", "\t"), maxLength: 70 });
const decimal = fc.tuple(fc.boolean(), fc.stringMatching(/^\d{0,17}$/), fc.boolean(), fc.stringMatching(/^\d{0,8}$/)).map(
  ([minus, whole, point, decimals]) => `${minus ? "-" : ""}${whole}${point ? `.${decimals}` : ""}`,
);

describe("the kernel and the plain loop give the same", () => {
  test("plain rows of any lengths, cut anywhere", () => {
    const rows = fc.array(fc.tuple(text, text, text), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(rows, fc.constantFrom("\n", "\r\n"), fc.integer({ min: 1, max: 400 }), (values, end, piece) => {
        const csv = values.map((row) => row.join(",") + end).join("");
        expectSame(csv, { fieldCount: 3, columns: [code(2), code(0)], batchRecords: 7 }, piece);
      }),
    );
  });

  test("rows that are out of the ordinary among plain ones", () => {
    const field = fc.oneof({ weight: 12, arbitrary: text }, fc.constantFrom('"q"', '"a,b"', '"x""y"', '"two\nlines"', 'b"c', "\u0000", "a\rb", '"open', '"x"y', "z,z"));
    fc.assert(
      fc.property(fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 40 }), fc.constantFrom("\n", "\r\n", "\r"), (values, end) => {
        const csv = values.map((row) => row.join(",") + (end === "\r" ? "\n" : end)).join("") + (end === "\r" ? "a,b\r" : "");
        expectSame(csv, { fieldCount: 2, columns: allText(2), batchRecords: 5 });
      }),
      { numRuns: 300 },
    );
  });

  test("numbers, texts that mean null, and fields wanted as both", () => {
    const field = fc.oneof({ weight: 8, arbitrary: decimal }, fc.constantFrom("NA", "", "-9", "1e3", "x"));
    fc.assert(
      fc.property(fc.array(fc.tuple(field, decimal, field), { minLength: 1, maxLength: 20 }), (values) => {
        const csv = values.map((row) => row.join(",") + "\n").join("");
        expectSame(csv, { fieldCount: 3, columns: [number(0, ["NA", ""]), number(1, [""]), number(2, ["-9", "NA", ""]), code(2)], batchRecords: 8 });
      }),
      { numRuns: 300 },
    );
  });

  test("every length, at every place of the sixteen bytes", () => {
    const rows = Array.from({ length: 80 }, (_, length) => Array.from({ length: 17 }, (_, shift) => `${"s".repeat(shift)},${"v".repeat(length)},${length}.${shift}`)).flat();
    expectSame(`${rows.join("\n")}\n`, { fieldCount: 3, columns: [code(1), number(2)] });
  });

  test("values that differ in one byte only keep apart, whatever the byte and the length", () => {
    const values = [8, 9, 16, 17, 31, 32, 33, 48, 49, 55, 56, 57, 100].flatMap((length) =>
      Array.from({ length }, (_, i) => `${"x".repeat(i)}y${"x".repeat(length - i - 1)}`),
    );
    const csv = `${[...values, ...values, ...values.toReversed()].join("\n")}\n`;
    expectSame(csv, { fieldCount: 1, columns: allText(1) });
    expect(decode(csv, { fieldCount: 1 })).toEqual([...values, ...values, ...values.toReversed()].map((value) => [value]));
  });

  test("more new values than the list of deferred fields and the caches hold, over several slices", () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => `${(i * 7919) % 20_011},plain,long value number ${(i * 31) % 3001}`);
    expectSame(`${rows.join("\n")}\n`, { fieldCount: 3, columns: allText(3), batchRecords: 5000 });
  });

  test("rows longer than the room for bytes, and short ones again", () => {
    const rows = Array.from({ length: 40 }, (_, i) => (i % 7 === 3 ? `${"w".repeat(300_000 + i)},b` : `a${i},b`));
    expectSame(`${rows.join("\n")}\n`, { fieldCount: 2, columns: allText(2) }, 50_000);
  });

  test("more columns than the kernel takes, and many that are skipped", () => {
    const rows = Array.from({ length: 50 }, (_, i) => Array.from({ length: 150 }, (_, j) => `v${(i * j) % 13}`).join(","));
    expectSame(`${rows.join("\n")}\n`, { fieldCount: 150, columns: allText(150) });
    expectSame(`${rows.join("\n")}\n`, { fieldCount: 150, columns: [code(149), code(3), code(70)] });
    expectSame(`${rows.join("\n")}\nx,y\n`, { fieldCount: 150, columns: [code(10)] });
  });

  test("bytes that are not UTF-8, at every place of a block", () => {
    for (let at = 0; at < 140; at++) {
      const csv = bytesOf(`${"plain,row\n".repeat(14)}`);
      csv[at] = 0xff;
      expectSame(csv, { fieldCount: 2, columns: allText(2) });
    }
  });

  test("started in the middle of a batch", () => {
    const rows = Array.from({ length: 300 }, (_, i) => `key ${i % 17},${i / 4}`);
    const options = { fieldCount: 2, columns: [code(0), number(1)], batchRecords: 1000 };
    const csv = `${rows.join("\n")}\n`;
    expect(everything(csv, options, 2000, 700)).toEqual(everything(csv, options, Infinity));
  });
});

const PLAN: RowKernelPlan = {
  fields: [{ use: "codes", column: 0 }], delimiter: 44, batchRecords: 4, codeColumns: 1, numberColumns: 0, slotBits: 4, longBits: 2, byteRoom: 256,
};

test("the kernel is there in this runtime, and what it gives up is left at a row's start", () => {
  const kernel = rowKernel(PLAN)!;
  kernel.bytes.set(bytesOf('\n\n"x"\n'));
  for (let slot = 0; slot < kernel.cache.length; slot += 4) kernel.cache[slot + 1] = 0; // the empty value has code 0
  expect(kernel.code(0, 0, 6, -1)).toBe(2);
  expect([...kernel.state]).toEqual([2, 0]);
});

test.each([
  ["no WebAssembly", undefined],
  ["one that refuses", { Memory: class {}, Module: class { constructor() { throw new Error("refused"); } } }],
])("%s: the plain loop serves", (_, host) => {
  vi.stubGlobal("WebAssembly", host);
  expect(rowKernel(PLAN)).toBeUndefined();
  expect(decode("a,b\nc,d\n", { fieldCount: 2 })).toEqual([["a", "b"], ["c", "d"]]);
});
