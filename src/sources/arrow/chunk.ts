/**
 * One column of one record batch as Arrow lays it out. Buffers are views on what the caller holds; nothing is copied
 * unless alignment demands it. Lengths are checked when the chunk is read, not trusted.
 */
export interface Chunk {
  /** Records. */
  readonly length: number;
  /** One bit a record, set where there is a value; undefined when nothing is null. */
  readonly validity: Uint8Array | undefined;
  /** Position of the first record's bit in `validity`, and in `data` for booleans. */
  readonly bitOffset: number;
  /** [length + 1] places of the values in `data`; text only. */
  readonly offsets: Int32Array | Float64Array | undefined;
  /** Values, little endian, the first record's first. */
  readonly data: Uint8Array;
  /** Values that the codes in `data` stand for; dictionary columns only. */
  readonly dictionary: DictionaryValues | undefined;
}

/** The values of one dictionary: the first part and whatever deltas were appended. Identity tells versions apart. */
export interface DictionaryValues {
  readonly parts: readonly Chunk[];
}

const EMPTY = new Uint8Array(0);

export const nullChunk = (length: number): Chunk => ({
  length, validity: undefined, bitOffset: 0, offsets: undefined, data: EMPTY, dictionary: undefined,
});

/** 32-bit offsets as they are, or copied when not aligned. */
export function offsets32(bytes: Uint8Array): Int32Array {
  return words(bytes);
}

/** 64-bit offsets as doubles. Anything beyond 2^53 becomes too large for any buffer, as it should. */
export function offsets64(bytes: Uint8Array): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const offsets = new Float64Array(bytes.length >> 3);
  for (let i = 0; i < offsets.length; i++) {
    offsets[i] = view.getInt32(i * 8 + 4, true) * 0x1_0000_0000 + view.getUint32(i * 8, true);
  }
  return offsets;
}

/** The same bytes at a multiple of `size`. */
export function aligned(bytes: Uint8Array, size: number): Uint8Array {
  // Not slice(): on a Buffer that would be a view.
  return bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
}

/** Whole 32-bit words of a buffer. */
export function words(bytes: Uint8Array): Int32Array {
  const whole = aligned(bytes, 4);
  return new Int32Array(whole.buffer, whole.byteOffset, whole.length >> 2);
}

/** Set bits among `count` bits from `from`. Time O(count / 8). */
export function countBits(bytes: Uint8Array, from: number, count: number): number {
  let set = 0;
  let i = from;
  const end = from + count;
  for (; i < end && (i & 7) !== 0; i++) set += (bytes[i >> 3]! >> (i & 7)) & 1;
  for (; i + 8 <= end; i += 8) set += BITS_IN_BYTE[bytes[i >> 3]!]!;
  for (; i < end; i++) set += (bytes[i >> 3]! >> (i & 7)) & 1;
  return set;
}

const BITS_IN_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => {
  let set = 0;
  for (let rest = byte; rest > 0; rest >>= 1) set += rest & 1;
  return set;
});
