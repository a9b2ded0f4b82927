import { DataError } from "../../errors/index.ts";
import { unpackLz4Block } from "../lz4.ts";
import { mayUnpackTo } from "../zstd.ts";
import { badParquet } from "./thrift.ts";

/** Compression codecs, by their number in parquet.thrift. */
const NAMES = ["UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"] as const;
export type CodecName = (typeof NAMES)[number];

/** Undo one codec. Must give exactly `length` bytes or throw. */
export type Decompress = (compressed: Uint8Array, length: number) => Uint8Array;

/**
 * Codecs that the platform has (gzip and brotli of node:zlib). All others come from hyparquet-compressors, an optional
 * peer.
 */
export type PlatformCodecs = Readonly<Partial<Record<CodecName, Decompress>>>;

/** A page may unpack to this many bytes in any case, and beyond that to so many per compressed byte. */
const BYTES_ANYWAY = 1 << 24;
const BYTES_PER_BYTE = 1024;

/**
 * Unpacks the pages of one codec.
 * @throws DataError parquet/unsupported-compression when the codec is not known or its package is not installed
 */
export async function pageDecompressor(codec: number, platform: PlatformCodecs): Promise<Decompress> {
  const name = NAMES[codec];
  if (name === undefined || name === "LZO") {
    throw new DataError("parquet/unsupported-compression", `The Parquet file is compressed with ` +
      `${name ?? `codec number ${codec}`}, which is not supported. Write it with SNAPPY, GZIP or ZSTD.`, { codec: name ?? codec });
  }
  if (name === "UNCOMPRESSED") {
    return (bytes, length) => (bytes.length === length ? bytes : badParquet("a page of another size than its header " +
      "says"));
  }
  const own: PlatformCodecs = { SNAPPY: unpackSnappy, LZ4_RAW: unpackLz4Raw };
  const unpack = own[name] ?? platform[name] ?? (await fromPeer(name));
  return (bytes, length) => {
    if (length > BYTES_ANYWAY && length > bytes.length * BYTES_PER_BYTE) {
      badParquet("a page that claims to unpack to absurd size");
    }
    if (length === 0 && bytes.length === 0) return bytes;
    if (name === "ZSTD" && !mayUnpackTo(bytes, length)) badParquet("a page that does not unpack");
    let unpacked: Uint8Array;
    try {
      unpacked = unpack(bytes, length);
    } catch (error) {
      if (error instanceof DataError) throw error;
      return badParquet("a page that does not unpack"); // what a codec says may quote its input
    }
    return unpacked.length === length ? unpacked : badParquet("a page of another size than its header says");
  };
}

async function fromPeer(name: CodecName): Promise<Decompress> {
  let unpack: Decompress | undefined;
  try {
    const { compressors } = await import("hyparquet-compressors");
    unpack = compressors[name as keyof typeof compressors] as Decompress | undefined;
  } catch {
    throw new DataError("parquet/missing-package", `The Parquet file is compressed with ${name}. Install the package ` +
      `that unpacks it: npm install hyparquet-compressors`, { codec: name });
  }
  if (unpack === undefined) {
    throw new DataError("parquet/unsupported-compression", `The installed hyparquet-compressors cannot unpack ` +
      `${name}. Install a newer one.`, { codec: name });
  }
  return unpack;
}

function unpackLz4Raw(bytes: Uint8Array, length: number): Uint8Array {
  return unpackLz4Block(bytes, length) ?? badParquet("a page that does not unpack");
}

/** Source: Snappy compressed format description (format_description.txt). Every copy and literal is checked. */
export function unpackSnappy(bytes: Uint8Array, length: number): Uint8Array {
  let at = 0;
  let stated = 0;
  for (let scale = 1; ; scale *= 128) {
    if (at >= bytes.length || scale > 2 ** 28) badParquet("a page that does not unpack");
    const byte = bytes[at++]!;
    stated += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  if (stated !== length) badParquet("a page of another size than its header says");
  const out = new Uint8Array(length);
  let to = 0;
  while (at < bytes.length) {
    const tag = bytes[at++]!;
    const kind = tag & 3;
    if (kind === 0) {
      let literal = tag >> 2;
      if (literal >= 60) {
        const extra = literal - 59;
        if (at + extra > bytes.length) badParquet("a page that does not unpack");
        literal = 0;
        for (let i = 0; i < extra; i++) literal += bytes[at + i]! * 2 ** (8 * i);
        at += extra;
      }
      literal++;
      if (at + literal > bytes.length || to + literal > length) badParquet("a page that does not unpack");
      if (literal < 16) for (let i = 0; i < literal; i++) out[to + i] = bytes[at + i]!;
      else out.set(bytes.subarray(at, at + literal), to);
      at += literal;
      to += literal;
      continue;
    }
    const extra = kind === 3 ? 4 : kind;
    if (at + extra > bytes.length) badParquet("a page that does not unpack");
    let copy = (tag >> 2) + 1;
    let offset = bytes[at]!;
    if (kind === 1) {
      copy = ((tag >> 2) & 7) + 4;
      offset |= (tag >> 5) << 8;
    } else {
      offset |= bytes[at + 1]! << 8;
      if (kind === 3) offset = (offset | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
    }
    at += extra;
    if (offset === 0 || offset > to || to + copy > length) badParquet("a page that does not unpack");
    const from = to - offset;
    for (let i = 0; i < copy; i++) out[to + i] = out[from + i]!; // may overlap: byte by byte
    to += copy;
  }
  return to === length ? out : badParquet("a page that does not unpack");
}
