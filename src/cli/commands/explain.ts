import { PolicyError } from "../../errors/index.ts";
import { loadPolicy } from "../../node/load-policy.ts";
import type { CellAddress, HiddenCell } from "../../release/index.ts";
import { explain as explainCells } from "../../verbs.ts";
import type { CommandContext } from "../command.ts";
import { EXIT } from "../failure.ts";
import { keyOf } from "../key-option.ts";
import { counted } from "../numbers.ts";
import { printable } from "../style.ts";
import { textTable } from "../text-table.ts";

export interface ExplainOptions {
  readonly source?: string;
  readonly keyFile?: string;
  readonly table?: string;
  readonly cell?: string;
}

export async function explain(path: string, options: ExplainOptions, { console, signal }: CommandContext): Promise<number> {
  const { policy, folder } = await loadPolicy(path);
  const cell = options.cell === undefined ? undefined : addressOf(options.cell);
  const found = await explainCells(policy, {
    folder, source: options.source, key: await keyOf(options.keyFile), table: options.table, cell, signal, onProgress: console.onProgress,
  });
  await console.result(found, () => (found.length === 0 ? [nothing(options)] : cell === undefined ? listed(found) : found.flatMap(inFull)));
  return EXIT.ok;
}

/** "county=Alpine,sex=F": what the cell is broken down by; other dimensions are summed over. */
function addressOf(text: string): CellAddress {
  const address: Record<string, string | null> = {};
  for (const part of text.trim() === "" || text.trim() === "total" ? [] : text.split(",")) {
    const at = part.indexOf("=");
    if (at < 1) throw new PolicyError("explain/cell", "Write a cell as column=category, separated by commas, such as county=Alpine,sex=F; or total.");
    address[part.slice(0, at).trim()] = part.slice(at + 1).trim();
  }
  return address;
}

function nothing({ cell }: ExplainOptions): string {
  return cell === undefined ? "No cell is hidden." : "This cell is shown, or there is no such cell. Leave --cell out to list the hidden ones.";
}

function listed(found: readonly HiddenCell[]): string[] {
  const primary = found.filter(({ state }) => state === "primary").length;
  return [
    `${counted(found.length, "hidden row")}: ${primary} by a rule, ${found.length - primary} to protect them. For the agency only.`,
    "",
    ...textTable(
      [{ title: "table" }, { title: "cell" }, { title: "why" }],
      found.map(({ table, cell, state, because }) => [
        printable(table), printable(nameOf(cell)), state === "complementary" ? "protects others" : printable(because.map((reason) => reason.split(":")[0]!).join(", ")),
      ]),
    ),
  ];
}

function inFull({ table, cell, state, because, protects = [] }: HiddenCell): string[] {
  return [
    printable(`${table}: ${nameOf(cell)}`),
    `  ${state === "primary" ? "hidden by a rule" : "hidden to protect others"}`,
    ...because.map((reason) => printable(`  ${reason}`)),
    ...(protects.length === 0
      ? ["  Shown alone, with all others as they are, it would give no other cell away."]
      : [`  If it were shown, ${counted(protects.length, "other cell")} would be known too well:`, ...protects.map((other) => printable(`    ${other.table}: ${nameOf(other.cell)}`))]),
  ];
}

function nameOf(cell: CellAddress): string {
  const parts = Object.entries(cell).map(([column, label]) => `${column}=${label ?? "(missing)"}`);
  return parts.length === 0 ? "total" : parts.join(", ");
}
