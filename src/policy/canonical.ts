import { InternalError } from "../errors/index.ts";
import type { Policy } from "./policy.ts";

/**
 * The policy as JSON text in one form only: keys sorted by code units, no spaces. Equal policies have equal texts, and
 * parsePolicy reads the text back to the same policy.
 */
export function canonicalPolicy(policy: Policy): string {
  return canonicalJson(policy);
}

/**
 * "sha256:<hex>" of the canonical text, for plans and evidence.
 * @param sha256 lower-case hexadecimal SHA-256 of some bytes
 */
export function policyHash(policy: Policy, sha256: (bytes: Uint8Array) => string): string {
  return `sha256:${sha256(new TextEncoder().encode(canonicalPolicy(policy)))}`;
}

function canonicalJson(value: unknown): string {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object") throw new InternalError("policy/canonical", "A policy holds a value that JSON cannot state.");
  const entries = value instanceof Map ? [...(value as Map<string, unknown>)] : Object.entries(value);
  const fields = entries
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`);
  return `{${fields.join(",")}}`;
}
