import type { FieldDescription, ReleaseDescription } from "./description.ts";
import { codeSpan, oneLine, paragraphs, plainText } from "./markdown.ts";

/** README of a release, for the people who will use the data. */
export function publicReadme(release: ReleaseDescription): string {
  const lines: string[] = [`# ${plainText(release.title)}`, ""];
  for (const paragraph of paragraphs(release.description ?? "")) lines.push(paragraph, "");
  const facts = [
    ["Publisher", release.publisher],
    ["Contact", contactLine(release)],
    ["Released", release.released],
    ["Version", release.version],
    ["License", release.license === "notspecified" ? "not specified; ask the publisher" : release.license],
  ] as const;
  for (const [name, value] of facts) if (value !== undefined) lines.push(`- ${name}: ${plainText(value)}`);
  lines.push("", "## Files", "");
  for (const table of release.tables) {
    for (const file of table.files) lines.push(`- ${codeSpan(file.path)}: ${plainText(table.title ?? table.name)}`);
  }
  lines.push(
    "- `data-dictionary.csv`: every field, its type and meaning",
    "- `datapackage.json`: the same for programs (Data Package 2.0)",
    "- `manifest.json`: size and SHA-256 of every other file here",
    "",
    "## How people are protected",
    "",
  );
  // Written by the methods; column names in them come from the policy.
  for (const paragraph of release.methods) lines.push(plainText(paragraph), "");
  lines.push("## Fields", "");
  for (const table of release.tables) {
    if (release.tables.length > 1) lines.push(`### ${plainText(table.title ?? table.name)}`, "");
    for (const paragraph of paragraphs(table.description ?? "")) lines.push(paragraph, "");
    lines.push("| field | type | meaning | blank means |", "| --- | --- | --- | --- |");
    for (const field of table.fields) {
      const cells = [codeSpan(field.name), field.type, plainText(meaningOf(field)), plainText(field.missing ?? "never blank")];
      lines.push(`| ${cells.join(" | ")} |`);
    }
    lines.push("");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

function meaningOf({ label, description, categories }: FieldDescription): string {
  const named = label === undefined || oneLine(label) === oneLine(description).replace(/\.$/, "") ? "" : `${label}: `;
  const listed = categories === undefined ? "" : ` ${categories.map((category) => `${category.value} = ${category.label}`).join("; ")}.`;
  return `${named}${description}${listed}`;
}

function contactLine({ contact }: ReleaseDescription): string | undefined {
  if (contact === undefined) return undefined;
  const { name, email } = contact;
  if (name !== undefined && email !== undefined) return `${name}, ${email}`;
  return name ?? email;
}
