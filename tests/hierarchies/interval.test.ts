import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError, PolicyError } from "../../src/errors/index.ts";
import { intervalHierarchy } from "../../src/hierarchies/index.ts";
import { becomes, dictionaryOf, expectSoundHierarchy, sharesOf } from "./laws.ts";

describe("intervals of whole numbers", () => {
  test("worked by hand: ages in widths 5, 10 and 20, top-coded at 90", () => {
    const hierarchy = intervalHierarchy({ widths: [5, 10, 20], from: 0, to: 90 });
    expect(hierarchy.levelNames).toEqual(["values", "intervals of 5", "intervals of 10", "intervals of 20", "suppressed"]);
    expect(becomes(hierarchy, ["0", "24", "25", "89", "90", "117"])).toEqual({
      "0": ["0", "0-4", "0-9", "0-19", "*"],
      "24": ["24", "20-24", "20-29", "20-39", "*"],
      "25": ["25", "25-29", "20-29", "20-39", "*"],
      "89": ["89", "85-89", "80-89", "80-89", "*"], // 80-99 is cut off at 90
      "90": ["90", "90+", "90+", "90+", "*"],
      "117": ["117", "90+", "90+", "90+", "*"],
    });
  });

  test("below the origin, across zero, and a limit inside an interval", () => {
    const hierarchy = intervalHierarchy({ widths: [5], from: -12, to: 18, suppressAll: false });
    expect(becomes(hierarchy, ["-13", "-12", "-11", "-10", "-1", "0", "17", "18"])).toEqual({
      "-13": ["-13", "<-12"],
      "-12": ["-12", "-12 to -11"],
      "-11": ["-11", "-12 to -11"],
      "-10": ["-10", "-10 to -6"],
      "-1": ["-1", "-5 to -1"],
      "0": ["0", "0-4"],
      "17": ["17", "15-17"],
      "18": ["18", "18+"],
    });
  });

  test("another origin, own texts for the open intervals, intervals of one number", () => {
    const hierarchy = intervalHierarchy({
      widths: [1, 10], origin: 18, from: 18, to: 65, bottom: "minor", top: "65 or older", suppressAll: false,
    });
    expect(becomes(hierarchy, ["3", "18", "28", "70"])).toEqual({
      "3": ["3", "minor", "minor"],
      "18": ["18", "18", "18-27"],
      "28": ["28", "28", "28-37"],
      "70": ["70", "65 or older", "65 or older"],
    });
  });

  test("beyond 2^53 every digit counts", () => {
    const hierarchy = intervalHierarchy({ widths: [2], suppressAll: false });
    expect(becomes(hierarchy, ["9007199254740993", "9007199254740992"])).toEqual({
      "9007199254740993": ["9007199254740993", "9007199254740992-9007199254740993"],
      "9007199254740992": ["9007199254740992", "9007199254740992-9007199254740993"],
    });
  });
});

describe("intervals of decimals", () => {
  test("compared as they are written: 0.3 begins [0.3, 0.4), though 0.1 + 0.2 as floats is more", () => {
    const hierarchy = intervalHierarchy({ widths: [0.1, 0.5], suppressAll: false });
    expect(becomes(hierarchy, ["0.3", "0.29999999999999999999", "0.30000000000000004", "0.7", "-0.05"])).toEqual({
      "0.3": ["0.3", "[0.3, 0.4)", "[0.0, 0.5)"],
      "0.29999999999999999999": ["0.29999999999999999999", "[0.2, 0.3)", "[0.0, 0.5)"],
      "0.30000000000000004": ["0.30000000000000004", "[0.3, 0.4)", "[0.0, 0.5)"],
      "0.7": ["0.7", "[0.7, 0.8)", "[0.5, 1.0)"],
      "-0.05": ["-0.05", "[-0.1, 0.0)", "[-0.5, 0.0)"],
    });
  });

  test("whole widths over decimal values, exponents, zeros at the end", () => {
    const hierarchy = intervalHierarchy({ widths: [10], to: 100, suppressAll: false });
    expect(becomes(hierarchy, ["24.5", "1e1", "2.50e-1", "100.0"])).toEqual({
      "24.5": ["24.5", "[20, 30)"],
      "1e1": ["1e1", "[10, 20)"],
      "2.50e-1": ["2.50e-1", "[0, 10)"],
      "100.0": ["100.0", ">=100"],
    });
    // Values that are whole for all their zeros count as whole numbers.
    expect(becomes(hierarchy, ["24.0", "7"])["24.0"]).toEqual(["24.0", "20-29"]);
  });
});

describe("shares", () => {
  test("over the declared domain, worked by hand", () => {
    const bound = intervalHierarchy({ widths: [5, 10], min: 0, max: 99 }).bind(dictionaryOf(["3", "50"]), "age");
    expect(bound.leaves).toBe(100);
    expect(sharesOf(bound, 0)).toEqual({ "3": 0.01, "50": 0.01 });
    expect(sharesOf(bound, 1)).toEqual({ "0-4": 0.05, "50-54": 0.05 });
    expect(sharesOf(bound, 2)).toEqual({ "0-9": 0.1, "50-59": 0.1 });
    expect(sharesOf(bound, 3)).toEqual({ "*": 1 });
  });

  test("over the observed span, where nothing is declared", () => {
    const bound = intervalHierarchy({ widths: [5] }).bind(dictionaryOf(["3", "12"]), "age");
    expect(bound.leaves).toBe(10); // 3 to 12
    expect(sharesOf(bound, 1)).toEqual({ "0-4": 0.2, "10-14": 0.3 }); // 3-4 and 10-12
  });

  test("open intervals reach to the end of the domain", () => {
    const bound = intervalHierarchy({ widths: [10], from: 0, to: 90 }).bind(dictionaryOf(["-10", "5", "99"]), "x");
    expect(bound.leaves).toBe(110);
    expect(sharesOf(bound, 1)).toEqual({ "<0": 10 / 110, "0-9": 10 / 110, "90+": 10 / 110 });
  });

  test("of a complete level add up to 1", () => {
    fc.assert(fc.property(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 9 }), (first, count, width) => {
      const values = Array.from({ length: count }, (_, i) => String(first + i));
      const bound = intervalHierarchy({ widths: [width, width * 3] }).bind(dictionaryOf(values), "x");
      for (const level of bound.levels) expect(level.share.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
    }));
  });
});

test("laws: levels nest, and every value lies in its interval", () => {
  const decimal = fc.tuple(fc.integer({ min: -100_000, max: 100_000 }), fc.integer({ min: 0, max: 4 }))
    .map(([units, decimals]) => (units / 10 ** decimals).toFixed(decimals));
  const options = fc.record({
    width: fc.constantFrom("0.1", "0.25", "1", "5", "7"), factors: fc.array(fc.integer({ min: 2, max: 4 }), { maxLength: 3 }),
    origin: fc.constantFrom("0", "0.05", "-3", "18"), from: fc.option(fc.integer({ min: -50, max: 0 }), { nil: undefined }),
    to: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
  });
  fc.assert(fc.property(fc.uniqueArray(fc.oneof(decimal, fc.integer({ min: -200, max: 200 }).map(String)), { maxLength: 30 }), options,
    (values, { width, factors, origin, from, to }) => {
      const widths: string[] = [width];
      for (const factor of factors) widths.push(String(Math.round(Number(widths.at(-1)!) * 1000 * factor) / 1000));
      const hierarchy = intervalHierarchy({ widths, origin, from, to });
      expectSoundHierarchy(hierarchy, values);
      for (const [value, texts] of Object.entries(becomes(hierarchy, values))) {
        for (const text of texts.slice(1, -1)) expect(holds(text, Number(value))).toBe(true);
      }
    }));
});

/** Whether a number lies in the interval that a text states. */
function holds(text: string, value: number): boolean {
  const open = /^(?:<(.+)|>=(.+)|(.+)\+)$/.exec(text);
  if (open?.[1] !== undefined) return value < Number(open[1]);
  if (open !== null) return value >= Number(open[2] ?? open[3]);
  const half = /^\[(.+), (.+)\)$/.exec(text);
  if (half !== null) return value >= Number(half[1]) && value < Number(half[2]);
  const whole = /^(-?\d+)(?:(?: to |-)(-?\d+))?$/.exec(text)!;
  return value >= Number(whole[1]) && value <= Number(whole[2] ?? whole[1]);
}

describe("edges", () => {
  test("no values; one value", () => {
    expectSoundHierarchy(intervalHierarchy({ widths: [5] }), []);
    expectSoundHierarchy(intervalHierarchy({ widths: [5], from: 10 }), []);
    expectSoundHierarchy(intervalHierarchy({ widths: [5] }), ["3"]);
  });

  test("all values outside the coded range", () => {
    expectSoundHierarchy(intervalHierarchy({ widths: [5], from: 10, to: 20 }), ["1", "2"]);
    expectSoundHierarchy(intervalHierarchy({ widths: [5], to: 20 }), ["40", "50"]);
    expectSoundHierarchy(intervalHierarchy({ widths: [5], from: 20 }), ["4", "5"]);
  });

  test("what is not a number is counted and not quoted", () => {
    const bind = () => intervalHierarchy({ widths: [5] }).bind(dictionaryOf(["3", "CANARY", "", "4 ", "+4", "NaN", "0x10"]), "age");
    expect(bind).toThrow(DataError);
    expect(bind).toThrow(expect.objectContaining({
      code: "hierarchy/unmapped", detail: { column: "age", unmapped: 6, distinct: 7 },
      message: expect.not.stringContaining("CANARY") as string,
    }));
  });

  test.each([
    { widths: [] }, { widths: [0] }, { widths: [-5] }, { widths: ["wide"] }, { widths: [5], from: 3, to: 3 },
    { widths: [5], min: 3, max: 2 }, { widths: [NaN] },
  ])("refused: %o", (options) => {
    expect(() => intervalHierarchy(options)).toThrow(expect.objectContaining({ code: "hierarchy/bad-interval" }));
  });

  test.each([{ widths: [5, 12] }, { widths: [5, 5] }, { widths: [10, 5] }, { widths: [0.3, 0.5] }])(
    "widths that do not nest are refused: $widths", ({ widths }) => {
      expect(() => intervalHierarchy({ widths })).toThrow(PolicyError);
      expect(() => intervalHierarchy({ widths })).toThrow(expect.objectContaining({ code: "hierarchy/levels-do-not-nest" }));
    });

  test("a text of an open interval that is the text of another interval is refused", () => {
    expect(() => intervalHierarchy({ widths: [5], to: 90, top: "0-4" }).bind(dictionaryOf(["3", "95"]), "age"))
      .toThrow(expect.objectContaining({ code: "hierarchy/bad-interval" }));
  });

  test("0.1 and 0.3 nest, though 0.3 / 0.1 as floats is 2.9999999999999996", () => {
    expect(intervalHierarchy({ widths: [0.1, 0.3] }).levels).toBe(4);
  });
});
