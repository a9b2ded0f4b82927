/** A decimal number as it was written: units x 10^-decimals, exactly. */
export interface Decimal {
  readonly units: bigint;
  readonly decimals: number;
}

const SHAPE = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/** Read a decimal number, such as -12.50 or 1e-7; undefined for anything else. Zeros at the end are left out. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = SHAPE.exec(text);
  if (match === null) return undefined;
  const fraction = match[3] === undefined ? "" : match[3].replace(/0+$/, "");
  let units = BigInt(match[1]! + match[2]! + fraction);
  let decimals = fraction.length - (match[4] === undefined ? 0 : Number(match[4]));
  if (decimals < 0) {
    units *= 10n ** BigInt(-decimals);
    decimals = 0;
  }
  while (decimals > 0 && units % 10n === 0n) {
    units /= 10n;
    decimals--;
  }
  return { units, decimals };
}

/** Units at a finer scale. `decimals` is at least that of the value. */
export function rescaled(value: Decimal, decimals: number): bigint {
  return decimals === value.decimals ? value.units : value.units * 10n ** BigInt(decimals - value.decimals);
}

/** The number units x 10^-decimals with `shown` decimals, at least as many as it needs. */
export function decimalText(units: bigint, decimals: number, shown: number): string {
  const negative = units < 0n;
  const digits = (negative ? -units : units).toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).padEnd(shown, "0").slice(0, shown);
  return `${negative ? "-" : ""}${whole}${shown > 0 ? `.${fraction}` : ""}`;
}

/** Largest integer not above a / b, for b > 0; BigInt division alone rounds towards zero. */
export function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a < 0n && quotient * b !== a ? quotient - 1n : quotient;
}
