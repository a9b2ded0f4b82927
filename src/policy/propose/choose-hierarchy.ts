import type { ColumnFacts } from "./column-facts.ts";
import type { QuasiKind } from "./name-words.ts";

/** A proposed hierarchy: lines of YAML after `name:`, its levels, and what to know about it. */
export interface HierarchyChoice {
  /** A flow mapping on one line, or the lines of a block mapping. */
  readonly yaml: string | readonly string[];
  /** Levels, the value itself and "*" included. */
  readonly levels: number;
  readonly comment: string;
  /** The same with fewer levels, for data with many keys. */
  readonly coarser?: HierarchyChoice | undefined;
}

/** Categories with fewer records are not quoted; the column then gets no list of its values. */
export const QUOTED_FROM_RECORDS = 5;
/** Of all records; rarer categories are proposed to be joined, unless together they are more than MOST_JOINED. */
const RARE_SHARES = [0.05, 0.02];
const MOST_JOINED = 0.25;

const SUPPRESS: HierarchyChoice = {
  yaml: "{ kind: suppress }", levels: 2, comment: "kept or replaced by * as a whole",
};

/** How the values of a quasi-identifier may be coarsened. */
export function chooseHierarchy(facts: ColumnFacts, kind: QuasiKind | undefined): HierarchyChoice {
  const { shapes, present, numbers, lengths } = facts;
  if (present > 0 && shapes.date + shapes.timestamp === present) return dates(kind === "birth");
  if (kind === "zip" && numbers !== undefined && shapes.zip < present) {
    return {
      ...SUPPRESS,
      comment:
        "postal codes that have lost their leading zeros; restore them at the source, then use " +
        "{ kind: prefix, keep: [3] }",
    };
  }
  if (kind === "zip") return prefixes(lengths?.at(-1) === 10 ? [5, 3] : [3], "first 3 digits of a ZIP code, then *");
  if (kind === "place-code" && lengths !== undefined) {
    const longest = lengths.at(-1)!;
    if (longest === 5 && lengths.length === 1) return prefixes([2], "county code: its state, then *");
    if (longest >= 11 && lengths.length === 1) return prefixes(
      [5, 2], "code of a place: its county, its state, then *",
    );
  }
  if (numbers !== undefined && kind === "year") return years(numbers);
  if (numbers !== undefined && kind === "age") return ages(numbers);
  if (numbers !== undefined && kind !== "place-code" && facts.distinct > 3) return intervals(numbers);
  return categories(facts) ?? SUPPRESS;
}

function dates(birth: boolean): HierarchyChoice {
  const year: HierarchyChoice = {
    yaml: "{ kind: date, levels: [year, { years: 10 }] }", levels: 4, comment: "year, then 10 years, then *",
  };
  if (birth) return {
    yaml: "{ kind: date, levels: [year, { years: 5 }, { years: 10 }] }",
    levels: 5,
    comment: "year, 5 years, 10 years, then *",
    coarser: year,
  };
  const shorter: HierarchyChoice = {
    yaml: "{ kind: date, levels: [month, year] }", levels: 4, comment: "month, then year, then *",
  };
  return {
    yaml: "{ kind: date, levels: [month, quarter, year] }",
    levels: 5,
    comment: "month, quarter, year, then *",
    coarser: shorter,
  };
}

function prefixes(keep: readonly number[], comment: string): HierarchyChoice {
  return { yaml: `{ kind: prefix, keep: [${keep.join(", ")}] }`, levels: keep.length + 2, comment };
}

function years({ min, max }: NonNullable<ColumnFacts["numbers"]>): HierarchyChoice {
  if (max - min < 10) return { yaml: "{ kind: interval, widths: [5] }", levels: 3, comment: "5 years, then *" };
  const coarser: HierarchyChoice = { yaml: "{ kind: interval, widths: [10] }", levels: 3, comment: "10 years, then *" };
  return { yaml: "{ kind: interval, widths: [5, 10] }", levels: 4, comment: "5 years, 10 years, then *", coarser };
}

function ages({ min }: NonNullable<ColumnFacts["numbers"]>): HierarchyChoice {
  const ends = min < 0 ? "from: 0, to: 90" : "to: 90";
  const coarser: HierarchyChoice = {
    yaml: `{ kind: interval, widths: [10, 20], ${ends} }`,
    levels: 4,
    comment: "10 years, 20 years, then *; 90 and older is one group",
  };
  return {
    yaml: `{ kind: interval, widths: [5, 10, 20], ${ends} }`,
    levels: 5,
    comment: "5, 10 and 20 years, then *; 90 and older is one group",
    coarser,
  };
}

/**
 * Intervals of about a twentieth, a tenth and a fifth of the middle 98 of 100 records, with open ends beyond. Bounds
 * are round numbers, so that they quote no record.
 */
function intervals({ min, max, low, high }: NonNullable<ColumnFacts["numbers"]>): HierarchyChoice {
  const range = high - low;
  const whole = Number.isInteger(min) && Number.isInteger(max) && Number.isInteger(low) && Number.isInteger(high);
  const width = roundUp(range > 0 ? range / 20 : 1, whole ? 2 : 0);
  const widths = [width, 2 * width, 4 * width].filter((w, i) => i === 0 || w < range).map(tidy);
  const from = tidy(Math.floor(low / width) * width);
  const to = tidy((Math.floor(high / width) + 1) * width);
  const ends = `${from > min ? `, from: ${from}` : ""}${to <= max && to > from ? `, to: ${to}` : ""}`;
  const choice = (kept: readonly number[]): HierarchyChoice => ({
    yaml: `{ kind: interval, widths: [${kept.join(", ")}]${ends} }`,
    levels: kept.length + 2,
    comment: `intervals of ${list(kept.map(String))}, then *`,
  });
  return widths.length < 2 ? choice(widths) : { ...choice(widths), coarser: choice(widths.slice(-1)) };
}

/** The next of 1, 2, 5, 10, 20, 50, ... */
function roundUp(value: number, least: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const nice = [1, 2, 5, 10].find((step) => step * power >= value * (1 - 1e-9))! * power;
  return Math.max(least, tidy(nice));
}

/** Without the digits that binary fractions add. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}

/** A tree that joins rare categories; undefined where that would quote a value of few records, or join nothing. */
function categories({ categories: values, isWhole, present, untrimmed }: ColumnFacts): HierarchyChoice | undefined {
  if (values === undefined || !isWhole || untrimmed > 0 || values.length < 4) return undefined;
  if (values.some(({ records }) => records < QUOTED_FROM_RECORDS)) return undefined;
  if (values.some(({ text }) => text === "Other")) return undefined;
  for (const share of RARE_SHARES) {
    const isRare = ({ records }: { readonly records: number }): boolean => records < present * share;
    const rare = values.filter(isRare);
    if (rare.length < 2 || rare.reduce((sum, { records }) => sum + records, 0) > present * MOST_JOINED) continue;
    const lines = values.map(
      (value) => `  - [${yamlText(value.text)}, ${isRare(value) ? "Other" : yamlText(value.text)}]`
    );
    return {
      yaml: [
        "kind: tree", "inline: # a value, then what it becomes; better groups than Other are yours to name", ...lines
      ],
      levels: 3,
      comment: `${rare.length} categories, each with less than ${share * 100} % of the records, become Other; then *`,
      coarser: SUPPRESS,
    };
  }
  return undefined;
}

/** Always in quotes: bare 06001, NO, 1e5 and 2020-01-01 would not stay text in YAML. */
export function yamlText(text: string): string {
  // JSON leaves these as they are; YAML would take some as line breaks, and editors show none of them.
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function list(items: readonly string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)!}`;
}
