import { closestName, CommensurateError, DataError } from "../errors/index.ts";

/**
 * Key columns of data in memory, as codes: an Arrow table (recognised by its shape, so that apache-arrow need not be
 * loaded), an object or Map of columns, or an array of records.
 */
export type MemoryTable = ArrowLikeTable | ColumnsByName | ReadonlyMap<string, MemoryColumn> | readonly object[];

/** Values of one column: an array, a typed array, or anything else with a length and values by index. */
export type MemoryColumn = ArrayLike<unknown>;
export type ColumnsByName = Readonly<Record<string, MemoryColumn>>;

/** The part of an apache-arrow Table that is used. */
export interface ArrowLikeTable {
  readonly schema: { readonly fields: readonly { readonly name: string }[] };
  readonly numRows: number;
  getChildAt(index: number): ArrowLikeVector | null;
}

export interface ArrowLikeVector {
  readonly length: number;
  get(index: number): unknown;
  readonly data: readonly ArrowLikeChunk[];
}

export interface ArrowLikeChunk {
  readonly length: number;
  readonly nullCount: number;
  readonly values: ArrayLike<unknown> | undefined;
  readonly dictionary?: { readonly length: number; get(index: number): unknown } | null | undefined;
  getValid(index: number): boolean;
}

/** A column as codes in order of first sight, -1 for null. */
export interface MemoryKey {
  readonly name: string;
  /** [records] */
  readonly codes: Int32Array;
  /** Distinct values, null left out. */
  readonly size: number;
}

/** Data in memory, whatever their shape. */
export interface MemoryColumns {
  readonly names: readonly string[];
  readonly records: number;
  /** Codes of a column by its name. @throws DataError `memory/unknown-column`, `memory/unsupported-value` */
  key(name: string): MemoryKey;
  /** Values of a column as they are, null and undefined alike for null. @throws as `key` */
  values(name: string): Iterable<unknown>;
}

/**
 * Look at data in memory. Nothing is copied until a column is asked for.
 * @throws DataError `memory/not-a-table`, `memory/not-a-record`, `memory/unequal-columns`
 */
export function memoryColumns(data: MemoryTable): MemoryColumns {
  if (Array.isArray(data)) return ofRecords(data as readonly object[]);
  if (isArrowTable(data)) return ofArrow(data);
  if (typeof data === "object" && data !== null) {
    return ofColumns(data instanceof Map ? data as ReadonlyMap<string, MemoryColumn> : new Map(Object.entries(data as ColumnsByName)));
  }
  throw new DataError(
    "memory/not-a-table",
    "Expected an Arrow table, an object of columns or an array of records.",
  );
}

function ofRecords(records: readonly object[]): MemoryColumns {
  for (let i = 0; i < records.length; i++) {
    if (typeof records[i] === "object" && records[i] !== null) continue;
    throw new DataError("memory/not-a-record", `Record ${i + 1} is not an object. Give an array of objects, one for each record.`, { record: i + 1 });
  }
  const names = guarded(() => {
    const seen = new Set<string>();
    for (const record of records) for (const name of Object.keys(record)) seen.add(name);
    return [...seen];
  });
  // Own properties only: a column may be called "constructor".
  function* values(name: string): Generator<unknown> {
    for (const record of records) yield Object.hasOwn(record, name) ? (record as Record<string, unknown>)[name] : undefined;
  }
  return table(names, records.length, values);
}

function ofColumns(columns: ReadonlyMap<string, MemoryColumn>): MemoryColumns {
  const names = [...columns.keys()];
  const records = names.length === 0 ? 0 : columns.get(names[0]!)!.length;
  for (const name of names) {
    const length: unknown = columns.get(name)?.length;
    if (length === records) continue;
    throw new DataError(
      "memory/unequal-columns",
      typeof length === "number"
        ? `Column ${JSON.stringify(name)} has ${length} values, but ${JSON.stringify(names[0])} has ${records}. Give all columns the same number of values.`
        : `Column ${JSON.stringify(name)} is no array. Give an object whose properties are arrays of values.`,
      { column: name },
    );
  }
  function* values(name: string): Generator<unknown> {
    const column = columns.get(name)!;
    for (let i = 0; i < records; i++) yield column[i];
  }
  return table(names, records, values);
}

function ofArrow(arrow: ArrowLikeTable): MemoryColumns {
  const names = arrow.schema.fields.map((field) => field.name);
  const vectorOf = (name: string): ArrowLikeVector => {
    const vector = arrow.getChildAt(names.indexOf(name));
    if (vector !== null && vector.length === arrow.numRows) return vector;
    throw new DataError("memory/unequal-columns", `Column ${JSON.stringify(name)} has another number of values than the table has rows.`, { column: name });
  };
  function* values(name: string): Generator<unknown> {
    const vector = vectorOf(name);
    for (let i = 0; i < vector.length; i++) yield vector.get(i);
  }
  return table(names, arrow.numRows, values, (name, coder, codes) => fillFromDictionaries(vectorOf(name), coder, codes));
}

/** Codes of a column by another way than value by value; false when it does not apply. */
type Shortcut = (name: string, coder: Coder, codes: Int32Array) => boolean;

function table(
  names: readonly string[], records: number, values: (name: string) => Iterable<unknown>, shortcut?: Shortcut,
): MemoryColumns {
  const known = new Set(names);
  const require = (name: string): void => {
    if (known.has(name) || (records === 0 && names.length === 0)) return;
    const closest = closestName(name, names);
    throw new DataError(
      "memory/unknown-column",
      `There is no column ${JSON.stringify(name)}. ` +
        (closest === undefined ? `Columns are ${names.map((each) => JSON.stringify(each)).join(", ")}.` : `Did you mean ${JSON.stringify(closest)}?`),
      { column: name, columns: names },
    );
  };
  return {
    names,
    records,
    values(name) {
      require(name);
      return known.has(name) ? guardedValues(values(name)) : [];
    },
    key(name) {
      require(name);
      const codes = new Int32Array(records);
      const coder = new Coder(name);
      if (!known.has(name)) return { name, codes, size: 0 };
      guarded(() => {
        if (shortcut?.(name, coder, codes) === true) return;
        let i = 0;
        for (const value of values(name)) codes[i++] = coder.code(value, i);
      });
      return { name, codes, size: coder.size };
    },
  };
}

/** Dictionary-encoded chunks: each entry of a dictionary is looked at once. */
function fillFromDictionaries(vector: ArrowLikeVector, coder: Coder, codes: Int32Array): boolean {
  if (vector.data.length === 0 || !vector.data.every(({ dictionary, values }) => dictionary != null && values !== undefined)) return false;
  let record = 0;
  for (const chunk of vector.data) {
    const entries = chunk.dictionary!;
    const codeOf = new Int32Array(entries.length).fill(UNSEEN);
    for (let i = 0; i < chunk.length; i++, record++) {
      if (chunk.nullCount > 0 && !chunk.getValid(i)) {
        codes[record] = -1;
        continue;
      }
      const entry = Number(chunk.values![i]);
      if (codeOf[entry] === UNSEEN) codeOf[entry] = coder.code(entries.get(entry), record + 1);
      codes[record] = codeOf[entry]!;
    }
  }
  return true;
}

const UNSEEN = -2;

/**
 * Codes of values. Values are one when their text is: 1, 1n and "1" are; -0 is 0; every Date is its instant. NaN is a
 * value of its own; null and undefined are null.
 */
class Coder {
  size = 0;
  readonly #column: string;
  readonly #byValue = new Map<unknown, number>();
  readonly #byText = new Map<string, number>();

  constructor(column: string) {
    this.#column = column;
  }

  code(value: unknown, record: number): number {
    if (value === null || value === undefined) return -1;
    const known = this.#byValue.get(value);
    if (known !== undefined) return known;
    const text = this.#text(value, record);
    let code = this.#byText.get(text);
    if (code === undefined) {
      code = this.size++;
      this.#byText.set(text, code);
    }
    if (typeof value !== "object") this.#byValue.set(value, code); // a Date may change
    return code;
  }

  #text(value: unknown, record: number): string {
    switch (typeof value) {
      case "string":
        return value;
      case "number":
      case "bigint":
      case "boolean":
        return value === 0 ? "0" : String(value);
      case "object":
        if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
    }
    throw new DataError(
      "memory/unsupported-value",
      `Column ${JSON.stringify(this.#column)}, record ${record}: found a value of JavaScript type ${typeof value} that cannot be compared. ` +
        "Keys are text, numbers, bigints, booleans, valid Dates and null; leave the column out or turn it into text.",
      { column: this.#column, record },
    );
  }
}

function isArrowTable(data: unknown): data is ArrowLikeTable {
  const table = data as Partial<ArrowLikeTable> | null;
  return typeof table === "object" && table !== null && Array.isArray(table.schema?.fields) && typeof table.getChildAt === "function";
}

/** Getters and proxies are the caller's code; what they throw may quote values, so it goes no further. */
function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CommensurateError) throw error;
    throw new DataError("memory/unreadable", "Reading a value failed. Use plain objects and arrays.");
  }
}

function* guardedValues(values: Iterable<unknown>): Generator<unknown> {
  const iterator = values[Symbol.iterator]();
  for (;;) {
    const next = guarded(() => iterator.next());
    if (next.done === true) return;
    yield next.value;
  }
}
