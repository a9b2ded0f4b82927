import { InternalError, PolicyError } from "../errors/index.ts";
import { crossCheck } from "./cross-check.ts";
import { readJson } from "./json.ts";
import { problemsOf, sentenceFor, type Problem } from "./messages.ts";
import {
  lineAndColumn,
  locate,
  locateKey,
  MOST_CHARACTERS,
  pathText,
  plainOfNode,
  plainOfValue,
  unescapeKey,
  UnreadableText,
  type Node,
} from "./notation.ts";
import type { Policy } from "./policy.ts";
import { PolicySchema, type ParsedPolicy, type PolicyInput } from "./schema.ts";
import { readYaml } from "./yaml.ts";

export interface ParseOptions {
  /** How a text is written. When absent: JSON if the file name ends in .json, else YAML. */
  readonly format?: "yaml" | "json" | undefined;
  /** For messages. */
  readonly fileName?: string | undefined;
}

/** More would bury the first ones. */
const MOST_PROBLEMS_TOLD = 20;
/** Finding a place takes a search; these are looked up and told in the order of the text. */
const MOST_PROBLEMS_LOCATED = 500;

/**
 * Read and check a policy: YAML text, JSON text, or an object. The same content gives the same Policy, whatever the notation.
 *
 * @throws PolicyError policy/invalid with every problem found, each with its path and, for texts, line and column;
 *         policy/syntax, policy/duplicate-key, policy/alias, policy/tag, policy/too-long, policy/too-deep, policy/empty,
 *         policy/not-plain when the text or object cannot be read at all
 */
export function parsePolicy(input: string | PolicyInput, options: ParseOptions = {}): Policy {
  if (typeof input !== "string") return check(plainOfValue(input), (problems) => invalid(problems, options));
  const { root, text } = read(input, options);
  return check(plainOfNode(root), (problems) => invalid(problems, options, { root, text }));
}

function read(text: string, options: ParseOptions): { root: Node; text: string } {
  const where = options.fileName ?? "The policy";
  if (text.length > MOST_CHARACTERS) {
    throw new PolicyError(
      "policy/too-long",
      `${where} has ${text.length} characters; at most ${MOST_CHARACTERS} are read. Move long lists, such as hierarchies, to CSV files.`,
      { characters: text.length, limit: MOST_CHARACTERS },
    );
  }
  const format = options.format ?? (/\.json$/i.test(options.fileName ?? "") ? "json" : "yaml");
  try {
    return { root: format === "json" ? readJson(text) : readYaml(text), text };
  } catch (error) {
    if (!(error instanceof UnreadableText)) {
      // No cause: a library's message may quote the text.
      throw new InternalError("policy/reader", `${where} cannot be read, and the reader did not say why. Please report this.`);
    }
    const { at, code, message } = error.problem;
    const { line, column } = lineAndColumn(text, at);
    throw new PolicyError(`policy/${code}`, `${options.fileName ?? "policy"}:${line}:${column} ${message}`, { line, column });
  }
}

function check(plain: unknown, fail: (problems: readonly Problem[]) => never): Policy {
  const result = PolicySchema.safeParse(plain, { error: sentenceFor });
  if (!result.success) return fail(problemsOf(result.error.issues));
  const { policy, problems } = crossCheck(withRealKeys(result.data) as ParsedPolicy);
  return problems.length > 0 ? fail(problems) : policy;
}

/** Undo `escapeKey` in every map. */
function withRealKeys(value: unknown): unknown {
  if (value instanceof Map) {
    const entries = [...(value as Map<string, unknown>)].map(([key, item]) => [unescapeKey(key), withRealKeys(item)] as const);
    return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  if (Array.isArray(value)) return value.map(withRealKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withRealKeys(item)]));
}

function invalid(problems: readonly Problem[], options: ParseOptions, source?: { root: Node; text: string }): never {
  const file = options.fileName ?? "policy";
  const told = problems.slice(0, MOST_PROBLEMS_LOCATED).map((problem) => {
    const { path, key, message } = problem;
    if (source === undefined) return { at: 0, line: 0, column: 0, path: pathText(path), text: `${pathText(path)}: ${message}` };
    const at = key === undefined ? locate(source.root, path) : locateKey(source.root, path, key);
    const { line, column } = lineAndColumn(source.text, at);
    return { at, line, column, path: pathText(path), text: `${file}:${line}:${column} ${pathText(path)}: ${message}` };
  });
  told.sort((a, b) => a.at - b.at); // stable, so problems of one place stay in order

  const shown = told.slice(0, MOST_PROBLEMS_TOLD);
  const more = problems.length - shown.length;
  const head = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const lines = shown.map(({ text }) => `  ${text}`);
  if (more > 0) lines.push(`  and ${more} more.`);
  throw new PolicyError("policy/invalid", `${file} has ${head}.\n${lines.join("\n")}`, {
    problems: problems.length,
    paths: shown.map(({ path }) => path),
    ...(source !== undefined && { lines: shown.map(({ line }) => line), columns: shown.map(({ column }) => column) }),
  });
}
