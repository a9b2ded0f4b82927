/** The one text of each value, whatever format it comes from (see Source). */

/**
 * Shortest text that reads back as the same double; -0 is "0"; "NaN", "Infinity", "-Infinity" for the caller to refuse.
 */
export function doubleText(value: number): string {
  return value === 0 ? "0" : String(value);
}

/**
 * Shortest text that reads back as the same single-precision number. Each candidate is the nearest with that many
 * digits.
 */
export function singleText(value: number): string {
  if (!Number.isFinite(value) || Number.isInteger(value)) return doubleText(value);
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return String(candidate);
  }
  return String(Number(value.toPrecision(9)));
}

/** Value of IEEE half-precision bits. */
export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Shortest text that reads back as the same half-precision number. */
export function halfText(bits: number): string {
  const value = halfValue(bits);
  if (!Number.isFinite(value) || Number.isInteger(value)) return doubleText(value);
  // Magnitude bits order the values, so the neighbours of a number that is not whole are one bit pattern away.
  const magnitude = bits & 0x7fff;
  const below = (halfValue(magnitude) - halfValue(magnitude - 1)) / 2;
  const above = (halfValue(magnitude + 1) - halfValue(magnitude)) / 2;
  const absolute = Math.abs(value);
  for (let digits = 1; digits < 5; digits++) {
    const candidate = Number(absolute.toPrecision(digits));
    const distance = candidate - absolute;
    // On the midpoint itself reading rounds to the even pattern; leave that to more digits.
    if (distance > -below && distance < above) return String(Math.sign(value) * candidate);
  }
  return String(value);
}

/**
 * "YYYY-MM-DD"; years outside 0 to 9999 have a sign and at least six digits (ISO 8601 expanded). Exact for |days| <
 * 2^47.
 */
export function dateText(epochDay: number): string {
  // Days to civil date on the proleptic Gregorian calendar, in 400-year cycles that start on 1 March of year 0.
  const shifted = epochDay + 719_468;
  const cycle = Math.floor(shifted / 146_097);
  const dayOfCycle = shifted - cycle * 146_097;
  const yearOfCycle = Math.floor(
    (dayOfCycle - Math.floor(dayOfCycle / 1460) + Math.floor(dayOfCycle / 36_524) -
      Math.floor(dayOfCycle / 146_096)) / 365,
  );
  const dayOfYear = dayOfCycle - (365 * yearOfCycle + Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0);
  return `${yearText(year)}-${padded(month, 2)}-${padded(day, 2)}`;
}

/** Decimal digits of the fraction of a second that a unit has. */
export type SecondDigits = 0 | 3 | 6 | 9;

const UNITS_PER_DAY = { 0: 86_400n, 3: 86_400_000n, 6: 86_400_000_000n, 9: 86_400_000_000_000n } as const;

/**
 * ISO 8601 text of a count of units since 1970-01-01T00:00:00, exact for every 64-bit count. The fraction has 0, 3, 6
 * or 9 digits, as few as hold it. Ends in Z when `zoned` (an instant), has no zone otherwise (a wall-clock reading).
 */
export function timestampText(count: bigint, digits: SecondDigits, zoned: boolean): string {
  const perDay = UNITS_PER_DAY[digits];
  let days = count / perDay;
  if (days * perDay > count) days -= 1n; // round down before 1970
  const ofDay = Number(count - days * perDay);
  const perSecond = 10 ** digits;
  const second = Math.floor(ofDay / perSecond);
  let fraction = padded(ofDay - second * perSecond, digits || 1);
  if (digits === 0) fraction = "";
  while (fraction.endsWith("000")) fraction = fraction.slice(0, -3);
  const parts = [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60];
  const time = parts.map((part) => padded(part, 2)).join(":");
  return `${dateText(Number(days))}T${time}${fraction === "" ? "" : `.${fraction}`}${zoned ? "Z" : ""}`;
}

/** Exact text of `unscaled` x 10^-scale; keeps the scale's trailing zeros, as the type states them. */
export function decimalText(unscaled: bigint, scale: number): string {
  const negative = unscaled < 0n;
  let digits = (negative ? -unscaled : unscaled).toString();
  if (scale < 0) {
    if (unscaled !== 0n) digits += "0".repeat(-scale);
  } else if (scale > 0) {
    digits = digits.padStart(scale + 1, "0");
    digits = `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  }
  return negative ? `-${digits}` : digits;
}

function padded(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

function yearText(year: number): string {
  if (year >= 0 && year <= 9999) return padded(year, 4);
  return `${year < 0 ? "-" : "+"}${padded(Math.abs(year), 6)}`;
}
