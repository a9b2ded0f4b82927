/** Tables for people: the rows of a released table laid out with one dimension across, as CSV and as a page. */
import { annotationColumn, TOTAL, type DimensionLayout, type Place, type ReadBackRow, type TableLayout } from "./table-layout.ts";

/** Forms that are made from the rows of a table and say nothing more. */
export type ReadableFormat = "crosstab" | "html";

interface Grid {
  /** Names of the dimensions down the side. */
  readonly side: readonly string[];
  /** Name of the dimension across; undefined for a table of one dimension, whose columns are its numbers. */
  readonly across: string | undefined;
  readonly columns: readonly string[];
  readonly rows: readonly { readonly side: readonly string[]; readonly isTotal: boolean; readonly cells: readonly GridCell[] }[];
}

interface GridCell {
  readonly text: string | null;
  readonly isHidden: boolean;
  readonly isTotal: boolean;
}

const ABSENT: GridCell = { text: null, isHidden: false, isTotal: false };

/** Name of the file of a readable form. */
export function readablePath(name: string, format: ReadableFormat): string {
  return format === "html" ? `${name}.html` : `${name}-crosstab.csv`;
}

/** Text of a readable form; a function of layout and released rows alone. Time O(rows). */
export function readableTable(layout: TableLayout, rows: readonly ReadBackRow[], format: ReadableFormat): string {
  // Several numbers across several categories would make a page wider than any screen.
  if (format === "html") return page(layout, gridOf(layout, rows, layout.values.length === 1), rows.some(({ annotation }) => isHidden(annotation)));
  return crosstab(gridOf(layout, rows, true));
}

function gridOf(layout: TableLayout, rows: readonly ReadBackRow[], wantsCross: boolean): Grid {
  const last = layout.dimensions.length - 1;
  const isCross = wantsCross && last > 0;
  const side = isCross ? layout.dimensions.slice(0, last) : layout.dimensions;
  const several = layout.values.length > 1;
  const columns = new Map<string, number>();
  const lines = new Map<string, { side: readonly string[]; isTotal: boolean; cells: GridCell[] }>();
  for (const row of rows) {
    const heads = side.map((dimension, d) => placeText(dimension, row.places[d]!));
    const key = heads.join("\u0000");
    let line = lines.get(key);
    if (line === undefined) lines.set(key, (line = { side: heads, isTotal: row.places.slice(0, side.length).some(({ level }) => level === TOTAL), cells: [] }));
    row.values.forEach((text, v) => {
      const across = isCross ? placeText(layout.dimensions[last]!, row.places[last]!) : undefined;
      const title = across === undefined ? layout.values[v]!.name : several ? `${across}: ${layout.values[v]!.name}` : across;
      let at = columns.get(title);
      if (at === undefined) columns.set(title, (at = columns.size));
      line.cells[at] = { text, isHidden: isHidden(row.annotation), isTotal: isCross && row.places[last]!.level === TOTAL };
    });
  }
  const titles = [...columns.keys()];
  // What belongs together stands together: all rows of a category below each other, in the order in which categories come.
  const ranks = side.map((_, d) => new Map([...new Set([...lines.values()].map((line) => line.side[d]!))].map((text, i) => [text, i])));
  const ordered = [...lines.values()].sort((a, b) => {
    for (let d = 0; d < side.length; d++) {
      const apart = ranks[d]!.get(a.side[d]!)! - ranks[d]!.get(b.side[d]!)!;
      if (apart !== 0) return apart;
    }
    return 0;
  });
  return {
    side: side.map(({ column }) => column),
    across: isCross ? layout.dimensions[last]!.column : undefined,
    columns: titles,
    rows: ordered.map((line) => ({ ...line, cells: titles.map((_, c) => line.cells[c] ?? ABSENT) })),
  };
}

function isHidden(annotation: string | null): boolean {
  return annotation === "1" || annotation === "2";
}

/** Text of a category; where several levels stand side by side those of equal text are told apart by the level. */
function placeText({ levels, groupings = [] }: DimensionLayout, { level, label }: Place): string {
  if (level === TOTAL) return "Total";
  const text = label ?? "(missing)";
  const finest = Math.min(...levels);
  if (level === finest || levels.length + groupings.length < 2) return text;
  return `${text} [${groupings.find((grouping) => grouping.level === level)?.name ?? `level ${level}`}]`;
}

function crosstab({ side, columns, rows }: Grid): string {
  const line = (fields: readonly (string | null)[]): string => `${fields.map((field) => (field === null ? "" : quoted(field))).join(",")}\n`;
  return line([...side, ...columns]) + rows.map((row) => line([...row.side, ...row.cells.map(({ text }) => text)])).join("");
}

/** Spreadsheets take a leading =, +, - or @ for a formula; as a category it is kept from running by an apostrophe. */
function quoted(field: string): string {
  const safe = /^[=+\-@\t\r]/.test(field) && !/^-?\d+(?:\.\d+)?$/.test(field) ? `'${field}` : field;
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const STYLE = [
  ":root{color-scheme:light dark}",
  "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem}",
  "h1{font-size:1.4rem;line-height:1.25;margin:0 0 .25rem}",
  "p{max-width:45rem;margin:.25rem 0 1rem}",
  ".scroll{overflow-x:auto}",
  "table{border-collapse:collapse;font-variant-numeric:tabular-nums}",
  "th,td{padding:.3rem .75rem;text-align:right;white-space:nowrap;border-bottom:1px solid color-mix(in srgb,currentColor 15%,transparent)}",
  "thead th{border-bottom:2px solid currentColor;vertical-align:bottom}",
  "th[scope=row],thead th.side{text-align:left;font-weight:400}",
  "tr.total th,tr.total td,td.total{font-weight:600}",
  "td.hidden{opacity:.65}",
  "caption,.note{text-align:left;font-size:.9rem}",
].join("");

function page(layout: TableLayout, grid: Grid, anyHidden: boolean): string {
  const title = escaped(layout.title ?? layout.name);
  const heads = [
    ...grid.side.map((name) => `<th scope="col" class="side">${escaped(name)}</th>`),
    ...grid.columns.map((name) => `<th scope="col">${escaped(name)}</th>`),
  ];
  const decimals = grid.columns.map((_, c) => Math.max(0, ...grid.rows.map(({ cells }) => decimalsOf(cells[c]!.text))));
  const body = grid.rows.map(({ side, isTotal, cells }) => {
    const first = side.map((text) => `<th scope="row">${escaped(text)}</th>`);
    const rest = cells.map((cell, c) => {
      const kinds = [...(cell.isHidden ? ["hidden"] : []), ...(cell.isTotal ? ["total"] : [])];
      const text = cell.isHidden ? '<abbr title="hidden to protect people">S</abbr>' : cell.text === null ? "\u2013" : escaped(withSeparators(cell.text, decimals[c]!));
      return `<td${kinds.length > 0 ? ` class="${kinds.join(" ")}"` : ""}>${text}</td>`;
    });
    return `<tr${isTotal ? ' class="total"' : ""}>${first.join("")}${rest.join("")}</tr>`;
  });
  const notes = [
    ...layout.values.map(({ name, description }) => `${escaped(name)}: ${escaped(description)}`),
    ...(anyHidden ? [`S: hidden to protect people; the column ${escaped(annotationColumn(layout))} of the data files has the reason.`] : []),
    "\u2013: no number.",
  ];
  return [
    "<!doctype html>",
    '<html lang="en">',
    `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title><style>${STYLE}</style></head>`,
    "<body>",
    `<h1>${title}</h1>`,
    ...(layout.description === undefined ? [] : [`<p>${escaped(layout.description)}</p>`]),
    `<div class="scroll"><table>${grid.across === undefined ? "" : `<caption>Columns: ${escaped(grid.across)}</caption>`}`,
    `<thead><tr>${heads.join("")}</tr></thead>`,
    "<tbody>",
    ...body,
    "</tbody></table></div>",
    ...notes.map((note) => `<p class="note">${note}</p>`),
    "</body></html>",
    "",
  ].join("\n");
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?$/;

function decimalsOf(text: string | null): number {
  return text === null ? 0 : (NUMBER.exec(text)?.[3]?.length ?? 0);
}

/** 1234567.5 as 1,234,567.50 among numbers of two decimals, so that points stand below each other; other texts as they are. */
function withSeparators(text: string, decimals: number): string {
  const match = NUMBER.exec(text);
  if (match === null) return text;
  const fraction = decimals === 0 ? "" : `.${(match[3] ?? "").padEnd(decimals, "0")}`;
  return `${match[1]}${match[2]!.replace(/\B(?=(?:\d{3})+$)/g, ",")}${fraction}`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
