/**
 * What YAML and JSON have in common: a tree whose nodes know where they stand in the text. The readers build it, the
 * schema sees it as plain objects, and messages look positions up in it.
 */
import { PolicyError } from "../errors/index.ts";

/** Nothing a person writes comes near these; what exceeds them is broken or hostile. */
export const MOST_CHARACTERS = 1_048_576;
export const MOST_DEPTH = 32;

export type Scalar = string | number | boolean | null;

/** `at` is the offset of the node's first character. */
export type Node =
  | { readonly kind: "scalar"; readonly at: number; readonly value: Scalar }
  | { readonly kind: "list"; readonly at: number; readonly items: readonly Node[] }
  | { readonly kind: "map"; readonly at: number; readonly entries: readonly Entry[] };

export interface Entry {
  readonly key: string;
  readonly keyAt: number;
  readonly value: Node;
}

/** A policy text that cannot be read, and where. */
export interface TextProblem {
  readonly at: number;
  /** Last part of the error code: "syntax", "duplicate-key", "alias", ... */
  readonly code: string;
  readonly message: string;
}

/** Thrown by the readers; parsePolicy adds file, line and column. */
export class UnreadableText extends Error {
  constructor(readonly problem: TextProblem) {
    super(problem.message);
  }
}

export function unreadable(at: number, code: string, message: string): never {
  throw new UnreadableText({ at, code, message });
}

export type Path = readonly (string | number)[];

/**
 * The validator leaves keys named `__proto__` out, so they travel under another name. Longer forms shift likewise, so that
 * no two keys meet.
 */
export function escapeKey(key: string): string {
  return /^~*__proto__$/.test(key) ? `~${key}` : key;
}

export function unescapeKey(key: string): string {
  return /^~+__proto__$/.test(key) ? key.slice(1) : key;
}

/** The tree as plain values with escaped keys. */
export function plainOfNode(node: Node): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(plainOfNode);
  return Object.fromEntries(node.entries.map((entry) => [escapeKey(entry.key), plainOfNode(entry.value)]));
}

/**
 * A copy of a value from code, with escaped keys and nothing but plain objects, lists, text, numbers, booleans and null.
 * Entries that are undefined are left out, as JSON does.
 * @throws PolicyError policy/not-plain, policy/too-deep (cycles end there)
 */
export function plainOfValue(value: unknown, path: Path = []): unknown {
  if (path.length > MOST_DEPTH) {
    throw new PolicyError("policy/too-deep", `The policy is nested more than ${MOST_DEPTH} levels deep. Check it for a cycle.`);
  }
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return Array.from(value, (item, i) => plainOfValue(item, [...path, i]));
  const prototype: unknown = typeof value === "object" ? Object.getPrototypeOf(value) : undefined;
  if (prototype === null || prototype === Object.prototype) {
    const entries: [string, unknown][] = [];
    for (const [key, item] of Object.entries(value as object)) {
      if (item !== undefined) entries.push([escapeKey(key), plainOfValue(item, [...path, key])]);
    }
    return Object.fromEntries(entries);
  }
  throw new PolicyError(
    "policy/not-plain",
    `${pathText(path)} holds neither text, number, boolean, list nor plain object. A policy is data only; write dates as text.`,
    { path: pathText(path) },
  );
}

/** Offset of what a path points at; of the closest thing around it when that is not there. */
export function locate(root: Node, path: Path): number {
  let node = root;
  let at = root.at;
  for (const step of path) {
    if (node.kind === "map") {
      const entry = node.entries.find((candidate) => candidate.key === step);
      if (entry === undefined) break;
      at = entry.keyAt;
      node = entry.value;
    } else if (node.kind === "list") {
      const item = typeof step === "number" ? node.items[step] : undefined;
      if (item === undefined) break;
      at = item.at;
      node = item;
    } else break;
  }
  return at;
}

/** Offset of a key inside the map that a path points at. */
export function locateKey(root: Node, path: Path, key: string): number {
  return locate(root, [...path, key]);
}

/** Where an offset is, both counted from 1; a CR LF pair is one line end. */
export function lineAndColumn(text: string, at: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let i = 0; i < at && i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 10 || (c === 13 && text.charCodeAt(i + 1) !== 10)) {
      line++;
      start = i + 1;
    }
  }
  return { line, column: Math.min(at, text.length) - start + 1 };
}

/** A path as people write it: release.protect[0].k, columns["zip code"].role. */
export function pathText(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${quoted(step)}]`;
  }
  return text === "" ? "The policy" : text;
}

/** A name from the policy in quotes, short and printable. */
export function quoted(name: string): string {
  const short = name.length > 60 ? `${name.slice(0, 57)}...` : name;
  return JSON.stringify(short).replace(/[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, (c) => {
    return `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
