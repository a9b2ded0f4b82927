import {
  CommensurateError, DisclosureError, InternalError, PolicyError, DataError, type ErrorDetail,
} from "../errors/index.ts";
import { VERSION } from "./version.ts";

/** The process's answer to the shell. A signal gives 128 and its number, as shells expect. */
export const EXIT = { ok: 0, finding: 1, error: 2, internal: 3 } as const;

/** The command line itself is wrong. */
export class UsageError extends CommensurateError {
  override readonly name = "UsageError";
}

export function exitCodeOf(error: CommensurateError): number {
  if (error instanceof DisclosureError) return EXIT.finding;
  if (error instanceof PolicyError || error instanceof DataError || error instanceof UsageError) return EXIT.error;
  return EXIT.internal;
}

/**
 * Anything thrown, as an error that may be shown. Messages of errors that are not ours may quote data, so they are not
 * passed on; nor are they kept as a cause.
 */
export function knownError(error: unknown): CommensurateError {
  if (error instanceof CommensurateError) return error;
  const kind = FOREIGN.find(([type]) => error instanceof type)?.[1] ?? "Error";
  const code = systemCodeOf(error);
  return new InternalError(
    "cli/unexpected",
    `commensurate failed in a way that was not foreseen (${code ?? kind}). Nothing was published. This is a defect: ` +
      `please report it with the command, version ${VERSION}, Node ${process.version} on ${process.platform}, and ` +
      "the places that COMMENSURATE_DEBUG=1 shows. " +
      "The error's own message is withheld, since it could quote data.",
    code === undefined ? { kind } : { kind, errno: code },
  );
}

const FOREIGN = [
  [TypeError, "TypeError"],
  [RangeError, "RangeError"],
  [SyntaxError, "SyntaxError"],
  [ReferenceError, "ReferenceError"],
] as const;

/** Codes of the operating system and of Node are from closed lists. */
function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return /^E[A-Z0-9_]{2,40}$/.test(error.code) ? error.code : undefined;
}

export interface FailureDocument {
  readonly error: {
    readonly class: string;
    readonly code: string;
    readonly message: string;
    readonly detail: ErrorDetail;
  };
}

export function failureDocument(error: CommensurateError): FailureDocument {
  return { error: { class: error.name, code: error.code, message: error.message, detail: error.detail } };
}

/** Where an error came from, without its message: lines of the stack that name places. Only shown on request. */
export function placesOf(error: unknown): string[] {
  const places: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at !== error) places.push("caused by");
    // The stack begins with the message, which may have any number of lines; places have one form.
    for (const line of (at.stack ?? "").split("\n")) {
      if (/^ {4}at (?:.* \()?(?:file:|node:|\/|[A-Za-z]:\\).*:\d+:\d+\)?$/.test(line)) places.push(line);
    }
  }
  return places;
}
