/**
 * 32-bit hash of a byte range (FNV-1a with a final avalanche, so that low bits may index a table).
 * Time O(end - start), allocates nothing. Not for adversaries: tables that use it compare the bytes.
 */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5;
  for (let i = start; i < end; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  h ^= h >>> 12;
  return h >>> 0;
}
