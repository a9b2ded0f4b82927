import type { FileRecord } from "../catalog/index.ts";

/** One thing that verification looked at, with what it expected and what it found. */
export interface Check {
  /** Stable name such as "microdata/class-size". */
  readonly check: string;
  /** Requirement of the plan that this check proves, where it proves one. */
  readonly requirement?: string | undefined;
  readonly expected: string;
  readonly found: string;
  readonly pass: boolean;
}

/** What verification found in the files as they are on disk. A release is published only when every check passed. */
export interface Evidence {
  readonly format: "commensurate/evidence@1";
  readonly verdict: "pass" | "fail";
  /** SHA-256 of `internal/plan.json`. */
  readonly plan: string;
  readonly checks: readonly Check[];
  /** Every public file. */
  readonly files: readonly FileRecord[];
  /** Requirements that were knowingly weakened, with reason and name. */
  readonly overrides: readonly unknown[];
  /** Risk of the input as measured for the plan, and of the release as measured now. */
  readonly risk: { readonly before: unknown; readonly after: unknown };
}

export function check(name: string, expected: string | number, found: string | number, pass: boolean, requirement?: string): Check {
  return { check: name, ...(requirement === undefined ? {} : { requirement }), expected: String(expected), found: String(found), pass };
}
