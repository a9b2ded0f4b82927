import { Command, InvalidArgumentError, Option } from "commander";
import type { CommandContext } from "./command.ts";
import type { AuditCommandOptions } from "./commands/audit.ts";
import type { LedgerAddOptions } from "./commands/ledger.ts";
import { VERSION } from "./version.ts";

/** What a command does; returns the exit code. Its module is loaded when it starts. */
export type Work = (context: CommandContext) => Promise<number>;

export interface ProgramEvents {
  /** @param leavesNothing whether the process may be ended at any moment */
  start(work: Work, leavesNothing: boolean): void;
  onUsageError(text: string): void;
}

const EXIT_CODES = `
Exit codes:
  0  done; check: every class is large enough; verify: every check passed; audit: nothing falls
  1  finding: check, verify or audit found something, or the release is not safe and was not published
  2  the command line, the policy or the data must be fixed
  3  a defect of commensurate
  130, 143  stopped by Ctrl-C or a signal; nothing is left behind

A first release:
  commensurate init people.csv          propose policy.yaml, then read and edit it
  commensurate plan policy.yaml         see what would be done, and why
  commensurate release policy.yaml --out people-release`;

/** The command line's grammar; nothing heavy is loaded for it. */
export function buildProgram(events: ProgramEvents): Command {
  const program = new Command("commensurate")
    .description("Turn data about people into open data, protected in proportion to its risk, and prove it.")
    .version(VERSION, "-V, --version", "print the version")
    .option("--json", "print one JSON document instead of text, errors too")
    .option("-q, --quiet", "print neither progress nor notes")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .addHelpText("after", EXIT_CODES)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();

  const add = (signature: string, summary: string, more: string): Command =>
    program
      .command(signature)
      .summary(summary)
      .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.${more === "" ? "" : `\n\n${more}`}`)
      .helpOption("-h, --help", "show this help")
      .configureHelp({ showGlobalOptions: true });
  const delimiter = (): Option =>
    new Option(
      "-d, --delimiter <character>", 'CSV: the character between fields, or "tab"; found from the header when absent',
    ).argParser(parseDelimiter);

  add(
    "init <data>",
    "propose a policy for a data file",
    "Reads the data and writes a commented YAML policy: roles, types and hierarchies, each with its reason.\n" +
      "Check every guess before you use it.",
  )
    .option("-o, --output <file>", 'the policy to write; "-" for the standard output', "policy.yaml")
    .addOption(delimiter())
    .option("-f, --force", "replace the policy if it is there already")
    .action((data: string, options: { output: string; delimiter?: string; force?: boolean }) =>
      events.start(async (context) => (await import("./commands/init.ts")).init(data, options, context), true));

  add(
    "check <data>",
    "measure how far records can be singled out",
    "Counts equivalence classes over the key columns: what somebody who knows these columns could find.",
  )
    .option("--keys <columns>", "key columns, separated by commas; every column when absent", parseNames)
    .addOption(new Option("-k, --k <records>", "smallest class that counts as safe").argParser(parseK).default(5))
    .addOption(delimiter())
    .action((data: string, options: { keys?: readonly string[]; k: number; delimiter?: string }) =>
      events.start(async (context) => (await import("./commands/check.ts")).check(data, options, context), true));

  add(
    "plan <policy>",
    "decide how to protect the data, and write nothing else",
    "Shows the risk, what it requires and why, the decision, and what else was possible.",
  )
    .option("-o, --output <file>", "save the plan as JSON")
    .option("-s, --source <file>", "the data, instead of the policy's source")
    .option("--key-file <file>", "the agency's secret key, for methods whose noise repeats")
    .option("--rehearsal-seed <seed>", "draw noise from a seed; such a plan is marked and cannot be published")
    .option("-f, --force", "replace the output file even if it is not a plan")
    .action((policy: string, options: { output?: string; source?: string; keyFile?: string; rehearsalSeed?: string; force?: boolean }) =>
      events.start(async (context) => (await import("./commands/plan.ts")).plan(policy, options, context), true));

  add(
    "apply <plan>",
    "carry out a saved plan, without publishing",
    "Writes the files of the release into a folder for review. Nothing is verified; see verify.",
  )
    .requiredOption("--out <folder>", "where the staged release appears, whole or not at all")
    .option("-s, --source <file>", "the data, instead of the policy's source")
    .option("--key-file <file>", "the agency's secret key, for methods whose noise repeats")
    .action((plan: string, options: { out: string; source?: string; keyFile?: string }) =>
      events.start(async (context) => (await import("./commands/apply.ts")).apply(plan, options, context), false));

  add(
    "verify <folder>",
    "read a release back and check that it keeps its promises",
    "Recounts and attacks the files as they are on disk, with no help from the code that wrote them.",
  )
    .action(
      (folder: string) => events.start(
        async (context) => (await import("./commands/verify.ts")).verify(folder, context), true,
      )
    );

  add("release <policy>", "plan, apply, verify and publish", "Nothing appears unless every check passes.")
    .requiredOption("--out <folder>", "where the release appears, whole or not at all")
    .option("-s, --source <file>", "the data, instead of the policy's source")
    .option("--key-file <file>", "the agency's secret key, for methods whose noise repeats")
    .option("--ledger <file>", "a release ledger: attack the release together with what is out, and add it once it is published")
    .action((policy: string, options: { out: string; source?: string; keyFile?: string; ledger?: string }) =>
      events.start(
        async (context) => (await import("./commands/release.ts")).release(policy, options, context), false,
      ));

  add(
    "explain <policy>",
    "say why cells of tables are hidden",
    "Lists the hidden cells with the rules that name them; for one cell, also which others would fall with it.\n" +
      "This tells what the published annotation does not: it is for the agency only.",
  )
    .option("-s, --source <file>", "the data, instead of the policy's source")
    .option("--key-file <file>", "the agency's secret key, for methods whose noise repeats")
    .option("--table <name>", "only cells of this table")
    .option("--cell <address>", "one cell, such as county=Alpine,sex=F; dimensions left out are summed over")
    .action((policy: string, options: { source?: string; keyFile?: string; table?: string; cell?: string }) =>
      events.start(async (context) => (await import("./commands/explain.ts")).explain(policy, options, context), true));

  add(
    "audit <tables...>",
    "attack published tables, whoever made them",
    "Adds up everything that is printed, in all files together, and says which hidden numbers can be computed, and how.\n" +
      "Files of one call are linked: columns of the same name are the same dimension. The data are only read.",
  )
    .option("-t, --threshold <count>", "counts from 1 to one less are small; else what marks such as <11 say, or 11", parseAtLeastTwo)
    .option("--interval <values>", "values that must remain possible for a hidden count; else half of the small ones", parseAtLeastTwo)
    .addOption(new Option("--zeros <rule>", "whether zeros are shown; else what the release says, or publish").choices(["publish", "protect"]))
    .option("--count <columns>", "columns of numbers, separated by commas; found when absent", parseNames)
    .option("--dimensions <columns>", "columns of categories, separated by commas; found when absent", parseNames)
    .option("--across <name>", "the tables are crosstabs; name of the dimension that their columns are")
    .option("--total <label>", "a category that is the sum of the others; may be repeated; found when absent", collect)
    .option("--hidden <marks>", "further marks of hidden numbers, separated by commas", parseMarks)
    .option("--primary <marks>", "marks of counts hidden for being small", parseMarks)
    .option("--complementary <marks>", "marks of counts hidden to protect others", parseMarks)
    .addOption(new Option("--codes <meaning>", "whether marks tell the two apart; else by the marks that are used").choices(["merged", "separate"]))
    .addOption(new Option("--missing-rows <meaning>", "what combinations of categories are that have no row; both are tried when absent").choices(["empty", "unknown"]))
    .addOption(new Option("--insiders <kind>", "attack also as people who are counted in a blank cell, or alone in it").choices(["members", "alone"]))
    .option("--hide-marked", "take printed numbers for hidden where a column marks them as suppressed")
    .option("--structure <file>", "YAML or JSON: hierarchies, groups, percentages and what else files do not show")
    .option("--earlier <files...>", "earlier releases about the same people, attacked together with the new one")
    .option("--ledger <file>", "a release ledger; what is out about the same dataset is attacked together with the new release")
    .option("--dataset <name>", "the dataset in the ledger; else the name in the folder's data package")
    .option("-a, --all", "list every cell")
    .addOption(delimiter())
    .action((tables: string[], options: AuditCommandOptions) =>
      events.start(async (context) => (await import("./commands/audit.ts")).audit(tables, options, context), true));

  const ledger = add("ledger", "keep a list of what was published, for audits of later releases", "");
  ledger.command("add <folder>")
    .description("Write a published release into the ledger: its tables, their hashes, and how they add up.")
    .option("-l, --ledger <file>", "the ledger, a file of JSON lines", "releases.jsonl")
    .option("--dataset <name>", "what the release is about; else the name in its data package")
    .option("--release <name>", "name of the release; else the folder's")
    .option("--release-version <version>", "version; else what the data package says")
    .option("--date <day>", "day of publication, YYYY-MM-DD; else what the data package says, or today", parseDay)
    .option("--structure <file>", "structure file of the tables, as for audit")
    .action((folder: string, options: LedgerAddOptions) =>
      events.start(async (context) => (await import("./commands/ledger.ts")).ledgerAdd(folder, options, context), false));
  ledger.command("list")
    .description("List the releases of the ledger, and whether their files are still as published.")
    .option("-l, --ledger <file>", "the ledger", "releases.jsonl")
    .option("--dataset <name>", "only this dataset")
    .action((options: { ledger: string; dataset?: string }) =>
      events.start(async (context) => (await import("./commands/ledger.ts")).ledgerList(options, context), true));

  add("schema", "print the JSON Schema of policies, for editors", "")
    .action(() => events.start(async (context) => (await import("./commands/schema.ts")).schema(context), true));

  for (const command of [program, ...program.commands, ...ledger.commands]) {
    command.exitOverride().configureOutput(
      { writeErr: (text) => events.onUsageError(text), outputError: (text) => events.onUsageError(text) }
    );
  }
  return program;
}

function parseNames(text: string, before: readonly string[] | undefined): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.includes("")) {
    throw new InvalidArgumentError("Write column names separated by commas, such as age,sex,zip.");
  }
  return [...new Set([...(before ?? []), ...names])];
}

function parseMarks(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), ...text.split(",").map((mark) => mark.trim())];
}

function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

function parseAtLeastTwo(text: string): number {
  const n = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(n) || n < 2) {
    throw new InvalidArgumentError("Expected a whole number of at least 2.");
  }
  return n;
}

function parseDay(text: string): string {
  const day = new Date(`${text}T00:00:00Z`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== text) {
    throw new InvalidArgumentError("Expected a day such as 2026-01-31.");
  }
  return text;
}

function parseK(text: string): number {
  const k = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(k) || k < 1) {
    throw new InvalidArgumentError("k is a number of records, at least 1.");
  }
  return k;
}

function parseDelimiter(text: string): string {
  const delimiter = text === "tab" || text === "\\t" ? "\t" : text;
  if (![",", ";", "\t", "|"].includes(delimiter)) {
    throw new InvalidArgumentError('The delimiter is one of "," ";" "|" or tab.');
  }
  return delimiter;
}
