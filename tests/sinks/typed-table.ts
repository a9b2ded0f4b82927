import type { TestColumn } from "./memory-sink.ts";

/** A table with every type as codes and as numbers, nulls in every column, and edge values; `rows` may be any number. */
export function typedColumns(rows: number): TestColumn[] {
  const each = <T>(make: (i: number) => T, nullEvery: number): (T | null)[] =>
    Array.from({ length: rows }, (_, i) => (i % nullEvery === nullEvery - 1 ? null : make(i)));
  return [
    { name: "text", type: "string", values: each((i) => TEXTS[i % TEXTS.length]!, 5), unused: ["UNUSED-CANARY"] },
    { name: "unique text", type: "string", values: each((i) => `id-${i}`, 1000) },
    { name: "integer codes", type: "integer", values: each((i) => INTEGERS[i % INTEGERS.length]!, 7), unused: ["not an integer"] },
    { name: "integers", type: "integer", as: "numbers", values: each((i) => [i, -i, 2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 31, -(2 ** 32) - 5][i % 6]!, 3) },
    { name: "number codes", type: "number", values: each((i) => ["0.1", "-2.5e300", "1e-320", "7", "-0"][i % 5]!, 4) },
    { name: "numbers", type: "number", as: "numbers", values: each((i) => [i / 3, -0, 1e21, 5e-324, i][i % 5]!, 6) },
    { name: "flags", type: "boolean", values: each((i) => (i % 3 === 0 ? "true" : "false"), 9) },
    { name: "dates", type: "date", values: each((i) => DATES[i % DATES.length]!, 8) },
    { name: "__proto__", type: "string", values: each((i) => (i % 2 === 0 ? "a" : "b"), 2) },
    { name: "all null", type: "number", as: "numbers", values: each(() => null, 1) as null[] },
    { name: "dotted.name", type: "string", values: each(() => null, 1) as null[] },
  ];
}

const TEXTS = ["", "a", "é", "😀 smile", "x".repeat(40), "two\nlines", '"quoted"', "null", "NA"];
const INTEGERS = ["0", "-1", "007", "9223372036854775807", "-9223372036854775808", "9007199254740993"];
const DATES = ["1970-01-01", "1969-12-31", "0001-01-01", "9999-12-31", "2024-02-29", "0099-03-01", "1582-10-10"];

/** What a reader should give back for a column: strings, bigints, numbers, booleans, days since 1970, null. */
export function expectedValues({ type, values }: TestColumn): (string | bigint | number | boolean | null)[] {
  return values.map((value) => {
    if (value === null) return null;
    switch (type) {
      case "string":
        return value as string;
      case "integer":
        return BigInt(value);
      case "number":
        return Number(value) + 0;
      case "boolean":
        return value === "true";
      case "date":
        return daysBefore(value as string);
    }
  });
}

/** Days since 1970-01-01 by counting leap years, with no help from Date. */
function daysBefore(date: string): number {
  const [year, month, day] = date.split("-").map(Number) as [number, number, number];
  const leaps = (y: number): number => Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  const leap = leaps(year) - leaps(year - 1);
  const months = [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  const inYear = months.slice(0, month - 1).reduce((sum, n) => sum + n, 0) + day - 1;
  return (year - 1970) * 365 + leaps(year - 1) - leaps(1969) + inYear;
}
