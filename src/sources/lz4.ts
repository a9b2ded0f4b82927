/**
 * LZ4, from bytes that are not trusted: every copy and literal is checked. Undefined means malformed.
 * Sources: lz4_Block_format.md and lz4_Frame_format.md of the LZ4 project.
 */

/** Unpack one block of exactly `length` bytes. */
export function unpackLz4Block(bytes: Uint8Array, length: number): Uint8Array | undefined {
  const out = new Uint8Array(length);
  return unpackInto(out, 0, bytes, 0, bytes.length) === length ? out : undefined;
}

const FRAME_MAGIC = 0x184d2204;

/** Unpack one frame of exactly `length` bytes. Checksums are stepped over. */
export function unpackLz4Frame(bytes: Uint8Array, length: number): Uint8Array | undefined {
  if (bytes.length < 7 || uint32(bytes, 0) !== FRAME_MAGIC) return undefined;
  const flags = bytes[4]!;
  const hasBlockChecksum = (flags & 16) !== 0;
  const hasSize = (flags & 8) !== 0;
  if (flags >> 6 !== 1 || (flags & 1) !== 0) return undefined; // another version, or a preset dictionary
  let at = 6;
  if (hasSize) {
    if (at + 8 > bytes.length || uint32(bytes, at) + uint32(bytes, at + 4) * 2 ** 32 !== length) return undefined;
    at += 8;
  }
  at++; // checksum of the header

  const out = new Uint8Array(length);
  let to = 0;
  for (;;) {
    if (at + 4 > bytes.length) return undefined;
    const header = uint32(bytes, at);
    at += 4;
    if (header === 0) break;
    const size = header & 0x7fff_ffff;
    if (size > bytes.length - at) return undefined;
    if (header >>> 31 === 1) {
      if (size > length - to) return undefined;
      out.set(bytes.subarray(at, at + size), to);
      to += size;
    } else {
      const end = unpackInto(out, to, bytes, at, at + size); // may copy from earlier blocks
      if (end < 0) return undefined;
      to = end;
    }
    at += size + (hasBlockChecksum ? 4 : 0);
  }
  at += (flags & 4) !== 0 ? 4 : 0;
  return to === length && at === bytes.length ? out : undefined;
}

/** Unpack bytes[at..end) to out[to..]; returns where the output ends, or -1. */
function unpackInto(out: Uint8Array, to: number, bytes: Uint8Array, at: number, end: number): number {
  while (at < end) {
    const token = bytes[at++]!;
    let literal = token >> 4;
    if (literal === 15) {
      let byte: number;
      do {
        if (at >= end) return -1;
        literal += byte = bytes[at++]!;
      } while (byte === 255);
    }
    if (literal > end - at || literal > out.length - to) return -1;
    if (literal < 16) for (let i = 0; i < literal; i++) out[to + i] = bytes[at + i]!;
    else out.set(bytes.subarray(at, at + literal), to);
    at += literal;
    to += literal;
    if (at === end) return to; // the last sequence has no copy

    if (at + 2 > end) return -1;
    const offset = bytes[at]! | (bytes[at + 1]! << 8);
    at += 2;
    let copy = (token & 15) + 4;
    if (copy === 19) {
      let byte: number;
      do {
        if (at >= end) return -1;
        copy += byte = bytes[at++]!;
      } while (byte === 255);
    }
    if (offset === 0 || offset > to || copy > out.length - to) return -1;
    for (let i = 0; i < copy; i++) out[to + i] = out[to - offset + i]!; // may overlap: byte by byte
    to += copy;
  }
  return to;
}

function uint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
