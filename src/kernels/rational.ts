/**
 * Exact rational numbers: integer over positive integer, in lowest terms. Used where a decision or a guarantee must not
 * depend on floating point: privacy budgets, noise scales, shares. A kernel knows no error classes of ours; it throws
 * RangeError, which whoever reads the policy turns into a PolicyError.
 */
export interface Rational {
  readonly numerator: bigint;
  /** Always positive. */
  readonly denominator: bigint;
}

export const ZERO: Rational = { numerator: 0n, denominator: 1n };
export const ONE: Rational = { numerator: 1n, denominator: 1n };

/** numerator / denominator in lowest terms. @throws RangeError when the denominator is zero. */
export function rational(numerator: bigint | number, denominator: bigint | number = 1n): Rational {
  let n = BigInt(numerator);
  let d = BigInt(denominator);
  if (d === 0n) throw new RangeError("A rational number needs a denominator other than zero.");
  if (d < 0n) [n, d] = [-n, -d];
  const divisor = greatestCommonDivisor(n < 0n ? -n : n, d);
  return { numerator: n / divisor, denominator: d / divisor };
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

const DECIMAL = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,4}))?$/;
const MAX_DIGITS = 60;
const MAX_EXPONENT = 300;

/**
 * The number that a decimal text names, exactly: "0.1" is 1/10. A number is read through its shortest decimal text, so
 * that 0.1 in JSON means 1/10 and not the double beside it.
 *
 * @throws RangeError when the text is no plain decimal, has more than 60 digits or an exponent beyond 300
 */
export function parseDecimal(text: string | number): Rational {
  const match = DECIMAL.exec(String(text));
  const whole = match?.[2] ?? "";
  const fraction = match?.[3] ?? "";
  if (match === null || whole.length + fraction.length === 0) {
    throw new RangeError(
      "Not a decimal number; expected digits with an optional point and exponent, such as 0.25 or 1e-10.",
    );
  }
  const exponent = Number(match[4] ?? 0) - fraction.length;
  if (whole.length + fraction.length > MAX_DIGITS || Math.abs(exponent) > MAX_EXPONENT) {
    throw new RangeError(
      `A decimal number may have at most ${MAX_DIGITS} digits and an exponent within ±${MAX_EXPONENT}.`,
    );
  }
  const digits = BigInt(match[1] + whole + fraction);
  return exponent < 0 ? rational(digits, 10n ** BigInt(-exponent)) : rational(digits * 10n ** BigInt(exponent));
}

/** "15625/3858", or "3" for an integer: the form that plans are saved in. */
export function formatRational(value: Rational): string {
  return value.denominator === 1n ? `${value.numerator}` : `${value.numerator}/${value.denominator}`;
}

/** Inverse of `formatRational`; plain decimals are read too. @throws RangeError when the text is neither. */
export function parseRational(text: string): Rational {
  const slash = text.indexOf("/");
  if (slash < 0) return parseDecimal(text);
  if (!/^-?\d{1,400}\/\d{1,400}$/.test(text)) throw new RangeError("Not a fraction; expected integer/integer.");
  return rational(BigInt(text.slice(0, slash)), BigInt(text.slice(slash + 1)));
}

export function add(a: Rational, b: Rational): Rational {
  return rational(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator);
}

export function multiply(a: Rational, b: Rational): Rational {
  return rational(a.numerator * b.numerator, a.denominator * b.denominator);
}

/** @throws RangeError when b is zero */
export function divide(a: Rational, b: Rational): Rational {
  return rational(a.numerator * b.denominator, a.denominator * b.numerator);
}

/** Negative, zero or positive as a < b, a = b, a > b. */
export function compare(a: Rational, b: Rational): number {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Largest integer whose square is at most n. @throws RangeError when n is negative */
export function integerSquareRoot(n: bigint): bigint {
  if (n < 0n) throw new RangeError("A negative integer has no square root.");
  if (n < 2n) return n;
  // Newton from above: any start >= the root decreases until it reaches the floor.
  let root = 1n << BigInt((n.toString(16).length * 4 + 1) >> 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** Smallest double that is at least the value. */
export function toNumberUp(value: Rational): number {
  const near = nearbyNumber(value);
  if (near === -Infinity) return -Number.MAX_VALUE;
  return near === Infinity || compare(exactly(near), value) >= 0 ? near : neighbour(near, 1);
}

/** Largest double that is at most the value. */
export function toNumberDown(value: Rational): number {
  const { numerator, denominator } = value;
  return -toNumberUp({ numerator: -numerator, denominator });
}

/** A double within one unit in the last place of the value; never below the next lower double of it. */
function nearbyNumber({ numerator, denominator }: Rational): number {
  if (numerator === 0n) return 0;
  const negative = numerator < 0n;
  const size = negative ? -numerator : numerator;
  // A quotient of about 64 bits, rounded down; Number() rounds it to the nearest double.
  const shift = 64 - 4 * (size.toString(16).length - denominator.toString(16).length);
  const quotient = shift >= 0 ? (size << BigInt(shift)) / denominator : size / (denominator << BigInt(-shift));
  let near = Number(quotient);
  // 2 ** -shift can leave the range of doubles although the result does not, hence two steps.
  near = near * 2 ** -Math.trunc(shift / 2) * 2 ** -(shift - Math.trunc(shift / 2));
  near = negative ? -near : near;
  if (!Number.isFinite(near)) return near;
  // Step down while the lower neighbour would do as well, so that rounding up gives the smallest double.
  while (compare(exactly(near), { numerator, denominator }) > 0) {
    const lower = neighbour(near, -1);
    if (compare(exactly(lower), { numerator, denominator }) < 0) break;
    near = lower;
  }
  return near;
}

/** The value of a finite double, exactly. */
export function exactly(value: number): Rational {
  if (!Number.isFinite(value)) throw new RangeError("Only a finite number has an exact rational value.");
  let exponent = 0;
  let mantissa = value;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    exponent++;
  }
  return rational(BigInt(mantissa), 1n << BigInt(exponent));
}

const asDouble = new Float64Array(1);
const asBits = new BigInt64Array(asDouble.buffer);

/** The next double in the given direction. */
function neighbour(value: number, direction: 1 | -1): number {
  if (value === 0) return direction * Number.MIN_VALUE;
  asDouble[0] = value;
  asBits[0] = asBits[0]! + (value > 0 === direction > 0 ? 1n : -1n);
  return asDouble[0];
}

/** The value with `decimals` digits after the point, rounded up; for statements that must not promise too much. */
export function toDecimalUp(value: Rational, decimals: number): string {
  const scale = 10n ** BigInt(decimals);
  const scaled = value.numerator * scale;
  let units = scaled / value.denominator; // rounds toward zero
  if (scaled > 0n && units * value.denominator !== scaled) units += 1n;
  const negative = units < 0n;
  const digits = (negative ? -units : units).toString().padStart(decimals + 1, "0");
  const point = digits.length - decimals;
  return (negative ? "-" : "") + digits.slice(0, point) + (decimals > 0 ? "." + digits.slice(point) : "");
}
