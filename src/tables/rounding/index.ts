import type { PerturbationInput, PerturbationMethod } from "../perturbation/method.ts";
import { checkRounded } from "./check.ts";
import { roundControlled } from "./controlled.ts";
import { describeRounding } from "./describe.ts";
import { roundAtRandom } from "./random.ts";
import { DRB_FLOOR, roundedAlone } from "./scalar.ts";
import type { Rounding } from "./schema.ts";

export { roundingStatistics, type RemainderStatistics, type RoundingStatistics } from "./statistics.ts";

/** Publishes every count as a rounded number; README.md says what each kind stops and what it does not. */
export const rounding: PerturbationMethod<Rounding> = {
  method: "rounding",
  needsRecordKeys: false,
  needsKey: (options) => options.kind === "random" && options.repeat === "same",
  async perturb(input, options) {
    switch (options.kind) {
      case "random":
        return roundAtRandom(input, options.base, options.repeat);
      case "controlled":
        return roundControlled(input, options);
      case "drb":
        return input.system.count.map((count) => roundedAlone(count, options));
      case "deterministic":
      case "midpoint":
        return options.totals === "summed" ? summed(input, options) : input.system.count.map((count) => roundedAlone(count, options));
    }
  },
  check: checkRounded,
  describe: describeRounding,
  format(value, options) {
    return options.kind === "drb" && value === 0 ? `<${DRB_FLOOR}` : String(value);
  },
};

/** [cells] sums of the rounded inner cells. */
function summed({ system }: PerturbationInput, options: Extract<Rounding, { kind: "deterministic" | "midpoint" }>): Float64Array {
  const { cells, starts, rows, innerCount } = system;
  const inner = innerCount.map((count) => roundedAlone(count, options));
  const values = new Float64Array(cells);
  for (let c = 0; c < cells; c++) {
    let sum = 0;
    for (let at = starts[c]!; at < starts[c + 1]!; at++) sum += inner[rows[at]!]!;
    values[c] = sum;
  }
  return values;
}
