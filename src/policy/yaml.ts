import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, Parser, type CST, type ErrorCode } from "yaml";
import { MOST_DEPTH, unreadable, type Entry, type Node } from "./notation.ts";

/** Parsing costs up to 8 microseconds a token, so this keeps the worst text below a second. A policy has a few thousand. */
export const MOST_TOKENS = 60_000;

/** The escapes of YAML 1.2 in double quotes. */
const ESCAPE = /\\(?:["\\/0abefnrtvNLP_ \t\r\n]|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8})/y;

/** Tags that only say how plain text is read; every other tag asks for something a policy does not have. */
const PLAIN_TAGS = new Set(["str", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`));

/**
 * Read YAML 1.2 into a tree with positions. Refuses what makes YAML dangerous or ambiguous: aliases, merge keys, custom
 * tags, duplicate keys, several documents, version directives, deep nesting and very long texts.
 * @throws UnreadableText
 */
export function readYaml(text: string): Node {
  refuseTooManyTokens(text);
  const tokens = [...new Parser().parse(text)];
  for (const token of tokens) checkToken(token);

  // Duplicate keys are found below: the library compares each key with all before it.
  const composer = new Composer({ version: "1.2", schema: "core", merge: false, uniqueKeys: false, strict: true });
  const [document, second] = withoutStackTraces(() => [...composer.compose(tokens, true, text.length)]);
  if (document === undefined) return unreadable(0, "empty", "The policy is empty.");
  if (second !== undefined) unreadable(second.range[0], ...sentence("MULTIPLE_DOCS"));
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) unreadable(problem.pos[0], ...sentence(problem.code));
  const yaml = document.directives?.yaml;
  if (yaml?.explicit === true && yaml.version !== "1.2") {
    unreadable(0, "yaml-version", "A policy is YAML 1.2. Take the %YAML line away.");
  }
  if (document.contents === null) unreadable(0, "empty", "The policy is empty.");
  return convert(document.contents, 0);
}

function refuseTooManyTokens(text: string): void {
  let tokens = 0;
  let at = 0;
  for (const token of new Lexer().lex(text)) {
    at += token.length;
    if (++tokens <= MOST_TOKENS) continue;
    unreadable(
      Math.min(at, text.length),
      "too-long",
      "The policy is too long to be read as YAML. Move long lists, such as hierarchies, to CSV files.",
    );
  }
}

/** A broken text may have an error for every other character; their stack traces would cost seconds and nobody reads them. */
function withoutStackTraces<Value>(work: () => Value): Value {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/**
 * Refuse deep nesting before it is composed. The composer calls itself for every level, so deep texts must not reach it: near the end of the stack V8 may abort the whole
 * process (seen on Node 20, where a regular expression is compiled there), which no handler can catch.
 */
function checkToken(root: CST.Token): void {
  const open: { token: CST.Token; depth: number }[] = [{ token: root, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > MOST_DEPTH + 1) unreadable(token.offset, ...sentence("RESOURCE_EXHAUSTION"));
    if (token.type === "double-quoted-scalar") {
      // Said here, since the composer makes an error of every single one.
      const wrong = wrongEscape(token.source);
      if (wrong >= 0) unreadable(token.offset + wrong, ...sentence("BAD_DQ_ESCAPE"));
    }
    if (token.type === "document" && token.value !== undefined) open.push({ token: token.value, depth });
    if (!("items" in token)) continue;
    for (const item of token.items) {
      if (item.key != null) open.push({ token: item.key, depth: depth + 1 });
      if (item.value !== undefined) open.push({ token: item.value, depth: depth + 1 });
    }
  }
}

/** Offset of the first backslash that begins no known escape, or -1. */
function wrongEscape(source: string): number {
  for (let at = source.indexOf("\\"); at >= 0; at = source.indexOf("\\", ESCAPE.lastIndex)) {
    ESCAPE.lastIndex = at;
    if (!ESCAPE.test(source)) return at;
  }
  return -1;
}

function convert(node: unknown, depth: number): Node {
  const at = startOf(node);
  if (depth > MOST_DEPTH) unreadable(at, "too-deep", `The policy is nested more than ${MOST_DEPTH} levels deep.`);
  if (isAlias(node)) unreadable(at, "alias", "Aliases (*name) are refused in a policy. Write the part out.");
  const tag = (node as { tag?: string }).tag;
  if (tag !== undefined && !PLAIN_TAGS.has(tag)) unreadable(at, "tag", "This tag (!name) is refused in a policy. Take it away.");

  if (isSeq(node)) return { kind: "list", at, items: node.items.map((item) => convert(item, depth + 1)) };
  if (isMap(node)) {
    const entries: Entry[] = [];
    const seen = new Set<string>();
    for (const pair of node.items) {
      const keyAt = startOf(pair.key);
      const key = keyText(pair.key, keyAt);
      if (seen.has(key)) unreadable(keyAt, "duplicate-key", "This key occurs twice in the same place. Keep one of the two.");
      seen.add(key);
      const value = pair.value;
      entries.push({ key, keyAt, value: value === null ? { kind: "scalar", at: keyAt, value: null } : convert(value, depth + 1) });
    }
    return { kind: "map", at, entries };
  }
  if (!isScalar(node)) return unreadable(at, "syntax", "This part cannot be read.");
  const value = node.value;
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return { kind: "scalar", at, value };
  }
  return unreadable(at, "syntax", "This value is neither text, number, true, false nor empty.");
}

/** A key as it is written: 2020 and 01234 are names here, not numbers. */
function keyText(key: unknown, at: number): string {
  if (isAlias(key)) return unreadable(at, "alias", "Aliases (*name) are refused in a policy. Write the part out.");
  if (isScalar(key)) {
    if (key.tag !== undefined && !PLAIN_TAGS.has(key.tag)) unreadable(at, "tag", "This tag (!name) is refused in a policy. Take it away.");
    if (typeof key.value === "string") return key.value;
    if ((typeof key.value === "number" || typeof key.value === "boolean") && key.source !== undefined) return key.source;
  }
  return unreadable(at, "key", "A key must be text. Put it in quotes.");
}

function startOf(node: unknown): number {
  return (node as { range?: readonly number[] | null } | null)?.range?.[0] ?? 0;
}

/** Our own words for the library's errors, whose messages may quote the text. */
function sentence(code: ErrorCode): [code: string, message: string] {
  switch (code) {
    case "RESOURCE_EXHAUSTION":
      return ["too-deep", `The policy is nested more than ${MOST_DEPTH} levels deep.`];
    case "MULTIPLE_DOCS":
      return ["syntax", "A policy is one YAML document; a second one begins here (---)."];
    case "TAB_AS_INDENT":
      return ["syntax", "Indent with spaces; YAML does not allow tabs here."];
    case "BAD_INDENT":
    case "BLOCK_IN_FLOW":
      return ["syntax", "The indentation does not fit the lines before. Entries of one list or group begin in the same column."];
    case "BAD_DQ_ESCAPE":
      return ["syntax", "Unknown escape after a backslash in double quotes. Use single quotes, or write the backslash twice."];
    case "BAD_SCALAR_START":
      return ["syntax", "A value cannot begin with this character. Put it in quotes."];
    case "BLOCK_AS_IMPLICIT_KEY":
    case "MULTILINE_IMPLICIT_KEY":
    case "KEY_OVER_1024_CHARS":
      return ["syntax", "This cannot be a key. Check colons and indentation, and put text that holds a colon in quotes."];
    case "MISSING_CHAR":
      return ["syntax", "A character is missing here: a closing quote, bracket or brace, a comma, a colon, or a space after one."];
    case "TAG_RESOLVE_FAILED":
    case "MULTIPLE_TAGS":
      return ["tag", "This tag (!name) is refused in a policy. Take it away."];
    case "BAD_ALIAS":
    case "ALIAS_PROPS":
    case "MULTIPLE_ANCHORS":
      return ["alias", "Aliases (*name) are refused in a policy. Write the part out."];
    case "BAD_DIRECTIVE":
      return ["syntax", "This directive (%) is refused in a policy. Take the line away."];
    default:
      return ["syntax", "This is not valid YAML. Check quotes, colons and indentation around here."];
  }
}
