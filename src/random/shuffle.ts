import type { RandomBits } from "./random-bits.ts";
import { uniformInts } from "./uniform-ints.ts";

/** What can be shuffled: anything indexed that swaps by assignment. */
export interface Shuffleable<T> {
  readonly length: number;
  [index: number]: T;
}

/**
 * Put the entries in an order drawn uniformly from all orders, in place.
 * Fisher and Yates, in the form of Durstenfeld (1964), Algorithm 235. Time O(length).
 */
export function shuffle<T>(bits: RandomBits, entries: Shuffleable<T>): void {
  const ints = uniformInts(bits);
  for (let last = entries.length - 1; last > 0; last--) {
    const chosen = ints.below(last + 1);
    const kept = entries[last]!;
    entries[last] = entries[chosen]!;
    entries[chosen] = kept;
  }
}
