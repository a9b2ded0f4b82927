import { gunzipSync } from "node:zlib";

/** The Arrow project's integration-test format: what a file written by another implementation must be read as. */
export interface IntegrationFile {
  readonly schema: { readonly fields: readonly JsonField[] };
  readonly batches: readonly JsonBatch[];
  readonly dictionaries?: readonly { readonly id: number; readonly data: JsonBatch }[];
}

export interface JsonField {
  readonly name: string;
  readonly type: { readonly name: string; readonly unit?: string; readonly bitWidth?: number; readonly isSigned?: boolean; readonly scale?: number; readonly precision?: number | string; readonly timezone?: string };
  readonly dictionary?: { readonly id: number };
  readonly metadata?: readonly { readonly key: string }[];
}

interface JsonBatch {
  readonly count: number;
  readonly columns: readonly JsonColumn[];
}

interface JsonColumn {
  readonly name: string;
  readonly count: number;
  readonly VALIDITY?: readonly number[];
  readonly DATA?: readonly (string | number | boolean)[];
}

export function readIntegrationFile(gzipped: Uint8Array): IntegrationFile {
  return JSON.parse(new TextDecoder().decode(gunzipSync(gzipped))) as IntegrationFile;
}

/** Types that must be read; all others must be refused. */
export function isReadable(field: JsonField): boolean {
  if (field.metadata?.some((entry) => entry.key === "ARROW:extension:name")) return false;
  return ["null", "bool", "int", "floatingpoint", "utf8", "largeutf8", "decimal", "date", "timestamp"].includes(field.type.name);
}

/** Canonical text of every value of a column, computed from the JSON with Date and BigInt, not with the code under test. */
export function expectedTexts(file: IntegrationFile, index: number): (string | null)[] {
  const field = file.schema.fields[index]!;
  return file.batches.flatMap((batch) => {
    const column = batch.columns[index]!;
    if (field.dictionary === undefined) return texts(field, column);
    const values = texts(field, file.dictionaries!.find((dictionary) => dictionary.id === field.dictionary!.id)!.data.columns[0]!);
    return Array.from({ length: column.count }, (_, i) => (column.VALIDITY?.[i] === 0 ? null : values[Number(column.DATA![i])]!));
  });
}

function texts(field: JsonField, column: JsonColumn): (string | null)[] {
  if (field.type.name === "null") return Array.from({ length: column.count }, () => null);
  return Array.from({ length: column.count }, (_, i) => (column.VALIDITY?.[i] === 0 ? null : text(field, column.DATA![i]!)));
}

function text({ type }: JsonField, value: string | number | boolean): string {
  switch (type.name) {
    case "decimal": {
      const scale = type.scale ?? 0;
      const unscaled = BigInt(value as string);
      const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
      return `${unscaled < 0n ? "-" : ""}${digits.slice(0, digits.length - scale)}${scale > 0 ? `.${digits.slice(-scale)}` : ""}`;
    }
    case "date":
      return instant(BigInt(value as number) * (type.unit === "DAY" ? 86_400_000n : 1n), 1000n).slice(0, -"T00:00:00".length);
    case "timestamp":
      return instant(BigInt(value as string), { SECOND: 1n, MILLISECOND: 1000n, MICROSECOND: 1_000_000n, NANOSECOND: 1_000_000_000n }[type.unit!]!) + (type.timezone ? "Z" : "");
    case "floatingpoint":
      return Object.is(value, -0) ? "0" : String(value);
    default:
      return String(value);
  }
}

/** 400 years of the Gregorian calendar, in seconds: dates that Date cannot hold are moved by whole cycles. */
const CYCLE = 146_097n * 86_400n;

function instant(count: bigint, perSecond: bigint): string {
  let seconds = count / perSecond;
  if (seconds * perSecond > count) seconds -= 1n;
  const fraction = count - seconds * perSecond;
  const cycles = seconds / CYCLE;
  const [, years, rest] = /^(.{4})(.*)\.000Z$/.exec(new Date(Number(seconds - cycles * CYCLE) * 1000).toISOString())!;
  const year = BigInt(years!) + 400n * cycles;
  const yearText = year >= 0n && year <= 9999n ? String(year).padStart(4, "0") : `${year < 0n ? "-" : "+"}${String(year < 0n ? -year : year).padStart(6, "0")}`;
  const digits = fraction === 0n ? "" : `.${String(fraction).padStart(String(perSecond).length - 1, "0").replace(/(000)+$/, "")}`;
  return `${yearText}${rest}${digits}`;
}
