import type { Evidence } from "../../release/index.ts";
import { verify as verifyRelease } from "../../verbs.ts";
import type { CommandContext } from "../command.ts";
import { describeChecks } from "../describe-evidence.ts";
import { EXIT } from "../failure.ts";
import { count } from "../numbers.ts";
import { printable, type Painter } from "../style.ts";

export async function verify(folder: string, { console, signal }: CommandContext): Promise<number> {
  const evidence = await verifyRelease(folder, { signal, onProgress: console.onProgress });
  await console.result(evidence, () => [
    console.paint("bold", printable(`Release in ${folder}`)),
    "",
    ...describeChecks(evidence.checks, console.paint),
    "",
    verdict(evidence, console.paint),
  ]);
  return evidence.verdict === "pass" ? EXIT.ok : EXIT.finding;
}

function verdict({ checks, verdict: found }: Evidence, paint: Painter): string {
  const failed = checks.filter(({ pass }) => !pass).length;
  return found === "pass"
    ? `${paint("green", "PASS")}  All ${count(checks.length)} checks passed.`
    : `${paint("red", "FAIL")}  ${count(failed)} of ${count(checks.length)} checks failed. Do not publish this folder.`;
}
