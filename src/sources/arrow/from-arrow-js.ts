import { DataError } from "../../errors/index.ts";
import type { SecondDigits } from "../canonical-text.ts";
import { offsets32, offsets64, type Chunk, type DictionaryValues } from "./chunk.ts";
import type { ArrowType } from "./types.ts";

/**
 * What we use of an apache-arrow Table, described by its shape: any version that has it will do, several copies of the
 * library may be loaded, and reading needs none.
 */
export interface ArrowTableLike {
  readonly schema: ArrowSchemaLike;
  readonly batches: readonly ArrowBatchLike[];
}

export interface ArrowBatchLike {
  readonly schema: ArrowSchemaLike;
  readonly data: ArrowDataLike;
}

export interface ArrowSchemaLike {
  readonly fields: readonly ArrowFieldLike[];
}

export interface ArrowFieldLike {
  readonly name: string;
  readonly type: ArrowTypeLike;
  readonly metadata?: ReadonlyMap<string, string> | null | undefined;
}

/** Members depend on the type; those used are checked. */
export interface ArrowTypeLike {
  readonly typeId: number;
  toString(): string;
}

export interface ArrowDataLike {
  readonly length: number;
  readonly offset: number;
  readonly children: readonly ArrowDataLike[];
  readonly nullBitmap?: unknown;
  readonly values?: unknown;
  readonly valueOffsets?: unknown;
  readonly dictionary?: { readonly data: readonly ArrowDataLike[] } | undefined;
}

// Numbers of the Arrow format (Schema.fbs, union Type) and of apache-arrow for dictionaries.
const DICTIONARY = -1;
const NULL = 1;
const INT = 2;
const FLOAT = 3;
const UTF8 = 5;
const BOOL = 6;
const DECIMAL = 7;
const DATE = 8;
const TIMESTAMP = 10;
const LARGE_UTF8 = 20;

const DIGITS_OF_UNIT: readonly SecondDigits[] = [0, 3, 6, 9];

export function typeOfField(field: ArrowFieldLike): ArrowType {
  if (field.metadata?.has("ARROW:extension:name")) return { kind: "unsupported", name: "an extension type" };
  return typeOf(field.type);
}

function typeOf(type: ArrowTypeLike): ArrowType {
  const member = (name: string): unknown => (type as unknown as Record<string, unknown>)[name];
  const unsupported = (): ArrowType => ({ kind: "unsupported", name: String(type).slice(0, 60) });
  switch (type.typeId) {
    case NULL:
      return { kind: "null" };
    case BOOL:
      return { kind: "bool" };
    case INT: {
      const bits = member("bitWidth");
      if (bits !== 8 && bits !== 16 && bits !== 32 && bits !== 64) return unsupported();
      return { kind: "int", bits, signed: member("isSigned") === true };
    }
    case FLOAT: {
      const bits = ([16, 32, 64] as const)[member("precision") as number];
      return bits === undefined ? unsupported() : { kind: "float", bits };
    }
    case UTF8:
    case LARGE_UTF8:
      return { kind: "utf8", large: type.typeId === LARGE_UTF8 };
    case DECIMAL: {
      const [bits, precision, scale] = [member("bitWidth") ?? 128, member("precision"), member("scale")];
      if (bits !== 32 && bits !== 64 && bits !== 128 && bits !== 256) return unsupported();
      if (typeof precision !== "number" || typeof scale !== "number") return unsupported();
      return { kind: "decimal", bits, precision, scale };
    }
    case DATE:
      return { kind: "date", unit: member("unit") === 0 ? "day" : "millisecond" };
    case TIMESTAMP: {
      const digits = DIGITS_OF_UNIT[member("unit") as number];
      const zone = member("timezone");
      if (digits === undefined) return unsupported();
      return { kind: "timestamp", digits, zoned: typeof zone === "string" && zone !== "" };
    }
    case DICTIONARY: {
      const index = typeOf(member("indices") as ArrowTypeLike);
      const value = typeOf(member("dictionary") as ArrowTypeLike);
      if (index.kind !== "int" || value.kind === "unsupported") return unsupported();
      return { kind: "dictionary", index, value };
    }
    default:
      return unsupported();
  }
}

/** Turns apache-arrow's Data into chunks, keeping one identity for each dictionary. */
export class ArrowJsChunks {
  readonly #dictionaries = new WeakMap<object, DictionaryValues>();

  chunk(data: ArrowDataLike, type: ArrowType, name: string): Chunk {
    const bytes = (value: unknown): Uint8Array => {
      if (value === undefined || value === null) return EMPTY;
      if (!ArrayBuffer.isView(value)) throw notArrow(name);
      return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    };
    const { length, offset } = data;
    if (!Number.isSafeInteger(length) || length < 0 || !Number.isSafeInteger(offset) || offset < 0) {
      throw notArrow(name);
    }
    const validity = bytes(data.nullBitmap);
    let dictionary: DictionaryValues | undefined;
    if (type.kind === "dictionary") {
      if (data.dictionary === undefined) throw notArrow(name);
      dictionary = this.#dictionaries.get(data.dictionary);
      if (dictionary === undefined) {
        dictionary = { parts: data.dictionary.data.map((part) => this.chunk(part, type.value, name)) };
        this.#dictionaries.set(data.dictionary, dictionary);
      }
    }
    let offsets: Chunk["offsets"];
    if (type.kind === "utf8") offsets = (type.large ? offsets64 : offsets32)(bytes(data.valueOffsets));
    return {
      length, bitOffset: offset, offsets, data: bytes(data.values), dictionary,
      validity: validity.length === 0 ? undefined : validity,
    };
  }
}

const EMPTY = new Uint8Array(0);

function notArrow(name: string): DataError {
  return new DataError("arrow/not-arrow", `Column ${JSON.stringify(name)} is not laid out as an apache-arrow vector. ` +
    `Pass a Table or RecordBatch of the apache-arrow package.`, { column: name });
}
