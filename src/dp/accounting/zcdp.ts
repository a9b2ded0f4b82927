import { compare, exactly, toNumberDown, toNumberUp, rational, type Rational } from "../../kernels/rational.ts";

/**
 * From zero-concentrated differential privacy (rho-zCDP) to (epsilon, delta) and back.
 * Every statement about loss is rounded up, every permission rounded down. Adjacency throughout this room: two inputs are
 * neighbours when one holds all the records of one more contributor than the other (add or remove one contributor).
 */

/**
 * Rounding in the sums below: each term carries an error of a few units in the last place of a double (2^-52), so 2^-46
 * of the sum of their sizes covers it with room to spare.
 */
const ROUNDING = 2 ** -46;

/**
 * Epsilon implied at one order by a bound on the Renyi divergence of that order, rounded up.
 * epsilon = divergence + ln(1 - 1/order) + ln(1 / (order delta)) / (order - 1); any order above 1 gives a valid epsilon.
 * Source: Canonne, Kamath, Steinke (2020), Proposition 12 with Corollary 13.
 */
export function epsilonAtOrder(divergence: number, order: number, delta: number): number {
  const logOrder = Math.log(order);
  const logDelta = Math.log(delta);
  const gain = -Math.log1p(1 / (order - 1)); // ln(1 - 1/order) without cancellation near order 1
  const price = -(logOrder + logDelta) / (order - 1);
  const size = Math.abs(divergence) + Math.abs(gain) + (Math.abs(logOrder) + Math.abs(logDelta)) / (order - 1);
  return divergence + gain + price + ROUNDING * size;
}

/**
 * Smallest epsilon we can show for a rho-zCDP mechanism at this delta, rounded up; 0 where the bound is negative.
 * The order is optimised: at the best one rho (order - 1)^2 + ln(order) = ln(1 / delta), which has a single root.
 *
 * @throws RangeError unless rho >= 0 and 0 < delta < 1
 */
export function epsilonOfRho(rho: Rational, delta: Rational): number {
  const up = toNumberUp(rho);
  const down = checkedDelta(delta);
  if (!(up >= 0)) throw new RangeError("rho must not be negative.");
  if (up === 0) return 0;
  const target = -Math.log(down);
  let low = 0; // of order - 1
  let high = Math.min(Math.sqrt(target / up), 2 ** 500); // finite also for the smallest rho
  for (let i = 0; i < 200 && low < high; i++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (up * middle * middle + Math.log1p(middle) < target) low = middle;
    else high = middle;
  }
  // An order that is off only makes the bound larger, never wrong; but it must be above 1 as a double.
  const order = Math.max(1 + high, 1 + 2 ** -40);
  const tight = epsilonAtOrder(up * order * (1 + ROUNDING), order, down);
  return Math.max(0, Math.min(tight, simpleEpsilonOfRho(rho, delta)));
}

/**
 * rho + 2 sqrt(rho ln(1 / delta)), rounded up. Source: Bun, Steinke (2016), Proposition 1.3; never below the tight
 * bound.
 */
export function simpleEpsilonOfRho(rho: Rational, delta: Rational): number {
  const up = toNumberUp(rho);
  return (up + 2 * Math.sqrt(up * -Math.log(checkedDelta(delta)))) * (1 + ROUNDING);
}

/**
 * Smallest delta we can show for a rho-zCDP mechanism at this epsilon, rounded up; at most 1.
 * delta = exp((a - 1)(a rho - epsilon)) (1 - 1/a)^a / (a - 1), smallest over a > 1.
 * Source: Canonne, Kamath, Steinke (2020), Proposition 7.
 */
export function deltaOfRho(rho: Rational, epsilon: number): number {
  const up = toNumberUp(rho);
  if (!(up >= 0) || !(epsilon >= 0)) throw new RangeError("rho and epsilon must not be negative.");
  if (up === 0) return 0;
  // The derivative (2a - 1) rho - epsilon + ln(1 - 1/a) grows with a and has one root.
  let low = 0;
  let high = 1;
  // x = a - 1, and ln(1 - 1/a) = -ln(1 + 1/x)
  const slope = (x: number): number => (2 * x + 1) * up - epsilon - Math.log1p(1 / x);
  while (slope(high) < 0 && high < 2 ** 60) high *= 2;
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (slope(middle) < 0) low = middle;
    else high = middle;
  }
  const x = Math.max(high, 2 ** -40);
  const a = 1 + x;
  const terms = [x * a * up, -x * epsilon, -Math.log(x), -a * Math.log1p(1 / x)];
  const size = terms.reduce((sum, term) => sum + Math.abs(term), 0);
  const logDelta = terms.reduce((sum, term) => sum + term, 0) + ROUNDING * size;
  return Math.min(1, Math.exp(logDelta) * (1 + ROUNDING));
}

const RHO_DIGITS = 1_000n;

/**
 * Largest rho, cut down to about four significant digits, whose (epsilon, delta) at this delta does not exceed epsilon.
 * The cut keeps the noise scale a short fraction; it costs less than 0.1 % of the budget.
 *
 * @throws RangeError unless epsilon > 0 and 0 < delta < 1
 */
export function rhoOfEpsilon(epsilon: Rational, delta: Rational): Rational {
  const allowed = toNumberDown(epsilon);
  checkedDelta(delta);
  if (!(allowed > 0)) throw new RangeError("epsilon must be positive.");
  let low = 0;
  let high = allowed; // epsilon of rho exceeds rho - 1 at least; widened below until it is too much
  while (epsilonOfRho(exactly(high), delta) <= allowed) high *= 2;
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (epsilonOfRho(exactly(middle), delta) <= allowed) low = middle;
    else high = middle;
  }
  const limit = exactly(low);
  let unit = 1n; // 1 / unit is the place of the last digit kept
  while (limit.numerator * unit < RHO_DIGITS * limit.denominator) unit *= 10n;
  let digits = (limit.numerator * unit) / limit.denominator;
  while (digits > 0n && epsilonOfRho(rational(digits, unit), delta) > allowed) digits -= 1n;
  if (digits === 0n) throw new RangeError("No positive rho fits this epsilon and delta.");
  return rational(digits, unit);
}

function checkedDelta(delta: Rational): number {
  const down = toNumberDown(delta);
  if (!(down > 0) || compare(delta, rational(1n)) >= 0) {
    throw new RangeError("delta must lie between 0 and 1, both excluded.");
  }
  return down;
}
