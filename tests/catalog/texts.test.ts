/** README and data dictionary of a release: what they say, and that no name or title becomes markup. */
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dataDictionaryCsv, publicReadme } from "../../src/catalog/index.ts";
import { codeSpan, plainText } from "../../src/catalog/markdown.ts";
import { FULL, SPARSE } from "./releases.ts";

const PAYLOADS = [
  "<script>alert(1)</script>", "[click](javascript:alert(1))", "![x](http://example.org/x.png)", "**bold** and _em_ and `code`", "a | b | c",
  "# heading", "- item", "1. item", "> quote", "&lt;b&gt;", "two\nlines\r\nthree", "\u2028separator\u0000nul", "````", "| --- |", "~~gone~~", "<!-- hidden",
];

describe("README of a release", () => {
  test("says who, what, how and which fields", () => {
    const text = publicReadme(FULL);
    expect(text).toContain("# People by county\n\nFirst paragraph.\n\nSecond one.\n\n- Publisher: Example Agency\n");
    expect(text).toContain("- Contact: Open data team, opendata@example.org\n");
    expect(text).toContain("- `by-county.csv`: By county\n");
    expect(text).toContain("## How people are protected\n\nCounts from 1 to 10 are not shown.\n");
    expect(text).toContain("### By county\n\nResidents.\n\n| field |");
    expect(text).toContain("| `count_annotation` | integer | Why. 0 = shown; 1 = hidden. | never blank |");
    expect(text).toContain("| `county` | string | County: County of residence. | never blank |");
    expect(text.endsWith("|\n")).toBe(true);
  });

  test("a missing licence is said in words", () => {
    expect(publicReadme(SPARSE)).toContain("- License: not specified; ask the publisher\n");
    expect(publicReadme(SPARSE)).not.toMatch(/undefined|null/);
  });

  test.each(PAYLOADS)("no text of a policy becomes markup: %j", (payload) => {
    const [table] = SPARSE.tables;
    const text = publicReadme({
      ...SPARSE, title: payload, description: payload, publisher: payload, version: payload, methods: [payload], contact: { name: payload },
      tables: [{ ...table!, title: payload, description: payload, fields: [{ name: payload, type: "string", label: payload, description: payload, missing: payload }] }],
    });
    const outsideCode = text.replaceAll(/(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, "");
    // Every character that could begin markup has a backslash before it.
    expect(outsideCode.replaceAll(/\\[\\`*<>[\]|~&_#+=-]/g, "")).not.toMatch(/<|\]\(|!\[|\*\*|~~|&lt/);
    const headings = text.split("\n").filter((line) => line.startsWith("#"));
    expect(headings).toHaveLength(4);
    const rows = text.split("\n").filter((line) => line.startsWith("| "));
    for (const row of rows) expect(row.match(/(?<!\\)\|/g)).toHaveLength(5);
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u2028]/);
  });

  test("plain text stays readable: words, hyphens and names with underscores are not touched", () => {
    expect(plainText("marital-status and count_annotation of 12 % (total), from 1 to 10.")).toBe("marital-status and count_annotation of 12 % (total), from 1 to 10.");
  });

  test("a code span holds any text in one line, and ends where it should", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (name) => {
      const span = codeSpan(name);
      expect(span).not.toContain("\n");
      if (span === "(no name)") return;
      const fence = /^`+/.exec(span)![0];
      expect(span.length).toBeGreaterThan(fence.length);
      if (!name.trim().startsWith("`")) expect(span.slice(fence.length, -fence.length).includes(fence)).toBe(false);
    }));
    expect(codeSpan("a`b")).toBe("``a`b``");
    expect(codeSpan("`")).toBe("`` ` ``");
  });
});

describe("data dictionary", () => {
  test("one line per field, in the portal's columns", () => {
    const rows = parse(dataDictionaryCsv(FULL), { columns: true }) as Record<string, string>[];
    expect(rows).toHaveLength(6);
    expect(rows[2]).toEqual({
      table: "by-county", field_name: "count_annotation", field_label: "count_annotation", data_type: "int", field_definition: "Why.",
      valid_values: "0 = shown; 1 = hidden",
    });
    expect(rows[1]).toMatchObject({ data_type: "int", valid_values: "blank = hidden; see count_annotation" });
  });

  test("any text survives a CSV reader", () => {
    const [table] = SPARSE.tables;
    fc.assert(fc.property(fc.string(), fc.string(), (name, description) => {
      const text = dataDictionaryCsv({ ...SPARSE, tables: [{ ...table!, fields: [{ name, type: "date", description }] }] });
      const rows = parse(text, { relax_column_count: false }) as string[][];
      expect(rows[1]).toEqual(["people", name, name, "date", description, ""]);
    }));
  });
});
