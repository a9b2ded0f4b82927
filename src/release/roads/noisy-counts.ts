import { boundContributions } from "../../cells/index.ts";
import {
  declareColumn, planNoisyCounts, protectNoisyCounts, verifyNoisyCounts,
  type DeclaredColumn, type NoisyCountsPlan, type NoisyTable, type ReadBackBlock,
} from "../../dp/noisy-counts/index.ts";
import type { NoisyCounts } from "../../dp/noisy-counts/schema.ts";
import { PolicyError } from "../../errors/index.ts";
import type { Policy } from "../../policy/index.ts";
import { columnPolicy, dataFormats, hierarchyFor, recodingOf } from "../columns.ts";
import { check, type Check } from "../evidence.ts";
import type { Decision } from "../plan-value.ts";
import { measuredRisk } from "./measured.ts";
import { noiseBits } from "./noise-bits.ts";
import { effectiveValue } from "../require.ts";
import { decisionRefused, type Road, type RoadContext } from "../road.ts";
import { checkReadable, COUNT, describeTable, identifiersCheck, readTable, TOTAL, writeTable, type Place, type ReadBackRow, type TableLayout } from "./table-layout.ts";

/** The plan of the noise itself, which depends on no record. */
type NoisyDecision = Decision & NoisyCountsPlan;

/** Tables of counts over declared groups with noise that hides each contributor. */
export const noisyCountsRoad: Road = {
  method: "noisy-counts",

  survey(policy, columns) {
    const keys = columns.read.filter(({ use }) => use === "dimension" || use === "contributor");
    return { keys: keys.map(({ name }) => ({ name, recoding: recodingOf(policy, name) })), measures: [] };
  },

  measure(policy, survey) {
    const contributor = survey.keys.findIndex(({ name }) => columnPolicy(policy, name).role === "contributor");
    const sensitive = survey.keys.filter(({ name }) => columnPolicy(policy, name).role === "sensitive").length;
    return measuredRisk(survey.cells, survey.keys.length - (contributor < 0 ? 0 : 1), sensitive);
  },

  async plan(context): Promise<NoisyDecision> {
    return decide(context);
  },

  checkDecision(context, decision) {
    const { rehearsal, ...rest } = decision as NoisyDecision;
    // The plan depends on no record, so it must come out again; only whether it was a rehearsal is another matter.
    const { rehearsal: _, ...expected } = decide(context);
    if (typeof rehearsal !== "boolean" || JSON.stringify(rest) !== JSON.stringify(expected)) throw decisionRefused("is not what policy and requirements lead to");
  },

  async apply(context, input) {
    const { policy } = context;
    const plan = input.decision as NoisyDecision;
    const bits = await noiseBits(context);
    const { survey } = input;
    const contributor = survey.keys.findIndex(({ name }) => columnPolicy(policy, name).role === "contributor");
    const cells = contributor < 0 ? survey.cells : boundContributions(survey.cells, contributor, plan.maxRecordsPerContributor, bits);
    const dictionaries = survey.keys.filter((_, key) => key !== contributor).map(({ dictionary }) => dictionary);
    const counts = { cells, dictionaries, maxRecordsPerContributor: contributor < 0 ? 1 : plan.maxRecordsPerContributor };
    const protectedCounts = protectNoisyCounts(counts, plan, bits);
    for (const table of protectedCounts.tables) {
      const layout = layoutsOf(plan, policy).find(({ name }) => name === table.name)!;
      await writeTable(input.output, policy.release.formats, layout, rowsOf(layout, table));
    }
  },

  describe(policy, decision) {
    const plan = decision as NoisyDecision;
    const isContributor = plan.privacyUnit === "contributor";
    const one = plan.maxRecordsPerContributor === 1;
    const accuracy = plan.tables.map(
      ({ name, figures }) => `${name}: standard deviation ${figures.standardDeviation}, at most ${figures.within95} either way for 95 % of counts`,
    );
    return {
      tables: layoutsOf(plan, policy).map((layout) =>
        describeTable(policy, layout, { neverBlank: true })),
      methods: [
        plan.statement,
        `The noise is drawn from the ${plan.mechanism === "discrete-gaussian" ? "discrete Gaussian" : "discrete Laplace"} distribution over whole numbers, ` +
          `with secure random bits. Noise on the finest counts of ${accuracy.join("; ")}. Totals are sums of noisy counts, so their noise is larger.`,
        isContributor
          ? `At most ${plan.maxRecordsPerContributor} ${one ? "record" : "records"} of each contributor ${one ? "was" : "were"} counted, picked at random; counts are too small by the others.`
          : "What is protected is one record, not a person: whoever has several records is protected less.",
        `Categories were declared beforehand, not read from the data; records in none of them ${plan.otherwise === "other" ? "are counted as other" : "were left out"}.`,
        plan.nonNegative
          ? "Counts that came out negative were raised to 0. Sums of small counts are too large on average, and totals need not equal the sum of their counts."
          : "Counts may be negative; keep them so when adding up, or sums become too large.",
        `The promise is about ${isContributor ? "the records of one contributor" : "one record"}. It does not hide facts about groups, and every further release about the same people adds to the budget spent.`,
      ],
    };
  },

  async verify(context, { decision }, reader) {
    const { policy, requirements } = context;
    const plan = decision as NoisyDecision;
    const checks: Check[] = [];
    const name = plan.measure === "rho" ? "maximum-rho" : "maximum-epsilon";
    const allowed = effectiveValue(requirements, name);
    const replanned = JSON.stringify(decide({ ...context, rehearsalSeed: undefined })) === JSON.stringify(plan);
    checks.push(check("budget", `at most ${allowed} ${plan.measure}`, `${plan.spent} ${plan.measure}`, replanned, name));
    let first: string | undefined;
    for (const format of dataFormats(policy)) {
      const blocks: ReadBackBlock[] = [];
      for (const layout of layoutsOf(plan, policy)) {
        const rows = await readTable(reader, layout, format);
        if (format === dataFormats(policy)[0]) checks.push(...(await checkReadable(reader, policy, layout, rows)));
        blocks.push(...blocksOf(layout, rows));
      }
      const alike = JSON.stringify(blocks) === (first ??= JSON.stringify(blocks));
      const verdict = verifyNoisyCounts({ blocks, statement: plan.statement }, plan);
      checks.push(
        check(`${format}/alike`, "the same rows in every format", alike ? "the same" : "different", alike),
        check(
          `${format}/counts`, "every declared combination once, whole numbers, totals that add up",
          verdict.passed ? "as planned" : verdict.findings.map((finding) => finding.message).join(" "), verdict.passed,
        ),
      );
    }
    checks.push(identifiersCheck(policy, layoutsOf(plan, policy)));
    return { checks, risk: { measure: plan.measure, spent: plan.spent, privacyUnit: plan.privacyUnit } };
  },
};

/** A function of policy and requirements alone. */
function decide(context: RoadContext): NoisyDecision {
  const { policy, requirements } = context;
  const options = optionsOf(policy);
  const { release } = policy;
  if (release.kind !== "tables") throw new PolicyError("release/kind", "Noisy counts are tables.");
  const isGaussian = options.mechanism === "discrete-gaussian";
  const plan = planNoisyCounts({
    mechanism: options.mechanism,
    budget: isGaussian ? { rho: effectiveValue(requirements, "maximum-rho") } : { epsilon: effectiveValue(requirements, "maximum-epsilon") },
    privacyUnit: options.privacyUnit,
    maxRecordsPerContributor: options.maxRecordsPerContributor,
    columns: declaredColumns(policy, options),
    otherwise: options.otherwise,
    nonNegative: options.nonNegative,
    tables: release.tables.map(({ name, dimensions, margins }) => ({ name, dimensions, margins })),
    ...(isGaussian ? { reportDelta: options.delta } : {}),
    rehearsal: context.rehearsalSeed !== undefined,
  });
  return plan as NoisyDecision;
}

function optionsOf(policy: Policy): NoisyCounts {
  return policy.release.protect[0] as NoisyCounts;
}

/** Groups from the policy's lists, or from hierarchies that list their values; the data have no say. */
function declaredColumns(policy: Policy, options: NoisyCounts): DeclaredColumn[] {
  const { release } = policy;
  const names = release.kind === "tables" ? [...new Set(release.tables.flatMap(({ dimensions }) => dimensions.map(({ column }) => column)))] : [];
  return names.map((name) => {
    const hierarchy = hierarchyFor(policy, name);
    const groups = options.groups.get(name) ?? declaredByHierarchy(policy, name);
    return declareColumn(name, groups, hierarchy);
  });
}

function declaredByHierarchy(policy: Policy, name: string): readonly string[] {
  const column = columnPolicy(policy, name);
  const definition = typeof column.hierarchy === "string" ? policy.hierarchies.get(column.hierarchy) : column.hierarchy;
  if (definition?.kind === "tree" && definition.inline !== undefined) return definition.inline.map((line) => line[0]!);
  if (definition?.kind === "order") return definition.values;
  throw new PolicyError("noisy-counts/groups", `Column ${JSON.stringify(name)} needs its groups listed under groups; none are taken from the data.`, { column: name });
}

function layoutsOf(plan: NoisyCountsPlan, policy: Policy): TableLayout[] {
  const { release } = policy;
  const specs = release.kind === "tables" ? release.tables : [];
  return plan.tables.map((table) => {
    const spec = specs.find(({ name }) => name === table.name);
    return {
      name: table.name,
      title: spec?.title,
      description: spec?.description,
      dimensions: table.dimensions.map((column, d) => ({
        column,
        levels: [...new Set(table.blocks.flatMap(({ levels }) => (levels[d] === null ? [] : [levels[d]!])))].sort((a, b) => a - b),
      })),
      values: [{ name: COUNT, type: "integer", description: "Number of records that were counted, plus random noise." }],
      annotated: false,
    };
  });
}

/** Blocks one after the other, each in declared order. */
function rowsOf(layout: TableLayout, table: NoisyTable): Parameters<typeof writeTable>[3] {
  const rows = table.blocks.reduce((sum, block) => sum + block.count.length, 0);
  const count = new Float64Array(rows);
  const places: Place[][] = layout.dimensions.map(() => []);
  let at = 0;
  for (const block of table.blocks) {
    count.set(block.count, at);
    at += block.count.length;
    layout.dimensions.forEach(({ column }, d) => {
      const shown = block.columns.findIndex((own) => own.column === column);
      for (let row = 0; row < block.count.length; row++) {
        places[d]!.push(shown < 0 ? { level: TOTAL, label: null } : { level: block.columns[shown]!.level, label: block.columns[shown]!.groups[block.codes[shown]![row]!]! });
      }
    });
  }
  return { rows, values: [count], place: (row, d) => places[d]![row]! };
}

/** Rows of a file sorted back into the plan's blocks by which columns and levels they show. */
function blocksOf(layout: TableLayout, rows: readonly ReadBackRow[]): ReadBackBlock[] {
  const blocks = new Map<string, { columns: { column: string; level: number }[]; values: string[][]; count: string[] }>();
  for (const row of rows) {
    const shown = layout.dimensions.flatMap(({ column }, d) => (row.places[d]!.level === TOTAL ? [] : [{ column, level: row.places[d]!.level, label: row.places[d]!.label ?? "" }]));
    const key = shown.map(({ column, level }) => `${level} ${column}`).join("\n");
    const block = blocks.get(key) ?? { columns: shown.map(({ column, level }) => ({ column, level })), values: shown.map((): string[] => []), count: [] };
    blocks.set(key, block);
    shown.forEach(({ label }, c) => block.values[c]!.push(label));
    block.count.push(row.values[0] ?? "");
  }
  return [...blocks.values()].map((block) => ({ table: layout.name, ...block }));
}
