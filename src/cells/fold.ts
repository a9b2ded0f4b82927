import type { Batch, CodeColumn, Dictionary, NumberColumn } from "../columns/index.ts";
import { InternalError } from "../errors/index.ts";
import type { Cells } from "./cells.ts";
import { Folder, type FoldedNumbers, type FolderShape } from "./folder.ts";

/** A column of the batches by its place in them, and the name it gets in the cells. */
export interface FoldColumn {
  readonly name: string;
  /** Index into `batch.columns`. */
  readonly column: number;
}

export interface FoldSpec {
  readonly keys: readonly FoldColumn[];
  readonly measures?: readonly FoldColumn[];
  /** Index into `batch.columns` of the sampling weight. */
  readonly weight?: number;
  /** Index into `batch.columns` of the number of records each row stands for. */
  readonly frequency?: number;
}

/** Cells and the dictionaries that their codes refer to. */
export interface Folded {
  readonly cells: Cells;
  /** [keys] undefined when there were no batches. */
  readonly dictionaries: readonly (Dictionary | undefined)[];
  /** Rows read, whatever their frequency. */
  readonly rows: number;
}

/**
 * Fold a pass into cells. Any cut of the same rows into batches gives the same cells.
 * @throws DataError as `Folder.add` does.
 */
export async function fold(batches: AsyncIterable<Batch>, spec: FoldSpec): Promise<Cells> {
  return (await foldWithDictionaries(batches, spec)).cells;
}

/** As `fold`, keeping what the codes stand for. */
export async function foldWithDictionaries(batches: AsyncIterable<Batch>, spec: FoldSpec): Promise<Folded> {
  const folder = folderFor(spec);
  const dictionaries: (Dictionary | undefined)[] = spec.keys.map(() => undefined);
  let rows = 0;
  for await (const batch of batches) {
    addBatch(folder, batch, spec, dictionaries);
    rows += batch.records;
  }
  return { cells: folder.finish(dictionaries.map((dictionary) => dictionary?.size ?? 0)), dictionaries, rows };
}

export function folderShape(spec: FoldSpec): FolderShape {
  return {
    keys: spec.keys.map((key) => key.name),
    measures: (spec.measures ?? []).map((measure) => measure.name),
    weight: spec.weight !== undefined,
    frequency: spec.frequency !== undefined,
  };
}

export function folderFor(spec: FoldSpec): Folder {
  return new Folder(folderShape(spec));
}

/**
 * Add one batch to a folder, spilling or not; `dictionaries` [keys] receives the dictionary of each key column.
 * @returns what the folder's `add` returns
 */
export function addBatch<Result>(
  folder: { add(rows: number, codes: readonly Int32Array[], numbers?: FoldedNumbers): Result },
  batch: Batch, spec: FoldSpec, dictionaries: (Dictionary | undefined)[],
): Result {
  const codes = spec.keys.map((key, k) => {
    const column = codeColumn(batch, key.column);
    dictionaries[k] = column.dictionary;
    return column.codes;
  });
  const numbers: FoldedNumbers = {
    measures: (spec.measures ?? []).map((measure) => numberColumn(batch, measure.column).values),
    ...(spec.weight === undefined ? {} : { weight: numberColumn(batch, spec.weight).values }),
    ...(spec.frequency === undefined ? {} : { frequency: numberColumn(batch, spec.frequency).values }),
  };
  return folder.add(batch.records, codes, numbers);
}

function codeColumn(batch: Batch, index: number): CodeColumn {
  const column = batch.columns[index];
  if (column?.kind !== "codes") throw new InternalError("cells/fold-columns", `Column ${index} of the batch has no codes.`);
  return column;
}

function numberColumn(batch: Batch, index: number): NumberColumn {
  const column = batch.columns[index];
  if (column?.kind !== "numbers") throw new InternalError("cells/fold-columns", `Column ${index} of the batch has no numbers.`);
  return column;
}
