/** The README and every page of docs/: their examples are run, in order, against the built package, and must print what is shown. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocksOf, EXAMPLE_LANGUAGES, outputMatches, type Block } from "./blocks.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = ["README.md", ...(readdirSync(join(root, "docs"), { recursive: true }) as string[]).filter((path) => path.endsWith(".md")).map((path) => join("docs", path)).sort()];

describe.each(pages)("%s", (page) => {
  const blocks = blocksOf(readFileSync(join(root, page), "utf8"));
  const active = blocks.filter(({ marker }) => marker !== undefined && marker.kind !== "not-run");

  test("every example says whether it is run", () => {
    expect(blocks.filter(({ language, marker }) => EXAMPLE_LANGUAGES.includes(language) && marker === undefined).map(({ line }) => line)).toEqual([]);
  });

  test.runIf(page !== "docs/policy-reference.md")("links lead to files and headings that exist", () => {
    const text = readFileSync(join(root, page), "utf8").replaceAll(/^```[\s\S]*?^```$/gm, "");
    const broken = Array.from(text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g), ([, target]) => target!).filter((target) => {
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? join(root, page) : join(root, dirname(page), path);
      if (!existsSync(file)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(file, "utf8")).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  describe.runIf(active.length > 0)("examples", () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "docs-"));
      cpSync(join(root, "examples"), join(folder, "examples"), { recursive: true });
      mkdirSync(join(folder, "node_modules"));
      symlinkSync(root, join(folder, "node_modules", "commensurate"), "dir");
      symlinkSync(join(root, "node_modules", "apache-arrow"), join(folder, "node_modules", "apache-arrow"), "dir");
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    let printed = "";
    for (const block of active) {
      test(titleOf(block), () => {
        const { marker } = block;
        if (marker?.kind === "file") {
          mkdirSync(dirname(join(folder, marker.path)), { recursive: true });
          writeFileSync(join(folder, marker.path), `${block.text}\n`);
        } else if (marker?.kind === "run") {
          const { status, output } = runBlock(block, folder);
          printed = output;
          expect({ status, output: status === marker.exit ? "" : output }).toEqual({ status: marker.exit, output: "" });
        } else if (marker?.kind === "output" && !outputMatches(block.text, printed)) {
          expect(printed.trimEnd()).toBe(block.text); // says where they differ
        }
      });
    }
  });
});

function titleOf({ language, line, marker }: Block): string {
  return `line ${line}: ${marker!.kind} ${language}`;
}

function runBlock(block: Block, folder: string): { status: number | null; output: string } {
  const cli = JSON.stringify(join(root, "dist", "cli.js"));
  const script =
    block.language === "js"
      ? `cat > example-${block.line}.mjs <<'END OF EXAMPLE'\n${block.text}\nEND OF EXAMPLE\nnode example-${block.line}.mjs`
      : `npx() { test "$1" = commensurate && shift && node ${cli} "$@"; }\n${block.text}`;
  const { status, stdout } = spawnSync("bash", ["-c", `exec 2>&1\nset -euo pipefail\n${script}`], { cwd: folder, encoding: "utf8", timeout: 60_000 });
  return { status, output: stdout.replaceAll(folder, "…").replaceAll(PROGRESS, "") };
}

/** Work that takes long says how far it is, at moments that depend on the machine. */
const PROGRESS = /^(?:Reading|Deciding|Writing|Verifying|Publishing)\b(?: {2,}.*)?\n/gm;

/** Anchors as GitHub makes them from headings. */
function anchorsOf(markdown: string): Set<string> {
  return new Set(
    Array.from(markdown.matchAll(/^#+ (.*)$/gm), ([, heading]) =>
      heading!.toLowerCase().replaceAll(/[`*]/g, "").replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")),
  );
}

describe("the reader of examples", () => {
  const markdown = ["<!-- run: exit 1 -->", "```sh", "echo a", "```", "", "<!-- output -->", "", "```text", "a", "```", "```text", "figure", "```"].join("\n");

  test("finds blocks with their markers", () => {
    expect(blocksOf(markdown).map(({ language, marker, line }) => [language, marker?.kind, line])).toEqual([["sh", "run", 2], ["text", "output", 8], ["text", undefined, 11]]);
    expect(() => blocksOf("<!-- runn -->")).toThrow("line 1");
    expect(() => blocksOf("```sh\necho")).toThrow("not closed");
  });

  test("compares outputs, and can tell that one is wrong", () => {
    expect(outputMatches("a\nb  ", "a \nb\n")).toBe(true);
    expect(outputMatches("a\n...\nd", "a\nb\nc\nd")).toBe(true);
    expect(outputMatches("took … s", "took 1.2 s")).toBe(true);
    expect(outputMatches("a\n...\nd", "a\nb\nc")).toBe(false);
    expect(outputMatches("a", "a\nb")).toBe(false);
    expect(outputMatches("a.c", "abc")).toBe(false);
  });
});
