import { tableBytes, type ClassTable } from "./class-tables.ts";

/** More than this many are not worth looking through. */
const MOST_TABLES = 512;

interface Kept {
  readonly table: ClassTable;
  readonly bytes: number;
  lastUse: number;
}

/** Class tables to roll up from, the least recently used making room for new ones. The finest of all is always there. */
export class TableStore {
  readonly #base: ClassTable;
  readonly #budget: number;
  readonly #kept: Kept[] = [];
  #bytes = 0;
  #uses = 0;

  /** @param budget bytes of tables kept beyond `base` */
  constructor(base: ClassTable, budget: number) {
    this.#base = base;
    this.#budget = budget;
  }

  /** The table with fewest classes from which `levels` can be rolled up. */
  sourceFor(levels: Uint8Array): ClassTable {
    let best = this.#base;
    let found: Kept | undefined;
    for (const kept of this.#kept) {
      if (kept.table.size >= best.size || !isFiner(kept.table.levels, levels)) continue;
      best = kept.table;
      found = kept;
    }
    if (found !== undefined) found.lastUse = ++this.#uses;
    return best;
  }

  /** Whether to keep a table that was rolled up from `source`: it must be clearly smaller, and fit. */
  wants(classes: number, words: number, source: ClassTable): boolean {
    return classes <= 0.9 * source.size && tableBytes(classes, words) <= this.#budget;
  }

  keep(table: ClassTable): void {
    const bytes = tableBytes(table.size, table.words.length);
    while (this.#kept.length > 0 && (this.#bytes + bytes > this.#budget || this.#kept.length >= MOST_TABLES)) this.#dropStalest();
    this.#kept.push({ table, bytes, lastUse: ++this.#uses });
    this.#bytes += bytes;
  }

  #dropStalest(): void {
    const kept = this.#kept;
    let stalest = 0;
    for (let i = 1; i < kept.length; i++) if (kept[i]!.lastUse < kept[stalest]!.lastUse) stalest = i;
    this.#bytes -= kept[stalest]!.bytes;
    kept[stalest] = kept.at(-1)!;
    kept.pop();
  }
}

function isFiner(a: Uint8Array, b: Uint8Array): boolean {
  for (let key = 0; key < a.length; key++) if (a[key]! > b[key]!) return false;
  return true;
}
