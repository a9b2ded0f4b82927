import type { PhysicalType } from "../source.ts";
import type { SecondDigits } from "../canonical-text.ts";

/** What this library reads of Arrow's types. Everything else keeps its name, for the message that refuses it. */
export type ArrowType =
  | { readonly kind: "null" }
  | { readonly kind: "bool" }
  | { readonly kind: "int"; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly kind: "float"; readonly bits: 16 | 32 | 64 }
  | { readonly kind: "utf8"; readonly large: boolean }
  | { readonly kind: "decimal"; readonly bits: 32 | 64 | 128 | 256; readonly precision: number; readonly scale: number }
  | { readonly kind: "date"; readonly unit: "day" | "millisecond" }
  | { readonly kind: "timestamp"; readonly digits: SecondDigits; readonly zoned: boolean }
  | { readonly kind: "dictionary"; readonly index: IndexType; readonly value: ArrowType }
  | { readonly kind: "unsupported"; readonly name: string };

export interface IndexType {
  readonly bits: 8 | 16 | 32 | 64;
  readonly signed: boolean;
}

/** Name for messages and for the fingerprint, such as "timestamp[us, UTC]". */
export function arrowTypeName(type: ArrowType): string {
  switch (type.kind) {
    case "int":
      return `${type.signed ? "int" : "uint"}${type.bits}`;
    case "float":
      return `float${type.bits}`;
    case "utf8":
      return type.large ? "large_utf8" : "utf8";
    case "decimal":
      return `decimal${type.bits}(${type.precision}, ${type.scale})`;
    case "date":
      return type.unit === "day" ? "date32" : "date64";
    case "timestamp":
      return `timestamp[${{ 0: "s", 3: "ms", 6: "us", 9: "ns" }[type.digits]}${type.zoned ? ", UTC" : ""}]`;
    case "dictionary":
      return `dictionary<${arrowTypeName(type.value)}>`;
    case "unsupported":
      return type.name;
    default:
      return type.kind;
  }
}

/** Can a column of this type be read? Dictionaries of nulls are left out: their length has no bytes to bound it. */
export function isSupported(type: ArrowType): boolean {
  if (type.kind !== "dictionary") return type.kind !== "unsupported";
  return type.value.kind !== "dictionary" && type.value.kind !== "null" && isSupported(type.value);
}

export function physicalType(type: ArrowType): PhysicalType {
  switch (type.kind) {
    case "utf8":
      return "text";
    case "int":
      return "integer";
    case "float":
    case "decimal":
      return "number";
    case "bool":
      return "boolean";
    case "date":
    case "timestamp":
      return type.kind;
    case "dictionary":
      return physicalType(type.value);
    default:
      return "other";
  }
}
