import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError, PolicyError } from "../../src/errors/index.ts";
import { boundHierarchy } from "../../src/hierarchies/bound.ts";
import {
  createHierarchy, orderHierarchy, parseHierarchyCsv, prefixHierarchy, suppressHierarchy, treeHierarchy, type HierarchyRule,
} from "../../src/hierarchies/index.ts";
import type { HierarchyDefinition } from "../../src/hierarchies/schema.ts";
import { becomes, dictionaryOf, expectSoundHierarchy, sharesOf } from "./laws.ts";

describe("order", () => {
  const values = ["none", "primary", "lower", "upper", "college"];

  test("worked by hand: neighbours in twos and fours", () => {
    const hierarchy = orderHierarchy({ values, groupSizes: [2, 4] });
    expect(becomes(hierarchy, ["college", "lower", "none"])).toEqual({
      none: ["none", "none to primary", "none to upper", "*"],
      lower: ["lower", "lower to upper", "none to upper", "*"],
      college: ["college", "college", "college", "*"],
    });
    const bound = hierarchy.bind(dictionaryOf(["college", "lower", "none"]), "school");
    expect(bound.leaves).toBe(5);
    expect(sharesOf(bound, 1)).toEqual({ "none to primary": 2 / 5, "lower to upper": 2 / 5, college: 1 / 5 });
  });

  test("groups of stated sizes and texts", () => {
    const hierarchy = orderHierarchy({
      values, groups: [[{ size: 1 }, { size: 3, label: "school" }, { size: 1 }], [{ size: 4, label: "below college" }, { size: 1 }]],
    });
    expect(becomes(hierarchy, values)).toMatchObject({
      none: ["none", "none", "below college", "*"], upper: ["upper", "school", "below college", "*"],
      college: ["college", "college", "college", "*"],
    });
  });

  test("groups that do not nest are refused", () => {
    const refused = expect.objectContaining({ code: "hierarchy/levels-do-not-nest" }) as Error;
    expect(() => orderHierarchy({ values, groupSizes: [2, 3] })).toThrow(refused);
    expect(() => orderHierarchy({ values, groups: [[{ size: 2 }, { size: 3 }], [{ size: 3 }, { size: 2 }]] })).toThrow(refused);
  });

  test.each([
    { values: [], groupSizes: [2] }, { values: ["a", "a"], groupSizes: [2] }, { values: ["a"] }, { values: ["a"], groupSizes: [] },
    { values: ["a", "b"], groupSizes: [1.5] }, { values: ["a", "b"], groups: [[{ size: 1 }]] },
    { values: ["a", "b"], groups: [[{ size: 3 }]] }, { values: ["a", "b"], groups: [[{ size: 1, label: "x" }, { size: 1, label: "x" }]] },
  ])("refused: %o", (options) => {
    expect(() => orderHierarchy(options)).toThrow(expect.objectContaining({ code: "hierarchy/bad-order" }));
  });

  test("laws", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 2, max: 4 }), (n, size, factor) => {
      const order = Array.from({ length: n }, (_, i) => `v${i}`);
      const bound = expectSoundHierarchy(orderHierarchy({ values: order, groupSizes: [size, size * factor] }), order.toReversed());
      for (const level of bound.levels) expect(level.share.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
    }));
  });
});

describe("prefix", () => {
  test("worked by hand: ZIP codes", () => {
    const hierarchy = prefixHierarchy({ keep: [4, 3] });
    expect(becomes(hierarchy, ["90210", "90211", "90301"])).toEqual({
      "90210": ["90210", "9021*", "902**", "*"],
      "90211": ["90211", "9021*", "902**", "*"],
      "90301": ["90301", "9030*", "903**", "*"],
    });
    const bound = hierarchy.bind(dictionaryOf(["90210", "90211", "90301"]), "zip");
    expect(sharesOf(bound, 1)).toEqual({ "9021*": 2 / 3, "9030*": 1 / 3 });
  });

  test("values of different lengths keep their length, or are cut off with an empty mask", () => {
    const values = ["E119", "E11", "E", ""];
    expect(becomes(prefixHierarchy({ keep: [3, 1], suppressAll: false }), values)).toEqual({
      E119: ["E119", "E11*", "E***"], E11: ["E11", "E11", "E**"], E: ["E", "E", "E"], "": ["", "", ""],
    });
    expect(becomes(prefixHierarchy({ keep: [3, 1], mask: "", suppressAll: false }), values)).toEqual({
      E119: ["E119", "E11", "E"], E11: ["E11", "E11", "E"], E: ["E", "E", "E"], "": ["", "", ""],
    });
  });

  test("a character is a code point, never half of one", () => {
    expect(becomes(prefixHierarchy({ keep: [1], suppressAll: false }), ["😀é漢"])["😀é漢"]).toEqual(["😀é漢", "😀**"]);
  });

  test("laws, with values that hold the mask themselves", () => {
    const value = fc.string({ unit: fc.constantFrom("a", "b", "*", "é", "😀"), maxLength: 6 });
    fc.assert(fc.property(fc.uniqueArray(value), fc.constantFrom("*", "", "x"), (values, mask) => {
      const bound = expectSoundHierarchy(prefixHierarchy({ keep: [4, 2, 1], mask }), values);
      for (const level of bound.levels.slice(values.length === 0 ? 4 : 0)) {
        expect(level.share.reduce((sum, share) => sum + share, 0)).toBeCloseTo(values.length === 0 ? 0 : 1, 10);
      }
    }));
  });

  test("refused: no level, fewer than one character, a longer mask, levels that keep more", () => {
    expect(() => prefixHierarchy({ keep: [] })).toThrow(PolicyError);
    expect(() => prefixHierarchy({ keep: [0] })).toThrow(PolicyError);
    expect(() => prefixHierarchy({ keep: [3], mask: "**" })).toThrow(PolicyError);
    expect(() => prefixHierarchy({ keep: [3, 3] })).toThrow(expect.objectContaining({ code: "hierarchy/levels-do-not-nest" }));
  });
});

describe("tree", () => {
  const lines = [["a", "vowel", "letter"], ["b", "consonant", "letter"], ["c", "consonant", "letter"], ["1", "digit", "figure"]];

  test("worked by hand; the shares count lines that the data do not hold", () => {
    const bound = expectSoundHierarchy(treeHierarchy(lines), ["b", "1"]);
    expect(bound.leaves).toBe(4);
    expect(sharesOf(bound, 1)).toEqual({ consonant: 2 / 4, digit: 1 / 4 });
    expect(sharesOf(bound, 2)).toEqual({ letter: 3 / 4, figure: 1 / 4 });
    expect(sharesOf(bound, 3)).toEqual({ "*": 1 });
  });

  test("a last level of one value gets no other on top unless asked", () => {
    const single = [["a", "all"], ["b", "all"]];
    expect(treeHierarchy(single).levels).toBe(2);
    expect(treeHierarchy(single, { suppressAll: true }).levels).toBe(3);
    expect(treeHierarchy([["a", "*"], ["b", "*"]], { suppressAll: true }).levels).toBe(2);
    expect(treeHierarchy(lines, { suppressAll: false }).levels).toBe(3);
    expect(treeHierarchy([["a"], ["b"]]).levels).toBe(2);
  });

  test("values that the tree does not list are counted and not quoted", () => {
    const bind = () => treeHierarchy(lines).bind(dictionaryOf(["a", "CANARY", "A", ""]), "letter");
    expect(bind).toThrow(DataError);
    expect(bind).toThrow(expect.objectContaining({
      code: "hierarchy/unmapped", detail: { column: "letter", unmapped: 3, distinct: 4 },
      message: expect.not.stringContaining("CANARY") as string,
    }));
  });

  test("lines that contradict each other are refused by number", () => {
    expect(() => treeHierarchy([["a", "x", "1"], ["b", "y", "1"], ["c", "x", "2"]]))
      .toThrow(expect.objectContaining({ code: "hierarchy/levels-do-not-nest", detail: { line: 3, level: 2 } }));
    expect(() => treeHierarchy([["a", "x"], ["a", "y"]])).toThrow(expect.objectContaining({ code: "hierarchy/bad-tree", detail: { line: 2 } }));
    expect(() => treeHierarchy([["a", "x"], ["b"]])).toThrow(expect.objectContaining({ code: "hierarchy/bad-tree", detail: { line: 2 } }));
    expect(() => treeHierarchy([])).toThrow(PolicyError);
    expect(() => treeHierarchy([[]])).toThrow(PolicyError);
  });

  test("laws", () => {
    const tree = fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 30 })
      .map((groups) => groups.map((group, i) => [`leaf ${i}`, `group ${group}`, `half ${group % 2}`]));
    fc.assert(fc.property(tree, (all) => {
      const bound = expectSoundHierarchy(treeHierarchy(all), all.map((line) => line[0]!));
      for (const level of bound.levels) expect(level.share.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
    }));
  });
});

test("suppress: the value and nothing", () => {
  expect(becomes(suppressHierarchy(), ["a", "*"])).toEqual({ a: ["a", "*"], "*": ["*", "*"] });
  expectSoundHierarchy(suppressHierarchy(), []);
});

test("levels that part what a finer level joined are refused when bound", () => {
  const level = (groups: number[]) => ({ groupOf: Int32Array.from(groups), labels: ["x", "y"], leaves: [1, 1] });
  expect(() => boundHierarchy("c", dictionaryOf(["a", "b", "c"]), [level([0, 0, 1]), level([0, 1, 1])], 3, false))
    .toThrow(expect.objectContaining({ code: "hierarchy/not-nested", detail: { column: "c", level: 2, parted: 1 } }));
});

describe("hierarchy files", () => {
  test.each([
    ["one line without an end", "a;b", [["a", "b"]]],
    ["line ends of two kinds", "a;b\r\nc;d\n", [["a", "b"], ["c", "d"]]],
    ["quotes, delimiters and line breaks in quotes", '"a;""1""";b\n"c\nd";""\n', [['a;"1"', "b"], ["c\nd", ""]]],
    ["a byte order mark", "\uFEFFa;b\n", [["a", "b"]]],
    ["empty fields", ";\n", [["", ""]]],
    ["a delimiter at the end of the file", "a;b\nc;", [["a", "b"], ["c", ""]]],
  ])("read: %s", (_, text, lines) => {
    expect(parseHierarchyCsv(text, ";")).toEqual(lines);
  });

  test.each([
    ["an empty file", "", 1], ["a blank line", "a;b\n\nc;d\n", 2], ["a short line", "a;b\nc\n", 2], ["a long line", "a;b\nc;d;e\n", 2],
    ["a quote inside a field", 'a;b\nc;d"e\n', 2], ["a quote that stays open", 'a;b\n"c;d\n', 2], ["text after a quote", '"a\nb"x;c\n', 2],
    ["a lone carriage return", "a;b\rc;d\n", 1], ["the wrong delimiter in one line", "a;b\nc,d\n", 2], ["a lone CR after quotes", '"a";"b"\rc;d', 1],
  ])("refused: %s", (_, text, line) => {
    expect(() => parseHierarchyCsv(text, ";")).toThrow(expect.objectContaining({ code: "hierarchy/bad-csv", detail: { line } }));
  });

  test("what is written is read back", () => {
    const field = fc.string({ unit: fc.constantFrom("a", ";", '"', "\n", "\r\n", "é", " ") });
    fc.assert(fc.property(fc.array(fc.tuple(field, field), { minLength: 1 }), (lines) => {
      const text = lines.map((line) => line.map((f) => `"${f.replaceAll('"', '""')}"`).join(";")).join("\r\n");
      expect(parseHierarchyCsv(text, ";")).toEqual(lines);
    }));
  });

  test("a delimiter is one character", () => {
    expect(() => parseHierarchyCsv("a", "")).toThrow(PolicyError);
    expect(() => parseHierarchyCsv("a", '"')).toThrow(PolicyError);
  });
});

describe("from a rule", () => {
  test("every kind", () => {
    const files: Record<string, string> = { "h.csv": "a;x\nb;y\n" };
    const levels = (rule: HierarchyRule): number => createHierarchy(rule, (path) => files[path]!).levels;
    expect(levels({ kind: "interval", widths: [5, 10] })).toBe(4);
    expect(levels({ kind: "order", values: ["a", "b", "c"], groupSizes: [2] })).toBe(3);
    expect(levels({ kind: "date", levels: ["month", "year"], suppressAll: false })).toBe(3);
    expect(levels({ kind: "prefix", keep: [3] })).toBe(3);
    expect(levels({ kind: "tree", path: "h.csv", delimiter: ";" })).toBe(3);
    expect(levels({ kind: "tree", inline: [["a", "x"], ["b", "y"]], suppressAll: false })).toBe(2);
    expect(levels({ kind: "suppress" })).toBe(2);
  });

  test("what the policy's schema gives is a rule", () => {
    const rule = (definition: HierarchyDefinition): HierarchyRule => definition;
    expect(createHierarchy(rule({ kind: "suppress" })).levels).toBe(2);
  });

  test("a tree names its file or lists its lines, and a file needs a reader", () => {
    const refused = expect.objectContaining({ code: "hierarchy/bad-tree" }) as Error;
    expect(() => createHierarchy({ kind: "tree" })).toThrow(refused);
    expect(() => createHierarchy({ kind: "tree", path: "h.csv" })).toThrow(refused);
    expect(() => createHierarchy({ kind: "tree", path: "h.csv", inline: [["a"]] })).toThrow(refused);
    expect(() => createHierarchy({ kind: "geography" as "suppress" })).toThrow(expect.objectContaining({ code: "hierarchy/unknown-kind" }));
  });
});
