import { yamlText } from "./choose-hierarchy.ts";
import { K_HIGH, K_MODERATE, MANY_UNIQUES, SMALL_COUNT, type Proposal, type ProposedColumn } from "./proposal.ts";

export interface WriteOptions {
  /** Short name of the dataset, from the name of its file. */
  readonly name: string;
  /** Path of the data from the policy's folder; without it the policy names no source. */
  readonly path?: string | undefined;
  readonly delimiter?: string | undefined;
}

/** The proposal as YAML with a comment for each guess. */
export function policyText(proposal: Proposal, options: WriteOptions): string {
  const { columns } = proposal;
  const decisions = columns.reduce((sum, column) => sum + column.decisions.length, 1);
  const hierarchies = columns.filter(
    ({ hierarchy, role, drop }) => hierarchy !== undefined && role === "quasi-identifier" && !drop
  );
  return [
    ...head(proposal, decisions),
    "commensurate: 1",
    "",
    "dataset:",
    `  name: ${yamlText(options.name)}`,
    '  # title: "..."',
    '  # description: "..."',
    '  # publisher: "..."',
    '  # contact: { name: "...", email: "..." }',
    "  # license: other-pd",
    "",
    "# DECIDE: the harm that a disclosure would do: low, moderate or high. unknown counts as moderate.",
    "classification: unknown",
    "",
    ...sourceLines(options),
    "columns:",
    ...columns.flatMap((column) => columnLines(column, proposal)),
    "",
    ...(
      hierarchies.length === 0 ? [] : [
        "# How values may be made coarser, level by level; level 0 is the value itself.",
        "hierarchies:",
        ...hierarchies.flatMap(hierarchyLines),
        "",
      ]
    ),
    ...releaseLines(proposal),
    "",
  ].join("\n");
}

function head({ data, columns }: Proposal, decisions: number): string[] {
  const { sampled, records, isWhole } = data;
  const some = records === undefined ? "records only" : `of ${records} records, and all of them where values repeat`;
  const read = isWhole ? `all ${sampled} records` : `the first ${sampled} ${some}`;
  return [
    `# Proposed by commensurate from ${columns.length} columns and ${read}.`,
    "#",
    "# Every role is a guess from the name of the column and the shape of its values. Read them all: a column that",
    "# names people and was not recognised would be released. Roles:",
    "#   direct-identifier  names a person; never released",
    "#   quasi-identifier   somebody may know it about a person; made coarser where few records share it",
    "#   sensitive          must not be learnt about a person; released as it is",
    "#   measure            an amount; released as it is",
    "#   contributor        id of the person whose record it is; never released",
    "#",
    `# ${decisions === 1 ? "One thing is" : `${decisions} things are`} for you to decide; look for DECIDE.`,
    "",
  ];
}

function sourceLines({ path, delimiter }: WriteOptions): string[] {
  if (path === undefined) return [
    "# The data lie outside of this folder, so no source is named; give it with --source.",
    "# source: { path: ... }",
    "",
  ];
  const isKnown = /\.(?:csv|tsv|tab|txt|arrow|arrows|feather|ipc|parquet|pq)(?:\.gz)?$/i.test(path);
  const settings = [`path: ${yamlText(path)}`];
  if (!isKnown) settings.push("format: csv");
  if (delimiter !== undefined) settings.push(`delimiter: ${yamlText(delimiter)}`);
  return [
    `source: { ${settings.join(", ")} }`,
    "",
  ];
}

function columnLines(column: ProposedColumn, { release }: Proposal): string[] {
  const { facts, role, type, drop, because, decisions, remarks, hierarchy } = column;
  const notes = [because];
  if (facts.present > 0) notes.push(countsOf(facts));
  notes.push(...remarks);
  const settings = [`role: ${role}`];
  if (role !== "direct-identifier" && role !== "contributor") {
    if (type !== "string") settings.push(`type: ${type}`);
    const words = facts.nullWords.filter((word) => word !== "");
    if (words.length > 0) settings.push(`nulls: [${["", ...words].map(yamlText).join(", ")}]`);
    const isNumber = role === "measure" || role === "weight" || role === "frequency";
    if (facts.untrimmed > 0 && !isNumber) settings.push("normalise: [trim]");
    if (hierarchy !== undefined && !drop) settings.push(`hierarchy: ${yamlKey(facts.name)}`);
    if (drop) settings.push("drop: true");
  }
  if (role === "direct-identifier") notes.push("not released");
  if (release.kind === "tables" && role === "quasi-identifier" && !drop && !release.dimensions.includes(facts.name)) {
    notes.push("not in the proposed table");
  }
  return [
    ...comment(notes.join("; "), "  "),
    ...decisions.flatMap((decision) => comment(`DECIDE: ${decision}`, "  ")),
    `  ${yamlKey(facts.name)}: { ${settings.join(", ")} }`,
  ];
}

function countsOf({ distinct, missing, isWhole }: ProposedColumn["facts"]): string {
  return `${distinct} distinct${isWhole ? "" : " in the sample"}${missing === 0 ? "" : `, ${missing} missing`}`;
}

function hierarchyLines({ facts, hierarchy }: ProposedColumn): string[] {
  const { yaml, comment } = hierarchy!;
  const key = `  ${yamlKey(facts.name)}:`;
  if (typeof yaml === "string") return [`${key} ${yaml} # ${comment}`];
  return [`${key} # ${comment}`, ...yaml.map((line) => `    ${line}`)];
}

function releaseLines({ release, columns }: Proposal): string[] {
  if (release.kind === "tables") {
    const { dimensions } = release;
    return [
      "release:",
      "  kind: tables",
      "  formats: [csv]",
      "  tables:",
      "    # All totals are published as well; margins: none leaves them out.",
      `    - { name: counts, dimensions: [${dimensions.map(yamlText).join(", ")}] }`,
      "  protect:",
      `    # Counts from 1 to ${SMALL_COUNT - 1} are hidden, and others with them, so that none can be computed back.`,
      `    - { method: small-cells, threshold: ${SMALL_COUNT} }`,
    ];
  }
  const { k, shareOfUniques } = release;
  const why =
    shareOfUniques === undefined
      ? `${K_HIGH}, which is enough in any case; ${K_MODERATE} may do, and plan tells`
      : k === K_HIGH
        ? `${K_HIGH}, since a share of ${shareOfUniques.toFixed(2)} of the records is alone in its combination ` +
          `(${MANY_UNIQUES} or more)`
        : `${K_MODERATE}, for data of moderate or unknown classification`;
  const sensitive = columns.some(({ role, drop }) => role === "sensitive" && !drop);
  return [
    "release:",
    "  kind: microdata",
    "  formats: [csv]",
    "  protect:",
    ...comment(`Every record shares its quasi-identifiers with at least k - 1 others. k is ${why}.`, "    "),
    ...(sensitive ? ["    # This does not hide a sensitive value that all records of a group share."] : []),
    "    # maxSuppressedShare: share of the records that may be left out, so that the others can stay finer.",
    `    - { method: k-anonymity, k: ${k}, maxSuppressedShare: 0.05 }`,
  ];
}

const LINE_CHARACTERS = 118;

/** Lines of a comment, broken between words. */
function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > LINE_CHARACTERS && line.length > indent.length + 1) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** A name as a key; bare where that is safe to read for people and parsers. */
function yamlKey(name: string): string {
  const isWord = /^[A-Za-z][A-Za-z0-9_-]*$/.test(name) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(name);
  return isWord ? name : yamlText(name);
}
