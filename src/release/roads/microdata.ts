import { rollUp } from "../../cells/index.ts";
import type { FieldDescription } from "../../catalog/index.ts";
import { rewrite, type RewriteJob, type Survey } from "../../engines/local/index.ts";
import { DisclosureError } from "../../errors/index.ts";
import type { BoundHierarchy } from "../../hierarchies/index.ts";
import { searchKAnonymityInSlices, type KeptClasses } from "../../microdata/k-anonymity/index.ts";
import type { KAnonymity } from "../../microdata/k-anonymity/schema.ts";
import { isDropped, NEVER_RELEASED, type Policy } from "../../policy/index.ts";
import type { PhysicalType } from "../../sources/source.ts";
import { createTableWriter, type ReleasedColumn, type ReleaseFormat, type TableWriter } from "../../sinks/index.ts";
import { bindHierarchies, columnPolicy, dataFormats, hierarchyFor, isReadAsNumber, levelNames, readRequests, recodingOf } from "../columns.ts";
import { check, type Check } from "../evidence.ts";
import type { Decision } from "../plan-value.ts";
import { measuredRisk } from "./measured.ts";
import { effectiveValue } from "../require.ts";
import { decisionRefused, type ApplyInput, type PublicDescription, type Road, type RoadContext } from "../road.ts";
import { countReleasedCsv } from "../verify/released-csv.ts";
import { countReleasedRecords } from "../verify/released-records.ts";

const WITHHOLD = "records of classes smaller than k";

/** What was decided: levels and the rule of suppression, never values. */
interface MicrodataDecision extends Decision {
  readonly method: "k-anonymity";
  readonly k: number;
  /** Level of each key, 0 for the value as it is. */
  readonly levels: Readonly<Record<string, number>>;
  /** Rule: records of classes with fewer than k records are withheld. */
  readonly withhold: typeof WITHHOLD;
  readonly maxSuppressedShare: number;
  readonly metric: string;
  readonly loss: number;
  readonly suppressedRecords: number;
  readonly classes: number;
  /** Combinations of levels within the limits, and how many of them had to be looked at. */
  readonly generalizations: number;
  readonly generalizationsChecked: number;
  readonly alternatives: readonly unknown[];
}

const MANY_CELLS = 500_000;

/** Microdata made k-anonymous by full-domain generalization and record suppression. */
export const microdataRoad: Road = {
  method: "k-anonymity",

  survey(policy, columns) {
    const keys = columns.read.filter(({ use }) => use === "key");
    const others = columns.read.filter(({ use }) => use === "released");
    return {
      keys: keys.map(({ name }) => ({ name, recoding: recodingOf(policy, name) })),
      measures: [],
      secondReading: readRequests(policy, { ...columns, read: others }),
    };
  },

  measure(policy, survey) {
    const sensitive = [...policy.columns.values()].filter(({ role, drop }) => role === "sensitive" && drop !== true).length;
    return measuredRisk(survey.cells, survey.keys.length, sensitive);
  },

  async plan(context, survey): Promise<MicrodataDecision> {
    const { policy } = context;
    const options = optionsOf(policy);
    const k = effectiveValue(context.requirements, "minimum-class-size");
    const names = survey.keys.map(({ name }) => name);
    let classes: KeptClasses | undefined;
    const result = await searchKAnonymityInSlices({
      cells: survey.cells,
      hierarchies: bindHierarchies(policy, survey, names),
      k,
      maxSuppressedShare: options.maxSuppressedShare,
      metric: { metric: options.metric, aggregate: options.aggregate, generalizationWeight: options.generalizationWeight },
      limits: names.map((name) => options.levels.get(name)),
      // To be sure of the next best costs about as much again; with many cells the plan states one instead of four.
      alternatives: survey.cells.size > MANY_CELLS ? 1 : 4,
      ...(context.signal === undefined ? {} : { signal: context.signal }),
      onClasses: (kept) => {
        classes = kept;
      },
      onProgress: ({ decided }) => context.progress({ phase: "plan", done: decided, total: 1, unit: "steps" }),
    });
    if (result === undefined) {
      throw new DisclosureError(
        "k-anonymity/no-solution",
        `No combination of levels gives every record at least ${k - 1} others with the same values while withholding at most ` +
          `${percent(options.maxSuppressedShare)} of the records. Raise maxSuppressedShare, add coarser levels to the hierarchies of ` +
          `${names.map((name) => JSON.stringify(name)).join(", ")}, or drop a column.`,
        { k, maxSuppressedShare: options.maxSuppressedShare, keys: names },
      );
    }
    if (classes !== undefined) planned.set(survey, { k, levels: result.levels, classes });
    const named = (levels: readonly number[]): Record<string, number> => Object.fromEntries(names.map((name, key) => [name, levels[key]!]));
    return {
      method: "k-anonymity",
      k,
      levels: named(result.levels),
      withhold: WITHHOLD,
      maxSuppressedShare: options.maxSuppressedShare,
      metric: options.metric,
      loss: result.loss,
      suppressedRecords: result.suppressed,
      classes: result.classes,
      generalizations: result.nodes,
      generalizationsChecked: result.nodesChecked,
      alternatives: result.alternatives.map(({ levels, loss, suppressed }) => ({ levels: named(levels), loss, suppressedRecords: suppressed })),
    };
  },

  checkDecision(context, decision) {
    const { policy } = context;
    const { metric, maxSuppressedShare, levels: limits } = optionsOf(policy);
    const found = decision as Partial<MicrodataDecision>;
    const keys = keysOf(policy);
    const levels: unknown = found.levels;
    const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
    if (found.method !== "k-anonymity" || found.k !== effectiveValue(context.requirements, "minimum-class-size")) {
      throw decisionRefused("states another k than the requirements");
    }
    if (found.metric !== metric || found.maxSuppressedShare !== maxSuppressedShare || found.withhold !== WITHHOLD) {
      throw decisionRefused("states another metric, share or rule of suppression than the policy");
    }
    if (!isCount(found.suppressedRecords) || !isCount(found.classes)) throw decisionRefused("lacks its numbers of records and classes");
    if (typeof levels !== "object" || levels === null || Object.keys(levels).sort().join("\n") !== [...keys].sort().join("\n")) {
      throw decisionRefused("does not give one level to each key");
    }
    for (const key of keys) {
      const level = (levels as Record<string, unknown>)[key];
      const { min = 0, max } = limits.get(key) ?? {};
      const last = max ?? (hierarchyFor(policy, key)?.levels ?? 1) - 1;
      if (!isCount(level) || (level as number) < min || (level as number) > last) throw decisionRefused(`gives ${JSON.stringify(key)} a level that the policy does not allow`);
    }
  },

  async apply(context, input) {
    const { policy } = context;
    const decision = input.decision as MicrodataDecision;
    const job = rewriteJob(context, input, decision);
    const rewritten = await rewrite(input.lanes, input.source, job, {
      signal: context.signal,
      onBytes: (done) => context.progress({ phase: "apply", done, total: input.source.totalBytes, unit: "bytes" }),
    });
    if (rewritten.fingerprint !== input.survey.fingerprint) throw inputChanged();

    const columns = job.columns.map(({ released }) => released);
    const writers: { format: ReleaseFormat; writer: TableWriter; close(): Promise<void> }[] = [];
    let csv: { write(bytes: Uint8Array): Promise<void>; close(): Promise<void> } | undefined;
    for (const format of dataFormats(policy)) {
      const sink = await input.output.create(`${policy.release.name}.${format}`);
      if (format === "csv") {
        csv = sink;
        await sink.write(rewritten.csvHeader!);
      } else {
        writers.push({ format, writer: await createTableWriter(format, sink, columns, rewritten.dictionaries), close: () => sink.close() });
      }
    }
    let done = 0;
    for await (const part of rewritten.partitions()) {
      context.signal?.throwIfAborted();
      if (csv !== undefined) await csv.write(part.csv!);
      for (const { writer } of writers) await writer.write(part.batch!);
      done += part.records;
      context.progress({ phase: "apply", done, total: rewritten.records, unit: "records" });
    }
    await csv?.close();
    for (const { writer, close } of writers) {
      await writer.close();
      await close();
    }
  },

  describe(policy, decision, columns): PublicDescription {
    const { levels, k, maxSuppressedShare } = decision as MicrodataDecision;
    const { name, formats } = policy.release;
    const coarser = Object.keys(levels).filter((key) => levels[key]! > 0);
    const others = columns.filter((column) => !Object.hasOwn(levels, column));
    return {
      tables: [
        {
          name,
          title: policy.dataset.title,
          files: formats.map((format) => ({ path: `${name}.${format}`, format })),
          fields: columns.map((column) => fieldOf(policy, column, levels)),
        },
      ],
      methods: [
        `Every record shares its values of ${list(Object.keys(levels))} with at least ${k - 1} other records (k-anonymity with k = ${k}).`,
        coarser.length === 0
          ? "No value was made coarser."
          : `To reach this, the values of ${list(coarser)} were made coarser, the same way for all records; see Fields.`,
        `Records whose combination of values was still rarer than ${k} were left out: at most ${percent(maxSuppressedShare)} of all records. ` +
          "Counts made from this file are too small by them.",
        ...(others.length === 0 ? [] : [`Values of ${list(others)} are as in the original records.`]),
        "Records are sorted by their values; their order says nothing about the order of the original records.",
        "k-anonymity keeps a person from being singled out by the columns named first. It does not hide a value that all records of a " +
          "group share, and it does not take into account other releases about the same people.",
      ],
    };
  },

  async verify(context, { decision, input }, reader) {
    const { policy } = context;
    const { levels, suppressedRecords, classes, maxSuppressedShare } = decision as MicrodataDecision;
    const keys = Object.keys(levels);
    const expectedRecords = input.records - suppressedRecords;
    const k = effectiveValue(context.requirements, "minimum-class-size");
    const checks: Check[] = [];
    let risk: object = {};
    checks.push(
      check("suppressed-share", `at most ${percent(maxSuppressedShare)} of the records withheld`, percent(input.records === 0 ? 0 : suppressedRecords / input.records), suppressedRecords <= maxSuppressedShare * input.records),
    );
    for (const format of dataFormats(policy)) {
      const path = `public/${policy.release.name}.${format}`;
      const found =
        format === "csv"
          ? await (reader.countCsv?.(path, keys) ?? countReleasedCsv(reader.chunks(path), keys))
          : await countReleasedRecords(await reader.source(path), keys);
      let smallest = Infinity;
      let below = 0;
      for (const size of found.classSizes) {
        if (size < smallest) smallest = size;
        if (size < k) below++;
      }
      const asPlanned = sameTexts(found.header, input.columns) && input.columns.every((name) => mayBeReleased(policy, name)) && hasPlannedTypes(policy, levels, found);
      const identifiers = found.header.filter((name) => NEVER_RELEASED.has(columnPolicy(policy, name).role));
      checks.push(
        check(`${format}/class-size`, `at least ${k} records in every class`, below === 0 ? `smallest class ${found.records === 0 ? "none" : smallest}` : `${below} classes smaller`, below === 0, "minimum-class-size"),
        check(`${format}/identifiers`, "no direct identifier", identifiers.length === 0 ? "none" : identifiers.length, identifiers.length === 0, "direct-identifiers-removed"),
        check(`${format}/columns`, "the planned columns and no others, in their order and types", asPlanned ? "as planned" : "other columns", asPlanned),
        check(`${format}/records`, `${expectedRecords} records in ${classes} classes`, `${found.records} in ${found.classSizes.length}`, found.records === expectedRecords && found.classSizes.length === classes),
      );
      if (found.records > 0) risk = { records: found.records, classes: found.classSizes.length, smallestClass: smallest, averageRisk: found.classSizes.length / found.records, highestRisk: 1 / smallest };
    }
    return { checks, risk };
  },
};

function keysOf(policy: Policy): string[] {
  return [...policy.columns].filter(([, column]) => column.role === "quasi-identifier" && column.drop !== true).map(([name]) => name);
}

function mayBeReleased(policy: Policy, name: string): boolean {
  const column = policy.columns.get(name);
  return column === undefined ? policy.otherColumns === "keep" : !isDropped(column);
}

/** CSV has no types to compare. */
function hasPlannedTypes(policy: Policy, levels: MicrodataDecision["levels"], found: { header: readonly string[]; types?: readonly PhysicalType[] }): boolean {
  return found.types === undefined || found.header.every((name, c) => found.types![c] === PHYSICAL[releasedColumn(policy, name, levels).type]);
}

const PHYSICAL: Readonly<Record<ReleasedColumn["type"], PhysicalType>> = { string: "text", integer: "integer", number: "number", boolean: "boolean", date: "date" };

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}

function optionsOf(policy: Policy): KAnonymity {
  return policy.release.protect[0] as KAnonymity;
}

function rewriteJob(context: RoadContext, input: ApplyInput, decision: MicrodataDecision): RewriteJob {
  const { policy } = context;
  const { survey, columns } = input;
  const names = survey.keys.map(({ name }) => name);
  const bound = bindHierarchies(policy, survey, names);
  const levels = names.map((name) => decision.levels[name]!);
  const levelOf = bound.map((hierarchy, key) => hierarchy.levels[levels[key]!]!);
  const others = columns.read.filter(({ use }) => use === "released");
  return {
    keys: survey.keys.map((key, k) => ({
      name: key.name,
      raw: key.raw,
      toLevel: key.map.map((code) => (code < 0 ? -1 : levelOf[k]!.map[code]!)),
      cellToLevel: levelOf[k]!.map,
      labels: levelOf[k]!.dictionary,
    })),
    classes: classesOf(survey, levelOf, levels, decision.k),
    others: others.map((other) =>
      isReadAsNumber(policy, other)
        ? { name: other.name, as: "numbers", nulls: other.column.nulls, nullMeaning: other.column.nullMeaning }
        : { name: other.name, as: "codes", recoding: recodingOf(policy, other.name) },
    ),
    columns: columns.read.map(({ name, use }) => ({
      released: releasedColumn(policy, name, decision.levels),
      ...(use === "key" ? { key: names.indexOf(name) } : { other: others.findIndex((other) => other.name === name) }),
    })),
    csv: dataFormats(policy).includes("csv") ? {} : undefined,
    wantBatch: dataFormats(policy).some((format) => format !== "csv"),
  };
}

/** Classes that planning rolled up from the same survey, so that applying need not do it again. */
const planned = new WeakMap<Survey, { readonly k: number; readonly levels: readonly number[]; readonly classes: KeptClasses }>();

/** Classes of at least k records at the planned levels. */
function classesOf(survey: Survey, levelOf: BoundHierarchy["levels"], levels: readonly number[], k: number): KeptClasses {
  const known = planned.get(survey);
  if (known?.k === k && known.levels.every((level, key) => level === levels[key])) return known.classes;
  const classes = rollUp(survey.cells, levelOf.map(({ map, dictionary }) => ({ map, size: dictionary.size })));
  const kept: number[] = [];
  for (let c = 0; c < classes.size; c++) if (classes.records[c]! >= k) kept.push(c);
  return {
    size: kept.length,
    codes: classes.codes.map((codes) => Int32Array.from(kept, (c) => codes[c]!)),
    records: Float64Array.from(kept, (c) => classes.records[c]!),
  };
}

function releasedColumn(policy: Policy, name: string, levels: Readonly<Record<string, number>>): ReleasedColumn {
  const { type, role } = columnPolicy(policy, name);
  const level = Object.hasOwn(levels, name) ? levels[name]! : 0;
  if (level > 0) return { name, type: "string" };
  return { name, type: (role === "measure" || role === "weight") && type === "string" ? "number" : type };
}

function fieldOf(policy: Policy, name: string, levels: Readonly<Record<string, number>>): FieldDescription {
  const { label, description, role, nullMeaning } = columnPolicy(policy, name);
  const { type } = releasedColumn(policy, name, levels);
  const level = Object.hasOwn(levels, name) ? levels[name]! : 0;
  const levelName = levelNames(policy, name)[level]!;
  const coarsened = level === 0 ? "" : levelName === "suppressed" ? " Every value is replaced by *." : ` Made coarser: ${levelName}.`;
  return {
    name,
    type,
    ...(label === undefined ? {} : { label }),
    description: `${description ?? DEFAULT_MEANING[role] ?? "Value of the record."}${coarsened}`,
    ...(nullMeaning === "refuse" ? {} : { missing: "missing in the original data" }),
  };
}

const DEFAULT_MEANING: Readonly<Record<string, string>> = {
  "quasi-identifier": "Characteristic of the person or record.",
  measure: "Amount.",
  weight: "Sampling weight.",
};

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)!}`;
}

/** A share as a percentage with at most two decimals. */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

function inputChanged(): Error {
  return new DisclosureError(
    "source/changed",
    "The input changed between its two readings. Nothing was published. Run again when the file no longer changes.",
  );
}
