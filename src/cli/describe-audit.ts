import type { AuditedCell, AuditFinding, PublishedAudit } from "../audit.ts";
import { counted } from "./numbers.ts";
import { printable, type Painter } from "./style.ts";
import { textTable } from "./text-table.ts";

/** Lists for people end somewhere; --all and --json have everything. */
const MOST_LISTED = 30;

const TITLES: Readonly<Record<AuditFinding["kind"], string>> = {
  "blank-falls": "Blank cells that fall",
  "insider-finds": "What people in a blank cell find",
  "missing-rows": "Missing rows",
  "reasons-told": "Reasons that are told",
  "small-count-shown": "Small counts that are shown",
  "marked-but-shown": "Numbers that are printed though marked",
  "computed-beside-blank": "Computed numbers beside blanks",
  contradiction: "Contradictions",
};

export function describeAudit(found: PublishedAudit, all: boolean, paint: Painter): string[] {
  const { findings, blankCells, assumptions, tables } = found;
  const clean = found.verdict === "clean";
  const lines = [
    `${clean ? paint("green", "CLEAN") : paint("yellow", "FINDING")}  ${found.summary}.`,
    "",
    printable(`Attacked: ${tables.map(({ name, cells, blank }) => `${name} (${counted(cells, "cell")}, ${blank} blank)`).join(", ")}`),
    `Rule: counts below ${found.threshold} are small; ${found.interval} values must remain possible for a hidden one; zeros are ` +
      `${found.zeros === "publish" ? "shown" : "hidden too"}; marks ${found.codes === "separate" ? "tell small counts from complementary ones" : "give no reasons"}`,
  ];
  if (found.insiders !== "none") {
    lines.push(`Insiders: ${found.insiders === "alone" ? "whoever may be the only person of a blank cell" : "whoever is counted in a blank cell"}, one cell at a time`);
  }
  for (const kind of Object.keys(TITLES) as AuditFinding["kind"][]) {
    const own = findings.filter((finding) => finding.kind === kind);
    if (own.length === 0) continue;
    lines.push("", paint("bold", TITLES[kind]));
    const told = all ? own : own.slice(0, MOST_LISTED);
    for (const { text, how, at } of told) {
      const place = kind === "blank-falls" && at !== undefined && at.row > 0 ? ` (${at.table} row ${at.row})` : "";
      lines.push(printable(`  ${text}${place}`));
      for (const line of how ?? []) lines.push(printable(`      ${line}`));
    }
    if (told.length < own.length) lines.push(`  and ${own.length - told.length} more; --all lists them`);
  }
  const others = blankCells.filter(({ verdict }) => verdict !== "falls" && verdict !== "unproven");
  if (others.length > 0) {
    const told = all ? others : others.slice(0, MOST_LISTED);
    lines.push("", paint("bold", "Blank cells that hold"), ...textTable(
      [{ title: "cell" }, { title: "possible", align: "right" }, { title: "verdict" }, { title: "why" }],
      told.map((cell) => [printable(cell.name), possible(cell), cell.verdict, printable(cell.why)]),
    ));
    if (told.length < others.length) lines.push(`  and ${others.length - told.length} more; --all lists them`);
  }
  if (assumptions.length > 0) lines.push("", paint("bold", "Taken for granted"), ...assumptions.map((text) => printable(`  ${text}`)));
  return lines;
}

function possible({ min, max, exact }: AuditedCell): string {
  const ends = `${min ?? "?"} .. ${max ?? "?"}`;
  return exact || min === max ? ends : `at least ${ends}`;
}
