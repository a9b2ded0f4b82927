import type { PerturbationMethod } from "../perturbation/method.ts";
import { checkCounts } from "./check.ts";
import { describeCellKey } from "./describe.ts";
import { magnitudeRule, magnitudeStatistics } from "./magnitude-rule.ts";
import { keyTableStatistics, largestChange } from "./key-table.ts";
import { compileTable, numberOfKeys } from "./options.ts";
import { perturbCounts } from "./perturb.ts";
import { perturbSums } from "./perturb-sums.ts";
import type { CellKey } from "./schema.ts";

export { cellKeys } from "./cell-keys.ts";
export { designPTable, LARGEST_CHANGE, type DesignedPTable, type DesignedRow, type PTableDesign } from "./design.ts";
export { keyTable, keyTableStatistics, lookUp, tenFiveRule, type KeyTable } from "./key-table.ts";
export {
  magnitudeNoise, multiplierAt, separationPoint, turnedKey, type MagnitudeCell, type MagnitudeRule, type Multiplier,
} from "./magnitude.ts";
export { magnitudeRule, magnitudeStatistics, stepRows, type MagnitudeStatistics } from "./magnitude-rule.ts";
export { compileTable, numberOfKeys, withMagnitudeTable, withTable } from "./options.ts";
export { pTableStatistics, roundPTable, type Change, type PTable, type PTableRow, type RowStatistics } from "./p-table.ts";
export { perturbWeighted } from "./perturb.ts";
export { perturbSums, type SumsRule } from "./perturb-sums.ts";
export { badRecordKey, parseRecordKey, recordKey, recordKeys } from "./record-key.ts";
export { readOnsTable, readPTable, readStepTable, writeOnsTable, writePTable, type ReadPTableOptions, type StepRow } from "./table-files.ts";

/** Publishes every count with noise that depends on who is counted; README.md says what that stops and what it does not. */
export const cellKey: PerturbationMethod<CellKey> = {
  method: "cell-key",
  needsRecordKeys: true,
  // The keyed stream itself is not used: record keys are made from it when the records are read.
  needsKey: (options) => options.recordKeys.from === "contributor",
  async perturb(input, options) {
    return perturbCounts(input, compileTable(options));
  },
  perturbSums(input, contributions, options) {
    const rule = magnitudeRule(options);
    return perturbSums(input, contributions, { rule, keys: numberOfKeys(options), pPercent: options.magnitudes?.sensitive?.pPercent });
  },
  statistics(options) {
    const table = compileTable(options);
    const rows = keyTableStatistics(table).slice(1);
    return {
      counts: {
        largestBias: Math.max(...rows.map(({ bias }) => Math.abs(bias))), varianceFrom: Math.min(...rows.map(({ variance }) => variance)),
        varianceTo: Math.max(...rows.map(({ variance }) => variance)), largestChange: largestChange(table),
      },
      ...(options.magnitudes === undefined ? {} : { sums: magnitudeStatistics(magnitudeRule(options)) }),
    };
  },
  check: (published, options) => checkCounts(published, compileTable(options)),
  describe: (options) => describeCellKey(options, compileTable(options)),
};
