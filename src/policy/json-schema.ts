import * as z from "zod";
import { PolicySchema } from "./schema.ts";

/** The policy format as JSON Schema (draft 2020-12), for editors. Rules between fields are checked by parsePolicy only. */
export function policyJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(PolicySchema, { io: "input", target: "draft-2020-12" });
  return { $schema, $id: "urn:commensurate:policy:1", title: "commensurate policy", ...schema };
}
