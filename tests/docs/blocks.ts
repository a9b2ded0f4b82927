/**
 * Examples in Markdown. A comment above a fenced block says what becomes of it:
 *
 *     <!-- run -->              sh, js: run in a folder that all blocks of the page share, in order
 *     <!-- run: exit 1 -->      the same, and it must end with this code
 *     <!-- file: policy.yaml -->  write it into that folder
 *     <!-- output -->           text: what the block above must have printed
 *     <!-- not run: reason -->  leave it alone
 *
 * In an output, a line of three dots stands for any lines, and the character … for any text within a line.
 */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly marker: Marker | undefined;
}

export type Marker =
  | { readonly kind: "run"; readonly exit: number }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "output" }
  | { readonly kind: "not-run"; readonly reason: string };

/** Languages whose blocks are examples, so that each must say what becomes of it. */
export const EXAMPLE_LANGUAGES: readonly string[] = ["sh", "js", "ts", "yaml", "json", "html"];

/** @throws Error for a marker that is not understood, or a fence that is not closed */
export function blocksOf(markdown: string): Block[] {
  const lines = markdown.split("\n");
  const blocks: Block[] = [];
  let marker: Marker | undefined;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const comment = /^<!--\s*(.*?)\s*-->$/.exec(line);
    if (comment !== null) {
      marker = markerOf(comment[1]!, i + 1);
      continue;
    }
    const fence = /^(`{3,})(\w*)$/.exec(line);
    if (fence === null) {
      if (line.trim() !== "") marker = undefined;
      continue;
    }
    const end = lines.indexOf(fence[1]!, i + 1);
    if (end < 0) throw new Error(`The fence in line ${i + 1} is not closed.`);
    blocks.push({ language: fence[2]!, text: lines.slice(i + 1, end).join("\n"), line: i + 1, marker });
    marker = undefined;
    i = end;
  }
  return blocks;
}

function markerOf(text: string, line: number): Marker | undefined {
  const run = /^run(?:: exit (\d+))?$/.exec(text);
  if (run !== null) return { kind: "run", exit: Number(run[1] ?? 0) };
  const file = /^file: ([\w./-]+)$/.exec(text);
  if (file !== null) return { kind: "file", path: file[1]! };
  if (text === "output") return { kind: "output" };
  const notRun = /^not run: (.+)$/.exec(text);
  if (notRun !== null) return { kind: "not-run", reason: notRun[1]! };
  if (/^(?:run|file|output|not)/.test(text)) throw new Error(`The marker in line ${line} is not understood.`);
  return undefined;
}

/** Whether what was printed is what the page shows. */
export function outputMatches(shown: string, printed: string): boolean {
  const clean = (text: string): string[] => text.trimEnd().split("\n").map((line) => line.trimEnd());
  const pattern = clean(shown)
    .map((line) => (line.trim() === "..." ? "(?:[^\\n]*\\n)*" : `${line.split("…").map(escaped).join("[^\\n]*")}\\n`))
    .join("");
  return new RegExp(`^${pattern}$`).test(`${clean(printed).join("\n")}\n`);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
