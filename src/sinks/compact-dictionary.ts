import { compareValues, type Dictionary } from "../columns/index.ts";

/** A dictionary that holds exactly the values in use, and how old codes become new ones. */
export interface CompactDictionary {
  readonly dictionary: Dictionary;
  /** [old codes] new code; -1 for values that are not in use. */
  readonly map: Int32Array;
}

/**
 * Mark the codes that occur. Nulls (-1) mark nothing.
 *
 * @param codes [records] codes, -1 for null; may be longer than `records`
 * @param used  [dictionary size] out: 1 where the code occurs; earlier marks stay
 */
export function markUsedCodes(codes: Int32Array, records: number, used: Uint8Array): void {
  for (let i = 0; i < records; i++) {
    const code = codes[i]!;
    if (code >= 0) used[code] = 1;
  }
}

/**
 * Rebuild a dictionary from the values in use, sorted by their bytes, in new exact-size buffers. Neither unused values nor
 * the order in which the values were first seen survive.
 *
 * @param used [dictionary size] nonzero where the value stays
 *
 * Time O(kept values x log(kept values) + bytes).
 */
export function compactDictionary(dictionary: Dictionary, used: Uint8Array): CompactDictionary {
  const kept: number[] = [];
  let length = 0;
  for (let code = 0; code < dictionary.size; code++) {
    if (used[code]) {
      kept.push(code);
      length += dictionary.offsets[code + 1]! - dictionary.offsets[code]!;
    }
  }
  kept.sort((a, b) => compareValues(dictionary, a, b));

  const map = new Int32Array(dictionary.size).fill(-1);
  const offsets = new Uint32Array(kept.length + 1);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (let rank = 0; rank < kept.length; rank++) {
    const code = kept[rank]!;
    map[code] = rank;
    for (let from = dictionary.offsets[code]!; from < dictionary.offsets[code + 1]!; from++) bytes[at++] = dictionary.bytes[from]!;
    offsets[rank + 1] = at;
  }
  return { dictionary: { size: kept.length, offsets, bytes }, map };
}
