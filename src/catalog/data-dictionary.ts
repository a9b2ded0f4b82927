import type { FieldDescription, ReleaseDescription } from "./description.ts";

const DICTIONARY_TYPES = { string: "text", integer: "int", number: "float", boolean: "bool", date: "date" } as const;

/**
 * The data dictionary as CSV, in the columns that data.ca.gov asks for.
 * Source: California Open Data Publisher's Handbook, data dictionary.
 */
export function dataDictionaryCsv(release: ReleaseDescription): string {
  const rows = [["table", "field_name", "field_label", "data_type", "field_definition", "valid_values"]];
  for (const table of release.tables) {
    for (const field of table.fields) {
      rows.push([
        table.name, field.name, field.label ?? field.name, DICTIONARY_TYPES[field.type], field.description, validValues(field),
      ]);
    }
  }
  return rows.map((row) => row.map(quoted).join(",") + "\n").join("");
}

function validValues(field: FieldDescription): string {
  const parts: string[] = [];
  if (field.categories !== undefined) parts.push(field.categories.map(({ value, label }) => `${value} = ${label}`).join("; "));
  if (field.missing !== undefined) parts.push(`blank = ${field.missing}`);
  return parts.join("; ");
}

function quoted(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
