import { writeSync } from "node:fs";
import type { Progress } from "../release/progress.ts";
import { EXIT, exitCodeOf, failureDocument, knownError, placesOf } from "./failure.ts";
import { ProgressDisplay } from "./progress-display.ts";
import { painterFor, printable, type Painter } from "./style.ts";

export interface ConsoleOptions {
  /** One JSON document on stdout instead of text. */
  readonly json: boolean;
  /** Neither progress nor notes on stderr. Results and errors stay. */
  readonly quiet: boolean;
}

/** Where a command's words go: results to stdout, progress, notes and errors to stderr. */
export class Console {
  readonly json: boolean;
  readonly quiet: boolean;
  /** For stdout. */
  readonly paint: Painter = painterFor(process.stdout);
  readonly #paintErrors: Painter = painterFor(process.stderr);
  readonly #progress: ProgressDisplay;

  constructor({ json, quiet }: ConsoleOptions) {
    this.json = json;
    this.quiet = quiet;
    this.#progress = new ProgressDisplay(quiet ? undefined : process.stderr);
  }

  readonly onProgress = (progress: Progress): void => this.#progress.show(progress);

  /** The result of a command: the document with --json, else the lines. Called once. */
  async result(document: unknown, lines: () => readonly string[]): Promise<void> {
    this.#progress.clear();
    await writeAll(this.json ? `${JSON.stringify(document, undefined, 2)}\n` : `${lines().join("\n")}\n`);
  }

  /** Something to know that is not the result. */
  note(text: string): void {
    if (this.quiet) return;
    this.#progress.clear();
    process.stderr.write(`${printable(text)}\n`);
  }

  /** Report a failure and return its exit code. */
  async failure(thrown: unknown): Promise<number> {
    this.#progress.clear();
    const error = knownError(thrown);
    if (this.json) await writeAll(`${JSON.stringify(failureDocument(error), undefined, 2)}\n`);
    else {
      const title = this.#paintErrors("red", `${error.name} [${error.code}]`);
      process.stderr.write(`${title} ${printable(error.message)}\n`);
    }
    if (debugging()) for (const place of placesOf(thrown)) process.stderr.write(`${printable(place)}\n`);
    return exitCodeOf(error);
  }

  /** Take the progress bar off the screen. */
  clear(): void {
    this.#progress.clear();
  }
}

function debugging(): boolean {
  const { COMMENSURATE_DEBUG } = process.env;
  return COMMENSURATE_DEBUG !== undefined && COMMENSURATE_DEBUG !== "" && COMMENSURATE_DEBUG !== "0";
}

/** Settles once the text has left for the pipe, terminal or file, or once nobody reads it any more. */
function writeAll(text: string): Promise<void> {
  return new Promise((resolve) => void process.stdout.write(text, () => resolve()));
}

/** A reader that goes away, as `head` does, is no error; a full disk behind `>` is. */
export function watchStreams(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") return;
    trySay(
      "DataError [output/write-failed] The result could not be written to the standard output " +
        `(${error.code ?? "unknown"}). Check the disk.\n`,
    );
    process.exit(EXIT.error);
  });
  process.stderr.on("error", () => undefined);
}

/** Failures outside of any command, such as in a callback: reported like others, and the end. */
export function watchProcess(): void {
  const end = (thrown: unknown): void => {
    const error = knownError(thrown);
    trySay(`${error.name} [${error.code}] ${printable(error.message)}\n`);
    if (debugging()) trySay(`${placesOf(thrown).map(printable).join("\n")}\n`);
    process.exit(exitCodeOf(error));
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
  process.removeAllListeners("warning"); // they may be raised by libraries about what they read
}

function trySay(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nobody listens.
  }
}
