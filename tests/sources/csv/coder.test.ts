import fc from "fast-check";
import { parse } from "csv-parse/sync";
import { describe, expect, test } from "vitest";
import { DictionaryBuilder } from "../../../src/columns/index.ts";
import { BATCH_RECORDS, CsvCoder, MAX_FIELD_BYTES, MAX_ROW_BYTES } from "../../../src/sources/csv/index.ts";
import { allText, bytesOf, decode, drain, recordOf, recordsOf, refusal } from "./decode.ts";

const CANARY = "Canary7q";

describe("grammar", () => {
  test.each([
    { name: "LF", csv: "a,b\nc,d\n", records: [["a", "b"], ["c", "d"]] },
    { name: "CRLF", csv: "a,b\r\nc,d\r\n", records: [["a", "b"], ["c", "d"]] },
    { name: "LF and CRLF mixed", csv: "a,b\r\nc,d\ne,f\r\n", records: [["a", "b"], ["c", "d"], ["e", "f"]] },
    { name: "no line break at the end", csv: "a,b\nc,d", records: [["a", "b"], ["c", "d"]] },
    { name: "empty fields", csv: ",\n\"\",\n", records: [["", ""], ["", ""]] },
    { name: "quoted delimiter, quote and line breaks", csv: '"a,b","c""d"\n"e\r\nf","g\nh\ri"\n', records: [["a,b", 'c"d'], ["e\r\nf", "g\nh\ri"]] },
    { name: "only doubled quotes", csv: '"""","""a"""""\n', records: [['"', '"a""']] },
    { name: "quotes where no field begins", csv: "5'11\",a\"b\"c\n", records: [["5'11\"", 'a"b"c']] },
    { name: "controls that end nothing", csv: "a\tb,\u000b\u000c\u0001\n\tc,d\u0007e\n", records: [["a\tb", "\u000b\u000c\u0001"], ["\tc", "d\u0007e"]] },
    { name: "blank lines at the end", csv: "a,b\n\n\r\n\n", records: [["a", "b"]] },
    { name: "spaces kept", csv: " a , b\n", records: [[" a ", " b"]] },
    { name: "every length of a UTF-8 sequence", csv: "é,ʤ€\n😀,\u{10ffff}\uFFFD\n", records: [["é", "ʤ€"], ["😀", "\u{10ffff}\uFFFD"]] },
    { name: "nothing", csv: "", records: [] },
    { name: "blank lines only", csv: "\n\n", records: [] },
  ])("$name", ({ csv, records }) => {
    expect(decode(csv, { fieldCount: 2 })).toEqual(records);
    for (let cut = 0; cut <= csv.length; cut++) expect(decode(csv, { fieldCount: 2, cuts: [cut] })).toEqual(records);
    const everyByte = Array.from({ length: bytesOf(csv).length }, (_, i) => i);
    expect(decode(csv, { fieldCount: 2, cuts: everyByte })).toEqual(records);
  });

  test.each([
    [";", "a,b;c|d\n\"e;f\";g\n", [["a,b", "c|d"], ["e;f", "g"]]],
    ["\t", "a,b\tc d\n\"e\tf\"\tg\n", [["a,b", "c d"], ["e\tf", "g"]]],
    ["|", "a,b|c;d\n\"e|f\"|g\n", [["a,b", "c;d"], ["e|f", "g"]]],
  ] as const)("delimiter %j", (delimiter, csv, records) => {
    expect(decode(csv, { fieldCount: 2, delimiter })).toEqual(records);
  });

  test("where there is one column, every blank line is an empty value", () => {
    expect(decode('a\n\n""\r\n\r\nb\n\n', { fieldCount: 1 })).toEqual([["a"], [""], [""], [""], ["b"], [""]]);
  });

  test("values of every length around the word sizes keep apart, quoted and not", () => {
    const values = Array.from({ length: 70 }, (_, n) => "x".repeat(n)).flatMap((v) => [v, `${v}y`, `y${v}`, `${v}é`]);
    const csv = [...values, ...values].map((v, i) => (i % 3 === 0 ? `"${v}",${v}` : `${v},"${v}"`)).join("\n");
    expect(decode(csv, { fieldCount: 2 })).toEqual([...values, ...values].map((v) => [v, v]));
  });

  /**
   * A value with doubled quotes is undoubled in a buffer. When the value was longer than any before, the buffer was replaced
   * while the old one was already on its way to the dictionary: the record got the start of an earlier value, which may have
   * been a withheld record's, and zeros.
   */
  test("values with doubled quotes that are longer than all before stay themselves", () => {
    const values = Array.from({ length: 12 }, (_, n) => `${n}:${'say "so" '.repeat(1 << n)}`);
    const csv = values.map((value) => `"${value.replaceAll('"', '""')}"\n`).join("");
    expect(decode(csv, { fieldCount: 1 })).toEqual(values.map((value) => [value]));
  });

  test("one value has one code, however it was written", () => {
    const coder = new CsvCoder({ kernelBytes: 0, fieldCount: 1, columns: allText(1) });
    coder.push(bytesOf('ab\n"ab"\nab\r\n"a longer value"\na longer value\n"say ""so"""\n"say ""so"""\nab'));
    coder.end();
    const column = coder.read()!.columns[0]!;
    expect(column.kind === "codes" && Array.from(column.codes.subarray(0, 8))).toEqual([0, 0, 0, 1, 1, 2, 2, 0]);
  });

  test("keys are texts: 007, 7 and integers beyond 2^53 stay apart", () => {
    const values = ["007", "7", "7.0", "9007199254740993", "9007199254740992", "-0", "0", "NaN", "__proto__", "constructor"];
    const dictionary = new DictionaryBuilder();
    const coder = new CsvCoder({ kernelBytes: 0, fieldCount: 1, columns: allText(1), dictionaries: [dictionary] });
    coder.push(bytesOf([...values, ...values].join("\n")));
    coder.end();
    expect(drain(coder).flat()).toEqual([...values, ...values]);
    expect(dictionary.size).toBe(values.length);
  });

  test("composed and decomposed letters are two values: normalising is the policy's", () => {
    expect(decode("\u00e9\ne\u0301\n", { fieldCount: 1 })).toEqual([["\u00e9"], ["e\u0301"]]);
  });

  test("only requested columns reach a dictionary, in the order of the request", () => {
    const coder = new CsvCoder({
      kernelBytes: 0,
      fieldCount: 4,
      columns: [
        { index: 3, name: "d", as: "numbers" },
        { index: 1, name: "b", as: "codes" },
        { index: 3, name: "d", as: "codes" },
      ],
    });
    coder.push(bytesOf("a,b,c,1.5\nA,B,C,-2\n"));
    coder.end();
    expect(drain(coder)).toEqual([[1.5, "b", "1.5"], [-2, "B", "-2"]]);
    expect(coder.dictionaries.map((d) => d.size)).toEqual([2, 2]);
  });

  test("no requested column: records are counted all the same", () => {
    const coder = new CsvCoder({ kernelBytes: 0, fieldCount: 2, columns: [] });
    coder.push(bytesOf("a,b\nc,d\n"));
    coder.end();
    expect(coder.read()).toEqual({ records: 2, columns: [] });
    expect(coder.read()).toBeUndefined();
  });

  test("100,000 columns, all asked for, in bounded memory", () => {
    const fields = Array.from({ length: 100_000 }, (_, i) => (i % 3 === 0 ? `a longer value ${i % 7}` : String(i % 100)));
    const coder = new CsvCoder({ kernelBytes: 0, fieldCount: fields.length, columns: allText(fields.length) });
    const row = bytesOf(`${fields.join(",")}\n`);
    for (let i = 0; i < 20; i++) {
      coder.push(row);
      expect(coder.read()).toBeUndefined();
    }
    coder.end();
    const batch = coder.read()!;
    expect(batch.records).toBe(20);
    expect(recordOf(batch.columns, 19)).toEqual(fields);
  });

  test("batches are full but for the last, and a dictionary goes on from one to the next", () => {
    const records = BATCH_RECORDS * 2 + 3;
    const csv = bytesOf(Array.from({ length: records }, (_, i) => `${i % 70_000},${i}\n`).join(""));
    const coder = new CsvCoder({
      kernelBytes: 0,
      fieldCount: 2,
      columns: [...allText(1), { index: 1, name: "n", as: "numbers" }],
    });
    coder.push(csv);
    const sizes: number[] = [];
    let next = 0;
    const take = (): void => {
      for (let batch = coder.read(); batch !== undefined; batch = coder.read()) {
        sizes.push(batch.records);
        for (const [text, number] of recordsOf(batch)) {
          if (text !== String(next % 70_000) || number !== next) throw new Error(`record ${next}`);
          next++;
        }
      }
    };
    take();
    coder.end();
    take();
    expect(sizes).toEqual([BATCH_RECORDS, BATCH_RECORDS, 3]);
    expect(next).toBe(records);
    expect(coder.dictionaries[0]!.size).toBe(70_000);
  });
});

describe("numbers", () => {
  const numbers = (csv: string, nulls: readonly string[] = []) =>
    decode(csv, { fieldCount: 1, columns: [{ index: 0, name: "income", as: "numbers", nulls }] }).flat();

  test("decimals give the nearest double", () => {
    const texts = ["0", "-0", "7", "007", "-12", "3.25", "-0.1", ".5", "5.", "+4", "0.30", "123456789", "1234567890", "999999999999999",
      "-123456789012.345", "1e3", "1.5E-7", "9007199254740991", "1.50000000000000000000", "0.000000000000001", "5e-324", "1e308"];
    const csv = texts.join("\n");
    expect(numbers(csv)).toEqual(texts.map((text) => Number(text) + 0));
    expect(numbers(texts.map((text) => `"${text}"`).join("\r\n"))).toEqual(texts.map((text) => Number(text) + 0));
  });

  test("any short decimal is read as JavaScript reads it", () => {
    const decimal = fc
      .tuple(fc.boolean(), fc.nat({ max: 99_999_999 }), fc.option(fc.stringMatching(/^\d{1,7}$/)))
      .map(([negative, whole, fraction]) => `${negative ? "-" : ""}${whole}${fraction === null ? "" : `.${fraction}`}`);
    fc.assert(
      fc.property(fc.array(decimal, { minLength: 1 }), fc.constantFrom("\n", "\r\n"), (texts, end) => {
        expect(numbers(texts.join(end))).toEqual(texts.map((text) => Number(text) + 0));
      }),
    );
  });

  test("any double is read back from its shortest text", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(numbers(String(value))).toEqual([value + 0]);
      }),
    );
  });

  test("texts that mean null give NaN, and only they", () => {
    expect(numbers('1\n\nNA\n"NA"\n2', ["", "NA"])).toEqual([1, NaN, NaN, NaN, 2]);
    expect(numbers('-9\n9\n"-9"\n-9.0\n-99', ["-9"])).toEqual([NaN, 9, NaN, -9, -99]);
  });

  test.each(["abc", "1,5", "1 ", " 1", "1e", "--1", "-", ".", "1.2.3", "0x10", "NaN", "Infinity", "1e999", "1_000", "$5", "NA", "１"])(
    "%j is refused with row and column, not quoted",
    (text) => {
      const found = refusal(() => numbers(`1\n"${text}"\n`));
      expect(found).toMatchObject({ code: "csv/not-a-number", detail: { row: 3, column: "income" } });
      expect(found!.message).not.toContain(text.length > 1 ? text : `"${text}"`);
    },
  );

  test("an empty number that is not declared null is refused", () => {
    expect(refusal(() => numbers("1\n\n2"))).toMatchObject({ code: "csv/not-a-number", detail: { row: 3 } });
  });

  test.each(["9007199254740993", "12345678901234567890", "0.1000000000000000055511151231257827", "1e-400", "123456789.12345678901"])(
    "%s has more digits than a double holds and is refused",
    (text) => {
      const found = refusal(() => numbers(`${text}\n`));
      expect(found).toMatchObject({ code: "csv/inexact-number", detail: { row: 2, column: "income" } });
      expect(found!.message).not.toContain(text);
    },
  );
});

describe("refusals", () => {
  const bytes = (...parts: (string | number[])[]) =>
    new Uint8Array(parts.flatMap((part) => (typeof part === "string" ? Array.from(bytesOf(part)) : part)));

  const cases: { name: string; csv: Uint8Array; code: string; detail: Record<string, number> }[] = [
    { name: "too few fields", csv: bytes(`a,b,c\n${CANARY},b\n`), code: "ragged-row", detail: { row: 3, expected: 3, found: 2, offset: 6 } },
    { name: "too many fields", csv: bytes(`a,b,c\na,b,${CANARY},"d,""",e\n`), code: "ragged-row", detail: { row: 3, expected: 3, found: 5, offset: 6 } },
    { name: "too few fields in the last row", csv: bytes(`a,b,c\n${CANARY}`), code: "ragged-row", detail: { row: 3, expected: 3, found: 1, offset: 6 } },
    { name: "blank line between rows", csv: bytes(`a,b,c\n\r\n\n${CANARY},b,c\n`), code: "blank-row", detail: { row: 3, expected: 3, found: 1, offset: 6 } },
    { name: "quote never closed", csv: bytes(`a,b,c\na,"${CANARY}\n,b,c\nd,e,f\n`), code: "unterminated-quote", detail: { row: 3, offset: 8 } },
    { name: "quote never closed, doubled last", csv: bytes(`a,b,"${CANARY}""`), code: "unterminated-quote", detail: { row: 2, offset: 4 } },
    { name: "text after a closing quote", csv: bytes(`a,b,c\na,"b"${CANARY},c\n`), code: "text-after-quote", detail: { row: 3, offset: 11 } },
    { name: "space after a closing quote", csv: bytes(`"${CANARY}" ,b,c\n`), code: "text-after-quote", detail: { row: 2, offset: 10 } },
    { name: "carriage return alone", csv: bytes(`a,b,c\ra,${CANARY},c\r`, "\n"), code: "lone-carriage-return", detail: { row: 2, offset: 5 } },
    { name: "carriage return at the end", csv: bytes(`a,b,${CANARY}\r`), code: "lone-carriage-return", detail: { row: 2, offset: 12 } },
    { name: "carriage return after a quote", csv: bytes(`a,b,"${CANARY}"\r`), code: "lone-carriage-return", detail: { row: 2, offset: 14 } },
    { name: "NUL", csv: bytes(`a,b,c\n${CANARY},\0,c\n`), code: "nul-byte", detail: { row: 3, offset: 15 } },
    { name: "NUL in quotes", csv: bytes(`a,b,c\n${CANARY},"b\0",c\n`), code: "nul-byte", detail: { row: 3, offset: 17 } },
    { name: "byte FF", csv: bytes(`a,b,c\n${CANARY},`, [0xff], ",c\n"), code: "invalid-utf8", detail: { row: 3, offset: 15 } },
    { name: "byte FE in quotes", csv: bytes(`a,b,"${CANARY}`, [0xfe], '"\n'), code: "invalid-utf8", detail: { row: 2, offset: 13 } },
    { name: "overlong slash", csv: bytes(`${CANARY},b,`, [0xc0, 0xaf], "\n"), code: "invalid-utf8", detail: { row: 2, offset: 11 } },
    { name: "overlong in three bytes", csv: bytes(`${CANARY},b,`, [0xe0, 0x9f, 0xbf], "\n"), code: "invalid-utf8", detail: { row: 2, offset: 11 } },
    { name: "overlong in four bytes", csv: bytes(`${CANARY},b,`, [0xf0, 0x8f, 0xbf, 0xbf], "\n"), code: "invalid-utf8", detail: { row: 2, offset: 11 } },
    { name: "surrogate", csv: bytes(`${CANARY},b,`, [0xed, 0xa0, 0x80], "\n"), code: "invalid-utf8", detail: { row: 2, offset: 11 } },
    { name: "above U+10FFFF", csv: bytes(`${CANARY},b,`, [0xf4, 0x90, 0x80, 0x80], "\n"), code: "invalid-utf8", detail: { row: 2, offset: 11 } },
    { name: "continuation without a lead", csv: bytes(`${CANARY},b,`, [0x80], "\n"), code: "invalid-utf8", detail: { row: 2, offset: 11 } },
    { name: "sequence cut by a line feed", csv: bytes(`${CANARY},b,`, [0xe2, 0x82], "\n"), code: "invalid-utf8", detail: { row: 2, offset: 11 } },
    { name: "sequence cut by the end", csv: bytes(`${CANARY},b,c\na,b,`, [0xe2, 0x82]), code: "invalid-utf8", detail: { row: 3, offset: 17 } },
  ];

  test.each(cases)("$name", ({ csv, code, detail }) => {
    // Asked for or skipped, cut anywhere: the same refusal.
    for (const columns of [allText(3), []]) {
      for (let cut = 0; cut <= csv.length; cut++) {
        const found = refusal(() => decode(csv, { fieldCount: 3, columns, cuts: [cut] }));
        expect(found).toMatchObject({ code: `csv/${code}` });
        expect(found!.detail).toEqual(detail);
        expect(JSON.stringify(found)).not.toContain(CANARY);
        expect(found!.message).not.toMatch(/undefined|NaN/);
      }
    }
  });

  test("the first fault in the file is the one reported", () => {
    const csv = bytes("a,b\nc\n", [0xff], '\n"d"e,f\n\0');
    for (let cut = 0; cut <= csv.length; cut++) {
      expect(refusal(() => decode(csv, { fieldCount: 2, cuts: [cut] }))).toMatchObject({ code: "csv/ragged-row", detail: { row: 3 } });
    }
  });

  test("a quoted line break does not count as a row", () => {
    expect(refusal(() => decode('"a\nb\nc",d\ne\n', { fieldCount: 2 }))).toMatchObject({ detail: { row: 3, found: 1 } });
  });

  test("a field may have 16 MB and no more, quoted or not, asked for or not", () => {
    for (const columns of [allText(2), []]) {
      for (const quote of ["", '"']) {
        const file = (length: number) => {
          const csv = new Uint8Array(length + 12).fill(0x78);
          csv.set(bytesOf(`a,b\nc,${quote}`));
          csv.set(bytesOf(`${quote}\n`), length + 6 + quote.length);
          return csv.subarray(0, length + 7 + quote.length * 2);
        };
        const coder = new CsvCoder({ kernelBytes: 0, fieldCount: 2, columns });
        coder.push(file(MAX_FIELD_BYTES));
        coder.end();
        expect(coder.read()!.records).toBe(2);
        expect(refusal(() => decode(file(MAX_FIELD_BYTES + 1), { fieldCount: 2, columns }))).toMatchObject({
          code: "csv/field-too-long",
          detail: { row: 3, offset: 6 },
        });
      }
    }
  });

  test("a row may have 64 MB: a quote left open early is refused before the whole file is held", () => {
    const coder = new CsvCoder({ kernelBytes: 0, fieldCount: 20, columns: allText(20) });
    const piece = new Uint8Array(1024 * 1024).fill(0x78);
    coder.push(bytesOf("a,"));
    const pushed = { bytes: 0 };
    const found = refusal(() => {
      coder.read();
      while (pushed.bytes < 1e9) {
        coder.push(piece);
        coder.read();
        pushed.bytes += piece.length;
      }
    });
    expect(found).toMatchObject({ code: "csv/row-too-long", detail: { row: 2, offset: 0 } });
    expect(pushed.bytes).toBeLessThanOrEqual(MAX_ROW_BYTES + piece.length);
  });

  test("a long row in small pieces takes linear time", () => {
    const piece = new Uint8Array(4096).fill(0x0a);
    const coder = new CsvCoder({ kernelBytes: 0, fieldCount: 1, columns: allText(1) });
    coder.push(bytesOf('"'));
    coder.read();
    const started = performance.now();
    for (let i = 0; i < 3000; i++) {
      coder.push(piece);
      coder.read();
    }
    coder.push(bytesOf('"\n'));
    coder.end();
    expect(coder.read()!.records).toBe(1);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test("a coder that has refused a file is not read again", () => {
    const coder = new CsvCoder({ kernelBytes: 0, fieldCount: 1, columns: [] });
    coder.push(bytesOf("a\0\n"));
    expect(() => coder.read()).toThrow(/NUL/);
    expect(() => coder.read()).toThrow(/after an error/);
  });
});

describe("laws", () => {
  const value = fc.oneof(
    fc.constantFrom("", "a", '"', ",", "\n", "\r\n", '""', " ", "é", "😀", "12345678", "123456789", "\t", "\r"),
    fc.string({ unit: fc.constantFrom("a", "b", '"', ",", ";", "\n", "\r", " ", "é", "€", "😀"), maxLength: 40 }),
  );
  const table = fc
    .tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 1, max: 30 }))
    .chain(([fields, rows]) => fc.array(fc.array(value, { minLength: fields, maxLength: fields }), { minLength: rows, maxLength: rows }));
  const written = fc.record({
    table,
    delimiter: fc.constantFrom(",", ";", "\t", "|"),
    end: fc.constantFrom("\n", "\r\n"),
    hasLastEnd: fc.boolean(),
    quotesAll: fc.boolean(),
    cuts: fc.array(fc.nat({ max: 2000 }), { maxLength: 8 }),
  });

  test("any table that is written is read back, however it is cut; csv-parse agrees", () => {
    fc.assert(
      fc.property(written, ({ table: rows, delimiter, end, hasLastEnd, quotesAll, cuts }) => {
        const csv =
          rows
            .map((row) =>
              row
                .map((v) => (quotesAll || /["\r\n]/.test(v) || v.includes(delimiter) ? `"${v.replaceAll('"', '""')}"` : v))
                .join(delimiter),
            )
            .join(end) + (hasLastEnd ? end : "");
        const fieldCount = rows[0]!.length;
        expect(decode(csv, { fieldCount, delimiter, cuts })).toEqual(rows);
        expect(parse(csv, { delimiter, record_delimiter: ["\n", "\r\n"] })).toEqual(rows);
      }),
      { numRuns: 400 },
    );
  });

  test("any bytes end in records or a refusal, the same however they are cut", () => {
    const byte = fc.constantFrom(0x61, 0x62, 0x2c, 0x22, 0x0a, 0x0d, 0x22, 0x2c, 0x0a, 0x00, 0xc3, 0xa9, 0xff, 0x20, 0x31);
    fc.assert(
      fc.property(
        fc.array(byte, { maxLength: 60 }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.nat({ max: 60 }), { maxLength: 6 }),
        (content, fieldCount, cuts) => {
          const csv = new Uint8Array(content);
          const outcome = (options: { cuts: number[]; kernelBytes?: number }) => {
            let records: unknown;
            const found = refusal(() => (records = decode(csv, { fieldCount, ...options })));
            return found ?? records;
          };
          expect(outcome({ cuts })).toEqual(outcome({ cuts: [], kernelBytes: Infinity }));
        },
      ),
      { numRuns: 1500 },
    );
  });

  test("fields without quotes are read as a plain split reads them", () => {
    const plain = fc.string({ unit: fc.constantFrom("a", "b", "c", " ", "é", "1"), maxLength: 25 });
    fc.assert(
      fc.property(fc.array(fc.tuple(plain, plain, plain), { minLength: 1, maxLength: 50 }), fc.array(fc.nat({ max: 3000 })), (rows, cuts) => {
        const csv = `${rows.map((row) => row.join(",")).join("\n")}\n`;
        expect(decode(csv, { fieldCount: 3, cuts })).toEqual(rows);
      }),
    );
  });
});
