import { dateText, decimalText, doubleText, halfText, singleText, timestampText } from "../canonical-text.ts";
import type { ArrowType } from "./types.ts";

/** Bytes of one value of a fixed-width type; 0 for booleans (bits) and types without values of their own. */
export function valueBytes(type: ArrowType): number {
  switch (type.kind) {
    case "int":
    case "float":
    case "decimal":
      return type.bits >> 3;
    case "date":
      return type.unit === "day" ? 4 : 8;
    case "timestamp":
      return 8;
    case "dictionary":
      return type.index.bits >> 3;
    default:
      return 0;
  }
}

/**
 * Canonical text of a value of at most 64 bits, given as its low and high signed halves (narrower integers are extended
 * by their sign, other types have high = 0). Returns "" for what must be refused; see `refusalOf`.
 *
 * @param allowed texts of numbers that are not finite but declared as null
 */
export function textOfBits(type: ArrowType, allowed: ReadonlySet<string>): (low: number, high: number) => string {
  const scratch = new DataView(new ArrayBuffer(8));
  switch (type.kind) {
    case "bool":
      return (low) => (low ? "true" : "false");
    case "int":
      if (type.bits === 64) return (low, high) => int64(low, high, type.signed).toString();
      return (low) => String(type.signed ? low : low >>> 0);
    case "float": {
      const finite = (value: number, text: string): string => (Number.isFinite(value) || allowed.has(text) ? text : "");
      if (type.bits === 16) {
        return (low) => {
          const text = halfText(low);
          return (low & 0x7c00) !== 0x7c00 || allowed.has(text) ? text : "";
        };
      }
      if (type.bits === 32) {
        return (low) => {
          scratch.setInt32(0, low, true);
          const value = scratch.getFloat32(0, true);
          return finite(value, singleText(value));
        };
      }
      return (low, high) => {
        scratch.setInt32(0, low, true);
        scratch.setInt32(4, high, true);
        const value = scratch.getFloat64(0, true);
        return finite(value, doubleText(value));
      };
    }
    case "decimal":
      return (low, high) => textOfDecimal(type.bits === 32 ? BigInt(low) : int64(low, high, true), type);
    case "date":
      if (type.unit === "day") return (low) => dateText(low);
      return (low, high) => {
        const milliseconds = int64(low, high, true);
        return milliseconds % 86_400_000n === 0n ? dateText(Number(milliseconds / 86_400_000n)) : "";
      };
    case "timestamp":
      return (low, high) => timestampText(int64(low, high, true), type.digits, type.zoned);
    default:
      return () => "";
  }
}

/** Text of a decimal, or "" when it has more digits than its type declares. */
export function textOfDecimal(unscaled: bigint, type: ArrowType & { kind: "decimal" }): string {
  const limit = 10n ** BigInt(type.precision);
  return unscaled < limit && unscaled > -limit ? decimalText(unscaled, type.scale) : "";
}

/** Value of the words of a decimal, lowest first. */
export function wideInteger(words: Int32Array, at: number, count: number): bigint {
  let value = BigInt(words[at + count - 1]!);
  for (let i = count - 2; i >= 0; i--) value = (value << 32n) | BigInt(words[at + i]! >>> 0);
  return value;
}

/** Why a value of this type has no text: what it is, and what to do. */
export function refusalOf(type: ArrowType): { code: string; found: string; advice: string } {
  switch (type.kind) {
    case "float":
      return { code: "not-finite", found: "a number that is not finite (NaN or infinite)",
        advice: 'Declare it under nulls (such as "NaN") or clean the data' };
    case "date":
      return { code: "not-a-whole-day", found: "a date that is not a whole day", advice: "Write the column as a " +
        "timestamp" };
    default:
      return { code: "too-many-digits", found: "a decimal with more digits than its type declares",
        advice: "The file is damaged or its writer is wrong; write it again" };
  }
}

function int64(low: number, high: number, signed: boolean): bigint {
  return (BigInt(signed ? high : high >>> 0) << 32n) | BigInt(low >>> 0);
}
