import type { Role } from "../schema.ts";
import { chooseHierarchy, type HierarchyChoice } from "./choose-hierarchy.ts";
import type { ColumnFacts } from "./column-facts.ts";
import { guessRole, type RoleGuess } from "./guess-role.ts";
import { FREQUENCY, wordsOf, type QuasiKind } from "./name-words.ts";
import type { DataFacts } from "./read-facts.ts";
import { saysTheSame, shareOfUniques, tellsRecordsApart } from "./related-columns.ts";
import { DataError } from "../../errors/index.ts";

/** Keys beyond these leave so little of the data that they are proposed to be dropped. */
export const MOST_KEYS = 10;
/** Combinations of levels that a first plan should not have to look at. */
const MOST_COMBINATIONS = 20_000;
/** Dimensions of the proposed table, and its cells. */
const MOST_DIMENSIONS = 3;
const MOST_TABLE_CELLS = 1_000_000;

export interface ProposedColumn {
  readonly facts: ColumnFacts;
  readonly role: Role;
  readonly type: "string" | "integer" | "number" | "date" | "boolean";
  readonly drop: boolean;
  readonly because: string;
  readonly kind: QuasiKind | undefined;
  readonly hierarchy: HierarchyChoice | undefined;
  /** What only a person can decide. */
  readonly decisions: readonly string[];
  readonly remarks: readonly string[];
}

export interface Proposal {
  readonly data: DataFacts;
  readonly columns: readonly ProposedColumn[];
  readonly release: {
    readonly kind: "microdata";
    readonly k: number;
    readonly shareOfUniques: number | undefined;
  } | { readonly kind: "tables"; readonly dimensions: readonly string[] };
}

/** A draft of one column while the proposal is made. */
type Draft = { -readonly [Key in keyof ProposedColumn]: ProposedColumn[Key] };

/**
 * Put the guesses for single columns together to a policy that can be planned.
 * @throws DataError `propose/only-identifiers`
 */
export function propose(data: DataFacts): Proposal {
  const drafts = data.columns.map((facts) => draftOf(facts, guessRole(facts)));
  keepOne(drafts, "contributor", { role: "direct-identifier", because: "named like an id" });
  keepOne(drafts, "weight", { role: "measure", because: "named like a second weight" });
  const isCounted = markFrequency(drafts, data);
  dropRepetitions(drafts);
  ensureKeys(drafts);
  if (isCounted) return { data, columns: drafts, release: { kind: "tables", dimensions: dimensionsOf(drafts) } };
  limitKeys(drafts);
  limitCombinations(drafts);
  const keys = drafts.filter(isKey);
  const uniques = data.isWhole ? shareOfUniques(keys.map(({ facts }) => facts)) : undefined;
  return {
    data,
    columns: drafts,
    release: {
      kind: "microdata",
      k: uniques !== undefined && uniques < MANY_UNIQUES ? K_MODERATE : K_HIGH,
      shareOfUniques: uniques,
    },
  };
}

/** What commensurate/baseline requires of data whose classification is unknown, and of the same with many uniques. */
export const MANY_UNIQUES = 0.2;
export const K_MODERATE = 11;
export const K_HIGH = 20;
export const SMALL_COUNT = 11;

function draftOf(facts: ColumnFacts, guess: RoleGuess): Draft {
  const remarks: string[] = [];
  const { shapes, present } = facts;
  if (shapes.zeroPadded > 0) remarks.push("text, so that leading zeros stay");
  if (shapes.formatted > 0 && shapes.formatted + shapes.number === present) remarks.push(
    "numbers with separators, currency or percent signs; write them plainly at the source to use them as numbers"
  );
  if (shapes.otherDate > 0 && shapes.date === 0) remarks.push(
    "dates in another order than YYYY-MM-DD; rewrite them at the source to coarsen them by month and year"
  );
  if (facts.caseVariants > 0) remarks.push(
    `${facts.caseVariants} values differ from others in case only; add lower to normalise if they mean the same`
  );
  if (facts.nullWords.includes("NA")) remarks.push(
    "NA is taken as missing; take it away from nulls if it is a value, such as Namibia"
  );
  const role = guess.role;
  return {
    facts,
    role,
    type: guess.kind === "zip" || guess.kind === "place-code" ? "string" : typeOf(facts, role), // codes are not amounts
    drop: guess.drop === true,
    because: guess.because,
    kind: guess.kind,
    hierarchy: role === "quasi-identifier" ? chooseHierarchy(facts, guess.kind) : undefined,
    decisions: guess.decide === undefined ? [] : [guess.decide],
    remarks,
  };
}

/** The type that all values have; text wherever one has not. */
function typeOf({ shapes, present, numbers, untrimmed, physical }: ColumnFacts, role: Role): ProposedColumn["type"] {
  if (role === "direct-identifier" || role === "contributor") return "string";
  if (role === "measure" || role === "weight") return shapes.integer === present ? "integer" : "number";
  // Columns that are not compared are read as numbers, without normalisation.
  const compared = role === "quasi-identifier";
  if (present === 0 || (untrimmed > 0 && !compared)) return "string";
  if (shapes.integer === present) return "integer";
  if (shapes.number === present || (!compared && numbers !== undefined && physical === "number")) return "number";
  if (shapes.date === present) return "date";
  return shapes.boolean === present ? "boolean" : "string";
}

function change(draft: Draft, guess: RoleGuess): void {
  const { remarks } = draft;
  Object.assign(draft, draftOf(draft.facts, guess), { remarks });
}

/** A policy has at most one column of some roles. */
function keepOne(drafts: readonly Draft[], role: Role, otherwise: RoleGuess): void {
  for (const extra of drafts.filter((draft) => draft.role === role).slice(1)) change(extra, otherwise);
}

/** Each record stands for several people: a whole number named like a count, and no two records alike otherwise. */
function markFrequency(drafts: readonly Draft[], data: DataFacts): boolean {
  const persons = drafts.some(({ role }) => role === "direct-identifier" || role === "contributor");
  const counts = drafts.filter(({ facts, role }) => {
    const { shapes, present, missing, numbers } = facts;
    if (role !== "measure" || !FREQUENCY.test(wordsOf(facts.name))) return false;
    return shapes.integer === present && missing === 0 && (numbers?.min ?? -1) >= 0;
  });
  const keys = drafts.filter(isKey);
  if (persons || counts.length === 0 || keys.length === 0 || data.sampled < 2) return false;
  if (!tellsRecordsApart(keys.map(({ facts }) => facts))) return false;
  change(counts[0]!, {
    role: "frequency",
    because: "named like a count; no combination of the others occurs twice",
    decide:
      "does each record stand for this many people? If it is one person, say measure, and release microdata, not " +
      "tables",
  });
  return true;
}

/** Of two keys that say the same one is enough; the readable one stays. */
function dropRepetitions(drafts: readonly Draft[]): void {
  for (const [i, first] of drafts.entries()) {
    for (const second of drafts.slice(i + 1)) {
      if (!isKey(first) || !isKey(second) || !saysTheSame(first.facts, second.facts)) continue;
      const isCode = (draft: Draft): boolean => draft.kind === "place-code" || draft.facts.numbers !== undefined;
      const [kept, left] = isCode(first) && !isCode(second) ? [second, first] : [first, second];
      left.drop = true;
      left.remarks = [
        ...left.remarks,
        `says the same as ${JSON.stringify(kept.facts.name)}, value by value; take drop away to release it as well`,
      ];
    }
  }
}

/** A release needs something to release by. */
function ensureKeys(drafts: readonly Draft[]): void {
  if (drafts.some(isKey)) return;
  const next =
    drafts.find(
      ({ role, drop }) => !drop && (role === "other" || role === "sensitive")
    ) ?? drafts.find(({ role, drop }) => !drop && (role === "measure" || role === "weight"));
  if (next === undefined) {
    throw new DataError(
      "propose/only-identifiers",
      `Every one of the ${drafts.length} columns is empty or looks as if it named persons, so nothing is left that ` +
        "could be released. " +
        "If that is wrong, write the policy by hand; commensurate schema prints its format.",
      { columns: drafts.length },
    );
  }
  change(next, {
    role: "quasi-identifier",
    because: "no column was recognised as known to others, and a release needs one",
    kind: "trait",
    decide: "which columns may others know about a person?",
  });
}

function isKey({ role, drop }: Draft): boolean {
  return role === "quasi-identifier" && !drop;
}

/** With too many keys nearly everybody is unique: those that say least are proposed to be dropped. */
function limitKeys(drafts: readonly Draft[]): void {
  const keys = drafts.filter(isKey);
  if (keys.length <= MOST_KEYS) return;
  const unsure = (draft: Draft): number => (draft.decisions.length > 0 ? 1 : 0);
  const leftOut = [...keys].sort(
    (a, b) => unsure(b) - unsure(a) || b.facts.distinct - a.facts.distinct
  ).slice(0, keys.length - MOST_KEYS);
  for (const draft of leftOut) {
    draft.drop = true;
    draft.decisions = [
      ...draft.decisions,
      `left out, since with more than ${MOST_KEYS} keys little can be released; ` +
        "take drop away and drop another if you need it",
    ];
  }
}

/** Fewer levels where there are many keys, so that a first plan takes seconds. */
function limitCombinations(drafts: readonly Draft[]): void {
  const keys = drafts.filter(isKey);
  const combinations = (): number => keys.reduce((product, { hierarchy }) => product * (hierarchy?.levels ?? 1), 1);
  while (combinations() > MOST_COMBINATIONS) {
    const finest = keys.filter(
      ({ hierarchy }) => hierarchy?.coarser !== undefined
    ).sort((a, b) => b.hierarchy!.levels - a.hierarchy!.levels)[0];
    if (finest === undefined) return;
    finest.hierarchy = finest.hierarchy!.coarser;
  }
}

/** The dimensions with the fewest values, as many as make a table of readable size. */
function dimensionsOf(drafts: readonly Draft[]): string[] {
  const keys = drafts.filter(isKey);
  const chosen: Draft[] = [];
  let cells = 1;
  for (const draft of [...keys].sort((a, b) => a.facts.distinct - b.facts.distinct)) {
    cells *= draft.facts.distinct + 1;
    if (chosen.length === MOST_DIMENSIONS || (chosen.length > 0 && cells > MOST_TABLE_CELLS)) break;
    chosen.push(draft);
  }
  return keys.filter((draft) => chosen.includes(draft)).map(({ facts }) => facts.name);
}
