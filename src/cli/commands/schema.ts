import { policyJsonSchema } from "../../policy/json-schema.ts";
import type { CommandContext } from "../command.ts";
import { EXIT } from "../failure.ts";

/** The schema is JSON in any case. */
export async function schema({ console }: CommandContext): Promise<number> {
  const document = policyJsonSchema();
  await console.result(document, () => [JSON.stringify(document, undefined, 2)]);
  return EXIT.ok;
}
