export interface TextColumn {
  readonly title: string;
  readonly align?: "left" | "right";
}

/**
 * Rows in aligned columns, indented by two spaces, two between columns. Texts must be printable; colours would break
 * the widths, so whole lines are painted afterwards.
 */
export function textTable(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): string[] {
  const titled = columns.some(({ title }) => title !== "");
  const all = titled ? [columns.map(({ title }) => title), ...rows] : rows;
  const widths = columns.map((_, c) => all.reduce((most, row) => Math.max(most, (row[c] ?? "").length), 0));
  return all.map((row) => {
    const cells = columns.map(({ align }, c) => {
      const text = row[c] ?? "";
      return align === "right" ? text.padStart(widths[c]!) : text.padEnd(widths[c]!);
    });
    return `  ${cells.join("  ")}`.trimEnd();
  });
}
