import type { Cells } from "../../cells/cells.ts";
import { belowK, classRisk, type ClassRisk } from "../risk/class-sizes.ts";

/** What k-anonymity asks of data, and how far they are from it. Plain JSON. */
export interface KAnonymityMeasure extends ClassRisk {
  readonly k: number;
  /** Whether every record shares its key values with at least k - 1 others. Holds without records. */
  readonly pass: boolean;
  /** Records in classes smaller than k. */
  readonly recordsAtRisk: number;
  /** Classes smaller than k. */
  readonly smallClasses: number;
}

/** Measure cells over the keys: each cell is a class. */
export function measureKAnonymity(cells: Cells, k: number): KAnonymityMeasure {
  return measureClassSizes(cells.records, k);
}

/** Measure sizes of classes, in any order. */
export function measureClassSizes(sizes: ArrayLike<number>, k: number): KAnonymityMeasure {
  const risk = classRisk(sizes);
  const below = belowK(risk, k);
  return { k, pass: below.records === 0, recordsAtRisk: below.records, smallClasses: below.classes, ...risk };
}
