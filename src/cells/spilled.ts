import type { Batch, Dictionary } from "../columns/index.ts";
import type { OpenSpill, Spill } from "../columns/spill.ts";
import type { Cells } from "./cells.ts";
import { memoryStore, spilledStore, type CellStore, type SpilledPartition } from "./cell-store.ts";
import { encodeCells } from "./encode.ts";
import { addBatch, folderShape, type FoldSpec } from "./fold.ts";
import { Folder, type FoldedNumbers, type FolderShape } from "./folder.ts";

export interface SpillOptions {
  /** Bytes that cells may take in memory; below about a megabyte the smallest tables still take more. */
  readonly budgetBytes: number;
  readonly openSpill: OpenSpill;
}

/** Parts that are told apart by a hash of their codes, so that each can be merged by itself. */
const PARTITION_BITS = 6;
/** Rows added between two looks at the budget. */
const CHUNK = 4096;
/** Larger than any code; the true sizes are known at the end only. */
const ANY_SIZE = 2 ** 31 - 1;

/**
 * A fold whose cells move to a spill, partition by partition, whenever they outgrow the budget. Counts, and sums of integers
 * below 2^53, are the same as without a spill; the last bits of other sums depend on where it was cut.
 */
export class SpillingFolder {
  readonly #folder: Folder;
  readonly #options: SpillOptions;
  readonly #maxCells: number;
  readonly #parts: SpilledPartition[] = Array.from({ length: 1 << PARTITION_BITS }, () => ({ handles: [] }));
  #spill: Spill | undefined;

  constructor(shape: FolderShape, options: SpillOptions) {
    this.#folder = new Folder(shape);
    this.#options = options;
    // Words, records, up to four slots; once more for the copy that is written.
    const perCell = 4 * shape.keys.length + 40 + (shape.weight === true ? 8 : 0) + 32 * (shape.measures?.length ?? 0);
    let maxCells = CHUNK;
    while (maxCells * 2 * perCell * 2 <= options.budgetBytes) maxCells *= 2;
    this.#maxCells = maxCells;
  }

  /** @throws DataError as `Folder.add` does. */
  async add(rows: number, codes: readonly Int32Array[], numbers: FoldedNumbers = {}): Promise<void> {
    if (this.#folder.size + rows <= this.#maxCells) {
      this.#folder.add(rows, codes, numbers);
      return;
    }
    for (let start = 0; start < rows; start += CHUNK) {
      const end = Math.min(rows, start + CHUNK);
      if (this.#folder.size + end - start > this.#maxCells) await this.#flush();
      this.#folder.add(end - start, codes.map((column) => column.subarray(start, end)), {
        ...(numbers.measures === undefined ? {} : { measures: numbers.measures.map((column) => column.subarray(start, end)) }),
        ...(numbers.weight === undefined ? {} : { weight: numbers.weight.subarray(start, end) }),
        ...(numbers.frequency === undefined ? {} : { frequency: numbers.frequency.subarray(start, end) }),
      });
    }
  }

  /**
   * All cells, to be closed by the caller.
   * @param sizes [keys] number of codes each key may take
   */
  async finish(sizes: readonly number[]): Promise<CellStore> {
    if (this.#spill === undefined) return memoryStore(this.#folder.finish(sizes));
    await this.#flush();
    return spilledStore(this.#folder.take(sizes), this.#spill, this.#parts, this.#options.budgetBytes);
  }

  /** Give up: remove what was spilled. */
  async abort(): Promise<void> {
    await this.#spill?.close();
  }

  async #flush(): Promise<void> {
    if (this.#folder.size === 0) return;
    this.#spill ??= await this.#options.openSpill();
    const cells = this.#folder.take(this.#folder.keys.map(() => ANY_SIZE));
    const partitionOf = partitions(cells);
    for (let p = 0; p < this.#parts.length; p++) {
      const chosen = cellsOfPartition(cells, partitionOf, p);
      if (chosen.size === 0) continue;
      this.#parts[p]!.handles.push(await this.#spill.append(encodeCells(chosen)));
    }
  }
}

/** Fold a pass within a memory budget. The spill is gone again when the fold fails. */
export async function foldToStore(
  batches: AsyncIterable<Batch>, spec: FoldSpec, options: SpillOptions,
): Promise<{ store: CellStore; dictionaries: readonly (Dictionary | undefined)[]; rows: number }> {
  const folder = new SpillingFolder(folderShape(spec), options);
  const dictionaries: (Dictionary | undefined)[] = spec.keys.map(() => undefined);
  let rows = 0;
  try {
    for await (const batch of batches) {
      await addBatch(folder, batch, spec, dictionaries);
      rows += batch.records;
    }
    const store = await folder.finish(dictionaries.map((dictionary) => dictionary?.size ?? 0));
    return { store, dictionaries, rows };
  } catch (error) {
    await folder.abort();
    throw error;
  }
}

/** [cells] partition of each cell: the leading bits of a hash of its codes, the same whenever the cell is spilled. */
function partitions(cells: Cells): Uint8Array {
  const hashes = new Int32Array(cells.size);
  for (const codes of cells.codes) {
    for (let cell = 0; cell < cells.size; cell++) {
      let h = Math.imul(hashes[cell]! ^ codes[cell]!, 0x9e3779b1);
      h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
      hashes[cell] = h ^ (h >>> 13);
    }
  }
  const partition = new Uint8Array(cells.size);
  for (let cell = 0; cell < cells.size; cell++) partition[cell] = Math.imul(hashes[cell]!, 0xc2b2ae35) >>> (32 - PARTITION_BITS);
  return partition;
}

function cellsOfPartition(cells: Cells, partitionOf: Uint8Array, partition: number): Cells {
  let size = 0;
  for (let cell = 0; cell < cells.size; cell++) if (partitionOf[cell] === partition) size++;
  const chosen = new Int32Array(size);
  for (let cell = 0, at = 0; cell < cells.size; cell++) if (partitionOf[cell] === partition) chosen[at++] = cell;
  const picked = (column: Float64Array): Float64Array => {
    const part = new Float64Array(size);
    for (let i = 0; i < size; i++) part[i] = column[chosen[i]!]!;
    return part;
  };
  return {
    keys: cells.keys,
    sizes: cells.sizes,
    size,
    codes: cells.codes.map((codes) => {
      const part = new Int32Array(size);
      for (let i = 0; i < size; i++) part[i] = codes[chosen[i]!]!;
      return part;
    }),
    records: picked(cells.records),
    ...(cells.weight === undefined ? {} : { weight: picked(cells.weight) }),
    measures: cells.measures.map((measure) => ({
      name: measure.name, values: picked(measure.values), sum: picked(measure.sum), sumAbs: picked(measure.sumAbs),
      min: picked(measure.min), max: picked(measure.max),
    })),
  };
}
