/** Sentences for what the schema refuses: found, expected, next step. They name keys and choices, never a found text. */
import type * as z from "zod";
import { closestName } from "../errors/index.ts";
import { quoted, unescapeKey, type Path } from "./notation.ts";

/** Something a policy must change. */
export interface Problem {
  readonly path: Path;
  readonly message: string;
  /** The key that is at fault, when it is a key of the object at `path`. */
  readonly key?: string;
}

/** Of one object; more would bury the first ones. */
const MOST_UNKNOWN_KEYS = 20;

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

/** For zod's `error` option; used wherever a schema states no sentence of its own. */
export function sentenceFor(issue: RawIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return wrongType(issue.expected, issue.input);
    case "invalid_value":
      return wrongChoice(issue.values as readonly unknown[], issue.input);
    case "invalid_union":
      return issue.options === undefined
        ? "This has none of the forms that are possible here."
        : wrongChoice(issue.options as readonly unknown[], discriminatorOf(issue));
    case "unrecognized_keys":
      // Split into one problem per key by `problemsOf`; the candidates travel in the message.
      return JSON.stringify(Object.keys(shapeOf(issue.inst)));
    case "too_small":
      return tooSmall(issue.origin, Number(issue.minimum), issue.inclusive !== false, issue.input);
    case "too_big":
      return tooBig(issue.origin, Number(issue.maximum), issue.inclusive !== false, issue.input);
    default:
      return "This value is not possible here. See the policy reference.";
  }
}

function wrongType(expected: string, input: unknown): string {
  const wanted = EXPECTED[expected] ?? expected;
  if (input === undefined) return `is missing; expected ${wanted}.`;
  if (expected === "string" && (typeof input === "number" || typeof input === "boolean")) {
    return `expected text, found ${found(input)}. Put it in quotes, so that codes such as 01234 stay as they are.`;
  }
  if (expected === "int" && typeof input === "number") return `expected a whole number, found ${input}.`;
  return `expected ${wanted}, found ${found(input)}.`;
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object with named fields",
  record: "an object with named entries",
};

function found(input: unknown): string {
  if (input === undefined) return "nothing";
  if (input === null) return "an empty value";
  if (Array.isArray(input)) return "a list";
  switch (typeof input) {
    case "string":
      return "text";
    case "number":
      return Number.isFinite(input) ? "a number" : "a number that is infinite or undefined";
    case "boolean":
      return "true or false";
    default:
      return "an object";
  }
}

function wrongChoice(choices: readonly unknown[], input: unknown): string {
  const list = choices.map((choice) => (typeof choice === "string" ? choice : JSON.stringify(choice))).join(", ");
  const expected = choices.length === 1 ? list : `one of ${list}`;
  if (input === undefined) return `is missing; expected ${expected}.`;
  if (typeof input !== "string") return `expected ${expected}, found ${found(input)}.`;
  const close = closestName(input.slice(0, 100), choices.filter((choice): choice is string => typeof choice === "string"));
  return `expected ${expected}, found a different text.${close === undefined ? "" : ` Did you mean ${close}?`}`;
}

function discriminatorOf(issue: RawIssue): unknown {
  const { input, discriminator } = issue as { input?: unknown; discriminator?: string };
  return typeof input === "object" && input !== null && discriminator !== undefined
    ? (input as Record<string, unknown>)[discriminator]
    : undefined;
}

function tooSmall(origin: string, minimum: number, inclusive: boolean, input: unknown): string {
  if (origin === "string") return minimum === 1 ? "must not be empty." : `must have at least ${minimum} characters.`;
  if (origin === "array") return `needs at least ${minimum} ${minimum === 1 ? "entry" : "entries"}.`;
  return `must be ${inclusive ? "at least" : "greater than"} ${minimum}${numberFound(input)}.`;
}

function tooBig(origin: string, maximum: number, inclusive: boolean, input: unknown): string {
  if (origin === "string") return `must have at most ${maximum} characters.`;
  if (origin === "array") return `may have at most ${maximum} ${maximum === 1 ? "entry" : "entries"}.`;
  return `must be ${inclusive ? "at most" : "less than"} ${maximum}${numberFound(input)}.`;
}

function numberFound(input: unknown): string {
  return typeof input === "number" ? `; found ${input}` : "";
}

function shapeOf(schema: unknown): Readonly<Record<string, unknown>> {
  return (schema as { _zod?: { def?: { shape?: Record<string, unknown> } } } | undefined)?._zod?.def?.shape ?? {};
}

/** The schema's issues as problems, one per unknown key, unions resolved to the form that was meant. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], base: Path = []): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const path = [...base, ...issue.path.map((step) => (typeof step === "number" ? step : unescapeKey(String(step))))];
    if (issue.code === "unrecognized_keys") {
      const known = JSON.parse(issue.message) as string[];
      const told = issue.keys.slice(0, MOST_UNKNOWN_KEYS).map((escaped) => unknownKey(path, unescapeKey(escaped), known));
      const more = issue.keys.length - told.length;
      return more > 0 ? [...told, { path, message: `has ${more} more unknown keys.` }] : told;
    }
    if (issue.code === "invalid_union" && issue.errors.length > 0) {
      // Forms of another type were not meant; if one is left, its problems are the ones to tell.
      const meant = issue.errors.filter((errors) => !errors.some((error) => error.path.length === 0 && isTypeIssue(error)));
      if (meant.length === 1) return problemsOf(meant[0]!, path);
    }
    return [{ path, message: issue.message }];
  });
}

function isTypeIssue(issue: z.core.$ZodIssue): boolean {
  return issue.code === "invalid_type" || issue.code === "invalid_value";
}

function unknownKey(path: Path, key: string, known: readonly string[]): Problem {
  const close = closestName(key.slice(0, 100), known);
  const next = close === undefined ? `Known here: ${known.join(", ")}.` : `Did you mean ${close}?`;
  return { path, key, message: `unknown key ${quoted(key)}. ${next}` };
}
