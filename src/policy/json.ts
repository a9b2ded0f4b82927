import { MOST_DEPTH, unreadable, type Entry, type Node } from "./notation.ts";

const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const WORD = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;

/**
 * Read JSON (RFC 8259) into a tree with positions. Unlike JSON.parse it refuses duplicate keys, and its messages never
 * hold a piece of the text. Linear in the text's length.
 * @throws UnreadableText
 */
export function readJson(text: string): Node {
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  const root = value(0);
  skipSpace();
  if (at < text.length) fail("Text follows after the end of the policy");
  return root;

  function value(depth: number): Node {
    skipSpace();
    if (depth > MOST_DEPTH) unreadable(at, "too-deep", `The policy is nested more than ${MOST_DEPTH} levels deep.`);
    switch (text[at]) {
      case "{":
        return map(depth);
      case "[":
        return list(depth);
      case '"':
        return { kind: "scalar", at, value: string() };
      default:
        return word();
    }
  }

  function map(depth: number): Node {
    const start = at++;
    const entries: Entry[] = [];
    const seen = new Set<string>();
    skipSpace();
    if (text[at] === "}") {
      at++;
      return { kind: "map", at: start, entries };
    }
    for (;;) {
      skipSpace();
      const keyAt = at;
      if (text[at] !== '"') fail("Expected a key in double quotes");
      const key = string();
      if (seen.has(key)) unreadable(keyAt, "duplicate-key", "This key occurs twice in the same object. Keep one of the two.");
      seen.add(key);
      skipSpace();
      if (text[at] !== ":") fail("Expected a colon after the key");
      at++;
      entries.push({ key, keyAt, value: value(depth + 1) });
      skipSpace();
      if (text[at] === "}") {
        at++;
        return { kind: "map", at: start, entries };
      }
      if (text[at] !== ",") fail("Expected a comma or a closing brace");
      at++;
    }
  }

  function list(depth: number): Node {
    const start = at++;
    const items: Node[] = [];
    skipSpace();
    if (text[at] === "]") {
      at++;
      return { kind: "list", at: start, items };
    }
    for (;;) {
      items.push(value(depth + 1));
      skipSpace();
      if (text[at] === "]") {
        at++;
        return { kind: "list", at: start, items };
      }
      if (text[at] !== ",") fail("Expected a comma or a closing bracket");
      at++;
    }
  }

  function string(): string {
    const start = at++;
    for (; at < text.length; at++) {
      const c = text.charCodeAt(at);
      if (c === 0x22) break;
      if (c < 0x20) fail("A line break or control character must be escaped inside quotes");
      if (c !== 0x5c) continue;
      ESCAPE.lastIndex = at;
      if (!ESCAPE.test(text)) fail("Unknown escape after a backslash");
      at = ESCAPE.lastIndex - 1;
    }
    if (at >= text.length) {
      at = start;
      fail("The quotes that open here are not closed");
    }
    at++;
    return JSON.parse(text.slice(start, at)) as string; // checked above, so it cannot throw
  }

  function word(): Node {
    WORD.lastIndex = at;
    const match = WORD.exec(text);
    if (match === null) fail("Expected a value: text in double quotes, a number, true, false, null, an object or a list");
    const start = at;
    at = WORD.lastIndex;
    return { kind: "scalar", at: start, value: JSON.parse(match[0]) as number | boolean | null };
  }

  function skipSpace(): void {
    for (; at < text.length; at++) {
      const c = text.charCodeAt(at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
    }
  }

  function fail(what: string): never {
    return unreadable(at, "syntax", `${what}. This is not valid JSON.`);
  }
}
