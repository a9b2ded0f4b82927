import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PolicyError } from "../../src/errors/index.ts";
import { epochDayOf, isoWeekOf, parseDate, yearOfEpochDay } from "../../src/hierarchies/calendar.ts";
import { dateHierarchy } from "../../src/hierarchies/index.ts";
import { becomes, dictionaryOf, expectSoundHierarchy, sharesOf } from "./laws.ts";

/** Date.UTC reads years 0 to 99 as 1900 to 1999, so the year is set apart. */
function utcDay(year: number, month: number, day: number): number {
  return new Date(0).setUTCFullYear(year, month - 1, day) / 86_400_000;
}

const anyDay = fc.integer({ min: utcDay(-9999, 1, 1), max: utcDay(9999, 12, 31) });

function textOf(epochDay: number): string {
  const date = new Date(epochDay * 86_400_000);
  const year = date.getUTCFullYear();
  const digits = String(Math.abs(year)).padStart(4, "0");
  return `${year < 0 ? "-" : ""}${digits}-${String(date.getUTCMonth() + 1).padStart(2, "0")}-${String(date.getUTCDate()).padStart(2, "0")}`;
}

describe("calendar", () => {
  test("agrees with the engine's proleptic Gregorian calendar", () => {
    fc.assert(fc.property(anyDay, (epochDay) => {
      const date = parseDate(textOf(epochDay))!;
      expect(epochDayOf(date)).toBe(epochDay);
      expect(yearOfEpochDay(epochDay)).toBe(date.year);
    }), { numRuns: 2000 });
  });

  /** ISO 8601:2004, 3.2.2 and the well-known cases around the new year; weekdays from a printed calendar. */
  test.each([
    ["1995-01-01", "1994-W52"], ["1996-12-31", "1997-W01"], ["2005-01-01", "2004-W53"], ["2005-01-02", "2004-W53"],
    ["2005-12-31", "2005-W52"], ["2007-01-01", "2007-W01"], ["2007-12-30", "2007-W52"], ["2007-12-31", "2008-W01"],
    ["2008-12-28", "2008-W52"], ["2008-12-29", "2009-W01"], ["2009-12-31", "2009-W53"], ["2010-01-03", "2009-W53"],
    ["2010-01-04", "2010-W01"], ["1968-12-29", "1968-W52"], ["1968-12-30", "1969-W01"], ["1968-12-31", "1969-W01"],
    ["1969-12-31", "1970-W01"], ["1970-01-01", "1970-W01"], ["2024-01-29", "2024-W05"],
  ])("%s is in ISO week %s", (date, week) => {
    expect(becomes(dateHierarchy({ levels: ["week"] }), [date])[date]).toEqual([date, week, "*"]);
  });

  test("a week begins on Monday and belongs to the year of its Thursday", () => {
    fc.assert(fc.property(anyDay, (epochDay) => {
      const { year, week, monday } = isoWeekOf(epochDay);
      expect(new Date(monday * 86_400_000).getUTCDay()).toBe(1);
      expect(epochDay - monday).toBeGreaterThanOrEqual(0);
      expect(epochDay - monday).toBeLessThan(7);
      const thursday = new Date((monday + 3) * 86_400_000);
      expect(year).toBe(thursday.getUTCFullYear());
      expect(week).toBe(Math.floor((monday + 3 - utcDay(year, 1, 1)) / 7) + 1);
    }));
  });
});

describe("periods", () => {
  test("worked by hand, before and after 1970", () => {
    const hierarchy = dateHierarchy({ levels: ["day", "month", "quarter", "half-year", "year", { years: 5 }, { years: 10 }] });
    expect(becomes(hierarchy, ["1968-12-31", "2024-02-29T23:59:59.5Z", "2020-07-01", "0987-04-01", "-0044-03-15"])).toEqual({
      "1968-12-31": ["1968-12-31", "1968-12-31", "1968-12", "1968-Q4", "1968-H2", "1968", "1965-1969", "1960-1969", "*"],
      "2024-02-29T23:59:59.5Z":
        ["2024-02-29T23:59:59.5Z", "2024-02-29", "2024-02", "2024-Q1", "2024-H1", "2024", "2020-2024", "2020-2029", "*"],
      "2020-07-01": ["2020-07-01", "2020-07-01", "2020-07", "2020-Q3", "2020-H2", "2020", "2020-2024", "2020-2029", "*"],
      "0987-04-01": ["0987-04-01", "0987-04-01", "0987-04", "0987-Q2", "0987-H1", "0987", "0985-0989", "0980-0989", "*"],
      "-0044-03-15": [
        "-0044-03-15", "-0044-03-15", "-0044-03", "-0044-Q1", "-0044-H1", "-0044", "-0045 to -0041", "-0050 to -0041", "*",
      ],
    });
  });

  test("the date part of a timestamp counts as written, whatever the zone", () => {
    const values = ["2024-01-31T23:30:00-08:00", "2024-01-31 00:00", "2024-01-31"];
    const months = becomes(dateHierarchy({ levels: ["month"], suppressAll: false }), values);
    expect(Object.values(months).map((texts) => texts[1])).toEqual(["2024-01", "2024-01", "2024-01"]);
  });

  test("laws: levels nest", () => {
    fc.assert(fc.property(fc.uniqueArray(anyDay, { maxLength: 30 }), (days) => {
      const values = days.map(textOf);
      expectSoundHierarchy(dateHierarchy({ levels: ["day", "month", "quarter", "half-year", "year", { years: 2 }, { years: 10 }] }), values);
      expectSoundHierarchy(dateHierarchy({ levels: ["day", "week"] }), values);
    }));
  });

  test("every date lies in its period, by the text of the period alone", () => {
    fc.assert(fc.property(anyDay.filter((day) => day >= utcDay(0, 1, 1)), (day) => {
      const value = textOf(day);
      const hierarchy = dateHierarchy({ levels: ["month", "quarter", "half-year", "year", { years: 7 }] });
      const [, month, quarter, half, year, years] = becomes(hierarchy, [value])[value]!;
      const m = Number(value.slice(5, 7));
      expect(month).toBe(value.slice(0, 7));
      expect(quarter).toBe(`${value.slice(0, 4)}-Q${Math.ceil(m / 3)}`);
      expect(half).toBe(`${value.slice(0, 4)}-H${m <= 6 ? 1 : 2}`);
      expect(year).toBe(value.slice(0, 4));
      const [first, last] = years!.split("-").map(Number);
      expect(first! <= Number(year) && Number(year) <= last! && last! - first! === 6 && first! % 7 === 0).toBe(true);
    }));
  });
});

describe("shares", () => {
  test("days over days of the domain, worked by hand", () => {
    const hierarchy = dateHierarchy({ levels: ["month", "year"], from: "2024-01-01", to: "2025-12-31" });
    const bound = hierarchy.bind(dictionaryOf(["2024-02-10", "2025-02-10"]), "date");
    expect(bound.leaves).toBe(731); // 2024 is a leap year
    expect(sharesOf(bound, 1)).toEqual({ "2024-02": 29 / 731, "2025-02": 28 / 731 });
    expect(sharesOf(bound, 2)).toEqual({ "2024": 366 / 731, "2025": 365 / 731 });
  });

  test("the domain grows to hold what is observed; periods count inside it only", () => {
    const bound = dateHierarchy({ levels: ["month"] }).bind(dictionaryOf(["1969-12-30", "1970-01-03"]), "date");
    expect(bound.leaves).toBe(5);
    expect(sharesOf(bound, 1)).toEqual({ "1969-12": 2 / 5, "1970-01": 3 / 5 });
  });

  test("of a complete level add up to 1", () => {
    fc.assert(fc.property(fc.integer({ min: -20_000, max: 20_000 }), fc.integer({ min: 1, max: 100 }), (first, count) => {
      const values = Array.from({ length: count }, (_, i) => textOf(first + i));
      for (const levels of [["week"], ["month", "quarter", "half-year", "year", { years: 3 }]] as const) {
        const bound = dateHierarchy({ levels }).bind(dictionaryOf(values), "date");
        for (const level of bound.levels) expect(level.share.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
      }
    }));
  });
});

describe("edges", () => {
  test("no values; declared domain without values", () => {
    expectSoundHierarchy(dateHierarchy({ levels: ["month"] }), []);
    expect(dateHierarchy({ levels: ["month"], from: "2024-01-01", to: "2024-01-31" }).bind(dictionaryOf([]), "d").leaves).toBe(31);
  });

  test.each(["2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "2024-04-31", "2024-01-00", "2024-1-1", "01/02/2024", "2024-01-01x", ""])(
    "%j is no date", (value) => {
      expect(() => dateHierarchy({ levels: ["year"] }).bind(dictionaryOf(["2024-01-01", value]), "d"))
        .toThrow(expect.objectContaining({ code: "hierarchy/unmapped", detail: { column: "d", unmapped: 1, distinct: 2 } }));
    });

  test("2000-02-29 is a date, as 2000 is a leap year", () => {
    expect(becomes(dateHierarchy({ levels: ["year"] }), ["2000-02-29"])["2000-02-29"]).toEqual(["2000-02-29", "2000", "*"]);
  });

  test.each([
    { levels: ["week", "month"] }, { levels: ["week", "year"] }, { levels: ["month", "week"] }, { levels: ["year", "month"] },
    { levels: ["year", "year"] }, { levels: [{ years: 2 }, { years: 5 }] }, { levels: [{ years: 5 }, "year"] },
    { levels: ["week", { years: 10 }] }, { levels: ["quarter", "quarter"] },
  ] as const)("levels that do not nest are refused: $levels", ({ levels }) => {
    expect(() => dateHierarchy({ levels })).toThrow(PolicyError);
    expect(() => dateHierarchy({ levels })).toThrow(expect.objectContaining({ code: "hierarchy/levels-do-not-nest" }));
  });

  test("no levels, unknown levels and a domain that ends before it begins are refused", () => {
    const refused = expect.objectContaining({ code: "hierarchy/bad-date" }) as Error;
    expect(() => dateHierarchy({ levels: [] })).toThrow(refused);
    expect(() => dateHierarchy({ levels: ["decade" as "year"] })).toThrow(refused);
    expect(() => dateHierarchy({ levels: [{ years: 0 }] })).toThrow(refused);
    expect(() => dateHierarchy({ levels: ["year"], from: "2024-02-30" })).toThrow(refused);
    expect(() => dateHierarchy({ levels: ["year"], from: "2024-02-02", to: "2024-02-01" })).toThrow(refused);
  });
});
