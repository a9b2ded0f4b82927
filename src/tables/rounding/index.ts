import type { PerturbationMethod } from "../perturbation/method.ts";
import { sumOverInner } from "../tabulate/index.ts";
import { checkRounded } from "./check.ts";
import { roundControlled } from "./controlled.ts";
import { describeRounding } from "./describe.ts";
import { roundAtRandom } from "./random.ts";
import { DRB_FLOOR, roundedAlone } from "./scalar.ts";
import type { Rounding } from "./schema.ts";
import { roundingStatistics } from "./statistics.ts";

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
        return options.totals === "summed"
          ? sumOverInner(input.system, input.system.innerCount.map((count) => roundedAlone(count, options)))
          : input.system.count.map((count) => roundedAlone(count, options));
    }
  },
  statistics: roundingStatistics,
  check: checkRounded,
  describe: describeRounding,
  format(value, options) {
    return options.kind === "drb" && value === 0 ? `<${DRB_FLOOR}` : String(value);
  },
};
