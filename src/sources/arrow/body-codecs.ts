import { DataError } from "../../errors/index.ts";
import { unpackLz4Frame } from "../lz4.ts";
import { mayUnpackTo } from "../zstd.ts";
import { badMetadata } from "./flatbuffer.ts";
import type { IpcCodec } from "./metadata.ts";

type Unpack = (bytes: Uint8Array, length: number) => Uint8Array | undefined;

/** A buffer may unpack to this many bytes in any case, and beyond that to so many per compressed byte. */
const BYTES_ANYWAY = 1 << 24;
const BYTES_PER_BYTE = 1024;

/**
 * Undoes the compression of record batch bodies. ZSTD needs hyparquet-compressors, an optional peer.
 * @throws DataError arrow/missing-package
 */
export async function bufferDecompressor(codec: IpcCodec): Promise<(bytes: Uint8Array) => Uint8Array> {
  const unpack = codec === "LZ4" ? unpackLz4Frame : await zstd();
  return (bytes) => {
    if (bytes.length === 0) return bytes;
    if (bytes.length < 8) badMetadata("a compressed buffer without its length");
    const stated = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true);
    const packed = bytes.subarray(8);
    if (stated === -1n) return packed; // stored as it is, since compression did not pay
    const length = Number(stated);
    if (length < 0 || (length > BYTES_ANYWAY && length > packed.length * BYTES_PER_BYTE)) {
      badMetadata("a buffer that claims to unpack to absurd size");
    }
    let unpacked: Uint8Array | undefined;
    try {
      unpacked = unpack(packed, length);
    } catch {
      unpacked = undefined; // what a codec says may quote its input
    }
    return unpacked?.length === length ? unpacked : badMetadata("a buffer that does not unpack");
  };
}

async function zstd(): Promise<Unpack> {
  try {
    const { compressors } = await import("hyparquet-compressors");
    const unpack = compressors.ZSTD!;
    return (bytes, length) => (mayUnpackTo(bytes, length) ? unpack(bytes, length) : undefined);
  } catch {
    throw new DataError("arrow/missing-package", "The Arrow data are compressed with ZSTD. Install the package that " +
      "unpacks it: npm install hyparquet-compressors", { codec: "ZSTD" });
  }
}
