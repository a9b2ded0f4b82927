import type { Cells } from "../../cells/cells.ts";
import { classRisk, type ClassRisk } from "./class-sizes.ts";

const measured = new WeakMap<Cells, ClassRisk>();

/** Risk of the records that the cells count, each cell a class; a record with frequency f counts as f records. */
export function measureCells(cells: Cells): ClassRisk {
  let risk = measured.get(cells);
  if (risk === undefined) measured.set(cells, (risk = classRisk(cells.records)));
  return risk;
}

export { equivalenceClassSizes, riskMeasures, type KeysOption } from "./memory.ts";
export { belowK, classRisk, type ClassRisk, type ClassSizeCount } from "./class-sizes.ts";
