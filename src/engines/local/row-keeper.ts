import type { Batch, Column, Dictionary } from "../../columns/index.ts";
import type { WordList } from "../../kernels/packed-words.ts";

/** Codes in 16 bits are kept plus one, those in 32 bits as they are. */
export type KeptColumn =
  | { readonly kind: "codes"; readonly codes: Uint16Array | Int32Array }
  | { readonly kind: "numbers"; readonly values: Float64Array };

export interface KeptBatch {
  readonly records: number;
  readonly columns: readonly KeptColumn[];
}

/**
 * Keeps the decoded records of the first reading for as long as they fit, so that the second need not decode them again: the
 * columns that are released, and the keys as the words that the cells were folded from.
 * Codes are kept plus one in 16 bits while the dictionary is small.
 * Memory: 2 to 4 bytes per code and 8 per number, up to the budget; then everything is let go. The words come on top.
 */
export class RowKeeper {
  /** Keys of all records in order, by `packedLayout` of the final codes; there once these are known. */
  keys: WordList | undefined;
  readonly #budgetBytes: number;
  #batches: KeptBatch[] | undefined = [];
  #dictionaries: (Dictionary | undefined)[] = [];
  #bytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  /** Whether everything added so far is still here. */
  get complete(): boolean {
    return this.#batches !== undefined;
  }

  /** Everything as it is kept. */
  get kept(): readonly KeptBatch[] {
    return this.#batches ?? [];
  }

  /** [columns] dictionaries that all kept codes refer to. */
  get dictionaries(): readonly (Dictionary | undefined)[] {
    return this.#dictionaries;
  }

  /** @param columns those that are kept, without the keys */
  add(records: number, columns: readonly Column[]): void {
    if (this.#batches === undefined) return;
    const kept = columns.map((column) => keptColumn(column, records));
    for (const column of kept) this.#bytes += column.kind === "codes" ? column.codes.byteLength : column.values.byteLength;
    this.#dictionaries = columns.map((column) => (column.kind === "codes" ? column.dictionary : undefined));
    this.#batches.push({ records, columns: kept });
    if (this.#bytes > this.#budgetBytes) this.#batches = undefined;
  }

  /** The batches again, in order. Their buffers are valid until the next one is asked for. */
  *batches(): Generator<Batch> {
    let codes: Int32Array[] = [];
    for (const { records, columns } of this.#batches ?? []) {
      if (codes.length === 0 || codes[0]!.length < records) codes = columns.map(() => new Int32Array(records));
      yield {
        records,
        columns: columns.map((column, c): Column => {
          if (column.kind === "numbers") return column;
          if (column.codes instanceof Uint16Array) widen(column.codes, records, codes[c]!);
          else codes[c]!.set(column.codes);
          return { kind: "codes", codes: codes[c]!, dictionary: this.#dictionaries[c]! };
        }),
      };
    }
  }
}

function keptColumn(column: Column, records: number): KeptColumn {
  if (column.kind === "numbers") return { kind: "numbers", values: column.values.slice(0, records) };
  if (column.dictionary.size >= 0xffff) return { kind: "codes", codes: column.codes.slice(0, records) };
  const narrow = new Uint16Array(records);
  const { codes } = column;
  for (let i = 0; i < records; i++) narrow[i] = codes[i]! + 1;
  return { kind: "codes", codes: narrow };
}

function widen(narrow: Uint16Array, records: number, codes: Int32Array): void {
  for (let i = 0; i < records; i++) codes[i] = narrow[i]! - 1;
}
