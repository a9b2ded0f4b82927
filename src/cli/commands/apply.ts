import { basename } from "node:path";
import { PolicyError } from "../../errors/index.ts";
import { apply as applyPlan } from "../../verbs.ts";
import type { CommandContext } from "../command.ts";
import { keyOf } from "../key-option.ts";
import { EXIT } from "../failure.ts";
import { readText } from "../read-text.ts";
import { printable } from "../style.ts";

export interface ApplyOptions {
  readonly out: string;
  readonly source?: string;
  readonly keyFile?: string;
}

export async function apply(plan: string, options: ApplyOptions, { console, signal }: CommandContext): Promise<number> {
  const text = await readText(plan);
  if (!/^\s*\{/.test(text)) {
    throw new PolicyError(
      "plan/not-a-plan", `"${basename(plan)}" is not a plan. Make one with: commensurate plan POLICY -o plan.json`,
    );
  }
  const { directory } = await applyPlan(
    text, { out: options.out, source: options.source, key: await keyOf(options.keyFile), signal, onProgress: console.onProgress },
  );
  await console.result({ directory, published: false }, () => [
    printable(`Staged at ${directory}`),
    "This is not verified and not fit to publish yet. " +
      "Next: commensurate verify on this folder, or commensurate release.",
  ]);
  return EXIT.ok;
}
