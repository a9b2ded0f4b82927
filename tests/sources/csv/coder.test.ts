import { expect, test } from "vitest";
import { dictionaryText } from "../../../src/columns/index.ts";
import { CsvCoder } from "../../../src/sources/csv/coder.ts";
test("smoke", () => {
  const c = new CsvCoder({ fieldCount: 3, columns: [{ index: 0, name: "a", as: "codes" }, { index: 2, name: "b", as: "numbers" }, { index: 1, name: "b", as: "codes" }] });
  c.push(new TextEncoder().encode('x,"y ""z""",1.5\r\nabcdefgh,"",-3\nabcdefghijk,tab\there,1e3\nabcdefgh,é,12345678901.5'));
  c.end();
  const b = c.read()!;
  const col = b.columns[0] as any, col2 = b.columns[2] as any;
  const rows = Array.from({ length: b.records }, (_, i) => [dictionaryText(col.dictionary, col.codes[i]), dictionaryText(col2.dictionary, col2.codes[i]), (b.columns[1] as any).values[i]]);
  expect(rows).toEqual([["x", 'y "z"', 1.5], ["abcdefgh", "", -3], ["abcdefghijk", "tab\there", 1000], ["abcdefgh", "é", 12345678901.5]]);
});
