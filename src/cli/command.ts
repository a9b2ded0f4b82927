import type { Console } from "./console.ts";

/** What every command gets besides its own arguments. */
export interface CommandContext {
  readonly console: Console;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}
