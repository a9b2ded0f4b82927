/**
 * numerator / denominator in whole units, rounded to the nearest, halves up; exact for all safe integers.
 * @param denominator not 0
 */
export function roundedRatio(numerator: number, times: number, denominator: number): number {
  const [n, d] = denominator < 0 ? [-numerator, -denominator] : [numerator, denominator];
  const product = n * times;
  if (Number.isSafeInteger(product) && Number.isSafeInteger(2 * d)) {
    let quotient = Math.floor(product / d);
    let rest = product - quotient * d;
    // The floor of a rounded quotient may be one off.
    if (rest < 0) {
      quotient--;
      rest += d;
    } else if (rest >= d) {
      quotient++;
      rest -= d;
    }
    if (Number.isSafeInteger(quotient * d)) return 2 * rest >= d ? quotient + 1 : quotient;
  }
  const twice = 2n * BigInt(n) * BigInt(times) + BigInt(d);
  const whole = 2n * BigInt(d);
  const quotient = twice / whole;
  return Number(twice % whole < 0n ? quotient - 1n : quotient);
}
