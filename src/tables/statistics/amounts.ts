import type { Cells } from "../../cells/cells.ts";
import { DataError } from "../../errors/index.ts";
import { sumOverInner, type TableSystem } from "../tabulate/index.ts";

/** Something that adds up over cells, in whole units of 10^-decimals, so that every sum is exact. */
export interface Amount {
  /** "count", or the measure's column. */
  readonly name: string;
  readonly decimals: number;
  /** [inner] */
  readonly inner: Float64Array;
  /** [cells] */
  readonly cells: Float64Array;
}

export function countAmount(system: TableSystem): Amount {
  return { name: "count", decimals: 0, inner: system.innerCount, cells: system.count };
}

/**
 * The sum of a measure: the sum of each inner cell is rounded to the decimals, half away from zero, and those add up.
 * @param cells those that were tabulated into `system`
 * @throws DataError `statistics/too-large` beyond 2^53 units
 */
export function measureAmount(system: TableSystem, cells: Cells, name: string, decimals: number): Amount {
  const { sum } = cells.measures.find((measure) => measure.name === name)!;
  return inUnits(system, name, decimals, addToInner(system, sum));
}

/** Records that have a value of a measure. */
export function valuesAmount(system: TableSystem, cells: Cells, name: string): Amount {
  const { values } = cells.measures.find((measure) => measure.name === name)!;
  return inUnits(system, name, 0, addToInner(system, values));
}

/** The sum of sampling weights, to six decimals. */
export function weightAmount(system: TableSystem, cells: Cells): Amount {
  return inUnits(system, "weight", 6, addToInner(system, cells.weight!));
}

function addToInner(system: TableSystem, values: Float64Array): Float64Array {
  const inner = new Float64Array(system.inner);
  for (let c = 0; c < values.length; c++) if (system.innerOf[c]! >= 0) inner[system.innerOf[c]!]! += values[c]!;
  return inner;
}

function inUnits(system: TableSystem, name: string, decimals: number, values: Float64Array): Amount {
  const scale = 10 ** decimals;
  let total = 0;
  const inner = values.map((value) => {
    const units = Math.sign(value) * Math.round(Math.abs(value) * scale);
    total += Math.abs(units);
    return units;
  });
  if (total > Number.MAX_SAFE_INTEGER) {
    throw new DataError(
      "statistics/too-large",
      `The sums of ${JSON.stringify(name)} exceed 2^53 units of 10^-${decimals}, beyond which they are not exact. Set fewer decimals for the column.`,
      { column: name, decimals },
    );
  }
  return { name, decimals, inner, cells: sumOverInner(system, inner) };
}
