import { DictionaryBuilder, type Batch, type CodeColumn, type Column } from "../columns/index.ts";
import { DataError, PolicyError } from "../errors/index.ts";
import type { ColumnRequest, PassOptions, Source, SourceColumn } from "./source.ts";

/** How a crosstab is read: the columns that stay, and what the headings and the numbers of all others are. */
export interface Across {
  /** Name of the column that the headings become. */
  readonly name: string;
  /** Name of the column that the numbers under them become. */
  readonly value: string;
  /** Columns that stay as they are; every other column is one heading. */
  readonly keep: readonly string[];
}

/**
 * A crosstab as a source of one record for each of its numbers: the kept columns, the heading, the number.
 * @throws DataError `source/across-columns` when a kept column is not there, a new name is taken, or no heading is left
 * Memory and time: records x headings, a batch at a time.
 */
export function unpivot(source: Source, across: Across): Source {
  const headings = async (): Promise<{ all: readonly SourceColumn[]; wide: readonly SourceColumn[] }> => {
    const all = await source.columns();
    const names = all.map(({ name }) => name);
    const missing = across.keep.filter((name) => !names.includes(name));
    const wide = all.filter(({ name }) => !across.keep.includes(name));
    const taken = [across.name, across.value].filter((name) => across.keep.includes(name));
    if (missing.length > 0 || taken.length > 0 || wide.length === 0 || across.name === across.value) {
      const what =
        missing.length > 0 ? `the kept column ${missing.map((name) => JSON.stringify(name)).join(", ")} is not in the data`
        : wide.length === 0 ? "no column is left to be a heading"
        : "name, value and kept columns need different names";
      throw new DataError("source/across-columns", `The crosstab cannot be read: ${what}. Correct source.across in the policy.`, { missing });
    }
    return { all, wide };
  };
  return {
    label: source.label,
    totalBytes: source.totalBytes,
    reopenable: source.reopenable,
    async columns() {
      const { all, wide } = await headings();
      const type = wide.every((column) => column.type === wide[0]!.type) ? wide[0]!.type : "other";
      return [...all.filter(({ name }) => across.keep.includes(name)), { name: across.name, type: "text" }, { name: across.value, type }];
    },
    async open(options) {
      const { wide } = await headings();
      const kept = options.columns.filter(({ name }) => name !== across.name && name !== across.value);
      const value = options.columns.find(({ name }) => name === across.value);
      if (options.columns.some(({ name, as }) => name === across.name && as === "numbers")) {
        throw new PolicyError("source/across-columns", `The headings ${JSON.stringify(across.name)} are categories and cannot be read as numbers.`);
      }
      // The numbers are asked for even where nobody needs them, so that a malformed one is found.
      const asked = wide.map(({ name }): ColumnRequest => ({ ...(value ?? { as: "codes" }), name }));
      const pass = await source.open({ ...options, columns: [...kept, ...asked] });
      const labels = DictionaryBuilder.from(wide.map(({ name }) => name)).freeze();
      return { batches: longBatches(pass.batches, options.columns, kept, value, across, labels), fingerprint: () => pass.fingerprint() };
    },
  };
}

async function* longBatches(
  batches: AsyncIterable<Batch>, requests: PassOptions["columns"], kept: readonly ColumnRequest[], value: ColumnRequest | undefined, across: Across,
  labels: CodeColumn["dictionary"],
): AsyncGenerator<Batch> {
  const texts = new DictionaryBuilder();
  for await (const { records, columns } of batches) {
    const wide = columns.slice(kept.length);
    const all = records * wide.length;
    const repeated = (column: Column): Column => {
      const times = (from: Int32Array | Float64Array, to: Int32Array | Float64Array): void => {
        for (let i = 0, at = 0; i < records; i++) for (let w = 0; w < wide.length; w++) to[at++] = from[i]!;
      };
      if (column.kind === "numbers") {
        const values = new Float64Array(all);
        times(column.values, values);
        return { kind: "numbers", values };
      }
      const codes = new Int32Array(all);
      times(column.codes, codes);
      return { kind: "codes", codes, dictionary: column.dictionary };
    };
    yield {
      records: all,
      columns: requests.map(({ name }): Column => {
        if (name === across.name) return { kind: "codes", codes: Int32Array.from({ length: all }, (_, at) => at % wide.length), dictionary: labels };
        if (name === across.value) return value!.as === "numbers" ? woven(wide, records) : wovenTexts(wide, records, texts);
        return repeated(columns[kept.findIndex((own) => own.name === name)]!);
      }),
    };
  }
}

/** Numbers of all headings, record by record. */
function woven(wide: readonly Column[], records: number): Column {
  const values = new Float64Array(records * wide.length);
  wide.forEach((column, w) => {
    if (column.kind === "numbers") for (let i = 0; i < records; i++) values[i * wide.length + w] = column.values[i]!;
  });
  return { kind: "numbers", values };
}

/** The same as texts, in one dictionary over all headings. */
function wovenTexts(wide: readonly Column[], records: number, texts: DictionaryBuilder): Column {
  const codes = new Int32Array(records * wide.length);
  wide.forEach((column, w) => {
    if (column.kind !== "codes") return;
    const { bytes, offsets, size } = column.dictionary;
    const codeOf = new Int32Array(size).fill(-1);
    for (let i = 0; i < records; i++) {
      const own = column.codes[i]!;
      if (own >= 0 && codeOf[own]! < 0) codeOf[own] = texts.add(bytes, offsets[own]!, offsets[own + 1]!);
      codes[i * wide.length + w] = own < 0 ? -1 : codeOf[own]!;
    }
  });
  return { kind: "codes", codes, dictionary: texts };
}
