import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { policyJsonSchema } from "../../src/policy/index.ts";
import { baseline } from "../../src/profiles/index.ts";

const ROOT = new URL("../../", import.meta.url);
const committed = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");

test("schema/policy.schema.json is what the schema gives; npm run docs writes it", () => {
  expect(committed("schema/policy.schema.json")).toBe(`${JSON.stringify(policyJsonSchema(), null, 2)}\n`);
});

test("docs/policy-reference.md is what the schema and the baseline give; npm run docs writes it", async () => {
  const path = new URL("scripts/policy-reference.mjs", ROOT).href;
  const { policyReference } = (await import(path)) as { policyReference(schema: unknown, profile: unknown): string };
  expect(committed("docs/policy-reference.md")).toBe(policyReference(policyJsonSchema(), baseline));
});

test("every field of the policy is described", () => {
  const bare: string[] = [];
  const walk = (schema: Record<string, unknown>, path: string): void => {
    for (const [name, field] of Object.entries((schema["properties"] ?? {}) as Record<string, Record<string, unknown>>)) {
      if (typeof field["description"] !== "string") bare.push(`${path}.${name}`);
    }
    for (const [key, value] of Object.entries(schema)) {
      if (typeof value !== "object" || value === null) continue;
      for (const [step, inner] of Object.entries(value)) {
        if (typeof inner === "object" && inner !== null) walk(inner as Record<string, unknown>, `${path}.${key}.${step}`);
      }
      walk(value as Record<string, unknown>, `${path}.${key}`);
    }
  };
  walk(policyJsonSchema(), "");
  expect(bare).toEqual([]);
});

test("editors are told what the parser refuses: no object of the schema takes unknown fields", () => {
  const open: string[] = [];
  const walk = (schema: unknown, path: string): void => {
    if (typeof schema !== "object" || schema === null) return;
    const object = schema as Record<string, unknown>;
    if (object["properties"] !== undefined && object["additionalProperties"] !== false && typeof object["type"] === "string") open.push(path);
    for (const [key, value] of Object.entries(object)) walk(value, `${path}.${key}`);
  };
  walk(policyJsonSchema(), "");
  expect(open).toEqual([]);
});
