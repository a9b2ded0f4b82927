import type { Batch, Dictionary } from "../columns/index.ts";
import { InternalError } from "../errors/index.ts";
import type { ReleasedColumn } from "./sink.ts";

/** [columns] the complete dictionary of each column that comes as codes, undefined for columns of numbers. */
export type ReleasedDictionaries = readonly (Dictionary | undefined)[];

/**
 * Check the fit of columns and dictionaries before anything is written.
 *
 * @throws InternalError `sinks/columns` when lists differ in length, a name is repeated, or a text type has no dictionary.
 */
export function checkColumns(columns: readonly ReleasedColumn[], dictionaries: ReleasedDictionaries): void {
  const names = new Set<string>();
  if (columns.length === 0) throw contract("sinks/columns", "A release needs at least one column.");
  if (dictionaries.length !== columns.length) {
    throw contract("sinks/columns", `Found ${dictionaries.length} dictionaries for ${columns.length} columns; expected one place each.`);
  }
  for (const [c, column] of columns.entries()) {
    if (names.has(column.name)) throw contract("sinks/columns", `Column "${column.name}" occurs twice.`, column.name);
    names.add(column.name);
    if (!dictionaries[c] && column.type !== "integer" && column.type !== "number") {
      throw contract("sinks/columns", `Column "${column.name}" of type ${column.type} has no dictionary.`, column.name);
    }
  }
}

/** Checks every batch against the columns that were declared: a wrong code would otherwise publish another value. */
export class BatchCheck {
  readonly #columns: readonly ReleasedColumn[];
  readonly #dictionaries: ReleasedDictionaries;
  /** [columns] the last dictionary object that was found equal, since workers wrap the same buffers anew. */
  readonly #accepted: (Dictionary | undefined)[];

  constructor(columns: readonly ReleasedColumn[], dictionaries: ReleasedDictionaries) {
    checkColumns(columns, dictionaries);
    this.#columns = columns;
    this.#dictionaries = dictionaries;
    this.#accepted = [...dictionaries];
  }

  /** @throws InternalError `sinks/batch` when the batch is not made of these columns. Time O(records x columns). */
  check(batch: Batch): void {
    const columns = this.#columns;
    if (batch.columns.length !== columns.length) {
      throw contract("sinks/batch", `A batch has ${batch.columns.length} columns; ${columns.length} were declared.`);
    }
    for (const [c, declared] of columns.entries()) {
      const column = batch.columns[c]!;
      const dictionary = this.#dictionaries[c];
      if ((column.kind === "codes") !== (dictionary !== undefined)) {
        throw contract("sinks/batch", `Column "${declared.name}" came as ${column.kind}, which is not what was declared.`, declared.name);
      }
      const length = column.kind === "codes" ? column.codes.length : column.values.length;
      if (length < batch.records) {
        throw contract("sinks/batch", `Column "${declared.name}" is shorter than its batch of ${batch.records} records.`, declared.name);
      }
      if (column.kind === "numbers" || !dictionary) continue;
      if (column.dictionary !== this.#accepted[c]) {
        if (!sameValues(column.dictionary, dictionary)) {
          throw contract("sinks/batch", `Column "${declared.name}" changed its dictionary after the writer was made.`, declared.name);
        }
        this.#accepted[c] = column.dictionary;
      }
      refuseCodesOutside(declared, column.codes, batch.records, dictionary.size);
    }
  }
}

/** @throws InternalError `sinks/batch` when a code is neither -1 nor below `size`. */
export function refuseCodesOutside(column: ReleasedColumn, codes: Int32Array, records: number, size: number): void {
  let inside = true;
  for (let i = 0; i < records; i++) {
    const code = codes[i]!;
    if (code < -1 || code >= size) inside = false;
  }
  if (!inside) throw contract("sinks/batch", `Column "${column.name}" has a code outside its dictionary.`, column.name);
}

function sameValues(a: Dictionary, b: Dictionary): boolean {
  if (a.size !== b.size) return false;
  for (let i = 0; i <= a.size; i++) if (a.offsets[i] !== b.offsets[i]) return false;
  const end = a.offsets[a.size]!;
  if (a.bytes !== b.bytes) for (let i = 0; i < end; i++) if (a.bytes[i] !== b.bytes[i]) return false;
  return true;
}

function contract(code: string, message: string, column?: string): InternalError {
  return new InternalError(code, `${message} This is a defect in commensurate; please report it.`, column === undefined ? {} : { column });
}
