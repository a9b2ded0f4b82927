/** What stands in a cell of somebody else's table: a number, or one of the many ways to say that it is hidden. */

/** Why a cell is blank, as far as the table says. */
export type Reason = "unknown" | "primary" | "complementary" | "no-data";

export type CellText =
  | { readonly kind: "shown"; readonly value: number }
  /** `lower` and `upper` are what the text itself says, such as 1 to 10 for "<11". */
  | { readonly kind: "hidden"; readonly reason: Reason; readonly lower: number; readonly upper: number };

/** Markers are compared without regard to case and surrounding spaces. */
export interface Markers {
  /** A count hidden for being small. */
  readonly primary?: readonly string[] | undefined;
  /** A count hidden to protect another. */
  readonly complementary?: readonly string[] | undefined;
  /** Hidden, and the marker does not say why. */
  readonly hidden?: readonly string[] | undefined;
  /** Nothing was counted there. */
  readonly noData?: readonly string[] | undefined;
}

/** CalHHS writes "S" or "*" and "C" or "**"; the rest is what statistical offices and programs print. */
export const DEFAULT_MARKERS = {
  primary: ["s", "*", "(s)", "p"],
  complementary: ["c", "**", "(c)", "x2"],
  hidden: [
    "", ".", "..", "...", "-", "--", "na", "n/a", "nan", "null", "none", "x", "(x)", "d", "(d)", "u", "#", "suppressed",
    "masked", "redacted", "confidential", "hidden", "dnp", "ds", "^", "†", "‡", "~", "***", "supp", "missing",
  ],
  noData: ["no data", "not applicable", "z"],
} as const satisfies Required<Markers>;

const LESS = /^(?:<|&lt;|fewer than |less than |under )\s*(\d{1,9})$/;
const AT_MOST = /^(?:<=|≤|up to )\s*(\d{1,9})$/;
const AT_LEAST = /^(?:>=|≥)\s*(\d{1,9})$|^(\d{1,9})\s*(?:\+|or more)$/;
const MORE = /^>\s*(\d{1,9})$/;
const RANGE = /^(\d{1,9})\s*(?:-|–|to)\s*(\d{1,9})$/;
const PLAIN = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$/;
/** Thousands apart by one kind of comma, apostrophe or space. Points are left out: 1.234 may be a decimal. */
const GROUPED = /^[+-]?\d{1,3}(?:([,'’ \u00a0\u202f\u2009])\d{3})(?:\1\d{3})*(?:\.\d+)?$/;

/** Reads cells with one set of markers. Unnamed kinds keep their default markers; a marker that is named anew moves. */
export function cellReader(markers: Markers = {}): (text: string | null) => CellText | undefined {
  const reasons = new Map<string, Reason>();
  const add = (texts: readonly string[], reason: Reason): void => {
    for (const text of texts) reasons.set(normal(text), reason);
  };
  add(DEFAULT_MARKERS.hidden, "unknown");
  add(DEFAULT_MARKERS.primary, "primary");
  add(DEFAULT_MARKERS.complementary, "complementary");
  add(DEFAULT_MARKERS.noData, "no-data");
  add(markers.hidden ?? [], "unknown");
  add(markers.primary ?? [], "primary");
  add(markers.complementary ?? [], "complementary");
  add(markers.noData ?? [], "no-data");
  return (given) => {
    const text = given === null ? "" : normal(given);
    const reason = reasons.get(text);
    if (reason !== undefined) return { kind: "hidden", reason, lower: 0, upper: Infinity };
    if (PLAIN.test(text)) return finite(Number(text));
    if (GROUPED.test(text)) return finite(Number(text.replaceAll(/[,'’\s]/g, "")));
    return bounded(text);
  };
}

function finite(value: number): CellText | undefined {
  return Number.isFinite(value) ? { kind: "shown", value } : undefined;
}

/** "<11" hides a count of 1 to 10: a zero would be shown as such, or the marker would not be worth its place. */
function bounded(text: string): CellText | undefined {
  const less = LESS.exec(text);
  if (less !== null) return hidden("primary", 0, Number(less[1]) - 1);
  const atMost = AT_MOST.exec(text);
  if (atMost !== null) return hidden("primary", 0, Number(atMost[1]));
  const atLeast = AT_LEAST.exec(text);
  if (atLeast !== null) return hidden("unknown", Number(atLeast[1] ?? atLeast[2]), Infinity);
  const more = MORE.exec(text);
  if (more !== null) return hidden("unknown", Number(more[1]) + 1, Infinity);
  const range = RANGE.exec(text);
  if (range !== null && Number(range[1]) <= Number(range[2])) return hidden("unknown", Number(range[1]), Number(range[2]));
  return undefined;
}

function hidden(reason: Reason, lower: number, upper: number): CellText | undefined {
  return upper < lower ? undefined : { kind: "hidden", reason, lower, upper };
}

function normal(text: string): string {
  return text.trim().toLowerCase();
}

/** What an annotation beside a cell says. "marked": suppressed, without a reason. Undefined for codes nobody knows. */
export type Annotation = "shown" | "marked" | "primary" | "complementary" | "no-data" | "unstable" | "safe-or-suppressed";

const ANNOTATIONS: Readonly<Record<string, Annotation>> = {
  // The portal of CalHHS: 0 or blank none, 1 small, 2 complementary, 3 no data, 4 unstable, 5 incomplete.
  "": "shown", "0": "shown", "1": "primary", "2": "complementary", "3": "no-data", "4": "unstable", "5": "shown",
  // Columns of yes and no.
  true: "marked", t: "marked", yes: "marked", y: "marked", suppressed: "marked", hidden: "marked", masked: "marked",
  false: "shown", f: "shown", no: "shown", n: "shown", ok: "shown", safe: "shown", published: "shown", valid: "shown",
  // Status letters of programs for tables; "s" is safe for some and suppressed for others.
  u: "primary", a: "primary", b: "primary", primary: "primary", unsafe: "primary", "*": "primary",
  x: "complementary", d: "complementary", m: "complementary", secondary: "complementary", complementary: "complementary",
  c: "complementary", "**": "complementary", v: "shown", z: "shown", s: "safe-or-suppressed",
};

export function readAnnotation(text: string | null): Annotation | undefined {
  const key = text === null ? "" : normal(text);
  return Object.hasOwn(ANNOTATIONS, key) ? ANNOTATIONS[key] : undefined;
}

const TOTAL_LABEL =
  /^(?:\(?(?:grand |overall |sub-?)?totals?\)?|\(?all\)?|all [\p{L} ,/&-]+|\(all [\p{L} ]+\)|both(?: sexes| genders)?|overall|_t|tot|sum|combined|total[ ,:(-].*|(?:state|nation|county)wide)$/iu;

/** Whether a category's label reads like the sum over all others. A proposal: `--total` says it for sure. */
export function looksLikeTotal(label: string): boolean {
  return TOTAL_LABEL.test(label.trim());
}

/** The letter that statistical offices write for a total; where a structure says what categories are, it may be one of them. */
export function isTotalLetter(label: string): boolean {
  return label.trim().toLowerCase() === "t";
}
