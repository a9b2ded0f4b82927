/** Structure files of `audit`: YAML or JSON in, a checked structure out, every problem with its line. */
import { PolicyError } from "./errors/index.ts";
import { readJson } from "./policy/json.ts";
import { problemsOf, sentenceFor } from "./policy/messages.ts";
import { lineAndColumn, locate, locateKey, MOST_CHARACTERS, pathText, plainOfNode, plainOfValue, UnreadableText, type Node } from "./policy/notation.ts";
import { readYaml } from "./policy/yaml.ts";
import type { TableStructure } from "./tables/published-files/index.ts";
import { StructureSchema } from "./tables/published-files/schema.ts";

/** More would bury the first ones. */
const MOST_TOLD = 20;

/**
 * Read and check what a person says about published tables.
 * @throws PolicyError `structure/unreadable`, `structure/invalid`, with lines and columns for a text
 */
export function parseStructure(input: string | object, fileName = "structure"): TableStructure {
  if (typeof input !== "string") return check(plainOfValue(input), fileName);
  if (input.length > MOST_CHARACTERS) {
    throw new PolicyError("structure/too-long", `${fileName} has ${input.length} characters; at most ${MOST_CHARACTERS} are read.`, { characters: input.length, limit: MOST_CHARACTERS });
  }
  let root: Node;
  try {
    root = /\.json$/i.test(fileName) ? readJson(input) : readYaml(input);
  } catch (error) {
    if (!(error instanceof UnreadableText)) throw new PolicyError("structure/unreadable", `${fileName} is neither YAML nor JSON that can be read.`);
    const { line, column } = lineAndColumn(input, error.problem.at);
    throw new PolicyError("structure/unreadable", `${fileName}:${line}:${column} ${error.problem.message.replaceAll("policy", "structure")}`, { line, column });
  }
  return check(plainOfNode(root), fileName, { root, text: input });
}

function check(plain: unknown, fileName: string, source?: { readonly root: Node; readonly text: string }): TableStructure {
  const result = StructureSchema.safeParse(plain, { error: sentenceFor });
  if (result.success) return result.data;
  const problems = problemsOf(result.error.issues);
  const told = problems.slice(0, MOST_TOLD).map(({ path, key, message }) => {
    const place = path.length === 0 ? "The structure" : pathText(path);
    if (source === undefined) return `  ${place}: ${message}`;
    const { line, column } = lineAndColumn(source.text, key === undefined ? locate(source.root, path) : locateKey(source.root, path, key));
    return `  ${fileName}:${line}:${column} ${place}: ${message}`;
  });
  if (problems.length > MOST_TOLD) told.push(`  and ${problems.length - MOST_TOLD} more.`);
  throw new PolicyError(
    "structure/invalid", `${fileName} has ${problems.length === 1 ? "1 problem" : `${problems.length} problems`}.\n${told.join("\n")}`, { problems: problems.length },
  );
}
