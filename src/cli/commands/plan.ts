import { loadPolicy } from "../../node/load-policy.ts";
import { plan as makePlan } from "../../verbs.ts";
import type { CommandContext } from "../command.ts";
import { keyOf } from "../key-option.ts";
import { describePlan } from "../describe-plan.ts";
import { EXIT } from "../failure.ts";
import { printable } from "../style.ts";
import { refuseToReplace, writeFileAtomically } from "../../node/write-file.ts";

export interface PlanOptions {
  readonly output?: string;
  readonly source?: string;
  readonly keyFile?: string;
  readonly rehearsalSeed?: string;
  readonly force?: boolean;
}

export async function plan(path: string, options: PlanOptions, { console, signal }: CommandContext): Promise<number> {
  const { policy, folder } = await loadPolicy(path);
  const { output } = options;
  // Before the work, so that nobody waits for a refusal.
  if (output !== undefined && options.force !== true) await refuseToReplace(output, "a plan", isPlan);
  const made = await makePlan(
    policy,
    { folder, source: options.source, key: await keyOf(options.keyFile), rehearsalSeed: options.rehearsalSeed, signal, onProgress: console.onProgress },
  );
  if (output !== undefined) {
    signal.throwIfAborted();
    await writeFileAtomically(output, `${JSON.stringify(made, undefined, 2)}\n`);
  }
  await console.result(made, () => [
    ...describePlan(made, console.paint, "full"),
    "",
    output === undefined
      ? "Nothing was written. Save the plan with -o plan.json, or go on with: commensurate release"
      : printable(`Plan saved as ${output}. Carry it out with: commensurate apply ${output} --out FOLDER`),
  ]);
  return EXIT.ok;
}

function isPlan(text: string): boolean {
  return /^\s*\{\s*"format": "commensurate\/plan@1"/.test(text);
}
