import { dictionaryText, type Dictionary } from "../../columns/index.ts";
import { parseDate } from "../../hierarchies/calendar.ts";
import type { PhysicalType, SourceColumn } from "../../sources/source.ts";

/** Texts that usually mean that a value is missing. Only these are ever quoted from a column with many values. */
export const NULL_WORDS: readonly string[] = [
  "", "NA", "N/A", "n/a", "#N/A", "NULL", "null", "NaN", "nan", "?", ".", "-", "--",
];

/** Shapes of values; counted in records. */
export interface Shapes {
  readonly integer: number;
  /** Digits that begin with 0, such as 06001. */
  readonly zeroPadded: number;
  readonly number: number;
  /** Numbers with separators of thousands, a currency or a percent sign. */
  readonly formatted: number;
  readonly date: number;
  readonly timestamp: number;
  /** Dates in another order, such as 12/31/2020. */
  readonly otherDate: number;
  readonly boolean: number;
  readonly email: number;
  readonly ssn: number;
  readonly phone: number;
  readonly zip: number;
  readonly address: number;
  readonly web: number;
  /** At least four digits, perhaps with letters and hyphens, and nothing else: P3252808, 7f3a-0012. */
  readonly code: number;
}

export interface Category {
  readonly text: string;
  readonly records: number;
}

/** What is known about one column. */
export interface ColumnFacts {
  readonly name: string;
  readonly physical: PhysicalType;
  /** Whether all records of the data were read. */
  readonly isWhole: boolean;
  /** Records with a value. */
  readonly present: number;
  readonly missing: number;
  /** Those of NULL_WORDS that occur. */
  readonly nullWords: readonly string[];
  /** Distinct values, missing ones left out. */
  readonly distinct: number;
  readonly shapes: Shapes;
  /** Values with spaces around them; compared without. */
  readonly untrimmed: number;
  /** Distinct values that differ from another one only in case. */
  readonly caseVariants: number;
  /** Mean number of characters. */
  readonly meanLength: number;
  /** Lengths in characters that occur, ascending; undefined when there are more than 8. */
  readonly lengths: readonly number[] | undefined;
  /** Of the numbers, where every value is one. */
  readonly numbers: {
    readonly min: number;
    readonly max: number;
    readonly low: number;
    readonly high: number;
  } | undefined;
  /** Every value with its records, most frequent first; undefined when there are many. */
  readonly categories: readonly Category[] | undefined;
  /** [sampled] codes of the first records, to compare columns with each other. */
  readonly sampleCodes?: Int32Array | undefined;
}

/** Columns with more values have no list of categories. */
export const MOST_CATEGORIES = 60;

const INTEGER = /^-?(?:0|[1-9]\d{0,14})$/;
const ZERO_PADDED = /^0\d+$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;
/** 1,234.50; $12; 12.5 % */
const FORMATTED =
  /^[-(]?[$€£]?\s?\d{1,3}(?:,\d{3})+(?:\.\d+)?\)?$|^[-(]?[$€£]\s?\d+(?:\.\d+)?\)?$|^-?\d+(?:\.\d+)?\s?%$/;
/** 12/31/2020, with or without a time; 20201231 */
const OTHER_DATE =
  /^\d{1,2}[/.-]\d{1,2}[/.-](?:\d{2}|\d{4})(?:[ T]\d.*)?$|^(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])$/;
const EMAIL = /^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$/;
const SSN = /^\d{3}-\d{2}-\d{4}$/;
const PHONE = /^(?:\+?1[-. ]?)?\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}$|^\(\d{3}\) ?\d{3}-?\d{4}$/;
const ZIP = /^\d{5}(?:-\d{4})?$/;
const STREET =
  /^\d+[A-Za-z]? +.*\b(?:street|st|avenue|ave|road|rd|boulevard|blvd|drive|dr|lane|ln|court|ct|way|place|highway)\b/i;
const CODE = /^(?=(?:\D*\d){4})[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*$/;
const WEB = /^https?:\/\/|^\d{1,3}(?:\.\d{1,3}){3}$/;

/**
 * @param values counts by code; undefined for a column that cannot be compared
 * Time O(distinct values x length).
 */
export function columnFacts(
  { name, type }: SourceColumn, values: {
    readonly dictionary: Dictionary;
    readonly counts: Float64Array;
    readonly nulls: number;
  } | undefined, isWhole: boolean,
): ColumnFacts {
  const shapes = {
    integer: 0, zeroPadded: 0, number: 0, formatted: 0, date: 0, timestamp: 0, otherDate: 0, boolean: 0,
    email: 0, ssn: 0, phone: 0, zip: 0, address: 0, web: 0, code: 0,
  };
  const nullWords: string[] = [];
  let present = 0;
  let missing = values?.nulls ?? 0;
  let distinct = 0;
  let untrimmed = 0;
  let characters = 0;
  const lengths = new Set<number>();
  const folded = new Set<string>();
  const numbers: { value: number; records: number }[] = [];
  const categories: Category[] = [];
  for (let code = 0; code < (values?.counts.length ?? 0); code++) {
    const records = values!.counts[code]!;
    if (records === 0) continue;
    const raw = dictionaryText(values!.dictionary, code);
    const text = raw.trim();
    if (NULL_WORDS.includes(text)) {
      missing += records;
      if (!nullWords.includes(text)) nullWords.push(text);
      if (raw !== text) untrimmed++;
      continue;
    }
    present += records;
    distinct++;
    if (raw !== text) untrimmed++;
    characters += text.length * records;
    if (lengths.size <= 8) lengths.add([...text].length);
    if (distinct <= 100_000) folded.add(text.toLowerCase());
    if (categories.length <= MOST_CATEGORIES) categories.push({ text, records });
    const isNumber = NUMBER.test(text);
    if (isNumber) shapes.number += records;
    if (INTEGER.test(text)) shapes.integer += records;
    else if (ZERO_PADDED.test(text)) shapes.zeroPadded += records;
    else if (FORMATTED.test(text)) shapes.formatted += records;
    if (isNumber || (type === "number" && Number.isFinite(Number(text)))) {
      numbers.push({ value: Number(text), records });
    }
    if (ZIP.test(text)) shapes.zip += records;
    if (text === "true" || text === "false") shapes.boolean += records;
    else if (EMAIL.test(text)) shapes.email += records;
    else if (SSN.test(text)) shapes.ssn += records;
    else if (PHONE.test(text)) shapes.phone += records;
    else if (WEB.test(text)) shapes.web += records;
    else if (STREET.test(text)) shapes.address += records;
    else if (parseDate(text) !== undefined) {
      if (text.length <= 10) shapes.date += records;
      else shapes.timestamp += records;
    } else if (OTHER_DATE.test(text)) shapes.otherDate += records;
    else if (CODE.test(text)) shapes.code += records;
  }
  return {
    name,
    physical: type,
    isWhole,
    present,
    missing,
    nullWords: NULL_WORDS.filter((word) => nullWords.includes(word)),
    distinct,
    shapes,
    untrimmed,
    caseVariants: distinct <= 100_000 ? distinct - folded.size : 0,
    meanLength: present === 0 ? 0 : characters / present,
    lengths: lengths.size <= 8 ? [...lengths].sort((a, b) => a - b) : undefined,
    numbers: numbers.length > 0 && numbers.length === distinct ? spread(numbers, present) : undefined,
    categories: distinct > 0 && distinct <= MOST_CATEGORIES ? categories.sort(
      (a, b) => b.records - a.records || (a.text < b.text ? -1 : 1)
    ) : undefined,
  };
}

/** Ends, and the values that one record in a hundred lies below and above. */
function spread(numbers: { value: number; records: number }[], present: number): ColumnFacts["numbers"] {
  numbers.sort((a, b) => a.value - b.value);
  const at = (rank: number): number => {
    let seen = 0;
    for (const { value, records } of numbers) {
      seen += records;
      if (seen >= rank) return value;
    }
    return numbers.at(-1)!.value;
  };
  return { min: numbers[0]!.value, max: numbers.at(-1)!.value, low: at(present * 0.01), high: at(present * 0.99) };
}
