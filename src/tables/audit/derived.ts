import { parseDecimal } from "../../kernels/rational.ts";
import { PolicyError } from "../../errors/index.ts";
import type { ConstraintBuilder } from "./linear-attack.ts";

/** A cell of the attack, or a number that everybody knows, such as a population. */
export type CellOrKnown = { readonly cell: number } | { readonly known: number };

/**
 * What a printed percentage, rate or mean tells: `scale * numerator / denominator` rounds to what is printed. Both ends of the
 * rounding interval count, since nobody says which way halves go. Adds one row where the denominator is known, else two.
 *
 * @param scale   100 for a percentage, 100,000 for a rate per 100,000, 1 for a mean
 * @param printed as printed, digits included: "12.30" is within 0.005, "12.3" within 0.05
 * @throws PolicyError `audit/printed` when the text is no plain decimal or numbers grow beyond 2^53
 */
export function shareConstraint(
  into: ConstraintBuilder,
  numerator: CellOrKnown,
  denominator: CellOrKnown,
  printed: string,
  scale: number,
): void {
  const text = /^\s*[+-]?(\d*)(?:\.(\d*))?\s*$/.exec(printed);
  if (text === null || (text[1] ?? "").length + (text[2] ?? "").length === 0 || !Number.isSafeInteger(scale) || scale < 1) {
    throw new PolicyError("audit/printed", "A printed share is a plain decimal such as 12.5, and its scale a whole number of at least 1.");
  }
  const unit = 10n ** BigInt((text[2] ?? "").length);
  const { numerator: n, denominator: d } = parseDecimal(printed.trim());
  const printedUnits = (n * unit) / d; // exact: the text has that many decimals
  // |scale * N / D - printed| <= half a unit, times 2 * unit * D:
  const factor = 2n * unit * BigInt(scale);
  const least = 2n * printedUnits - 1n;
  const most = 2n * printedUnits + 1n;
  if ("known" in denominator) {
    const total = BigInt(denominator.known);
    if (total <= 0n) throw new PolicyError("audit/printed", "A share needs a denominator above 0.");
    const low = -floorDivide(-least * total, factor);
    const high = floorDivide(most * total, factor);
    if ("known" in numerator) return into.add([], Number(low) - numerator.known, Number(high) - numerator.known);
    return into.add([[numerator.cell, 1]], checked(low), checked(high));
  }
  add(least, "low");
  add(most, "high");

  /** factor * N - bound * D is at least, or at most, 0. */
  function add(bound: bigint, side: "low" | "high"): void {
    const common = greatestCommonDivisor(factor, bound < 0n ? -bound : bound);
    const terms: [number, number][] = [[(denominator as { readonly cell: number }).cell, checked(-bound / common)]];
    let known = 0n;
    if ("known" in numerator) known = (factor / common) * BigInt(numerator.known);
    else terms.push([numerator.cell, checked(factor / common)]);
    if (side === "low") into.add(terms, checked(-known), Infinity);
    else into.add(terms, -Infinity, checked(-known));
  }
}

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

function checked(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new PolicyError("audit/printed", "A printed share with so many digits leads to numbers beyond 2^53. Give fewer digits.");
  }
  return number;
}
