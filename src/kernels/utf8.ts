/**
 * Length of the valid UTF-8 at the start of a byte range: the offset of the first byte that does not begin or continue a
 * well-formed sequence. A sequence cut off by `end` counts as not valid; `isUtf8Prefix` tells that case apart.
 * Overlong forms, surrogates and code points above U+10FFFF are not well formed (Unicode 15, table 3-7).
 *
 * @param view over the same memory as `bytes`, so that ASCII is passed sixteen bytes at a time
 * @returns offset of the first byte of the first sequence that is not well formed, or `end`
 *
 * Time O(end - start), allocates nothing.
 */
export function validUtf8End(bytes: Uint8Array, view: DataView, start: number, end: number): number {
  let i = start;
  const lastBlock = end - 16;
  while (i < end) {
    while (
      i <= lastBlock &&
      ((view.getInt32(i, true) | view.getInt32(i + 4, true) | view.getInt32(i + 8, true) | view.getInt32(i + 12, true)) &
        0x80808080) === 0
    ) {
      i += 16;
    }
    // At most sixteen bytes one by one, then try blocks again.
    const pause = i + 16 < end ? i + 16 : end;
    while (i < pause) {
      if (bytes[i]! < 0x80) {
        i++;
        continue;
      }
      const length = sequenceLength(bytes, i, end);
      if (length === 0) return i;
      i += length;
    }
  }
  return end;
}

/** Bytes of the well-formed non-ASCII sequence at `at`; 0 when there is none that ends by `end`. */
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at]!;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + length > end || !isSecondByte(lead, bytes[at + 1]!)) return 0;
  for (let k = 2; k < length; k++) if ((bytes[at + k]! & 0xc0) !== 0x80) return 0;
  return length;
}

function isSecondByte(lead: number, second: number): boolean {
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  return second >= low && second <= high;
}

/** Whether bytes[start..end), not empty, is the beginning of a well-formed sequence that more bytes could complete. */
export function isUtf8Prefix(bytes: Uint8Array, start: number, end: number): boolean {
  const lead = bytes[start]!;
  if (lead < 0xc2 || lead > 0xf4) return false;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const have = end - start;
  if (have >= length) return false;
  if (have > 1 && !isSecondByte(lead, bytes[start + 1]!)) return false;
  return have < 3 || (bytes[start + 2]! & 0xc0) === 0x80;
}
