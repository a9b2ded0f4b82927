import { parsePolicy, REQUIREMENTS, type Policy } from "../policy/index.ts";
import type { Plan, Requirement } from "../release/index.ts";
import { levelNames } from "../release/columns.ts";
import { describePerturbation } from "./describe-perturbation.ts";
import { count, counted, measure, percent } from "./numbers.ts";
import { printable, type Painter } from "./style.ts";
import { textTable } from "./text-table.ts";

/** A plan for people: the risk, what it requires and why, the decision and, in full, what else was possible. */
export function describePlan(plan: Plan, paint: Painter, detail: "full" | "brief"): string[] {
  const policy = parsePolicy(plan.policy);
  const lines = [
    ...describeRisk(plan, paint, detail),
    "",
    paint("bold", "Required"),
    ...plan.requirements.flatMap((requirement) => describeRequirement(requirement, paint, detail)),
    "",
    ...describeDecision(plan, policy, paint, detail),
  ];
  if (plan.rehearsal !== undefined) {
    lines.push("", `${paint("yellow", "REHEARSAL")}  The noise comes from a seed, so this plan cannot be published.`);
  }
  return lines;
}

function describeRisk({ assessment, input }: Plan, paint: Painter, detail: "full" | "brief"): string[] {
  const { measured, tier, declared, reasons } = assessment;
  const records = counted(input.records, "record");
  const title = `${paint("bold", "Risk")}  ${paint("bold", tier)} (classified as ${declared}); ${records}`;
  if (detail === "brief") return [title];
  return [
    title,
    ...textTable(
      [{ title: "" }, { title: "" }],
      [
        ["quasi-identifiers", count(measured.quasiIdentifiers)],
        ["smallest class", counted(measured.smallestClass, "record")],
        ["uniques", percent(measured.shareOfUniques)],
        ["sensitive columns", count(measured.sensitiveColumns)],
      ],
    ),
    ...reasons.flatMap(({ rule, inputs, tier: asked, reasoning }) => [
      `  ${asked} by ${rule}: ${inputs.map(readable).join(", ")}`,
      ...wrapped(reasoning, "    ").map((line) => paint("dim", line)),
    ]),
  ];
}

function describeRequirement(requirement: Requirement, paint: Painter, detail: "full" | "brief"): string[] {
  const { stronger, unit, meaning } = REQUIREMENTS[requirement.requirement];
  const bound = (value: number): string => `${stronger === "smaller" ? "at most" : "at least"} ${value} ${unit}`.trim();
  const name = requirement.requirement;
  const title = stronger === "required" ? name : `${name}: ${bound(requirement.value)}`;
  const { overridden, required, value } = requirement;
  const told = [`  ${title}`];
  if (overridden !== undefined) {
    const { wouldBe, approvedBy, reason } = overridden;
    const who = printable(`approved by ${approvedBy}: ${reason}`);
    told.push(`    ${paint("yellow", "OVERRIDDEN")} from ${bound(wouldBe)}; ${who}`);
  } else if (required !== value) {
    told.push(`    The policy asks for more than the rules, which require ${bound(required)}.`);
  }
  if (detail === "brief") return told;
  told.push(
    ...wrapped(meaning, "    "),
    ...wrapped(`because of ${requirement.rules.join(", ")}: ${requirement.inputs.map(readable).join(", ")}`, "    "),
    ...wrapped(requirement.reasoning, "    ").map((line) => paint("dim", line)),
  );
  return told;
}

function describeDecision(plan: Plan, policy: Policy, paint: Painter, detail: "full" | "brief"): string[] {
  switch (plan.decision.method) {
    case "k-anonymity":
      return describeGeneralization(plan, policy, paint, detail);
    case "small-cells":
    case "cell-suppression":
      return describeSuppression(plan, policy, paint);
    case "noisy-counts":
      return describeNoise(plan, paint);
    default:
      return describePerturbation(policy, paint);
  }
}

interface Generalization {
  readonly k: number;
  readonly levels: Readonly<Record<string, number>>;
  readonly maxSuppressedShare: number;
  readonly metric: string;
  readonly loss: number;
  readonly suppressedRecords: number;
  readonly classes: number;
  readonly alternatives: readonly {
    readonly levels: Readonly<Record<string, number>>;
    readonly loss: number;
    readonly suppressedRecords: number;
  }[];
}

function describeGeneralization(plan: Plan, policy: Policy, paint: Painter, detail: "full" | "brief"): string[] {
  const {
    k, levels, maxSuppressedShare, metric, loss, suppressedRecords, classes, alternatives,
  } = plan.decision as unknown as Generalization;
  const { records } = plan.input;
  const share = (n: number): string => percent(records === 0 ? 0 : n / records);
  const names = Object.keys(levels);
  const lines = [
    `${paint("bold", "Decision")}  k-anonymity with k = ${k}`,
    ...textTable(
      [{ title: "column" }, { title: "level", align: "right" }, { title: "" }],
      names.map((name) => {
        const known = levelNames(policy, name);
        return [printable(name), `${levels[name]!} of ${known.length - 1}`, printable(known[levels[name]!] ?? "")];
      }),
    ),
    "",
    ...textTable(
      [{ title: "" }, { title: "" }],
      [
        [`loss (${metric})`, measure(loss)],
        [
          "records withheld",
          `${count(suppressedRecords)} of ${count(records)} (${share(suppressedRecords)}; ` +
            `at most ${percent(maxSuppressedShare)} allowed)`,
        ],
        ["equivalence classes", count(classes)],
      ],
    ),
  ];
  if (detail === "brief" || alternatives.length === 0) return lines;
  const title = `${paint("bold", "Next best")}  level of each column, loss and records withheld`;
  lines.push(
    "",
    title,
    ...textTable(
      [
        ...names.map((name) => ({ title: printable(name), align: "right" as const })),
        { title: "loss", align: "right" },
        { title: "withheld", align: "right" },
      ],
      alternatives.map(
        (other) => [
          ...names.map((name) => String(other.levels[name])),
          measure(other.loss),
          `${count(other.suppressedRecords)} (${share(other.suppressedRecords)})`,
        ]
      ),
    ),
  );
  return lines;
}

interface Suppression {
  readonly method: string;
  readonly rule: {
    readonly threshold: number;
    readonly zeros: string;
    readonly interval: number;
    readonly codes: string;
  };
  readonly mergedBecause?: string;
  readonly warnings?: readonly string[];
  readonly cells: { readonly published: number; readonly primary: number; readonly complementary: number };
}

function describeSuppression(plan: Plan, { release }: Policy, paint: Painter): string[] {
  const { method, rule, cells, mergedBecause, warnings = [] } = plan.decision as unknown as Suppression;
  const all = cells.published + cells.primary + cells.complementary;
  const share = (n: number): string => `${count(n)} (${percent(all === 0 ? 0 : n / all)})`;
  const [asked] = release.kind === "tables" ? release.protect : [];
  const tables = release.kind === "tables" ? release.tables : [];
  const bare = tables.filter(({ sumRows }) => !sumRows).map(({ name }) => name);
  const withoutSumRows = bare.length > 0;
  const where = bare.length === tables.length ? "the files" : printable(bare.join(", "));
  return [
    `${paint("bold", "Decision")}  ${method}: counts below ${rule.threshold} are hidden`,
    ...textTable(
      [{ title: "" }, { title: "" }],
      [
        [withoutSumRows ? "cells, totals included" : "cells in all tables", count(all)],
        [withoutSumRows ? "shown, or known as totals" : "published", share(cells.published)],
        [method === "small-cells" ? "hidden for being small" : "hidden by a rule", share(cells.primary)],
        ["hidden to protect those", share(cells.complementary)],
        ...(asked?.method === "cell-suppression" ? [["rules", [...new Set(asked.rules.map((own) => own.rule))].join(", ")]] : []),
        ...(withoutSumRows ? [["sum rows", `not in ${where}; totals count as known from elsewhere`]] : []),
        ["zeros", rule.zeros === "publish" ? "published" : "treated as small"],
        ["values left possible", `at least ${rule.interval} for every hidden small count`],
        [
          "annotation",
          rule.codes === "merged" ? "one code for all hidden counts" : "small counts and others told apart",
        ],
        ...(mergedBecause === undefined ? [] : [["", printable(mergedBecause)]]),
      ],
    ),
    ...warnings.flatMap((text) => ["", `${paint("yellow", "WARNING")}  ${printable(text)}`]),
  ];
}

interface Noise {
  readonly mechanism: string;
  readonly measure: string;
  readonly budget: string;
  readonly spent: string;
  readonly equivalent?: { readonly delta: string; readonly epsilon: string };
  readonly privacyUnit: string;
  readonly maxRecordsPerContributor: number;
  readonly statement: string;
  readonly tables: readonly {
    readonly name: string;
    readonly spent: string;
    readonly figures: { readonly standardDeviation: number };
    readonly blocks: readonly { readonly cells: number }[];
  }[];
}

function describeNoise(plan: Plan, paint: Painter): string[] {
  const noise = plan.decision as unknown as Noise;
  return [
    `${paint("bold", "Decision")}  noisy-counts: ${printable(noise.mechanism)}`,
    ...textTable(
      [{ title: "" }, { title: "" }],
      [
        ["budget", `${noise.spent} ${noise.measure} of ${noise.budget}`],
        ...(
          noise.equivalent === undefined ? [] : [
            ["equivalent", `epsilon ${noise.equivalent.epsilon} at delta ${noise.equivalent.delta}`],
          ]
        ),
        [
          "protected",
          noise.privacyUnit === "record"
            ? "each record"
            : `each contributor, with at most ${counted(noise.maxRecordsPerContributor, "record")}`,
        ],
      ],
    ),
    "",
    ...textTable(
      [
        { title: "table" },
        { title: noise.measure, align: "right" },
        { title: "counts", align: "right" },
        { title: "standard deviation", align: "right" },
      ],
      noise.tables.map(({ name, spent, figures, blocks }) => [
        printable(name), spent, count(
          blocks.reduce((sum, { cells }) => sum + cells, 0)
        ), measure(figures.standardDeviation),
      ]),
    ),
    "",
    ...wrapped(noise.statement, "  "),
  ];
}

/** "shareOfUniques 0.31284 (0.2 or more)" with the number cut to four digits. */
function readable(input: string): string {
  return printable(input.replace(/\d+\.\d{5,}/g, (digits) => measure(Number(digits))));
}

const LINE_CHARACTERS = 100;

function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of printable(text).split(" ")) {
    if (line.length > indent.length && line.length + 1 + word.length > LINE_CHARACTERS) {
      lines.push(line);
      line = indent;
    }
    line += line.length === indent.length ? word : ` ${word}`;
  }
  return line.length > indent.length ? [...lines, line] : lines;
}
