import type { Check } from "../release/index.ts";
import { printable, type Painter } from "./style.ts";
import { textTable } from "./text-table.ts";

/** A line for each check: what it expected and what it found. */
export function describeChecks(checks: readonly Check[], paint: Painter): string[] {
  const lines = textTable(
    [{ title: "" }, { title: "check" }, { title: "expected" }, { title: "found" }],
    checks.map(({ check, expected, found, pass }) => [pass ? "ok" : "FAIL", check, expected, found].map(printable)),
  );
  return lines.map((line, i) => (i === 0 ? paint("dim", line) : checks[i - 1]!.pass ? line : paint("red", line)));
}
