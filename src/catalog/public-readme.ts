import type { ReleaseDescription } from "./description.ts";

/** README of a release, for the people who will use the data. */
export function publicReadme(release: ReleaseDescription): string {
  const lines: string[] = [`# ${oneLine(release.title)}`, ""];
  if (release.description !== undefined) lines.push(release.description.trim(), "");
  const facts = [
    ["Publisher", release.publisher],
    ["Contact", contactLine(release)],
    ["Released", release.released],
    ["Version", release.version],
    ["License", release.license],
  ] as const;
  for (const [name, value] of facts) if (value !== undefined) lines.push(`- ${name}: ${oneLine(value)}`);
  lines.push("", "## Files", "");
  for (const table of release.tables) {
    for (const file of table.files) lines.push(`- \`${file.path}\`: ${oneLine(table.title ?? table.name)}`);
  }
  lines.push(
    "- `data-dictionary.csv`: every field, its type and meaning",
    "- `datapackage.json`: the same for programs (Data Package 2.0)",
    "- `manifest.json`: size and SHA-256 of every file here",
    "",
    "## How people are protected",
    "",
  );
  for (const paragraph of release.methods) lines.push(paragraph, "");
  lines.push("## Fields", "");
  for (const table of release.tables) {
    if (release.tables.length > 1) lines.push(`### ${table.name}`, "");
    lines.push("| field | type | meaning | blank means |", "| --- | --- | --- | --- |");
    for (const field of table.fields) {
      const categories = field.categories?.map(({ value, label }) => `${value} = ${label}`).join("; ");
      const meaning = categories === undefined ? field.description : `${field.description} ${categories}.`;
      lines.push(`| ${[field.name, field.type, meaning, field.missing ?? "never blank"].map(tableCell).join(" | ")} |`);
    }
    lines.push("");
  }
  return lines.join("\n");
}

function contactLine({ contact }: ReleaseDescription): string | undefined {
  if (contact === undefined) return undefined;
  const { name, email } = contact;
  if (name !== undefined && email !== undefined) return `${name}, ${email}`;
  return name ?? email;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

function tableCell(text: string): string {
  return oneLine(text).replaceAll("|", "\\|");
}
