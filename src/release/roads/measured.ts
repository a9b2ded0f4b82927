import { measureCells } from "../../microdata/risk/index.ts";
import type { Cells } from "../../cells/index.ts";
import type { Measured } from "../classify.ts";

/** Risk of the input for the classification, from its cells over the keys. */
export function measuredRisk(cells: Cells, quasiIdentifiers: number, sensitiveColumns: number): Measured {
  const { records, smallestClass, uniques } = measureCells(cells);
  return { records, quasiIdentifiers, smallestClass, shareOfUniques: records === 0 ? 0 : uniques / records, sensitiveColumns };
}
