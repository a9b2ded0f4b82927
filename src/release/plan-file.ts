import { DataError } from "../errors/index.ts";
import type { Plan } from "./plan-value.ts";

/**
 * Read a saved plan. Everything in it that decides is derived again from its policy, so only its shape is checked here.
 * @throws DataError `plan/unreadable`
 */
export function readPlan(text: string): Plan {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unreadable("it is not JSON");
  }
  if (!isObject(value) || value["format"] !== "commensurate/plan@1") throw unreadable('it does not say format "commensurate/plan@1"');
  const input = value["input"];
  const decision = value["decision"];
  const assessment = value["assessment"];
  const sound =
    typeof value["policyHash"] === "string" && isObject(value["policy"]) &&
    isObject(input) && typeof input["fingerprint"] === "string" && Array.isArray(input["columns"]) &&
    input["columns"].every((name) => typeof name === "string") &&
    isObject(decision) && typeof decision["method"] === "string" &&
    isObject(assessment) && isObject(assessment["measured"]) && Array.isArray(value["requirements"]) &&
    Number.isSafeInteger(input["records"]) && (value["rehearsal"] === undefined || (isObject(value["rehearsal"]) && typeof value["rehearsal"]["seed"] === "string"));
  if (!sound) throw unreadable("parts of it are missing");
  return value as unknown as Plan;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unreadable(why: string): DataError {
  return new DataError("plan/unreadable", `This is not a plan: ${why}. Write one with the plan command, and do not edit it.`);
}
