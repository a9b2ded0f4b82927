const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50; // and the 15 after it
const MAX_BLOCK = 1 << 17;

/** Upper bound for what the frames unpack to where they do not say; see `mayUnpackTo`. */
const BYTES_ANYWAY = 1 << 24;

/**
 * Can these Zstandard frames unpack to `length` bytes, and surely not to much more? Asked before a library unpacks
 * them, which would believe a frame that promises terabytes. Source: RFC 8878, section 3.1.
 */
export function mayUnpackTo(bytes: Uint8Array, length: number): boolean {
  let stated = 0;
  let most = 0;
  let allStated = true;
  let at = 0;
  while (at < bytes.length) {
    if (at + 8 > bytes.length) return false;
    const magic = uint32(bytes, at);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      at += 8 + uint32(bytes, at + 4);
      continue;
    }
    if (magic !== FRAME_MAGIC) return false;
    const descriptor = bytes[at + 4]!;
    const single = (descriptor & 32) !== 0;
    const sizeBytes = descriptor >> 6 === 0 ? (single ? 1 : 0) : 1 << (descriptor >> 6);
    at += 5 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
    if (sizeBytes === 0) allStated = false;
    let size = sizeBytes === 2 ? 256 : 0;
    for (let i = 0; i < sizeBytes; i++) size += (bytes[at + i] ?? 0) * 2 ** (8 * i);
    stated += size;
    at += sizeBytes;

    for (let last = false; !last; ) {
      if (at + 3 > bytes.length) return false;
      const header = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
      last = (header & 1) === 1;
      const kind = (header >> 1) & 3; // raw, one repeated byte, compressed, reserved
      const blockSize = header >> 3;
      most += kind === 2 ? MAX_BLOCK : blockSize;
      at += 3 + (kind === 1 ? 1 : blockSize);
    }
    at += (descriptor & 4) !== 0 ? 4 : 0;
  }
  if (at !== bytes.length) return false;
  return allStated ? stated === length : most <= 2 * length + BYTES_ANYWAY;
}

function uint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
