/** Texts of policies as Markdown that shows them as they are: names and titles are not markup, and never become it. */

/** Plain text within a line; line ends become spaces. Every mark that could begin markup or an entity is escaped. */
export function plainText(text: string): string {
  return oneLine(text)
    .replaceAll(/[\\`*<>[\]|~]/g, "\\$&")
    .replaceAll(/&(?=#|[A-Za-z])/g, "\\&")
    .replaceAll(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\_")
    .replace(/^(\d+)([.)])/, "$1\\$2")
    .replace(/^[#+=-]/, "\\$&");
}

/** Paragraphs of plain text, parted where the text has empty lines. */
export function paragraphs(text: string): string[] {
  return text
    .split(/\n\s*\n|\r\n\s*\r\n/)
    .map(plainText)
    .filter((paragraph) => paragraph !== "");
}

/** A name as code, whatever marks are in it. Pipes are escaped for tables, which readers undo inside code as well. */
export function codeSpan(name: string): string {
  const text = oneLine(name);
  if (text === "") return "(no name)";
  const longest = Math.max(0, ...Array.from(text.matchAll(/`+/g), ([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  const pad = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return `${fence}${pad}${text.replaceAll("|", "\\|")}${pad}${fence}`;
}

export function oneLine(text: string): string {
  return text.replaceAll(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim();
}
