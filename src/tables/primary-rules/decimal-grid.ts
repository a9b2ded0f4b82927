/** Finest decimal grid tried: nine digits after the point. */
const FINEST = 1e9;
/** Sums on a grid stay below this, so that they are exact in doubles and survive division by the grid and back. */
const LARGEST_SUM = 2 ** 50;
/** How far a value may lie off its grid point, relative to itself: rounding of the sums that the values may be. */
const SLACK = 2 ** -44;

/**
 * The power of ten that makes all values integers, so that sums of decimals such as 0.1 are exact; 0 when there is none up
 * to 10^9 or when sums would outgrow 2^50.
 * Time O(values x digits).
 */
export function decimalGrid(arrays: readonly Float64Array[]): number {
  for (let grid = 1; grid <= FINEST; grid *= 10) {
    if (arrays.every((values) => fits(values, grid))) return grid;
  }
  return 0;
}

function fits(values: Float64Array, grid: number): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const scaled = values[i]! * grid;
    const off = Math.abs(scaled - Math.round(scaled));
    if (off > 1e-3 || off > Math.abs(scaled) * SLACK) return false;
    sum += Math.abs(scaled);
  }
  return sum <= LARGEST_SUM;
}

/** Values as integers of the grid; a copy. With grid 0 the values as they are. */
export function onGrid(values: Float64Array, grid: number): Float64Array {
  return grid === 0 ? values.slice() : values.map((value) => Math.round(value * grid));
}
