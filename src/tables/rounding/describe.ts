import type { PerturbationDescription } from "../perturbation/method.ts";
import type { Rounding } from "./schema.ts";

/** Words for readers of the tables; they depend on the options alone. */
export function describeRounding(options: Rounding): PerturbationDescription {
  if (options.kind === "drb") {
    return {
      methods: [
        'Counts are rounded by size. Counts below 15 are shown as "<15", zeros among them. From 15 they are rounded to the nearest ' +
          "10, from 100 to the nearest 50, from 1,000 to the nearest 100, from 10,000 to the nearest 500, from 100,000 to the " +
          "nearest 1,000, and from a million on to four significant digits; half-way cases go to the even multiple.",
        SEPARATE,
      ],
      countMeaning: 'Number of records, rounded by size; "<15" stands for a count below 15.',
      countType: "string",
    };
  }
  const { base } = options;
  const countMeaning = {
    deterministic: `Number of records, rounded to a multiple of ${base}.`,
    midpoint: `Number of records, shown as the middle of its step of ${base}; 0 is 0.`,
    random: `Number of records, rounded at random to a multiple of ${base}.`,
    controlled: `Number of records, rounded to a multiple of ${base} so that totals add up.`,
  }[options.kind];
  return { methods: paragraphs(options), countMeaning, countType: "integer" };
}

const SEPARATE = "Totals are rounded on their own, so rows and columns need not add up; the total shown is the better number.";
const SUMMED = "Totals are the sums of the rounded finest counts, so rows and columns add up; large totals may be off by more.";

function paragraphs(options: Exclude<Rounding, { kind: "drb" }>): string[] {
  const { base } = options;
  switch (options.kind) {
    case "deterministic": {
      const half = base % 2 === 1 ? "" : options.half === "up" ? "; half-way cases go up" : "; half-way cases go to the even multiple";
      return [
        `Counts are rounded to the nearest multiple of ${base}${half}. A single count is off by at most ${Math.floor(base / 2)}.`,
        options.totals === "summed" ? SUMMED : SEPARATE,
      ];
    }
    case "midpoint":
      return [
        `Counts from 1 to ${base} are shown as ${base - Math.floor(base / 2)}, and so on in steps of ${base}; 0 is 0. ` +
          `A single count is off by at most ${Math.floor(base / 2)}.`,
        options.totals === "summed" ? SUMMED : SEPARATE,
      ];
    case "random":
      return [
        `Counts that are no multiple of ${base} are rounded up or down to one at random, the nearer the likelier, so that the ` +
          `published number is right on average. A count is off by less than ${base}; multiples of ${base}, zero among them, stay.`,
        options.repeat === "same"
          ? "The same cell with the same count is rounded the same way each time it is published."
          : "Each release is rounded anew.",
        SEPARATE,
      ];
    case "controlled":
      return [
        `Counts are rounded to multiples of ${base} chosen so that all rows and columns add up. ` +
          (options.fallback === "fail"
            ? `A count is off by less than ${base}; multiples of ${base}, zero among them, stay.`
            : `A count is off by less than ${base}, or by less than ${2 * base} where the tables do not add up otherwise; zero stays.`),
      ];
  }
}
