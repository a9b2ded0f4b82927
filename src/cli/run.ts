import { CommanderError } from "commander";
import type { CommandContext } from "./command.ts";
import { Console, watchProcess, watchStreams } from "./console.ts";
import { EXIT, UsageError } from "./failure.ts";
import { Interrupt } from "./interrupt.ts";
import { buildProgram, type Work } from "./program.ts";

/** A command that only reads may be left alone when it does not stop by itself. */
const PATIENCE_MS = 1000;

/** Run a command line and return the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  watchProcess();
  watchStreams();
  let work: { readonly start: Work; readonly leavesNothing: boolean } | undefined;
  const said: string[] = [];
  const program = buildProgram({
    start: (start, leavesNothing) => void (work = { start, leavesNothing }),
    onUsageError: (text) => void said.push(text),
  });
  try {
    program.parse([...args], { from: "user" });
  } catch (error) {
    const options = { json: beforeDashes(args).includes("--json"), quiet: false };
    if (!(error instanceof CommanderError)) return new Console(options).failure(error);
    if (error.exitCode === 0) return EXIT.ok; // --help, --version
    if (error.code === "commander.help" && !options.json) {
      process.stderr.write(said.join(""));
      return EXIT.error;
    }
    return new Console(options).failure(usageError(error, said));
  }
  const { json = false, quiet = false } = program.opts<{ json?: boolean; quiet?: boolean }>();
  const output = new Console({ json, quiet });
  return work === undefined ? EXIT.ok : runInterruptibly(work.start, work.leavesNothing, output);
}

async function runInterruptibly(start: Work, leavesNothing: boolean, output: Console): Promise<number> {
  const interrupt = new Interrupt(() => {
    output.clear();
    if (process.stderr.isTTY) output.note("Stopping. Once more to stop at once.");
    // Reading leaves nothing behind that would have to be taken down.
    if (leavesNothing) setTimeout(() => interrupt.end(), PATIENCE_MS).unref();
  });
  const context: CommandContext = { console: output, signal: interrupt.signal };
  try {
    return await start(context);
  } catch (error) {
    if (interrupt.exitCode === undefined) return await output.failure(error);
    output.clear();
    return interrupt.exitCode;
  } finally {
    interrupt.stop();
  }
}

function usageError(error: CommanderError, said: readonly string[]): UsageError {
  const text = (said.length > 0 ? said.join("") : error.message).replace(/^error: /, "").trim();
  const [first = "", ...more] = text.split("\n");
  const sentence = first.charAt(0).toUpperCase() + first.slice(1).replace(/[^.?!)]$/, "$&.");
  const hint = more.filter((line) => line.trim() !== "").map((line) => line.replace(/^\((.*)\)$/, "$1"));
  const code = error.code.replace(/^commander\./, "").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return new UsageError(`usage/${code}`, [sentence, ...hint, "See commensurate --help."].join(" "));
}

function beforeDashes(args: readonly string[]): readonly string[] {
  const dashes = args.indexOf("--");
  return dashes < 0 ? args : args.slice(0, dashes);
}
