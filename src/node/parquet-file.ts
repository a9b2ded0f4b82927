import { basename } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { parquetSource, type PlatformCodecs } from "../sources/parquet/index.ts";
import type { Source } from "../sources/source.ts";
import { openFileRandomAccess } from "./file-random-access.ts";
import { createHasher } from "./hash.ts";

/** Never gives more than a page may hold; the reader checks that it gives as much. */
const codecs: PlatformCodecs = {
  GZIP: (bytes, length) => gunzipSync(bytes, { maxOutputLength: Math.max(1, length) }),
  BROTLI: (bytes, length) => brotliDecompressSync(bytes, { maxOutputLength: Math.max(1, length) }),
};

/** A Parquet file as a source, opened anew for each pass. */
export function openParquetFile(path: string): Source {
  return parquetSource(() => openFileRandomAccess(path), { label: basename(path), newHasher: createHasher, codecs });
}
