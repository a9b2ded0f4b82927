const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;

/** A text that is no decimal number, or one beyond the range of a double. */
export const NOT_A_NUMBER = "not-a-number";
/** A decimal that no double stands for: reading it would change it. */
export const INEXACT = "inexact-number";

/**
 * The double that a decimal text denotes, or why there is none. A text is exact when the shortest decimal that identifies
 * the double is the same number: always so up to 15 significant digits, not for 9007199254740993 or 0.10000000000000001.
 * Negative zero gives zero. Spaces, thousands separators, hexadecimal, "NaN" and "Infinity" are no decimals.
 */
export function exactDecimal(text: string): number | typeof NOT_A_NUMBER | typeof INEXACT {
  const written = normalized(text);
  if (written === undefined) return NOT_A_NUMBER;
  const value = Number(text);
  if (!Number.isFinite(value)) return NOT_A_NUMBER;
  const held = normalized(String(value));
  return held === written ? value + 0 : INEXACT;
}

/** Sign, digits without zeros at either end, and the power of ten of the first digit; equal for equal decimals. */
function normalized(text: string): string | undefined {
  const parts = DECIMAL.exec(text);
  if (parts === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = parts;
  const digits = whole + fraction;
  if (digits.length === 0) return undefined;
  let from = 0;
  while (from < digits.length && digits[from] === "0") from++;
  if (from === digits.length) return "0";
  let to = digits.length;
  while (digits[to - 1] === "0") to--;
  return `${sign === "-" ? "-" : ""}${digits.slice(from, to)}e${whole.length - from + Number(exponent)}`;
}
