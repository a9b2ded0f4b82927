/** Where appended bytes lie; only the spill that gave it understands it. */
export interface SpillHandle {
  readonly offset: number;
  /** Bytes that were appended. */
  readonly length: number;
}

/**
 * Temporary storage for bytes that memory cannot hold. `node/` implements it by an encrypted file whose key lives in memory
 * only; nothing readable is left behind, however the process ends.
 */
export interface Spill {
  /** Bytes appended so far, for progress and budgets. */
  readonly size: number;
  /** Store a copy; `bytes` may be reused once the promise has settled. Calls may overlap. */
  append(bytes: Uint8Array): Promise<SpillHandle>;
  /** @throws DataError `spill/damaged` when the stored bytes are not those that were appended. */
  read(handle: SpillHandle): Promise<Uint8Array>;
  /** Remove everything. May be called twice. */
  close(): Promise<void>;
}

/** Opens a spill when one is first needed. */
export type OpenSpill = () => Promise<Spill>;
