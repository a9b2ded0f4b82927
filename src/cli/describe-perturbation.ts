import type { Policy } from "../policy/index.ts";
import { counted } from "./numbers.ts";
import { printable, type Painter } from "./style.ts";
import { textTable } from "./text-table.ts";

type Method = Extract<Policy["release"], { kind: "tables" }>["protect"][number];
type Perturbation = Exclude<Method, { method: "small-cells" | "cell-suppression" | "noisy-counts" }>;
type Row = readonly [title: string, text: string];

/** What was decided for methods that change counts: the policy's own options, in words; nothing in it comes from the data. */
export function describePerturbation({ release }: Policy, paint: Painter): string[] {
  if (release.kind !== "tables") return [];
  const method = release.protect[0] as Perturbation;
  return [
    `${paint("bold", "Decision")}  ${title(method)}`,
    ...textTable(
      [{ title: "" }, { title: "" }],
      [
        ["tables", printable(release.tables.map(({ name }) => name).join(", "))],
        ...rows(method),
        ["agency's key", needsKey(method) ? "needed, the same for every release: --key-file" : "not needed"],
      ],
    ),
  ];
}

/** Whether noise repeats by the agency's key; the methods say so too, but would bring their solvers with them. */
function needsKey(method: Perturbation): boolean {
  if (method.method === "cell-key") return method.recordKeys.from === "contributor";
  return method.method === "rounding" && method.kind === "random" && method.repeat === "same";
}

function title(method: Perturbation): string {
  switch (method.method) {
    case "rounding":
      return `rounding: ${method.kind}${method.kind === "drb" ? "" : `, base ${method.base}`}`;
    case "cell-key":
      return `cell-key: form ${method.form}`;
    case "small-count-rounding":
      return `small-count-rounding: base ${method.base}`;
    case "tabular-adjustment":
      return `tabular-adjustment: threshold ${method.threshold}`;
  }
}

function rows(method: Perturbation): Row[] {
  switch (method.method) {
    case "rounding":
      return roundingRows(method);
    case "cell-key":
      return [
        ["numbers", noise(method)],
        ...(method.magnitudes === undefined ? [] : [["sums", noiseOnSums(method.magnitudes)] as const]),
        ["record keys", method.recordKeys.from === "column" ? "from the column with the role record-key" : "made from contributors"],
        ["totals", SEPARATE],
      ];
    case "small-count-rounding":
      return [
        ["numbers", `counts from 1 to ${method.maxRound ?? method.base - 1} become 0 or a multiple of ${method.base}; others stay`],
        ["zeros", method.zeroCandidates ? "may go up" : "stay"],
        ["totals", ADDITIVE],
      ];
    case "tabular-adjustment":
      return [
        ["numbers", `counts from 1 to ${method.threshold - 1} become 0 or at least ${method.threshold}`],
        ["other counts", `move by at most ${counted(method.maxChange ?? 2 * method.threshold, "record")}, as little as possible (${method.distance})`],
        ["zeros", method.zeros === "stay" ? "stay" : "may go up"],
        ["totals", ADDITIVE],
      ];
  }
}

const SEPARATE = "changed on their own; rows and columns need not add up";
const ADDITIVE = "sums of the numbers shown; rows and columns add up";

function roundingRows(method: Extract<Perturbation, { method: "rounding" }>): Row[] {
  switch (method.kind) {
    case "deterministic":
      return [["numbers", `the nearest multiple of ${method.base}`], ["totals", method.totals === "summed" ? ADDITIVE : SEPARATE]];
    case "midpoint":
      return [["numbers", `the middles of steps of ${method.base}`], ["totals", method.totals === "summed" ? ADDITIVE : SEPARATE]];
    case "random":
      return [
        ["numbers", `a multiple of ${method.base} next to the count, by chance`],
        ["repeated", method.repeat === "same" ? "the same cell and count give the same number" : "every release draws anew, so averages give counts away"],
        ["totals", SEPARATE],
      ];
    case "controlled":
      return [
        ["numbers", `multiples of ${method.base}, each less than ${method.base} from its count`],
        ["where impossible", method.fallback === "fail" ? "nothing is published" : `up to ${method.base} further away`],
        ["totals", ADDITIVE],
      ];
    case "drb":
      return [["numbers", '"<15", then steps that grow with the count'], ["totals", SEPARATE]];
  }
}

function noise({ table }: Extract<Perturbation, { method: "cell-key" }>): string {
  if ("design" in table) {
    const { maxPerturbation, variance, smallestShown } = table.design;
    const hidden = smallestShown <= 1 ? "" : smallestShown === 2 ? "; 1 is never shown" : `; 1 to ${smallestShown - 1} are never shown`;
    return `changed by at most ${maxPerturbation}, variance ${variance}${hidden}`;
  }
  if ("rule" in table) return "0 below 10, else the nearest multiple of 5";
  if ("file" in table) return "changed as a perturbation table from a file says";
  return "changed as the perturbation table of the policy says";
}

/** How sums are changed: by whom, and in proportion to what. */
function noiseOnSums({ weights, noise: unit, table, sensitive }: NonNullable<Extract<Perturbation, { method: "cell-key" }>["magnitudes"]>): string {
  const who = weights.length === 1 ? "the largest contributor" : `the ${weights.length} largest contributors`;
  const share = "share" in unit ? `${percent(unit.share)} of its amount` : `${percent(unit.small)} of its amount, falling to ${percent(unit.large)} for large ones`;
  const size = "design" in table ? `by at most ${counted(table.design.maxPerturbation, "unit")}, variance ${table.design.variance}` : "as a perturbation table says";
  const more = sensitive === undefined ? "" : `; ${sensitive.extra} more where the p% rule with ${sensitive.pPercent} finds a cell sensitive`;
  return `changed ${size}; a unit is ${share}, by ${who}${more}`;
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(6))}%`;
}
