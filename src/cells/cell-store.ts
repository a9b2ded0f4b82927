import { DataError } from "../errors/index.ts";
import type { Spill, SpillHandle } from "../columns/spill.ts";
import type { Cells } from "./cells.ts";
import { decodeCells } from "./encode.ts";
import { merge, rollUp, type KeyChange } from "./roll-up.ts";

/** Cells wherever they are kept: in memory, or spilled in partitions that fit into memory one at a time. */
export interface CellStore {
  readonly keys: readonly string[];
  /** [keys] */
  readonly sizes: readonly number[];
  /** Number of cells; undefined when they are spilled, as the same cell may have been spilled more than once. */
  readonly size?: number;
  /** Cells in parts; no combination occurs in two of them. Parts without cells are left out. */
  partitions(): AsyncIterable<Cells>;
  /** Coarser cells in memory. @throws DataError `cells/over-budget` when they do not fit. */
  rollUp(maps: readonly KeyChange[]): Promise<Cells>;
  /** Give the storage back. May be called twice. */
  close(): Promise<void>;
}

/** Bytes of cells in memory. */
export function cellBytes(cells: Pick<Cells, "keys" | "measures" | "weight">, size: number): number {
  return size * (cells.keys.length * 4 + 8 + (cells.weight === undefined ? 0 : 8) + cells.measures.length * 40);
}

export function memoryStore(cells: Cells): CellStore {
  return {
    keys: cells.keys,
    sizes: cells.sizes,
    size: cells.size,
    async *partitions() {
      if (cells.size > 0) yield cells;
    },
    rollUp: (maps) => Promise.resolve(rollUp(cells, maps)),
    close: () => Promise.resolve(),
  };
}

/** Spilled parts of one partition; a cell may be in several of them. */
export interface SpilledPartition {
  readonly handles: SpillHandle[];
}

/** @param empty cells of the same shape without any cell, with the final sizes */
export function spilledStore(empty: Cells, spill: Spill, parts: readonly SpilledPartition[], budgetBytes: number): CellStore {
  async function load(partition: SpilledPartition): Promise<Cells> {
    const merger = new Merger(empty, budgetBytes);
    for (const handle of partition.handles) merger.add({ ...decodeCells(await spill.read(handle)), sizes: empty.sizes });
    return merger.finish();
  }

  return {
    keys: empty.keys,
    sizes: empty.sizes,
    async *partitions() {
      for (const partition of parts) if (partition.handles.length > 0) yield await load(partition);
    },
    async rollUp(maps) {
      const merger = new Merger(rollUp(empty, maps), budgetBytes);
      for (const partition of parts) if (partition.handles.length > 0) merger.add(rollUp(await load(partition), maps));
      return merger.finish();
    },
    close: () => spill.close(),
  };
}

/** Merges parts as they come. Those that wait are never more cells than those merged, so the work stays linear. */
class Merger {
  readonly #budgetBytes: number;
  #merged: Cells;
  #waiting: Cells[] = [];
  #waitingCells = 0;

  constructor(empty: Cells, budgetBytes: number) {
    this.#merged = empty;
    this.#budgetBytes = budgetBytes;
  }

  add(part: Cells): void {
    this.#waiting.push(part);
    this.#waitingCells += part.size;
    if (this.#waitingCells > this.#merged.size) this.#merge();
  }

  finish(): Cells {
    if (this.#waiting.length > 0) this.#merge();
    return this.#merged;
  }

  #merge(): void {
    this.#merged = merge([this.#merged, ...this.#waiting]);
    this.#waiting = [];
    this.#waitingCells = 0;
    refuseBeyond(this.#budgetBytes, cellBytes(this.#merged, this.#merged.size));
  }
}

function refuseBeyond(budgetBytes: number, bytes: number): void {
  if (bytes <= budgetBytes) return;
  throw new DataError(
    "cells/over-budget",
    `Cells of ${bytes} bytes must be in memory at once, and the budget is ${budgetBytes} bytes. `
      + "Raise the memory budget, coarsen a key with many values, or leave one out.",
    { bytes, budgetBytes },
  );
}
