import { PolicyError } from "../../errors/index.ts";
import {
  add, compare, divide, multiply, ONE, parseDecimal, rational, ZERO, type Rational,
} from "../../kernels/rational.ts";
import { rhoOfEpsilon } from "./zcdp.ts";

/**
 * What a release may spend, for all its tables together, as the policy writes it. Texts and numbers are read exactly.
 * - `rho`: rho-zCDP, for discrete Gaussian noise
 * - `epsilon` and `delta`: turned into the largest rho that satisfies them, for discrete Gaussian noise
 * - `epsilon` alone: pure differential privacy, for discrete Laplace noise
 */
export type Budget =
  | { readonly rho: string | number }
  | { readonly epsilon: string | number; readonly delta?: string | number | undefined };

export type Mechanism = "discrete-gaussian" | "discrete-laplace";

/** The budget in the one quantity that its mechanism adds up: rho for Gaussian, epsilon for Laplace. */
export interface ExactBudget {
  readonly mechanism: Mechanism;
  /** rho or epsilon. */
  readonly total: Rational;
}

/**
 * @throws PolicyError `dp/budget` when the budget does not fit the mechanism, is no positive decimal, or delta is not
 * in (0, 1)
 */
export function exactBudget(mechanism: Mechanism, budget: Budget): ExactBudget {
  if ("rho" in budget) {
    if ("epsilon" in budget) throw budgetError("The budget gives both rho and epsilon; keep one of them.");
    if (mechanism !== "discrete-gaussian") {
      throw budgetError(
        "Discrete Laplace noise is accounted in epsilon, but the budget gives rho. Give epsilon, or choose " +
          "discrete-gaussian.",
      );
    }
    return { mechanism, total: positive("rho", budget.rho) };
  }
  const epsilon = positive("epsilon", budget.epsilon);
  if (mechanism === "discrete-laplace") {
    if (budget.delta !== undefined) {
      throw budgetError(
        "Discrete Laplace noise needs no delta: it spends epsilon alone. Remove delta, or choose " +
          "discrete-gaussian.",
      );
    }
    return { mechanism, total: epsilon };
  }
  if (budget.delta === undefined) {
    throw budgetError(
      "Discrete Gaussian noise cannot meet epsilon alone. Give rho, or epsilon together with delta, or choose " +
        "discrete-laplace.",
    );
  }
  const delta = positive("delta", budget.delta);
  if (compare(delta, ONE) >= 0) {
    throw budgetError("delta must be below 1; a usual choice is far below 1 over the number of people.");
  }
  try {
    return { mechanism, total: rhoOfEpsilon(epsilon, delta) };
  } catch {
    throw budgetError("No noise meets this epsilon and delta; raise one of them.");
  }
}

/**
 * Cut a budget into parts, one per table. Shares are weights: any positive decimals, each table gets its share of their
 * sum, and the parts add up to the total exactly. Without shares all tables get the same.
 */
export function splitBudget(total: Rational, shares: readonly (string | number | undefined)[]): Rational[] {
  const given = shares.filter((share) => share !== undefined).length;
  if (given !== 0 && given !== shares.length) {
    throw budgetError(
      `${given} of ${shares.length} tables state a share of the budget. State it for all of them or for none.`,
    );
  }
  const weights = shares.map((share) => (share === undefined ? ONE : positive("share", share)));
  const sum = sumOf(weights);
  return weights.map((weight) => multiply(total, divide(weight, sum)));
}

/** Losses add up under both measures: rho-zCDP (Bun, Steinke 2016, Lemma 1.7) and pure epsilon. Exact. */
export function sumOf(losses: readonly Rational[]): Rational {
  return losses.reduce(add, ZERO);
}

/**
 * sigmaSquared of discrete Gaussian noise on every count of one table that makes the table rho-zCDP for add or remove one
 * contributor. A contributor with at most m records moves the counts by at most m in L2 norm (all m in one cell), so
 * rho = m^2 / (2 sigmaSquared). Exact, no rounding. Source: Canonne, Kamath, Steinke (2020), Theorem 4.
 */
export function sigmaSquaredFor(rho: Rational, maxRecordsPerContributor: number): Rational {
  const m = rational(maxRecordsPerContributor);
  return divide(multiply(m, m), multiply(rational(2n), rho));
}

/** Inverse of `sigmaSquaredFor`: what one table with this noise spends. */
export function rhoOfSigmaSquared(sigmaSquared: Rational, maxRecordsPerContributor: number): Rational {
  return sigmaSquaredFor(sigmaSquared, maxRecordsPerContributor); // the relation is its own inverse
}

/**
 * Scale of discrete Laplace noise for epsilon: the counts move by at most m in L1 norm, so scale = m / epsilon. Exact.
 */
export function scaleFor(epsilon: Rational, maxRecordsPerContributor: number): Rational {
  return divide(rational(maxRecordsPerContributor), epsilon);
}

/** Inverse of `scaleFor`: what one table with this noise spends. */
export function epsilonOfScale(scale: Rational, maxRecordsPerContributor: number): Rational {
  return divide(rational(maxRecordsPerContributor), scale);
}

function positive(name: string, text: string | number): Rational {
  let value: Rational;
  try {
    value = parseDecimal(text);
  } catch {
    throw budgetError(`${name} must be a decimal number with at most 60 digits, such as 0.25.`);
  }
  if (value.numerator <= 0n) throw budgetError(`${name} must be above 0.`);
  return value;
}

function budgetError(message: string): PolicyError {
  return new PolicyError("dp/budget", message);
}
