import { loadPolicy } from "../../node/load-policy.ts";
import { release as releasePolicy } from "../../verbs.ts";
import type { CommandContext } from "../command.ts";
import { keyOf } from "../key-option.ts";
import { describeChecks } from "../describe-evidence.ts";
import { describePlan } from "../describe-plan.ts";
import { EXIT } from "../failure.ts";
import { count } from "../numbers.ts";
import { printable } from "../style.ts";

export interface ReleaseOptions {
  readonly out: string;
  readonly source?: string;
  readonly keyFile?: string;
  readonly ledger?: string;
}

export async function release(
  path: string, options: ReleaseOptions, { console, signal }: CommandContext,
): Promise<number> {
  const { policy, folder } = await loadPolicy(path);
  const { plan, evidence, directory } = await releasePolicy(
    policy, { folder, out: options.out, source: options.source, ledger: options.ledger, key: await keyOf(options.keyFile), signal, onProgress: console.onProgress },
  );
  await console.result({ directory, plan, evidence }, () => [
    ...describePlan(plan, console.paint, "brief"),
    "",
    console.paint("bold", "Checks of the written files"),
    ...describeChecks(evidence.checks, console.paint),
    "",
    `${console.paint("green", "RELEASED")}  All ${count(evidence.checks.length)} checks passed.`,
    printable(`  ${directory}/public    to publish`),
    printable(`  ${directory}/internal  to keep: plan and evidence`),
    ...(options.ledger === undefined ? [] : [printable(`Safe together with what ${options.ledger} says is out, and added to it.`)]),
  ]);
  return EXIT.ok;
}
